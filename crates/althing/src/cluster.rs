//! A whole network on this machine: one process for each peer, and one for the gateway.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::Path,
    time::{Duration, Instant},
};

use althing_client::{
    Client, Error, Signer,
    model::{HealthState, query},
};
use althing_types::LedgerId;
use tokio::time::sleep;

use crate::{
    founding::{Endpoints, Founded, Layout, Member, Plan, found},
    process::{Process, stop_all},
    report::failed,
    secrets::NewProtection,
    session::{Explain as _, Session, client},
};

/// How often a process that is starting is asked whether it is there.
const POLL: Duration = Duration::from_millis(5);
/// How long processes may take to start before something must be wrong.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// How long one transaction may take to be final.
const FINAL_PATIENCE: Duration = Duration::from_secs(30);

/// A running network of child processes.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Its keys.
    pub(crate) founded: Founded,
    /// Where its peers listen, in the plan's order.
    pub(crate) endpoints: Vec<Endpoints>,
    /// Its files.
    pub(crate) layout: Layout,
    /// The processes of the peers, in the plan's order.
    pub(crate) peers: Vec<Process>,
    /// The process of the gateway, if it has one.
    pub(crate) gateway: Option<Process>,
    clients: Vec<Client>,
}

/// Writes the files of a network.
pub(crate) fn prepare(
    plan: &Plan,
    folder: &Path,
    endpoints: &[Endpoints],
    gateway: &str,
) -> anyhow::Result<(Founded, Layout)> {
    let founded = found(plan)?;
    let layout = Layout::new(folder);
    layout.write(&founded, endpoints, gateway, &NewProtection::Insecure, || {})?;
    Ok((founded, layout))
}

impl Cluster {
    /// Starts the peers of a network whose files are written.
    pub(crate) fn start(
        founded: Founded,
        layout: Layout,
        endpoints: Vec<Endpoints>,
    ) -> anyhow::Result<Self> {
        let names = founded.peers.iter().map(|peer| peer.member.inception.name.as_str());
        let peers = names.map(|name| start_peer(&layout, name)).collect::<anyhow::Result<_>>()?;
        let urls = endpoints.iter().map(|endpoints| format!("http://{}", endpoints.api));
        let clients = urls.map(|url| client(&url)).collect::<anyhow::Result<_>>()?;
        Ok(Self { founded, endpoints, layout, peers, gateway: None, clients })
    }

    /// Starts the gateway.
    pub(crate) fn start_gateway(&mut self) -> anyhow::Result<()> {
        let name = &self.founded.gateway.inception.name;
        let arguments = arguments("gateway", &self.layout, name);
        let log = self.layout.member(name).join("gateway.log");
        self.gateway = Some(Process::start(name, &arguments, log)?);
        Ok(())
    }

    /// A client of the peer at a position.
    pub(crate) fn client(&self, peer: usize) -> &Client {
        &self.clients[peer]
    }

    /// Clients of all peers, in the plan's order.
    pub(crate) fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// A client of the first peer that answers.
    pub(crate) async fn answering_client(&self) -> Option<&Client> {
        for client in &self.clients {
            if client.status().await.is_ok() {
                return Some(client);
            }
        }
        None
    }

    /// Names of the processes that have ended.
    pub(crate) fn ended(&mut self) -> Vec<String> {
        let processes = self.peers.iter_mut().chain(&mut self.gateway);
        let ended =
            processes.filter_map(|process| process.has_ended().then(|| process.name().to_owned()));
        ended.collect()
    }

    /// Whether this is the gateway's name.
    pub(crate) fn is_gateway(&self, name: &str) -> bool {
        self.founded.gateway.inception.name == name
    }

    /// The ledger.
    pub(crate) fn ledger(&self) -> LedgerId {
        self.founded.genesis.ledger()
    }

