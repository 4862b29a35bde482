use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::{Semaphore, watch},
};
use tower::ServiceExt as _;

use crate::{
    Config,
    origins::{Held, Origins, Remote, origin_of},
    stall::Stalling,
};

/// Longest head of a request, bytes.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// What the system keeps of an answer that is sent and not taken yet, bytes, on each connection. It
/// says that there is room again once a third is free, so this is also what makes a slow reader one
/// that takes nothing: with 30 s of patience, less than about 3 KB/s.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long to wait when no connection can be accepted, as when files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why the interface cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("failed to listen on {address}; is another program using this port?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What failed.
        #[source]
        source: io::Error,
    },
}

/// Serves connections until `stop` resolves, then lets requests finish for a while.
///
/// Connections are bounded in number, also from one address, in the length of their heads, in the
/// time these take, and in how long nothing of an answer is taken, so that slow or silent clients
/// cannot keep others out.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: &Config,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    let connections = Arc::new(Semaphore::new(config.connections_max));
    let mut origins = Origins::new(config.connections_per_address_max, config.connections_max);
    // Connections have a receiver each, and end in good order once the sender says so.
    let (stopping, running) = watch::channel(false);
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(config.head_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    loop {
        // The semaphore is never closed, so a permit always comes.
        let permit = Arc::clone(&connections).acquire_owned();
        let accepted = async { (permit.await, listener.accept().await) };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let (stream, place, remote) = match accepted {
            Ok((stream, address)) => match origins.admit(address.ip()) {
                Some(place) => (stream, place, Remote(origin_of(address.ip()))),
                None => continue,
            },
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Answers are small and awaited.
        let _ = stream.set_nodelay(true);
        let held = Held::new(permit.ok(), place);
        let lent = held.clone();
        let service = router.clone().map_request(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(remote);
            request.extensions_mut().insert(lent.clone());
            request
        });
        let service = TowerToHyperService::new(service);
        let stream = TokioIo::new(Stalling::new(stream, config.write_timeout));
        let connection = http.serve_connection(stream, service).with_upgrades();
        let mut running = running.clone();
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                _ = running.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((held, running));
        });
    }
    drop(listener);
    // Event streams never finish by themselves.
    let _ = stopping.send(true);
    drop(running);
    let _ = tokio::time::timeout(config.drain_timeout, stopping.closed()).await;
}

/// Listens on an address.
///
/// # Errors
/// [`ServeError::Listen`], as when the port is in use.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    bind(address).map_err(|source| ServeError::Listen { address, source })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A peer that is started again must not wait for connections of the one before to be forgotten.
    socket.set_reuseaddr(true)?;
    // Connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
