//! One run of an asynchronous operation, shared by all who ask for its result.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A shared future. Every clone gives the same result; whoever is polled drives it.
pub(super) struct Flight<T>(Rc<RefCell<Progress<T>>>);

enum Progress<T> {
    Running {
        task: Pin<Box<dyn Future<Output = T>>>,
        waiting: Vec<Waker>,
    },
    /// The task is out of its place while it is polled. Only a task that waits for itself finds it so.
    Polling,
    Done(T),
}

impl<T> Clone for Flight<T> {
    fn clone(&self) -> Self {
        Flight(Rc::clone(&self.0))
    }
}

impl<T: Clone> Flight<T> {
    pub(super) fn new(task: impl Future<Output = T> + 'static) -> Self {
        Flight(Rc::new(RefCell::new(Progress::Running { task: Box::pin(task), waiting: Vec::new() })))
    }
}

impl<T: Clone> Future for Flight<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let progress = self.0.replace(Progress::Polling);
        let (task, waiting) = match progress {
            Progress::Running { task, waiting } => (task, waiting),
            Progress::Polling => return Poll::Pending,
            Progress::Done(result) => {
                self.0.replace(Progress::Done(result.clone()));
                return Poll::Ready(result);
            }
        };
        self.drive(task, waiting, context)
    }
}

impl<T: Clone> Flight<T> {
    fn drive(
        &self,
        mut task: Pin<Box<dyn Future<Output = T>>>,
        mut waiting: Vec<Waker>,
        context: &mut Context<'_>,
    ) -> Poll<T> {
        match task.as_mut().poll(context) {
            Poll::Ready(result) => {
                self.0.replace(Progress::Done(result.clone()));
                // The task may hold the last reference to its client; it goes before anybody is told.
                drop(task);
                waiting.into_iter().for_each(Waker::wake);
                Poll::Ready(result)
            }
            Poll::Pending => {
                waiting.retain(|waker| !waker.will_wake(context.waker()));
                waiting.push(context.waker().clone());
                self.0.replace(Progress::Running { task, waiting });
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Flight<T> {
    /// The one that goes may be the one whose waker the task holds: another takes over.
    fn drop(&mut self) {
        if let Ok(mut progress) = self.0.try_borrow_mut()
            && let Progress::Running { waiting, .. } = &mut *progress
        {
            std::mem::take(waiting).into_iter().for_each(Waker::wake);
        }
    }
}
