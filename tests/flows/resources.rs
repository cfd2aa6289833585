//! Resource indicators (RFC 8707): the sign-in asks for all, each token is for one.

use crate::common::page::call;
use crate::common::urls::{parameters, with};
use crate::common::{Answer, Page, World, assert_error};
use crate::refresh::{forms, lasting, pass};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use wardkey::client::{State, Which};
use wardkey::protocol::token::{TokenOptions, Wanted};

const NOTES: &str = "https://notes.example/";
const MAIL: &str = "https://mail.example/";
const FILES: &str = "urn:example:files";

fn lazy(world: &World) -> Page {
    lasting(world, json!({ "resource": [NOTES, MAIL, FILES], "refresh": { "auto": false } }))
}

fn resources(url: &str) -> Vec<String> {
    parameters(url).into_iter().filter(|(name, _)| name == "resource").map(|(_, value)| value).collect()
}

/// What the token requests asked for: resource and scope.
fn asked(world: &World) -> Vec<(String, String)> {
    let get =
        |form: &std::collections::BTreeMap<String, String>, name| form.get(name).cloned().unwrap_or_default();
    forms(world).iter().map(|form| (get(form, "resource"), get(form, "scope"))).collect()
}

fn secret(page: &Page, options: Value) -> String {
    page.token(&options).unwrap_or_else(|error| panic!("{options}: {error}")).token.expose().to_owned()
}

#[test]
fn the_sign_in_asks_for_all_and_the_code_is_for_the_first() {
    let world = World::new();
    let page = world.page_with(json!({ "resource": [NOTES, MAIL, FILES] }));
    let url = page.authorize_url(&json!({}));
    assert_eq!(resources(&url), [NOTES, MAIL, FILES]);
    page.handle(&world.server.authorize(&url)).expect("a session");
    assert_eq!(asked(&world), [(NOTES.to_owned(), String::new())]);
    assert_eq!(page.token(&json!({})).expect("a token").resource.as_deref(), Some(NOTES));
}

#[test]
fn a_sign_in_may_ask_for_its_own() {
    let world = World::new();
    let page = world.page_with(json!({ "resource": NOTES }));
    let url = page.authorize_url(&json!({ "resource": [MAIL] }));
    assert_eq!(resources(&url), [MAIL]);
    page.handle(&world.server.authorize(&url)).expect("a session");
    assert_eq!(asked(&world), [(MAIL.to_owned(), String::new())]);
    assert_eq!(resources(&world.page().authorize_url(&json!({}))), [""; 0]);
}

