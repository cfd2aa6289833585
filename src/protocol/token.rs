//! The token requests, for a code and for a refresh token, and their response (RFC 6749 4.1.3, 5, 6; RFC 7636 4.5;
//! RFC 8707 2.2).

use super::error::{AuthError, Code, Phase};
use super::form::Form;
use super::http::{Request, Response};
use super::json::Value;
use super::policies;
use super::scope;
use super::secret::Secret;
use super::shape::{self, Kind, Member, optional, required};
use super::text;
use super::transaction::Transaction;
use std::rc::Rc;

/// Lifetimes beyond a decade say nothing.
const MAX_EXPIRES_IN: i64 = 10 * 365 * 86_400;

/// The members of a response (RFC 6749 5.1).
const MEMBERS: &[Member] = &[
    required("access_token", Kind::Text),
    required("token_type", Kind::Text),
    // Read with more patience.
    optional("expires_in", Kind::Any),
    optional("id_token", Kind::Text),
    optional("refresh_token", Kind::Text),
    optional("scope", Kind::Scope),
    optional("authorization_details", Kind::Details),
];

/// Is it the name of a member of a response?
pub fn is_member(name: &str) -> bool {
    MEMBERS.iter().any(|member| member.name == name)
}

/// `TokenOptions`. (`signal` stays in the page.)
pub const TOKEN_OPTIONS: &[Member] = &[
    optional("resource", Kind::Resource),
    optional("scope", Kind::Scope),
    optional("minValiditySec", Kind::Number),
    optional("forceRefresh", Kind::Flag),
];

/// What an access token must be for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The resource (RFC 8707); nothing: that of the sign-in.
    pub resource: Option<String>,
    /// Scopes, all of which it must have.
    pub scope: Vec<String>,
}

impl Wanted {
    /// All that was granted for a resource.
    pub fn of(resource: Option<String>) -> Wanted {
        Wanted { resource, scope: Vec::new() }
    }
}

/// Which access token the app asks for: checked `TokenOptions`.
#[derive(Clone, Debug, Default)]
pub struct TokenOptions {
    /// What for.
    pub wanted: Wanted,
    /// Milliseconds that it must be good for at least.
    pub min_validity: i64,
    /// Another one than that at hand.
    pub force: bool,
}

impl TokenOptions {
    /// Checks `TokenOptions`.
    pub fn read(options: &Value) -> Result<TokenOptions, AuthError> {
        shape::check_options(options, TOKEN_OPTIONS)?;
        let resource = options.given("resource");
        if resource.is_some_and(|resource| resource.as_str().is_none()) {
            return Err(shape::invalid("resource", "is more than one; a token is for one"));
        }
        Ok(TokenOptions {
            wanted: Wanted {
                resource: resource.and_then(Value::as_str).map(str::to_owned),
                scope: options.get("scope").and_then(scope::read).unwrap_or_default(),
            },
            min_validity: options.integer("minValiditySec").unwrap_or(0).saturating_mul(1000),
            force: options.is_true("forceRefresh"),
        })
    }
}

/// What the token endpoint gave, checked but for the ID token.
#[derive(Debug)]
#[allow(missing_docs)] // The names are the standards'.
pub struct TokenResponse {
    pub access_token: Rc<Secret>,
    /// Is it bound to the key of the proofs (RFC 9449 5)?
    pub bound: bool,
    pub id_token: Option<Secret>,
    pub refresh_token: Option<Rc<Secret>>,
    /// Seconds, where the server says something sensible.
    pub expires_in: Option<i64>,
    /// Granted scopes, where the server says that they differ (RFC 6749 5.1).
    pub scope: Option<Vec<String>>,
    /// Granted authorization details (RFC 9396 7), or null.
    pub details: Value,
}

/// The request that turns a code into tokens. All is in the body, nothing in the URL.
pub fn request(token_endpoint: &str, client_id: &str, code: &Secret, transaction: &Transaction) -> Request {
    let mut form = Form::new();
    form.add("grant_type", "authorization_code")
        .add("code", code.expose())
        .add("redirect_uri", transaction.redirect_uri())
        .add("client_id", client_id)
        .add("code_verifier", transaction.verifier.expose())
        .add("resource", transaction.resource().unwrap_or_default());
    Request::post(token_endpoint, form)
}

