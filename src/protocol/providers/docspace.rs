//! The scopes of ONLYOFFICE DocSpace: what its API accepts for which path.

use crate::protocol::scope::{Grammar, fits, is_reading};
use crate::protocol::text;

/// What scopes mean here.
pub static GRAMMAR: Grammar = Grammar { lacks, allows, is_stated: |_, _| true, least, doubt: |_| None };

/// Paths below a version of the API, what it takes to read there, and what for anything else. `accounts:*` is any right,
/// `-` is nothing; `*:…` is for everything, and only keys can have it. The first row that fits counts.
const MAP: &str = "/api/*/files/rooms/... rooms:read rooms:write
/api/*/files/... files:read files:write
/api/*/people/@self/... accounts.self:read accounts.self:write
/api/*/people/... accounts:* accounts:write
/api/*/group/... accounts:read accounts:write
/api/*/oauth2/userinfo openid openid
/api/*/keys/@self - *:write
/api/*/... *:read *:write";

fn needed(method: &str, path: &str) -> Option<&'static str> {
    let version = text::parts(path, b'/').into_iter().nth(2)?;
    if !version.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.') {
        return None;
    }
    text::parts(MAP, b'\n').into_iter().find_map(|row| {
        let (pattern, scopes) = text::cut(row, b' ')?;
        let (reading, writing) = text::cut(scopes, b' ').filter(|_| fits(path, pattern))?;
        Some(if is_reading(method) { reading } else { writing })
    })
}

/// What a scope is for, and the right to it.
fn split(scope: &str) -> (&str, &str) {
    text::cut(scope, b':').unwrap_or((scope, ""))
}

/// Who may write may read, but for groups, where `accounts:read` alone counts.
fn is_held(granted: &[String], scope: &str) -> bool {
    let (of, right) = split(scope);
    granted.iter().any(|known| match split(known) {
        (place, _) if place != of && place != "*" => false,
        (place, "write") if right == "read" => place != "accounts",
        (_, known) => known == right || right == "*",
    })
}

fn lacks(scope: &str, granted: &[String]) -> Option<String> {
    (!is_held(granted, scope)).then(|| scope.to_owned())
}

fn allows(granted: &[String], method: &str, path: &str) -> Option<bool> {
    let needed = needed(method, path)?;
    let is_allowed = needed == "-" || is_held(granted, needed);
    // Nothing asked for, and nothing said: then all was granted that the app is registered for.
    (is_allowed || !granted.is_empty() || needed.starts_with('*')).then_some(is_allowed)
}

fn least(method: &str, path: &str, _granular: bool) -> Option<String> {
    let needed = match needed(method, path)? {
        "-" => return None,
        "*:read" | "*:write" => "",
        "accounts:*" => "accounts:read",
        needed => needed,
    };
    Some(needed.to_owned())
}
