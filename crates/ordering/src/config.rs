use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use althing_types::{Block, LedgerId, Mechanism, ValidatorSet, Wire as _, limits};
use zeroize::Zeroizing;

use crate::seam::PeerKey;

/// What a peer takes part as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Proposes and votes; its key is among the validators.
    Validator,
    /// Receives and checks everything, and serves others, without a vote.
    Follower,
}

/// Where a peer can be dialled: `10.0.0.7:26000`, `[::1]:26000` or `peer.example.org:26000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An IP address and port.
    Socket(SocketAddr),
    /// A name, resolved whenever it is dialled, and a port.
    Name(String, u16),
}

impl FromStr for Address {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let named = || {
            let (name, port) = text.rsplit_once(':')?;
            // A sign would be read as well.
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|_| digits)?;
            Some(Self::Name(name.to_owned(), port))
        };
        text.parse()
            .ok()
            .map(Self::Socket)
            .or_else(named)
            .filter(Address::is_dialable)
            .ok_or_else(|| ConfigError::Address(text.to_owned()))
    }
}

impl Address {
    pub(crate) fn is_dialable(&self) -> bool {
        match self {
            Self::Socket(socket) => socket.port() != 0 && is_one_host(socket.ip()),
            Self::Name(name, port) => *port != 0 && is_host_name(name),
        }
    }
}

/// Whether an address is that of one host, and not of nobody in particular or of many.
fn is_one_host(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let broadcast = ip == IpAddr::V4(Ipv4Addr::BROADCAST);
    !(ip.is_unspecified() || ip.is_multicast() || broadcast)
}

/// Whether a name can be looked up. One whose last label is a number never ends in a known domain:
/// it is an IPv4 address gone wrong, which some resolvers would complete to another host's
/// (`10.0.7` to 10.0.0.7).
fn is_host_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let number = match hexadecimal {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    !number && commonware_utils::Hostname::new(name).is_ok()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(socket) => write!(f, "{socket}"),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

/// How long the engine waits for what. All but `retry` are measured from the moment a view is
/// entered, so they include the time in which the leader waits for work.
///
/// `heartbeat < leader_timeout < certification_timeout < skip_timeout`, and `retry < skip_timeout`.
/// Keep half a second between the first two (the proposal must arrive) and one and a half between
/// `heartbeat` and `certification_timeout` (the block must arrive and be checked).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The longest that [`Application::propose`](crate::Application::propose) waits for work. Only
    /// the application acts on it; it is here because the others depend on it.
    pub heartbeat: Duration,
    /// When validators give up on a leader that has proposed nothing. Also the longest that a
    /// transaction waits if the leader has just died.
    pub leader_timeout: Duration,
    /// When validators give up on a view in which no block could be certified.
    pub certification_timeout: Duration,
    /// How often the vote to give a view up is repeated.
    pub retry: Duration,
    /// A leader from whom nothing was heard for so long is skipped without waiting.
    pub skip_timeout: Duration,
}

impl Timing {
    /// A heartbeat a second: 18 ms from submission to finality when idle, 0.02 core for four
    /// validators on one machine, at most 1.5 s if the leader has just died.
    pub const STANDARD: Self = Self {
        heartbeat: Duration::from_secs(1),
        leader_timeout: Duration::from_millis(1500),
        certification_timeout: Duration::from_millis(2500),
        retry: Duration::from_secs(1),
        skip_timeout: Duration::from_secs(4),
    };

    /// A heartbeat every five seconds: a fifth of the disk writes, and up to 6 s after a death.
    pub const SPARING: Self = Self {
        heartbeat: Duration::from_secs(5),
        leader_timeout: Duration::from_secs(6),
        certification_timeout: Duration::from_secs(8),
        retry: Duration::from_secs(1),
        skip_timeout: Duration::from_secs(12),
    };

    fn is_ordered(&self) -> bool {
        Duration::ZERO < self.retry
            && Duration::ZERO < self.heartbeat
            && self.heartbeat < self.leader_timeout
            && self.leader_timeout < self.certification_timeout
            && self.certification_timeout < self.skip_timeout
            && self.retry < self.skip_timeout
    }
}

