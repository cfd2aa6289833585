//! Sign-ins and sign-outs in progress: what is kept in the tab between leaving the page and coming back.
//!
//! The record holds no token. What is read back is hostile input: whatever is not whole is not there.

use super::hash;
use super::json::{self, Value};
use super::pkce::CodeVerifier;
use super::url;

/// Milliseconds after which a sign-in cannot be finished any more.
pub const LIFETIME: i64 = 10 * 60 * 1000;
/// How many entries of a kind are kept; the oldest go first.
pub const CAPACITY: usize = 16;

/// A sign-in in progress, found by its `state`. Being moved out of the ledger is being spent.
#[derive(Debug)]
#[allow(missing_docs)] // The names are the standards'.
pub struct Transaction {
    pub state: String,
    pub verifier: CodeVerifier,
    pub nonce: Option<String>,
    pub redirect_uri: String,
    /// Milliseconds since the epoch.
    pub created: i64,
    pub scope: Vec<String>,
    pub max_age: Option<i64>,
    pub auth_time: bool,
    pub acr: Vec<String>,
    pub app_state: Option<Value>,
    pub return_to: Option<String>,
}

/// A sign-out in progress: the server will send the browser back with this `state`.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Departure {
    pub state: String,
    pub created: i64,
    pub return_to: Option<String>,
}

/// All that is in progress for one client in one tab.
#[derive(Debug, Default)]
pub struct Ledger {
    pending: Vec<Transaction>,
    departures: Vec<Departure>,
    /// Fingerprints of states whose response was used, with the time of use.
    spent: Vec<(String, i64)>,
}

impl Ledger {
    /// Reads the stored text. What is malformed, expired at `now` or too much is dropped.
    pub fn read(text: &str, now: i64) -> Ledger {
        let record = json::parse(text.as_bytes()).unwrap_or(Value::Null);
        let entries = |name: &str| record.get(name).and_then(Value::as_array).unwrap_or_default();
        let mut ledger = Ledger {
            pending: entries("pending").iter().filter_map(read_transaction).collect(),
            departures: entries("departures").iter().filter_map(read_departure).collect(),
            spent: entries("spent").iter().filter_map(read_spent).collect(),
        };
        ledger.sweep(now);
        ledger
    }

    /// The text to store; nothing when there is nothing in progress.
    pub fn write(&self) -> Option<String> {
        if self.pending.is_empty() && self.departures.is_empty() && self.spent.is_empty() {
            return None;
        }
        let spent = |(state, at): &(String, i64)| {
            json::object([("state", Some(Value::from(state.as_str()))), ("at", Some(Value::from(*at)))])
        };
        Some(json::write(&json::object([
            ("pending", Some(Value::Array(self.pending.iter().map(write_transaction).collect()))),
            ("departures", Some(Value::Array(self.departures.iter().map(write_departure).collect()))),
            ("spent", Some(Value::Array(self.spent.iter().map(spent).collect()))),
        ])))
    }

    /// Drops what has expired (or comes from the future, after a change of the clock), and the oldest of what
    /// is too much.
    fn sweep(&mut self, now: i64) {
        let fresh =
            |created: i64| created > now.saturating_sub(LIFETIME) && created < now.saturating_add(LIFETIME);
        fn cap<T>(entries: &mut Vec<T>) {
            entries.drain(..entries.len().saturating_sub(CAPACITY));
        }
        self.pending.retain(|entry| fresh(entry.created));
        self.departures.retain(|entry| fresh(entry.created));
        self.spent.retain(|(_, at)| fresh(*at));
        cap(&mut self.pending);
        cap(&mut self.departures);
        cap(&mut self.spent);
    }

    /// Adds a sign-in.
    pub fn begin(&mut self, transaction: Transaction, now: i64) {
        self.pending.push(transaction);
        self.sweep(now);
    }

