//! The client's configuration: `AuthOptions`, checked once; nothing downstream checks them again.

use super::authorize;
use super::callback;
use super::error::AuthError;
use super::hash;
use super::id_token;
use super::json::Value;
use super::metadata::{self, Metadata};
use super::scope;
use super::shape::{self, Kind, Member, invalid, optional, required};
use super::target::Target;
use super::url::{self, Url};
use std::rc::Rc;

/// `AuthOptions`. (`logger` and `wasm` stay in the page.)
pub const AUTH_OPTIONS: &[Member] = &[
    required("clientId", Kind::Text),
    optional("issuer", Kind::Text),
    optional("metadata", Kind::Object),
    // The page knows the default, so that it must be there by now.
    optional("redirectUri", Kind::Redirect),
    optional("postLogoutRedirectUri", Kind::Redirect),
    optional("scope", Kind::Scope),
    optional("api", Kind::Any),
    optional("authorizationParams", Kind::Object),
    optional("idToken", Kind::Object),
    optional("timeoutMs", Kind::Number),
    // Of these there is one way of each so far. Saying so is allowed.
    optional("storage", Kind::Word(&["memory"])),
    optional("transactionStorage", Kind::Word(&["sessionStorage"])),
    optional("restore", Kind::Word(&["none"])),
    optional("par", Kind::Word(&["off"])),
];

/// Milliseconds that a request of the client's own may take, by default.
const TIMEOUT: i64 = 10_000;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    options: Value,
    metadata: Option<Rc<Metadata>>,
    issuer: Option<String>,
    targets: Vec<Target>,
    tag: String,
}

impl Config {
    /// Checks `AuthOptions`.
    pub fn read(options: &Value) -> Result<Config, AuthError> {
        shape::check_options(options, AUTH_OPTIONS)?;
        let issuer = options.text("issuer");
        if issuer.is_some_and(|issuer| metadata::well_known(issuer).is_none()) {
            return Err(invalid(
                "issuer",
                "is not an https URL without query and fragment (http on localhost only)",
            ));
        }
        let metadata = options.given("metadata").map(|given| metadata::read(given.clone(), issuer, false));
        let metadata = metadata.transpose().map_err(|error| invalid("metadata", error.reason()))?;
        let issuer = issuer.or_else(|| metadata.as_ref()?.issuer());
        let Some(identity) = issuer.or_else(|| Some(metadata.as_ref()?.token_endpoint())) else {
            return Err(invalid("issuer", "is missing, and metadata too"));
        };
        if options.text("redirectUri").is_none() {
            return Err(invalid("redirectUri", "is missing"));
        }
        if options.integer("timeoutMs") == Some(0) {
            return Err(invalid("timeoutMs", "is 0"));
        }
        if let Some(parameters) = options.given("authorizationParams") {
            shape::check_options(parameters, authorize::AUTHORIZATION_PARAMS)?;
            authorize::check_parameters(parameters)?;
        }
        id_token::check_policy(options.given("idToken"))?;
        let fingerprint = [identity, "\n", options.text("clientId").unwrap_or_default()].concat();
        let config = Config {
            issuer: issuer.map(str::to_owned),
            targets: targets(options.get("api"))?,
            tag: hash::sha256_base64url(fingerprint.as_bytes()).chars().take(8).collect(),
            metadata: metadata.map(Rc::new),
            options: options.clone(),
        };
        config.check_openid().map(|()| config)
    }

    /// Hand-given metadata of a client that does OpenID Connect must say who the issuer is and where its keys
    /// are; discovered metadata is checked for the latter when it comes.
    fn check_openid(&self) -> Result<(), AuthError> {
        if self.is_openid() && self.expected_issuer().is_none() {
            return Err(invalid("issuer", "is missing, and OpenID Connect needs it"));
        }
        // RFC 9207 2.4 compares with an issuer that must be known.
        if self.issuer.is_none() && self.metadata.as_ref().is_some_and(|metadata| metadata.sends_iss()) {
            return Err(invalid("issuer", "is missing, and the server's responses name theirs"));
        }
        let keyless = self.metadata.as_ref().is_some_and(|metadata| metadata.jwks_uri().is_none());
        if self.verifies_signatures() && keyless {
            return Err(invalid("metadata", "has no jwks_uri, and OpenID Connect needs it"));
        }
        Ok(())
    }

    /// Refuses a path that leads to the redirect URI with what looks like a response: it would be handled, and lead
    /// there again.
    pub fn check_return_to(&self, path: Option<&str>) -> Result<(), AuthError> {
        let (before, query, _) = url::split(path.unwrap_or_default());
        let (redirect, ..) = url::split(self.redirect_uri());
        let here = Url::parse(redirect).is_some_and(|url| url.path == before);
        match here && callback::looks_like_response(query) {
            true => Err(invalid("returnTo", "is a response to this client")),
            false => Ok(()),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.options.text(name).unwrap_or_default()
    }

    fn policy(&self) -> Option<&Value> {
        self.options.given("idToken")
    }

    /// The client identifier.
    pub fn client_id(&self) -> &str {
        self.text("clientId")
    }

    /// Exactly as configured: the server compares it as text.
    pub fn redirect_uri(&self) -> &str {
        self.text("redirectUri")
    }

    /// Where the server sends the browser after sign-out.
    pub fn post_logout_redirect_uri(&self) -> Option<&str> {
        self.options.text("postLogoutRedirectUri")
    }

    /// The issuer identifier; with hand-given metadata, that document's.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Metadata given by hand: nothing is fetched then.
    pub fn metadata(&self) -> Option<&Rc<Metadata>> {
        self.metadata.as_ref()
    }

    /// What is asked for unless a sign-in says otherwise: OpenID Connect where there is discovery, and nothing
    /// with metadata given by hand alone.
    pub fn scope(&self) -> Vec<String> {
        match self.options.get("scope").and_then(scope::read) {
            Some(scope) => scope,
            None if self.metadata.is_none() => vec!["openid".to_owned()],
            None => Vec::new(),
        }
    }

    /// Does this client do OpenID Connect, or plain OAuth?
    pub fn is_openid(&self) -> bool {
        self.scope().iter().any(|scope| scope == "openid")
    }

    /// Are ID tokens expected, and their signatures verified?
    pub fn verifies_signatures(&self) -> bool {
        self.is_openid() && !self.skips_signatures()
    }

    /// Does the app take ID tokens at the word of TLS alone?
    pub fn skips_signatures(&self) -> bool {
        self.policy().is_some_and(|policy| policy.is_true("dangerouslySkipSignature"))
    }

    /// The policy for ID tokens, where there is one.
    pub fn id_token_policy(&self) -> &Value {
        self.policy().unwrap_or(&Value::Null)
    }

    /// The `iss` that ID tokens must have.
    pub fn expected_issuer(&self) -> Option<&str> {
        self.id_token_policy().text("expectIssuer").or(self.issuer())
    }

    /// Authorization parameters of every sign-in.
    pub fn parameters(&self) -> Option<&Value> {
        self.options.given("authorizationParams")
    }

    /// Where access tokens may be sent.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Milliseconds that a request of the client's own may take.
    pub fn timeout(&self) -> i64 {
        self.options.integer("timeoutMs").unwrap_or(TIMEOUT)
    }

    /// Eight characters that stand for this issuer and client: every `state` of ours begins with them.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

fn targets(api: Option<&Value>) -> Result<Vec<Target>, AuthError> {
    match api {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(targets)) => targets.iter().map(Target::read).collect(),
        Some(target) => Ok(vec![Target::read(target)?]),
    }
}
