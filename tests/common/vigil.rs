//! The network between several tabs and a strict authorization server, watched: a refresh token is good for one
//! use, and one that is used again costs its whole family (RFC 9700 4.14.2). What goes wrong on the way is the
//! test's choice.

use crate::common::browser::{Answer, Sent};
use crate::common::executor::Executor;
use crate::common::server::AuthServer;
use crate::common::urls;
use crate::common::world::START;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use wardkey::protocol::http::Failure;

/// Requests to the token endpoint in a minute that make no storm: eight of each of four tabs.
const CALM: usize = 32;

/// Milliseconds after which a refresh token is sent again at the earliest, by whichever tab.
const SHORTEST_WAIT: i64 = 2_500;
/// Milliseconds in which that does not count, after somebody insisted, or a tab was opened or closed.
const EXCUSE: i64 = 15 * 60_000;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It does not arrive.
    Unreachable,
    /// It is turned away at the door with this status, and `Retry-After` in seconds.
    Busy(u16, i64),
    /// It arrives, and the answer does not.
    Lost,
    /// It arrives, and the answer comes after everybody's patience.
    Late,
    /// It arrives, and the answer is not what it was.
    Garbled,
}

impl Fault {
    /// Does the server act on the request without the client getting to know?
    fn loses_answer(self) -> bool {
        matches!(self, Fault::Lost | Fault::Late | Fault::Garbled)
    }
}

/// The use of a refresh token.
struct Spending {
    /// By which tab.
    owner: usize,
    /// What it got for it.
    next: Option<String>,
    /// Never heard of by whoever spent it: it may be tried once more.
    lost: bool,
    /// Until then the answer is on its way.
    arrives_at: i64,
}

type Choice = Box<dyn Fn(&Sent) -> (Fault, i64)>;

pub(crate) struct Vigil {
    pub(crate) server: Rc<AuthServer>,
    executor: Rc<Executor>,
    choose: RefCell<Choice>,
    spent: RefCell<BTreeMap<String, Spending>>,
    /// Families of refresh tokens that are good no more.
    revoked: RefCell<BTreeSet<String>>,
    /// How often a refresh token was refused.
    pub(crate) refusals: Cell<usize>,
    /// When the token endpoint was asked, and when somebody did what entitles to that at once.
    asked: RefCell<Vec<i64>>,
    entitled: RefCell<Vec<i64>>,
    /// Refresh tokens that were sent to no avail, and until when nobody sends them again.
    waits: RefCell<BTreeMap<String, i64>>,
    excused_until: Cell<i64>,
    wrong: RefCell<Vec<String>>,
    /// Is it printed which tokens are spent?
    pub(crate) is_told: Cell<bool>,
    /// Whom the grants are of, by the nonces of their sign-ins.
    people: Rc<RefCell<BTreeMap<String, String>>>,
}

/// Its tokens have the challenge of the sign-in in their names, and which use it is.
pub(crate) fn family(token: &str) -> &str {
    token.strip_prefix("refresh-").and_then(|rest| rest.rsplit_once('-')).map_or("", |(family, _)| family)
}

impl Vigil {
    pub(crate) fn new(server: Rc<AuthServer>, executor: Rc<Executor>) -> Rc<Vigil> {
        let people: Rc<RefCell<BTreeMap<String, String>>> = Rc::default();
        let names = Rc::clone(&people);
        server.change_claims(move |claims| {
            if let Some(name) = claims["nonce"].as_str().and_then(|nonce| names.borrow().get(nonce).cloned())
            {
                claims["sub"] = name.into();
            }
        });
        Rc::new(Vigil {
            server,
            executor,
            choose: RefCell::new(Box::new(|_| (Fault::None, 1))),
            spent: RefCell::default(),
            revoked: RefCell::default(),
            refusals: Cell::default(),
            asked: RefCell::default(),
            entitled: RefCell::default(),
            waits: RefCell::default(),
            excused_until: Cell::default(),
            wrong: RefCell::default(),
            is_told: Cell::default(),
            people,
        })
    }

    /// What happens to each request from now on, and the milliseconds that its answer takes.
    pub(crate) fn choose(&self, choice: impl Fn(&Sent) -> (Fault, i64) + 'static) {
        *self.choose.borrow_mut() = Box::new(choice);
    }

