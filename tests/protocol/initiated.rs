//! Sign-in that another site begins: SEC-016.

use crate::ours;
use crate::support::{ISSUER, client};
use serde_json::json;
use wardkey::protocol::config::Config;
use wardkey::protocol::initiated::{self, Initiated};

const START: &str = "https://app.example/start";

fn read(query: &str) -> Option<Initiated> {
    initiated::read(&[START, "?", query].concat(), &client())
}

fn with_target(target: &str) -> Option<String> {
    let target: String = target.bytes().map(|octet| format!("%{octet:02x}")).collect();
    read(&format!("iss={ISSUER}&target_link_uri={target}"))?.return_to
}

#[test]
fn a_link_of_the_own_issuer_begins_a_sign_in() {
    assert_eq!(read(&format!("iss={ISSUER}")), Some(Initiated::default()));
    let everything =
        format!("iss={ISSUER}&login_hint=al%26ice&target_link_uri=https%3A%2F%2Fapp.example%2Fa%3Fb%23c");
    let expected = Initiated { login_hint: Some("al&ice".to_owned()), return_to: Some("/a?b#c".to_owned()) };
    assert_eq!(read(&everything), Some(expected));
    assert_eq!(read(&format!("iss={ISSUER}&login_hint=&target_link_uri=")), Some(Initiated::default()));
}

#[test]
fn sec_016_the_issuer_is_ours_and_named_once() {
    for query in [
        "",
        "login_hint=alice",
        "iss=",
        "iss=http://as.example",
        "iss=https://as.example/",
        "iss=https://AS.example",
        "iss=https://attacker.example",
        "iss=https://as.example&iss=https://as.example",
        "iss=https://as.example&iss=https://attacker.example",
        "iss=https://as.example&login_hint=a&login_hint=b",
        "iss=https://as.example&target_link_uri=https://app.example/&target_link_uri=https://app.example/",
        "iss=https://as.example&login_hint=%ff",
        "iss=https://as.example&login_hint=%4",
    ] {
        assert_eq!(read(query), None, "{query}");
    }
    assert_eq!(initiated::read(&format!("{START}#iss={ISSUER}"), &client()), None);
}

#[test]
fn sec_016_an_issuer_without_tls_begins_nothing() {
    let config = |issuer: &str| {
        let metadata = json!({
            "issuer": issuer, "authorization_endpoint": "https://as.example/a", "token_endpoint": "https://as.example/t",
        });
        let options =
            json!({ "clientId": "spa", "redirectUri": "https://app.example/cb", "metadata": metadata });
        Config::read(&ours(&options)).expect("a configuration")
    };
    let link = |issuer: &str| initiated::read(&format!("{START}?iss={issuer}"), &config(issuer));
    assert!(link(ISSUER).is_some());
    assert_eq!(link("http://as.example"), None);
}

#[test]
fn sec_016_the_target_is_a_page_of_this_origin() {
    for (target, path) in [
        ("https://app.example", "/"),
        ("https://app.example/", "/"),
        ("https://app.example?a=b", "/?a=b"),
        ("https://app.example/a/b?c=d#e", "/a/b?c=d#e"),
        ("https://app.example/#/route", "/#/route"),
        ("https://app.example/cb?tab=1", "/cb?tab=1"),
    ] {
        assert_eq!(with_target(target).as_deref(), Some(path), "{target}");
    }
    for target in [
        "https://attacker.example/",
        "https://bpp.example/",
        "https://app.example.attacker.example/",
        "https://app.example@attacker.example/",
        "https://app.example:8443/",
        "http://app.example/",
        "//app.example/",
        "/a",
        "javascript:alert(1)",
        "https://app.example//attacker.example",
        "https://app.example/../a",
        "https://app.example/a\\b",
        "https://app.example/a b",
        "https://app.example/#a b",
        "https://app.example/#\u{1}",
    ] {
        assert_eq!(with_target(target), None, "{target}");
    }
}

#[test]
fn sec_016_the_target_is_no_response_to_this_client() {
    for target in ["https://app.example/cb?code=x&state=y", "https://app.example/cb?a=b&error=x"] {
        assert_eq!(with_target(target), None, "{target}");
    }
    assert!(with_target("https://app.example/search?code=x").is_some());
}

#[test]
fn sec_016_what_else_a_link_says_is_not_heard() {
    let link = format!(
        "iss={ISSUER}&scope=admin&prompt=none&client_id=evil&redirect_uri=https%3A%2F%2Fattacker.example"
    );
    assert_eq!(read(&link), Some(Initiated::default()));
}

#[test]
fn sec_016_a_response_is_no_link() {
    for query in ["code=x", "error=access_denied", "response=a.b.c", "access_token=x", "id_token=x"] {
        assert_eq!(read(&format!("iss={ISSUER}&{query}")), None, "{query}");
        assert_eq!(initiated::read(&format!("{START}?iss={ISSUER}#{query}"), &client()), None, "{query}");
    }
}
