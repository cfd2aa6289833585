//! Sessions that rest in storage, where the app chose that: SEC-112, SEC-125.

use crate::common::page::{Page, value};
use crate::common::{Answer, World, urls};
use serde_json::{Value, json};
use wardkey::client::State;
use wardkey::client::platform::Platform;

/// Signed in with these options, at the page that the response came to.
fn sign_in(world: &World, options: &Value) -> Page {
    let callback = world.server.authorize(&world.page_with(options.clone()).authorize_url(&json!({})));
    let page = world.page_with(options.clone());
    page.handle(&callback).unwrap_or_else(|error| panic!("{error}"));
    page
}

/// What a page finds that is opened now.
fn reload(world: &World, options: &Value) -> Page {
    let page = world.page_with(options.clone());
    page.run(|client| async move { client.restore().await });
    page
}

fn kept() -> Value {
    json!({ "storage": "localStorage", "scope": "openid offline_access" })
}

/// The one record of a session, and its key, which its lock has too.
fn entry(world: &World) -> Option<(String, String)> {
    let storage = world.browser.origin_storage.borrow();
    let (key, text) = storage.iter().find(|(key, _)| key.starts_with("wardkey:session:1:"))?;
    Some((key.clone(), text.clone()))
}

fn record(world: &World) -> Option<Value> {
    serde_json::from_str(&entry(world)?.1).ok()
}

fn write(world: &World, text: &str) {
    for kept in world.browser.origin_storage.borrow_mut().values_mut() {
        *kept = text.to_owned();
    }
}

#[test]
fn a_session_outlasts_the_page_where_the_app_chose_so() {
    let world = World::new();
    let before = sign_in(&world, &kept());
    let sent = world.browser.sent().len();
    let page = reload(&world, &kept());
    assert_eq!(page.client.state(), before.client.state());
    assert_eq!(page.access_token().expect("a token"), before.access_token().expect("a token"));
    assert_eq!(page.events(), ["authenticated"]);
    assert_eq!(world.browser.sent().len(), sent, "nobody has to be asked");

    world.browser.advance(3_590_000);
    let renewed = page.access_token().expect("another token");
    let after = reload(&world, &kept());
    assert_eq!(after.access_token().expect("a token"), renewed, "what a refresh brings is kept too");
}

