//! Sign people in to browser apps: the OAuth 2.0 authorization-code flow with PKCE, and OpenID Connect.
//!
//! Four layers, their dependencies pointing down; `cargo xtask check` keeps it so:
//!
//! ```text
//! bindings   what crosses to JavaScript: one entry, convert, delegate   wasm32 only
//! browser    Platform on Web APIs; the one place for js_sys / web_sys   wasm32 only
//! client     the flows: async over one small trait, Platform            host and wasm32
//! protocol   pure rules: no I/O, no clock, no randomness                host and wasm32
//! ```
//!
//! JavaScript uses the npm package `wardkey`, which is `bindings` behind a TypeScript class. A Rust front
//! end (Leptos, Yew, Dioxus) uses [`client::Client`] over `browser::Browser` directly:
//!
//! ```ignore
//! let client = Client::new(Browser::new(), Config::read(&options)?, |event| { /* render */ });
//! client.prepare().await?;
//! let request = client.create_authorize_url(&SignIn::default())?;
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice
    )
)]

#[cfg(all(target_arch = "wasm32", feature = "npm"))]
mod bindings;
#[cfg(target_arch = "wasm32")]
pub mod browser;
pub mod client;
pub mod protocol;
