//! Whose duty it is to keep which payload, by the newest state here.
//!
//! A function of the state alone ([`Placement::holders`]), so peers at one height agree on it. Payloads of
//! several batches may be the same bytes: whoever is to keep one of them keeps all.

use std::collections::{BTreeMap, BTreeSet};

use althing_ledger::{key as ledger_key, placement::PlacementRecord};
use althing_ordering::PeerKey;
use althing_proof::stream::Leaf;
use althing_state::{Direction, Space, Store, StoreError, prefix_end};
use althing_types::{EntityId, Placement, StreamId, Validator};

use crate::{chain::Chain, core::Core, rows};

/// Batches with the same payload that are looked at; what has more of them everybody keeps.
const REFERENCES_MAX: usize = 64;

/// Whose duty a payload is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Duty {
    /// Whether this peer is to keep it.
    pub(crate) mine: bool,
    /// The peers with a seat that are to keep it; with [`Duty::mine`] not necessarily all.
    pub(crate) holders: BTreeSet<EntityId>,
    /// Whether a batch refers to it at all whose payload may not be dropped.
    pub(crate) wanted: bool,
}

/// Who keeps what, at one moment.
pub(crate) struct Duties<'a> {
    store: &'a dyn Store,
    seats: Vec<Validator>,
    own: Option<EntityId>,
    /// Ledger time, milliseconds since 1970.
    now_ms: u64,
    known: BTreeMap<StreamId, Option<PlacementRecord>>,
}

impl<'a> Duties<'a> {
    /// As the newest state has it.
    pub(crate) fn now(core: &'a Core) -> Result<Self, StoreError> {
        Self::of(&core.chain, &core.config.key)
    }

    fn of(chain: &'a Chain, own: &PeerKey) -> Result<Self, StoreError> {
        let seats = althing_ledger::validators(&chain.view())?.validators;
        let now_ms = chain.done(chain.height()).map_or(0, |done| done.header.time_ms);
        Ok(Self::new(&**chain.state().store(), seats, own, now_ms))
    }

    fn new(store: &'a dyn Store, seats: Vec<Validator>, own: &PeerKey, now_ms: u64) -> Self {
        let own = seats.iter().find(|seat| seat.key == *own).map(|seat| seat.peer);
        Self { store, seats, own, now_ms, known: BTreeMap::new() }
    }

    /// The peers with a seat.
    pub(crate) fn seats(&self) -> &[Validator] {
        &self.seats
    }

    /// What the owner of a stream said.
    pub(crate) fn record(
        &mut self,
        stream: &StreamId,
    ) -> Result<Option<&PlacementRecord>, StoreError> {
        if !self.known.contains_key(stream) {
            let key = ledger_key::placement(stream);
            let value = self.store.get(Space::State, &key)?;
            let record = value.map(|value| minicbor::decode(&value));
            let record = record.transpose().map_err(|_| StoreError::corrupt(&key))?;
            self.known.insert(*stream, record);
        }
        Ok(self.known.get(stream).and_then(Option::as_ref))
    }

    fn placement(&mut self, stream: &StreamId) -> Result<Option<Placement>, StoreError> {
        Ok(self.record(stream)?.map(|record| record.placement.clone()))
    }

    /// Whose duty the payload with this digest is as one of the stream's, however old it is.
    pub(crate) fn of_stream(
        &mut self,
        stream: &StreamId,
        digest: &[u8; 32],
    ) -> Result<Duty, StoreError> {
        Ok(match self.placement(stream)? {
            Some(placement) if !placement.is_everybody() => {
                let holders = placement.holders(&self.seats, digest);
                let mine = self.own.is_some_and(|own| holders.binary_search(&own).is_ok());
                Duty { mine, holders: holders.into_iter().collect(), wanted: true }
            }
            _ => {
                let holders = self.seats.iter().map(|seat| seat.peer).collect();
                Duty { mine: true, holders, wanted: true }
            }
        })
    }

    /// Whose duty the payload of a batch is as that batch's; nobody's past retention.
    pub(crate) fn of_batch(&mut self, stream: &StreamId, leaf: &Leaf) -> Result<Duty, StoreError> {
        if self.is_past_retention(stream, leaf)? {
            return Ok(Duty::default());
        }
        self.of_stream(stream, &leaf.payload_digest)
    }

    /// Whether the payload of a batch may be dropped.
    pub(crate) fn is_past_retention(
        &mut self,
        stream: &StreamId,
        leaf: &Leaf,
    ) -> Result<bool, StoreError> {
        let now_ms = self.now_ms;
        let placement = self.placement(stream)?;
        Ok(placement
            .is_some_and(|placement| placement.is_past_retention(leaf.ledger_time_ms, now_ms)))
    }

    /// Whose duty a payload is, whatever batches refer to it.
    pub(crate) fn of_payload(&mut self, digest: &[u8; 32]) -> Result<Duty, StoreError> {
        let prefix = rows::references(digest);
        let end = prefix_end(&prefix);
        let limit = REFERENCES_MAX + 1;
        let found =
            self.store.scan(Space::Payloads, &prefix, end.as_deref(), Direction::Forward, limit)?;
        let mut duty = Duty { mine: found.len() == limit, ..Duty::default() };
        for (row, _) in found {
            let Some((stream, index)) = rows::referred(&row) else { continue };
            let key = rows::leaf(&stream, index);
            let Some(value) = self.store.get(Space::Nodes, &key)? else { continue };
            let leaf = rows::decode_leaf(&value).ok_or_else(|| StoreError::corrupt(&key))?;
            let one = self.of_batch(&stream, &leaf)?;
            duty.mine |= one.mine;
            duty.wanted |= one.wanted;
            duty.holders.extend(one.holders);
        }
        Ok(duty)
    }

    /// The voting keys of peers, by which they are reached.
    pub(crate) fn keys(&self, peers: &BTreeSet<EntityId>) -> Vec<PeerKey> {
        let of = self.seats.iter().filter(|seat| peers.contains(&seat.peer));
        of.map(|seat| seat.key).collect()
    }
}

/// Whether it is everybody's duty to keep the payloads of a stream of a ledger at rest.
pub(crate) fn is_everybodys(store: &dyn Store, stream: &StreamId) -> Result<bool, StoreError> {
    let key = ledger_key::placement(stream);
    let Some(value) = store.get(Space::State, &key)? else { return Ok(true) };
    let record: PlacementRecord =
        minicbor::decode(&value).map_err(|_| StoreError::corrupt(&key))?;
    let placement = record.placement;
    Ok(placement.is_everybody() && placement.retention_days.is_none())
}
