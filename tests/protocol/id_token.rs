//! ID tokens at the limits: the last second that is accepted, and the first that is not.

use crate::ours;
use serde_json::{Value, json};
use wardkey::protocol::error::{Code, Phase};
use wardkey::protocol::hash::{Hash, base64url, left_half};
use wardkey::protocol::id_token::{self, Demands, Expected};
use wardkey::protocol::json;
use wardkey::protocol::jwt::{self, Algorithm};

const NOW: i64 = 1_790_000_000;
const SKEW: i64 = 60;
const DAY: i64 = 86_400;
const NO_DEMANDS: Demands<'static> = Demands { nonce: None, max_age: None, auth_time: false, acr: &[] };

/// Judges the claims of an honest token with these changes; null takes one out.
fn judge(changes: &Value, demands: &Demands<'_>) -> Result<(), &'static str> {
    let mut claims =
        json!({ "iss": "https://as.example", "aud": "spa", "sub": "1", "exp": NOW + 300, "iat": NOW });
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    let claims = claims.as_object_mut().expect("an object");
    claims.retain(|_, value| !value.is_null());
    let part = |value: Value| base64url(value.to_string().as_bytes());
    let token = [part(json!({ "alg": "ES256" })), part(json!(claims)), "AA".to_owned()].join(".");
    let expected = Expected {
        issuer: "https://as.example",
        audience: "spa",
        client_id: "spa",
        algorithms: &[Algorithm::Es256],
        access_token: "token",
        now: NOW,
        clock_skew: SKEW,
    };
    id_token::check(&jwt::parse(&token).expect("a JWT"), &expected, demands)
}

#[track_caller]
fn assert_limit(claim: &'static str, accepted: i64, refused: i64, demands: &Demands<'_>) {
    assert_eq!(judge(&json!({ claim: accepted }), demands), Ok(()), "{claim} {accepted}");
    assert_eq!(judge(&json!({ claim: refused }), demands), Err(claim), "{claim} {refused}");
}

#[test]
fn times_hold_to_the_second() {
    assert_limit("exp", NOW - SKEW + 1, NOW - SKEW, &NO_DEMANDS);
    assert_limit("exp", NOW + 50 * 365 * DAY - 1, NOW + 50 * 365 * DAY, &NO_DEMANDS);
    assert_limit("iat", NOW - DAY - SKEW, NOW - DAY - SKEW - 1, &NO_DEMANDS);
    assert_limit("iat", NOW + SKEW, NOW + SKEW + 1, &NO_DEMANDS);
    assert_limit("nbf", NOW + SKEW, NOW + SKEW + 1, &NO_DEMANDS);
}

#[test]
fn the_authentication_is_as_recent_as_was_asked_for() {
    let recent = Demands { max_age: Some(300), ..NO_DEMANDS };
    assert_limit("auth_time", NOW - 300 - SKEW, NOW - 300 - SKEW - 1, &recent);
    assert_limit("auth_time", NOW + SKEW, NOW + SKEW + 1, &recent);
    assert_eq!(judge(&json!({}), &recent), Err("auth_time"));
    let told = Demands { auth_time: true, ..NO_DEMANDS };
    assert_limit("auth_time", 1, NOW + SKEW + 1, &told);
    assert_eq!(judge(&json!({}), &told), Err("auth_time"));
    assert_eq!(judge(&json!({ "auth_time": NOW + DAY }), &NO_DEMANDS), Ok(()), "nobody asked");
}

#[test]
fn the_class_is_one_of_those_that_were_asked_for() {
    let classes = ["one".to_owned(), "two".to_owned()];
    let demands = Demands { acr: &classes, ..NO_DEMANDS };
    for (acr, verdict) in [
        (json!("one"), Ok(())),
        (json!("two"), Ok(())),
        (json!("three"), Err("acr")),
        (Value::Null, Err("acr")),
    ] {
        assert_eq!(judge(&json!({ "acr": acr }), &demands), verdict, "{acr}");
    }
    assert_eq!(judge(&json!({ "acr": "three" }), &NO_DEMANDS), Ok(()));
}

#[test]
fn the_hash_is_the_access_tokens() {
    assert_eq!(judge(&json!({ "at_hash": left_half(Hash::Sha256, "token") }), &NO_DEMANDS), Ok(()));
    assert_eq!(judge(&json!({ "at_hash": left_half(Hash::Sha256, "other") }), &NO_DEMANDS), Err("at_hash"));
}

#[test]
fn a_subject_has_1_to_255_octets() {
    for (length, verdict) in [(0, Err("sub")), (1, Ok(())), (255, Ok(())), (256, Err("sub"))] {
        assert_eq!(judge(&json!({ "sub": "s".repeat(length) }), &NO_DEMANDS), verdict, "{length}");
    }
}

#[test]
fn a_policy_is_checked_and_read() {
    let check = |policy: Value| id_token::check_policy(Some(&ours(&policy))).map_err(|error| error.code());
    assert_eq!(id_token::check_policy(None), Ok(()));
    assert_eq!(check(json!({ "algorithms": ["ES256", "RS256"], "clockSkewSec": 5 })), Ok(()));
    for refused in [
        json!({ "algorithms": [] }),
        json!({ "algorithms": ["ES256", "none"] }),
        json!({ "algorithms": ["HS256"] }),
        json!({ "clockSkewSec": -1 }),
        json!({ "clockSkew": 1 }),
    ] {
        assert_eq!(check(refused.clone()), Err(Code::InvalidConfiguration), "{refused}");
    }
    let (none, some) = (json::Value::Null, ours(&json!({ "algorithms": ["ES384"], "clockSkewSec": 5 })));
    let advertised = || vec![Algorithm::Rs256];
    assert_eq!(id_token::algorithms(&none, advertised()), [Algorithm::Rs256]);
    assert_eq!(id_token::algorithms(&some, advertised()), [Algorithm::Es384]);
    assert_eq!((id_token::clock_skew(&none), id_token::clock_skew(&some)), (60, 5));
}

/// OpenID Connect Core 12.2.
#[test]
fn a_later_token_is_about_the_same_sign_in() {
    let before = json!({ "iss": "https://as.example", "sub": "1", "aud": "spa", "auth_time": 9 });
    let check = |change: Value| {
        let mut claims = before.clone();
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        let verdict = id_token::check_same(&ours(&before), &ours(&claims));
        verdict.map_err(|error| (error.code(), error.phase(), error.reason()))
    };
    assert_eq!(check(json!({})), Ok(()));
    assert_eq!(check(json!({ "iat": 5, "auth_time": null })), Ok(()), "it may leave out what was said");
    for sub in [json!("2"), Value::Null, json!(1)] {
        let (code, phase, _) = check(json!({ "sub": sub })).expect_err("another person");
        assert_eq!((code, phase), (Code::UserMismatch, Phase::Refresh), "{sub}");
    }
    for (name, value) in
        [("iss", json!("https://other.example")), ("aud", json!(["spa", "x"])), ("auth_time", json!(10))]
    {
        let (code, _, reason) = check(json!({ name: value })).expect_err(name);
        assert_eq!((code, reason), (Code::IdTokenInvalid, name));
    }
}

#[test]
fn what_the_first_token_said_holds_on() {
    let before = ours(&json!({ "nonce": "n", "auth_time": 9, "sid": "s", "name": "Zoë" }));
    let mut claims = ours(&json!({ "sub": "1", "auth_time": 9 }));
    id_token::carry_over(&before, &mut claims);
    let expected = json!({ "sub": "1", "auth_time": 9, "nonce": "n", "sid": "s" });
    assert_eq!(serde_json::from_str::<Value>(&json::write(&claims)).expect("JSON"), expected);
}
