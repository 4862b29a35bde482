use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use althing_ordering::{Address, Config as Ordering, Role, Sizes, Timing};
use althing_peer::Planted;
use althing_types::{
    Allocation, Amount, Block, EntityId, EntityKind, Fees, Genesis, Inception, Mode, Organisation,
    Parameters, PeerSeat, SigningKey, StakeRules, StreamId, Suite, ThingId, Token,
};
use zeroize::Zeroizing;

use crate::{
    Plan, payer,
    plan::{Keeping, Tempo},
};

/// What a seat costs, where it costs anything.
pub(crate) const STAKED: Amount = match Amount::new(1000) {
    Some(amount) => amount,
    None => Amount::MAX,
};

/// How seats follow from stakes, where they do. A peer may be away for long: it is another test's.
const STAKE: StakeRules = StakeRules {
    seats_min: 3,
    seats_max: 8,
    least: STAKED,
    founding: STAKED,
    locked_epochs: 2,
    silent_epochs: 100,
    burnt_percent: 10,
};

/// What each thing measures, ascending.
pub(crate) const PROPERTIES: [&str; 2] = ["humidity", "temperature"];

/// The description of every thing.
const DESCRIPTION: &str = r#"{
  "@context": "https://www.w3.org/2022/wot/td/v1.1",
  "title": "Weather station",
  "security": "none",
  "securityDefinitions": { "none": { "scheme": "nosec" } },
  "properties": {
    "humidity": { "type": "number", "unit": "%RH", "multipleOf": 0.01,
      "forms": [{ "href": "urn:none" }] },
    "temperature": { "type": "number", "unit": "Cel", "multipleOf": 0.01,
      "forms": [{ "href": "urn:none" }] } }
}"#;

/// A gateway and the thing that it serves.
#[derive(Debug)]
pub struct Account {
    /// Its identity.
    pub inception: Inception,
    /// The same, in short.
    pub entity: EntityId,
    /// Its key.
    pub key: SigningKey,
    /// Name of the thing.
    pub name: String,
    /// The thing.
    pub thing: ThingId,
    /// Its streams.
    pub streams: Vec<StreamId>,
    /// The description of the thing.
    pub description: String,
    /// What becomes of what cannot be delivered.
    pub(crate) keeping: Keeping,
}

/// The genesis of a simulated network and the keys of all who take part.
#[derive(Debug)]
pub struct Founding {
    /// The genesis.
    pub genesis: Genesis,
    /// Voting key seeds, validators first, in the order of the genesis; then followers.
    seeds: Vec<[u8; 32]>,
    validators: usize,
    organisations: Vec<(EntityId, SigningKey)>,
    gateways: Vec<Account>,
}

/// A key, the same in each network.
pub(crate) fn key(kind: u8, index: usize) -> SigningKey {
    SigningKey::from_secret(Suite::Ed25519, secret(kind, index)).unwrap_or_else(|| unreachable!())
}

fn secret(kind: u8, index: usize) -> [u8; 32] {
    let mut secret = [kind; 32];
    secret[1] = index as u8;
    secret
}

fn voting_key(seed: &[u8; 32]) -> [u8; 32] {
    let key = SigningKey::from_secret(Suite::Ed25519, *seed).unwrap_or_else(|| unreachable!());
    key.public_key().bytes.try_into().unwrap_or([0; 32])
}

fn peer_inception(index: usize, key: &SigningKey) -> Inception {
    Inception { kind: EntityKind::Peer, name: format!("peer {index}"), key: key.public_key() }
}

