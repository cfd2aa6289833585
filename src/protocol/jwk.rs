//! JSON Web Key sets (RFC 7517): which key verifies a signature.

use super::hash;
use super::json::Value;
use super::jwt::{Algorithm, Jwt};

/// A signature to verify; the platform's cryptography answers yes or no.
#[derive(Debug)]
pub struct SignatureCheck {
    /// How.
    pub algorithm: Algorithm,
    /// With which public key: a JWK of its key members only.
    pub key: Value,
    /// Over what.
    pub signing_input: Vec<u8>,
    /// The signature, in the length that the key asks for.
    pub signature: Vec<u8>,
}

/// Why no key can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// No key fits; the server may have a newer set.
    Unknown,
    /// The keys or the signature are unusable, or more than one key fits.
    Unusable(&'static str),
}

/// The members that make up a public key of an algorithm's type, with the length of the signature.
struct KeyType {
    kty: &'static str,
    crv: Option<&'static str>,
    members: &'static [&'static str],
}

impl KeyType {
    fn of(algorithm: Algorithm) -> KeyType {
        use Algorithm::*;
        let ec = |crv| KeyType { kty: "EC", crv: Some(crv), members: &["x", "y"] };
        match algorithm {
            Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512 => {
                KeyType { kty: "RSA", crv: None, members: &["n", "e"] }
            }
            Es256 => ec("P-256"),
            Es384 => ec("P-384"),
            Es512 => ec("P-521"),
            EdDsa | Ed25519 => KeyType { kty: "OKP", crv: Some("Ed25519"), members: &["x"] },
        }
    }

    fn coordinate_length(&self) -> usize {
        match self.crv {
            Some("P-384") => 48,
            Some("P-521") => 66,
            _ => 32,
        }
    }
}

/// The keys of a set, or nothing where the document is no set (RFC 7517 5).
pub fn keys(document: &Value) -> Option<Vec<Value>> {
    document.get("keys")?.as_array().map(<[Value]>::to_vec)
}

/// The check for a token's signature, with the one key of the set that may have made it.
pub fn signature_check(keys: &[Value], jwt: &Jwt<'_>) -> Result<SignatureCheck, NoKey> {
    let key_type = KeyType::of(jwt.algorithm);
    let mut fitting = keys.iter().filter(|key| fits(key, &key_type, jwt));
    let key = fitting.next().ok_or(NoKey::Unknown)?;
    if fitting.next().is_some() {
        return Err(NoKey::Unusable("more than one key fits"));
    }
    let length = signature_length(key, &key_type).ok_or(NoKey::Unusable("the key"))?;
    if jwt.signature.len() != length {
        return Err(NoKey::Unusable("the length of the signature"));
    }
    let member = |name: &&str| Some(((*name).to_owned(), key.get(name)?.clone()));
    let names = [&["kty", "crv"], key_type.members].concat();
    Ok(SignatureCheck {
        algorithm: jwt.algorithm,
        key: Value::Object(names.iter().filter_map(member).collect()),
        signing_input: jwt.signing_input.as_bytes().to_vec(),
        signature: jwt.signature.clone(),
    })
}

/// A key's own words on what it is for (RFC 7517 4). An unknown member says nothing; a known one of the wrong
/// type rules the key out, as does a private part.
fn fits(key: &Value, key_type: &KeyType, jwt: &Jwt<'_>) -> bool {
    let is = |name: &str, expected: &str| key.get(name).and_then(Value::as_str) == Some(expected);
    let may_be = |name: &str, expected: &str| key.get(name).is_none() || is(name, expected);
    let verifies = |operations: &Value| {
        operations
            .as_array()
            .is_some_and(|list| list.iter().any(|operation| operation.as_str() == Some("verify")))
    };
    let named = match &jwt.key_id {
        Some(key_id) => is("kid", key_id),
        None => true,
    };
    // RFC 9864 gives Ed25519 a name of its own for what RFC 8037 called EdDSA; keys may bear either.
    let algorithm = match jwt.algorithm {
        Algorithm::EdDsa | Algorithm::Ed25519 => may_be("alg", "EdDSA") || is("alg", "Ed25519"),
        other => may_be("alg", other.name()),
    };
    named
        && algorithm
        && is("kty", key_type.kty)
        && key_type.crv.is_none_or(|crv| is("crv", crv))
        && may_be("use", "sig")
        && key.get("key_ops").is_none_or(verifies)
        && key.get("d").is_none()
}

/// The octets that a signature of the key must have; nothing where the key is unusable: RSA below 2048 bits
/// or with an even or trivial exponent (RFC 7518 3.3), coordinates of another length (RFC 7518 6.2.1).
fn signature_length(key: &Value, key_type: &KeyType) -> Option<usize> {
    let octets = |name: &str| hash::from_base64url(key.get(name)?.as_str()?);
    if key_type.kty == "RSA" {
        let (modulus, exponent) = (octets("n")?, octets("e")?);
        let start = modulus.iter().position(|octet| *octet != 0)?;
        let length = modulus.len() - start;
        let odd = exponent.last().is_some_and(|octet| octet & 1 == 1);
        let trivial = exponent.len() > 8 || exponent.as_slice() == [1] || exponent.first() == Some(&0);
        let long =
            length > 256 || (length == 256 && modulus.get(start).is_some_and(|octet| octet & 0x80 != 0));
        return (long && odd && !trivial).then_some(length);
    }
    let length = key_type.coordinate_length();
    let whole = key_type.members.iter().all(|name| octets(name).is_some_and(|octets| octets.len() == length));
    whole.then_some(2 * length)
}
