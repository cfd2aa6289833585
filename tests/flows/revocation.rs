//! Revocation (RFC 7009): here first, then at the server.

use crate::common::urls::fields;
use crate::common::{Answer, World, assert_error, code_of};
use crate::refresh::{lasting, lazy};
use serde_json::{Value, json};
use wardkey::client::{Farewell, Which};
use wardkey::protocol::http::Failure;

/// What was revoked: the hint and the token.
fn revoked(world: &World) -> Vec<(String, String)> {
    let sent = world.browser.sent().into_iter().filter(|sent| sent.url.ends_with("/revoke"));
    sent.map(|sent| {
        assert!(!sent.url.contains('?') && sent.authorization.is_none());
        let form = fields(&sent.form.expect("a form"));
        let get = |name: &str| form.iter().find(|(known, _)| known == name).expect("it is there").1.clone();
        assert_eq!((form.len(), get("client_id").as_str()), (3, "spa"));
        (get("token_type_hint"), get("token"))
    })
    .collect()
}

fn hints(world: &World) -> Vec<String> {
    revoked(world).into_iter().map(|(hint, _)| hint).collect()
}

#[test]
fn an_access_token_goes_and_the_session_stays() {
    let world = World::new();
    let page = lazy(&world);
    let token = page.access_token().expect("a token");
    page.token(&json!({ "resource": "https://mail.example/" })).expect("another");
    page.events();
    world.browser.forget_requests();
    page.revoke(Which::AccessToken).expect("revoked");
    assert_eq!(hints(&world), ["access_token", "access_token"]);
    assert_eq!(revoked(&world)[0].1, token);
    assert!(page.is_signed_in());
    assert_eq!(page.events(), ["authenticated"]);
    assert_ne!(page.access_token().expect("a new one"), token);
    assert_eq!(page.fetch("https://api.example/v1").expect("an answer").answer, r#"{"ok":true}"#);
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn without_a_refresh_token_the_session_ends_with_its_access_token() {
    let world = World::new();
    let (page, _) = world.sign_in();
    page.events();
    page.revoke(Which::AccessToken).expect("revoked");
    assert_eq!(page.events(), ["anonymous: no reason", "signed out: no reason"]);
    assert_error(&page.access_token(), "not_signed_in", &["access-"]);
}

#[test]
fn a_refresh_token_goes_and_the_access_token_serves_to_its_end() {
    let world = World::new();
    let page = lasting(&world, json!({}));
    let token = page.access_token().expect("a token");
    page.revoke(Which::RefreshToken).expect("revoked");
    assert_eq!(hints(&world), ["refresh_token"]);
    assert_eq!(page.access_token().expect("the same"), token);
    world.browser.advance(3_599_000);
    assert_eq!(page.access_token().expect("the same"), token);
    assert_eq!(world.browser.count("/token"), 0);
    page.events();
    world.browser.advance(2_000);
    assert_eq!(
        page.events(),
        ["anonymous: session_expired", "expired: session_expired", "signed out: session_expired"]
    );
    assert_eq!(world.browser.executor().waiting(), 0);
}

#[test]
fn one_after_the_other_they_end_the_session_too() {
    for order in [[Which::AccessToken, Which::RefreshToken], [Which::RefreshToken, Which::AccessToken]] {
        let world = World::new();
        let page = lasting(&world, json!({}));
        order.iter().for_each(|which| page.revoke(*which).expect("revoked"));
        assert!(page.access_token().is_err());
        assert!(!page.is_signed_in(), "a session without any token");
        assert_eq!(world.browser.count("/token"), 0);
    }
}

#[test]
fn all_of_them_end_the_session() {
    let world = World::new();
    let page = lazy(&world);
    page.token(&json!({ "resource": "https://mail.example/" })).expect("another");
    page.events();
    page.revoke(Which::All).expect("revoked");
    assert_eq!(hints(&world), ["refresh_token", "access_token", "access_token"]);
    assert_eq!(page.events(), ["anonymous: no reason", "signed out: no reason"]);
    assert_error(&page.revoke(Which::All), "not_signed_in", &[]);
}

#[test]
fn they_are_forgotten_here_before_anything_is_sent() {
    let world = World::new();
    let page = lazy(&world);
    world.server.at("/revoke", |honest| honest().late(5_000));
    let client = page.client.clone();
    let revoking = world.browser.start(async move { client.revoke(Which::All).await });
    world.browser.advance(100);
    assert_eq!((world.browser.count("/revoke"), page.is_signed_in(), revoking.is_done()), (1, false, false));
    assert_error(&page.access_token(), "not_signed_in", &[]);
    world.browser.advance(60_000);
    assert!(revoking.take().expect("an outcome").is_ok());
}

#[test]
fn what_the_server_answers_is_told_and_here_it_is_done_all_the_same() {
    for (answer, code) in [
        (Answer::html(200), "ok"),
        (Answer::new(200, "application/json", r#"{"error":"invalid_token"}"#), "ok"),
        (Answer::html(404), "server_error"),
        (Answer::html(302), "network"),
        (Answer::html(503), "server_error"),
        (Answer::Fail(Failure::Network), "network"),
        (Answer::html(200).late(60_000), "timeout"),
        (
            Answer::new(400, "application/json", r#"{"error":"unsupported_token_type"}"#),
            "authorization_failed",
        ),
    ] {
        let world = World::new();
        let page = lazy(&world);
        world.server.at("/revoke", move |_| answer.clone());
        assert_error(&page.revoke(Which::All), code, &["access-", "refresh-"]);
        assert!(!page.is_signed_in(), "{code}");
        assert_eq!(
            hints(&world),
            ["refresh_token", "access_token"],
            "{code}: one failure is not the other's"
        );
    }
}

#[test]
fn the_first_trouble_is_told_though_the_rest_goes_well() {
    let world = World::new();
    let page = lazy(&world);
    let first = std::cell::Cell::new(true);
    world.server.at("/revoke", move |honest| if first.replace(false) { Answer::html(503) } else { honest() });
    assert_error(&page.revoke(Which::All), "server_error", &["refresh-"]);
    assert_eq!(world.browser.count("/revoke"), 2);
}

#[test]
fn a_server_without_the_endpoint_is_told_of_after_the_fact() {
    let world = World::new();
    world.server.change_metadata(|metadata| metadata["revocation_endpoint"] = Value::Null);
    let page = lazy(&world);
    assert_error(&page.revoke(Which::All), "discovery_failed", &[]);
    assert!(!page.is_signed_in());
}

#[test]
fn a_sign_out_revokes_where_it_is_asked_to_and_goes_on_in_any_case() {
    for (revoke, answer) in [
        (json!({ "revoke": true }), Answer::html(200)),
        (json!({ "revoke": true }), Answer::html(503)),
        (json!({ "revoke": true }), Answer::Fail(Failure::Offline)),
        (json!({ "revoke": false }), Answer::html(200)),
        (json!({}), Answer::html(200)),
    ] {
        let world = World::new();
        let page = lazy(&world);
        world.server.at("/revoke", move |_| answer.clone());
        let farewell = page.sign_out(&revoke);
        assert_eq!(code_of(&farewell), "ok", "{revoke}");
        assert!(
            matches!(farewell, Ok(Farewell::Server(url)) if url.starts_with("https://as.example/tenant/logout?"))
        );
        assert_eq!(page.events(), ["anonymous: no reason", "signed out: no reason"]);
        let expected: &[&str] =
            if revoke["revoke"] == true { &["refresh_token", "access_token"] } else { &[] };
        assert_eq!(hints(&world), expected, "{revoke}");
    }
}

#[test]
fn after_a_revocation_one_timer_watches() {
    let world = World::new();
    let page = lasting(&world, json!({}));
    for _ in 0..3 {
        page.revoke(Which::AccessToken).expect("revoked");
        page.access_token().expect("a new one");
    }
    assert_eq!(world.browser.executor().waiting(), 1, "one session, one timer");
    world.browser.forget_requests();
    world.browser.advance(3_590_000);
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn a_token_that_speaks_for_itself_is_settled_with_what_gave_it() {
    let refused = || Answer::new(400, "application/json", r#"{"error":"unsupported_token_type"}"#);
    let world = World::new();
    let page = lazy(&world);
    let first = std::cell::Cell::new(true);
    world.server.at("/revoke", move |_| if first.replace(false) { Answer::html(200) } else { refused() });
    page.revoke(Which::All).expect("the grant is revoked");
    assert_eq!(hints(&world), ["refresh_token", "access_token"]);

    let world = World::new();
    let page = lazy(&world);
    world.server.at("/revoke", move |_| refused());
    assert_error(&page.revoke(Which::AccessToken), "authorization_failed", &[]);
}
