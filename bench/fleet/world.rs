//! As little of a world as clients need: a clock, tasks, and a token endpoint.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use wardkey::client::{Area, Platform, Unavailable};
use wardkey::protocol::http::{Failure, HEADERS, Request, Response};
use wardkey::protocol::json::Value;
use wardkey::protocol::jwk::SignatureCheck;
use wardkey::protocol::jwt::Algorithm;
use wardkey::protocol::secret::Secret;

/// Milliseconds from a request to its answer.
const TRIP: i64 = 50;

type Work = Pin<Box<dyn Future<Output = ()>>>;
type Queue = Arc<Mutex<VecDeque<usize>>>;

struct Ready(usize, Queue);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.1.lock().expect("one thread").push_back(self.0);
    }
}

/// The time, the tasks, and the server.
pub(crate) struct World {
    now: Cell<i64>,
    tasks: RefCell<Vec<Option<Work>>>,
    free: RefCell<Vec<usize>>,
    ready: Queue,
    timers: RefCell<BinaryHeap<Reverse<(i64, u64)>>>,
    waiting: RefCell<BTreeMap<u64, Waker>>,
    next: Cell<u64>,
    random: Cell<u64>,
    /// Requests in each second.
    pub(crate) asked: RefCell<BTreeMap<i64, usize>>,
    /// When each client was served.
    pub(crate) served: RefCell<Vec<i64>>,
    /// Requests that are answered in a second.
    pub(crate) capacity: Cell<usize>,
    /// From when on there is another capacity.
    pub(crate) opens_at: Cell<i64>,
    pub(crate) opens_to: Cell<usize>,
    /// The second, and what was answered in it.
    answered: Cell<(i64, usize)>,
}

impl World {
    pub(crate) fn new() -> Rc<World> {
        Rc::new(World {
            now: Cell::new(1_790_000_000_000),
            tasks: RefCell::default(),
            free: RefCell::default(),
            ready: Queue::default(),
            timers: RefCell::default(),
            waiting: RefCell::default(),
            next: Cell::default(),
            random: Cell::new(1),
            asked: RefCell::default(),
            served: RefCell::default(),
            capacity: Cell::new(usize::MAX),
            opens_at: Cell::new(i64::MAX),
            opens_to: Cell::new(usize::MAX),
            answered: Cell::default(),
        })
    }

    pub(crate) fn now(&self) -> i64 {
        self.now.get()
    }

    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        let place = self.free.borrow_mut().pop().unwrap_or(tasks.len());
        if place == tasks.len() {
            tasks.push(None);
        }
        tasks[place] = Some(Box::pin(work));
        self.ready.lock().expect("one thread").push_back(place);
    }

    fn settle(&self) {
        loop {
            let Some(place) = self.ready.lock().expect("one thread").pop_front() else { return };
            let Some(mut work) = self.tasks.borrow_mut()[place].take() else { continue };
            let waker = Waker::from(Arc::new(Ready(place, Arc::clone(&self.ready))));
            match work.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => self.tasks.borrow_mut()[place] = Some(work),
                Poll::Ready(()) => self.free.borrow_mut().push(place),
            }
        }
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, milliseconds: i64) {
        let end = self.now() + milliseconds;
        self.settle();
        loop {
            let due = self.timers.borrow().peek().map(|Reverse(timer)| *timer).filter(|(at, _)| *at <= end);
            let Some((at, id)) = due else { break };
            self.timers.borrow_mut().pop();
            self.now.set(self.now().max(at));
            let waker = self.waiting.borrow_mut().remove(&id);
            waker.into_iter().for_each(Waker::wake);
            self.settle();
        }
        self.now.set(end);
    }

    /// Lets time pass in which no timer fires: all sleep.
    pub(crate) fn sleep_until(&self, time: i64) {
        self.now.set(time);
    }

    pub(crate) fn sleep(self: &Rc<Self>, milliseconds: i64) -> impl Future<Output = ()> + use<> {
        let world = Rc::clone(self);
        let (at, id) = (self.now() + milliseconds, self.next.replace(self.next.get() + 1));
        self.timers.borrow_mut().push(Reverse((at, id)));
        poll_fn(move |context| {
            if world.now() >= at {
                return Poll::Ready(());
            }
            world.waiting.borrow_mut().insert(id, context.waker().clone());
            Poll::Pending
        })
    }

    /// The token endpoint.
    fn answer(&self) -> (u16, String) {
        let now = self.now();
        if now >= self.opens_at.get() {
            self.capacity.set(self.opens_to.get());
        }
        *self.asked.borrow_mut().entry(now / 1000).or_default() += 1;
        let (second, count) = self.answered.get();
        let count = if second == now / 1000 { count + 1 } else { 1 };
        self.answered.set((now / 1000, count));
        if count > self.capacity.get() {
            return (503, String::new());
        }
        self.served.borrow_mut().push(now);
        let number = self.next.replace(self.next.get() + 1);
        let tokens = format!(
            r#"{{"access_token":"a{number}","refresh_token":"r{number}","token_type":"Bearer","expires_in":3600}}"#
        );
        (200, tokens)
    }
}

/// A browser of the fleet.
pub(crate) struct Device(pub(crate) Rc<World>);

impl Platform for Device {
    type Key = ();
    type Call = ();
    type Answer = ();
    type Lock = ();

    fn now(&self) -> i64 {
        self.0.now()
    }

    fn monotonic(&self) -> i64 {
        self.0.now()
    }

    fn random(&self, octets: &mut [u8]) -> Result<(), Unavailable> {
        for octet in octets {
            // SplitMix64.
            let seed = self.0.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
            self.0.random.set(seed);
            let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *octet = (mixed >> 32) as u8;
        }
        Ok(())
    }

    async fn send(&self, _: &Request, _: i64) -> Result<Response, Failure> {
        self.0.sleep(TRIP / 2).await;
        let (status, body) = self.0.answer();
        self.0.sleep(TRIP / 2).await;
        let header = |name: &&str| (*name == "content-type").then(|| "application/json".to_owned());
        Ok(Response { status, headers: HEADERS.iter().map(header).collect(), body: body.into_bytes().into() })
    }

    async fn call(&self, (): &(), _: &Secret, _: Option<&str>, _: bool) -> Result<((), Response), Failure> {
        Err(Failure::Network)
    }

    async fn verify(&self, _: SignatureCheck) -> Result<bool, Unavailable> {
        Err(Unavailable)
    }

    async fn own_key(&self, _: Algorithm, _: Option<&str>) -> Result<((), Value), Unavailable> {
        Err(Unavailable)
    }

    async fn drop_key(&self, _: &str) {}

    async fn sign(&self, (): &(), _: Algorithm, _: &[u8]) -> Result<Vec<u8>, Unavailable> {
        Err(Unavailable)
    }

    async fn lock(&self, _: &str) {}

    fn is_hidden(&self) -> bool {
        false
    }

    fn is_offline(&self) -> bool {
        false
    }

    fn load(&self, _: Area, _: &str) -> Result<Option<String>, Unavailable> {
        Ok(None)
    }

    fn save(&self, _: Area, _: &str, _: Option<&str>) -> Result<(), Unavailable> {
        Ok(())
    }

    fn sleep(&self, milliseconds: i32) -> impl Future<Output = ()> + 'static {
        self.0.sleep(milliseconds.into())
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.spawn(task);
    }
}
