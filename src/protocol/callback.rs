//! The authorization response (RFC 6749 4.1.2; RFC 9207; JWT Secured Authorization Response Mode), as it stands in
//! the URL of the page.
//!
//! Order of the checks: ours, then `state`, what a policy expects, `iss`, `error`, and the code last. A response that fails one has
//! consumed nothing.

use super::config::Config;
use super::error::{AuthError, Code, Phase};
use super::form::{self, Parameters};
use super::hash;
use super::json::Value;
use super::jwt::{self, Jwt};
use super::policies;
use super::secret::Secret;
use super::signed::{self, Expected};
use super::text;
use super::url;

/// Parameters of a response. None may come twice (RFC 6749 3.1).
pub const RESPONSE_PARAMETERS: &[&str] = &[
    "state",
    "iss",
    "code",
    "error",
    "error_description",
    "error_uri",
    "response",
    "access_token",
    "id_token",
];

/// The parameters that make a URL a response.
const MARKS: &[&str] = &["code", "error", "response", "access_token", "id_token"];

/// How a response came (`response_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Mode {
    Query,
    Fragment,
    /// A JWT in the query (JARM 2.3.1).
    Jwt,
}

impl Mode {
    /// The value of `response_mode` that asks for it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Query => "query",
            Mode::Fragment => "fragment",
            Mode::Jwt => "jwt",
        }
    }
}

/// A well-formed response that says it is ours.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct AuthorizationResponse {
    /// Where it came to: the URL without query and fragment.
    pub place: String,
    pub state: String,
    pub iss: Option<String>,
    pub outcome: Result<Secret, String>,
    pub mode: Mode,
    /// Is every parameter as the policy `expectResponse` wants it?
    pub expected: bool,
    /// The JWT that all of it was read from. Nothing is verified: neither its signature nor [`check_signed`].
    pub signed: Option<Secret>,
}

fn refused(code: Code, reason: &'static str) -> AuthError {
    AuthError::new(code, Phase::Callback, reason)
}

fn invalid(reason: &'static str) -> AuthError {
    refused(Code::InvalidCallback, reason)
}

/// Reads the response that a URL is. `not_mine` for every other URL: it is not at the redirect URI, is no
/// response, or bears neither a `state` that begins with our tag nor our issuer's `iss`.
pub fn read(url: &str, config: &Config) -> Result<AuthorizationResponse, AuthError> {
    let (place, query, fragment) = url::split(url);
    // Decoded as browsers do it, and as `isCallback` of the npm package does.
    let (in_query, in_fragment) = (form::parse(query), form::parse(fragment));
    let here = [config.redirect_uri(), config.silent_redirect_uri()];
    let here = here.iter().any(|uri| url::same_place(place, uri));
    if !here || !(is_ours(&in_query, config) || is_ours(&in_fragment, config)) {
        return Err(refused(Code::NotMine, "the URL is not a response to this client"));
    }
    let (mode, encoded, parameters) = match in_fragment.has_any(RESPONSE_PARAMETERS) {
        true if in_query.has_any(RESPONSE_PARAMETERS) => {
            return Err(invalid("the response is in the query and in the fragment"));
        }
        true => (Mode::Fragment, fragment, in_fragment),
        false => (Mode::Query, query, in_query),
    };
    if !form::is_well_formed(encoded) {
        return Err(invalid("the encoding of the parameters"));
    }
    if RESPONSE_PARAMETERS.iter().any(|name| parameters.count(name) > 1) {
        return Err(invalid("a parameter came twice"));
    }
    match parameters.text("response") {
        None => interpret(place, &parameters, mode, None, config),
        Some(token) => interpret(place, &claims(token, mode, &parameters)?, Mode::Jwt, Some(token), config),
    }
}

fn interpret(
    place: &str,
    parameters: &Parameters,
    mode: Mode,
    signed: Option<&str>,
    config: &Config,
) -> Result<AuthorizationResponse, AuthError> {
    let state = parameters.text("state").filter(|state| state.starts_with(config.tag()));
    let state = state.ok_or_else(|| refused(Code::StateMismatch, "state is missing, or not ours"))?;
    Ok(AuthorizationResponse {
        place: place.to_owned(),
        state: state.to_owned(),
        iss: parameters.text("iss").map(str::to_owned),
        outcome: outcome(parameters)?,
        mode,
        expected: policies::members(config.policies(), "expectResponse")
            .iter()
            .all(|(name, values)| is_expected(parameters, name, values)),
        signed: signed.map(|token| Secret::new(token.to_owned())),
    })
}

/// Is a parameter absent, or there once and with one of these values?
fn is_expected(parameters: &Parameters, name: &str, values: &Value) -> bool {
    let known = values.texts().unwrap_or_default();
    let mut given = parameters.0.iter().filter(|(other, _)| other == name);
    given.next().is_none_or(|(_, value)| known.contains(value)) && given.next().is_none()
}

/// The parameters that a JWT has for claims (JARM 2.1). It comes in the query, and what it says does not stand
/// beside it once more.
fn claims(token: &str, place: Mode, beside: &Parameters) -> Result<Parameters, AuthError> {
    if place != Mode::Query || MARKS.iter().any(|name| *name != "response" && beside.text(name).is_some()) {
        return Err(invalid("the signed response is in the fragment, or is not alone"));
    }
    let jwt = jwt::parse(token).map_err(|_| invalid("the signed response is no JWT that can be verified"))?;
    let Value::Object(claims) = jwt.claims else { return Err(invalid("the claims of the response")) };
    let text = |(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    };
    Ok(Parameters(claims.into_iter().filter_map(text).collect()))
}

