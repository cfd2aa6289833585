//! Refreshes that are put off: a server that is down or a network that is gone ends no session.
//!
//! Nobody can tell a request that did not arrive from one whose answer was lost, with which the refresh token is spent.
//! So it is tried again, which servers allow for a moment after its use, and the server's word ends the session, never
//! a guess. What an answer that is lost leads to is one try after each wait, by one tab: the wait is written into the
//! record that tabs share, before the next of them has the lock.

use super::clock::Clock;
use super::session::Event;
use super::{Client, Platform};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::json::{Object, Value};

/// Milliseconds before the second try; doubled for each one after it.
const FIRST_WAIT: i64 = 5_000;
const LONGEST_WAIT: i64 = 5 * 60 * 1000;

/// The refresh that is put off, if one is.
#[derive(Default)]
pub(super) struct Deferred {
    tries: u32,
    /// Until when, and why.
    pending: Option<(i64, AuthError)>,
    /// There was no network: what is put off waits for it, and no longer.
    is_offline: bool,
}

impl Deferred {
    pub(super) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Until when and why, as far as it is a matter of time.
    fn by_time(&self) -> Option<&(i64, AuthError)> {
        self.pending.as_ref().filter(|_| !self.is_offline)
    }

    /// Not before this time, in milliseconds since the epoch. Nothing where the end is no matter of time.
    pub(super) fn retry_at(&self, is_offline: bool) -> Option<i64> {
        let waits = self.is_offline && is_offline;
        (!waits).then(|| self.by_time().map_or(0, |(at, _)| *at))
    }

    /// Is there no network, as far as is known, so that the next try waits for it?
    pub(super) fn is_for_network(&self) -> bool {
        self.is_offline
    }

    /// Into the record. Whether there is a network, each tab sees for itself.
    pub(super) fn write(&self, record: Object, clock: &Clock) -> Object {
        let pending = self.by_time();
        record
            .maybe_integer("retryAt", pending.map(|(at, _)| clock.by_device(*at)))
            .maybe_integer("tries", pending.map(|_| self.tries.into()))
    }

    /// What another tab has put off. A time that none of ours can be is not there.
    pub(super) fn read(record: &Value, clock: &Clock, now: i64) -> Deferred {
        let at = record.integer("retryAt").map(|at| clock.of_device(at));
        let Some(at) = at.filter(|at| *at <= now.saturating_add(2 * LONGEST_WAIT)) else {
            return Deferred::default();
        };
        let cause = AuthError::new(Code::ServerError, Phase::Refresh, "another tab could not refresh");
        let tries = record.integer("tries").and_then(|tries| u32::try_from(tries).ok());
        Deferred { tries: tries.unwrap_or(0), pending: Some((at, cause)), is_offline: false }
    }
}

impl<P: Platform> Client<P> {
    /// Why no refresh is tried now.
    pub(super) fn deferral(&self) -> Option<AuthError> {
        let (now, is_offline) = (self.time(), self.0.platform.is_offline());
        let cause = |deferred: &Deferred| {
            let (at, cause) = deferred.pending.as_ref()?;
            let is_over = *at <= now || (deferred.is_offline && !is_offline);
            (!is_over).then(|| cause.clone())
        };
        self.session(|session| cause(&session.deferred)).ok().flatten()
    }

    /// Until when a refresh was put off last.
    pub(super) fn put_off_until(&self) -> i64 {
        let until = |deferred: &Deferred| deferred.pending.as_ref().map_or(0, |(at, _)| *at);
        self.session(|session| until(&session.deferred)).unwrap_or(0)
    }

    /// What a refresh that failed leads to: a server that does not take the refresh token, or answers for another
    /// person, ends the session; one that gives no answer to be used is asked later.
    pub(super) fn refresh_failed(&self, error: AuthError) -> AuthError {
        let error = match error.code() {
            Code::InvalidGrant => error.as_code(Code::SessionExpired),
            _ => error,
        };
        match error.code() {
            Code::SessionExpired | Code::IdTokenInvalid | Code::UserMismatch => self.expire(error.clone()),
            // The server's word about one token.
            Code::ScopeMissing => {}
            _ => self.put_off(&error),
        }
        error
    }

    /// With a wait of its own for each client, so that a fleet that fell at once does not rise at once.
    fn put_off(&self, cause: &AuthError) {
        let is_offline = self.0.platform.is_offline();
        let asked = cause.retry_after().unwrap_or(0).saturating_mul(1000).min(LONGEST_WAIT);
        let tries = self.session(|session| session.deferred.tries).unwrap_or(0);
        let longest = FIRST_WAIT.saturating_mul(1 << tries.min(10)).min(LONGEST_WAIT);
        let wait = longest / 2 + self.share(longest / 2);
        let retry_at = self.time().saturating_add(wait + asked);
        self.change_session(|session| {
            // What does not leave the device says nothing about the server.
            let tries = if is_offline { tries } else { tries.saturating_add(1) };
            session.deferred = Deferred { tries, pending: Some((retry_at, cause.clone())), is_offline };
        });
        self.tell(Event::RefreshDeferred(self.0.clock.by_device(retry_at), cause.clone()));
    }

    /// A random part of a time. Without random octets half of it is as good, only not spread.
    pub(super) fn share(&self, time: i64) -> i64 {
        let mut octet = [128];
        let _ = self.0.platform.random(&mut octet);
        let [octet] = octet.map(i64::from);
        time * octet / 256
    }
}
