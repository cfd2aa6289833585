//! One scenario, from the first request to the sign-out, and what is held against it.

use crate::common::executor::Executor;
use crate::common::page::call;
use crate::common::server::AuthServer;
use crate::common::world::{START, with};
use crate::common::{Browser, CALLBACK, CLIENT_ID, Page, Sent};
use crate::scenario::Scenario;
use crate::server::{API, HONEST, Hostile, ORIGIN};
use serde_json::{Value, json};
use std::rc::Rc;
use wardkey::client::{Farewell, State, Which};
use wardkey::protocol::error::AuthError;
use wardkey::protocol::hash::base64url;

/// Where a run ended.
struct Ending {
    step: &'static str,
    code: String,
    error: Option<AuthError>,
}

/// A run in progress.
struct Run {
    scenario: Rc<Scenario>,
    hostile: Rc<Hostile>,
    browser: Browser,
    options: Value,
    /// The page that the response is handled in.
    page: Option<Page>,
    /// The response as an honest server gives it, and as this one does.
    responses: [String; 2],
    wrong: Vec<String>,
}

/// Runs a scenario; gives what is not as it must be.
pub(crate) fn run(scenario: &Rc<Scenario>) -> Vec<String> {
    let mut run = Run::new(scenario);
    let other = run.begin_another();
    if scenario.again {
        let ending = run.sign_in();
        run.expect(ending.is_none(), "the honest sign-in before went wrong");
    }
    run.browser.empty_http_cache();
    let drawn = run.browser.drawn().len();
    run.hostile.armed.set(true);
    let ending = run.flow();
    run.check_ending(&ending);
    run.check_remains(&ending, drawn);
    run.expect_equal(run.hostile.complaints(), Vec::<String>::new(), "complaints");
    run.hostile.armed.set(false);
    run.check_response();
    // A sign-out destroys the key that is kept, and what is pending was bound to it.
    let other = Some(other).filter(|_| !(run.keeps_key() && ending.step == "end"));
    run.check_life_goes_on(other);
    run.wrong
}

impl Run {
    fn new(scenario: &Rc<Scenario>) -> Run {
        let executor = Rc::new(Executor::new(START));
        let issuer = format!("{ORIGIN}/{}", scenario.name);
        let server = |issuer: &str| AuthServer::new(issuer, CLIENT_ID, Rc::clone(&executor));
        let clock = Rc::clone(&executor);
        let hostile = Hostile::new(scenario, [server(&issuer), server(HONEST)], move || clock.now());
        let hostile = Rc::new(hostile);
        let network = Rc::clone(&hostile);
        let usual = json!({
            "issuer": issuer,
            "clientId": CLIENT_ID,
            "redirectUri": CALLBACK,
            "postLogoutRedirectUri": "https://app.example/bye",
            "scope": "openid profile offline_access",
            "api": API,
        });
        Run {
            scenario: Rc::clone(scenario),
            browser: Browser::new(executor, move |sent: &Sent| network.answer(sent)),
            hostile,
            options: with(usual, scenario.options.clone()),
            page: None,
            responses: Default::default(),
            wrong: Vec::new(),
        }
    }

    fn expect(&mut self, held: bool, what: &str) {
        if !held {
            self.wrong.push(what.to_owned());
        }
    }

    fn expect_equal<T: PartialEq + std::fmt::Debug>(&mut self, is: T, should: T, what: &str) {
        if is != should {
            self.wrong.push(format!("{what}: {is:?} instead of {should:?}"));
        }
    }

    fn keeps_key(&self) -> bool {
        self.options.get("storage").is_some()
    }

    fn open(&self) -> Page {
        self.hostile.nonces.borrow_mut().clear();
        Page::open(&self.browser, &self.options)
    }

    /// A sign-in that is pending while the server turns hostile.
    fn begin_another(&self) -> String {
        let request = self.open().begin(&json!({})).unwrap_or_else(|error| panic!("another: {error}"));
        self.hostile.respond(&request.url)[0].clone()
    }

