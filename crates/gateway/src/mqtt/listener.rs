//! Accepts connections within the bounds, each its own task: plain, in TLS, in WebSocket frames.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::addresses::Addresses;
use super::admission::Fingerprint;
use super::connection::{self, Stream, Surroundings};
use super::{tls, websocket};

/// How long to wait after accepting failed: the process is out of file descriptors, and a
/// connection must end first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the listeners have seen, for status and metrics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) open: AtomicUsize,
    pub(crate) accepted: AtomicU64,
    pub(crate) turned_away: AtomicU64,
}

/// What carries MQTT.
#[derive(Clone)]
pub(crate) struct Carrier {
    /// Encrypted with this, if at all.
    pub(crate) tls: Option<TlsAcceptor>,
    /// In frames of WebSocket.
    pub(crate) is_websocket: bool,
}

/// What all listeners of a gateway share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) around: Surroundings,
    pub(crate) counters: Arc<Counters>,
    /// One permit for each connection that may be open.
    pub(crate) free: Arc<Semaphore>,
    pub(crate) addresses: Arc<Addresses>,
}

pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) carrier: Carrier,
    pub(crate) shared: Shared,
}

impl Listener {
    /// Accepts until the gateway stops, then waits until every connection has ended.
    pub(crate) async fn run(self) {
        let mut stopping = self.shared.around.stopping.clone();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = raised(&mut stopping) => break,
                Some(ended) = connections.join_next() => {
                    if let Err(error) = ended && error.is_panic() {
                        tracing::error!("a connection's task panicked; the others go on");
                    }
                }
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, from)) => self.admit(stream, from, &mut connections),
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

    fn admit(&self, stream: TcpStream, from: SocketAddr, connections: &mut JoinSet<()>) {
        let Shared { around, counters, free, addresses } = self.shared.clone();
        let place = free.try_acquire_owned().ok().zip(addresses.enter(from.ip()));
        let Some((permit, address)) = place else {
            counters.turned_away.fetch_add(1, Ordering::Relaxed);
            return;
        };
        counters.accepted.fetch_add(1, Ordering::Relaxed);
        counters.open.fetch_add(1, Ordering::Relaxed);
        let open = (Open(counters), permit, address);
        let carrier = self.carrier.clone();
        connections.spawn(async move {
            serve(stream, from.ip(), carrier, around).await;
            drop(open);
        });
    }
}

async fn serve(stream: TcpStream, from: IpAddr, carrier: Carrier, around: Surroundings) {
    // Without it small acknowledgements wait for more; if it fails they are only slower.
    let _ = stream.set_nodelay(true);
    let patience = around.config.connect_timeout;
    match timeout(patience, carrier.open(stream, around.config.packet_bytes_max)).await {
        Ok(Ok((stream, certificate))) => connection::serve(stream, certificate, around).await,
        Ok(Err(error)) => tracing::debug!(%from, "a connection did not begin: {error}"),
        Err(_) => tracing::debug!(%from, "a connection did not begin in time"),
    }
}

impl Carrier {
    /// Shakes hands as the carrier wants it; SHA-256 of the client's certificate, if it showed one.
    async fn open(
        &self,
        stream: TcpStream,
        packet_bytes_max: u32,
    ) -> std::io::Result<(Box<dyn Stream>, Option<Fingerprint>)> {
        let (stream, certificate): (Box<dyn Stream>, _) = match &self.tls {
            None => (Box::new(stream), None),
            Some(acceptor) => {
                let stream = acceptor.accept(stream).await?;
                let certificate = tls::fingerprint(&stream);
                (Box::new(stream), certificate)
            }
        };
        if !self.is_websocket {
            return Ok((stream, certificate));
        }
        Ok((websocket::open(stream, packet_bytes_max).await?, certificate))
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
