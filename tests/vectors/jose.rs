//! The JOSE Cookbook (RFC 7520, with RFC 7797 and 8037) and Wycheproof's JSON web crypto: signatures that hold are
//! accepted, and everything else that is there is refused.

use crate::{list, load, ours, text, verify};
use serde_json::Value;
use std::io::Write;
use wardkey::protocol::json::Value as Json;
use wardkey::protocol::jwt::{self, Jwt};

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

pub(crate) fn verify_jws(token: &str, keys: &[Json]) -> Result<(), String> {
    verify(keys, &parse_jws(token)?)
}

/// An example of the cookbook.
fn example(file: &str) -> Value {
    load(&format!("jose-cookbook/{file}.json"))
}

fn public(private: &Value) -> Value {
    let mut public = private.clone();
    for part in ["d", "p", "q", "dp", "dq", "qi"] {
        public.as_object_mut().expect("an object").remove(part);
    }
    public
}

/// Is it no JWT, whatever its payload? Five parts are so for their number, and not for what is in them.
fn is_refused(token: &str) -> bool {
    let is_encrypted = !token.starts_with('{') && token.matches('.').count() == 4;
    let reason = jwt::parse(token).err();
    reason.is_some() && (!is_encrypted || reason == Some("not three parts")) && parse_jws(token).is_err()
}

/// The JSON serializations are no JWTs (RFC 7519 3), signed or encrypted; nor is a compact JWE one of ours. Gives how
/// many there were.
#[track_caller]
fn assert_no_jwt(output: &Value, forms: &[&str], file: &str) -> usize {
    let given = forms.iter().filter_map(|form| output.get(form));
    let refused = given.map(|token| {
        let token = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
        assert!(is_refused(&token), "{file}: {token}");
    });
    refused.count()
}

const JSON_FORMS: &[&str] = &["json", "json_flat"];
const ALL_FORMS: &[&str] = &["compact", "json", "json_flat"];

#[test]
fn jose_cookbook() {
    let (mut verified, mut refused) = (0, 0);
    for (file, algorithm) in [
        ("jws/4_1.rsa_v15_signature", "RS256"),
        ("jws/4_2.rsa-pss_signature", "PS384"),
        ("jws/4_3.ecdsa_signature", "ES512"),
        ("curve25519/jws", "EdDSA"),
        ("6.nesting_signatures_and_encryption", "PS256"),
        ("jws/4_4.hmac-sha2_integrity_protection", "HS256"),
        ("jws/4_5.signature_with_detached_content", "HS256"),
    ] {
        let example = example(file);
        let example = example.get("sign").unwrap_or(&example);
        assert_eq!(text(&example["input"], "alg"), algorithm);
        let token = text(&example["output"], "compact");
        let private = &example["input"]["key"];
        let verdict = verify_jws(token, &[ours(&public(private))]);
        match algorithm {
            "HS256" => {
                assert!(verdict.is_err(), "{file}: HMAC is not for public clients");
                refused += 1;
            }
            // The key was found and fits; the tests in a real browser verify ES512.
            "ES512" => assert_eq!(verdict, Err("ring has no P-521".to_owned()), "{file}"),
            _ => {
                assert_eq!(verdict, Ok(()), "{file}");
                assert_eq!(
                    verify_jws(token, &[ours(private)]),
                    Err("Unknown".to_owned()),
                    "{file}: a private key"
                );
                verified += 1;
            }
        }
        refused += assert_no_jwt(&example["output"], JSON_FORMS, file);
    }
    say!("vectors, JOSE cookbook: {verified} signatures verified, {refused} tokens refused");
    assert_eq!((verified, refused), (4, 14));
}

