//! The flows: what is asked of whom in which order, and what is kept.
//!
//! Every effect goes through [`Platform`], so that a whole sign-in is a native test with a scripted server and
//! clock. A `RefCell` is never borrowed over an `await` or while the observer runs: both may come back in.
//!
//! Deliberately absent: Web APIs, windows, navigation (the caller goes where a flow says), and any rule that
//! could be a pure function of `protocol`.

mod clock;
mod defer;
mod discovery;
mod dpop;
mod fetch;
mod flight;
mod login;
mod logout;
pub mod platform;
mod request;
mod session;
mod store;
mod tokens;
mod userinfo;
mod watch;

pub use fetch::{Call, Fetched, StepUp};
pub use login::SignInResult;
pub use logout::{Farewell, Which};
pub use platform::{Area, COOKIE, Platform, Unavailable};
pub use request::AuthorizeRequest;
pub use session::{Event, State, User};
pub use tokens::AccessToken;

use crate::protocol::config::Config;
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::id_token;
use crate::protocol::token::Wanted;
use crate::protocol::transaction::{CAPACITY, Ledger, MEMORY_CAPACITY};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A client of one authorization server. Clones are the same client.
pub struct Client<P: Platform>(Rc<Inner<P>>);

impl<P: Platform> Clone for Client<P> {
    fn clone(&self) -> Self {
        Client(Rc::clone(&self.0))
    }
}

struct Inner<P: Platform> {
    platform: Rc<P>,
    clock: clock::Clock,
    config: Config,
    observer: Box<dyn Fn(Event)>,
    server: RefCell<discovery::Server>,
    session: RefCell<session::Sessions>,
    /// Responses that are being or have been handled, by their `state`: each is handled once, whoever asks.
    handlings: RefCell<Vec<login::Handling>>,
    /// The request that was pushed ahead, for the next URL.
    minted: RefCell<Option<request::Minted>>,
    /// Sign-ins in progress, where they are kept in memory alone.
    ledger: RefCell<String>,
    /// Does the storage hold what the session is?
    is_stored: Cell<bool>,
    /// Is the memory there for longer than a page?
    outlasts: Cell<bool>,
    /// Refreshes that are under way, by session and what they are for; each waits for the one before it.
    refreshes: RefCell<Vec<(u32, Wanted, flight::Flight)>>,
    proofs: RefCell<dpop::Proofs<P::Key>>,
}

impl<P: Platform> Client<P> {
    /// A client with nobody signed in. `observer` is told of every change of state; it may call the client.
    pub fn new(platform: P, config: Config, observer: impl Fn(Event) + 'static) -> Self {
        Client(Rc::new(Inner {
            clock: clock::Clock::new(&platform),
            platform: Rc::new(platform),
            config,
            observer: Box::new(observer),
            server: RefCell::default(),
            session: RefCell::default(),
            handlings: RefCell::default(),
            minted: RefCell::default(),
            ledger: RefCell::default(),
            is_stored: Cell::new(true),
            outlasts: Cell::default(),
            refreshes: RefCell::default(),
            proofs: RefCell::default(),
        }))
    }

    /// What is in memory outlasts the page, as in a worker that is there for all pages: a sign-in may be kept in memory
    /// while the page is left.
    pub fn outlast(&self) {
        self.0.outlasts.set(true);
    }

    /// The configuration, as it was checked.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    fn random<const LENGTH: usize>(&self, phase: Phase) -> Result<[u8; LENGTH], AuthError> {
        let mut octets = [0; LENGTH];
        let unavailable =
            |Unavailable| AuthError::new(Code::InsecureContext, phase, "the browser gives no random octets");
        self.0.platform.random(&mut octets).map_err(unavailable)?;
        Ok(octets)
    }

    /// The server's time in seconds, by a corrected estimate, and the seconds by which its clock may differ.
    fn seconds_and_skew(&self, correction: i64) -> (i64, i64) {
        let skew = id_token::clock_skew(self.0.config.id_token_policy());
        ((self.server_time() + correction).div_euclid(1000), skew)
    }

    /// Versioned, and apart for each issuer and client, so that two apps on one origin never meet.
    fn ledger_key(&self) -> String {
        ["wardkey:1:", self.0.config.tag()].concat()
    }

    fn ledger(&self) -> Result<Ledger, AuthError> {
        let text = match self.ledger_area() {
            Some(area) => {
                self.0.platform.load(area, &self.ledger_key()).map_err(storage)?.unwrap_or_default()
            }
            None => self.0.ledger.borrow().clone(),
        };
        Ok(Ledger::read(&text, self.0.platform.now()))
    }

    fn keep(&self, ledger: Ledger) -> Result<(), AuthError> {
        let area = self.ledger_area();
        let (capacity, limit) = match area {
            Some(Area::Cookie) => (CAPACITY, COOKIE),
            Some(_) => (CAPACITY, usize::MAX),
            None => (MEMORY_CAPACITY, usize::MAX),
        };
        let text = ledger.write(capacity, limit);
        match area {
            Some(area) => self.0.platform.save(area, &self.ledger_key(), text.as_deref()).map_err(storage),
            None => {
                self.0.ledger.replace(text.unwrap_or_default());
                Ok(())
            }
        }
    }

    /// Where sign-ins in progress are kept; nowhere: in memory.
    fn ledger_area(&self) -> Option<Area> {
        match self.0.config.transaction_storage() {
            "memory" => None,
            "cookie" => Some(Area::Cookie),
            _ => Some(Area::Tab),
        }
    }
}

fn storage(Unavailable: Unavailable) -> AuthError {
    AuthError::new(Code::StorageUnavailable, Phase::Storage, "the storage for sign-ins is denied or full")
}