    /// Is a sign-in with this state pending?
    pub fn is_pending(&self, state: &str) -> bool {
        self.pending.iter().any(|entry| entry.state == state)
    }

    /// Was a response with this state used lately?
    pub fn is_spent(&self, state: &str) -> bool {
        let fingerprint = hash::sha256_base64url(state.as_bytes());
        self.spent.iter().any(|(spent, _)| *spent == fingerprint)
    }

    /// Takes the sign-in out and remembers that its state is spent (RFC 9700 4.2.4).
    pub fn consume(&mut self, state: &str, now: i64) -> Option<Transaction> {
        let position = self.pending.iter().position(|entry| entry.state == state)?;
        self.spent.push((hash::sha256_base64url(state.as_bytes()), now));
        let transaction = self.pending.remove(position);
        self.sweep(now);
        Some(transaction)
    }

    /// Adds a sign-out.
    pub fn depart(&mut self, departure: Departure, now: i64) {
        self.departures.push(departure);
        self.sweep(now);
    }

    /// Takes the sign-out with this state out.
    pub fn arrive(&mut self, state: &str) -> Option<Departure> {
        let position = self.departures.iter().position(|entry| entry.state == state)?;
        Some(self.departures.remove(position))
    }
}

fn write_transaction(entry: &Transaction) -> Value {
    json::object([
        ("state", Some(Value::from(entry.state.as_str()))),
        ("verifier", Some(Value::from(entry.verifier.expose()))),
        ("nonce", entry.nonce.as_deref().map(Value::from)),
        ("redirectUri", Some(Value::from(entry.redirect_uri.as_str()))),
        ("created", Some(Value::from(entry.created))),
        ("scope", Some(Value::from(entry.scope.as_slice()))),
        ("maxAge", entry.max_age.map(Value::from)),
        ("authTime", Some(Value::Bool(entry.auth_time))),
        ("acr", Some(Value::from(entry.acr.as_slice()))),
        ("appState", entry.app_state.clone()),
        ("returnTo", entry.return_to.as_deref().map(Value::from)),
    ])
}

fn read_transaction(value: &Value) -> Option<Transaction> {
    Some(Transaction {
        state: required(value, "state")?,
        verifier: CodeVerifier::from_text(value.get("verifier")?.as_str()?)?,
        nonce: optional(value, "nonce")?,
        redirect_uri: required(value, "redirectUri")?,
        created: value.get("created")?.as_integer()?,
        scope: texts(value, "scope")?,
        max_age: value.get("maxAge").map_or(Some(None), |seconds| seconds.as_integer().map(Some))?,
        auth_time: value.get("authTime")? == &Value::Bool(true),
        acr: texts(value, "acr")?,
        app_state: value.get("appState").cloned(),
        return_to: read_return_to(value)?,
    })
}

fn write_departure(entry: &Departure) -> Value {
    json::object([
        ("state", Some(Value::from(entry.state.as_str()))),
        ("created", Some(Value::from(entry.created))),
        ("returnTo", entry.return_to.as_deref().map(Value::from)),
    ])
}

fn read_departure(value: &Value) -> Option<Departure> {
    Some(Departure {
        state: required(value, "state")?,
        created: value.get("created")?.as_integer()?,
        return_to: read_return_to(value)?,
    })
}

fn read_spent(value: &Value) -> Option<(String, i64)> {
    Some((required(value, "state")?, value.get("at")?.as_integer()?))
}

fn required(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

fn optional(value: &Value, name: &str) -> Option<Option<String>> {
    value.get(name).map_or(Some(None), |text| text.as_str().map(|text| Some(text.to_owned())))
}

fn texts(value: &Value, name: &str) -> Option<Vec<String>> {
    value.get(name)?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Checked again: it was in storage, where other script can write.
fn read_return_to(value: &Value) -> Option<Option<String>> {
    let path = optional(value, "returnTo")?;
    path.as_deref().is_none_or(url::is_local_path).then_some(path)
}
