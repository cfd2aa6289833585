//! What servers in the field are known to do, and that it is understood without a policy: the documented answers of
//! Laserfiche, ONLYOFFICE DocSpace and Shift iQ.

use crate::common::urls::{fields, parameter, with};
use crate::common::{Answer, CLIENT_ID, Page, World, assert_error, code_of};
use crate::refresh::{lasting, pass};
use crate::refresh_trouble::assert_ended;
use serde_json::{Value, json};
use wardkey::client::State;
use wardkey::protocol::http::Failure;

const HOUR: i64 = 3_600_000;

fn json_answer(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json; charset=UTF-8", body.to_string())
}

#[test]
fn a_reused_refresh_token_ends_the_session_once_whatever_the_status() {
    // OAuth's members and those of a problem (RFC 9457) in one object, whose status is not the line's.
    let body = json!({ "error": "invalid_grant", "error_description": "The use of a previously used refresh token has been \
        detected.", "type": "invalid_grant", "title": "x", "status": 400, "instance": "/Token", "traceId": "00-0-0-00" });
    for status in [401, 400] {
        let world = World::new();
        let page = lasting(&world, json!({ "refresh": { "auto": false } }));
        page.events();
        let answer = json_answer(status, &body);
        world.server.at("/token", move |_| answer.clone());
        pass(&world, HOUR);
        world.browser.forget_requests();
        let asked: Vec<_> = page.ask_for_tokens(&json!({}), 2);
        world.browser.advance(1_000);
        for outcome in asked.iter().map(|one| one.take().expect("done")) {
            assert_error(&outcome, "session_expired", &["previously"]);
        }
        assert_eq!(world.browser.count("/token"), 1, "a refused token is not sent again");
        assert_ended(&world, &page, "session_expired");
    }
}

#[test]
fn an_empty_401_to_a_refresh_ends_no_session() {
    let world = World::new();
    let page = lasting(&world, json!({ "refresh": { "auto": false } }));
    world.server.at("/token", |_| Answer::new(401, "", ""));
    let asked = page.token(&json!({ "forceRefresh": true }));
    assert_error(&asked, "invalid_token_response", &[]);
    assert_eq!(asked.expect_err("it was").status(), Some(401));
    assert!(page.is_signed_in() && page.is_stale());
    assert!(page.access_token().is_ok(), "the token at hand serves to its end");
}

#[test]
fn an_error_and_nothing_else_is_an_error() {
    for (status, error, code) in
        [(400, "invalid_grant", "invalid_grant"), (401, "invalid_client", "authorization_failed")]
    {
        let world = World::new();
        world.server.at("/token", move |_| json_answer(status, &json!({ "error": error })));
        let page = world.page();
        let failed = page.handle(&world.respond());
        assert_error(&failed, code, &[]);
        let failed = failed.expect_err("it did");
        assert_eq!((failed.status(), failed.oauth_error()), (Some(status), Some(error)));
    }
}

#[test]
fn a_refusal_may_describe_itself_in_any_way_or_none() {
    for rest in [
        "",
        "&description=No+consent",
        "&error_description=No+consent",
        "&error_uri=https%3A%2F%2Fas.example",
    ] {
        let world = World::new();
        let url = world.page().authorize_url(&json!({}));
        let callback = world.server.refuse(&url, "access_denied") + rest;
        let refused = world.page().handle(&callback);
        assert_error(&refused, "access_denied", &["consent"]);
    }
}

#[test]
fn a_lifetime_in_a_text_and_no_scope_and_bearer_in_small_letters() {
    let world = World::new();
    world.server.change_tokens(|tokens| {
        tokens["expires_in"] = "3600".into();
        tokens["token_type"] = "bearer".into();
        tokens.as_object_mut().expect("an object").remove("scope");
    });
    let (page, result) = world.sign_in();
    let token = page.token(&json!({})).expect("a token");
    assert_eq!(token.expires_at, Some(world.browser.executor().now() + HOUR));
    assert_eq!(*token.scopes, ["openid", "profile"]);
    assert_eq!(result.missing, [""; 0]);
    page.fetch("https://api.example/v1").expect("an answer");
    let header = world.browser.sent().pop().and_then(|sent| sent.authorization).expect("a header");
    assert!(header.starts_with("Bearer access-"), "some servers compare the case");
}

#[test]
fn a_code_with_a_colon_is_sent_as_it_is() {
    let world = World::new();
    let callback = with(&world.respond(), "code", "eu:AZaz09-_");
    assert_eq!(code_of(&world.page().handle(&callback)), "invalid_grant");
    let form = world.browser.sent().into_iter().filter_map(|sent| sent.form).next().expect("a token request");
    assert!(fields(&form).contains(&("code".to_owned(), "eu:AZaz09-_".to_owned())));
}

#[test]
fn a_state_survives_servers_that_do_not_encode_it() {
    let world = World::new();
    let page = world.page();
    for _ in 0..200 {
        let state = parameter(&page.authorize_url(&json!({})), "state").expect("it is there");
        assert!(
            state.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_')),
            "{state}"
        );
    }
}

#[test]
fn without_a_refresh_token_the_session_ends_with_its_token() {
    let world = World::new();
    let (page, _) = world.sign_in();
    page.events();
    world.browser.advance(HOUR - 1_000);
    assert!(page.access_token().is_ok(), "to its last second");
    world.browser.advance(2_000);
    assert!(matches!(page.client.state(), State::Anonymous { .. }));
    assert_ended(&world, &page, "session_expired");
    assert_eq!(world.browser.count("/token"), 1, "there is nothing to ask");
}

/// A client of a server whose discovery says RS256, and whose ID tokens are for the portal.
fn portal(world: &World) -> Page {
    world
        .server
        .change_metadata(|metadata| metadata["id_token_signing_alg_values_supported"] = json!(["RS256"]));
    world.page_with(json!({ "idToken": {
        "expectIssuer": "https://portal.example/oauth2",
        "expectAudience": "https://portal.example",
        "algorithms": ["ES256", "RS256"],
    } }))
}

#[test]
fn an_id_token_for_the_portal_is_taken_where_it_names_this_client() {
    for (party, code) in
        [(json!(CLIENT_ID), "ok"), (json!("other"), "id_token_invalid"), (json!(null), "id_token_invalid")]
    {
        let world = World::new();
        world.server.change_claims(move |claims| {
            claims["iss"] = "https://portal.example/oauth2".into();
            claims["aud"] = json!(["https://portal.example"]);
            claims["azp"] = party.clone();
            claims["cid"] = party.clone();
        });
        let page = portal(&world);
        assert_eq!(code_of(&page.handle(&world.respond())), code);
    }
}

#[test]
fn an_answer_that_cors_hides_says_so() {
    let world = World::new();
    let (page, _) = world.sign_in();
    world.server.at("/v1", |_| Answer::Fail(Failure::Network));
    let failed = page.fetch("https://api.example/v1").map(drop);
    assert_error(&failed, "network", &["access-"]);
    assert!(failed.expect_err("it did").reason().contains("CORS does not list this origin"));
}
