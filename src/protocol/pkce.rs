//! Proof Key for Code Exchange (RFC 7636), S256 only: there is no other method here to fall back to.

use super::hash;
use super::secret::Secret;

/// Octets of randomness in a `code_verifier`, a `state` and a `nonce`.
pub const ENTROPY: usize = 32;

/// The secret that turns a code into tokens (RFC 7636 4.1). Used once.
#[derive(Debug)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// 43 characters of base64url from 32 octets of a cryptographic generator (RFC 7636 7.1).
    pub fn new(random: &[u8; ENTROPY]) -> Self {
        CodeVerifier(Secret::new(hash::base64url(random)))
    }

    /// One that was kept over the redirect: 43 to 128 of ALPHA / DIGIT / - . _ ~ (RFC 7636 4.1).
    pub fn from_text(text: &str) -> Option<Self> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        let legal = (43..=128).contains(&text.len()) && text.bytes().all(unreserved);
        legal.then(|| CodeVerifier(Secret::new(text.to_owned())))
    }

    /// `BASE64URL(SHA-256(ASCII(code_verifier)))` (RFC 7636 4.2).
    pub fn challenge(&self) -> String {
        hash::sha256_base64url(self.0.expose().as_bytes())
    }

    /// For the token request, and for the transaction's record.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}
