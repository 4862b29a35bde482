//! Whose word this peer takes that the signatures of a transaction were checked.

use std::collections::BTreeSet;

use althing_ordering::PeerKey;
use althing_types::{Mechanism, ValidatorSet};

use crate::{core::Core, intake::Source};

/// The validators whose word is taken: mostly nobody's.
pub(crate) struct Trust(BTreeSet<PeerKey>);

impl Trust {
    /// Where an operator wants it, that of the other validators, as long as this peer is one: what it lets
    /// pass without looking is looked at by nobody behind it. A state that cannot be read speaks for nobody.
    pub(crate) fn of(core: &Core) -> Self {
        if !core.config.trust_validators {
            return Self(BTreeSet::new());
        }
        let view = core.present().view();
        let set = althing_ledger::validators(&view).ok().filter(|set| may_vouch(core, set));
        let seats = set.into_iter().flat_map(|set| set.validators);
        let keys: BTreeSet<PeerKey> = seats.map(|seat| seat.key).collect();
        if keys.contains(&core.config.key) { Self(keys) } else { Self(BTreeSet::new()) }
    }

    /// Whether what comes from there has been checked by somebody whose word is taken.
    pub(crate) fn vouches(&self, source: &Source) -> bool {
        match source {
            Source::Client(_) => false,
            Source::Peer(key) => self.0.contains(key),
        }
    }
}

/// Whether this peer takes the word of those who propose in an epoch.
pub(crate) fn is_vouched(core: &Core, epoch: u64) -> bool {
    core.config.trust_validators
        && core.chain.validators_since(epoch).is_some_and(|set| may_vouch(core, &set))
}

