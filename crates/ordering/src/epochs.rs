//! Who votes in which epoch and how they agree, as far as this peer knows.
//!
//! An epoch is a fixed number of blocks with one set of validators and one run of an engine. The
//! validators of an epoch are named in the last block of the epoch before it, but are known an epoch
//! earlier: the last block of the epoch but one before settles them. So who is to vote next can
//! connect and catch up before its first vote is needed.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU64,
    sync::Arc,
};

use althing_types::{Digest, LedgerId, Mechanism, Validator, Wire as _, epoch_end, epoch_of};
use commonware_consensus::{
    simplex::elector::{Config as _, RoundRobin, RoundRobinElector},
    types::{Epoch, FixedEpocher},
};
use commonware_cryptography::{
    Sha256,
    certificate::{Provider, Scoped},
    ed25519::{PrivateKey, PublicKey},
};
use commonware_utils::{NZU64, ordered::Set, sync::Mutex};

use crate::{
    certificate::{public_key, scheme},
    config::{Address, Config, ConfigError},
    scheme::Scheme,
    seam::{Application, Electors, PeerKey},
};

/// Epochs remembered behind the present one: certificates of the last may still be on their way.
const EPOCHS_KEPT: u64 = 2;

/// The validators of one epoch.
pub(crate) struct Electorate {
    pub(crate) epoch: u64,
    /// As headers name them.
    pub(crate) digest: Digest,
    /// Ascending by key.
    pub(crate) validators: Vec<Validator>,
    /// Where to reach those of them that joined by vote.
    pub(crate) addresses: BTreeMap<PeerKey, Address>,
    /// Ascending.
    pub(crate) keys: Arc<[PeerKey]>,
    pub(crate) participants: Set<PublicKey>,
    /// Votes if this peer is among them, and only checks if it is not.
    pub(crate) scheme: Arc<Scheme>,
    pub(crate) elector: RoundRobinElector<Scheme>,
    /// How they agree.
    pub(crate) mechanism: Mechanism,
    /// How many of them must sign.
    pub(crate) quorum: usize,
    /// Whether this peer votes.
    pub(crate) votes: bool,
}

/// All that are known.
pub(crate) struct Epochs {
    ledger: LedgerId,
    /// How peers agree while no set of validators says otherwise.
    founding: Mechanism,
    key: PrivateKey,
    me: PeerKey,
    length: Option<u32>,
    known: Mutex<Known>,
}

struct Known {
    by_epoch: BTreeMap<u64, Arc<Electorate>>,
    present: Arc<Electorate>,
}

impl Epochs {
    /// Those of a peer that knows the first epoch only.
    pub(crate) fn new(config: &Config, key: PrivateKey, me: PeerKey) -> Result<Self, ConfigError> {
        let set = config.validators.clone();
        let electors = Electors { set, addresses: BTreeMap::new() };
        let founding = config.mechanism;
        let first = Electorate::new(founding, &config.ledger, &key, &me, electors)?;
        let present = Arc::new(first);
        let by_epoch = BTreeMap::from([(present.epoch, Arc::clone(&present))]);
        let known = Mutex::new(Known { by_epoch, present });
        Ok(Self { ledger: config.ledger, founding, key, me, length: config.epoch_blocks, known })
    }

    /// How heights are divided into epochs; into one, if validators never change.
    pub(crate) fn epocher(&self) -> FixedEpocher {
        let length = self.length.and_then(|length| NonZeroU64::new(length.into()));
        FixedEpocher::new(length.unwrap_or(NZU64!(u64::MAX)))
    }

    /// The epoch of a height.
    pub(crate) fn of(&self, height: u64) -> u64 {
        epoch_of(self.length, height)
    }

    /// The height of the last block of an epoch, if it ever ends.
    pub(crate) fn last(&self, epoch: u64) -> Option<u64> {
        epoch_end(self.length, epoch)
    }

    /// The validators of an epoch, if they are known.
    pub(crate) fn get(&self, epoch: u64) -> Option<Arc<Electorate>> {
        self.known.lock().by_epoch.get(&epoch).cloned()
    }

