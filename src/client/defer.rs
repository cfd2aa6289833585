//! Refreshes that are put off: a server that is down or a network that is gone ends no session.

use super::session::Event;
use super::{Client, Platform};
use crate::protocol::error::{AuthError, Code};

/// Milliseconds before the second try; doubled for each one after it.
const FIRST_WAIT: i64 = 5_000;
const LONGEST_WAIT: i64 = 5 * 60 * 1000;

/// The refresh that is put off, if one is.
#[derive(Default)]
pub(super) struct Deferred {
    tries: u32,
    pending: Option<(i64, AuthError)>,
}

impl Deferred {
    pub(super) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Not before this time, in milliseconds since the epoch.
    pub(super) fn retry_at(&self) -> i64 {
        self.pending.as_ref().map_or(0, |(at, _)| *at)
    }
}

impl<P: Platform> Client<P> {
    /// Why no refresh is tried now.
    pub(super) fn deferral(&self) -> Option<AuthError> {
        let sessions = self.0.session.borrow();
        let (at, cause) = sessions.deferred.pending.as_ref()?;
        (*at > self.time()).then(|| cause.clone())
    }

    /// The network may be back: what waited for nothing but that is tried at once.
    pub(super) fn try_the_network(&self) {
        let deferred = &mut self.0.session.borrow_mut().deferred;
        if let Some((at, _)) = deferred.pending.as_mut().filter(|(_, cause)| is_of_network(cause)) {
            *at = 0;
            deferred.tries = 0;
        }
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
        let mut octet = [128];
        // Without random octets the wait is as good, only not spread.
        let _ = self.0.platform.random(&mut octet);
        let [octet] = octet.map(i64::from);
        let retry_at = {
            let mut sessions = self.0.session.borrow_mut();
            let tries = sessions.deferred.tries;
            let longest = FIRST_WAIT.saturating_mul(1 << tries.min(10)).min(LONGEST_WAIT);
            let wait = longest / 2 + longest * octet / 512;
            let asked = cause.retry_after().unwrap_or(0).saturating_mul(1000).min(LONGEST_WAIT);
            let retry_at = self.time().saturating_add(wait + asked);
            sessions.deferred = Deferred { tries: tries + 1, pending: Some((retry_at, cause.clone())) };
            retry_at
        };
        self.change_session(|_| {});
        self.tell(Event::RefreshDeferred(self.0.clock.by_device(retry_at), cause.clone()));
    }
}

/// Was nobody reached? Under way to the metadata, that has another code.
fn is_of_network(cause: &AuthError) -> bool {
    let is_discovery = cause.code() == Code::DiscoveryFailed && cause.retryable() && cause.status().is_none();
    is_discovery || cause.code() == Code::Offline
}
