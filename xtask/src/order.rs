//! Puts functions that are alike beside each other: brotli finds what repeats the sooner the nearer it is.
//!
//! The order is given as names, by which `wasm-opt --reorder-functions-by-name` then sorts.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use wasm_encoder::{NameMap, NameSection, Section};
use wasmparser::{Parser, Payload, TypeRef};

/// Functions are alike by how many runs of this many octets they share.
const RUN: usize = 4;
/// Keeps the shortest functions, which share all that they have with something, from coming first.
const SMALL: usize = 20;

/// The module with a name for each function that says where it shall stand: every one beside what it is most like,
/// beginning with the largest.
pub(crate) fn name_by_likeness(wasm: &[u8]) -> Result<Vec<u8>> {
    let (imports, bodies) = functions(wasm)?;
    let mut places = vec![0; bodies.len()];
    for (place, function) in chain(&bodies)?.into_iter().enumerate() {
        places[function] = place;
    }
    let mut names = NameMap::new();
    for (index, place) in (0..).zip((0..imports).chain(places.iter().map(|place| imports + place))) {
        names.append(index, &format!("{place:06}"));
    }
    let mut section = NameSection::new();
    section.functions(&names);
    let mut named = wasm.to_vec();
    section.append_to(&mut named);
    Ok(named)
}

/// How many functions are imported, and the bodies of the others.
fn functions(wasm: &[u8]) -> Result<(usize, Vec<&[u8]>)> {
    let (mut imports, mut bodies) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imports += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(&wasm[body.range()]),
            _ => {}
        }
    }
    ensure!(!bodies.is_empty(), "the .wasm has no functions");
    Ok((imports, bodies))
}

/// From one function to the one of the rest that is most like it.
fn chain(bodies: &[&[u8]]) -> Result<Vec<usize>> {
    let runs: Vec<HashSet<&[u8]>> = bodies.iter().map(|body| body.windows(RUN).collect()).collect();
    let mut rest: Vec<usize> = (0..bodies.len()).collect();
    let mut order = Vec::with_capacity(rest.len());
    let mut next = rest.iter().copied().max_by_key(|&at| bodies[at].len()).context("no functions")?;
    loop {
        order.push(next);
        rest.retain(|&at| at != next);
        let likeness = |at: usize| {
            let shared = runs[at].intersection(&runs[next]).count();
            // In millionths, as fractions have no order.
            shared * 1_000_000 / (runs[at].len() + SMALL)
        };
        match rest.iter().copied().max_by_key(|&at| (likeness(at), std::cmp::Reverse(at))) {
            Some(most) => next = most,
            None => return Ok(order),
        }
    }
}
