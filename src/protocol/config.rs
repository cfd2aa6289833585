//! The client's configuration: `AuthOptions`, checked once; nothing downstream checks them again.

use super::authorize;
use super::callback;
use super::error::AuthError;
use super::hash;
use super::id_token;
use super::json::Value;
use super::jwt::Algorithm;
use super::metadata::{self, Metadata};
use super::policies;
use super::providers;
use super::scope::{self, Grammar, PLAIN};
use super::shape::{self, Kind, Member, invalid, optional, required};
use super::target::Target;
use super::text;
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
    optional("silentRedirectUri", Kind::Redirect),
    optional("scope", Kind::Scope),
    optional("resource", Kind::Resource),
    optional("api", Kind::Any),
    optional("authorizationParams", Kind::Object),
    optional("idToken", Kind::Object),
    optional("timeoutMs", Kind::Number),
    optional("storage", Kind::Word(&["memory", "sessionStorage", "localStorage"])),
    // The page's, which goes by them; here they are checked.
    optional("restore", Kind::Word(&["auto", "silent", "redirect", "none"])),
    optional("restoreTimeoutMs", Kind::Number),
    optional("loopGuard", Kind::Object),
    optional("transactionStorage", Kind::Word(&["sessionStorage", "cookie", "memory"])),
    optional("par", Kind::Word(&["auto", "required", "off"])),
    // True, or an object of `DPOP_OPTIONS`.
    optional("dpop", Kind::Any),
    optional("refresh", Kind::Object),
    optional("policies", Kind::Object),
];

/// The object form of `dpop`.
pub const DPOP_OPTIONS: &[Member] = &[optional("algorithms", Kind::Texts)];

/// The option `loopGuard`.
pub const LOOP_GUARD: &[Member] = &[required("max", Kind::Number), required("windowSec", Kind::Number)];

/// The option `refresh`.
pub const REFRESH_OPTIONS: &[Member] = &[optional("leewaySec", Kind::Number), optional("auto", Kind::Flag)];

