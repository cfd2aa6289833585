//! The hostile challenges of `tests/vectors/hostile/www_authenticate.json`, as the client's `fetch` meets them:
//! SEC-093 to SEC-095, SEC-097.

use super::dpop;
use crate::common::{Answer, Page, World, code_of};
use serde_json::{Value, json};
use std::io::Write;

const API: &str = "https://api.example/v1";

/// A session that can be refreshed, with tokens for this scheme.
fn signed_in(world: &World, scheme: &str) -> Page {
    let options = match scheme {
        "DPoP" => dpop::options(),
        _ => json!({ "scope": "openid notes offline_access" }),
    };
    let page = world.page_with(options);
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).unwrap_or_else(|error| panic!("{error}"));
    world.browser.forget_requests();
    page.events();
    page
}

/// What the client does about the header by itself, and what it tells the app.
fn react(case: &Value, scheme: &str) -> (&'static str, &'static str) {
    let world = World::new();
    let page = signed_in(&world, scheme);
    let mut answer = Answer::html(401).with("www-authenticate", case["h"].as_str().expect("a header"));
    if let Some(nonce) = case["headers"]["dpop-nonce"].as_str() {
        answer = answer.with("dpop-nonce", nonce);
    }
    world.server.at("/v1", move |_| answer.clone());
    let fetched = page.fetch(API);
    let done = match (world.browser.count("/v1"), world.browser.count("/token")) {
        (1, 0) => "none",
        (2, 0) => "retry-once",
        (2, 1) => "refresh-once",
        other => panic!("{}: {other:?}", case["id"]),
    };
    assert_eq!(world.browser.sent().len(), world.browser.count("/v1") + world.browser.count("/token"));
    let step_up = page.events().iter().filter(|event| event.starts_with("step up")).count();
    assert!(page.is_signed_in(), "{}", case["id"]);
    match fetched {
        Ok(fetched) => {
            assert_eq!(step_up, usize::from(fetched.step_up.is_some()), "{}", case["id"]);
            (done, if step_up == 0 { "answer" } else { "step-up" })
        }
        error => (done, code_of(&error)),
    }
}

/// What the vectors say of a case: done by itself, and told to the app.
fn expected(case: &Value) -> (&str, &'static str) {
    let action = case["action"].as_str().expect("an action");
    match (case["id"].as_str().expect("an id"), action) {
        // Many a server says no more than its scheme where it means the token, against RFC 6750 3.1: such a 401 is taken
        // for one whose challenge CORS hides, which costs one request.
        ("multi", "none") => ("refresh-once", "answer"),
        // The client does nothing, and the app is told which scopes are missing (RFC 6750 3.1).
        ("scope", "none") => ("none", "step-up"),
        // The app is told what the server must expose (RFC 9449 8).
        ("dpop-nonce-no-header", "none") => ("none", "dpop_failed"),
        (_, "step-up") => ("none", "step-up"),
        (_, action) => (action, "answer"),
    }
}

#[test]
fn sec_093_hostile_challenges_get_what_the_vectors_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/hostile/www_authenticate.json");
    let text = std::fs::read_to_string(path).expect("the vectors");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let cases = file["cases"].as_array().expect("cases").iter().filter(|case| case.get("action").is_some());
    let mut checked = 0;
    for case in cases {
        let about_dpop = case["id"].as_str().expect("an id").starts_with("dpop");
        let scheme = if about_dpop { "DPoP" } else { "Bearer" };
        assert_eq!(react(case, scheme), expected(case), "{}", case["id"]);
        // What is about a Bearer token, or about none, says nothing of a bound one; but for its bare scheme.
        if !about_dpop {
            let silent = if case["id"] == "multi" { ("refresh-once", "answer") } else { ("none", "answer") };
            assert_eq!(react(case, "DPoP"), silent, "{}", case["id"]);
        }
        checked += 1;
    }
    writeln!(std::io::stdout(), "vectors, challenges: {checked} acted on as they must be")
        .expect("an output");
    assert_eq!(checked, 16);
}