/// The request for another access token: for a resource, and for these of the granted scopes or for all of them.
pub fn refresh_request(
    token_endpoint: &str,
    client_id: &str,
    refresh_token: &Secret,
    wanted: &Wanted,
) -> Request {
    let mut form = Form::new();
    form.add("grant_type", "refresh_token")
        .add("refresh_token", refresh_token.expose())
        .add("client_id", client_id)
        .add("resource", wanted.resource.as_deref().unwrap_or_default())
        .add("scope", &scope::write(&wanted.scope));
    Request::post(token_endpoint, form)
}

fn invalid(reason: &'static str) -> AuthError {
    AuthError::new(Code::InvalidTokenResponse, Phase::Token, reason)
}

/// Judges the answer: 200 with a JSON object is a success (RFC 6749 5.1), 4xx with `error` is the server's no
/// (5.2), and everything else is neither. `bound` says whether the request had a proof, so that its tokens must be
/// bound to the key; `policies` are the server's.
pub fn response(response: &Response, bound: bool, policies: &Value) -> Result<TokenResponse, AuthError> {
    if let Some(error) = response.temporary_error(Phase::Token) {
        return Err(error);
    }
    let document = response.json_object("application/json");
    match response.status {
        200 => {
            let mut document = document.ok_or_else(|| invalid("the answer is not a JSON object"))?;
            rename(&mut document, policies::members(policies, "tokenResponseNames"));
            success(document, bound)
        }
        status => Err(failure(document, status)),
    }
}

/// Gives members that the server calls otherwise their name, behind those that have it: the first is the one that is
/// read, so that the standard's wins.
fn rename(document: &mut Value, names: &[(String, Value)]) {
    for (alias, name) in names {
        if let Some(value) = document.take(alias)
            && let Value::Object(members) = document
        {
            members.push((name.as_str().unwrap_or_default().to_owned(), value));
        }
    }
}

/// Does the server refuse a request with this `error` (RFC 6749 5.2)?
pub fn is_refused(response: &Response, error: &str) -> bool {
    matches!(response.status, 400 | 401)
        && response.json_object("application/json").is_some_and(|it| it.text("error") == Some(error))
}

fn failure(document: Option<Value>, status: u16) -> AuthError {
    let error = document.as_ref().and_then(|document| document.get("error")?.as_str());
    let refused = match error {
        None => invalid("an unexpected HTTP status"),
        Some(error) => {
            let (code, reason) = match error {
                "invalid_grant" => {
                    (Code::InvalidGrant, "the server does not accept the code or refresh token")
                }
                "invalid_scope" | "invalid_target" => {
                    (Code::ScopeMissing, "the scope or resource is refused")
                }
                "invalid_dpop_proof" | "use_dpop_nonce" => (Code::DpopFailed, "the server refuses the proof"),
                _ => (Code::AuthorizationFailed, "the server refused the token request"),
            };
            AuthError::new(code, Phase::Token, reason)
        }
    };
    let refused = refused.with_status(status);
    match error {
        Some(error) => refused.with_oauth_error(error),
        None => refused,
    }
}

fn success(mut document: Value, bound: bool) -> Result<TokenResponse, AuthError> {
    shape::check(&document, MEMBERS).map_err(|_| invalid("a member is missing, or of the wrong type"))?;
    // RFC 6749 7.1: a type that is not understood is not used; the value is case-insensitive (5.1). Nor is one used
    // that is weaker than what was asked for (RFC 9449 5).
    let expected = if bound { "DPoP" } else { "Bearer" };
    if !document.text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case(expected)) {
        return Err(AuthError::new(
            Code::TokenTypeMismatch,
            Phase::Token,
            "token_type is not what was asked for",
        ));
    }
    Ok(TokenResponse {
        expires_in: document.get("expires_in").and_then(lifetime),
        scope: document.get("scope").and_then(scope::read),
        access_token: secret(&mut document, "access_token")?
            .map(Rc::new)
            .ok_or_else(|| invalid("access_token"))?,
        id_token: secret(&mut document, "id_token")?,
        refresh_token: secret(&mut document, "refresh_token")?.map(Rc::new),
        bound,
        details: document.take("authorization_details").unwrap_or(Value::Null),
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
