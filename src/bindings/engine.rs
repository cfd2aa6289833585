//! The entry: operations by name.

use super::{error, events};
use crate::browser::{Browser, value};
use crate::client::{AccessToken, AuthorizeRequest, Call, Client, Farewell, SignInResult, Which};
use crate::protocol::authorize::{SignIn, Window};
use crate::protocol::config::Config;
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::initiated;
use crate::protocol::json::{self, Object, Value};
use crate::protocol::logout::SignOut;
use crate::protocol::scope;
use crate::protocol::shape::{self, Kind, Member, optional, required};
use crate::protocol::target::Target;
use crate::protocol::token::TokenOptions;
use js_sys::{Array, Function, Promise};
use std::future::Future;
use std::pin::Pin;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

/// A client, as JavaScript holds it.
#[wasm_bindgen]
pub struct Engine {
    client: Client<Browser>,
}

type Operation = Pin<Box<dyn Future<Output = Result<JsValue, AuthError>>>>;

/// All asynchronous operations share this one promise machine.
fn promise(operation: Operation) -> Promise {
    future_to_promise(async move { operation.await.map_err(|failure| error::to_js(&failure)) })
}

#[wasm_bindgen]
impl Engine {
    /// A client with `AuthOptions` as JSON. `listener` is called with the name and the detail of each event.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str, listener: Function) -> Result<Engine, JsValue> {
        let config = arguments(options).and_then(|options| Config::read(&options));
        let config = config.map_err(|failure| error::to_js(&failure))?;
        let client = Client::new(Browser, config, move |event| events::emit(&listener, &event));
        Ok(Engine { client })
    }

    /// An operation that waits for the network.
    pub fn call(&self, operation: String, text: String) -> Promise {
        let client = self.client.clone();
        promise(Box::pin(async move { operate(&client, &operation, &arguments(&text)?).await }))
    }

    /// An operation that is done when it returns.
    pub fn run(&self, operation: &str, text: &str) -> Result<JsValue, JsValue> {
        self.try_run(operation, text).map_err(|failure| error::to_js(&failure))
    }

    /// The caller's request with a token, if it may have one: `[response, challenge]`. `api` is a JSON text of the
    /// targets that it may go to, or empty for the client's own; `replayable` is false for a body that can be read
    /// only once.
    pub fn fetch(&self, request: web_sys::Request, api: String, replayable: bool) -> Promise {
        let client = self.client.clone();
        promise(Box::pin(async move {
            let targets =
                if api.is_empty() { None } else { Some(Target::read_all(Some(&arguments(&api)?))?) };
            let call = call(request, replayable);
            let fetched = client.fetch(&call, targets.as_deref()).await?;
            let challenge = fetched.step_up.map_or(JsValue::NULL, |it| value::to_js(&events::step_up(&it)));
            Ok(Array::of2(&fetched.answer, &challenge).into())
        }))
    }
}

/// The operations in one state machine: a boxed future for each would be larger.
async fn operate(client: &Client<Browser>, operation: &str, given: &Value) -> Result<JsValue, AuthError> {
    match operation {
        "open" => {
            client.restore().await;
            Ok(JsValue::UNDEFINED)
        }
        "prepare" => client.prepare(&SignIn::read(given)?).await.map(|()| JsValue::UNDEFINED),
        "begin" => begin(client, given, Window::Page).await,
        "beginPopup" => begin(client, given, Window::Popup).await,
        "beginFrame" => begin(client, given, Window::Frame).await,
        "look" => {
            client.look().await;
            Ok(JsValue::UNDEFINED)
        }
        "handleCallback" => Ok(value::to_js(&signed_in(&*client.handle_callback(&url(given)?).await?))),
        "getToken" => Ok(value::to_js(&token(&client.token(&TokenOptions::read(given)?).await?))),
        "userInfo" => Ok(value::to_js(&client.user_info().await?)),
        "revoke" => client.revoke(which(given)?).await.map(|()| JsValue::UNDEFINED),
        "dpopProof" => Ok(JsValue::from_str(&proof(client, given).await?)),
        "signOut" => Ok(match client.sign_out(&SignOut::read(given)?).await? {
            Farewell::Server(url) | Farewell::Here(url) => JsValue::from_str(&url),
            Farewell::Stay => JsValue::UNDEFINED,
        }),
        "handleSignOutCallback" => {
            let path = client.handle_sign_out_callback(&url(given)?)?;
            Ok(path.map_or(JsValue::UNDEFINED, |path| JsValue::from_str(&path)))
        }
        _ => Err(unknown()),
    }
}

impl Engine {
    fn mint(&self, given: &Value, window: Window) -> Result<JsValue, AuthError> {
        Ok(request(self.client.create_authorize_url(&SignIn::read(given)?, window)?))
    }

