//! The world of a native test: a scripted browser, an honest authorization server to take liberties with, and
//! the page between them. Nothing here sleeps, uses a thread, or asks a network.

pub(crate) mod browser;
pub(crate) mod executor;
pub(crate) mod page;
pub(crate) mod proofs;
pub(crate) mod server;
pub(crate) mod sign;
pub(crate) mod urls;
#[path = "verify.rs"]
pub(crate) mod verify;
pub(crate) mod world;

pub(crate) use browser::{Answer, Browser, Sent};
pub(crate) use page::{Page, assert_error, code_of};
pub(crate) use server::AuthServer;
pub(crate) use world::{CALLBACK, CLIENT_ID, ISSUER, World};
