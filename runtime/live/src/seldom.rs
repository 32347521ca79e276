//! A future that is woken now and then, beside one of the same task that is woken all the time.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Polls its future where that was woken itself, and costs next to nothing where the task was for something else.
pub(crate) struct Seldom<F> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
    /// What the future is polled with.
    rings: Waker,
    /// The task's waker, as the bell knows it.
    task: Option<Waker>,
}

/// Remembers that the future was woken, and wakes the task.
struct Bell {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Bell {
    fn set_task(&self, task: Option<Waker>) {
        let before = std::mem::replace(&mut *self.task.lock().unwrap_or_else(PoisonError::into_inner), task);
        // Not under the lock: to let go of a waker may let go of a task.
        drop(before);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // Before the task is looked for: who tells the bell of another one looks at this afterwards.
        self.rung.store(true, Ordering::SeqCst);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        task.into_iter().for_each(Waker::wake);
    }
}

impl<F> Seldom<F> {
    pub(crate) fn new(future: F) -> Self {
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), task: Mutex::default() });
        Seldom { future: Box::pin(future), rings: bell.clone().into(), bell, task: None }
    }
}

impl<F: Future> Future for Seldom<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Seldom { future, bell, rings, task } = &mut *self;
        if !task.as_ref().is_some_and(|known| known.will_wake(context.waker())) {
            *task = Some(context.waker().clone());
            bell.set_task(task.clone());
        }
        if !bell.rung.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        bell.rung.store(false, Ordering::SeqCst);
        future.as_mut().poll(&mut Context::from_waker(rings))
    }
}

impl<F> Drop for Seldom<F> {
    fn drop(&mut self) {
        // Whoever keeps a waker for longer keeps no task alive by it.
        self.bell.set_task(None);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn it_is_polled_when_it_is_woken_and_at_no_other_time() {
        let (polls, called) = (AtomicUsize::new(0), Notify::new());
        let seldom = Seldom::new(async {
            for _ in 0..2 {
                let mut notified = Box::pin(called.notified());
                poll_fn(|context| {
                    polls.fetch_add(1, Ordering::Relaxed);
                    notified.as_mut().poll(context)
                })
                .await;
            }
        });
        tokio::pin!(seldom);
        let mut looks = 0;
        poll_fn(|context| {
            looks += 1;
            match looks {
                5 | 10 => called.notify_one(),
                // The task is woken for something else.
                _ => context.waker().wake_by_ref(),
            }
            seldom.as_mut().poll(context)
        })
        .await;
        // Once for each wait, and once for each time that it was woken.
        assert_eq!(polls.load(Ordering::Relaxed), 4);
        assert_eq!(looks, 10);
    }

    #[tokio::test]
    async fn it_wakes_the_task_that_polled_it_last() {
        let called = Arc::new(Notify::new());
        let waits = called.clone();
        let mut seldom = Seldom::new(async move { waits.notified().await });
        // Polled by one task, it goes on to another, which is woken.
        let polled = poll_fn(|context| Poll::Ready(Pin::new(&mut seldom).poll(context))).await;
        assert!(polled.is_pending());
        #[allow(clippy::disallowed_methods, reason = "the test waits for it")]
        let other = tokio::spawn(seldom);
        tokio::task::yield_now().await;
        called.notify_one();
        other.await.expect("it ends");
    }
}