#[test]
fn tabs_that_share_a_session_refresh_it_once() {
    let world = World::new();
    let tabs = [sign_in(&world, &kept()), reload(&world, &kept()), reload(&world, &kept())];
    for round in 2..5 {
        world.browser.advance(3_590_000);
        assert_eq!(world.browser.count("/token"), round, "one refresh serves all tabs");
        for tab in &tabs {
            assert_eq!(tab.fetch("https://api.example/v1").expect("an answer").answer, r#"{"ok":true}"#);
        }
    }
    assert!(world.server.complaints().is_empty(), "{:?}", world.server.complaints());
}

#[test]
fn a_token_at_hand_waits_for_no_lock() {
    let world = World::new();
    let page = sign_in(&world, &kept());
    let (browser, (key, _)) = (world.browser.clone(), entry(&world).expect("a record"));
    let held = world.browser.run(async move { browser.lock(&key).await });
    let hit = page.ask_for_tokens(&json!({}), 1);
    let refresh = page.ask_for_tokens(&json!({ "forceRefresh": true }), 1);
    world.browser.advance(1_000);
    assert_eq!((hit[0].is_done(), refresh[0].is_done()), (true, false));
    drop(held);
    world.browser.advance(1_000);
    assert!(hit[0].take().expect("a hit").is_ok() && refresh[0].take().expect("its turn").is_ok());
}

#[test]
fn a_sign_out_in_one_tab_is_found_by_the_others_before_they_refresh() {
    let world = World::new();
    let (one, other) = (sign_in(&world, &kept()), reload(&world, &kept()));
    one.client.sign_out_local();
    let sent = world.browser.count("/token");
    let forced = other.token(&json!({ "forceRefresh": true }));
    assert_eq!(crate::common::code_of(&forced), "not_signed_in");
    assert!(!other.is_signed_in());
    assert_eq!(world.browser.count("/token"), sent);
}

#[test]
fn a_sign_out_elsewhere_is_no_session_that_ran_out_and_is_not_told_again() {
    let world = World::new();
    let (one, other) = (sign_in(&world, &kept()), reload(&world, &kept()));
    drop((one.events(), other.events()));
    one.client.sign_out_local();
    let signed_out = ["anonymous: no reason", "signed out: no reason"];
    assert_eq!((one.events(), one.told.get()), (signed_out.map(str::to_owned).to_vec(), 1));
    // Before it has heard of it, as a page does that wakes.
    other.run(|client| async move { client.look().await });
    assert_eq!((other.events(), other.told.get()), (signed_out.map(str::to_owned).to_vec(), 0));
    let call = other.fetch("https://api.example/v1");
    assert_eq!(crate::common::code_of(&call), "not_signed_in");
}

#[test]
fn a_session_that_ran_out_in_one_tab_has_run_out_in_all() {
    let world = World::new();
    let (one, other) = (sign_in(&world, &kept()), reload(&world, &kept()));
    drop((one.events(), other.events()));
    world.server.at("/token", |_| Answer::new(400, "application/json", r#"{"error":"invalid_grant"}"#));
    assert_eq!(crate::common::code_of(&one.token(&json!({ "forceRefresh": true }))), "session_expired");
    other.run(|client| async move { client.look().await });
    let ran_out = ["anonymous: session_expired", "expired: session_expired", "signed out: session_expired"];
    assert_eq!(one.events(), ran_out);
    assert_eq!(other.events(), ran_out);
    world.server.heal();
    // It says so to tabs that are opened later as well, and stands in nobody's way.
    assert!(!reload(&world, &kept()).is_signed_in());
    assert!(sign_in(&world, &kept()).is_signed_in());
    assert!(world.server.complaints().is_empty(), "{:?}", world.server.complaints());
}

#[test]
fn the_tab_alone_keeps_a_session_in_session_storage() {
    let world = World::new();
    let options = json!({ "storage": "sessionStorage" });
    sign_in(&world, &options);
    assert!(reload(&world, &options).is_signed_in());
    assert!(world.browser.origin_storage.borrow().is_empty());
    assert!(!reload(&world, &kept()).is_signed_in());
}

#[test]
fn nothing_is_kept_in_memory_mode() {
    let world = World::new();
    world.sign_in();
    world.assert_nothing_kept();
    assert!(world.browser.origin_storage.borrow().is_empty());
    assert!(!reload(&world, &json!({ "storage": "memory" })).is_signed_in());
}

#[test]
fn a_sign_out_takes_the_record_away() {
    let world = World::new();
    let page = sign_in(&world, &kept());
    assert!(record(&world).is_some());
    page.client.sign_out_local();
    assert!(world.browser.origin_storage.borrow().is_empty());
    assert!(!reload(&world, &kept()).is_signed_in());
}

#[test]
fn a_session_that_has_run_out_is_not_taken_up() {
    let world = World::new();
    let options = json!({ "storage": "localStorage" });
    sign_in(&world, &options);
    world.browser.executor().sleep_machine(3_600_000);
    let page = reload(&world, &options);
    assert!(!page.is_signed_in());
    assert!(world.browser.origin_storage.borrow().is_empty());
}

#[test]
fn sec_125_a_record_that_is_not_whole_is_not_there() {
    let world = World::new();
    sign_in(&world, &kept());
    let honest = record(&world).expect("a record");
    let with = |name: &str, member: Value| {
        let mut changed = honest.clone();
        changed[name] = member;
        changed.to_string()
    };
    let token = |name: &str, member: Value| {
        let mut changed = honest.clone();
        changed["tokens"][0][name] = member;
        changed.to_string()
    };
    let hostile = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        honest.to_string()[..200].to_owned(),
        "[".repeat(100_000),
        honest.to_string().replacen('{', r#"{"clientId":"spa","#, 1),
        with("issuer", json!("https://attacker.example")),
        with("issuer", Value::Null),
        with("clientId", json!("another")),
        with("version", Value::Null),
        with("version", json!(0)),
        with("version", json!("1")),
        with("granted", json!("openid")),
        with("requested", Value::Null),
        with("idToken", json!("not.a.token")),
        with("idToken", json!(7)),
        with("refreshToken", json!(["x"])),
        with("tokens", json!({})),
        with("tokens", json!([{ "token": "x" }])),
        token("token", json!("a\r\nb: c")),
        token("token", json!("")),
        token("scopes", json!(1)),
        token("bound", json!("yes")),
        token("details", json!([{}])),
    ];
    for text in hostile {
        write(&world, &text);
        let page = reload(&world, &kept());
        assert!(!page.is_signed_in(), "{text:.200} was taken up");
        assert!(page.events().is_empty());
        assert!(world.browser.origin_storage.borrow().is_empty(), "{text:.200} was left");
        sign_in(&world, &kept());
    }
    write(&world, &with("__proto__", json!({ "granted": ["admin"] })));
    assert!(reload(&world, &kept()).is_signed_in(), "what is not known is ignored");
}

#[test]
fn two_clients_on_one_origin_do_not_meet() {
    let world = World::new();
    sign_in(&world, &kept());
    let mut other = kept();
    other["clientId"] = json!("other");
    assert!(!reload(&world, &other).is_signed_in());
    assert!(reload(&world, &kept()).is_signed_in());
}

#[test]
fn sec_125_a_session_that_cannot_be_stored_goes_on_in_memory() {
    let world = World::new();
    let callback = world.server.authorize(&world.page_with(kept()).authorize_url(&json!({})));
    let page = world.page_with(kept());
    let ledger = world.browser.stored();
    assert!(!ledger.is_empty());
    world.browser.origin_quota.set(200);
    page.handle(&callback).expect("signed in");
    assert!(page.is_signed_in());
    assert!(page.events().contains(&"not stored: storage_unavailable".to_owned()));
    assert!(record(&world).is_none());
    assert!(page.access_token().is_ok());
}

#[test]
fn sec_112_sec_113_the_key_is_kept_with_the_session_and_goes_with_it() {
    let world = World::new();
    let mut options = kept();
    options["dpop"] = json!(true);
    let url = world.page_with(options.clone()).authorize_url(&json!({}));
    assert!(urls::parameter(&url, "dpop_jkt").is_some(), "the code is bound to the key (RFC 9449 10)");
    let callback = world.server.authorize(&url);
    let page = world.page_with(options.clone());
    page.handle(&callback).expect("signed in");
    let after = reload(&world, &options);
    assert_eq!(after.fetch("https://api.example/v1").expect("an answer").answer, r#"{"ok":true}"#);
    assert_eq!(world.browser.keys.borrow().len(), 1, "one key for all pages");

    after.client.sign_out_local();
    world.browser.advance(10);
    assert!(world.browser.key_store.borrow().is_empty());
    assert!(world.server.complaints().is_empty(), "{:?}", world.server.complaints());
}

#[test]
fn sec_112_without_its_key_a_session_is_not_taken_up() {
    for lose in [true, false] {
        let world = World::new();
        let mut options = kept();
        options["dpop"] = json!(true);
        sign_in(&world, &options);
        if lose {
            world.browser.key_store.borrow_mut().clear();
        } else {
            options["dpop"] = json!(false);
        }
        let page = reload(&world, &options);
        assert!(matches!(page.client.state(), State::Anonymous { .. }));
        // What another version of this app has stored, which binds its tokens, is left to that one.
        assert_eq!(world.browser.origin_storage.borrow().is_empty(), lose);
    }
}

#[test]
fn a_key_that_stays_on_the_page_binds_no_code() {
    let world = World::new();
    let page = world.page_with(json!({ "dpop": true, "par": "auto" }));
    let url = page.authorize_url(&json!({}));
    let push = world.browser.sent().into_iter().find(|sent| sent.url.ends_with("/par")).expect("a push");
    assert!(push.proof.is_none() && !push.form.expect("a form").contains("dpop_jkt"));
    let callback = world.server.authorize(&url);
    let after = world.page_with(json!({ "dpop": true }));
    after.handle(&callback).expect("signed in with another key");
    assert!(world.server.complaints().is_empty(), "{:?}", world.server.complaints());
}

#[test]
fn storage_is_one_of_three_places() {
    for storage in ["cookie", "indexedDB", ""] {
        let options = json!({ "issuer": "https://as.example", "clientId": "spa", "redirectUri": "https://app.example/", "storage": storage });
        let refused = wardkey::protocol::config::Config::read(&value(&options)).expect_err("a place");
        assert_eq!(refused.option(), Some("storage"));
    }
}

#[test]
fn a_tab_takes_up_the_key_along_with_another_tabs_sign_in() {
    let world = World::new();
    let mut options = kept();
    options["dpop"] = json!(true);
    let one = sign_in(&world, &options);
    let other = reload(&world, &options);
    one.client.sign_out_local();
    world.browser.advance(10);
    let again = sign_in(&world, &options);
    // It has missed what happened, and finds it before it uses a token.
    other.run(|client| async move { client.look().await });
    assert!(other.is_signed_in() && again.is_signed_in());
    for page in [&other, &again] {
        assert_eq!(page.fetch("https://api.example/v1").expect("an answer").answer, r#"{"ok":true}"#);
    }
    assert_eq!(world.browser.keys.borrow().len(), 2, "a key for each session");
    assert!(world.server.complaints().is_empty(), "{:?}", world.server.complaints());
}

#[test]
fn a_sign_out_wins_over_a_session_that_waits_for_its_key() {
    let world = World::new();
    let mut options = kept();
    options["dpop"] = json!(true);
    sign_in(&world, &options);
    let page = world.page_with(options.clone());
    let client = page.client.clone();
    let restoring = world.browser.start(async move { client.restore().await });
    world.browser.executor().settle();
    page.client.sign_out_local();
    page.client.forget_stored();
    world.browser.advance(50);
    assert!(restoring.is_done() && !page.is_signed_in());
    assert!(world.browser.origin_storage.borrow().is_empty());
}

#[test]
fn sec_123_a_request_of_one_person_is_not_sent_with_the_token_of_another() {
    let world = World::new();
    let ann = sign_in(&world, &kept());
    world.server.forget_tokens();
    world.server.at("/token", |honest| honest().late(1_000));
    let call = crate::common::page::call("POST", "https://api.example/v1");
    let client = ann.client.clone();
    let sending = world.browser.start(async move { client.fetch(&call, None).await });
    world.browser.advance(100);
    // In another tab, somebody else has signed in meanwhile.
    world.server.change_claims(|claims| claims["sub"] = json!("bob"));
    world.server.at("/token", |honest| honest());
    let other = world.page_with(kept());
    let callback = world.server.authorize(&other.authorize_url(&json!({})));
    other.handle(&callback).expect("Bob is signed in");
    world.browser.advance(10_000);
    let outcome = sending.take().expect("an outcome");
    assert!(matches!(crate::common::code_of(&outcome), "aborted" | "not_signed_in"), "{outcome:?}");
    let sent = world.browser.sent().into_iter().filter(|sent| sent.url == "https://api.example/v1").count();
    assert_eq!(sent, 1, "Ann's request went out once, with Ann's token");
}

#[test]
fn sec_049_what_cannot_be_replaced_is_removed() {
    let world = World::new();
    let page = sign_in(&world, &kept());
    world.browser.origin_quota.set(200);
    page.token(&json!({ "forceRefresh": true })).expect("a token");
    assert!(record(&world).is_none(), "the refresh token that is spent is not left behind");
    assert!(page.is_signed_in());
}
