//! Several tabs of one browser profile, each with a client of its own, that tell each other what the package's own
//! tabs do: that something has changed or ended, and no more (`pkg/src/tabs.ts`, `pkg/src/follow.ts`).

use crate::common::browser::Browser;
use crate::common::executor::{Executor, Join};
use crate::common::page::{configure, value};
use crate::common::world::World;
use crate::vigil::Vigil;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use wardkey::client::{Client, Event, State};
use wardkey::protocol::authorize::{SignIn, Window};
use wardkey::protocol::error::AuthError;

/// What the tabs of a profile share.
pub(crate) struct Profile {
    pub(crate) browser: Browser,
    pub(crate) vigil: Rc<Vigil>,
    options: Value,
    tabs: RefCell<Vec<Tab>>,
    /// The number of the last sign-out.
    pub(crate) mark: Cell<u32>,
    /// How often somebody signed in.
    pub(crate) sign_ins: Cell<u32>,
    /// How often there had been a sign-in when somebody signed out last.
    ended_after: Cell<Option<u32>>,
    /// How often a session was ended by the server's `invalid_grant`, or by an answer for somebody else.
    pub(crate) ends: Cell<u32>,
    next: Cell<usize>,
    /// Milliseconds that a message between tabs takes.
    delay: Box<dyn Fn() -> i64>,
    wrong: RefCell<Vec<String>>,
}

/// A page load in a tab.
#[derive(Clone)]
pub(crate) struct Tab {
    pub(crate) owner: usize,
    pub(crate) client: Client<Browser>,
    /// The last sign-out that this tab knows of.
    seen: Rc<Cell<u32>>,
}

impl Profile {
    pub(crate) fn new(options: Value, delay: impl Fn() -> i64 + 'static) -> Rc<Profile> {
        let world = World::new();
        let vigil = Vigil::new(Rc::clone(&world.server), Rc::clone(world.browser.executor()));
        let network = Rc::clone(&vigil);
        let executor = Rc::clone(world.browser.executor());
        Rc::new(Profile {
            browser: Browser::new(executor, move |sent| network.answer(sent)),
            vigil,
            options,
            tabs: RefCell::default(),
            mark: Cell::default(),
            sign_ins: Cell::default(),
            ended_after: Cell::default(),
            ends: Cell::default(),
            next: Cell::new(1),
            delay: Box::new(delay),
            wrong: RefCell::default(),
        })
    }

    pub(crate) fn executor(&self) -> &Rc<Executor> {
        self.browser.executor()
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.options["storage"] == "localStorage"
    }

    /// The tabs that are open.
    pub(crate) fn tabs(&self) -> Vec<Tab> {
        self.tabs.borrow().clone()
    }

    pub(crate) fn wrong(&self) -> Vec<String> {
        let mut wrong = self.vigil.wrong();
        wrong.extend(self.wrong.borrow().iter().cloned());
        wrong
    }

    pub(crate) fn complain(&self, what: String) {
        self.wrong.borrow_mut().push(what);
    }

    /// The text of the session that all tabs share. Of one that ran out there is but the word.
    pub(crate) fn record(&self) -> Option<String> {
        let storage = self.browser.origin_storage.borrow();
        let (_, text) = storage.iter().find(|(key, _)| key.starts_with("wardkey:session:1:"))?;
        (text != "expired").then(|| text.clone())
    }

    /// Opens a tab that takes up what is stored.
    pub(crate) fn open(self: &Rc<Self>) -> Tab {
        let owner = self.next.replace(self.next.get() + 1);
        let config = configure(&self.options).unwrap_or_else(|error| panic!("{error}"));
        let profile = Rc::downgrade(self);
        let seen = Rc::new(Cell::new(self.mark.get()));
        let known = Rc::clone(&seen);
        let observer = move |event: Event| {
            if let Some(profile) = profile.upgrade() {
                profile.observe(owner, &known, &event);
            }
        };
        let client = Client::new(self.browser.clone(), config, observer);
        let tab = Tab { owner, client, seen };
        self.tabs.borrow_mut().push(tab.clone());
        self.vigil.excuse();
        let restoring = tab.client.clone();
        self.start(&tab, async move { restoring.restore().await });
        tab
    }

