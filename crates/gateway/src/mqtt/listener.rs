//! Accepts connections within the bounds, each its own task.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::broker::Broker;
use super::connection::{self, Surroundings};
use super::routes::Routes;
use crate::config::MqttConfig;
use crate::driver::Publish;

/// How long to wait after accepting failed: the process is out of file descriptors, and a
/// connection must end first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the listener has seen, for status and metrics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) open: AtomicUsize,
    pub(crate) accepted: AtomicU64,
    pub(crate) turned_away: AtomicU64,
}

pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) config: Arc<MqttConfig>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) publishes: mpsc::Sender<Publish>,
    pub(crate) counters: Arc<Counters>,
    /// True once the gateway stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Listener {
    /// Accepts until the gateway stops, then waits until every connection has ended.
    pub(crate) async fn run(mut self) {
        let free = Arc::new(Semaphore::new(self.config.connections_max));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = raised(&mut self.stopping) => break,
                Some(ended) = connections.join_next() => {
                    if let Err(error) = ended && error.is_panic() {
                        tracing::error!("a connection's task panicked; the others go on");
                    }
                }
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, _)) => match free.clone().try_acquire_owned() {
                        Ok(permit) => {
                            let serve = self.serve(stream);
                            connections.spawn(async move {
                                serve.await;
                                drop(permit);
                            });
                        }
                        Err(_) => {
                            self.counters.turned_away.fetch_add(1, Ordering::Relaxed);
                        }
                    },
                    Err(error) => {
                        tracing::warn!(%error, "failed to accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        // Each has been told the same, and ends.
        drop(self.socket);
        while connections.join_next().await.is_some() {}
    }

    fn serve(&self, stream: TcpStream) -> impl Future<Output = ()> + Send + use<> {
        let surroundings = Surroundings {
            config: self.config.clone(),
            broker: self.broker.clone(),
            routes: self.routes.clone(),
            publishes: self.publishes.clone(),
            stopping: self.stopping.clone(),
        };
        let counters = self.counters.clone();
        async move {
            counters.accepted.fetch_add(1, Ordering::Relaxed);
            counters.open.fetch_add(1, Ordering::Relaxed);
            let open = Open(counters);
            // Without it small acknowledgements wait for more; if it fails they are only slower.
            let _ = stream.set_nodelay(true);
            connection::serve(stream, surroundings).await;
            drop(open);
        }
    }
}

/// Waits until a flag is raised, or whoever could raise it is gone.
pub(super) async fn raised(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|is_raised| *is_raised).await;
}

/// A connection counted as open, also if its task panics.
struct Open(Arc<Counters>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
