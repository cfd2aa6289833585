//! Refreshes (RFC 6749 6): SEC-045, SEC-049 to SEC-053. What goes wrong in them is in `refresh_trouble`.

use crate::common::world::with;
use crate::common::{Page, World, assert_error, urls};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;

/// A session with a refresh token, of a page whose options differ in these members. What it took is forgotten.
pub(crate) fn lasting(world: &World, members: Value) -> Page {
    let page = world.page_with(with(json!({ "scope": "openid profile offline_access" }), members));
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).unwrap_or_else(|error| panic!("{error}"));
    page.events();
    world.browser.forget_requests();
    page
}

/// One that is refreshed when a token is asked for, and not before.
pub(crate) fn lazy(world: &World) -> Page {
    lasting(world, json!({ "refresh": { "auto": false, "leewaySec": 120 } }))
}

/// The forms that reached the token endpoint.
pub(crate) fn forms(world: &World) -> Vec<BTreeMap<String, String>> {
    let sent = world.browser.sent().into_iter().filter(|sent| sent.url.ends_with("/token"));
    sent.map(|sent| urls::fields(&sent.form.expect("a form")).into_iter().collect()).collect()
}

pub(crate) fn pass(world: &World, milliseconds: i64) {
    world.browser.executor().sleep_machine(milliseconds);
}

#[test]
fn sec_049_a_new_refresh_token_takes_the_old_ones_place() {
    let world = World::new();
    let page = lasting(&world, json!({}));
    world.browser.advance(3 * HOUR);
    let sent: Vec<String> = forms(&world).iter().map(|form| form["refresh_token"].clone()).collect();
    assert_eq!(sent.len(), 3);
    for (use_of_it, token) in sent.iter().enumerate() {
        assert!(token.ends_with(&format!("-{use_of_it}")), "{sent:?}");
    }
    assert_eq!(world.server.complaints(), [""; 0]);
    assert!(page.is_signed_in());
    assert!(world.browser.stored().values().all(|text| !text.contains("refresh-")));
}

#[test]
fn sec_049_none_in_the_response_keeps_the_old() {
    let world = World::new();
    world.server.keeps_refresh_tokens.set(true);
    let page = lasting(&world, json!({}));
    world.browser.advance(3 * HOUR);
    let sent: Vec<String> = forms(&world).iter().map(|form| form["refresh_token"].clone()).collect();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|token| *token == sent[0]), "{sent:?}");
    assert_eq!(world.server.complaints(), [""; 0]);
    assert!(page.is_signed_in());
}

#[test]
fn sec_050_one_refresh_serves_all_who_ask() {
    let world = World::new();
    let page = lazy(&world);
    pass(&world, HOUR);
    let calls = page.ask_for_tokens(&json!({}), 100);
    world.browser.advance(1_000);
    let tokens: Vec<String> = calls
        .iter()
        .map(|call| call.take().expect("an outcome").expect("a token").token.expose().to_owned())
        .collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(world.browser.count("/token"), 1);
    assert_eq!(page.events(), ["authenticated", "refreshed"]);
    assert_eq!(page.access_token().expect("a token"), tokens[0]);
}

