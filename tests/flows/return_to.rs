//! SEC-015: the client is no open redirector.

use crate::common::page::value;
use crate::common::{World, assert_error};
use serde_json::json;
use wardkey::protocol::authorize::SignIn;
use wardkey::protocol::logout::SignOut;

const HOSTILE: [&str; 34] = [
    "https://attacker.example",
    "http://attacker.example/x",
    "//attacker.example",
    "///attacker.example",
    "////attacker.example",
    "/\\attacker.example",
    "\\/attacker.example",
    "\\\\attacker.example",
    "/\t/attacker.example",
    "/\n/attacker.example",
    "\t//attacker.example",
    " //attacker.example",
    "/ /x",
    "/%2e%2e//attacker.example",
    "/..//attacker.example",
    "/.//attacker.example",
    "/a/../../b",
    "/a/..",
    "/./a",
    "/%2E/a",
    "/a/.%2e/b",
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "data:text/html,x",
    "blob:https://app.example/1",
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

#[test]
fn sec_015_only_plain_paths_are_returned_to() {
    for path in HOSTILE {
        let options = value(&json!({ "returnTo": path }));
        assert_error(&SignIn::read(&options), "invalid_configuration", &[]);
        assert_error(&SignOut::read(&options), "invalid_configuration", &[]);
    }
    for path in ["/", "/a", "/a/b.html?next=https://x.example/#//y", "/%20", "/päth/…", "/a..b/.c/d."] {
        let options = value(&json!({ "returnTo": path }));
        assert!(SignIn::read(&options).is_ok(), "{path}");
        assert!(SignOut::read(&options).is_ok(), "{path}");
    }
}

#[test]
fn sec_015_what_comes_out_of_storage_is_checked_again() {
    for path in HOSTILE.into_iter().filter(|path| !path.is_empty()) {
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