    fn try_run(&self, name: &str, text: &str) -> Result<JsValue, AuthError> {
        let given = arguments(text)?;
        match name {
            "createAuthorizeUrl" => self.mint(&given, Window::Page),
            "createPopupUrl" => self.mint(&given, Window::Popup),
            "covers" => {
                let (method, href) = operation(&given)?;
                Ok(self.client.covers(method, href).into())
            }
            "hasScope" => Ok(self.client.has_scope(&scopes(&given)?).into()),
            "scopesFor" => {
                let (method, href) = operation(&given)?;
                let asked = given.get("asked").and_then(Value::texts).unwrap_or_default();
                let asked = self.client.ask(asked, method, href, given.is_true("granular"))?;
                Ok(value::to_js(&Value::from(asked.as_slice())))
            }
            "frontChannelLogout" => Ok(self.client.front_channel_logout(&url(&given)?).into()),
            "initiatedLogin" => Ok(value::to_js(&initiated(&self.client, &url(&given)?))),
            "checkApi" => Target::read_all(Some(&given)).map(|_| JsValue::UNDEFINED),
            "signOutLocal" => {
                self.client.sign_out_local();
                Ok(JsValue::UNDEFINED)
            }
            "forget" => {
                self.client.forget_stored();
                Ok(JsValue::UNDEFINED)
            }
            "outlast" => {
                self.client.outlast();
                Ok(JsValue::UNDEFINED)
            }
            "follow" => {
                self.client.follow();
                Ok(JsValue::UNDEFINED)
            }
            "state" => Ok(value::to_js(&events::state(&self.client.state()))),
            "tag" => Ok(JsValue::from_str(self.client.config().tag())),
            _ => Err(unknown()),
        }
    }
}

fn arguments(text: &str) -> Result<Value, AuthError> {
    json::parse(text.as_bytes()).ok_or_else(|| {
        // Well-formed JSON that the page wrote can only be refused for its depth or a lone surrogate.
        AuthError::new(
            Code::InvalidConfiguration,
            Phase::Configuration,
            "an option is not plain Unicode, or too deep",
        )
    })
}

fn url(given: &Value) -> Result<String, AuthError> {
    given.as_str().map(str::to_owned).ok_or_else(unknown)
}

fn unknown() -> AuthError {
    AuthError::new(Code::InvalidConfiguration, Phase::Configuration, "the engine has no such operation")
}

async fn begin(client: &Client<Browser>, given: &Value, window: Window) -> Result<JsValue, AuthError> {
    Ok(request(client.begin(&SignIn::read(given)?, window).await?))
}

/// What the client decides by.
fn call(request: web_sys::Request, replayable: bool) -> Call<web_sys::Request> {
    let headers = request.headers();
    Call {
        method: request.method(),
        url: request.url(),
        has_credentials: ["authorization", "dpop"].iter().any(|name| headers.has(name).unwrap_or(true)),
        replayable,
        request,
    }
}

/// `AuthorizeRequest`, with what a page that mints ahead needs to know.
fn request(AuthorizeRequest { url, state, expires_in }: AuthorizeRequest) -> JsValue {
    let object = Object::new().text("url", &url).text("state", &state);
    value::to_js(&object.value("expiresIn", Value::Integer(expires_in)).finish())
}

/// `AccessToken`; the page's side knows what no `expiresAt` means.
fn token(token: &AccessToken) -> Value {
    Object::new()
        .text("accessToken", token.token.expose())
        .text("tokenType", if token.bound { "DPoP" } else { "Bearer" })
        .maybe_integer("expiresAt", token.expires_at)
        .texts("scopes", &token.scopes)
        .maybe_text("resource", token.resource.as_deref())
        .maybe_value("authorizationDetails", &token.details)
        .finish()
}

/// What `revoke` is about.
fn which(given: &Value) -> Result<Which, AuthError> {
    match given.as_str() {
        Some("access_token") => Ok(Which::AccessToken),
        Some("refresh_token") => Ok(Which::RefreshToken),
        Some("all") => Ok(Which::All),
        _ => Err(shape::invalid("which", "is none of access_token, refresh_token and all")),
    }
}

fn scopes(given: &Value) -> Result<Vec<String>, AuthError> {
    scope::read(given).ok_or_else(|| shape::invalid("scope", "is not a list of scopes (RFC 6749 3.3)"))
}

/// A request by its method and URL; for `scopesFor`, with what is asked for by now.
const OPERATION: &[Member] = &[
    required("method", Kind::Text),
    required("url", Kind::Text),
    optional("granular", Kind::Flag),
    optional("asked", Kind::Texts),
];

fn operation(given: &Value) -> Result<(&str, &str), AuthError> {
    shape::check_options(given, OPERATION)?;
    Ok((given.text("method").unwrap_or_default(), given.text("url").unwrap_or_default()))
}

/// The argument of `dpopProof`.
const PROOF: &[Member] =
    &[required("method", Kind::Text), required("url", Kind::Text), optional("accessToken", Kind::Text)];

async fn proof(client: &Client<Browser>, given: &Value) -> Result<String, AuthError> {
    shape::check_options(given, PROOF)?;
    let text = |name| given.text(name).unwrap_or_default();
    client.app_proof(text("method"), text("url"), given.text("accessToken")).await
}

/// The options for the sign-in that a link of somebody else's asks for, or null.
fn initiated(client: &Client<Browser>, link: &str) -> Value {
    initiated::read(link, client.config()).map_or(Value::Null, |initiated| {
        Object::new()
            .maybe_text("loginHint", initiated.login_hint.as_deref())
            .maybe_text("returnTo", initiated.return_to.as_deref())
            .finish()
    })
}

/// `SignInResult`.
fn signed_in(result: &SignInResult) -> Value {
    let scopes = Object::new().texts("granted", &result.granted).texts("missing", &result.missing);
    let object = Object::new()
        .value("user", events::user(result.user.as_deref()))
        .value("scopes", scopes.finish())
        .maybe_text("returnTo", result.return_to.as_deref())
        .maybe_value("authorizationDetails", &result.details);
    match &result.app_state {
        Some(app_state) => object.value("appState", app_state.clone()).finish(),
        None => object.finish(),
    }
}
