//! The kind of token that was asked for, and no weaker one (RFC 9449 5; RFC 6749 7.1): SEC-042.

use super::dpop::{API, sign_in, signed_in};
use crate::common::{World, assert_error, code_of};
use serde_json::{Value, json};

#[test]
fn sec_043_a_weaker_token_than_asked_for_is_not_used() {
    for (kind, code) in [
        (json!("Bearer"), "token_type_mismatch"),
        (json!("bearer"), "token_type_mismatch"),
        (json!("MAC"), "token_type_mismatch"),
        (json!("DPoP "), "token_type_mismatch"),
        (json!("DPoP, Bearer"), "token_type_mismatch"),
        (json!("N_A"), "token_type_mismatch"),
        (json!(null), "invalid_token_response"),
        (json!(""), "invalid_token_response"),
        (json!(["DPoP"]), "invalid_token_response"),
    ] {
        let world = World::new();
        let given = kind.clone();
        world.server.change_tokens(move |tokens| tokens["token_type"] = given.clone());
        let page = world.page_with(json!({ "dpop": true }));
        let callback = world.server.authorize(&page.authorize_url(&json!({})));
        assert_error(&page.handle(&callback), code, &["access-", "code-"]);
        assert!(!page.is_signed_in(), "{kind}");
        assert_error(&page.fetch(API), "not_signed_in", &[]);
        assert_eq!((world.browser.count("/token"), world.browser.count("/v1")), (1, 0), "{kind}");
        world.assert_nothing_kept();
    }
}

#[test]
fn sec_043_a_missing_type_is_refused() {
    let world = World::new();
    world.server.change_tokens(|tokens| {
        tokens.as_object_mut().expect("an object").remove("token_type");
    });
    assert_error(&sign_in(&world, json!({})).map(|_| ()), "invalid_token_response", &["access-"]);
}

#[test]
fn sec_042_the_type_has_no_case() {
    for (dpop, kind) in [(true, "dpop"), (true, "DPOP"), (false, "BEARER")] {
        let world = World::new();
        world.server.change_tokens(move |tokens| tokens["token_type"] = kind.into());
        let page = sign_in(&world, json!({ "dpop": dpop })).unwrap_or_else(|error| panic!("{kind}: {error}"));
        page.fetch(API).expect("an answer");
        let sent = world.browser.sent().pop().expect("a request");
        let scheme = if dpop { "DPoP " } else { "Bearer " };
        assert!(sent.authorization.expect("a header").starts_with(scheme), "spelt as in the standards");
    }
}

#[test]
fn sec_042_a_bound_token_that_was_not_asked_for_is_not_used() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["token_type"] = "DPoP".into());
    let outcome = sign_in(&world, json!({ "dpop": false })).map(|_| ());
    assert_error(&outcome, "token_type_mismatch", &["access-", "code-"]);
    world.assert_nothing_kept();
}

#[test]
fn sec_043_a_refresh_gives_no_weaker_token() {
    let world = World::new();
    let page = signed_in(&world);
    let before = page.access_token().expect("a token");
    world.server.change_tokens(|tokens| tokens["token_type"] = Value::from("Bearer"));
    assert_error(&page.token(&json!({ "forceRefresh": true })), "token_type_mismatch", &["access-"]);
    let token = page.token(&json!({})).expect("that of before");
    assert_eq!((token.token.expose(), token.bound), (before.as_str(), true));
    assert_eq!(code_of(&page.fetch(API)), "ok");
    let sent = world.browser.sent().pop().expect("a request");
    assert!(sent.proof.is_some() && sent.authorization.expect("a header").starts_with("DPoP "));
}
