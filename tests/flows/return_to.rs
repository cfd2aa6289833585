//! SEC-015: the client is no open redirector.

use crate::common::page::value;
use crate::common::{World, assert_error};
use serde_json::json;
use wardkey::protocol::authorize::SignIn;
use wardkey::protocol::logout::SignOut;

/// URLs of another origin.
const ELSEWHERE: &[&str] = &[
    "https://attacker.example",
    "http://attacker.example/x",
    "//attacker.example",
    "///attacker.example",
    "////attacker.example",
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "data:text/html,x",
    "blob:https://app.example/1",
];

/// Paths to those who read on, and to browsers, which drop tabs and take `\` for `/`, hosts.
const HOSTS: &[&str] = &[
    "/\\attacker.example",
    "\\/attacker.example",
    "\\\\attacker.example",
    "/\t/attacker.example",
    "/\n/attacker.example",
    "\t//attacker.example",
    " //attacker.example",
];

/// What else is no plain path.
const ODD: &[&str] = &[
    "/ /x",
    "/%2e%2e//attacker.example",
    "/..//attacker.example",
    "/.//attacker.example",
    "/a/../../b",
    "/a/..",
    "/./a",
    "/%2E/a",
    "/a/.%2e/b",
    "a",
    "a/b",
    "?x=1",
    "#x",
    "",
    ".",
    "..",
    "/a\u{7f}",
    "/a\u{0}b",
];

fn hostile() -> impl Iterator<Item = &'static str> {
    [ELSEWHERE, HOSTS, ODD].into_iter().flatten().copied()
}

#[track_caller]
fn assert_not_returned_to(paths: &[&str]) {
    for path in paths {
        let options = value(&json!({ "returnTo": path }));
        assert_error(&SignIn::read(&options), "invalid_configuration", &[]);
        assert_error(&SignOut::read(&options), "invalid_configuration", &[]);
    }
}

#[test]
fn nextjs_auth0_cve_2021_43812_another_origin_is_not_returned_to() {
    assert_not_returned_to(ELSEWHERE);
}

#[test]
fn mod_auth_openidc_cve_2022_23527_cve_2021_32786_a_tab_or_backslash_is_no_path() {
    assert_not_returned_to(HOSTS);
}

/// There, who asked whether somebody is signed in was sent on to the address that the request had, be it `//host`.
#[test]
fn keycloak_connect_cve_2022_2237_who_is_not_signed_in_stays_at_this_origin() {
    let world = World::new();
    let page = world.page();
    let asked = json!({ "prompt": "none", "returnTo": "/inbox" });
    let answer = world.server.refuse(&page.authorize_url(&asked), "login_required");
    let query = answer.split_once('?').expect("a query").1;
    let (stored, sent) = (world.browser.stored(), world.browser.sent().len());
    for place in ["https://app.example//attacker.example", "https://attacker.example/callback"] {
        assert_error(&page.handle(&format!("{place}?{query}")), "not_mine", &["attacker"]);
    }
    assert_eq!(world.browser.stored(), stored, "a response elsewhere consumes nothing");
    let more = "returnTo=//attacker.example&redirect_uri=https://attacker.example&target_link_uri=//attacker.example";
    let refused = page.handle(&format!("{answer}&{more}"));
    assert_error(&refused, "login_required", &["attacker", "inbox"]);
    assert_eq!(world.browser.sent().len(), sent, "a request went out");
    world.assert_nothing_kept();
}

#[test]
fn sec_015_only_plain_paths_are_returned_to() {
    assert_not_returned_to(&hostile().collect::<Vec<_>>());
    for path in ["/", "/a", "/a/b.html?next=https://x.example/#//y", "/%20", "/päth/…", "/a..b/.c/d."] {
        let options = value(&json!({ "returnTo": path }));
        assert!(SignIn::read(&options).is_ok(), "{path}");
        assert!(SignOut::read(&options).is_ok(), "{path}");
    }
}

#[test]
fn sec_015_what_comes_out_of_storage_is_checked_again() {
    for path in hostile().filter(|path| !path.is_empty()) {
        let world = World::new();
        let callback = world.respond_to(&json!({ "returnTo": "/inbox" }));
        let hostile = json!(path).to_string();
        world.browser.tamper(|text| text.replace("\"/inbox\"", &hostile));
        assert!(world.page().handle(&callback).is_err(), "{path} was returned to");
        assert_eq!(world.browser.count("/token"), 0, "{path}");
    }
}

#[test]
fn sec_015_the_state_of_the_response_does_not_move_the_target() {
    let world = World::new();
    let callback = world.respond_to(&json!({ "returnTo": "/inbox" }));
    let other = world.respond_to(&json!({ "returnTo": "/other" }));
    let result = world.page().handle(&callback).expect("a session");
    assert_eq!(result.return_to.as_deref(), Some("/inbox"));
    let result = world.page().handle(&other).expect("a session");
    assert_eq!(result.return_to.as_deref(), Some("/other"));
}