    /// Closes a tab, whatever it does.
    pub(crate) fn close(&self, tab: &Tab) {
        self.tabs.borrow_mut().retain(|other| other.owner != tab.owner);
        self.browser.close(tab.owner);
        self.vigil.excuse();
        let record = self.record().unwrap_or_default();
        self.vigil.lose(tab.owner, |token| record.contains(&format!("\"{token}\"")));
    }

    /// Does something in a tab.
    pub(crate) fn start<T: 'static>(&self, tab: &Tab, work: impl Future<Output = T> + 'static) -> Join<T> {
        self.executor().as_owner(tab.owner, || self.browser.start(work))
    }

    fn observe(self: &Rc<Self>, owner: usize, seen: &Cell<u32>, event: &Event) {
        match event {
            Event::SignedIn(_) => {
                self.sign_ins.set(self.sign_ins.get() + 1);
                self.tell_others(owner);
            }
            Event::Ended => {
                self.end();
                self.mark.set(self.mark.get() + 1);
                seen.set(self.mark.get());
                self.tell_others(owner);
            }
            Event::TokenRefreshed(_) if self.is_shared() => self.tell_others(owner),
            Event::SessionExpired(error) => self.judge(error),
            Event::RefreshDeferred(_, error) | Event::StorageFailed(error) => self.must_be_safe(error),
            _ => {}
        }
    }

    fn judge(&self, error: &AuthError) {
        self.must_be_safe(error);
        let is_refused = error.oauth_error() == Some("invalid_grant") && self.vigil.refusals.get() > 0;
        if is_refused || error.code().name() == "user_mismatch" {
            self.ends.set(self.ends.get() + 1);
        }
    }

    /// An error that carries no secret.
    pub(crate) fn must_be_safe(&self, error: &AuthError) {
        let printed = format!("{error} {error:?} {}", error.reason());
        if ["access-", "refresh-", "code-", "eyJ"].iter().any(|secret| printed.contains(secret)) {
            self.complain(format!("a secret in {printed}"));
        }
    }

    /// A hint arrives at each of the other tabs, some time later.
    fn tell_others(self: &Rc<Self>, owner: usize) {
        for tab in self.tabs().into_iter().filter(|tab| tab.owner != owner) {
            let (profile, hearer) = (Rc::clone(self), tab.clone());
            let late = self.executor().sleep((self.delay)());
            self.start(&tab, async move {
                late.await;
                profile.look(&hearer).await;
            });
        }
    }

    /// What a tab does that hears a hint, or that comes to the front.
    pub(crate) async fn look(self: Rc<Self>, tab: &Tab) {
        if tab.seen.replace(self.mark.get()) != self.mark.get() {
            tab.client.follow();
            if !self.is_shared() && tab.is_signed_in() {
                self.complain(format!("tab {} has not followed a sign-out", tab.owner));
            }
        }
        let sign_ins = self.sign_ins.get();
        tab.client.look().await;
        let is_over = self.sign_ins.get() == sign_ins && self.is_signed_out();
        if is_over && self.is_shared() && tab.is_signed_in() {
            self.complain(format!("tab {} has looked, and is signed in after the sign-out", tab.owner));
        }
    }

    /// Somebody signs out.
    pub(crate) fn end(&self) {
        self.ended_after.set(Some(self.sign_ins.get()));
    }

    /// Was a sign-out the last that a person did?
    pub(crate) fn is_signed_out(&self) -> bool {
        self.ended_after.get() == Some(self.sign_ins.get())
    }

    /// Signs somebody in, by a popup.
    pub(crate) async fn sign_in(self: Rc<Self>, tab: Tab, person: &'static str) -> Result<(), AuthError> {
        let sign_in = SignIn::read(&value(&serde_json::json!({})))?;
        let url = tab.client.begin(&sign_in, Window::Page).await?.url;
        let callback = self.vigil.authorize(&url, person);
        tab.client.handle_callback(&callback).await.map(drop)
    }
}

impl Tab {
    /// The last sign-out that this tab knows of.
    pub(crate) fn seen(&self) -> u32 {
        self.seen.get()
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        matches!(self.client.state(), State::Authenticated { .. })
    }
}