    /// What must not have happened.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.borrow().clone()
    }

    /// Somebody insists: two requests more are no storm.
    pub(crate) fn entitle(&self) {
        self.entitled.borrow_mut().extend([self.executor.now(); 2]);
    }

    /// Somebody does what may send a refresh token again before its time.
    pub(crate) fn excuse(&self) {
        self.excused_until.set(self.executor.now() + EXCUSE);
    }

    /// What is sent to no avail is sent again by one tab, and after a while.
    fn note_try(&self, token: &str, fault: Fault, patience: i64) {
        let (now, owner) = (self.executor.now(), self.executor.owner());
        let earliest = self.waits.borrow_mut().remove(token).unwrap_or(0);
        if now < earliest && now >= self.excused_until.get() {
            let early = earliest - now;
            self.wrong.borrow_mut().push(format!("tab {owner} replays a refresh token {early} ms too early"));
        }
        let asked = if let Fault::Busy(_, seconds) = fault { seconds * 1_000 } else { 0 };
        if fault != Fault::None {
            let earliest = now + patience + SHORTEST_WAIT + asked;
            self.waits.borrow_mut().insert(token.to_owned(), earliest);
        }
    }

    /// In any minute there is what people insist on, and a few tries of each tab.
    fn note_request(&self) {
        let now = self.executor.now();
        let recent = |times: &RefCell<Vec<i64>>| {
            times.borrow_mut().retain(|at| *at > now - 60_000);
            times.borrow().len()
        };
        self.asked.borrow_mut().push(now);
        let (asked, entitled) = (recent(&self.asked), recent(&self.entitled));
        if asked > entitled + CALM {
            self.wrong.borrow_mut().push(format!("{asked} requests in a minute: a storm"));
        }
    }

    /// This person signs in, at the URL that the client made.
    pub(crate) fn authorize(&self, url: &str, person: &str) -> String {
        if let Some(nonce) = urls::parameter(url, "nonce") {
            self.people.borrow_mut().insert(nonce, person.to_owned());
        }
        self.server.authorize(url)
    }

    /// A tab is closed that may have made no use yet of what it got: a token that is `kept` may be tried once more.
    pub(crate) fn lose(&self, owner: usize, kept: impl Fn(&str) -> bool) {
        for (token, spending) in self.spent.borrow_mut().iter_mut() {
            if spending.owner == owner && kept(token) {
                (spending.lost, spending.arrives_at) = (true, 0);
            }
        }
    }

    pub(crate) fn answer(&self, sent: &Sent) -> Answer {
        let (fault, delay) = (self.choose.borrow())(sent);
        let is_token = sent.url.ends_with("/token");
        if is_token {
            self.note_request();
            let form: BTreeMap<String, String> =
                sent.form.iter().flat_map(|form| urls::fields(form)).collect();
            let patience = if fault == Fault::Late { sent.timeout } else { delay.min(sent.timeout) };
            if let Some(token) = form.get("refresh_token") {
                self.note_try(token, fault, patience);
            }
        }
        let answer = match fault {
            Fault::Unreachable => Answer::Fail(Failure::Network),
            Fault::Busy(status, wait) => Answer::html(status).with("retry-after", &wait.to_string()),
            _ => self.deliver(sent, fault, delay),
        };
        match fault {
            Fault::Lost => Answer::Fail(Failure::Network).late(delay),
            Fault::Late => answer.late(sent.timeout.saturating_add(1)),
            Fault::Garbled => Answer::new(200, "application/json", r#"{"access_token":"#).late(delay),
            _ => answer.late(delay),
        }
    }

    fn deliver(&self, sent: &Sent, fault: Fault, delay: i64) -> Answer {
        let fields: BTreeMap<String, String> = match &sent.form {
            Some(form) if sent.url.ends_with("/token") || sent.url.ends_with("/revoke") => {
                urls::fields(form).into_iter().collect()
            }
            _ => return self.server.answer(sent),
        };
        if let Some(token) = fields.get("token") {
            self.revoked.borrow_mut().insert(family(token).to_owned());
            return self.server.answer(sent);
        }
        match fields.get("refresh_token") {
            Some(token) => self.refresh(sent, token, fault, delay),
            None => self.server.answer(sent),
        }
    }

    fn refresh(&self, sent: &Sent, token: &str, fault: Fault, delay: i64) -> Answer {
        let now = self.executor.now();
        let patience = if fault == Fault::Late { sent.timeout } else { delay };
        let mut spending = Spending {
            owner: self.executor.owner(),
            next: None,
            lost: fault.loses_answer(),
            arrives_at: now + patience,
        };
        let earlier = self.spent.borrow_mut().remove(token);
        if let Some(earlier) = &earlier
            && !(earlier.lost && now >= earlier.arrives_at)
        {
            let (one, other) = (earlier.owner, spending.owner);
            let what = format!("a refresh token was spent by tab {one} and again by tab {other}");
            self.wrong.borrow_mut().push(what);
        }
        let mut revoked = self.revoked.borrow_mut();
        let answer = if earlier.is_some() || revoked.contains(family(token)) {
            revoked.insert(family(token).to_owned());
            self.refusals.set(self.refusals.get() + 1);
            Answer::new(400, "application/json", r#"{"error":"invalid_grant"}"#)
        } else {
            self.server.answer(sent)
        };
        spending.next = next_token(&answer);
        if self.is_told.get() {
            let next = spending.next.as_deref().unwrap_or("nothing");
            eprintln!(
                "{:>12}   tab {} spends {token} for {next}, {fault:?} {delay}",
                now - START,
                spending.owner
            );
        }
        // Turned away for another reason, as a proof that is too old, it is as good as before.
        if spending.next.is_some() || earlier.is_some() {
            self.spent.borrow_mut().insert(token.to_owned(), spending);
        }
        answer
    }
}

fn next_token(answer: &Answer) -> Option<String> {
    let Answer::Reply { status: 200, body, .. } = answer else { return None };
    let body: Value = serde_json::from_slice(body).unwrap_or(json!({}));
    body["refresh_token"].as_str().map(str::to_owned)
}
