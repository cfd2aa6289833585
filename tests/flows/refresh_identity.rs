//! ID tokens that come with a refresh: SEC-078. They are about the same person and the same sign-in, or the session
//! ends.

use crate::common::sign::SigningKey;
use crate::common::{Answer, Page, World, assert_error};
use crate::refresh::{lazy, pass};
use crate::refresh_trouble::assert_ended;
use serde_json::{Value, json};
use wardkey::client::State;

const HOUR: i64 = 3_600_000;

/// A session of which refreshes bring an ID token, changed so.
fn identified(change: impl Fn(&mut Value) + 'static) -> (World, Page) {
    let world = World::new();
    world.server.identifies_again.set(true);
    world.server.change_claims(|claims| claims["auth_time"] = json!(1_789_990_000));
    let page = lazy(&world);
    world.server.change_claims(move |claims| {
        claims["auth_time"] = json!(1_789_990_000);
        change(claims);
    });
    pass(&world, HOUR);
    (world, page)
}

#[test]
fn sec_078_an_id_token_of_the_same_sign_in_is_taken() {
    let changes: [fn(&mut Value); 3] = [
        |claims| claims["name"] = "Ann".into(),
        |claims| claims["nonce"] = Value::Null,
        |claims| {
            let claims = claims.as_object_mut().expect("an object");
            claims.remove("nonce");
            claims.remove("auth_time");
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let (world, page) = identified(change);
        let outcome = page.access_token();
        if number == 1 {
            assert_error(&outcome, "id_token_invalid", &["access-"]);
            continue;
        }
        outcome.unwrap_or_else(|error| panic!("{number}: {error}"));
        let State::Authenticated { user: Some(user), .. } = page.client.state() else { panic!("a person") };
        assert_eq!(user.claims.text("name"), Some("Ann").filter(|_| number == 0));
        // The sign-in's nonce is compared, however often the tokens between have had none.
        pass(&world, HOUR);
        world.server.change_claims(|claims| claims["auth_time"] = json!(1_789_990_000));
        page.access_token().unwrap_or_else(|error| panic!("{number}, once more: {error}"));
        world.server.change_claims(|claims| claims["auth_time"] = json!(1_789_990_001));
        pass(&world, HOUR);
        assert_error(&page.access_token(), "id_token_invalid", &["access-"]);
    }
}

#[test]
fn sec_078_sec_123_one_of_another_sign_in_ends_the_session() {
    type Case = (&'static str, fn(&mut Value), &'static str);
    let changes: [Case; 9] = [
        ("iss", |claims| claims["iss"] = "https://other.example".into(), "id_token_invalid"),
        ("sub", |claims| claims["sub"] = "248289761001invalid".into(), "user_mismatch"),
        ("no sub", |claims| claims["sub"] = Value::Null, "id_token_invalid"),
        ("aud", |claims| claims["aud"] = "other".into(), "id_token_invalid"),
        ("more aud", |claims| claims["aud"] = json!(["spa", "other"]), "id_token_invalid"),
        ("nonce", |claims| claims["nonce"] = "another".into(), "id_token_invalid"),
        ("auth_time", |claims| claims["auth_time"] = json!(1_789_999_999), "id_token_invalid"),
        ("exp", |claims| claims["exp"] = json!(1_789_999_999), "id_token_invalid"),
        ("at_hash", |claims| claims["at_hash"] = "x".into(), "id_token_invalid"),
    ];
    for (name, change, code) in changes {
        println!("{name}");
        let (world, page) = identified(change);
        let calls = page.ask_for_tokens(&json!({}), 3);
        world.browser.advance(1_000);
        for call in calls {
            assert_error(&call.take().expect("an outcome"), code, &["access-", "refresh-", "eyJ"]);
        }
        assert_eq!(world.browser.count("/token"), 1);
        assert_ended(&world, &page, code);
        assert_error(&page.access_token(), "not_signed_in", &[]);
    }
}

#[test]
fn sec_078_one_that_the_issuer_did_not_sign_ends_the_session() {
    let (world, page) = identified(|_| {});
    world.server.rotate(SigningKey::new("ES256", "key-1"), false);
    assert_error(&page.access_token(), "id_token_invalid", &["access-", "eyJ"]);
    assert_ended(&world, &page, "id_token_invalid");
}

#[test]
fn keys_that_cannot_be_had_cost_no_session() {
    let (world, page) = identified(|_| {});
    world.server.rotate(SigningKey::new("ES256", "key-2"), true);
    world.server.at("/jwks", |_| Answer::html(503));
    assert_error(&page.access_token(), "jwks_failed", &["access-", "eyJ"]);
    assert_eq!(page.events(), ["authenticated", "deferred: jwks_failed", "authenticated"]);
    assert!(page.is_signed_in() && page.is_stale());
    world.server.at("/jwks", |honest| honest());
    pass(&world, 6_000);
    page.access_token().expect("the refresh token that came is the one that is good");
    assert_eq!(world.server.complaints(), [""; 0]);
}
