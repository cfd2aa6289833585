//! What is known of single makers' servers beyond the standards, as data: what their scopes mean. Which of it counts
//! for a client is said by its `policies`, and nothing asks who the server is.

pub mod docspace;
pub mod laserfiche;

use super::scope::{Grammar, PLAIN};

/// The grammar with a name of the option `scopeGrammar`; without one, scopes mean their text.
pub fn grammar(name: Option<&str>) -> &'static Grammar {
    match name {
        Some("laserfiche") => &laserfiche::GRAMMAR,
        Some("docspace") => &docspace::GRAMMAR,
        _ => &PLAIN,
    }
}
