//! The entry: operations by name.

use super::{error, events};
use crate::browser::{Browser, resource, value};
use crate::client::{AuthorizeRequest, Client, Farewell, SignInResult};
use crate::protocol::authorize::SignIn;
use crate::protocol::config::Config;
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::json::{self, Value, object};
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
    pub fn call(&self, operation: &str, text: &str) -> Promise {
        let client = self.client.clone();
        let given = arguments(text);
        let operation: Operation = match operation {
            "prepare" => Box::pin(async move {
                SignIn::read(&given?)?;
                client.prepare().await?;
                Ok(JsValue::UNDEFINED)
            }),
            "handleCallback" => Box::pin(async move {
                let result = client.handle_callback(&url(&given?)?).await?;
                Ok(value::to_js(&signed_in(&result)))
            }),
            "getToken" => Box::pin(async move {
                let token = client.access_token()?;
                Ok(value::to_js(&object([
                    ("accessToken", Some(Value::from(token.token.expose()))),
                    ("tokenType", Some(Value::from("Bearer"))),
                    ("expiresAt", token.expires_at.map(Value::Integer)),
                    ("scopes", Some(Value::from(token.scopes.as_slice()))),
                ])))
            }),
            "signOut" => Box::pin(async move {
                let farewell = client.sign_out(&SignOut::read(&given?)?).await?;
                Ok(match farewell {
                    Farewell::Server(url) | Farewell::Here(url) => JsValue::from_str(&url),
                    Farewell::Stay => JsValue::UNDEFINED,
                })
            }),
            "handleSignOutCallback" => Box::pin(async move {
                let path = client.handle_sign_out_callback(&url(&given?)?)?;
                Ok(path.map_or(JsValue::UNDEFINED, |path| JsValue::from_str(&path)))
            }),
            _ => Box::pin(async { Err(unknown()) }),
        };
        promise(operation)
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

impl Engine {
    fn try_run(&self, operation: &str, text: &str) -> Result<JsValue, AuthError> {
        let given = arguments(text)?;
        match operation {
            "createAuthorizeUrl" => {
                let AuthorizeRequest { url, state } =
                    self.client.create_authorize_url(&SignIn::read(&given)?)?;
                Ok(value::to_js(&object([
                    ("url", Some(Value::String(url))),
                    ("state", Some(Value::String(state))),
                ])))
            }
            "signOutLocal" => {
                self.client.sign_out_local();
                Ok(JsValue::UNDEFINED)
            }
            "state" => Ok(value::to_js(&events::state(&self.client.state()))),
            "tag" => Ok(JsValue::from_str(&self.client.config().tag)),
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

/// `SignInResult`.
fn signed_in(result: &SignInResult) -> Value {
    let scopes = object([
        ("granted", Some(Value::from(result.granted.as_slice()))),
        ("missing", Some(Value::from(result.missing.as_slice()))),
    ]);
    object([
        ("user", Some(events::user(result.user.as_deref()))),
        ("appState", result.app_state.clone()),
        ("returnTo", result.return_to.as_deref().map(Value::from)),
        ("scopes", Some(scopes)),
    ])
}
