//! What holds for every input. The `url` crate is the oracle for what browsers make of a URL (WHATWG).

#![cfg(not(target_arch = "wasm32"))]

mod challenge;
mod dpop;
mod encodings;
mod messages;
mod scopes;
mod urls;

use proptest::prelude::*;
use std::io::Write;
use wardkey::protocol::json::Value;

/// Enough to find what is wrong in a few seconds; failing input is printed, not kept.
fn config() -> ProptestConfig {
    ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() }
}

/// How many cases each property has.
const CASES: u32 = 256;

/// The properties of a source: the tests in its `proptest!`.
fn properties(source: &str) -> usize {
    let blocks = source.split("\nproptest! {").skip(1).filter_map(|block| block.split("\n}\n").next());
    blocks.map(|block| block.matches("#[test]").count()).sum()
}

#[test]
fn they_are_counted() {
    let count: usize = [
        include_str!("challenge.rs"),
        include_str!("dpop.rs"),
        include_str!("encodings.rs"),
        include_str!("messages.rs"),
        include_str!("scopes.rs"),
        include_str!("urls.rs"),
    ]
    .map(properties)
    .iter()
    .sum();
    // Not by `println!`, which is captured.
    writeln!(std::io::stdout(), "properties: {count}, of {CASES} cases each").expect("an output");
    assert!(count > 35, "{count}");
}

/// Any JSON value whose member names are unique.
pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>()
            .prop_filter("a JSON number that is no integer", |number| number.is_finite())
            .prop_map(|number| Value::Decimal(format!("{number:e}"))),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text that is made of what URLs and paths are made of, so that it gets far.
fn url_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("https://"),
        Just("http://"),
        Just("HTTPS:"),
        Just("//"),
        Just("/"),
        Just("\\"),
        Just("."),
        Just(".."),
        Just("%2e"),
        Just("%2E"),
        Just("%2f"),
        Just("%5C"),
        Just("%00"),
        Just("?"),
        Just("#"),
        Just("@"),
        Just(":"),
        Just(":443"),
        Just(":8443"),
        Just("app.example"),
        Just("api.example"),
        Just("API.example"),
        Just("localhost"),
        Just("127.0.0.1"),
        Just("[::1]"),
        Just("v1"),
        Just("v10"),
        Just("notes"),
        Just("\t"),
        Just("\n"),
        Just(" "),
        Just("\u{0}"),
        Just("ä"),
        Just("\u{ff0f}"),
        Just("&"),
        Just("="),
        Just("code"),
        Just("state"),
        Just("iss"),
        Just("error"),
        Just("x"),
        Just("javascript:"),
        Just("blob:"),
        Just("data:"),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Text that is made of what queries are made of, escapes whole and broken.
pub(crate) fn any_query() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "([a-c&=+;#?*~ ]|%[0-9a-fA-Fg]{0,2}|%[c-fC-F][0-9a-f]|%[89abAB][0-9a-f]|ä|😀){0,24}"
    ]
}

/// Such text, or any other.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        url_like(),
        any::<String>(),
        url_like().prop_map(|rest| ["https://api.example/v1", &rest].concat())
    ]
}
