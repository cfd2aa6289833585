//! The one bridge for values from here to JavaScript. (What comes from there is JSON text.)

use crate::protocol::json::Value;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use wasm_bindgen::JsValue;

/// A plain JavaScript value.
pub fn to_js(value: &Value) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    // Nothing in a `Value` can fail; should it, the page sees nothing.
    Js(value).serialize(&serializer).unwrap_or(JsValue::UNDEFINED)
}

struct Js<'a>(&'a Value);

impl Serialize for Js<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            // To the nearest number that JavaScript has, as its own parser does.
            Value::Integer(integer) => serializer.serialize_f64(*integer as f64),
            // Read by JavaScript, where floats are at home: doing it here would cost 10 KB.
            Value::Decimal(text) => serializer.serialize_f64(js_sys::Number::parse_float(text)),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(elements) => {
                let mut sequence = serializer.serialize_seq(Some(elements.len()))?;
                elements.iter().try_for_each(|element| sequence.serialize_element(&Js(element)))?;
                sequence.end()
            }
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                // To assign to `__proto__` would give the object another prototype.
                let members = members.iter().filter(|(name, _)| name != "__proto__");
                for (name, value) in members {
                    map.serialize_entry(name, &Js(value))?;
                }
                map.end()
            }
        }
    }
}
