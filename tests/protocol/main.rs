//! The rules one by one: the examples of the standards, hostile data, and what must be refused.

#![cfg(not(target_arch = "wasm32"))]

mod challenge;
mod cookie;
mod date;
mod dpop;
mod front_channel;
mod id_token;
mod initiated;
mod keys;
mod par;
mod places;
mod response_modes;
mod revocation;
mod scope_docspace;
mod scope_laserfiche;
mod shapes;
mod support;
mod userinfo;
mod values;
#[path = "../common/verify.rs"]
mod verify;

use serde_json::Value;
use std::io::Write;
use wardkey::protocol::json;

/// A line of the output also where the test passes: `println!` is seen of those that fail only.
fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("an output");
}

/// A file of `tests/vectors/`.
fn load(file: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// In the form of the rules under test.
fn ours(value: &Value) -> json::Value {
    json::parse(value.to_string().as_bytes()).expect("JSON")
}