/// Does a query or fragment have what makes a URL a response?
fn looks_like_response(part: &str) -> bool {
    form::parse(part).has_any(MARKS)
}

/// Does a URL or path have in its query or fragment what makes it a response?
pub fn bears_response(url: &str) -> bool {
    let (_, query, fragment) = url::split(url);
    looks_like_response(query) || looks_like_response(fragment)
}

fn is_ours(parameters: &Parameters, config: &Config) -> bool {
    let ours = |(name, value): &(String, String)| match name.as_str() {
        "state" => value.starts_with(config.tag()),
        "iss" => config.issuer() == Some(value),
        "response" => names_us(value, config),
        _ => false,
    };
    parameters.has_any(MARKS) && parameters.0.iter().any(ours)
}

/// Has the payload of a JWT a text that begins with our tag, or is our issuer? This tells whose it is, not what it
/// says: it is neither verified nor parsed, so that `isResponse` of the npm package can do the very same.
fn names_us(token: &str, config: &Config) -> bool {
    let parts = text::parts(token, b'.');
    let [_, payload, _] = parts.as_slice() else { return false };
    let payload = hash::from_base64url(payload).unwrap_or_default();
    let holds = |text: String| payload.windows(text.len()).any(|part| part == text.as_bytes());
    holds(["\"", config.tag()].concat())
        || config.issuer().is_some_and(|issuer| holds(["\"", issuer, "\""].concat()))
}

/// Exactly one of `code` and `error`, in its character set (RFC 6749 A.11, 4.1.2.1), and no token.
fn outcome(parameters: &Parameters) -> Result<Result<Secret, String>, AuthError> {
    if parameters.has_any(&["response", "access_token", "id_token"]) {
        return Err(invalid("the response is of a kind that was not asked for"));
    }
    let vschar = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    let quoting = |text: &str| text.bytes().any(|b| matches!(b, b'"' | b'\\'));
    match (parameters.text("code"), parameters.text("error")) {
        (Some(code), None) if vschar(code) => Ok(Ok(Secret::new(code.to_owned()))),
        (None, Some(error)) if vschar(error) && !quoting(error) => Ok(Err(error.to_owned())),
        _ => Err(invalid("code or error")),
    }
}

/// The response comes as it was asked for, and as `query` where nothing was said (RFC 6749 4.1.2): who can choose
/// another way could leave out the signature.
pub fn check_mode(response: &AuthorizationResponse, expected: Option<&str>) -> Result<(), AuthError> {
    match response.mode.name() == expected.unwrap_or("query") {
        true => Ok(()),
        false => Err(invalid("the response came in another mode than was asked for")),
    }
}

/// A server that names itself in ways of its own names the one that was asked (the policy `expectResponse`).
pub fn check_expected(response: &AuthorizationResponse) -> Result<(), AuthError> {
    match response.expected {
        true => Ok(()),
        false => Err(invalid("a parameter has another value than `expectResponse` allows, or came twice")),
    }
}

/// Every check of a signed response but the signature's (JARM 2.4).
pub fn check_signed(jwt: &Jwt<'_>, expected: &Expected<'_>) -> Result<(), AuthError> {
    let checked = signed::check(jwt, expected)
        .and_then(|()| jwt::require(jwt.claims.get("exp").is_some(), "exp"))
        // It is for one client, which other audiences would not say (JARM 2.1).
        .and_then(|()| {
            let audiences = jwt.claims.get("aud").and_then(Value::as_array);
            jwt::require(audiences.is_none_or(|audiences| audiences.len() == 1), "aud")
        });
    checked.map_err(|name| match name {
        "iss" => refused(Code::IssuerMismatch, "iss names another issuer"),
        name => invalid(name),
    })
}

/// The issuer's name in the response (RFC 9207 2.4): required where the server says that it sends it, compared
/// where it is there. Error responses bear it too.
pub fn check_issuer(iss: Option<&str>, expected: Option<&str>, advertised: bool) -> Result<(), AuthError> {
    match (iss, expected) {
        (Some(iss), Some(expected)) if iss != expected => {
            Err(refused(Code::IssuerMismatch, "iss names another issuer"))
        }
        (None, _) if advertised => Err(refused(Code::IssuerMismatch, "iss is missing")),
        _ => Ok(()),
    }
}

/// The error for the server's `error` (RFC 6749 4.1.2.1; OpenID Connect Core 3.1.2.6).
pub fn server_error(error: &str) -> AuthError {
    let (code, reason) = match error {
        "access_denied" => (Code::AccessDenied, "the person or the server refused"),
        "login_required" => (Code::LoginRequired, "nobody is signed in at the server"),
        "interaction_required" | "consent_required" | "account_selection_required" => {
            (Code::InteractionRequired, "the server has to show a page")
        }
        "temporarily_unavailable" | "server_error" => {
            (Code::ServerError, "the server cannot serve the request now")
        }
        _ => (Code::AuthorizationFailed, "the server refused the authorization request"),
    };
    refused(code, reason).with_oauth_error(error)
}