    /// The keys of all who validate in an epoch that is known.
    pub(crate) fn seats(&self) -> BTreeSet<PeerKey> {
        let known = self.known.lock();
        known.by_epoch.values().flat_map(|epoch| epoch.keys.iter().copied()).collect()
    }

    /// The validators of the present epoch.
    pub(crate) fn present(&self) -> Arc<Electorate> {
        Arc::clone(&self.known.lock().present)
    }

    /// The validators of an epoch; waits until the application knows them.
    pub(crate) async fn learn(&self, app: &dyn Application, epoch: u64) -> Arc<Electorate> {
        if let Some(known) = self.get(epoch) {
            return known;
        }
        let electors = app.validators(epoch).await;
        let found = electors.set.epoch;
        assert_eq!(found, epoch, "the application names the validators of another epoch");
        let made = Electorate::new(self.founding, &self.ledger, &self.key, &self.me, electors);
        // The ledger takes no set in that is not one, so this is a bug and not somebody's doing.
        let made = made.unwrap_or_else(|error| panic!("validators of epoch {epoch}: {error}"));
        let made = Arc::new(made);
        self.known.lock().by_epoch.insert(epoch, Arc::clone(&made));
        made
    }

    /// The epoch has begun here.
    pub(crate) fn enter(&self, electorate: &Arc<Electorate>) {
        let mut known = self.known.lock();
        known.present = Arc::clone(electorate);
        let oldest = electorate.epoch.saturating_sub(EPOCHS_KEPT);
        known.by_epoch.retain(|epoch, _| *epoch >= oldest);
    }
}

impl Electorate {
    fn new(
        founding: Mechanism,
        ledger: &LedgerId,
        key: &PrivateKey,
        me: &PeerKey,
        Electors { set, addresses }: Electors,
    ) -> Result<Self, ConfigError> {
        set.validate().map_err(|_| ConfigError::Validators)?;
        let keys: Vec<PeerKey> = set.validators.iter().map(|validator| validator.key).collect();
        let mut participants = Vec::with_capacity(keys.len());
        for key in &keys {
            participants.push(public_key(key).map_err(|_| ConfigError::Key(*key))?);
        }
        let participants = Set::from_iter_dedup(participants);
        let votes = keys.binary_search(me).is_ok();
        let signer = votes.then(|| key.clone());
        let mechanism = set.agrees_by(founding);
        let scheme = scheme(mechanism, ledger, participants.clone(), signer)
            .ok_or(ConfigError::Validators)?;
        Ok(Self {
            epoch: set.epoch,
            digest: set.digest(),
            elector: RoundRobin::<Sha256>::default().build(&participants),
            mechanism,
            quorum: mechanism.quorum(keys.len()),
            keys: keys.into(),
            validators: set.validators,
            addresses,
            participants,
            scheme: Arc::new(scheme),
            votes,
        })
    }
}

/// Whom to be connected to while these validate.
#[derive(Debug, Clone, Default)]
pub struct Circle {
    /// The validators, by voting key.
    pub validators: BTreeMap<PeerKey, Validator>,
    /// Where to reach those of them that joined by vote.
    pub addresses: BTreeMap<PeerKey, Address>,
}

impl Circle {
    /// The validators of some epochs together.
    pub(crate) fn of(electorates: &[&Electorate]) -> Self {
        let mut circle = Self::default();
        for electorate in electorates {
            let keyed = electorate.validators.iter().map(|one| (one.key, one.clone()));
            circle.validators.extend(keyed);
            let known = electorate.addresses.iter().map(|(key, at)| (*key, at.clone()));
            circle.addresses.extend(known);
        }
        circle
    }
}

/// What the engine checks certificates with.
#[derive(Clone)]
pub(crate) struct Schemes(pub(crate) Arc<Epochs>);

impl Provider for Schemes {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        Some(Scoped::scheme(Arc::clone(&self.0.get(epoch.get())?.scheme)))
    }
}
