//! Proofs of possession (RFC 9449).

use crate::{load, ours, say, verify};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use wardkey::protocol::dpop::{self, Key, LONGEST_NONCE, Proof, choose, htu, nonce};
use wardkey::protocol::hash::{base64url, from_base64url};
use wardkey::protocol::jwk;
use wardkey::protocol::jwt::{self, Algorithm};

const JTI: [u8; dpop::ENTROPY] = [7; 16];

fn proof<'a>(method: &'a str, url: &'a str) -> Proof<'a> {
    Proof { method, url, nonce: None, access_token: None, issued_at: 1_562_262_616, jti: &JTI }
}

/// The key of RFC 9449's examples, as `exportKey("jwk")` gives one.
fn example_key() -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "ext": true, "key_ops": ["verify"],
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    })
}

fn key(jwk: &Value) -> Option<Key> {
    let algorithm = if jwk["kty"] == "EC" { Algorithm::Es256 } else { Algorithm::EdDsa };
    Key::read(algorithm, &ours(jwk))
}

/// Header and claims of a signing input or a whole proof.
fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| {
        let octets = from_base64url(part).expect("base64url");
        serde_json::from_slice(&octets).expect("JSON")
    });
    [parts.next().expect("a header"), parts.next().expect("claims")]
}

fn signed_parts(proof: &Proof<'_>) -> [Value; 2] {
    let key = key(&example_key()).expect("a key");
    parts(&proof.signing_input(&key).expect("a proof"))
}

#[test]
fn anchors_of_the_rfcs() {
    let (mut checked, mut none_of_ours) = (0, Vec::new());
    for case in load("rfc/anchors.json").as_array().expect("an array") {
        let (id, input, expect) = (&case["id"], &case["input"], &case["expect"]);
        match case["kind"].as_str().expect("a kind") {
            "jwk-thumbprint-sha256" => match key(&input["jwk"]) {
                Some(key) => assert_eq!(key.thumbprint(), expect["thumbprint"], "{id}"),
                None => {
                    assert_eq!(input["jwk"]["kty"], "RSA", "{id}");
                    none_of_ours.push(id.to_string());
                    continue;
                }
            },
            "ath" => {
                let token = input["access_token"].as_str();
                let [_, claims] =
                    signed_parts(&Proof { access_token: token, ..proof("GET", "https://rs.example/") });
                assert_eq!(claims["ath"], expect["ath"], "{id}");
            }
            "dpop-proof-verify" => same_as_the_example(input),
            _ => continue,
        }
        checked += 1;
    }
    say(&format!("vectors, RFC 7638 and 9449: {checked} checked; RSA keys are not made: {none_of_ours:?}"));
    assert_eq!((checked, none_of_ours.len()), (6, 1));
}

