//! The issuer's keys: SEC-062 to SEC-064 and SEC-088.

use crate::common::page::value;
use crate::common::sign::SigningKey;
use crate::common::{Answer, Page, World, assert_error, code_of};
use serde_json::{Value, json};
use wardkey::protocol::hash::base64url;
use wardkey::protocol::http::{Cache, Failure};
use wardkey::protocol::{jwk, jwt};

/// One more sign-in in the same page.
fn again(world: &World, page: &Page) -> &'static str {
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    code_of(&page.handle(&callback))
}

#[test]
fn sec_064_a_rotated_key_is_found() {
    let world = World::new();
    let callback = world.respond();
    world.server.rotate(SigningKey::new("ES256", "key-2"), true);
    world.browser.forget_requests();
    world.page().handle(&callback).expect("a session");
    assert_eq!(world.browser.paths(), ["/tenant/token", "/tenant/jwks"], "the cached set was old");
    assert_eq!(world.browser.sent()[1].cache, Cache::Revalidate);
}

#[test]
fn sec_064_an_unknown_key_is_asked_for_once_a_minute() {
    let world = World::new();
    let page = world.page();
    assert_eq!(again(&world, &page), "ok");
    let asked = world.browser.count("/jwks");
    world.server.change_header(|header| header["kid"] = "unknown".into());
    for _ in 0..100 {
        assert_eq!(again(&world, &page), "id_token_invalid");
    }
    assert_eq!(world.browser.count("/jwks"), asked, "within a minute of the last look");
    world.browser.advance(61_000);
    for _ in 0..100 {
        assert_eq!(again(&world, &page), "id_token_invalid");
    }
    assert_eq!(world.browser.count("/jwks"), asked + 1);
    world.server.heal();
    assert_eq!(again(&world, &page), "ok");
}

#[test]
fn sec_064_after_the_cool_down_the_new_key_is_found() {
    let world = World::new();
    let page = world.page();
    assert_eq!(again(&world, &page), "ok");
    world.browser.advance(61_000);
    world.server.rotate(SigningKey::new("EdDSA", "key-2"), true);
    assert_eq!(again(&world, &page), "ok");
}

#[test]
fn a_wrong_signature_of_a_known_key_asks_nobody() {
    let world = World::new();
    world.server.rotate(SigningKey::new("ES256", "key-1"), false);
    let callback = world.respond();
    world.browser.forget_requests();
    assert_error(&world.page().handle(&callback), "id_token_invalid", &[]);
    assert_eq!(world.browser.paths(), ["/tenant/token"]);
}

