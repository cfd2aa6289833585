//! The session in storage, where the app chose that: written whenever it changes, read when the client opens.
//!
//! What is read back is hostile input. Script that can write it can do worse; what is not whole, or of another
//! issuer or client, is not there.

use super::clock::Clock;
use super::defer::Deferred;
use super::platform::Area;
use super::session::{Event, Session, User};
use super::tokens::AccessToken;
use super::{Client, Platform, Unavailable};
use crate::protocol::dpop::Key;
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::json::{self, Object, Value};
use crate::protocol::jwt;
use crate::protocol::secret::Secret;
use crate::protocol::shape::{self, Kind, Member, optional, required};
use std::rc::Rc;

/// The version of the record. The key stays as it is when there is another one, so that tabs of both versions of an
/// app wait for the same lock: with a key for each, both would spend the same refresh token.
///
/// Where a later version is found, that is the session of a tab that was loaded after the app was deployed anew, and
/// this tab has none ([`is_later`]). There is no earlier one yet. [`Client::read_session`] is where it would be made
/// into this one; a record that it does not take is removed, and `restore` finds another way to the session.
const VERSION: i64 = 1;

/// The record of a session, beside its version.
const RECORD: &[Member] = &[
    optional("issuer", Kind::Text),
    required("clientId", Kind::Text),
    required("tokens", Kind::Any),
    optional("refreshToken", Kind::Text),
    optional("idToken", Kind::Text),
    optional("resource", Kind::Resource),
    required("granted", Kind::Texts),
    required("requested", Kind::Texts),
];

/// The record of an access token. A time that is not known is not there.
const TOKEN: &[Member] = &[
    required("token", Kind::Text),
    required("bound", Kind::Flag),
    required("scopes", Kind::Texts),
    optional("narrowed", Kind::Flag),
    optional("resource", Kind::Resource),
    optional("details", Kind::Details),
];

/// What a session leaves that has run out. Where nothing is left, somebody has signed out.
const RUN_OUT: &str = "expired";

/// Milliseconds by which the device's clock may be set back without a doubt about what is stored.
const SET_BACK: i64 = 5 * 60_000;

impl<P: Platform> Client<P> {
    fn area(&self) -> Option<Area> {
        let storage = self.0.config.storage()?;
        Some(if storage == "localStorage" { Area::Origin } else { Area::Tab })
    }

    /// Does a session outlast the page?
    pub(super) fn is_kept(&self) -> bool {
        self.area().is_some()
    }

    /// Do other tabs have the same session?
    pub(super) fn is_shared(&self) -> bool {
        self.area() == Some(Area::Origin) && self.0.is_stored.get()
    }

    /// Looks for what may have changed while the page slept, or what another tab has made of the session.
    pub async fn look(&self) {
        if self.is_shared() {
            if self.session(|_| ()).is_ok() {
                self.reread();
            }
            if self.session(|_| ()).is_err() {
                self.restore().await;
            }
        }
        self.expire_if_due();
        self.wake().await;
    }

    /// Another tab has signed out, and this one follows. Where both share a store, somebody may be signed in there
    /// again by now: [`look`](Self::look) finds whom.
    pub fn follow(&self) {
        let stored = self.0.platform.load(Area::Origin, &self.session_key());
        if !(self.is_shared() && stored.is_ok_and(|text| text.is_some())) {
            self.end_here(false);
        }
    }

    /// Drops a stored session that is not this tab's: that of the tab of which this one is a copy.
    pub fn forget_stored(&self) {
        if let Some(area) = self.area() {
            // Where it cannot be written, there was nothing to read.
            let _ = self.0.platform.save(area, &self.session_key(), None);
        }
    }

    /// What another tab has made of the session counts, before anything is done about it.
    pub(super) fn reread_shared(&self) {
        if self.is_shared() {
            self.reread();
        }
    }