/// Bounds, in bytes and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Longest block, bytes on the wire. The same at all peers of a ledger, and never lowered.
    pub block_bytes_max: usize,
    /// Longest message on the [`Mesh`](crate::Mesh), bytes. The same at all peers, never lowered.
    pub message_bytes_max: usize,
    /// Most delivered blocks that wait for their [`Ack`](crate::Ack).
    pub unacknowledged: usize,
}

impl Sizes {
    /// 8 MiB blocks, 1 MiB messages, 16 blocks unacknowledged.
    pub const STANDARD: Self = Self {
        block_bytes_max: limits::BLOCK_BYTES_MAX,
        message_bytes_max: 1024 * 1024,
        unacknowledged: 16,
    };
}

/// What a peer must know to take part in a ledger's agreement.
#[derive(Clone)]
pub struct Config {
    /// The ledger; part of everything that is signed.
    pub ledger: LedgerId,
    /// How peers agree, as the genesis has it; of an epoch, its validators say whether that was changed.
    pub mechanism: Mechanism,
    /// Block 0, the same at all peers.
    pub genesis: Arc<Block>,
    /// The seed of this peer's Ed25519 key (RFC 8032's private key), for votes and connections.
    pub seed: Zeroizing<[u8; 32]>,
    /// What this peer takes part as at first. In later epochs it votes if its key is among the
    /// validators.
    pub role: Role,
    /// Who votes in the first epoch.
    pub validators: ValidatorSet,
    /// Blocks in each epoch, at least 2; without it, the first epoch has no end.
    pub epoch_blocks: Option<u32>,
    /// How many validators have joined since, as far as this peer knows when it starts; connections
    /// are kept ready for them, and for a few more.
    pub joined: usize,
    /// Peers without a vote that may connect.
    pub followers: Vec<PeerKey>,
    /// Where to dial the validators, those of later epochs too; whoever is not listed, and does not tell,
    /// must dial. Who follows is never dialled.
    pub addresses: BTreeMap<PeerKey, Address>,
    /// Where other peers reach this one; it tells them, signed. Without it, it is found as they have it
    /// written down, or dials them itself.
    pub own_address: Option<Address>,
    /// Where some peer listens, whichever: asked for the addresses of the others, as long as nobody is
    /// connected.
    pub seeds: Vec<Address>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Begins the name of every storage partition of this ledger, so that several ledgers, or
    /// several peers in a test, can share a runtime. Letters, digits and `-`.
    pub partition: String,
    /// How long to wait for what.
    pub timing: Timing,
    /// Bounds.
    pub sizes: Sizes,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("ledger", &self.ledger)
            .field("epoch", &self.validators.epoch)
            .field("mechanism", &self.mechanism)
            .field("role", &self.role)
            .field("validators", &self.validators.validators.len())
            .field("followers", &self.followers.len())
            .field("listen", &self.listen)
            .field("partition", &self.partition)
            .field("timing", &self.timing)
            .field("sizes", &self.sizes)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a [`Config`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not `IP:port` or `name:port`.
    #[error("`{0}` is no address: write it like 10.0.0.7:26000 or peer.example.org:26000")]
    Address(String),
    /// No validators, too many, unsorted or repeated.
    #[error(
        "the validators must be 1 to {max} different keys in ascending order",
        max = limits::VALIDATORS_MAX
    )]
    Validators,
    /// Bytes that are no Ed25519 key.
    #[error("{} is not an Ed25519 public key", Hex(.0))]
    Key(PeerKey),
    /// The peer's key and its role do not fit.
    #[error("the key {} is not listed as a {role}: check the key file and the genesis", Hex(.key))]
    NotListed {
        /// This peer's public key.
        key: PeerKey,
        /// `validator` or `follower`.
        role: &'static str,
    },
    /// A validator without an address.
    #[error(
        "no address is known for validator {}: give it, or in `seeds` that of any peer that knows",
        Hex(.0)
    )]
    NoAddress(PeerKey),
    /// Timings in the wrong order.
    #[error(
        "timings must satisfy heartbeat < leader_timeout < certification_timeout < skip_timeout, \
         and retry < skip_timeout"
    )]
    Timing,
    /// A size that is zero or too large.
    #[error("{0} is zero or too large")]
    Size(&'static str),
    /// A partition prefix with other characters.
    #[error("`{0}` cannot begin a partition's name: use letters, digits and `-`")]
    Partition(String),
    /// Block 0 is of another ledger, or names other validators.
    #[error("the genesis block is not block 0 of ledger {0} with these validators")]
    Genesis(LedgerId),
}

