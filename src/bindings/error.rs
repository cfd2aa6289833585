//! Errors on their way to JavaScript, where the words are.

use crate::browser::value;
use crate::protocol::error::AuthError;
use crate::protocol::json::Value;
use wasm_bindgen::JsValue;

/// `[code, phase, retryable, status, oauthError, reason, option]`; `pkg/src/errors.ts` makes an `AuthError` of it.
pub(super) fn to_js(error: &AuthError) -> JsValue {
    value::to_js(&Value::Array(vec![
        Value::Integer(error.code() as i64),
        Value::Integer(error.phase() as i64),
        Value::Bool(error.retryable()),
        error.status().map_or(Value::Null, |status| Value::Integer(status.into())),
        error.oauth_error().map_or(Value::Null, Value::from),
        Value::from(error.reason()),
        error.option().map_or(Value::Null, Value::from),
    ]))
}
