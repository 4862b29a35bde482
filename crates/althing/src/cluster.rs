//! A whole network on this machine: one process for each peer, and one for the gateway.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::Path,
    time::{Duration, Instant},
};

use althing_client::{Client, Signer, model::HealthState};
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

    /// Ends the peer at a position as a loss of power would, without a word.
    pub(crate) async fn kill_peer(&mut self, peer: usize) -> anyhow::Result<()> {
        self.peers[peer].kill().await
    }

    /// Starts the peer at a position again, which has ended.
    pub(crate) fn start_peer_again(&mut self, peer: usize) -> anyhow::Result<()> {
        self.peers[peer] = start_peer(&self.layout, self.peers[peer].name())?;
        Ok(())
    }

    /// Ends the gateway as a loss of power would.
    pub(crate) async fn kill_gateway(&mut self) -> anyhow::Result<()> {
        match &mut self.gateway {
            Some(gateway) => gateway.kill().await,
            None => Ok(()),
        }
    }

    /// Starts one more gateway, which ends when what this returns is dropped.
    pub(crate) fn start_another_gateway(
        &self,
        member: &Member,
        config: &str,
    ) -> anyhow::Result<Process> {
        let protection = NewProtection::Insecure;
        self.layout.write_gateway(&self.founded.genesis, member, config, &protection)?;
        let name = &member.inception.name;
        let log = self.layout.member(name).join("gateway.log");
        Process::start(name, &arguments("gateway", &self.layout, name), log)
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

    /// Waits until all peers that run stand at the same block, and gives its height with the state
    /// root that each of them computed for it, by name.
    pub(crate) async fn settled(&mut self) -> anyhow::Result<(u64, BTreeMap<String, String>)> {
        let started = Instant::now();
        loop {
            let mut found = Vec::new();
            for (process, client) in self.peers.iter_mut().zip(&self.clients) {
                if process.has_ended() {
                    continue;
                }
                let executed = match client.status().await {
                    Ok(status) => Some((status.height, status.state_root.to_string())),
                    Err(error) if error.is_temporary() => None,
                    Err(error) => return Err(error).explain(),
                };
                found.push((process.name().to_owned(), executed));
            }
            if let Some(settled) = at_one_height(&found) {
                return Ok(settled);
            }
            if started.elapsed() > START_PATIENCE {
                return Err(failed(
                    format!("the peers did not come to the same height: {found:?}"),
                    format!("read the logs beside {}", self.layout.genesis().display()),
                ));
            }
            sleep(POLL).await;
        }
    }

    /// Names of the peers that have ended, and whether they failed rather than being ended.
    pub(crate) fn ended_peers(&mut self) -> Vec<(String, bool)> {
        let ended = self.peers.iter_mut().filter_map(|process| {
            let failed = process.failure()?;
            Some((process.name().to_owned(), failed))
        });
        ended.collect()
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

/// What a peer has executed: the height and the root of the state after it; none if it did not say.
type Executed = Option<(u64, String)>;

/// The height at which all stand, if it is one, and the root of each there.
fn at_one_height(found: &[(String, Executed)]) -> Option<(u64, BTreeMap<String, String>)> {
    let height = found.first()?.1.as_ref()?.0;
    let root = |(name, executed): &(String, Executed)| {
        let (own, root) = executed.as_ref()?;
        (*own == height).then(|| (name.clone(), root.clone()))
    };
    found.iter().map(root).collect::<Option<_>>().map(|roots| (height, roots))
}

fn start_peer(layout: &Layout, name: &str) -> anyhow::Result<Process> {
    let log = layout.member(name).join("peer.log");
    Process::start(name, &arguments("peer", layout, name), log)
}

fn arguments(command: &str, layout: &Layout, name: &str) -> [OsString; 4] {
    let config = layout.config(name).into_os_string();
    [command.into(), "run".into(), "--config".into(), config]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The roots that were compared came from headers, which peers share because they agree: they
    /// could not differ.
    #[test]
    fn peers_have_settled_when_all_name_their_own_root_of_one_height() {
        let at = |height: u64, root: &str| Some((height, root.to_owned()));
        for (found, expected) in [
            (vec![], None),
            (vec![None], None),
            (vec![at(7, "a")], Some((7, vec!["a"]))),
            (vec![at(7, "a"), at(7, "b")], Some((7, vec!["a", "b"]))),
            (vec![at(7, "a"), at(8, "a")], None),
            (vec![at(7, "a"), None], None),
        ] {
            let named = |(index, one): (usize, &Executed)| (format!("peer-{index}"), one.clone());
            let peers: Vec<_> = found.iter().enumerate().map(named).collect();
            let settled = at_one_height(&peers);
            let settled: Option<(u64, Vec<String>)> =
                settled.map(|(height, roots)| (height, roots.into_values().collect()));
            let owned = |roots: Vec<&str>| roots.into_iter().map(str::to_owned).collect();
            assert_eq!(
                settled,
                expected.map(|(height, roots)| (height, owned(roots))),
                "{found:?}"
            );
        }
    }
}
