//! The rules of the authorization request: SEC-001 to SEC-009.

use crate::common::{Answer, World, assert_error, page::configure, urls, world::with};
use ring::digest;
use serde_json::json;
use std::collections::BTreeSet;
use wardkey::protocol::authorize::SignIn;
use wardkey::protocol::hash::base64url;

fn s256(octets: &[u8]) -> String {
    base64url(digest::digest(&digest::SHA256, base64url(octets).as_bytes()).as_ref())
}

#[test]
fn sec_001_every_request_uses_s256() {
    let every = [
        json!({}),
        json!({ "prompt": "none" }),
        json!({ "scope": "openid" }),
        json!({ "extra": { "audience": "x", "pkce": "false", "code_challenge_methods": "plain" } }),
        json!({ "prompt": "create", "acrValues": "a", "maxAge": 0, "loginHint": "l", "uiLocales": "de",
            "display": "popup", "claims": {}, "appState": 1, "returnTo": "/", "scope": ["a"] }),
    ];
    let world = World::new();
    for page in [world.page(), world.plain_oauth()] {
        // Whether a client does OpenID Connect is not for a single sign-in to say.
        let fits =
            |options: &&serde_json::Value| page.client.config().is_openid() || options["scope"] != "openid";
        for options in every.iter().filter(fits) {
            let url = page.authorize_url(options);
            assert_eq!(urls::parameter(&url, "code_challenge_method").as_deref(), Some("S256"), "{options}");
            assert_eq!(
                urls::parameter(&url, "code_challenge").map(|value| value.len()),
                Some(43),
                "{options}"
            );
        }
    }
    let plain = world.page().create_authorize_url(&json!({ "extra": { "code_challenge_method": "plain" } }));
    assert_error(&plain, "invalid_configuration", &[]);
}

#[test]
fn sec_002_there_is_no_fall_back_to_plain() {
    for methods in [json!(["plain"]), json!([]), json!("S256"), json!([["S256"]])] {
        let world = World::new();
        world.server.change_metadata(move |metadata| {
            metadata["code_challenge_methods_supported"] = methods.clone();
        });
        let page = world.page();
        assert_error(&page.prepare(), "discovery_failed", &[]);
        assert_error(&page.create_authorize_url(&json!({})), "not_initialised", &[]);
        assert_eq!(world.browser.writes(), 0);
    }
}

#[test]
fn sec_002_pkce_needs_no_webcrypto() {
    let world = World::new();
    world.browser.no_webcrypto.set(true);
    let url = world.page().authorize_url(&json!({}));
    assert_eq!(urls::parameter(&url, "code_challenge_method").as_deref(), Some("S256"));
}

#[test]
fn sec_003_each_value_is_made_of_32_random_octets_of_its_own() {
    let world = World::new();
    let page = world.page();
    page.prepare().expect("prepared");
    let mut challenges = BTreeSet::new();
    for _ in 0..1_000 {
        let before = world.browser.drawn().len();
        let url = page.create_authorize_url(&json!({})).expect("a URL").url;
        let drawn = &world.browser.drawn()[before..];
        assert_eq!(drawn.len(), 3);
        assert!(drawn.iter().all(|octets| octets.len() >= 32));
        let challenge = urls::parameter(&url, "code_challenge").expect("it is there");
        let state = urls::parameter(&url, "state").expect("it is there");
        let nonce = urls::parameter(&url, "nonce").expect("it is there");
        let of = |test: &dyn Fn(&[u8]) -> bool| drawn.iter().position(|octets| test(octets));
        let sources = [
            of(&|octets| s256(octets) == challenge),
            of(&|octets| state.ends_with(&base64url(octets))),
            of(&|octets| nonce == base64url(octets)),
        ];
        let different: BTreeSet<_> =
            sources.iter().map(|source| source.expect("made of random octets")).collect();
        assert_eq!(different.len(), 3, "two values come from the same octets");
        challenges.insert(challenge);
    }
    assert_eq!(challenges.len(), 1_000);
}

