//! A scripted browser: `Platform` with a clock, a storage that can be denied, an HTTP cache, and a network that
//! is one function. Signatures are verified for real.

use super::executor::{Executor, Join};
use super::sign::SigningKey;
use super::verify;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use wardkey::client::{Area, COOKIE, Platform, Unavailable};
use wardkey::protocol::http::{Cache, Failure, HEADERS, MAX_BODY, Request, Response};
use wardkey::protocol::json::{self, Value};
use wardkey::protocol::jwk::SignatureCheck;
use wardkey::protocol::jwt::Algorithm;
use wardkey::protocol::secret::Secret;

/// A request that reached the network.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) url: String,
    /// The body of a POST.
    pub(crate) form: Option<String>,
    pub(crate) authorization: Option<String>,
    /// The `DPoP` header.
    pub(crate) proof: Option<String>,
    pub(crate) cache: Cache,
    pub(crate) timeout: i64,
}

/// What the network makes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Reply {
        status: u16,
        /// Those that CORS exposes.
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    Fail(Failure),
    /// After these milliseconds, if nobody's patience ends before.
    Late(i64, Box<Answer>),
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Answer::Reply { status, headers, body: body.into() }
    }

    /// With one more header, in lower case.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Answer {
        if let Answer::Reply { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(crate) fn json(value: &serde_json::Value) -> Answer {
        Answer::new(200, "application/json", value.to_string())
    }

    pub(crate) fn html(status: u16) -> Answer {
        Answer::new(status, "text/html", "<!doctype html><title>Sorry</title>")
    }

    pub(crate) fn late(self, milliseconds: i64) -> Answer {
        Answer::Late(milliseconds, Box::new(self))
    }
}

/// Somebody's place in the queue for a lock; the first one holds it.
struct Place {
    ticket: usize,
    /// The tab.
    owner: usize,
    waker: Option<Waker>,
}

/// A lock of the origin, while somebody holds it or waits for it: first come, first served.
pub(crate) struct Held {
    browser: Browser,
    name: String,
    ticket: usize,
}

impl Held {
    fn queue(browser: &Browser, name: &str) -> Held {
        let ticket = browser.tickets.replace(browser.tickets.get() + 1);
        let place = Place { ticket, owner: browser.executor.owner(), waker: None };
        browser.locks.borrow_mut().entry(name.to_owned()).or_default().push_back(place);
        Held { browser: browser.clone(), name: name.to_owned(), ticket }
    }

    fn poll_turn(&self, context: &Context<'_>) -> Poll<()> {
        let mut locks = self.browser.locks.borrow_mut();
        let queue = locks.get_mut(&self.name).expect("a queue");
        let position = queue.iter().position(|place| place.ticket == self.ticket).expect("a place");
        queue[position].waker = Some(context.waker().clone());
        if position == 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.browser.leave_locks(|place| place.ticket == self.ticket);
    }
}

/// A request of the app's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct AppRequest {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) body: String,
    /// Was the body read? A request cannot be sent then.
    pub(crate) used: Rc<Cell<bool>>,
}

type Network = Rc<dyn Fn(&Sent) -> Answer>;

/// One browser profile with one tab. Clones are the same tab.
#[derive(Clone)]
pub(crate) struct Browser(Rc<Tab>);

pub(crate) struct Tab {
    executor: Rc<Executor>,
    network: RefCell<Network>,
    sent: RefCell<Vec<Sent>>,
    http_cache: RefCell<BTreeMap<String, Answer>>,
    storage: RefCell<BTreeMap<String, String>>,
    pub(crate) cookies: RefCell<BTreeMap<String, String>>,
    pub(crate) origin_storage: RefCell<BTreeMap<String, String>>,
    /// How often something was written to the storage.
    writes: Cell<usize>,
    drawn: RefCell<Vec<Vec<u8>>>,
    sleeps: RefCell<Vec<i32>>,
    verified: Cell<usize>,
    /// No storage at all, as where cookies are blocked.
    pub(crate) storage_denied: Cell<bool>,
    /// What is there can be read, but nothing written.
    pub(crate) storage_full: Cell<bool>,
    /// Octets that one text may have in what all tabs share.
    pub(crate) origin_quota: Cell<usize>,
    pub(crate) no_random: Cell<bool>,
    /// No `crypto.subtle`, as on plain http.
    pub(crate) no_webcrypto: Cell<bool>,
    /// `generateKey` gives nothing that can be trusted, as where a page has replaced it.
    pub(crate) no_keys: Cell<bool>,
    /// It has no Ed25519, as browsers of before 2025.
    pub(crate) no_ed25519: Cell<bool>,
    pub(crate) offline: Cell<bool>,
    /// The tabs that stand where nobody sees them.
    pub(crate) hidden: RefCell<BTreeSet<usize>>,
    /// The public keys that were made.
    pub(crate) keys: RefCell<Vec<Value>>,
    /// The keys that are kept, by name.
    pub(crate) key_store: RefCell<BTreeMap<String, Rc<SigningKey>>>,
    /// Who holds a lock, and who waits for it.
    locks: RefCell<BTreeMap<String, VecDeque<Place>>>,
    tickets: Cell<usize>,
}

