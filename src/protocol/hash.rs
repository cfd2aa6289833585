//! SHA-2 and base64url, the two that every rule here is written in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// The hash functions of the JWS algorithms (RFC 7518 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// `BASE64URL(octets)` without padding (RFC 7515 2).
pub fn base64url(octets: &[u8]) -> String {
    // The `_slice` calls of the crate need no formatting machinery, which `encode` would bring in.
    let mut text = vec![0; octets.len().div_ceil(3) * 4];
    let length = URL_SAFE_NO_PAD.encode_slice(octets, &mut text).unwrap_or(0);
    text.truncate(length);
    String::from_utf8(text).unwrap_or_default()
}

/// The octets of unpadded, canonical base64url, else nothing (RFC 7515 2: no whitespace, no padding; RFC
/// 4648 3.5: unused bits are zero).
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut octets = vec![0; text.len().div_ceil(4) * 3];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut octets).ok()?;
    octets.truncate(length);
    Some(octets)
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
