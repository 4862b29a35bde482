//! Peers as processes, and what they use.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use althing_client::{
    Account, Client, Config, Signer, genesis_file, key_file,
    model::{HealthState, query},
};
use althing_types::{Action, Digest, Genesis};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::usage::{self, Disk};

/// Peers of a network.
pub(crate) const PEERS: usize = 4;
/// How often a peer that is starting is asked.
pub(crate) const POLL: Duration = Duration::from_millis(5);
/// How long anything may take before something must be wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Ports that `network new` uses from the first one on: two for each peer, ten apart.
const PORT_STEP: u16 = 10;

/// What `network new` is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// Peers.
    pub(crate) peers: usize,
    options: &'static [&'static str],
    /// What is added to the part of each configuration that the peer reads.
    settings: &'static str,
}

/// Four organisations that agree by simplex: one may fail or lie.
pub(crate) const CONSORTIUM: Kind = Kind { peers: PEERS, options: &[], settings: "" };
/// Three peers that agree by raft: one may fail, none may lie.
pub(crate) const PRIVATE: Kind = Kind {
    peers: 3,
    options: &["--peers", "3", "--mode", "private", "--agreement", "raft"],
    settings: "",
};
/// The same, where each takes the others' word that signatures were checked.
pub(crate) const TRUSTING: Kind = Kind { settings: "trust_validators = true\n", ..PRIVATE };

/// A running network.
pub(crate) struct Network {
    folder: TempDir,
    /// Its genesis.
    pub(crate) genesis: Genesis,
    /// One client for each peer.
    pub(crate) clients: Vec<Client>,
    /// The first organisation, which owns what a bench registers.
    pub(crate) organisation: Account,
    /// When the first process was started.
    pub(crate) started: Instant,
    peers: Vec<Peer>,
    ports: Vec<u16>,
}

/// A peer that runs until this is dropped.
pub(crate) struct Peer {
    child: Child,
    /// Open as long as the peer shall run: it ends with its standard input.
    lifeline: Option<ChildStdin>,
}

/// CPU time so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    /// Of all peers.
    pub(crate) peers: Duration,
    /// Of this process.
    pub(crate) load: Duration,
}

impl Cpu {
    /// What was used since an earlier look.
    pub(crate) fn since(self, before: Self) -> Self {
        Self { peers: self.peers - before.peers, load: self.load - before.load }
    }
}

impl Network {
    /// Founds a network and starts its peers, all at once.
    pub(crate) fn start(program: &Path) -> Result<Self> {
        Self::found(program, CONSORTIUM, |_| Ok(()))
    }

    /// Founds a network that a follower may join, and waits until every peer takes part.
    pub(crate) async fn with_follower(program: &Path) -> Result<Self> {
        let network = Self::found(program, CONSORTIUM, |network| let_in(program, network))?;
        network.wait().await?;
        Ok(network)
    }

    fn found(
        program: &Path,
        kind: Kind,
        prepare: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = free_ports()?;
        let network = folder.path().join("network");
        let made = Command::new(program)
            .args(["network", "new", "--name", "bench", "--insecure-keys", "--port"])
            .arg(port.to_string())
            .args(kind.options)
            .arg(&network)
            .stdout(Stdio::null())
            .status()?;
        ensure!(made.success(), "`network new` failed");
        prepare(&network)?;
        let genesis = genesis_file::read(&network.join("genesis.json"))?;
        let organisation = organisation(&network, &genesis)?;
        let ports: Vec<u16> =
            (0..kind.peers as u16).map(|index| port + index * PORT_STEP).collect();
        let client = |port: &u16| Client::new(Config::new(format!("http://127.0.0.1:{port}")));
        let clients = ports.iter().map(client).collect::<Result<_, _>>()?;
        let started = Instant::now();
        let peer = |index| start_peer(program, &network.join(format!("peer-{index}")));
        let peers = (1..=kind.peers).map(peer).collect::<Result<_>>()?;
        Ok(Self { folder, genesis, clients, organisation, started, peers, ports })
    }

