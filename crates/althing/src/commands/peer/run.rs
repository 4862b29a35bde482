use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Once},
    time::Duration,
};

use althing_api::{LogKey, Operation, operated};
use althing_client::Signer;
use althing_contract::{Machine, Shelf};
use althing_ordering::{Role, Sizes, StartError as Ordering, Timing, start_live};
use althing_peer::{Halt, OpenError, Opened, Peer, StartError};
use althing_storage::{AtRest, ModuleFiles};
use althing_types::{Genesis, Parameters, Suite, blake3_digest};
use anyhow::Context as _;
use clap::Args;
use commonware_runtime::{Runner as _, Supervisor as _, tokio as runtime};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use super::{Disk, space, spare::Folder, state_way_out};
use crate::{
    config::{Config, PeerConfig},
    controls::FileControls,
    logging, pages,
    report::{NextStep as _, failed, with_next},
    secrets,
    session::read_genesis,
    shutdown::Shutdown,
};

mod together;

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The peer's configuration. Given several times, one process runs the peers of as many ledgers.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: Vec<PathBuf>,
    /// End when standard input ends, as it does when the starting process dies.
    #[arg(long)]
    exit_with_parent: bool,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let configs = self.config.iter().map(|path| Config::load(path));
        let configs = configs.collect::<anyhow::Result<Vec<Config>>>()?;
        // One process has one log.
        let filter = logging::begin(configs.first().map_or("info", Config::log_filter))?;
        let mut all = Vec::new();
        for (path, config) in self.config.into_iter().zip(configs) {
            all.push(Files::read(path, config, filter.clone())?);
        }
        together::run(all, self.exit_with_parent)
    }
}

/// What a peer is told by the files it is started with.
struct Files {
    path: PathBuf,
    config: Config,
    settings: PeerConfig,
    genesis: Genesis,
    seed: Zeroizing<[u8; 32]>,
    recorder: Option<Signer>,
    controls: FileControls,
}

impl Files {
    fn read(path: PathBuf, config: Config, filter: logging::Filter) -> anyhow::Result<Self> {
        let controls = FileControls::new(&path, &config, filter);
        let settings = config.peer()?;
        let genesis = read_genesis(&config.genesis_path()?)?;
        // Before anything is written: a configuration without its key is somebody else's.
        let seed = voting_seed(&settings)?;
        let recorder = recorder(&settings, &genesis)?;
        Ok(Self { path, config, settings, genesis, seed, recorder, controls })
    }

    fn run(self, with_parent: bool) -> anyhow::Result<()> {
        let data = self.settings.data.clone();
        self.take_part(with_parent).map_err(|error| space::explain(error, &data))
    }

    fn take_part(self, with_parent: bool) -> anyhow::Result<()> {
        let Self { config, settings, genesis, seed, recorder, controls, .. } = self;
        // Before the runtime: whoever finds the folder in use is told so in plain words.
        let secret = at_rest_secret(&settings, &seed)?;
        let disk = Disk::open(&settings, AtRest::derive(&secret[..]))?;
        // After it: the folder is this process's alone.
        let controls = Arc::new(controls);
        let log_key = Some(LogKey::derive(&secret[..]));
        let controlled = Some(Arc::clone(&controls) as _);
        let operation = Operation::open(Some(&settings.data), controlled, log_key);
        // The machine is the process's, whichever ledger's contracts run on it.
        MACHINE_CODE.call_once(|| keep_machine_code(&settings, &seed));
        let runtime = runtime::Config::new()
            .with_worker_threads(settings.worker_threads)
            .with_storage_directory(settings.data.join(BLOCKS));
        let start = Start { config, settings, genesis, disk, seed, recorder, controls, operation };
        let runner = runtime::Runner::new(runtime);
        let run = AssertUnwindSafe(|| runner.start(|context| start.run(context, with_parent)));
        // The engine gives up on a failing disk by a panic. Nothing of this peer is used after it.
        catch_unwind(run).unwrap_or_else(|panic| Err(broken_down(&*panic)))
    }
}

