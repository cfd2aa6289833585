//! Refreshes whose answer does not come: nobody knows whether the refresh token is spent. It is tried again, by one tab
//! after each wait, and the session goes on until the server says no (SEC-049 to SEC-051).

use crate::common::{Answer, Page, World, assert_error, code_of};
use crate::refresh::{lasting, pass};
use serde_json::{Value, json};
use wardkey::protocol::http::Failure;

const HOUR: i64 = 3_600_000;

fn options() -> Value {
    json!({
        "storage": "localStorage",
        "scope": "openid profile offline_access",
        "refresh": { "auto": false },
    })
}

/// Tabs that share a session, whose access token has run out.
fn tabs(world: &World) -> Vec<Page> {
    let mut tabs = vec![lasting(world, options())];
    for _ in 0..3 {
        let page = world.page_with(options());
        page.run(|client| async move { client.restore().await });
        page.events();
        tabs.push(page);
    }
    pass(world, HOUR);
    tabs
}

/// What becomes of a call in each of the tabs, all at the same time.
fn ask(world: &World, tabs: &[Page], options: &Value) -> Vec<&'static str> {
    let calls: Vec<_> = tabs.iter().flat_map(|tab| tab.ask_for_tokens(options, 2)).collect();
    world.browser.advance(20_000);
    calls.iter().map(|call| code_of(&call.take().expect("an outcome"))).collect()
}

fn record(world: &World) -> Value {
    let storage = world.browser.origin_storage.borrow();
    serde_json::from_str(storage.values().next().expect("a record")).expect("JSON")
}

fn change_record(world: &World, change: impl Fn(&mut Value)) {
    let mut changed = record(world);
    change(&mut changed);
    for text in world.browser.origin_storage.borrow_mut().values_mut() {
        *text = changed.to_string();
    }
}

