//! Sign-ins and sign-outs in progress: what is kept in the tab between leaving the page and coming back.
//!
//! The record holds no token. What is read back is hostile input: whatever is not whole is not there.

use super::hash;
use super::json::{self, Object, Value};
use super::pkce::CodeVerifier;
use super::shape::{self, Kind, Member, optional, required};
use super::url;
use subtle::ConstantTimeEq;

/// Milliseconds after which a sign-in cannot be finished any more.
pub const LIFETIME: i64 = 10 * 60 * 1000;
/// How many entries are kept in a storage; the oldest go first.
pub const CAPACITY: usize = 32;
/// How many are kept in memory, which may be that of one worker for all tabs.
pub const MEMORY_CAPACITY: usize = 256;

/// The kinds of entries.
const PENDING: &str = "pending";
const DEPARTURE: &str = "departure";
/// Its state is a fingerprint of one whose response was used.
const SPENT: &str = "spent";

/// The record of a sign-in, as `authorize` makes it.
const RECORD: &[Member] = &[
    required("state", Kind::Text),
    required("verifier", Kind::Text),
    optional("nonce", Kind::Text),
    optional("jkt", Kind::Text),
    optional("issuer", Kind::Text),
    required("redirectUri", Kind::Redirect),
    required("scope", Kind::Texts),
    optional("resource", Kind::Resource),
    optional("responseMode", Kind::Text),
    optional("maxAge", Kind::Number),
    required("authTime", Kind::Flag),
    required("acr", Kind::Texts),
    optional("returnTo", Kind::Path),
];

/// A sign-in that was in progress, moved out of the ledger: it is spent.
#[derive(Debug)]
pub struct Transaction {
    /// For the token request.
    pub verifier: CodeVerifier,
    record: Value,
}

impl Transaction {
    fn read(mut record: Value) -> Option<Transaction> {
        shape::check(&record, RECORD).ok()?;
        let verifier = CodeVerifier::from_text(record.take("verifier")?.as_str()?)?;
        Some(Transaction { verifier, record })
    }

    /// The nonce that the ID token must have; none without OpenID Connect.
    pub fn nonce(&self) -> Option<&str> {
        self.record.text("nonce")
    }

    /// The thumbprint of the key that the code is bound to (RFC 9449 10).
    pub fn thumbprint(&self) -> Option<&str> {
        self.record.text("jkt")
    }

    /// The redirect URI that was asked for.
    pub fn redirect_uri(&self) -> &str {
        self.record.text("redirectUri").unwrap_or_default()
    }

    /// The scopes that were asked for.
    pub fn scope(&self) -> Vec<String> {
        self.texts("scope")
    }

    /// The resource that the first token is for.
    pub fn resource(&self) -> Option<&str> {
        self.record.text("resource")
    }

    /// The `max_age` that was asked for, in seconds.
    pub fn max_age(&self) -> Option<i64> {
        self.record.integer("maxAge")
    }

    /// Was `auth_time` asked for as essential?
    pub fn auth_time(&self) -> bool {
        self.record.is_true("authTime")
    }

    /// The authentication context classes of which one was asked for as essential.
    pub fn acr(&self) -> Vec<String> {
        self.texts("acr")
    }

    /// What the app gave along.
    pub fn app_state(&self) -> Option<&Value> {
        self.record.get("appState").filter(|value| !matches!(value, Value::Null))
    }

    /// Where the app wants to go on. Checked again: it was in storage, where other script can write.
    pub fn return_to(&self) -> Option<&str> {
        self.record.text("returnTo")
    }

    fn texts(&self, name: &str) -> Vec<String> {
        self.record.get(name).and_then(Value::texts).unwrap_or_default()
    }
}

/// All that is in progress for one client in one tab. What is written has a bound.
#[derive(Debug, Default)]
pub struct Ledger(Vec<Value>);

impl Ledger {
    /// Reads the stored text. What is malformed or has expired at `now`, in milliseconds, is dropped.
    pub fn read(text: &str, now: i64) -> Ledger {
        let mut ledger = match json::parse_nested(text.as_bytes(), json::DEPTH + 8) {
            Some(Value::Array(entries)) => Ledger(entries),
            _ => Ledger::default(),
        };
        ledger.0.retain(|entry| is_fresh(entry, now));
        ledger
    }

