//! Snapshots and events as JavaScript sees them.

use super::error;
use crate::browser::value::to_js;
use crate::client::{Event, State, User};
use crate::protocol::json::{Value, object};
use js_sys::Function;
use wasm_bindgen::JsValue;

/// `User`, or null.
pub(super) fn user(user: Option<&User>) -> Value {
    user.map_or(Value::Null, |user| {
        object([("sub", Some(Value::from(user.subject.as_str()))), ("claims", Some(user.claims.clone()))])
    })
}

/// The snapshot: `AuthState`, with `requested` and `missing` beside it. The code of a reason is its number.
pub(super) fn state(state: &State) -> Value {
    let status = |name: &str| Some(Value::from(name));
    match state {
        State::Loading => object([("status", status("loading"))]),
        State::Anonymous { reason } => object([
            ("status", status("anonymous")),
            ("reason", reason.map(|code| Value::Integer(code as i64))),
        ]),
        State::Authenticated { user: person, expires_at, granted, requested } => object([
            ("status", status("authenticated")),
            ("user", Some(user(person.as_deref()))),
            ("expiresAt", expires_at.map(Value::Integer)),
            ("scopes", Some(Value::from(granted.as_slice()))),
            ("requested", Some(Value::from(requested.as_slice()))),
            ("missing", Some(Value::from(state.missing().as_slice()))),
        ]),
    }
}

/// Tells the page's one listener. What it throws is the page's own affair.
pub(super) fn emit(listener: &Function, event: &Event) {
    let (name, detail) = match event {
        Event::StateChanged(new) => ("stateChanged", to_js(&state(new))),
        Event::SignedIn(person) => ("signedIn", to_js(&user(person.as_deref()))),
        Event::SignedOut(reason) => {
            ("signedOut", to_js(&reason.map_or(Value::Null, |code| Value::Integer(code as i64))))
        }
        Event::SessionExpired(reason) => ("sessionExpired", error::to_js(reason)),
    };
    let _ = listener.call2(&JsValue::NULL, &JsValue::from_str(name), &detail);
}