#[test]
fn sec_003_the_verifier_is_the_one_of_the_challenge() {
    let world = World::new();
    let callback = world.respond();
    world.page().handle(&callback).expect("a session");
    let form = world.browser.sent().iter().find_map(|sent| sent.form.clone()).expect("a token request");
    let (_, verifier) = urls::fields(&form).pop().expect("a field");
    assert!((43..=128).contains(&verifier.len()));
    assert!(verifier.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)));
    assert!(world.browser.drawn().iter().any(|octets| base64url(octets) == verifier));
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_003_without_randomness_there_is_no_sign_in() {
    let world = World::new();
    let page = world.page();
    page.prepare().expect("prepared");
    world.browser.no_random.set(true);
    assert_error(&page.create_authorize_url(&json!({})), "insecure_context", &[]);
    assert_eq!(world.browser.writes(), 0);
    world.browser.no_random.set(false);
    assert!(page.create_authorize_url(&json!({})).is_ok());
}

#[test]
fn sec_004_nothing_is_used_again_not_even_after_a_failure() {
    let world = World::new();
    let mut seen = BTreeSet::new();
    let mut look = |url: &str| {
        for name in ["state", "nonce", "code_challenge"] {
            let value = urls::parameter(url, name).expect("it is there");
            assert!(seen.insert(value.clone()), "{name}={value} was used before");
        }
    };
    let page = world.page();
    let first = page.authorize_url(&json!({}));
    look(&first);
    look(&page.authorize_url(&json!({})));
    let denied = world.server.refuse(&first, "access_denied");
    assert_error(&page.handle(&denied), "access_denied", &[]);
    look(&page.authorize_url(&json!({})));
    look(&world.page().authorize_url(&json!({})));
    world.server.at("/token", |_| Answer::html(503));
    let failed = world.respond();
    assert!(world.page().handle(&failed).is_err());
    look(&world.page().authorize_url(&json!({})));
}

#[test]
fn sec_005_a_response_is_good_in_its_own_browser_only() {
    let world = World::new();
    let callback = world.respond();
    let other = world.other_browser();
    let page = other.page();
    assert_error(&page.handle(&callback), "transaction_not_found", &[]);
    assert_eq!(other.browser.sent().len(), 0);
    world.page().handle(&callback).expect("a session");
}

#[test]
fn sec_006_what_the_app_gives_along_does_not_leave_the_browser() {
    let world = World::new();
    let url = world.page().authorize_url(&json!({
        "returnTo": "/inbox/ada@example.org", "appState": { "secret": "swordfish" }
    }));
    for private in ["ada", "example.org", "inbox", "swordfish", "secret"] {
        assert!(!url.contains(private), "{private} is in {url}");
    }
}

#[test]
fn sec_007_a_server_silent_on_pkce_still_gets_state_and_nonce() {
    let world = World::new();
    world.server.change_metadata(|metadata| {
        metadata.as_object_mut().expect("an object").remove("code_challenge_methods_supported");
    });
    let honest = world.respond();
    let hostile = urls::with(&honest, "state", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    world.assert_refused_untouched(&hostile, &honest, "state_mismatch");
    world.server.change_claims(|claims| claims["nonce"] = "another".into());
    world.assert_sign_in_fails("id_token_invalid");
}

#[test]
fn sec_008_there_is_no_other_response_type() {
    for name in ["responseType", "response_type", "grantType", "flow", "responseMode"] {
        let options = with(World::options(), json!({ name: "token" }));
        assert_error(&configure(&options), "invalid_configuration", &[]);
    }
    let extra = SignIn::read(&crate::common::page::value(&json!({ "extra": { "response_type": "token" } })));
    assert_error(&extra, "invalid_configuration", &[]);
}

#[test]
fn sec_009_openid_connect_always_asks_for_openid_and_with_a_nonce() {
    let world = World::new();
    for scope in [json!("profile"), json!(""), json!([]), json!(["email", "notes"])] {
        let url = world.page().authorize_url(&json!({ "scope": scope }));
        let asked = urls::parameter(&url, "scope").expect("it is there");
        assert!(asked.split(' ').any(|token| token == "openid"), "{scope}: {asked}");
        assert_eq!(urls::parameter(&url, "nonce").map(|nonce| nonce.len()), Some(43));
    }
}
