//! A page load: a client with its own memory, in a tab whose storage it shares with the pages before and after.

use super::browser::{AppRequest, Browser};
use super::executor::Join;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use wardkey::client::{
    AccessToken, AuthorizeRequest, Call, Client, Event, Farewell, Fetched, SignInResult, State, Which,
};
use wardkey::protocol::authorize::{SignIn, Window};
use wardkey::protocol::config::Config;
use wardkey::protocol::error::{AuthError, Code};
use wardkey::protocol::json;
use wardkey::protocol::logout::SignOut;
use wardkey::protocol::token::TokenOptions;

pub(crate) struct Page {
    pub(crate) client: Client<Browser>,
    browser: Browser,
    events: Rc<RefCell<Vec<String>>>,
    /// How often the other tabs had to be told of a sign-out.
    pub(crate) told: Rc<Cell<u32>>,
}

/// As the page hands it to the engine: JSON text.
pub(crate) fn value(options: &Value) -> json::Value {
    json::parse(options.to_string().as_bytes()).expect("JSON")
}

/// Reads `AuthOptions`.
pub(crate) fn configure(options: &Value) -> Result<Config, AuthError> {
    Config::read(&value(options))
}

impl Page {
    pub(crate) fn open(browser: &Browser, options: &Value) -> Page {
        let events = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&events);
        let config = configure(options).unwrap_or_else(|error| panic!("{error}"));
        let told = Rc::new(Cell::new(0));
        let times = Rc::clone(&told);
        let observer = move |event: Event| match event {
            Event::Ended => times.set(times.get() + 1),
            event => heard.borrow_mut().push(describe(&event)),
        };
        Page {
            client: Client::new(browser.clone(), config, observer),
            browser: browser.clone(),
            events,
            told,
        }
    }

    /// Runs what the client does to its end.
    pub(crate) fn run<T: 'static, F: Future<Output = T> + 'static>(
        &self,
        work: impl FnOnce(Client<Browser>) -> F,
    ) -> T {
        self.browser.run(work(self.client.clone()))
    }

    pub(crate) fn prepare(&self) -> Result<(), AuthError> {
        self.prepare_for(&json!({}))
    }

    pub(crate) fn prepare_for(&self, options: &Value) -> Result<(), AuthError> {
        let sign_in = SignIn::read(&value(options))?;
        self.run(|client| async move { client.prepare(&sign_in).await })
    }

    /// What `signIn` does up to leaving the page.
    pub(crate) fn begin(&self, options: &Value) -> Result<AuthorizeRequest, AuthError> {
        let sign_in = SignIn::read(&value(options))?;
        self.run(|client| async move { client.begin(&sign_in, Window::Page).await })
    }

    pub(crate) fn create_authorize_url(&self, options: &Value) -> Result<AuthorizeRequest, AuthError> {
        self.client.create_authorize_url(&SignIn::read(&value(options))?, Window::Page)
    }

    /// `prepare` and a URL, both of which must succeed.
    pub(crate) fn authorize_url(&self, options: &Value) -> String {
        self.prepare_for(options).unwrap_or_else(|error| panic!("prepare: {error}"));
        self.create_authorize_url(options).unwrap_or_else(|error| panic!("{error}")).url
    }

    pub(crate) fn handle(&self, url: &str) -> Result<Rc<SignInResult>, AuthError> {
        let url = url.to_owned();
        self.run(|client| async move { client.handle_callback(&url).await })
    }

    pub(crate) fn sign_out(&self, options: &Value) -> Result<Farewell, AuthError> {
        let sign_out = SignOut::read(&value(options))?;
        self.run(|client| async move { client.sign_out(&sign_out).await })
    }

    pub(crate) fn token(&self, options: &Value) -> Result<AccessToken, AuthError> {
        let options = TokenOptions::read(&value(options))?;
        self.run(|client| async move { client.token(&options).await })
    }

    pub(crate) fn access_token(&self) -> Result<String, AuthError> {
        self.token(&json!({})).map(|token| token.token.expose().to_owned())
    }

    /// Starts this many calls at once.
    pub(crate) fn ask_for_tokens(
        &self,
        options: &Value,
        calls: usize,
    ) -> Vec<Join<Result<AccessToken, AuthError>>> {
        let options = TokenOptions::read(&value(options)).unwrap_or_else(|error| panic!("{error}"));
        let ask = |_| {
            let (client, options) = (self.client.clone(), options.clone());
            self.browser.start(async move { client.token(&options).await })
        };
        (0..calls).map(ask).collect()
    }

    /// Could the server not be asked for a fresh token when one was due?
    pub(crate) fn is_stale(&self) -> bool {
        matches!(self.client.state(), State::Authenticated { stale: true, .. })
    }

    pub(crate) fn user_info(&self) -> Result<json::Value, AuthError> {
        self.run(|client| async move { client.user_info().await })
    }

    pub(crate) fn revoke(&self, which: Which) -> Result<(), AuthError> {
        self.run(move |client| async move { client.revoke(which).await })
    }

    /// The app's GET of a URL.
    pub(crate) fn fetch(&self, url: &str) -> Result<Fetched<String>, AuthError> {
        self.send(call("GET", url))
    }

    /// The app's GETs of a URL, so many at the same time, and what the servers answered.
    pub(crate) fn fetch_at_once(&self, count: usize, url: &str) -> Vec<String> {
        let start = |_| {
            let (client, call) = (self.client.clone(), call("GET", url));
            self.browser.start(async move { client.fetch(&call, None).await })
        };
        let under_way: Vec<_> = (0..count).map(start).collect();
        self.browser.advance(1_000);
        under_way.iter().map(|one| one.take().expect("it is done").expect("an answer").answer).collect()
    }

    /// A request of the app's.
    pub(crate) fn send(&self, call: Call<AppRequest>) -> Result<Fetched<String>, AuthError> {
        self.run(|client| async move { client.fetch(&call, None).await })
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        matches!(self.client.state(), State::Authenticated { .. })
    }

    /// What the observer was told since the last time, each in a few words.
    pub(crate) fn events(&self) -> Vec<String> {
        std::mem::take(&mut self.events.borrow_mut())
    }
}

