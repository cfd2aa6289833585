//! The authorization request (RFC 6749 4.1.1; RFC 7636 4.3; OpenID Connect Core 3.1.2.1).

use super::config::Config;
use super::error::AuthError;
use super::form::{self, Form};
use super::hash;
use super::json::{self, Object, Value};
use super::metadata::Metadata;
use super::pkce::{CodeVerifier, ENTROPY};
use super::scope;
use super::shape::{self, Kind, Member, invalid, optional};

/// The parameters that the client sets; nobody may set them another way.
pub const OWNED: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "resource",
    "dpop_jkt",
];

/// The parameters that have an option of their own.
const TYPED: &[(&str, &str)] = &[
    ("prompt", "prompt"),
    ("acrValues", "acr_values"),
    ("maxAge", "max_age"),
    ("loginHint", "login_hint"),
    ("uiLocales", "ui_locales"),
    ("display", "display"),
    ("claims", "claims"),
    ("authorizationDetails", "authorization_details"),
    ("responseMode", "response_mode"),
];

const PROMPT: Kind = Kind::Word(&["none", "login", "consent", "select_account", "create"]);
const DISPLAY: Kind = Kind::Word(&["page", "popup", "touch", "wap"]);
const RESPONSE_MODE: Kind = Kind::Word(&["query", "fragment", "jwt"]);

/// `SignInOptions`. (`signal` stays in the page.) The first members are those of `AuthorizationParams`.
pub const SIGN_IN_OPTIONS: &[Member] = &[
    optional("prompt", PROMPT),
    optional("acrValues", Kind::Text),
    optional("maxAge", Kind::Number),
    optional("loginHint", Kind::Text),
    optional("uiLocales", Kind::Text),
    optional("display", DISPLAY),
    optional("claims", Kind::Object),
    optional("authorizationDetails", Kind::Details),
    optional("responseMode", RESPONSE_MODE),
    optional("extra", Kind::Object),
    optional("scope", Kind::Scope),
    optional("resource", Kind::Resource),
    optional("appState", Kind::Any),
    optional("returnTo", Kind::Path),
];

/// `AuthorizationParams`.
pub const AUTHORIZATION_PARAMS: &[Member] = SIGN_IN_OPTIONS.split_at(10).0;

/// A browser app has none of these.
const CREDENTIALS: &[&str] = &["client_secret", "client_assertion", "client_assertion_type"];

/// Is a parameter one that `extra` and an endpoint's own query must not have? It would be sent twice.
pub fn is_reserved(parameter: &str) -> bool {
    OWNED.contains(&parameter) || TYPED.iter().any(|(_, typed)| *typed == parameter)
}

/// Checks what no table can say of authorization parameters.
pub fn check_parameters(options: &Value) -> Result<(), AuthError> {
    if let Some(Value::Object(extra)) = options.get("extra") {
        if let Some((name, _)) = extra.iter().find(|(name, _)| CREDENTIALS.contains(&name.as_str())) {
            return Err(shape::refused(name));
        }
        if extra.iter().any(|(name, _)| is_reserved(name)) {
            return Err(invalid("extra", "has a parameter that the client sets, or that has its own option"));
        }
        if extra.iter().any(|(_, value)| value.as_str().is_none()) {
            return Err(invalid("extra", "has a value that is not a text"));
        }
    }
    if essential(options, "acr").is_some_and(|acr| classes(acr).is_empty()) {
        return Err(invalid("claims", "has an essential acr without value or values"));
    }
    Ok(())
}

/// The claim of the ID token that `claims` asks for as essential (Core 5.5.1).
fn essential<'a>(options: &'a Value, claim: &str) -> Option<&'a Value> {
    options.get("claims")?.get("id_token")?.get(claim).filter(|claim| claim.is_true("essential"))
}

/// The classes that would do for an essential `acr` (Core 5.5.1.1).
fn classes(acr: &Value) -> Vec<String> {
    match acr.text("value") {
        Some(value) => vec![value.to_owned()],
        None => acr.get("values").and_then(Value::texts).unwrap_or_default(),
    }
}

/// One sign-in, as the app asks for it: checked `SignInOptions`.
#[derive(Clone, Debug)]
pub struct SignIn(Value);

impl SignIn {
    /// Checks `SignInOptions`.
    pub fn read(options: &Value) -> Result<SignIn, AuthError> {
        shape::check_options(options, SIGN_IN_OPTIONS)?;
        check_parameters(options)?;
        Ok(SignIn(options.clone()))
    }

    /// Checks what depends on the client: whether it does OpenID Connect is said once, in its own `scope`, by which
    /// its keys and issuer were checked; and a `returnTo` must not lead back into the response's page with what
    /// looks like a response.
    pub fn check(&self, config: &Config) -> Result<(), AuthError> {
        let scope = self.0.get("scope").and_then(scope::read).unwrap_or_default();
        if !config.is_openid() && scope.iter().any(|token| token == "openid") {
            return Err(invalid("scope", "has openid, and the client's own scope has not"));
        }
        config.check_return_to(self.0.text("returnTo"))
    }

    /// The resources that the tokens shall be good for (RFC 8707 2): the call's, or else the client's.
    pub fn resources(&self, config: &Config) -> Vec<String> {
        self.0.given("resource").map_or_else(|| config.resources(), shape::resources)
    }

    /// The options, to be compared.
    pub fn options(&self) -> &Value {
        &self.0
    }
}

