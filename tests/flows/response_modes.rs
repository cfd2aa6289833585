//! Ways in which the authorization response comes: fragment and JWT (JWT Secured Authorization Response Mode).
//! Whoever can choose another way than was asked for could leave out the signature.

use crate::common::sign::SigningKey;
use crate::common::urls::{parameter, with};
use crate::common::{Answer, CALLBACK, World, assert_error, code_of};
use serde_json::{Value, json};
use wardkey::protocol::hash::{base64url, from_base64url};

/// A world whose server signs responses with ES256, and says so.
fn world() -> World {
    let world = World::new();
    world.server.change_metadata(|metadata| {
        metadata["authorization_signing_alg_values_supported"] = json!(["ES256"]);
    });
    world
}

fn respond(world: &World, mode: &str) -> String {
    world.respond_to(&json!({ "responseMode": mode }))
}

/// The header and the claims of a JWT.
fn parts(token: &str) -> [Value; 2] {
    let part = |position| {
        let text = token.split('.').nth(position).and_then(from_base64url).expect("base64url");
        serde_json::from_slice(&text).expect("JSON")
    };
    [part(0), part(1)]
}

fn token(callback: &str) -> String {
    parameter(callback, "response").expect("a response")
}

/// The honest response with a change, signed as the server signs.
pub(crate) fn changed(world: &World, honest: &str, change: impl Fn(&mut Value, &mut Value)) -> String {
    let [mut header, mut claims] = parts(&token(honest));
    change(&mut header, &mut claims);
    with(CALLBACK, "response", &world.server.signer().sign(&header, &claims))
}

/// What the honest response says, in the open.
fn opened(honest: &str, mark: &str) -> String {
    let [_, claims] = parts(&token(honest));
    let text = |name: &str| claims[name].as_str().expect("a text").to_owned();
    let query = with(&with(CALLBACK, "code", &text("code")), "state", &text("state"));
    with(&query, "iss", &text("iss")).replacen('?', mark, 1)
}

/// Refused while the sign-in is pending; keys may have been asked for, the code was not sent, and the honest response
/// still works.
#[track_caller]
fn refused(world: &World, hostile: &str, honest: &str, code: &str) {
    let stored = world.browser.stored();
    let page = world.page();
    assert_error(&page.handle(hostile), code, &["code-", "eyJ"]);
    assert_eq!(world.browser.count("/token"), 0, "the code was sent");
    assert_eq!(world.browser.stored(), stored, "the sign-in was consumed");
    assert!(!page.is_signed_in());
    let finished = page.handle(honest);
    assert_eq!(code_of(&finished), "ok", "after {hostile}: {:?}", finished.err());
}

#[test]
fn each_mode_is_a_whole_sign_in() {
    for mode in ["query", "fragment", "jwt"] {
        let world = world();
        let callback = respond(&world, mode);
        match mode {
            "query" => assert!(callback.contains("?code=")),
            "fragment" => assert!(callback.contains("#code=") && !callback.contains('?')),
            _ => assert!(callback.contains("?response=eyJ") && !callback.contains("code=")),
        }
        let page = world.page();
        let result = page.handle(&callback).unwrap_or_else(|error| panic!("{mode}: {error}"));
        assert!(result.user.is_some());
        assert_eq!(code_of(&page.handle(&callback)), "ok", "the same result once more");
        assert_error(&world.page().handle(&callback), "already_completed", &["code-"]);
        assert_eq!(world.browser.count("/token"), 1);
        world.assert_nothing_kept();
        assert_eq!(world.server.complaints(), [""; 0]);
    }
}

#[test]
fn the_mode_can_be_the_clients_own() {
    let world = world();
    let page = world.page_with(json!({ "authorizationParams": { "responseMode": "fragment" } }));
    let url = page.authorize_url(&json!({}));
    assert_eq!(parameter(&url, "response_mode").as_deref(), Some("fragment"));
    page.handle(&world.server.authorize(&url)).expect("a session");
    assert_eq!(parameter(&world.page().authorize_url(&json!({})), "response_mode"), None);
}

