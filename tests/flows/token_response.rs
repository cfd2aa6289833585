//! The rules of the token request and its answer: SEC-035 to SEC-049.

use crate::common::{Answer, World, assert_error, code_of, urls};
use serde_json::{Value, json};
use wardkey::client::State;
use wardkey::protocol::http::{Cache, Failure};

/// The sign-in fails with this code when the token endpoint answers so.
#[track_caller]
fn fails(answer: Answer, code: &str) {
    let world = World::new();
    let other = world.respond();
    world.server.at("/token", move |honest| {
        honest();
        answer.clone()
    });
    world.assert_sign_in_fails(code);
    world.server.heal();
    world.page().handle(&other).expect("the other sign-in still finishes");
}

#[track_caller]
fn fails_with(change: impl Fn(&mut Value) + 'static, code: &str) {
    let world = World::new();
    world.server.change_tokens(change);
    world.assert_sign_in_fails(code);
}

fn tokens(extra: &str) -> String {
    format!(r#"{{"access_token":"access-1","token_type":"Bearer"{extra}}}"#)
}

#[test]
fn sec_035_the_request_is_a_form_with_nothing_in_the_url() {
    let world = World::new();
    let callback = world.respond();
    world.page().handle(&callback).expect("a session");
    let sent = world.browser.sent().into_iter().find(|sent| sent.form.is_some()).expect("a token request");
    assert_eq!(sent.url, "https://as.example/tenant/token");
    assert_eq!(sent.cache, Cache::NoStore);
    assert_eq!(sent.timeout, 10_000);
    let fields = urls::fields(&sent.form.expect("a form"));
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["grant_type", "code", "redirect_uri", "client_id", "code_verifier"]);
    assert_eq!(fields[2].1, crate::common::CALLBACK);
}

#[test]
fn sec_035_another_redirect_uri_is_never_sent() {
    let world = World::new();
    let callback = world.respond();
    let page = world.page_with(json!({ "redirectUri": "https://app.example/callback?x=1" }));
    assert_error(&page.handle(&callback), "invalid_callback", &[]);
    assert_eq!(world.browser.count("/token"), 0);
}

#[test]
fn sec_037_redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        fails(Answer::html(status), "network");
    }
}