impl std::ops::Deref for Browser {
    type Target = Tab;

    fn deref(&self) -> &Tab {
        &self.0
    }
}

impl Browser {
    pub(crate) fn new(executor: Rc<Executor>, network: impl Fn(&Sent) -> Answer + 'static) -> Browser {
        Browser(Rc::new(Tab {
            executor,
            network: RefCell::new(Rc::new(network)),
            sent: RefCell::default(),
            http_cache: RefCell::default(),
            storage: RefCell::default(),
            cookies: RefCell::default(),
            origin_storage: RefCell::default(),
            writes: Cell::default(),
            drawn: RefCell::default(),
            sleeps: RefCell::default(),
            verified: Cell::default(),
            storage_denied: Cell::default(),
            storage_full: Cell::default(),
            origin_quota: Cell::new(usize::MAX),
            no_random: Cell::default(),
            no_webcrypto: Cell::default(),
            no_keys: Cell::default(),
            no_ed25519: Cell::default(),
            offline: Cell::default(),
            hidden: RefCell::default(),
            keys: RefCell::default(),
            key_store: RefCell::default(),
            locks: RefCell::default(),
            tickets: Cell::default(),
        }))
    }

    /// The value that a task comes to.
    pub(crate) fn run<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> T {
        self.executor.run(work)
    }

    pub(crate) fn start<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> Join<T> {
        self.executor.spawn(work)
    }
}

impl Tab {
    /// What reached the network, oldest first.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.borrow().clone()
    }

    /// The paths of what reached the network.
    pub(crate) fn paths(&self) -> Vec<String> {
        let path = |sent: &Sent| url::Url::parse(&sent.url).expect("a URL").path().to_owned();
        self.sent.borrow().iter().map(path).collect()
    }

    /// How many requests went to this path.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.paths().iter().filter(|sent| sent.ends_with(path)).count()
    }

    pub(crate) fn forget_requests(&self) {
        self.sent.borrow_mut().clear();
    }

    pub(crate) fn empty_http_cache(&self) {
        self.http_cache.borrow_mut().clear();
    }

    /// Everything that is kept in this tab.
    pub(crate) fn stored(&self) -> BTreeMap<String, String> {
        self.storage.borrow().clone()
    }

    /// Writes to the storage as another script could.
    pub(crate) fn tamper(&self, change: impl Fn(&str) -> String) {
        for text in self.storage.borrow_mut().values_mut() {
            *text = change(text);
        }
    }

    pub(crate) fn put(&self, key: &str, text: &str) {
        self.storage.borrow_mut().insert(key.to_owned(), text.to_owned());
    }

    pub(crate) fn writes(&self) -> usize {
        self.writes.get()
    }

    /// The random octets that were handed out.
    pub(crate) fn drawn(&self) -> Vec<Vec<u8>> {
        self.drawn.borrow().clone()
    }

    pub(crate) fn sleeps(&self) -> Vec<i32> {
        self.sleeps.borrow().clone()
    }

    /// How many signatures were looked at.
    pub(crate) fn verified(&self) -> usize {
        self.verified.get()
    }

    pub(crate) fn executor(&self) -> &Rc<Executor> {
        &self.executor
    }

    pub(crate) fn advance(&self, milliseconds: i64) {
        self.executor.advance(milliseconds);
    }

    /// The network's answer, with what a browser adds: it is not followed when it redirects, and kept if it may be.
    fn exchange(&self, sent: &Sent) -> Answer {
        let get = sent.form.is_none();
        if get
            && sent.cache == Cache::Reuse
            && let Some(kept) = self.http_cache.borrow().get(&sent.url)
        {
            return kept.clone();
        }
        self.sent.borrow_mut().push(sent.clone());
        if self.offline.get() {
            return Answer::Fail(Failure::Offline);
        }
        let network = Rc::clone(&self.network.borrow());
        let answer = network(sent);
        match &answer {
            Answer::Reply { status: 300..400, .. } => return Answer::Fail(Failure::Network),
            Answer::Reply { status: 200, .. } if get && sent.cache != Cache::NoStore => {
                self.http_cache.borrow_mut().insert(sent.url.clone(), answer.clone());
            }
            _ => {}
        }
        answer
    }
}

