//! `althing gateway`: run an IoT gateway.

mod directory;
mod uplink;

use std::path::PathBuf;

use althing_client::Client;
use althing_gateway::{Gateway, KeySigner};
use althing_types::{EntityId, Genesis};
use anyhow::Context as _;
use clap::{Args, Subcommand};

use self::uplink::AnyPeer;
use crate::{
    config::{Config, GatewayConfig},
    logging,
    report::{NextStep as _, failed},
    secrets,
    session::{client, read_genesis},
    shutdown::Shutdown,
};

/// Threads that run tasks; the queue on disk has one of its own.
const WORKER_THREADS: usize = 2;

/// Runs a gateway.
#[derive(Debug, Subcommand)]
pub(crate) enum GatewayCommand {
    /// Runs a gateway until it is interrupted: takes readings by MQTT and gets them to the ledger.
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The gateway's configuration.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// End when standard input ends, as it does when the starting process dies.
    #[arg(long)]
    exit_with_parent: bool,
}

impl GatewayCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Run(run) => run.run(),
        }
    }
}

impl Run {
    fn run(self) -> anyhow::Result<()> {
        let config = Config::load(&self.config)?;
        logging::begin(config.log_filter())?;
        let settings = config.gateway()?;
        let genesis = read_genesis(&config.genesis_path()?)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKER_THREADS)
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        runtime.block_on(serve(settings, &genesis, self.exit_with_parent))
    }
}

async fn serve(
    settings: GatewayConfig,
    genesis: &Genesis,
    with_parent: bool,
) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen(with_parent).context("cannot listen for signals")?;
    let stored = secrets::open(&settings.key, settings.passphrase_file.as_deref())?;
    let entity = stored.entity.map(|did| did.entity_id()).ok_or_else(|| {
        failed(
            format!("{} does not say whose key it is", settings.key.display()),
            "althing entity register --kind gateway --name NAME --entity-key FILE --key ORGANISATION",
        )
    })?;
    let clients = settings.peers.iter().map(|url| client(url));
    let clients = clients.collect::<anyhow::Result<Vec<Client>>>()?;
    let uplink = AnyPeer::new(&clients, entity, settings.answer_timeout);
    let signer = KeySigner::new(genesis.ledger(), stored.key);
    let gateway = Gateway::start(gateway_config(settings, genesis, entity), uplink, signer)
        .await
        .next_step(|| {
        "end the other program, or change `listen` in [gateway.mqtt] of the configuration"
            .to_owned()
    })?;
    let reason = tokio::select! {
        reason = shutdown.requested() => reason,
        never = directory::follow(&gateway, &clients, entity) => match never {},
    };
    tracing::info!(%reason, "stopping");
    let left = gateway.shutdown().await.context("the gateway had stopped by itself")?;
    tracing::info!(?left, "stopped");
    Ok(())
}

fn gateway_config(
    settings: GatewayConfig,
    genesis: &Genesis,
    gateway: EntityId,
) -> althing_gateway::Config {
    althing_gateway::Config {
        edge: althing_edge::Config {
            ledger: genesis.ledger(),
            gateway,
            profiles: settings.profiles,
            limits: settings.limits,
        },
        things: Vec::new(),
        mqtt: settings.mqtt,
        queue: settings.queue,
        answer_timeout: settings.answer_timeout,
        drain_timeout: settings.drain_timeout,
    }
}
