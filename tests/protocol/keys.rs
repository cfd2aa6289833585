//! Which key of a set verifies a signature, and of what length both are.

use crate::ours;
use serde_json::{Value, json};
use std::slice::from_ref;
use wardkey::protocol::hash::base64url;
use wardkey::protocol::json;
use wardkey::protocol::jwk::{self, NoKey};
use wardkey::protocol::jwt::{Algorithm, Jwt};

/// Which members of the key are handed on for a signature of so many octets.
fn judge(keys: &[Value], algorithm: &str, key_id: Option<&str>, length: usize) -> Result<Value, NoKey> {
    let jwt = Jwt {
        algorithm: Algorithm::from_name(algorithm).expect("one of ours"),
        key_id: key_id.map(str::to_owned),
        media_type: None,
        signing_input: "header.payload",
        signature: vec![1; length],
        claims: json::Value::Null,
    };
    let keys = jwk::keys(&ours(&json!({ "keys": keys }))).expect("a set");
    let check = jwk::signature_check(&keys, &jwt)?;
    assert_eq!(check.algorithm, jwt.algorithm);
    assert_eq!(
        (check.signing_input.as_slice(), check.signature.len()),
        (b"header.payload".as_slice(), length)
    );
    Ok(serde_json::from_str(&json::write(&check.key)).expect("JSON"))
}

fn point(crv: &str, x: usize, y: usize) -> Value {
    json!({ "kty": "EC", "crv": crv, "x": base64url(&vec![9; x]), "y": base64url(&vec![9; y]) })
}

/// A modulus of so many octets, of which the first is this one.
fn rsa(first: u8, length: usize, exponent: &[u8]) -> Value {
    let mut modulus = vec![9; length];
    modulus[0] = first;
    json!({ "kty": "RSA", "n": base64url(&modulus), "e": base64url(exponent) })
}

const LENGTH: Result<Value, NoKey> = Err(NoKey::Unusable("the length of the signature"));
const KEY: Result<Value, NoKey> = Err(NoKey::Unusable("the key"));
const F4: [u8; 3] = [1, 0, 1];

#[test]
fn coordinates_and_signatures_have_the_length_of_the_curve() {
    for (algorithm, crv, length) in [("ES256", "P-256", 32), ("ES384", "P-384", 48), ("ES512", "P-521", 66)] {
        let key = point(crv, length, length);
        assert_eq!(judge(from_ref(&key), algorithm, None, 2 * length), Ok(key.clone()), "{algorithm}");
        for wrong in [2 * length - 1, 2 * length + 1, length] {
            assert_eq!(judge(from_ref(&key), algorithm, None, wrong), LENGTH, "{algorithm} {wrong}");
        }
        for (x, y) in [(length - 1, length), (length + 1, length), (length, length - 1), (length, 0)] {
            assert_eq!(judge(&[point(crv, x, y)], algorithm, None, 2 * length), KEY, "{algorithm} {x} {y}");
        }
    }
    let edwards = |length| json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&vec![9; length]) });
    for algorithm in ["EdDSA", "Ed25519"] {
        assert_eq!(judge(&[edwards(32)], algorithm, None, 64), Ok(edwards(32)));
        assert_eq!(judge(&[edwards(31)], algorithm, None, 64), KEY);
        assert_eq!(judge(&[edwards(32)], algorithm, None, 32), LENGTH);
    }
}

