//! Proofs of possession (RFC 9449), and the key behind them: SEC-101 to SEC-106 and SEC-110 to SEC-114. The server
//! of these tests checks every proof in full; a complaint of its fails them.

use crate::common::page::{call, configure};
use crate::common::proofs::{claims, header};
use crate::common::world::with;
use crate::common::{Answer, Page, Sent, World, assert_error, code_of};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wardkey::protocol::error::AuthError;
use wardkey::protocol::hash::sha256_base64url;

pub(crate) const API: &str = "https://api.example/v1";
pub(crate) const OTHER_API: &str = "https://other-api.example/";

pub(crate) fn options() -> Value {
    json!({ "dpop": true, "scope": "openid profile offline_access", "api": [API, OTHER_API] })
}

/// A sign-in with these options over the usual ones, in one page.
pub(crate) fn sign_in(world: &World, members: Value) -> Result<Page, AuthError> {
    let page = world.page_with(with(options(), members));
    page.prepare_for(&json!({}))?;
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).map(|_| page)
}

/// A session of bound tokens that can be refreshed.
pub(crate) fn signed_in(world: &World) -> Page {
    sign_in(world, json!({})).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn proved(world: &World) -> Vec<Sent> {
    world.browser.sent().into_iter().filter(|sent| sent.proof.is_some()).collect()
}

/// The keys of the proofs, in order and each once.
fn keys(world: &World) -> Vec<Value> {
    let mut keys: Vec<Value> = proved(world).iter().map(|sent| header(sent)["jwk"].clone()).collect();
    keys.dedup();
    keys
}

fn refresh(page: &Page) -> Result<(), AuthError> {
    page.token(&json!({ "forceRefresh": true })).map(|_| ())
}

fn app_proof(page: &Page, method: &str, url: &str, token: Option<&str>) -> Result<String, AuthError> {
    let (method, url, token) = (method.to_owned(), url.to_owned(), token.map(str::to_owned));
    page.run(|client| async move { client.app_proof(&method, &url, token.as_deref()).await })
}

#[test]
fn sec_101_a_proof_shows_the_public_key_and_no_more() {
    let world = World::new();
    let page = signed_in(&world);
    page.fetch(API).expect("an answer");
    page.user_info().expect("claims");
    refresh(&page).expect("a token");
    assert_eq!(proved(&world).len(), 4);
    for sent in proved(&world) {
        let header = header(&sent);
        let names: Vec<&String> = header.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["alg", "jwk", "typ"]);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("dpop+jwt"), &json!("ES256")));
        let members: Vec<&String> = header["jwk"].as_object().expect("an object").keys().collect();
        assert_eq!(members, ["crv", "kty", "x", "y"]);
    }
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_101_the_algorithm_is_one_that_the_server_takes() {
    for (dpop, advertised, algorithm) in [
        (json!(true), json!(["EdDSA", "ES256"]), "ES256"),
        (json!({}), json!(["ES256"]), "ES256"),
        (json!(true), json!(["RS256", "EdDSA"]), "EdDSA"),
        (json!(true), json!(["Ed25519"]), "Ed25519"),
        (json!(true), json!(null), "ES256"),
        (json!({ "algorithms": ["EdDSA", "ES256"] }), json!(["ES256", "EdDSA"]), "EdDSA"),
        (json!({ "algorithms": ["EdDSA"] }), json!(null), "EdDSA"),
        (json!({ "algorithms": ["ES256"] }), json!(["EdDSA"]), "dpop_failed"),
        (json!(true), json!(["RS512"]), "dpop_failed"),
        (json!(true), json!(["none", "HS256", "ES384"]), "dpop_failed"),
        (json!(true), json!([]), "dpop_failed"),
    ] {
        let world = World::new();
        let list = advertised.clone();
        world.server.change_metadata(move |it| it["dpop_signing_alg_values_supported"] = list.clone());
        let outcome = sign_in(&world, json!({ "dpop": dpop }));
        if algorithm == "dpop_failed" {
            assert_error(&outcome.map(|_| ()), algorithm, &["code-"]);
            assert_eq!(world.browser.count("/token"), 0, "{dpop} {advertised}: the code was sent unproved");
        } else {
            assert_eq!(code_of(&outcome), "ok", "{dpop} {advertised}");
            assert_eq!(header(&proved(&world)[0])["alg"], algorithm, "{dpop} {advertised}");
        }
        assert_eq!(world.server.complaints(), [""; 0]);
    }
}