    /// Founds a network, starts it and waits until every peer takes part.
    pub(crate) async fn ready(program: &Path) -> Result<Self> {
        Self::ready_as(program, CONSORTIUM).await
    }

    /// The same with a network of another kind.
    pub(crate) async fn ready_as(program: &Path, kind: Kind) -> Result<Self> {
        let network = Self::found(program, kind, |network| configure(network, kind))?;
        network.wait().await?;
        Ok(network)
    }

    async fn wait(&self) -> Result<()> {
        for client in &self.clients {
            while !client.health().await.is_ok_and(|it| it.state != HealthState::Unavailable) {
                self.check_patience()?;
                sleep(POLL).await;
            }
        }
        Ok(())
    }

    /// Writes the configuration of the follower, which catches up in this way; gives its folder.
    pub(crate) fn follower_config(&self, mode: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join("network").join(FOLLOWER);
        let port = self.follower_port();
        let addresses =
            self.ports.iter().enumerate().map(|(index, port)| {
                format!("\"peer-{}\" = \"127.0.0.1:{}\"\n", index + 1, port + 1)
            });
        let addresses: String = addresses.collect();
        let config = format!(
            "genesis = \"../genesis.json\"\n[peer]\nrole = \"follower\"\nvoting_key = \
             \"voting.json\"\nkey = \"\"\n[peer.sync]\nmode = \"{mode}\"\nbehind_blocks = 1\n\
             [peer.p2p]\nlisten = \"127.0.0.1:{}\"\n[peer.p2p.addresses]\n{addresses}[peer.api]\n\
             listen = \"127.0.0.1:{port}\"\n",
            port + 1
        );
        fs::write(folder.join("config.toml"), config)?;
        Ok(folder)
    }

    /// Starts the follower; gives the port of its interface.
    pub(crate) fn start_follower(&self, program: &Path, folder: &Path) -> Result<(Peer, u16)> {
        Ok((start_peer(program, folder)?, self.follower_port()))
    }

    fn follower_port(&self) -> u16 {
        self.ports[0] + 2
    }

    /// Fails if the network should have been there long ago.
    pub(crate) fn check_patience(&self) -> Result<()> {
        ensure!(self.started.elapsed() < PATIENCE, "the peers are not ready after {PATIENCE:?}");
        Ok(())
    }

    /// Does something as the first organisation and waits until all peers have executed it and a
    /// block states the result: before that, validators check signatures against the state before.
    pub(crate) async fn act(&self, actions: Vec<Action>) -> Result<()> {
        let transaction = self.organisation.sign(actions);
        let outcome = self.clients[0].finalize_transaction(&transaction, PATIENCE).await?;
        let receipt = &outcome.receipt;
        ensure!(receipt.refusal.is_none(), "the organisation was refused: {receipt:?}");
        for client in &self.clients {
            while stated(client).await? < outcome.height {
                sleep(POLL).await;
            }
        }
        Ok(())
    }

    /// The height of the first peer.
    pub(crate) async fn height(&self) -> Result<u64> {
        Ok(self.clients[0].status().await?.height)
    }

    /// A counter in the metrics of a peer.
    pub(crate) async fn counter(&self, peer: usize, name: &str) -> Result<u64> {
        let text = self.clients[peer].metrics().await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).with_context(|| format!("no figure {name}"))
    }

    /// The folder with what `network new` made.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("network")
    }

    /// Ports of the peers' HTTP interfaces.
    pub(crate) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        let of = |peer: &Peer| usage::cpu(&peer.child.id().to_string());
        let peers = self.peers.iter().map(of).sum::<Result<Duration>>()?;
        Ok(Cpu { peers, load: usage::cpu("self")? })
    }

    /// Memory that each peer holds, bytes.
    pub(crate) fn memory(&self) -> Result<Vec<u64>> {
        self.peers.iter().map(|peer| usage::memory(&peer.child.id().to_string())).collect()
    }

    /// Each peer's own part of the memory that they hold, bytes.
    pub(crate) fn own_memory(&self) -> Result<Vec<u64>> {
        self.peers.iter().map(|peer| usage::own_memory(&peer.child.id().to_string())).collect()
    }

    /// What all peers have on disk.
    pub(crate) fn disk(&self) -> Result<Disk> {
        let mut disk = Disk::default();
        for index in 1..=self.peers.len() {
            let peer = self.folder.path().join("network").join(format!("peer-{index}"));
            disk.add(&peer.join("data"))?;
        }
        Ok(disk)
    }

    /// Ends the peers in good order.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.peers.iter_mut().for_each(|peer| peer.lifeline = None);
        for (index, peer) in self.peers.iter_mut().enumerate() {
            let status = peer.child.wait()?;
            if !status.success() {
                bail!("peer {} ended with {status}", index + 1);
            }
        }
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // One that has ended already cannot be killed; that is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Folder of the follower in that of the network.
const FOLLOWER: &str = "follower";

