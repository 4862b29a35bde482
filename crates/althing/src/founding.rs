//! Found a network: keys, genesis, and a folder for each peer.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use althing_client::{
    genesis_file,
    key_file::{self, StoredKey},
    model::DidText,
};
use althing_types::{
    EntityKind, Genesis, GenesisError, Inception, Mechanism, Mode, Organisation, Parameters,
    Participation, PeerSeat, Reads, SigningKey, Suite, limits::EPOCH_BLOCKS_STANDARD,
};
use anyhow::Context as _;
use rand::rngs::OsRng;

use crate::{report::with_next, secrets::NewProtection};

/// How long an idle leader waits, milliseconds: an idle network of four then needs about 0.02 core
/// (docs/decisions/0021-a-heartbeat-every-three-seconds.md).
const HEARTBEAT_MS: u32 = 3_000;
/// How long the others wait for a leader, milliseconds.
const LEADER_TIMEOUT_MS: u32 = 3_500;

/// What a network is to be.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Its name, part of every DID.
    pub(crate) network: String,
    /// Who may take part.
    pub(crate) mode: Mode,
    /// Names of the founding organisations.
    pub(crate) organisations: Vec<String>,
    /// The founding peers: name, and position of the organisation that runs it.
    pub(crate) peers: Vec<(String, usize)>,
    /// Name of the gateway.
    pub(crate) gateway: String,
    /// Blocks in each epoch.
    pub(crate) epoch_blocks: u32,
    /// How peers agree.
    pub(crate) mechanism: Mechanism,
    /// Who may read what has no policy.
    pub(crate) reads: Reads,
    /// Who transacts and deploys; whoever is registered if it does not say.
    pub(crate) participation: Option<Participation>,
}

impl Plan {
    /// `peers` peers called `peer-1` and so on, dealt to the organisations in turn.
    pub(crate) fn even(
        network: String,
        mode: Mode,
        organisations: Vec<String>,
        peers: usize,
    ) -> Self {
        let turns = organisations.len().max(1);
        let peers = (0..peers).map(|index| (format!("peer-{}", index + 1), index % turns));
        let peers = peers.collect();
        let (gateway, epoch_blocks) = ("gateway".to_owned(), EPOCH_BLOCKS_STANDARD);
        let (mechanism, reads) = (Mechanism::Simplex, Reads::Open);
        Self {
            network,
            mode,
            organisations,
            peers,
            gateway,
            epoch_blocks,
            mechanism,
            reads,
            participation: None,
        }
    }
}

/// A founded network with all its keys, before anything is written.
#[derive(Debug)]
pub(crate) struct Founded {
    /// The genesis.
    pub(crate) genesis: Genesis,
    /// The organisations in the plan's order.
    pub(crate) organisations: Vec<Member>,
    /// The peers in the plan's order.
    pub(crate) peers: Vec<PeerKeys>,
    /// The gateway, which the ledger does not know yet.
    pub(crate) gateway: Member,
}

/// An entity with its key.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// How it begins.
    pub(crate) inception: Inception,
    /// Its key.
    pub(crate) key: SigningKey,
}

/// A peer with its keys.
#[derive(Debug)]
pub(crate) struct PeerKeys {
    /// The peer as an entity.
    pub(crate) member: Member,
    /// Its voting key.
    pub(crate) voting: SigningKey,
}

impl Member {
    /// A new entity with a new key.
    pub(crate) fn new(kind: EntityKind, name: &str) -> Self {
        let key = SigningKey::generate(Suite::Ed25519, &mut OsRng);
        let inception = Inception { kind, name: name.to_owned(), key: key.public_key() };
        Self { inception, key }
    }
}

