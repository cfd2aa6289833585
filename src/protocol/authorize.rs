//! The authorization request (RFC 6749 4.1.1; RFC 7636 4.3; OpenID Connect Core 3.1.2.1).

use super::config::Config;
use super::error::AuthError;
use super::form::{self, Form};
use super::hash;
use super::json::{self, Value};
use super::metadata::Metadata;
use super::options::{Names, Options, invalid};
use super::pkce::{CodeVerifier, ENTROPY};
use super::transaction::Transaction;
use super::url;

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
    "response_mode",
    "request",
    "request_uri",
    "resource",
    "authorization_details",
    "dpop_jkt",
];

/// The parameters that have an option of their own.
pub const TYPED: &[&str] =
    &["prompt", "acr_values", "max_age", "login_hint", "ui_locales", "display", "claims"];

/// The names of `AuthorizationParams`.
pub const AUTHORIZATION_PARAMS: Names = Names {
    interface: "AuthorizationParams",
    required: &[],
    optional: &["prompt", "acrValues", "maxAge", "loginHint", "uiLocales", "display", "claims", "extra"],
};

/// The names of `SignInOptions`, which has those of `AuthorizationParams` too. (`signal` stays in the page.)
pub const SIGN_IN_OPTIONS: Names = Names {
    interface: "SignInOptions",
    required: &[],
    optional: &[
        "prompt",
        "acrValues",
        "maxAge",
        "loginHint",
        "uiLocales",
        "display",
        "claims",
        "extra",
        "scope",
        "appState",
        "returnTo",
    ],
};

/// Optional request parameters, and what they oblige the ID token to.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
    max_age: Option<i64>,
    acr: Vec<String>,
    auth_time: bool,
}

impl Parameters {
    /// Reads the options that `AuthorizationParams` and `SignInOptions` have in common.
    pub fn read(options: &Options<'_>) -> Result<Parameters, AuthError> {
        let mut parameters = Parameters { max_age: options.number("maxAge")?, ..Parameters::default() };
        let prompts = ["none", "login", "consent", "select_account", "create"];
        let displays = ["page", "popup", "touch", "wap"];
        parameters.set("prompt", options.word("prompt", &prompts)?);
        parameters.set("acr_values", options.text("acrValues")?);
        parameters.set("max_age", parameters.max_age.map(json::decimal).as_deref());
        parameters.set("login_hint", options.text("loginHint")?);
        parameters.set("ui_locales", options.text("uiLocales")?);
        parameters.set("display", options.word("display", &displays)?);
        if let Some(claims) = options.get("claims") {
            parameters.read_claims(claims)?;
        }
        match options.get("extra") {
            None => Ok(parameters),
            Some(extra) => parameters.read_extra(extra).map(|()| parameters),
        }
    }

    fn set(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.pairs.retain(|(known, _)| known != name);
            self.pairs.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The `claims` parameter (Core 5.5). Essential `acr` and `auth_time` are then demanded of the ID token.
    fn read_claims(&mut self, claims: &Value) -> Result<(), AuthError> {
        if !matches!(claims, Value::Object(_)) {
            return Err(invalid("claims", "is not an object"));
        }
        let essential = |name: &str| {
            let claim = claims.get("id_token")?.get(name)?;
            (claim.get("essential") == Some(&Value::Bool(true))).then_some(claim)
        };
        self.auth_time = essential("auth_time").is_some();
        if let Some(acr) = essential("acr") {
            let one = acr.get("value").and_then(Value::as_str);
            let several = acr.get("values").and_then(Value::as_array).unwrap_or_default();
            self.acr =
                one.into_iter().chain(several.iter().filter_map(Value::as_str)).map(str::to_owned).collect();
            if self.acr.is_empty() {
                return Err(invalid("claims", "an essential acr needs value or values"));
            }
        }
        self.set("claims", Some(&json::write(claims)));
        Ok(())
    }

    fn read_extra(&mut self, extra: &Value) -> Result<(), AuthError> {
        let Value::Object(members) = extra else {
            return Err(invalid("extra", "is not an object"));
        };
        for (name, value) in members {
            if OWNED.contains(&name.as_str()) || TYPED.contains(&name.as_str()) {
                return Err(invalid(
                    "extra",
                    "has a parameter that the client sets, or that has its own option",
                ));
            }
            let value = value.as_str().ok_or_else(|| invalid("extra", "has a value that is not a text"))?;
            self.set(name, Some(value));
        }
        Ok(())
    }

    /// These over those: what is set here wins.
    fn over(&self, defaults: &Parameters) -> Parameters {
        let mut merged = defaults.clone();
        for (name, value) in &self.pairs {
            merged.set(name, Some(value));
        }
        merged.max_age = self.max_age.or(defaults.max_age);
        if self.pairs.iter().any(|(name, _)| name == "claims") {
            merged.acr = self.acr.clone();
            merged.auth_time = self.auth_time;
        }
        merged
    }
}

/// One sign-in, as the app asks for it.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    parameters: Parameters,
    scope: Option<Vec<String>>,
    app_state: Option<Value>,
    return_to: Option<String>,
}

