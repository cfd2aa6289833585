//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0).

use super::config::Config;
use super::error::{AuthError, Code, Phase};
use super::form::{self, Form};
use super::hash;
use super::json::{Object, Value};
use super::pkce::ENTROPY;
use super::secret::Secret;
use super::shape::{self, Kind, Member, optional};
use super::url;

/// `SignOutOptions`.
pub const SIGN_OUT_OPTIONS: &[Member] =
    &[optional("postLogoutRedirectUri", Kind::Redirect), optional("returnTo", Kind::Path)];

/// A sign-out, as the app asks for it: checked `SignOutOptions`.
#[derive(Clone, Debug)]
pub struct SignOut(Value);

impl SignOut {
    /// Checks `SignOutOptions`.
    pub fn read(options: &Value) -> Result<SignOut, AuthError> {
        shape::check_options(options, SIGN_OUT_OPTIONS)?;
        Ok(SignOut(options.clone()))
    }

    /// A path of this origin, for after the sign-out.
    pub fn return_to(&self) -> Option<&str> {
        self.0.text("returnTo")
    }
}

impl Default for SignOut {
    fn default() -> Self {
        SignOut(Object::new().finish())
    }
}

/// The URL to send the browser to (2), with the `state` that it comes back with.
pub fn request(
    config: &Config,
    end_session_endpoint: &str,
    id_token: Option<&Secret>,
    sign_out: &SignOut,
    entropy: &[u8; ENTROPY],
) -> (String, String) {
    let state = [config.tag(), &hash::base64url(entropy)].concat();
    let back = sign_out.0.text("postLogoutRedirectUri").or(config.post_logout_redirect_uri());
    let mut form = Form::new();
    form.add("id_token_hint", id_token.map(Secret::expose).unwrap_or_default())
        .add("client_id", config.client_id());
    if let Some(back) = back {
        form.add("post_logout_redirect_uri", back).add("state", &state);
    }
    (form::append_query(end_session_endpoint, &form.finish()), state)
}

/// The `state` with which the server sent the browser back (3). `not_mine` for a URL that is not where it
/// sends it, `state_mismatch` for one without exactly one `state`.
pub fn response(url: &str, config: &Config) -> Result<String, AuthError> {
    let error = |code, reason| AuthError::new(code, Phase::SignOut, reason);
    let (place, query, _) = url::split(url);
    if !config.post_logout_redirect_uri().is_some_and(|expected| url::same_place(place, expected)) {
        return Err(error(Code::NotMine, "the URL is not the postLogoutRedirectUri"));
    }
    // One page may serve both responses.
    let parameters = form::parse(query);
    if parameters.has_any(&["code", "error"]) {
        return Err(error(Code::NotMine, "the URL is an authorization response"));
    }
    match parameters.text("state") {
        Some(state) if parameters.count("state") == 1 => Ok(state.to_owned()),
        _ => Err(error(Code::StateMismatch, "state is missing, or came twice")),
    }
}
