//! The rules of the ID token's claims: SEC-065 to SEC-073.

use super::id_token::{accepted, refused};
use crate::common::sign::SigningKey;
use crate::common::world::START;
use crate::common::{CLIENT_ID, ISSUER, World, assert_error};
use ring::digest;
use serde_json::{Value, json};
use wardkey::protocol::hash::base64url;

const NOW: i64 = START / 1000;

#[track_caller]
fn refuse_claims(name: &str, values: &[Value]) {
    for value in values {
        let (name, shown, value) = (name.to_owned(), value.to_string(), value.clone());
        println!("{name} = {shown}");
        refused(move |world| world.server.change_claims(move |claims| claims[name.as_str()] = value.clone()));
    }
}

#[track_caller]
fn refuse_without(name: &'static str) {
    println!("without {name}");
    refused(|world| {
        world.server.change_claims(|claims| {
            claims.as_object_mut().expect("an object").remove(name);
        });
    });
}

#[test]
fn sec_065_iss_is_the_issuer() {
    refuse_without("iss");
    refuse_claims(
        "iss",
        &[
            json!(format!("{ISSUER}1")),
            json!(format!("{ISSUER}/")),
            json!(ISSUER.to_uppercase()),
            json!([ISSUER]),
            json!([ISSUER, "https://evil.example"]),
            json!("https://as.example"),
            json!(""),
            json!(null),
            json!(1),
        ],
    );
}

#[test]
fn sec_066_aud_is_the_client_alone() {
    refuse_without("aud");
    refuse_claims(
        "aud",
        &[
            json!("spa1"),
            json!("sp"),
            json!("SPA"),
            json!([]),
            json!([CLIENT_ID, "other"]),
            json!(["other", CLIENT_ID]),
            json!([[CLIENT_ID]]),
            json!("spa other"),
            json!(null),
            json!({ "spa": true }),
            json!([CLIENT_ID, null]),
        ],
    );
    accepted(|world| world.server.change_claims(|claims| claims["aud"] = json!([CLIENT_ID])));
}

#[test]
fn sec_067_azp_is_the_client_where_it_is_there() {
    refuse_claims("azp", &[json!("other"), json!(1), json!(null), json!([CLIENT_ID])]);
    accepted(|world| world.server.change_claims(|claims| claims["azp"] = CLIENT_ID.into()));
}

#[test]
fn sec_068_exp_is_a_time_to_come() {
    refuse_without("exp");
    refuse_claims(
        "exp",
        &[
            json!(NOW - 61),
            json!((NOW + 600).to_string()),
            json!(null),
            json!(0),
            json!(-1),
            json!(1e300),
            json!(i64::MAX),
            json!((NOW + 600) * 1000),
            json!([NOW + 600]),
            json!(true),
        ],
    );
    for exp in [json!(NOW - 50), json!(NOW as f64 + 600.5)] {
        accepted(move |world| world.server.change_claims(move |claims| claims["exp"] = exp.clone()));
    }
}

#[test]
fn sec_069_iat_and_nbf_are_not_in_the_future() {
    refuse_without("iat");
    refuse_claims(
        "iat",
        &[json!(NOW + 90_120), json!(null), json!(NOW.to_string()), json!(NOW - 200_000), json!(NOW * 1000)],
    );
    // Whether the token or the device's clock is wrong cannot be told from one that was made for this request just
    // now, as its nonce shows: up to a day the clock is taken to be (tests in `time`).
    accepted(|world| world.server.change_claims(|claims| claims["iat"] = json!(NOW + 120)));
    refuse_claims("nbf", &[json!(NOW + 120), json!(null), json!(NOW.to_string())]);
    for (name, value) in
        [("iat", json!(NOW + 50)), ("iat", json!(NOW - 600)), ("nbf", json!(NOW)), ("nbf", json!(NOW as f64))]
    {
        accepted(move |world| world.server.change_claims(move |claims| claims[name] = value.clone()));
    }
}

#[test]
fn the_clocks_may_differ_by_what_the_app_says() {
    let world = World::new();
    world.server.change_claims(|claims| claims["exp"] = json!(NOW - 200));
    let callback = world.respond();
    let page = world.page_with(json!({ "idToken": { "clockSkewSec": 300 } }));
    page.handle(&callback).expect("a session");
    let callback = world.respond();
    let page = world.page_with(json!({ "idToken": { "clockSkewSec": 0 } }));
    assert_error(&page.handle(&callback), "id_token_invalid", &[]);
}

#[test]
fn sec_070_the_nonce_is_that_of_the_request() {
    refuse_without("nonce");
    refuse_claims("nonce", &[json!(""), json!(null), json!(1), json!("another"), json!(["another"])]);
}

#[test]
fn sec_070_the_tokens_of_one_sign_in_do_not_serve_another() {
    let world = World::new();
    let first = world.respond();
    let kept = std::rc::Rc::new(std::cell::RefCell::new(None::<Value>));
    let keep = std::rc::Rc::clone(&kept);
    world.server.change_tokens(move |tokens| {
        *tokens = keep.borrow_mut().get_or_insert_with(|| tokens.clone()).clone();
    });
    world.page().handle(&first).expect("a session");
    world.assert_sign_in_fails("id_token_invalid");
}

