//! The authorization response (RFC 6749 4.1.2; RFC 9207), as it stands in the URL of the page.
//!
//! Order of the checks: ours, then `state`, `iss`, `error`, and the code last. A response that fails one has
//! consumed nothing.

use super::config::Config;
use super::error::{AuthError, Code, Phase};
use super::form::{self, Parameters};
use super::secret::Secret;
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

/// A well-formed response that says it is ours.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct AuthorizationResponse {
    pub state: String,
    pub iss: Option<String>,
    pub outcome: Result<Secret, String>,
}

fn refused(code: Code, reason: &'static str) -> AuthError {
    AuthError::new(code, Phase::Callback, reason)
}

/// Reads the response that a URL is. `not_mine` for every other URL: it is not at the redirect URI, is no
/// response, or bears neither a `state` that begins with our tag nor our issuer's `iss`.
pub fn read(url: &str, config: &Config) -> Result<AuthorizationResponse, AuthError> {
    let (place, query, fragment) = url::split(url);
    // Decoded as browsers do it, and as `isCallback` of the npm package does.
    let (parameters, in_fragment) = (form::parse(query), form::parse(fragment));
    let here = url::same_place(place, config.redirect_uri());
    if !here || !(is_ours(&parameters, config) || is_ours(&in_fragment, config)) {
        return Err(refused(Code::NotMine, "the URL is not a response to this client"));
    }
    if in_fragment.has_any(MARKS) {
        return Err(refused(Code::InvalidCallback, "the response came in the fragment"));
    }
    if !form::is_well_formed(query) {
        return Err(refused(Code::InvalidCallback, "the encoding of the query"));
    }
    if RESPONSE_PARAMETERS.iter().any(|name| parameters.count(name) > 1) {
        return Err(refused(Code::InvalidCallback, "a parameter came twice"));
    }
    let state = parameters.text("state").filter(|state| state.starts_with(config.tag()));
    let state = state.ok_or_else(|| refused(Code::StateMismatch, "state is missing, or not ours"))?;
    Ok(AuthorizationResponse {
        state: state.to_owned(),
        iss: parameters.text("iss").map(str::to_owned),
        outcome: outcome(&parameters)?,
    })
}

/// Does a query have what makes a URL a response?
pub fn looks_like_response(query: &str) -> bool {
    form::parse(query).has_any(MARKS)
}

fn is_ours(parameters: &Parameters, config: &Config) -> bool {
    let ours = |(name, value): &(String, String)| match name.as_str() {
        "state" => value.starts_with(config.tag()),
        "iss" => config.issuer() == Some(value),
        _ => false,
    };
    parameters.has_any(MARKS) && parameters.0.iter().any(ours)
}

/// Exactly one of `code` and `error`, in its character set (RFC 6749 A.11, 4.1.2.1), and no token.
fn outcome(parameters: &Parameters) -> Result<Result<Secret, String>, AuthError> {
    if parameters.has_any(&["response", "access_token", "id_token"]) {
        return Err(refused(Code::InvalidCallback, "the response is of a kind that was not asked for"));
    }
    let vschar = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    let quoting = |text: &str| text.bytes().any(|b| matches!(b, b'"' | b'\\'));
    match (parameters.text("code"), parameters.text("error")) {
        (Some(code), None) if vschar(code) => Ok(Ok(Secret::new(code.to_owned()))),
        (None, Some(error)) if vschar(error) && !quoting(error) => Ok(Err(error.to_owned())),
        _ => Err(refused(Code::InvalidCallback, "code or error")),
    }
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
