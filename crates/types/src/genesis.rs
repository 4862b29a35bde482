use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    Amount, Block, Digest, EntityId, EntityKind, ExecutionResult, Fees, Header, Inception,
    LedgerId, Participation, Reads, StakeRules, Token, Transact, Validator, ValidatorSet, Wire,
    WireError,
    certificate::quorum,
    did::is_network_name,
    digest::hash,
    entity::is_name,
    limits::{
        BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, CONTRACT_GAS_MAX, EPOCH_BLOCKS_MAX,
        EPOCH_BLOCKS_MIN, EPOCH_BLOCKS_STANDARD, GENESIS_TIME_MS_MAX, ORGANISATIONS_MAX,
        VALIDATORS_MAX,
    },
    wire::encode,
};

/// Who may take part (Y.4464 Appendix I).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Mode {
    /// Anyone, by stake.
    #[n(0)]
    Public,
    /// Organisations that vote on their members.
    #[n(1)]
    Consortium,
    /// One organisation, or a closed group.
    #[n(2)]
    Private,
}

/// How peers agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Mechanism {
    /// Byzantine fault tolerance by Simplex, `n >= 3f + 1`.
    #[n(0)]
    Simplex,
    /// Crash fault tolerance by Raft, `n >= 2f + 1`: every peer is trusted to do what its software
    /// says, so only a private ledger may choose it.
    #[n(1)]
    Raft,
}

impl Mechanism {
    /// All of them with their names in text, ascending by number.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Simplex, "simplex"), (Self::Raft, "raft")];

    /// Name in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// How many of `count` validators must sign: all but the third that may be faulty, or a majority.
    #[must_use]
    pub const fn quorum(self, count: usize) -> usize {
        match self {
            Self::Simplex => quorum(count),
            Self::Raft => count / 2 + 1,
        }
    }

    /// How many of `count` validators may lie without harm; as many as may fail, or none.
    #[must_use]
    pub const fn lies_tolerated(self, count: usize) -> usize {
        match self {
            Self::Simplex => count - quorum(count),
            Self::Raft => 0,
        }
    }

    /// Whether peers may agree by it in a mode: one that trusts every peer is for private ledgers.
    #[must_use]
    pub fn is_for(self, mode: Mode) -> bool {
        self != Self::Raft || mode == Mode::Private
    }

    /// Begins what validators sign, so that no signature of one mechanism counts in another.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Simplex => "althing/simplex/1/",
            Self::Raft => "althing/raft/1/",
        }
    }
}

/// What all peers of the ledger must set alike.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Parameters {
    /// Longest block, bytes, at most [`BLOCK_BYTES_MAX`].
    #[n(0)]
    pub block_bytes_max: u32,
    /// Most transactions in a block, at most [`BLOCK_TRANSACTIONS_MAX`].
    #[n(1)]
    pub block_transactions_max: u32,
    /// How long a leader with nothing to do waits before it proposes an empty block, milliseconds.
    #[n(2)]
    pub heartbeat_ms: u32,
    /// How long the others wait for its proposal, milliseconds; more than the heartbeat.
    #[n(3)]
    pub leader_timeout_ms: u32,
    /// How far a block's time may lie ahead of a validator's clock, milliseconds.
    #[n(4)]
    pub clock_drift_max_ms: u32,
    /// How far a claimed time may lie ahead of ledger time, milliseconds.
    #[n(5)]
    pub claim_ahead_max_ms: u64,
    /// How far a batch may skip ahead of its stream's next sequence number, readings.
    #[n(6)]
    pub sequence_window: u64,
    /// Most gas that contracts may use in one transaction, at most [`CONTRACT_GAS_MAX`].
    #[n(7)]
    pub contract_gas_transaction_max: u64,
    /// Most gas that contracts may use in one block, at least that of one transaction.
    #[n(8)]
    pub contract_gas_block_max: u64,
    /// Who may read a thing without a policy. Left out if anybody may and nothing follows, as in
    /// ledgers that are older than this setting.
    #[n(9)]
    pub reads: Reads,
    /// Blocks in each epoch, [`EPOCH_BLOCKS_MIN`] to [`EPOCH_BLOCKS_MAX`]; validators change from one
    /// epoch to another. Left out if the first epoch has no end and the founders validate for ever, as
    /// in ledgers that are older than this setting.
    #[n(10)]
    pub epoch_blocks: Option<u32>,
    /// What transactions cost. Left out if the ledger has no tokens, and there if it has some, even
    /// if nothing costs anything: so whoever executes a block knows without another look.
    #[n(11)]
    pub fees: Option<Fees>,
    /// How seats are given by stake, for ever. Left out if members give them by vote.
    #[n(12)]
    pub stake: Option<StakeRules>,
    /// Who may send transactions and who may deploy. Left out if whoever is registered may do both, as
    /// in ledgers that are older than this setting.
    #[n(13)]
    pub participation: Option<Participation>,
}

