//! `application/x-www-form-urlencoded` (RFC 6749 Appendix B; WHATWG URL 5), for queries and bodies.

use super::text;

/// Builds a query or body. Empty values are left out (RFC 6749 3.1: a parameter without a value is treated as
/// omitted).
pub struct Form(Vec<u8>);

impl Form {
    /// An empty form.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        // Room for a usual token request, so that a code or verifier is rarely left behind by a growing buffer.
        Form(Vec::with_capacity(1024))
    }

    /// With one more parameter.
    pub fn add(&mut self, name: &str, value: &str) -> &mut Self {
        if !value.is_empty() {
            if !self.0.is_empty() {
                self.0.push(b'&');
            }
            self.encode(name);
            self.0.push(b'=');
            self.encode(value);
        }
        self
    }

    fn encode(&mut self, text: &str) {
        for octet in text.bytes() {
            match octet {
                b' ' => self.0.push(b'+'),
                b'*' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => self.0.push(octet),
                _ => {
                    let digit = |half: u8| half + if half < 10 { b'0' } else { b'A' - 10 };
                    self.0.extend_from_slice(&[b'%', digit(octet >> 4), digit(octet & 15)]);
                }
            }
        }
    }

    /// The encoded text.
    pub fn finish(self) -> String {
        String::from_utf8(self.0).unwrap_or_default()
    }
}

/// `url` with the parameters added to its query; the query that it has is kept (RFC 6749 3.1).
pub fn append_query(url: &str, query: &str) -> String {
    let separator = match text::cut(url, b'?') {
        _ if query.is_empty() => "",
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    [url, separator, query].concat()
}

/// Decoded parameters, in their order. A name may come more than once.
#[derive(Debug)]
pub struct Parameters(pub Vec<(String, String)>);

/// The parameters as every browser reads them: undecodable octets are replaced, not refused.
pub fn parse(text: &str) -> Parameters {
    let mut parameters = Vec::new();
    for part in text::parts(text, b'&') {
        if !part.is_empty() {
            let (name, value) = text::head(part, b'=');
            parameters.push((unescape(name), unescape(value.unwrap_or_default())));
        }
    }
    Parameters(parameters)
}

impl Parameters {
    /// The value of the first parameter with this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// How many parameters have this name.
    pub fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(known, _)| known == name).count()
    }

    /// Is there a parameter with one of these names?
    pub fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.text(name).is_some())
    }
}

/// As `String::from_utf8_lossy` of the standard library, without the machinery that it brings along.
fn unescape(text: &str) -> String {
    let octets = octets(text);
    let mut rest = octets.as_slice();
    let mut unescaped = String::new();
    while let Err(error) = std::str::from_utf8(rest) {
        let (valid, invalid) = rest.split_at_checked(error.valid_up_to()).unwrap_or_default();
        unescaped.push_str(std::str::from_utf8(valid).unwrap_or_default());
        unescaped.push('\u{fffd}');
        rest = error.error_len().and_then(|length| invalid.get(length..)).unwrap_or_default();
    }
    unescaped.push_str(std::str::from_utf8(rest).unwrap_or_default());
    unescaped
}

fn octets(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        octets.push(match (first, behind) {
            (b'+', _) => b' ',
            (b'%', [high, low, behind @ ..]) => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => {
                    rest = behind;
                    (high << 4 | low) as u8
                }
                None => b'%',
            },
            (octet, _) => *octet,
        });
    }
    octets
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u32> {
    char::from(digit).to_digit(16)
}

/// Is every escape whole, and every decoded text UTF-8? And is there no white space, of which browsers drop some?
pub fn is_well_formed(text: &str) -> bool {
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        let hex = |octet: Option<u8>| octet.is_some_and(|octet| octet.is_ascii_hexdigit());
        if octet <= b' ' || octet == b'%' && !(hex(rest.next()) && hex(rest.next())) {
            return false;
        }
    }
    // The separators are ASCII, so that what is UTF-8 as a whole is so part by part.
    std::str::from_utf8(&octets(text)).is_ok()
}
