//! The UserInfo endpoint: SEC-079, SEC-081, SEC-082.

use crate::ours;
use crate::support::{ISSUER, answer, compact, json_answer, refused};
use serde_json::{Value, json};
use wardkey::protocol::error::{Code, Phase};
use wardkey::protocol::http::Cache;
use wardkey::protocol::jwt::{self, Algorithm};
use wardkey::protocol::secret::Secret;
use wardkey::protocol::signed::{self, Expected};
use wardkey::protocol::userinfo::{self, UserInfo};

const ENDPOINT: &str = "https://as.example/userinfo";

#[test]
fn sec_081_the_token_is_in_the_header_alone() {
    let authorization = || Secret::new("DPoP token".to_owned());
    let request = userinfo::request(ENDPOINT, authorization(), Some("proof".to_owned()));
    assert_eq!((request.method(), request.url.as_str(), request.cache), ("GET", ENDPOINT, Cache::NoStore));
    assert_eq!(request.authorization.expect("a token").expose(), "DPoP token");
    assert_eq!(request.proof.as_deref(), Some("proof"));
    assert!(request.form.is_none());
    assert!(userinfo::request(ENDPOINT, authorization(), None).proof.is_none());
}

#[test]
fn sec_082_a_json_object_or_a_jwt_is_an_answer() {
    let claims = json!({ "sub": "alice", "email": "a@b" });
    assert_eq!(
        userinfo::response(&json_answer(200, &claims)).expect("claims"),
        UserInfo::Claims(ours(&claims))
    );
    for kind in ["application/jwt", "Application/JWT ; charset=utf-8"] {
        let signed = userinfo::response(&answer(200, &[("content-type", kind)], "a.b.c"));
        assert_eq!(signed.expect("a JWT"), UserInfo::Signed("a.b.c".to_owned()));
    }
}