impl Parameters {
    /// What a new network begins with: profile A of the timing measurements, blocks of up to 4 MiB.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            block_bytes_max: 4 * 1024 * 1024,
            block_transactions_max: 8192,
            heartbeat_ms: 1000,
            leader_timeout_ms: 1500,
            clock_drift_max_ms: 5_000,
            claim_ahead_max_ms: 300_000,
            sequence_window: 1_000_000,
            contract_gas_transaction_max: 200_000_000,
            contract_gas_block_max: 2_000_000_000,
            reads: Reads::Open,
            epoch_blocks: Some(EPOCH_BLOCKS_STANDARD),
            fees: None,
            stake: None,
            participation: None,
        }
    }

    /// The epoch of a height.
    #[must_use]
    pub fn epoch_of(&self, height: u64) -> u64 {
        epoch_of(self.epoch_blocks, height)
    }

    /// The height of the last block of an epoch, if it ends.
    #[must_use]
    pub fn epoch_end(&self, epoch: u64) -> Option<u64> {
        epoch_end(self.epoch_blocks, epoch)
    }

    /// The first height at which validators vote that are chosen at a height: that of the epoch after
    /// the next. None if epochs never end.
    #[must_use]
    pub fn seats_from(&self, height: u64) -> Option<u64> {
        self.epoch_end(self.epoch_of(height).checked_add(1)?)?.checked_add(1)
    }

    /// The first height, not below `from_height`, at which an epoch begins that is not settled while the
    /// block at `height` is executed. None if epochs never end, or there is no such height.
    #[must_use]
    pub fn epoch_from(&self, height: u64, from_height: u64) -> Option<u64> {
        let soonest = self.seats_from(height)?;
        let Some(before) = from_height.checked_sub(1) else { return Some(soonest) };
        let begins = self.epoch_end(self.epoch_of(before))?.checked_add(1)?;
        Some(begins.max(soonest))
    }

    /// Whether the block at a height is the last of its epoch.
    #[must_use]
    pub fn ends_epoch(&self, height: u64) -> bool {
        self.epoch_end(self.epoch_of(height)) == Some(height)
    }
}

/// The epoch of a height, if epochs have so many blocks; the first one for ever without.
#[must_use]
pub fn epoch_of(epoch_blocks: Option<u32>, height: u64) -> u64 {
    epoch_blocks.map_or(0, |blocks| height / u64::from(blocks))
}

/// The height of the last block of an epoch, if it ever ends.
#[must_use]
pub fn epoch_end(epoch_blocks: Option<u32>, epoch: u64) -> Option<u64> {
    epoch.checked_add(1)?.checked_mul(u64::from(epoch_blocks?))?.checked_sub(1)
}

/// A founding organisation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Organisation {
    /// How it begins as an entity.
    #[n(0)]
    pub inception: Inception,
}

/// A founding peer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PeerSeat {
    /// How it begins as an entity.
    #[n(0)]
    pub inception: Inception,
    /// The organisation that runs it.
    #[n(1)]
    pub organisation: EntityId,
    /// Its voting key (Ed25519); distinct from the entity's key, which signs transactions.
    #[cbor(n(2), with = "crate::wire::fixed")]
    pub key: [u8; 32],
}

