//! What is kept in the tab, and what comes out of it: SEC-124 to SEC-126.

use crate::common::{World, assert_error, code_of, urls};
use serde_json::{Value, json};
use wardkey::protocol::hash::base64url;

#[test]
fn sec_124_no_token_is_ever_written() {
    let world = World::new();
    let (page, _) = world.sign_in();
    let token = page.access_token().expect("a token");
    page.sign_out(&json!({ "returnTo": "/home" })).expect("signed out");
    for (key, text) in world.browser.stored() {
        assert!(
            !text.contains(&token) && !text.contains("eyJ") && !text.contains("access-"),
            "{key}: {text}"
        );
    }
}

#[test]
fn sec_126_the_record_has_what_the_response_is_judged_by_and_no_more() {
    let world = World::new();
    let url = world.page().authorize_url(&json!({}));
    let stored = world.browser.stored();
    assert_eq!(stored.len(), 1);
    let (key, text) = stored.first_key_value().expect("a record");
    assert!(key.starts_with("wardkey:1:"));
    let record: Value = serde_json::from_str(text).expect("JSON");
    let entry = &record[0];
    for name in ["state", "nonce"] {
        assert_eq!(entry[name].as_str().map(str::to_owned), urls::parameter(&url, name), "{name}");
    }
    assert_eq!(entry["redirectUri"], crate::common::CALLBACK);
    assert!(world.browser.drawn().iter().any(|octets| entry["verifier"] == base64url(octets)));
}

#[test]
fn sec_126_another_tab_has_no_record() {
    let world = World::new();
    let callback = world.respond();
    assert_error(&world.other_browser().page().handle(&callback), "transaction_not_found", &[]);
}

/// With a record that was changed so, the response finds nothing, and a new sign-in works.
#[track_caller]
fn ignored(what: &str, change: impl Fn(&str) -> String) {
    let world = World::new();
    let callback = world.respond();
    world.browser.tamper(change);
    let sent = world.browser.sent().len();
    let page = world.page();
    let code = code_of(&page.handle(&callback));
    assert!(["transaction_not_found", "invalid_callback"].contains(&code), "{what}: {code}");
    assert_eq!(world.browser.sent().len(), sent, "{what}: a request went out");
    assert!(!page.is_signed_in());
    world.sign_in();
}

fn changed(text: &str, change: impl Fn(&mut Value)) -> String {
    let mut record: Value = serde_json::from_str(text).expect("JSON");
    change(&mut record[0]);
    record.to_string()
}

#[test]
fn sec_125_what_is_not_whole_is_not_there() {
    ignored("empty", |_| String::new());
    ignored("no JSON", |_| "<html>".to_owned());
    ignored("an object", |_| "{}".to_owned());
    ignored("null", |_| "null".to_owned());
    ignored("numbers", |_| "[1,2,3]".to_owned());
    ignored("too deep", |_| "[".repeat(20_000));
    ignored("cut", |text| text[..text.len() / 2].to_owned());
    ignored("wrapped", |text| format!(r#"{{"__proto__":{text}}}"#));
    ignored("twice the same member", |text| text.replacen("{", r#"{"kind":"pending","#, 1));
    for name in ["kind", "state", "created", "verifier", "redirectUri", "scope"] {
        ignored(&format!("no {name}"), |text| {
            changed(text, |entry| {
                entry.as_object_mut().expect("an object").remove(name);
            })
        });
        for value in [json!(null), json!({}), json!([1]), json!(true)] {
            ignored(&format!("{name} = {value}"), |text| changed(text, |entry| entry[name] = value.clone()));
        }
    }
    for (name, value) in [
        ("kind", json!("spent")),
        ("kind", json!("departure")),
        ("created", json!(0)),
        ("created", json!(i64::MAX)),
        ("created", json!(i64::MIN)),
        ("created", json!("1790000000000")),
        ("verifier", json!("short")),
        ("verifier", json!("x".repeat(129))),
        ("verifier", json!("ä".repeat(50))),
        ("redirectUri", json!("https://evil.example/callback")),
        ("returnTo", json!("//evil.example")),
        ("acr", json!("urn:mfa")),
        ("acr", json!([1])),
    ] {
        ignored(&format!("{name} = {value}"), |text| changed(text, |entry| entry[name] = value.clone()));
    }
}

#[test]
fn sec_125_a_record_of_another_client_is_not_ours() {
    let world = World::new();
    let callback = world.respond();
    let page = world.page_with(json!({ "clientId": "other" }));
    assert!(page.handle(&callback).is_err());
    assert_eq!(world.browser.count("/token"), 0);
    world.page().handle(&callback).expect("a session");
}

#[test]
fn sec_125_a_forged_record_does_not_get_the_code() {
    let world = World::new();
    let callback = world.respond();
    world.browser.tamper(|text| changed(text, |entry| entry["verifier"] = "A".repeat(43).into()));
    assert_error(&world.page().handle(&callback), "invalid_grant", &[]);
    assert_eq!(world.server.complaints(), ["code_verifier"]);
    let callback = world.respond();
    world.browser.tamper(|text| {
        let mut record: Value = serde_json::from_str(text).expect("JSON");
        for entry in record.as_array_mut().expect("an array") {
            entry["nonce"] = "A".repeat(43).into();
        }
        record.to_string()
    });
    assert_error(&world.page().handle(&callback), "id_token_invalid", &[]);
}

#[test]
fn denied_storage_is_an_error_with_a_name() {
    let world = World::new();
    let page = world.page();
    page.prepare().expect("prepared");
    world.browser.storage_denied.set(true);
    assert_error(&page.create_authorize_url(&json!({})), "storage_unavailable", &[]);
    world.browser.storage_denied.set(false);
    let callback = world.respond();
    world.browser.storage_denied.set(true);
    assert_error(&world.page().handle(&callback), "storage_unavailable", &[]);
    assert_eq!(world.browser.count("/token"), 0);
    world.browser.storage_denied.set(false);
    world.page().handle(&callback).expect("a session");
}

#[test]
fn a_response_that_cannot_be_marked_as_used_is_not_used() {
    let world = World::new();
    let callback = world.respond();
    world.browser.storage_full.set(true);
    let page = world.page();
    assert_error(&page.handle(&callback), "storage_unavailable", &[]);
    assert_error(&page.create_authorize_url(&json!({})), "storage_unavailable", &[]);
    assert_eq!(world.browser.count("/token"), 0);
    world.browser.storage_full.set(false);
    page.handle(&callback).expect("a session");
}

#[test]
fn records_of_others_are_left_alone() {
    let world = World::new();
    world.browser.put("theirs", "x");
    world.browser.put("wardkey:2:something", "y");
    world.sign_in();
    assert_eq!(world.browser.stored().get("theirs").map(String::as_str), Some("x"));
    assert_eq!(world.browser.stored().get("wardkey:2:something").map(String::as_str), Some("y"));
}
