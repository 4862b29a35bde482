//! The network that clause 10 assumes: peers A, B1 to Bk, C, D, E and F with their entities.

use std::net::SocketAddr;

use althing_client::{Client, ReadingAs, Signer};
use althing_types::{EntityId, EntityKind, Mechanism, Reads, limits::EPOCH_BLOCKS_STANDARD};
use anyhow::Context as _;

use crate::{
    cluster::Cluster,
    commands::network::{ModeName, TokenArgs},
    folder::Folder,
    founding::{Endpoints, Layout, Member, Plan, found, gateway_config},
    output::Table,
    ports::Reservations,
    secrets::NewProtection,
    session::{Explain as _, Session},
};

/// An application or device of a BoT entity, which talks to that entity's peer.
#[derive(Debug)]
pub(super) struct Application {
    /// Letter of its BoT entity.
    pub(super) letter: &'static str,
    /// The application as an entity of the ledger.
    pub(super) member: Member,
}

/// A running network with its entities.
#[derive(Debug)]
pub(super) struct Topology {
    /// The processes.
    pub(super) cluster: Cluster,
    /// Letters of the peers in the cluster's order.
    letters: Vec<String>,
    /// What talks to the peers.
    pub(super) applications: Vec<Application>,
    /// Where the gateway of entity F listens for MQTT.
    pub(super) mqtt: SocketAddr,
}

/// Name of the gateway of entity F.
const GATEWAY: &str = "gateway-F";
/// The applications that clause 10 names, with their kinds.
const APPLICATIONS: &[(&str, &str, EntityKind)] = &[
    ("A", "service A", EntityKind::Service),
    ("C", "device C", EntityKind::Device),
    ("C", "dApp C", EntityKind::Service),
    ("D", "dApp D", EntityKind::Service),
    ("E", "dApp E", EntityKind::Service),
    ("E", "device E", EntityKind::Device),
    ("F", "dApp F", EntityKind::Service),
];

/// Letters of the peers with `k` peers B.
fn letters(k: usize) -> Vec<String> {
    let b = (1..=k).map(|index| format!("B{index}"));
    let others = ["C", "D", "E", "F"].map(str::to_owned);
    std::iter::once("A".to_owned()).chain(b).chain(others).collect()
}

impl Topology {
    /// Starts all processes with `k` peers B, and registers the entities.
    pub(super) async fn start(
        k: usize,
        mode: ModeName,
        with_tokens: bool,
        folder: &Folder,
    ) -> anyhow::Result<Self> {
        let letters = letters(k);
        let plan = Plan {
            network: "y4464".to_owned(),
            mode: mode.into(),
            organisations: letters.iter().map(|letter| format!("BoT entity {letter}")).collect(),
            peers: (0..).zip(&letters).map(|(index, l)| (format!("peer-{l}"), index)).collect(),
            gateway: GATEWAY.to_owned(),
            epoch_blocks: EPOCH_BLOCKS_STANDARD,
            mechanism: match mode {
                ModeName::Private => Mechanism::Raft,
                ModeName::Public | ModeName::Consortium => Mechanism::Simplex,
            },
            reads: Reads::Open,
            participation: None,
        };
        let mut ports = Reservations::default();
        let mut endpoints = Vec::new();
        for _ in &letters {
            endpoints.push(Endpoints { p2p: ports.prefer(0)?, api: ports.prefer(0)? });
        }
        let mqtt = ports.prefer(0)?;
        let config = gateway_config(&plan.network, mqtt, &endpoints, &plan.organisations, "");
        let mut founded = found(&plan)?;
        if matches!(mode, ModeName::Public) {
            founded.genesis = TokenArgs::default().for_public().add(founded.genesis)?;
        } else if with_tokens {
            founded.genesis = TokenArgs::named("mile").add(founded.genesis)?;
        }
        let layout = Layout::new(folder.path());
        layout.write(&founded, &endpoints, &config, &NewProtection::Insecure, || {})?;
        ports.release();
        let mut cluster = Cluster::start(founded, layout, endpoints)?;
        cluster.start_gateway()?;
        cluster.ready().await?;
        let application = |(letter, name, kind): (&'static str, &str, EntityKind)| Application {
            letter,
            member: Member::new(kind, name),
        };
        let applications = APPLICATIONS.iter().copied().map(application).collect();
        let topology = Self { cluster, letters, applications, mqtt };
        topology.register().await?;
        Ok(topology)
    }

