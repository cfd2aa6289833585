//! The hostile server: the honest one behind it, whose messages are changed on their way out as a scenario says.

use crate::common::server::AuthServer;
use crate::common::{Answer, CLIENT_ID, Sent, proofs, urls};
use crate::keys::Keys;
use crate::mutation::{self, Names};
use crate::scenario::{Change, Scenario};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use wardkey::protocol::dpop;
use wardkey::protocol::hash::from_base64url;

pub(crate) const ORIGIN: &str = "https://as.example";
pub(crate) const HONEST: &str = "https://as.example/honest";
pub(crate) const ATTACKER: &str = "https://attacker.example";
pub(crate) const API: &str = "https://api.example/v1";

pub(crate) struct Hostile {
    scenario: Rc<Scenario>,
    pub(crate) server: AuthServer,
    /// Another issuer, which is honest.
    pub(crate) honest: AuthServer,
    keys: Keys,
    /// Is it hostile now?
    pub(crate) armed: Cell<bool>,
    /// How many messages of its kind each change has met.
    met: RefCell<Vec<u64>>,
    /// Every request, by its name in the scenarios.
    requests: RefCell<Vec<String>>,
    /// Every code and token.
    issued: RefCell<Vec<String>>,
    /// The claims of the last sign-in's ID token.
    claims: RefCell<Value>,
    /// The newest nonce of each origin, as the page that is open now knows it.
    pub(crate) nonces: RefCell<BTreeMap<String, String>>,
    complaints: RefCell<Vec<String>>,
    now: Box<dyn Fn() -> i64>,
}

impl Hostile {
    pub(crate) fn new(
        scenario: &Rc<Scenario>,
        servers: [AuthServer; 2],
        now: impl Fn() -> i64 + 'static,
    ) -> Self {
        let [server, honest] = servers;
        Hostile {
            keys: Keys::new(&scenario.key),
            met: RefCell::new(vec![0; scenario.changes.len()]),
            scenario: Rc::clone(scenario),
            server,
            honest,
            armed: Cell::new(false),
            requests: RefCell::default(),
            issued: RefCell::default(),
            claims: RefCell::new(json!({})),
            nonces: RefCell::default(),
            complaints: RefCell::default(),
            now: Box::new(now),
        }
    }

    fn names(&self) -> Names {
        Names {
            texts: vec![
                ("$issuer", self.server.issuer.clone()),
                ("$honest", HONEST.to_owned()),
                ("$attacker", ATTACKER.to_owned()),
                ("$client", CLIENT_ID.to_owned()),
            ],
            keys: vec![("$key", self.keys.own.jwk()), ("$other", self.keys.other.jwk())],
            now: (self.now)() / 1000,
        }
    }

    /// The change that is due for this message.
    fn due(&self, message: &str) -> Option<&Change> {
        let mut met = self.met.borrow_mut();
        let mut due = None;
        for (change, met) in self.scenario.changes.iter().zip(met.iter_mut()) {
            if self.armed.get() && change.at == message {
                *met += 1;
                let behind = met.checked_sub(change.from);
                due = behind.filter(|behind| *behind < change.times).map(|_| change).or(due);
            }
        }
        due
    }

