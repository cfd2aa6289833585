//! Lists of scope tokens (RFC 6749 3.3).

use super::json::Value;
use super::text;

/// How many scopes a list may have: they are compared one by one.
const LONGEST: usize = 500;

/// The tokens of a space-delimited list, in order, each once. Nothing where a character is not allowed:
/// scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
pub fn parse(list: &str) -> Option<Vec<String>> {
    let legal = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if !list.bytes().all(legal) {
        return None;
    }
    let mut scopes: Vec<String> = Vec::new();
    for token in text::parts(list, b' ') {
        if scopes.len() >= LONGEST {
            return None;
        }
        if !token.is_empty() && !scopes.iter().any(|known| known == token) {
            scopes.push(token.to_owned());
        }
    }
    Some(scopes)
}

/// The space-delimited list.
pub fn write(scopes: &[String]) -> String {
    let mut list = String::new();
    for scope in scopes {
        if !list.is_empty() {
            list.push(' ');
        }
        list.push_str(scope);
    }
    list
}

/// What was asked for and not granted.
pub fn missing(requested: &[String], granted: &[String]) -> Vec<String> {
    requested.iter().filter(|scope| !granted.contains(scope)).cloned().collect()
}

/// The scopes of a text, or of an array of texts.
pub fn read(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(list) => parse(list),
        _ => parse(&write(&value.texts()?)),
    }
}
