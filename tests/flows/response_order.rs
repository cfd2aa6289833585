//! In what order a response is judged, what a failure leaves usable, and what happens when it is handled twice.

use crate::common::urls::{with, without};
use crate::common::{Answer, World, assert_error};
use serde_json::json;
use std::rc::Rc;
use wardkey::client::SignInResult;
use wardkey::protocol::error::AuthError;
use wardkey::protocol::http::Failure;

type Handled = Result<Rc<SignInResult>, AuthError>;

#[test]
fn ours_then_state_then_iss_then_error_then_code() {
    let world = World::new();
    let honest = world.respond();
    let page = world.page();
    // Everything is wrong at once; each step mends what the check before it found.
    let elsewhere = with(&honest, "iss", "https://evil.example").replace("app.example", "evil.example");
    let both = with(&elsewhere, "error", "access_denied");
    assert_error(&page.handle(&both), "not_mine", &[]);
    let here = both.replace("evil.example/callback", "app.example/callback");
    assert_error(&page.handle(&here), "invalid_callback", &[]);
    let error = without(&here, "code");
    let state = wrong_state(&error);
    assert_error(&page.handle(&state), "transaction_not_found", &[]);
    assert_error(&page.handle(&error), "issuer_mismatch", &[]);
    let ours = with(&error, "iss", crate::common::ISSUER);
    assert_eq!(world.browser.count("/token"), 0);
    assert_error(&page.handle(&ours), "access_denied", &[]);
    assert_eq!(world.browser.count("/token"), 0);
}

fn wrong_state(url: &str) -> String {
    let state = crate::common::urls::parameter(url, "state").expect("it is there");
    with(url, "state", &(state + "x"))
}

