//! The UserInfo endpoint (OpenID Connect Core 1.0, 5.3).

use super::challenge::{self, Challenge};
use super::error::{AuthError, Code, Phase};
use super::http::{Cache, Request, Response};
use super::json::Value;
use super::secret::Secret;
use super::text;

/// What the endpoint gave. Not to be used before its subject, and its signature if it has one, were checked.
#[derive(Debug, PartialEq, Eq)]
pub enum UserInfo {
    /// Claims: always an object.
    Claims(Value),
    /// A JWT, of which nothing is verified; `signed` has the checks.
    Signed(String),
}

/// Asks who the access token is for (5.3.1). The token is in the header, and nowhere else.
pub fn request(endpoint: &str, authorization: Secret, proof: Option<String>) -> Request {
    Request { authorization: Some(authorization), proof, ..Request::get(endpoint, Cache::NoStore) }
}

/// Judges the answer: 200 with a JSON object or a JWT (5.3.2), and nothing else.
pub fn response(response: &Response) -> Result<UserInfo, AuthError> {
    if let Some(error) = response.temporary_error(Phase::UserInfo) {
        return Err(error);
    }
    let document = response.json_object("application/json");
    if response.status != 200 {
        return Err(failure(response, document.as_ref()));
    }
    document
        .map(UserInfo::Claims)
        .or_else(|| compact(response).map(UserInfo::Signed))
        .ok_or_else(|| refused("the answer is neither a JSON object nor a JWT").with_status(200))
}

/// The body, if it says that it is a JWT.
fn compact(response: &Response) -> Option<String> {
    let (essence, _) = text::head(response.header("content-type")?, b';');
    let is_jwt = essence.trim_ascii().eq_ignore_ascii_case("application/jwt");
    String::from_utf8(response.body.to_vec()).ok().filter(|_| is_jwt)
}

/// The error for an answer that is not used.
pub fn refused(reason: &'static str) -> AuthError {
    AuthError::new(Code::ServerError, Phase::UserInfo, reason).permanent()
}

/// The server's no (5.3.3; RFC 6750 3.1), in the header or, where CORS hides that, in the body.
fn failure(response: &Response, document: Option<&Value>) -> AuthError {
    let header = response.header("www-authenticate").unwrap_or_default();
    let challenge = challenge::find(header, "DPoP").or_else(|| challenge::find(header, "Bearer"));
    let name = challenge.as_ref().and_then(Challenge::error);
    let name = name.or_else(|| document?.text("error"));
    let error = match (response.status, name) {
        (_, Some("insufficient_scope")) | (403, None) => {
            AuthError::new(Code::ScopeMissing, Phase::UserInfo, "the access token does not cover UserInfo")
        }
        (401, _) => refused("the server does not accept the access token"),
        _ => refused("an unexpected HTTP status"),
    };
    let error = error.with_status(response.status);
    match name {
        Some(name) => error.with_oauth_error(name),
        None => error,
    }
}

/// The claims are of the person whom the ID token names, or they are not used (5.3.2, 16.11).
pub fn check_subject(claims: &Value, subject: &str) -> Result<(), AuthError> {
    match claims.text("sub") == Some(subject) {
        true => Ok(()),
        false => Err(AuthError::new(Code::UserMismatch, Phase::UserInfo, "sub is not the ID token's")),
    }
}
