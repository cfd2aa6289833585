//! Front-channel logout: SEC-122. A frame that anybody can make ends a session only if it names it.

use crate::common::urls::with;
use crate::common::{ISSUER, Page, World};
use crate::refresh::{lasting, pass};
use serde_json::json;

const FRAME: &str = "https://app.example/signed-out-there";

fn signed_in() -> (World, Page) {
    let world = World::new();
    world.server.change_claims(|claims| claims["sid"] = "session-1".into());
    let page = lasting(&world, json!({ "refresh": { "auto": false } }));
    (world, page)
}

fn frame(iss: &str, sid: &str) -> String {
    with(&with(FRAME, "iss", iss), "sid", sid)
}

#[test]
fn sec_122_the_issuers_word_about_this_session_ends_it() {
    let (world, page) = signed_in();
    assert!(page.client.front_channel_logout(&frame(ISSUER, "session-1")));
    assert_eq!(page.events(), ["anonymous: no reason", "signed out: no reason"]);
    assert!(page.access_token().is_err());
    assert!(world.browser.sent().is_empty(), "nothing is asked of anybody");
    assert!(!page.client.front_channel_logout(&frame(ISSUER, "session-1")), "there is none any more");
    assert_eq!(page.events(), [""; 0]);
}

#[test]
fn sec_122_any_other_word_ends_nothing() {
    let (_world, page) = signed_in();
    for url in [
        FRAME.to_owned(),
        with(FRAME, "iss", ISSUER),
        with(FRAME, "sid", "session-1"),
        frame("https://attacker.example", "session-1"),
        frame("https://as.example/tenant/", "session-1"),
        frame(ISSUER, "session-2"),
        frame(ISSUER, ""),
        frame("", "session-1"),
        format!("{}&sid=session-1", frame(ISSUER, "session-2")),
        format!("{}&iss=https%3A%2F%2Fattacker.example", frame(ISSUER, "session-1")),
        frame(ISSUER, "session-1").replacen('?', "#", 1),
        format!("{}&x=%ff", frame(ISSUER, "session-1")),
        String::new(),
    ] {
        assert!(!page.client.front_channel_logout(&url), "{url}");
    }
    assert!(page.is_signed_in());
    assert_eq!(page.events(), [""; 0]);
}

#[test]
fn sec_122_a_session_that_has_no_name_cannot_be_ended_so() {
    let world = World::new();
    let (page, _) = world.sign_in();
    for sid in ["", "session-1", "undefined"] {
        assert!(!page.client.front_channel_logout(&frame(ISSUER, sid)));
    }
    assert!(page.is_signed_in());
    let page = world.plain_oauth();
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).expect("a session");
    assert!(!page.client.front_channel_logout(&frame(ISSUER, "session-1")));
    assert!(page.is_signed_in());
    assert!(
        !World::new().page().client.front_channel_logout(&frame(ISSUER, "session-1")),
        "nobody is signed in"
    );
}

#[test]
fn the_name_holds_over_refreshes_that_do_not_repeat_it() {
    let (world, page) = signed_in();
    world.server.identifies_again.set(true);
    world.server.change_claims(|_| {});
    for _ in 0..2 {
        pass(&world, 3_600_000);
        page.access_token().expect("a token");
    }
    assert!(page.client.front_channel_logout(&frame(ISSUER, "session-1")));
    assert!(!page.is_signed_in());
}
