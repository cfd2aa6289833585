//! Front-channel logout (SEC-122), and what `SignOutOptions` asks of a sign-out.

use crate::ours;
use crate::support::ISSUER;
use serde_json::json;
use wardkey::protocol::error::Code;
use wardkey::protocol::logout::{self, SignOut};

const PAGE: &str = "https://app.example/logout";

fn ends(query: &str) -> bool {
    logout::front_channel(&[PAGE, query].concat(), ISSUER, Some("s-1"))
}

#[test]
fn sec_122_issuer_and_session_end_it() {
    assert!(ends("?iss=https://as.example&sid=s-1"));
    assert!(ends("?sid=s%2D1&app=own&iss=https%3A%2F%2Fas.example#x"));
}

#[test]
fn sec_122_anything_less_does_not() {
    for query in [
        "",
        "?iss=https://as.example",
        "?sid=s-1",
        "?iss=&sid=",
        "?iss=https://as.example/&sid=s-1",
        "?iss=https://attacker.example&sid=s-1",
        "?iss=https://as.example&sid=s-2",
        "?iss=https://as.example&sid=S-1",
        "?iss=https://as.example&sid=",
        "?iss=https://as.example&sid=s-1&sid=s-1",
        "?iss=https://as.example&sid=s-1&sid=s-2",
        "?iss=https://as.example&iss=https://attacker.example&sid=s-1",
        "?iss=https://as.example&sid=s-1&x=%ff",
        "#iss=https://as.example&sid=s-1",
    ] {
        assert!(!ends(query), "{query}");
    }
}

#[test]
fn sec_122_a_session_without_sid_is_not_ended_by_a_frame() {
    for query in
        ["?iss=https://as.example", "?iss=https://as.example&sid=", "?iss=https://as.example&sid=s-1"]
    {
        for sid in [None, Some("")] {
            assert!(!logout::front_channel(&[PAGE, query].concat(), ISSUER, sid), "{query} {sid:?}");
        }
    }
}

#[test]
fn revocation_is_asked_for_by_a_flag() {
    let read = |options| SignOut::read(&ours(&options));
    assert!(read(json!({ "revoke": true })).expect("options").revoke());
    assert!(!read(json!({ "revoke": false })).expect("options").revoke());
    assert!(!read(json!({})).expect("options").revoke());
    assert!(!SignOut::default().revoke());
    let error = read(json!({ "revoke": "yes" })).expect_err("no flag");
    assert_eq!((error.code(), error.option()), (Code::InvalidConfiguration, Some("revoke")));
}

#[test]
fn an_authorization_response_is_no_way_back_from_a_sign_out() {
    assert_eq!(
        logout::response("https://app.example/cb?state=x").expect("a return").state.as_deref(),
        Some("x")
    );
    for response in ["?code=x&state=y", "?error=x", "?response=a.b.c", "#code=x&state=y", "?a=b#error=x"] {
        assert!(logout::response(&["https://app.example/cb", response].concat()).is_none(), "{response}");
    }
}
