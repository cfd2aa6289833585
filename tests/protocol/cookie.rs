//! Cookies: SEC-132 to SEC-141, by the cases that the TypeScript side is held to as well.

use crate::load;
use serde_json::Value;
use wardkey::protocol::cookie::{self, CookieOptions, Prefix, SameSite};
use wardkey::protocol::error::{Code, Phase};

const PAGE: &str = "https://app.example.test";

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The options of a case, by their names in JavaScript; `None` where a type cannot hold one.
fn options(given: &Value) -> Option<CookieOptions<'_>> {
    let mut options = CookieOptions::default();
    for (name, value) in given.as_object().expect("an object") {
        match name.as_str() {
            "sameSite" => {
                options.same_site = match text(value) {
                    "Strict" => SameSite::Strict,
                    "Lax" => SameSite::Lax,
                    "None" => SameSite::None,
                    _ => return None,
                }
            }
            "secure" => options.secure = value.as_bool()?,
            "path" => options.path = text(value),
            "domain" => options.domain = Some(text(value)),
            "maxAgeSec" | "maxAge" => options.max_age = Some(value.as_i64()?),
            "expires" => options.expires = Some(value.as_i64()?),
            "partitioned" => options.partitioned = value.as_bool()?,
            "prefix" => {
                options.prefix = match text(value) {
                    "host" => Prefix::Host,
                    "secure" => Prefix::Secure,
                    _ => Prefix::None,
                }
            }
            _ => return None,
        }
    }
    Some(options)
}

fn written(name: &str, value: &str, options: &CookieOptions<'_>, origin: &str, now: i64) -> Option<String> {
    match cookie::serialize(name, value, options, origin, now) {
        Ok(cookie) => Some(cookie),
        Err(error) => {
            assert_eq!((error.code(), error.phase()), (Code::InvalidCookie, Phase::Storage), "{error}");
            None
        }
    }
}

#[test]
fn sec_132_to_139_every_case_is_written_or_refused_as_its_table_says() {
    let file = load("cookies/cases.json");
    let now = file["now"].as_i64().expect("a time");
    for case in list(&file["serialize"]) {
        let options = options(&case["options"]).expect("options");
        let cookie = written(text(&case["name"]), text(&case["value"]), &options, text(&case["origin"]), now);
        assert_eq!(cookie.as_deref(), case["out"].as_str(), "{}", case["id"]);
    }
}

#[test]
fn sec_141_every_header_is_read_as_its_table_says() {
    for case in list(&load("cookies/cases.json")["parse"]) {
        let pairs = cookie::parse(text(&case["header"]));
        let expected: Vec<_> =
            list(&case["pairs"]).iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        assert_eq!(pairs, expected, "{}", case["id"]);
    }
}

#[test]
fn sec_132_to_134_no_other_character_than_those_of_the_grammars_is_written() {
    let file = load("cookies/cases.json");
    let [names, values, paths] = ["name", "value", "path"].map(|part| text(&file["octets"][part]));
    let is_written = |name: &str, value: &str, path: &str| {
        written(name, value, &CookieOptions { path, ..CookieOptions::default() }, PAGE, 0).is_some()
    };
    for character in (0..0x300).chain([0x2000, 0x200b, 0x3000, 0xfeff, 0x1f36a]).filter_map(char::from_u32) {
        let (name, value, path) =
            (format!("a{character}"), format!("b{character}c"), format!("/{character}d"));
        assert_eq!(is_written(&name, "1", "/"), names.contains(character), "name {character:?}");
        assert_eq!(is_written("a", &value, "/"), values.contains(character), "value {character:?}");
        assert_eq!(is_written("a", "1", &path), paths.contains(character), "path {character:?}");
    }
}

fn is_refused(name: &str) -> bool {
    written(name, "1", &CookieOptions::default(), PAGE, 0).is_none()
}

/// There, the name went into the header as it was.
#[test]
fn cookie_cve_2024_47764_a_name_adds_no_attribute() {
    for name in [
        "a; Domain=evil.test; x",
        "a=b; Path=/x; c",
        "userName=<script>alert(1)</script>; Max-Age=2592000; a",
    ] {
        assert!(is_refused(name), "{name}");
    }
    let plain = CookieOptions::default();
    for text in ["/; Domain=evil.test", "/\r\nSet-Cookie: b=1"] {
        let path = CookieOptions { path: text, ..plain };
        let domain = CookieOptions { domain: Some(text), ..plain };
        assert_eq!(written("a", "1", &path, PAGE, 0), None, "{text}");
        assert_eq!(written("a", "1", &domain, PAGE, 0), None, "{text}");
        assert_eq!(written("a", text, &plain, PAGE, 0), None, "{text}");
    }
}