    /// The text to store; nothing when there is nothing in progress. Where there is room for `capacity` entries or
    /// `limit` octets only, the oldest entries go first.
    pub fn write(mut self, capacity: usize, limit: usize) -> Option<String> {
        let surplus = self.0.len().saturating_sub(capacity);
        self.0.drain(..surplus);
        loop {
            let count = self.0.len();
            let entries = Value::Array(self.0);
            let text = json::write(&entries);
            if count < 2 || text.len() <= limit {
                return (count > 0).then_some(text);
            }
            let Value::Array(mut entries) = entries else { return None };
            entries.remove(0);
            self.0 = entries;
        }
    }

    fn add(&mut self, kind: &str, entry: Object, now: i64) {
        self.0.push(entry.text("kind", kind).value("created", Value::Integer(now)).finish());
    }

    /// States are compared in a time that does not tell how much of one was right.
    fn find(&self, kind: &str, state: &str) -> Option<usize> {
        let is_it = |entry: &Value| {
            let same: bool =
                entry.text("state").is_some_and(|known| known.as_bytes().ct_eq(state.as_bytes()).into());
            same && entry.text("kind") == Some(kind)
        };
        // The newest, should there be several of the states that are not random (`logout::return_parameter`).
        self.0.iter().rposition(is_it)
    }

    /// Adds the record of a sign-in.
    pub fn begin(&mut self, record: Value, now: i64) {
        if let Value::Object(members) = record {
            self.add(PENDING, Object::from(members), now);
        }
    }

    /// The record of the pending sign-in with this state, to look at.
    pub fn pending(&self, state: &str) -> Option<&Value> {
        self.0.get(self.find(PENDING, state)?)
    }

    /// Drops the pending sign-ins whose states begin like this. True if there were any.
    pub fn abandon(&mut self, beginning: &str) -> bool {
        let count = self.0.len();
        let is_meant = |state: &str| state.as_bytes().starts_with(beginning.as_bytes());
        self.0.retain(|entry| {
            entry.text("kind") != Some(PENDING) || !entry.text("state").is_some_and(is_meant)
        });
        self.0.len() < count
    }

    /// Was a response with this state used lately?
    pub fn is_spent(&self, state: &str) -> bool {
        self.find(SPENT, &hash::sha256_base64url(state.as_bytes())).is_some()
    }

    /// Takes the sign-in out and remembers that its state is spent (RFC 9700 4.2.4).
    pub fn consume(&mut self, state: &str, now: i64) -> Option<Transaction> {
        let entry = self.0.remove(self.find(PENDING, state)?);
        self.add(SPENT, Object::new().text("state", &hash::sha256_base64url(state.as_bytes())), now);
        Transaction::read(entry)
    }

    /// Adds a sign-out: the server will send the browser back with this state.
    pub fn depart(&mut self, state: &str, back: Option<&str>, return_to: Option<&str>, now: i64) {
        let entry =
            Object::new().text("state", state).maybe_text("back", back).maybe_text("returnTo", return_to);
        self.add(DEPARTURE, entry, now);
    }

    /// Takes out the sign-out with this state that comes back to this place, and gives the path to go on to.
    pub fn arrive(&mut self, state: &str, place: &str) -> Option<Option<String>> {
        let position = self.find(DEPARTURE, state)?;
        let entry = self.0.get(position)?;
        let path = entry.text("returnTo");
        let here = entry.text("back").is_some_and(|back| url::same_place(back, place));
        // Checked again: it was in storage, where other script can write.
        let arrived = (here && path.is_none_or(url::is_local_path)).then(|| path.map(str::to_owned))?;
        self.0.remove(position);
        Some(arrived)
    }
}

/// Not expired; nor from the future, as after a change of the clock.
fn is_fresh(entry: &Value, now: i64) -> bool {
    entry.integer("created").is_some_and(|created| now.saturating_sub(created).saturating_abs() < LIFETIME)
}
