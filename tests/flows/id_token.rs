//! The rules of the ID token as a signed message, and of doing without it: SEC-054 to SEC-061, 074 to 077.
//! (The hostile tokens of `tests/vectors.rs` go to the rules directly.)

use crate::common::sign::SigningKey;
use crate::common::world::START;
use crate::common::{CLIENT_ID, ISSUER, World, assert_error};
use serde_json::json;
use wardkey::protocol::hash::base64url;

const NOW: i64 = START / 1000;

/// The sign-in fails with `id_token_invalid` in a world like this; an honest one in the same world works.
#[track_caller]
pub(crate) fn refused(change: impl FnOnce(&World)) {
    let world = World::new();
    let other = world.respond();
    change(&world);
    world.assert_sign_in_fails("id_token_invalid");
    assert!(world.browser.sent().iter().all(|sent| sent.url.starts_with(ISSUER)));
    assert!(world.browser.paths().iter().all(|path| !path.contains("userinfo")));
    world.server.heal();
    world.page().handle(&other).expect("the other sign-in still finishes");
}

#[track_caller]
pub(crate) fn accepted(change: impl FnOnce(&World)) {
    let world = World::new();
    change(&world);
    world.sign_in();
}

#[test]
fn sec_054_the_signature_is_the_issuers() {
    for part in ["first octet", "last octet"] {
        refused(move |world| {
            world.server.change_tokens(move |tokens| {
                let token = tokens["id_token"].as_str().expect("a token").to_owned();
                let (input, signature) = token.rsplit_once('.').expect("three parts");
                let mut octets = wardkey::protocol::hash::from_base64url(signature).expect("base64url");
                let position = if part == "first octet" { 0 } else { octets.len() - 1 };
                octets[position] ^= 1;
                tokens["id_token"] = format!("{input}.{}", base64url(&octets)).into();
            });
        });
    }
    refused(|world| world.server.rotate(SigningKey::new("ES256", "key-1"), false));
}

#[test]
fn sec_055_the_algorithm_is_one_of_the_list() {
    refused(|world| {
        world.server.rotate(SigningKey::new("EdDSA", "other"), true);
        world
            .server
            .change_metadata(|metadata| metadata["id_token_signing_alg_values_supported"] = json!(["ES256"]));
    });
    for algorithm in ["none", "None", "HS256", "es256", "RS256", "ES384", "EdDSA", ""] {
        refused(move |world| world.server.change_header(move |header| header["alg"] = algorithm.into()));
    }
}

#[test]
fn sec_055_the_apps_list_goes_before_the_servers() {
    let world = World::new();
    let callback = world.respond();
    let page = world.page_with(json!({ "idToken": { "algorithms": ["EdDSA", "RS256"] } }));
    assert_error(&page.handle(&callback), "id_token_invalid", &[]);
    let callback = world.respond();
    let page = world.page_with(json!({ "idToken": { "algorithms": ["ES256"] } }));
    page.handle(&callback).expect("a session");
}

#[test]
fn sec_056_unsigned_and_hmac_tokens_have_no_way_in() {
    let unsigned = |algorithm: &str, signature: &str| {
        let header = base64url(json!({ "alg": algorithm }).to_string().as_bytes());
        let claims = json!({ "iss": ISSUER, "sub": "x", "aud": CLIENT_ID, "exp": NOW + 600, "iat": NOW });
        [header, base64url(claims.to_string().as_bytes()), signature.to_owned()].join(".")
    };
    for (algorithm, signature) in [("none", ""), ("none", "AA"), ("HS256", "AA")] {
        let token = unsigned(algorithm, signature);
        refused(move |world| {
            world.server.change_tokens(move |tokens| tokens["id_token"] = token.clone().into())
        });
    }
}

#[test]
fn sec_059_no_header_asks_for_more_than_is_done() {
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(true)),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("kid", json!(1)),
        ("typ", json!(1)),
    ] {
        refused(move |world| world.server.change_header(move |header| header[name] = value.clone()));
    }
}