/// RFC 7518 3.3: 2048 bits or more. An even exponent, 1, and one beyond 64 bits or with leading zeros are none.
#[test]
fn rsa_keys_are_long_enough() {
    for (key, length, verdict) in [
        (rsa(0x80, 256, &F4), 256, true),
        (rsa(0xff, 256, &[3]), 256, true),
        (rsa(0x7f, 256, &F4), 256, false),
        (rsa(0xff, 255, &F4), 255, false),
        (rsa(0x01, 257, &F4), 257, true),
        (rsa(0x00, 257, &F4), 256, false),
        (rsa(0x80, 384, &[1, 0, 0, 0, 0, 0, 0, 1]), 384, true),
        (rsa(0x80, 256, &[1, 0, 0, 0, 0, 0, 0, 0, 1]), 256, false),
        (rsa(0x80, 256, &[1]), 256, false),
        (rsa(0x80, 256, &[2]), 256, false),
        (rsa(0x80, 256, &[0, 1, 0, 1]), 256, false),
        (rsa(0x80, 256, &[]), 256, false),
    ] {
        for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
            let expected = if verdict { Ok(key.clone()) } else { KEY };
            assert_eq!(judge(from_ref(&key), algorithm, None, length), expected, "{algorithm} {key}");
        }
        let shorter = judge(from_ref(&key), "RS256", None, length - 1);
        assert_eq!(shorter, if verdict { LENGTH } else { KEY });
    }
    // The modulus of a signed integer, with its zero in front, is as long as without it.
    let key = {
        let mut octets = vec![0, 0x80];
        octets.resize(257, 9);
        json!({ "kty": "RSA", "n": base64url(&octets), "e": base64url(&F4) })
    };
    assert_eq!(judge(from_ref(&key), "RS256", None, 256), Ok(key));
    let zero = json!({ "kty": "RSA", "n": base64url(&[0; 256]), "e": base64url(&F4) });
    assert_eq!(judge(&[zero], "RS256", None, 256), KEY);
}

#[test]
fn a_keys_own_words_on_what_it_is_for_are_heard() {
    let with = |name: &str, value: Value| {
        let mut key = point("P-256", 32, 32);
        key[name] = value;
        judge(&[key], "ES256", Some("k"), 64).is_ok()
    };
    let named = |name: &str, value: Value| {
        let mut key = point("P-256", 32, 32);
        (key["kid"], key[name]) = (json!("k"), value);
        judge(&[key], "ES256", Some("k"), 64)
    };
    assert!(
        with("kid", json!("k"))
            && !with("kid", json!("K"))
            && !with("kid", json!(1))
            && !with("x5t", json!("k"))
    );
    for (name, value) in [
        ("alg", json!("ES256")),
        ("use", json!("sig")),
        ("key_ops", json!(["sign", "verify"])),
        ("ext", json!(true)),
    ] {
        assert_eq!(named(name, value.clone()), Ok(point("P-256", 32, 32)), "{name} {value}");
    }
    for (name, value) in [
        ("alg", json!("ES384")),
        ("alg", json!(1)),
        ("use", json!("enc")),
        ("use", Value::Null),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!("verify")),
        ("key_ops", json!([])),
        ("d", json!("AA")),
        ("d", Value::Null),
        ("kty", json!("OKP")),
        ("crv", json!("P-384")),
        ("crv", Value::Null),
    ] {
        assert_eq!(named(name, value.clone()), Err(NoKey::Unknown), "{name} {value}");
    }
}

#[test]
fn an_edwards_key_bears_either_name() {
    let key = |alg: &str| json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&[9; 32]), "alg": alg });
    for algorithm in ["EdDSA", "Ed25519"] {
        assert!(judge(&[key("EdDSA")], algorithm, None, 64).is_ok());
        assert!(judge(&[key("Ed25519")], algorithm, None, 64).is_ok());
        assert_eq!(judge(&[key("ES256")], algorithm, None, 64), Err(NoKey::Unknown));
    }
}

#[test]
fn one_key_fits_and_no_more() {
    let (key, other) = (point("P-256", 32, 32), rsa(0x80, 256, &F4));
    assert_eq!(judge(&[], "ES256", None, 64), Err(NoKey::Unknown));
    assert!(judge(&[other, key.clone()], "ES256", None, 64).is_ok());
    assert_eq!(judge(&[key.clone(), key], "ES256", None, 64), Err(NoKey::Unusable("more than one key fits")));
}

#[test]
fn a_set_is_an_object_with_an_array() {
    assert_eq!(jwk::keys(&ours(&json!({ "keys": [1, {}] }))).map(|keys| keys.len()), Some(2));
    for none in [json!([]), json!({}), json!({ "keys": {} }), json!(null)] {
        assert_eq!(jwk::keys(&ours(&none)), None, "{none}");
    }
}
