//! What a reviewer with the rules in hand tried, and got.

use crate::common::page::configure;
use crate::common::{Answer, CALLBACK, CLIENT_ID, ISSUER, World, assert_error, code_of, urls};
use serde_json::{Value, json};
use wardkey::client::Farewell;
use wardkey::protocol::hash::base64url;

const DAY: i64 = 86_400_000;
const KEYS: &str = "/tenant/jwks";

/// There, a session that the attacker had begun in the person's browser went on as the person's.
#[test]
fn passport_cve_2022_25896_a_sign_in_over_a_session_keeps_nothing_of_it() {
    let world = World::new();
    let options = json!({ "storage": "localStorage", "scope": "openid offline_access" });
    let sign_in = || {
        let callback = world.server.authorize(&world.page_with(options.clone()).authorize_url(&json!({})));
        let page = world.page_with(options.clone());
        page.run(|client| async move { client.restore().await });
        page.handle(&callback).expect("a session");
        let token = page.access_token().expect("a token");
        (page, token)
    };
    let (_, planted) = sign_in();
    let record = || world.browser.origin_storage.borrow().values().cloned().collect::<String>();
    let before: Value = serde_json::from_str(&record()).expect("a record");
    let (page, token) = sign_in();
    assert_ne!(token, planted);
    let after = record();
    let refresh = before["refreshToken"].as_str().expect("a refresh token");
    assert!(!after.contains(&planted) && !after.contains(refresh), "{after}");
    world.browser.forget_requests();
    page.token(&json!({ "forceRefresh": true })).expect("a token");
    let form = world.browser.sent()[0].form.clone().expect("a form");
    assert!(!form.contains(refresh), "{form}");
}

#[test]
fn sec_054_no_sign_in_brings_openid_to_a_client_without_it() {
    let world = World::new();
    for page in [world.page_with(json!({ "scope": "notes" })), world.plain_oauth()] {
        page.prepare().expect("prepared");
        let asked = page.create_authorize_url(&json!({ "scope": "openid" }));
        assert_error(&asked, "invalid_configuration", &[]);
    }
}

#[test]
fn sec_054_a_planted_nonce_does_not_switch_the_signature_off() {
    let world = World::new();
    let options = json!({ "scope": "notes" });
    let url = world.page_with(options.clone()).authorize_url(&json!({}));
    let callback = world.server.authorize(&url);
    world.browser.tamper(|text| text.replace("\"redirectUri\"", "\"nonce\":\"planted\",\"redirectUri\""));
    let now = world.browser.executor().now() / 1000;
    let claims = json!({ "iss": ISSUER, "aud": CLIENT_ID, "sub": "admin", "nonce": "planted", "iat": now, "exp": now + 60 });
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    let forged = [part(&json!({ "alg": "ES256" })), part(&claims), "A".repeat(86)].join(".");
    world.server.change_tokens(move |tokens| tokens["id_token"] = forged.clone().into());
    let page = world.page_with(options);
    let result = page.handle(&callback);
    assert_error(&result, "id_token_invalid", &[]);
    assert!(!page.is_signed_in());
}

#[test]
fn sec_015_a_return_path_is_no_response() {
    let world = World::new();
    let page = world.page();
    page.prepare().expect("prepared");
    for path in
        ["/callback?code=x&state=y", "/callback?error=access_denied&state=y", "/callback?a=b&id_token=x"]
    {
        let refused = page.create_authorize_url(&json!({ "returnTo": path }));
        assert_error(&refused, "invalid_configuration", &[]);
        assert_error(&page.sign_out(&json!({ "returnTo": path })), "invalid_configuration", &[]);
    }
    for path in ["/callback", "/callback?page=2", "/notes?code=x"] {
        page.create_authorize_url(&json!({ "returnTo": path })).expect(path);
    }
}

#[test]
fn sec_048_members_and_scopes_are_bounded() {
    let many = |count: usize| -> Value {
        let mut metadata = json!({});
        for number in 0..count {
            metadata[format!("member-{number}")] = json!(number);
        }
        metadata
    };
    let world = World::new();
    world.server.change_metadata(move |metadata| {
        metadata
            .as_object_mut()
            .expect("an object")
            .extend(many(1_000).as_object().expect("an object").clone());
    });
    assert_error(&world.page().prepare(), "discovery_failed", &[]);

    let world = World::new();
    world.server.change_tokens(|tokens| {
        tokens["scope"] =
            (0..600).map(|number| format!("scope-{number}")).collect::<Vec<_>>().join(" ").into();
    });
    world.assert_sign_in_fails("invalid_token_response");
}

