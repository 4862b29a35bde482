//! `althing gateway`: run an IoT gateway, and look into its queue.

mod commands;
mod description;
mod direct;
mod directory;
mod online;
pub(crate) mod password;
mod queue;
mod report;
mod submit;
mod token;
mod uplink;

pub(crate) use self::queue::waiting;

use std::{path::PathBuf, sync::Arc};

use althing_client::{Client, Signer, Unsealer, model::IdText};
use althing_edge::{AtRest, DiskKey, presence::Presence};
use althing_gateway::coap::Coap;
use althing_gateway::http::Http;
use althing_gateway::{DirectConfig, Gateway, KeySigner};
use althing_types::{EntityId, Genesis, SigningKey};
use anyhow::Context as _;
use clap::{Args, Subcommand};

use self::{report::Reporter, uplink::AnyPeer};
use crate::{
    config::{Config, GatewayConfig},
    logging,
    output::Output,
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
    /// Lists the gateways that report to a peer, whether they are there, and how full their queues are.
    List(report::List),
    /// Shows what waits in the queue of a gateway that does not run.
    Queue(queue::Waiting),
    /// Takes the readings of a stream out of the queue of a gateway that does not run, and writes
    /// them to a file: those that the ledger will never take.
    SetAside(queue::SetAside),
    /// Makes the hash of a device's password, for `users` of [gateway.mqtt] in the configuration.
    Password(password::Password),
    /// Signs a token with a device's key: its password at a gateway, in place of one that is shared.
    Token(token::Token),
    /// Prints a Thing Description with forms for the protocols and addresses that this gateway serves,
    /// and for its peers.
    Td(description::Description),
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
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Run(run) => run.run(),
            Self::List(list) => list.run(output),
            Self::Queue(queue) => queue.run(output),
            Self::SetAside(aside) => aside.run(output),
            Self::Password(password) => password.run(output),
            Self::Token(token) => token.run(output),
            Self::Td(description) => description.run(),
        }
    }
}

impl Run {
    fn run(self) -> anyhow::Result<()> {
        let config = Config::load(&self.config)?;
        let _ = logging::begin(config.log_filter())?;
        let settings = config.gateway()?;
        let identified = Identified::read(&config, &settings)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKER_THREADS)
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        runtime.block_on(serve(settings, identified, self.exit_with_parent))
    }
}

/// Who the gateway is, and on which ledger.
struct Identified {
    genesis: Genesis,
    entity: EntityId,
    key: SigningKey,
}

impl Identified {
    fn read(config: &Config, settings: &GatewayConfig) -> anyhow::Result<Self> {
        let genesis = read_genesis(&config.genesis_path()?)?;
        let advice = "althing entity register --kind gateway --name NAME --entity-key FILE --key ORGANISATION";
        let passphrase_file = settings.passphrase_file.as_deref();
        let (entity, key) = secrets::open_entity(&settings.key, passphrase_file, advice)?;
        Ok(Self { genesis, entity, key })
    }
}

/// What a gateway encrypts with on its disk: its own key, unless the configuration names another.
fn disk_key(settings: &GatewayConfig, own: &SigningKey) -> anyhow::Result<DiskKey> {
    let key = match &settings.encryption_key {
        Some(path) => {
            let stored = secrets::open(path, settings.passphrase_file.as_deref())?;
            AtRest::derive(stored.key.secret())
        }
        None => AtRest::derive(own.secret()),
    };
    Ok(DiskKey::new(key, settings.encrypt_at_rest))
}