    /// Takes over what another tab has stored: the same session with newer tokens, or that there is none any more.
    pub(super) fn reread(&self) {
        let text = self.0.platform.load(Area::Origin, &self.session_key());
        let Ok(text) = text else { return };
        // Where there is no session any more, there is nothing to take over: see `restore`.
        let Ok(own) = self.session(|session| json::write(&self.record(session))) else { return };
        if text.as_ref() == Some(&own) {
            return;
        }
        if text.is_none() {
            return self.end_here(false);
        }
        let record = text.and_then(|text| json::parse(text.as_bytes()));
        // Tokens of another key are those of another sign-in: they come with their key, at the next look.
        let key = self.public_key().map(|key| key.thumbprint());
        let is_other = |record: &Value| is_later(record) || record.text("jkt") != key.as_deref();
        if record.as_ref().is_some_and(is_other) {
            return self.leave();
        }
        match record.and_then(|record| self.read_session(record)) {
            Some(newer) => {
                let before = self.subject();
                let now = newer.user.clone();
                if before.as_ref().map(|user| &user.subject) == now.as_ref().map(|user| &user.subject) {
                    return self.change_session(|session| *session = newer);
                }
                // What is under way for one person does not go on for another.
                self.begin_session(newer);
                self.tell_state();
                self.tell_if_other(before, now);
            }
            None => self.expire(super::session::expired()),
        }
    }

    /// Apart for each issuer and client, so that two apps on one origin never meet.
    pub(super) fn session_key(&self) -> String {
        ["wardkey:session:1:", self.0.config.tag()].concat()
    }

    /// Writes what the session now is, or that there is none: for all tabs, also whether there was a `reason` for its
    /// end. Where that fails it goes on in memory.
    pub(super) fn store_session(&self, reason: Option<Code>) {
        let Some(area) = self.area() else { return };
        let record = self.session(|session| json::write(&self.record(session)));
        // A copy that is wiped: the storage has its own.
        let record = record.ok().map(Secret::new);
        let is_over = record.is_none();
        let run_out = reason.filter(|_| self.is_shared()).map(|_| RUN_OUT);
        let text = record.as_ref().map(Secret::expose).or(run_out);
        // What was read a moment ago and stands there is not written again: it may be old by now.
        let before = self.0.platform.load(area, &self.session_key());
        if before.as_ref().is_ok_and(|before| before.as_deref() == text) {
            return self.0.is_stored.set(true);
        }
        let before = before.ok().flatten().map(Secret::new);
        let is_theirs = before.is_some_and(|before| is_later(&parse(&before)));
        if is_theirs && is_over {
            return;
        }
        let stored = match is_theirs {
            true => Err(Unavailable),
            false => self.0.platform.save(area, &self.session_key(), text),
        };
        self.0.is_stored.set(stored.is_ok());
        if let Err(Unavailable) = stored {
            if !is_theirs {
                // What stands there is spent: nothing is better.
                self.forget_stored();
            }
            let reason = "the session cannot be stored, and stays in memory";
            self.tell(Event::StorageFailed(AuthError::new(Code::StorageUnavailable, Phase::Storage, reason)));
        }
    }

    fn record(&self, session: &Session) -> Value {
        let clock = &self.0.clock;
        let token = |token: &AccessToken| {
            Object::new()
                .text("token", token.token.expose())
                .value("bound", Value::Bool(token.bound))
                .value("since", Value::Integer(clock.by_device(token.since)))
                .maybe_integer("expiresAt", token.expires_at.map(|at| clock.by_device(at)))
                .maybe_integer("dueAt", token.expires_at.map(|_| clock.by_device(token.due_at)))
                .texts("scopes", &token.scopes)
                .value("narrowed", Value::Bool(token.narrowed))
                .maybe_text("resource", token.resource.as_deref())
                .maybe_value("details", &token.details)
                .finish()
        };
        let key = self.public_key();
        let record = Object::new()
            .value("version", Value::Integer(VERSION))
            .maybe_text("alg", key.as_ref().map(|key| key.algorithm().name()))
            .maybe_text("jkt", key.as_ref().map(Key::thumbprint).as_deref())
            .maybe_text("issuer", self.0.config.issuer())
            .text("clientId", self.0.config.client_id())
            .value("tokens", Value::Array(session.tokens.iter().map(token).collect()))
            .maybe_text("refreshToken", session.refresh_token.as_ref().map(|token| token.expose()))
            .maybe_text("idToken", session.id_token.as_ref().map(Secret::expose))
            .maybe_text("resource", session.resource.as_deref())
            .texts("granted", &session.granted)
            .texts("requested", &session.requested);
        session.deferred.write(record, clock).finish()
    }

