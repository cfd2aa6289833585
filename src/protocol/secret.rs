//! Text that must not be seen: tokens, verifiers, request bodies.

use std::fmt;
use zeroize::Zeroize;

/// A secret text in one buffer of fixed size, overwritten when it is dropped. It prints as `Secret` and is
/// neither `Clone` nor comparable with `==`.
///
/// This is hygiene, not a boundary: whoever runs script in the page before the engine loads can read its
/// memory.
pub struct Secret(Box<str>);

impl Secret {
    /// Takes the text over. The text's own buffer is kept where its capacity is its length (as the JSON
    /// parser leaves it), so that no copy stays behind.
    pub fn new(text: String) -> Self {
        Secret(text.into_boxed_str())
    }

    /// The text. Do not let it get into an error, a log or a message.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
