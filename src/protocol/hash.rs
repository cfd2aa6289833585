//! SHA-2 and base64url, the two that every rule here is written in.

use base64::alphabet::{Symbol, URL_SAFE};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// The hash functions of the JWS algorithms (RFC 7518 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// `BASE64URL(octets)` without padding (RFC 7515 2). (With the crate's alphabet, and not its engine: that is
/// made for speed, and would cost 4 KB.)
pub fn base64url(octets: &[u8]) -> String {
    let mut text = Vec::with_capacity(octets.len().div_ceil(3) * 4);
    let symbols = URL_SAFE.symbols();
    let mut push = |sextet: u32| text.extend(symbols.get(sextet as usize & 63).map(Symbol::as_u8));
    let (mut bits, mut pending) = (0_u32, 0);
    for octet in octets {
        bits = bits << 8 | u32::from(*octet);
        pending += 8;
        while pending >= 6 {
            pending -= 6;
            push(bits >> pending);
        }
    }
    if pending > 0 {
        push(bits << (6 - pending));
    }
    String::from_utf8(text).unwrap_or_default()
}

/// The octets of unpadded, canonical base64url, else nothing (RFC 7515 2: no whitespace, no padding; RFC
/// 4648 3.5: unused bits are zero).
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut pending) = (0_u32, 0);
    let symbols = URL_SAFE.symbols();
    for octet in text.bytes() {
        let sextet = symbols.iter().position(|symbol| symbol.as_u8() == octet)?;
        bits = bits << 6 | sextet as u32;
        pending += 6;
        if pending >= 8 {
            pending -= 8;
            octets.push((bits >> pending) as u8);
        }
    }
    let unused = bits & ((1 << pending) - 1);
    (pending < 6 && unused == 0).then_some(octets)
}

/// `BASE64URL(SHA-256(text))`: the S256 code challenge (RFC 7636 4.2), and our fingerprints.
pub fn sha256_base64url(text: &[u8]) -> String {
    base64url(&Sha256::digest(text))
}

/// The left half of a token's hash, as `at_hash` holds it (OpenID Connect Core 3.1.3.6).
pub fn left_half(hash: Hash, token: &str) -> String {
    let half = |octets: &[u8]| base64url(octets.get(..octets.len() / 2).unwrap_or_default());
    match hash {
        Hash::Sha256 => half(&Sha256::digest(token)),
        Hash::Sha384 => half(&Sha384::digest(token)),
        Hash::Sha512 => half(&Sha512::digest(token)),
    }
}
