//! The session: until when it lasts, and what the app is told in which order.

use crate::common::page::configure;
use crate::common::server::SUBJECT;
use crate::common::{World, assert_error};
use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;
use wardkey::client::{Client, Event, State};

const DAY: i64 = 86_400_000;

#[test]
fn before_anything_nobody_is_signed_in() {
    let page = World::new().page();
    assert_eq!(page.client.state(), State::Anonymous { reason: None });
    assert_error(&page.access_token(), "not_signed_in", &[]);
    assert_eq!(page.events(), [""; 0]);
}

#[test]
fn the_session_ends_when_the_token_does() {
    let world = World::new();
    let (page, _) = world.sign_in();
    page.events();
    world.browser.advance(3_599_000);
    assert!(page.is_signed_in());
    assert_eq!(page.events(), [""; 0]);
    world.browser.advance(2_000);
    assert_eq!(
        page.events(),
        ["anonymous: session_expired", "expired: session_expired", "signed out: session_expired"]
    );
    assert_error(&page.access_token(), "session_expired", &["access-"]);
    world.browser.advance(DAY);
    assert_eq!(page.events(), [""; 0], "it is told once");
}

#[test]
fn a_clock_that_jumped_is_noticed_when_the_token_is_asked_for() {
    let world = World::new();
    let (page, _) = world.sign_in();
    world.browser.executor().set_clock(world.browser.executor().now() + 4_000_000);
    assert_error(&page.access_token(), "session_expired", &["access-"]);
    assert!(!page.is_signed_in());
}

#[test]
fn a_timer_is_never_longer_than_browsers_take() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["expires_in"] = json!(100 * 86_400));
    let (page, _) = world.sign_in();
    world.browser.advance(99 * DAY);
    assert!(page.is_signed_in());
    world.browser.advance(DAY + 1_000);
    assert!(!page.is_signed_in());
    let sleeps = world.browser.sleeps();
    assert_eq!(sleeps[0], i32::MAX);
    assert!(sleeps.len() <= 6, "{sleeps:?}");
}

#[test]
fn the_deadline_of_one_session_does_not_end_the_next() {
    let world = World::new();
    let (page, _) = world.sign_in();
    world.browser.advance(3_000_000);
    let next = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&next).expect("a session");
    page.events();
    world.browser.advance(3_000_000);
    assert!(page.is_signed_in(), "the first session's deadline has passed, not the second's");
    assert_eq!(page.events(), [""; 0]);
    assert_eq!(world.browser.executor().waiting(), 1, "one session, one timer");
    world.browser.advance(700_000);
    assert!(!page.is_signed_in());
    assert_eq!(world.browser.executor().waiting(), 0, "no timer is left behind");
}

#[test]
fn a_second_sign_in_replaces_the_first() {
    let world = World::new();
    let (page, _) = world.sign_in();
    let first = page.access_token().expect("a token");
    page.events();
    let next = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&next).expect("a session");
    assert_ne!(page.access_token().expect("a token"), first);
    assert_eq!(page.events().last(), Some(&format!("signed in: {SUBJECT}")));
}

#[test]
fn a_snapshot_is_equal_until_something_changes() {
    let world = World::new();
    let (page, _) = world.sign_in();
    let snapshot = page.client.state();
    world.browser.advance(1_000);
    page.access_token().expect("a token");
    page.prepare().expect("prepared");
    assert_eq!(page.client.state(), snapshot);
    page.client.sign_out_local();
    assert_ne!(page.client.state(), snapshot);
}

#[test]
fn a_reload_holds_no_session() {
    let world = World::new();
    let (_, _) = world.sign_in();
    let page = world.page();
    assert_eq!(page.client.state(), State::Anonymous { reason: None });
    assert_error(&page.access_token(), "not_signed_in", &[]);
}

#[test]
fn a_failed_sign_in_says_why() {
    let world = World::new();
    world.server.change_claims(|claims| claims["nonce"] = "another".into());
    let callback = world.respond();
    let page = world.page();
    assert!(page.handle(&callback).is_err());
    assert_eq!(page.events(), ["loading", "anonymous: id_token_invalid"]);
}

#[test]
fn the_observer_may_call_the_client() {
    let world = World::new();
    let callback = world.respond();
    let client: Rc<RefCell<Option<Client<_>>>> = Rc::default();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (inner, log) = (Rc::clone(&client), Rc::clone(&seen));
    let config = configure(&World::options()).expect("a configuration");
    let made = Client::new(world.browser.clone(), config, move |event| {
        let client = inner.borrow().clone().expect("it is made");
        let signed_in = matches!(client.state(), State::Authenticated { .. });
        log.borrow_mut().push((matches!(event, Event::SignedIn(_)), signed_in));
        if matches!(event, Event::SignedIn(_)) {
            client.sign_out_local();
        }
    });
    *client.borrow_mut() = Some(made.clone());
    let _ = world.browser.run(async move { made.handle_callback(&callback).await });
    let seen = seen.borrow();
    let signed_in = seen.iter().find(|(told, _)| *told).expect("it was told");
    assert_eq!(*signed_in, (true, true), "who hears of the sign-in finds the new state");
    assert_eq!(seen.last().map(|(_, signed_in)| *signed_in), Some(false));
    client.borrow_mut().take();
}

#[test]
fn a_dropped_client_is_gone_at_once() {
    let world = World::new();
    let callback = world.respond();
    let witness = Rc::new(());
    let held = Rc::clone(&witness);
    let config = configure(&World::options()).expect("a configuration");
    let client = Client::new(world.browser.clone(), config, move |_| {
        let _ = &held;
    });
    let handling = client.clone();
    assert!(world.browser.run(async move { handling.handle_callback(&callback).await }).is_ok());
    drop(client);
    assert_eq!(Rc::strong_count(&witness), 1, "something still holds the client");
    world.browser.advance(DAY);
    assert_eq!(world.browser.executor().waiting(), 0);
}