/// An example's proof verifies, and ours for the same request says the same, with a longer `jti`.
fn same_as_the_example(example: &Value) {
    let (token, header, payload) =
        (example["jwt"].as_str().expect("a token"), &example["header"], &example["payload"]);
    let read = jwt::parse(token).expect("a JWT");
    let check = jwk::signature_check(&[ours(&header["jwk"])], &read).expect("a key");
    assert_eq!(verify::is_genuine(&check), Some(true));
    let of_example = |name: &str| payload[name].as_str().expect("a text");
    // Of the three, the one to a resource has the `ath` of RFC 9449 7.1's token.
    let token = payload.get("ath").map(|_| "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
    let url = [of_example("htu"), "?a=b#c"].concat();
    let ours = Proof {
        access_token: token,
        issued_at: payload["iat"].as_i64().expect("a time"),
        ..proof(of_example("htm"), &url)
    };
    let [our_header, mut claims] = signed_parts(&ours);
    assert_eq!(&our_header, header);
    assert_eq!(claims["jti"], base64url(&JTI));
    claims["jti"] = payload["jti"].clone();
    assert_eq!(&claims, payload);
}

#[test]
fn a_proof_has_the_claims_of_its_request_and_no_others() {
    let names =
        |value: &Value| -> Vec<String> { value.as_object().expect("an object").keys().cloned().collect() };
    let [header, claims] = signed_parts(&proof("POST", "https://as.example/token"));
    assert_eq!(names(&header), ["alg", "jwk", "typ"]);
    assert_eq!(names(&claims), ["htm", "htu", "iat", "jti"]);
    let full =
        Proof { nonce: Some("n-1"), access_token: Some("token"), ..proof("patch", "https://rs.example/a?b") };
    let [_, claims] = signed_parts(&full);
    assert_eq!(names(&claims), ["ath", "htm", "htu", "iat", "jti", "nonce"]);
    assert_eq!(claims["nonce"], "n-1");
    // The method is what the server receives: browsers leave `patch` in lower case.
    assert_eq!(claims["htm"], "patch");
    assert_eq!(claims["iat"], 1_562_262_616);
    let key = key(&example_key()).expect("a key");
    for url in ["http://rs.example/a", "https://u:p@rs.example/a", "/a", ""] {
        assert_eq!(proof("GET", url).signing_input(&key), None, "{url}");
    }
}

#[test]
fn a_signed_proof_is_the_keys() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    let elliptic = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
        .expect("a key");
    let document = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
    let edwards = Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a key");
    let (x, y) = elliptic.public_key().as_ref()[1..].split_at(32);
    let p256 = json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) });
    let ed25519 = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(edwards.public_key().as_ref()) });
    for (algorithm, jwk) in
        [(Algorithm::Es256, &p256), (Algorithm::EdDsa, &ed25519), (Algorithm::Ed25519, &ed25519)]
    {
        let key = Key::read(algorithm, &ours(jwk)).expect("a key");
        assert_eq!(key.algorithm(), algorithm);
        let input = proof("GET", "https://rs.example/").signing_input(&key).expect("a proof");
        let signature = match algorithm {
            Algorithm::Es256 => {
                elliptic.sign(&random, input.as_bytes()).expect("a signature").as_ref().to_vec()
            }
            _ => edwards.sign(input.as_bytes()).as_ref().to_vec(),
        };
        let token = dpop::finish(&input, &signature);
        assert_eq!(parts(&input)[0]["alg"], algorithm.name());
        assert_eq!(&parts(&input)[0]["jwk"], jwk);
        let read = jwt::parse(&token).expect("a JWT");
        assert_eq!(read.media_type.as_deref(), Some("dpop+jwt"));
        let check = jwk::signature_check(&[ours(jwk)], &read).expect("a fitting key");
        assert_eq!(verify::is_genuine(&check), Some(true), "{algorithm:?}");
    }
}