struct Hex<'a>(&'a [u8; 32]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Longest message that [`Sizes::message_bytes_max`] may allow, bytes.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most blocks that [`Sizes::unacknowledged`] may allow.
const UNACKNOWLEDGED_MAX: usize = 1024;

impl Config {
    pub(crate) fn validator_keys(&self) -> Vec<PeerKey> {
        self.validators.validators.iter().map(|validator| validator.key).collect()
    }

    /// Checks what can be checked before any socket or file is touched; `me` is this peer's key.
    pub(crate) fn validate(&self, me: &PeerKey) -> Result<(), ConfigError> {
        if self.validators.validate().is_err() {
            return Err(ConfigError::Validators);
        }
        let keys = self.validator_keys();
        let votes = keys.binary_search(me).is_ok();
        let listed = votes == (self.role == Role::Validator);
        if !listed {
            let role =
                if self.role == Role::Validator { "validator" } else { "follower without a vote" };
            return Err(ConfigError::NotListed { key: *me, role });
        }
        self.validate_bounds()
    }

    /// Whether each of the other validators can be dialled, or looked for.
    pub(crate) fn check_addresses(&self, me: &PeerKey) -> Result<(), ConfigError> {
        for key in self.validator_keys().into_iter().filter(|key| key != me) {
            match self.addresses.get(&key) {
                Some(address) if address.is_dialable() => {}
                Some(address) => return Err(ConfigError::Address(address.to_string())),
                None if !self.seeds.is_empty() => {}
                None => return Err(ConfigError::NoAddress(key)),
            }
        }
        let others = self.own_address.iter().chain(&self.seeds);
        match others.into_iter().find(|address| !address.is_dialable()) {
            Some(address) => Err(ConfigError::Address(address.to_string())),
            None => Ok(()),
        }
    }

