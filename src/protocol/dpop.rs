//! Proofs of possession (RFC 9449): what is signed. The private key is the platform's, and never here.

use super::hash;
use super::json::{self, Object, Value};
use super::jwt::Algorithm;
use super::url::{self, Url};

/// Octets of randomness in a `jti`; RFC 9449 4.2 asks for 12 at least.
pub const ENTROPY: usize = 16;
/// Octets that a server's nonce may have: it goes into every proof, and headers have limits.
pub const LONGEST_NONCE: usize = 1024;

/// The algorithm to sign with: the first wanted one that the server takes, or the first of all where it does not
/// say (RFC 9449 5.1, `dpop_signing_alg_values_supported`). EdDSA and Ed25519 are two names of one algorithm here
/// (RFC 9864 2.2): it gets the name that the server knows.
pub fn choose(wanted: &[Algorithm], advertised: Option<&[String]>) -> Option<Algorithm> {
    let Some(advertised) = advertised else { return wanted.first().copied() };
    let known = Algorithm::known(advertised);
    wanted.iter().find_map(|algorithm| {
        let other = match algorithm {
            Algorithm::EdDsa => Algorithm::Ed25519,
            Algorithm::Ed25519 => Algorithm::EdDsa,
            same => *same,
        };
        [*algorithm, other].into_iter().find(|name| known.contains(name))
    })
}

/// The public half of a key, and what it signs with.
#[derive(Clone, Debug)]
pub struct Key {
    algorithm: Algorithm,
    /// The required members alone, in the order of RFC 7638 3.
    jwk: Value,
}

impl Key {
    /// Reads a JWK. Nothing of a private part is taken over (RFC 9449 4.2); `None` for a key that is not the
    /// algorithm's, and for an algorithm other than ES256 and EdDSA with Ed25519.
    pub fn read(algorithm: Algorithm, jwk: &Value) -> Option<Key> {
        let (crv, kty, coordinates): (_, _, &[&str]) = match algorithm {
            Algorithm::Es256 => ("P-256", "EC", &["x", "y"]),
            Algorithm::EdDsa | Algorithm::Ed25519 => ("Ed25519", "OKP", &["x"]),
            _ => return None,
        };
        if jwk.text("crv") != Some(crv) || jwk.text("kty") != Some(kty) {
            return None;
        }
        let mut public = Object::new().text("crv", crv).text("kty", kty);
        for name in coordinates {
            let coordinate = jwk.text(name)?;
            hash::from_base64url(coordinate).filter(|octets| octets.len() == 32)?;
            public = public.text(name, coordinate);
        }
        Some(Key { algorithm, jwk: public.finish() })
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The SHA-256 thumbprint (RFC 7638 3, RFC 8037 2): `dpop_jkt`, and what a bound token names (RFC 9449 6.1).
    pub fn thumbprint(&self) -> String {
        hash::sha256_base64url(json::write(&self.jwk).as_bytes())
    }
}

/// A proof for one request, and never for a second.
#[derive(Debug)]
pub struct Proof<'a> {
    /// The method exactly as it is sent.
    pub method: &'a str,
    /// The URL as the browser has it.
    pub url: &'a str,
    /// The server's newest nonce, of [`nonce`].
    pub nonce: Option<&'a str>,
    /// The token that is sent along; none at the authorization server (RFC 9449 4.2).
    pub access_token: Option<&'a str>,
    /// Seconds since the epoch.
    pub issued_at: i64,
    /// Octets of a cryptographic generator, new for each proof.
    pub jti: &'a [u8; ENTROPY],
}

impl Proof<'_> {
    /// The header and claims to sign (RFC 9449 4.2); `None` for a URL that no token may go to.
    pub fn signing_input(&self, key: &Key) -> Option<String> {
        let header = Object::new()
            .text("typ", "dpop+jwt")
            .text("alg", key.algorithm.name())
            .value("jwk", key.jwk.clone());
        let ath = self.access_token.map(|token| hash::sha256_base64url(token.as_bytes()));
        let claims = Object::new()
            .text("jti", &hash::base64url(self.jti))
            .text("htm", self.method)
            .text("htu", &htu(self.url)?)
            .value("iat", Value::Integer(self.issued_at))
            .maybe_text("ath", ath.as_deref())
            .maybe_text("nonce", self.nonce);
        let part = |object: Object| hash::base64url(json::write(&object.finish()).as_bytes());
        Some([part(header).as_str(), ".", &part(claims)].concat())
    }
}

/// The proof: what was signed, and the signature over it (RFC 7515 7.1).
pub fn finish(signing_input: &str, signature: &[u8]) -> String {
    [signing_input, ".", &hash::base64url(signature)].concat()
}

/// The URL without query and fragment, as the server sees it (RFC 9449 4.2). A URL that the browser has parsed
/// stays as it is: servers compare letter by letter, and what is escaped remains so. One out of metadata gets the
/// browser's spelling of scheme, host, port and empty path. `None` for what [`Url`] refuses, credentials and
/// plain http among it.
pub fn htu(url: &str) -> Option<String> {
    let (place, ..) = url::split(url);
    let url = Url::parse(place)?;
    let origin = url.origin.to_ascii_lowercase();
    let default_port = if origin.starts_with("https") { ":443" } else { ":80" };
    let origin = origin.strip_suffix(default_port).unwrap_or(&origin);
    Some([origin, if url.path.is_empty() { "/" } else { url.path }].concat())
}

/// The nonce of a `DPoP-Nonce` header (RFC 9449 8.1): 1*NQCHAR, %x21 / %x23-5B / %x5D-7E. Several headers count as
/// none: browsers join them with `, ` (Fetch 2.2.2), and no nonce has a space.
pub fn nonce(header: &str) -> Option<&str> {
    let legal = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    ((1..=LONGEST_NONCE).contains(&header.len()) && header.bytes().all(legal)).then_some(header)
}
