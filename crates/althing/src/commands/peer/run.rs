use std::{path::PathBuf, sync::Arc, time::Duration};

use althing_ordering::{Role, Sizes, Timing, start_live};
use althing_peer::{Halt, Opened, Peer};
use althing_types::{Genesis, Parameters, Suite};
use anyhow::Context as _;
use clap::Args;
use commonware_runtime::{Runner as _, Supervisor as _, tokio as runtime};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use super::Disk;
use crate::{
    config::{Config, PeerConfig},
    logging,
    report::{NextStep as _, failed},
    secrets,
    session::read_genesis,
    shutdown::Shutdown,
};

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The peer's configuration.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// End when standard input ends, as it does when the starting process dies.
    #[arg(long)]
    exit_with_parent: bool,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = Config::load(&self.config)?;
        logging::begin(config.log_filter())?;
        let settings = config.peer()?;
        let genesis = read_genesis(&config.genesis_path()?)?;
        // Before the runtime: whoever finds the folder in use is told so in plain words.
        let disk = Disk::open(&settings)?;
        let seed = voting_seed(&settings)?;
        let blocks = settings.data.join("blocks");
        let runtime = runtime::Config::new()
            .with_worker_threads(settings.worker_threads)
            .with_storage_directory(blocks);
        let start = Start { config, settings, genesis, disk, seed };
        runtime::Runner::new(runtime).start(|context| start.run(context, self.exit_with_parent))
    }
}

/// The seed of the voting key (RFC 8032's private key).
fn voting_seed(settings: &PeerConfig) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let stored = secrets::open(&settings.voting_key, settings.passphrase_file.as_deref())?;
    if stored.key.suite() != Suite::Ed25519 {
        return Err(failed(
            format!("{} is not an Ed25519 key", settings.voting_key.display()),
            "althing key new FILE --suite ed25519",
        ));
    }
    Ok(Zeroizing::new(*stored.key.secret()))
}

/// Everything that is needed to start, found good.
struct Start {
    config: Config,
    settings: PeerConfig,
    genesis: Genesis,
    disk: Disk,
    seed: Zeroizing<[u8; 32]>,
}

impl Start {
    async fn run(self, context: runtime::Context, with_parent: bool) -> anyhow::Result<()> {
        let mut shutdown = Shutdown::listen(with_parent).context("cannot listen for signals")?;
        let listener = self.listen().await?;
        let api = self.settings.api.clone();
        let peer = tokio::select! {
            peer = self.peer(context) => peer?,
            _ = shutdown.requested() => return Ok(()),
        };
        serve(peer, listener, &api, &mut shutdown).await
    }

    /// The first thing done: a port in use is the likeliest reason not to start.
    async fn listen(&self) -> anyhow::Result<TcpListener> {
        althing_api::listen(self.settings.api_listen).await.next_step(|| {
            "end the other program, or change `listen` in [peer.api] of the configuration"
                .to_owned()
        })
    }

    async fn peer(self, context: runtime::Context) -> anyhow::Result<Peer> {
        let votes = self.settings.role == Role::Validator;
        let addresses = self.config.validator_addresses(&self.settings, &self.genesis)?;
        let config = self.peer_config(votes);
        let Self { settings, genesis, disk, seed, .. } = self;
        let opened = Opened::open(config, disk.store, disk.payloads)
            .next_step(|| "althing peer check --config FILE names what is damaged".to_owned())?;
        let ordering = althing_ordering::Config {
            ledger: genesis.ledger(),
            genesis: Arc::clone(opened.genesis_block()),
            seed,
            role: settings.role,
            validators: genesis.validators(),
            followers: settings.followers,
            addresses,
            listen: settings.p2p_listen,
            partition: "althing".to_owned(),
            timing: timing(&genesis.parameters),
            sizes: Sizes::STANDARD,
        };
        let root = context.child("ordering");
        let started = opened.start(context, |app| start_live(root, ordering, app)).await;
        started.next_step(|| {
            "check `listen` and `addresses` in [peer.p2p] and `voting_key` in [peer]".to_owned()
        })
    }

    fn peer_config(&self, votes: bool) -> althing_peer::Config {
        let key = althing_types::SigningKey::from_secret(Suite::Ed25519, *self.seed);
        let public = key.map(|key| key.public_key().bytes).unwrap_or_default();
        let key = public.try_into().unwrap_or_default();
        let mut config = althing_peer::Config::standard(self.genesis.clone(), key, votes);
        config.mempool = self.settings.mempool;
        config.intake_calls_max = self.settings.intake_calls_max;
        config.result_delay = self.settings.result_delay;
        config.respread_interval = self.settings.respread_interval;
        config
    }
}

/// How much longer than the wait for a proposal the wait for its certificate is, how often a vote to
/// give up is repeated, and how long a silent leader is still waited for after that.
const CERTIFICATION: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_secs(1);
const SKIP: Duration = Duration::from_millis(1500);

/// The engine's timing from what the genesis sets; see `docs/decisions` on pacing.
fn timing(parameters: &Parameters) -> Timing {
    let heartbeat = Duration::from_millis(parameters.heartbeat_ms.into());
    let leader_timeout = Duration::from_millis(parameters.leader_timeout_ms.into());
    let certification_timeout = leader_timeout + CERTIFICATION;
    Timing {
        heartbeat,
        leader_timeout,
        certification_timeout,
        retry: RETRY,
        skip_timeout: certification_timeout + SKIP,
    }
}

/// Serves until somebody asks to stop or the peer stops by itself.
async fn serve(
    peer: Peer,
    listener: TcpListener,
    api: &althing_api::Config,
    shutdown: &mut Shutdown,
) -> anyhow::Result<()> {
    let router = althing_dashboard::serve(althing_api::router(peer.clone(), api.clone()));
    let mut halted = None;
    let stop = async {
        tokio::select! {
            reason = shutdown.requested() => tracing::info!(%reason, "stopping"),
            halt = peer.halted() => halted = Some(halt),
        }
    };
    althing_api::serve(listener, router, api, stop).await;
    peer.shutdown().await;
    match halted {
        None => Ok(()),
        Some(halt) => Err(explain(&halt)),
    }
}

fn explain(halt: &Halt) -> anyhow::Error {
    match halt {
        Halt::Diverged { height, ours, theirs } => failed(
            format!(
                "this peer computed another result for block {height} than the quorum: state root \
                 {} here, {} there; it takes no part any more",
                ours.state_root, theirs.state_root
            ),
            "compare `althing --version` with the other peers', then move the data folder away and \
             start again: the peer fetches everything anew",
        ),
        Halt::Storage(problem) => failed(
            format!("the disk failed: {problem}"),
            "free space or repair the disk, then: althing peer check --config FILE",
        ),
        Halt::Foreign(problem) => failed(
            format!("blocks and state on disk do not belong together: {problem}"),
            "move the data folder away and start again: the peer fetches everything anew",
        ),
    }
}