#[test]
fn sec_088_without_keys_nobody_signs_in() {
    let answers = [
        Answer::html(500),
        Answer::html(200),
        Answer::html(404),
        Answer::Fail(Failure::Network),
        Answer::new(200, "application/json", ""),
        Answer::new(200, "application/json", "[]"),
        Answer::new(200, "application/json", "{}"),
        Answer::new(200, "application/json", r#"{"keys":{}}"#),
        Answer::new(200, "application/json", r#"{"keys":null}"#),
        Answer::new(200, "application/json", r#"{"keys":[],"keys":[]}"#),
        Answer::new(302, "application/json", "{}"),
        Answer::new(200, "application/json", format!(r#"{{"keys":[],"x":"{}"}}"#, "A".repeat(600_000))),
    ];
    for answer in answers {
        let world = World::new();
        let callback = world.respond();
        world.browser.empty_http_cache();
        let shown = format!("{answer:?}").chars().take(80).collect::<String>();
        world.server.at("/jwks", move |_| answer.clone());
        let page = world.page();
        assert_eq!(code_of(&page.handle(&callback)), "jwks_failed", "{shown}");
        assert!(!page.is_signed_in());
        world.assert_nothing_kept();
        assert_error(&world.page().prepare(), "jwks_failed", &[]);
    }
}

#[track_caller]
fn key_set_is_refused(change: impl Fn(&mut Value) + 'static) {
    let world = World::new();
    world.server.change_key_set(change);
    world.assert_sign_in_fails("id_token_invalid");
}

/// Is there something to verify, with this key and a signature of this length?
fn usable(algorithm: &str, key: Value, signature: usize) -> bool {
    let header = base64url(json!({ "alg": algorithm }).to_string().as_bytes());
    let token = [header, base64url(b"{}"), base64url(&vec![1; signature])].join(".");
    let jwt = jwt::parse(&token).expect("a token");
    jwk::signature_check(&[value(&key)], &jwt).is_ok()
}

#[test]
fn sec_062_rsa_keys_have_2048_bits_and_a_sound_exponent() {
    let key = |modulus: &[u8], exponent: &[u8]| json!({ "kty": "RSA", "n": base64url(modulus), "e": base64url(exponent) });
    let (f4, modulus) = ([1, 0, 1], [0x80; 256]);
    assert!(usable("RS256", key(&modulus, &f4), 256));
    assert!(usable("PS512", key(&[0xff; 512], &[3]), 512));
    assert!(
        usable("RS256", key(&[&[0], &modulus[..]].concat(), &f4), 256),
        "a leading zero octet is harmless"
    );
    for (modulus, why) in [
        (vec![0xff; 128], "1024 bits"),
        (vec![0xff; 255], "2040 bits"),
        (vec![0x7f; 256], "2047 bits"),
        ([vec![0; 129], vec![0xff; 128]].concat(), "1024 bits and many zeros"),
        (vec![0; 256], "zero"),
        (vec![], "nothing"),
    ] {
        assert!(!usable("RS256", key(&modulus, &f4), modulus.len().max(1)), "{why}");
        assert!(!usable("RS256", key(&modulus, &f4), 128), "{why}");
    }
    for exponent in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[0, 1, 0, 1], &[1; 9]] {
        assert!(!usable("RS256", key(&modulus, exponent), 256), "exponent {exponent:?}");
    }
    for signature in [1, 255, 257, 512] {
        assert!(!usable("RS256", key(&modulus, &f4), signature), "a signature of {signature} octets");
    }
}

#[test]
fn sec_062_ecdsa_signatures_have_one_length() {
    for (algorithm, curve, length) in [("ES256", "P-256", 32), ("ES384", "P-384", 48), ("ES512", "P-521", 66)]
    {
        let key = |length: usize| json!({ "kty": "EC", "crv": curve, "x": base64url(&vec![1; length]), "y": base64url(&vec![1; length]) });
        assert!(usable(algorithm, key(length), 2 * length));
        for wrong in [1, 2 * length - 1, 2 * length + 1, 2 * length + 8, length] {
            assert!(!usable(algorithm, key(length), wrong), "{algorithm} of {wrong} octets");
        }
        for wrong in [length - 1, length + 1] {
            assert!(
                !usable(algorithm, key(wrong), 2 * length),
                "{algorithm} with coordinates of {wrong} octets"
            );
        }
    }
}

#[test]
fn sec_063_a_key_must_say_that_it_fits() {
    key_set_is_refused(|set| set["keys"] = json!([]));
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(1)),
        ("alg", json!("ES384")),
        ("alg", json!(1)),
        ("kty", json!("RSA")),
        ("kty", json!("oct")),
        ("crv", json!("P-384")),
        ("crv", json!(null)),
        ("kid", json!("key-2")),
        ("kid", json!(1)),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!([])),
        ("key_ops", json!("verify")),
        ("d", json!("AA")),
        ("x", json!("AA")),
        ("x", json!(null)),
        ("y", json!(1)),
        ("x", json!("!!")),
    ] {
        key_set_is_refused(move |set| set["keys"][0][name] = value.clone());
    }
    for (name, value) in
        [("key_ops", json!(["verify"])), ("key_ops", json!(["sign", "verify"])), ("x5c", json!(["AA"]))]
    {
        let world = World::new();
        world.server.change_key_set(move |set| set["keys"][0][name] = value.clone());
        world.sign_in();
    }
}

#[test]
fn sec_063_two_keys_that_fit_are_no_key() {
    let twin = SigningKey::new("ES256", "key-1").jwk();
    key_set_is_refused(move |set| set["keys"].as_array_mut().expect("an array").push(twin.clone()));
}

#[test]
fn sec_063_without_kid_the_only_key_of_the_kind_serves() {
    let world = World::new();
    world.server.change_header(|header| {
        header.as_object_mut().expect("an object").remove("kid");
    });
    world.server.change_key_set(|set| {
        let keys = set["keys"].as_array_mut().expect("an array");
        keys.push(json!({ "kty": "oct", "k": "AA", "alg": "HS256" }));
        keys.push(json!({ "kty": "unheard-of" }));
        keys.push(json!(1));
        keys.push(SigningKey::new("EdDSA", "other").jwk());
    });
    world.sign_in();
}

#[test]
fn sec_088_a_set_of_ten_thousand_keys_is_survived() {
    let world = World::new();
    world.server.change_key_set(|set| {
        let keys = set["keys"].as_array_mut().expect("an array");
        keys.extend((0..10_000).map(|number| json!({ "kty": "EC", "kid": format!("k{number}") })));
    });
    world.sign_in();
}

#[test]
fn keys_are_fetched_anew_after_an_hour() {
    let world = World::new();
    let page = world.page();
    assert_eq!(again(&world, &page), "ok");
    let asked = world.browser.count("/jwks");
    world.browser.advance(50 * 60_000);
    assert_eq!(again(&world, &page), "ok");
    assert_eq!(world.browser.count("/jwks"), asked);
}

#[test]
fn with_dangerously_skip_signature_no_keys_are_fetched() {
    let world = World::new();
    let members = json!({ "idToken": { "dangerouslySkipSignature": true } });
    let page = world.page_with(members);
    assert_eq!(again(&world, &page), "ok");
    assert_eq!(world.browser.count("/jwks"), 0);
}