impl Tab {
    /// Closes a tab: nothing that it does goes on, and it holds no lock any more.
    #[allow(dead_code)] // Where there are several tabs that can be closed.
    pub(crate) fn close(&self, owner: usize) {
        self.executor.close(owner);
        self.leave_locks(|place| place.owner == owner);
    }

    fn leave_locks(&self, leaves: impl Fn(&Place) -> bool) {
        let mut locks = self.locks.borrow_mut();
        locks.values_mut().for_each(|queue| queue.retain(|place| !leaves(place)));
        let next: Vec<Waker> = locks
            .values_mut()
            .filter_map(|queue| queue.front_mut().and_then(|place| place.waker.take()))
            .collect();
        drop(locks);
        next.into_iter().for_each(Waker::wake);
    }

    fn area(&self, area: Area) -> &RefCell<BTreeMap<String, String>> {
        match area {
            Area::Tab => &self.storage,
            Area::Origin => &self.origin_storage,
            Area::Cookie => &self.cookies,
        }
    }

    /// The answer when it comes, not redirected, and not too large.
    async fn arrival(&self, sent: &Sent) -> Result<Response, Failure> {
        let mut answer = self.exchange(sent);
        // Never at once: no browser answers in the same turn.
        let mut wait = 0;
        while let Answer::Late(milliseconds, later) = answer {
            wait += milliseconds;
            answer = *later;
        }
        self.executor.sleep(wait.clamp(1, sent.timeout)).await;
        if wait > sent.timeout {
            return Err(Failure::Timeout);
        }
        match answer {
            Answer::Reply { body, .. } if body.len() > MAX_BODY => Err(Failure::TooLarge),
            Answer::Reply { status, headers, body } => Ok(response(status, &headers, body)),
            Answer::Fail(failure) => Err(failure),
            Answer::Late(..) => unreachable!("taken apart above"),
        }
    }
}

/// An answer as the rules see it.
pub(crate) fn response(status: u16, headers: &[(String, String)], body: Vec<u8>) -> Response {
    let header = |name: &&str| {
        let values: Vec<&str> =
            headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    };
    Response { status, headers: HEADERS.iter().map(header).collect(), body: body.into() }
}

impl Platform for Browser {
    type Key = Rc<SigningKey>;
    type Call = AppRequest;
    type Answer = String;
    type Lock = Held;

    fn now(&self) -> i64 {
        self.executor.clock()
    }

    fn monotonic(&self) -> i64 {
        self.executor.monotonic()
    }

    /// Predictable, and never twice the same.
    fn random(&self, octets: &mut [u8]) -> Result<(), Unavailable> {
        if self.no_random.get() {
            return Err(Unavailable);
        }
        let mut drawn = self.drawn.borrow_mut();
        let mut seed = drawn.len() as u64;
        for octet in octets.iter_mut() {
            // SplitMix64.
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *octet = (mixed >> 32) as u8;
        }
        drawn.push(octets.to_vec());
        Ok(())
    }

    async fn send(&self, request: &Request, timeout: i64) -> Result<Response, Failure> {
        let sent = Sent {
            method: request.method().to_owned(),
            url: request.url.clone(),
            form: request.form.as_ref().map(|form| form.expose().to_owned()),
            authorization: request.authorization.as_ref().map(|header| header.expose().to_owned()),
            proof: request.proof.clone(),
            cache: request.cache,
            timeout,
        };
        self.arrival(&sent).await
    }

