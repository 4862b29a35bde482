use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use althing_client::model::IdText;
use althing_ordering::{Address, PeerKey, Role};
use althing_peer::{mempool, snapshot};
use althing_storage::Settings;
use althing_types::{Digest, EntityId, Genesis};
use serde::Deserialize;

use super::Config;
use crate::nearest::nearest;

/// What `althing peer run` needs to know.
#[derive(Debug)]
pub(crate) struct PeerConfig {
    /// Folder of blocks, state and payloads.
    pub(crate) data: PathBuf,
    /// Whether it votes.
    pub(crate) role: Role,
    /// File of the voting key.
    pub(crate) voting_key: PathBuf,
    /// File of the key that the peer signs as an entity with; none if it signs nothing.
    pub(crate) key: Option<PathBuf>,
    /// File with the passphrase of these files.
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Threads for tasks.
    pub(crate) worker_threads: usize,
    /// Where it listens for peers.
    pub(crate) p2p_listen: SocketAddr,
    /// Where other peers reach it, if it tells them.
    pub(crate) own_address: Option<Address>,
    /// Where some other peers listen.
    pub(crate) seeds: Vec<Address>,
    /// Peers without a vote that may connect.
    pub(crate) followers: Vec<PeerKey>,
    /// Where other validators listen, by name or voting key.
    addresses: BTreeMap<String, Address>,
    /// Where it serves HTTP.
    pub(crate) api_listen: SocketAddr,
    /// Bounds of the interface.
    pub(crate) api: althing_api::Config,
    /// Bounds of the mempool.
    pub(crate) mempool: mempool::Limits,
    /// Submissions that may wait to be checked.
    pub(crate) intake_calls_max: usize,
    /// How long a result waits for transactions to ride along.
    pub(crate) result_delay: Duration,
    /// How long a leader gathers while much comes.
    pub(crate) gather: Duration,
    /// How often what is not final is spread again.
    pub(crate) respread_interval: Duration,
    /// Whether it takes other validators' word on signatures.
    pub(crate) trust_validators: bool,
    /// Bytes of disk that payloads may take.
    pub(crate) payload_bytes_max: Option<u64>,
    /// Whether payloads are encrypted on disk.
    pub(crate) encrypt_at_rest: bool,
    /// File of the key that they are encrypted with; the voting key's if none.
    pub(crate) encryption_key: Option<PathBuf>,
    /// Memory and disk of the store.
    pub(crate) store: Settings,
    /// How it catches up when it is far behind.
    pub(crate) sync: snapshot::Settings,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    data: String,
    role: String,
    voting_key: String,
    key: String,
    passphrase_file: String,
    operators: Vec<String>,
    auditors: Vec<String>,
    worker_threads: usize,
    disk: String,
    encrypt_at_rest: bool,
    encryption_key: String,
    intake_calls_max: usize,
    result_delay: String,
    gather: String,
    respread_interval: String,
    trust_validators: bool,
    p2p: P2p,
    api: Api,
    mempool: Mempool,
    store: Store,
    sync: Sync,
    goals: Goals,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct P2p {
    listen: String,
    address: String,
    seeds: Vec<String>,
    followers: Vec<String>,
    addresses: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Api {
    listen: String,
    writes: bool,
    origins: Vec<String>,
    requests_max: usize,
    event_streams_max: usize,
    webhooks_private: bool,
    connections_max: usize,
    connections_per_address_max: usize,
    head_timeout: String,
    body_timeout: String,
    write_timeout: String,
    request_timeout: String,
    drain_timeout: String,
    addresses: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mempool {
    transactions_max: usize,
    per_sender_max: usize,
    per_sender_bytes_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Goals {
    commit_p99: String,
    behind_blocks: usize,
    disk_free: String,
    validators_connected: usize,
    patience: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    cache_bytes: u64,
    gather_bytes: u64,
    journal_bytes: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sync {
    mode: String,
    behind_blocks: usize,
    interval: String,
}

/// Most threads for tasks; more than any machine has cores is a slip of the pen.
const WORKER_THREADS_MAX: usize = 256;
/// Most operators, and most auditors; more is a slip of the pen.
const OPERATORS_MAX: usize = 64;
/// Most peers to begin with; more is a slip of the pen.
const SEEDS_MAX: usize = 64;
/// Most of anything that is counted; more is a slip of the pen.
const COUNT_MAX: usize = 1 << 32;
/// Longest address of another peer's interface, bytes.
const API_ADDRESS_BYTES_MAX: usize = 256;
/// Shortest journal that the store takes, bytes.
const JOURNAL_BYTES_MIN: u64 = 64 * 1024 * 1024;

impl Config {
    /// The part that a peer reads, validated.
    pub(crate) fn peer(&self) -> anyhow::Result<PeerConfig> {
        let section: Section = self.document.section("peer")?;
        let threads = (1, WORKER_THREADS_MAX);
        let data = self.path("peer.data", &section.data)?;
        Ok(PeerConfig {
            data: data.clone(),
            role: self.role(&section.role)?,
            voting_key: self.path("peer.voting_key", &section.voting_key)?,
            key: self.optional_path(&section.key),
            passphrase_file: self.optional_path(&section.passphrase_file),
            worker_threads: self.within("peer.worker_threads", section.worker_threads, threads)?,
            p2p_listen: self.listen("peer.p2p.listen", &section.p2p.listen)?,
            own_address: match section.p2p.address.as_str() {
                "" => None,
                text => Some(self.p2p_address("peer.p2p.address", text)?),
            },
            seeds: self.seeds(&section.p2p.seeds)?,
            followers: self.followers(&section.p2p.followers)?,
            addresses: self.addresses(section.p2p.addresses)?,
            api_listen: self.listen("peer.api.listen", &section.api.listen)?,
            mempool: self.mempool(&section.mempool)?,
            intake_calls_max: self.count("peer.intake_calls_max", section.intake_calls_max)?,
            result_delay: self.span("peer.result_delay", &section.result_delay)?,
            gather: self.span("peer.gather", &section.gather)?,
            respread_interval: self.span("peer.respread_interval", &section.respread_interval)?,
            trust_validators: section.trust_validators,
            payload_bytes_max: self.optional_size("peer.disk", &section.disk)?,
            encrypt_at_rest: section.encrypt_at_rest,
            encryption_key: self.optional_path(&section.encryption_key),
            store: self.store(&section.store)?,
            sync: self.sync(&section.sync)?,
            api: althing_api::Config {
                operators: self.entities("peer.operators", &section.operators)?,
                auditors: self.entities("peer.auditors", &section.auditors)?,
                goals: self.goals(&section.goals)?,
                ..self.api(section.api, &data)?
            },
        })
    }

    fn within(&self, key: &str, value: usize, bounds: (usize, usize)) -> anyhow::Result<usize> {
        let (min, max) = bounds;
        if (min..=max).contains(&value) {
            return Ok(value);
        }
        Err(self.document.wrong(key, format!("is {value}, but must be {min} to {max}")))
    }

    pub(super) fn count(&self, key: &str, value: usize) -> anyhow::Result<usize> {
        self.within(key, value, (1, COUNT_MAX))
    }

    fn role(&self, text: &str) -> anyhow::Result<Role> {
        match text {
            "validator" => Ok(Role::Validator),
            "follower" => Ok(Role::Follower),
            _ => {
                let problem = match nearest(text, ["validator", "follower"]) {
                    Some(near) => format!("`{text}` is no role; did you mean `{near}`?"),
                    None => format!("`{text}` is no role; it is `validator` or `follower`"),
                };
                Err(self.document.wrong("peer.role", problem))
            }
        }
    }

    /// Entities by DID or id.
    fn entities(&self, key: &str, given: &[String]) -> anyhow::Result<Vec<EntityId>> {
        if given.len() > OPERATORS_MAX {
            let problem = format!("has {}, but may have {OPERATORS_MAX}", given.len());
            return Err(self.document.wrong(key, problem));
        }
        let read = |text: &String| {
            let id = text.parse::<IdText>().map(|id| EntityId(id.id));
            id.map_err(|problem| self.document.wrong(key, format!("`{text}`: {problem}")))
        };
        given.iter().map(read).collect()
    }

    fn followers(&self, given: &[String]) -> anyhow::Result<Vec<PeerKey>> {
        let read = |text: &String| match Digest::from_hex(text) {
            Some(key) => Ok(key.0),
            None => {
                let problem = format!("`{text}` is no voting key of 64 hex digits");
                Err(self.document.wrong("peer.p2p.followers", problem))
            }
        };
        given.iter().map(read).collect()
    }

    fn p2p_address(&self, key: &str, text: &str) -> anyhow::Result<Address> {
        text.parse().map_err(|problem| self.document.wrong(key, problem))
    }

    fn seeds(&self, given: &[String]) -> anyhow::Result<Vec<Address>> {
        if given.len() > SEEDS_MAX {
            let problem = format!("has {}, but may have {SEEDS_MAX}", given.len());
            return Err(self.document.wrong("peer.p2p.seeds", problem));
        }
        given.iter().map(|text| self.p2p_address("peer.p2p.seeds", text)).collect()
    }

    fn addresses(
        &self,
        given: BTreeMap<String, String>,
    ) -> anyhow::Result<BTreeMap<String, Address>> {
        let read = |(name, text): (String, String)| {
            let key = format!("peer.p2p.addresses.{name}");
            Ok((name, self.p2p_address(&key, &text)?))
        };
        given.into_iter().map(read).collect()
    }

    fn api(&self, raw: Api, data: &Path) -> anyhow::Result<althing_api::Config> {
        let span = |key: &str, text: &str| self.span(&format!("peer.api.{key}"), text);
        let count = |key: &str, value| self.count(&format!("peer.api.{key}"), value);
        Ok(althing_api::Config {
            requests_max: count("requests_max", raw.requests_max)?,
            event_streams_max: count("event_streams_max", raw.event_streams_max)?,
            connections_max: count("connections_max", raw.connections_max)?,
            connections_per_address_max: count(
                "connections_per_address_max",
                raw.connections_per_address_max,
            )?,
            head_timeout: span("head_timeout", &raw.head_timeout)?,
            body_timeout: span("body_timeout", &raw.body_timeout)?,
            write_timeout: span("write_timeout", &raw.write_timeout)?,
            request_timeout: span("request_timeout", &raw.request_timeout)?,
            drain_timeout: span("drain_timeout", &raw.drain_timeout)?,
            addresses: self.api_addresses(raw.addresses)?,
            origins: raw.origins,
            writes: raw.writes,
            webhooks_private: raw.webhooks_private,
            data: Some(data.to_path_buf()),
            ..althing_api::Config::standard()
        })
    }

    /// Browsers are sent there, so nothing but the web will do.
    fn api_addresses(
        &self,
        given: BTreeMap<String, String>,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let read = |(name, text): (String, String)| {
            let address = text.trim_end_matches('/');
            let host = ["http://", "https://"].iter().find_map(|web| address.strip_prefix(web));
            let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>@?#\\".contains(&byte);
            let is_host = host.is_some_and(|host| !host.is_empty() && host.bytes().all(is_plain));
            if is_host && address.len() <= API_ADDRESS_BYTES_MAX {
                return Ok((name, address.to_owned()));
            }
            let problem = format!("`{text}` is no address such as http://10.0.0.2:4464");
            Err(self.document.wrong(&format!("peer.api.addresses.{name}"), problem))
        };
        given.into_iter().map(read).collect()
    }

    fn mempool(&self, raw: &Mempool) -> anyhow::Result<mempool::Limits> {
        let count = |key: &str, value| self.count(&format!("peer.mempool.{key}"), value);
        Ok(mempool::Limits {
            transactions_max: count("transactions_max", raw.transactions_max)?,
            per_sender_max: count("per_sender_max", raw.per_sender_max)?,
            per_sender_bytes_max: count("per_sender_bytes_max", raw.per_sender_bytes_max)?,
            bytes_max: count("bytes_max", raw.bytes_max)?,
        })
    }

    fn goals(&self, raw: &Goals) -> anyhow::Result<althing_api::Goals> {
        let at_least_one = |count: usize| (count > 0).then_some(count as u64);
        Ok(althing_api::Goals {
            commit_p99: self.optional_span("peer.goals.commit_p99", &raw.commit_p99)?,
            behind_blocks: at_least_one(raw.behind_blocks),
            disk_free_bytes: self.optional_size("peer.goals.disk_free", &raw.disk_free)?,
            validators_connected: at_least_one(raw.validators_connected),
            patience: self.span("peer.goals.patience", &raw.patience)?,
        })
    }

    fn store(&self, raw: &Store) -> anyhow::Result<Settings> {
        if raw.journal_bytes < JOURNAL_BYTES_MIN {
            let problem = format!("must be at least {JOURNAL_BYTES_MIN}");
            return Err(self.document.wrong("peer.store.journal_bytes", problem));
        }
        let Store { cache_bytes, gather_bytes, journal_bytes } = *raw;
        Ok(Settings { cache_bytes, gather_bytes, journal_bytes })
    }

    fn sync(&self, raw: &Sync) -> anyhow::Result<snapshot::Settings> {
        let behind = self.count("peer.sync.behind_blocks", raw.behind_blocks)?;
        let behind_blocks = match raw.mode.as_str() {
            "snapshot" => Some(behind as u64),
            "blocks" => None,
            other => {
                let problem = format!("`{other}` is not `snapshot` or `blocks`");
                return Err(self.document.wrong("peer.sync.mode", problem));
            }
        };
        let interval = self.span("peer.sync.interval", &raw.interval)?;
        Ok(snapshot::Settings { behind_blocks, interval })
    }

    /// Where the validators listen, by voting key; each name must be one of the genesis.
    pub(crate) fn validator_addresses(
        &self,
        peer: &PeerConfig,
        genesis: &Genesis,
    ) -> anyhow::Result<BTreeMap<PeerKey, Address>> {
        let find = |(name, address): (&String, &Address)| {
            self.peer_named(name, genesis).map(|key| (key, address.clone()))
        };
        peer.addresses.iter().map(find).collect()
    }

    fn peer_named(&self, name: &str, genesis: &Genesis) -> anyhow::Result<PeerKey> {
        let mut fitting = genesis.peers.iter().filter(|seat| {
            seat.inception.name == name || hex::encode(seat.key).eq_ignore_ascii_case(name)
        });
        match (fitting.next(), fitting.next()) {
            (Some(seat), None) => Ok(seat.key),
            (Some(_), Some(_)) => {
                Err(self.wrong_peer(name, "two peers have this name; use the voting key"))
            }
            // Whoever joined by vote is not in the genesis: it has no name here, but a key.
            (None, _) if voting_key(name).is_some() => Ok(voting_key(name).unwrap_or_default()),
            (None, _) => {
                let names = genesis.peers.iter().map(|seat| seat.inception.name.as_str());
                let problem = match nearest(name, names) {
                    Some(near) => format!("the genesis has no such peer; did you mean `{near}`?"),
                    None => "the genesis has no peer of this name or voting key".to_owned(),
                };
                Err(self.wrong_peer(name, &problem))
            }
        }
    }

    fn wrong_peer(&self, name: &str, problem: &str) -> anyhow::Error {
        self.document.wrong(&format!("peer.p2p.addresses.{name}"), problem)
    }
}

/// A voting key in text: 64 hex digits.
fn voting_key(text: &str) -> Option<PeerKey> {
    hex::decode(text).ok()?.try_into().ok()
}