/// Seconds before its end in which a token is not used any more if another can be had, by default.
const LEEWAY: i64 = 30;

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
    grammar: &'static Grammar,
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
        if let Some(Value::Object(members)) = options.given("metadata")
            && let Some((name, _)) = members.iter().find(|(name, _)| shape::has_word(name, "secret"))
        {
            return Err(shape::refused(name));
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
        check_dpop(options.given("dpop"))?;
        options.given("loopGuard").map_or(Ok(()), |guard| shape::check_options(guard, LOOP_GUARD))?;
        options.given("refresh").map_or(Ok(()), |refresh| shape::check_options(refresh, REFRESH_OPTIONS))?;
        options.given("policies").map_or(Ok(()), policies::check)?;
        let fingerprint = [identity, "\n", options.text("clientId").unwrap_or_default()].concat();
        let config = Config {
            issuer: issuer.map(str::to_owned),
            targets: Target::read_all(options.get("api"))?,
            tag: hash::sha256_base64url(fingerprint.as_bytes()).chars().take(8).collect(),
            metadata: metadata.map(Rc::new),
            grammar: providers::grammar(options.given("policies").and_then(|it| it.text("scopeGrammar"))),
            options: options.clone(),
        };
        config.check_redirect_uris()?;
        config.check_openid().map(|()| config)
    }

    /// Some servers put `?code=…` behind whatever the redirect URI is: with a query of its own, it is no response.
    fn check_redirect_uris(&self) -> Result<(), AuthError> {
        let uris = [("redirectUri", self.redirect_uri()), ("silentRedirectUri", self.silent_redirect_uri())];
        let misfit = uris.into_iter().find(|(_, uri)| text::cut(uri, b'?').is_some());
        match misfit.filter(|_| self.policies().is_true("plainRedirectUri")) {
            Some((name, _)) => Err(invalid(name, "has a query, which this server does not keep")),
            None => Ok(()),
        }
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
        let path = path.unwrap_or_default();
        let (before, ..) = url::split(path);
        let (redirect, ..) = url::split(self.redirect_uri());
        let here = Url::parse(redirect).is_some_and(|url| url.path == before);
        match here && callback::bears_response(path) {
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

    /// The client identifier as the server is told it: not at all where it knows none, which an empty parameter is.
    pub fn sent_client_id(&self) -> &str {
        if self.policies().is_true("omitClientId") { "" } else { self.client_id() }
    }

    /// Exactly as configured: the server compares it as text.
    pub fn redirect_uri(&self) -> &str {
        self.text("redirectUri")
    }

    /// Where the response to a hidden frame comes to.
    pub fn silent_redirect_uri(&self) -> &str {
        self.options.text("silentRedirectUri").unwrap_or(self.redirect_uri())
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

    /// Where the session rests, unless in memory alone.
    pub fn storage(&self) -> Option<&str> {
        self.options.text("storage").filter(|storage| *storage != "memory")
    }

    /// Where a sign-in in progress rests while the page is away.
    pub fn transaction_storage(&self) -> &str {
        self.options.text("transactionStorage").unwrap_or("sessionStorage")
    }

    /// Authorization parameters of every sign-in.
    pub fn parameters(&self) -> Option<&Value> {
        self.options.given("authorizationParams")
    }

    /// The resources that are asked for unless a sign-in says otherwise (RFC 8707).
    pub fn resources(&self) -> Vec<String> {
        self.options.given("resource").map(shape::resources).unwrap_or_default()
    }

    /// Are authorization requests pushed (RFC 9126)? `required`, `auto` (where the server can), or `off`; nothing
    /// said: where the server takes no others.
    pub fn par(&self) -> Option<&str> {
        self.options.text("par")
    }

    /// The algorithms of DPoP proofs, the preferred one first; none without DPoP.
    pub fn dpop_algorithms(&self) -> Option<Vec<Algorithm>> {
        let dpop = self.options.given("dpop").filter(|dpop| **dpop != Value::Bool(false))?;
        let named = dpop.get("algorithms").and_then(Value::texts);
        Some(named.map_or_else(|| DPOP_ALGORITHMS.to_vec(), |names| Algorithm::known(&names)))
    }

    /// Milliseconds before its end in which a token is not used any more if another can be had.
    pub fn leeway(&self) -> i64 {
        let refresh = self.options.given("refresh");
        refresh.and_then(|refresh| refresh.integer("leewaySec")).unwrap_or(LEEWAY).saturating_mul(1000)
    }

    /// Are tokens refreshed before they run out, or when one is asked for?
    pub fn refreshes_ahead(&self) -> bool {
        let refresh = self.options.given("refresh");
        refresh.and_then(|refresh| refresh.get("auto")) != Some(&Value::Bool(false))
    }

    /// In what the server is known to deviate from the standards.
    pub fn policies(&self) -> &Value {
        self.options.given("policies").unwrap_or(&Value::Null)
    }

    /// What scopes mean.
    pub fn grammar(&self) -> &'static Grammar {
        self.grammar
    }

    /// What scopes mean for a URL: where it is not the server's own, its path is no place that they name.
    pub fn grammar_at(&self, href: &str) -> &'static Grammar {
        match self.policies().text("scopeOrigin") {
            Some(own) if url::origin(href) != Some(own) => &PLAIN,
            _ => self.grammar,
        }
    }

    /// Does a sign-in keep what was granted before? Only where it is known what scopes mean together.
    pub fn keeps_granted(&self) -> bool {
        self.policies().given("scopeGrammar").is_some()
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

/// The algorithms that a proof may be signed with, the one that every browser has first.
const DPOP_ALGORITHMS: &[Algorithm] = &[Algorithm::Es256, Algorithm::EdDsa];

fn check_dpop(dpop: Option<&Value>) -> Result<(), AuthError> {
    let Some(dpop) = dpop.filter(|dpop| !matches!(dpop, Value::Bool(_))) else { return Ok(()) };
    if !matches!(dpop, Value::Object(_)) {
        return Err(invalid("dpop", "is neither true, false nor an object"));
    }
    shape::check_options(dpop, DPOP_OPTIONS)?;
    let Some(names) = dpop.get("algorithms").and_then(Value::texts) else { return Ok(()) };
    let known = Algorithm::known(&names);
    match !names.is_empty()
        && known.len() == names.len()
        && known.iter().all(|it| DPOP_ALGORITHMS.contains(it))
    {
        true => Ok(()),
        false => Err(invalid("algorithms", "is empty, or names another than ES256 and EdDSA")),
    }
}
