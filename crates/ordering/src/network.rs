//! Authenticated, encrypted connections between peers whose keys and addresses are known.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use althing_types::{PeerAddresses, Validator, Wire as _, limits::VALIDATORS_MAX};
use commonware_consensus::{
    marshal::{self, standard::Standard},
    simplex,
};
use commonware_cryptography::{
    ChaCha20Poly1305,
    ed25519::{PrivateKey, PublicKey},
    sha256,
};
use commonware_p2p::{
    Address as DialAddress, AddressableManager as _, AddressableTrackedPeers, Ingress,
    authenticated::lookup, max_message_size, utils::mux::prefixed,
};
use commonware_runtime::{Handle as Task, Quota, Supervisor as _, tokio};
use commonware_stream::{
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{Hostname, NZU32, NZUsize, ordered::Map, sync::Mutex};

use crate::{
    block::{Limits, Sealed},
    certificate::{connection_namespace, peer_key, public_key},
    config::{Address, Config, ConfigError},
    raft,
    scheme::Scheme,
    seam::PeerKey,
    wiring::{Channels, Circle, Track, Wires},
};

/// How often one of the missing peers is dialled. All are there within 0.3 s of a common start.
const DIAL_EVERY: Duration = Duration::from_millis(20);
/// How long a peer is left alone after an attempt, which fails whenever two dial each other at once.
const DIAL_COOLDOWN: Duration = Duration::from_millis(100);
/// For how many looks each of several addresses of a peer that is not here is tried.
const LOOKS_EACH: u64 = 5;
/// For how many looks a peer without a seat dials a validator that does not let it in as often as that.
const LOOKS_EAGER: u64 = 10;
/// For one look in how many it does after that: who was never to let it in has no work with it, and who may
/// do so now is found soon.
const LOOKS_RESTING: u64 = 16;
/// Handshakes admitted from one address; several peers may share one (containers, NAT).
const HANDSHAKES_PER_IP: Quota = Quota::per_second(NZU32!(256));
/// Handshakes admitted from one subnet.
const HANDSHAKES_PER_SUBNET: Quota = Quota::per_second(NZU32!(1024));
/// How far two peers' clocks may differ when they connect.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(5);
/// How old a handshake's greeting may be.
const HANDSHAKE_AGE_MAX: Duration = Duration::from_secs(10);
/// How often an idle connection is probed.
const PING_EVERY: Duration = Duration::from_secs(10);
/// How long a peer that sent something invalid is shut out.
const BLOCK_FOR: Duration = Duration::from_secs(3600);
/// Peer sets remembered at a time: those of this epoch and of the one before.
const PEER_SETS: NonZeroUsize = NZUsize!(2);
/// Peers that may join by vote while this one runs; more need a restart. Each reserves memory on
/// every channel.
const NEWCOMERS_MAX: usize = 4;
/// Messages that may wait inside the network's own tasks.
const MAILBOX: NonZeroUsize = NZUsize!(256);

/// Messages a second to and from each peer on every channel.
const RATE: NonZeroU32 = NZU32!(512);
/// How many of those may come at once, by channel in the order of [`Channels`]. Every channel
/// reserves a kilobyte for each message of a burst from each peer, so this decides how much memory an
/// idle peer needs. Votes and transactions come in swarms; blocks one at a time; presence is a few
/// words from time to time; addresses are told to whoever connects, all at once.
const BURSTS: [NonZeroU32; 9] = [
    NZU32!(64),
    NZU32!(64),
    NZU32!(32),
    NZU32!(32),
    NZU32!(16),
    NZU32!(64),
    NZU32!(32),
    NZU32!(8),
    NZU32!(32),
];

/// The quota of a channel.
pub(crate) fn quota(channel: u64) -> Quota {
    let index = usize::try_from(channel).ok();
    let burst = index.and_then(|index| BURSTS.get(index)).copied().unwrap_or(NonZeroU32::MIN);
    Quota::per_second(RATE).allow_burst(burst)
}

/// Longest message between peers, bytes; a longer one ends the connection.
pub(crate) fn message_bytes_max(config: &Config) -> u32 {
    // Peers must agree on it, and validators come and go.
    let validators = VALIDATORS_MAX as u32;
    let limits = Limits { block_bytes_max: config.sizes.block_bytes_max };
    max_message_size(&[
        prefixed(simplex::max_payload_size::<Scheme, sha256::Digest>(validators)),
        marshal::max_payload_size::<Standard<Sealed>, Scheme>(validators, &limits),
        PeerAddresses::BYTES_MAX,
        prefixed(raft::message_bytes_max(config.sizes.block_bytes_max)),
        config.sizes.message_bytes_max,
    ])
}

pub(crate) type LiveWires = Wires<
    lookup::Sender<PublicKey, tokio::Context>,
    lookup::Receiver<PublicKey>,
    lookup::Oracle<PublicKey>,
    lookup::Oracle<PublicKey>,
>;

/// Starts listening and dialling; the task is the network's own.
pub(crate) fn start(
    context: &tokio::Context,
    config: &Config,
    key: PrivateKey,
    me: &PublicKey,
) -> Result<(LiveWires, Task<()>), ConfigError> {
    config.check_addresses(&peer_key(me))?;
    let founders = config.validators.validators.iter().map(|one| (one.key, one.clone()));
    let founders = Circle { validators: founders.collect(), addresses: BTreeMap::new() };
    let peers = tracked_peers(config, me, &founders, &BTreeMap::new())?;
    let count = peers.primary.len() + peers.secondary.len();
    let newcomers = config.epoch_blocks.map_or(0, |_| config.joined + NEWCOMERS_MAX);
    let count_max = count + newcomers;
    let (mut network, mut oracle) =
        lookup::Network::new(context.child("network"), settings(config, key, count_max));
    let mut register = |channel| network.register(channel, quota(channel));
    let channels = Channels {
        votes: register(0),
        certificates: register(1),
        resolver: register(2),
        backfill: register(3),
        blocks: register(4),
        transactions: register(5),
        fetch: register(6),
        presence: register(7).0,
        addresses: register(8),
    };
    let task = network.start();
    let _ = oracle.track(0, peers);
    let tracker = Tracker {
        config: config.clone(),
        me: me.clone(),
        count_max,
        state: Mutex::new(Tracked {
            newest: 0,
            circle: founders,
            found: BTreeMap::new(),
            missed: BTreeMap::new(),
            oracle: oracle.clone(),
        }),
    };
    let track = Arc::new(tracker);
    Ok((Wires { channels, provider: oracle.clone(), blocker: oracle, track }, task))
}

type Handshake = Cups<Sake<PrivateKey>, ChaCha20Poly1305>;

fn settings(config: &Config, key: PrivateKey, peers: usize) -> lookup::Config<Handshake> {
    let handshake = Cups::new(
        Sake {
            signer: key,
            synchrony_bound: CLOCK_SKEW_MAX,
            max_handshake_age: HANDSHAKE_AGE_MAX,
            version: sake::Version::V1,
        },
        cups::Version::V1,
    );
    let mut settings = lookup::Config::local(
        handshake,
        &connection_namespace(&config.ledger),
        config.listen,
        NonZeroUsize::new(peers).unwrap_or(NonZeroUsize::MIN),
        message_bytes_max(config),
        MAILBOX,
    );
    // A peer is its key. Where it calls from says nothing behind NAT or in a container, and a
    // follower's address need not be known at all.
    settings.bypass_ip_check = true;
    settings.tracked_peer_sets = PEER_SETS;
    settings.dial_frequency = DIAL_EVERY;
    settings.peer_connection_cooldown = DIAL_COOLDOWN;
    settings.allowed_handshake_rate_per_ip = HANDSHAKES_PER_IP;
    settings.allowed_handshake_rate_per_subnet = HANDSHAKES_PER_SUBNET;
    settings.ping_frequency = PING_EVERY;
    settings.block_duration = BLOCK_FOR;
    settings
}

/// Tells the network whom to be connected to.
struct Tracker {
    config: Config,
    me: PublicKey,
    count_max: usize,
    state: Mutex<Tracked>,
}

struct Tracked {
    /// The number of the newest set.
    newest: u64,
    /// Who is in it.
    circle: Circle,
    /// Where those were looked for last who were not connected; none if nowhere.
    found: BTreeMap<PeerKey, Option<Address>>,
    /// Since which look they are not.
    missed: BTreeMap<PeerKey, u64>,
    oracle: lookup::Oracle<PublicKey>,
}

impl Track for Tracker {
    fn track(&self, number: u64, circle: &Circle) {
        let state = &mut *self.state.lock();
        let peers = match tracked_peers(&self.config, &self.me, circle, &state.found) {
            Ok(peers) if peers.primary.len() + peers.secondary.len() <= self.count_max => peers,
            Ok(_) => {
                let max = self.count_max;
                return tracing::error!(max, "more peers than connections: restart this peer");
            }
            Err(error) => return tracing::error!(%error, "cannot connect to new validators"),
        };
        if number > state.newest {
            state.newest = number;
            state.circle = circle.clone();
            let _ = state.oracle.track(number, peers);
        }
    }

    fn seek(&self, look: u64, told: &BTreeMap<PeerKey, Address>, connected: &[PeerKey]) {
        let state = &mut *self.state.lock();
        let mine = peer_key(&self.me);
        let has_seat = state.circle.validators.contains_key(&mine);
        let mut moved = Vec::new();
        state.missed.retain(|key, _| !connected.contains(key));
        let seats = state.circle.validators.values();
        for seat in seats.filter(|seat| seat.key != mine && !connected.contains(&seat.key)) {
            let mut places = places(&self.config, &state.circle, seat, told.get(&seat.key));
            if places.is_empty() && connected.is_empty() {
                // Whoever is there is the right one for one of them, and knows the others.
                places.clone_from(&self.config.seeds);
            }
            let since = *state.missed.entry(seat.key).or_insert(look);
            let place = turn(look.saturating_sub(since), has_seat)
                .and_then(|turn| usize::try_from(turn).ok()?.checked_rem(places.len()))
                .map(|index| places.swap_remove(index));
            let before = state.found.insert(seat.key, place.clone());
            let known = before.unwrap_or_else(|| address_of(&self.config, &state.circle, seat));
            if known != place
                && let Ok(peer) = parse(&seat.key)
            {
                let place = place.and_then(|place| dial_address(place).ok());
                moved.push((peer, place.unwrap_or_else(nowhere)));
            }
        }
        if !moved.is_empty() {
            let _ = state.oracle.overwrite(Map::from_iter_dedup(moved));
        }
    }
}

/// Which of its addresses is tried of a validator that has been missed for so many looks; none while it is left
/// alone. Validators need each other at once, and may be cut off from each other for as long as it takes.
const fn turn(missed: u64, has_seat: bool) -> Option<u64> {
    if has_seat || missed < LOOKS_EAGER {
        Some(missed / LOOKS_EACH)
    } else if missed.is_multiple_of(LOOKS_RESTING) {
        Some(missed / LOOKS_RESTING)
    } else {
        None
    }
}

/// An address that nobody dials.
const fn nowhere() -> DialAddress {
    DialAddress::Symmetric(SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0))
}

