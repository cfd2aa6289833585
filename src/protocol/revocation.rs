//! Token revocation (RFC 7009).

use super::error::{AuthError, Phase};
use super::form::Form;
use super::http::{Request, Response};
use super::secret::Secret;

/// Asks the server to forget a token (2.1). The hint is `access_token` or `refresh_token`.
pub fn request(endpoint: &str, client_id: &str, token: &Secret, hint: &str) -> Request {
    let mut form = Form::new();
    form.add("token", token.expose()).add("token_type_hint", hint).add("client_id", client_id);
    Request::post(endpoint, form)
}

/// Judges the answer: 200 is the end of the token, whether the server knew it or not, and whatever the body says
/// (2.2). 503 and its like mean that it lives on (2.2.1).
pub fn response(response: &Response) -> Result<(), AuthError> {
    match response.status {
        200 => Ok(()),
        _ => Err(response.refusal(Phase::SignOut, "the server refused to revoke the token")),
    }
}