#[test]
fn another_resource_is_had_by_refresh_and_kept() {
    let world = World::new();
    let page = lazy(&world);
    let main = secret(&page, json!({}));
    assert_eq!(secret(&page, json!({ "resource": NOTES })), main);
    assert_eq!(world.browser.count("/token"), 0);
    let mail = page.token(&json!({ "resource": MAIL })).expect("a token");
    assert_eq!(mail.resource.as_deref(), Some(MAIL));
    assert_ne!(mail.token.expose(), main);
    assert_eq!(page.events(), ["authenticated", "refreshed"]);
    for _ in 0..10 {
        assert_eq!(secret(&page, json!({ "resource": MAIL })), mail.token.expose());
        assert_eq!(secret(&page, json!({ "resource": MAIL, "scope": ["profile"] })), mail.token.expose());
        assert_eq!(secret(&page, json!({})), main, "the sign-in's own is untouched");
    }
    assert_eq!(asked(&world), [(MAIL.to_owned(), String::new())]);
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn one_token_is_kept_for_each_resource_and_set_of_scopes() {
    let world = World::new();
    let page = lazy(&world);
    let narrow = json!({ "resource": MAIL, "scope": ["profile"] });
    let first = secret(&page, narrow.clone());
    assert_eq!(secret(&page, narrow.clone()), first);
    let wide = secret(&page, json!({ "resource": MAIL }));
    assert_eq!(
        asked(&world),
        [(MAIL.to_owned(), "profile".to_owned()), (MAIL.to_owned(), String::new())].map(|pair| pair)
    );
    assert_ne!(wide, first);
    assert_eq!(secret(&page, narrow.clone()), wide, "who has more has this too");
    let again = secret(&page, json!({ "resource": MAIL, "scope": ["profile"], "forceRefresh": true }));
    assert!(again != wide && again != first, "what was forced is what is given");
    assert_eq!(world.browser.count("/token"), 3);
}

#[test]
fn what_an_api_refuses_is_renewed_for_its_own_resource_and_scope() {
    let world = World::new();
    for api in [
        json!({ "origin": "https://api.example", "resource": MAIL, "scope": ["profile"] }),
        json!({ "origin": "https://api.example", "scope": ["profile"] }),
    ] {
        let page =
            lasting(&world, json!({ "api": api, "resource": [NOTES, MAIL], "refresh": { "auto": false } }));
        // One for all that was granted, of which this call needs a part.
        let resource = if api.get("resource").is_some() { MAIL } else { NOTES };
        secret(&page, json!({ "resource": resource }));
        world.server.forget_tokens();
        world.browser.forget_requests();
        let fetched = page.send(call("GET", "https://api.example/v1")).expect("an answer");
        assert_eq!(fetched.answer, r#"{"ok":true}"#, "{api}");
        assert_eq!(forms(&world)[0]["resource"], resource);
    }
}

#[test]
fn several_come_strictly_one_after_another() {
    let world = World::new();
    let page = lazy(&world);
    let under_way = Rc::new(RefCell::new((0, 0)));
    let executor = Rc::clone(world.browser.executor());
    let seen = Rc::clone(&under_way);
    world.server.at("/token", move |honest| {
        let (last, overlaps) = *seen.borrow();
        *seen.borrow_mut() = (executor.now() + 500, overlaps + i32::from(executor.now() < last));
        honest().late(500)
    });
    pass(&world, 3_600_000);
    let calls: Vec<_> =
        [json!({}), json!({ "resource": MAIL }), json!({ "resource": FILES }), json!({ "resource": NOTES })]
            .iter()
            .flat_map(|options| page.ask_for_tokens(options, 10))
            .collect();
    world.browser.advance(10_000);
    for call in calls {
        call.take().expect("an outcome").expect("a token");
    }
    let resources: Vec<String> = asked(&world).into_iter().map(|(resource, _)| resource).collect();
    assert_eq!(resources, [NOTES, MAIL, FILES]);
    assert_eq!(under_way.borrow().1, 0, "a refresh began before the one before it was done");
    assert_eq!(world.server.complaints(), [""; 0], "a refresh token was used twice");
}

#[test]
fn the_session_lasts_by_its_own_token_not_by_the_others() {
    let world = World::new();
    let page = lasting(&world, json!({ "resource": [NOTES, MAIL] }));
    page.revoke(Which::AccessToken).expect("revoked");
    // Another's comes first, and runs out first.
    world.server.lifetime.set(60);
    secret(&page, json!({ "resource": MAIL }));
    world.server.lifetime.set(3_600);
    let own = page.token(&json!({})).expect("a token").expires_at;
    let State::Authenticated { expires_at, .. } = page.client.state() else { panic!("signed in") };
    assert_eq!(expires_at, own);
    world.browser.forget_requests();
    world.browser.advance(3_500_000);
    assert_eq!(
        world.browser.count("/token"),
        0,
        "the other's end is nobody's business until it is asked for"
    );
    world.browser.advance(100_000);
    assert_eq!(asked(&world), [(NOTES.to_owned(), String::new())], "the sign-in's is watched, and alone");
}

#[test]
fn sec_052_a_scope_that_nobody_asked_for_is_refused_at_once() {
    let world = World::new();
    let page = lazy(&world);
    for scope in [json!(["admin"]), json!("profile admin")] {
        let options = json!({ "resource": MAIL, "scope": scope });
        assert_error(&page.token(&options), "scope_missing", &["access-"]);
    }
    assert!(world.browser.sent().is_empty());
}

#[test]
fn what_the_server_does_not_grant_for_a_resource_is_said() {
    let world = World::new();
    let page = lazy(&world);
    world.server.change_tokens(|tokens| tokens["scope"] = "openid".into());
    assert_error(
        &page.token(&json!({ "resource": MAIL, "scope": ["profile"] })),
        "scope_missing",
        &["access-"],
    );
    assert!(page.client.state().missing().is_empty(), "it is about that resource alone");
    world.server.at("/token", |_| Answer::new(400, "application/json", r#"{"error":"invalid_target"}"#));
    let outcome = page.token(&json!({ "resource": "https://other.example/" }));
    assert_error(&outcome, "scope_missing", &["access-"]);
    assert_eq!(
        outcome.err().and_then(|error| error.oauth_error().map(str::to_owned)).as_deref(),
        Some("invalid_target")
    );
    assert!(page.is_signed_in() && !page.is_stale(), "one resource less ends nothing");
    world.server.heal();
    secret(&page, json!({ "resource": MAIL, "scope": ["profile"] }));
}

#[test]
fn without_a_refresh_token_another_resource_needs_a_sign_in() {
    let world = World::new();
    let page = world.page_with(json!({ "resource": [NOTES, MAIL] }));
    let url = page.authorize_url(&json!({}));
    page.handle(&world.server.authorize(&url)).expect("a session");
    world.browser.forget_requests();
    assert_error(&page.token(&json!({ "resource": MAIL })), "interaction_required", &["access-"]);
    secret(&page, json!({ "resource": NOTES }));
    assert!(world.browser.sent().is_empty());
    assert!(page.is_signed_in() && !page.is_stale());
}

#[test]
fn a_token_is_for_one_resource_and_a_resource_is_a_uri() {
    let world = World::new();
    let page = lazy(&world);
    for resource in
        [json!([NOTES, MAIL]), json!([NOTES]), json!("notes"), json!("https://notes.example/#x"), json!(1)]
    {
        assert_error(&page.token(&json!({ "resource": resource })), "invalid_configuration", &[]);
    }
    let callback = with("https://app.example/callback", "resource", NOTES);
    assert_error(&page.handle(&callback), "not_mine", &[]);
}

#[test]
fn a_hundred_resources_at_once_are_served_in_turn() {
    let world = World::new();
    let resources: Vec<String> = (0..100).map(|number| format!("https://api{number}.example/")).collect();
    let options = json!({ "scope": "openid offline_access", "resource": resources });
    let callback = world.server.authorize(&world.page_with(options.clone()).authorize_url(&json!({})));
    let page = world.page_with(options);
    page.handle(&callback).expect("signed in");
    let waiting: Vec<_> = resources
        .iter()
        .map(|resource| {
            let client = page.client.clone();
            let wanted = Wanted { resource: Some(resource.clone()), scope: Vec::new() };
            let options = TokenOptions { wanted, ..TokenOptions::default() };
            world.browser.start(async move { client.token(&options).await })
        })
        .collect();
    world.browser.advance(10_000);
    for one in waiting {
        one.take().expect("an outcome").expect("a token");
    }
    // A session has room for so many; the others are asked for again.
    assert!(world.server.complaints().is_empty(), "{:?}", world.server.complaints());
}

#[test]
fn however_many_others_there_are_the_sign_ins_own_token_stays() {
    let world = World::new();
    let page = lazy(&world);
    let main = secret(&page, json!({}));
    let ask = |number: usize| secret(&page, json!({ "resource": format!("https://api{number}.example/") }));
    let others: Vec<String> = (0..40).map(ask).collect();
    assert_eq!(secret(&page, json!({})), main);
    let State::Authenticated { expires_at, .. } = page.client.state() else { panic!("signed in") };
    assert!(expires_at.is_some());
    assert_eq!(world.browser.count("/token"), 40);
    assert_eq!(ask(9), others[9], "with it, there is room for the newest 31");
    assert_eq!(world.browser.count("/token"), 40);
    assert_ne!(ask(8), others[8]);
    assert_eq!(world.browser.count("/token"), 41);
}

#[test]
fn a_token_that_another_tab_got_while_this_one_waited_in_line_is_not_asked_for_again() {
    let world = World::new();
    let scope = "openid profile offline_access";
    let resource = [NOTES, MAIL];
    let lazy = json!({ "auto": false });
    let shared = json!({ "storage": "localStorage", "scope": scope, "resource": resource, "refresh": lazy });
    let one = lasting(&world, shared.clone());
    let other = world.page_with(shared);
    other.run(|client| async move { client.restore().await });
    pass(&world, 3_700_000);
    world.server.at("/token", |honest| honest().late(1_000));
    let ask =
        |page: &Page| [NOTES, MAIL].map(|resource| page.ask_for_tokens(&json!({ "resource": resource }), 1));
    let mut calls = vec![ask(&one)];
    // The first tab is at its second token by now.
    world.browser.advance(1_500);
    calls.push(ask(&other));
    world.browser.advance(5_000);
    for call in calls.into_iter().flatten().flatten() {
        call.take().expect("an outcome").expect("a token");
    }
    assert_eq!(asked(&world).iter().map(|(resource, _)| resource).collect::<Vec<_>>(), [NOTES, MAIL]);
}
