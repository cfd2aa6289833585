//! Token revocation (RFC 7009).

use crate::support::{answer, json_answer, refused};
use serde_json::json;
use wardkey::protocol::error::{Code, Phase};
use wardkey::protocol::http::Cache;
use wardkey::protocol::revocation;
use wardkey::protocol::secret::Secret;

#[test]
fn the_request_has_the_token_in_its_body_alone() {
    let token = Secret::new("a+b".to_owned());
    let request = revocation::request("https://as.example/revoke", "spa", &token, "refresh_token");
    assert_eq!((request.method(), request.url.as_str()), ("POST", "https://as.example/revoke"));
    assert_eq!(request.cache, Cache::NoStore);
    assert!(request.authorization.is_none());
    let body = request.form.expect("a body");
    assert_eq!(body.expose(), "token=a%2Bb&token_type_hint=refresh_token&client_id=spa");
}

#[test]
fn ok_is_the_end_whatever_the_body_says() {
    for body in ["", "{", "<html>", "{\"error\":\"invalid_request\"}"] {
        for kind in ["application/json", "text/html"] {
            revocation::response(&answer(200, &[("content-type", kind)], body)).expect("revoked");
        }
    }
}

#[test]
fn the_servers_no_is_told_in_its_own_word() {
    for (status, error) in
        [(400, "unsupported_token_type"), (400, "invalid_request"), (401, "invalid_client")]
    {
        let no = revocation::response(&json_answer(status, &json!({ "error": error })));
        refused(no, (Code::AuthorizationFailed, Phase::SignOut, status, Some(error), false));
    }
}

#[test]
fn what_is_no_answer_is_none() {
    for status in [201, 302, 400, 404] {
        let answer = answer(status, &[("content-type", "text/html")], "{\"error\":\"x\"}");
        refused(revocation::response(&answer), (Code::ServerError, Phase::SignOut, status, None, false));
    }
    let answer = json_answer(302, &json!({ "error": "x" }));
    refused(revocation::response(&answer), (Code::ServerError, Phase::SignOut, 302, None, false));
}

#[test]
fn a_token_lives_on_where_the_server_is_busy() {
    let cases =
        [(408, Code::Timeout), (429, Code::RateLimited), (500, Code::ServerError), (503, Code::ServerError)];
    for (status, code) in cases {
        let later =
            revocation::response(&json_answer(status, &json!({ "error": "temporarily_unavailable" })));
        refused(later, (code, Phase::SignOut, status, None, true));
    }
}
