//! Test data of others, and hostile data of our own, held against the rules. `tests/vectors/` has it, with its
//! licences. What does not apply is named in the output.

#![cfg(not(target_arch = "wasm32"))]

#[allow(dead_code, unused_imports)] // The flows use the rest.
mod common;

use common::verify::is_genuine;
use common::{Answer, Browser, Page, Sent, World, code_of};
use jose::verify_jws;
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

#[path = "vectors/jose.rs"]
mod jose;

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
    let mut counts = [0; 2];
    for case in list(&file, "urls") {
        let issuer = text(case, "issuer");
        match well_known(issuer) {
            Some([oidc, oauth]) if case.get("oidc").is_some() => {
                assert_eq!(
                    (oidc.as_str(), oauth.as_str()),
                    (text(case, "oidc"), text(case, "rfc8414")),
                    "{issuer}"
                );
                counts[0] += 1;
            }
            // Loopback is for development, here without a switch.
            Some(_) => {
                assert_eq!(case["reject"], "unless allowInsecureLoopback", "{issuer} was accepted");
                counts[0] += 1;
            }
            None => {
                assert_eq!(case["reject"], true, "{issuer} was refused");
                counts[1] += 1;
            }
        }
    }
    say!("vectors, issuers: {} accepted, {} rejected", counts[0], counts[1]);
    assert_eq!(counts.iter().sum::<u32>(), 8);
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
            let is_another = id.starts_with("issuer-") && id != "issuer-array";
            let expected = if is_another { "issuer_mismatch" } else { "discovery_failed" };
            assert_eq!(code, expected, "{id}");
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

#[test]
fn anchors_of_the_rfcs() {
    let file = load("rfc/anchors.json");
    let (mut checked, mut elsewhere) = (0, Vec::new());
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
            _ => {
                elsewhere.push(id);
                continue;
            }
        }
        checked += 1;
    }
    say!("vectors, RFCs: {checked} checked; in tests/protocol/dpop.rs: {}", elsewhere.join(", "));
    assert_eq!((checked, elsewhere.len()), (7, 7));
}