    fn validate_bounds(&self) -> Result<(), ConfigError> {
        if !self.timing.is_ordered() {
            return Err(ConfigError::Timing);
        }
        for (name, value, max) in [
            ("block_bytes_max", self.sizes.block_bytes_max, limits::BLOCK_BYTES_MAX),
            ("message_bytes_max", self.sizes.message_bytes_max, MESSAGE_BYTES_MAX),
            ("unacknowledged", self.sizes.unacknowledged, UNACKNOWLEDGED_MAX),
        ] {
            if value == 0 || value > max {
                return Err(ConfigError::Size(name));
            }
        }
        if self.epoch_blocks.is_some_and(|blocks| blocks < 2) {
            return Err(ConfigError::Size("epoch_blocks"));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.partition.is_empty() || !self.partition.chars().all(plain) {
            return Err(ConfigError::Partition(self.partition.clone()));
        }
        let genesis = self.genesis.header();
        if genesis.height != 0
            || genesis.ledger != self.ledger
            || (genesis.epoch, self.validators.epoch) != (0, 0)
            || genesis.validators != self.validators.digest()
        {
            return Err(ConfigError::Genesis(self.ledger));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use althing_types::{EntityId, Validator};

    use super::*;

    const ME: PeerKey = [2; 32];

    fn validator(key: PeerKey) -> Validator {
        Validator { key, peer: EntityId(key), organisation: EntityId(key) }
    }

    fn config() -> Config {
        let keys = [[1; 32], ME, [3; 32]];
        let validators =
            ValidatorSet { epoch: 0, validators: keys.map(validator).to_vec(), mechanism: None };
        let mut genesis = crate::block::tests::block(0, [1; 32], &[]).header().clone();
        genesis.epoch = 0;
        genesis.validators = validators.digest();
        Config {
            ledger: LedgerId([3; 32]),
            mechanism: Mechanism::Simplex,
            genesis: Arc::new(Block::new(genesis, Vec::new())),
            seed: Zeroizing::new([9; 32]),
            role: Role::Validator,
            validators,
            epoch_blocks: None,
            joined: 0,
            followers: Vec::new(),
            addresses: keys.map(|key| (key, "10.0.0.1:26000".parse().unwrap())).into(),
            own_address: None,
            seeds: Vec::new(),
            listen: ([127, 0, 0, 1], 26000).into(),
            partition: "ledger-0".to_owned(),
            timing: Timing::STANDARD,
            sizes: Sizes::STANDARD,
        }
    }

    fn check(desc: &str, change: impl FnOnce(&mut Config), expected: Result<(), ConfigError>) {
        let mut config = config();
        change(&mut config);
        let found = config.validate(&ME).and_then(|()| config.check_addresses(&ME));
        assert_eq!(found, expected, "{desc}");
    }

    #[test]
    fn a_config_that_contradicts_itself_is_refused_and_told_why() {
        let ms = Duration::from_millis;
        let follower = Err(ConfigError::NotListed { key: ME, role: "follower without a vote" });
        let outsider = Err(ConfigError::NotListed { key: ME, role: "validator" });
        check("good", |_| {}, Ok(()));
        check("sparing", |it| it.timing = Timing::SPARING, Ok(()));
        check("nobody", |it| it.validators.validators.clear(), Err(ConfigError::Validators));
        check("order", |it| it.validators.validators.reverse(), Err(ConfigError::Validators));
        check("votes, yet follows", |it| it.role = Role::Follower, follower);
        check("not listed", |it| it.validators.validators.truncate(1), outsider);
        let unknown = |it: &mut Config| drop(it.addresses.remove(&[3; 32]));
        check("no address", unknown, Err(ConfigError::NoAddress([3; 32])));
        let seeded = |it: &mut Config| {
            it.addresses.clear();
            it.seeds = vec!["10.0.0.7:26000".parse().unwrap()];
        };
        check("a seed is enough", seeded, Ok(()));
        let nowhere = Address::Socket(([0, 0, 0, 0], 26000).into());
        let wrong = Err(ConfigError::Address("0.0.0.0:26000".to_owned()));
        check("told nowhere", |it| it.own_address = Some(nowhere.clone()), wrong.clone());
        check("sought nowhere", |it| it.seeds = vec![nowhere.clone()], wrong);
        check("own address is not needed", |it| drop(it.addresses.remove(&ME)), Ok(()));
        check("heartbeat", |it| it.timing.heartbeat = ms(1500), Err(ConfigError::Timing));
        check("retry", |it| it.timing.retry = ms(4000), Err(ConfigError::Timing));
        check("zero", |it| it.timing.heartbeat = ms(0), Err(ConfigError::Timing));
        let name = Err(ConfigError::Size("message_bytes_max"));
        check("size", |it| it.sizes.message_bytes_max = 0, name);
        let name = Err(ConfigError::Size("block_bytes_max"));
        check("size", |it| it.sizes.block_bytes_max += 1, name);
        let slash = Err(ConfigError::Partition("a/b".to_owned()));
        check("partition", |it| it.partition = "a/b".to_owned(), slash);
        let ledger = Err(ConfigError::Genesis(LedgerId([4; 32])));
        check("genesis", |it| it.ledger = LedgerId([4; 32]), ledger);
        let ledger = Err(ConfigError::Genesis(LedgerId([3; 32])));
        check("epoch", |it| it.validators.epoch = 3, ledger);
    }

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in [
            "10.0.0.7:26000",
            "[::1]:26000",
            "peer.example.org:26000",
            "localhost:1",
            "peer-7:1",
            "7.peers.example:1",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in [
            "",
            ":1",
            "a b:1",
            "http://x:1",
            "peer.example.org",
            "peer..example.org:1",
            "peer_1:1",
            // No port, or none that can be dialled.
            "10.0.0.7",
            "10.0.0.7:0",
            "[::1]:0",
            "peer.example.org:0",
            "peer.example.org:",
            "peer.example.org:+1",
            "peer.example.org:99999",
            // Addresses of nobody in particular, or of many.
            "0.0.0.0:26000",
            "[::]:26000",
            "[::ffff:0.0.0.0]:26000",
            "255.255.255.255:26000",
            "224.0.0.1:26000",
            "[ff02::1]:26000",
            // Numbers that are no IP address are no names either.
            "7:26000",
            "10.0.7:26000",
            "10.0.0.256:26000",
            "10.0.0.0.7:26000",
            "010.0.0.07:26000",
            "0x7f000001:26000",
            "peer.0x7:26000",
        ] {
            assert_eq!(text.parse::<Address>(), Err(ConfigError::Address(text.to_owned())));
        }
    }

    #[test]
    fn a_seed_is_not_printed() {
        let printed = format!("{:?}", config());
        assert!(!printed.contains("9, 9") && !printed.contains("seed"), "{printed}");
    }
}
