//! The servers' nonces for proofs (RFC 9449 8, 9): SEC-107 to SEC-109.

use super::dpop::{API, OTHER_API, options, proved, sign_in, signed_in};
use crate::common::page::call;
use crate::common::proofs::{claims, header};
use crate::common::{Answer, Sent, World, assert_error, code_of, urls};
use serde_json::json;
use std::cell::Cell;
use wardkey::protocol::url;

/// The nonces of the proofs that went to an origin.
fn nonces(world: &World, origin: &str) -> Vec<Option<String>> {
    let sent = proved(world).into_iter().filter(|sent| url::origin(&sent.url) == Some(origin));
    sent.map(|sent| claims(&sent)["nonce"].as_str().map(str::to_owned)).collect()
}

fn known(nonces: &[&str]) -> Vec<Option<String>> {
    nonces.iter().map(|nonce| Some(*nonce).filter(|nonce| !nonce.is_empty()).map(str::to_owned)).collect()
}

/// An API that wants this nonce.
fn want(world: &World, nonce: &str) {
    world.server.api_nonces.borrow_mut().insert("api.example".to_owned(), nonce.to_owned());
}

/// A refusal of the token endpoint, with these nonces in headers.
fn refusal(error: &str, nonces: &[&str]) -> Answer {
    let answer = Answer::new(400, "application/json", json!({ "error": error }).to_string());
    nonces.iter().fold(answer, |answer, nonce| answer.with("dpop-nonce", nonce))
}

fn challenge(nonces: &[&str]) -> Answer {
    let answer = Answer::html(401).with("www-authenticate", "DPoP error=\"use_dpop_nonce\"");
    nonces.iter().fold(answer, |answer, nonce| answer.with("dpop-nonce", nonce))
}

const AS: &str = "https://as.example";
const RS: &str = "https://api.example";