    /// Fails with the end of its log if a process has ended though nobody asked it to.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        self.peers.iter_mut().chain(&mut self.gateway).try_for_each(Process::check)
    }

    /// Waits until the peer at a position answers, voting or not.
    pub(crate) async fn answering(&mut self, peer: usize) -> anyhow::Result<()> {
        let started = Instant::now();
        while let Err(error) = self.clients[peer].status().await {
            self.check()?;
            if !error.is_temporary() || started.elapsed() > START_PATIENCE {
                return Err(error).explain();
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Waits until every peer takes part and takes transactions.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        for peer in 0..self.peers.len() {
            self.answering(peer).await?;
            loop {
                let health = self.clients[peer].health().await.explain()?;
                if health.state != HealthState::Unavailable {
                    break;
                }
                self.check()?;
                if started.elapsed() > START_PATIENCE {
                    let reasons = health.reasons.iter().map(|reason| reason.detail.as_str());
                    let reasons = reasons.collect::<Vec<_>>().join("; ");
                    let name = self.peers[peer].name();
                    return Err(failed(
                        format!("{name} is not ready after {START_PATIENCE:?}: {reasons}"),
                        format!("read the logs in {}", self.layout.member(name).display()),
                    ));
                }
                sleep(POLL).await;
            }
        }
        Ok(())
    }

    /// A session of an entity at a peer.
    pub(crate) async fn session(&self, member: &Member, peer: usize) -> anyhow::Result<Session> {
        let signer = self.signer(member);
        let client = self.clients[peer].clone();
        Session::open(client, &self.founded.genesis, signer, FINAL_PATIENCE).await
    }

    /// An entity that signs for this ledger.
    pub(crate) fn signer(&self, member: &Member) -> Signer {
        let (entity, key) = (member.inception.id(), member.key.clone());
        Signer { ledger: self.ledger(), entity, key }
    }

    /// Waits until all peers that answer stand at the same block, and gives the height of the newest
    /// result in it with the state root that each peer holds for that height, by name.
    ///
    /// A peer that computed another root than the quorum stops and says so, so a peer that still
    /// votes and names a root has computed it.
    pub(crate) async fn settled(&self) -> anyhow::Result<(u64, BTreeMap<String, String>)> {
        let started = Instant::now();
        loop {
            let mut found = Vec::new();
            for (process, client) in self.peers.iter().zip(&self.clients) {
                match newest_result(client).await {
                    Ok((height, root)) => found.push((process.name().to_owned(), height, root)),
                    Err(Error::Connect { .. }) => {}
                    Err(error) => return Err(error).explain(),
                }
            }
            let height = found.first().map_or(0, |(_, height, _)| *height);
            if found.iter().all(|(_, other, _)| *other == height) {
                return Ok((
                    height,
                    found.into_iter().map(|(name, _, root)| (name, root)).collect(),
                ));
            }
            if started.elapsed() > START_PATIENCE {
                let heights: Vec<u64> = found.iter().map(|(_, height, _)| *height).collect();
                return Err(failed(
                    format!("the peers did not come to the same height: {heights:?}"),
                    format!("read the logs beside {}", self.layout.genesis().display()),
                ));
            }
            sleep(POLL).await;
        }
    }

    /// Ends the gateway, which waits until what it took is final.
    pub(crate) async fn stop_gateway(&mut self) -> anyhow::Result<()> {
        match self.gateway.take() {
            Some(gateway) => stop_all(&mut [gateway]).await,
            None => Ok(()),
        }
    }

    /// Ends all processes in good order.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let gateway = self.stop_gateway().await;
        stop_all(&mut self.peers).await.and(gateway)
    }
}

/// The newest result that a peer has executed and seen agreed on.
async fn newest_result(client: &Client) -> Result<(u64, String), Error> {
    let query = query::Blocks { before: None, limit: Some(1) };
    let page = client.blocks(&query).await?;
    let newest = page.items.into_iter().next().map(|block| block.result);
    Ok(newest.map_or((0, String::new()), |result| (result.height, result.state_root.to_string())))
}

fn start_peer(layout: &Layout, name: &str) -> anyhow::Result<Process> {
    let log = layout.member(name).join("peer.log");
    Process::start(name, &arguments("peer", layout, name), log)
}

fn arguments(command: &str, layout: &Layout, name: &str) -> [OsString; 4] {
    let config = layout.config(name).into_os_string();
    [command.into(), "run".into(), "--config".into(), config]
}
