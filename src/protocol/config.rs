//! The client's configuration, read once from `AuthOptions`; nothing downstream checks it again.

use super::authorize::{self, Parameters};
use super::callback;
use super::error::AuthError;
use super::form;
use super::hash;
use super::id_token::Policy;
use super::json::Value;
use super::metadata::{self, Metadata};
use super::options::{Names, Options, invalid};
use super::target::Target;
use super::url::Url;
use std::rc::Rc;

/// The names of `AuthOptions`. (`logger` and `wasm` stay in the page.)
pub const AUTH_OPTIONS: Names = Names {
    interface: "AuthOptions",
    required: &["clientId"],
    optional: &[
        "issuer",
        "metadata",
        "redirectUri",
        "postLogoutRedirectUri",
        "scope",
        "api",
        "authorizationParams",
        "idToken",
        "timeoutMs",
    ],
};

/// Milliseconds that a request of the client's own may take, by default.
const TIMEOUT: i64 = 10_000;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuer identifier; with hand-given metadata, that document's.
    pub issuer: Option<String>,
    /// Metadata given by hand: nothing is fetched then.
    pub metadata: Option<Rc<Metadata>>,
    /// The client identifier.
    pub client_id: String,
    /// Exactly as configured; the server compares it as text.
    pub redirect_uri: String,
    /// Where the server sends the browser after sign-out.
    pub post_logout_redirect_uri: Option<String>,
    /// What is asked for unless a sign-in says otherwise.
    pub scope: Vec<String>,
    /// Where access tokens may be sent.
    pub targets: Vec<Target>,
    /// Authorization parameters of every sign-in.
    pub parameters: Parameters,
    /// The policy for ID tokens.
    pub id_token: Policy,
    /// Milliseconds that a request of the client's own may take.
    pub timeout: i64,
    /// Eight characters that stand for this issuer and client: every `state` of ours begins with them.
    pub tag: String,
}

impl Config {
    /// Reads and checks `AuthOptions`. `redirectUri` must be there by now: its default, the page, is known to
    /// the page alone.
    pub fn read(value: &Value) -> Result<Config, AuthError> {
        let options = Options::read(value, &AUTH_OPTIONS)?;
        let id_token = Policy::read(options.get("idToken"))?;
        let issuer = options.text("issuer")?;
        if issuer.is_some_and(|issuer| metadata::well_known(issuer).is_none()) {
            return Err(invalid("issuer", "is not an https URL without query and fragment"));
        }
        let metadata =
            options.get("metadata").map(|document| metadata::read(document, issuer, false)).transpose();
        let metadata = metadata.map_err(|error| invalid("metadata", error.reason()))?;
        let issuer = issuer.or(metadata.as_ref().and_then(|metadata| metadata.issuer.as_deref()));
        let Some(identity) = issuer.or(metadata.as_ref().map(|metadata| metadata.token_endpoint.as_str()))
        else {
            return Err(invalid("issuer", "is missing, and metadata too"));
        };
        let client_id = options.text("clientId")?.unwrap_or_default();
        let redirect_uri =
            redirect(&options, "redirectUri")?.ok_or_else(|| invalid("redirectUri", "is missing"))?;
        let config = Config {
            issuer: issuer.map(str::to_owned),
            client_id: client_id.to_owned(),
            redirect_uri,
            post_logout_redirect_uri: redirect(&options, "postLogoutRedirectUri")?,
            scope: options
                .scope("scope")?
                .unwrap_or_else(|| default_scope(options.get("metadata").is_none())),
            targets: options.list("api").iter().map(Target::read).collect::<Result<_, _>>()?,
            parameters: parameters(&options)?,
            id_token,
            timeout: timeout(&options)?,
            tag: hash::sha256_base64url([identity, "\n", client_id].concat().as_bytes())
                .chars()
                .take(8)
                .collect(),
            metadata: metadata.map(Rc::new),
        };
        config.check_openid()?;
        Ok(config)
    }

    /// Does this client do OpenID Connect, or plain OAuth?
    pub fn is_openid(&self) -> bool {
        self.scope.iter().any(|scope| scope == "openid")
    }

    /// Hand-given metadata of a client that does OpenID Connect must say who the issuer is and where its keys
    /// are; discovered metadata is checked for the latter when it comes.
    fn check_openid(&self) -> Result<(), AuthError> {
        if !self.is_openid() {
            return Ok(());
        }
        if self.issuer.is_none() && self.id_token.expect_issuer.is_none() {
            return Err(invalid("issuer", "is missing, and OpenID Connect needs it"));
        }
        let keyless = self.metadata.as_ref().is_some_and(|metadata| metadata.jwks_uri.is_none());
        if keyless && !self.id_token.skip_signature {
            return Err(invalid("metadata", "has no jwks_uri, and OpenID Connect needs it"));
        }
        Ok(())
    }
}

/// OpenID Connect where there is discovery; plain OAuth with metadata given by hand.
fn default_scope(discovered: bool) -> Vec<String> {
    if discovered { vec!["openid".to_owned()] } else { Vec::new() }
}

fn parameters(options: &Options<'_>) -> Result<Parameters, AuthError> {
    match options.get("authorizationParams") {
        None => Ok(Parameters::default()),
        Some(value) => Parameters::read(&Options::read(value, &authorize::AUTHORIZATION_PARAMS)?),
    }
}

fn timeout(options: &Options<'_>) -> Result<i64, AuthError> {
    match options.number("timeoutMs")? {
        Some(0) => Err(invalid("timeoutMs", "is 0")),
        timeout => Ok(timeout.unwrap_or(TIMEOUT)),
    }
}

/// A URI that the server redirects to: absolute, without fragment (RFC 6749 3.1.2), https or loopback.
pub(crate) fn redirect(options: &Options<'_>, name: &str) -> Result<Option<String>, AuthError> {
    let Some(text) = options.text(name)? else { return Ok(None) };
    let url = Url::canonical(text).ok_or_else(|| {
        invalid(name, "is not an absolute https URL without fragment, as browsers spell it")
    })?;
    let query = url.query.unwrap_or_default();
    if form::decode(query).any(|(parameter, _)| callback::RESPONSE_PARAMETERS.contains(&parameter.as_ref())) {
        return Err(invalid(name, "has a parameter that the response will have"));
    }
    Ok(Some(text.to_owned()))
}
