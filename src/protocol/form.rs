//! `application/x-www-form-urlencoded` (RFC 6749 Appendix B), for queries and bodies.

use form_urlencoded::Serializer;
use std::borrow::Cow;

/// Builds a query or body. Empty values are left out (RFC 6749 3.1: a parameter without a value is treated as
/// omitted).
pub struct Form(Serializer<'static, String>);

impl Form {
    /// An empty form.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        // Room for a usual token request, so that a code or verifier is rarely left behind by a growing buffer.
        Form(Serializer::new(String::with_capacity(1024)))
    }

    /// With one more parameter.
    pub fn add(&mut self, name: &str, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.0.append_pair(name, value);
        }
        self
    }

    /// The encoded text.
    pub fn finish(mut self) -> String {
        self.0.finish()
    }
}

/// `url` with the parameters added to its query; the query that it has is kept (RFC 6749 3.1).
pub fn append_query(url: &str, query: &str) -> String {
    let separator = match url.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    [url, separator, query].concat()
}

/// The parameters as every browser reads them: undecodable octets are replaced, not refused.
pub fn decode(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(text.as_bytes())
}

/// Is every escape whole, and every decoded text UTF-8?
pub fn is_well_formed(text: &str) -> bool {
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        let hex = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_hexdigit());
        if octet == b'%' && !(hex(rest.next()) && hex(rest.next())) {
            return false;
        }
    }
    // The decoder's only trace of an octet that is no UTF-8 is the replacement character. A parameter that
    // really holds U+FFFD is refused with it: no value of the protocol does.
    decode(text).all(|(name, value)| !name.contains('\u{fffd}') && !value.contains('\u{fffd}'))
}
