//! The ways that an authorization response comes: query, fragment, and as a JWT (JARM). SEC-024, SEC-026.

use crate::support::{ISSUER, REDIRECT_URI, client, compact};
use serde_json::{Value, json};
use wardkey::protocol::callback::{self, AuthorizationResponse, Mode};
use wardkey::protocol::error::{AuthError, Code, Phase};
use wardkey::protocol::jwt::{self, Algorithm};
use wardkey::protocol::secret::Secret;
use wardkey::protocol::signed::Expected;

fn state() -> String {
    [client().tag(), "of-a-sign-in"].concat()
}

fn read(behind: &str) -> Result<AuthorizationResponse, AuthError> {
    callback::read(&[REDIRECT_URI, behind].concat(), &client())
}

#[track_caller]
fn is_refused<T: std::fmt::Debug>(outcome: Result<T, AuthError>, code: Code) {
    let error = outcome.expect_err("it is to be refused");
    assert_eq!((error.code(), error.phase()), (code, Phase::Callback), "{error}");
}

/// The claims of an honest response with one changed (or, by `null`, left out).
fn changed(name: &str, value: Value) -> Value {
    let mut claims = json!({ "iss": ISSUER, "aud": "spa", "exp": 1600, "state": state(), "code": "c-1" });
    claims[name] = value;
    let members = claims.as_object_mut().expect("an object");
    members.retain(|_, value| !value.is_null());
    claims
}

fn signed(claims: &Value) -> String {
    compact(&json!({ "alg": "ES256" }), claims)
}

#[test]
fn the_same_parameters_are_read_from_query_and_fragment() {
    for (mark, mode) in [("?", Mode::Query), ("#", Mode::Fragment), ("?app=own#", Mode::Fragment)] {
        let response = read(&format!("{mark}code=c%2D1&iss={ISSUER}&state={}", state())).expect("a response");
        assert_eq!((response.mode, response.state.as_str()), (mode, state().as_str()));
        assert_eq!(response.iss.as_deref(), Some(ISSUER));
        assert_eq!(response.outcome.expect("a code").expose(), "c-1");
        assert!(response.signed.is_none());
        let response = read(&format!("{mark}error=access_denied&state={}", state())).expect("a response");
        assert_eq!(response.outcome.expect_err("an error"), "access_denied");
    }
    // A fragment that is the page's own is no part of the response.
    let response = read(&format!("?code=c&state={}#/route?code", state())).expect("a response");
    assert_eq!(response.mode, Mode::Query);
}

#[test]
fn a_signed_response_is_read_from_its_claims() {
    let token = signed(&changed("more", json!({ "state": 1 })));
    for behind in [format!("?response={token}"), format!("?state=x&iss=y&response={token}#/route")] {
        let response = read(&behind).expect("a response");
        assert_eq!((response.mode, response.state.as_str()), (Mode::Jwt, state().as_str()));
        assert_eq!(response.iss.as_deref(), Some(ISSUER));
        assert_eq!(response.outcome.expect("a code").expose(), "c-1");
        assert_eq!(response.signed.as_ref().map(Secret::expose), Some(token.as_str()));
    }
    let mut denied = changed("code", Value::Null);
    denied["error"] = json!("access_denied");
    let response = read(&["?response=", &signed(&denied)].concat()).expect("a response");
    assert_eq!(response.outcome.expect_err("an error"), "access_denied");
}

#[test]
fn sec_026_a_response_is_in_one_place() {
    let (state, token) = (state(), signed(&changed("more", json!(1))));
    for behind in [
        format!("?code=c&state={state}#code=c&state={state}"),
        format!("?code=c&state={state}#error=x"),
        format!("?error=x#code=c&state={state}"),
        format!("?code=c&state={state}#state={state}"),
        format!("?state={state}#code=c&state={state}"),
        format!("?iss={ISSUER}#code=c&state={state}"),
        format!("?response={token}#response={token}"),
        format!("?response={token}#code=c"),
        format!("#response={token}"),
        format!("?response={token}&code=c"),
        format!("?response={token}&error=x"),
        format!("?response={token}&id_token=x"),
        format!("#response={token}&code=c&state={state}"),
    ] {
        println!("{behind}");
        is_refused(read(&behind), Code::InvalidCallback);
    }
}

#[test]
fn sec_024_every_place_is_read_as_strictly() {
    let (state, token) = (state(), signed(&changed("more", json!(1))));
    for parameters in [
        format!("code=c&code=c&state={state}"),
        format!("code=c&state={state}&state={state}"),
        format!("code=c&state={state}&iss={ISSUER}&iss={ISSUER}"),
        format!("code=c&error=x&state={state}"),
        format!("code=c&state={state}&x=%ff"),
        format!("code=c&state={state}&x=%4"),
        format!("code=%00&state={state}"),
        format!("error=%22&state={state}"),
        format!("access_token=x&state={state}"),
        format!("id_token=x&state={state}"),
        format!("code=c&id_token=x&state={state}"),
        format!("response=&state={state}"),
        format!("response=x&state={state}"),
        format!("response={token}&response={token}"),
    ] {
        for mark in ["?", "#"] {
            println!("{mark}{parameters}");
            is_refused(read(&[mark, &parameters].concat()), Code::InvalidCallback);
        }
    }
}

