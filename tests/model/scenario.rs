//! A world in which everything that can be otherwise is a choice, and what must hold at its end.

use crate::common::executor::Join;
use crate::common::page::value;
use crate::explorer::Explorer;
use crate::tabs::{Profile, Tab};
use crate::vigil::Fault;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use wardkey::client::Which;
use wardkey::protocol::error::AuthError;
use wardkey::protocol::token::TokenOptions;

/// Timers that are so close, in milliseconds, may fire in any order.
const CLOSE: i64 = 20;
/// Requests that have trouble, at most.
const FAULTS: usize = 2;
/// More steps than any run has that comes to an end.
const STEPS: usize = 2_000;

/// What a person or an app does in a tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Token,
    Force,
    Resource,
    SignOut,
    SignIn,
    Revoke,
    /// Opens one more tab.
    Open,
}

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) tabs: &'static [&'static [Action]],
    pub(crate) departures: usize,
    /// Are tokens bound to a key?
    pub(crate) bound: bool,
}

/// What can happen next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Run(usize),
    Act(usize),
    Fire(usize),
    Close(usize),
}

/// The tab, what it was asked for, and what that will come to.
type Waiter = (usize, Action, Join<Result<(), AuthError>>);

struct Run<'a> {
    explorer: &'a Rc<Explorer>,
    profile: Rc<Profile>,
    /// The tabs with what is left to do in them.
    scripts: Vec<(Tab, VecDeque<Action>)>,
    waiters: Vec<Waiter>,
    /// Tabs that may yet be closed.
    closings: usize,
}

fn options(bound: bool) -> Value {
    json!({
        "issuer": crate::common::ISSUER,
        "clientId": crate::common::CLIENT_ID,
        "redirectUri": crate::common::CALLBACK,
        "scope": "notes offline_access",
        "storage": "localStorage",
        "dpop": bound,
        "refresh": { "auto": false },
    })
}

