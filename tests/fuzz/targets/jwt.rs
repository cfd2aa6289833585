//! ID tokens. The input is a compact token, or three lines that become one: header, claims, signature. So the
//! fuzzer need not guess base64url.

use super::json::as_we_count;
use super::theirs;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Theirs;
use wardkey::protocol::hash::base64url;
use wardkey::protocol::id_token::{self, Demands, Expected};
use wardkey::protocol::json;
use wardkey::protocol::jwt::{self, Algorithm, Jwt};

/// As in `tests/vectors/hostile/id_tokens.json`.
const EXPECTED: Expected<'static> = Expected {
    issuer: "https://as.example.test/t1",
    audience: "spa-client-1",
    client_id: "spa-client-1",
    algorithms: &[Algorithm::Rs256, Algorithm::Es256],
    access_token: "SlAV32hkKG-access-token-value",
    now: 1_790_000_000,
    clock_skew: 60,
};
const DEMANDS: Demands<'static> =
    Demands { nonce: Some("n-0S6_WzA2MjUkVcA1QpTk"), max_age: None, auth_time: false, acr: &[] };

pub(super) fn target(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let lines: Vec<&str> = text.split('\n').collect();
    let token = match lines.as_slice() {
        parts @ [_, _, _] => parts.iter().map(base64url_of).collect::<Vec<_>>().join("."),
        _ => text.to_owned(),
    };
    let Ok(jwt) = jwt::parse(&token) else { return false };
    let claims = assert_taken_apart(&token, &jwt);
    let accepted = id_token::check(&jwt, &EXPECTED, &DEMANDS).is_ok();
    if let Some(claims) = claims.filter(|_| accepted) {
        assert_is_ours(&claims);
    }
    accepted
}

fn base64url_of(text: &&str) -> String {
    base64url(text.as_bytes())
}

/// Three parts of one spelling, of which another decoder and parser read the same.
fn assert_taken_apart(token: &str, jwt: &Jwt<'_>) -> Option<Theirs> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { panic!("{} parts", parts.len()) };
    assert_eq!(jwt.signing_input, [*header, ".", *payload].concat());
    assert_eq!(jwt.signature, decoded(signature));
    assert!(!jwt.signature.is_empty());
    if let Some(header) = theirs(&decoded(header)) {
        assert_eq!(header["alg"], jwt.algorithm.name());
        assert_eq!(header["kid"].as_str(), jwt.key_id.as_deref());
        assert_eq!(header["typ"].as_str(), jwt.media_type.as_deref());
        assert!(["crit", "b64", "zip"].iter().all(|name| header.get(name).is_none()), "an extension");
    }
    let claims = theirs(&decoded(payload));
    assert!(claims.as_ref().is_none_or(Theirs::is_object));
    let again = theirs(json::write(&jwt.claims).as_bytes());
    assert_eq!(again.as_ref().map(as_we_count), claims.as_ref().map(as_we_count));
    claims
}

fn decoded(part: &str) -> Vec<u8> {
    let mut octets = vec![0; part.len()];
    let length = URL_SAFE_NO_PAD.decode_slice(part, &mut octets).expect("base64url to others");
    octets.truncate(length);
    octets
}

/// The claims of OpenID Connect Core 3.1.3.7 that every accepted token must have.
fn assert_is_ours(claims: &Theirs) {
    let Expected { issuer, client_id, now, clock_skew, .. } = EXPECTED;
    assert_eq!(claims["iss"], issuer);
    let audience = &claims["aud"];
    assert!(*audience == client_id || *audience == serde_json::json!([client_id]), "{audience}");
    assert!(claims["sub"].as_str().is_some_and(|subject| !subject.is_empty()));
    assert_eq!(claims["nonce"].as_str(), DEMANDS.nonce);
    let time = |name: &str| claims[name].as_f64().expect("a number");
    assert!(time("exp") > (now - clock_skew) as f64);
    assert!(time("iat") < (now + clock_skew + 1) as f64);
}
