//! What must hold for every input of a parser, one function each. libFuzzer calls them with inputs of its own
//! making (`fuzz/`), and the native test next door with the seeds in `fuzz/corpus/`.
//!
//! A target panics where a property is broken. Otherwise it says whether the input was accepted.

#![allow(unreachable_pub)] // To the fuzzer this is a library.

mod callback;
mod challenge;
mod json;
mod jwks;
mod jwt;
mod metadata;
mod token_response;
mod transaction;

use wardkey::protocol::error::AuthError;

/// Judges one input.
pub type Target = fn(&[u8]) -> bool;

/// Every target, by the name of its corpus and fuzzer.
pub const TARGETS: &[(&str, Target)] = &[
    ("callback", callback::target),
    ("challenge", challenge::target),
    ("json", json::target),
    ("jwks", jwks::target),
    ("jwt", jwt::target),
    ("metadata", metadata::target),
    ("token_response", token_response::target),
    ("transaction", transaction::target),
];

/// Judges an input by the target with this name.
pub fn judge(name: &str, input: &[u8]) -> bool {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    target(input)
}

/// An error says which rule, in words that were compiled in; of the input it has the server's `error` at most,
/// in the character set of RFC 6749 4.1.2.1.
fn assert_quotes_nothing(error: &AuthError) {
    assert_eq!(error.to_string(), [error.code().name(), ": ", error.reason()].concat());
    assert_eq!(error.option(), None);
    let legal = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(error.oauth_error().is_none_or(|word| word.len() <= 64 && word.bytes().all(legal)));
}

/// What was accepted, as another parser reads it; nothing where a number in it is beyond floating point, which that
/// parser refuses, and we do not.
fn theirs(text: &[u8]) -> Option<serde_json::Value> {
    let theirs = serde_json::from_slice(text);
    if let Err(error) = &theirs {
        let ours = wardkey::protocol::json::parse(text).expect("JSON");
        assert!(json::has_huge_number(&ours), "not JSON to others: {error}");
    }
    theirs.ok()
}