/// Draws the keys and makes the genesis.
pub(crate) fn found(plan: &Plan) -> anyhow::Result<Founded> {
    let member = |name: &String| Member::new(EntityKind::Organisation, name);
    let organisations: Vec<Member> = plan.organisations.iter().map(member).collect();
    let peers: Vec<PeerKeys> = plan.peers.iter().map(|(name, _)| PeerKeys::new(name)).collect();
    let genesis = genesis(plan, &organisations, &peers)?;
    let gateway = Member::new(EntityKind::Gateway, &plan.gateway);
    Ok(Founded { genesis, organisations, peers, gateway })
}

impl PeerKeys {
    fn new(name: &str) -> Self {
        let voting = SigningKey::generate(Suite::Ed25519, &mut OsRng);
        Self { member: Member::new(EntityKind::Peer, name), voting }
    }

    fn seat(&self, organisation: &Member) -> anyhow::Result<PeerSeat> {
        let bytes = self.voting.public_key().bytes;
        let key = bytes.try_into().ok().context("a voting key has 32 bytes")?;
        let inception = self.member.inception.clone();
        Ok(PeerSeat { inception, organisation: organisation.inception.id(), key })
    }
}

fn genesis(plan: &Plan, organisations: &[Member], peers: &[PeerKeys]) -> anyhow::Result<Genesis> {
    let seats = peers.iter().zip(&plan.peers);
    let mut seats = seats
        .map(|(peer, (_, organisation))| peer.seat(&organisations[*organisation]))
        .collect::<anyhow::Result<Vec<_>>>()?;
    seats.sort_by_key(|seat| seat.key);
    let mut founders: Vec<Organisation> = organisations
        .iter()
        .map(|member| Organisation { inception: member.inception.clone() })
        .collect();
    founders.sort_by_key(|organisation| organisation.inception.id());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let genesis = Genesis {
        version: 1,
        network: plan.network.clone(),
        time_ms: u64::try_from(now.as_millis())?,
        mode: plan.mode,
        mechanism: plan.mechanism,
        parameters: Parameters {
            heartbeat_ms: HEARTBEAT_MS,
            leader_timeout_ms: LEADER_TIMEOUT_MS,
            epoch_blocks: Some(plan.epoch_blocks),
            reads: plan.reads,
            participation: plan.participation,
            ..Parameters::standard()
        },
        organisations: founders,
        peers: seats,
        token: None,
    };
    let checked = genesis.check().map(|()| genesis);
    checked.map_err(|error| {
        let next = match error {
            GenesisError::Mechanism => "leave --agreement out, or take --mode private",
            GenesisError::Time(_) => "set the clock of this machine, which the time is taken from",
            _ => "althing network new --help explains name, organisations and peers",
        };
        with_next(error, next)
    })
}

/// Where a peer listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endpoints {
    /// For other peers.
    pub(crate) p2p: SocketAddr,
    /// For clients.
    pub(crate) api: SocketAddr,
}

