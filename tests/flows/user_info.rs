//! The UserInfo endpoint in whole flows: SEC-077, SEC-079 to SEC-082.

use crate::common::page::value;
use crate::common::server::SUBJECT;
use crate::common::sign::SigningKey;
use crate::common::{Answer, Page, World, assert_error};
use crate::refresh::lazy;
use serde_json::{Value, json};
use wardkey::protocol::http::{Cache, Failure};

fn claims() -> Value {
    json!({ "sub": SUBJECT, "name": "Ann" })
}

/// A signed in page, with a server that signs UserInfo with ES256.
fn signed_in() -> (World, Page) {
    let world = World::new();
    world
        .server
        .change_metadata(|metadata| metadata["userinfo_signing_alg_values_supported"] = json!(["ES256"]));
    let (page, _) = world.sign_in();
    page.events();
    world.browser.forget_requests();
    (world, page)
}

/// The answer is refused with this code, and changes nothing: nobody else is signed in, and the next one is used.
#[track_caller]
fn refused(answer: Answer, code: &str) {
    let (world, page) = signed_in();
    let before = page.client.state();
    world.server.at("/userinfo", move |_| answer.clone());
    assert_error(&page.user_info(), code, &["access-", "eyJ", "mallory"]);
    assert_eq!(page.client.state(), before, "the claims were merged");
    assert_eq!(page.events(), [""; 0]);
    world.server.heal();
    page.user_info().expect("the honest answer");
}

fn signed(key: &SigningKey, header: Value, claims: Value) -> Answer {
    Answer::new(200, "application/jwt", key.sign(&header, &claims))
}

#[test]
fn the_claims_are_the_servers() {
    let (world, page) = signed_in();
    assert_eq!(page.user_info().expect("claims"), value(&claims()));
    let sent = world.browser.sent().pop().expect("a request");
    assert_eq!((sent.method.as_str(), sent.url.as_str()), ("GET", "https://as.example/tenant/userinfo"));
    assert_eq!((sent.cache, sent.form, sent.proof), (Cache::NoStore, None, None));
    assert_eq!(page.events(), [""; 0], "asking changes nothing");
}

#[test]
fn sec_081_the_token_is_in_the_header_only() {
    let (world, page) = signed_in();
    let token = page.access_token().expect("a token");
    page.user_info().expect("claims");
    let sent = world.browser.sent().pop().expect("a request");
    assert_eq!(sent.authorization, Some(format!("Bearer {token}")));
    assert!(!sent.url.contains(&token) && !sent.url.contains('?'));
}

#[test]
fn sec_079_claims_of_somebody_else_are_not_used() {
    for sub in [
        json!([SUBJECT, "invalid"].concat()),
        json!(""),
        json!(null),
        json!(248_289_761_001_i64),
        json!([SUBJECT]),
    ] {
        refused(Answer::json(&json!({ "sub": sub, "name": "mallory" })), "user_mismatch");
    }
    refused(Answer::json(&json!({ "name": "mallory" })), "user_mismatch");
    refused(Answer::json(&json!({ "Sub": SUBJECT, "name": "mallory" })), "user_mismatch");
}

#[test]
fn sec_080_nobody_is_known_without_a_validated_id_token() {
    let world = World::new();
    let page = world.page();
    assert_error(&page.user_info(), "not_signed_in", &[]);
    assert!(world.browser.sent().is_empty());
    // Plain OAuth: there is a session, and nobody whom the claims could be held against.
    let page = world.plain_oauth();
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).expect("a session");
    assert_error(&page.user_info(), "not_signed_in", &["access-"]);
    let (page, _) = world.sign_in();
    page.client.sign_out_local();
    assert_error(&page.user_info(), "not_signed_in", &[]);
    assert_eq!(world.browser.count("/userinfo"), 0);
}

#[test]
fn sec_077_a_sign_in_that_failed_is_not_mended_by_userinfo() {
    let changes: [fn(&mut Value); 4] = [
        |claims| claims["nonce"] = "another".into(),
        |claims| claims["aud"] = "other".into(),
        |claims| claims["iss"] = "https://other.example".into(),
        |claims| claims["exp"] = json!(1),
    ];
    for change in changes {
        let world = World::new();
        world.server.change_claims(change);
        let page = world.page();
        let callback = world.server.authorize(&page.authorize_url(&json!({})));
        assert_error(&page.handle(&callback), "id_token_invalid", &["access-", "eyJ"]);
        world.browser.advance(5_000);
        assert_error(&page.user_info(), "not_signed_in", &[]);
        assert_eq!(world.browser.count("/userinfo"), 0);
        assert!(!page.is_signed_in());
    }
}

