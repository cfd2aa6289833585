//! Who is signed in, with which token, and until when.

use super::{Client, Platform};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::json::Value;
use crate::protocol::scope;
use crate::protocol::secret::Secret;
use std::rc::Rc;

/// The longest timer that browsers take; a longer one would fire at once.
const LONGEST_TIMER: i64 = i32::MAX as i64;

/// A person, as a validated ID token told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The token's `sub`: unique and never reassigned within the issuer.
    pub subject: String,
    /// All of the token's claims.
    pub claims: Value,
}

/// What the app shows. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A response is being handled.
    Loading,
    /// Nobody is signed in; `reason` says why, where there was a reason.
    Anonymous {
        /// The code of the error that ended or prevented the session.
        reason: Option<Code>,
    },
    /// Somebody is signed in.
    Authenticated {
        /// `None` without OpenID Connect.
        user: Option<Rc<User>>,
        /// Milliseconds since the epoch, where the server says it.
        expires_at: Option<i64>,
        /// What was granted.
        granted: Rc<Vec<String>>,
        /// What was asked for.
        requested: Rc<Vec<String>>,
    },
}

impl State {
    /// What was asked for and not granted.
    pub fn missing(&self) -> Vec<String> {
        match self {
            State::Authenticated { granted, requested, .. } => scope::missing(requested, granted),
            _ => Vec::new(),
        }
    }
}

/// What the observer is told.
#[derive(Clone, Debug)]
pub enum Event {
    /// There is a new state.
    StateChanged(State),
    /// A sign-in was finished.
    SignedIn(Option<Rc<User>>),
    /// The session has ended; why, unless it was ended from here.
    SignedOut(Option<Code>),
    /// The session ran out.
    SessionExpired(AuthError),
}

/// The access token with what is known of it.
#[derive(Debug)]
pub struct AccessToken {
    /// For the `Authorization` header, and nothing else.
    pub token: Rc<Secret>,
    /// Milliseconds since the epoch, where the server says it.
    pub expires_at: Option<i64>,
    /// What it is good for.
    pub scopes: Rc<Vec<String>>,
}

pub(super) struct Session {
    pub(super) access_token: Rc<Secret>,
    pub(super) id_token: Option<Secret>,
    pub(super) user: Option<Rc<User>>,
    pub(super) expires_at: Option<i64>,
    pub(super) granted: Rc<Vec<String>>,
    pub(super) requested: Rc<Vec<String>>,
}

/// The session, and what surrounds it.
#[derive(Default)]
pub(super) struct Sessions {
    current: Option<Session>,
    /// Counts sessions, so that the timer of one does not end the next.
    generation: u32,
    /// Counts sign-outs.
    epoch: u32,
    /// Responses being handled.
    loading: u32,
    reason: Option<Code>,
    /// The mark of the state that the observer was told last.
    told: Mark,
}

/// What makes a state another one: which session, or whether one is coming, or why there is none.
type Mark = (Option<u32>, bool, Option<Code>);

impl Sessions {
    fn mark(&self) -> Mark {
        match self.current {
            Some(_) => (Some(self.generation), false, None),
            None if self.loading > 0 => (None, true, None),
            None => (None, false, self.reason),
        }
    }
}

impl<P: Platform> Client<P> {
    /// The state now.
    pub fn state(&self) -> State {
        let sessions = self.0.session.borrow();
        match &sessions.current {
            Some(session) => State::Authenticated {
                user: session.user.clone(),
                expires_at: session.expires_at,
                granted: Rc::clone(&session.granted),
                requested: Rc::clone(&session.requested),
            },
            None if sessions.loading > 0 => State::Loading,
            None => State::Anonymous { reason: sessions.reason },
        }
    }

    /// The access token of the session.
    ///
    /// # Errors
    /// `not_signed_in` without a session, `session_expired` when it has run out.
    pub fn access_token(&self) -> Result<AccessToken, AuthError> {
        self.expire_if_due();
        let sessions = self.0.session.borrow();
        match &sessions.current {
            Some(session) => Ok(AccessToken {
                token: Rc::clone(&session.access_token),
                expires_at: session.expires_at,
                scopes: Rc::clone(&session.granted),
            }),
            None if sessions.reason == Some(Code::SessionExpired) => Err(expired()),
            None => Err(AuthError::new(Code::NotSignedIn, Phase::Token, "nobody is signed in")),
        }
    }

