//! An honest authorization server with OpenID Connect, in which tests change one thing at a time.

use super::browser::{Answer, Sent};
use super::executor::Executor;
use super::proofs::{self, Proofs};
use super::sign::SigningKey;
use super::urls;
use ring::digest;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use wardkey::protocol::hash::base64url;

/// What a code stands for, and the refresh token that comes of it.
#[derive(Clone, Default)]
struct Grant {
    challenge: String,
    nonce: Option<String>,
    redirect_uri: String,
    scope: String,
    /// The thumbprint of the key that the code is bound to, or that the refresh token is.
    key: Option<String>,
    redeemed: bool,
    /// How often it was refreshed.
    refreshed: usize,
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
    /// Pushed requests, as queries.
    pushed: RefCell<Vec<String>>,
    /// Access tokens in force: the thumbprint of their key, or an empty text.
    live: RefCell<BTreeMap<String, String>>,
    /// The nonce that proofs must have, if any.
    pub(crate) nonce: RefCell<Option<String>>,
    /// The same for the APIs, by host.
    pub(crate) api_nonces: RefCell<BTreeMap<String, String>>,
    /// Seconds by which the clock of all servers is ahead of the browser's.
    pub(crate) ahead: Cell<i64>,
    /// Seconds that access tokens are good for.
    pub(crate) lifetime: Cell<i64>,
    /// Refresh tokens are good for any number of uses, and come once.
    pub(crate) keeps_refresh_tokens: Cell<bool>,
    /// Refreshes bring an ID token too.
    pub(crate) identifies_again: Cell<bool>,
    proofs: Proofs,
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
            pushed: RefCell::default(),
            live: RefCell::default(),
            nonce: RefCell::default(),
            api_nonces: RefCell::default(),
            ahead: Cell::default(),
            lifetime: Cell::new(3600),
            keeps_refresh_tokens: Cell::default(),
            identifies_again: Cell::default(),
            proofs: Proofs::default(),
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
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "end_session_endpoint": format!("{issuer}/logout"),
            "revocation_endpoint": format!("{issuer}/revoke"),
            "pushed_authorization_request_endpoint": format!("{issuer}/par"),
            "dpop_signing_alg_values_supported": ["ES256", "EdDSA"],
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

    /// The key that signs now.
    pub(crate) fn signer(&self) -> Rc<SigningKey> {
        Rc::clone(&self.signer.borrow())
    }