/// Members may have changed how peers agree: where validators may lie, nobody's word is taken.
fn may_vouch(core: &Core, set: &ValidatorSet) -> bool {
    set.agrees_by(core.config.genesis.mechanism) == Mechanism::Raft
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use althing_state::{MemoryStore, Store};
    use althing_storage::{MemoryFiles, Payloads};
    use althing_types::{
        Action, Block, Body, EntityId, EntityKind, Genesis, Inception, Mechanism, Mode,
        Organisation, Parameters, PeerSeat, Record, Refusal, SigningKey, Suite, Transaction,
    };
    use commonware_utils::channel::{mpsc, oneshot};

    use super::*;
    use crate::{
        Config, Opened, StartError,
        admission::Candidate,
        chain::{Chain, OpenError},
        intake::{self, Call},
        payloads::PayloadBook,
        snapshot::Desk,
        verify,
        wire::Submission,
    };

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap()
    }

    fn inception(kind: EntityKind, seed: u8) -> Inception {
        Inception { kind, name: format!("{kind:?} {seed}"), key: key(seed).public_key() }
    }

    fn genesis(mechanism: Mechanism) -> Genesis {
        let mut organisations = [1, 2, 3].map(|seed| inception(EntityKind::Organisation, seed));
        organisations.sort_by_key(Inception::id);
        let voting = |seed| -> [u8; 32] { key(seed).public_key().bytes.try_into().unwrap() };
        let mut peers: Vec<PeerSeat> = (0..3)
            .map(|index| PeerSeat {
                inception: inception(EntityKind::Peer, 11 + index),
                organisation: organisations[usize::from(index)].id(),
                key: voting(21 + index),
            })
            .collect();
        peers.sort_by_key(|seat| seat.key);
        Genesis {
            version: 1,
            network: "test".into(),
            time_ms: 1_790_000_000_000,
            mode: Mode::Private,
            mechanism,
            parameters: Parameters::standard(),
            organisations: organisations.map(|inception| Organisation { inception }).to_vec(),
            peers,
            token: None,
        }
    }

    fn disk() -> (Arc<dyn Store>, Arc<Payloads>) {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let files = Arc::new(MemoryFiles::default());
        let payloads = Payloads::open(files, Arc::clone(&store)).unwrap();
        (store, Arc::new(payloads))
    }

    /// A peer with this voting key, on a ledger of three that agree by Raft.
    fn core(voting: PeerKey, trust_validators: bool) -> Core {
        let genesis = genesis(Mechanism::Raft);
        let (store, payloads) = disk();
        let (chain, _) = Chain::open(&genesis, Arc::clone(&store)).unwrap();
        let book = PayloadBook::open(payloads, store).unwrap();
        let config = Config { trust_validators, ..Config::standard(genesis, voting, true) };
        Core::new(config, chain, book, mpsc::unbounded_channel().0, Desk::new().0)
    }

    /// Something that an organisation never signed: somebody else did in its name.
    fn forged(core: &Core) -> Transaction {
        let organisation: EntityId = core.config.genesis.organisations[0].inception.id();
        let record = Record { kind: "note".into(), data: vec![1], notify: vec![], link: None };
        let body = Body::new(&core.ledger, organisation, 0, 30, vec![Action::Record(record)]);
        Transaction::sign(&core.ledger, body, &key(99), &[])
    }

    fn call(source: Source, forged: &Transaction) -> Call {
        let transaction = forged.wire().clone();
        Call { submissions: vec![Submission { transaction, payloads: Vec::new() }], source }
    }

    /// Whether what one validator, a peer without a seat and a client bring waits from then on.
    fn taken(me: PeerKey, trust_validators: bool) -> [bool; 3] {
        let seats: Vec<PeerKey> =
            genesis(Mechanism::Raft).peers.iter().map(|seat| seat.key).collect();
        let (reply, _verdicts) = oneshot::channel();
        [Source::Peer(seats[1]), Source::Peer([9; 32]), Source::Client(reply)].map(|source| {
            let core = core(me, trust_validators);
            let forged = forged(&core);
            let now_ms = core.config.genesis.time_ms;
            intake::check(&core, vec![call(source, &forged)], now_ms);
            core.mempool.lock().get(&forged.id()).is_some()
        })
    }

    /// What is given up: whoever lets others check takes what a validator that lies has forged.
    #[test]
    fn only_a_validators_word_is_taken_and_only_by_a_validator_that_is_told_to() {
        let seated = genesis(Mechanism::Raft).peers[0].key;
        assert_eq!(taken(seated, false), [false; 3]);
        assert_eq!(taken(seated, true), [true, false, false]);
        let follower = [8; 32];
        assert_eq!(taken(follower, true), [false; 3], "behind it nobody would look");
    }

    #[test]
    fn a_leaders_block_is_checked_unless_its_word_is_taken() {
        let seated = genesis(Mechanism::Raft).peers[0].key;
        for (trust_validators, expected) in [(false, Some(Refusal::BadSignature)), (true, None)] {
            let core = core(seated, trust_validators);
            let forged = forged(&core);
            let header = core.config.genesis.block(core.chain.state().root()).header().clone();
            let block = Block::new(header, vec![forged.wire().clone()]);
            let candidates = verify::candidates(&core, &block);
            let judged = verify::judge_now(&core, 0, candidates).unwrap().pop().unwrap();
            assert_eq!(judged.err(), expected, "{trust_validators}");
        }
    }

    /// Members may change how peers agree while transactions wait.
    #[test]
    fn what_was_taken_on_trust_is_checked_once_nobodys_word_is_taken() {
        let seats: Vec<PeerKey> =
            genesis(Mechanism::Raft).peers.iter().map(|seat| seat.key).collect();
        let core = core(seats[0], true);
        let forged = forged(&core);
        intake::check(&core, vec![call(Source::Peer(seats[1]), &forged)], 0);
        assert!(core.mempool.lock().get(&forged.id()).is_some_and(|waiting| waiting.is_vouched));
        let (id, wire) = (forged.id(), forged.wire());
        for (is_vouched, expected) in [(true, None), (false, Some(Refusal::BadSignature))] {
            let candidate = Candidate { id, wire: wire.clone(), is_vouched };
            let judged = verify::judge_now(&core, 0, vec![candidate]).unwrap().pop().unwrap();
            assert_eq!(judged.err(), expected, "{is_vouched}");
        }
    }

    #[test]
    fn nobodys_word_is_taken_where_validators_may_lie() {
        let genesis = genesis(Mechanism::Simplex);
        let voting = genesis.peers[0].key;
        let config = Config { trust_validators: true, ..Config::standard(genesis, voting, true) };
        let (store, payloads) = disk();
        match Opened::open(config, store, payloads) {
            Err(StartError::Open(OpenError::Trust(Mechanism::Simplex))) => {}
            other => panic!("{other:?}"),
        }
    }
}
