//! The record of sign-ins in progress, as it comes back from storage where other script can write.

use serde_json::Value as Theirs;
use wardkey::protocol::json::{self, Value};
use wardkey::protocol::transaction::{CAPACITY, LIFETIME, Ledger, Transaction};
use wardkey::protocol::url::Url;

/// Milliseconds since the epoch.
const NOW: i64 = 1_790_000_000_000;

pub(super) fn target(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let entries = entries(Ledger::read(text, NOW));
    assert!(entries.len() <= CAPACITY);
    for entry in &entries {
        let created = entry["created"].as_f64().expect("every entry has its time");
        assert!((created - NOW as f64).abs() < LIFETIME as f64 + 1.0, "an entry that has expired");
    }
    let states: Vec<&str> = entries.iter().filter_map(|entry| entry["state"].as_str()).collect();
    assert_honest_sign_in_works(text, &states);
    assert_newest_are_kept(text, &entries);
    let mut any = false;
    for state in &states {
        let mut ledger = Ledger::read(text, NOW);
        let known = ledger.pending(state).is_some();
        let consumed = ledger.consume(state, NOW);
        assert!(known || consumed.is_none());
        assert!(!known || ledger.is_spent(state), "consumed, and it can be used again");
        any |= consumed.as_ref().is_some_and(is_whole);
    }
    any
}

/// What would be stored; stored and read, it is the same.
fn entries(ledger: Ledger) -> Vec<Theirs> {
    let Some(text) = ledger.write(CAPACITY, usize::MAX) else { return Vec::new() };
    assert_eq!(Ledger::read(&text, NOW).write(CAPACITY, usize::MAX).as_deref(), Some(text.as_str()));
    serde_json::from_str(&text).expect("what is written is an array to others")
}

/// Where there is little room, as in a cookie, the last entries are written, and one in any case.
fn assert_newest_are_kept(text: &str, entries: &[Theirs]) {
    const ROOM: usize = 1000;
    let Some(written) = Ledger::read(text, NOW).write(CAPACITY, ROOM) else {
        return assert!(entries.is_empty());
    };
    let kept: Vec<Theirs> = serde_json::from_str(&written).expect("an array to others");
    assert!(!kept.is_empty() && entries.ends_with(&kept));
    assert!(written.len() <= ROOM || kept.len() == 1, "no room for {}", kept.len());
}

/// Whatever is stored already, a sign-in can begin and be finished once, and the ledger is no longer than allowed.
fn assert_honest_sign_in_works(text: &str, states: &[&str]) {
    let state =
        (0..).map(|number| format!("honest-{number}")).find(|state| !states.contains(&state.as_str()));
    let state = state.expect("one is new");
    let mut ledger = Ledger::read(text, NOW);
    assert!(ledger.pending(&state).is_none());
    ledger.begin(record(&state), NOW);
    let mut ledger = Ledger::read(&ledger.write(CAPACITY, usize::MAX).expect("an entry"), NOW);
    assert!(ledger.consume(&state, NOW).as_ref().is_some_and(is_whole), "an honest sign-in was lost");
    assert!(ledger.consume(&state, NOW).is_none(), "it was finished twice");
    assert!(ledger.is_spent(&state));
    assert!(entries(ledger).len() <= CAPACITY, "the ledger has grown");
}

fn record(state: &str) -> Value {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let record = serde_json::json!({
        "state": state, "verifier": verifier, "redirectUri": "https://app.example/callback",
        "scope": ["openid"], "authTime": false, "acr": [],
    });
    json::parse(record.to_string().as_bytes()).expect("JSON")
}

/// What a sign-in goes on with is fit for it, else there is a panic.
fn is_whole(transaction: &Transaction) -> bool {
    assert!((43..=128).contains(&transaction.verifier.expose().len()));
    assert!(Url::canonical(transaction.redirect_uri()).is_some());
    if let Some(path) = transaction.return_to() {
        let base = url::Url::parse("https://app.example").expect("a URL");
        let there = base.join(path).expect("a path can be resolved");
        assert_eq!(there.origin(), base.origin(), "it leads away");
    }
    true
}
