//! Messages and records from outside: whatever they hold, they are judged.

use crate::{any_text, any_value};
use proptest::prelude::*;
use serde_json::json;
use wardkey::protocol::callback;
use wardkey::protocol::config::Config;
use wardkey::protocol::hash::base64url;
use wardkey::protocol::http::Response;
use wardkey::protocol::json::{self, Value};
use wardkey::protocol::transaction::{self, Ledger};
use wardkey::protocol::{jwk, jwt, metadata, token};

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
}