    /// Each organisation registers its own applications; F also its gateway. In the end every peer knows all of
    /// them: a peer that is behind would refuse what names another's.
    async fn register(&self) -> anyhow::Result<()> {
        let ledger = self.cluster.ledger();
        let mut last = 0;
        for (index, letter) in self.letters.iter().enumerate() {
            let own = self.applications.iter().filter(|own| own.letter == letter);
            let mut members: Vec<&Member> = own.map(|own| &own.member).collect();
            if letter == "F" {
                members.push(&self.cluster.founded.gateway);
            }
            if members.is_empty() {
                continue;
            }
            let organisation = &self.cluster.founded.organisations[index];
            let session = self.cluster.session(organisation, index).await?;
            let registration = |member: &&Member| {
                let inception = &member.inception;
                Signer::registration(&ledger, inception.kind, &inception.name, &member.key).1
            };
            session.perform(members.iter().map(registration).collect()).await?;
            last = last.max(session.client.height());
        }
        let anybody = self.cluster.founded.organisations[0].inception.id();
        for (_, client) in self.peers() {
            client.read_from(last);
            client.account(&anybody).await.explain()?;
        }
        Ok(())
    }

    /// How its peers agree.
    pub(super) fn mechanism(&self) -> Mechanism {
        self.cluster.founded.genesis.mechanism
    }

    /// Name of the network.
    pub(super) fn network(&self) -> &str {
        &self.cluster.founded.genesis.network
    }

    /// Position of the peer with a letter, and of its organisation.
    pub(super) fn peer(&self, letter: &str) -> anyhow::Result<usize> {
        let position = self.letters.iter().position(|own| own == letter);
        position.with_context(|| format!("there is no peer {letter}"))
    }

    /// Letters and clients of all peers.
    pub(super) fn peers(&self) -> impl Iterator<Item = (&str, &Client)> {
        self.letters.iter().map(String::as_str).zip(self.cluster.clients())
    }

    /// A client of the peer with a letter.
    pub(super) fn client(&self, letter: &str) -> anyhow::Result<&Client> {
        Ok(self.cluster.client(self.peer(letter)?))
    }

    /// Voting key of the peer with a letter.
    pub(super) fn voting_key(&self, letter: &str) -> anyhow::Result<Vec<u8>> {
        Ok(self.cluster.founded.peers[self.peer(letter)?].voting.public_key().bytes)
    }

    /// The letter of the peer with a voting key.
    pub(super) fn letter_of(&self, key: &[u8]) -> Option<&str> {
        let mut peers = self.cluster.founded.peers.iter().zip(&self.letters);
        let (_, letter) = peers.find(|(peer, _)| peer.voting.public_key().bytes == key)?;
        Some(letter)
    }

    fn application(&self, name: &str) -> anyhow::Result<&Application> {
        let found = self.applications.iter().find(|own| own.member.inception.name == name);
        found.with_context(|| format!("there is no {name}"))
    }

    /// The id of an application.
    pub(super) fn entity(&self, name: &str) -> anyhow::Result<EntityId> {
        Ok(self.application(name)?.member.inception.id())
    }

    /// A session of an application at its own peer.
    pub(super) async fn session(&self, name: &str) -> anyhow::Result<Session> {
        let application = self.application(name)?;
        self.cluster.session(&application.member, self.peer(application.letter)?).await
    }

    /// The same of any member, such as the gateway, at the peer with a letter.
    pub(super) async fn session_of(
        &self,
        member: &Member,
        letter: &str,
    ) -> anyhow::Result<Session> {
        self.cluster.session(member, self.peer(letter)?).await
    }

    /// The application as a member of the network.
    pub(super) fn member(&self, name: &str) -> anyhow::Result<&Member> {
        Ok(&self.application(name)?.member)
    }

    /// A client of the peer with a letter that reads as a member, for a purpose.
    pub(super) fn reader(
        &self,
        member: &Member,
        letter: &str,
        purpose: &str,
    ) -> anyhow::Result<Client> {
        let (entity, key) = (member.inception.id(), member.key.clone());
        let who = ReadingAs { entity, key, purpose: purpose.to_owned() };
        Ok(self.client(letter)?.reading_as(who))
    }

    /// A session of the organisation with a letter at its own peer.
    pub(super) async fn organisation(&self, letter: &str) -> anyhow::Result<Session> {
        let peer = self.peer(letter)?;
        self.cluster.session(&self.cluster.founded.organisations[peer], peer).await
    }

    /// Who is there, for people.
    pub(super) fn to_text(&self) -> String {
        let mut table = Table::new(&["entity", "peer", "interface", "hosts"]);
        for (index, letter) in self.letters.iter().enumerate() {
            let own = self.applications.iter().filter(|own| own.letter == letter);
            let mut hosts: Vec<&str> = own.map(|own| own.member.inception.name.as_str()).collect();
            let gateway = format!("gateway F (mqtt://{})", self.mqtt);
            if letter == "F" {
                hosts.push(&gateway);
            }
            table.row([
                format!("BoT entity {letter}"),
                self.cluster.peers[index].name().to_owned(),
                format!("http://{}", self.cluster.endpoints[index].api),
                hosts.join(", "),
            ]);
        }
        table.to_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_are_those_of_clause_10() {
        assert_eq!(letters(2), ["A", "B1", "B2", "C", "D", "E", "F"]);
        for (letter, _, _) in APPLICATIONS {
            assert!(letters(1).iter().any(|own| own == letter), "{letter}");
        }
    }
}