/// A request that the app makes, as the browser hands it over.
pub(crate) fn call(method: &str, url: &str) -> Call<AppRequest> {
    let request = AppRequest { method: method.to_owned(), url: url.to_owned(), ..AppRequest::default() };
    Call { method: method.to_owned(), url: url.to_owned(), has_credentials: false, replayable: true, request }
}

fn describe(event: &Event) -> String {
    let reason = |reason: &Option<Code>| reason.map_or("no reason", Code::name);
    match event {
        Event::StateChanged(State::Loading) => "loading".to_owned(),
        Event::StateChanged(State::Anonymous { reason: why }) => format!("anonymous: {}", reason(why)),
        Event::StateChanged(State::Authenticated { .. }) => "authenticated".to_owned(),
        Event::SignedIn(user) => {
            format!("signed in: {}", user.as_ref().map_or("somebody", |user| &user.subject))
        }
        Event::SignedOut(why) => format!("signed out: {}", reason(why)),
        Event::Ended => "the others are told".to_owned(),
        Event::SessionExpired(error) => format!("expired: {}", error.code().name()),
        Event::StorageFailed(error) => format!("not stored: {}", error.code().name()),
        Event::TokenRefreshed(_) => "refreshed".to_owned(),
        Event::RefreshDeferred(_, cause) => format!("deferred: {}", cause.code().name()),
        Event::UserChanged(from, to) => format!("user changed: {from} to {to}"),
        Event::StepUpRequired(step_up) => format!("step up: {step_up:?}"),
        Event::ScopeDoubtful(reason) => format!("doubtful: {reason}"),
    }
}

/// The code's name, or `ok`.
pub(crate) fn code_of<T>(result: &Result<T, AuthError>) -> &'static str {
    result.as_ref().err().map_or("ok", |error| error.code().name())
}

/// An error with this code that carries none of the secrets.
#[track_caller]
pub(crate) fn assert_error<T>(result: &Result<T, AuthError>, code: &str, secrets: &[&str]) {
    assert_eq!(code_of(result), code);
    let Err(error) = result else { return };
    let printed = format!("{error} {error:?} {:?}", json!({ "reason": error.reason() }));
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        assert!(!printed.contains(secret), "{printed} holds {secret}");
    }
}
