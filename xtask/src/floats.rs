//! Refuses a binary that can print or parse floating-point numbers.
//!
//! One stray `{}` of an `f64` pulls in 9 to 14 KB of tables and big-number code from `core`, which no
//! other step would notice. rustc's name section still tells the functions apart, so this looks at
//! the compiled `.wasm` before wasm-bindgen drops that section.

use anyhow::{Result, bail};
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// The modules of `core::num` that turn floats to text and text to floats.
const MODULES: [&str; 2] = ["flt2dec", "dec2flt"];

/// Fails if a function of `core`'s float formatting or parsing is in the module.
pub(crate) fn refuse(wasm: &[u8]) -> Result<()> {
    let names = function_names(wasm)?;
    if names.is_empty() {
        bail!(
            "the compiled .wasm has no function names, so nothing can be said about float formatting; is `strip` on?"
        );
    }
    if let Some(name) = names.iter().find(|name| MODULES.iter().any(|module| name.contains(module))) {
        bail!(
            "the .wasm contains `{name}`: somewhere an f64 is formatted or parsed as text, which costs 9 to 14 KB; \
             convert it to an integer first"
        );
    }
    Ok(())
}

fn function_names(wasm: &[u8]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CustomSection(section) = payload? else { continue };
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for subsection in names {
            if let Name::Function(functions) = subsection? {
                for function in functions {
                    found.push(function?.name.to_owned());
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{Module, NameMap, NameSection};

    use super::*;

    fn module(function: &str) -> Vec<u8> {
        let mut functions = NameMap::new();
        functions.append(0, function);
        let mut names = NameSection::new();
        names.functions(&functions);
        let mut module = Module::new();
        module.section(&names);
        module.finish()
    }

    #[test]
    fn float_formatting_is_refused() {
        let name = "_ZN4core3num7flt2dec8strategy5grisu19format_shortest_opt17h0123456789abcdefE";
        assert!(refuse(&module(name)).unwrap_err().to_string().contains("f64"));
        assert!(refuse(&module("_ZN7wardkey8protocol3jwt5parse17h0123456789abcdefE")).is_ok());
    }

    #[test]
    fn a_stripped_module_is_no_proof() {
        assert!(refuse(&Module::new().finish()).unwrap_err().to_string().contains("no function names"));
    }
}
