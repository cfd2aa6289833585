//! Signing keys of the fake authorization server, and the tokens that they sign.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING};
use ring::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use wardkey::protocol::hash::base64url;

/// A key pair with a name.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    pair: Pair,
}

enum Pair {
    Elliptic(&'static str, EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
}

impl SigningKey {
    pub(crate) fn new(algorithm: &str, kid: &str) -> SigningKey {
        let random = SystemRandom::new();
        let pair = match algorithm {
            "ES256" | "ES384" => {
                let (name, curve) = match algorithm {
                    "ES256" => ("ES256", &ECDSA_P256_SHA256_FIXED_SIGNING),
                    _ => ("ES384", &ECDSA_P384_SHA384_FIXED_SIGNING),
                };
                let document = EcdsaKeyPair::generate_pkcs8(curve, &random).expect("a key");
                Pair::Elliptic(
                    name,
                    EcdsaKeyPair::from_pkcs8(curve, document.as_ref(), &random).expect("a key"),
                )
            }
            "EdDSA" => {
                let document = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
                Pair::Edwards(Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a key"))
            }
            other => panic!("the fake server does not sign with {other}"),
        };
        SigningKey { kid: kid.to_owned(), pair }
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match &self.pair {
            Pair::Elliptic(name, _) => name,
            Pair::Edwards(_) => "EdDSA",
        }
    }

    /// The public JWK.
    pub(crate) fn jwk(&self) -> Value {
        let (kid, alg) = (&self.kid, self.algorithm());
        match &self.pair {
            Pair::Elliptic(name, pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let crv = if *name == "ES256" { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y), "kid": kid, "alg": alg, "use": "sig" })
            }
            Pair::Edwards(pair) => {
                let x = base64url(pair.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": alg, "use": "sig" })
            }
        }
    }

    /// A compact JWS over these, whatever they are.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let input = [part(header), part(claims)].join(".");
        let signature = self.sign_octets(input.as_bytes());
        [input, base64url(&signature)].join(".")
    }

    /// The signature over these octets.
    pub(crate) fn sign_octets(&self, input: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Elliptic(_, pair) => {
                pair.sign(&SystemRandom::new(), input).expect("a signature").as_ref().to_vec()
            }
            Pair::Edwards(pair) => pair.sign(input).as_ref().to_vec(),
        }
    }
}
