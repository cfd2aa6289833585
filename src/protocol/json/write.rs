//! The writer: JSON without white space.

use super::Value;

/// The text of a value, without white space.
pub fn write(value: &Value) -> String {
    let mut text = Vec::new();
    write_value(value, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

fn write_value(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Null => text.extend_from_slice(b"null"),
        Value::Bool(true) => text.extend_from_slice(b"true"),
        Value::Bool(false) => text.extend_from_slice(b"false"),
        Value::Integer(integer) => text.extend_from_slice(decimal(*integer).as_bytes()),
        Value::Decimal(decimal) => text.extend_from_slice(decimal.as_bytes()),
        Value::String(string) => write_string(string, text),
        Value::Array(elements) => {
            let mut before = b'[';
            for element in elements {
                text.push(before);
                write_value(element, text);
                before = b',';
            }
            close(before, b'[', b']', text);
        }
        Value::Object(members) => {
            let mut before = b'{';
            for (name, value) in members {
                text.push(before);
                write_string(name, text);
                text.push(b':');
                write_value(value, text);
                before = b',';
            }
            close(before, b'{', b'}', text);
        }
    }
}

/// Closes a list, of which an empty one has not been opened yet.
fn close(before: u8, open: u8, end: u8, text: &mut Vec<u8>) {
    if before == open {
        text.push(open);
    }
    text.push(end);
}

fn write_string(string: &str, text: &mut Vec<u8>) {
    text.push(b'"');
    for octet in string.bytes() {
        match octet {
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', octet]),
            0x00..=0x1f => {
                let digit = |half: u8| half + if half < 10 { b'0' } else { b'a' - 10 };
                text.extend_from_slice(b"\\u00");
                text.extend_from_slice(&[digit(octet >> 4), digit(octet & 15)]);
            }
            _ => text.push(octet),
        }
    }
    text.push(b'"');
}

/// The decimal digits of an integer. (The standard library's formatting would cost ten times the size.)
pub fn decimal(integer: i64) -> String {
    let mut digits = Vec::new();
    let mut rest = integer.unsigned_abs();
    loop {
        digits.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if integer < 0 {
        digits.push(b'-');
    }
    digits.reverse();
    String::from_utf8(digits).unwrap_or_default()
}
