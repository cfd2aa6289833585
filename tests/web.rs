//! The browser layer in a real browser: WebCrypto, storage, timers, requests, and the bridge for values.
//!
//! What needs a server of one's own (redirects, cookies, CORS) is in `tests/browser`.

#![cfg(target_arch = "wasm32")]

use js_sys::{JSON, Object, Reflect};
use wardkey::browser::{Browser, value};
use wardkey::client::{Area, Platform};
use wardkey::protocol::hash::{base64url, from_base64url};
use wardkey::protocol::http::{Cache, Failure, MAX_BODY, Request, Response};
use wardkey::protocol::json::{self, Value};
use wardkey::protocol::jwk::{self, SignatureCheck};
use wardkey::protocol::jwt::{self, Jwt};
use wardkey::protocol::secret::Secret;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

// A server with WebCrypto, and what only script can arrange.
#[wasm_bindgen(inline_js = r#"
const KINDS = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, RS384: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  RS512: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }, PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 },
  PS384: { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 }, PS512: { name: "RSA-PSS", hash: "SHA-512", saltLength: 64 },
  ES256: { name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" }, ES384: { name: "ECDSA", hash: "SHA-384", namedCurve: "P-384" },
  ES512: { name: "ECDSA", hash: "SHA-512", namedCurve: "P-521" }, EdDSA: { name: "Ed25519" }, Ed25519: { name: "Ed25519" },
};
const encode = (octets) => btoa(String.fromCharCode(...new Uint8Array(octets)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export async function mint(alg) {
  const kind = { ...KINDS[alg], modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const { publicKey, privateKey } = await crypto.subtle.generateKey(kind, true, ["sign", "verify"]);
  const part = (value) => encode(new TextEncoder().encode(JSON.stringify(value)));
  const input = [part({ alg, kid: "k" }), part({ sub: "ada" })].join(".");
  const signature = await crypto.subtle.sign(kind, privateKey, new TextEncoder().encode(input));
  const { key_ops, ext, ...jwk } = await crypto.subtle.exportKey("jwk", publicKey);
  return JSON.stringify({ token: [input, encode(signature)].join("."), jwk: { ...jwk, kid: "k" } });
}
export const blob = (type, length) => URL.createObjectURL(new Blob(["x".repeat(length)], { type }));
export const blobOf = (type, text) => URL.createObjectURL(new Blob([text], { type }));
export const kept = (key) => sessionStorage.getItem(key) ?? undefined;
export const withoutStorage = (run) => {
  const own = Object.getOwnPropertyDescriptor(globalThis, "sessionStorage");
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, get() { throw new DOMException("denied", "SecurityError"); } });
  try { run(); } finally { Object.defineProperty(globalThis, "sessionStorage", own); }
};
export const withPage = (hidden, onLine, run) => {
  Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
  Object.defineProperty(navigator, "onLine", { configurable: true, value: onLine });
  try { run(); } finally { delete document.hidden; delete navigator.onLine; }
};
"#)]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn mint(alg: &str) -> Result<JsValue, JsValue>;
    fn blob(media_type: &str, length: u32) -> String;
    #[wasm_bindgen(js_name = blobOf)]
    fn blob_of(media_type: &str, text: &str) -> String;
    fn kept(key: &str) -> Option<String>;
    #[wasm_bindgen(js_name = withPage)]
    fn with_page(hidden: bool, online: bool, run: &Closure<dyn FnMut()>);
    #[wasm_bindgen(js_name = withoutStorage)]
    fn without_storage(run: &Closure<dyn FnMut()>);
}

/// A token that WebCrypto signed, and the key to it.
async fn signed(algorithm: &str) -> (String, Value) {
    let minted = mint(algorithm).await.expect("the browser has the algorithm");
    let minted = json::parse(minted.as_string().expect("a text").as_bytes()).expect("JSON");
    (minted.text("token").expect("a token").to_owned(), minted.get("jwk").expect("a key").clone())
}

fn check(jwt: &Jwt<'_>, key: &Value) -> SignatureCheck {
    jwk::signature_check(std::slice::from_ref(key), jwt).expect("the key fits")
}

async fn verifies(token: &str, key: &Value) -> bool {
    let jwt = jwt::parse(token).expect("a token");
    Browser.verify(check(&jwt, key)).await.expect("WebCrypto is there")
}

