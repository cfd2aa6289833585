//! Answers of a token endpoint. The input's first line is the status and the media type, the rest is the body.

use super::{assert_quotes_nothing, theirs};
use serde_json::Value;
use wardkey::protocol::http::{HEADERS, Response};
use wardkey::protocol::token::{self, TokenResponse};

pub(super) fn target(input: &[u8]) -> bool {
    let end = input.iter().position(|octet| *octet == b'\n').unwrap_or(input.len());
    let (line, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let (status, media_type) = line.split_once(' ').unwrap_or((line, ""));
    let Ok(status) = status.parse() else { return false };
    let media_type = |name: &&str| (*name == "content-type").then(|| media_type.to_owned());
    let response =
        Response { status, headers: HEADERS.iter().map(media_type).collect(), body: body.to_vec().into() };
    let verdicts = [false, true].map(|bound| {
        match token::response(&response, bound, &wardkey::protocol::json::Value::Null) {
            Ok(accepted) => {
                assert_eq!((status, accepted.bound), (200, bound));
                assert_is_what_stands_there(&accepted, body);
                true
            }
            Err(error) => {
                assert_quotes_nothing(&error);
                assert_eq!(error.status().unwrap_or(status), status);
                false
            }
        }
    });
    assert_ne!(verdicts, [true, true], "both Bearer and DPoP");
    verdicts.contains(&true)
}

/// RFC 6749 5.1, as another parser reads the body.
fn assert_is_what_stands_there(accepted: &TokenResponse, body: &[u8]) {
    let Some(document) = theirs(body) else { return };
    let expected = if accepted.bound { "dpop" } else { "bearer" };
    assert!(document["token_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(expected)));
    let printed = format!("{accepted:?}");
    for (name, token) in [
        ("access_token", Some(accepted.access_token.expose())),
        ("refresh_token", accepted.refresh_token.as_ref().map(|token| token.expose())),
        ("id_token", accepted.id_token.as_ref().map(|token| token.expose())),
    ] {
        assert_eq!(document.get(name).and_then(Value::as_str), token, "{name}");
        assert!(token.is_none_or(is_fit_for_a_header), "{name}");
        assert!(token.is_none_or(|token| token.len() < 16 || !printed.contains(token)), "{name} is printed");
    }
    assert!(accepted.expires_in.is_none_or(|seconds| seconds > 0));
    for scope in accepted.scope.iter().flatten() {
        assert!(!scope.is_empty() && !scope.contains([' ', '"', '\\']), "{scope:?} is no scope");
    }
}

fn is_fit_for_a_header(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|octet| octet.is_ascii_graphic())
}
