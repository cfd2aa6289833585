//! Key sets: at most one key verifies a token, it is of the kind that the algorithm asks for, and only its
//! public members are handed on.

use serde_json::Value as Theirs;
use wardkey::protocol::json::{self, Value};
use wardkey::protocol::jwk::{self, SignatureCheck};
use wardkey::protocol::jwt::{Algorithm, Jwt};

use super::theirs;

const ALGORITHMS: [&str; 11] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
/// Octets of signatures: of P-256 and Ed25519, P-384, P-521; RSA with 2048, 3072 and 4096 bits.
const LENGTHS: [usize; 6] = [64, 96, 132, 256, 384, 512];

pub(super) fn target(input: &[u8]) -> bool {
    let Some(keys) = json::parse(input).as_ref().and_then(jwk::keys) else { return false };
    let Some(their_keys) = theirs(input) else { return false };
    let their_keys = their_keys["keys"].as_array().expect("an array to others");
    assert_eq!(keys.len(), their_keys.len());
    let mut any = false;
    for name in ALGORITHMS {
        for key_id in [None, Some("key-1")] {
            any |= judge(&keys, their_keys, Algorithm::from_name(name).expect("known"), key_id);
        }
    }
    any
}

fn judge(keys: &[Value], their_keys: &[Theirs], algorithm: Algorithm, key_id: Option<&str>) -> bool {
    let check = |keys: &[Value], length: usize| {
        let jwt = Jwt {
            algorithm,
            key_id: key_id.map(str::to_owned),
            media_type: None,
            signing_input: "e30.e30",
            signature: vec![0; length],
            claims: Value::Null,
        };
        jwk::signature_check(keys, &jwt).ok()
    };
    let found: Vec<SignatureCheck> = LENGTHS.iter().filter_map(|length| check(keys, *length)).collect();
    let [found] = found.as_slice() else {
        assert!(found.is_empty(), "two lengths fit one key");
        return false;
    };
    let chosen = chosen(their_keys, found);
    assert!(chosen.iter().any(|key| is_for(key, algorithm, key_id)), "the key is for something else");
    let length = found.signature.len();
    let reversed: Vec<Value> = keys.iter().rev().cloned().collect();
    assert_eq!(check(&reversed, length).map(|check| check.key).as_ref(), Some(&found.key), "order matters");
    assert!(check(&[keys, keys].concat(), length).is_none(), "two keys fit, and one was taken");
    true
}

/// The keys of the set that have the members of the one that was handed on.
fn chosen<'a>(their_keys: &'a [Theirs], found: &SignatureCheck) -> Vec<&'a Theirs> {
    let given = theirs(json::write(&found.key).as_bytes()).expect("texts alone");
    let given = given.as_object().expect("an object");
    assert!(
        given.keys().all(|name| ["kty", "crv", "n", "e", "x", "y"].contains(&name.as_str())),
        "{given:?}"
    );
    let has = |key: &&Theirs| given.iter().all(|(name, value)| key.get(name) == Some(value));
    their_keys.iter().filter(has).collect()
}

/// RFC 7517 4.2 to 4.5, RFC 7518 6, and no private part.
fn is_for(key: &Theirs, algorithm: Algorithm, key_id: Option<&str>) -> bool {
    let name = algorithm.name();
    let (kty, crv) = match name {
        "ES256" => ("EC", Some("P-256")),
        "ES384" => ("EC", Some("P-384")),
        "ES512" => ("EC", Some("P-521")),
        "EdDSA" | "Ed25519" => ("OKP", Some("Ed25519")),
        _ => ("RSA", None),
    };
    let may_be = |member: &str, words: &[&str]| {
        key.get(member).is_none_or(|value| value.as_str().is_some_and(|word| words.contains(&word)))
    };
    let names: &[&str] = if kty == "OKP" { &["EdDSA", "Ed25519"] } else { &[name] };
    let verifies =
        |operations: &Theirs| operations.as_array().is_some_and(|list| list.contains(&"verify".into()));
    key["kty"] == kty
        && crv.is_none_or(|crv| key["crv"] == crv)
        && key_id.is_none_or(|key_id| key["kid"] == key_id)
        && may_be("alg", names)
        && may_be("use", &["sig"])
        && key.get("key_ops").is_none_or(verifies)
        && key.get("d").is_none()
}
