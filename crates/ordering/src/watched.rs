use std::{fmt, pin::pin};

use commonware_utils::sync::Mutex;
use tokio::sync::Notify;

/// A value that tasks wait for, and that wakes them in the order in which they began to wait.
///
/// The order is why this exists: `tokio::sync::watch` spreads its waiters over eight lists by a random
/// number of the thread, and wakes list after list. Two runs of a simulated network then woke the same
/// tasks in different orders, and parted.
pub struct Watched<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T> Watched<T> {
    /// A value nobody waits for yet.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { value: Mutex::new(value), changed: Notify::const_new() }
    }

    /// Looks at the value.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.value.lock())
    }

    /// Changes the value; whoever waits looks again if `change` says that it did.
    pub fn change(&self, change: impl FnOnce(&mut T) -> bool) {
        let changed = change(&mut self.value.lock());
        if changed {
            self.changed.notify_waiters();
        }
    }

    /// Resolves once the value is such that `holds`.
    pub async fn until(&self, holds: impl Fn(&T) -> bool) {
        loop {
            // Registered before looking, so that no change is missed.
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.read(&holds) {
                return;
            }
            changed.await;
        }
    }
}

impl<T: Clone> Watched<T> {
    /// The value.
    #[must_use]
    pub fn get(&self) -> T {
        self.read(T::clone)
    }
}

impl<T: fmt::Debug> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read(|value| f.debug_tuple("Watched").field(value).finish())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex as Log, PoisonError};

    use futures::{executor::LocalPool, task::LocalSpawnExt as _};

    use super::*;

    #[test]
    fn those_who_wait_are_woken_in_the_order_in_which_they_came() {
        let (watched, log) = (Arc::new(Watched::new(0_u64)), Arc::new(Log::new(Vec::new())));
        let mut pool = LocalPool::new();
        // More than the lists of `tokio::sync::watch`, and than are woken at a time.
        let waiting = 0..100_u64;
        for number in waiting.clone() {
            let (watched, log) = (Arc::clone(&watched), Arc::clone(&log));
            let wait = async move {
                watched.until(|value| *value > number % 2).await;
                log.lock().unwrap_or_else(PoisonError::into_inner).push(number);
            };
            pool.spawner().spawn_local(wait).unwrap();
        }
        let change = |to: u64| {
            watched.change(|value| {
                let changed = *value != to;
                *value = to;
                changed
            });
        };
        pool.run_until_stalled();
        change(0);
        pool.run_until_stalled();
        assert!(log.lock().unwrap().is_empty());
        change(1);
        pool.run_until_stalled();
        change(2);
        pool.run_until_stalled();
        let expected: Vec<u64> =
            waiting.clone().step_by(2).chain(waiting.skip(1).step_by(2)).collect();
        assert_eq!(*log.lock().unwrap(), expected);
    }
}