#[test]
fn sec_102_sec_114_every_request_has_a_proof_of_its_own() {
    let world = World::new();
    world.server.api_nonces.borrow_mut().insert("api.example".to_owned(), "n-1".to_owned());
    let page = signed_in(&world);
    for _ in 0..50 {
        page.fetch(API).expect("an answer");
    }
    let sent = proved(&world);
    let unique: BTreeSet<String> = sent.iter().map(|sent| claims(sent)["jti"].to_string()).collect();
    assert_eq!((sent.len(), unique.len()), (52, 52), "one for the code, one for the nonce, and 50");
    assert!(unique.iter().all(|jti| jti.len() == 2 + 22), "128 bits");
    for text in world.browser.stored().values() {
        assert!(sent.iter().all(|sent| !text.contains(sent.proof.as_deref().expect("a proof"))));
    }
}

#[test]
fn sec_103_sec_104_a_proof_names_the_request_as_it_is_sent() {
    let world = World::new();
    let page = signed_in(&world);
    for (method, url, htu) in [
        ("GET", "https://api.example/v1", "https://api.example/v1"),
        ("POST", "https://api.example/v1/", "https://api.example/v1/"),
        ("patch", "https://api.example/v1/a?b=c", "https://api.example/v1/a"),
        ("PATCH", "https://api.example/v1/a?b=c#d", "https://api.example/v1/a"),
        ("DELETE", "https://api.example/v1/%C3%A4/%7e?x=/../", "https://api.example/v1/%C3%A4/%7e"),
        ("QUERY", "https://api.example/v1/a;b=c/d,e#?f", "https://api.example/v1/a;b=c/d,e"),
        ("GET", "https://other-api.example/", "https://other-api.example/"),
    ] {
        page.send(call(method, url)).unwrap_or_else(|error| panic!("{url}: {error}"));
        let claims = claims(proved(&world).last().expect("a proof"));
        assert_eq!((&claims["htm"], &claims["htu"]), (&json!(method), &json!(htu)));
    }
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_105_a_wrong_clock_is_named_or_made_up_for_by_a_nonce() {
    for (ahead, nonce, code) in
        [(250, None, "ok"), (600, None, "dpop_failed"), (-600, None, "dpop_failed"), (600, Some("n-1"), "ok")]
    {
        let world = World::new();
        world.server.ahead.set(ahead);
        *world.server.nonce.borrow_mut() = nonce.map(str::to_owned);
        let outcome = sign_in(&world, json!({})).map(|_| ());
        assert_error(&outcome, code, &["code-"]);
        let tries = if nonce.is_some() { 2 } else { 1 };
        assert_eq!(world.browser.count("/token"), tries, "{ahead} {nonce:?}");
        let now = world.browser.executor().now() / 1000;
        assert!((now - 2..=now).contains(&claims(&proved(&world)[0])["iat"].as_i64().expect("seconds")));
    }
}

#[test]
fn sec_106_sec_110_a_token_goes_with_its_hash_and_by_its_scheme() {
    let world = World::new();
    let page = signed_in(&world);
    page.fetch(API).expect("an answer");
    page.user_info().expect("claims");
    refresh(&page).expect("a token");
    page.fetch(API).expect("an answer");
    for sent in proved(&world) {
        let token =
            sent.authorization.as_deref().map(|header| header.strip_prefix("DPoP ").expect("the scheme"));
        assert_eq!(token.is_some(), !sent.url.ends_with("/token"));
        let ath = token.map_or(Value::Null, |token| sha256_base64url(token.as_bytes()).into());
        assert_eq!(claims(&sent)["ath"], ath, "{}", sent.url);
    }
    let authorized = world.browser.sent().into_iter().filter(|sent| sent.authorization.is_some());
    assert!(authorized.clone().all(|sent| sent.proof.is_some()));
    assert_eq!(authorized.count(), 3);
}

#[test]
fn sec_110_a_bound_token_is_never_sent_as_bearer() {
    let world = World::new();
    let page = signed_in(&world);
    for challenge in ["Bearer", "Bearer error=\"invalid_token\"", "Bearer realm=\"x\", DPoP algs=\"ES256\""] {
        world.server.at("/v1", move |_| Answer::html(401).with("www-authenticate", challenge));
        world.browser.forget_requests();
        assert_eq!(code_of(&page.fetch(API)), "ok", "the 401 is the app's");
        let sent = world.browser.sent();
        assert!(sent.iter().all(|sent| !sent.authorization.as_deref().unwrap_or("").starts_with("Bearer")));
        assert!(world.browser.count("/v1") <= 2);
    }
}

#[test]
fn sec_111_without_a_key_that_can_be_trusted_there_is_no_token() {
    let faults: [fn(&World); 2] =
        [|world| world.browser.no_keys.set(true), |world| world.browser.no_webcrypto.set(true)];
    for fault in faults {
        let world = World::new();
        fault(&world);
        assert_error(&sign_in(&world, json!({})).map(|_| ()), "dpop_failed", &["code-"]);
        assert_eq!(world.browser.count("/token"), 0, "the code went out unproved");
        world.browser.no_keys.set(false);
        world.browser.no_webcrypto.set(false);
        assert_eq!(code_of(&sign_in(&world, json!({}))), "ok", "the next sign-in finds a key");
    }
}

#[test]
fn sec_112_a_session_has_one_key_and_the_next_another() {
    let world = World::new();
    let page = signed_in(&world);
    refresh(&page).expect("a token");
    page.fetch(API).expect("an answer");
    assert_eq!(keys(&world).len(), 1);
    let ends: [fn(&World, &Page); 2] = [
        |_, page| page.client.sign_out_local(),
        |world, page| {
            world.server.forget_grants();
            assert_error(&refresh(page), "session_expired", &["refresh-"]);
        },
    ];
    for end in ends {
        end(&world, &page);
        world.browser.forget_requests();
        let callback = world.server.authorize(&page.authorize_url(&json!({})));
        page.handle(&callback).expect("a session");
        page.fetch(API).expect("an answer");
        assert_eq!(keys(&world).len(), 1);
    }
    let made: BTreeSet<String> = world.browser.keys.borrow().iter().map(|key| format!("{key:?}")).collect();
    assert_eq!(made.len(), 3, "one for each session");
}

#[test]
fn sec_112_requests_at_the_same_time_share_one_key() {
    let world = World::new();
    let page = signed_in(&world);
    page.client.sign_out_local();
    let tries: Vec<_> = (0..5)
        .map(|_| {
            let client = page.client.clone();
            world.browser.start(async move { client.app_proof("GET", API, None).await })
        })
        .collect();
    world.browser.advance(1_000);
    assert!(tries.iter().all(|join| matches!(join.take(), Some(Ok(_)))));
    assert_eq!(world.browser.keys.borrow().len(), 2);
}

#[test]
fn sec_112_a_kept_key_of_another_algorithm_is_replaced() {
    let world = World::new();
    for (algorithm, keys) in [("ES256", 1), ("ES256", 1), ("EdDSA", 2)] {
        // The tab was closed without a sign-out: the session went with it, and the key did not.
        world.browser.tamper(|_| String::new());
        let dpop = json!({ "algorithms": [algorithm] });
        sign_in(&world, json!({ "dpop": dpop, "storage": "sessionStorage" })).expect("a session");
        assert_eq!(header(proved(&world).last().expect("a proof"))["alg"], algorithm);
        assert_eq!(world.browser.keys.borrow().len(), keys);
    }
}

#[test]
fn the_app_can_have_a_proof_for_a_request_of_its_own() {
    let world = World::new();
    let page = signed_in(&world);
    let token = page.access_token().expect("a token");
    let proof = app_proof(&page, "PUT", "https://ws.example/x?y", Some(&token)).expect("a proof");
    let sent = Sent { proof: Some(proof), ..proved(&world)[0].clone() };
    let claims = claims(&sent);
    assert_eq!((&claims["htm"], &claims["htu"]), (&json!("PUT"), &json!("https://ws.example/x")));
    assert_eq!(claims["ath"], sha256_base64url(token.as_bytes()));
    assert_eq!(header(&sent)["jwk"], keys(&world)[0]);
    for url in ["http://ws.example/", "/x", "", "wss://ws.example/", "https://u:p@ws.example/", "https://"] {
        assert_error(&app_proof(&page, "GET", url, Some(&token)), "dpop_failed", &["access-", "u:p"]);
    }
    for dpop in [json!(false), json!(null)] {
        let page = world.page_with(json!({ "dpop": dpop }));
        assert_error(&app_proof(&page, "GET", API, None), "invalid_configuration", &[]);
    }
}

#[test]
fn the_option_is_true_false_or_a_list_of_algorithms() {
    for dpop in [
        json!("ES256"),
        json!(1),
        json!(["ES256"]),
        json!({ "algorithms": [] }),
        json!({ "algorithms": "ES256" }),
        json!({ "algorithms": ["ES256", "RS256"] }),
        json!({ "algorithms": ["none"] }),
        json!({ "algorithms": ["es256"] }),
        json!({ "algorithms": [1] }),
        json!({ "algorithm": ["ES256"] }),
    ] {
        let options = with(World::options(), json!({ "dpop": dpop }));
        assert_error(&configure(&options), "invalid_configuration", &[]);
    }
    let world = World::new();
    sign_in(&world, json!({ "dpop": false })).expect("a session").fetch(API).expect("an answer");
    assert_eq!(proved(&world).len(), 0);
}
