//! An honest authorization server with OpenID Connect, in which tests change one thing at a time.

use super::browser::{Answer, Sent};
use super::executor::Executor;
use super::sign::SigningKey;
use super::urls;
use ring::digest;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use wardkey::protocol::hash::base64url;

/// What a code stands for.
struct Grant {
    challenge: String,
    nonce: Option<String>,
    redirect_uri: String,
    scope: String,
    redeemed: bool,
}

type Change = Box<dyn Fn(&mut Value)>;
type Fault = Rc<dyn Fn(&dyn Fn() -> Answer) -> Answer>;

/// What a test changes.
#[derive(Default)]
struct Changes {
    metadata: Option<Change>,
    header: Option<Change>,
    claims: Option<Change>,
    tokens: Option<Change>,
    key_set: Option<Change>,
}

pub(crate) struct AuthServer {
    pub(crate) issuer: String,
    client_id: String,
    executor: Rc<Executor>,
    published: RefCell<Vec<Rc<SigningKey>>>,
    signer: RefCell<Rc<SigningKey>>,
    grants: RefCell<BTreeMap<String, Grant>>,
    changes: RefCell<Changes>,
    faults: RefCell<BTreeMap<String, Fault>>,
    complaints: RefCell<Vec<String>>,
}

/// The subject of everybody who signs in here.
pub(crate) const SUBJECT: &str = "248289761001";

impl AuthServer {
    pub(crate) fn new(issuer: &str, client_id: &str, executor: Rc<Executor>) -> AuthServer {
        let key = Rc::new(SigningKey::new("ES256", "key-1"));
        AuthServer {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            executor,
            published: RefCell::new(vec![Rc::clone(&key)]),
            signer: RefCell::new(key),
            grants: RefCell::default(),
            changes: RefCell::default(),
            faults: RefCell::default(),
            complaints: RefCell::default(),
        }
    }

