//! Who is signed in, with which token, and until when.

use super::defer::Deferred;
use super::fetch::StepUp;
use super::tokens::AccessToken;
use super::{Client, Platform};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::json::Value;
use crate::protocol::secret::Secret;
use std::rc::Rc;

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
        /// What was asked for and not granted, by what scopes mean to the server.
        missing: Vec<String>,
        /// The server could not be asked for a fresh token when one was due.
        stale: bool,
    },
}

impl State {
    /// What was asked for and not granted.
    pub fn missing(&self) -> &[String] {
        match self {
            State::Authenticated { missing, .. } => missing,
            _ => &[],
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
    /// It was ended from this very client, which the others have to be told.
    Ended,
    /// The session ran out.
    SessionExpired(AuthError),
    /// There is a new access token; when it ends.
    TokenRefreshed(Option<i64>),
    /// A refresh was put off: until when, and why.
    RefreshDeferred(i64, AuthError),
    /// The session could not be stored.
    StorageFailed(AuthError),
    /// Another person is signed in: before, and now.
    UserChanged(String, String),
    /// A server wants more than the token shows (RFC 9470; RFC 6750 3.1).
    StepUpRequired(StepUp),
    /// What a sign-in asks for will not be of the use that it seems to be; why.
    ScopeDoubtful(&'static str),
}

/// A session. Whoever changes it does so by [`Client::change_session`].
pub(super) struct Session {
    /// The sign-in's, and those for other resources and scopes; the newest last.
    pub(super) tokens: Vec<AccessToken>,
    pub(super) refresh_token: Option<Rc<Secret>>,
    pub(super) id_token: Option<Secret>,
    pub(super) user: Option<Rc<User>>,
    /// The resource of the sign-in.
    pub(super) resource: Option<String>,
    pub(super) granted: Rc<Vec<String>>,
    pub(super) requested: Rc<Vec<String>>,
    pub(super) deferred: Deferred,
}

impl Session {
    /// The one with all that was granted, for the resource of the sign-in.
    pub(super) fn main_token(&self) -> Option<&AccessToken> {
        self.tokens.iter().find(|token| token.resource == self.resource)
    }
}

/// The session, and what surrounds it.
#[derive(Default)]
pub(super) struct Sessions {
    current: Option<Session>,
    /// Counts sessions, so that the timer of one does not end the next.
    generation: u32,
    /// The session that a task watches.
    pub(super) watched: u32,
    /// Counts changes.
    revision: u32,
    /// Counts sign-outs.
    epoch: u32,
    /// Responses being handled.
    loading: u32,
    reason: Option<Code>,
    /// The mark of the state that the observer was told last.
    told: Mark,
    /// Until then nobody refreshes without being asked.
    pub(super) rests_until: i64,
}

/// What makes a state another one: which session, or whether one is coming, or why there is none.
type Mark = (Option<u32>, bool, Option<Code>);

impl Sessions {
    fn mark(&self) -> Mark {
        match self.current {
            Some(_) => (Some(self.revision), false, None),
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
                expires_at: session.main_token().and_then(|token| self.expiry(token)),
                granted: Rc::clone(&session.granted),
                requested: Rc::clone(&session.requested),
                missing: self.0.config.grammar().missing(&session.requested, &session.granted),
                stale: session.deferred.is_pending(),
            },
            None if sessions.loading > 0 => State::Loading,
            None => State::Anonymous { reason: sessions.reason },
        }
    }

    /// Looks at the session; the error says why there is none.
    pub(super) fn session<T>(&self, look: impl FnOnce(&Session) -> T) -> Result<T, AuthError> {
        let sessions = self.0.session.borrow();
        match &sessions.current {
            Some(session) => Ok(look(session)),
            None => Err(no_session(sessions.reason)),
        }
    }

    /// What was granted to who is signed in.
    pub(super) fn granted(&self) -> Option<Rc<Vec<String>>> {
        self.session(|session| Rc::clone(&session.granted)).ok()
    }

    /// Changes the session, if there is one, and tells of it.
    pub(super) fn change_session(&self, change: impl FnOnce(&mut Session)) {
        {
            let mut sessions = self.0.session.borrow_mut();
            sessions.revision = sessions.revision.wrapping_add(1);
            if let Some(session) = &mut sessions.current {
                change(session);
            }
        }
        self.store_session(None);
        self.tell_state();
    }

    pub(super) fn tell(&self, event: Event) {
        (self.0.observer)(event);
    }

    /// Who is signed in.
    pub(super) fn subject(&self) -> Option<Rc<User>> {
        self.session(|session| session.user.clone()).ok().flatten()
    }

    /// Tells when the session is another person's now.
    pub(super) fn tell_if_other(&self, before: Option<Rc<User>>, now: Option<Rc<User>>) {
        if let (Some(before), Some(now)) = (before, now)
            && before.subject != now.subject
        {
            self.tell(Event::UserChanged(before.subject.clone(), now.subject.clone()));
        }
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
            sessions.revision = sessions.revision.wrapping_add(1);
            sessions.reason = None;
            sessions.current = Some(session);
            sessions.generation
        };
        self.store_session(None);
        self.watch(generation);
    }

    /// Ends the session here: its secrets are wiped, and it is the observer's turn. True if there was one.
    pub(super) fn end_session(&self, reason: Option<Code>) -> bool {
        let ended = {
            let mut sessions = self.0.session.borrow_mut();
            sessions.generation = sessions.generation.wrapping_add(1);
            sessions.reason = reason;
            sessions.current.take()
        };
        self.release_key();
        // Those under way find out by themselves.
        self.0.handlings.borrow_mut().retain(|handling| handling.is_under_way());
        let was_there = ended.is_some();
        drop(ended);
        self.store_session(reason);
        self.tell_state();
        was_there
    }

    /// Lets the session go here alone: the storage, and the key that is kept, are those of another by now.
    pub(super) fn leave(&self) {
        {
            let mut sessions = self.0.session.borrow_mut();
            sessions.generation = sessions.generation.wrapping_add(1);
            sessions.reason = None;
            sessions.current = None;
        }
        self.release_key();
        self.tell_state();
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

    /// Which session it is.
    pub(super) fn generation(&self) -> u32 {
        self.0.session.borrow().generation
    }

    /// Without a refresh token, a session ends with its access token.
    pub(super) fn expire_if_due(&self) {
        let now = self.time();
        let is_over = |session: &Session| {
            session.refresh_token.is_none() && session.main_token().is_none_or(|token| !token.is_valid(now))
        };
        if self.session(is_over).unwrap_or(false) {
            // Another tab may have signed in anew meanwhile.
            if self.is_shared() {
                self.reread();
            }
            if self.session(is_over).unwrap_or(false) {
                self.expire(expired());
            }
        }
    }

    /// Ends the session for a reason that lies not with the person.
    pub(super) fn expire(&self, reason: AuthError) {
        let code = reason.code();
        if self.end_session(Some(code)) {
            self.tell(Event::SessionExpired(reason));
            self.tell(Event::SignedOut(Some(code)));
        }
    }
}

#[inline(never)] // `session` is generic: it would be there once for each look.
fn no_session(reason: Option<Code>) -> AuthError {
    match reason {
        Some(Code::SessionExpired) => expired(),
        _ => AuthError::new(Code::NotSignedIn, Phase::Token, "nobody is signed in"),
    }
}

pub(super) fn expired() -> AuthError {
    AuthError::new(Code::SessionExpired, Phase::Token, "the access token has run out")
}
