//! Takes out of the `.wasm` what a panic would say.
//!
//! The engine does not panic, and if it did, nobody would read the words: on wasm32-unknown-unknown there is no
//! place to print them to. Still the standard library carries formatting, file names and line numbers for
//! them. `-Cpanic=immediate-abort` leaves them out, but is unstable. So the functions that put a message
//! together are made to trap at once, as all of them do in the end, and what only they would read is blanked.
//! Every change has the length of what it replaces; `wasm-opt` then drops the code that nothing calls.

use std::ops::Range;

use anyhow::{Result, ensure};
use wasmparser::{DataKind, KnownCustom, Name, Operator, Parser, Payload};

/// Parts of the names (as rustc mangles them: a length before each word) of functions that only a panic gets to.
/// Nothing of ours formats anything at run time.
const FUNCTIONS: &[&str] = &[
    "9panicking",
    "4core3fmt",
    "3fmt7Display3fmt",
    "22panic_already_borrowed",
    "30panic_already_mutably_borrowed",
    "14panic_poisoned",
    "16slice_index_fail",
    "17len_mismatch_fail",
    "13expect_failed",
    "13unwrap_failed",
    "13assert_failed",
    "7raw_vec12handle_error",
];

const UNREACHABLE: u8 = 0x00;
const NOP: u8 = 0x01;
const END: u8 = 0x0b;

/// Makes the functions trap and blanks the locations, in place.
pub(crate) fn silence(wasm: &mut [u8]) -> Result<()> {
    let (bodies, segments) = find(wasm)?;
    ensure!(!bodies.is_empty(), "no panicking function has a name that panics.rs knows");
    for body in bodies {
        let [locals, first, middle @ .., last] = &mut wasm[body] else { continue };
        (*locals, *first, *last) = (0, UNREACHABLE, END);
        middle.fill(NOP);
    }
    for (address, range) in segments {
        blank_locations(address, &mut wasm[range]);
    }
    Ok(())
}

/// A data segment: its address in memory, and where it is in the file.
type Segment = (usize, Range<usize>);

/// The bodies of the panicking functions, and the data segments.
fn find(wasm: &[u8]) -> Result<(Vec<Range<usize>>, Vec<Segment>)> {
    let (mut imports, mut bodies, mut named, mut segments) = (0, Vec::new(), Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imports += usize::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.range()),
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    if let DataKind::Active { offset_expr, .. } = data.kind
                        && let Operator::I32Const { value } = offset_expr.get_operators_reader().read()?
                    {
                        segments.push((
                            usize::try_from(value)?,
                            data.range.end - data.data.len()..data.range.end,
                        ));
                    }
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    for name in names {
                        if let Name::Function(functions) = name? {
                            named = functions.into_iter().collect::<Result<Vec<_>, _>>()?;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let panics = named.iter().filter(|naming| FUNCTIONS.iter().any(|part| naming.name.contains(part)));
    let body =
        |naming: &wasmparser::Naming<'_>| bodies.get((naming.index as usize).checked_sub(imports)?).cloned();
    Ok((panics.filter_map(body).collect(), segments))
}

/// Blanks each `core::panic::Location` (address and length of a file name, line, column) and the file names.
fn blank_locations(address: usize, data: &mut [u8]) {
    let word = |data: &[u8], at: usize| Some(u32::from_le_bytes(*data.get(at..)?.first_chunk()?) as usize);
    let location = |data: &[u8], at: usize| {
        let (file, length) = (word(data, at)?.checked_sub(address)?, word(data, at + 4)?);
        let (line, column) = (word(data, at + 8)?, word(data, at + 12)?);
        let file = file..file.checked_add(length)?;
        let fits = data.get(file.clone())?.ends_with(b".rs") && line < 1 << 16 && column < 1 << 10;
        fits.then_some([at..at + 16, file])
    };
    let found: Vec<_> = (0..data.len()).step_by(4).filter_map(|at| location(data, at)).flatten().collect();
    for range in found {
        data[range].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        CodeSection, ConstExpr, DataSection, Function, FunctionSection, MemorySection, MemoryType, Module,
        NameMap, NameSection, TypeSection,
    };

    use super::*;

    const OURS: &str = "_RNvNtNtCs0_7wardkey8protocol4json5parse";
    const PANIC: &str = "_RNvNtCs0_4core9panicking9panic_fmt";
    const FILE: &[u8] = b"src/a.rs";

    /// Two functions with a body of five instructions, and the location src/a.rs:7:9 at 1024 with a text after it.
    fn module(first: &str, second: &str) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let (mut functions, mut code, mut names) =
            (FunctionSection::new(), CodeSection::new(), NameMap::new());
        for (index, name) in [first, second].into_iter().enumerate() {
            functions.function(0);
            let mut body = Function::new([]);
            body.raw([NOP, NOP, NOP, NOP, END]);
            code.function(&body);
            names.append(index as u32, name);
        }
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let words = [1040_u32, 8, 7, 9].map(u32::to_le_bytes).concat();
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(1024), [&words, FILE, b"text"].concat());
        let mut section = NameSection::new();
        section.functions(&names);
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&memories)
            .section(&code)
            .section(&data)
            .section(&section);
        module.finish()
    }

    #[test]
    fn a_panicking_function_traps_and_the_others_stay() {
        let mut wasm = module(OURS, PANIC);
        let before = wasm.clone();
        silence(&mut wasm).unwrap();
        let bodies: Vec<_> = Parser::new(0)
            .parse_all(&wasm)
            .filter_map(|payload| match payload.unwrap() {
                Payload::CodeSectionEntry(body) => Some(&wasm[body.range()]),
                _ => None,
            })
            .collect();
        assert_eq!(bodies, [&[0, NOP, NOP, NOP, NOP, END], &[0, UNREACHABLE, NOP, NOP, NOP, END]]);
        assert_eq!(wasm.len(), before.len());
    }

    #[test]
    fn a_location_is_blanked_and_other_data_stays() {
        let mut wasm = module(OURS, PANIC);
        silence(&mut wasm).unwrap();
        let has = |part: &[u8]| wasm.windows(part.len()).any(|window| window == part);
        assert!(!has(FILE) && has(&[&[0; 24][..], b"text"].concat()));
    }

    #[test]
    fn names_that_are_not_known_are_an_error() {
        assert!(silence(&mut module(OURS, OURS)).is_err());
    }
}
