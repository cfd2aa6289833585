//! Scopes of DocSpace, held to the table of what its API accepts.

use wardkey::protocol::providers::docspace::GRAMMAR;
use wardkey::protocol::scope::parse;

const PORTAL: &str = "https://portal.onlyoffice.com";
const SCOPES: [&str; 9] = [
    "accounts.self:read",
    "accounts.self:write",
    "accounts:read",
    "accounts:write",
    "files:read",
    "files:write",
    "rooms:read",
    "rooms:write",
    "openid",
];

fn list(scopes: &str) -> Vec<String> {
    parse(scopes).expect("scopes")
}

fn permits(granted: &str, method: &str, path: &str) -> Option<bool> {
    GRAMMAR.permits(&list(granted), method, &[PORTAL, path].concat())
}

/// Method, path, and the scopes of which each alone is enough.
const MAP: &[(&str, &str, &str)] = &[
    ("GET", "/api/2.0/files/rooms", "rooms:read rooms:write"),
    ("GET", "/api/2.0/files/rooms/1?x", "rooms:read rooms:write"),
    ("POST", "/api/2.0/files/rooms", "rooms:write"),
    ("GET", "/api/2.0/files/@my", "files:read files:write"),
    ("HEAD", "/api/2.0/files/@my", "files:read files:write"),
    ("GET", "/api/2.0/files/%40my", "files:read files:write"),
    ("PUT", "/api/2.0/files/1", "files:write"),
    ("DELETE", "/api/2.0/files/1", "files:write"),
    ("PATCH", "/api/2.0/files/1", "files:write"),
    ("GET", "/api/2.0/files/roomsandmore", "files:read files:write"),
    ("GET", "/api/2.0/people/@self", "accounts.self:read accounts.self:write"),
    ("GET", "/api/2.0/people/%40self/", "accounts.self:read accounts.self:write"),
    ("PUT", "/api/2.0/people/@self/photo", "accounts.self:write"),
    ("GET", "/api/2.0/people", "accounts:read accounts:write"),
    ("GET", "/API/3.0/People/1", "accounts:read accounts:write"),
    ("POST", "/api/2.0/people", "accounts:write"),
    ("GET", "/api/2.0/group", "accounts:read"),
    ("DELETE", "/api/2.0/group/1", "accounts:write"),
    ("GET", "/api/2.0/oauth2/userinfo", "openid"),
    ("GET", "/api/2.0/settings", ""),
    ("POST", "/api/2.0/keys/@self", ""),
    ("GET", "/api/2.0/keys", ""),
    ("GET", "/api/2.0/filesandmore", ""),
];

#[test]
fn the_api_accepts_what_the_first_row_that_fits_has() {
    for (method, path, accepted) in MAP {
        let accepted = list(accepted);
        for scope in SCOPES {
            let expected = accepted.iter().any(|known| known == scope);
            assert_eq!(permits(scope, method, path), Some(expected), "{scope}: {method} {path}");
        }
        // Those of keys are for all of the API, and say nothing of who somebody is.
        let is_key = accepted != ["openid"];
        assert_eq!(permits("*:write", method, path), Some(is_key), "{method} {path}");
        let is_reading = is_key && ["GET", "HEAD"].contains(method);
        assert_eq!(permits("*:read", method, path), Some(is_reading), "{method} {path}");
        // Nothing asked for: all that the app is registered for.
        assert_eq!(permits("", method, path), accepted.is_empty().then_some(false), "{method} {path}");
    }
    assert_eq!(permits("openid", "GET", "/api/2.0/keys/@self"), Some(true));
    assert_eq!(permits("", "GET", "/api/2.0/keys/@self"), Some(true));
    for path in [
        "/oauth2/userinfo",
        "/apis/2.0/files",
        "/login",
        "",
        "/api",
        "/api/",
        "/api/v2/files",
        "/api/2.0//files",
        "//api/2.0",
    ] {
        assert_eq!(permits("openid", "GET", path), None, "{path}");
    }
}

#[test]
fn who_may_write_may_read_but_for_groups() {
    for (requested, granted, missing) in [
        ("files:read", "files:write", ""),
        ("rooms:read files:read", "files:write", "rooms:read"),
        ("files:write", "files:read", "files:write"),
        ("accounts.self:read", "accounts.self:write", ""),
        ("accounts:read", "accounts:write", "accounts:read"),
        ("accounts:read", "accounts.self:read", "accounts:read"),
        ("files:read rooms:write", "*:read", "rooms:write"),
        ("files:read rooms:write", "*:write", ""),
        ("openid", "*:write *:read", "openid"),
        ("openid files:read", "openid files:read", ""),
        ("files:other", "files:write", "files:other"),
    ] {
        assert_eq!(
            GRAMMAR.missing(&list(requested), &list(granted)),
            list(missing),
            "{requested} | {granted}"
        );
    }
}

#[test]
fn the_least_scopes_are_those_of_the_table() {
    let ask = |operations: &[(&str, &str)]| {
        let mut asked = Vec::new();
        for (method, path) in operations {
            asked = GRAMMAR.ask(asked, method, &[PORTAL, path].concat(), true);
        }
        (!asked.iter().any(String::is_empty)).then_some(asked)
    };
    let (read, write) = (("GET", "/api/2.0/files/1"), ("PUT", "/api/2.0/files/1"));
    assert_eq!(ask(&[read]), Some(list("files:read")));
    assert_eq!(ask(&[read, write]), Some(list("files:write")));
    assert_eq!(ask(&[write, read, ("GET", "/api/2.0/keys/@self"), ("GET", "/")]), Some(list("files:write")));
    assert_eq!(ask(&[read, ("GET", "/api/2.0/settings")]), None);
}
