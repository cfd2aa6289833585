//! The keys of the hostile server, and the JWTs that it makes with them, right or wrong.
//!
//! | operation | what it does |
//! |---|---|
//! | `sign: "other"` | with a key that the server does not publish, under the name of the one it does |
//! | `sign: "embedded"` | so, and with that key's JWK in the header |
//! | `sign: "none"` | not at all: `alg` is `none`, and the signature empty |
//! | `sign: "hmac"`, `secret: text` | HS256 with this secret; `$key` is the public JWK as text |
//! | `sign: ES384, EdDSA, …` | with a published key of this algorithm, named as it is |
//! | `signature: flip, zero, empty, short, long, der` | changes the octets of the signature |
//! | `parts: 2, 4, 5` | as many parts |
//! | `bits: true` | sets the unused bits of the last character (RFC 4648 3.5) |
//! | `serialization: "json"` | the JSON serialization instead of the compact one |
//! | `before`, `after`, `cut`, `body` | as in `mutation.rs` |

use crate::common::sign::SigningKey;
use crate::mutation::{self, Names};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use serde_json::{Value, json};
use wardkey::protocol::hash::{base64url, from_base64url};

pub(crate) enum Key {
    Curve(Box<SigningKey>),
    Rsa(&'static str, Box<KeyPair>, Value),
}

impl Key {
    pub(crate) fn new(algorithm: &str, kid: &str) -> Key {
        match algorithm {
            "RS256" => Key::rsa("RS256", kid),
            "PS256" => Key::rsa("PS256", kid),
            other => Key::Curve(Box::new(SigningKey::new(other, kid))),
        }
    }

    /// The RSA key of the JOSE Cookbook (RFC 7520 3.4): making one takes too long.
    fn rsa(algorithm: &'static str, kid: &str) -> Key {
        let text = include_str!("../vectors/jose-cookbook/jws/4_1.rsa_v15_signature.json");
        let example: Value = serde_json::from_str(text).expect("JSON");
        let jwk = &example["input"]["key"];
        let octets = |name: &str| from_base64url(jwk[name].as_str().expect("a text")).expect("base64url");
        let components = KeyPairComponents {
            public_key: PublicKeyComponents { n: octets("n"), e: octets("e") },
            d: octets("d"),
            p: octets("p"),
            q: octets("q"),
            dP: octets("dp"),
            dQ: octets("dq"),
            qInv: octets("qi"),
        };
        let public =
            json!({ "kty": "RSA", "n": jwk["n"], "e": jwk["e"], "kid": kid, "alg": algorithm, "use": "sig" });
        Key::Rsa(algorithm, Box::new(KeyPair::from_components(&components).expect("a key")), public)
    }

    pub(crate) fn jwk(&self) -> Value {
        match self {
            Key::Curve(key) => key.jwk(),
            Key::Rsa(_, _, jwk) => jwk.clone(),
        }
    }

    fn sign(&self, input: &[u8]) -> Vec<u8> {
        let (algorithm, pair) = match self {
            Key::Curve(key) => return key.sign_octets(input),
            Key::Rsa(algorithm, pair, _) => (*algorithm, pair),
        };
        let padding: &dyn RsaEncoding =
            if algorithm == "RS256" { &RSA_PKCS1_SHA256 } else { &RSA_PSS_SHA256 };
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(padding, &SystemRandom::new(), input, &mut signature).expect("a signature");
        signature
    }
}

/// The server's keys.
pub(crate) struct Keys {
    pub(crate) own: Key,
    /// Not the server's, with the name of the server's.
    pub(crate) other: Key,
    /// The server's too, for other algorithms.
    pub(crate) more: Vec<Key>,
}

impl Keys {
    pub(crate) fn new(algorithm: &str) -> Keys {
        let second = if algorithm == "RS256" { "PS256" } else { algorithm };
        Keys {
            own: Key::new(algorithm, "key-1"),
            other: Key::new(second, "key-1"),
            more: ["ES384", "EdDSA"].iter().map(|name| Key::new(name, name)).collect(),
        }
    }

    /// A JWT over these claims, changed if there is a change.
    pub(crate) fn token(&self, claims: &Value, change: Option<(&str, &Value)>, names: &Names) -> String {
        let (part, operation) = change.unwrap_or(("", &Value::Null));
        let signer = operation["sign"].as_str().filter(|_| part == "token").unwrap_or("own");
        let key = match signer {
            "own" | "none" | "hmac" => &self.own,
            "other" | "embedded" => &self.other,
            name => self.more.iter().find(|key| key.jwk()["alg"] == name).expect("a key of the server"),
        };
        let jwk = key.jwk();
        let mut header = json!({ "alg": jwk["alg"], "kid": jwk["kid"] });
        match signer {
            "none" => header["alg"] = "none".into(),
            "hmac" => header["alg"] = "HS256".into(),
            "embedded" => header["jwk"] = jwk.clone(),
            _ => {}
        }
        let (mut header, mut claims) = (header.to_string(), claims.to_string());
        match part {
            "header" => header = mutation::document(&header, operation, names),
            "claims" => claims = mutation::document(&claims, operation, names),
            _ => {}
        }
        let input = [base64url(header.as_bytes()), base64url(claims.as_bytes())].join(".");
        let signature = match signer {
            "none" => Vec::new(),
            "hmac" => {
                let secret = match operation["secret"].as_str().unwrap_or_default() {
                    "$key" => self.own.jwk().to_string(),
                    text => text.to_owned(),
                };
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
                hmac::sign(&key, input.as_bytes()).as_ref().to_vec()
            }
            _ => key.sign(input.as_bytes()),
        };
        let whole = [input.clone(), base64url(&signature)].join(".");
        if part == "token" { changed(&input, signature, &whole, operation, names) } else { whole }
    }
}

fn changed(input: &str, mut signature: Vec<u8>, whole: &str, operation: &Value, names: &Names) -> String {
    if let Some(change) = operation["signature"].as_str() {
        match change {
            "flip" => signature[0] ^= 1,
            "zero" => signature.fill(0),
            "empty" => signature.clear(),
            "short" => drop(signature.pop()),
            "long" => signature.push(0),
            "der" => signature = der(&signature),
            other => panic!("no such change of a signature: {other}"),
        }
        return [input, &base64url(&signature)].join(".");
    }
    if let Some(parts) = operation["parts"].as_u64() {
        return match parts {
            2 => input.to_owned(),
            4 => format!("{whole}.x"),
            _ => format!("{whole}.x.y"),
        };
    }
    if operation["bits"] == true {
        return with_unused_bits(whole);
    }
    if operation["serialization"] == "json" {
        let (protected, payload) = input.split_once('.').expect("two parts");
        let signature = base64url(&signature);
        return json!({ "protected": protected, "payload": payload, "signature": signature }).to_string();
    }
    if operation.get("sign").is_some() {
        return whole.to_owned();
    }
    mutation::document(whole, operation, names)
}

/// The ASN.1 form of an ECDSA signature, which JWS does not use (RFC 7518 3.4).
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |half: &[u8]| [&[2, half.len() as u8 + 1, 0], half].concat();
    let (r, s) = signature.split_at(signature.len() / 2);
    let both = [integer(r), integer(s)].concat();
    [&[0x30, both.len() as u8], &both[..]].concat()
}

fn with_unused_bits(token: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = token.chars().last().expect("a character");
    let next = ALPHABET.chars().skip_while(|one| *one != last).nth(1).expect("an even character");
    format!("{}{next}", &token[..token.len() - 1])
}
