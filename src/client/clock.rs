//! Time: how much of it has passed, and which it is at the server.
//!
//! No clock is right always. The device's may be wrong by a day, and be set while the page lives; the monotonic one
//! stands still while some machines sleep. So what runs out does so by the one that went further: a token that is
//! renewed too early harms nobody. What servers compare with their own clocks, and ID tokens are judged by, is an
//! estimate of the server's time: the device's clock until the server shows that it is wrong.

use super::{Client, Platform};
use crate::protocol::date;
use crate::protocol::http::Response;
use crate::protocol::json::Value;
use std::cell::Cell;

/// Milliseconds that two clocks may be apart for no reason: they are read one after the other, and rounded.
const JITTER: i64 = 1_000;
/// Milliseconds from an answer's date until it is here, at the most. What is less wrong needs no correction.
const LATE: i64 = 60_000;
/// Milliseconds that a new ID token may be old: Entra ID dates its tokens back by five minutes.
const EARLY: i64 = 6 * 60_000;
/// Milliseconds by which a device's clock may be wrong: a day, and what servers and networks add.
const FARTHEST: i64 = 25 * 60 * 60_000;

/// What the clocks showed, and what was learnt of the server's.
pub(super) struct Clock {
    /// The device's clock less the monotonic one, when they were last seen to part.
    level: Cell<i64>,
    /// By how much the device's clock was set back, all in all.
    set_back: Cell<i64>,
    /// The server's time less [`Client::time`].
    offset: Cell<i64>,
    /// The server's time less the monotonic clock. It tells another time only after a leap of the device's clock, which
    /// is a sleep of the machine in most cases, and else somebody who set it.
    guess: Cell<i64>,
}

impl Clock {
    pub(super) fn new(platform: &impl Platform) -> Clock {
        let level = platform.now() - platform.monotonic();
        Clock {
            level: Cell::new(level),
            set_back: Cell::default(),
            offset: Cell::default(),
            guess: Cell::new(level),
        }
    }

    /// A time of [`Client::time`] by the device's clock.
    pub(super) fn by_device(&self, time: i64) -> i64 {
        time.saturating_sub(self.set_back.get())
    }

    /// A time by the device's clock, by [`Client::time`].
    pub(super) fn of_device(&self, time: i64) -> i64 {
        time.saturating_add(self.set_back.get())
    }
}

fn differ(one: i64, other: i64) -> bool {
    (one - other).abs() > LATE
}

impl<P: Platform> Client<P> {
    /// The time by which things run out, in milliseconds: the device's clock, as if it had never been set back.
    pub(super) fn time(&self) -> i64 {
        let (clock, now) = (&self.0.clock, self.0.platform.now());
        let level = now - self.0.platform.monotonic();
        let leap = level - clock.level.get();
        if leap.abs() > JITTER {
            clock.level.set(level);
            clock.set_back.set(clock.set_back.get() + (-leap).max(0));
        }
        now + clock.set_back.get()
    }

    /// The estimate of the server's time, in milliseconds since the epoch.
    pub(super) fn server_time(&self) -> i64 {
        self.time() + self.0.clock.offset.get()
    }

    /// What to add to the estimate, when the server did something at `at`, not longer than `span` ago. Nothing where
    /// that fits as it is, and where it would be too wrong to be believed.
    fn correction(&self, at: i64, span: i64) -> i64 {
        let time = self.server_time();
        let fits = (0..=span).contains(&time.saturating_sub(at));
        let is_near = |time| at.saturating_sub(time).saturating_abs() <= FARTHEST;
        if !fits && (is_near(time) || is_near(self.0.platform.now())) { at - time } else { 0 }
    }

    /// What is wrong with the estimate if a token of the server is new: a server sends none that has run out.
    pub(super) fn correction_by(&self, claims: &Value) -> i64 {
        let Some(issued) = claims.integer("iat") else { return 0 };
        let lifetime = claims.integer("exp").map_or(i64::MAX, |expires| expires.saturating_sub(issued));
        self.correction(issued.saturating_mul(1000), lifetime.saturating_mul(1000).min(EARLY))
    }

    /// Corrects the estimate, after which it is the one guess.
    pub(super) fn correct(&self, correction: i64) {
        let clock = &self.0.clock;
        clock.offset.set(clock.offset.get() + correction);
        clock.guess.set(self.server_time() - self.0.platform.monotonic());
    }

    /// Learns from the date of an answer that no cache has kept, where CORS shows it.
    pub(super) fn note_date(&self, response: &Response) {
        if let Some(seconds) = response.header("date").and_then(date::imf_fixdate) {
            self.correct(self.correction(seconds * 1000, LATE));
        }
    }

    /// Takes it that a server that has accepted a proof has looked at its time. A nonce is enough for many (RFC 9449 11.1).
    pub(super) fn note_success(&self, response: &Response, nonce: Option<&str>) {
        if matches!(response.status, 200..300) && nonce.is_none() {
            self.correct(0);
        }
    }

    /// After a server has refused a proof of that time: is there another time to try? It has shown its clock since, or
    /// the machine did not sleep: the device's clock was set. Which guess was right, the next refusal tells.
    pub(super) fn reconsider(&self, refused: i64) -> bool {
        let (clock, time) = (&self.0.clock, self.server_time());
        if !differ(time, refused) {
            let monotonic = self.0.platform.monotonic();
            let guess = clock.guess.replace(time - monotonic) + monotonic;
            clock.offset.set(clock.offset.get() + guess - time);
        }
        differ(self.server_time(), refused)
    }
}
