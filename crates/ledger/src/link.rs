//! Links: what organisations know of other ledgers, by proof (Y.4464 8.5, cross-chain service management).
//!
//! An organisation registers a ledger by its genesis, for itself. Nobody votes about it: what a link says
//! is no opinion but follows from the genesis by signatures, and whoever relies on it said so. Anybody
//! tells a link of newer blocks; it only goes up, and validators that were replaced move it no more. Two
//! final blocks of one height freeze it for ever.

use althing_proof::link::{Advance, Anchor, Fork, LinkError};
use althing_state::Read;
use althing_types::{
    EntityId, EntityKind, Event, Genesis, LedgerId, LinkAdvance, LinkEvent, LinkFork, LinkId,
    LinkStatus, Refusal, Wire, WireError,
    limits::{LINK_SIGNATURES_OF_BLOCK_MAX, LINKS_OF_OWNER_MAX, NAME_BYTES_MAX},
};
use minicbor::{Decode, Encode};

use crate::{
    entity, index, key,
    transition::{Actor, Stop, Transition},
};

/// What an organisation knows of another ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LinkRecord {
    /// The organisation.
    #[n(0)]
    pub owner: EntityId,
    /// Name of the other network, as its genesis has it.
    #[n(1)]
    pub network: String,
    /// What is known of its ledger.
    #[n(2)]
    pub anchor: Anchor,
    /// Whether the organisation relies on it.
    #[n(3)]
    pub status: LinkStatus,
    /// Why it does not for ever, if the ledger forked.
    #[n(4)]
    pub fork: Option<Fork>,
    /// Height at which it was registered.
    #[n(5)]
    pub registered_height: u64,
    /// Height at which it last went up; that of the registration before.
    #[n(6)]
    pub advanced_height: u64,
    /// Time of that block, milliseconds since 1970.
    #[n(7)]
    pub advanced_ms: u64,
    /// How many calls across it, either way, wait for an answer.
    #[n(8)]
    pub open: u32,
}

impl Wire for LinkRecord {
    const BYTES_MAX: usize = Anchor::BYTES_MAX + NAME_BYTES_MAX + 256;

    fn validate(&self) -> Result<(), WireError> {
        self.anchor.validate()
    }
}

impl LinkRecord {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> LinkId {
        LinkId::derive(&self.owner, &self.anchor.ledger)
    }
}

/// Relies on another ledger from now on; again, if the link was ended.
pub(crate) fn register<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    genesis: &[u8],
) -> Result<(), Stop> {
    if entity::active(state, &actor.id)?.inception.kind != EntityKind::Organisation {
        return Err(Refusal::NotPermitted.into());
    }
    let genesis = Genesis::from_wire(genesis).map_err(|_| Refusal::BadForeignProof)?;
    // Its keys are checked like signatures, which cost about as much.
    pay(state, genesis.organisations.len() + genesis.peers.len())?;
    genesis.check().map_err(|_| Refusal::BadForeignProof)?;
    let anchor = Anchor::of(&genesis);
    let ledger = anchor.ledger;
    if ledger == state.now.ledger {
        return Err(Refusal::ChangesNothing.into());
    }
    let id = LinkId::derive(&actor.id, &ledger);
    if let Some(mut record) = state.get::<LinkRecord>(&key::link(&id))? {
        if record.status != LinkStatus::Ended {
            return Err(Refusal::AlreadyExists.into());
        }
        record.status = LinkStatus::Live;
        put(state, &record);
        state.emit(Event::Link(LinkEvent::StatusSet { link: id, status: record.status }));
        return Ok(());
    }
    let counter = key::links_of(&actor.id);
    let held = state.get::<u32>(&counter)?.unwrap_or(0);
    if held >= LINKS_OF_OWNER_MAX {
        return Err(Refusal::TooManyLinks.into());
    }
    state.put(counter, &held.saturating_add(1));
    let record = LinkRecord {
        owner: actor.id,
        network: genesis.network,
        anchor,
        status: LinkStatus::Live,
        fork: None,
        registered_height: state.now.height,
        advanced_height: state.now.height,
        advanced_ms: state.now.time_ms,
        open: 0,
    };
    put(state, &record);
    index::link(state, &record);
    state.emit(Event::Link(LinkEvent::Registered { link: id, owner: actor.id, ledger }));
    Ok(())
}

/// Tells a link of a newer block.
pub(crate) fn advance<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    told: &LinkAdvance,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let mut record = usable(state, &told.link)?;
    let advance = Advance::from_wire(&told.proof).map_err(|_| Refusal::BadForeignProof)?;
    let before = record.anchor.height;
    match follow(state, &mut record, &advance) {
        Ok(()) if record.anchor.height > before => {}
        Ok(()) => return Err(Refusal::LinkNotOlder.into()),
        Err(Told::Fork(fork)) => freeze(state, &mut record, fork),
        Err(Told::Stop(stop)) => return Err(stop),
    }
    put(state, &record);
    Ok(())
}

