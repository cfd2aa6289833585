//! What people, apps, networks and machines do.

use crate::common::browser::AppRequest;
use crate::common::page::{call, value};
use crate::life::{Asked, HOUR, Life, MINUTE};
use crate::tabs::Tab;
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use wardkey::client::{Call, Which};
use wardkey::protocol::error::AuthError;
use wardkey::protocol::logout::SignOut;
use wardkey::protocol::token::TokenOptions;

type Work = Pin<Box<dyn Future<Output = Result<(), AuthError>>>>;

#[derive(Clone, Copy, Debug)]
enum Action {
    Token,
    ValidFor,
    Force,
    Resource,
    Fetch,
    Revoke,
    SignOut,
    SignOutLocal,
    SignIn,
    Open,
    Reload,
    Close,
    Look,
    Hide,
    Weather,
    Offline,
    ForgetTokens,
    Sleep,
    SetClock,
}

/// With how often each is done, in a hundred or so.
const ACTIONS: [(Action, usize); 19] = [
    (Action::Token, 30),
    (Action::ValidFor, 6),
    (Action::Force, 6),
    (Action::Resource, 8),
    (Action::Fetch, 12),
    (Action::Revoke, 1),
    (Action::SignOut, 1),
    (Action::SignOutLocal, 2),
    (Action::SignIn, 2),
    (Action::Open, 3),
    (Action::Reload, 4),
    (Action::Close, 4),
    (Action::Look, 5),
    (Action::Hide, 5),
    (Action::Weather, 8),
    (Action::Offline, 3),
    (Action::ForgetTokens, 2),
    (Action::Sleep, 4),
    (Action::SetClock, 2),
];

impl Life {
    /// Does something. Was it to end the session?
    pub(crate) fn act(&mut self) -> bool {
        let tabs = self.profile.tabs();
        if tabs.is_empty() {
            self.tell("open".to_owned());
            self.open();
            return false;
        }
        let tab = self.dice.pick(&tabs).clone();
        let action = self.dice.weighed(&ACTIONS);
        if !tab.is_signed_in() && self.dice.percent(30) {
            self.tell(format!("tab {}: SignIn", tab.owner));
            self.sign_in(&tab);
            return false;
        }
        self.tell(format!("tab {}: {action:?}", tab.owner));
        match action {
            Action::Token => self.token(&tab, json!({})),
            Action::ValidFor => self.token(&tab, json!({ "minValiditySec": self.dice.between(1, 400) })),
            Action::Force => self.token(&tab, json!({ "forceRefresh": true })),
            Action::Resource => {
                let resource = *self.dice.pick(&["https://one.example/", "https://two.example/"]);
                self.token(&tab, json!({ "resource": resource }));
            }
            Action::Fetch => self.fetch(&tab),
            Action::Look => self.look(&tab),
            Action::Hide => self.hide(&tab),
            Action::Open | Action::Reload | Action::Close => self.change_tabs(&tab, action),
            Action::Weather => self.weather.set(*self.dice.pick(&[0, 0, 10, 50, 100])),
            Action::Offline => {
                self.profile.vigil.excuse();
                let offline = &self.profile.browser.offline;
                offline.set(!offline.get());
            }
            Action::ForgetTokens => self.profile.vigil.server.forget_tokens(),
            Action::Sleep => self.sleep(),
            // Nothing in this world shows the time of the server: with a clock that is wrong there is no proof.
            Action::SetClock if self.is_timed => {}
            Action::SetClock => {
                self.profile.vigil.excuse();
                let executor = self.profile.executor();
                // Together with a sleep over an answer under way, it is wrong by a day at most.
                executor.set_clock(executor.now() + self.dice.between(-16 * HOUR, 16 * HOUR));
            }
            Action::Revoke | Action::SignOut | Action::SignOutLocal | Action::SignIn => {
                return self.is_restless && self.change_session(&tab, action);
            }
        }
        false
    }

