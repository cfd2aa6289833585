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
}

/// Who is woken by a timer: whoever asked last, as with a JavaScript promise.
type Slot = Rc<RefCell<Option<Waker>>>;

/// The tasks, the timers and the time.
pub(crate) struct Executor {
    now: Cell<i64>,
    next: Cell<u64>,
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
            now: Cell::new(now),
            next: Cell::new(0),
            tasks: RefCell::default(),
            timers: RefCell::default(),
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.now.get()
    }

    /// Moves the clock without anybody noticing, as after the sleep of a machine.
    pub(crate) fn set_clock(&self, now: i64) {
        self.now.set(now);
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
        self.tasks.borrow_mut().insert(id, Task { work, woken });
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

    /// Runs every task that was woken until none is.
    pub(crate) fn settle(&self) {
        loop {
            let woken = {
                let tasks = self.tasks.borrow();
                let found = tasks.iter().find(|(_, task)| task.woken.0.swap(false, Ordering::SeqCst));
                found.map(|(id, _)| *id)
            };
            let Some(id) = woken else { return };
            // Out of the map while it runs, as it may start others.
            let Some(mut task) = self.tasks.borrow_mut().remove(&id) else { continue };
            let waker = Waker::from(Arc::clone(&task.woken));
            if task.work.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                self.tasks.borrow_mut().insert(id, task);
            }
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
        let end = self.now() + milliseconds;
        self.settle();
        while self.next_timer(end) {
            self.settle();
        }
        self.now.set(end);
        self.settle();
    }

    /// Moves the clock to the next timer that is due until then, and wakes it. False if there is none.
    fn next_timer(&self, until: i64) -> bool {
        let mut timers = self.timers.borrow_mut();
        let Some(position) = (0..timers.len()).min_by_key(|position| timers[*position].0) else {
            return false;
        };
        if timers[position].0 > until {
            return false;
        }
        let (at, slot) = timers.remove(position);
        drop(timers);
        self.now.set(self.now().max(at));
        let waker = slot.borrow_mut().take();
        waker.into_iter().for_each(Waker::wake);
        true
    }

    /// A timer. What is dropped before its time wakes nobody that matters.
    pub(crate) fn sleep(self: &Rc<Self>, milliseconds: i64) -> impl Future<Output = ()> + use<> {
        let executor = Rc::clone(self);
        let at = self.now() + milliseconds;
        let slot = Slot::default();
        self.timers.borrow_mut().push((at, Rc::clone(&slot)));
        poll_fn(move |context| {
            if executor.now() >= at {
                return Poll::Ready(());
            }
            *slot.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
    }
}
