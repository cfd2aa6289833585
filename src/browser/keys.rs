//! Signatures, by WebCrypto.

use super::global;
use super::value;
use crate::client::platform::Unavailable;
use crate::protocol::hash::Hash;
use crate::protocol::json::{self, Value};
use crate::protocol::jwk::SignatureCheck;
use crate::protocol::jwt::Algorithm;
use js_sys::{Array, Object, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};

/// False for a wrong signature, and for a key or algorithm that the browser does not take.
pub(super) async fn verify(check: SignatureCheck) -> Result<bool, Unavailable> {
    // Absent outside of secure contexts, where its type says that it is always there.
    let subtle = global::crypto().map(|crypto| crypto.subtle());
    let subtle = subtle.filter(|subtle| !subtle.is_undefined()).ok_or(Unavailable)?;
    Ok(try_verify(&subtle, &check).await.unwrap_or(false))
}

async fn try_verify(subtle: &SubtleCrypto, check: &SignatureCheck) -> Result<bool, JsValue> {
    let algorithm: Object = value::to_js(&parameters(check)).unchecked_into();
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

/// One object for both, `importKey` and `verify`: each takes what it knows.
fn parameters(check: &SignatureCheck) -> Value {
    use Algorithm::*;
    let name = match check.algorithm {
        Rs256 | Rs384 | Rs512 => "RSASSA-PKCS1-v1_5",
        Ps256 | Ps384 | Ps512 => "RSA-PSS",
        Es256 | Es384 | Es512 => "ECDSA",
        EdDsa | Ed25519 => "Ed25519",
    };
    let (hash, salt_length) = match check.algorithm.hash() {
        Hash::Sha256 => ("SHA-256", 32),
        Hash::Sha384 => ("SHA-384", 48),
        Hash::Sha512 => ("SHA-512", 64),
    };
    let object = json::Object::new()
        .text("name", name)
        .text("hash", hash)
        .value("saltLength", Value::Integer(salt_length))
        .maybe_text("namedCurve", check.key.get("crv").and_then(Value::as_str));
    object.finish()
}
