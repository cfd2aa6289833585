//! What the authenticated `fetch` does about an answer that says no, and what it leaves to the app: SEC-094,
//! SEC-097, SEC-098.

use super::dpop;
use crate::common::page::call;
use crate::common::{Answer, Page, World, assert_error, code_of};
use serde_json::{Value, json};
use wardkey::client::Call;
use wardkey::protocol::http::Failure;

const API: &str = "https://api.example/v1";
const OK: &str = r#"{"ok":true}"#;

/// A session with these options over the usual ones.
fn signed_in_with(world: &World, members: Value) -> Page {
    let page = world.page_with(members);
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).unwrap_or_else(|error| panic!("{error}"));
    world.browser.forget_requests();
    page
}

/// A session with a refresh token.
fn signed_in(world: &World) -> Page {
    signed_in_with(world, json!({ "scope": "openid notes offline_access" }))
}

/// Requests to the API and to the token endpoint.
fn requests(world: &World) -> (usize, usize) {
    (world.browser.count("/v1"), world.browser.count("/token"))
}

fn refuse_always(world: &World, challenge: &'static str) {
    world.server.at("/v1", move |_| Answer::html(401).with("www-authenticate", challenge));
}

#[test]
fn sec_094_a_token_that_is_not_taken_is_renewed_once() {
    let world = World::new();
    let page = signed_in(&world);
    let first = page.access_token().expect("a token");
    world.server.forget_tokens();
    assert_eq!(page.send(call("POST", API)).expect("an answer").answer, OK);
    assert_eq!(requests(&world), (2, 1));
    let sent = world.browser.sent();
    assert_eq!(sent[0].form, sent[2].form, "the same request");
    assert_ne!(sent[0].authorization, sent[2].authorization);
    assert_ne!(page.access_token().expect("a token"), first);
}

#[test]
fn sec_094_an_api_that_never_takes_a_token_is_asked_twice() {
    for challenge in [
        "Bearer error=\"invalid_token\"",
        "bearer ERROR=invalid_token",
        "Bearer",
        "Negotiate, Bearer realm=\"x\"",
    ] {
        let world = World::new();
        let page = signed_in(&world);
        refuse_always(&world, challenge);
        let fetched = page.fetch(API).unwrap_or_else(|error| panic!("{challenge}: {error}"));
        assert!(fetched.step_up.is_none() && fetched.answer.contains("Sorry"), "the answer is the app's");
        assert_eq!(requests(&world), (2, 1), "{challenge}");
        assert!(page.is_signed_in());
    }
}

#[test]
fn sec_097_a_401_that_says_nothing_may_mean_the_token() {
    let world = World::new();
    let page = signed_in(&world);
    world.server.forget_tokens();
    world.server.at("/v1", |honest| match honest() {
        Answer::Reply { status: 401, .. } => Answer::html(401),
        other => other,
    });
    assert_eq!(page.fetch(API).expect("an answer").answer, OK);
    assert_eq!(requests(&world), (2, 1));
}

#[test]
fn sec_097_hidden_headers_are_an_error_that_says_so() {
    let world = World::new();
    let page = dpop::signed_in(&world);
    world.browser.forget_requests();
    world.server.at("/v1", |_| Answer::html(401));
    let fetched = page.fetch(API);
    assert_error(&fetched, "dpop_failed", &["access-", "api.example"]);
    let reason = fetched.expect_err("refused").reason();
    for header in ["WWW-Authenticate", "DPoP-Nonce", "Access-Control-Expose-Headers"] {
        assert!(reason.contains(header), "{reason}");
    }
    assert_eq!(requests(&world), (1, 0));
    assert!(page.is_signed_in());
}

#[test]
fn what_is_not_about_the_token_is_the_apps() {
    for (status, challenge) in [
        (401, "Bearer error=\"invalid_request\""),
        (401, "Bearer error=\"use_dpop_nonce\""),
        (401, "Bearer error=\"\""),
        (403, "Bearer"),
        (403, ""),
        (400, "Bearer error=\"invalid_token\""),
        (404, "Bearer error=\"invalid_token\""),
        (200, "Bearer error=\"invalid_token\""),
        (503, "Bearer error=\"invalid_token\""),
    ] {
        let world = World::new();
        let page = signed_in(&world);
        world.server.at("/v1", move |_| {
            Answer::html(status).with("www-authenticate", challenge).with("dpop-nonce", "n-1")
        });
        assert_eq!(code_of(&page.fetch(API)), "ok", "{status} {challenge}");
        assert_eq!(requests(&world), (1, 0), "{status} {challenge}");
    }
}