#[test]
fn sec_026_another_mode_than_was_asked_for_consumes_nothing() {
    for mode in ["query", "fragment"] {
        let world = world();
        let honest = respond(&world, mode);
        let (from, to) = if mode == "query" { ("?", "#") } else { ("#", "?") };
        world.assert_refused_untouched(&honest.replacen(from, to, 1), &honest, "invalid_callback");
    }
    for mark in ["?", "#"] {
        let world = world();
        let honest = respond(&world, "jwt");
        world.assert_refused_untouched(&opened(&honest, mark), &honest, "invalid_callback");
        let world = self::world();
        let honest = respond(&world, "jwt");
        let in_fragment = honest.replacen('?', "#", 1);
        world.assert_refused_untouched(&in_fragment, &honest, "invalid_callback");
    }
    for mode in ["query", "fragment"] {
        let world = world();
        let honest = respond(&world, mode);
        let (_, behind) = honest.split_once(['?', '#']).expect("a response");
        let mut claims = json!({ "aud": "spa", "exp": 1_790_000_600 });
        for (name, value) in crate::common::urls::fields(behind) {
            claims[name] = value.into();
        }
        let signed = world.server.signer().sign(&json!({ "alg": "ES256", "kid": "key-1" }), &claims);
        world.assert_refused_untouched(&with(CALLBACK, "response", &signed), &honest, "invalid_callback");
    }
}

#[test]
fn a_signed_response_stands_alone() {
    for (name, value) in [("code", "x"), ("error", "access_denied"), ("id_token", "x"), ("access_token", "x")]
    {
        let world = world();
        let honest = respond(&world, "jwt");
        world.assert_refused_untouched(&with(&honest, name, value), &honest, "invalid_callback");
        let in_fragment = format!("{honest}#{name}={value}");
        let world = self::world();
        let honest = respond(&world, "jwt");
        let in_fragment = in_fragment.replace(&token(&in_fragment), &token(&honest));
        world.assert_refused_untouched(&in_fragment, &honest, "invalid_callback");
    }
}

#[test]
fn claims_that_do_not_fit_are_refused() {
    let now = crate::common::world::START / 1000;
    type Case = (&'static str, Value, &'static str);
    let cases: [Case; 15] = [
        ("iss", json!("https://attacker.example"), "issuer_mismatch"),
        ("iss", json!("https://as.example/tenant/"), "issuer_mismatch"),
        ("iss", Value::Null, "issuer_mismatch"),
        ("aud", json!("other"), "invalid_callback"),
        ("aud", json!(["spa", "other"]), "invalid_callback"),
        ("aud", json!([]), "invalid_callback"),
        ("aud", Value::Null, "invalid_callback"),
        ("exp", json!(now - 61), "invalid_callback"),
        ("exp", json!("1790000600"), "invalid_callback"),
        ("exp", Value::Null, "invalid_callback"),
        // Less than a day ahead, the device's clock is taken to be wrong.
        ("iat", json!(now + 90_120), "invalid_callback"),
        ("nbf", json!(now + 120), "invalid_callback"),
        ("code", json!(1), "invalid_callback"),
        ("error", json!("access_denied"), "invalid_callback"),
        ("access_token", json!("x"), "invalid_callback"),
    ];
    for (name, value, code) in cases {
        println!("{name} {value}");
        let world = world();
        let honest = respond(&world, "jwt");
        let hostile = changed(&world, &honest, |_, claims| match &value {
            Value::Null => drop(claims.as_object_mut().expect("an object").remove(name)),
            value => claims[name] = value.clone(),
        });
        refused(&world, &hostile, &honest, code);
    }
}

