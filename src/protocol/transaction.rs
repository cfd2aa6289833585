//! Sign-ins and sign-outs in progress: what is kept in the tab between leaving the page and coming back.
//!
//! The record holds no token. What is read back is hostile input: whatever is not whole is not there.

use super::hash;
use super::json::{self, Object, Value};
use super::pkce::CodeVerifier;
use super::url;
use subtle::ConstantTimeEq;

/// Milliseconds after which a sign-in cannot be finished any more.
pub const LIFETIME: i64 = 10 * 60 * 1000;
/// How many entries are kept; the oldest go first.
pub const CAPACITY: usize = 32;

/// The kinds of entries.
const PENDING: &str = "pending";
const DEPARTURE: &str = "departure";
/// Its state is a fingerprint of one whose response was used.
const SPENT: &str = "spent";

/// A sign-in in progress, found by its `state`. Being moved out of the ledger is being spent.
#[derive(Debug)]
#[allow(missing_docs)] // The names are the standards'.
pub struct Transaction {
    pub state: String,
    pub verifier: CodeVerifier,
    pub nonce: Option<String>,
    pub redirect_uri: String,
    pub scope: Vec<String>,
    pub max_age: Option<i64>,
    pub auth_time: bool,
    pub acr: Vec<String>,
    pub app_state: Option<Value>,
    pub return_to: Option<String>,
}

/// All that is in progress for one client in one tab.
#[derive(Debug, Default)]
pub struct Ledger(Vec<Value>);

impl Ledger {
    /// Reads the stored text. What is malformed or has expired at `now`, in milliseconds, is dropped.
    pub fn read(text: &str, now: i64) -> Ledger {
        let mut ledger = match json::parse(text.as_bytes()) {
            Some(Value::Array(entries)) => Ledger(entries),
            _ => Ledger::default(),
        };
        ledger.0.retain(|entry| is_fresh(entry, now));
        ledger
    }

    /// The text to store; nothing when there is nothing in progress.
    pub fn write(self) -> Option<String> {
        (!self.0.is_empty()).then(|| json::write(&Value::Array(self.0)))
    }

    fn add(&mut self, kind: &str, state: &str, now: i64, rest: Object) {
        let entry = rest.text("kind", kind).text("state", state).value("created", Value::Integer(now));
        let surplus = (self.0.len() + 1).saturating_sub(CAPACITY);
        self.0.drain(..surplus);
        self.0.push(entry.finish());
    }

    /// Every entry is looked at, each in a time that does not tell how much of its state was right.
    fn find(&self, kind: &str, state: &str) -> Option<usize> {
        let is_it = |entry: &Value| {
            let same: bool =
                text(entry, "state").is_some_and(|known| known.as_bytes().ct_eq(state.as_bytes()).into());
            same && text(entry, "kind") == Some(kind)
        };
        self.0.iter().position(is_it)
    }

    /// Adds a sign-in.
    pub fn begin(&mut self, transaction: &Transaction, now: i64) {
        let entry = Object::new()
            .text("verifier", transaction.verifier.expose())
            .maybe_text("nonce", transaction.nonce.as_deref())
            .text("redirectUri", &transaction.redirect_uri)
            .texts("scope", &transaction.scope)
            .maybe_integer("maxAge", transaction.max_age)
            .value("authTime", Value::Bool(transaction.auth_time))
            .texts("acr", &transaction.acr)
            .value("appState", transaction.app_state.clone().unwrap_or(Value::Null))
            .maybe_text("returnTo", transaction.return_to.as_deref());
        self.add(PENDING, &transaction.state, now, entry);
    }

    /// Is a sign-in with this state pending?
    pub fn is_pending(&self, state: &str) -> bool {
        self.find(PENDING, state).is_some()
    }

    /// Was a response with this state used lately?
    pub fn is_spent(&self, state: &str) -> bool {
        self.find(SPENT, &hash::sha256_base64url(state.as_bytes())).is_some()
    }

    /// Takes the sign-in out and remembers that its state is spent (RFC 9700 4.2.4).
    pub fn consume(&mut self, state: &str, now: i64) -> Option<Transaction> {
        let entry = self.0.remove(self.find(PENDING, state)?);
        self.add(SPENT, &hash::sha256_base64url(state.as_bytes()), now, Object::new());
        read_transaction(&entry)
    }

    /// Adds a sign-out: the server will send the browser back with this state.
    pub fn depart(&mut self, state: &str, return_to: Option<&str>, now: i64) {
        self.add(DEPARTURE, state, now, Object::new().maybe_text("returnTo", return_to));
    }

    /// Takes the sign-out with this state out, and gives the path to go on to.
    pub fn arrive(&mut self, state: &str) -> Option<Option<String>> {
        let entry = self.0.remove(self.find(DEPARTURE, state)?);
        return_to(&entry)
    }
}

/// Not expired; nor from the future, as after a change of the clock.
fn is_fresh(entry: &Value, now: i64) -> bool {
    let created = entry.get("created").and_then(Value::as_integer);
    created.is_some_and(|created| now.saturating_sub(created).saturating_abs() < LIFETIME)
}

fn text<'a>(entry: &'a Value, name: &str) -> Option<&'a str> {
    entry.get(name)?.as_str()
}

fn read_transaction(entry: &Value) -> Option<Transaction> {
    let texts = |name: &str| -> Option<Vec<String>> {
        entry.get(name)?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
    };
    Some(Transaction {
        state: text(entry, "state")?.to_owned(),
        verifier: CodeVerifier::from_text(text(entry, "verifier")?)?,
        nonce: text(entry, "nonce").map(str::to_owned),
        redirect_uri: text(entry, "redirectUri")?.to_owned(),
        scope: texts("scope")?,
        max_age: entry.get("maxAge").and_then(Value::as_integer),
        auth_time: entry.get("authTime") == Some(&Value::Bool(true)),
        acr: texts("acr")?,
        app_state: entry.get("appState").filter(|value| !matches!(value, Value::Null)).cloned(),
        return_to: return_to(entry)?,
    })
}

/// Checked again: it was in storage, where other script can write.
fn return_to(entry: &Value) -> Option<Option<String>> {
    let path = text(entry, "returnTo");
    path.is_none_or(url::is_local_path).then(|| path.map(str::to_owned))
}