#[test]
fn sec_071_sub_is_a_text_of_at_most_255_characters() {
    refuse_without("sub");
    refuse_claims("sub", &[json!(""), json!(null), json!(1), json!(["x"]), json!("x".repeat(256))]);
    accepted(|world| world.server.change_claims(|claims| claims["sub"] = "x".repeat(255).into()));
}

#[test]
fn sec_071_names_are_not_normalised() {
    let world = World::new();
    for sub in ["\u{e9}", "e\u{301}"] {
        world.server.change_claims(move |claims| claims["sub"] = sub.into());
        let (_, result) = world.sign_in();
        assert_eq!(result.user.as_ref().map(|user| user.subject.as_str()), Some(sub));
    }
}

/// Signs in with these options and claims.
fn sign_in_with(options: &Value, members: Value) -> &'static str {
    let world = World::new();
    world
        .server
        .change_claims(move |claims| *claims = crate::common::world::with(claims.clone(), members.clone()));
    let callback = world.respond_to(options);
    crate::common::code_of(&world.page().handle(&callback))
}

#[test]
fn sec_072_auth_time_answers_max_age() {
    let max_age = json!({ "maxAge": 60 });
    assert_eq!(sign_in_with(&max_age, json!({ "auth_time": NOW - 30 })), "ok");
    for auth_time in [json!(NOW - 200), json!(NOW + 200), json!(null), json!(NOW.to_string())] {
        assert_eq!(sign_in_with(&max_age, json!({ "auth_time": auth_time })), "id_token_invalid");
    }
    assert_eq!(sign_in_with(&max_age, json!({})), "id_token_invalid");
    assert_eq!(sign_in_with(&json!({ "maxAge": 0 }), json!({ "auth_time": NOW - 200 })), "id_token_invalid");
    let essential = json!({ "claims": { "id_token": { "auth_time": { "essential": true } } } });
    assert_eq!(sign_in_with(&essential, json!({})), "id_token_invalid");
    assert_eq!(sign_in_with(&essential, json!({ "auth_time": NOW - 5_000 })), "ok");
}

#[test]
fn sec_072_an_essential_acr_is_demanded() {
    let acr = |acr: Value| json!({ "claims": { "id_token": { "acr": acr } } });
    let one = acr(json!({ "essential": true, "value": "urn:mfa" }));
    assert_eq!(sign_in_with(&one, json!({ "acr": "urn:mfa" })), "ok");
    for wrong in [json!("urn:pwd"), json!(null), json!(["urn:mfa"])] {
        assert_eq!(sign_in_with(&one, json!({ "acr": wrong })), "id_token_invalid");
    }
    assert_eq!(sign_in_with(&one, json!({})), "id_token_invalid");
    let several = acr(json!({ "essential": true, "values": ["urn:mfa", "urn:key"] }));
    assert_eq!(sign_in_with(&several, json!({ "acr": "urn:key" })), "ok");
    assert_eq!(sign_in_with(&several, json!({ "acr": "urn:pwd" })), "id_token_invalid");
    let voluntary = acr(json!({ "value": "urn:mfa" }));
    assert_eq!(sign_in_with(&voluntary, json!({})), "ok");
}

#[test]
fn sec_072_what_the_client_always_asks_for_is_demanded_too() {
    let world = World::new();
    let members = json!({ "authorizationParams": { "maxAge": 60 } });
    let callback = world.server.authorize(&world.page_with(members).authorize_url(&json!({})));
    assert_error(&world.page().handle(&callback), "id_token_invalid", &[]);
}

#[test]
fn sec_073_at_hash_is_that_of_the_access_token() {
    let half = |token: &str| base64url(&digest::digest(&digest::SHA256, token.as_bytes()).as_ref()[..16]);
    let with = |at_hash: Value| {
        move |world: &World| {
            world.server.change_tokens(|tokens| tokens["access_token"] = "access-1".into());
            world.server.change_claims(move |claims| claims["at_hash"] = at_hash.clone());
        }
    };
    accepted(with(half("access-1").into()));
    for wrong in [json!(half("access-2")), json!(""), json!(null), json!(half("access-1") + "="), json!(1)] {
        refused(with(wrong));
    }
    let whole = base64url(digest::digest(&digest::SHA256, b"access-1").as_ref());
    refused(with(whole.into()));
}

#[test]
fn sec_073_the_hash_is_the_algorithms() {
    let left = |algorithm: &'static digest::Algorithm| {
        let hash = digest::digest(algorithm, b"access-1");
        base64url(&hash.as_ref()[..hash.as_ref().len() / 2])
    };
    for (key, hash) in [("ES384", &digest::SHA384), ("EdDSA", &digest::SHA512)] {
        accepted(move |world| {
            world.server.rotate(SigningKey::new(key, "other"), true);
            world.server.change_tokens(|tokens| tokens["access_token"] = "access-1".into());
            world.server.change_claims(move |claims| claims["at_hash"] = left(hash).into());
        });
    }
}