#[test]
fn a_signature_that_is_not_the_issuers_is_refused() {
    let world = world();
    let honest = respond(&world, "jwt");
    let [header, mut claims] = parts(&token(&honest));
    claims["code"] = "code-injected".into();
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    let (_, signature) =
        token(&honest).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("parts");
    let attacker = SigningKey::new("ES256", "key-1");
    let other_kind = SigningKey::new("ES384", "key-1");
    for hostile in [
        [part(&header), part(&claims), signature.clone()].join("."),
        [part(&header), part(&claims), base64url(&[0; 64])].join("."),
        [part(&header), part(&claims), String::new()].join("."),
        [part(&json!({ "alg": "none" })), part(&claims), String::new()].join("."),
        [part(&json!({ "alg": "none" })), part(&claims), signature.clone()].join("."),
        [part(&json!({ "alg": "HS256" })), part(&claims), signature].join("."),
        attacker.sign(&header, &claims),
        attacker.sign(&json!({ "alg": "ES256", "jwk": attacker.jwk() }), &claims),
        other_kind.sign(&json!({ "alg": "ES384", "kid": "key-1" }), &claims),
        world.server.signer().sign(&json!({ "alg": "ES256", "kid": "unknown" }), &claims),
        world.server.signer().sign(&json!({ "alg": "ES256", "kid": "key-1", "typ": "at+jwt" }), &claims),
        world.server.signer().sign(&json!({ "alg": "ES256", "kid": "key-1", "crit": ["exp"] }), &claims),
    ] {
        let page = world.page();
        let stored = world.browser.stored();
        assert_error(
            &page.handle(&with(CALLBACK, "response", &hostile)),
            "invalid_callback",
            &["code-", "eyJ"],
        );
        assert_eq!(world.browser.stored(), stored, "{hostile}");
        assert!(!page.is_signed_in());
    }
    assert_eq!(world.browser.count("/token"), 0);
    world.page().handle(&honest).expect("the honest one still works");
}

#[test]
fn an_algorithm_that_was_not_agreed_is_refused() {
    let world = World::new();
    let honest = respond(&world, "jwt");
    assert_error(&world.page().handle(&honest), "invalid_callback", &["eyJ"]);
    assert_eq!(world.browser.count("/token"), 0, "RS256 is what a server means that says nothing");
    let world = self::world();
    let page = world.page_with(json!({ "idToken": { "algorithms": ["ES384"] } }));
    assert_error(&page.handle(&respond(&world, "jwt")), "invalid_callback", &["eyJ"]);
    world.sign_in();
}

#[test]
fn a_response_for_another_sign_in_is_not_taken() {
    let world = world();
    let (one, two) = (respond(&world, "jwt"), respond(&world, "jwt"));
    let [_, other] = parts(&token(&two));
    let swapped = changed(&world, &one, |_, claims| claims["state"] = other["state"].clone());
    // Signed by the server itself it would be the server's word; unsigned it is nobody's.
    let [head, _, tail] =
        <[String; 3]>::try_from(token(&one).split('.').map(str::to_owned).collect::<Vec<_>>())
            .expect("parts");
    let body = token(&swapped).split('.').nth(1).expect("a body").to_owned();
    refused(&world, &with(CALLBACK, "response", &[head, body, tail].join(".")), &one, "invalid_callback");
    world.page().handle(&two).expect("the other one too");
}

#[test]
fn keys_that_cannot_be_had_leave_the_response_usable() {
    let world = world();
    let honest = respond(&world, "jwt");
    world.browser.empty_http_cache();
    world.server.at("/jwks", |_| Answer::html(503));
    let outcome = world.page().handle(&honest);
    assert_error(&outcome, "jwks_failed", &["code-", "eyJ"]);
    assert!(outcome.err().is_some_and(|error| error.retryable()));
    world.server.heal();
    world.server.change_metadata(|metadata| {
        metadata["authorization_signing_alg_values_supported"] = json!(["ES256"]);
    });
    world.page().handle(&honest).expect("the same response, later");
}

#[test]
fn an_error_can_be_signed_too() {
    let world = world();
    let honest = respond(&world, "jwt");
    let refusal = changed(&world, &honest, |_, claims| {
        claims.as_object_mut().expect("an object").remove("code");
        claims["error"] = "access_denied".into();
    });
    assert_error(&world.page().handle(&refusal), "access_denied", &["eyJ"]);
    assert_eq!(world.browser.count("/token"), 0);
    assert_error(&world.page().handle(&honest), "already_completed", &["code-"]);
}