/// The first record of a ledger; its digest is the ledger's id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Genesis {
    /// Version of this form, 1.
    #[n(0)]
    pub version: u8,
    /// Name of the network: 1 to 32 of `a-z`, `0-9` and `-`; part of every DID.
    #[n(1)]
    pub network: String,
    /// When it began, milliseconds since 1970, at most [`GENESIS_TIME_MS_MAX`]; the time of block 0.
    #[n(2)]
    pub time_ms: u64,
    /// Who may take part.
    #[n(3)]
    pub mode: Mode,
    /// How peers agree at first; members can change it.
    #[n(4)]
    pub mechanism: Mechanism,
    /// Settings of the ledger.
    #[n(5)]
    pub parameters: Parameters,
    /// 1 to [`ORGANISATIONS_MAX`] founding organisations, ascending by entity id.
    #[n(6)]
    pub organisations: Vec<Organisation>,
    /// 1 to [`VALIDATORS_MAX`] founding peers, ascending by voting key; all vote.
    #[n(7)]
    pub peers: Vec<PeerSeat>,
    /// The token of the ledger. Left out if it has none.
    #[n(8)]
    pub token: Option<Token>,
}

/// Why a genesis cannot found a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Another version than 1.
    #[error("genesis version {0} is not known; this program knows version 1")]
    Version(u8),
    /// The network's name.
    #[error("network name must be 1 to 32 of a-z, 0-9 and -")]
    Network,
    /// It begins after the last time there is.
    #[error("`time_ms` is {0}; it must be at most {GENESIS_TIME_MS_MAX}, the end of the year 9999")]
    Time(u64),
    /// No or too many organisations or peers.
    #[error("there must be 1 to {ORGANISATIONS_MAX} organisations and 1 to {VALIDATORS_MAX} peers")]
    Count,
    /// Organisations or peers out of order, or twice.
    #[error("organisations must ascend by id and peers by key, none twice")]
    Order,
    /// A name, key or kind of an organisation or peer is wrong.
    #[error("`{0}`: name, kind or key is not valid")]
    Entity(String),
    /// A peer names an organisation that is not there.
    #[error("peer `{0}` belongs to an organisation that is not in the genesis")]
    Owner(String),
    /// A parameter is out of its bounds.
    #[error("parameter {0} is out of bounds")]
    Parameter(&'static str),
    /// The token, what accounts begin with, or fees without it.
    #[error("{0}")]
    Token(&'static str),
    /// The rules of stake, where they cannot hold.
    #[error("{0}")]
    Stake(&'static str),
    /// A mechanism that trusts every peer, in a mode in which they need not trust each other.
    #[error(
        "raft trusts every peer, so it is for private ledgers: choose simplex, or the mode private"
    )]
    Mechanism,
    /// One organisation has a third of the votes or more.
    #[error(
        "organisation `{0}` has {1} of {2} votes; with a third or more it could stop or fork a consortium"
    )]
    Majority(String, usize, usize),
}

impl Wire for Genesis {
    const BYTES_MAX: usize = 256 * 1024;

    fn validate(&self) -> Result<(), WireError> {
        self.check().map_err(|_| WireError::OutOfBounds("genesis"))
    }
}

impl Genesis {
    /// The ledger's id.
    #[must_use]
    pub fn ledger(&self) -> LedgerId {
        LedgerId(hash("althing/genesis/1", &[&encode(self)]))
    }

    /// The validators of the first epoch.
    #[must_use]
    pub fn validators(&self) -> ValidatorSet {
        let validators = self.peers.iter().map(|peer| Validator {
            key: peer.key,
            peer: peer.inception.id(),
            organisation: peer.organisation,
        });
        ValidatorSet { epoch: 0, validators: validators.collect(), mechanism: None }
    }

    /// Block 0, which carries the root of the state that the genesis founds.
    #[must_use]
    pub fn block(&self, state_root: Digest) -> Block {
        let header = Header {
            version: 1,
            ledger: self.ledger(),
            height: 0,
            parent: Digest::default(),
            time_ms: self.time_ms,
            proposer: self.peers.first().map_or([0; 32], |peer| peer.key),
            epoch: 0,
            view: 0,
            parent_view: 0,
            validators: self.validators().digest(),
            next_validators: None,
            transactions: Digest::default(),
            count: 0,
            result: ExecutionResult { height: 0, state_root, receipts_root: Digest::default() },
        };
        Block::new(header, Vec::new())
    }

