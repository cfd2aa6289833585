//! What an API wants that the token does not show (RFC 6750 3.1; RFC 9470): it is told, and nothing is done about
//! it unasked. SEC-093, SEC-095.

use super::dpop;
use crate::common::{Answer, Page, World};
use serde_json::{Value, json};
use wardkey::client::StepUp;

const API: &str = "https://api.example/v1";

/// A session that could be refreshed, at an API that answers so.
fn world(status: u16, challenge: &'static str, members: Value) -> (World, Page) {
    let world = World::new();
    let page = dpop::sign_in(&world, members).unwrap_or_else(|error| panic!("{error}"));
    page.events();
    world.browser.forget_requests();
    world.server.at("/v1", move |_| Answer::html(status).with("www-authenticate", challenge));
    (world, page)
}

fn bearer(status: u16, challenge: &'static str) -> (World, Page) {
    world(status, challenge, json!({ "dpop": false }))
}

fn told(step_up: &StepUp) -> String {
    format!("step up: {step_up:?}")
}

fn step_up(acr_values: Option<&str>, max_age: Option<i64>, scope: Option<&str>) -> StepUp {
    let text = |text: Option<&str>| text.map(str::to_owned);
    StepUp { acr_values: text(acr_values), max_age, scope: text(scope), resource: None }
}

#[test]
fn sec_095_the_app_is_told_what_is_missing() {
    for (status, challenge, expected) in [
        (
            403,
            "Bearer error=\"insufficient_scope\", scope=\"notes notes.write\"",
            step_up(None, None, Some("notes notes.write")),
        ),
        (403, "Bearer error=\"insufficient_scope\"", step_up(None, None, None)),
        (401, "Bearer error=\"insufficient_scope\", scope=\"a\"", step_up(None, None, Some("a"))),
        (
            401,
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"gold silver\", max_age=\"5\"",
            step_up(Some("gold silver"), Some(5), None),
        ),
        (
            401,
            "Basic, bEaReR Max_Age=0, error=insufficient_user_authentication, scope=\"a\"",
            step_up(None, Some(0), Some("a")),
        ),
        (
            401,
            "Bearer error=\"insufficient_user_authentication\", acr_values=\"urn:x\", max_age=\"-5\"",
            step_up(Some("urn:x"), None, None),
        ),
    ] {
        let (world, page) = bearer(status, challenge);
        let fetched = page.fetch(API).unwrap_or_else(|error| panic!("{challenge}: {error}"));
        assert_eq!(fetched.step_up.as_ref(), Some(&expected), "{challenge}");
        assert!(fetched.answer.contains("Sorry"), "the answer is handed over");
        assert_eq!(page.events(), [told(&expected)], "{challenge}");
        assert_eq!(world.browser.sent().len(), 1, "nothing was asked for unasked: {challenge}");
    }
}

#[test]
fn sec_095_a_challenge_that_nothing_can_be_done_about_is_the_apps() {
    for (status, challenge) in [
        (401, "Bearer error=\"insufficient_user_authentication\""),
        (401, "Bearer error=\"insufficient_user_authentication\", max_age=\"-5\""),
        (401, "Bearer error=\"insufficient_user_authentication\", max_age=\"5e3\", acr_values=\" \""),
        (401, "Bearer error=\"insufficient_user_authentication\", max_age=\"99999999999\""),
        (200, "Bearer error=\"insufficient_scope\", scope=\"a\""),
        (400, "Bearer error=\"insufficient_user_authentication\", max_age=\"5\""),
        (403, "Bearer error=\"insufficient_scope\", scope=\"a\", scope=\"b\""),
        (403, "DPoP error=\"insufficient_scope\", scope=\"a\""),
        (403, "Bearer x=\"error=insufficient_scope"),
        (403, "Bearer x=\"y\\\", error=insufficient_scope, z=\\\"\""),
    ] {
        let (world, page) = bearer(status, challenge);
        let fetched = page.fetch(API).unwrap_or_else(|error| panic!("{challenge}: {error}"));
        assert_eq!(fetched.step_up, None, "{challenge}");
        assert_eq!(page.events(), [""; 0], "{challenge}");
        assert_eq!(world.browser.sent().len(), 1, "{challenge}");
    }
}

#[test]
fn sec_093_the_challenge_is_that_of_the_tokens_scheme() {
    let expected = step_up(None, Some(60), None);
    let (world, page) = world(
        401,
        "Bearer error=\"invalid_token\", dPoP algs=\"ES256\", error=\"insufficient_user_authentication\", max_age=60",
        json!({}),
    );
    let fetched = page.fetch(API).expect("an answer");
    assert_eq!(fetched.step_up.as_ref(), Some(&expected));
    assert_eq!(page.events(), [told(&expected)]);
    assert_eq!(world.browser.sent().len(), 1);
}

#[test]
fn the_resource_of_the_token_is_told() {
    let resource = "https://api.example/";
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"a\"";
    let target = json!({ "origin": "https://api.example", "resource": resource });
    let (_world, page) = world(403, challenge, json!({ "dpop": false, "api": target }));
    let expected = StepUp { resource: Some(resource.to_owned()), ..step_up(None, None, Some("a")) };
    assert_eq!(page.fetch(API).expect("an answer").step_up, Some(expected));
}

#[test]
fn sec_095_after_a_sign_in_the_same_challenge_is_told_again_and_no_more() {
    let challenge = "Bearer error=\"insufficient_user_authentication\", max_age=\"0\"";
    let (world, page) = bearer(401, challenge);
    page.fetch(API).expect("an answer");
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).expect("a session");
    page.events();
    world.browser.forget_requests();
    let fetched = page.fetch(API).expect("an answer");
    assert!(fetched.step_up.is_some());
    assert_eq!(page.events(), [told(&step_up(None, Some(0), None))]);
    assert_eq!(world.browser.sent().len(), 1);
}