/// The validators, and all others who may dial: the followers that this peer's configuration names. Who
/// lost its seat is none of them: its connections end. A peer without a seat lets founders dial too: it may
/// be catching up through epochs whose validators are gone. What a validator proposes is kept only if it is
/// among the first, with or without an address to dial.
fn tracked_peers(
    config: &Config,
    me: &PublicKey,
    circle: &Circle,
    found: &BTreeMap<PeerKey, Option<Address>>,
) -> Result<AddressableTrackedPeers<PublicKey>, ConfigError> {
    let mine = peer_key(me);
    let (mut dialled, mut dialling) = (Vec::new(), Vec::new());
    let has_seat = circle.validators.contains_key(&mine);
    let founding = if has_seat { Vec::new() } else { config.validator_keys() };
    let validators = circle.validators.keys();
    let all: BTreeSet<&PeerKey> =
        validators.chain(&founding).chain(&config.followers).chain([&mine]).collect();
    for key in all {
        let peer = parse(key)?;
        let seat = circle.validators.get(key);
        let known = found.get(key).cloned();
        let address = known.unwrap_or_else(|| address_of(config, circle, seat?));
        match seat.and(address).and_then(|address| dial_address(address).ok()) {
            _ if *key == mine => {
                let own = DialAddress::Symmetric(config.listen);
                if seat.is_some() { dialled.push((peer, own)) } else { dialling.push((peer, own)) }
            }
            Some(address) => dialled.push((peer, address)),
            None if seat.is_some() => dialled.push((peer, nowhere())),
            None => dialling.push((peer, nowhere())),
        }
    }
    Ok(AddressableTrackedPeers::new(Map::from_iter_dedup(dialled), Map::from_iter_dedup(dialling)))
}

