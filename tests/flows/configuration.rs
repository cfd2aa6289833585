//! Options: what is wrong is an error before anything happens, and is named.

use crate::common::page::{configure, value};
use crate::common::world::with;
use crate::common::{Page, World, assert_error, urls};
use serde_json::{Value, json};
use wardkey::protocol::authorize::SignIn;
use wardkey::protocol::error::{AuthError, Phase};
use wardkey::protocol::logout::SignOut;
use wardkey::protocol::token::TokenOptions;

#[track_caller]
fn refused<T>(result: Result<T, AuthError>, option: &str) {
    let error = result.err().unwrap_or_else(|| panic!("{option} was accepted"));
    assert_eq!(error.code().name(), "invalid_configuration");
    assert_eq!(error.phase(), Phase::Configuration);
    assert_eq!(error.option(), Some(option));
    assert!(!error.retryable());
}

fn changed(members: Value) -> Result<wardkey::protocol::config::Config, AuthError> {
    configure(&with(World::options(), members))
}

#[test]
fn sec_010_redirect_uris_are_absolute_and_https() {
    let hostile = [
        "/cb",
        "cb",
        "http://app.example/cb",
        "https://app.example/cb#x",
        "https://app.example/cb#",
        "javascript:alert(1)",
        "data:,x",
        "blob:https://app.example/1",
        "//app.example/cb",
        "https://user@app.example/cb",
        "",
        "https://app.example/a/../cb",
        "https://app.example/a/%2e%2E/cb",
        "https://APP.example/cb",
        "https://app.example:443/cb",
        "https://app.example/c b",
        "https://app.example\\cb",
        "app:/cb",
        "https://app.example/cb?code=1",
        "https://app.example/cb?a=1&state=2",
        "https://app.example/cb?iss=x",
        "http://localhost.evil.example/cb",
        "http://app.localhose/cb",
        "http://applocalhost/cb",
        "http://127.0.0.1.evil.example/cb",
        "https://",
    ];
    for uri in hostile {
        refused(changed(json!({ "redirectUri": uri })), "redirectUri");
        refused(changed(json!({ "postLogoutRedirectUri": uri })), "postLogoutRedirectUri");
        refused(SignOut::read(&value(&json!({ "postLogoutRedirectUri": uri }))), "postLogoutRedirectUri");
    }
    for uri in [
        "https://app.example",
        "https://app.example/cb?tenant=1",
        "http://localhost:8080/cb",
        "http://[::1]/cb",
    ] {
        assert_eq!(
            changed(json!({ "redirectUri": uri })).expect(uri).redirect_uri(),
            uri,
            "not as configured"
        );
    }
}

#[test]
fn sec_036_a_browser_app_has_no_secret() {
    let extra = |name: &str| json!({ "authorizationParams": { "extra": { name: "s3cr3t" } } });
    let metadata = json!({
        "authorization_endpoint": "https://as.example/authorize", "token_endpoint": "https://as.example/token",
        "client_secret": "s3cr3t",
    });
    for (name, options) in [
        ("clientSecret", json!({ "clientSecret": "s3cr3t" })),
        ("client_secret", json!({ "client_secret": "s3cr3t" })),
        ("accessKey", json!({ "accessKey": { "jwk": "s3cr3t" } })),
        ("client_secret", extra("client_secret")),
        ("client_assertion", extra("client_assertion")),
        ("client_secret", json!({ "metadata": metadata })),
    ] {
        let error = changed(options).expect_err("it was accepted");
        assert_eq!(error.code().name(), "credential_refused");
        assert_eq!(error.option(), Some(name));
        assert!(error.reason().contains("public client"), "it says what to do instead: {error}");
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }
}

#[test]
fn an_unknown_option_is_refused_wherever_it_stands() {
    refused(changed(json!({ "clientID": "spa" })), "clientID");
    refused(changed(json!({ "__proto__": {} })), "__proto__");
    refused(changed(json!({ "idToken": { "skipSignature": true } })), "skipSignature");
    refused(changed(json!({ "authorizationParams": { "maxage": 1 } })), "maxage");
    refused(changed(json!({ "authorizationParams": { "returnTo": "/" } })), "returnTo");
    refused(changed(json!({ "api": { "origin": "https://api.example", "prefix": "/" } })), "prefix");
    let two = json!(["https://api.example/a", "https://api.example/b"]);
    refused(changed(json!({ "api": { "origin": "https://api.example", "resource": two } })), "api.resource");
    refused(SignIn::read(&value(&json!({ "redirectUri": "https://evil.example" }))), "redirectUri");
    refused(SignOut::read(&value(&json!({ "revokes": true }))), "revokes");
    refused(TokenOptions::read(&value(&json!({ "force": true }))), "force");
    refused(changed(json!({ "dpop": { "algs": [] } })), "algs");
    refused(changed(json!({ "refresh": { "leeway": 1 } })), "leeway");
}

