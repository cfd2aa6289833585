//! One browser and one authorization server, wired together.

use super::browser::{Browser, Sent};
use super::executor::Executor;
use super::page::{Page, assert_error};
use super::server::AuthServer;
use super::urls;
use serde_json::{Value, json};
use std::rc::Rc;
use wardkey::client::SignInResult;
use wardkey::protocol::hash::base64url;

pub(crate) const ISSUER: &str = "https://as.example/tenant";
pub(crate) const CLIENT_ID: &str = "spa";
pub(crate) const CALLBACK: &str = "https://app.example/callback";
/// Some day in September 2026, in milliseconds.
pub(crate) const START: i64 = 1_790_000_000_000;

pub(crate) struct World {
    pub(crate) browser: Browser,
    pub(crate) server: Rc<AuthServer>,
}

impl World {
    pub(crate) fn new() -> World {
        World::of_client(CLIENT_ID)
    }

    /// With a server that knows this client.
    pub(crate) fn of_client(client_id: &str) -> World {
        let executor = Rc::new(Executor::new(START));
        let server = Rc::new(AuthServer::new(ISSUER, client_id, Rc::clone(&executor)));
        let network = Rc::clone(&server);
        World { browser: Browser::new(executor, move |sent: &Sent| network.answer(sent)), server }
    }

    /// Another browser profile that talks to the same server.
    pub(crate) fn other_browser(&self) -> World {
        let server = Rc::clone(&self.server);
        let network = move |sent: &Sent| server.answer(sent);
        World {
            browser: Browser::new(Rc::clone(self.browser.executor()), network),
            server: Rc::clone(&self.server),
        }
    }

    pub(crate) fn options() -> Value {
        json!({
            "issuer": ISSUER,
            "clientId": CLIENT_ID,
            "redirectUri": CALLBACK,
            "postLogoutRedirectUri": "https://app.example/bye",
            "scope": "openid profile",
            "api": "https://api.example/v1",
        })
    }

    pub(crate) fn page(&self) -> Page {
        Page::open(&self.browser, &World::options())
    }

    /// A page whose options differ in these members.
    pub(crate) fn page_with(&self, members: Value) -> Page {
        Page::open(&self.browser, &with(World::options(), members))
    }

    /// Plain OAuth 2.0 at the same server, with its metadata given by hand.
    pub(crate) fn plain_oauth(&self) -> Page {
        let mut options = World::options();
        options.as_object_mut().expect("an object").remove("issuer");
        Page::open(
            &self.browser,
            &with(options, json!({ "scope": "notes", "metadata": self.server.metadata() })),
        )
    }

    /// A sign-in up to the server's response, whose URL this is. The page is left.
    pub(crate) fn respond(&self) -> String {
        self.respond_to(&json!({}))
    }

    pub(crate) fn respond_to(&self, options: &Value) -> String {
        self.server.authorize(&self.page().authorize_url(options))
    }

    /// A whole sign-in.
    pub(crate) fn sign_in(&self) -> (Page, Rc<SignInResult>) {
        let callback = self.respond();
        let page = self.page();
        let result = page.handle(&callback).unwrap_or_else(|error| panic!("{error}"));
        (page, result)
    }

    /// No sign-in is in progress any more, and nothing of one that was is in the storage.
    #[track_caller]
    pub(crate) fn assert_nothing_kept(&self) {
        for (key, text) in self.browser.stored() {
            assert!(!text.contains("pending"), "{key} still holds a sign-in: {text}");
        }
        self.assert_nothing_kept_since(0);
    }

    /// No code, no token, and nothing that is made of the octets drawn since then is in the storage.
    #[track_caller]
    fn assert_nothing_kept_since(&self, drawn: usize) {
        let drawn = &self.browser.drawn()[drawn..];
        let mut secrets: Vec<String> = drawn.iter().map(|octets| base64url(octets)).collect();
        secrets.extend(["code-", "access-", "eyJ"].map(str::to_owned));
        for (key, text) in self.browser.stored() {
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{key} holds {secret}: {text}");
            }
        }
    }

    /// A response that is refused before anything happens: no request goes out, no record changes, nobody is
    /// signed in; and the honest response is accepted afterwards.
    #[track_caller]
    pub(crate) fn assert_refused_untouched(&self, hostile: &str, honest: &str, code: &str) {
        let (stored, sent) = (self.browser.stored(), self.browser.sent().len());
        let page = self.page();
        let result = page.handle(hostile);
        assert_error(&result, code, &self.secrets(honest));
        assert_eq!(self.browser.sent().len(), sent, "a request went out for {hostile}");
        assert_eq!(self.browser.stored(), stored, "a record was changed by {hostile}");
        assert!(!page.is_signed_in());
        let finished = page.handle(honest);
        assert!(finished.is_ok(), "after {hostile}: {:?}", finished.err());
    }

    fn secrets<'a>(&self, callback: &'a str) -> Vec<&'a str> {
        ["code=", "state="].iter().filter_map(|name| callback.split_once(name)?.1.split('&').next()).collect()
    }

    /// A response that is refused after the code was sent: one token request, nobody signed in, nothing kept,
    /// and a second try neither works nor asks again.
    #[track_caller]
    pub(crate) fn assert_sign_in_fails(&self, code: &str) {
        let drawn = self.browser.drawn().len();
        let callback = self.respond();
        let asked = self.browser.count("/token");
        let page = self.page();
        let code_value = urls::parameter(&callback, "code").unwrap_or_default();
        let state = urls::parameter(&callback, "state").unwrap_or_default();
        let result = page.handle(&callback);
        assert_error(&result, code, &[&code_value, &state, "access-", "eyJ"]);
        assert_eq!(self.browser.count("/token"), asked + 1);
        assert!(!page.is_signed_in());
        assert!(page.access_token().is_err());
        self.assert_nothing_kept_since(drawn);
        assert_error(&page.handle(&callback), code, &[]);
        assert_error(&self.page().handle(&callback), "already_completed", &[]);
        assert_eq!(self.browser.count("/token"), asked + 1, "the code was sent again");
    }
}

/// An object with these members over its own.
pub(crate) fn with(mut object: Value, members: Value) -> Value {
    for (name, value) in members.as_object().expect("an object") {
        object[name.as_str()] = value.clone();
    }
    object
}