#[test]
fn jose_cookbook_what_is_no_jwt_of_ours() {
    let mut refused = 0;
    for file in [
        "jws/4_6.protecting_specific_header_fields",
        "jws/4_7.protecting_content_only",
        "jws/4_8.multiple_signatures",
        "rfc7797/4.2.hmac-sha2_b64_false",
        "rfc7797/hmac-sha2_b64_false",
        "curve25519/ecdh-es",
    ] {
        refused += assert_no_jwt(&example(file)["output"], ALL_FORMS, file);
    }
    let nested = example("6.nesting_signatures_and_encryption");
    refused += assert_no_jwt(&nested["encrypt"]["output"], ALL_FORMS, "encrypted");
    let folder = crate::folder().join("jose-cookbook/jwe");
    let mut encrypted = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        let file = format!("jwe/{}", name.trim_end_matches(".json"));
        refused += assert_no_jwt(&example(&file)["output"], ALL_FORMS, &file);
        encrypted += 1;
    }
    assert_eq!(encrypted, 13);
    say!("vectors, JOSE cookbook: {refused} that are no JWT of ours refused");
    assert_eq!(refused, 50);
}

/// Two people of the cookbook's have one `kid` each, and keys of several kinds with it.
#[test]
fn jose_cookbook_keys() {
    let keys = [
        ("jwk/3_1.ec_public_key", "ES512"),
        ("jwk/3_3.rsa_public_key", "RS256"),
        ("jwk/3_2.ec_private_key", ""),
        ("jwk/3_4.rsa_private_key", ""),
        ("jwk/3_5.symmetric_key_mac_computation", ""),
        ("jwk/3_6.symmetric_key_encryption", ""),
    ];
    let tokens = [
        ("jws/4_1.rsa_v15_signature", "RS256", Ok(())),
        ("jws/4_3.ecdsa_signature", "ES512", Err("ring has no P-521".to_owned())),
    ];
    for (token, algorithm, expected) in tokens {
        let token = example(token);
        for (file, serves) in keys {
            let verdict = verify_jws(text(&token["output"], "compact"), &[ours(&example(file))]);
            let expected = if serves == algorithm { expected.clone() } else { Err("Unknown".to_owned()) };
            assert_eq!(verdict, expected, "{file} for {algorithm}");
        }
    }
    say!("vectors, JOSE cookbook: {} keys, of which 2 are public and serve", keys.len());
}

#[test]
fn wycheproof_json_web_crypto() {
    let file = load("wycheproof/json_web_crypto_test.json");
    let (mut signed, mut encrypted, mut skipped) = (0, 0, Vec::new());
    for group in list(&file, "testGroups") {
        let name = text(group, "comment");
        for test in list(group, "tests") {
            let id = test["tcId"].as_u64().expect("a number");
            let token = test.get("jws").or(test.get("jwe")).unwrap_or_else(|| panic!("{id}: no token"));
            let token = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
            if test.get("jwe").is_some() {
                // No encryption is registered for: what is valid is refused too.
                assert!(is_refused(&token), "{name} {id}");
                encrypted += 1;
                continue;
            }
            // Whether a key was made by a faulty generator is not looked at.
            if name == "jws_rsa_roca_key" {
                skipped.push(id);
                continue;
            }
            let set = group.get("public").unwrap_or(&group["private"]);
            let keys = set
                .get("keys")
                .map_or_else(|| vec![set.clone()], |keys| keys.as_array().expect("an array").clone());
            let keys: Vec<Json> = keys.iter().map(ours).collect();
            let symmetric = ["jws_aes", "jws_keyset"].contains(&name);
            let valid = text(test, "result") == "valid" && !symmetric;
            let verdict = verify_jws(&token, &keys);
            assert_eq!(verdict.is_ok(), valid, "{name} {id}: {verdict:?}");
            signed += 1;
        }
    }
    say!(
        "vectors, Wycheproof: {signed} JWS judged, {encrypted} JWE refused; not applicable (ROCA): {skipped:?}"
    );
    assert_eq!((signed, encrypted, skipped.len()), (48, 34, 1));
}