#[test]
fn what_is_needed_must_be_there() {
    let without = |names: &[&str]| {
        let mut options = World::options();
        for name in names {
            options.as_object_mut().expect("an object").remove(*name);
        }
        configure(&options)
    };
    refused(without(&["clientId"]), "clientId");
    refused(without(&["redirectUri"]), "redirectUri");
    refused(without(&["issuer"]), "issuer");
    assert!(without(&["postLogoutRedirectUri", "scope", "api"]).is_ok());
}

#[test]
fn openid_connect_needs_an_issuer_and_keys() {
    let endpoints = json!({
        "authorization_endpoint": "https://as.example/authorize", "token_endpoint": "https://as.example/token",
    });
    let mut options = with(World::options(), json!({ "metadata": endpoints, "scope": "openid" }));
    refused(configure(&options), "metadata");
    options["idToken"] = json!({ "dangerouslySkipSignature": true });
    assert!(configure(&options).is_ok());
    options.as_object_mut().expect("an object").remove("issuer");
    refused(configure(&options), "issuer");
}

#[test]
fn hand_given_metadata_names_no_other_issuer() {
    let metadata = with(World::new().server.metadata(), json!({ "issuer": "https://other.example" }));
    refused(changed(json!({ "metadata": metadata })), "metadata");
}

#[test]
fn values_have_their_types() {
    for (members, option) in [
        (json!({ "clientId": 1 }), "clientId"),
        (json!({ "clientId": "" }), "clientId"),
        (json!({ "issuer": "http://as.example" }), "issuer"),
        (json!({ "issuer": ["https://as.example"] }), "issuer"),
        (json!({ "scope": 1 }), "scope"),
        (json!({ "scope": ["openid", 1] }), "scope"),
        (json!({ "scope": "openid \"quoted\"" }), "scope"),
        (json!({ "scope": "openid\tprofile" }), "scope"),
        (json!({ "api": "/v1" }), "api"),
        (json!({ "timeoutMs": 0 }), "timeoutMs"),
        (json!({ "timeoutMs": -1 }), "timeoutMs"),
        (json!({ "timeoutMs": 1.5 }), "timeoutMs"),
        (json!({ "timeoutMs": "10" }), "timeoutMs"),
        (json!({ "timeoutMs": 2_147_483_648_i64 }), "timeoutMs"),
        (json!({ "idToken": true }), "idToken"),
        (json!({ "idToken": { "algorithms": ["none"] } }), "algorithms"),
        (json!({ "idToken": { "algorithms": ["HS256"] } }), "algorithms"),
        (json!({ "idToken": { "algorithms": [] } }), "algorithms"),
        (json!({ "idToken": { "dangerouslySkipSignature": "true" } }), "dangerouslySkipSignature"),
        (json!({ "idToken": { "clockSkewSec": -5 } }), "clockSkewSec"),
        (json!({ "authorizationParams": { "prompt": "maybe" } }), "prompt"),
        (json!({ "authorizationParams": { "display": "tv" } }), "display"),
        (json!({ "authorizationParams": { "claims": [] } }), "claims"),
        (json!({ "authorizationParams": { "extra": { "a": 1 } } }), "extra"),
        (json!({ "authorizationParams": { "extra": "a=1" } }), "extra"),
    ] {
        refused(changed(members), option);
    }
    for options in [json!([]), json!(null), with(World::options(), json!({ "api": 1 }))] {
        assert_error(&configure(&options), "invalid_configuration", &[]);
    }
}

#[test]
fn an_essential_acr_says_which() {
    let claims = json!({ "id_token": { "acr": { "essential": true } } });
    refused(SignIn::read(&value(&json!({ "claims": claims }))), "claims");
}

#[test]
fn each_client_has_a_tag_of_its_own() {
    let tag = |members: Value| changed(members).expect("a configuration").tag().to_owned();
    let usual = tag(json!({}));
    assert_eq!(usual.len(), 8);
    assert_eq!(usual, tag(json!({ "scope": "openid email" })), "the same client");
    assert_ne!(usual, tag(json!({ "clientId": "other" })));
    assert_ne!(usual, tag(json!({ "issuer": "https://other.example" })));
}

#[test]
fn openid_is_asked_for_where_the_issuer_is_discovered_and_nothing_is_said() {
    let world = World::new();
    let mut options = World::options();
    options.as_object_mut().expect("an object").remove("scope");
    let page = Page::open(&world.browser, &options);
    assert_eq!(urls::parameter(&page.authorize_url(&json!({})), "scope").as_deref(), Some("openid"));
    let by_hand = options.as_object_mut().expect("an object");
    by_hand.remove("issuer");
    by_hand.insert("metadata".to_owned(), world.server.metadata());
    let page = Page::open(&world.browser, &options);
    assert_eq!(urls::parameter(&page.authorize_url(&json!({})), "scope"), None);
}