    async fn call(
        &self,
        call: &AppRequest,
        authorization: &Secret,
        proof: Option<&str>,
        again: bool,
    ) -> Result<(String, Response), Failure> {
        assert!(!call.used.replace(!again), "the request is used up");
        let sent = Sent {
            method: call.method.clone(),
            url: call.url.clone(),
            form: Some(call.body.clone()).filter(|_| call.method != "GET"),
            authorization: Some(authorization.expose().to_owned()),
            proof: proof.map(str::to_owned),
            cache: Cache::NoStore,
            timeout: i64::MAX,
        };
        let response = self.arrival(&sent).await?;
        let text = String::from_utf8(response.body.to_vec()).expect("text");
        Ok((text, Response { body: Default::default(), ..response }))
    }

    async fn own_key(
        &self,
        algorithm: Algorithm,
        name: Option<&str>,
    ) -> Result<(Rc<SigningKey>, Value), Unavailable> {
        self.executor.sleep(1).await;
        if self.no_webcrypto.get() || self.no_keys.get() {
            return Err(Unavailable);
        }
        let kept = name.and_then(|name| self.key_store.borrow().get(name).cloned());
        let is_new = kept.is_none();
        if is_new && self.no_ed25519.get() && algorithm != Algorithm::Es256 {
            return Err(Unavailable);
        }
        let algorithm = if algorithm == Algorithm::Es256 { "ES256" } else { "EdDSA" };
        let key = kept.unwrap_or_else(|| Rc::new(SigningKey::new(algorithm, "own")));
        let jwk = json::parse(key.jwk().to_string().as_bytes()).expect("JSON");
        if is_new {
            self.keys.borrow_mut().push(jwk.clone());
        }
        if let Some(name) = name {
            self.key_store.borrow_mut().insert(name.to_owned(), Rc::clone(&key));
        }
        Ok((key, jwk))
    }

    async fn drop_key(&self, name: &str) {
        self.executor.sleep(1).await;
        self.key_store.borrow_mut().remove(name);
    }

    async fn sign(
        &self,
        key: &Rc<SigningKey>,
        _algorithm: Algorithm,
        input: &[u8],
    ) -> Result<Vec<u8>, Unavailable> {
        self.executor.sleep(1).await;
        Ok(key.sign_octets(input))
    }

    async fn verify(&self, check: SignatureCheck) -> Result<bool, Unavailable> {
        self.executor.sleep(1).await;
        if self.no_webcrypto.get() {
            return Err(Unavailable);
        }
        self.verified.set(self.verified.get() + 1);
        verify::is_genuine(&check).ok_or(Unavailable)
    }

    async fn lock(&self, name: &str) -> Held {
        let held = Held::queue(self, name);
        poll_fn(|context| held.poll_turn(context)).await;
        held
    }

    fn is_hidden(&self) -> bool {
        self.hidden.borrow().contains(&self.executor.owner())
    }

    fn is_offline(&self) -> bool {
        self.offline.get()
    }

    fn load(&self, area: Area, key: &str) -> Result<Option<String>, Unavailable> {
        if self.storage_denied.get() {
            return Err(Unavailable);
        }
        Ok(self.area(area).borrow().get(key).cloned())
    }

    fn save(&self, area: Area, key: &str, text: Option<&str>) -> Result<(), Unavailable> {
        if self.storage_denied.get()
            || (text.is_some() && self.storage_full.get())
            || (area == Area::Cookie && text.is_some_and(|text| text.len() > COOKIE))
            || (area == Area::Origin && text.is_some_and(|text| text.len() > self.origin_quota.get()))
        {
            return Err(Unavailable);
        }
        self.writes.set(self.writes.get() + 1);
        let mut storage = self.area(area).borrow_mut();
        match text {
            Some(text) => storage.insert(key.to_owned(), text.to_owned()),
            None => storage.remove(key),
        };
        Ok(())
    }

    fn sleep(&self, milliseconds: i32) -> impl Future<Output = ()> + 'static {
        assert!(milliseconds > 0, "a timer of {milliseconds} ms would fire at once, over and over");
        self.sleeps.borrow_mut().push(milliseconds);
        self.executor.sleep(milliseconds.into())
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.executor.spawn(task);
    }
}
