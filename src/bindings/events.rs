//! Snapshots and events as JavaScript sees them.

use super::error;
use crate::browser::value::to_js;
use crate::client::{Event, State, StepUp, User};
use crate::protocol::json::{Object, Value};
use js_sys::{Array, Function};
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
        State::Authenticated { user: person, expires_at, granted, requested, missing, stale } => {
            Object::new()
                .text("status", "authenticated")
                .value("user", user(person.as_deref()))
                .maybe_integer("expiresAt", *expires_at)
                .value("stale", Value::Bool(*stale))
                .texts("scopes", granted)
                .texts("requested", requested)
                .texts("missing", missing)
        }
    }
    .finish()
}

/// `StepUpChallenge`.
pub(super) fn step_up(challenge: &StepUp) -> Value {
    Object::new()
        .maybe_text("acrValues", challenge.acr_values.as_deref())
        .maybe_integer("maxAge", challenge.max_age)
        .maybe_text("scope", challenge.scope.as_deref())
        .maybe_text("resource", challenge.resource.as_deref())
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
        Event::Ended => ("ended", JsValue::NULL),
        Event::SessionExpired(reason) => ("sessionExpired", error::to_js(reason)),
        Event::StorageFailed(error) => ("storageFailed", error::to_js(error)),
        Event::TokenRefreshed(end) => {
            ("tokenRefreshed", to_js(&Object::new().maybe_integer("expiresAt", *end).finish()))
        }
        Event::RefreshDeferred(retry_at, cause) => {
            ("refreshDeferred", Array::of2(&JsValue::from_f64(*retry_at as f64), &error::to_js(cause)).into())
        }
        Event::UserChanged(from, to) => {
            ("userChanged", to_js(&Object::new().text("from", from).text("to", to).finish()))
        }
        Event::StepUpRequired(challenge) => ("stepUpRequired", to_js(&step_up(challenge))),
        Event::ScopeDoubtful(reason) => ("scope", JsValue::from_str(reason)),
    };
    let _ = listener.call2(&JsValue::NULL, &JsValue::from_str(name), &detail);
}