/// Browsers store `\u{2000}__Host-sid` from script, and some servers read it as `__Host-sid`.
#[test]
fn cookie_prefix_bypass_2025_no_unicode_stands_before_a_prefix() {
    for space in ['\u{2000}', '\u{a0}', '\u{85}', '\u{3000}', '\u{feff}', ' ', '\t'] {
        for prefix in ["__Host-", "__Secure-"] {
            let name = format!("{space}{prefix}sid");
            assert!(is_refused(&name), "{name:?}");
            let header = format!("a=1; {name}=forged");
            assert_eq!(
                cookie::get(&header, &format!("{prefix}sid")).ok().flatten().is_some(),
                space.is_ascii(),
                "{name:?}"
            );
        }
    }
}

#[test]
fn sec_138_no_octet_beyond_the_limits_is_written() {
    let long = |length: usize| "x".repeat(length);
    let is_written = |name: &str, value: &str, path: &str, prefix| {
        let options = CookieOptions { path, prefix, ..CookieOptions::default() };
        written(name, value, &options, PAGE, 0).is_some()
    };
    for (room, prefix) in [(4096, Prefix::None), (4089, Prefix::Host), (4087, Prefix::Secure)] {
        assert!(is_written("a", &long(room - 1), "/", prefix) && is_written(&long(room), "", "/", prefix));
        assert!(!is_written("a", &long(room), "/", prefix) && !is_written(&long(room), "b", "/", prefix));
    }
    let path = |length: usize| ["/", &long(length - 1)].concat();
    assert!(is_written("a", "1", &path(1024), Prefix::None));
    assert!(!is_written("a", "1", &path(1025), Prefix::None));
}

/// The cases are of a `Set-Cookie` line, which has what it is given; ours has `Path=/` and `SameSite=Lax` besides.
#[test]
fn the_hostile_cases_are_refused_and_the_others_have_what_they_ask_for() {
    let now = load("cookies/cases.json")["now"].as_i64().expect("a time");
    let (mut accepted, mut rejected) = (0, 0);
    for case in list(&load("hostile/cookie_serialize.json")["cases"]) {
        let id = text(&case["id"]);
        let mut input = case["input"].clone();
        let members = input.as_object_mut().expect("an object");
        let (name, value) =
            (members.remove("name").expect("a name"), members.remove("value").expect("a value"));
        // What the type has no place for: `HttpOnly` cannot be asked for, and there are no prototypes.
        for name in ["js", "httpOnly", "__json"] {
            members.remove(name);
        }
        members.entry("secure").or_insert(Value::Bool(false));
        let cookie = options(&input)
            .and_then(|options| written(text(&name), text(&value), &options, "http://localhost", now));
        let expected = match (text(&case["expect"]), id) {
            (_, "host-http-ok") => false,
            (_, "httponly-js") => true,
            // Firefox takes the default path for it, Chromium does not; ours has `Path=/`.
            (_, "host-no-path") => true,
            // A dot that means nothing, a public suffix, a life that is cut: refused. A token is a value like any other.
            ("policy", _) => id == "token-in-cookie",
            (expect, _) => expect == "accept",
        };
        assert_eq!(cookie.is_some(), expected, "{id}");
        rejected += usize::from(cookie.is_none());
        let Some(cookie) = cookie else { continue };
        accepted += 1;
        if let Some(out) = case["out"].as_str() {
            let mut asked: Vec<_> = out.split("; ").filter(|part| *part != "HttpOnly").collect();
            for default in ["Path=/", "SameSite=Lax"] {
                let (attribute, _) = default.split_once('=').expect("a value");
                if !asked.iter().any(|part| part.starts_with(attribute)) {
                    asked.push(default);
                }
            }
            let mut ours: Vec<_> = cookie.split("; ").collect();
            asked.sort_unstable();
            ours.sort_unstable();
            assert_eq!(ours, asked, "{id}");
        }
    }
    assert_eq!((accepted, rejected), (17, 50));
}

#[test]
fn sec_141_a_cookie_is_not_chosen_among_several() {
    assert_eq!(cookie::get("a=1; b=2", "b"), Ok(Some("2")));
    assert_eq!(cookie::get("a=1; b=2", "B"), Ok(None));
    assert_eq!(cookie::get("a=1; ab=2", "b"), Ok(None));
    for header in ["b=1; b=2", "b=1; a=1; b=1", "b=; b=2", "b=1; b = 1"] {
        let error = cookie::get(header, "b").expect_err(header);
        assert_eq!((error.code(), error.phase()), (Code::InvalidCookie, Phase::Storage), "{header}");
    }
}

#[test]
fn sec_141_a_header_is_read_in_linear_time() {
    // In quadratic time it would be hours.
    for piece in [" ", "\t", "=", ";", "a=", "a=1; ", " a", "; ="] {
        let header = ["a=1", &piece.repeat(1 << 20), "b"].concat();
        assert!(cookie::parse(&header).iter().all(|(name, _)| !name.is_empty()), "{piece:?}");
    }
}