    /// The requests since the last time.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.borrow_mut())
    }

    /// What the client did wrong in the eyes of everybody.
    pub(crate) fn complaints(&self) -> Vec<String> {
        [self.complaints.borrow().clone(), self.server.complaints(), self.honest.complaints()].concat()
    }

    /// The first of the codes and tokens that were issued that stands in a text.
    pub(crate) fn secret_in(&self, text: &str) -> Option<String> {
        self.issued.borrow().iter().find(|secret| text.contains(secret.as_str())).cloned()
    }

    /// The network.
    pub(crate) fn answer(&self, sent: &Sent) -> Answer {
        let name = self.name(sent);
        self.requests.borrow_mut().push(name.clone());
        self.watch(sent, &name);
        let answer = match name.as_str() {
            "stranger" => Answer::json(&json!({})),
            "honest" => self.honest.answer(sent),
            _ => self.hostile_answer(sent, &name),
        };
        if let Answer::Reply { headers, .. } = &answer {
            self.note_nonce(&sent.url, headers);
        }
        answer
    }

    fn name(&self, sent: &Sent) -> String {
        let form = sent.form.as_deref().unwrap_or_default();
        let name = match sent.url.strip_prefix(&self.server.issuer) {
            Some("/.well-known/openid-configuration") => "discovery",
            Some("/token") if form.contains("grant_type=refresh_token") => "refresh",
            Some(path) => path.trim_start_matches('/'),
            None if sent.url.starts_with(API) => "api",
            None if sent.url.starts_with(&format!("{ORIGIN}/.well-known/")) => "discovery_oauth",
            None if sent.url.starts_with(HONEST) => "honest",
            None => "stranger",
        };
        name.to_owned()
    }

    /// What no request may have: tokens where they do not belong (SEC-053, SEC-081), and any nonce but the newest of
    /// the server that it goes to (SEC-107).
    fn watch(&self, sent: &Sent, name: &str) {
        let complain = |what: &str| self.complaints.borrow_mut().push(format!("{what} at {name}"));
        let form = sent.form.as_deref().unwrap_or_default();
        if self.secret_in(&sent.url).is_some() {
            complain("a secret in the URL");
        }
        if form.contains("=refresh-") && !matches!(name, "refresh" | "revoke") {
            complain("a refresh token");
        }
        if sent.authorization.is_some() && !matches!(name, "api" | "userinfo") {
            complain("an Authorization header");
        }
        if sent.proof.is_some() && self.armed.get() {
            let expected = self.nonces.borrow().get(&origin(&sent.url)).cloned();
            if proofs::claims(sent)["nonce"].as_str() != expected.as_deref() {
                complain("another nonce than the server's newest");
            }
        }
    }

    fn note_nonce(&self, url: &str, headers: &[(String, String)]) {
        let mut values = headers.iter().filter(|(name, _)| name == "dpop-nonce").map(|(_, value)| value);
        if let (Some(nonce), None) = (values.next(), values.next())
            && dpop::nonce(nonce).is_some()
        {
            self.nonces.borrow_mut().insert(origin(url), nonce.clone());
        }
    }

    fn hostile_answer(&self, sent: &Sent, name: &str) -> Answer {
        let change = self.due(name);
        // What is refused has no effect at the server.
        let is_refused =
            change.is_some_and(|change| change.mutation["reply"]["status"].as_u64() >= Some(400));
        let honest = match is_refused {
            true => Answer::json(&json!({})),
            false => self.dressed(self.server.answer(sent), name),
        };
        match change {
            Some(change) => mutation::answer(honest, &change.mutation, &self.names()),
            None => honest,
        }
    }

    /// The honest answer, with what this server has and the one behind it has not: keys of several kinds, ID tokens
    /// of refreshes, signed UserInfo.
    fn dressed(&self, answer: Answer, name: &str) -> Answer {
        let Answer::Reply { status, headers, body } = answer else { return answer };
        let Ok(mut document) = serde_json::from_slice::<Value>(&body) else {
            return Answer::Reply { status, headers, body };
        };
        let own = self.keys.own.jwk();
        match name {
            "discovery" => {
                document["id_token_signing_alg_values_supported"] = json!([own["alg"], "ES384"]);
                document["userinfo_signing_alg_values_supported"] = json!([own["alg"]]);
                document["authorization_signing_alg_values_supported"] = json!([own["alg"]]);
            }
            "jwks" => {
                let more = self.keys.more.iter().map(|key| key.jwk());
                document["keys"] = [own].into_iter().chain(more).collect();
            }
            "token" if document.get("id_token").is_some() => {
                let token = document["id_token"].as_str().expect("a token");
                let payload = from_base64url(token.split('.').nth(1).expect("a payload")).expect("base64url");
                let mut claims: Value = serde_json::from_slice(&payload).expect("JSON");
                claims["sid"] = "session-1".into();
                claims["auth_time"] = claims["iat"].clone();
                document["id_token"] = self.token("id_token", &claims).into();
                self.claims.replace(claims);
            }
            "refresh" if document.get("access_token").is_some() => {
                let mut claims = self.claims.borrow().clone();
                let now = (self.now)() / 1000;
                claims.as_object_mut().expect("an object").remove("nonce");
                (claims["iat"], claims["exp"]) = (now.into(), (now + 600).into());
                document["id_token"] = self.token("refreshed_id_token", &claims).into();
            }
            "userinfo" if status == 200 && self.scenario.changes[0].at == "userinfo_token" => {
                (document["iss"], document["aud"]) = (self.server.issuer.as_str().into(), CLIENT_ID.into());
                return Answer::new(200, "application/jwt", self.token("userinfo_token", &document));
            }
            _ => {}
        }
        let [access, refresh, id] =
            ["access_token", "refresh_token", "id_token"].map(|name| document[name].as_str());
        // What a signature ends in is the same in a changed one and in the right one.
        let signature = id.and_then(|token| token.rsplit_once('.')?.1.get(8..)).filter(|end| !end.is_empty());
        let secrets = [access, refresh, id, signature];
        self.issued.borrow_mut().extend(secrets.into_iter().flatten().map(str::to_owned));
        Answer::Reply { status, headers, body: document.to_string().into() }
    }

    fn token(&self, message: &str, claims: &Value) -> String {
        let change = self.due(message).map(|change| (change.part.as_str(), &change.mutation));
        self.keys.token(claims, change, &self.names())
    }

    /// What a person does: gives the URLs that an honest server and this one send the browser back to.
    pub(crate) fn respond(&self, url: &str) -> [String; 2] {
        // The response mode is of our making.
        let url = &urls::without(url, "response_mode");
        let honest = self.server.authorize(url);
        self.issued.borrow_mut().extend(urls::parameter(&honest, "code"));
        if url.starts_with(HONEST) {
            return [honest, self.honest.authorize(url)];
        }
        let mode = self.scenario.options["authorizationParams"]["responseMode"].as_str().unwrap_or("query");
        let parameters: Value =
            urls::parameters(&honest).into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        let place = honest.split('?').next().unwrap_or_default().to_owned();
        [false, true].map(|hostile| self.response(&place, parameters.clone(), mode, hostile))
    }

    fn response(&self, place: &str, mut parameters: Value, mode: &str, hostile: bool) -> String {
        if mode == "jwt" {
            parameters["aud"] = CLIENT_ID.into();
            parameters["exp"] = ((self.now)() / 1000 + 600).into();
            let token = match hostile {
                true => self.token("response", &parameters),
                false => self.keys.token(&parameters, None, &self.names()),
            };
            parameters = json!({ "response": token });
        }
        let change = if hostile { self.due("authorization") } else { None };
        let separator = if mode == "fragment" { "#" } else { "?" };
        self.url(place, separator, &parameters, change)
    }

    /// A URL with these parameters, after a change: one of the document that they are, of the URL's text, or
    /// `place: url`, `separator: text`.
    fn url(&self, place: &str, separator: &str, parameters: &Value, change: Option<&Change>) -> String {
        let (names, nothing) = (self.names(), json!({}));
        let operation = change.map_or(&nothing, |change| &change.mutation);
        let text = |name: &str, usual: &str| names.text(operation[name].as_str().unwrap_or(usual));
        let own = ["place", "separator", "after", "twice"].iter().any(|name| operation.get(name).is_some());
        let document = if own { &nothing } else { operation };
        let changed = mutation::document(&parameters.to_string(), document, &names);
        let changed: Value = serde_json::from_str(&changed).expect("JSON");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in changed.as_object().expect("an object") {
            query.append_pair(name, value.as_str().expect("a text"));
        }
        let mut query = query.finish();
        if let Some(name) = operation["twice"].as_str() {
            let value = names.text(operation["to"].as_str().expect("a text"));
            let again: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            query = format!("{query}&{name}={again}");
        }
        [text("place", place), text("separator", separator), query, text("after", "")].concat()
    }

    /// The URL at which the server has the app end its session.
    pub(crate) fn front_channel(&self) -> String {
        let parameters = json!({ "iss": self.server.issuer, "sid": "session-1" });
        self.url("https://app.example/logged-out", "?", &parameters, self.due("front_channel"))
    }

    /// The URL that the server sends the browser back to after a sign-out.
    pub(crate) fn farewell(&self, url: &str) -> String {
        let get = |name: &str| urls::parameter(url, name);
        if get("id_token_hint").is_none() || get("client_id").as_deref() != Some(CLIENT_ID) {
            self.complaints.borrow_mut().push("no hint, or no client, at the end of the session".to_owned());
        }
        let parameters = json!({ "state": get("state").expect("a state") });
        let place = get("post_logout_redirect_uri").expect("a URI");
        self.url(&place, "?", &parameters, self.due("return"))
    }
}

fn origin(url: &str) -> String {
    url::Url::parse(url).expect("a URL").origin().ascii_serialization()
}
