//! Proofs of possession: they say what is sent, and nothing else. The `url` crate is the browser's parser.

use crate::{any_text, any_value};
use proptest::prelude::*;
use wardkey::protocol::dpop::{self, ENTROPY, Key, LONGEST_NONCE, Proof, htu, nonce};
use wardkey::protocol::hash::{base64url, from_base64url, sha256_base64url};
use wardkey::protocol::json::{self, Object, Value};
use wardkey::protocol::jwt::{self, Algorithm};

fn jwk(x: &[u8], y: &[u8]) -> Object {
    Object::new().text("kty", "EC").text("crv", "P-256").text("x", &base64url(x)).text("y", &base64url(y))
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn what_is_signed_is_where_the_browser_sends(
        text in any_text(), origin in "(https|HTTPS|http)://([a-cA-C]\\.example|localhost)(:443|:80|:8443)?", rest in "[/?#]?",
    ) {
        for url in [format!("{origin}{rest}{text}"), format!("{origin}{rest}"), text] {
            let signed = htu(&url);
            if let Ok(mut theirs) = url::Url::parse(&url) {
                theirs.set_query(None);
                theirs.set_fragment(None);
                prop_assert!(signed.is_none_or(|signed| signed == theirs.as_str()), "{} for {}", url, theirs);
            }
        }
    }

    #[test]
    fn every_https_url_that_a_browser_parsed_can_be_signed(
        host in "[a-zA-Z0-9-]{1,8}\\.example", path in "(/\\PC{0,6}){0,3}", query in "(\\?\\PC{0,6})?(#\\PC{0,6})?",
    ) {
        if let Ok(theirs) = url::Url::parse(&["https://", &host, &path, &query].concat()) {
            let href = String::from(theirs.clone());
            let place: String = href.chars().take_while(|character| !"?#".contains(*character)).collect();
            prop_assert_eq!(htu(&href), Some(place));
        }
    }

    #[test]
    fn a_proof_says_what_it_was_made_of(
        method in any::<String>(), text in any::<String>(), token in prop::option::of("[!-~]{0,20}"),
        issued_at in any::<i64>(), jti in any::<[u8; ENTROPY]>(), x in any::<[u8; 32]>(), y in any::<[u8; 32]>(),
        extra in any_value(), signature in prop::collection::vec(any::<u8>(), 1..80),
    ) {
        let public = json::write(&jwk(&x, &y).finish());
        let key = Key::read(Algorithm::Es256, &jwk(&x, &y).value("d", extra).finish()).expect("a key");
        let nonce = nonce(&text);
        let proof = Proof {
            method: &method, url: "https://rs.example/a?b", nonce, access_token: token.as_deref(), issued_at, jti: &jti,
        };
        let token_of = dpop::finish(&proof.signing_input(&key).expect("a URL"), &signature);
        let read = jwt::parse(&token_of).expect("a JWT");
        prop_assert_eq!(read.signature, signature);
        let claims = &read.claims;
        prop_assert_eq!(claims.text("htm"), Some(method.as_str()));
        prop_assert_eq!(claims.text("htu"), Some("https://rs.example/a"));
        prop_assert_eq!(claims.get("iat"), Some(&Value::Integer(issued_at)));
        prop_assert_eq!(claims.text("jti").and_then(from_base64url), Some(jti.to_vec()));
        prop_assert_eq!(claims.text("nonce"), nonce);
        let ath = token.map(|token| sha256_base64url(token.as_bytes()));
        prop_assert_eq!(claims.text("ath"), ath.as_deref());
        let (header, _) = token_of.split_once('.').expect("parts");
        let header = json::parse(&from_base64url(header).expect("base64url")).expect("JSON");
        let member = |name| header.get("jwk").and_then(|jwk| jwk.text(name)).unwrap_or_default();
        prop_assert_eq!(json::write(&jwk(&from_base64url(member("x")).expect("x"), &from_base64url(member("y")).expect("y")).finish()), public);
        prop_assert!(header.get("jwk").is_some_and(|jwk| jwk.get("d").is_none()));
    }

    #[test]
    fn a_thumbprint_is_of_the_required_members(x in any::<[u8; 32]>(), y in any::<[u8; 32]>(), kid in any::<String>()) {
        let written = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, base64url(&x), base64url(&y));
        let key = Key::read(Algorithm::Es256, &jwk(&x, &y).text("kid", &kid).finish()).expect("a key");
        prop_assert_eq!(key.thumbprint(), sha256_base64url(written.as_bytes()));
    }

    #[test]
    fn any_value_is_no_key_or_one_of_ours(value in any_value(), url in any_text()) {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ed25519, Algorithm::Rs256] {
            prop_assert!(Key::read(algorithm, &value).is_none());
        }
        let _ = htu(&url);
    }

    #[test]
    fn a_nonce_can_stand_in_a_header_and_in_json_as_it_is(text in any::<String>(), like in "[ -~]{0,8}", long in 0..2 * LONGEST_NONCE) {
        let long = "n".repeat(long);
        for text in [text, like, long] {
            let legal = text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
            let expected = legal && !text.is_empty() && text.len() <= LONGEST_NONCE;
            prop_assert_eq!(nonce(&text).is_some(), expected, "{}", text);
        }
    }
}
