//! Token revocation (RFC 7009).

use super::error::{AuthError, Code, Phase};
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
    if response.status == 200 {
        return Ok(());
    }
    if let Some(error) = response.temporary_error(Phase::SignOut) {
        return Err(error);
    }
    let document = response.json_object("application/json");
    let error = document.as_ref().and_then(|document| document.text("error"));
    let refused = |code, reason| AuthError::new(code, Phase::SignOut, reason).with_status(response.status);
    Err(match error {
        Some(error) if (400..500).contains(&response.status) => {
            refused(Code::AuthorizationFailed, "the server refused to revoke the token")
                .with_oauth_error(error)
        }
        _ => refused(Code::ServerError, "an unexpected HTTP status").permanent(),
    })
}