#[test]
fn a_bound_request_that_is_refused_for_another_reason_is_not_repeated() {
    for (status, challenge) in [
        (401, "DPoP error=\"invalid_dpop_proof\""),
        (403, "DPoP"),
        (403, "DPoP error=\"use_dpop_nonce\""),
        (403, "Bearer"),
        (400, "DPoP error=\"use_dpop_nonce\""),
        (200, "DPoP error=\"use_dpop_nonce\""),
    ] {
        let world = World::new();
        let page = dpop::signed_in(&world);
        world.browser.forget_requests();
        world.server.at("/v1", move |_| {
            Answer::html(status).with("www-authenticate", challenge).with("dpop-nonce", "n-1")
        });
        assert_eq!(code_of(&page.fetch(API)), "ok", "{status} {challenge}");
        assert_eq!(requests(&world), (1, 0), "{status} {challenge}");
    }
}

#[test]
fn without_a_refresh_token_the_401_is_the_apps() {
    let world = World::new();
    let page = signed_in_with(&world, json!({}));
    world.server.forget_tokens();
    assert!(page.fetch(API).expect("an answer").answer.contains("Sorry"));
    assert_eq!(requests(&world), (1, 0));
}

#[test]
fn sec_094_requests_at_the_same_time_share_one_renewal() {
    let world = World::new();
    let page = signed_in(&world);
    world.server.forget_tokens();
    assert_eq!(page.fetch_at_once(8, API), [OK; 8]);
    assert_eq!(requests(&world), (16, 1));
}

#[test]
fn sec_094_a_stream_is_not_sent_again() {
    for bound in [false, true] {
        let world = World::new();
        let page = signed_in_with(&world, json!({ "dpop": bound, "scope": "openid offline_access" }));
        let first = page.access_token().expect("a token");
        world.server.forget_tokens();
        let stream = Call { replayable: false, ..call("POST", API) };
        assert_error(&page.send(stream), "body_not_replayable", &["access-", "refresh-"]);
        assert_eq!(requests(&world), (1, 1));
        assert_ne!(page.access_token().expect("a token"), first, "the next one will do");
        let stream = Call { replayable: false, ..call("POST", API) };
        assert_eq!(page.send(stream).expect("an answer").answer, OK);
        assert_eq!(requests(&world), (2, 1));
    }
}

#[test]
fn sec_094_a_stream_that_needs_a_nonce_has_it_the_next_time() {
    let world = World::new();
    let page = dpop::signed_in(&world);
    world.browser.forget_requests();
    world.server.api_nonces.borrow_mut().insert("api.example".to_owned(), "n-1".to_owned());
    let stream = || Call { replayable: false, ..call("POST", API) };
    assert_error(&page.send(stream()), "body_not_replayable", &["access-", "n-1"]);
    assert_eq!(requests(&world), (1, 0));
    assert_eq!(page.send(stream()).expect("an answer").answer, OK);
}

#[test]
fn a_nonce_and_a_token_are_given_once_each() {
    let world = World::new();
    let page = dpop::signed_in(&world);
    world.browser.forget_requests();
    world.server.forget_tokens();
    let count = std::cell::Cell::new(0);
    world.server.at("/v1", move |_| {
        let nonce = format!("n-{}", count.replace(count.get() + 1));
        let error = if count.get() % 2 == 1 { "use_dpop_nonce" } else { "invalid_token" };
        Answer::html(401)
            .with("www-authenticate", &format!("DPoP error=\"{error}\""))
            .with("dpop-nonce", &nonce)
    });
    assert_eq!(code_of(&page.fetch(API)), "ok");
    assert_eq!(requests(&world), (3, 1));
}

#[test]
fn a_token_for_some_scopes_is_renewed_too() {
    let world = World::new();
    let target = json!({ "origin": "https://api.example", "path": "/v1", "scope": ["notes"] });
    let page = signed_in_with(&world, json!({ "scope": "openid notes files offline_access", "api": target }));
    world.server.forget_tokens();
    assert_eq!(page.fetch(API).expect("an answer").answer, OK);
    assert_eq!(requests(&world), (2, 1));
    let first = page.access_token().expect("a token");
    let options = json!({ "scope": ["notes"], "forceRefresh": true });
    let forced = page.token(&options).expect("a token");
    assert_ne!(forced.token.expose(), first);
}

