//! The parameters of the authorization request, and the endpoint they go to: SEC-011 to SEC-014.

use crate::common::{Page, World, assert_error, page::configure, urls, world::with};
use serde_json::{Value, json};
use wardkey::protocol::authorize::SignIn;
use wardkey::protocol::json;

/// What must never be in an authorization URL twice, or be set by a caller.
const OURS: [&str; 21] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "request",
    "request_uri",
    "resource",
    "authorization_details",
    "dpop_jkt",
    "prompt",
    "acr_values",
    "max_age",
    "login_hint",
    "ui_locales",
    "display",
    "claims",
];

#[test]
fn sec_011_the_endpoints_own_query_is_kept() {
    let world = World::new();
    world.server.change_metadata(|metadata| {
        metadata["authorization_endpoint"] = "https://as.example/tenant/authorize?policy=b2c%201".into();
    });
    let url = world.page().authorize_url(&json!({}));
    assert!(url.starts_with("https://as.example/tenant/authorize?policy=b2c%201&"), "{url}");
    assert_eq!(urls::parameters(&url).len(), 9);
}

#[test]
fn sec_011_no_parameter_is_sent_twice_and_ours_are_ours() {
    for name in OURS {
        let world = World::new();
        world.server.change_metadata(move |metadata| {
            metadata["authorization_endpoint"] =
                format!("https://as.example/tenant/authorize?{name}=x").into();
        });
        assert_error(&world.page().prepare(), "discovery_failed", &[]);
        let extra = crate::common::page::value(&json!({ "extra": { name: "x" } }));
        assert_error(&SignIn::read(&extra), "invalid_configuration", &[]);
        let options = with(World::options(), json!({ "authorizationParams": { "extra": { name: "x" } } }));
        assert_error(&configure(&options), "invalid_configuration", &[]);
    }
}

#[test]
fn sec_012_values_arrive_as_they_are() {
    let world = World::new();
    let hint = "a&scope=admin#x+%\u{1F600}";
    let url = world.page().authorize_url(&json!({ "loginHint": hint }));
    assert_eq!(urls::parameter(&url, "login_hint").as_deref(), Some(hint));
    assert_eq!(urls::parameter(&url, "scope").as_deref(), Some("openid profile"));
    assert!(json::parse(br#"{"loginHint":"\ud800"}"#).is_none(), "a lone surrogate is no text");
}

#[test]
fn sec_012_empty_parameters_are_not_sent() {
    let world = World::new();
    let url = world.page().authorize_url(&json!({ "extra": { "audience": "" } }));
    assert_eq!(urls::parameter(&url, "audience"), None);
    assert!(urls::parameters(&url).iter().all(|(_, value)| !value.is_empty()));
}

#[test]
fn sec_013_endpoints_are_https() {
    let hostile = [
        "javascript:alert(document.domain)//",
        "data:text/html,x",
        "blob:https://as.example/1",
        "http://as.example/x",
        "//as.example/x",
        "/x",
        "https:as.example",
        "https://user:pw@as.example/x",
        "https://as.example/x#f",
        "https://as.example\\@evil.example",
        "https://as.example/\nx",
        "ftp://as.example/x",
        "",
    ];
    for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"] {
        for url in hostile {
            let world = World::new();
            world.server.change_metadata(move |metadata| metadata[endpoint] = url.into());
            let page = world.page();
            assert_error(&page.prepare(), "discovery_failed", &[]);
            assert_error(&page.create_authorize_url(&json!({})), "not_initialised", &[]);
            assert_eq!(
                world.browser.paths(),
                ["/tenant/.well-known/openid-configuration"],
                "{endpoint}={url}"
            );
            let by_hand = with(World::options(), json!({ "metadata": world.server.metadata() }));
            assert_error(&configure(&by_hand), "invalid_configuration", &[]);
        }
    }
}

#[test]
fn sec_014_the_authorization_endpoint_is_never_fetched() {
    let world = World::new();
    let (page, _) = world.sign_in();
    page.prepare().expect("prepared");
    let denied = world.server.refuse(&world.page().authorize_url(&json!({})), "login_required");
    assert!(world.page().handle(&denied).is_err());
    page.sign_out(&json!({})).expect("signed out");
    assert!(world.browser.sent().iter().all(|sent| !sent.url.contains("/authorize")));
}

#[test]
fn loopback_is_for_development() {
    let options: Value = json!({
        "issuer": "http://localhost:9000", "clientId": "spa", "redirectUri": "http://127.0.0.1:8080/", "scope": "openid",
    });
    let world = World::new();
    assert!(Page::open(&world.browser, &options).client.config().is_openid());
}
