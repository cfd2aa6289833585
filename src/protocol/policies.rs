//! The option `policies`: in what a server is known to deviate from the standards. Each is off unless given, has a name,
//! and is read where the rule is that it changes; the profiles of `wardkey/providers` are data over them.

use super::shape::{Kind, Member, optional};

/// The option `policies`.
pub const POLICIES: &[Member] = &[
    // What scopes mean beyond their text.
    optional("scopeGrammar", Kind::Word(&["laserfiche", "docspace"])),
    // Is the client known by its redirect URI alone?
    optional("omitClientId", Kind::Flag),
    // The names of members of the token response, each with the standard's.
    optional("tokenResponseNames", Kind::Object),
    // Parameters of the authorization response, each with the values that it may have where it is there.
    optional("expectResponse", Kind::Object),
    // The one parameter of the sign-out page, for where it leads back to.
    optional("signOutReturnParameter", Kind::Text),
];
