//! A machine whose clock is not right.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use commonware_runtime::{
    Clock, Error, Handle, Metrics, Name, Spawner, Supervisor,
    deterministic::Context,
    signal,
    telemetry::metrics::{Metric, Registered},
};

/// The runtime, as a program sees it whose machine's clock is ahead by so much, or behind. Time passes as
/// for everybody else.
pub(crate) struct Skewed {
    inner: Context,
    /// Milliseconds by which it is ahead.
    ahead_ms: Arc<AtomicI64>,
}

impl Skewed {
    pub(crate) const fn new(inner: Context, ahead_ms: Arc<AtomicI64>) -> Self {
        Self { inner, ahead_ms }
    }

    fn ahead_ms(&self) -> i64 {
        self.ahead_ms.load(Ordering::Relaxed)
    }

    fn same(&self, inner: Context) -> Self {
        Self::new(inner, Arc::clone(&self.ahead_ms))
    }

    fn of_machine(&self, time: SystemTime) -> SystemTime {
        shift(time, self.ahead_ms())
    }
}

fn shift(time: SystemTime, by_ms: i64) -> SystemTime {
    let by = Duration::from_millis(by_ms.unsigned_abs());
    let shifted = if by_ms < 0 { time.checked_sub(by) } else { time.checked_add(by) };
    shifted.unwrap_or(time)
}

impl std::fmt::Debug for Skewed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Skewed").field("ahead_ms", &self.ahead_ms()).finish_non_exhaustive()
    }
}

impl Supervisor for Skewed {
    fn name(&self) -> Name {
        self.inner.name()
    }

    fn child(&self, label: &'static str) -> Self {
        self.same(self.inner.child(label))
    }

    fn with_attribute(self, key: &'static str, value: impl std::fmt::Display) -> Self {
        Self::new(self.inner.with_attribute(key, value), self.ahead_ms)
    }
}

impl Spawner for Skewed {
    fn shared(self, blocking: bool) -> Self {
        Self::new(self.inner.shared(blocking), self.ahead_ms)
    }

    fn dedicated(self) -> Self {
        Self::new(self.inner.dedicated(), self.ahead_ms)
    }

    fn spawn<F, Fut, T>(self, f: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let ahead_ms = self.ahead_ms;
        self.inner.spawn(move |inner| f(Self::new(inner, ahead_ms)))
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.inner.stop(value, timeout).await
    }

    fn stopped(&self) -> signal::Signal {
        self.inner.stopped()
    }
}

impl Metrics for Skewed {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(
        &self,
        name: N,
        help: H,
        metric: M,
    ) -> Registered<M> {
        self.inner.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.inner.encode()
    }
}

impl Clock for Skewed {
    fn current(&self) -> SystemTime {
        self.of_machine(self.inner.current())
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.inner.sleep(duration)
    }

    fn sleep_until(
        &self,
        deadline: SystemTime,
    ) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.inner.sleep_until(shift(deadline, -self.ahead_ms()))
    }
}

impl governor::clock::Clock for Skewed {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.current()
    }
}

impl governor::clock::ReasonablyRealtime for Skewed {}