fn account(index: usize, owner: &EntityId, keeping: Keeping) -> Account {
    let key = key(5, index);
    let inception = Inception {
        kind: EntityKind::Gateway,
        name: format!("gateway {index}"),
        key: key.public_key(),
    };
    let name = format!("station {index}");
    let thing = ThingId::derive(owner, &name);
    let streams = PROPERTIES.map(|property| StreamId::derive(&thing, property)).to_vec();
    let description = match keeping {
        Keeping::Loses => DESCRIPTION.replacen('{', r#"{ "althing:whenFull": "lose-oldest","#, 1),
        Keeping::Keeps | Keeping::Refuses => DESCRIPTION.to_owned(),
    };
    Account { entity: inception.id(), inception, key, name, thing, streams, description, keeping }
}

impl Founding {
    /// The network of a plan: one organisation for each validator.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self::named(plan, "sim")
    }

    /// The same by a name: networks of different names are different ledgers, though the keys are the same.
    #[must_use]
    pub fn named(plan: &Plan, network: &str) -> Self {
        let mut organisations: Vec<(EntityId, SigningKey, Inception)> = (0..plan.validators)
            .map(|index| {
                let key = key(1, index);
                let inception = Inception {
                    kind: EntityKind::Organisation,
                    name: format!("organisation {index}"),
                    key: key.public_key(),
                };
                (inception.id(), key, inception)
            })
            .collect();
        organisations.sort_by_key(|(id, _, _)| *id);
        let mut seeds: Vec<[u8; 32]> = (0..plan.validators).map(|index| secret(2, index)).collect();
        seeds.sort_by_key(voting_key);
        let peers = seeds
            .iter()
            .enumerate()
            .map(|(index, seed)| PeerSeat {
                inception: peer_inception(index, &key(3, index)),
                organisation: organisations[index].0,
                key: voting_key(seed),
            })
            .collect();
        seeds.extend((0..plan.followers).map(|index| secret(4, index)));
        let (heartbeat_ms, leader_timeout_ms) = match plan.tempo {
            Tempo::Seconds => (300, 700),
            Tempo::Days => (60_000, 90_000),
        };
        let parameters = Parameters {
            heartbeat_ms,
            leader_timeout_ms,
            epoch_blocks: plan.epoch_blocks,
            fees: plan.tokens.then(|| Fees { per_transaction: payer::FEE, ..Fees::default() }),
            stake: plan.stake.then_some(STAKE),
            ..Parameters::standard()
        };
        let genesis = Genesis {
            version: 1,
            network: network.to_owned(),
            time_ms: 1,
            mode: if plan.stake { Mode::Public } else { Mode::Private },
            mechanism: plan.mechanism,
            parameters,
            organisations: organisations
                .iter()
                .map(|(_, _, inception)| Organisation { inception: inception.clone() })
                .collect(),
            peers,
            token: plan.tokens.then(|| Token {
                name: "Watt".to_owned(),
                symbol: "watt".to_owned(),
                decimals: 0,
                initial: organisations
                    .iter()
                    .map(|(account, _, _)| Allocation {
                        account: *account,
                        amount: Amount::from(payer::EACH),
                    })
                    .collect(),
            }),
        };
        let organisations: Vec<_> =
            organisations.into_iter().map(|(id, key, _)| (id, key)).collect();
        let gateways = (0..plan.gateways)
            .map(|index| {
                let (owner, _) = &organisations[index % organisations.len()];
                account(index, owner, plan.keeping(index))
            })
            .collect();
        Self { genesis, seeds, validators: plan.validators, organisations, gateways }
    }

    /// Number of peers.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.seeds.len()
    }

    /// The key by which others know a peer.
    #[must_use]
    pub fn peer_key(&self, peer: usize) -> [u8; 32] {
        voting_key(&self.seeds[peer])
    }

    /// The key that a machine votes with.
    pub(crate) fn voting_key(&self, machine: usize) -> SigningKey {
        let key = SigningKey::from_secret(Suite::Ed25519, self.seeds[machine]);
        key.unwrap_or_else(|| unreachable!())
    }

    /// An organisation and its key.
    #[must_use]
    pub fn organisation(&self, index: usize) -> &(EntityId, SigningKey) {
        &self.organisations[index % self.organisations.len()]
    }

    /// A gateway and its thing.
    #[must_use]
    pub fn gateway(&self, index: usize) -> &Account {
        &self.gateways[index]
    }

    /// A peer's configuration.
    #[must_use]
    pub fn peer(&self, peer: usize, planted: Option<Planted>) -> althing_peer::Config {
        let votes = peer < self.validators;
        let mut config =
            althing_peer::Config::standard(self.genesis.clone(), self.peer_key(peer), votes);
        config.planted = planted;
        config
    }

    /// How a peer begins as an entity; whoever runs it is [`Self::organisation`] of the same index.
    #[must_use]
    pub fn inception(&self, peer: usize) -> (Inception, SigningKey) {
        let key = key(3, peer);
        (peer_inception(peer, &key), key)
    }

    /// A peer's configuration of ordering.
    #[must_use]
    pub fn ordering(&self, peer: usize, genesis: Arc<Block>) -> Ordering {
        let keys: Vec<[u8; 32]> = self.seeds.iter().map(voting_key).collect();
        let parameters = &self.genesis.parameters;
        let leader_timeout = Duration::from_millis(parameters.leader_timeout_ms.into());
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let addresses: BTreeMap<_, _> =
            keys.iter().map(|key| (*key, Address::Socket(anywhere))).collect();
        Ordering {
            ledger: self.genesis.ledger(),
            mechanism: self.genesis.mechanism,
            genesis,
            seed: Zeroizing::new(self.seeds[peer]),
            role: if peer < self.validators { Role::Validator } else { Role::Follower },
            validators: self.genesis.validators(),
            epoch_blocks: parameters.epoch_blocks,
            joined: 0,
            followers: keys[self.validators..].to_vec(),
            addresses,
            listen: anywhere,
            own_address: None,
            seeds: Vec::new(),
            partition: format!("{}-{peer}", self.genesis.network),
            timing: Timing {
                heartbeat: Duration::from_millis(parameters.heartbeat_ms.into()),
                leader_timeout,
                certification_timeout: leader_timeout + Duration::from_millis(800),
                retry: Duration::from_millis(500),
                skip_timeout: leader_timeout + Duration::from_millis(2300),
            },
            sizes: Sizes::STANDARD,
        }
    }
}
