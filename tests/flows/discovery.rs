//! Discovery: SEC-083 to SEC-087. (The hostile documents of `tests/vectors.rs` go to the rules directly.)

use crate::common::{Answer, ISSUER, World, assert_error};
use serde_json::json;
use wardkey::protocol::http::Failure;

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server/tenant";

#[test]
fn sec_083_another_issuer_is_refused_and_nothing_of_it_used() {
    for issuer in [
        json!(format!("{ISSUER}INVALID")),
        json!(format!("{ISSUER}/")),
        json!("https://AS.example/tenant"),
        json!("https://as.example"),
        json!("https://attacker.example"),
    ] {
        let world = World::new();
        world.server.change_metadata(move |metadata| metadata["issuer"] = issuer.clone());
        let page = world.page();
        assert_error(&page.prepare(), "issuer_mismatch", &[]);
        assert_error(&page.create_authorize_url(&json!({})), "not_initialised", &[]);
        assert_eq!(world.browser.sent().len(), 1);
        assert_eq!(world.browser.writes(), 0);
    }
    let world = World::new();
    world.server.change_metadata(|metadata| {
        metadata.as_object_mut().expect("an object").remove("issuer");
    });
    assert_error(&world.page().prepare(), "issuer_mismatch", &[]);
}

#[test]
fn sec_084_rfc_8414_is_asked_where_openid_has_no_document() {
    let world = World::new();
    world.server.at(OPENID, |_| Answer::html(404));
    world.server.at(OAUTH, |honest| honest());
    let page = world.page();
    page.prepare().expect("prepared");
    assert_eq!(world.browser.paths(), ["/tenant/.well-known/openid-configuration", OAUTH, "/tenant/jwks"]);
}

#[test]
fn sec_084_other_troubles_do_not_lead_to_the_other_place() {
    for answer in [
        Answer::html(500),
        Answer::html(200),
        Answer::html(403),
        Answer::Fail(Failure::Network),
        Answer::html(302),
    ] {
        let world = World::new();
        world.server.at(OPENID, move |_| answer.clone());
        assert_error(&world.page().prepare(), "discovery_failed", &[]);
        assert_eq!(world.browser.sent().len(), 1);
    }
}

#[test]
fn sec_084_neither_place_has_it() {
    let world = World::new();
    world.server.at(OPENID, |_| Answer::html(404));
    let error = world.page().prepare().expect_err("an error");
    assert_eq!(
        (error.code().name(), error.status(), error.retryable()),
        ("discovery_failed", Some(404), false)
    );
}

#[test]
fn sec_085_booleans_are_booleans() {
    for value in [json!("true"), json!(1), json!([true])] {
        let world = World::new();
        let shown = value.to_string();
        world.server.change_metadata(move |metadata| {
            metadata["authorization_response_iss_parameter_supported"] = value.clone();
        });
        let result = world.page().prepare();
        assert_eq!(crate::common::code_of(&result), "discovery_failed", "{shown}");
    }
}

#[test]
fn sec_086_the_answer_is_200_json_and_an_object() {
    let world = World::new();
    let body = world.server.metadata().to_string();
    for (status, content_type, body) in [
        (200, "text/html", body.clone()),
        (200, "", body.clone()),
        (201, "application/json", body.clone()),
        (200, "application/json", "[]".to_owned()),
        (200, "application/json", String::new()),
        (200, "application/json", body.replacen('{', r#"{"issuer":"https://attacker.example","#, 1)),
        (200, "application/json", body.replacen('{', r#"{"x":1,"x":2,"#, 1)),
        (200, "application/json", body.clone() + "}"),
        (200, "application/json", format!("{}{}", body, " ".repeat(600_000))),
    ] {
        let world = World::new();
        let answer = Answer::new(status, content_type, body);
        world.server.at(OPENID, move |_| answer.clone());
        assert_error(&world.page().prepare(), "discovery_failed", &[]);
    }
}

#[test]
fn what_may_pass_can_be_tried_again() {
    for (answer, retryable) in [
        (Answer::html(503), true),
        (Answer::html(429), true),
        (Answer::html(408), true),
        (Answer::Fail(Failure::Offline), true),
        (Answer::Fail(Failure::Timeout), true),
        (Answer::html(403), false),
        (Answer::new(200, "application/json", "{}"), false),
    ] {
        let world = World::new();
        world.server.at(OPENID, move |_| answer.clone());
        let page = world.page();
        let error = page.prepare().expect_err("an error");
        assert_eq!(error.retryable(), retryable, "{error}");
        world.server.heal();
        page.prepare().expect("the next try works");
    }
}

#[test]
fn an_unusable_document_in_the_http_cache_is_replaced_by_prepare() {
    let world = World::new();
    let callback = world.respond();
    world.browser.empty_http_cache();
    world.server.at(OPENID, |_| Answer::html(200));
    let page = world.page();
    assert_error(&page.handle(&callback), "discovery_failed", &[]);
    world.server.heal();
    page.prepare().expect("prepared");
    page.handle(&callback).expect("a session");
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let world = World::new();
    world.server.at(OPENID, |honest| honest().late(60_000));
    let start = world.browser.executor().now();
    let error = world.page().prepare().expect_err("an error");
    assert_eq!((error.code().name(), error.retryable()), ("discovery_failed", true));
    assert!(world.browser.executor().now() - start <= 10_000, "the usual time-out is ten seconds");
}

#[test]
fn sec_087_metadata_lives_for_an_hour_and_in_memory_only() {
    let world = World::new();
    let page = world.page();
    page.prepare().expect("prepared");
    assert_eq!(world.browser.writes(), 0);
    world.browser.advance(59 * 60_000);
    page.prepare().expect("prepared");
    assert_eq!(world.browser.count(OPENID), 1);
    world.browser.advance(2 * 60_000);
    // What was prepared stays prepared; to prepare again asks again.
    page.create_authorize_url(&json!({})).expect("a URL");
    page.prepare().expect("prepared");
    assert_eq!(world.browser.count(OPENID), 2);
}

#[test]
fn sec_087_metadata_in_storage_is_not_looked_at() {
    let world = World::new();
    let callback = world.respond();
    let poison = world.server.metadata().to_string().replace("as.example", "attacker.example");
    let keys: Vec<String> = world.browser.stored().into_keys().collect();
    for key in keys {
        world.browser.put(&format!("{key}:metadata"), &poison);
        world.browser.put(&key.replace("wardkey:1", "wardkey:metadata"), &poison);
    }
    for key in ["metadata", "wardkey:metadata", "wardkey:1:metadata", ISSUER] {
        world.browser.put(key, &poison);
    }
    world.browser.empty_http_cache();
    world.page().handle(&callback).expect("a session");
    assert!(world.browser.sent().iter().all(|sent| sent.url.starts_with("https://as.example/")));
}

#[test]
fn metadata_without_keys_is_no_openid_provider() {
    let world = World::new();
    world.server.change_metadata(|metadata| {
        metadata.as_object_mut().expect("an object").remove("jwks_uri");
    });
    assert_error(&world.page().prepare(), "discovery_failed", &[]);
}