#[test]
fn sec_082_what_is_no_object_of_claims_is_refused() {
    let reply = |status, kind: &str, body: &str| Answer::new(status, kind, body);
    let honest = claims().to_string();
    for (answer, code) in [
        (reply(200, "application/json", &format!("[{honest}]")), "server_error"),
        (reply(200, "application/json", "null"), "server_error"),
        (reply(200, "application/json", &honest.replace('}', "")), "server_error"),
        (
            reply(200, "application/json", &format!(r#"{{"sub":"{SUBJECT}","sub":"mallory"}}"#)),
            "server_error",
        ),
        (reply(200, "text/html", &honest), "server_error"),
        (reply(200, "", &honest), "server_error"),
        (reply(200, "application/jwt", &honest), "server_error"),
        (reply(201, "application/json", &honest), "server_error"),
        (reply(204, "application/json", ""), "server_error"),
        (reply(403, "application/json", &honest), "scope_missing"),
        (reply(404, "application/json", &honest), "server_error"),
        (reply(408, "application/json", &honest), "timeout"),
        (reply(429, "application/json", &honest), "rate_limited"),
        (reply(500, "application/json", &honest), "server_error"),
        (Answer::html(302), "network"),
        (Answer::Fail(Failure::Offline), "offline"),
        (Answer::json(&claims()).late(60_000), "timeout"),
        (
            reply(
                200,
                "application/json",
                &format!(r#"{{"sub":"{SUBJECT}","x":"{}"}}"#, "x".repeat(600_000)),
            ),
            "server_error",
        ),
    ] {
        refused(answer, code);
    }
}

/// The claims of a signed answer, with one changed.
fn said(name: &str, with: Value) -> Value {
    let mut said = json!({ "iss": crate::common::ISSUER, "aud": "spa", "sub": SUBJECT, "name": "mallory" });
    said[name] = with;
    said
}

#[test]
fn sec_082_a_signed_answer_is_verified() {
    let (world, page) = signed_in();
    let header = || json!({ "alg": "ES256", "kid": "key-1" });
    let sign = |claims: Value| signed(&world.server.signer(), header(), claims);
    let answer = sign(said("aud", json!(["other", "spa"])));
    world.server.at("/userinfo", move |_| answer.clone());
    assert_eq!(page.user_info().expect("claims").text("name"), Some("mallory"));
    for (name, with, code) in [
        ("iss", json!("https://other.example"), "server_error"),
        ("iss", Value::Null, "server_error"),
        ("aud", json!("other"), "server_error"),
        ("aud", Value::Null, "server_error"),
        ("exp", json!(1), "server_error"),
        ("nbf", json!(1_800_000_000), "server_error"),
        ("sub", json!("mallory"), "user_mismatch"),
    ] {
        let answer = sign(said(name, with));
        world.server.at("/userinfo", move |_| answer.clone());
        let outcome = page.user_info();
        assert_error(&outcome, code, &["eyJ", "mallory"]);
        assert!(!outcome.expect_err("refused").retryable(), "{name}: it would come to the same");
    }
}

#[test]
fn sec_082_a_signature_that_is_not_the_issuers_is_refused() {
    let attacker = SigningKey::new("ES256", "key-1");
    let other = SigningKey::new("ES384", "key-1");
    let honest = said("name", json!("mallory"));
    for answer in [
        signed(&attacker, json!({ "alg": "ES256", "kid": "key-1" }), honest.clone()),
        signed(&attacker, json!({ "alg": "ES256", "jwk": attacker.jwk() }), honest.clone()),
        signed(&attacker, json!({ "alg": "none" }), honest.clone()),
        signed(&attacker, json!({ "alg": "HS256" }), honest.clone()),
        signed(&attacker, json!({ "alg": "ES256", "kid": "unknown" }), honest.clone()),
        signed(&attacker, json!({ "alg": "ES256", "typ": "at+jwt" }), honest.clone()),
        signed(&other, json!({ "alg": "ES384", "kid": "key-1" }), honest.clone()),
        Answer::new(200, "application/jwt", "a.b.c.d.e"),
    ] {
        refused(answer, "server_error");
    }
}

#[test]
fn a_token_that_is_not_taken_is_renewed_once() {
    let world = World::new();
    let page = lazy(&world);
    world.server.forget_tokens();
    assert_eq!(page.user_info().expect("claims"), value(&claims()));
    assert_eq!(world.browser.paths(), ["/tenant/userinfo", "/tenant/token", "/tenant/userinfo"]);
    assert_eq!(page.events(), ["authenticated", "refreshed"]);
    world
        .server
        .at("/userinfo", |_| Answer::html(401).with("www-authenticate", "Bearer error=\"invalid_token\""));
    world.browser.forget_requests();
    let outcome = page.user_info();
    assert_error(&outcome, "server_error", &["access-"]);
    let error = outcome.expect_err("refused");
    assert_eq!((error.status(), error.oauth_error()), (Some(401), Some("invalid_token")));
    assert_eq!(world.browser.paths(), ["/tenant/userinfo", "/tenant/token", "/tenant/userinfo"]);
    assert!(page.is_signed_in());
    let (world, page) = signed_in();
    world.server.forget_tokens();
    assert_error(&page.user_info(), "server_error", &["access-"]);
    assert_eq!(world.browser.paths(), ["/tenant/userinfo"], "there is no refresh token");
}

#[test]
fn a_server_without_the_endpoint_is_told_of() {
    let world = World::new();
    world.server.change_metadata(|metadata| metadata["userinfo_endpoint"] = Value::Null);
    let (page, _) = world.sign_in();
    assert_error(&page.user_info(), "discovery_failed", &[]);
    assert!(page.is_signed_in());
}

#[test]
fn claims_that_come_too_late_are_not_given_out() {
    let late = |world: &World, page: &Page| {
        world.server.at("/userinfo", |honest| honest().late(5_000));
        let client = page.client.clone();
        let asking = world.browser.start(async move { client.user_info().await });
        world.browser.advance(100);
        world.server.heal();
        asking
    };
    let (world, page) = signed_in();
    let asking = late(&world, &page);
    page.client.sign_out_local();
    world.browser.advance(10_000);
    assert_error(&asking.take().expect("an outcome"), "not_signed_in", &["Ann"]);
    let (world, page) = signed_in();
    let asking = late(&world, &page);
    world.server.change_claims(|claims| claims["sub"] = "bob".into());
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).expect("another person");
    world.browser.advance(10_000);
    assert_error(&asking.take().expect("an outcome"), "user_mismatch", &["Ann", "bob"]);
}