#[wasm_bindgen_test]
async fn every_algorithm_is_verified_and_a_flipped_bit_refused() {
    for algorithm in
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
    {
        let (token, key) = signed(algorithm).await;
        assert!(verifies(&token, &key).await, "{algorithm}");
        let (input, signature) = token.rsplit_once('.').expect("three parts");
        let octets = from_base64url(signature).expect("base64url");
        for position in [0, octets.len() / 2, octets.len() - 1] {
            let mut flipped = octets.clone();
            flipped[position] ^= 1;
            let hostile = [input, &base64url(&flipped)].join(".");
            assert!(!verifies(&hostile, &key).await, "{algorithm}: octet {position} is not looked at");
        }
        let zeros = [input, &base64url(&vec![0; octets.len()])].join(".");
        assert!(!verifies(&zeros, &key).await, "{algorithm}: a signature of zeros");
        let claims = base64url(br#"{"sub":"eve"}"#);
        let (header, _) = input.split_once('.').expect("two parts");
        let other = [header, &claims, signature].join(".");
        assert!(!verifies(&other, &key).await, "{algorithm}: other claims");
        let (_, other_key) = signed(algorithm).await;
        assert!(!verifies(&token, &other_key).await, "{algorithm}: another key");
    }
}

#[wasm_bindgen_test]
async fn a_key_that_the_browser_does_not_take_verifies_nothing() {
    let (token, key) = signed("ES256").await;
    let jwt = jwt::parse(&token).expect("a token");
    let mut hostile = check(&jwt, &key);
    // A point that is not on the curve.
    let Value::Object(members) = &mut hostile.key else { panic!("no object") };
    for (name, value) in members.iter_mut() {
        if name == "y" {
            *value = Value::String(base64url(&[1; 32]));
        }
    }
    assert_eq!(Browser.verify(hostile).await, Ok(false));
}

#[wasm_bindgen_test]
async fn the_keys_of_the_rfcs_are_taken() {
    let cookbook = include_str!("vectors/jose-cookbook/jws/4_3.ecdsa_signature.json");
    let cookbook = json::parse(cookbook.as_bytes()).expect("JSON");
    let token = cookbook.get("output").and_then(|output| output.text("compact")).expect("a token");
    let key = cookbook.get("input").and_then(|input| input.get("key")).expect("a key");
    let member = |name: &str| (name.to_owned(), key.get(name).expect("it is there").clone());
    let public = Value::Object(["kty", "kid", "use", "crv", "x", "y"].map(member).to_vec());
    let (signing_input, signature) = token.rsplit_once('.').expect("three parts");
    let (header, _) = signing_input.split_once('.').expect("two parts");
    // Its payload is no JSON: another stands in for the parser.
    let stand_in = [header, "e30", signature].join(".");
    let mut check = check(&jwt::parse(&stand_in).expect("a token"), &public);
    check.signing_input = signing_input.as_bytes().to_vec();
    assert_eq!(Browser.verify(check).await, Ok(true), "ES512 of RFC 7520 4.3");
}

#[wasm_bindgen_test]
fn what_is_kept_is_in_session_storage_and_can_be_removed() {
    let key = "wardkey:test";
    assert_eq!(Browser.load(Area::Tab, key), Ok(None));
    Browser.save(Area::Tab, key, Some("ä\u{0}\u{1F600}")).expect("there is storage");
    assert_eq!(Browser.load(Area::Tab, key), Ok(Some("ä\u{0}\u{1F600}".to_owned())));
    assert_eq!(kept(key).as_deref(), Some("ä\u{0}\u{1F600}"));
    Browser.save(Area::Tab, key, None).expect("there is storage");
    assert_eq!(Browser.load(Area::Tab, key), Ok(None));
    assert_eq!(kept(key), None);
}

#[wasm_bindgen_test]
fn full_or_denied_storage_is_unavailable() {
    let key = "wardkey:test:big";
    assert!(Browser.save(Area::Tab, key, Some(&"x".repeat(20_000_000))).is_err(), "beyond every quota");
    assert_eq!(Browser.load(Area::Tab, key), Ok(None));
    let run = Closure::new(|| {
        assert!(Browser.load(Area::Tab, "wardkey:test").is_err());
        assert!(Browser.save(Area::Tab, "wardkey:test", Some("x")).is_err());
        assert!(Browser.save(Area::Tab, "wardkey:test", None).is_err());
    });
    without_storage(&run);
    assert_eq!(Browser.load(Area::Tab, key), Ok(None), "it is back");
}

#[wasm_bindgen_test]
fn a_page_knows_whether_it_is_seen_and_whether_there_is_a_network() {
    for (hidden, online) in [(false, true), (true, true), (false, false), (true, false)] {
        let run = Closure::new(move || {
            assert_eq!(Browser.is_hidden(), hidden);
            assert_eq!(Browser.is_offline(), !online);
        });
        with_page(hidden, online, &run);
    }
}

#[wasm_bindgen_test]
async fn time_passes_while_asleep() {
    let start = Browser.now();
    assert!(start > 1_700_000_000_000, "milliseconds since the epoch");
    Browser.sleep(50).await;
    let slept = Browser.now() - start;
    assert!((45..10_000).contains(&slept), "{slept} ms");
}

#[wasm_bindgen_test]
fn random_octets_are_not_twice_the_same() {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    Browser.random(&mut first).expect("a generator");
    Browser.random(&mut second).expect("a generator");
    assert_ne!(first, second);
    assert_ne!(first, [0; 32]);
}

async fn get(url: &str) -> Result<Response, Failure> {
    Browser.send(&Request::get(url, Cache::Revalidate), 10_000).await
}

fn origin() -> String {
    let location = Reflect::get(&js_sys::global(), &"location".into()).expect("a page");
    Reflect::get(&location, &"origin".into()).expect("an origin").as_string().expect("a text")
}

#[wasm_bindgen_test]
async fn an_answer_has_status_type_and_body() {
    let page = get(&origin()).await.expect("an answer");
    assert_eq!(page.status, 200);
    let media_type = page.header("content-type").unwrap_or_default();
    assert!(media_type.starts_with("text/html"), "{media_type}");
    assert!(String::from_utf8_lossy(&page.body).contains("<html>"));
    let missing = get(&[&origin(), "/nothing-is-here"].concat()).await.expect("an answer");
    assert_eq!(missing.status, 404);
    let json = get(&blob_of("application/json;charset=utf-8", r#"{"a":1}"#)).await.expect("an answer");
    assert_eq!(json.json_object("").map(|value| json::write(&value)).as_deref(), Some(r#"{"a":1}"#));
    let empty = get(&blob_of("application/json", "")).await.expect("an answer");
    assert!(empty.body.is_empty());
}

#[wasm_bindgen_test]
async fn an_answer_is_at_most_so_large() {
    let limit = u32::try_from(MAX_BODY).expect("a number");
    let whole = get(&blob("text/plain", limit)).await.expect("it just fits");
    assert_eq!(whole.body.len(), MAX_BODY);
    assert!(whole.body.iter().all(|octet| *octet == b'x'));
    assert_eq!(get(&blob("text/plain", limit + 1)).await.expect_err("too large"), Failure::TooLarge);
    assert_eq!(get(&blob("text/plain", 20 * limit)).await.expect_err("too large"), Failure::TooLarge);
}

#[wasm_bindgen_test]
async fn what_cannot_be_reached_is_a_failure() {
    // Nobody listens on port 1, and browsers do not even try.
    for url in ["http://127.0.0.1:1/", "https://", "https://[", "https://user:pw@127.0.0.1/", "blob:nothing"]
    {
        assert_eq!(get(url).await.expect_err(url), Failure::Network, "{url}");
    }
    let form = Some(Secret::new("a=1".to_owned()));
    let post = Request { form, ..Request::get(&blob("text/plain", 1), Cache::NoStore) };
    assert_eq!(Browser.send(&post, 10_000).await.expect_err("a blob takes no POST"), Failure::Network);
}

fn to_js(text: &str) -> JsValue {
    value::to_js(&json::parse(text.as_bytes()).expect("JSON"))
}

fn stringify(value: &JsValue) -> String {
    JSON::stringify(value).expect("it is plain").into()
}

#[wasm_bindgen_test]
fn values_arrive_as_json_parse_would_make_them() {
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "-0.25",
        "1e21",
        "1e-7",
        "9007199254740991",
        r#""""#,
        r#""ä\u0000😀""#,
        "[]",
        "[1,[2,[3]],null]",
        "{}",
        r#"{"a":{"b":[{"c":"d"}]},"":1}"#,
        r#"{"constructor":1,"toString":"x"}"#,
    ] {
        let theirs = JSON::parse(text).expect("JSON");
        assert_eq!(stringify(&to_js(text)), stringify(&theirs), "{text}");
    }
    assert_eq!(to_js("1.5").as_f64(), Some(1.5));
    assert!(to_js("{}").is_object());
}

#[wasm_bindgen_test]
fn large_integers_are_numbers_as_in_json_parse() {
    for text in ["9007199254740993", "9223372036854775807", "-9223372036854775808", "18446744073709551616"] {
        let theirs = JSON::parse(text).expect("JSON").as_f64();
        assert_eq!(to_js(text).as_f64(), theirs, "{text}");
        let claims = [r#"{"sub":"ada","account":"#, text, "}"].concat();
        let sub = Reflect::get(&to_js(&claims), &"sub".into());
        assert_eq!(sub.ok().and_then(|sub| sub.as_string()).as_deref(), Some("ada"), "{claims}");
    }
}

#[wasm_bindgen_test]
fn no_prototype_is_set_by_a_value() {
    for text in [r#"{"__proto__":{"admin":true},"a":1}"#, r#"[{"__proto__":null}]"#] {
        let made = to_js(text);
        let object = if made.is_array() { js_sys::Array::from(&made).get(0) } else { made };
        let prototype = Object::get_prototype_of(&object);
        assert!(Object::is(&prototype, &Object::get_prototype_of(&Object::new())), "{text}");
        assert!(Reflect::get(&object, &"admin".into()).expect("an object").is_undefined(), "{text}");
    }
}