    /// What the client did wrong in the eyes of the server.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.borrow().clone()
    }

    /// Does what a person does who signs in and consents: gives the URL that the browser is sent back to.
    pub(crate) fn authorize(&self, url: &str) -> String {
        let pushed = urls::parameter(url, "request_uri").map(|uri| {
            let position: usize = uri.rsplit(':').next().and_then(|it| it.parse().ok()).expect("a number");
            assert!(urls::parameter(url, "state").is_none(), "what was pushed stands in the URL");
            format!("{}?{}", self.issuer, std::mem::take(&mut self.pushed.borrow_mut()[position]))
        });
        let url = pushed.as_deref().unwrap_or(url);
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
        let in_query =
            answer.iter().fold(redirect_uri.clone(), |url, (name, value)| urls::with(&url, name, value));
        let back = match get("response_mode").as_str() {
            "fragment" => in_query.replacen('?', "#", 1),
            "jwt" => {
                let mut claims = json!({ "aud": self.client_id, "exp": self.executor.now() / 1000 + 600 });
                answer.iter().for_each(|(name, value)| claims[*name] = (*value).into());
                let signer = self.signer();
                let header = json!({ "alg": signer.algorithm(), "kid": signer.kid });
                urls::with(&redirect_uri, "response", &signer.sign(&header, &claims))
            }
            _ => in_query,
        };
        let challenge = get("code_challenge");
        let key = urls::parameter(url, "dpop_jkt");
        self.grants
            .borrow_mut()
            .insert(code, Grant { challenge, nonce, redirect_uri, scope, key, ..Grant::default() });
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
            ("/token", Some(form)) => self.token_endpoint(sent, form),
            ("/par", Some(form)) => self.push(form),
            ("/userinfo", None) => self.protected(sent, &json!({ "sub": SUBJECT, "name": "Ann" })),
            ("/revoke", Some(form)) => self.revoke(form),
            _ => Answer::html(404),
        };
        let fault = self.faults.borrow().get(path).cloned();
        fault.map_or_else(honest, |fault| fault(&honest))
    }

    /// RFC 8414 puts its well-known part before the issuer's path.
    fn answer_outside(&self, sent: &Sent) -> Answer {
        let url = url::Url::parse(&sent.url).expect("a URL");
        let fault = self.faults.borrow().get(url.path()).cloned();
        let is_api = url.host_str().is_some_and(|host| host.ends_with("api.example"));
        let honest = || match is_api {
            true => self.protected(sent, &json!({ "ok": true })),
            false => Answer::json(&self.metadata()),
        };
        match fault {
            Some(fault) => fault(&honest),
            None if is_api => honest(),
            None => Answer::html(404),
        }
    }

    /// A resource that wants a token in force (RFC 6750), with a proof where it is bound (RFC 9449 7).
    fn protected(&self, sent: &Sent, body: &Value) -> Answer {
        let challenge = |scheme: &str, error: &str| {
            Answer::html(401).with("www-authenticate", &format!("{scheme} error=\"{error}\""))
        };
        let header = sent.authorization.as_deref().unwrap_or_default();
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        let Some(key) = self.live.borrow().get(token).cloned() else {
            return challenge(scheme, "invalid_token");
        };
        if key.is_empty() {
            return if scheme == "Bearer" {
                Answer::json(body)
            } else {
                challenge("Bearer", "invalid_token")
            };
        }
        let nonce = self.nonce_of(sent);
        match self.check_proof(sent, Some(token)) {
            Ok(_) if nonce.as_ref().is_some_and(|nonce| !proofs::has_nonce(sent, nonce)) => {
                challenge("DPoP", "use_dpop_nonce").with("dpop-nonce", &nonce.unwrap_or_default())
            }
            Ok(thumbprint) if scheme == "DPoP" && thumbprint == key => Answer::json(body),
            Ok(_) => challenge("DPoP", "invalid_token"),
            Err(why) => {
                self.complain(&why);
                challenge("DPoP", "invalid_dpop_proof")
            }
        }
    }

    /// The nonce that a proof must have there.
    fn nonce_of(&self, sent: &Sent) -> Option<String> {
        if sent.url.starts_with(&self.issuer) {
            return self.nonce.borrow().clone();
        }
        let url = url::Url::parse(&sent.url).expect("a URL");
        self.api_nonces.borrow().get(url.host_str()?).cloned()
    }

    /// The thumbprint of the proof's key. Where there is a nonce, it is what tells the proof's time (RFC 9449 11.1).
    fn check_proof(&self, sent: &Sent, token: Option<&str>) -> Result<String, String> {
        let claimed = proofs::claims(sent)["iat"].as_i64().unwrap_or_default();
        let now = self.nonce_of(sent).map_or(self.executor.now() / 1000 + self.ahead.get(), |_| claimed);
        self.proofs.check(sent, token, now)
    }

    fn push(&self, form: &str) -> Answer {
        let mut pushed = self.pushed.borrow_mut();
        pushed.push(form.to_owned());
        let uri = format!("urn:ietf:params:oauth:request_uri:{}", pushed.len() - 1);
        Answer::new(201, "application/json", json!({ "request_uri": uri, "expires_in": 60 }).to_string())
    }

    fn revoke(&self, form: &str) -> Answer {
        let fields = urls::fields(form);
        let token = fields.iter().find(|(name, _)| name == "token").map_or("", |(_, value)| value);
        self.live.borrow_mut().remove(token);
        self.grants.borrow_mut().remove(token);
        Answer::html(200)
    }

    /// No access token is in force any more.
    pub(crate) fn forget_tokens(&self) {
        self.live.borrow_mut().clear();
    }

    /// No refresh token is good any more.
    pub(crate) fn forget_grants(&self) {
        self.grants.borrow_mut().clear();
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

    /// The token endpoint (RFC 6749 4.1.3, 6; RFC 7636 4.6; RFC 9449 5).
    fn token_endpoint(&self, sent: &Sent, form: &str) -> Answer {
        let key = match &sent.proof {
            None => None,
            Some(_) => match self.check_proof(sent, None) {
                Ok(key) => Some(key),
                Err(why) => {
                    self.complain(&why);
                    return Answer::new(400, "application/json", r#"{"error":"invalid_dpop_proof"}"#);
                }
            },
        };
        if let (Some(nonce), true) = (&*self.nonce.borrow(), sent.proof.is_some())
            && !proofs::has_nonce(sent, nonce)
        {
            let body = r#"{"error":"use_dpop_nonce"}"#;
            return Answer::new(400, "application/json", body).with("dpop-nonce", nonce);
        }
        let fields: BTreeMap<String, String> = urls::fields(form).into_iter().collect();
        if fields.len() != urls::fields(form).len() {
            return self.complain("a parameter came twice");
        }
        let get = |name: &str| fields.get(name).map_or("", String::as_str);
        if get("client_id") != self.client_id {
            return self.complain("client_id");
        }
        let grant = match get("grant_type") {
            "authorization_code" => self.redeem(&fields, key),
            "refresh_token" => self.refresh(&fields, key),
            _ => Err("grant_type"),
        };
        match grant {
            Ok(grant) => self.tokens(&grant, get("scope"), get("resource")),
            Err(what) => self.complain(what),
        }
    }

    fn redeem(&self, fields: &BTreeMap<String, String>, key: Option<String>) -> Result<Grant, &'static str> {
        let known = ["grant_type", "code", "redirect_uri", "client_id", "code_verifier", "resource"];
        if fields.keys().any(|name| !known.contains(&name.as_str())) {
            return Err("the fields of the token request");
        }
        let get = |name: &str| fields.get(name).map_or("", String::as_str);
        let mut grants = self.grants.borrow_mut();
        let grant = grants.get_mut(get("code")).ok_or("an unknown code")?;
        if std::mem::replace(&mut grant.redeemed, true) {
            return Err("a code that was used before");
        }
        let challenge = base64url(digest::digest(&digest::SHA256, get("code_verifier").as_bytes()).as_ref());
        let wrong = [
            (get("redirect_uri") != grant.redirect_uri, "redirect_uri"),
            (challenge != grant.challenge, "code_verifier"),
            (grant.key.is_some() && grant.key != key, "dpop_jkt"),
        ];
        if let Some((_, what)) = wrong.iter().find(|(wrong, _)| *wrong) {
            return Err(what);
        }
        grant.key = key;
        Ok(grant.clone())
    }

    /// Refresh tokens are good for one use (RFC 9700 4.14.2); the name of one says which use it is.
    fn refresh(&self, fields: &BTreeMap<String, String>, key: Option<String>) -> Result<Grant, &'static str> {
        let known = ["grant_type", "refresh_token", "client_id", "scope", "resource"];
        if fields.keys().any(|name| !known.contains(&name.as_str())) {
            return Err("the fields of the refresh request");
        }
        let token = fields.get("refresh_token").map_or("", String::as_str);
        let mut grants = self.grants.borrow_mut();
        let mut grant = grants.remove(token).ok_or("an unknown refresh token")?;
        if grant.key != key {
            return Err("another key than the grant's");
        }
        if self.keeps_refresh_tokens.get() {
            grants.insert(token.to_owned(), grant.clone());
        }
        grant.refreshed += 1;
        Ok(grant)
    }

    /// An access token in force, and where `offline_access` was granted a refresh token.
    fn tokens(&self, grant: &Grant, scope: &str, resource: &str) -> Answer {
        let access_token =
            format!("access-{}-{}{}", grant.challenge, grant.refreshed, base64url(resource.as_bytes()));
        let key = grant.key.clone();
        let mut tokens = json!({
            "access_token": access_token,
            "token_type": if key.is_some() { "DPoP" } else { "Bearer" },
            "expires_in": self.lifetime.get(),
            "scope": if scope.is_empty() { &grant.scope } else { scope },
        });
        self.live.borrow_mut().insert(access_token, key.unwrap_or_default());
        let again = grant.refreshed > 0;
        if grant.scope.split(' ').any(|scope| scope == "offline_access")
            && !(again && self.keeps_refresh_tokens.get())
        {
            let refresh_token = format!("refresh-{}-{}", grant.challenge, grant.refreshed);
            tokens["refresh_token"] = refresh_token.as_str().into();
            self.grants.borrow_mut().insert(refresh_token, grant.clone());
        }
        if grant.nonce.is_some() && (!again || self.identifies_again.get()) {
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