#[test]
fn sec_050_after_each_wait_one_tab_tries_again() {
    for (lost, code) in [
        (Answer::Fail(Failure::Network), "network"),
        (Answer::html(200).late(600_000), "timeout"),
        (Answer::new(200, "application/json", r#"{"access_token":"#), "invalid_token_response"),
        (Answer::html(429), "rate_limited"),
    ] {
        let world = World::new();
        let tabs = tabs(&world);
        world.server.at("/token", move |_| lost.clone());
        let mut longest = 5_000;
        for sent in 1..6 {
            let outcomes = ask(&world, &tabs, &json!({}));
            assert_eq!(world.browser.count("/token"), sent, "{code}: by each tab");
            assert_eq!(outcomes.iter().filter(|outcome| **outcome == code).count(), 2, "{outcomes:?}");
            assert!(outcomes.iter().all(|outcome| [code, "server_error"].contains(outcome)));
            longest = (2 * longest).min(300_000);
            pass(&world, longest);
        }
        assert!(tabs.iter().all(Page::is_signed_in), "only the server's word ends a session");
        world.server.heal();
        assert_eq!(ask(&world, &tabs, &json!({})), ["ok"; 8]);
        assert_eq!(world.browser.count("/token"), 6);
        assert!(!tabs.iter().any(Page::is_stale));
    }
}

#[test]
fn sec_051_the_waits_grow_whichever_tab_tries() {
    let world = World::new();
    let tabs = tabs(&world);
    world.server.at("/token", |_| Answer::html(503));
    let mut longest = 5_000;
    for tab in tabs.iter().chain(&tabs) {
        assert!(tab.access_token().is_err());
        let wait = record(&world)["retryAt"].as_i64().expect("a time") - world.browser.executor().now();
        assert!((longest / 2 - 100..longest + 1).contains(&wait), "{wait} of {longest}");
        longest = (2 * longest).min(300_000);
        pass(&world, wait);
    }
    assert_eq!(world.browser.count("/token"), 8);
}

#[test]
fn sec_051_no_tab_asks_before_the_wait_is_over_that_another_has_begun() {
    let world = World::new();
    let tabs = tabs(&world);
    world.server.at("/token", |_| Answer::html(429).with("retry-after", "120"));
    assert_eq!(code_of(&tabs[0].access_token()), "rate_limited");
    for tab in &tabs {
        pass(&world, 20_000);
        assert!(tab.access_token().is_err());
    }
    assert_eq!(world.browser.count("/token"), 1);
    world.server.heal();
    pass(&world, 60_000);
    tabs[1].access_token().expect("a token");
}

#[test]
fn sec_051_a_wait_ends_where_somebody_insists_or_opens_a_page() {
    let world = World::new();
    let tabs = tabs(&world);
    world.server.at("/token", |_| Answer::html(503).with("retry-after", "300"));
    assert!(tabs[0].access_token().is_err() && tabs[1].access_token().is_err());
    assert_eq!(world.browser.count("/token"), 1);
    assert!(tabs[1].token(&json!({ "forceRefresh": true })).is_err());
    assert_eq!(world.browser.count("/token"), 2);
    let opened = world.page_with(options());
    opened.run(|client| async move { client.restore().await });
    world.server.heal();
    let token = opened.access_token().expect("a token");
    assert_eq!(world.browser.count("/token"), 3);
    for tab in &tabs {
        tab.run(|client| async move { client.look().await });
        assert_eq!(tab.access_token().expect("a token"), token);
        assert!(!tab.is_stale(), "what another has got is fresh here too");
    }
}

#[test]
fn sec_125_a_wait_that_nobody_can_have_begun_is_none() {
    let now = crate::common::world::START + HOUR;
    for (at, tries, waits) in [
        (json!(now + 60_000), json!(3), true),
        (json!(now + 60_000), json!("x"), true),
        (json!(now + 60_000), json!(u32::MAX), true),
        (json!(now + 60_000), json!(-1), true),
        (json!(now - 60_000), json!(3), false),
        (json!(now + 660_000), json!(3), false),
        (json!(i64::MAX), json!(3), false),
        (json!(i64::MIN), json!(3), false),
        (json!("soon"), json!(3), false),
        (Value::Null, json!(3), false),
    ] {
        let world = World::new();
        let tabs = tabs(&world);
        change_record(&world, |record| {
            record["retryAt"] = at.clone();
            record["tries"] = tries.clone();
        });
        assert_eq!(tabs[0].access_token().is_err(), waits, "{at}");
        assert_eq!(world.browser.count("/token"), usize::from(!waits), "{at}");
        world.server.at("/token", |_| Answer::html(503));
        pass(&world, 60_001);
        assert!(tabs[0].token(&json!({ "forceRefresh": true })).is_err());
        world.server.heal();
        pass(&world, 300_001);
        tabs[1].access_token().expect("no wait is longer than the longest");
    }
}

#[test]
fn a_call_that_is_dropped_leaves_no_lock_behind_and_loses_no_answer() {
    let world = World::new();
    let tabs = tabs(&world);
    world.server.at("/token", |honest| honest().late(500));
    // Of one that sends, and one that waits for the lock.
    let calls = [tabs[0].ask_for_tokens(&json!({}), 1), tabs[1].ask_for_tokens(&json!({}), 1)];
    world.browser.advance(100);
    assert_eq!(world.browser.count("/token"), 1);
    for call in &calls {
        world.browser.executor().cancel(&call[0]);
    }
    let outcomes = ask(&world, &tabs[2..], &json!({}));
    assert_eq!(outcomes, ["ok"; 4], "they wait for a tab that does nothing");
    assert_eq!(world.browser.count("/token"), 1, "the answer of the one that was dropped serves all");
    assert_eq!(world.browser.executor().waiting(), 0, "nothing goes on");
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn a_call_that_is_dropped_is_no_end_of_its_refresh() {
    let world = World::new();
    let page = lasting(&world, json!({ "refresh": { "auto": false } }));
    world.server.at("/token", |honest| honest().late(500));
    let calls = page.ask_for_tokens(&json!({ "forceRefresh": true }), 3);
    world.browser.advance(100);
    for call in &calls {
        world.browser.executor().cancel(call);
    }
    world.browser.advance(1_000);
    assert_eq!(page.events(), ["authenticated", "refreshed"]);
    page.token(&json!({ "forceRefresh": true })).expect("the next refresh token was heard of");
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_051_the_server_has_the_last_word() {
    let world = World::new();
    let tabs = tabs(&world);
    // It rotates, its answer is lost, and it knows no moment of grace.
    world.server.at("/token", |honest| {
        drop(honest());
        Answer::Fail(Failure::Network)
    });
    assert_error(&tabs[0].access_token(), "network", &["refresh-"]);
    world.server.at("/token", |_| Answer::new(400, "application/json", r#"{"error":"invalid_grant"}"#));
    pass(&world, 5_001);
    for tab in &tabs {
        assert_error(&tab.access_token(), "session_expired", &["refresh-"]);
        assert!(!tab.is_signed_in());
    }
    assert_eq!(world.browser.count("/token"), 2, "spent once, and tried once more");
    // The word that it ran out, and nothing else of it.
    assert!(world.browser.origin_storage.borrow().iter().all(|(_, left)| left == "expired"));
}
