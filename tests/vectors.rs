//! Test data of others, and hostile data of our own, held against the rules. `tests/vectors/` has it, with its
//! licences. What does not apply at this stage is named in the output.

#![cfg(not(target_arch = "wasm32"))]

#[allow(dead_code, unused_imports)] // The flows use the rest.
mod common;

use common::verify::is_genuine;
use common::{Answer, Browser, Page, Sent, World, code_of};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use wardkey::protocol::hash::{Hash, left_half};
use wardkey::protocol::id_token::{self, Demands, Expected};
use wardkey::protocol::json::{self, Value as Json};
use wardkey::protocol::jwk;
use wardkey::protocol::jwt::{self, Algorithm, Jwt};
use wardkey::protocol::metadata::well_known;
use wardkey::protocol::pkce::CodeVerifier;

/// A line of the output also where the test passes: `println!` is seen of those that fail only.
macro_rules! say {
    ($($words:tt)*) => { writeln!(std::io::stdout(), $($words)*).expect("an output") };
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn load(file: &str) -> Value {
    let text = fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is no array"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// In the form of the rules under test.
fn ours(value: &Value) -> Json {
    json::parse(value.to_string().as_bytes()).expect("JSON")
}

/// Chooses the key and verifies the signature; why not, otherwise.
fn verify(keys: &[Json], jwt: &Jwt<'_>) -> Result<(), String> {
    let check = jwk::signature_check(keys, jwt).map_err(|no_key| format!("{no_key:?}"))?;
    match is_genuine(&check) {
        Some(true) => Ok(()),
        Some(false) => Err("signature".to_owned()),
        None => Err("ring has no P-521".to_owned()),
    }
}

/// All that is asked of an ID token, in the order of the flow.
fn judge(case: &Value, context: &Value, keys: &[Json]) -> Result<(), String> {
    let algorithms: Vec<Algorithm> = list(context, "allowed_algs")
        .iter()
        .filter_map(|name| Algorithm::from_name(name.as_str()?))
        .collect();
    let acr: Vec<String> = case["require_acr"]
        .as_array()
        .map(|classes| classes.iter().map(|class| class.as_str().expect("a text").to_owned()).collect())
        .unwrap_or_default();
    // `nonce_sent: null` means that none was sent.
    let nonce = if case.get("nonce_sent") == Some(&Value::Null) { None } else { context["nonce"].as_str() };
    let expected = Expected {
        issuer: text(context, "issuer"),
        audience: text(context, "client_id"),
        client_id: text(context, "client_id"),
        algorithms: &algorithms,
        access_token: case["access_token"].as_str().unwrap_or("another-access-token"),
        now: context["now"].as_i64().expect("a time"),
        clock_skew: context["leeway_s"].as_i64().expect("seconds"),
    };
    let jwt = jwt::parse(text(case, "token"))?;
    let demands = Demands { nonce, max_age: case["max_age"].as_i64(), auth_time: false, acr: &acr };
    id_token::check(&jwt, &expected, &demands)?;
    verify(keys, &jwt)
}

/// Cases about one claim must fail for that claim, and not by luck.
const CLAIMS: [&str; 11] =
    ["iss", "aud", "azp", "sub", "exp", "iat", "nbf", "auth_time", "acr", "nonce", "at_hash"];

#[test]
fn hostile_id_tokens() {
    let file = load("hostile/id_tokens.json");
    let mut counts = [0; 3];
    for case in list(&file, "cases") {
        let id = text(case, "id");
        let set = &file["jwks"][case["jwks"].as_str().unwrap_or("default")];
        let keys = jwk::keys(&ours(set)).expect("a key set");
        let verdict = judge(case, &file["context"], &keys);
        match text(case, "expect") {
            "accept" => {
                assert_eq!(verdict, Ok(()), "{id}");
                counts[0] += 1;
            }
            "reject" => {
                let reason = verdict.expect_err(id);
                if let Some(claim) =
                    id.split_once('-').map(|(claim, _)| claim).filter(|claim| CLAIMS.contains(claim))
                {
                    assert_eq!(reason, *claim, "{id}");
                }
                counts[1] += 1;
            }
            "reject-or-accept" => counts[2] += 1,
            other => panic!("{id}: {other}"),
        }
    }
    let [accepted, rejected, either] = counts;
    say!("vectors, id tokens: {accepted} accepted, {rejected} rejected, {either} where either is right");
    assert_eq!(accepted + rejected + either, 98);
}

#[test]
fn hostile_issuers() {
    let file = load("hostile/metadata.json");
    for case in list(&file, "urls") {
        let issuer = text(case, "issuer");
        match well_known(issuer) {
            Some([oidc, oauth]) if case.get("oidc").is_some() => {
                assert_eq!(
                    (oidc.as_str(), oauth.as_str()),
                    (text(case, "oidc"), text(case, "rfc8414")),
                    "{issuer}"
                );
            }
            // Loopback is for development, here without a switch.
            Some(_) => assert_eq!(case["reject"], "unless allowInsecureLoopback", "{issuer} was accepted"),
            None => assert_eq!(case["reject"], true, "{issuer} was refused"),
        }
    }
}

/// The document of a case; the huge one is made here.
fn document(case: &Value) -> String {
    match case["doc"].as_str() {
        Some(document) => document.to_owned(),
        None => json!({ "issuer": "https://as.example.test/t1", "x": "A".repeat(600_000) }).to_string(),
    }
}

#[test]
fn hostile_metadata() {
    let file = load("hostile/metadata.json");
    let (issuer, url) =
        (text(&file["context"], "issuer").to_owned(), text(&file["context"], "url").to_owned());
    let mut counts = [0; 2];
    for case in list(&file, "cases") {
        let status = case["status"].as_u64().map_or(200, |status| u16::try_from(status).expect("a status"));
        let media_type = case["content_type"].as_str().unwrap_or("application/json");
        let (answer, place) = (Answer::new(status, media_type, document(case)), url.clone());
        let network = move |sent: &Sent| match sent.url.as_str() {
            url if url == place => answer.clone(),
            url if url.ends_with("/jwks") => Answer::json(&json!({ "keys": [] })),
            _ => Answer::html(404),
        };
        let browser = Browser::new(std::rc::Rc::new(common::executor::Executor::new(0)), network);
        let options = common::world::with(World::options(), json!({ "issuer": issuer }));
        let page = Page::open(&browser, &options);
        let code = code_of(&page.prepare());
        let id = text(case, "id");
        if text(case, "expect") == "reject" {
            let expected =
                if id.starts_with("issuer-") && id != "issuer-array" { "issuer_mismatch" } else { code };
            assert_eq!(code, expected, "{id}");
            assert!(["discovery_failed", "issuer_mismatch"].contains(&code), "{id}: {code}");
            assert_eq!(code_of(&page.create_authorize_url(&json!({}))), "not_initialised", "{id}");
            counts[1] += 1;
        } else {
            assert_eq!(code, "ok", "{id}");
            counts[0] += 1;
        }
        assert!(browser.sent().iter().all(|sent| sent.url.starts_with("https://as.example.test/")), "{id}");
    }
    say!("vectors, metadata: {} accepted, {} rejected", counts[0], counts[1]);
    assert_eq!(counts.iter().sum::<u32>(), 33);
}

/// A token whose payload need not be JSON, as in vectors about JWS alone. Its payload is taken out for the
/// parser and put back for the signature.
fn parse_jws(token: &str) -> Result<Jwt<'_>, &'static str> {
    let parts: Vec<&str> = token.split('.').collect();
    let stand_in = match parts[..] {
        [header, payload, signature] if !payload.is_empty() => [header, "e30", signature].join("."),
        _ => token.to_owned(),
    };
    let jwt = jwt::parse(&stand_in)?;
    let (signing_input, _) = token.rsplit_once('.').expect("three parts");
    Ok(Jwt {
        algorithm: jwt.algorithm,
        key_id: jwt.key_id,
        media_type: jwt.media_type,
        signing_input,
        signature: jwt.signature,
        claims: jwt.claims,
    })
}

fn verify_jws(token: &str, keys: &[Json]) -> Result<(), String> {
    verify(keys, &parse_jws(token)?)
}

#[test]
fn anchors_of_the_rfcs() {
    let file = load("rfc/anchors.json");
    let mut later = Vec::new();
    for case in file.as_array().expect("an array") {
        let (id, input, expect) = (text(case, "id"), &case["input"], &case["expect"]);
        match text(case, "kind") {
            "pkce-s256" => {
                let verifier = CodeVerifier::from_text(text(input, "code_verifier")).expect("a verifier");
                assert_eq!(verifier.challenge(), text(expect, "code_challenge"), "{id}");
                let octets: Vec<u8> = serde_json::from_value(input["octets"].clone()).expect("octets");
                let verifier = CodeVerifier::new(&octets.try_into().expect("32 octets"));
                assert_eq!(verifier.expose(), text(input, "code_verifier"), "{id}");
            }
            "jws-verify" => {
                let verdict = verify_jws(text(input, "jws"), &[ours(&input["jwk"])]);
                // HMAC is not for public clients: no such token is ever valid here.
                let valid = expect["valid"] == true && !text(input, "alg").starts_with("HS");
                assert_eq!(verdict.is_ok(), valid, "{id}: {verdict:?}");
            }
            "at_hash-rs256" => {
                assert_eq!(
                    left_half(Hash::Sha256, text(input, "access_token")),
                    text(expect, "at_hash"),
                    "{id}"
                );
            }
            "c_hash-rs256" => {
                assert_eq!(left_half(Hash::Sha256, text(input, "code")), text(expect, "c_hash"), "{id}");
            }
            _ => later.push(id),
        }
    }
    say!("vectors, RFCs: not applicable yet (DPoP, thumbprints): {}", later.join(", "));
    assert_eq!(later.len(), 7);
}

#[test]
fn jose_cookbook() {
    for (file, algorithm) in [
        ("jws/4_1.rsa_v15_signature.json", "RS256"),
        ("jws/4_2.rsa-pss_signature.json", "PS384"),
        ("jws/4_3.ecdsa_signature.json", "ES512"),
        ("curve25519/jws.json", "EdDSA"),
        ("jws/4_4.hmac-sha2_integrity_protection.json", "HS256"),
        ("jws/4_5.signature_with_detached_content.json", "HS256"),
    ] {
        let example = load(&format!("jose-cookbook/{file}"));
        assert_eq!(text(&example["input"], "alg"), algorithm);
        let token = text(&example["output"], "compact");
        let private = &example["input"]["key"];
        let mut public = private.clone();
        for part in ["d", "p", "q", "dp", "dq", "qi"] {
            public.as_object_mut().expect("an object").remove(part);
        }
        let verdict = verify_jws(token, &[ours(&public)]);
        match algorithm {
            "HS256" => assert!(verdict.is_err(), "{file}: HMAC is not for public clients"),
            // The key was found and fits; the tests in a real browser verify ES512.
            "ES512" => assert_eq!(verdict, Err("ring has no P-521".to_owned()), "{file}"),
            _ => {
                assert_eq!(verdict, Ok(()), "{file}");
                assert_eq!(
                    verify_jws(token, &[ours(private)]),
                    Err("Unknown".to_owned()),
                    "{file}: a private key"
                );
            }
        }
    }
}

#[test]
fn wycheproof_json_web_crypto() {
    let file = load("wycheproof/json_web_crypto_test.json");
    let (mut checked, mut skipped) = (0, Vec::new());
    for group in list(&file, "testGroups") {
        let name = text(group, "comment");
        for test in list(group, "tests") {
            let id = test["tcId"].as_u64().expect("a number");
            // Encryption is not registered for; and whether a key was made by a faulty generator is not looked at.
            if test.get("jws").is_none() || name == "jws_rsa_roca_key" {
                skipped.push(id);
                continue;
            }
            let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            let set = group.get("public").unwrap_or(&group["private"]);
            let keys = set
                .get("keys")
                .map_or_else(|| vec![set.clone()], |keys| keys.as_array().expect("an array").clone());
            let keys: Vec<Json> = keys.iter().map(ours).collect();
            let symmetric = ["jws_aes", "jws_keyset"].contains(&name);
            let valid = text(test, "result") == "valid" && !symmetric;
            let verdict = verify_jws(&token, &keys);
            assert_eq!(verdict.is_ok(), valid, "{name} {id}: {verdict:?}");
            checked += 1;
        }
    }
    say!("vectors, Wycheproof: {checked} checked; not applicable (JWE, ROCA): {skipped:?}");
    assert_eq!((checked, skipped.len()), (48, 35));
}