#[test]
fn sec_108_a_token_endpoint_that_asks_for_its_nonce_gets_it() {
    let world = World::new();
    *world.server.nonce.borrow_mut() = Some("as-1".to_owned());
    let page = signed_in(&world);
    let sent: Vec<Sent> = proved(&world);
    assert_eq!(nonces(&world, AS), known(&["", "as-1"]));
    assert_eq!(sent[0].form, sent[1].form, "the same request");
    assert_eq!(header(&sent[0])["jwk"], header(&sent[1])["jwk"]);
    assert_ne!(claims(&sent[0])["jti"], claims(&sent[1])["jti"]);
    // It serves until there is another one, also at the other endpoints of the origin.
    page.user_info().expect("claims");
    page.token(&json!({ "forceRefresh": true })).expect("a token");
    *world.server.nonce.borrow_mut() = Some("as-2".to_owned());
    page.token(&json!({ "forceRefresh": true })).expect("a token");
    page.user_info().expect("claims");
    assert_eq!(nonces(&world, AS), known(&["", "as-1", "as-1", "as-1", "as-1", "as-2", "as-2"]));
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_108_the_userinfo_endpoint_asks_by_its_challenge() {
    let world = World::new();
    let page = signed_in(&world);
    *world.server.nonce.borrow_mut() = Some("as-1".to_owned());
    page.user_info().expect("claims");
    assert_eq!(nonces(&world, AS), known(&["", "", "as-1"]));
    assert_eq!(world.browser.count("/token"), 1, "the token is good, so it is not renewed");
}

#[test]
fn sec_108_a_nonce_that_does_not_help_is_the_end() {
    let long = "n".repeat(100_000);
    for (nonces, requests) in [
        (&["n-1"][..], 2),
        (&[], 1),
        (&[""], 1),
        (&["n-1", "n-2"], 1),
        (&["n-1, n-2"], 1),
        (&["n 1"], 1),
        (&["n\"1"], 1),
        (&["n\\1"], 1),
        (&["\u{e4}"], 1),
        (&[long.as_str()], 1),
    ] {
        let world = World::new();
        let answer = refusal("use_dpop_nonce", nonces);
        world.server.at("/token", move |_| answer.clone());
        let outcome = sign_in(&world, json!({})).map(|_| ());
        let shown = nonces.first().map_or("", |nonce| nonce.get(..9).unwrap_or(nonce));
        assert_error(&outcome, "dpop_failed", &["code-", shown]);
        assert_eq!(outcome.expect_err("refused").oauth_error(), Some("use_dpop_nonce"));
        assert_eq!(world.browser.count("/token"), requests, "{shown}");
    }
}

#[test]
fn sec_108_a_server_that_always_has_another_nonce_is_asked_twice() {
    let world = World::new();
    let count = Cell::new(0);
    let next = move || format!("n-{}", count.replace(count.get() + 1));
    world.server.at("/token", move |_| refusal("use_dpop_nonce", &[&next()]));
    assert_error(&sign_in(&world, json!({})).map(|_| ()), "dpop_failed", &["n-"]);
    assert_eq!(world.browser.count("/token"), 2);
    let world = World::new();
    let page = signed_in(&world);
    let count = Cell::new(0);
    let next = move || format!("n-{}", count.replace(count.get() + 1));
    world.server.at("/v1", move |_| challenge(&[&next()]));
    assert_eq!(code_of(&page.fetch(API)), "ok", "the 401 is the app's");
    assert_eq!((world.browser.count("/v1"), world.browser.count("/token")), (2, 1));
}

#[test]
fn sec_108_a_nonce_that_was_just_given_is_not_given_again() {
    let world = World::new();
    *world.server.nonce.borrow_mut() = Some("as-1".to_owned());
    want(&world, "n-1");
    let page = signed_in(&world);
    page.fetch(API).expect("an answer");
    world.browser.forget_requests();
    world.server.at("/v1", |_| challenge(&["n-1"]));
    assert_eq!(code_of(&page.fetch(API)), "ok", "the 401 is the app's");
    assert_eq!((world.browser.count("/v1"), world.browser.count("/token")), (1, 0));
    world.server.at("/token", |_| refusal("use_dpop_nonce", &["as-1"]));
    assert_error(&page.token(&json!({ "forceRefresh": true })), "dpop_failed", &["refresh-", "as-1"]);
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn sec_108_another_error_is_that_error_whatever_comes_along() {
    let world = World::new();
    world.server.at("/token", |_| refusal("invalid_grant", &["n-1"]));
    assert_error(&sign_in(&world, json!({})).map(|_| ()), "invalid_grant", &["code-", "n-1"]);
    assert_eq!(world.browser.count("/token"), 1);
    let world = World::new();
    let page = signed_in(&world);
    world.server.at("/token", |_| refusal("invalid_grant", &["n-1"]));
    let refreshed = page.token(&json!({ "forceRefresh": true }));
    assert_error(&refreshed, "session_expired", &["refresh-", "n-1"]);
    assert_eq!(world.browser.count("/token"), 2);
}

#[test]
fn sec_107_a_nonce_comes_with_any_answer() {
    for status in [200, 204, 401, 403, 404, 500] {
        let world = World::new();
        let page = signed_in(&world);
        world.server.at("/v1", move |_| Answer::html(status).with("dpop-nonce", "n-1"));
        let _ = page.send(call("GET", API));
        world.server.heal();
        world.browser.forget_requests();
        want(&world, "n-1");
        page.fetch(API).expect("an answer");
        assert_eq!(nonces(&world, RS), known(&["n-1"]), "{status}");
    }
    let world = World::new();
    world.server.at("/token", |honest| honest().with("dpop-nonce", "n-1"));
    let page = signed_in(&world);
    world.server.at("/token", |honest| honest().with("dpop-nonce", "n 2"));
    page.token(&json!({ "forceRefresh": true })).expect("a token");
    page.user_info().expect("claims");
    assert_eq!(nonces(&world, AS), known(&["", "n-1", "n-1"]), "what is no nonce replaces none");
}

#[test]
fn sec_107_each_server_has_its_own() {
    let world = World::new();
    *world.server.nonce.borrow_mut() = Some("as".to_owned());
    want(&world, "one");
    let page = signed_in(&world);
    for _ in 0..3 {
        page.fetch(API).expect("an answer");
        page.fetch(OTHER_API).expect("an answer");
        page.user_info().expect("claims");
    }
    assert_eq!(nonces(&world, AS), known(&["", "as", "as", "as", "as"]));
    assert_eq!(nonces(&world, RS), known(&["", "one", "one", "one"]));
    assert_eq!(nonces(&world, "https://other-api.example"), known(&["", "", ""]));
    let asked = urls::parameter(&page.authorize_url(&json!({})), "nonce").expect("that of OpenID Connect");
    assert!(proved(&world).iter().all(|sent| claims(sent)["nonce"] != asked.as_str()));
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_107_the_nonces_of_32_servers_are_known() {
    let world = World::new();
    let origins: Vec<String> = (0..33).map(|number| format!("https://{number}.api.example")).collect();
    world.server.at("/x", |honest| honest().with("dpop-nonce", "n-1"));
    let page = sign_in(&world, json!({ "api": origins })).expect("a session");
    let visit = |origin: &String| {
        page.fetch(&format!("{origin}/x")).expect("an answer");
        nonces(&world, origin).pop().flatten()
    };
    assert!(origins.iter().all(|origin| visit(origin).is_none()));
    assert!(origins[1..].iter().all(|origin| visit(origin).is_some()));
    assert!(visit(&origins[0]).is_none(), "the oldest has gone");
}

#[test]
fn sec_108_an_api_that_asks_for_its_nonce_gets_it() {
    for scheme in ["DPoP", "dPoP", "dpop", "DPOP"] {
        let world = World::new();
        let page = signed_in(&world);
        want(&world, "n-1");
        world.server.at("/v1", move |honest| match honest() {
            Answer::Reply { status: 401, .. } => Answer::html(401)
                .with(
                    "www-authenticate",
                    &format!("Bearer, {scheme} algs=\"ES256\", error=\"use_dpop_nonce\""),
                )
                .with("dpop-nonce", "n-1"),
            other => other,
        });
        assert_eq!(page.fetch(API).expect("an answer").answer, r#"{"ok":true}"#, "{scheme}");
        assert_eq!(nonces(&world, RS), known(&["", "n-1"]));
        assert_eq!(world.browser.count("/token"), 1, "the token is good, so it is not renewed");
    }
}

#[test]
fn sec_108_an_api_whose_challenge_is_empty_is_not_asked_again() {
    // Without the header there is no telling whether CORS hides it.
    for (nonces, code) in [(&[][..], "dpop_failed"), (&["n 1"], "ok"), (&["n-1", "n-2"], "ok")] {
        let world = World::new();
        let page = signed_in(&world);
        let answer = challenge(nonces);
        world.server.at("/v1", move |_| answer.clone());
        assert_error(&page.fetch(API), code, &["access-"]);
        assert_eq!((world.browser.count("/v1"), world.browser.count("/token")), (1, 1), "{nonces:?}");
    }
}

#[test]
fn sec_108_requests_at_the_same_time_all_get_their_second_try() {
    let world = World::new();
    let page = signed_in(&world);
    want(&world, "n-1");
    assert_eq!(page.fetch_at_once(5, API), [r#"{"ok":true}"#; 5]);
    assert_eq!(world.browser.count("/v1"), 10);
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn sec_097_a_nonce_is_used_even_where_the_challenge_is_hidden() {
    let world = World::new();
    let page = sign_in(&world, json!({ "scope": "openid" })).expect("a session");
    want(&world, "n-1");
    world.server.at("/v1", |honest| match honest() {
        Answer::Reply { status: 401, .. } => Answer::html(401).with("dpop-nonce", "n-1"),
        other => other,
    });
    assert_eq!(page.fetch(API).expect("an answer").answer, r#"{"ok":true}"#);
    assert_eq!(nonces(&world, RS), known(&["", "n-1"]));
}

#[test]
fn without_dpop_nobody_is_given_a_nonce() {
    let world = World::new();
    world.server.at("/token", |_| refusal("use_dpop_nonce", &["n-1"]));
    let page = world.page_with(json!({ "dpop": false, "scope": options()["scope"] }));
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    assert_error(&page.handle(&callback).map(|_| ()), "dpop_failed", &["code-", "n-1"]);
    assert_eq!(world.browser.count("/token"), 1);
}
