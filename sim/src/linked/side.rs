use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use althing_ledger::link::LinkRecord;
use althing_peer::{Query, query::Question};
use althing_proof::Bundle;
use althing_types::{
    Action, Amount, Body, EntityId, EntityKind, Inception, LedgerId, LinkId, Listing, Manifest,
    Offered, Price, Receipt, Refusal, ServiceId, SigningKey, Sponsorship, Transaction, Transfer,
    Version, Wire as _, possession_bytes,
};
use commonware_runtime::{Clock as _, deterministic::Context};

use crate::{
    Founding,
    founding::key,
    owner::{EXPIRY_BLOCKS, NONCE_STEP, settle},
    payer::SPONSORED,
    peers::{Peers, within},
};

/// How long a peer may take to prove something.
const PROOF_PATIENCE: Duration = Duration::from_secs(2);
/// Pause before what did not work is tried again.
const PAUSE: Duration = Duration::from_millis(200);
/// The numbers of an organisation's transactions that are about links; others of it are the council's.
const OWNER_LANE: u64 = 4;
/// What the caller has to pay with.
const PURSE: u64 = 1_000_000;
/// The name of the service that is asked.
const SERVICE: &str = "warranty";

/// Which of two ledgers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// The one that asks.
    Asks,
    /// The one that is asked.
    Asked,
}

impl End {
    /// The other one.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Asks => Self::Asked,
            Self::Asked => Self::Asks,
        }
    }
}

/// One of two ledgers, with those who act on it and are no peers.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) founding: Arc<Founding>,
    pub(super) peers: Arc<Peers>,
    /// The organisation whose link it is.
    pub(super) owner: Actor,
    /// Who calls, or who answers.
    pub(super) party: Actor,
    /// Who carries.
    pub(super) relay: Actor,
}

/// Somebody who signs.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) entity: EntityId,
    key: SigningKey,
    inception: Option<Inception>,
    /// The numbers that it uses: every so many from one on, for others may sign as the same.
    lane: (u64, u64),
    /// The next number, if no peer knows of a greater one.
    next: AtomicU64,
}

impl Actor {
    fn new(index: usize, name: &str) -> Self {
        let key = key(6, index);
        let kind = EntityKind::Service;
        let inception = Inception { kind, name: name.to_owned(), key: key.public_key() };
        let entity = inception.id();
        let next = AtomicU64::default();
        Self { entity, key, inception: Some(inception), lane: (1, 0), next }
    }

    /// A number that was not used yet, and not below what a peer has seen.
    fn nonce(&self, seen: u64) -> u64 {
        let (step, first) = self.lane;
        let from = self.next.load(Ordering::Relaxed).max(seen);
        let nonce = from.saturating_sub(first).div_ceil(step) * step + first;
        self.next.store(nonce + 1, Ordering::Relaxed);
        nonce
    }

    fn registration(&self, ledger: &LedgerId) -> Option<Action> {
        let inception = self.inception.clone()?;
        let subject = possession_bytes(ledger, &self.entity, &self.key.public_key());
        Some(Action::RegisterEntity { inception, possession: self.key.sign(&subject) })
    }
}

impl Side {
    pub(super) fn new(founding: Arc<Founding>, peers: Arc<Peers>) -> Self {
        let (entity, key) = founding.organisation(0).clone();
        let lane = (NONCE_STEP, OWNER_LANE);
        let owner = Actor { entity, key, inception: None, lane, next: AtomicU64::default() };
        let (party, relay) = (Actor::new(0, "party"), Actor::new(1, "relay"));
        Self { founding, peers, owner, party, relay }
    }

    pub(super) fn ledger(&self) -> LedgerId {
        self.peers.ledger()
    }

    /// The link here to another ledger.
    pub(super) fn link_to(&self, other: &Self) -> LinkId {
        LinkId::derive(&self.owner.entity, &other.ledger())
    }

    /// The service that is offered here.
    pub(super) fn service(&self) -> ServiceId {
        ServiceId::derive(&self.party.entity, SERVICE)
    }

    /// A peer that is up, if one is: another for another turn.
    pub(super) fn query(&self, turn: usize) -> Option<Query> {
        let up = self.peers.all();
        up.get(turn.checked_rem(up.len())?).map(althing_peer::Peer::query)
    }

    /// What a link here knows.
    pub(super) fn link(&self, turn: usize, other: &Self) -> Option<LinkRecord> {
        self.query(turn)?.ledger_link(&self.link_to(other)).ok()
    }