/// Where to dial a validator at first.
fn address_of(config: &Config, circle: &Circle, seat: &Validator) -> Option<Address> {
    places(config, circle, seat, None).into_iter().next()
}

/// Where a validator may be: as this peer's configuration has it, under its present key or the one that it
/// was founded with; as it said itself; or as members were told when they gave it its seat.
fn places(
    config: &Config,
    circle: &Circle,
    seat: &Validator,
    told: Option<&Address>,
) -> Vec<Address> {
    let founded = config.validators.validators.iter().find(|one| one.peer == seat.peer);
    let configured = config.addresses.get(&seat.key);
    let configured = configured.or_else(|| config.addresses.get(&founded?.key));
    let mut places: Vec<Address> = Vec::new();
    for place in [configured, told, circle.addresses.get(&seat.key)].into_iter().flatten() {
        // What members wrote may be no address.
        if place.is_dialable() && !places.contains(place) {
            places.push(place.clone());
        }
    }
    places
}

fn parse(key: &[u8; 32]) -> Result<PublicKey, ConfigError> {
    public_key(key).map_err(|_| ConfigError::Key(*key))
}

fn dial_address(address: Address) -> Result<DialAddress, ConfigError> {
    match address {
        Address::Socket(socket) => Ok(DialAddress::Symmetric(socket)),
        Address::Name(name, port) => {
            let host = Hostname::new(name.clone()).map_err(|_| ConfigError::Address(name))?;
            let egress = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
            Ok(DialAddress::Asymmetric { ingress: Ingress::Dns { host, port }, egress })
        }
    }
}

