//! Pushed authorization requests: SEC-115, SEC-116.

use crate::ours;
use crate::support::{ISSUER, answer, json_answer, refused};
use serde_json::json;
use wardkey::protocol::error::{Code, Phase};
use wardkey::protocol::form::Form;
use wardkey::protocol::http::Cache;
use wardkey::protocol::{metadata, par};

const URI: &str = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c";

#[test]
fn the_request_is_a_post_of_the_parameters_alone() {
    let mut form = Form::new();
    form.add("client_id", "spa").add("scope", "openid email");
    let request = par::request("https://as.example/par", form);
    assert_eq!((request.method(), request.url.as_str()), ("POST", "https://as.example/par"));
    assert_eq!(request.cache, Cache::NoStore);
    assert!(request.authorization.is_none() && request.proof.is_none());
    assert_eq!(request.form.expect("a body").expose(), "client_id=spa&scope=openid+email");
}

#[test]
fn sec_115_created_with_request_uri_and_lifetime_is_a_success() {
    let pushed =
        par::response(&json_answer(201, &json!({ "request_uri": URI, "expires_in": 90, "more": [] })));
    assert_eq!(pushed.expect("pushed"), par::Pushed { request_uri: URI.to_owned(), expires_in: 90 });
}

#[test]
fn sec_115_anything_else_is_none() {
    let good = json!({ "request_uri": URI, "expires_in": 90 });
    let unusable = |status| (Code::ServerError, Phase::Authorize, status, None, false);
    for status in [200, 202, 204, 302, 303, 304, 400, 401, 404] {
        refused(par::response(&json_answer(status, &good)), unusable(status));
    }
    for body in [
        json!({ "expires_in": 90 }),
        json!({ "request_uri": URI }),
        json!({ "request_uri": "", "expires_in": 90 }),
        json!({ "request_uri": "urn:a b", "expires_in": 90 }),
        json!({ "request_uri": [URI], "expires_in": 90 }),
        json!({ "request_uri": URI, "expires_in": 0 }),
        json!({ "request_uri": URI, "expires_in": -1 }),
        json!({ "request_uri": URI, "expires_in": 0.5 }),
        json!({ "request_uri": URI, "expires_in": "90" }),
        json!({ "request_uri": URI, "expires_in": null }),
        json!([good]),
    ] {
        println!("{body}");
        refused(par::response(&json_answer(201, &body)), unusable(201));
    }
    for (kind, body) in [("text/html", good.to_string()), ("application/json", "{".to_owned())] {
        refused(par::response(&answer(201, &[("content-type", kind)], &body)), unusable(201));
    }
    refused(par::response(&answer(201, &[], &good.to_string())), unusable(201));
}

#[test]
fn the_servers_no_is_told_in_its_own_word() {
    for (status, error) in [(400, "invalid_request"), (401, "invalid_client"), (413, "invalid_request")] {
        let no = par::response(&json_answer(status, &json!({ "error": error, "error_description": "<b>" })));
        refused(no, (Code::AuthorizationFailed, Phase::Authorize, status, Some(error), false));
    }
    let moved = par::response(&json_answer(302, &json!({ "error": "invalid_request" })));
    refused(moved, (Code::ServerError, Phase::Authorize, 302, None, false));
    // A word that could be markup is not repeated.
    let no = par::response(&json_answer(400, &json!({ "error": "a\"b" })));
    refused(no, (Code::AuthorizationFailed, Phase::Authorize, 400, None, false));
}

#[test]
fn a_server_that_is_busy_can_be_asked_again() {
    let cases =
        [(408, Code::Timeout), (429, Code::RateLimited), (500, Code::ServerError), (503, Code::ServerError)];
    for (status, code) in cases {
        let later = par::response(&json_answer(status, &json!({ "error": "invalid_request" })));
        refused(later, (code, Phase::Authorize, status, None, true));
    }
}

#[test]
fn sec_116_the_url_bears_client_and_request_alone() {
    let url = |endpoint: &str| {
        let document = json!({
            "issuer": ISSUER, "authorization_endpoint": endpoint, "token_endpoint": "https://as.example/token",
        });
        let metadata = metadata::read(ours(&document), Some(ISSUER), true).expect("metadata");
        par::authorization_url(&metadata, "a&b", "urn:x?&")
    };
    assert_eq!(
        url("https://as.example/auth"),
        "https://as.example/auth?client_id=a%26b&request_uri=urn%3Ax%3F%26"
    );
    assert_eq!(
        url("https://as.example/auth?tenant=1"),
        "https://as.example/auth?tenant=1&client_id=a%26b&request_uri=urn%3Ax%3F%26"
    );
}