#[test]
fn sec_082_nothing_else_is() {
    let unusable = |status| (Code::ServerError, Phase::UserInfo, status, None, false);
    let object = r#"{"sub":"alice"}"#;
    for (kind, body) in [
        ("application/json", r#"[{"sub":"alice"}]"#),
        ("application/json", r#"{"sub":"alice","sub":"mallory"}"#),
        ("application/json", "a.b.c"),
        ("application/json", ""),
        ("text/html", object),
        ("text/plain", "a.b.c"),
        ("application/jwt+json", "a.b.c"),
        ("", object),
    ] {
        println!("{kind} {body}");
        refused(userinfo::response(&answer(200, &[("content-type", kind)], body)), unusable(200));
    }
    refused(userinfo::response(&answer(200, &[], object)), unusable(200));
    for status in [201, 204, 302, 400, 404] {
        refused(userinfo::response(&json_answer(status, &json!({ "sub": "alice" }))), unusable(status));
        refused(
            userinfo::response(&answer(status, &[("content-type", "application/jwt")], "a.b.c")),
            unusable(status),
        );
    }
    let later = userinfo::response(&json_answer(500, &json!({ "sub": "alice" })));
    refused(later, (Code::ServerError, Phase::UserInfo, 500, None, true));
    let later = userinfo::response(&json_answer(429, &json!({})));
    refused(later, (Code::RateLimited, Phase::UserInfo, 429, None, true));
}

#[test]
fn a_refused_token_is_told_from_one_that_does_not_cover_it() {
    let no = |status, challenge: &str, body: Value| {
        let headers = [("content-type", "application/json"), ("www-authenticate", challenge)];
        userinfo::response(&answer(status, &headers, &body.to_string()))
    };
    let expected = |code, status, error| (code, Phase::UserInfo, status, error, false);
    let (token, scope) = (Some("invalid_token"), Some("insufficient_scope"));
    for scheme in ["Bearer", "DPoP"] {
        let challenge = |error: &str| format!("Basic realm=\"x\", {scheme} error=\"{error}\"");
        let refused_token = no(401, &challenge("invalid_token"), json!({}));
        refused(refused_token, expected(Code::ServerError, 401, token));
        let uncovered = no(403, &challenge("insufficient_scope"), json!({}));
        refused(uncovered, expected(Code::ScopeMissing, 403, scope));
    }
    // CORS may hide the header, and servers may send none.
    refused(no(401, "", json!({ "error": "invalid_token" })), expected(Code::ServerError, 401, token));
    refused(no(403, "", json!({ "error": "insufficient_scope" })), expected(Code::ScopeMissing, 403, scope));
    refused(no(401, "", json!({})), expected(Code::ServerError, 401, None));
    let error = no(401, "", json!({})).expect_err("it is refused");
    assert_eq!(error.reason(), "the server does not accept the access token");
    refused(no(403, "", json!({})), expected(Code::ScopeMissing, 403, None));
    let other = no(403, "Bearer error=\"invalid_token\"", json!({ "error": "insufficient_scope" }));
    refused(other, expected(Code::ServerError, 403, token));
}

#[test]
fn sec_079_the_subject_is_the_id_tokens() {
    userinfo::check_subject(&ours(&json!({ "sub": "alice" })), "alice").expect("the same");
    for claims in [
        json!({ "sub": "aliceinvalid" }),
        json!({ "sub": "Alice" }),
        json!({ "sub": ["alice"] }),
        json!({ "sub": null }),
        json!({ "email": "alice" }),
        json!(["sub", "alice"]),
    ] {
        let error = userinfo::check_subject(&ours(&claims), "alice").expect_err("another person");
        assert_eq!(
            (error.code(), error.phase(), error.retryable()),
            (Code::UserMismatch, Phase::UserInfo, false)
        );
    }
    assert!(userinfo::check_subject(&ours(&json!({ "sub": 7 })), "7").is_err());
}

/// The claims of an honest answer with one changed (or, by `null`, left out).
fn changed(name: &str, value: Value) -> Value {
    let mut claims = json!({ "iss": ISSUER, "aud": "spa", "sub": "alice" });
    claims[name] = value;
    let members = claims.as_object_mut().expect("an object");
    members.retain(|_, value| !value.is_null());
    claims
}

fn judge(header: Value, claims: Value) -> Result<(), &'static str> {
    let token = compact(&header, &claims);
    let jwt = jwt::parse(&token).expect("a JWT");
    let algorithms = &[Algorithm::Es256, Algorithm::Rs256];
    let expected = Expected { issuer: ISSUER, client_id: "spa", algorithms, now: 1000, clock_skew: 60 };
    signed::check(&jwt, &expected)
}

#[test]
fn sec_082_a_signed_answer_is_of_the_issuer_and_for_the_client() {
    let es256 = || json!({ "alg": "ES256" });
    let cases = [
        ("sub", json!("alice"), Ok(())),
        ("iss", json!("https://as.example1"), Err("iss")),
        ("iss", json!([ISSUER]), Err("iss")),
        ("iss", Value::Null, Err("iss")),
        ("aud", json!(["spa", "other"]), Ok(())),
        ("aud", json!("spa1"), Err("aud")),
        ("aud", json!(["other"]), Err("aud")),
        ("aud", json!([]), Err("aud")),
        ("aud", Value::Null, Err("aud")),
        ("exp", json!(941), Ok(())),
        ("exp", json!(940), Err("exp")),
        ("exp", json!("9999"), Err("exp")),
        ("iat", json!(1060), Ok(())),
        ("iat", json!(1061), Err("iat")),
        ("nbf", json!(1061), Err("nbf")),
    ];
    for (name, value, expected) in cases {
        assert_eq!(judge(es256(), changed(name, value.clone())), expected, "{name} {value}");
    }
}

#[test]
fn sec_082_a_signed_answer_is_no_other_kind_of_jwt() {
    let honest = || changed("sub", json!("alice"));
    for (typ, expected) in [
        ("JWT", Ok(())),
        ("application/jwt", Ok(())),
        ("at+jwt", Err("typ")),
        ("application/at+jwt", Err("typ")),
        ("dpop+jwt", Err("typ")),
        ("logout+jwt", Err("typ")),
    ] {
        assert_eq!(judge(json!({ "alg": "RS256", "typ": typ }), honest()), expected, "{typ}");
    }
    assert_eq!(judge(json!({ "alg": "PS256" }), honest()), Err("alg"));
}