/// The files of a network in a folder.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// In this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The genesis, for whoever checks proofs.
    pub(crate) fn genesis(&self) -> PathBuf {
        self.folder.join("genesis.json")
    }

    /// The key of an organisation.
    pub(crate) fn organisation_key(&self, index: usize) -> PathBuf {
        self.folder.join("organisations").join(format!("{}.json", index + 1))
    }

    /// The folder of a peer, or of the gateway, which has all that its process needs.
    pub(crate) fn member(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The configuration of a peer or of the gateway.
    pub(crate) fn config(&self, name: &str) -> PathBuf {
        self.member(name).join("config.toml")
    }

    /// Writes everything; `progress` is called before each key file.
    pub(crate) fn write(
        &self,
        founded: &Founded,
        endpoints: &[Endpoints],
        gateway: &str,
        protection: &NewProtection,
        mut progress: impl FnMut(),
    ) -> anyhow::Result<()> {
        let network = &founded.genesis.network;
        let mut key = |path: PathBuf, key: &SigningKey, inception: Option<&Inception>| {
            progress();
            let entity = inception.map(|inception| DidText::entity(network, &inception.id()));
            let stored = StoredKey { entity, key: key.clone() };
            create_folder(path.parent())?;
            Ok::<_, anyhow::Error>(key_file::write(&path, &stored, protection.as_protection())?)
        };
        for (index, member) in founded.organisations.iter().enumerate() {
            key(self.organisation_key(index), &member.key, Some(&member.inception))?;
        }
        for peer in &founded.peers {
            let keys = self.member(&peer.member.inception.name).join("keys");
            key(keys.join("voting.json"), &peer.voting, None)?;
            key(keys.join("peer.json"), &peer.member.key, Some(&peer.member.inception))?;
        }
        progress();
        self.write_gateway(&founded.genesis, &founded.gateway, gateway, protection)?;
        self.write_genesis(founded)?;
        for index in 0..founded.peers.len() {
            let name = &founded.peers[index].member.inception.name;
            write(&self.config(name), &peer_config(founded, endpoints, index))?;
        }
        Ok(())
    }

    /// Writes what the process of a gateway needs.
    pub(crate) fn write_gateway(
        &self,
        genesis: &Genesis,
        member: &Member,
        config: &str,
        protection: &NewProtection,
    ) -> anyhow::Result<()> {
        let Member { inception, key } = member;
        let folder = self.member(&inception.name);
        create_folder(Some(&folder.join("keys")))?;
        let entity = Some(DidText::entity(&genesis.network, &inception.id()));
        let stored = StoredKey { entity, key: key.clone() };
        key_file::write(&folder.join("keys/gateway.json"), &stored, protection.as_protection())?;
        write(&folder.join("genesis.json"), &genesis_file::to_text(genesis))?;
        write(&self.config(&inception.name), config)
    }

    /// One copy for clients, and one in each folder, so that the folder can be moved to the machine
    /// where its process runs.
    fn write_genesis(&self, founded: &Founded) -> anyhow::Result<()> {
        let text = genesis_file::to_text(&founded.genesis);
        write(&self.genesis(), &text)?;
        founded.peers.iter().map(|peer| &peer.member).try_for_each(|member| {
            write(&self.member(&member.inception.name).join("genesis.json"), &text)
        })
    }
}

fn peer_config(founded: &Founded, endpoints: &[Endpoints], index: usize) -> String {
    let own = &founded.peers[index].member.inception.name;
    let Endpoints { p2p, api } = endpoints[index];
    let seats = founded.genesis.peers.iter();
    let own_id = founded.peers[index].member.inception.id();
    let organisation =
        seats.filter(|seat| seat.inception.id() == own_id).map(|seat| seat.organisation);
    // Whoever runs it may operate it from elsewhere.
    let operators =
        organisation.map(|id| format!("\"{}\"", DidText::entity(&founded.genesis.network, &id)));
    let operators = operators.collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "# {own} of network {}. Every other key and its default: althing config init -\n\n\
         [peer]\noperators = [{operators}]\n\n\
         [peer.p2p]\nlisten = \"{p2p}\"\naddress = \"{p2p}\"\n\n[peer.p2p.addresses]\n",
        founded.genesis.network
    );
    let others = || {
        let names = founded.peers.iter().map(|peer| &peer.member.inception.name);
        names.zip(endpoints).filter(|(name, _)| *name != own)
    };
    for (name, endpoints) in others() {
        text.push_str(&format!("{} = \"{}\"\n", quoted(name), endpoints.p2p));
    }
    text.push_str(&format!("\n[peer.api]\nlisten = \"{api}\"\n\n[peer.api.addresses]\n"));
    for (name, endpoints) in others() {
        text.push_str(&format!("{} = \"http://{}\"\n", quoted(name), endpoints.api));
    }
    text
}