#[test]
fn sec_024_claims_are_read_as_strictly() {
    for (name, value, code) in [
        ("code", json!(7), Code::InvalidCallback),
        ("code", json!(""), Code::InvalidCallback),
        ("code", json!("\n"), Code::InvalidCallback),
        ("error", json!("x"), Code::InvalidCallback),
        ("access_token", json!("x"), Code::InvalidCallback),
        ("id_token", json!("x"), Code::InvalidCallback),
        ("response", json!("x"), Code::InvalidCallback),
        ("state", Value::Null, Code::StateMismatch),
        ("state", json!("x"), Code::StateMismatch),
        ("state", json!([state()]), Code::StateMismatch),
    ] {
        println!("{name} {value}");
        is_refused(read(&["?response=", &signed(&changed(name, value))].concat()), code);
    }
    let honest = changed("more", json!(1));
    for header in
        [json!({ "alg": "none" }), json!({ "alg": "HS256" }), json!({ "alg": "ES256", "crit": ["x"] })]
    {
        is_refused(read(&["?response=", &compact(&header, &honest)].concat()), Code::InvalidCallback);
    }
}

#[test]
fn a_signed_response_is_known_by_state_or_issuer() {
    let other = |name: &str, value: Value| {
        let mut claims =
            json!({ "iss": "https://other.example", "aud": "spa", "exp": 1, "state": "x", "code": "c" });
        claims[name] = value;
        read(&["?response=", &signed(&claims)].concat())
    };
    is_refused(other("more", json!(1)), Code::NotMine);
    is_refused(other("iss", json!("https://as.example1")), Code::NotMine);
    is_refused(other("iss", json!(ISSUER)), Code::StateMismatch);
    assert!(other("state", json!(state())).is_ok());
    for token in ["", "x", "a.b", "a.b.c", "a.b.c.d"] {
        is_refused(read(&["?response=", token].concat()), Code::NotMine);
    }
    let elsewhere = format!("https://app.example/other?response={}", signed(&changed("more", json!(1))));
    is_refused(callback::read(&elsewhere, &client()), Code::NotMine);
}

#[test]
fn sec_026_a_response_comes_in_the_mode_that_was_asked_for() {
    let state = state();
    let responses = [
        (format!("?code=c&state={state}"), "query"),
        (format!("#code=c&state={state}"), "fragment"),
        (format!("?response={}", signed(&changed("more", json!(1)))), "jwt"),
    ];
    for (behind, mode) in &responses {
        let response = read(behind).expect("a response");
        for asked in [None, Some("query"), Some("fragment"), Some("jwt")] {
            let checked = callback::check_mode(&response, asked);
            match asked.unwrap_or("query") == *mode {
                true => checked.expect("as it was asked for"),
                false => is_refused(checked, Code::InvalidCallback),
            }
        }
    }
}

#[test]
fn a_signed_response_is_of_the_issuer_for_the_client_and_for_now() {
    let judge = |header: Value, claims: Value| {
        let token = compact(&header, &claims);
        let jwt = jwt::parse(&token).expect("a JWT");
        let algorithms = &[Algorithm::Es256];
        let expected = Expected { issuer: ISSUER, client_id: "spa", algorithms, now: 1000, clock_skew: 60 };
        let outcome = callback::check_signed(&jwt, &expected);
        outcome.map_err(|error| (error.code(), error.reason()))
    };
    let invalid = |reason| Err((Code::InvalidCallback, reason));
    let another_issuer = Err((Code::IssuerMismatch, "iss names another issuer"));
    for (name, value, expected) in [
        ("more", json!(1), Ok(())),
        ("iss", json!("https://as.example1"), another_issuer),
        ("iss", Value::Null, another_issuer),
        ("aud", json!(["spa"]), Ok(())),
        ("aud", json!("spa1"), invalid("aud")),
        ("aud", json!(["spa", "spa1"]), invalid("aud")),
        ("aud", Value::Null, invalid("aud")),
        ("exp", json!(941), Ok(())),
        ("exp", json!(940), invalid("exp")),
        ("exp", json!("1600"), invalid("exp")),
        ("exp", Value::Null, invalid("exp")),
        ("iat", json!(1060), Ok(())),
        ("iat", json!(1061), invalid("iat")),
        ("nbf", json!(1061), invalid("nbf")),
    ] {
        assert_eq!(
            judge(json!({ "alg": "ES256" }), changed(name, value.clone())),
            expected,
            "{name} {value}"
        );
    }
    let honest = || changed("more", json!(1));
    assert_eq!(judge(json!({ "alg": "RS256" }), honest()), invalid("alg"));
    assert_eq!(judge(json!({ "alg": "ES256", "typ": "at+jwt" }), honest()), invalid("typ"));
}
