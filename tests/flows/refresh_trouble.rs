//! Refreshes that fail: SEC-051. A refused refresh token ends the session, once; a server that cannot answer is
//! asked later, and not by everybody.

use crate::common::{Answer, Page, World, assert_error, code_of};
use crate::refresh::{lasting, lazy, pass};
use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;
use wardkey::client::State;
use wardkey::protocol::http::Failure;

const HOUR: i64 = 3_600_000;

/// Milliseconds since the first of them at which the token endpoint was asked, when it answers so.
fn times(world: &World, answer: Answer, span: i64) -> Vec<i64> {
    let times = Rc::new(RefCell::new(Vec::new()));
    let (noted, executor) = (Rc::clone(&times), Rc::clone(world.browser.executor()));
    world.server.at("/token", move |_| {
        noted.borrow_mut().push(executor.now());
        answer.clone()
    });
    world.browser.advance(span);
    let times = times.borrow();
    times.iter().map(|at| at - times[0]).collect()
}

fn reply(status: u16, body: &str) -> Answer {
    Answer::new(status, "application/json", body)
}

#[track_caller]
pub(crate) fn assert_ended(world: &World, page: &Page, code: &str) {
    let told = ["anonymous: ", "expired: ", "signed out: "].map(|word| [word, code].concat());
    assert_eq!(page.events(), told);
    assert!(!page.is_signed_in());
    assert!(page.access_token().is_err());
    let asked = world.browser.sent().len();
    world.browser.advance(24 * HOUR);
    assert_eq!((page.events().len(), world.browser.sent().len()), (0, asked), "it is told once");
    assert_eq!(world.browser.executor().waiting(), 0, "a timer is left");
}

#[test]
fn sec_051_a_refused_refresh_token_ends_the_session_once() {
    for auto in [true, false] {
        let world = World::new();
        let page = lasting(&world, json!({ "refresh": { "auto": auto } }));
        let secret = page.access_token().expect("a token");
        world.server.forget_grants();
        pass(&world, HOUR);
        let calls = page.ask_for_tokens(&json!({}), 50);
        world.browser.advance(1_000);
        for call in calls {
            let outcome = call.take().expect("an outcome");
            assert_error(&outcome, "session_expired", &[&secret, "refresh-"]);
            assert_eq!(
                outcome.err().and_then(|error| error.oauth_error().map(str::to_owned)).as_deref(),
                Some("invalid_grant")
            );
        }
        assert_eq!(world.browser.count("/token"), 1);
        assert_ended(&world, &page, "session_expired");
        assert_error(&page.access_token(), "session_expired", &[]);
    }
}

