//! The entry: operations by name.

use super::{error, events};
use crate::browser::{Browser, resource, value};
use crate::client::{AccessToken, AuthorizeRequest, Client, Farewell, SignInResult};
use crate::protocol::authorize::SignIn;
use crate::protocol::config::Config;
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::json::{self, Object, Value};
use crate::protocol::logout::SignOut;
use js_sys::{Function, Promise};
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

    /// The caller's request with the token, if it may have it.
    pub fn fetch(&self, request: web_sys::Request) -> Promise {
        let client = self.client.clone();
        promise(Box::pin(async move {
            let token = client.authorize_fetch(&request.url(), resource::has_credentials(&request))?;
            resource::fetch(&request, &token.token).await
        }))
    }
}

/// The operations in one state machine: a boxed future for each would be larger.
async fn operate(client: &Client<Browser>, operation: &str, given: &Value) -> Result<JsValue, AuthError> {
    match operation {
        "prepare" => {
            SignIn::read(given)?.check(client.config())?;
            client.prepare().await?;
            Ok(JsValue::UNDEFINED)
        }
        "handleCallback" => Ok(value::to_js(&signed_in(&*client.handle_callback(&url(given)?).await?))),
        "getToken" => Ok(value::to_js(&token(&client.access_token()?))),
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
    fn try_run(&self, operation: &str, text: &str) -> Result<JsValue, AuthError> {
        let given = arguments(text)?;
        match operation {
            "createAuthorizeUrl" => {
                let AuthorizeRequest { url, state } =
                    self.client.create_authorize_url(&SignIn::read(&given)?)?;
                Ok(value::to_js(&Object::new().text("url", &url).text("state", &state).finish()))
            }
            "signOutLocal" => {
                self.client.sign_out_local();
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

/// `AccessToken`; the page's side knows that it is a bearer token, and what no `expiresAt` means.
fn token(token: &AccessToken) -> Value {
    Object::new()
        .text("accessToken", token.token.expose())
        .maybe_integer("expiresAt", token.expires_at)
        .texts("scopes", &token.scopes)
        .finish()
}

/// `SignInResult`.
fn signed_in(result: &SignInResult) -> Value {
    let scopes = Object::new().texts("granted", &result.granted).texts("missing", &result.missing);
    let object = Object::new()
        .value("user", events::user(result.user.as_deref()))
        .value("scopes", scopes.finish())
        .maybe_text("returnTo", result.return_to.as_deref());
    match &result.app_state {
        Some(app_state) => object.value("appState", app_state.clone()).finish(),
        None => object.finish(),
    }
}
