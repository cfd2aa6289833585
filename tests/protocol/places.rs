//! URLs, paths and targets: what is taken for one, and what it is taken for.

use crate::{load, ours};
use serde_json::json;
use wardkey::protocol::target::Target;
use wardkey::protocol::url::{Url, has_dot_segment, is_local_path, same_place, split};

#[test]
fn urls_are_taken_apart() {
    for (text, origin, path, query) in [
        ("https://as.example", "https://as.example", "", None),
        ("https://as.example/a/b?c=/d?e", "https://as.example", "/a/b", Some("c=/d?e")),
        ("https://as.example?q", "https://as.example", "", Some("q")),
        ("HTTPS://AS.example:8443/?", "HTTPS://AS.example:8443", "/", Some("")),
        ("https://[2001:db8::1]:1/x", "https://[2001:db8::1]:1", "/x", None),
        ("https://[::ffff:1.2.3.4]", "https://[::ffff:1.2.3.4]", "", None),
        ("https://a_b-c.1x/", "https://a_b-c.1x", "/", None),
    ] {
        assert_eq!(Url::parse(text), Some(Url { origin, path, query }), "{text}");
    }
}

#[test]
fn plain_http_is_for_loopback_alone() {
    for host in
        ["localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "[::1]", "localhost:3000", "[::1]:80"]
    {
        assert!(Url::parse(&["http://", host, "/"].concat()).is_some(), "{host}");
    }
    for host in
        ["as.example", "evillocalhost", "localhost.example", "ocalhost", "127.0.0.2", "127.1", "[::2]", "::1"]
    {
        assert!(Url::parse(&["http://", host, "/"].concat()).is_none(), "{host}");
    }
}

#[test]
fn strange_urls_are_refused() {
    for text in [
        "",
        "https",
        "https:",
        "https:/",
        "https:a.example",
        "https:///",
        "https://:443",
        "https://?q",
        "//a.example",
        "ftp://a.example",
        "httpsx://a.example",
        " https://a.example",
        "https://a.example ",
        "https://a.example/\u{7f}",
        "https://user@a.example",
        "https://a:b@a.example",
        "https://a.example#f",
        "https://a.example/\\b",
        "https://a.example/\"",
        "https://a.example/<",
        "https://a.example/>",
        "https://a.example/`",
        "https://a.example/{",
        "https://a.example/}",
        "https://a.example/é",
        "https://é.example",
        "https://a,b",
        "https://a.example/../b",
        "https://a.example/.",
        "https://a.example/%2e%2E/b",
        "https://[::1",
        "https://::1]",
        "https://[::g]",
        "https://[::1]x",
        "https://a%41.example",
        "https://a*.example",
    ] {
        assert_eq!(Url::parse(text), None, "{text}");
    }
}

#[test]
fn ports_are_written_as_browsers_do() {
    for port in ["1", "80", "8443", "65535"] {
        assert!(Url::parse(&["https://a.example:", port].concat()).is_some(), "{port}");
    }
    for port in ["", "0", "080", "65536", "99999", "100000", "-1", "+1", "1x", "x", "1:2"] {
        assert_eq!(Url::parse(&["https://a.example:", port].concat()), None, "{port}");
    }
}

#[test]
fn a_canonical_url_is_spelled_as_browsers_do() {
    for text in
        ["https://a.example", "https://a.example:80/A?B", "http://localhost:443", "https://a.example:4433"]
    {
        assert!(Url::canonical(text).is_some(), "{text}");
    }
    for text in [
        "https://A.example",
        "Https://a.example",
        "https://a.example:443",
        "http://localhost:80",
        "https://u@a",
    ] {
        assert_eq!(Url::canonical(text), None, "{text}");
    }
}

#[test]
fn places_are_compared_without_their_query() {
    for (one, other, same) in [
        ("https://a.example/cb", "https://a.example/cb?x", true),
        ("https://a.example", "https://a.example/", true),
        ("https://a.example/cb", "https://a.example/cb/", false),
        ("https://a.example/cb", "https://b.example/cb", false),
        ("https://a.example/cb", "https://a.example:8443/cb", false),
        ("no URL", "no URL", false),
    ] {
        assert_eq!((same_place(one, other), same_place(other, one)), (same, same), "{one} {other}");
    }
    assert_eq!(split("/a?b#c?d#e"), ("/a", "b", "c?d#e"));
    assert_eq!(split("/a#b?c"), ("/a", "", "b?c"));
    assert_eq!(split(""), ("", "", ""));
}

#[test]
fn dots_lead_upwards_however_they_are_spelled() {
    for path in [".", "..", "/a/..", "/./a", "/%2e", "/%2E%2e/", "/.%2e", "/%2E.", "a/../b"] {
        assert!(has_dot_segment(path), "{path}");
    }
    for path in ["", "/", "/a", "/...", "/.a", "/a..", "/%2f", "/..a/b", "/%2e%2e%2e"] {
        assert!(!has_dot_segment(path), "{path}");
    }
}

#[test]
fn local_paths_stay_here() {
    for path in ["/", "/a", "/a/b?c=//d#//e", "/a?..", "/é", "/~a"] {
        assert!(is_local_path(path), "{path}");
    }
    for path in [
        "", "a", "?a", "#a", "//a", "/a//b", "/\\a", "/a b", "/\t/a", "/a\u{7f}", "/a/../b", "/a\u{0}",
        "/a?b c",
    ] {
        assert!(!is_local_path(path), "{path}");
    }
}

#[test]
fn targets_cover_what_is_below_them() {
    let target =
        Target::read(&ours(&json!({ "origin": "https://api.example", "path": "/v1/" }))).expect("a target");
    for url in ["/v1", "/v1/", "/v1/notes?x#y", "/v1?x", "/v1/a%2Fb", "/v1/%2", "/v1/%", "/v1/100%25"] {
        assert!(target.covers(&["https://api.example", url].concat()), "{url}");
    }
    for url in [
        "",
        "/",
        "/v10",
        "/v",
        "/v2/v1",
        "/v1/..%2fv2",
        "/v1/..%2Fv2",
        "/v1/..%5cv2",
        "/v1/%2e%2e%2Fv2",
        "/v1/x%2F..%5C",
    ] {
        assert!(!target.covers(&["https://api.example", url].concat()), "{url}");
    }
    for url in [
        "https://api.example:8443/v1",
        "http://api.example/v1",
        "https://api.example.evil/v1",
        "https://API.example/v1",
    ] {
        assert!(!target.covers(url), "{url}");
    }
    let whole = Target::read(&ours(&json!("https://api.example"))).expect("a target");
    assert!(whole.covers("https://api.example") && whole.covers("https://api.example/any"));
}

#[test]
fn targets_are_origins_with_a_path() {
    for refused in [
        json!(1),
        json!([]),
        json!("https://api.example/v1?q"),
        json!("https://API.example"),
        json!("/v1"),
        json!({ "path": "/v1" }),
        json!({ "origin": "https://api.example/" }),
        json!({ "origin": "https://api.example/v1", "path": "/v2" }),
        json!({ "origin": "https://api.example", "path": "v1" }),
        json!({ "origin": "https://api.example", "path": "/v1?q" }),
        json!({ "origin": "https://api.example", "paths": "/v1" }),
    ] {
        assert!(Target::read(&ours(&refused)).is_err(), "{refused}");
    }
}

/// The rules stand in `pkg/src/target.ts` too, which is held to the same cases.
#[test]
fn targets_and_paths_are_as_their_table_says() {
    let cases = load("targets/cases.json");
    let rows = |name: &str| cases[name].as_array().expect("rows").clone();
    for row in rows("targets") {
        assert_eq!(Target::read(&ours(&row["given"])).is_ok(), row["ok"], "{row}");
    }
    for row in rows("covers") {
        let target = Target::read(&ours(&row["target"])).expect("a target");
        assert_eq!(target.covers(row["url"].as_str().expect("a URL")), row["covered"], "{row}");
    }
    for row in rows("paths") {
        assert_eq!(is_local_path(row["path"].as_str().expect("a path")), row["local"], "{row}");
    }
    assert!(["targets", "covers", "paths"].iter().all(|name| rows(name).len() > 30));
}