#[test]
fn sec_040_success_is_200_with_a_json_object() {
    for (status, content_type, body) in [
        (200, "text/html", tokens("")),
        (200, "text/json", tokens("")),
        (200, "application/jwt", tokens("")),
        (200, "application/jsonp", tokens("")),
        (200, "", tokens("")),
        (201, "application/json", tokens("")),
        (204, "application/json", String::new()),
        (206, "application/json", tokens("")),
        (200, "application/json", "[]".to_owned()),
        (200, "application/json", "null".to_owned()),
        (200, "application/json", "\"access\"".to_owned()),
        (200, "application/json", String::new()),
        (200, "application/json", "<html>".to_owned()),
        (200, "application/json", tokens("").replace('}', "")),
        (200, "application/json", tokens("") + "x"),
        (200, "application/json", format!("\u{feff}{}", tokens(""))),
        (200, "application/json", r#"{"error":"invalid_grant"}"#.to_owned()),
        (200, "application/json", "{}".to_owned()),
    ] {
        fails(Answer::new(status, content_type, body), "invalid_token_response");
    }
}

#[test]
fn sec_040_the_media_type_may_have_parameters() {
    for content_type in
        ["application/json;charset=UTF-8", "Application/JSON", "application/json ; charset=utf-8"]
    {
        let world = World::new();
        let callback = world.respond();
        world.server.at("/token", move |honest| match honest() {
            Answer::Reply { status, body, .. } => Answer::new(status, content_type, body),
            other => other,
        });
        assert_eq!(code_of(&world.page().handle(&callback)), "ok", "{content_type}");
    }
}

#[test]
fn sec_041_tokens_can_stand_in_a_header() {
    for token in [
        json!(null),
        json!(""),
        json!(1),
        json!(true),
        json!(["a"]),
        json!("a b"),
        json!("a\r\nx: y"),
        json!("a\u{0}"),
        json!("ä"),
        json!("a\u{7f}"),
        json!(" a"),
        json!("a\t"),
    ] {
        fails_with(move |tokens| tokens["access_token"] = token.clone(), "invalid_token_response");
    }
    fails(Answer::new(200, "application/json", r#"{"token_type":"Bearer"}"#), "invalid_token_response");
    fails(Answer::new(200, "application/json", r#"{"access_token":"access-1"}"#), "invalid_token_response");
    for token_type in [json!(null), json!(1), json!(["Bearer"]), json!("")] {
        fails_with(move |tokens| tokens["token_type"] = token_type.clone(), "invalid_token_response");
    }
}

#[test]
fn sec_042_a_type_that_is_not_understood_is_not_used() {
    for token_type in ["DPoP", "mac", "N_A", "Bearer ", "Bear"] {
        fails_with(move |tokens| tokens["token_type"] = token_type.into(), "token_type_mismatch");
    }
    for token_type in ["bearer", "BEARER", "bEaReR"] {
        let world = World::new();
        world.server.change_tokens(move |tokens| tokens["token_type"] = token_type.into());
        world.sign_in();
    }
}

#[test]
fn sec_044_members_are_unique_and_unknown_ones_ignored() {
    for extra in [
        r#","access_token":"access-2""#,
        r#","token_type":"Bearer""#,
        r#","\u0061ccess_token":"x""#,
        r#","x":1,"x":2"#,
    ] {
        fails(Answer::new(200, "application/json", tokens(extra)), "invalid_token_response");
    }
    let world = World::new();
    world.server.change_tokens(|tokens| {
        tokens["__proto__"] = json!({ "access_token": "x" });
        tokens["constructor"] = json!([[[]]]);
    });
    let (page, _) = world.sign_in();
    assert_ne!(page.access_token().expect("a token"), "x");
}

#[test]
fn sec_045_any_expires_in_is_survived() {
    for (value, seconds) in [
        (json!(3600), Some(3600)),
        (json!("3600"), Some(3600)),
        (json!(3600.9), Some(3600)),
        (json!(null), None),
        (json!(0), None),
        (json!(-1), None),
        (json!("soon"), None),
        (json!(true), None),
        (json!([3600]), None),
        (json!(1e308), None),
        (json!(i64::MAX), None),
        (json!(u64::MAX), None),
        (json!("9999999999999999999999"), None),
    ] {
        let world = World::new();
        let shown = value.to_string();
        world.server.change_tokens(move |tokens| tokens["expires_in"] = value.clone());
        let (page, _) = world.sign_in();
        let State::Authenticated { expires_at, .. } = page.client.state() else { panic!("{shown}") };
        let left = expires_at.map(|at| (at - world.browser.executor().now() + 999) / 1000);
        assert_eq!(left, seconds, "{shown}");
        world.browser.advance(3_500_000);
        assert!(page.is_signed_in(), "{shown}");
        assert!(world.browser.sleeps().len() <= 2, "{shown}: a storm of timers");
    }
}

#[test]
fn sec_045_an_absent_lifetime_is_not_invented() {
    let world = World::new();
    world.server.change_tokens(|tokens| {
        tokens.as_object_mut().expect("an object").remove("expires_in");
    });
    let (page, _) = world.sign_in();
    assert!(matches!(page.client.state(), State::Authenticated { expires_at: None, .. }));
    assert!(world.browser.sleeps().is_empty());
}

#[test]
fn sec_046_less_than_was_asked_for_is_visible() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["scope"] = "openid notes openid".into());
    let (page, result) = world.sign_in();
    assert_eq!(*result.granted, ["openid", "notes"]);
    assert_eq!(result.missing, ["profile"]);
    assert_eq!(page.client.state().missing(), ["profile"]);
    let world = World::new();
    world.server.change_tokens(|tokens| {
        tokens.as_object_mut().expect("an object").remove("scope");
    });
    let (_, result) = world.sign_in();
    assert_eq!(*result.granted, ["openid", "profile"], "RFC 6749 5.1: silence means all");
    for scope in [json!(1), json!("open\"id"), json!("a\nb")] {
        fails_with(move |tokens| tokens["scope"] = scope.clone(), "invalid_token_response");
    }
}

#[test]
fn sec_046_a_list_of_scopes_is_not_taken_for_silence() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["scope"] = json!(["openid"]));
    let callback = world.respond();
    if let Ok(result) = world.page().handle(&callback) {
        assert_eq!(*result.granted, ["openid"], "more than the server granted");
    }
}

#[test]
fn sec_047_the_servers_errors_are_typed() {
    let error = |status, body: &str| Answer::new(status, "application/json", body);
    fails(error(400, r#"{"error":"invalid_grant","error_description":"code-0 eyJ"}"#), "invalid_grant");
    fails(error(400, r#"{"error":"invalid_client"}"#), "authorization_failed");
    fails(error(401, r#"{"error":"invalid_client"}"#), "authorization_failed");
    fails(error(400, r#"{"error":"access-1 code-0 eyJ\u0000"}"#), "authorization_failed");
    fails(error(400, r#"{"error":1}"#), "invalid_token_response");
    fails(error(400, "{}"), "invalid_token_response");
    fails(Answer::html(404), "invalid_token_response");
    fails(Answer::html(403), "invalid_token_response");
    fails(Answer::html(408), "timeout");
    fails(Answer::html(429), "rate_limited");
    fails(Answer::html(500), "server_error");
    fails(error(503, r#"{"error":"invalid_grant"}"#), "server_error");
}

#[test]
fn sec_047_the_servers_word_is_kept_when_it_is_one() {
    let world = World::new();
    let callback = world.respond();
    world.server.at("/token", |_| Answer::new(400, "application/json", r#"{"error":"invalid_grant"}"#));
    let error = world.page().handle(&callback).expect_err("an error");
    assert_eq!((error.status(), error.oauth_error()), (Some(400), Some("invalid_grant")));
    assert!(!error.retryable());
}

#[test]
fn sec_048_time_and_size_are_bounded() {
    fails(Answer::Fail(Failure::Offline), "offline");
    fails(
        Answer::new(200, "application/json", tokens(&format!(r#","x":"{}""#, "A".repeat(600_000)))),
        "server_error",
    );
    let deep = tokens(&format!(r#","x":{}{}"#, "[".repeat(20_000), "]".repeat(20_000)));
    fails(Answer::new(200, "application/json", deep), "invalid_token_response");
    let world = World::new();
    let callback = world.respond();
    world.server.at("/token", |honest| honest().late(86_400_000));
    let page = world.page_with(json!({ "timeoutMs": 2_000 }));
    let start = world.browser.executor().now();
    assert_error(&page.handle(&callback), "timeout", &[]);
    assert!(world.browser.executor().now() - start < 3_000);
    world.server.heal();
    world.sign_in();
}

#[test]
fn sec_049_a_refresh_token_that_nobody_asked_for_is_not_kept() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["refresh_token"] = "refresh-1".into());
    let (page, result) = world.sign_in();
    assert!(!format!("{:?} {result:?}", page.client.state()).contains("refresh-1"));
    assert!(world.browser.stored().values().all(|text| !text.contains("refresh-1")));
}
