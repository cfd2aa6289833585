//! The UserInfo endpoint (OpenID Connect Core 5.3).

use super::session::User;
use super::{Client, Platform};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::Cache;
use crate::protocol::json::Value;
use crate::protocol::jwt;
use crate::protocol::signed;
use crate::protocol::token::TokenOptions;
use crate::protocol::userinfo::{self, UserInfo};
use std::rc::Rc;

fn refused(code: Code, reason: &'static str) -> AuthError {
    AuthError::new(code, Phase::UserInfo, reason)
}

impl<P: Platform> Client<P> {
    /// The claims about the person who is signed in, as the server knows them now.
    ///
    /// # Errors
    /// `not_signed_in` without an ID token that says who it is (Core 16.11), `user_mismatch` for another person's
    /// claims, `discovery_failed` where the server has no such endpoint, and those of [`token`](Self::token).
    pub async fn user_info(&self) -> Result<Value, AuthError> {
        self.known_user()?;
        let metadata = self.metadata(Cache::Default).await?;
        let Some(endpoint) = metadata.userinfo_endpoint() else {
            return Err(refused(Code::DiscoveryFailed, "the server has no userinfo_endpoint"));
        };
        let options = TokenOptions::default();
        let mut again = true;
        let response = loop {
            let token = self.token(&options).await?;
            let request = userinfo::request(endpoint, token.authorization(), None);
            let response = self.exchange(request, Some(&token), false, None, Phase::UserInfo).await?;
            if !(again && response.status == 401) || self.renew(&token, &options).await.is_err() {
                break response;
            }
            again = false;
        };
        let claims = match userinfo::response(&response)? {
            UserInfo::Claims(claims) => claims,
            UserInfo::Signed(token) => self.signed_claims(&token, &metadata.userinfo_algorithms()).await?,
        };
        // Who is signed in by now: claims about somebody before are of no use to the app.
        userinfo::check_subject(&claims, &self.known_user()?.subject)?;
        Ok(claims)
    }

    fn known_user(&self) -> Result<Rc<User>, AuthError> {
        let user = self.session(|session| session.user.clone())?;
        user.ok_or_else(|| refused(Code::NotSignedIn, "the session has no ID token"))
    }

    async fn signed_claims(&self, token: &str, algorithms: &[jwt::Algorithm]) -> Result<Value, AuthError> {
        let jwt = jwt::parse(token).map_err(userinfo::refused)?;
        let issuer = self.0.config.expected_issuer().ok_or_else(|| userinfo::refused("iss"))?;
        let (now, skew) = self.seconds_and_skew(0);
        let client_id = self.0.config.client_id();
        let expected = signed::Expected { issuer, client_id, algorithms, now, clock_skew: skew };
        signed::check(&jwt, &expected).map_err(userinfo::refused)?;
        self.verify_signature(&jwt).await.map_err(|error| match error.code() {
            Code::IdTokenInvalid => userinfo::refused(error.reason()),
            _ => error.in_phase(Phase::UserInfo),
        })?;
        Ok(jwt.claims)
    }
}