/// Freezes a link whose ledger has two final blocks of one height.
pub(crate) fn report_fork<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    told: &LinkFork,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let mut record = link(state, &told.link)?;
    if record.status == LinkStatus::Frozen {
        return Err(Refusal::LinkClosed.into());
    }
    let read = |bytes| Advance::from_wire(bytes).map_err(|_| Refusal::BadForeignProof);
    let (first, second) = (read(&told.first)?, read(&told.second)?);
    pay(state, first.signatures().saturating_add(second.signatures()))?;
    let fork = record.anchor.fork(&first, &second).map_err(|_| Refusal::BadForeignProof)?;
    freeze(state, &mut record, fork);
    put(state, &record);
    Ok(())
}

/// Suspends a link, resumes it or ends it.
pub(crate) fn set_status<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &LinkId,
    status: LinkStatus,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let mut record = link(state, id)?;
    if record.owner != actor.id {
        return Err(Refusal::NotPermitted.into());
    }
    if record.status == LinkStatus::Frozen {
        return Err(Refusal::LinkClosed.into());
    }
    if record.status == status {
        return Err(Refusal::ChangesNothing.into());
    }
    record.status = status;
    put(state, &record);
    state.emit(Event::Link(LinkEvent::StatusSet { link: *id, status }));
    Ok(())
}

/// A link as it is.
pub(crate) fn link<R: Read>(state: &Transition<'_, R>, id: &LinkId) -> Result<LinkRecord, Stop> {
    Ok(state.get(&key::link(id))?.ok_or(Refusal::NoLedgerLink)?)
}

/// A link that is relied on.
pub(crate) fn usable<R: Read>(state: &Transition<'_, R>, id: &LinkId) -> Result<LinkRecord, Stop> {
    let record = link(state, id)?;
    if record.status == LinkStatus::Live { Ok(record) } else { Err(Refusal::LinkClosed.into()) }
}

/// The link of an organisation to a ledger, if it relies on it.
pub(crate) fn to_ledger<R: Read>(
    state: &Transition<'_, R>,
    owner: &EntityId,
    ledger: &LedgerId,
) -> Result<LinkRecord, Stop> {
    usable(state, &LinkId::derive(owner, ledger))
}

pub(crate) fn put<R: Read>(state: &mut Transition<'_, R>, record: &LinkRecord) {
    state.put(key::link(&record.id()), record);
}

/// What comes of telling a link something that it cannot take.
#[derive(Debug)]
pub(crate) enum Told {
    /// The other ledger forked.
    Fork(Fork),
    /// It is refused.
    Stop(Stop),
}

impl From<Told> for Stop {
    fn from(told: Told) -> Self {
        match told {
            Told::Fork(_) => Refusal::BadForeignProof.into(),
            Told::Stop(stop) => stop,
        }
    }
}

/// Checks an advance against what a link knows, and takes note of what is newer; the caller writes it.
pub(crate) fn follow<R: Read>(
    state: &mut Transition<'_, R>,
    record: &mut LinkRecord,
    advance: &Advance,
) -> Result<(), Told> {
    pay(state, advance.signatures()).map_err(Told::Stop)?;
    let after = match record.anchor.follow(advance) {
        Ok(after) => after,
        Err(LinkError::Fork { height, shown }) if height == record.anchor.height => {
            return Err(Told::Fork(Fork { height, first: record.anchor.block, second: shown }));
        }
        Err(error) => {
            tracing::debug!(%error, "a proof of another ledger does not hold");
            return Err(Told::Stop(Refusal::BadForeignProof.into()));
        }
    };
    if after.height > record.anchor.height {
        record.advanced_height = state.now.height;
        record.advanced_ms = state.now.time_ms;
        let (height, epoch) = (after.height, after.epoch);
        state.emit(Event::Link(LinkEvent::Advanced { link: record.id(), height, epoch }));
    }
    record.anchor = after;
    Ok(())
}

fn freeze<R: Read>(state: &mut Transition<'_, R>, record: &mut LinkRecord, fork: Fork) {
    record.status = LinkStatus::Frozen;
    record.fork = Some(fork);
    let link = record.id();
    state.emit(Event::Link(LinkEvent::Frozen { link, height: fork.height }));
}

/// Counts signatures that are about to be checked. They count though the transaction be refused: the work
/// is done by then.
fn pay<R: Read>(state: &mut Transition<'_, R>, signatures: usize) -> Result<(), Stop> {
    let due = u32::try_from(signatures).unwrap_or(u32::MAX);
    let checked = state.foreign_checks.saturating_add(due);
    if checked > LINK_SIGNATURES_OF_BLOCK_MAX {
        return Err(Refusal::TooManyProofs.into());
    }
    state.foreign_checks = checked;
    Ok(())
}

#[cfg(test)]
mod tests;
