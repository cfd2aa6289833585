//! Messages and records from outside: whatever they hold, they are judged.

use crate::{any_query, any_text, any_value};
use proptest::prelude::*;
use serde_json::json;
use wardkey::protocol::callback;
use wardkey::protocol::config::Config;
use wardkey::protocol::hash::base64url;
use wardkey::protocol::http::Response;
use wardkey::protocol::json::{self, Value};
use wardkey::protocol::transaction::{self, Ledger};
use wardkey::protocol::{cookie, initiated, jwk, jwt, logout, metadata, par, revocation, token, userinfo};

fn client() -> Config {
    let options = json!({
        "issuer": "https://as.example", "clientId": "spa", "redirectUri": "https://app.example/cb", "scope": "openid",
    });
    Config::read(&json::parse(options.to_string().as_bytes()).expect("JSON")).expect("a configuration")
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn a_callback_of_any_text_is_an_error_or_a_response(text in any_text(), query in any_text()) {
        let config = client();
        let urls = [text, ["https://app.example/cb?iss=https://as.example&code=x&", &query].concat(),
            ["https://app.example/cb?code=x&state=", config.tag(), &query].concat(), ["https://app.example/cb#", &query].concat()];
        for url in urls {
            if let Ok(response) = callback::read(&url, &config) {
                prop_assert!(response.state.starts_with(config.tag()));
            }
        }
    }

    #[test]
    fn a_token_of_any_text_is_refused_or_taken_apart(text in any_text(), header in any_value(), claims in any_value()) {
        let _ = jwt::parse(&text);
        let part = |value: &Value| base64url(json::write(value).as_bytes());
        let token = [part(&header), part(&claims), "AA".to_owned()].join(".");
        let _ = jwt::parse(&token);
        let known = [base64url(br#"{"alg":"ES256"}"#), part(&claims), "AA".to_owned()].join(".");
        let parsed = jwt::parse(&known);
        prop_assert_eq!(parsed.is_ok(), matches!(claims, Value::Object(_)));
        if let Ok(jwt) = parsed {
            let _ = jwk::signature_check(&[header], &jwt);
        }
    }

    #[test]
    fn a_record_of_any_text_is_survived(text in any_text(), value in any_value(), now in any::<i64>()) {
        for text in [text, json::write(&value), json::write(&Value::Array(vec![value.clone()]))] {
            let mut ledger = Ledger::read(&text, now);
            prop_assert!(ledger.consume("state", now).is_none());
            prop_assert!(ledger.arrive("state", "https://app.example").is_none());
            if let Some(written) = ledger.write(transaction::CAPACITY, usize::MAX) {
                prop_assert!(json::parse(written.as_bytes()).is_some());
            }
        }
    }

    #[test]
    fn a_ledger_is_bounded(count in 0_usize..100) {
        let mut ledger = Ledger::default();
        for number in 0..count {
            ledger.depart(&number.to_string(), Some("https://app.example"), None, 0);
        }
        let text = ledger.write(transaction::CAPACITY, usize::MAX).unwrap_or_default();
        let mut ledger = Ledger::read(&text, 0);
        prop_assert_eq!(ledger.arrive("0", "https://app.example").is_some(), (1..=transaction::CAPACITY).contains(&count));
        prop_assert_eq!(count == 0 || ledger.arrive(&(count - 1).to_string(), "https://app.example").is_some() || count == 1, true);
    }

    #[test]
    fn a_token_response_of_any_octets_is_judged(
        octets in any::<Vec<u8>>(), value in any_value(), status in 100_u16..600, content_type in any::<String>()
    ) {
        for body in [octets, json::write(&value).into_bytes()] {
            for content_type in [content_type.as_str(), "application/json"] {
                let headers = vec![Some(content_type.to_owned())];
                let response = Response { status, headers, body: body.clone().into() };
                if token::response(&response, false, &json::Value::Null).is_ok() {
                    prop_assert_eq!(status, 200);
                }
            }
        }
    }

    #[test]
    fn a_metadata_document_of_any_value_is_judged(value in any_value(), issuer in any_text()) {
        let _ = metadata::well_known(&issuer);
        let _ = metadata::read(value.clone(), Some(&issuer), true);
        let _ = metadata::read(value.clone(), None, false);
        let _ = Config::read(&value);
        let _ = jwk::keys(&value);
    }

    #[test]
    fn every_other_answer_is_judged(
        octets in any::<Vec<u8>>(), value in any_value(), status in prop_oneof![Just(200), Just(201), 100_u16..600],
        lifetime in any_value(), challenge in any_text()
    ) {
        let pushed = Value::Object(vec![
            ("request_uri".to_owned(), value.clone()), ("expires_in".to_owned(), lifetime),
        ]);
        for body in [octets, json::write(&value).into_bytes(), json::write(&pushed).into_bytes()] {
            for content_type in ["application/json", "application/jwt", "text/html"] {
                let headers = [content_type, &challenge, &challenge, &challenge].map(|header| Some(header.to_owned()));
                let response = Response { status, headers: headers.into(), body: body.clone().into() };
                if let Ok(pushed) = par::response(&response) {
                    prop_assert_eq!(status, 201);
                    prop_assert!(pushed.expires_in > 0 && !pushed.request_uri.contains(char::is_whitespace));
                }
                match userinfo::response(&response) {
                    Ok(userinfo::UserInfo::Claims(claims)) => {
                        prop_assert!(status == 200 && content_type == "application/json");
                        prop_assert!(matches!(claims, Value::Object(_)));
                    }
                    Ok(userinfo::UserInfo::Signed(_)) => prop_assert!(status == 200 && content_type == "application/jwt"),
                    Err(_) => {}
                }
                prop_assert_eq!(revocation::response(&response).is_ok(), status == 200);
            }
        }
    }

    #[test]
    fn every_link_is_judged(text in any_text(), query in any_query(), more in any_query()) {
        let config = client();
        let behind = |start: &str| [start, &query, "&", &more].concat();
        let target: String = text.bytes().map(|octet| format!("%{octet:02x}")).collect();
        for url in [["https://app.example/?iss=https://as.example&target_link_uri=", &target].concat(), text.clone(), behind("https://app.example/start?iss=https://as.example&"), behind("https://app.example/out?state=x&"),
            behind("https://app.example/out?iss=https://as.example&sid=1&"), behind("https://app.example/?")] {
            if let Some(path) = initiated::read(&url, &config).and_then(|initiated| initiated.return_to) {
                let target = url::Url::parse(&text).map(|target| target.origin().ascii_serialization());
                prop_assert_eq!(target.as_deref(), Ok("https://app.example"));
                prop_assert!(path.starts_with('/') && !path.starts_with("//") && text.ends_with(&path[1..]));
            }
            if let Some(back) = logout::response(&url) {
                prop_assert!(url.starts_with(back.place) && !back.place.contains(['?', '#']));
            }
            if logout::front_channel(&url, "https://as.example", Some("1")) {
                prop_assert!(url.contains("iss") && url.contains("sid"));
                for (issuer, sid) in [("https://as.example", None), ("", Some("1")), ("https://as.example", Some("2")),
                    ("https://other.example", Some("1"))] {
                    prop_assert!(!logout::front_channel(&url, issuer, sid));
                }
            }
        }
    }

    #[test]
    fn a_cookie_header_of_any_text_is_read(pairs in prop::collection::vec(("[a-c \t\u{a0}\u{2000};=]{0,4}", any_text()), 0..8), text in any_text()) {
        let joined = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(";");
        for header in [text, joined] {
            let pairs = header.split(';').filter_map(|pair| pair.split_once('='));
            let white = [' ', '\t'];
            let trimmed = pairs.map(|(name, value)| (name.trim_matches(white), value.trim_matches(white)));
            prop_assert_eq!(cookie::parse(&header), trimmed.filter(|(name, _)| !name.is_empty()).collect::<Vec<_>>());
            for (name, _) in cookie::parse(&header) {
                let same = cookie::parse(&header).iter().filter(|(other, _)| *other == name).count();
                prop_assert_eq!(cookie::get(&header, name).is_ok(), same == 1);
            }
        }
    }
}
