//! JSON from anywhere: read as others read it, or refused.

use super::theirs;
use serde_json::Value as Theirs;
use wardkey::protocol::json::{self, DEPTH, Value};

pub(super) fn target(input: &[u8]) -> bool {
    let Some(value) = json::parse(input) else {
        let theirs = serde_json::from_slice::<Theirs>(input);
        assert!(theirs.is_err() || may_be_refused(input), "JSON was refused");
        return false;
    };
    let text = json::write(&value);
    assert_eq!(json::parse(text.as_bytes()).as_ref(), Some(&value), "written, it reads as another value");
    let again = theirs(text.as_bytes());
    assert_eq!(again.as_ref().map(as_we_count), theirs(input).as_ref().map(as_we_count));
    true
}

/// Minus zero is zero to us, who do not calculate.
pub(super) fn as_we_count(value: &Theirs) -> String {
    value.to_string().replace("-0.0", "0")
}

/// Duplicate names, too many members, and too deep a nesting.
fn may_be_refused(input: &[u8]) -> bool {
    let opened = input.iter().filter(|octet| **octet == b'[').count();
    opened > DEPTH || input.contains(&b'{')
}

/// One beyond 64-bit floating point.
pub(super) fn has_huge_number(value: &Value) -> bool {
    match value {
        Value::Decimal(text) => text.parse::<f64>().is_ok_and(f64::is_infinite),
        Value::Array(elements) => elements.iter().any(has_huge_number),
        Value::Object(members) => members.iter().any(|(_, value)| has_huge_number(value)),
        _ => false,
    }
}