#[test]
fn a_wrong_iss_leaves_the_sign_in_usable_in_the_same_page() {
    let world = World::new();
    let honest = world.respond();
    let page = world.page();
    assert_error(&page.handle(&with(&honest, "iss", "https://evil.example")), "issuer_mismatch", &[]);
    assert_eq!(page.events(), ["loading", "anonymous: issuer_mismatch"]);
    page.handle(&honest).expect("a session");
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn failed_discovery_leaves_the_sign_in_usable() {
    for failure in [Answer::Fail(Failure::Network), Answer::html(503), Answer::new(429, "", "")] {
        let world = World::new();
        let callback = world.respond();
        world.browser.empty_http_cache();
        let stored = world.browser.stored();
        world.server.at("/.well-known/openid-configuration", move |_| failure.clone());
        let page = world.page();
        assert_error(&page.handle(&callback), "discovery_failed", &[]);
        assert_eq!(world.browser.stored(), stored);
        assert_eq!(world.browser.count("/token"), 0);
        world.server.heal();
        page.handle(&callback).expect("a retry in the same page works");
        assert_eq!(world.browser.count("/token"), 1);
    }
}

fn handle_at_once(world: &World, times: usize) -> Vec<Handled> {
    let callback = world.respond();
    let page = world.page();
    let calls: Vec<_> = (0..times)
        .map(|_| {
            let (client, url) = (page.client.clone(), callback.clone());
            world.browser.start(async move { client.handle_callback(&url).await })
        })
        .collect();
    world.browser.advance(60_000);
    calls.iter().map(|call| call.take().expect("done")).collect()
}

#[test]
fn sec_039_handled_twice_at_once_it_is_one_request_and_one_result() {
    let world = World::new();
    let results: Vec<_> =
        handle_at_once(&world, 3).into_iter().map(|result| result.expect("a session")).collect();
    assert!(results.iter().all(|result| Rc::ptr_eq(result, &results[0])));
    assert_eq!(world.browser.count("/token"), 1);
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_039_a_failure_is_shared_as_well() {
    let world = World::new();
    world.server.change_claims(|claims| claims["aud"] = "other".into());
    for result in handle_at_once(&world, 3) {
        assert_error(&result, "id_token_invalid", &[]);
    }
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn sec_039_handled_again_later_it_is_the_same_result() {
    let world = World::new();
    let callback = world.respond();
    let page = world.page();
    let first = page.handle(&callback).expect("a session");
    world.browser.advance(30 * 60_000);
    let again = page.handle(&callback).expect("the same session");
    assert!(Rc::ptr_eq(&first, &again));
    assert_eq!(world.browser.count("/token"), 1);
    page.client.sign_out_local();
    assert!(page.handle(&callback).is_err(), "nobody is signed in any more");
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn sec_039_two_pages_of_a_tab_race_for_one_code() {
    let world = World::new();
    let callback = world.respond();
    let pages = [world.page(), world.page()];
    let calls = pages.each_ref().map(|page| {
        let (client, url) = (page.client.clone(), callback.clone());
        world.browser.start(async move { client.handle_callback(&url).await })
    });
    world.browser.advance(1_000);
    let mut codes = calls.map(|call| crate::common::code_of(&call.take().expect("done")));
    codes.sort_unstable();
    assert_eq!(codes, ["already_completed", "ok"]);
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn sec_039_a_record_that_comes_back_beside_its_mark_is_spent() {
    for is_first in [true, false] {
        let world = World::new();
        let callback = world.respond();
        let before = world.browser.stored();
        world.page().handle(&callback).expect("a session");
        // Another page kept the ledger of before, and joins it to what there is now.
        world.browser.tamper(|now| {
            let before = before.values().next().expect("a ledger").as_str();
            let (one, other) = if is_first { (before, now) } else { (now, before) };
            [&one[..one.len() - 1], &other[1..]].join(",")
        });
        let both = world.browser.stored().into_values().collect::<String>();
        assert!(both.contains("pending") && both.contains("spent"), "{both}");
        assert_error(&world.page().handle(&callback), "already_completed", &[]);
        assert_eq!(world.browser.count("/token"), 1);
        assert_eq!(world.server.complaints(), [""; 0]);
    }
}

#[test]
fn sec_039_who_stops_waiting_does_not_stop_the_others() {
    for cancelled in [0, 1] {
        let world = World::new();
        let callback = world.respond();
        let page = world.page();
        let calls = [(); 2].map(|()| {
            let (client, url) = (page.client.clone(), callback.clone());
            world.browser.start(async move { client.handle_callback(&url).await })
        });
        world.browser.executor().settle();
        world.browser.executor().cancel(&calls[cancelled]);
        world.browser.advance(1_000);
        assert!(!calls[cancelled].is_done());
        assert!(calls[1 - cancelled].take().expect("done").is_ok());
        assert_eq!(world.browser.count("/token"), 1);
    }
}

#[test]
fn sec_039_a_code_is_not_sent_again_when_the_connection_drops() {
    for failure in [Failure::Network, Failure::Timeout, Failure::Offline, Failure::TooLarge] {
        let world = World::new();
        let callback = world.respond();
        world.server.at("/token", move |honest| {
            honest();
            Answer::Fail(failure)
        });
        let page = world.page();
        let error = page.handle(&callback).expect_err("an error");
        assert!(!error.retryable(), "{failure:?}: the code may be spent");
        world.server.heal();
        assert!(page.handle(&callback).is_err());
        assert_error(&world.page().handle(&callback), "already_completed", &[]);
        assert_eq!(world.browser.count("/token"), 1, "{failure:?}");
        world.assert_nothing_kept();
    }
}

#[test]
fn a_failed_sign_in_leaves_the_session_of_before() {
    let world = World::new();
    let (page, _) = world.sign_in();
    let token = page.access_token().expect("a token");
    page.events();
    let denied = world.server.refuse(&page.authorize_url(&json!({})), "access_denied");
    assert_error(&page.handle(&denied), "access_denied", &[]);
    assert_eq!(page.access_token().expect("still a token"), token);
    assert_eq!(page.events(), [""; 0], "nothing has changed");
}