impl SignIn {
    /// Reads `SignInOptions`.
    pub fn read(value: &Value) -> Result<SignIn, AuthError> {
        let options = Options::read(value, &SIGN_IN_OPTIONS)?;
        let return_to = options.text("returnTo")?;
        if return_to.is_some_and(|path| !url::is_local_path(path)) {
            return Err(invalid("returnTo", "is not a plain path of this origin"));
        }
        Ok(SignIn {
            parameters: Parameters::read(&options)?,
            scope: options.scope("scope")?,
            app_state: value.get("appState").cloned(),
            return_to: return_to.map(str::to_owned),
        })
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

/// The URL to send the browser to, and what must be kept to judge the response.
pub fn request(
    config: &Config,
    metadata: &Metadata,
    sign_in: &SignIn,
    entropy: &Entropy,
) -> (String, Transaction) {
    let parameters = sign_in.parameters.over(&config.parameters);
    let scope = requested_scope(config, sign_in);
    let verifier = CodeVerifier::new(&entropy.verifier);
    // Bears the client's tag, so that a response can be told from another library's on the same page.
    let state = [config.tag.as_str(), &hash::base64url(&entropy.state)].concat();
    // Core 15.5.2: OpenID Connect alone has a nonce.
    let nonce = scope.iter().any(|token| token == "openid").then(|| hash::base64url(&entropy.nonce));

    let mut form = Form::new();
    form.add("response_type", "code")
        .add("client_id", &config.client_id)
        .add("redirect_uri", &config.redirect_uri)
        .add("scope", &scope.join(" "))
        .add("state", &state)
        .add("nonce", nonce.as_deref().unwrap_or_default())
        .add("code_challenge", &verifier.challenge())
        .add("code_challenge_method", "S256");
    for (name, value) in &parameters.pairs {
        form.add(name, value);
    }
    let transaction = Transaction {
        state,
        verifier,
        nonce,
        redirect_uri: config.redirect_uri.clone(),
        scope,
        max_age: parameters.max_age,
        auth_time: parameters.auth_time,
        acr: parameters.acr,
        app_state: sign_in.app_state.clone(),
        return_to: sign_in.return_to.clone(),
    };
    (form::append_query(&metadata.authorization_endpoint, &form.finish()), transaction)
}

/// What is asked for: the call's scope or else the client's. A client that does OpenID Connect does it in
/// every request (Core 3.1.2.1: without `openid` the behaviour is unspecified).
fn requested_scope(config: &Config, sign_in: &SignIn) -> Vec<String> {
    let mut scope = sign_in.scope.clone().unwrap_or_else(|| config.scope.clone());
    if config.is_openid() && !scope.iter().any(|token| token == "openid") {
        scope.insert(0, "openid".to_owned());
    }
    scope
}
