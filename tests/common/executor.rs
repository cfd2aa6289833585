//! A task executor with a clock of its own: it runs whatever was woken until nothing is, and then either stops
//! or moves the clock to the next timer. A task that nobody woke is never polled, so that a forgotten wake-up
//! is a test that fails.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Set by the waker of a task.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Task {
    work: Work,
    woken: Arc<Woken>,
    /// The tab whose task it is.
    owner: usize,
}

/// Who is woken by a timer: whoever asked last, as with a JavaScript promise.
type Slot = Rc<RefCell<Option<Waker>>>;

/// The tasks, the timers and the time.
pub(crate) struct Executor {
    /// The time by which timers go. It stands still while the machine sleeps.
    awake: Cell<i64>,
    /// For how long the machine has slept.
    asleep: Cell<i64>,
    /// By how much the device's clock is ahead of the servers'.
    wrong: Cell<i64>,
    next: Cell<u64>,
    /// The tab that runs now: what it starts is its own.
    owner: Cell<usize>,
    tasks: RefCell<BTreeMap<u64, Task>>,
    timers: RefCell<Vec<(i64, Slot)>>,
}

/// What a task will come to. Cancelling it drops the task where it stands.
pub(crate) struct Join<T> {
    id: u64,
    result: Rc<RefCell<Option<T>>>,
}

impl<T> Join<T> {
    /// The result, once.
    pub(crate) fn take(&self) -> Option<T> {
        self.result.borrow_mut().take()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.result.borrow().is_some()
    }
}

impl Executor {
    /// An executor whose clock shows these milliseconds since the epoch.
    pub(crate) fn new(now: i64) -> Self {
        Executor {
            awake: Cell::new(now),
            asleep: Cell::new(0),
            wrong: Cell::new(0),
            next: Cell::new(0),
            owner: Cell::new(0),
            tasks: RefCell::default(),
            timers: RefCell::default(),
        }
    }

    /// The time, as every server's clock shows it.
    pub(crate) fn now(&self) -> i64 {
        self.awake.get() + self.asleep.get()
    }

    /// What the device's clock shows.
    pub(crate) fn clock(&self) -> i64 {
        self.now() + self.wrong.get()
    }

    /// What the clock shows that nobody can set.
    pub(crate) fn monotonic(&self) -> i64 {
        self.awake.get() - 1_000_000_000_000
    }

    /// Sets the device's clock, and no other.
    pub(crate) fn set_clock(&self, clock: i64) {
        self.wrong.set(clock - self.now());
    }

    /// Lets time pass without anybody noticing: no task runs, and timers and the monotonic clock stand still.
    pub(crate) fn sleep_machine(&self, milliseconds: i64) {
        self.asleep.set(self.asleep.get() + milliseconds);
    }

    /// Starts a task; it runs when the executor does.
    pub(crate) fn spawn<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> Join<T> {
        let id = self.next.replace(self.next.get() + 1);
        let result = Rc::new(RefCell::new(None));
        let place = Rc::clone(&result);
        let work = Box::pin(async move {
            let value = work.await;
            *place.borrow_mut() = Some(value);
        });
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        self.tasks.borrow_mut().insert(id, Task { work, woken, owner: self.owner() });
        Join { id, result }
    }

    pub(crate) fn cancel<T>(&self, join: &Join<T>) {
        let task = self.tasks.borrow_mut().remove(&join.id);
        drop(task);
    }

    /// How many tasks wait for something.
    pub(crate) fn waiting(&self) -> usize {
        self.tasks.borrow().len()
    }

    /// The tab that runs now, by its number.
    pub(crate) fn owner(&self) -> usize {
        self.owner.get()
    }

    /// Does something on behalf of a tab.
    pub(crate) fn as_owner<T>(&self, owner: usize, work: impl FnOnce() -> T) -> T {
        let before = self.owner.replace(owner);
        let value = work();
        self.owner.set(before);
        value
    }