/// The configuration of a gateway that submits to these peers and serves the things of these owners,
/// or those of its own if there are none; `more` is appended.
pub(crate) fn gateway_config(
    network: &str,
    mqtt: SocketAddr,
    peers: &[Endpoints],
    owners: &[String],
    more: &str,
) -> String {
    let urls: Vec<String> = peers.iter().map(|peer| format!("\"http://{}\"", peer.api)).collect();
    let names: Vec<String> = owners.iter().map(|owner| quoted(owner)).collect();
    let served = match names.is_empty() {
        true => String::new(),
        false => format!("owners = [{}]\n", names.join(", ")),
    };
    format!(
        "# Gateway of network {network}. Every other key and its default: althing config init -\n\n\
         [gateway]\npeers = [{}]\n{served}\n[gateway.mqtt]\nlisten = \"{mqtt}\"\n{}{more}",
        urls.join(", "),
        anonymous(mqtt)
    )
}

/// Programs of this machine need no password; nobody else comes in without one.
fn anonymous(mqtt: SocketAddr) -> &'static str {
    match mqtt.ip().is_loopback() {
        true => {
            "\n# Whoever reaches this address may do everything: a network to try out.\n[gateway.mqtt.anonymous]\nallowed = true\npublish = [\"#\"]\nreceive = [\"#\"]\n"
        }
        false => "\n# Who may publish what: [[gateway.mqtt.users]], see althing config init -\n",
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn create_folder(folder: Option<&Path>) -> anyhow::Result<()> {
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    create_folder(path.parent())?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn plan(organisations: usize, peers: usize) -> Plan {
        let names = (1..=organisations).map(|index| format!("Org {index}")).collect();
        Plan::even("test".to_owned(), Mode::Consortium, names, peers)
    }

    fn endpoints(count: u16) -> Vec<Endpoints> {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        (0..count).map(|i| Endpoints { p2p: at(4465 + i), api: at(5464 + i) }).collect()
    }

    #[test]
    fn every_folder_holds_what_its_process_needs() {
        let folder = tempfile::tempdir().unwrap();
        let (founded, endpoints) = (found(&plan(4, 4)).unwrap(), endpoints(4));
        let layout = Layout::new(folder.path());
        let gateway =
            gateway_config("test", "127.0.0.1:1883".parse().unwrap(), &endpoints, &[], "");
        layout.write(&founded, &endpoints, &gateway, &NewProtection::Insecure, || {}).unwrap();
        let config = Config::load(&layout.config("peer-2")).unwrap();
        let genesis = crate::session::read_genesis(&config.genesis_path().unwrap()).unwrap();
        assert_eq!(genesis, founded.genesis);
        let peer = config.peer().unwrap();
        assert_eq!(peer.p2p_listen, endpoints[1].p2p);
        assert_eq!(config.validator_addresses(&peer, &genesis).unwrap().len(), 3);
        let pages: Vec<_> = peer.api.addresses.into_iter().collect();
        assert_eq!(pages[0], ("peer-1".to_owned(), "http://127.0.0.1:5464".to_owned()));
        assert_eq!(pages.len(), 3);
        let seats = founded.genesis.peers.iter();
        let own = founded.peers[1].member.inception.id();
        let runs = seats.filter(|seat| seat.inception.id() == own).map(|seat| seat.organisation);
        assert_eq!(peer.api.operators, runs.collect::<Vec<_>>(), "its organisation operates it");
        let voting = key_file::read(&peer.voting_key, None).unwrap();
        assert_eq!(voting.key.secret(), founded.peers[1].voting.secret());
        let gateway = Config::load(&layout.config("gateway")).unwrap().gateway().unwrap();
        assert_eq!(gateway.peers.len(), 4);
        let key = key_file::read(&gateway.key, None).unwrap();
        assert_eq!(key.entity.unwrap().entity_id(), founded.gateway.inception.id());
    }

    #[test]
    fn an_organisation_with_a_third_of_the_votes_is_refused() {
        let error = found(&plan(3, 4)).unwrap_err().to_string();
        assert!(error.contains("has 2 of 4 votes"), "{error}");
        assert!(found(&plan(4, 4)).is_ok() && found(&plan(1, 1)).is_ok());
    }
}