#[test]
fn sec_061_keys_in_the_header_are_not_looked_at() {
    let evil = SigningKey::new("ES256", "evil");
    let jwk = evil.jwk();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://attacker.example/jwks")),
        ("x5u", json!("https://attacker.example/x")),
        ("x5c", json!(["AA"])),
    ] {
        refused(move |world| {
            world.server.rotate(SigningKey::new("ES256", "evil"), false);
            world.server.change_header(move |header| header[name] = value.clone());
        });
    }
}

#[test]
fn sec_074_other_kinds_of_token_are_no_id_tokens() {
    for kind in ["at+jwt", "application/at+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", ""] {
        refused(move |world| world.server.change_header(move |header| header["typ"] = kind.into()));
    }
    for kind in ["JWT", "jwt", "application/jwt"] {
        accepted(move |world| world.server.change_header(move |header| header["typ"] = kind.into()));
    }
}

#[test]
fn sec_075_claims_are_one_object() {
    for claims in [json!([]), json!(null), json!("x"), json!(1)] {
        refused(move |world| world.server.change_claims(move |all| *all = claims.clone()));
    }
}

#[test]
fn sec_077_no_id_token_is_no_sign_in() {
    for id_token in [json!(null), json!(""), json!(1), json!("eyJ"), json!("a.b"), json!("a.b.c.d.e")] {
        let world = World::new();
        let shown = id_token.to_string();
        world.server.change_tokens(move |tokens| tokens["id_token"] = id_token.clone());
        let callback = world.respond();
        let page = world.page();
        let code = crate::common::code_of(&page.handle(&callback));
        assert!(["id_token_invalid", "invalid_token_response"].contains(&code), "{shown}: {code}");
        assert!(!page.is_signed_in());
        world.assert_nothing_kept();
    }
    let world = World::new();
    world.server.change_tokens(|tokens| {
        tokens.as_object_mut().expect("an object").remove("id_token");
    });
    world.assert_sign_in_fails("id_token_invalid");
}

#[test]
fn without_webcrypto_id_tokens_are_refused_unless_the_app_says_otherwise() {
    let world = World::new();
    world.browser.no_webcrypto.set(true);
    world.assert_sign_in_fails("insecure_context");
    let skip = json!({ "idToken": { "dangerouslySkipSignature": true } });
    let callback = world.respond();
    let page = world.page_with(skip.clone());
    page.handle(&callback).expect("a session");
    assert_eq!(world.browser.verified(), 0);
    world.server.change_claims(|claims| claims["aud"] = "other".into());
    let callback = world.respond();
    assert_error(&world.page_with(skip).handle(&callback), "id_token_invalid", &[]);
}

#[test]
fn named_relaxations_are_exact() {
    let relaxed = json!({ "idToken": { "expectIssuer": "https://legacy.example", "expectAudience": "api" } });
    let sign_in = |iss: &'static str, aud: &'static str, azp: Option<&'static str>| {
        let world = World::new();
        world.server.change_claims(move |claims| {
            claims["iss"] = iss.into();
            claims["aud"] = aud.into();
            if let Some(azp) = azp {
                claims["azp"] = azp.into();
            }
        });
        let callback = world.respond();
        crate::common::code_of(&world.page_with(relaxed.clone()).handle(&callback))
    };
    let us = Some(CLIENT_ID);
    assert_eq!(sign_in("https://legacy.example", "api", us), "ok");
    assert_eq!(sign_in(ISSUER, "api", us), "id_token_invalid");
    assert_eq!(sign_in("https://legacy.example", CLIENT_ID, us), "id_token_invalid");
    // All clients of the server have that audience in common.
    assert_eq!(sign_in("https://legacy.example", "api", None), "id_token_invalid");
    assert_eq!(sign_in("https://legacy.example", "api", Some("other")), "id_token_invalid");
}