    /// Closes a tab: its tasks are dropped where they stand, and what they start on that occasion as well.
    #[allow(dead_code)] // Where there are several tabs that can be closed.
    pub(crate) fn close(&self, owner: usize) {
        loop {
            let of_tab = |tasks: &BTreeMap<u64, Task>| {
                tasks.iter().find(|(_, task)| task.owner == owner).map(|(id, _)| *id)
            };
            let first = of_tab(&self.tasks.borrow());
            let Some(id) = first else { return };
            let task = self.tasks.borrow_mut().remove(&id);
            self.as_owner(owner, || drop(task));
        }
    }

    /// The first task that was woken and has not run since; with `nth`, another one.
    pub(crate) fn woken(&self, nth: usize) -> Option<u64> {
        let tasks = self.tasks.borrow();
        let mut woken = tasks.iter().filter(|(_, task)| task.woken.0.load(Ordering::SeqCst));
        woken.nth(nth).map(|(id, _)| *id)
    }

    /// Runs a task as far as it goes.
    pub(crate) fn poll(&self, id: u64) {
        // Out of the map while it runs, as it may start others.
        let Some(mut task) = self.tasks.borrow_mut().remove(&id) else { return };
        task.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&task.woken));
        let mut context = Context::from_waker(&waker);
        if self.as_owner(task.owner, || task.work.as_mut().poll(&mut context)).is_pending() {
            self.tasks.borrow_mut().insert(id, task);
        }
    }

    /// Runs every task that was woken until none is.
    pub(crate) fn settle(&self) {
        while let Some(id) = self.woken(0) {
            self.poll(id);
        }
    }

    /// Runs a task to its end, moving the clock where it waits for a timer.
    pub(crate) fn run<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> T {
        let join = self.spawn(work);
        loop {
            self.settle();
            if let Some(value) = join.take() {
                return value;
            }
            assert!(self.next_timer(i64::MAX), "the task waits for something that will never happen");
        }
    }

    /// Lets this much time pass, timer after timer.
    pub(crate) fn advance(&self, milliseconds: i64) {
        let end = self.awake.get() + milliseconds;
        self.settle();
        while self.next_timer(end) {
            self.settle();
        }
        self.awake.set(end);
        self.settle();
    }

    /// Moves the clock to the next timer that is due until then, and wakes it. False if there is none.
    fn next_timer(&self, until: i64) -> bool {
        let is_due = self.timers().first().is_some_and(|at| *at <= until);
        if is_due {
            self.fire(0);
        }
        is_due
    }

    /// When the timers end that somebody waits for, by the time awake, the next one first.
    pub(crate) fn timers(&self) -> Vec<i64> {
        let mut timers = self.timers.borrow_mut();
        // The other end was dropped.
        timers.retain(|(_, slot)| Rc::strong_count(slot) > 1);
        timers.sort_by_key(|(at, _)| *at);
        timers.iter().map(|(at, _)| *at).collect()
    }

    /// Moves the clock to one of [`timers`](Self::timers), and wakes it: those before it are late then.
    pub(crate) fn fire(&self, position: usize) {
        let (at, slot) = self.timers.borrow_mut().remove(position);
        self.awake.set(self.awake.get().max(at));
        let waker = slot.borrow_mut().take();
        waker.into_iter().for_each(Waker::wake);
    }

    /// A timer. What is dropped before its time wakes nobody that matters.
    pub(crate) fn sleep(self: &Rc<Self>, milliseconds: i64) -> impl Future<Output = ()> + use<> {
        let executor = Rc::clone(self);
        let at = self.awake.get() + milliseconds;
        let slot = Slot::default();
        self.timers.borrow_mut().push((at, Rc::clone(&slot)));
        poll_fn(move |context| {
            if executor.awake.get() >= at {
                return Poll::Ready(());
            }
            *slot.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
    }
}