/// Adds the settings of a kind to each configuration.
fn configure(network: &Path, kind: Kind) -> Result<()> {
    for index in 1..=kind.peers {
        change_config(network, index, "[peer]\n", kind.settings)?;
    }
    Ok(())
}

/// Writes settings behind the head of their section in the configuration of a peer.
fn change_config(network: &Path, index: usize, head: &str, settings: &str) -> Result<()> {
    let config = network.join(format!("peer-{index}")).join("config.toml");
    let text = fs::read_to_string(&config)?;
    ensure!(text.contains(head), "{} has no section {head}", config.display());
    fs::write(&config, text.replacen(head, &format!("{head}{settings}"), 1))?;
    Ok(())
}

/// Makes the key of a follower, and lets all peers admit it.
fn let_in(program: &Path, network: &Path) -> Result<()> {
    let folder = network.join(FOLLOWER);
    fs::create_dir(&folder)?;
    let key = folder.join("voting.json");
    let made = Command::new(program)
        .args(["key", "new", "--insecure-keys"])
        .arg(&key)
        .stdout(Stdio::null())
        .status()?;
    ensure!(made.success(), "`key new` failed");
    let public = key_file::read(&key, None)?.key.public_key().bytes;
    let public = Digest(public.try_into().map_err(|_| anyhow!("a key of 32 bytes"))?);
    for index in 1..=PEERS {
        change_config(network, index, "[peer.p2p]\n", &format!("followers = [\"{public}\"]\n"))?;
    }
    Ok(())
}

/// The newest height whose result a peer has seen agreed on.
async fn stated(client: &Client) -> Result<u64> {
    let newest = client.blocks(&query::Blocks { before: None, limit: Some(1) }).await?;
    Ok(newest.items.first().map_or(0, |block| block.result.height))
}

fn start_peer(program: &Path, folder: &Path) -> Result<Peer> {
    let mut child = Command::new(program)
        .args(["peer", "run", "--exit-with-parent", "--config"])
        .arg(folder.join("config.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join("peer.log"))?)
        .spawn()?;
    let lifeline = child.stdin.take();
    Ok(Peer { child, lifeline })
}

fn organisation(network: &Path, genesis: &Genesis) -> Result<Account> {
    let stored = key_file::read(&network.join("organisations").join("1.json"), None)?;
    let entity = stored.entity.context("the key of the organisation names no entity")?;
    let entity = entity.entity_id();
    let signer = Signer { ledger: genesis.ledger(), entity, key: stored.key };
    Ok(Account::new(signer, 0, 0))
}

/// The first of a row of ports of which none is in use.
fn free_ports() -> Result<u16> {
    const FIRST: u16 = 21_000;
    const LAST: u16 = 30_000;
    let offsets = (0..PEERS as u16).flat_map(|peer| [peer * PORT_STEP, peer * PORT_STEP + 1]);
    let offsets: Vec<u16> = offsets.collect();
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (FIRST..LAST)
        .step_by(usize::from(PORT_STEP) * PEERS)
        .find(|first| offsets.iter().all(|offset| is_free(first + offset)))
        .context("no free ports between 21000 and 30000")
}