    /// Whether it can found a ledger.
    ///
    /// # Errors
    /// [`GenesisError`] naming what is wrong.
    pub fn check(&self) -> Result<(), GenesisError> {
        if self.version != 1 {
            return Err(GenesisError::Version(self.version));
        }
        if !is_network_name(&self.network) {
            return Err(GenesisError::Network);
        }
        if self.time_ms > GENESIS_TIME_MS_MAX {
            return Err(GenesisError::Time(self.time_ms));
        }
        if !(1..=ORGANISATIONS_MAX).contains(&self.organisations.len())
            || !(1..=VALIDATORS_MAX).contains(&self.peers.len())
        {
            return Err(GenesisError::Count);
        }
        if !self.mechanism.is_for(self.mode) {
            return Err(GenesisError::Mechanism);
        }
        self.check_members()?;
        self.parameters.check()?;
        self.check_token()?;
        self.check_stake()?;
        self.check_majority()
    }

    fn check_members(&self) -> Result<(), GenesisError> {
        let organisations: Vec<EntityId> =
            self.organisations.iter().map(|organisation| organisation.inception.id()).collect();
        let ascending = organisations.windows(2).all(|pair| pair[0] < pair[1])
            && self.peers.windows(2).all(|pair| pair[0].key < pair[1].key);
        if !ascending {
            return Err(GenesisError::Order);
        }
        for organisation in &self.organisations {
            check_inception(&organisation.inception, EntityKind::Organisation)?;
        }
        for peer in &self.peers {
            check_inception(&peer.inception, EntityKind::Peer)?;
            if !crate::PublicKey::ed25519(peer.key).is_valid() {
                return Err(GenesisError::Entity(peer.inception.name.clone()));
            }
            if organisations.binary_search(&peer.organisation).is_err() {
                return Err(GenesisError::Owner(peer.inception.name.clone()));
            }
        }
        Ok(())
    }

    fn check_token(&self) -> Result<(), GenesisError> {
        let Some(token) = &self.token else {
            let none = self.parameters.fees.is_none();
            return none.then_some(()).ok_or(GenesisError::Token("`fees` need a `token`"));
        };
        if self.parameters.fees.is_none() || self.parameters.epoch_blocks.is_none() {
            let why = "a `token` needs `fees`, even if all are 0, and `epoch_blocks`";
            return Err(GenesisError::Token(why));
        }
        if !token.is_within_bounds() {
            return Err(GenesisError::Token(
                "name, symbol, decimals or amounts of `token` are wrong",
            ));
        }
        let founds = |id: &EntityId| self.organisations.iter().any(|it| it.inception.id() == *id);
        if token.initial.iter().all(|each| founds(&each.account)) {
            Ok(())
        } else {
            Err(GenesisError::Token("only founding organisations begin with tokens"))
        }
    }

    /// What founders have staked must be there, and so many that they could be chosen again.
    fn check_stake(&self) -> Result<(), GenesisError> {
        let Some(rules) = &self.parameters.stake else { return Ok(()) };
        let Some(token) = self.token.as_ref().filter(|_| self.mode == Mode::Public) else {
            return Err(GenesisError::Stake("`stake` is for the mode public, and needs a `token`"));
        };
        if !(usize::from(rules.seats_min)..=usize::from(rules.seats_max))
            .contains(&self.peers.len())
        {
            let why = "there must be as many founding peers as `stake` allows seats";
            return Err(GenesisError::Stake(why));
        }
        for organisation in &self.organisations {
            let id = organisation.inception.id();
            let peers = self.peers.iter().filter(|peer| peer.organisation == id).count() as u64;
            let begins = token.initial.iter().find(|each| each.account == id);
            if rules.founding.times(peers) > begins.map_or(Amount::ZERO, |each| each.amount) {
                let why = "an organisation begins with less than `stake` puts behind its peers";
                return Err(GenesisError::Stake(why));
            }
        }
        Ok(())
    }

    /// In a consortium of four peers or more no organisation may hold a third of the votes
    /// (Y.4464 7.1.2); fewer peers tolerate no fault anyway.
    fn check_majority(&self) -> Result<(), GenesisError> {
        if self.mode != Mode::Consortium || self.peers.len() < 4 {
            return Ok(());
        }
        for organisation in &self.organisations {
            let id = organisation.inception.id();
            let votes = self.peers.iter().filter(|peer| peer.organisation == id).count();
            if votes * 3 >= self.peers.len() {
                let name = organisation.inception.name.clone();
                return Err(GenesisError::Majority(name, votes, self.peers.len()));
            }
        }
        Ok(())
    }
}

