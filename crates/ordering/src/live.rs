use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use commonware_runtime::{Clock, Handle as Task, Spawner as _, Supervisor as _, tokio};
use commonware_utils::channel::oneshot;
use futures::future::{BoxFuture, Either, select};

use crate::{
    config::Config, error::StartError, handle::Handle, launch, mesh::Mesh, network,
    seam::Application, wiring,
};

/// Starts ordering over TCP on the given runtime, and returns as soon as final blocks can be read
/// and are delivered; whether it votes yet is in [`Handle::status`].
///
/// Peers that share a runtime must be started concurrently, and with different
/// [`Config::partition`]s. A panic in one of the tasks ends the runtime, on purpose: a peer that
/// contradicts itself stops rather than votes, so run it under a supervisor.
///
/// # Errors
/// [`StartError`]; nothing is left running.
pub fn start_live(
    context: tokio::Context,
    config: Config,
    app: Arc<dyn Application>,
) -> BoxFuture<'static, Result<(Handle, Mesh), StartError>> {
    // Boxed here and not only awaited elsewhere, so that the engine is compiled in this crate and
    // not in each one that starts it.
    Box::pin(async move {
        let (key, me) = launch::identity(&config)?;
        probe(&context, config.listen).await?;
        let (started, start) = oneshot::channel();
        context.spawn(move |context| async move {
            let (wires, network) = match network::start(&context, &config, key, &me) {
                Ok(network) => network,
                Err(error) => return drop(started.send(Err(error.into()))),
            };
            let launched = wiring::launch(context.child("peer"), wires, config, app).await;
            let handle = launched.as_ref().ok().map(|(handle, _)| handle.clone());
            // Returning ends all that is below this task: after a failed start, and at the end.
            if let (Ok(()), Some(handle)) = (started.send(launched), handle) {
                watch(&context, &handle, network).await;
            }
        });
        start.await.map_err(|_| StartError::Stopped)?
    })
}

/// Waits for the end; without its network a peer has nothing left to do.
async fn watch(context: &tokio::Context, handle: &Handle, network: Task<()>) {
    let ended = pin!(handle.stopped());
    if let Either::Right(_) = select(select(context.stopped(), ended), network).await {
        handle.fail("the network");
    }
    handle.stopped().await;
}

/// How often, and how long apart, a port in use is tried again: a peer that has just been stopped
/// releases its own a moment later.
const PROBES: usize = 10;
const PROBE_PAUSE: Duration = Duration::from_millis(25);

/// The network's own attempt to listen panics when it fails, so try first.
async fn probe(clock: &impl Clock, address: SocketAddr) -> Result<(), StartError> {
    for _ in 0..PROBES {
        match TcpListener::bind(address) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::AddrInUse => clock.sleep(PROBE_PAUSE).await,
            Err(source) => return Err(StartError::Bind { address, source }),
        }
    }
    Err(StartError::AddressInUse { address })
}
