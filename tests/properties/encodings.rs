//! JSON, base64url, forms and hashes: as others read and write them.

use crate::{any_query, any_value};
use proptest::prelude::*;
use wardkey::protocol::form::{self, Form};
use wardkey::protocol::hash::{Hash, base64url, from_base64url, left_half, sha256_base64url};
use wardkey::protocol::json::{self, Value};

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn json_comes_back_as_it_was_written(value in any_value()) {
        let text = json::write(&value);
        prop_assert_eq!(json::parse(text.as_bytes()), Some(value));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{} is no JSON to others", text);
    }

    #[test]
    fn json_of_any_octets_is_read_as_others_do_or_refused(octets in any::<Vec<u8>>()) {
        if json::parse(&octets).is_some() {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&octets).is_ok());
        }
    }

    #[test]
    fn json_like_text_is_read_as_others_do_or_refused(text in r#"[\[\]{},:"\\u0-9a-fA-F.eE+\-tfn \n]{0,40}"#) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        match json::parse(text.as_bytes()) {
            Some(value) => prop_assert!(theirs.is_ok(), "{} is {:?}", text, value),
            // serde_json takes duplicate names; numbers beyond f64 it refuses, and we do not.
            None => prop_assert!(theirs.is_err() || text.contains('{'), "{} was refused", text),
        }
    }

    #[test]
    fn integers_are_written_in_digits(number in any::<i64>()) {
        prop_assert_eq!(json::decimal(number), number.to_string());
    }

    #[test]
    fn integers_of_64_bits_are_integers_and_no_other(number in any::<i128>(), shift in 0_u32..128) {
        let number = number >> shift;
        let value = json::parse(number.to_string().as_bytes());
        let expected = i64::try_from(number).map_or_else(|_| Value::Decimal(number.to_string()), Value::Integer);
        prop_assert_eq!(value, Some(expected));
    }

    #[test]
    fn decimals_are_rounded_down(whole in -1_000_000_000_000_i64..1_000_000_000_000, fraction in 1_u32..1_000) {
        let text = format!("{whole}.{fraction:03}");
        let below = if whole < 0 || text.starts_with('-') { whole - 1 } else { whole };
        prop_assert_eq!(json::parse(text.as_bytes()).and_then(|value| value.as_integer()), Some(below));
    }

    #[test]
    fn base64url_comes_back(octets in any::<Vec<u8>>()) {
        prop_assert_eq!(from_base64url(&base64url(&octets)), Some(octets));
    }

    #[test]
    fn base64url_has_one_spelling(text in "([A-Za-z0-9_-]{4}){0,2}[AQgw_]{0,3}[=+/ ]?") {
        if let Some(octets) = from_base64url(&text) {
            prop_assert_eq!(base64url(&octets), text);
        }
    }

    #[test]
    fn forms_are_read_as_browsers_read_them(text in any_query()) {
        let theirs: Vec<_> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        prop_assert_eq!(&form::parse(&text).0, &theirs);
        let has_mark = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
        let replaced = theirs.iter().any(|(name, value)| has_mark(name) || has_mark(value));
        let meant = has_mark(&text) || text.to_ascii_uppercase().contains("%EF%BF%BD");
        prop_assert!(!form::is_well_formed(&text) || !replaced || meant, "something was replaced");
    }

    #[test]
    fn forms_are_written_as_browsers_write_them(name in any::<String>(), value in any::<String>()) {
        let mut ours = Form::new();
        let mut theirs = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [(name.as_str(), value.as_str()), ("last", "1")] {
            ours.add(name, value);
            if !value.is_empty() {
                theirs.append_pair(name, value);
            }
        }
        let text = ours.finish();
        prop_assert_eq!(&text, &theirs.finish());
        prop_assert!(form::is_well_formed(&text));
    }

    #[test]
    fn hashes_are_those_of_another_implementation(text in any::<String>()) {
        let digest = |algorithm| ring::digest::digest(algorithm, text.as_bytes());
        prop_assert_eq!(sha256_base64url(text.as_bytes()), base64url(digest(&ring::digest::SHA256).as_ref()));
        for (ours, theirs) in [
            (Hash::Sha256, &ring::digest::SHA256), (Hash::Sha384, &ring::digest::SHA384), (Hash::Sha512, &ring::digest::SHA512),
        ] {
            let whole = digest(theirs);
            prop_assert_eq!(left_half(ours, &text), base64url(&whole.as_ref()[..whole.as_ref().len() / 2]));
        }
    }
}