/// What to say when a task of the peer gave up.
fn broken_down(panic: &(dyn Any + Send)) -> anyhow::Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let reason = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    failed(
        format!("the peer could not go on: {reason}"),
        "start it again: nothing that it acknowledged is lost; if it stops again, read the log, \
         and: althing peer check --config FILE",
    )
}

/// Folder of ordering's archives in the data folder.
const BLOCKS: &str = "blocks";
/// Folder of the contracts' machine code in the data folder.
const MODULES: &str = "modules";

/// Done by the first of the peers of a process.
static MACHINE_CODE: Once = Once::new();

/// Machine code of contracts in files.
#[derive(Debug)]
struct OnDisk(ModuleFiles);

impl Shelf for OnDisk {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0.get(name)
    }

    fn has(&self, name: &str) -> bool {
        self.0.has(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        self.0.put(name, bytes);
    }
}

/// Lets machine code of contracts outlive this process, sealed by a key that follows from the voting
/// key. Without it they are compiled anew at each start, which is no reason not to start.
fn keep_machine_code(settings: &PeerConfig, seed: &Zeroizing<[u8; 32]>) {
    let folder = settings.data.join(MODULES);
    match ModuleFiles::open(folder) {
        Ok(files) => {
            let domain = b"althing/machine-code/1".as_slice();
            let secret = Zeroizing::new([domain, seed.as_slice()].concat());
            Machine::shared().keep_on(Arc::new(OnDisk(files)), blake3_digest(&secret));
        }
        Err(error) => {
            tracing::warn!(%error, "contracts are compiled anew at each start: no folder for machine code");
        }
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

/// What the keys follow from that payloads and logs are encrypted with on disk.
fn at_rest_secret(
    settings: &PeerConfig,
    seed: &Zeroizing<[u8; 32]>,
) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let Some(path) = &settings.encryption_key else { return Ok(seed.clone()) };
    let stored = secrets::open(path, settings.passphrase_file.as_deref())?;
    Ok(Zeroizing::new(*stored.key.secret()))
}

/// Who signs the records of what this peer served under grants. Without the key it serves nothing
/// under grants, which is no reason not to start.
fn recorder(settings: &PeerConfig, genesis: &Genesis) -> anyhow::Result<Option<Signer>> {
    let Some(path) = settings.key.as_ref().filter(|path| path.exists()) else { return Ok(None) };
    let stored = secrets::open(path, settings.passphrase_file.as_deref())?;
    let entity = stored.entity.map(|entity| entity.entity_id());
    Ok(entity.map(|entity| Signer { ledger: genesis.ledger(), entity, key: stored.key }))
}

/// Everything that is needed to start, found good.
struct Start {
    config: Config,
    settings: PeerConfig,
    genesis: Genesis,
    disk: Disk,
    seed: Zeroizing<[u8; 32]>,
    recorder: Option<Signer>,
    controls: Arc<FileControls>,
    operation: Operation,
}

impl Start {
    async fn run(mut self, context: runtime::Context, with_parent: bool) -> anyhow::Result<()> {
        let mut shutdown = Shutdown::listen(with_parent).context("cannot listen for signals")?;
        let listener = self.listen().await?;
        let api = self.settings.api.clone();
        let recorder = self.recorder.take();
        let (controls, operation) = (Arc::clone(&self.controls), self.operation.clone());
        let (network, p2p) = (self.genesis.network.clone(), self.settings.p2p_listen);
        let peer = tokio::select! {
            peer = self.peer(context) => peer?,
            _ = shutdown.requested() => return Ok(()),
        };
        let interface =
            listener.local_addr().context("cannot read the address of the interface")?;
        tracing::info!(%network, %p2p, interface = %format_args!("http://{interface}"), "peer is up");
        let version = env!("CARGO_PKG_VERSION");
        operation.note("started", &format!("version {version}, block {}", peer.height()));
        controls.attach(peer.clone());
        pages::keep_few();
        serve(peer, listener, &api, recorder, &operation, &mut shutdown).await
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
        let opened = Opened::open(config, disk.store, disk.payloads).map_err(|error| {
            let next = way_out(&error, &settings.data);
            with_next(error, next)
        })?;
        let opened = match settings.sync.behind_blocks {
            Some(_) => opened.with_spare(Arc::new(Folder::new(&settings))),
            None => opened,
        };
        let ordering = althing_ordering::Config {
            ledger: genesis.ledger(),
            mechanism: genesis.mechanism,
            genesis: Arc::clone(opened.genesis_block()),
            seed,
            role: settings.role,
            validators: genesis.validators(),
            epoch_blocks: genesis.parameters.epoch_blocks,
            joined: opened.joined(),
            followers: settings.followers,
            addresses,
            own_address: settings.own_address,
            seeds: settings.seeds,
            listen: settings.p2p_listen,
            partition: "althing".to_owned(),
            timing: timing(&genesis.parameters),
            sizes: Sizes::STANDARD,
        };
        let root = context.child("ordering");
        let started = opened.start(context, |app| start_live(root, ordering, app)).await;
        started.map_err(|error| {
            let next = way_out(&error, &settings.data);
            with_next(error, next)
        })
    }

    fn peer_config(&self, votes: bool) -> althing_peer::Config {
        let key = althing_types::SigningKey::from_secret(Suite::Ed25519, *self.seed);
        let public = key.map(|key| key.public_key().bytes).unwrap_or_default();
        let key = public.try_into().unwrap_or_default();
        let mut config = althing_peer::Config::standard(self.genesis.clone(), key, votes);
        config.mempool = self.settings.mempool;
        config.payload_bytes_max = self.settings.payload_bytes_max;
        config.intake_calls_max = self.settings.intake_calls_max;
        config.result_delay = self.settings.result_delay;
        config.gather = self.settings.gather;
        config.respread_interval = self.settings.respread_interval;
        config.trust_validators = self.settings.trust_validators;
        config.sync = self.settings.sync;
        config
    }
}

/// What to do about a peer that cannot start.
fn way_out(error: &StartError, data: &Path) -> String {
    let error = match error {
        StartError::Open(OpenError::State(error)) => return state_way_out(error).to_owned(),
        StartError::Open(OpenError::Trust(_)) => {
            return "take `trust_validators` out of [peer] of the configuration".to_owned();
        }
        StartError::Open(_) => return "althing peer check --config FILE".to_owned(),
        StartError::Ordering(error) => error,
    };
    match error {
        Ordering::AddressInUse { .. } | Ordering::Bind { .. } => {
            "end the other program, or change `listen` in [peer.p2p] of the configuration"
                .to_owned()
        }
        Ordering::OtherLedger { .. } => {
            "give `data` in [peer] another folder, or `genesis` the file it was made with"
                .to_owned()
        }
        Ordering::Archive { .. } => format!(
            "move {} away, wait until the other peers are some views further, and start the peer: \
             it fetches its blocks from them (docs/operating/recovery.md)",
            data.join(BLOCKS).display()
        ),
        Ordering::Config(_) | Ordering::Stopped => {
            "check `voting_key` and `role` in [peer] and `addresses` or `seeds` in [peer.p2p]"
                .to_owned()
        }
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
    recorder: Option<Signer>,
    operation: &Operation,
    shutdown: &mut Shutdown,
) -> anyhow::Result<()> {
    let interface = operated(peer.clone(), api.clone(), recorder, operation.clone());
    let router = althing_dashboard::serve(interface);
    let mut halted = None;
    let stop = async {
        tokio::select! {
            reason = shutdown.requested() => tracing::info!(%reason, "stopping"),
            () = operation.stop_asked() => tracing::info!("stopping as an operator asked"),
            halt = peer.halted() => {
                halted = Some(halt);
                return;
            }
        }
        let left = operation.settled(&peer, api.drain_timeout).await;
        if left > 0 {
            tracing::warn!(left, "transactions taken here are not final; the others know of them");
        }
    };
    althing_api::serve(listener, router, api, stop).await;
    peer.shutdown().await;
    match halted {
        None => {
            operation.note("ended", &format!("block {}", peer.height()));
            Ok(())
        }
        Some(halt) => {
            let error = explain(&halt);
            operation.note("halted", &format!("{error:#}"));
            Err(error)
        }
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
