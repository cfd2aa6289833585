//! Logout: what this client begins (OpenID Connect RP-Initiated Logout 1.0), and what the server tells it of
//! (OpenID Connect Front-Channel Logout 1.0).

use super::callback;
use super::config::Config;
use super::error::AuthError;
use super::form::{self, Form};
use super::hash;
use super::json::{Object, Value};
use super::pkce::ENTROPY;
use super::secret::Secret;
use super::shape::{self, Kind, Member, optional};
use super::url;

/// `SignOutOptions`.
pub const SIGN_OUT_OPTIONS: &[Member] = &[
    optional("postLogoutRedirectUri", Kind::Redirect),
    optional("returnTo", Kind::Path),
    optional("revoke", Kind::Flag),
];

/// A sign-out, as the app asks for it: checked `SignOutOptions`.
#[derive(Clone, Debug)]
pub struct SignOut(Value);

impl SignOut {
    /// Checks `SignOutOptions`.
    pub fn read(options: &Value) -> Result<SignOut, AuthError> {
        shape::check_options(options, SIGN_OUT_OPTIONS)?;
        Ok(SignOut(options.clone()))
    }

    /// Checks what depends on the client; see [`Config::check_return_to`].
    pub fn check(&self, config: &Config) -> Result<(), AuthError> {
        config.check_return_to(self.return_to())
    }

    /// A path of this origin, for after the sign-out.
    pub fn return_to(&self) -> Option<&str> {
        self.0.text("returnTo")
    }

    /// Shall the server forget the tokens too?
    pub fn revoke(&self) -> bool {
        self.0.is_true("revoke")
    }
}

impl Default for SignOut {
    fn default() -> Self {
        SignOut(Object::new().finish())
    }
}

/// What is sent, and what must be kept to know the way back.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Departure {
    pub url: String,
    pub state: String,
    pub post_logout_redirect_uri: Option<String>,
}

/// The one parameter of a sign-out page that knows nothing of the standard. The way back from there has no `state`:
/// the parameter's name stands in for it, so that a sign-out of this tab is known to be in progress. Where the browser
/// then goes is a path that the app chose, and nobody is signed in or out by it.
pub fn return_parameter(config: &Config) -> Option<&str> {
    config.policies().text("signOutReturnParameter")
}

/// The URL to send the browser to (2).
pub fn request(
    config: &Config,
    end_session_endpoint: &str,
    id_token: Option<&Secret>,
    sign_out: &SignOut,
    entropy: &[u8; ENTROPY],
) -> Departure {
    let state = [config.tag(), &hash::base64url(entropy)].concat();
    let back = sign_out.0.text("postLogoutRedirectUri").or(config.post_logout_redirect_uri());
    let return_parameter = return_parameter(config);
    let mut form = Form::new();
    match (return_parameter, back) {
        (Some(name), back) => form.add(name, back.unwrap_or_default()),
        (None, back) => {
            let hint = id_token.map(Secret::expose).unwrap_or_default();
            form.add("id_token_hint", hint).add("client_id", config.sent_client_id());
            // Without a way back there is nothing to recognise.
            form.add("post_logout_redirect_uri", back.unwrap_or_default());
            form.add("state", back.map(|_| state.as_str()).unwrap_or_default())
        }
    };
    Departure {
        url: form::append_query(end_session_endpoint, &form.finish()),
        state: return_parameter.map_or(state, str::to_owned),
        post_logout_redirect_uri: back.map(str::to_owned),
    }
}

/// The URL that the server sent the browser back to (3).
#[derive(Debug)]
pub struct Return<'a> {
    /// Without query and fragment.
    pub place: &'a str,
    /// If there is exactly one.
    pub state: Option<String>,
}

/// Reads the URL of a way back; nothing where it is an authorization response, as one page may serve both.
pub fn response(url: &str) -> Option<Return<'_>> {
    let (place, query, _) = url::split(url);
    if callback::bears_response(url) {
        return None;
    }
    let parameters = form::parse(query);
    let state = parameters.text("state").filter(|_| parameters.count("state") == 1);
    Some(Return { place, state: state.map(str::to_owned) })
}

/// Does a URL that the server loads in a frame end this session (Front-Channel Logout 2, 3)? It must name its
/// issuer and the `sid` of its ID token. Both are optional there; without them any site could sign people out.
pub fn front_channel(url: &str, issuer: &str, sid: Option<&str>) -> bool {
    let (_, query, _) = url::split(url);
    let parameters = form::parse(query);
    let names = |name: &str, expected: &str| {
        parameters.count(name) == 1 && !expected.is_empty() && parameters.text(name) == Some(expected)
    };
    form::is_well_formed(query) && names("iss", issuer) && sid.is_some_and(|sid| names("sid", sid))
}