#[test]
fn sec_023_the_record_is_for_its_issuer() {
    let world = World::new();
    let callback = world.respond();
    world.browser.tamper(|text| text.replace(ISSUER, "https://attacker.example"));
    let result = world.page().handle(&callback);
    assert_ne!(code_of(&result), "ok");
    assert_eq!(world.browser.count("/token"), 0);
}

#[test]
fn sec_026_another_redirect_uri_consumes_nothing() {
    let world = World::new();
    let callback = world.respond();
    let elsewhere = world.page_with(json!({ "redirectUri": "https://app.example/other" }));
    let moved = callback.replace(CALLBACK, "https://app.example/other");
    assert_error(&elsewhere.handle(&moved), "invalid_callback", &[]);
    world.page().handle(&callback).expect("the honest one is still good");
}

#[test]
fn sec_022_an_advertised_iss_needs_an_issuer() {
    let world = World::new();
    let mut metadata = world.server.metadata();
    metadata.as_object_mut().expect("an object").remove("issuer");
    metadata["authorization_response_iss_parameter_supported"] = true.into();
    let options =
        json!({ "clientId": "spa", "redirectUri": CALLBACK, "scope": "notes", "metadata": metadata });
    assert_eq!(code_of(&configure(&options)), "invalid_configuration");
}

#[test]
fn sec_013_an_https_issuer_has_https_endpoints() {
    for member in ["authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"] {
        let world = World::new();
        world.server.change_metadata(move |metadata| metadata[member] = "http://localhost:8080/x".into());
        assert_error(&world.page().prepare(), "discovery_failed", &[]);
    }
}

#[test]
fn sec_064_keys_in_memory_grow_old_whatever_the_clock_says() {
    // A clock that was set back makes nothing younger; nor older, as the monotonic clock knows better.
    for (shift, minutes) in [(30 * DAY, 0), (-30 * DAY, 61)] {
        let world = World::new();
        let page = world.page();
        page.prepare().expect("prepared");
        world.browser.forget_requests();
        let executor = world.browser.executor();
        executor.set_clock(executor.now() + shift);
        world.browser.advance(minutes * 60_000);
        page.prepare().expect("prepared");
        assert_eq!(world.browser.count(KEYS), 1, "by {shift}");
    }
}

#[test]
fn the_deepest_app_state_leaves_the_other_sign_ins_alone() {
    let world = World::new();
    let callback = world.respond();
    // Of the 64 levels that options may have, one is the options' own.
    let deep = format!("{}1{}", "[".repeat(63), "]".repeat(63));
    let deep: Value = serde_json::from_str(&deep).expect("JSON");
    world.page().authorize_url(&json!({ "appState": deep }));
    world.page().handle(&callback).expect("the other one");
}

#[test]
fn forged_responses_leave_nothing_in_memory() {
    let world = World::new();
    let honest = world.respond();
    let page = world.page();
    for number in 0..50 {
        let forged = format!("{}{number}", urls::with(&honest, "code", "forged"));
        let forged = forged.replacen("state=", &format!("state={}", page.client.config().tag()), 1);
        assert_error(&page.handle(&forged), "transaction_not_found", &[]);
    }
    page.handle(&honest).expect("a session");
}

#[test]
fn what_fails_after_the_code_was_sent_is_final() {
    let world = World::new();
    let callback = world.respond();
    world.browser.empty_http_cache();
    world.server.at("/jwks", |_| Answer::html(503));
    let error = world.page().handle(&callback).expect_err("an error");
    assert_eq!((error.code().name(), error.retryable()), ("jwks_failed", false));
}

#[test]
fn a_sign_out_with_a_way_back_of_its_own_is_recognised() {
    let world = World::new();
    let (page, _) = world.sign_in();
    let elsewhere = "https://app.example/elsewhere";
    let farewell = page.sign_out(&json!({ "postLogoutRedirectUri": elsewhere, "returnTo": "/home" }));
    let Ok(Farewell::Server(url)) = farewell else { panic!("{farewell:?}") };
    let state = urls::parameter(&url, "state").expect("a state");
    let back = |place: &str| page.client.handle_sign_out_callback(&format!("{place}?state={state}"));
    assert_error(&back("https://app.example/third"), "not_mine", &[]);
    assert_error(&back("https://app.example/bye"), "state_mismatch", &[]);
    assert_eq!(back(elsewhere).expect("recognised").as_deref(), Some("/home"));
}