#[test]
fn sec_051_a_server_that_cannot_answer_is_asked_later() {
    for (answer, code) in [
        (Answer::Fail(Failure::Network), "network"),
        (Answer::Fail(Failure::Offline), "offline"),
        (Answer::html(302), "network"),
        (Answer::html(200).late(600_000), "timeout"),
        (Answer::html(408), "timeout"),
        (Answer::html(429), "rate_limited"),
        (Answer::html(500), "server_error"),
        (reply(503, r#"{"error":"invalid_grant"}"#), "server_error"),
        (reply(200, &"x".repeat(600_000)), "server_error"),
        (Answer::html(200), "invalid_token_response"),
        (reply(200, r#"{"access_token":"#), "invalid_token_response"),
        (reply(200, "{}"), "invalid_token_response"),
        (reply(400, "{}"), "invalid_token_response"),
        (Answer::html(404), "invalid_token_response"),
        (reply(401, r#"{"error":"invalid_client"}"#), "authorization_failed"),
    ] {
        let world = World::new();
        let page = lazy(&world);
        let first = page.access_token().expect("a token");
        world.server.at("/token", move |_| answer.clone());
        pass(&world, 3_500_000);
        for call in 0..20 {
            assert_eq!(page.access_token().expect("the one at hand serves"), first, "{code} {call}");
        }
        assert_eq!(world.browser.count("/token"), 1, "{code}: a storm");
        assert_eq!(page.events(), ["authenticated".to_owned(), format!("deferred: {code}")]);
        assert!(page.is_stale());
        world.server.heal();
        pass(&world, 6_000);
        assert_ne!(page.access_token().expect("another"), first, "{code}");
        assert_eq!(page.events(), ["authenticated", "refreshed"]);
        assert!(!page.is_stale());
        assert_eq!(world.browser.count("/token"), 2);
    }
}

#[test]
fn sec_051_what_has_run_out_serves_nobody_but_the_session_stays() {
    let world = World::new();
    world.server.lifetime.set(3_000);
    let page = lazy(&world);
    world.browser.offline.set(true);
    pass(&world, 3_000_001);
    for _ in 0..20 {
        let outcome = page.access_token();
        assert_error(&outcome, "offline", &["access-", "refresh-"]);
        assert!(outcome.err().is_some_and(|error| error.retryable()));
    }
    assert_error(&page.fetch("https://api.example/v1/notes"), "offline", &["access-"]);
    assert_eq!(world.browser.sent().len(), 1, "a storm");
    assert!(page.is_signed_in() && page.is_stale());
    world.browser.offline.set(false);
    pass(&world, 6_000);
    page.fetch("https://api.example/v1/notes").expect("an answer");
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_051_who_was_offline_waits_for_the_network_and_for_nothing_else() {
    for auto in [true, false] {
        let world = World::new();
        let page = lasting(&world, json!({ "refresh": { "auto": auto } }));
        world.browser.offline.set(true);
        pass(&world, HOUR);
        for _ in 0..6 {
            page.token(&json!({ "forceRefresh": true })).expect_err("there is no network");
        }
        world.browser.offline.set(false);
        // As a page does when it hears `online`.
        page.run(|client| async move { client.look().await });
        assert_eq!(page.is_stale(), !auto);
        page.access_token().expect("another token");
        assert!(!page.is_stale());
    }
}

#[test]
fn sec_051_a_server_that_is_down_is_left_alone_by_who_looks() {
    let world = World::new();
    let page = lasting(&world, json!({}));
    for answer in [Answer::html(503), Answer::html(429), Answer::Fail(Failure::Timeout)] {
        world.server.at("/token", move |_| answer.clone());
        pass(&world, HOUR);
        page.access_token().expect_err("the server is down");
        let asked = world.browser.count("/token");
        page.run(|client| async move { client.look().await });
        assert_eq!(world.browser.count("/token"), asked);
    }
}

#[test]
fn sec_051_the_waits_grow_and_are_spread() {
    let world = World::new();
    let page = lasting(&world, json!({}));
    let times = times(&world, Answer::html(503), 5 * HOUR);
    let waits: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut longest = 5_000;
    for wait in &waits {
        assert!((longest / 2..longest + 20).contains(wait), "{wait} of {longest}: {waits:?}");
        longest = (2 * longest).min(300_000);
    }
    let shares: Vec<i64> = waits[6..].iter().map(|wait| wait / 3_000).collect();
    assert!(shares.iter().any(|share| share.abs_diff(shares[0]) > 5), "they come at once: {shares:?}");
    assert!((48..110).contains(&waits.len()), "{}", waits.len());
    assert!(page.is_signed_in());
    world.server.heal();
    world.browser.advance(300_000);
    assert!(!page.is_stale());
    assert_eq!(world.server.complaints(), [""; 0]);
    assert_eq!(world.browser.executor().waiting(), 1, "one session, one timer");
}

#[test]
fn sec_051_the_server_says_how_long() {
    // By the server's clock, from which the device's is hours away.
    let midnight = "Tue, 22 Sep 2026 00:00:00 GMT";
    for (header, date, least, most) in [
        ("120", midnight, 122_000, 125_020),
        ("0", "", 2_500, 5_020),
        ("-5", "", 2_500, 5_020),
        ("Tue, 22 Sep 2026 00:02:00 GMT", midnight, 122_000, 125_020),
        ("Mon, 21 Sep 2026 23:58:00 GMT", midnight, 2_500, 5_020),
        ("Tue, 22 Sep 2026 00:02:00 GMT", "", 2_500, 5_020),
        ("Tuesday", midnight, 2_500, 5_020),
        ("999999999999", "", 300_000, 306_000),
        ("Fri, 31 Dec 9999 23:59:59 GMT", midnight, 300_000, 306_000),
    ] {
        for status in [429, 503] {
            let world = World::new();
            let _page = lasting(&world, json!({}));
            let answer = Answer::html(status).with("retry-after", header).with("date", date);
            let times = times(&world, answer, HOUR + 600_000);
            assert!((least..most).contains(&times[1]), "{header}: {times:?}");
        }
    }
}

#[test]
fn sec_051_being_forced_asks_at_once_and_all_together_once() {
    let world = World::new();
    let page = lazy(&world);
    world.server.at("/token", |_| Answer::html(503));
    let forced = json!({ "forceRefresh": true });
    let calls = page.ask_for_tokens(&forced, 20);
    let others =
        page.ask_for_tokens(&json!({ "forceRefresh": true, "resource": "https://api.example/" }), 20);
    world.browser.advance(100);
    for call in calls.iter().chain(&others) {
        assert_error(&call.take().expect("an outcome"), "server_error", &["access-"]);
    }
    assert_eq!(world.browser.count("/token"), 1, "who waited in line asks a server that is down");
    assert_eq!(page.events(), ["authenticated", "deferred: server_error"]);
    world.server.heal();
    page.token(&forced).expect("a token");
    assert!(!page.is_stale());
}

#[test]
fn sec_051_calls_that_an_api_refuses_make_no_storm_either() {
    let world = World::new();
    let page = lazy(&world);
    world.server.forget_tokens();
    world.server.at("/token", |_| Answer::html(503));
    for _ in 0..20 {
        assert_eq!(code_of(&page.fetch("https://api.example/v1/notes")), "server_error");
    }
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn a_sign_out_during_a_refresh_wins() {
    let world = World::new();
    let page = lazy(&world);
    world.server.at("/token", |honest| honest().late(1_000));
    pass(&world, HOUR);
    let calls = page.ask_for_tokens(&json!({}), 2);
    world.browser.advance(100);
    page.client.sign_out_local();
    assert_eq!(page.events(), ["anonymous: no reason", "signed out: no reason"]);
    world.browser.advance(HOUR);
    for call in calls {
        assert_error(&call.take().expect("an outcome"), "aborted", &["access-"]);
    }
    assert_eq!(page.events(), [""; 0]);
    assert_eq!(page.client.state(), State::Anonymous { reason: None });
    assert_eq!(world.browser.executor().waiting(), 0);
}

#[test]
fn what_becomes_of_one_sessions_refresh_is_nothing_to_the_next() {
    for late in [
        reply(400, r#"{"error":"invalid_grant"}"#),
        Answer::html(503),
        reply(200, r#"{"access_token":"access-late","token_type":"Bearer"}"#),
    ] {
        let world = World::new();
        let page = lazy(&world);
        world.server.at("/token", move |_| late.clone().late(5_000));
        pass(&world, HOUR);
        let old = page.ask_for_tokens(&json!({}), 1);
        world.browser.advance(100);
        page.client.sign_out_local();
        world.server.heal();
        let callback = world.server.authorize(&page.authorize_url(&json!({})));
        page.handle(&callback).expect("a session");
        page.events();
        let new = page.ask_for_tokens(&json!({ "forceRefresh": true }), 1);
        world.browser.advance(10_000);
        assert_error(&old[0].take().expect("an outcome"), "aborted", &["access-"]);
        let token = new[0].take().expect("an outcome").expect("its own refresh");
        assert_ne!(token.token.expose(), "access-late");
        assert!(page.is_signed_in() && !page.is_stale());
        assert_eq!(page.events(), ["authenticated", "refreshed"]);
        assert_eq!(page.access_token().expect("a token"), token.token.expose());
    }
}

#[test]
fn a_revoked_refresh_token_does_not_come_back() {
    let world = World::new();
    let page = lazy(&world);
    world.server.at("/token", |honest| honest().late(1_000));
    let refreshing = page.ask_for_tokens(&json!({ "forceRefresh": true }), 1);
    world.browser.advance(100);
    page.run(|client| async move { client.revoke(wardkey::client::Which::RefreshToken).await })
        .expect("revoked");
    world.browser.advance(2_000);
    assert_error(&refreshing[0].take().expect("an outcome"), "aborted", &["refresh-"]);
    assert!(page.is_signed_in(), "the access token is still good");
    assert_error(&page.token(&json!({ "forceRefresh": true })), "interaction_required", &[]);
}
