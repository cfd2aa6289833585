//! The servers' side of DPoP (RFC 9449 4.3): every proof is checked in full, and never accepted twice.

use super::browser::Sent;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use wardkey::protocol::hash::{base64url, from_base64url, sha256_base64url};

/// The proofs that were seen.
#[derive(Default)]
pub(crate) struct Proofs(RefCell<BTreeSet<String>>);

/// One part of a JWT.
fn part(token: &str, position: usize) -> Option<Value> {
    serde_json::from_slice(&from_base64url(token.split('.').nth(position)?)?).ok()
}

/// The header of a request's proof.
pub(crate) fn header(sent: &Sent) -> Value {
    sent.proof.as_deref().and_then(|proof| part(proof, 0)).unwrap_or_default()
}

/// The claims of a request's proof.
pub(crate) fn claims(sent: &Sent) -> Value {
    sent.proof.as_deref().and_then(|proof| part(proof, 1)).unwrap_or_default()
}

/// Does the proof have this nonce?
pub(crate) fn has_nonce(sent: &Sent, nonce: &str) -> bool {
    claims(sent)["nonce"] == nonce
}

impl Proofs {
    /// The thumbprint of the key, or what is wrong. `token` is the one that came along; `now` is in seconds.
    pub(crate) fn check(&self, sent: &Sent, token: Option<&str>, now: i64) -> Result<String, String> {
        let proof = sent.proof.as_deref().ok_or("no proof")?;
        let header = part(proof, 0).ok_or("header")?;
        let claims = part(proof, 1).ok_or("claims")?;
        let expect = |held: bool, what: &str| if held { Ok(()) } else { Err(what.to_owned()) };
        expect(header["typ"] == "dpop+jwt", "typ")?;
        let jwk = header["jwk"].as_object().ok_or("jwk")?;
        let public = ["crv", "kty", "x", "y"];
        expect(jwk.keys().all(|name| public.contains(&name.as_str())), "more than a public key")?;
        expect(claims["htm"] == sent.method.as_str(), "htm")?;
        expect(claims["htu"] == sent.url.split(['?', '#']).next().unwrap_or_default(), "htu")?;
        expect(claims["iat"].as_i64().is_some_and(|at| (at - now).abs() <= 300), "iat")?;
        expect(
            claims["ath"] == token.map_or(Value::Null, |token| sha256_base64url(token.as_bytes()).into()),
            "ath",
        )?;
        let jti = claims["jti"].as_str().filter(|jti| jti.len() >= 16).ok_or("jti")?;
        expect(self.0.borrow_mut().insert(jti.to_owned()), "a proof that was seen before")?;
        let (signed, signature) = proof.rsplit_once('.').ok_or("parts")?;
        let octets = |name: &str| jwk.get(name)?.as_str().and_then(from_base64url);
        let signature = from_base64url(signature).ok_or("signature")?;
        let x = octets("x").ok_or("x")?;
        let edwards = ["EdDSA", "Ed25519"].iter().any(|name| header["alg"] == *name);
        expect(edwards || header["alg"] == "ES256", "alg")?;
        let (genuine, members) = if !edwards {
            let point = [&[4][..], &x, &octets("y").ok_or("y")?].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            (
                key.verify(signed.as_bytes(), &signature),
                json!({ "crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"], "y": jwk["y"] }),
            )
        } else {
            let key = UnparsedPublicKey::new(&ED25519, x);
            (
                key.verify(signed.as_bytes(), &signature),
                json!({ "crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"] }),
            )
        };
        expect(genuine.is_ok(), "the signature")?;
        // RFC 7638: serde_json writes members in their order here, which is the alphabet's.
        Ok(base64url(ring::digest::digest(&ring::digest::SHA256, members.to_string().as_bytes()).as_ref()))
    }
}
