//! Work off the threads that serve connections, so much at a time.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinError,
};

/// So much work at a time; the rest waits for its turn.
#[derive(Debug)]
pub struct Turns(Arc<Semaphore>);

impl Turns {
    /// As many at a time.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once)))
    }

    /// Waits for a turn, which lasts until what is given is dropped.
    pub async fn wait(&self) -> Option<OwnedSemaphorePermit> {
        // None only if the semaphore was closed, and nobody closes it.
        Arc::clone(&self.0).acquire_owned().await.ok()
    }

    /// Does work on a thread that may block, in its turn. Who waits for the answer may go away: work that
    /// has begun cannot be stopped, so it keeps its turn to its end. Otherwise clients that ask and hang up
    /// would have as much running at a time as they like.
    ///
    /// # Errors
    /// If the work panics.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let turn = self.wait().await;
        let in_turn = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(in_turn).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_that_nobody_waits_for_keeps_its_turn_to_its_end() {
        let turns = Turns::new(1);
        let (began, has_begun) = oneshot::channel();
        let (end, may_end) = mpsc::channel();
        {
            let work = turns.work(move || {
                began.send(()).unwrap();
                may_end.recv().unwrap();
            });
            tokio::select! {
                _ = work => panic!("it has not ended"),
                begun = has_begun => begun.unwrap(),
            }
        }
        assert_eq!(turns.0.available_permits(), 0, "it goes on, and nothing beside it");
        end.send(()).unwrap();
        assert_eq!(turns.work(|| 1).await.unwrap(), 1);
    }
}
