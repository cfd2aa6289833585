//! The life of a browser profile, and what must hold in it.

use crate::common::executor::Join;
use crate::dice::Dice;
use crate::tabs::{Profile, Tab};
use crate::vigil::Fault;
use serde_json::{Value, json};
use std::cell::Cell;
use std::rc::Rc;
use wardkey::protocol::error::AuthError;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
const STEPS: usize = 30;
/// Of which one refresh may take a few: discovery, the refresh, and keys.
const PATIENCE: i64 = 10_000;

/// Something that a tab was asked for.
pub(crate) struct Asked {
    pub(crate) what: String,
    pub(crate) owner: usize,
    pub(crate) since: i64,
    pub(crate) join: Join<Result<(), AuthError>>,
}

pub(crate) struct Life {
    pub(crate) dice: Rc<Dice>,
    pub(crate) profile: Rc<Profile>,
    pub(crate) most_tabs: usize,
    /// Does anybody sign out or in again? Where nobody does, and no answer is lost, no session may end.
    pub(crate) is_restless: bool,
    is_lossy: bool,
    /// Are there proofs of possession, which servers take at their time only?
    pub(crate) is_timed: bool,
    /// So many requests in a hundred have trouble.
    pub(crate) weather: Rc<Cell<usize>>,
    pub(crate) asked: Vec<Asked>,
    /// Was a refresh token revoked? Without one a session ends with its access token.
    pub(crate) is_mortal: bool,
    pub(crate) tale: Vec<String>,
    is_told: bool,
}

/// What may change for a reason only.
#[derive(PartialEq)]
struct Glance {
    record: bool,
    signed_in: Vec<(usize, bool, u32)>,
    /// Sign-ins, sign-outs, and ends of another kind.
    reasons: (u32, u32, u32),
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
            is_timed: options["dpop"] == true,
            weather: Rc::default(),
            asked: Vec::new(),
            is_mortal: false,
            tale: Vec::new(),
            is_told,
            profile,
            dice,
        };
        life.profile.vigil.is_told.set(is_told);
        if life.is_timed && life.dice.percent(50) {
            *life.profile.vigil.server.nonce.borrow_mut() = Some("nonce".to_owned());
        }
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

    pub(crate) fn tell(&mut self, what: String) {
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
            reasons: (profile.sign_ins.get(), profile.mark.get(), profile.ends.get()),
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
        self.profile.browser.hidden.borrow_mut().clear();
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
    fn serves(&mut self, tab: &Tab) {
        let asked = self.asked.pop().and_then(|asked| asked.join.take());
        let is_fine = asked.as_ref().is_some_and(|outcome| outcome.is_ok() || !tab.is_signed_in());
        if !is_fine {
            let code = asked.and_then(Result::err).map_or("nothing", |error| error.code().name());
            self.profile.complain(format!("tab {} is of no use: {code}", tab.owner));
        }
    }

    fn verdict(&self) -> Result<(), String> {
        let mut wrong = self.profile.wrong();
        let complaints = self.profile.vigil.server.complaints();
        // A machine that slept between signing and sending has a proof that is too old, and a sign-out takes the key to
        // which a sign-in under way in another tab was bound. The rest is not forgiven.
        wrong.extend(complaints.into_iter().filter(|what| !["iat", "dpop_jkt"].contains(&what.as_str())));
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}