fn check_inception(inception: &Inception, kind: EntityKind) -> Result<(), GenesisError> {
    if inception.kind == kind && is_name(&inception.name) && inception.key.is_valid() {
        Ok(())
    } else {
        Err(GenesisError::Entity(inception.name.clone()))
    }
}

impl Parameters {
    /// Whether every field is within its bounds.
    ///
    /// # Errors
    /// [`GenesisError::Parameter`] naming the first that is not.
    pub fn check(&self) -> Result<(), GenesisError> {
        let bounds = [
            (
                "block_bytes_max",
                (128 * 1024..=BLOCK_BYTES_MAX as u64).contains(&u64::from(self.block_bytes_max)),
            ),
            (
                "block_transactions_max",
                (1..=BLOCK_TRANSACTIONS_MAX as u64)
                    .contains(&u64::from(self.block_transactions_max)),
            ),
            ("heartbeat_ms", (50..=60_000).contains(&self.heartbeat_ms)),
            (
                "leader_timeout_ms",
                self.leader_timeout_ms > self.heartbeat_ms && self.leader_timeout_ms <= 120_000,
            ),
            ("clock_drift_max_ms", (100..=600_000).contains(&self.clock_drift_max_ms)),
            ("claim_ahead_max_ms", self.claim_ahead_max_ms <= 86_400_000),
            ("sequence_window", (1..=1 << 40).contains(&self.sequence_window)),
            (
                "contract_gas_transaction_max",
                self.contract_gas_transaction_max <= self.contract_gas_block_max,
            ),
            ("contract_gas_block_max", self.contract_gas_block_max <= CONTRACT_GAS_MAX),
            (
                "epoch_blocks",
                self.epoch_blocks
                    .is_none_or(|it| (EPOCH_BLOCKS_MIN..=EPOCH_BLOCKS_MAX).contains(&it)),
            ),
            ("fees", self.fees.is_none_or(|fees| fees.is_within_bounds())),
            (
                "stake",
                self.stake.is_none_or(|stake| {
                    self.epoch_blocks.is_some_and(|blocks| stake.is_within_bounds(blocks))
                }),
            ),
            // Whoever wants a seat must be able to stake before it has one.
            (
                "participation",
                self.stake.is_none()
                    || self.participation.is_none_or(|it| it.transact == Transact::Everybody),
            ),
        ];
        match bounds.into_iter().find(|(_, holds)| !holds) {
            Some((name, _)) => Err(GenesisError::Parameter(name)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString as _, vec};

    use super::*;
    use crate::{SigningKey, Suite};

    fn genesis() -> Genesis {
        let key = |seed| SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap().public_key();
        let begins = |kind, seed| Inception { kind, name: format!("n{seed}"), key: key(seed) };
        let organisation = Organisation { inception: begins(EntityKind::Organisation, 1) };
        let peer = PeerSeat {
            inception: begins(EntityKind::Peer, 2),
            organisation: organisation.inception.id(),
            key: key(3).bytes.try_into().unwrap(),
        };
        Genesis {
            version: 1,
            network: "test".into(),
            time_ms: 0,
            mode: Mode::Private,
            mechanism: Mechanism::Simplex,
            parameters: Parameters::standard(),
            organisations: vec![organisation],
            peers: vec![peer],
            token: None,
        }
    }

    /// Each block is later than its parent, so a genesis at the end of time has no block 1: the
    /// first proposer overflowed.
    #[test]
    fn a_genesis_begins_within_the_years_that_can_be_written() {
        for (time_ms, good) in [
            (0, true),
            (GENESIS_TIME_MS_MAX, true),
            (GENESIS_TIME_MS_MAX + 1, false),
            (u64::MAX, false),
        ] {
            let genesis = Genesis { time_ms, ..genesis() };
            let expected = if good { Ok(()) } else { Err(GenesisError::Time(time_ms)) };
            assert_eq!(genesis.check(), expected);
            assert_eq!(Genesis::from_wire(&genesis.to_wire()).is_ok(), good, "{time_ms}");
        }
        assert!(GenesisError::Time(u64::MAX).to_string().contains("`time_ms`"));
    }

    /// Peers that do not trust each other must not agree by a mechanism that trusts them all.
    #[test]
    fn raft_is_for_private_ledgers() {
        for (mode, mechanism, good) in [
            (Mode::Private, Mechanism::Raft, true),
            (Mode::Consortium, Mechanism::Raft, false),
            (Mode::Public, Mechanism::Raft, false),
            (Mode::Private, Mechanism::Simplex, true),
            (Mode::Consortium, Mechanism::Simplex, true),
            (Mode::Public, Mechanism::Simplex, true),
        ] {
            let genesis = Genesis { mode, mechanism, ..genesis() };
            let expected = if good { Ok(()) } else { Err(GenesisError::Mechanism) };
            assert_eq!(genesis.check(), expected, "{mode:?} {mechanism:?}");
            assert_eq!(Genesis::from_wire(&genesis.to_wire()).is_ok(), good);
        }
    }

    #[test]
    fn stake_needs_a_public_ledger_and_tokens_that_are_there() {
        let rules = StakeRules {
            seats_min: 1,
            seats_max: 8,
            least: Amount::from(5),
            founding: Amount::from(10),
            locked_epochs: 3,
            silent_epochs: 2,
            burnt_percent: 10,
        };
        let staked = || {
            let mut genesis = genesis();
            let account = genesis.organisations[0].inception.id();
            let initial = vec![crate::Allocation { account, amount: Amount::from(10) }];
            let (name, symbol) = ("Watt".into(), "watt".into());
            genesis.mode = Mode::Public;
            genesis.token = Some(Token { name, symbol, decimals: 0, initial });
            genesis.parameters.fees = Some(Fees::default());
            genesis.parameters.stake = Some(rules);
            genesis
        };
        type Change<'a> = (bool, &'a dyn Fn(&mut Genesis));
        let rows: &[Change<'_>] = &[
            (true, &|_| ()),
            (false, &|g| g.mode = Mode::Consortium),
            (false, &|g| g.mode = Mode::Private),
            (false, &|g| (g.token, g.parameters.fees) = (None, None)),
            (false, &|g| g.parameters.epoch_blocks = None),
            (false, &|g| g.parameters.stake = Some(StakeRules { seats_min: 2, ..rules })),
            (false, &|g| {
                g.parameters.stake = Some(StakeRules { founding: Amount::from(11), ..rules });
            }),
            (false, &|g| g.parameters.stake = Some(StakeRules { least: Amount::ZERO, ..rules })),
        ];
        for (row, (founds, change)) in rows.iter().enumerate() {
            let mut genesis = staked();
            change(&mut genesis);
            assert_eq!(genesis.check().is_ok(), *founds, "row {row}");
            assert_eq!(Genesis::from_wire(&genesis.to_wire()).is_ok(), *founds, "row {row}");
        }
    }

    #[test]
    fn a_height_is_rounded_up_to_an_epoch_that_is_not_settled() {
        let of = |epoch_blocks| Parameters { epoch_blocks, ..Parameters::standard() };
        let parameters = of(Some(100));
        for (height, from_height, expected) in [
            (0, 0, Some(200)),
            (99, 0, Some(200)),
            (100, 0, Some(300)),
            (5, 200, Some(200)),
            (5, 201, Some(300)),
            (5, 300, Some(300)),
            (250, 201, Some(400)),
            (5, u64::MAX, None),
            (u64::MAX, 0, None),
        ] {
            assert_eq!(parameters.epoch_from(height, from_height), expected, "{height}");
        }
        assert_eq!(of(None).epoch_from(5, 0), None);
    }

    #[test]
    fn a_majority_is_enough_where_peers_only_crash() {
        assert!(Mechanism::ALL.iter().all(|(mechanism, name)| mechanism.name() == *name));
        for (count, simplex, raft) in
            [(1, 1, 1), (2, 2, 2), (3, 3, 2), (4, 3, 3), (5, 4, 3), (6, 5, 4), (7, 5, 4)]
        {
            assert_eq!(Mechanism::Simplex.quorum(count), simplex, "{count}");
            assert_eq!(Mechanism::Raft.quorum(count), raft, "{count}");
            assert_eq!(Mechanism::Simplex.lies_tolerated(count), count - simplex, "{count}");
            assert_eq!(Mechanism::Raft.lies_tolerated(count), 0, "{count}");
        }
    }
}
