//! What the tests of exchanges share: a client, and answers of a server.

use crate::ours;
use serde_json::{Value, json};
use wardkey::protocol::config::Config;
use wardkey::protocol::error::{AuthError, Code, Phase};
use wardkey::protocol::hash::base64url;
use wardkey::protocol::http::{HEADERS, Response};

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const REDIRECT_URI: &str = "https://app.example/cb";

pub(crate) fn client() -> Config {
    let options = json!({ "issuer": ISSUER, "clientId": "spa", "redirectUri": REDIRECT_URI });
    Config::read(&ours(&options)).expect("a configuration")
}

/// An answer with these of the headers that are read.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let value =
        |name: &&str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| (*value).to_owned());
    assert!(headers.iter().all(|(name, _)| HEADERS.contains(name)), "{headers:?}");
    Response { status, headers: HEADERS.iter().map(value).collect(), body: body.as_bytes().to_vec().into() }
}

pub(crate) fn json_answer(status: u16, body: &Value) -> Response {
    answer(status, &[("content-type", "application/json")], &body.to_string())
}

/// A compact JWT with a signature that nobody made.
pub(crate) fn compact(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    [part(header), part(claims), base64url(b"signature")].join(".")
}

/// Holds an error against its code, phase, status, the server's word, and whether trying again is of use.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    outcome: Result<T, AuthError>,
    (code, phase, status, oauth_error, retryable): (Code, Phase, u16, Option<&str>, bool),
) {
    let error = outcome.expect_err("it is to be refused");
    let found = (error.code(), error.phase(), error.status(), error.oauth_error(), error.retryable());
    assert_eq!(found, (code, phase, Some(status), oauth_error, retryable), "{error}");
}
