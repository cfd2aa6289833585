//! JSON Web Tokens in the compact form (RFC 7515, RFC 7519), read as the hostile input they are (RFC 8725).

use super::hash::{self, Hash};
use super::json::{self, Value};
use super::shape::{self, Kind, Member, optional, required};
use super::text;

macro_rules! algorithms {
    ($($variant:ident $name:literal $hash:ident,)*) => {
        /// The signature algorithms that this client verifies (RFC 7518 3.1, RFC 8037, RFC 9864). There is no
        /// `none` and no HMAC.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Algorithm { $($variant,)* }

        impl Algorithm {
            /// By its registered name, which is case-sensitive.
            pub fn from_name(name: &str) -> Option<Algorithm> {
                match name { $($name => Some(Algorithm::$variant),)* _ => None }
            }

            /// Those of the names that are ours.
            pub fn known(names: &[String]) -> Vec<Algorithm> {
                names.iter().filter_map(|name| Algorithm::from_name(name)).collect()
            }

            /// Its registered name.
            pub fn name(self) -> &'static str {
                match self { $(Algorithm::$variant => $name,)* }
            }

            /// The hash that it signs, and that `at_hash` uses.
            pub fn hash(self) -> Hash {
                match self { $(Algorithm::$variant => Hash::$hash,)* }
            }
        }
    };
}

algorithms! {
    Rs256 "RS256" Sha256,
    Rs384 "RS384" Sha384,
    Rs512 "RS512" Sha512,
    Ps256 "PS256" Sha256,
    Ps384 "PS384" Sha384,
    Ps512 "PS512" Sha512,
    Es256 "ES256" Sha256,
    Es384 "ES384" Sha384,
    Es512 "ES512" Sha512,
    // Ed25519 signs with SHA-512 inside; servers make its `at_hash` with the same.
    EdDsa "EdDSA" Sha512,
    Ed25519 "Ed25519" Sha512,
}

/// The header's members (RFC 7515 4.1).
const HEADER: &[Member] =
    &[required("alg", Kind::Text), optional("kid", Kind::Text), optional("typ", Kind::Text)];

/// A token taken apart. Nothing in it is verified yet.
#[derive(Debug)]
pub struct Jwt<'a> {
    /// The `alg` header, if it is one of ours.
    pub algorithm: Algorithm,
    /// The `kid` header.
    pub key_id: Option<String>,
    /// The `typ` header.
    pub media_type: Option<String>,
    /// What is signed: header and payload as they stand in the token.
    pub signing_input: &'a str,
    /// The octets of the signature.
    pub signature: Vec<u8>,
    /// The claims: always an object.
    pub claims: Value,
}

/// What a check of a token comes to: the name of the claim or header that does not hold.
pub type Check = Result<(), &'static str>;

/// Passes what held; else the name of what did not.
pub fn require(held: bool, name: &'static str) -> Check {
    if held { Ok(()) } else { Err(name) }
}

impl Jwt<'_> {
    /// One of these algorithms, and no kind of JWT that has a type of its own (RFC 8725 3.1, 3.11).
    pub fn check_kind(&self, algorithms: &[Algorithm]) -> Check {
        require(algorithms.contains(&self.algorithm), "alg")?;
        let is_jwt =
            |kind: &str| kind.eq_ignore_ascii_case("JWT") || kind.eq_ignore_ascii_case("application/jwt");
        require(self.media_type.as_deref().is_none_or(is_jwt), "typ")
    }
}

/// Why a token is refused before any signature is looked at. The word names the part.
pub type Malformed = &'static str;

/// Takes a compact JWS apart (RFC 7515 5.2): three parts, canonical base64url, header and payload one JSON
/// object each with unique names.
pub fn parse(token: &str) -> Result<Jwt<'_>, Malformed> {
    let (signing_input, signature) = text::cut_last(token, b'.').ok_or("not three parts")?;
    let (header, payload) = text::cut(signing_input, b'.').ok_or("not three parts")?;
    if text::cut(payload, b'.').is_some() {
        return Err("not three parts"); // Five would be a JWE; encryption is not registered for.
    }
    let object = |part: &str| {
        let value = json::parse(&hash::from_base64url(part)?)?;
        matches!(value, Value::Object(_)).then_some(value)
    };
    let header = object(header).ok_or("header")?;
    refuse_extensions(&header)?;
    shape::check(&header, HEADER).map_err(|_| "header")?;
    Ok(Jwt {
        algorithm: header.text("alg").and_then(Algorithm::from_name).ok_or("alg")?,
        key_id: header.text("kid").map(str::to_owned),
        media_type: header.text("typ").map(str::to_owned),
        signing_input,
        signature: hash::from_base64url(signature).filter(|octets| !octets.is_empty()).ok_or("signature")?,
        claims: object(payload).ok_or("payload")?,
    })
}

/// `crit` names extensions that must be understood, and none is (RFC 7515 4.1.11). Unencoded payloads are not
/// for JWTs (RFC 7797 7), and `zip` has no meaning in a JWS. Keys that a header brings along (`jwk`, `jku`,
/// `x5c`, `x5u`) are never looked at.
fn refuse_extensions(header: &Value) -> Result<(), Malformed> {
    if header.get("kid") == Some(&Value::Null) || header.get("typ") == Some(&Value::Null) {
        return Err("header");
    }
    ["crit", "b64", "zip"].into_iter().find(|name| header.get(name).is_some()).map_or(Ok(()), Err)
}