async fn serve(
    mut settings: GatewayConfig,
    identified: Identified,
    with_parent: bool,
) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen(with_parent).context("cannot listen for signals")?;
    let Identified { genesis, entity, key } = identified;
    settings.queue.key = disk_key(&settings, &key)?;
    let owners = owners(&settings.owners, &genesis)?;
    let clients = settings.peers.iter().map(|url| client(url));
    let clients = clients.collect::<anyhow::Result<Vec<Client>>>()?;
    let unsealer = Arc::new(Unsealer::new(genesis.ledger(), entity, &key));
    let uplink = AnyPeer::new(&clients, entity, settings.answer_timeout).with_unsealer(&unsealer);
    let commander = Signer { ledger: genesis.ledger(), entity, key: key.clone() };
    let reporter = Reporter::new(&clients, &commander, settings.limits.queue_bytes_max);
    let signer = KeySigner::new(genesis.ledger(), key.clone());
    let descriptions = direct::Descriptions::default();
    let direct = settings.direct.clone().map(|direct| DirectConfig {
        genesis: genesis.clone(),
        key,
        age_max: direct.age_max,
        answer_timeout: direct.answer_timeout,
        waiting_max: direct.waiting_max,
        objection: descriptions.objection(),
    });
    let (coap, http) = (settings.coap.clone(), settings.http.clone());
    let presence = settings.tell_online.map(|grace| {
        let grace_ms = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
        Presence::new(&settings.mqtt.access.grants, grace_ms)
    });
    let config = gateway_config(settings, &genesis, entity, owners.clone(), direct);
    let gateway = Gateway::start(config, uplink, signer).await.next_step(|| {
        "end the other program, or change `listen` in [gateway.mqtt] of the configuration"
            .to_owned()
    })?;
    let taken = || "end the other program, or change `listen` in the configuration".to_owned();
    let _coap = match coap {
        Some(config) => Some(Coap::start(config, &gateway).await.next_step(taken)?),
        None => None,
    };
    let _http = match http {
        Some(config) => Some(Http::start(config, &gateway).await.next_step(taken)?),
        None => None,
    };
    let reason = tokio::select! {
        reason = shutdown.requested() => reason,
        never = directory::follow(&gateway, &clients, entity, &owners) => match never {},
        never = reporter.tell(&gateway) => match never {},
        never = commands::carry(&gateway, &clients, &commander, &owners) => match never {},
        never = direct::follow(gateway.direct(), &clients, &descriptions) => match never {},
        never = online::tell(&gateway, &clients, &commander, presence) => match never {},
        never = direct::record(gateway.direct(), &clients, &commander) => match never {},
    };
    tracing::info!(%reason, "stopping");
    reporter.farewell(&gateway).await;
    let left = gateway.shutdown().await.context("the gateway had stopped by itself")?;
    tracing::info!(?left, "stopped");
    Ok(())
}

/// The owners that the configuration names: founding organisations by their names in the genesis,
/// which nobody can take afterwards, and any other by its id.
fn owners(names: &[String], genesis: &Genesis) -> anyhow::Result<Vec<EntityId>> {
    let owner = |name: &String| {
        let known = genesis.organisations.iter().map(|organisation| &organisation.inception);
        let mut known = known.filter(|inception| inception.name == *name);
        match (known.next(), known.next()) {
            (Some(inception), None) => Ok(inception.id()),
            (Some(_), Some(_)) => Err(failed(
                format!("two organisations of the genesis are called `{name}`"),
                "write its id into `owners` of [gateway]: althing entity list --kind organisation",
            )),
            (None, _) => name.parse::<IdText>().map(|text| EntityId(text.id)).map_err(|_| {
                failed(
                    format!("`{name}` in `owners` of [gateway] is no organisation of the genesis and no id"),
                    "althing entity list --kind organisation",
                )
            }),
        }
    };
    names.iter().map(owner).collect()
}

fn gateway_config(
    settings: GatewayConfig,
    genesis: &Genesis,
    gateway: EntityId,
    owners: Vec<EntityId>,
    direct: Option<DirectConfig>,
) -> althing_gateway::Config {
    althing_gateway::Config {
        edge: althing_edge::Config {
            ledger: genesis.ledger(),
            gateway,
            profiles: settings.profiles,
            limits: settings.limits,
        },
        owners,
        mqtt: settings.mqtt,
        queue: settings.queue,
        direct,
        answer_timeout: settings.answer_timeout,
        drain_timeout: settings.drain_timeout,
    }
}