    /// Takes up the session that the storage holds, if it holds one that can go on.
    pub async fn restore(&self) {
        let Some(area) = self.area() else { return };
        let read = || self.0.platform.load(area, &self.session_key()).ok().flatten().map(Secret::new);
        let Some(stored) = read().filter(|stored| stored.expose() != RUN_OUT) else { return };
        let record = parse(&stored);
        if is_later(&record) {
            return;
        }
        let text = |name| record.text(name).map(str::to_owned);
        let (algorithm, thumbprint) = (text("alg"), text("jkt"));
        let Some(session) = self.read_session(record) else { return self.store_session(None) };
        // Tokens that are bound to a key are of no use without it, and never used without proof. Those of another
        // version of this app, which has another option, are that one's.
        if session.tokens.iter().any(|token| token.bound != self.is_bound()) {
            return;
        }
        let (epoch, generation) = (self.epoch(), self.generation());
        let is_whole =
            !self.is_bound() || self.restore_key(algorithm.as_deref(), thumbprint.as_deref()).await;
        // A sign-out or sign-in that came meanwhile wins.
        let is_same = read().is_some_and(|now| now.expose() == stored.expose());
        if self.epoch() != epoch || self.generation() != generation || !is_same {
            return;
        }
        if !is_whole {
            return self.store_session(None);
        }
        // Somebody has opened a page: that is worth a try.
        self.begin_session(Session { deferred: Deferred::default(), ..session });
        self.tell_state();
    }

    fn read_session(&self, mut record: Value) -> Option<Session> {
        shape::check(&record, RECORD).ok()?;
        let config = &self.0.config;
        if record.integer("version") != Some(VERSION)
            || record.text("issuer") != config.issuer()
            || record.text("clientId") != Some(config.client_id())
        {
            return None;
        }
        let texts = |name| record.get(name).and_then(Value::texts).map(Rc::new);
        let (granted, requested) = (texts("granted")?, texts("requested")?);
        let now = self.time();
        let read = |token: &Value| read_token(token.clone(), &self.0.clock, now);
        let tokens: Option<Vec<AccessToken>> = record.get("tokens")?.as_array()?.iter().map(read).collect();
        let tokens = tokens?;
        let refresh_token = secret(&mut record, "refreshToken");
        if refresh_token.is_none() && !tokens.first().is_some_and(|token| token.is_valid(now)) {
            return None;
        }
        let id_token = secret(&mut record, "idToken");
        let user = match &id_token {
            Some(id_token) => Some(self.read_user(id_token)?),
            None => None,
        };
        Some(Session {
            tokens,
            refresh_token: refresh_token.map(Rc::new),
            id_token,
            user,
            resource: record.text("resource").map(str::to_owned),
            granted,
            requested,
            deferred: Deferred::read(&record, &self.0.clock, now),
        })
    }

    /// Whom the ID token names. It was verified when it came.
    fn read_user(&self, id_token: &Secret) -> Option<Rc<User>> {
        let claims = jwt::parse(id_token.expose()).ok()?.claims;
        let is_ours = claims.text("iss") == self.0.config.expected_issuer();
        let subject = claims.text("sub").filter(|_| is_ours)?.to_owned();
        Some(Rc::new(User { subject, claims }))
    }
}

fn parse(text: &Secret) -> Value {
    json::parse(text.expose().as_bytes()).unwrap_or(Value::Null)
}

/// Is it of a later version of this package? Then it is neither read nor replaced, nor removed but by a sign-out.
fn is_later(record: &Value) -> bool {
    record.integer("version").is_some_and(|version| version > VERSION)
}

fn secret(record: &mut Value, name: &str) -> Option<Secret> {
    match record.take(name)? {
        Value::String(text) => Some(Secret::new(text)),
        _ => None,
    }
}

fn read_token(mut record: Value, clock: &Clock, now: i64) -> Option<AccessToken> {
    shape::check(&record, TOKEN).ok()?;
    let time = |name| record.integer(name).map(|at| clock.of_device(at));
    let since = time("since").unwrap_or_default();
    // The device's clock was set back since: nobody knows how old the token is, so that it has run out.
    let latest = if since.saturating_sub(SET_BACK) > now { now } else { i64::MAX };
    let expires_at = time("expiresAt").map(|at| at.min(latest));
    let due_at = time("dueAt").or(expires_at).unwrap_or(i64::MAX).min(latest);
    let token = secret(&mut record, "token")?;
    // It goes into a header (RFC 6749 A.12).
    let legal = token.expose().bytes().all(|b| b.is_ascii_graphic());
    legal.then(|| AccessToken {
        token: Rc::new(token),
        bound: record.is_true("bound"),
        expires_at,
        due_at,
        since: since.min(latest),
        scopes: Rc::new(record.get("scopes").and_then(Value::texts).unwrap_or_default()),
        narrowed: record.is_true("narrowed"),
        resource: record.text("resource").map(str::to_owned),
        details: record.take("details").unwrap_or(Value::Null),
    })
}
