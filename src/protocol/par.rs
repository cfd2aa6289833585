//! Pushed authorization requests (RFC 9126).
//!
//! What was pushed is used once: a sign-in that begins anew pushes anew (RFC 9126 4).

use super::error::{AuthError, Code, Phase};
use super::form::{self, Form};
use super::http::{Request, Response};
use super::json::Value;
use super::metadata::Metadata;

/// A request that waits at the server (2.2).
#[derive(Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Pushed {
    pub request_uri: String,
    /// Seconds.
    pub expires_in: i64,
}

/// Pushes the parameters of an authorization request (2.1).
pub fn request(endpoint: &str, form: Form) -> Request {
    Request::post(endpoint, form)
}

/// Judges the answer: 201 with a JSON object is a success (2.2), 4xx with `error` is the server's no (2.3), and
/// everything else is neither.
pub fn response(response: &Response) -> Result<Pushed, AuthError> {
    if response.status != 201 {
        return Err(response.refusal(Phase::Authorize, "the server refused the pushed request"));
    }
    let document = response.json_object("application/json");
    document.as_ref().and_then(pushed).ok_or_else(|| {
        let reason = "the answer has no request_uri, or no lifetime";
        AuthError::new(Code::ServerError, Phase::Authorize, reason).with_status(201).permanent()
    })
}

fn pushed(document: &Value) -> Option<Pushed> {
    let is_uri = |text: &&str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic());
    Some(Pushed {
        request_uri: document.text("request_uri").filter(is_uri)?.to_owned(),
        expires_in: document.integer("expires_in").filter(|seconds| *seconds > 0)?,
    })
}

/// The URL to send the browser to: who asks and what was pushed, and nothing that the push has made safe (4).
pub fn authorization_url(metadata: &Metadata, client_id: &str, request_uri: &str) -> String {
    let mut form = Form::new();
    form.add("client_id", client_id).add("request_uri", request_uri);
    form::append_query(metadata.authorization_endpoint(), &form.finish())
}
