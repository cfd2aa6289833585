//! What crosses to JavaScript, and nothing that decides.
//!
//! `pkg/src` is the other side: the public class there has one line a method over [`Engine`]. Arguments come as
//! JSON text, results go as plain values through the one bridge, errors as a short array.
//!
//! Deliberately absent: any rule, any state but the client.

mod engine;
mod error;
mod events;

/// Smaller than the default allocator by 2 KB after compression.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