    /// Up to the session; an ending if it does not come to that.
    fn sign_in(&mut self) -> Option<Ending> {
        self.hostile.requests();
        let request = match self.open().begin(&json!({})) {
            Ok(request) => request,
            Err(error) => return Some(Ending::of("prepare", error)),
        };
        self.responses = self.hostile.respond(&request.url);
        self.hostile.requests();
        let page = self.open();
        let handled = page.handle(&self.responses[1]);
        self.page = Some(page);
        handled.err().map(|error| Ending::of("callback", error))
    }

    /// Every step, to the first that does not go well, or to the end.
    fn flow(&mut self) -> Ending {
        if let Some(ending) = self.sign_in() {
            return ending;
        }
        if let Some(granted) = self.scenario.granted.clone() {
            let State::Authenticated { granted: is, .. } = self.page().client.state() else { unreachable!() };
            self.expect_equal(is.to_vec(), granted, "granted scopes");
        }
        let mut steps = vec!["callback", "api", "userinfo", "refresh", "api_again"];
        // Each of these ends the session, so that one of them is enough.
        steps.push(match self.scenario.changes[0].at.as_str() {
            "revoke" => "revoke",
            "front_channel" => "front_channel",
            _ => "sign_out",
        });
        for step in steps {
            if step != "callback" {
                self.hostile.requests();
                if let Some(ending) = self.step(step) {
                    return ending;
                }
            }
            if self.scenario.step == step && self.scenario.code == "ok" {
                self.check_requests(step);
            }
            if step == "api_again" {
                self.check_new_token();
            }
        }
        Ending { step: "end", code: "ok".to_owned(), error: None }
    }

    /// After a refresh the API gets the new token, and not the old one.
    fn check_new_token(&mut self) {
        let sent = self.browser.sent();
        let mut tokens = sent.iter().rev().filter(|sent| sent.url.starts_with(API));
        let (last, before) = (tokens.next(), tokens.next());
        let is_new =
            last.zip(before).is_some_and(|(last, before)| last.authorization != before.authorization);
        self.expect(is_new, "the old access token went to the API after a refresh");
    }

    fn page(&self) -> &Page {
        self.page.as_ref().expect("a page")
    }

    fn step(&mut self, step: &'static str) -> Option<Ending> {
        let page = self.page();
        let (error, code) = match step {
            "api" | "api_again" => match page.send(call("GET", &format!("{API}/notes?x=1"))) {
                Ok(fetched) if fetched.step_up.is_some() => (None, "step_up"),
                Ok(fetched) if fetched.answer == r#"{"ok":true}"# => return None,
                Ok(_) => (None, "passed_on"),
                Err(error) => (Some(error), ""),
            },
            "userinfo" => match page.run(|client| async move { client.user_info().await }) {
                Ok(_) => return None,
                Err(error) => (Some(error), ""),
            },
            "refresh" => match page.token(&json!({ "forceRefresh": true })) {
                Ok(_) => return None,
                Err(error) => (Some(error), ""),
            },
            "revoke" => match page.run(|client| async move { client.revoke(Which::All).await }) {
                Ok(()) => return None,
                Err(error) => (Some(error), ""),
            },
            "front_channel" => match page.client.front_channel_logout(&self.hostile.front_channel()) {
                true => return None,
                false => (None, "ignored"),
            },
            _ => return self.sign_out(),
        };
        Some(match error {
            Some(error) => Ending::of(step, error),
            None => Ending { step, code: code.to_owned(), error },
        })
    }

    fn sign_out(&mut self) -> Option<Ending> {
        let farewell = match self.page().sign_out(&json!({ "revoke": true })) {
            Err(error) => return Some(Ending::of("sign_out", error)),
            Ok(Farewell::Stay) => return None,
            Ok(Farewell::Here(_)) => unreachable!("no path was asked for"),
            Ok(Farewell::Server(url)) => self.hostile.farewell(&url),
        };
        self.hostile.requests();
        let back = self.open();
        let ending = back.client.handle_sign_out_callback(&farewell).err();
        self.expect(!back.is_signed_in(), "somebody is signed in after the return");
        ending.map(|error| Ending::of("return", error))
    }

