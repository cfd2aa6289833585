//! The life of a browser profile, and what must hold in it.

use crate::common::browser::AppRequest;
use crate::common::executor::Join;
use crate::common::page::{call, value};
use crate::dice::Dice;
use crate::tabs::{Profile, Tab};
use crate::vigil::Fault;
use serde_json::{Value, json};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use wardkey::client::{Call, Which};
use wardkey::protocol::error::AuthError;
use wardkey::protocol::logout::SignOut;
use wardkey::protocol::token::TokenOptions;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const STEPS: usize = 30;
/// Of which one refresh may take a few: discovery, the refresh, and keys.
const PATIENCE: i64 = 10_000;

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
    Weather,
    Offline,
    ForgetTokens,
    Sleep,
}

/// With how often each is done, in a hundred or so.
const ACTIONS: [(Action, usize); 17] = [
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
    (Action::Weather, 8),
    (Action::Offline, 3),
    (Action::ForgetTokens, 2),
    (Action::Sleep, 4),
];

/// Something that a tab was asked for.
struct Asked {
    what: String,
    owner: usize,
    since: i64,
    join: Join<Result<(), AuthError>>,
}

type Work = Pin<Box<dyn Future<Output = Result<(), AuthError>>>>;

struct Life {
    dice: Rc<Dice>,
    profile: Rc<Profile>,
    most_tabs: usize,
    /// Does anybody sign out or in again? Where nobody does, and no answer is lost, no session may end.
    is_restless: bool,
    is_lossy: bool,
    /// So many requests in a hundred have trouble.
    weather: Rc<Cell<usize>>,
    asked: Vec<Asked>,
    /// Without a refresh token a session ends with its access token.
    is_mortal: bool,
    tale: Vec<String>,
    is_told: bool,
}

/// What may change for a reason only.
#[derive(PartialEq)]
struct Glance {
    record: bool,
    signed_in: Vec<(usize, bool, u32)>,
    /// Sign-ins, sign-outs, refusals, answers for somebody else.
    reasons: (u32, u32, usize, u32),
}

/// Runs a life. The number of steps, or what went wrong.
pub(crate) fn live(seed: u64, is_told: bool) -> Result<usize, String> {
    let mut life = Life::new(seed, is_told);
    for step in 0..STEPS {
        life.step();
        life.verdict().map_err(|wrong| format!("step {step}: {wrong}"))?;
    }
    life.end();
    life.verdict().map_err(|wrong| format!("at the end: {wrong}"))?;
    Ok(STEPS + 1)
}

/// What happens in a life.
pub(crate) fn tale(seed: u64) -> Vec<String> {
    let mut life = Life::new(seed, false);
    (0..STEPS).for_each(|_| life.step());
    life.end();
    life.tale
}

fn options(dice: &Dice) -> Value {
    let openid = if dice.percent(50) { "openid " } else { "" };
    json!({
        "issuer": crate::common::ISSUER,
        "clientId": crate::common::CLIENT_ID,
        "redirectUri": crate::common::CALLBACK,
        "scope": format!("{openid}notes offline_access"),
        "api": "https://api.example/v1",
        "storage": if dice.percent(75) { "localStorage" } else { "memory" },
        "timeoutMs": PATIENCE,
        "dpop": dice.percent(15),
        "refresh": { "auto": dice.percent(70), "leewaySec": *dice.pick(&[0, 30, 60, 600]) },
    })
}

impl Life {
    fn new(seed: u64, is_told: bool) -> Life {
        let dice = Rc::new(Dice::new(seed));
        let options = options(&dice);
        let messages = Rc::clone(&dice);
        let profile = Profile::new(options.clone(), move || *messages.pick(&[1, 2, 20, 1_000]));
        profile.vigil.server.lifetime.set(*dice.pick(&[300, 900, 3_600]));
        profile.vigil.server.identifies_again.set(dice.percent(50));
        let mut life = Life {
            most_tabs: 1 + dice.below(4),
            is_restless: dice.percent(60),
            is_lossy: dice.percent(60),
            weather: Rc::default(),
            asked: Vec::new(),
            is_mortal: false,
            tale: Vec::new(),
            is_told,
            profile,
            dice,
        };
        life.tell(options.to_string());
        life.choose_faults();
        for _ in 0..life.most_tabs {
            let tab = life.profile.open();
            life.profile.executor().settle();
            if !tab.is_signed_in() {
                life.sign_in(&tab);
                life.profile.executor().advance(100);
            }
        }
        life
    }

    fn tell(&mut self, what: String) {
        let line = format!("{:>12} {what}", self.profile.executor().now() - crate::common::world::START);
        if self.is_told {
            eprintln!("{line}");
        }
        self.tale.push(line);
    }

    fn choose_faults(&self) {
        let (dice, weather, is_lossy) = (Rc::clone(&self.dice), Rc::clone(&self.weather), self.is_lossy);
        self.profile.vigil.choose(move |sent| {
            let delay = *dice.pick(&[1, 5, 50, 400, 3_000]);
            if !dice.percent(weather.get()) {
                return (Fault::None, delay);
            }
            let harmless =
                [Fault::Unreachable, Fault::Busy(503, 0), Fault::Busy(429, 30), Fault::Busy(500, 0)];
            let lossy = [Fault::Lost, Fault::Late, Fault::Garbled, Fault::Lost];
            let is_refresh = sent.url.ends_with("/token");
            (*dice.pick(if is_lossy && is_refresh { &lossy } else { &harmless }), delay)
        });
    }

