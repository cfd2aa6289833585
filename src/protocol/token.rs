//! The token request for a code, and its response (RFC 6749 4.1.3, 5; RFC 7636 4.5).

use super::error::{AuthError, Code, Phase};
use super::form::Form;
use super::http::{Cache, Request, Response};
use super::json::Value;
use super::scope;
use super::secret::Secret;
use super::shape::{self, Kind, Member, optional, required};
use super::text;
use super::transaction::Transaction;

/// Lifetimes beyond a decade say nothing.
const MAX_EXPIRES_IN: i64 = 10 * 365 * 86_400;

/// The members of a response (RFC 6749 5.1). `expires_in` is read with more patience.
const MEMBERS: &[Member] = &[
    required("access_token", Kind::Text),
    required("token_type", Kind::Text),
    optional("id_token", Kind::Text),
    optional("scope", Kind::Scope),
];

/// What the token endpoint gave, checked but for the ID token.
#[derive(Debug)]
#[allow(missing_docs)] // The names are the standards'.
pub struct TokenResponse {
    pub access_token: Secret,
    pub id_token: Option<Secret>,
    /// Seconds, where the server says something sensible.
    pub expires_in: Option<i64>,
    /// Granted scopes, where the server says that they differ (RFC 6749 5.1).
    pub scope: Option<Vec<String>>,
}

/// The request that turns a code into tokens. All is in the body, nothing in the URL.
pub fn request(token_endpoint: &str, client_id: &str, code: &Secret, transaction: &Transaction) -> Request {
    let mut form = Form::new();
    form.add("grant_type", "authorization_code")
        .add("code", code.expose())
        .add("redirect_uri", transaction.redirect_uri())
        .add("client_id", client_id)
        .add("code_verifier", transaction.verifier.expose());
    Request { url: token_endpoint.to_owned(), form: Some(Secret::new(form.finish())), cache: Cache::NoStore }
}

fn invalid(reason: &'static str) -> AuthError {
    AuthError::new(Code::InvalidTokenResponse, Phase::Token, reason)
}

/// Judges the answer: 200 with a JSON object is a success (RFC 6749 5.1), 4xx with `error` is the server's no
/// (5.2), and everything else is neither.
pub fn response(response: &Response) -> Result<TokenResponse, AuthError> {
    if let Some(error) = response.temporary_error(Phase::Token) {
        return Err(error);
    }
    let document = response.json_object("application/json");
    match response.status {
        200 => success(document.ok_or_else(|| invalid("the answer is not a JSON object"))?),
        status => Err(failure(document, status)),
    }
}

fn failure(document: Option<Value>, status: u16) -> AuthError {
    let error = document.as_ref().and_then(|document| document.get("error")?.as_str());
    let refused = match error {
        None => invalid("an unexpected HTTP status"),
        Some("invalid_grant") => {
            AuthError::new(Code::InvalidGrant, Phase::Token, "the server does not accept the code")
        }
        Some(_) => {
            AuthError::new(Code::AuthorizationFailed, Phase::Token, "the server refused the token request")
        }
    };
    let refused = refused.with_status(status);
    match error {
        Some(error) => refused.with_oauth_error(error),
        None => refused,
    }
}

fn success(mut document: Value) -> Result<TokenResponse, AuthError> {
    shape::check(&document, MEMBERS).map_err(|_| invalid("a member is missing, or of the wrong type"))?;
    // RFC 6749 7.1: a type that is not understood is not used; the value is case-insensitive (5.1).
    if !document.text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("Bearer")) {
        return Err(AuthError::new(Code::TokenTypeMismatch, Phase::Token, "token_type is not Bearer"));
    }
    Ok(TokenResponse {
        expires_in: document.get("expires_in").and_then(lifetime),
        scope: document.get("scope").and_then(scope::read),
        access_token: secret(&mut document, "access_token")?.ok_or_else(|| invalid("access_token"))?,
        id_token: secret(&mut document, "id_token")?,
    })
}

/// A lifetime in seconds. Servers get its type wrong (SEC-045): a number in a text counts, anything else means
/// that nothing is known.
fn lifetime(value: &Value) -> Option<i64> {
    let seconds = match value {
        Value::String(text) => text::integer(text),
        value => value.as_integer(),
    };
    seconds.filter(|seconds| (1..=MAX_EXPIRES_IN).contains(seconds))
}

/// A token of 1*VSCHAR (RFC 6749 A.12), without the space that a header could not hold.
fn secret(document: &mut Value, name: &'static str) -> Result<Option<Secret>, AuthError> {
    let Some(Value::String(token)) = document.take(name) else { return Ok(None) };
    let token = Secret::new(token);
    if token.expose().bytes().all(|b| b.is_ascii_graphic()) { Ok(Some(token)) } else { Err(invalid(name)) }
}
