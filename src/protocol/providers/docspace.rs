//! The scopes of ONLYOFFICE DocSpace: what its API accepts for which path.

use crate::protocol::scope::{Grammar, begins, is_reading};
use crate::protocol::text;

/// What scopes mean here.
pub static GRAMMAR: Grammar = Grammar { lacks, allows, allows_unscoped, least, doubt: |_| None };

/// What is below a path, the scopes of which one is enough to read there, and those for anything else; an empty one:
/// none is needed. The first that fits counts. (`*:read` and `*:write`, which only keys can have, are enough for all.)
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

const MAP: &[Row] = &[
    ("/api/*/files/rooms", &["rooms:read", "rooms:write"], &["rooms:write"]),
    ("/api/*/files", &["files:read", "files:write"], &["files:write"]),
    ("/api/*/people/@self", &["accounts.self:read", "accounts.self:write"], &["accounts.self:write"]),
    ("/api/*/people", &["accounts:read", "accounts:write"], &["accounts:write"]),
    ("/api/*/group", &["accounts:read"], &["accounts:write"]),
    ("/api/*/oauth2/userinfo", &["openid"], &["openid"]),
    ("/api/*/keys/@self", &[""], &[]),
    ("/api", &[], &[]),
];

fn accepted(method: &str, path: &str) -> Option<&'static [&'static str]> {
    let (_, reading, writing) = MAP.iter().find(|(pattern, ..)| begins(path, pattern))?;
    Some(if is_reading(method) { reading } else { writing })
}

fn has(granted: &[String], scope: &str) -> bool {
    granted.iter().any(|known| known == scope)
}

/// Who may write may read, but for groups, where `accounts:read` alone counts.
fn lacks(scope: &str, granted: &[String]) -> Option<String> {
    let (of, right) = text::cut(scope, b':').unwrap_or((scope, ""));
    let with = |of: &str, right: &str| has(granted, &[of, ":", right].concat());
    let is_held = has(granted, scope)
        || matches!(right, "read" | "write") && (with("*", right) || with("*", "write"))
        || right == "read" && of != "accounts" && with(of, "write");
    (!is_held).then(|| scope.to_owned())
}

fn allows(granted: &[String], method: &str, path: &str) -> Option<bool> {
    let everything: &[&str] = if is_reading(method) { &["*:read", "*:write"] } else { &["*:write"] };
    let mut scopes = accepted(method, path)?.iter().chain(everything);
    Some(scopes.any(|scope| scope.is_empty() || has(granted, scope)))
}

/// Nothing asked for, and nothing said: then all was granted that the app is registered for.
fn allows_unscoped(method: &str, path: &str) -> Option<bool> {
    match allows(&[], method, path)? {
        false if least(method, path, false).is_some() => None,
        known => Some(known),
    }
}

fn least(method: &str, path: &str, _granular: bool) -> Option<String> {
    accepted(method, path)?.first().map(|scope| (*scope).to_owned())
}
