use std::{io::ErrorKind, net::TcpListener, sync::Arc};

use commonware_runtime::tokio;

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
pub async fn start_live(
    context: tokio::Context,
    config: Config,
    app: Arc<dyn Application>,
) -> Result<(Handle, Mesh), StartError> {
    let (key, me) = launch::identity(&config)?;
    probe(&config)?;
    let wires = network::start(&context, &config, key, &me)?;
    wiring::launch(context, wires, config, app).await
}

/// The network's own attempt to listen panics when it fails, so try first.
fn probe(config: &Config) -> Result<(), StartError> {
    let address = config.listen;
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Err(StartError::AddressInUse { address })
        }
        Err(source) => Err(StartError::Bind { address, source }),
    }
}
