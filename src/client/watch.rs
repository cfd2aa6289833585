//! What has to be done about a session without anybody asking: a fresh token before the old one ends, and its end.

use super::session::Session;
use super::{Client, Platform};
use crate::protocol::token::Wanted;
use std::rc::Rc;

/// Milliseconds that a token serves at least before anybody but the app asks for the next one.
const SHORTEST_TIME: i64 = 30_000;
/// The longest timer that browsers take; a longer one would fire at once.
const LONGEST_TIMER: i64 = i32::MAX as i64;

impl<P: Platform> Client<P> {
    /// When something has to be done about the session.
    pub(super) fn deadline(&self) -> Option<i64> {
        let ahead = self.0.config.refreshes_ahead();
        let deadline = |session: &Session| {
            let token = session.main_token()?;
            match session.refresh_token {
                None => token.expires_at,
                Some(_) => {
                    let at = token.due_at.max(token.since + SHORTEST_TIME);
                    token.expires_at.filter(|_| ahead).map(|_| at)
                }
            }
        };
        let at = self.session(deadline).ok().flatten()?;
        Some(at.max(self.0.session.borrow().deferred.retry_at()))
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
