//! Signatures, by WebCrypto: verified with a server's keys, and made with one of our own.

use super::global;
use super::value;
use crate::client::platform::Unavailable;
use crate::protocol::hash::Hash;
use crate::protocol::json::{self, Value};
use crate::protocol::jwk::SignatureCheck;
use crate::protocol::jwt::Algorithm;
use js_sys::{Array, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};

/// False for a wrong signature, and for a key or algorithm that the browser does not take.
pub(super) async fn verify(check: SignatureCheck) -> Result<bool, Unavailable> {
    let subtle = subtle().ok_or(Unavailable)?;
    Ok(try_verify(&subtle, &check).await.unwrap_or(false))
}

/// Absent outside of secure contexts, where its type says that it is always there.
fn subtle() -> Option<SubtleCrypto> {
    global::crypto().map(|crypto| crypto.subtle()).filter(|subtle| !subtle.is_undefined())
}

#[wasm_bindgen]
extern "C" {
    /// A `CryptoKeyPair`.
    type Pair;

    #[wasm_bindgen(method, getter, js_name = privateKey)]
    fn private_key(this: &Pair) -> CryptoKey;

    #[wasm_bindgen(method, getter, js_name = publicKey)]
    fn public_key(this: &Pair) -> CryptoKey;

    #[wasm_bindgen(js_namespace = JSON, js_name = stringify, catch)]
    fn stringify(value: &JsValue) -> Result<String, JsValue>;
}

#[wasm_bindgen(module = "/src/browser/key_store.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = loadKey)]
    fn load_key(name: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_name = chooseKey)]
    fn choose_key(name: &str, pair: &Pair) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_name = dropKey)]
    fn drop_key(name: &str) -> Result<Promise, JsValue>;
}

/// A key for proofs (RFC 9449 11.4): the browser keeps it, and nobody can read it, us included. With a name it is
/// the one that is kept under this name, for all tabs.
pub(super) async fn own(algorithm: Algorithm, name: Option<&str>) -> Result<(CryptoKey, Value), Unavailable> {
    let subtle = subtle().ok_or(Unavailable)?;
    try_own(&subtle, algorithm, name).await.ok().flatten().ok_or(Unavailable)
}

/// Forgets the key of this name.
pub(super) async fn drop_own(name: &str) {
    if let Ok(dropped) = drop_key(name) {
        // Where there is no database, there is no key either.
        let _ = wait(dropped).await;
    }
}

async fn try_own(
    subtle: &SubtleCrypto,
    algorithm: Algorithm,
    name: Option<&str>,
) -> Result<Option<(CryptoKey, Value)>, JsValue> {
    let kept = match name {
        Some(name) => wait(load_key(name)?).await?,
        None => JsValue::UNDEFINED,
    };
    let pair: Pair =
        if kept.is_undefined() { generate(subtle, algorithm).await? } else { kept.unchecked_into() };
    let pair: Pair = match name {
        Some(name) => wait(choose_key(name, &pair)?).await?.unchecked_into(),
        None => pair,
    };
    let key = pair.private_key();
    // A page's patch of `generateKey` may have made one that can be taken away.
    if key.extractable() || key.type_() != "private" {
        return Ok(None);
    }
    let jwk = stringify(&wait(subtle.export_key("jwk", &pair.public_key())?).await?)?;
    Ok(json::parse(jwk.as_bytes()).map(|jwk| (key, jwk)))
}

async fn generate(subtle: &SubtleCrypto, algorithm: Algorithm) -> Result<Pair, JsValue> {
    let parameters = parameters(algorithm, Some("P-256").filter(|_| algorithm == Algorithm::Es256));
    let parameters: Object = value::to_js(&parameters).unchecked_into();
    let usages = Array::of2(&JsValue::from_str("sign"), &JsValue::from_str("verify"));
    let pair = wait(subtle.generate_key_with_object(&parameters, false, &usages)?).await?;
    Ok(pair.unchecked_into())
}

/// Signs with such a key.
pub(super) async fn sign(
    key: &CryptoKey,
    algorithm: Algorithm,
    input: &[u8],
) -> Result<Vec<u8>, Unavailable> {
    let subtle = subtle().ok_or(Unavailable)?;
    let parameters: Object = value::to_js(&parameters(algorithm, None)).unchecked_into();
    let signature = subtle.sign_with_object_and_u8_array(&parameters, key, input).map_err(|_| Unavailable)?;
    let signature = wait(signature).await.map_err(|_| Unavailable)?;
    Ok(Uint8Array::new(&signature).to_vec())
}

async fn try_verify(subtle: &SubtleCrypto, check: &SignatureCheck) -> Result<bool, JsValue> {
    let curve = check.key.get("crv").and_then(Value::as_str);
    let algorithm: Object = value::to_js(&parameters(check.algorithm, curve)).unchecked_into();
    let key: Object = value::to_js(&check.key).unchecked_into();
    let usages = Array::of1(&JsValue::from_str("verify"));
    let key = wait(subtle.import_key_with_object("jwk", &key, &algorithm, false, &usages)?).await?;
    let key: CryptoKey = key.unchecked_into();
    let verdict = subtle.verify_with_object_and_u8_array_and_u8_array(
        &algorithm,
        &key,
        &check.signature,
        &check.signing_input,
    )?;
    Ok(wait(verdict).await?.is_truthy())
}

async fn wait(promise: Promise) -> Result<JsValue, JsValue> {
    JsFuture::from(promise).await
}

/// One object for all calls: each takes what it knows.
fn parameters(algorithm: Algorithm, curve: Option<&str>) -> Value {
    use Algorithm::*;
    let name = match algorithm {
        Rs256 | Rs384 | Rs512 => "RSASSA-PKCS1-v1_5",
        Ps256 | Ps384 | Ps512 => "RSA-PSS",
        Es256 | Es384 | Es512 => "ECDSA",
        EdDsa | Ed25519 => "Ed25519",
    };
    let (hash, salt_length) = match algorithm.hash() {
        Hash::Sha256 => ("SHA-256", 32),
        Hash::Sha384 => ("SHA-384", 48),
        Hash::Sha512 => ("SHA-512", 64),
    };
    let object = json::Object::new()
        .text("name", name)
        .text("hash", hash)
        .value("saltLength", Value::Integer(salt_length))
        .maybe_text("namedCurve", curve);
    object.finish()
}