    fn change_tabs(&mut self, tab: &Tab, action: Action) {
        if !matches!(action, Action::Open) {
            self.asked.retain(|asked| asked.owner != tab.owner);
            self.profile.close(tab);
        }
        if !matches!(action, Action::Close) && self.profile.tabs().len() < self.most_tabs {
            self.open();
        }
    }

    pub(crate) fn open(&self) {
        self.profile.vigil.entitle();
        self.profile.open();
    }

    /// The machine sleeps: no timer fires, and afterwards each tab looks.
    fn sleep(&mut self) {
        let span = self.dice.between(MINUTE, 8 * HOUR);
        self.profile.executor().sleep_machine(span);
        self.asked.iter_mut().for_each(|asked| asked.since += span);
        for tab in self.profile.tabs() {
            self.look(&tab);
        }
    }

    fn change_session(&mut self, tab: &Tab, action: Action) -> bool {
        let client = tab.client.clone();
        match action {
            Action::SignIn => {
                self.sign_in(tab);
                return false;
            }
            Action::Revoke => {
                let which = *self.dice.pick(&[Which::AccessToken, Which::RefreshToken, Which::All]);
                self.is_mortal |= which == Which::RefreshToken;
                if which == Which::All && tab.is_signed_in() {
                    self.profile.end();
                }
                self.start(tab, Box::pin(async move { client.revoke(which).await }));
            }
            Action::SignOut => {
                self.profile.end();
                let options = SignOut::read(&value(&json!({ "revoke": self.dice.percent(50) })));
                let options = options.unwrap_or_else(|error| panic!("{error}"));
                self.start(tab, Box::pin(async move { client.sign_out(&options).await.map(drop) }));
            }
            _ => {
                self.profile.end();
                let sign_out = || client.sign_out_local();
                self.profile.executor().as_owner(tab.owner, sign_out);
            }
        }
        true
    }

    fn start(&mut self, tab: &Tab, work: Work) {
        let since = self.profile.executor().now();
        let what = self.tale.last().cloned().unwrap_or_default();
        let join = self.profile.start(tab, work);
        self.asked.push(Asked { what, owner: tab.owner, since, join });
    }

    pub(crate) fn token(&mut self, tab: &Tab, options: Value) {
        if options.get("forceRefresh").is_some() {
            self.profile.vigil.excuse();
            self.profile.vigil.entitle();
        }
        let options = TokenOptions::read(&value(&options)).unwrap_or_else(|error| panic!("{error}"));
        let client = tab.client.clone();
        self.start(tab, Box::pin(async move { client.token(&options).await.map(drop) }));
    }

    fn fetch(&mut self, tab: &Tab) {
        self.profile.vigil.entitle();
        let client = tab.client.clone();
        let call: Call<AppRequest> = call("GET", "https://api.example/v1/notes");
        self.start(tab, Box::pin(async move { client.fetch(&call, None).await.map(drop) }));
    }

    /// A tab goes to the background; or it comes to the front, and looks.
    fn hide(&mut self, tab: &Tab) {
        if self.profile.browser.hidden.borrow_mut().insert(tab.owner) {
            return;
        }
        self.profile.browser.hidden.borrow_mut().remove(&tab.owner);
        self.look(tab);
    }

    pub(crate) fn look(&mut self, tab: &Tab) {
        self.profile.vigil.entitle();
        let (profile, looking) = (Rc::clone(&self.profile), tab.clone());
        self.start(
            tab,
            Box::pin(async move {
                profile.look(&looking).await;
                Ok(())
            }),
        );
    }

    pub(crate) fn sign_in(&mut self, tab: &Tab) {
        self.profile.vigil.entitle();
        let person = *self.dice.pick(&["ann", "ben"]);
        let work = Rc::clone(&self.profile).sign_in(tab.clone(), person);
        self.start(tab, Box::pin(work));
    }
}