impl Default for SignIn {
    fn default() -> Self {
        SignIn(Object::new().finish())
    }
}

/// Which window waits for the response. Its sign stands in the `state`, so that the page that gets the response knows
/// whether it is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The one that was sent away, when it is back.
    Page,
    /// The one that opened a popup for it.
    Popup,
    /// The one that holds a hidden frame for it.
    Frame,
}

impl Window {
    /// How the states begin of those who wait in this kind of window.
    pub fn beginning(self, config: &Config) -> String {
        [config.tag(), self.sign()].concat()
    }

    fn sign(self) -> &'static str {
        match self {
            Window::Page => "r",
            Window::Popup => "p",
            Window::Frame => "f",
        }
    }

    /// Where the response comes to.
    fn redirect_uri(self, config: &Config) -> &str {
        match self {
            Window::Frame => config.silent_redirect_uri(),
            _ => config.redirect_uri(),
        }
    }
}

/// Fresh octets for one request (RFC 9700 2.1.1: never used again).
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Entropy {
    pub state: [u8; ENTROPY],
    pub nonce: [u8; ENTROPY],
    pub verifier: [u8; ENTROPY],
}

/// The parameters of the request, and the record that the response is judged by; see `transaction`. `thumbprint` is
/// that of the key that the tokens shall be bound to (RFC 9449 10); `granted` is what the session has.
pub fn request(
    config: &Config,
    sign_in: &SignIn,
    window: Window,
    entropy: &Entropy,
    thumbprint: Option<&str>,
    granted: &[String],
) -> (Form, Value) {
    let (given, defaults) = (&sign_in.0, config.parameters());
    let option = |name: &str| given.given(name).or_else(|| defaults?.given(name));
    let scope = requested_scope(config, given, granted);
    let verifier = CodeVerifier::new(&entropy.verifier);
    // Bears the client's tag, so that a response can be told from another library's on the same page.
    let state = window.beginning(config) + &hash::base64url(&entropy.state);
    let redirect_uri = window.redirect_uri(config);
    // Core 15.5.2: OpenID Connect alone has a nonce.
    let nonce = scope.iter().any(|token| token == "openid").then(|| hash::base64url(&entropy.nonce));
    let resources = sign_in.resources(config);

    let mut form = Form::new();
    form.add("response_type", "code")
        .add("client_id", config.sent_client_id())
        .add("redirect_uri", redirect_uri)
        .add("scope", &scope::write(&scope))
        .add("state", &state)
        .add("nonce", nonce.as_deref().unwrap_or_default())
        .add("code_challenge", &verifier.challenge())
        .add("code_challenge_method", "S256")
        .add("dpop_jkt", thumbprint.unwrap_or_default());
    for resource in &resources {
        form.add("resource", resource);
    }
    for (name, parameter) in TYPED {
        match option(name) {
            None => &mut form,
            Some(Value::String(text)) => form.add(parameter, text),
            Some(value) => form.add(parameter, &json::write(value)),
        };
    }
    add_extra(&mut form, given.get("extra"), None);
    add_extra(&mut form, defaults.and_then(|defaults| defaults.get("extra")), given.get("extra"));

    let asked = |claim: &str| essential(given, claim).or_else(|| essential(defaults?, claim));
    let record = Object::new()
        .text("state", &state)
        .text("verifier", verifier.expose())
        .maybe_text("nonce", nonce.as_deref())
        .maybe_text("jkt", thumbprint)
        .maybe_text("issuer", config.issuer())
        .text("redirectUri", redirect_uri)
        .texts("scope", &scope)
        .maybe_text("resource", resources.first().map(String::as_str))
        .maybe_text("responseMode", option("responseMode").and_then(Value::as_str))
        .value("maxAge", option("maxAge").cloned().unwrap_or(Value::Null))
        .value("authTime", Value::Bool(asked("auth_time").is_some()))
        .texts("acr", &asked("acr").map(classes).unwrap_or_default())
        .value("appState", given.get("appState").cloned().unwrap_or(Value::Null))
        .maybe_text("returnTo", given.text("returnTo"));
    (form, record.finish())
}

/// The URL to send the browser to with these parameters.
pub fn url(metadata: &Metadata, form: Form) -> String {
    form::append_query(metadata.authorization_endpoint(), &form.finish())
}

/// Adds parameters of the app's own, but for those that `over` has too.
fn add_extra(form: &mut Form, extra: Option<&Value>, over: Option<&Value>) {
    if let Some(Value::Object(extra)) = extra {
        for (name, value) in extra.iter().filter(|(name, _)| over.and_then(|over| over.get(name)).is_none()) {
            form.add(name, value.as_str().unwrap_or_default());
        }
    }
}

/// What is asked for: the call's scope or else the client's. A client that does OpenID Connect does it in
/// every request (Core 3.1.2.1: without `openid` the behaviour is unspecified). Where it is known what scopes mean,
/// who is signed in keeps what was granted, and is asked for the rest.
fn requested_scope(config: &Config, given: &Value, granted: &[String]) -> Vec<String> {
    let mut scope = given.get("scope").and_then(scope::read).unwrap_or_else(|| config.scope());
    if config.is_openid() && !scope.iter().any(|token| token == "openid") {
        scope.insert(0, "openid".to_owned());
    }
    if config.keeps_granted() {
        config.grammar().keep(&mut scope, granted);
        // A server may grant it to a client that did not ask for it, and would not know what to do with it.
        scope.retain(|token| token != "openid" || config.is_openid());
    }
    scope
}
