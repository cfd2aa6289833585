//! The rules, and nothing else.
//!
//! Everything is an argument: time, random octets, configuration and responses are passed in, and what to
//! send next is given back. An exchange with a server is two functions in one file: one builds the request,
//! one judges the response. Security checks carry the section of the standard that asks for them, and come
//! in its order.
//!
//! Deliberately absent: any I/O, clock, source of randomness, Web API, global state, or `use` of another
//! layer of this crate.

pub mod authorize;
pub mod callback;
pub mod challenge;
pub mod config;
pub mod cookie;
pub mod date;
pub mod dpop;
pub mod error;
pub mod form;
pub mod hash;
pub mod http;
pub mod id_token;
pub mod initiated;
pub mod json;
pub mod jwk;
pub mod jwt;
pub mod logout;
pub mod metadata;
pub mod par;
pub mod pkce;
pub mod policies;
pub mod providers;
pub mod revocation;
pub mod scope;
pub mod secret;
pub mod shape;
pub mod signed;
pub mod target;
pub mod text;
pub mod token;
pub mod transaction;
pub mod url;
pub mod userinfo;