    pub(super) fn tell(&self, event: Event) {
        (self.0.observer)(event);
    }

    /// Tells of the state, if it is a new one.
    pub(super) fn tell_state(&self) {
        let is_new = {
            let mut sessions = self.0.session.borrow_mut();
            let mark = sessions.mark();
            std::mem::replace(&mut sessions.told, mark) != mark
        };
        if is_new {
            self.tell(Event::StateChanged(self.state()));
        }
    }

    /// The state is `Loading` from here on, unless somebody is signed in already.
    pub(super) fn begin_loading(&self) {
        self.0.session.borrow_mut().loading += 1;
        self.tell_state();
    }

    /// The state is what it is again.
    pub(super) fn end_loading(&self, error: Option<&AuthError>) {
        {
            let mut sessions = self.0.session.borrow_mut();
            sessions.loading = sessions.loading.saturating_sub(1);
            sessions.reason = error.map(AuthError::code);
        }
        self.tell_state();
    }

    /// Makes a session the current one. The caller tells of the new state when its step is done.
    pub(super) fn begin_session(&self, session: Session) {
        let generation = {
            let mut sessions = self.0.session.borrow_mut();
            sessions.generation = sessions.generation.wrapping_add(1);
            sessions.reason = None;
            sessions.current = Some(session);
            sessions.generation
        };
        self.watch_expiry(generation);
    }

    /// Ends the session here: its secrets are wiped, and it is the observer's turn. True if there was one.
    pub(super) fn end_session(&self, reason: Option<Code>) -> bool {
        let ended = {
            let mut sessions = self.0.session.borrow_mut();
            sessions.generation = sessions.generation.wrapping_add(1);
            sessions.reason = reason;
            sessions.current.take()
        };
        // Those under way find out by themselves.
        self.0.handlings.borrow_mut().retain(|handling| handling.is_under_way());
        let was_there = ended.is_some();
        drop(ended);
        self.tell_state();
        was_there
    }

    /// Which sign-out was the last.
    pub(super) fn epoch(&self) -> u32 {
        self.0.session.borrow().epoch
    }

    /// Begins the time after a sign-out.
    pub(super) fn next_epoch(&self) {
        let mut sessions = self.0.session.borrow_mut();
        sessions.epoch = sessions.epoch.wrapping_add(1);
    }

    /// The ID token of the session, for the server's logout.
    pub(super) fn take_id_token(&self) -> Option<Secret> {
        self.0.session.borrow_mut().current.as_mut()?.id_token.take()
    }

    fn expires_at(&self) -> Option<i64> {
        self.0.session.borrow().current.as_ref()?.expires_at
    }

    fn expire_if_due(&self) {
        if self.expires_at().is_some_and(|at| at <= self.0.platform.now()) {
            self.end_session(Some(Code::SessionExpired));
            self.tell(Event::SessionExpired(expired()));
            self.tell(Event::SignedOut(Some(Code::SessionExpired)));
        }
    }

    /// Ends the session of this generation at its deadline. The task holds no reference to the client while it
    /// waits, so that a dropped client is gone at once.
    fn watch_expiry(&self, generation: u32) {
        let weak = Rc::downgrade(&self.0);
        let platform = Rc::clone(&self.0.platform);
        self.0.platform.spawn(async move {
            while let Some(client) = weak.upgrade().map(Client) {
                client.expire_if_due();
                let current = client.0.session.borrow().generation == generation;
                let Some(at) = client.expires_at().filter(|_| current) else { return };
                drop(client);
                let left = at.saturating_sub(platform.now()).clamp(1, LONGEST_TIMER);
                platform.sleep(i32::try_from(left).unwrap_or(i32::MAX)).await;
            }
        });
    }
}

fn expired() -> AuthError {
    AuthError::new(Code::SessionExpired, Phase::Token, "the access token has run out")
}
