//! Whole flows over a scripted browser and server. Tests named `sec_…` hold the rule of that number: each says
//! what is refused, that nothing goes out and nothing stays, and that an honest sign-in still works.

#![cfg(not(target_arch = "wasm32"))]

#[path = "../common/mod.rs"]
mod common;

mod attacks;
mod authorization_request;
mod authorization_response;
mod configuration;
mod discovery;
mod fetch_policy;
mod id_token;
mod id_token_claims;
mod keys;
mod request_parameters;
mod response_order;
mod return_to;
mod session;
mod sign_in;
mod sign_out;
mod storage;
mod stored_session;
mod token_response;
mod two_servers;