#[test]
fn a_refresh_token_that_is_not_taken_ends_the_session() {
    let world = World::new();
    let page = signed_in(&world);
    world.server.forget_tokens();
    world.server.forget_grants();
    assert_error(&page.fetch(API), "session_expired", &["access-", "refresh-"]);
    assert_eq!(requests(&world), (1, 1));
    assert_error(&page.fetch(API), "session_expired", &[]);
    assert_eq!(requests(&world), (1, 1));
}

#[test]
fn while_the_server_is_down_a_refused_token_does_not_send_everybody_to_it() {
    let world = World::new();
    let page = signed_in(&world);
    world.server.forget_tokens();
    world.server.at("/token", |_| Answer::html(503).with("retry-after", "60"));
    for _ in 0..3 {
        let fetched = page.fetch(API);
        assert_error(&fetched, "server_error", &["access-", "refresh-"]);
        assert!(fetched.expect_err("refused").retryable());
    }
    assert_eq!(requests(&world), (3, 1));
    assert!(page.is_signed_in());
    world.server.heal();
    world.browser.advance(70_000);
    assert_eq!(page.fetch(API).expect("an answer").answer, OK);
}

#[test]
fn a_token_that_runs_out_is_replaced_before_it_is_sent() {
    let world = World::new();
    let page =
        signed_in_with(&world, json!({ "scope": "openid offline_access", "refresh": { "auto": false } }));
    world.browser.advance(3_580_000);
    assert_eq!(requests(&world), (0, 0));
    assert_eq!(page.fetch(API).expect("an answer").answer, OK);
    assert_eq!(requests(&world), (1, 1));
}

#[test]
fn sec_098_a_failure_is_told_and_not_repeated() {
    for (failure, code) in
        [(Failure::Aborted, "aborted"), (Failure::Network, "network"), (Failure::Offline, "offline")]
    {
        let world = World::new();
        let page = signed_in(&world);
        world.server.at("/v1", move |_| Answer::Fail(failure));
        assert_error(&page.fetch(API), code, &["access-", "api.example"]);
        assert_eq!(requests(&world), (1, 0));
        assert!(page.is_signed_in());
    }
    let world = World::new();
    let page = signed_in(&world);
    world.server.at("/v1", |_| Answer::html(302));
    assert_error(&page.fetch(API), "network", &["access-"]);
    assert_eq!(requests(&world), (1, 0), "a redirect is not followed (SEC-092)");
}

#[test]
fn sec_098_one_of_fifty_gives_up_and_the_others_do_not() {
    let world = World::new();
    let page = signed_in(&world);
    world.server.forget_tokens();
    world.server.at("/token", |honest| honest().late(100));
    let start = || {
        let client = page.client.clone();
        world.browser.start(async move { client.fetch(&call("GET", API), None).await })
    };
    let tries: Vec<_> = (0..50).map(|_| start()).collect();
    world.browser.advance(50);
    assert_eq!(requests(&world), (50, 1), "all wait for the token");
    // The first: it is the one whose task drives the refresh.
    world.browser.executor().cancel(&tries[0]);
    world.browser.advance(1_000);
    for join in &tries[1..] {
        assert_eq!(join.take().expect("it is done").expect("an answer").answer, OK);
    }
    assert!(!tries[0].is_done());
    assert_eq!(requests(&world), (99, 1));
}

#[test]
fn a_sign_out_meanwhile_ends_it() {
    let world = World::new();
    let page = signed_in(&world);
    world.server.forget_tokens();
    world.server.at("/token", |honest| honest().late(100));
    let client = page.client.clone();
    let join = world.browser.start(async move { client.fetch(&call("GET", API), None).await });
    world.browser.advance(50);
    page.client.sign_out_local();
    world.browser.advance(1_000);
    let fetched = join.take().expect("it is done");
    assert_error(&fetched, "aborted", &["access-", "refresh-"]);
    assert_eq!(requests(&world), (1, 1));
    assert!(!page.is_signed_in());
}