/// RFC 9449 4.2: the header has the public key alone.
#[test]
fn no_private_member_gets_into_a_header() {
    let mut jwk = example_key();
    for private in ["d", "k", "p", "q", "alg", "kid", "x5c"] {
        jwk[private] = json!("AAAA");
    }
    let key = key(&jwk).expect("a key");
    let [header, _] = parts(&proof("GET", "https://rs.example/").signing_input(&key).expect("a proof"));
    let names: Vec<_> = header["jwk"].as_object().expect("an object").keys().collect();
    assert_eq!(names, ["crv", "kty", "x", "y"]);
    assert_eq!(key.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn a_key_is_its_algorithms() {
    let ec = example_key();
    let okp = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let with = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    let read = |algorithm, jwk: &Value| Key::read(algorithm, &ours(jwk)).is_some();
    assert!(read(Algorithm::Es256, &ec) && read(Algorithm::EdDsa, &okp) && read(Algorithm::Ed25519, &okp));
    assert!(!read(Algorithm::Es256, &okp) && !read(Algorithm::EdDsa, &ec));
    for algorithm in [Algorithm::Es384, Algorithm::Es512, Algorithm::Rs256, Algorithm::Ps256] {
        assert!(!read(algorithm, &ec) && !read(algorithm, &okp), "{algorithm:?}");
    }
    for (name, value) in [
        ("crv", json!("P-384")),
        ("kty", json!("OKP")),
        ("x", json!(null)),
        ("y", json!("AAAA")),
        ("y", json!(base64url(&[1; 33]))),
        ("y", json!("9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA=")),
    ] {
        assert!(!read(Algorithm::Es256, &with(&ec, name, value)), "{name}");
    }
    assert!(!read(Algorithm::EdDsa, &with(&okp, "crv", json!("X25519"))));
    assert!(!read(Algorithm::EdDsa, &json!([])));
}

/// Requests have a URL that the browser parsed; an endpoint out of metadata has not been parsed yet, and is
/// either signed as the browser will send it, or not at all.
#[test]
fn hostile_urls() {
    let file = load("hostile/dpop_htu.json");
    let (mut signed, mut refused) = (0, 0);
    for case in file["cases"].as_array().expect("cases") {
        let (id, url) = (&case["id"], case["url"].as_str().expect("a URL"));
        let base = case["base"].as_str().unwrap_or("https://app.example.test/");
        let sent = url::Url::parse(base).expect("a URL").join(url).expect("a URL");
        let raw = htu(url);
        if case["reject"] == true {
            assert_eq!((htu(sent.as_str()), raw), (None, None), "{id}");
            refused += 1;
        } else {
            let expected = case["htu"].as_str().expect("a URL");
            assert_eq!(htu(sent.as_str()).as_deref(), Some(expected), "{id}");
            assert!(raw.is_none_or(|raw| raw == expected), "{id}");
            signed += 1;
        }
    }
    say(&format!("vectors, htu: {signed} signed, {refused} refused"));
    assert_eq!((signed, refused), (16, 2));
}

#[test]
fn endpoints_are_spelt_as_browsers_spell_them() {
    for (url, expected) in [
        ("https://as.example", "https://as.example/"),
        ("https://as.example?a", "https://as.example/"),
        ("HTTPS://AS.Example:443/Token?a=/b#c", "https://as.example/Token"),
        ("https://as.example:80/t", "https://as.example:80/t"),
        ("https://as.example:8443/t", "https://as.example:8443/t"),
        ("http://localhost:80/t", "http://localhost/t"),
        ("http://localhost:443/t", "http://localhost:443/t"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]/"),
        ("https://as.example/a%2fb/%7E;c=d", "https://as.example/a%2fb/%7E;c=d"),
    ] {
        assert_eq!(htu(url).as_deref(), Some(expected), "{url}");
    }
}

#[test]
fn a_nonce_is_one_of_its_syntax() {
    let longest = "n".repeat(LONGEST_NONCE);
    for legal in ["eyJ7S_zG.eyJH0-Z.HX4w-7v", "!#$&'()*+-./:;<=>?@[]^_`{|}~", "a,b", "0", &longest] {
        assert_eq!(nonce(legal), Some(legal), "{legal}");
    }
    let too_long = "n".repeat(LONGEST_NONCE + 1);
    let huge = "n".repeat(100_000);
    for illegal in [
        "", " ", "a, b", "a b", " a", "a ", "\"a\"", "a\\b", "a\tb", "a\r\nb", "\u{7f}", "ä", &too_long,
        &huge,
    ] {
        assert_eq!(nonce(illegal), None, "{illegal}");
    }
}

#[test]
fn the_algorithm_is_one_that_both_know() {
    use Algorithm::{Ed25519, EdDsa, Es256};
    let list = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    for (wanted, advertised, expected) in [
        (&[Es256, EdDsa][..], &["EdDSA", "ES256"][..], Some(Es256)),
        (&[EdDsa, Es256], &["EdDSA", "ES256"], Some(EdDsa)),
        (&[EdDsa, Es256], &["RS256", "ES256"], Some(Es256)),
        (&[EdDsa], &["ES256", "Ed25519"], Some(Ed25519)),
        (&[Ed25519], &["EdDSA"], Some(EdDsa)),
        (&[EdDsa, Es256], &["Ed25519", "ES256"], Some(Ed25519)),
        (&[EdDsa], &["Ed25519", "EdDSA"], Some(EdDsa)),
        (&[Ed25519], &["EdDSA", "Ed25519"], Some(Ed25519)),
        (&[Es256, EdDsa], &["RS512"], None),
        (&[Es256], &["es256", "none", "HS256", ""], None),
        (&[Es256], &[], None),
        (&[], &["ES256"], None),
    ] {
        assert_eq!(choose(wanted, Some(&list(advertised))), expected, "{wanted:?} of {advertised:?}");
    }
    assert_eq!(choose(&[EdDsa, Es256], None), Some(EdDsa));
    assert_eq!(choose(&[], None), None);
}
