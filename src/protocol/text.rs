//! Taking text apart at ASCII octets.
//!
//! `str::split`, `contains` and `parse` of the standard library serve every kind of pattern and number, at ten
//! times the size of what these rules need of them.

/// What is before and behind the first `delimiter`.
pub fn cut(text: &str, delimiter: u8) -> Option<(&str, &str)> {
    around(text, text.bytes().position(|octet| octet == delimiter)?)
}

/// What is before and behind the last `delimiter`.
pub fn cut_last(text: &str, delimiter: u8) -> Option<(&str, &str)> {
    around(text, text.bytes().rposition(|octet| octet == delimiter)?)
}

fn around(text: &str, position: usize) -> Option<(&str, &str)> {
    Some((text.get(..position)?, text.get(position + 1..)?))
}

/// What is before the first `delimiter`, and what is behind it: nothing, not even an empty text, where there is
/// no delimiter.
pub fn head(text: &str, delimiter: u8) -> (&str, Option<&str>) {
    cut(text, delimiter).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// The parts between delimiters.
pub fn parts(text: &str, delimiter: u8) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (part, behind) = head(text, delimiter);
        parts.push(part);
        rest = behind;
    }
    parts
}

/// The integer of 64 bits that decimal digits are, with a `-` before them if need be.
pub fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    // Counted downwards: there is one more integer below zero than above it.
    let mut integer: i64 = 0;
    for digit in digits.bytes() {
        let digit = i64::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        if integer < (i64::MIN + digit) / 10 {
            return None;
        }
        integer = integer * 10 - digit;
    }
    if digits.len() < text.len() { Some(integer) } else { integer.checked_neg() }
}