impl Scenario {
    pub(crate) fn run(&self, explorer: &Rc<Explorer>) -> Result<(), String> {
        explorer.begin();
        let mut run = Run::new(self, explorer);
        run.play()?;
        explorer.end();
        run.finish();
        let wrong = run.profile.wrong();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}

impl<'a> Run<'a> {
    /// Somebody is signed in, in all tabs, with an access token that has run out.
    fn new(scenario: &Scenario, explorer: &'a Rc<Explorer>) -> Run<'a> {
        let profile = Profile::new(options(scenario.bound), || 5);
        let open = |script: &&[Action]| (profile.open(), script.iter().copied().collect());
        let scripts: Vec<(Tab, VecDeque<Action>)> = scenario.tabs.iter().map(open).collect();
        let first = scripts[0].0.clone();
        profile.start(&first, Rc::clone(&profile).sign_in(first.clone(), "ann"));
        profile.executor().advance(1_000);
        assert!(scripts.iter().all(|(tab, _)| tab.is_signed_in()), "all are signed in");
        profile.executor().advance(3_600_000);
        // What happens from here on is judged in full.
        Run { explorer, profile, scripts, waiters: Vec::new(), closings: 1 }
    }

    /// Until nothing can happen any more.
    fn play(&mut self) -> Result<(), String> {
        let (explorer, faults) = (Rc::clone(self.explorer), Cell::new(FAULTS));
        self.profile.vigil.choose(move |sent| {
            let is_token = sent.url.ends_with("/token") && faults.get() > 0;
            let fault = [Fault::None, Fault::Lost, Fault::Busy(503, 0)]
                [explorer.choose(if is_token { 3 } else { 1 })];
            faults.set(faults.get() - usize::from(fault != Fault::None));
            (fault, 1)
        });
        for _ in 0..STEPS {
            let options = self.options();
            if !options.iter().any(|next| !matches!(next, Next::Close(_))) {
                return Ok(());
            }
            let next = options[self.explorer.choose(options.len())];
            if self.explorer.is_told {
                eprintln!("{next:?} of {options:?}");
            }
            self.take(next);
        }
        Err("it goes on and on".to_owned())
    }

    /// The usual course is the first: what was woken runs, then people act, then time passes.
    fn options(&self) -> Vec<Next> {
        let executor = self.profile.executor();
        let woken = (0..).take_while(|nth| executor.woken(*nth).is_some());
        let mut options: Vec<Next> = woken.map(Next::Run).collect();
        let has_more = |position: &usize| !self.scripts[*position].1.is_empty();
        options.extend((0..self.scripts.len()).filter(has_more).map(Next::Act));
        let timers = executor.timers();
        let close = |at: &&i64| **at <= timers[0] + CLOSE;
        options.extend((0..timers.iter().take_while(close).count()).map(Next::Fire));
        let is_busy = |position: &usize| {
            let owner = self.scripts[*position].0.owner;
            self.waiters.iter().any(|(of, _, join)| *of == owner && !join.is_done())
        };
        if self.closings > 0 {
            options.extend((0..self.scripts.len()).filter(is_busy).map(Next::Close));
        }
        options
    }

    fn take(&mut self, next: Next) {
        let executor = self.profile.executor();
        match next {
            Next::Run(nth) => executor.woken(nth).into_iter().for_each(|id| executor.poll(id)),
            Next::Fire(position) => executor.fire(position),
            Next::Close(position) => {
                self.closings -= 1;
                let (tab, _) = self.scripts.remove(position);
                self.waiters.retain(|(owner, ..)| *owner != tab.owner);
                self.profile.close(&tab);
            }
            Next::Act(position) => {
                let (tab, script) = &mut self.scripts[position];
                let tab = tab.clone();
                if let Some(action) = script.pop_front() {
                    self.act(&tab, action);
                }
            }
        }
    }

    fn act(&mut self, tab: &Tab, action: Action) {
        let client = tab.client.clone();
        match action {
            Action::Token => self.token(tab, action, &json!({})),
            Action::Force => {
                self.profile.vigil.excuse();
                self.token(tab, action, &json!({ "forceRefresh": true }));
            }
            Action::Resource => self.token(tab, action, &json!({ "resource": "https://one.example/" })),
            Action::SignOut => {
                self.profile.end();
                self.profile.executor().as_owner(tab.owner, || client.sign_out_local());
            }
            Action::Revoke => {
                let profile = Rc::clone(&self.profile);
                let revoking = async move {
                    profile.end();
                    client.revoke(Which::All).await
                };
                self.start(tab, action, revoking);
            }
            Action::SignIn => {
                let sign_in = Rc::clone(&self.profile).sign_in(tab.clone(), "ben");
                self.start(tab, action, sign_in);
            }
            Action::Open => {
                let opened = self.profile.open();
                self.scripts.push((opened, VecDeque::from([Action::Token])));
            }
        }
    }

    fn token(&mut self, tab: &Tab, action: Action, options: &Value) {
        let options = TokenOptions::read(&value(options)).unwrap_or_else(|error| panic!("{error}"));
        let client = tab.client.clone();
        self.start(tab, action, async move { client.token(&options).await.map(drop) });
    }

    fn start(
        &mut self,
        tab: &Tab,
        action: Action,
        work: impl Future<Output = Result<(), AuthError>> + 'static,
    ) {
        let join = self.profile.start(tab, work);
        self.waiters.push((tab.owner, action, join));
    }

    /// After all that: every tab looks, and they agree.
    fn finish(&mut self) {
        let profile = Rc::clone(&self.profile);
        for (owner, action, join) in &self.waiters {
            match join.take() {
                None => profile.complain(format!("tab {owner} waits for {action:?}")),
                Some(Err(error)) => profile.must_be_safe(&error),
                Some(Ok(())) => {}
            }
        }
        profile.executor().advance(12 * 60_000);
        for tab in profile.tabs() {
            let looking = tab.clone();
            let look = Rc::clone(&profile);
            profile.start(&tab, async move { look.look(&looking).await });
            profile.executor().advance(60_000);
        }
        let is_there = profile.record().is_some();
        let is_over = profile.is_signed_out();
        if is_over && is_there {
            profile.complain("a session is stored after the sign-out".to_owned());
        }
        if !is_over && !is_there && profile.ends.get() == 0 {
            profile.complain("the session is lost without a reason".to_owned());
        }
        let complaints = profile.vigil.server.complaints();
        complaints.into_iter().for_each(|complaint| profile.complain(complaint));
        self.must_agree(is_there);
    }

    fn must_agree(&self, is_there: bool) {
        let mut tokens = Vec::new();
        for tab in self.profile.tabs() {
            if tab.is_signed_in() != is_there {
                self.profile.complain(format!("tab {} signed in: {}", tab.owner, !is_there));
            }
            let client = tab.client.clone();
            let asking = async move { client.token(&TokenOptions::default()).await };
            let asked = self.profile.start(&tab, asking);
            self.profile.executor().advance(60_000);
            match asked.take() {
                Some(Ok(token)) => tokens.push(token.token.expose().to_owned()),
                Some(Err(_)) if !tab.is_signed_in() => {}
                _ => self.profile.complain(format!("tab {} is signed in, and gets no token", tab.owner)),
            }
        }
        tokens.dedup();
        if tokens.len() > 1 {
            self.profile.complain("the tabs have different tokens".to_owned());
        }
    }
}