    fn glance(&self) -> Glance {
        let profile = &self.profile;
        Glance {
            record: profile.record().is_some(),
            signed_in: profile.tabs().iter().map(|tab| (tab.owner, tab.is_signed_in(), tab.seen())).collect(),
            reasons: (
                profile.sign_ins.get(),
                profile.mark.get(),
                profile.vigil.refusals.get(),
                profile.mismatches.get(),
            ),
        }
    }

    fn step(&mut self) {
        let before = self.glance();
        let ended = self.act();
        let span = match self.dice.below(100) {
            0..15 => 0,
            15..50 => self.dice.between(1, 50),
            50..75 => self.dice.between(1_000, 20_000),
            75..95 => self.dice.between(MINUTE, 10 * MINUTE),
            _ => self.dice.between(HOUR / 2, 3 * HOUR),
        };
        self.profile.executor().advance(span);
        self.compare(&before, ended);
        self.settle_accounts();
    }

    /// No session is lost without a reason.
    fn compare(&mut self, before: &Glance, ended: bool) {
        let now = self.glance();
        let told = format!(
            "record {}, {:?}, {:?}",
            now.record,
            now.signed_in.iter().map(|(_, is, _)| *is).collect::<Vec<_>>(),
            now.reasons
        );
        self.tell(told);
        if ended || self.is_mortal || now.reasons != before.reasons {
            return;
        }
        if self.profile.is_shared() && before.record && !now.record {
            self.profile.complain("the session is gone without a reason".to_owned());
        }
        for (owner, was_signed_in, seen) in &before.signed_in {
            let Some((_, is_signed_in, sees)) = now.signed_in.iter().find(|(other, ..)| other == owner)
            else {
                continue;
            };
            let is_lost = *was_signed_in && !is_signed_in && seen == sees;
            if is_lost && (now.record || !self.profile.is_shared()) {
                self.profile.complain(format!("tab {owner} lost its session without a reason"));
            }
        }
    }

    /// Does something. Was it to end the session?
    fn act(&mut self) -> bool {
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
            Action::Open | Action::Reload | Action::Close => self.change_tabs(&tab, action),
            Action::Weather => self.weather.set(*self.dice.pick(&[0, 0, 10, 50, 100])),
            Action::Offline => {
                let offline = &self.profile.browser.offline;
                offline.set(!offline.get());
            }
            Action::ForgetTokens => self.profile.vigil.server.forget_tokens(),
            Action::Sleep => self.sleep(),
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

    fn open(&self) {
        self.profile.vigil.entitle();
        self.profile.open();
    }

    /// The machine sleeps: no timer fires, and afterwards each tab looks.
    fn sleep(&mut self) {
        let span = self.dice.between(MINUTE, 8 * HOUR);
        let executor = self.profile.executor();
        executor.set_clock(executor.now() + span);
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

    fn token(&mut self, tab: &Tab, options: Value) {
        if options.get("forceRefresh").is_some() {
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

    fn look(&mut self, tab: &Tab) {
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

    fn sign_in(&mut self, tab: &Tab) {
        self.profile.vigil.entitle();
        self.is_mortal = false;
        let person = *self.dice.pick(&["ann", "ben"]);
        let work = Rc::clone(&self.profile).sign_in(tab.clone(), person);
        self.start(tab, Box::pin(work));
    }

    /// Every waiter ends within a bound, with an error that can be shown.
    fn settle_accounts(&mut self) {
        let now = self.profile.executor().now();
        let bound = 4 * PATIENCE * (1 + self.most_tabs as i64);
        for asked in std::mem::take(&mut self.asked) {
            match asked.join.take() {
                Some(Err(error)) => {
                    self.profile.must_be_safe(&error);
                    self.tell(format!("  {} came to {}", asked.what.trim(), error.code().name()));
                }
                Some(Ok(())) => {}
                None if now - asked.since > bound => {
                    self.profile.complain(format!("{} waits since {} ms", asked.what, now - asked.since));
                }
                None => self.asked.push(asked),
            }
        }
        if self.profile.is_shared() && self.profile.is_signed_out() && self.profile.record().is_some() {
            self.profile.complain("a session is stored after the sign-out".to_owned());
        }
    }

    /// The sky clears: all that was put off is done, and all tabs agree.
    fn end(&mut self) {
        self.weather.set(0);
        self.profile.browser.offline.set(false);
        self.profile.executor().advance(12 * MINUTE);
        self.settle_accounts();
        for round in 0..2 {
            for tab in self.profile.tabs() {
                self.look(&tab);
                self.profile.executor().advance(MINUTE);
                if round == 1 && tab.is_signed_in() && !self.is_mortal {
                    self.token(&tab, json!({ "forceRefresh": true }));
                    self.profile.executor().advance(MINUTE);
                    self.serves(&tab);
                }
            }
            self.settle_accounts();
        }
        for tab in self.profile.tabs().iter().filter(|_| self.profile.is_shared()) {
            let (is, must) = (tab.is_signed_in(), self.profile.record().is_some());
            if is != must {
                self.profile.complain(format!("tab {} signed in: {is}, the others: {must}", tab.owner));
            }
        }
    }

    /// After the storm, a session serves, or the server has ended it.
    fn serves(&self, tab: &Tab) {
        let asked = self.asked.last().and_then(|asked| asked.join.take());
        let is_fine = asked.as_ref().is_some_and(|outcome| outcome.is_ok() || !tab.is_signed_in());
        if !is_fine {
            let code = asked.and_then(Result::err).map_or("nothing", |error| error.code().name());
            self.profile.complain(format!("tab {} is of no use: {code}", tab.owner));
        }
    }

    fn verdict(&self) -> Result<(), String> {
        let wrong = self.profile.wrong();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}