    /// Where the discovery documents are, by the two rules.
    pub(crate) fn metadata(&self) -> Value {
        let issuer = &self.issuer;
        let mut metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "end_session_endpoint": format!("{issuer}/logout"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["ES256", "ES384", "EdDSA"],
            "authorization_response_iss_parameter_supported": true,
        });
        if let Some(change) = &self.changes.borrow().metadata {
            change(&mut metadata);
        }
        metadata
    }

    pub(crate) fn change_metadata(&self, change: impl Fn(&mut Value) + 'static) {
        self.changes.borrow_mut().metadata = Some(Box::new(change));
    }

    pub(crate) fn change_header(&self, change: impl Fn(&mut Value) + 'static) {
        self.changes.borrow_mut().header = Some(Box::new(change));
    }

    pub(crate) fn change_claims(&self, change: impl Fn(&mut Value) + 'static) {
        self.changes.borrow_mut().claims = Some(Box::new(change));
    }

    pub(crate) fn change_tokens(&self, change: impl Fn(&mut Value) + 'static) {
        self.changes.borrow_mut().tokens = Some(Box::new(change));
    }

    pub(crate) fn change_key_set(&self, change: impl Fn(&mut Value) + 'static) {
        self.changes.borrow_mut().key_set = Some(Box::new(change));
    }

    /// Answers a path in another way; `honest` is how it would have been answered.
    pub(crate) fn at(&self, path: &str, fault: impl Fn(&dyn Fn() -> Answer) -> Answer + 'static) {
        self.faults.borrow_mut().insert(path.to_owned(), Rc::new(fault));
    }

    /// Honest again, with the first key.
    pub(crate) fn heal(&self) {
        *self.signer.borrow_mut() = Rc::clone(&self.published.borrow()[0]);
        self.faults.borrow_mut().clear();
        *self.changes.borrow_mut() = Changes::default();
    }

    /// Signs with another key from now on, and publishes it if it says so.
    pub(crate) fn rotate(&self, key: SigningKey, publish: bool) {
        let key = Rc::new(key);
        if publish {
            self.published.borrow_mut().push(Rc::clone(&key));
        }
        *self.signer.borrow_mut() = key;
    }

    /// What the client did wrong in the eyes of the server.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.borrow().clone()
    }

    /// Does what a person does who signs in and consents: gives the URL that the browser is sent back to.
    pub(crate) fn authorize(&self, url: &str) -> String {
        let get = |name| urls::parameter(url, name).unwrap_or_default();
        assert_eq!(get("response_type"), "code");
        assert_eq!(get("client_id"), self.client_id);
        assert_eq!(get("code_challenge_method"), "S256");
        let nonce = urls::parameter(url, "nonce");
        let scope = get("scope");
        let openid = scope.split(' ').any(|scope| scope == "openid");
        assert_eq!(openid, nonce.is_some(), "a nonce is for OpenID Connect, and for it alone");
        let code = format!("code-{}", self.grants.borrow().len());
        let redirect_uri = get("redirect_uri");
        let answer = [("code", code.as_str()), ("state", &get("state")), ("iss", &self.issuer)];
        let back =
            answer.iter().fold(redirect_uri.clone(), |url, (name, value)| urls::with(&url, name, value));
        let challenge = get("code_challenge");
        self.grants
            .borrow_mut()
            .insert(code, Grant { challenge, nonce, redirect_uri, scope, redeemed: false });
        back
    }

    /// The URL that the browser is sent back to when the person says no.
    pub(crate) fn refuse(&self, url: &str, error: &str) -> String {
        urls::with(&urls::without(&self.authorize(url), "code"), "error", error)
    }

    /// The server's side of the network.
    pub(crate) fn answer(&self, sent: &Sent) -> Answer {
        let Some(path) = sent.url.strip_prefix(&self.issuer) else { return self.answer_outside(sent) };
        let honest = || match (path, &sent.form) {
            ("/.well-known/openid-configuration", None) => Answer::json(&self.metadata()),
            ("/jwks", None) => self.key_set(),
            ("/token", Some(form)) => self.redeem(form),
            _ => Answer::html(404),
        };
        let fault = self.faults.borrow().get(path).cloned();
        fault.map_or_else(honest, |fault| fault(&honest))
    }

    /// RFC 8414 puts its well-known part before the issuer's path.
    fn answer_outside(&self, sent: &Sent) -> Answer {
        let url = url::Url::parse(&sent.url).expect("a URL");
        let fault = self.faults.borrow().get(url.path()).cloned();
        fault.map_or_else(|| Answer::html(404), |fault| fault(&|| Answer::json(&self.metadata())))
    }

    fn key_set(&self) -> Answer {
        let keys: Vec<Value> = self.published.borrow().iter().map(|key| key.jwk()).collect();
        let mut set = json!({ "keys": keys });
        if let Some(change) = &self.changes.borrow().key_set {
            change(&mut set);
        }
        Answer::new(200, "application/jwk-set+json", set.to_string())
    }

    fn complain(&self, what: &str) -> Answer {
        self.complaints.borrow_mut().push(what.to_owned());
        Answer::new(400, "application/json", r#"{"error":"invalid_grant"}"#)
    }

    /// The token endpoint (RFC 6749 4.1.3, RFC 7636 4.6).
    fn redeem(&self, form: &str) -> Answer {
        let fields = urls::fields(form);
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        if names != ["grant_type", "code", "redirect_uri", "client_id", "code_verifier"] {
            return self.complain("the fields of the token request");
        }
        let values: Vec<&str> = fields.iter().map(|(_, value)| value.as_str()).collect();
        let [grant_type, code, redirect_uri, client_id, verifier] = values[..] else { unreachable!() };
        let mut grants = self.grants.borrow_mut();
        let Some(grant) = grants.get_mut(code) else { return self.complain("an unknown code") };
        if grant.redeemed {
            return self.complain("a code that was used before");
        }
        grant.redeemed = true;
        let challenge = base64url(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref());
        let wrong = [
            (grant_type != "authorization_code", "grant_type"),
            (redirect_uri != grant.redirect_uri, "redirect_uri"),
            (client_id != self.client_id, "client_id"),
            (challenge != grant.challenge, "code_verifier"),
        ];
        match wrong.iter().find(|(wrong, _)| *wrong) {
            Some((_, what)) => self.complain(what),
            None => self.tokens(grant),
        }
    }

    fn tokens(&self, grant: &Grant) -> Answer {
        let mut tokens = json!({
            "access_token": format!("access-{}", grant.challenge),
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": grant.scope,
        });
        if grant.nonce.is_some() {
            tokens["id_token"] = self.id_token(grant).into();
        }
        if let Some(change) = &self.changes.borrow().tokens {
            change(&mut tokens);
        }
        Answer::json(&tokens)
    }

    fn id_token(&self, grant: &Grant) -> String {
        let signer = self.signer.borrow();
        let now = self.executor.now() / 1000;
        let mut header = json!({ "alg": signer.algorithm(), "kid": signer.kid });
        let mut claims = json!({
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": self.client_id,
            "exp": now + 600,
            "iat": now,
            "nonce": grant.nonce,
        });
        let changes = self.changes.borrow();
        for (change, part) in [(&changes.header, &mut header), (&changes.claims, &mut claims)] {
            if let Some(change) = change {
                change(part);
            }
        }
        signer.sign(&header, &claims)
    }
}
