//! What has to be done about a session without anybody asking: a fresh token before the old one ends, and its end.
//!
//! A page that nobody sees does not refresh ahead, in any storage mode: it leaves that to one that is seen, and refreshes
//! when a call asks for a token. With all of them hidden nobody does, also where the refresh token ends by being idle: a
//! page in the background is no use of a session.

use super::session::Session;
use super::{Client, Platform};
use crate::protocol::token::{TokenOptions, Wanted};
use std::rc::Rc;

/// Milliseconds that a token serves at least before anybody but the app asks for the next one.
const SHORTEST_TIME: i64 = 30_000;
/// The longest timer that browsers take; a longer one would fire at once.
const LONGEST_TIMER: i64 = i32::MAX as i64;
/// Milliseconds that a timer is late at most where nothing slept: browsers hold some back for a minute.
const LATE: i64 = 60_000;
/// Milliseconds over which a fleet that wakes at once spreads what it has slept over.
const LONGEST_REST: i64 = 10_000;

impl<P: Platform> Client<P> {
    /// When something has to be done about the session.
    pub(super) fn deadline(&self) -> Option<i64> {
        let platform = &self.0.platform;
        let is_ahead = self.0.config.refreshes_ahead() && !platform.is_hidden();
        let is_offline = platform.is_offline();
        let rests_until = self.0.session.borrow().rests_until;
        let deadline = |session: &Session| {
            let token = session.main_token()?;
            if session.refresh_token.is_none() {
                return token.expires_at;
            }
            token.expires_at.filter(|_| is_ahead)?;
            let at = token.due_at.max(token.since + SHORTEST_TIME);
            Some(at.max(session.deferred.retry_at(is_offline)?).max(rests_until))
        };
        self.session(deadline).ok().flatten()
    }

    fn is_due(&self) -> bool {
        self.deadline().is_some_and(|at| at <= self.time())
    }

    /// Renews or ends the session of this generation at its deadlines, unless that is seen to already. The task holds
    /// no reference to the client while it waits, so that a dropped client is gone at once.
    pub(super) fn watch(&self, generation: u32) {
        if std::mem::replace(&mut self.0.session.borrow_mut().watched, generation) == generation {
            return;
        }
        let weak = Rc::downgrade(&self.0);
        let platform = Rc::clone(&self.0.platform);
        self.0.platform.spawn(async move {
            while let Some(client) = weak.upgrade().map(Client) {
                let Some(wait) = client.next_wait(generation).await else { return };
                drop(client);
                platform.sleep(wait).await;
            }
        });
    }

    /// Sees to what is due now: a timer sleeps along with the machine, and there is none while the page is hidden or
    /// waits for a network.
    pub(super) async fn wake(&self) {
        self.watch(self.generation());
        if !self.is_due() {
            return;
        }
        if let Some(rest) = self.rest() {
            self.0.platform.sleep(rest).await;
        }
        if self.is_due() {
            // What comes of it is told by events.
            let _ = self.token(&TokenOptions::default()).await;
        }
    }

    /// The milliseconds for which nobody refreshes without being asked, where the time for it was slept over. A call
    /// does not wait, nor does what only waited for a network.
    fn rest(&self) -> Option<i32> {
        let late = self.time().saturating_sub(self.deadline()?);
        if late <= LATE || self.session(|session| session.deferred.is_for_network()).unwrap_or(true) {
            return None;
        }
        let rest = 1 + self.share(LONGEST_REST);
        self.0.session.borrow_mut().rests_until = self.time().saturating_add(rest);
        i32::try_from(rest).ok()
    }

    /// Does what is due, and gives the milliseconds until the next deadline. Without one, nobody watches any more.
    async fn next_wait(&self, generation: u32) -> Option<i32> {
        let mut refreshed = false;
        loop {
            self.expire_if_due();
            let current = self.generation() == generation;
            let left = self.deadline().filter(|_| current).map(|at| at.saturating_sub(self.time()));
            match left {
                Some(left @ 1..) => return Some(i32::try_from(left.min(LONGEST_TIMER)).unwrap_or(i32::MAX)),
                Some(_) if !refreshed => {
                    if let Some(rest) = self.rest() {
                        return Some(rest);
                    }
                    // What comes of it is told by events.
                    let wanted = self.session(|session| Wanted::of(session.resource.clone())).ok()?;
                    let _ = self.refresh(&wanted).await;
                    refreshed = true;
                }
                // Nothing was put off: trying again would come to the same.
                _ => {
                    let watched = &mut self.0.session.borrow_mut().watched;
                    if *watched == generation {
                        *watched = 0;
                    }
                    return None;
                }
            }
        }
    }
}