    /// The time of the newest block that a peer has.
    pub(super) fn now_ms(&self, turn: usize) -> Option<u64> {
        let query = self.query(turn)?;
        query.block_head(query.height()).ok().map(|head| head.header.time_ms)
    }

    /// What a peer proves about a row of the state.
    pub(super) async fn prove(
        &self,
        context: &Context,
        turn: usize,
        row: Vec<u8>,
    ) -> Option<Bundle> {
        let query = self.query(turn)?;
        let ask = async {
            let prepared = query.prepare(Question::State { key: row }).await?;
            prepared.bundle()
        };
        let bytes = within(context, PROOF_PATIENCE, ask).await?.ok()?;
        Bundle::from_bytes(&bytes).ok()
    }

    /// Has somebody do something, until it is final, has expired or is refused.
    pub(super) async fn act(
        &self,
        context: &Context,
        who: &Actor,
        actions: Vec<Action>,
    ) -> Result<Receipt, Refusal> {
        let seen = self.query(0).and_then(|query| query.account(&who.entity).ok());
        let nonce = who.nonce(seen.map_or(0, |account| account.next_nonce));
        let ledger = self.ledger();
        let make = |height: u64| {
            let body =
                Body::new(&ledger, who.entity, nonce, height + EXPIRY_BLOCKS, actions.clone());
            Transaction::sign(&ledger, body, &who.key, &[])
        };
        let settled = settle(context, &self.peers, nonce as usize, make).await;
        let receipt = settled.map(|placed| placed.receipt)?;
        match Refusal::from_number(receipt.code) {
            Some(refusal) => Err(refusal),
            None => Ok(receipt),
        }
    }

    /// Registers whoever acts here, with what they need.
    pub(super) async fn found(&self, context: &Context, other: &Self) {
        let ledger = self.ledger();
        let others = [&self.party, &self.relay];
        let mut actions: Vec<Action> =
            others.iter().filter_map(|actor| actor.registration(&ledger)).collect();
        if self.founding.genesis.token.is_some() {
            let bound = Amount::from(SPONSORED / 2);
            actions.extend(others.iter().map(|actor| {
                Action::Sponsor(Sponsorship {
                    entity: actor.entity,
                    per_day: bound,
                    total: bound,
                    until_height: u64::MAX,
                })
            }));
            let (to, amount, memo) = (self.party.entity, Amount::from(PURSE), String::new());
            actions.push(Action::Transfer(Transfer { to, amount, memo }));
        }
        actions.push(self.registration_of(other));
        self.until_done(context, &self.owner, &actions).await;
    }

    /// Offers the service that is asked here.
    pub(super) async fn publish(&self, context: &Context) {
        let publish = Action::PublishService(manifest(self.party.entity));
        self.until_done(context, &self.party, &[publish]).await;
    }

    /// Relies on the other ledger, from the beginning or again.
    pub(super) fn registration_of(&self, other: &Self) -> Action {
        Action::RegisterLink { genesis: other.founding.genesis.to_wire() }
    }

    async fn until_done(&self, context: &Context, who: &Actor, actions: &[Action]) {
        loop {
            match self.act(context, who, actions.to_vec()).await {
                Ok(_) | Err(Refusal::AlreadyExists) => return,
                Err(_) => context.sleep(PAUSE).await,
            }
        }
    }
}

/// Two ledgers that know each other.
#[derive(Debug)]
pub(super) struct Two {
    pub(super) asks: Side,
    pub(super) asked: Side,
    /// Whether nothing goes wrong any more: the relay does what it should, and owners keep their links.
    pub(super) calm: AtomicBool,
}

impl Two {
    pub(super) const fn side(&self, end: End) -> &Side {
        match end {
            End::Asks => &self.asks,
            End::Asked => &self.asked,
        }
    }

    pub(super) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }
}

fn manifest(entity: EntityId) -> Manifest {
    Manifest {
        name: SERVICE.into(),
        version: Version { major: 1, minor: 0, patch: 0 },
        text: "Says what is covered".into(),
        interfaces: Vec::new(),
        tags: Vec::new(),
        schema: None,
        offered: Offered::Outside {
            entity,
            endpoints: vec!["https://maker.example".into()],
            contract: None,
        },
        purpose: SERVICE.into(),
        needs: Vec::new(),
        price: Price { text: String::new(), rule: None },
        listing: Listing::Everyone,
    }
}
