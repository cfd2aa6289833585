//! Snapshots and events as JavaScript sees them.

use super::error;
use crate::browser::value::to_js;
use crate::client::{Event, State, User};
use crate::protocol::json::{Object, Value};
use js_sys::Function;
use wasm_bindgen::JsValue;

/// `User`, or null.
pub(super) fn user(user: Option<&User>) -> Value {
    user.map_or(Value::Null, |user| {
        Object::new().text("sub", &user.subject).value("claims", user.claims.clone()).finish()
    })
}

/// The snapshot: `AuthState`, with `requested` and `missing` beside it. The code of a reason is its number.
pub(super) fn state(state: &State) -> Value {
    match state {
        State::Loading => Object::new().text("status", "loading"),
        State::Anonymous { reason } => {
            Object::new().text("status", "anonymous").maybe_integer("reason", reason.map(|code| code as i64))
        }
        State::Authenticated { user: person, expires_at, granted, requested } => Object::new()
            .text("status", "authenticated")
            .value("user", user(person.as_deref()))
            .maybe_integer("expiresAt", *expires_at)
            .texts("scopes", granted)
            .texts("requested", requested)
            .texts("missing", &state.missing()),
    }
    .finish()
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