#[cfg(test)]
mod tests {
    use althing_types::{Block, EntityId, LedgerId, Mechanism, ValidatorSet};
    use commonware_cryptography::Signer as _;
    use zeroize::Zeroizing;

    use super::*;
    use crate::config::{Role, Sizes, Timing};

    fn key(seed: u8) -> PeerKey {
        peer_key(&PrivateKey::from_seed(seed.into()).public_key())
    }

    fn validator(key: PeerKey) -> Validator {
        Validator { key, peer: EntityId(key), organisation: EntityId(key) }
    }

    /// Founded by the first four, followed by the fifth.
    fn config() -> Config {
        let mut keys = [1, 2, 3, 4].map(key);
        keys.sort_unstable();
        let validators =
            ValidatorSet { epoch: 0, validators: keys.map(validator).to_vec(), mechanism: None };
        let genesis = crate::block::tests::block(0, [1; 32], &[]).header().clone();
        Config {
            ledger: LedgerId([3; 32]),
            mechanism: Mechanism::Simplex,
            genesis: Arc::new(Block::new(genesis, Vec::new())),
            seed: Zeroizing::new([9; 32]),
            role: Role::Validator,
            validators,
            epoch_blocks: Some(32),
            joined: 0,
            followers: vec![key(5)],
            addresses: keys.map(|key| (key, "10.0.0.1:26000".parse().unwrap())).into(),
            own_address: None,
            seeds: Vec::new(),
            listen: ([127, 0, 0, 1], 26000).into(),
            partition: "ledger-0".to_owned(),
            timing: Timing::STANDARD,
            sizes: Sizes::STANDARD,
        }
    }

    /// Once a peer that no validator let in dialled each of them ten times a second, for ever.
    #[test]
    fn who_has_no_seat_and_is_not_let_in_asks_seldom_and_everywhere() {
        const DAY: u64 = 86_400;
        let looks = (0..DAY).filter(|missed| turn(*missed, false).is_some()).count();
        assert!(looks as u64 <= LOOKS_EAGER + DAY / LOOKS_RESTING, "{looks}");
        assert!((0..LOOKS_EAGER).all(|missed| turn(missed, false).is_some()), "but at first");
        assert!((0..DAY).all(|missed| turn(missed, true).is_some()), "validators always do");
        for places in 1..7 {
            for (has_seat, within) in [(true, 5 * places), (false, 10 + 16 * places)] {
                let turns = (0..within).filter_map(|missed| turn(missed, has_seat));
                let tried: BTreeSet<u64> = turns.map(|turn| turn % places).collect();
                assert_eq!(tried.len() as u64, places, "{has_seat}");
            }
        }
    }

    /// Once founders stayed connected for good, whatever members decided about their seats.
    #[test]
    fn who_lost_its_seat_is_let_in_by_no_validator() {
        let config = config();
        let seated = [2, 3, 4, 6].map(key);
        let circle = Circle {
            validators: seated.map(|key| (key, validator(key))).into(),
            addresses: BTreeMap::new(),
        };
        // Seen by a validator, by one that lost its seat, and by a follower.
        for (me, expected) in
            [(2, &[2, 3, 4, 5, 6][..]), (1, &[1, 2, 3, 4, 5, 6]), (5, &[1, 2, 3, 4, 5, 6])]
        {
            let me = PrivateKey::from_seed(me).public_key();
            let tracked = tracked_peers(&config, &me, &circle, &BTreeMap::new()).unwrap();
            let all = tracked.primary.keys().iter().chain(tracked.secondary.keys());
            let mut found: Vec<PeerKey> = all.map(peer_key).collect();
            let mut expected: Vec<PeerKey> = expected.iter().map(|seed| key(*seed)).collect();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected);
        }
    }
}