    fn check_requests(&mut self, step: &str) {
        let requests = self.hostile.requests();
        if let Some(expected) = self.scenario.requests.clone() {
            self.expect_equal(requests, expected, &format!("requests of the step {step}"));
        }
    }

    fn check_ending(&mut self, ending: &Ending) {
        let scenario = Rc::clone(&self.scenario);
        let step = if scenario.code == "ok" { "end" } else { &scenario.step };
        let (is, should) = ((ending.step, ending.code.as_str()), (step, scenario.code.as_str()));
        self.expect_equal(is, should, &format!("the outcome ({:?})", ending.error));
        let Some(error) = &ending.error else { return };
        if let Some(why) = scenario.why.clone() {
            let reason = format!("{error}");
            self.expect(reason.contains(&why), &format!("the reason is {reason}, not {why}"));
        }
        let printed = format!("{error} {error:?}");
        self.expect_equal(self.hostile.secret_in(&printed), None, "the secret in the error");
    }

    /// What was requested, what is stored, and who is signed in; and that in the time that the conformance suite waits
    /// nothing more is requested. (What may be tried again is tried after half of it.)
    fn check_remains(&mut self, ending: &Ending, drawn: usize) {
        if ending.step != "end" {
            self.check_requests(ending.step);
        }
        let retried = ending.error.as_ref().is_some_and(AuthError::retryable);
        self.hostile.requests();
        self.browser.advance(if retried { 2_000 } else { 5_000 });
        let later = self.hostile.requests();
        self.expect_equal(later, Vec::new(), "requests afterwards");
        let signed_in = self.page.as_ref().is_some_and(Page::is_signed_in);
        self.expect_equal(signed_in, self.scenario.session, "a session");
        let token = self.page.as_ref().map(Page::access_token);
        self.expect(signed_in || token.is_none_or(|token| token.is_err()), "a token without a session");
        let stored = self.browser.stored().into_values().collect::<String>();
        let may_be_stored = self.scenario.session && self.keeps_key();
        self.expect_equal(
            self.hostile.secret_in(&stored).filter(|_| !may_be_stored),
            None,
            "the secret in the storage",
        );
        // The verifier is the third of the values that a request draws.
        let verifier = self.browser.drawn().get(drawn + 2).map(|octets| base64url(octets));
        if let Some(verifier) = verifier.filter(|_| self.page.is_some()) {
            let pending = self.scenario.pending;
            self.expect_equal(stored.contains(&verifier), pending, "the sign-in is pending");
        }
    }

    /// A response that was refused untouched leaves its sign-in to the honest one; one that was used is of no use.
    fn check_response(&mut self) {
        let Some(page) = &self.page else { return };
        if self.scenario.pending {
            let honest = page.handle(&self.responses[0]);
            self.expect(honest.is_ok(), &format!("the honest response: {:?}", honest.err()));
            return;
        }
        self.hostile.requests();
        let again = self.open().handle(&self.responses[1]).err();
        let code = again.map_or("ok", |error| error.code().name());
        self.expect_equal(code, "already_completed", "the response once more");
        self.expect_equal(self.hostile.requests(), Vec::new(), "requests for the response once more");
    }

    /// The other sign-in finishes, and so does a new one in the very instance that met the hostile server.
    fn check_life_goes_on(&mut self, other: Option<String>) {
        // An unknown key is asked for once a minute, whoever is to blame.
        self.browser.advance(61_000);
        self.browser.empty_http_cache();
        if let Some(other) = other {
            let finished = self.open().handle(&other);
            self.expect(finished.is_ok(), &format!("the other sign-in: {:?}", finished.err()));
        }
        let page = self.page.take().unwrap_or_else(|| self.open());
        // What the hostile server said of itself is believed for an hour.
        self.browser.advance(3_600_000);
        let callback = page.begin(&json!({})).map(|request| self.hostile.respond(&request.url)[0].clone());
        let finished = callback.and_then(|callback| page.handle(&callback).map(drop));
        self.expect(finished.is_ok(), &format!("a new sign-in in the same instance: {:?}", finished.err()));
    }
}

impl Ending {
    fn of(step: &'static str, error: AuthError) -> Ending {
        Ending { step, code: error.code().name().to_owned(), error: Some(error) }
    }
}
