//! Whole flows over a scripted browser and server. Tests named `sec_…` hold the rule of that number: each says
//! what is refused, that nothing goes out and nothing stays, and that an honest sign-in still works.

#![cfg(not(target_arch = "wasm32"))]

#[path = "../common/mod.rs"]
mod common;

mod attacks;
mod authorization_details;
mod authorization_request;
mod authorization_response;
mod challenges;
mod configuration;
mod discovery;
mod dpop;
mod dpop_keys;
mod dpop_nonces;
mod dpop_token_type;
mod fetch_policy;
mod fetch_retry;
mod front_channel;
mod id_token;
mod id_token_claims;
mod keys;
mod known_servers;
mod lost_answers;
mod par;
mod policies;
mod refresh;
mod refresh_identity;
mod refresh_trouble;
mod request_parameters;
mod resources;
mod response_modes;
mod response_order;
mod return_to;
mod revocation;
mod scopes;
mod session;
mod sign_in;
mod sign_out;
mod step_up;
mod storage;
mod stored_session;
mod stored_versions;
mod time;
mod time_proofs;
mod token_response;
mod transaction_storage;
mod two_servers;
mod unasked;
mod user_info;
mod windows;