#[test]
fn sec_050_a_caller_who_goes_takes_nothing_from_the_others() {
    let world = World::new();
    let page = lazy(&world);
    world.server.at("/token", |honest| honest().late(500));
    pass(&world, HOUR);
    let calls = page.ask_for_tokens(&json!({}), 3);
    world.browser.advance(100);
    for call in &calls[..2] {
        world.browser.executor().cancel(call);
    }
    world.browser.advance(1_000);
    assert!(calls[2].take().expect("an outcome").is_ok());
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn sec_052_a_refresh_asks_for_no_scope_and_nothing_beyond_the_grant() {
    let world = World::new();
    let page = lazy(&world);
    pass(&world, HOUR);
    page.access_token().expect("a token");
    page.token(&json!({ "scope": ["profile"], "forceRefresh": true })).expect("a token");
    for form in forms(&world) {
        let names: Vec<&String> = form.keys().collect();
        assert_eq!(names, ["client_id", "grant_type", "refresh_token"]);
        assert_eq!(form["grant_type"], "refresh_token");
    }
    for options in [
        json!({ "scope": ["admin"] }),
        json!({ "scope": ["profile", "admin"], "forceRefresh": true }),
        json!({ "resource": "https://api.example/", "scope": ["admin"] }),
    ] {
        assert_error(&page.token(&options), "scope_missing", &["access-", "refresh-"]);
    }
    assert_eq!(world.browser.count("/token"), 2, "a scope that was not granted was asked for");
}

#[test]
fn sec_052_less_than_was_granted_is_noticed() {
    let world = World::new();
    let page = lazy(&world);
    world.server.change_tokens(|tokens| tokens["scope"] = "openid".into());
    pass(&world, HOUR);
    let token = page.access_token().expect("a token");
    assert_eq!(page.client.state().missing(), ["profile", "offline_access"]);
    assert_error(&page.token(&json!({ "scope": ["profile"] })), "scope_missing", &[&token]);
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn sec_053_the_refresh_token_goes_to_its_two_endpoints_only() {
    let world = World::new();
    world.server.lifetime.set(300);
    let page = lasting(&world, json!({}));
    for _ in 0..60 {
        world.browser.advance(60_000);
        page.fetch("https://api.example/v1/notes").expect("an answer");
    }
    page.run(|client| async move { client.user_info().await }).expect("claims");
    page.sign_out(&json!({ "revoke": true })).expect("signed out");
    let endpoints = ["https://as.example/tenant/token", "https://as.example/tenant/revoke"];
    let mut seen = 0;
    for sent in world.browser.sent() {
        let text = format!("{sent:?}");
        if text.contains("refresh-") {
            assert!(endpoints.contains(&sent.url.as_str()), "{text}");
            seen += 1;
        }
        assert!(!sent.url.contains("refresh-") && !sent.url.contains("access-"), "{}", sent.url);
    }
    assert!(seen > 12, "{seen}");
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn a_timer_refreshes_ahead() {
    let world = World::new();
    let page = lasting(&world, json!({}));
    world.browser.advance(3_569_000);
    assert_eq!((world.browser.count("/token"), page.events().len()), (0, 0));
    world.browser.advance(2_000);
    assert_eq!(
        (world.browser.count("/token"), page.events()),
        (1, vec!["authenticated".to_owned(), "refreshed".to_owned()])
    );
    assert_eq!(world.browser.executor().waiting(), 1, "one session, one timer");
}

#[test]
fn without_auto_only_a_call_refreshes() {
    let world = World::new();
    let page = lasting(&world, json!({ "refresh": { "auto": false } }));
    world.browser.advance(2 * DAY);
    assert_eq!(world.browser.count("/token"), 0);
    assert_eq!(world.browser.executor().waiting(), 0, "a timer for nothing");
    assert!(page.is_signed_in(), "the refresh token may be good");
    page.access_token().expect("a token");
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn the_leeway_is_the_apps() {
    for (options, fresh) in [
        (json!({ "auto": false }), 3_570),
        (json!({ "auto": false, "leewaySec": 100 }), 3_500),
        (json!({ "auto": false, "leewaySec": 0 }), 3_600),
        // A longer one than the token lives would ask for another at once, and over and over.
        (json!({ "auto": false, "leewaySec": 3_600 }), 1_800),
    ] {
        let world = World::new();
        let page = lasting(&world, json!({ "refresh": options }));
        let first = page.access_token().expect("a token");
        pass(&world, fresh * 1000 - 10);
        assert_eq!(page.access_token().expect("a token"), first, "{options}");
        pass(&world, 20);
        assert_ne!(page.access_token().expect("a token"), first, "{options}");
        assert_eq!(world.browser.count("/token"), 1, "{options}");
    }
}

#[test]
fn more_validity_or_another_token_can_be_asked_for() {
    let world = World::new();
    let page = lazy(&world);
    let first = page.access_token().expect("a token");
    pass(&world, 1_000_000);
    let token = |options: Value| page.token(&options).expect("a token").token.expose().to_owned();
    assert_eq!(token(json!({ "minValiditySec": 2_500 })), first);
    let second = token(json!({ "minValiditySec": 2_700 }));
    assert_ne!(second, first);
    assert_eq!(token(json!({ "forceRefresh": false })), second);
    let third = token(json!({ "forceRefresh": true }));
    assert_ne!(third, second);
    assert_ne!(token(json!({ "forceRefresh": true, "scope": ["profile"] })), third);
    assert_eq!(world.browser.count("/token"), 3);
}

#[test]
fn after_a_long_sleep_the_first_call_has_a_token() {
    for auto in [true, false] {
        let world = World::new();
        let page = lasting(&world, json!({ "refresh": { "auto": auto } }));
        let first = page.access_token().expect("a token");
        pass(&world, 3 * DAY);
        let token = page.token(&json!({})).expect("a token");
        assert_ne!(token.token.expose(), first);
        assert!(token.expires_at.expect("a time") > world.browser.executor().now());
        world.browser.advance(1_000);
        assert_eq!(world.browser.count("/token"), 1, "the timer and the call asked both");
    }
}

#[test]
fn sec_045_a_timer_is_never_longer_than_browsers_take() {
    let world = World::new();
    world.server.lifetime.set(100 * 86_400);
    let page = lasting(&world, json!({}));
    world.browser.advance(100 * DAY - 31_000);
    assert_eq!(world.browser.count("/token"), 0);
    world.browser.advance(2_000);
    assert_eq!(world.browser.count("/token"), 1);
    assert!(page.is_signed_in());
    assert!(world.browser.sleeps().contains(&i32::MAX));
    assert!(world.browser.sleeps().len() <= 10, "{:?}", world.browser.sleeps());
}

#[test]
fn sec_045_without_a_lifetime_nothing_is_refreshed_on_suspicion() {
    for value in [json!(null), json!(-1), json!(0), json!("soon"), json!(1e308), json!(i64::MAX)] {
        let world = World::new();
        let changed = value.clone();
        world.server.change_tokens(move |tokens| tokens["expires_in"] = changed.clone());
        let page = lasting(&world, json!({}));
        let first = page.access_token().expect("a token");
        world.browser.advance(30 * DAY);
        assert_eq!(page.access_token().expect("a token"), first, "{value}");
        assert_eq!(world.browser.count("/token"), 0, "{value}");
        // A server that does not take it any more says so in time.
        world.server.forget_tokens();
        page.fetch("https://api.example/v1/notes").expect("an answer");
        assert_eq!(world.browser.count("/token"), 1, "{value}");
        assert_ne!(page.access_token().expect("a token"), first, "{value}");
    }
}

#[test]
fn a_lifetime_that_becomes_known_is_watched() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["expires_in"] = Value::Null);
    let page = lasting(&world, json!({}));
    assert_eq!(world.browser.executor().waiting(), 0);
    world.server.heal();
    page.token(&json!({ "forceRefresh": true })).expect("a token");
    world.browser.advance(HOUR);
    assert_eq!(world.browser.count("/token"), 2, "nobody watches");
    page.token(&json!({ "forceRefresh": true })).expect("a token");
    assert_eq!(world.browser.executor().waiting(), 1, "one session, one timer");
}

#[test]
fn without_a_refresh_token_only_a_sign_in_gives_another() {
    let world = World::new();
    let (page, _) = world.sign_in();
    let first = page.access_token().expect("a token");
    world.browser.forget_requests();
    assert_error(&page.token(&json!({ "forceRefresh": true })), "interaction_required", &[&first]);
    assert_eq!(page.token(&json!({ "minValiditySec": 7_200 })).expect("a token").token.expose(), first);
    assert!(page.is_signed_in() && !page.is_stale());
    assert!(world.browser.sent().is_empty());
}
