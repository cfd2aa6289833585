//! One run of an asynchronous operation, shared by all who wait for it.

use super::Platform;
use crate::protocol::error::{AuthError, Code, Phase};
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// What an operation comes to. What it finds out it keeps where those who wait can see it.
pub(super) type Outcome = Result<(), AuthError>;
pub(super) type Task = Pin<Box<dyn Future<Output = Outcome>>>;

/// A shared future. Every clone comes to the same outcome; whoever is polled drives it.
#[derive(Clone)]
pub(super) struct Flight(Rc<RefCell<Progress>>);

enum Progress {
    Running(Task, Vec<Waker>),
    /// The task is out of its place while it is polled. Found so from outside, it was cut short: something that the
    /// page had replaced threw in its middle.
    Polling,
    Done(Outcome),
}

impl Flight {
    pub(super) fn new(task: Task) -> Self {
        Flight(Rc::new(RefCell::new(Progress::Running(task, Vec::new()))))
    }
}

impl Future for Flight {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let (mut task, mut waiting) = match self.0.replace(Progress::Polling) {
            Progress::Running(task, waiting) => (task, waiting),
            Progress::Polling => {
                let reason = "the engine was cut short; try again";
                return Poll::Ready(Err(AuthError::new(Code::NotInitialised, Phase::Configuration, reason)));
            }
            Progress::Done(outcome) => {
                self.0.replace(Progress::Done(outcome.clone()));
                return Poll::Ready(outcome);
            }
        };
        match task.as_mut().poll(context) {
            Poll::Ready(outcome) => {
                self.0.replace(Progress::Done(outcome.clone()));
                waiting.into_iter().for_each(Waker::wake);
                Poll::Ready(outcome)
            }
            Poll::Pending => {
                waiting.push(context.waker().clone());
                self.0.replace(Progress::Running(task, waiting));
                Poll::Pending
            }
        }
    }
}

/// A wait for a run that goes on when nobody waits any more: it may hold a lock that others wait for, and a token that
/// is good for one use, whose answer would be lost.
pub(super) struct Waiting<P: Platform>(Rc<P>, Flight);

impl<P: Platform> Waiting<P> {
    pub(super) fn new(platform: &Rc<P>, flight: Flight) -> Self {
        Waiting(Rc::clone(platform), flight)
    }

    pub(super) fn flight(&self) -> Flight {
        self.1.clone()
    }
}

impl<P: Platform> Drop for Waiting<P> {
    fn drop(&mut self) {
        let flight = self.flight();
        let is_running = matches!(*flight.0.borrow(), Progress::Running(..));
        if is_running {
            self.0.spawn(async move { drop(flight.await) });
        }
    }
}

impl Drop for Flight {
    /// The one that goes may be the one whose waker the task holds: another takes over.
    fn drop(&mut self) {
        if let Ok(mut progress) = self.0.try_borrow_mut()
            && let Progress::Running(_, waiting) = &mut *progress
        {
            std::mem::take(waiting).into_iter().for_each(Waker::wake);
        }
    }
}
