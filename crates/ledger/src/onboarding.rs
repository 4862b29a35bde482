//! Onboarding: a thing passes from one owner to the next, and devices join by their maker's voucher.

use althing_proof::{
    key,
    record::{BindingRecord, EntityRecord, Signing, ThingRecord},
};
use althing_state::Read;
use althing_types::{
    Claim, Digest, EntityId, EntityKind, Event, Join, Offer, OfferTo, Refusal, StreamSchema,
    ThingId, Voucher, VoucherId, Wire, WireError,
    limits::{NAME_BYTES_MAX, PROPERTIES_MAX},
};
use minicbor::{Decode, Encode};

use crate::{
    command, entity, index, key as own_key, standing,
    thing::{self, Description, Interface, Outline},
    transition::{Actor, Stop, Transition},
};

/// A voucher as the ledger keeps it: what the devices' description says is read once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct VoucherRecord {
    /// Who made the devices.
    #[n(0)]
    pub maker: EntityId,
    /// The organisation that owns them when they join.
    #[n(1)]
    pub owner: EntityId,
    /// Merkle root over their inceptions.
    #[n(2)]
    pub root: Digest,
    /// How many there are.
    #[n(3)]
    pub count: u32,
    /// SHA-256 of their Thing Description.
    #[n(4)]
    pub description_digest: Digest,
    /// Their properties that are streams.
    #[n(5)]
    pub properties: Vec<(String, StreamSchema)>,
    /// The semantic types they are found by.
    #[n(6)]
    pub types: Vec<String>,
    /// What they can be asked to do.
    #[n(7)]
    pub interface: Interface,
    /// Height at which it was issued.
    #[n(8)]
    pub issued_height: u64,
    /// Height at which it was revoked, if it was.
    #[n(9)]
    pub revoked: Option<u64>,
    /// Whose signature the readings of its things need.
    #[n(10)]
    pub signing: Option<Signing>,
}

impl Wire for VoucherRecord {
    const BYTES_MAX: usize = PROPERTIES_MAX * (2 * NAME_BYTES_MAX + 48)
        + Outline::BYTES_MAX
        + Interface::BYTES_MAX
        + 256;

    fn validate(&self) -> Result<(), WireError> {
        if self.properties.len() <= PROPERTIES_MAX {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("voucher"))
        }
    }
}

/// Offers a thing, or withdraws the offer; by its owner.
pub(crate) fn offer<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
    offer: Option<&Offer>,
) -> Result<(), Stop> {
    let thing = thing::owned(state, actor, id)?;
    let mut standing = standing::of(state, id)?;
    let event = match offer {
        None if standing.offer.is_none() => return Err(Refusal::NotOffered.into()),
        None => Event::OfferWithdrawn { thing: *id },
        Some(offer) => {
            if offer.until_height < state.now.height {
                return Err(Refusal::OfferExpired.into());
            }
            let to = match offer.to {
                OfferTo::Entity(to) => {
                    entity::active(state, &to)?;
                    Some(to)
                }
                OfferTo::Code(_) => None,
            };
            let until_height = offer.until_height;
            Event::ThingOffered { thing: *id, owner: thing.owner, until_height, to }
        }
    };
    standing.offer = offer.cloned();
    standing::put(state, id, &standing);
    state.emit(event);
    Ok(())
}

/// Makes the sender the owner of a thing that is offered to it, or to whoever holds its code. That
/// the code is held was checked with the signatures; see [`signature_checks`](crate::signature_checks).
pub(crate) fn accept<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
    claim: Option<&Claim>,
) -> Result<(), Stop> {
    let thing = thing::present(state, id)?;
    entity::active(state, &actor.id)?;
    let mut standing = standing::of(state, id)?;
    standing::not_quarantined(&standing, &thing)?;
    let offer = standing.offer.take().ok_or(Refusal::NotOffered)?;
    if offer.until_height < state.now.height {
        return Err(Refusal::OfferExpired.into());
    }
    match (&offer.to, claim) {
        (OfferTo::Entity(to), None) if *to == actor.id => {}
        (OfferTo::Code(key), Some(claim)) if claim.key == *key => {}
        (OfferTo::Code(_), _) => return Err(Refusal::BadClaim.into()),
        _ => return Err(Refusal::NotOffered.into()),
    }
    // An offer ends with the one who made it.
    entity::active(state, &thing.owner)?;
    if thing.owner == actor.id {
        return Err(Refusal::AlreadyExists.into());
    }
    let gateways: Vec<EntityId> = standing.bound.drain(..).map(|bound| bound.gateway).collect();
    standing::put(state, id, &standing);
    transfer(state, actor, id, thing, &gateways)
}

fn transfer<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
    thing: ThingRecord,
    gateways: &[EntityId],
) -> Result<(), Stop> {
    let from = thing.owner;
    for gateway in gateways {
        end_binding(state, id, gateway)?;
    }
    command::end_all(state, actor, id)?;
    index::thing_moved(state, &from, &actor.id, &thing.name, id);
    state.emit(Event::ThingTransferred { thing: *id, from, to: actor.id });
    // The device is the thing: it comes along, and stays bound. One that belongs to somebody else,
    // or can belong to nobody new, does not.
    let device = match thing.device {
        Some(device) if comes_along(state, &device, &from, &actor.id)? => Some(device),
        _ => None,
    };
    let device_height =
        if device == thing.device { thing.device_height } else { Some(state.now.height) };
    let owner = actor.id;
    state.put(key::thing(id), &ThingRecord { owner, device, device_height, ..thing });
    match device {
        Some(device) => bind_device(state, id, &device),
        None => Ok(()),
    }
}

fn end_binding<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ThingId,
    gateway: &EntityId,
) -> Result<(), Stop> {
    let (key, height) = (key::binding(id, gateway), state.now.height);
    let Some(binding) = state.get::<BindingRecord>(&key)? else { return Ok(()) };
    if binding.holds_at(height) {
        state.put(key, &BindingRecord { until_height: height, ..binding });
        index::bound(state, gateway, id, height);
    }
    Ok(())
}

/// Whether the entity that a thing signs as passes to the new owner; if it does, it has.
fn comes_along<R: Read>(
    state: &mut Transition<'_, R>,
    device: &EntityId,
    from: &EntityId,
    to: &EntityId,
) -> Result<bool, Stop> {
    // A device that registered itself is owned by whoever registered its key, and stays so.
    if device == from {
        return Ok(true);
    }
    let Some(record) = state.entity(device)? else { return Ok(false) };
    let is_organisation = entity::active(state, to)?.inception.kind == EntityKind::Organisation;
    if record.owner != Some(*from) || !is_organisation {
        return Ok(false);
    }
    let moved = EntityRecord { owner: Some(*to), ..EntityRecord::clone(&record) };
    state.put(key::entity(device), &moved);
    index::entity_moved(state, device, record.inception.kind, from, to);
    Ok(true)
}

/// Binds the device of a thing without end, from the present block on.
fn bind_device<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ThingId,
    device: &EntityId,
) -> Result<(), Stop> {
    let (until_height, bound_height) = (u64::MAX, state.now.height);
    state.put(key::binding(id, device), &BindingRecord { until_height, bound_height });
    standing::bound(state, id, device)?;
    state.emit(Event::Bound { thing: *id, gateway: *device, until_height });
    index::bound(state, device, id, until_height);
    Ok(())
}

/// Records that the sender vouches for a batch of devices.
pub(crate) fn issue<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    voucher: &Voucher,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let owner = entity::active(state, &voucher.owner)?;
    if owner.inception.kind != EntityKind::Organisation {
        return Err(Refusal::NotPermitted.into());
    }
    let id = voucher.id(&actor.id);
    let key = own_key::voucher(&id);
    if state.get::<VoucherRecord>(&key)?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    let Description { digest, types, properties, signing, interface, .. } =
        Description::parse(&voucher.description)?;
    let record = VoucherRecord {
        maker: actor.id,
        owner: voucher.owner,
        root: voucher.root,
        count: voucher.count,
        description_digest: digest,
        properties,
        types,
        interface,
        signing,
        issued_height: state.now.height,
        revoked: None,
    };
    state.put(key, &record);
    state.effects.descriptions.push((digest, voucher.description.clone()));
    let (maker, owner, count) = (actor.id, voucher.owner, voucher.count);
    index::voucher_issued(state, &maker, &owner, &id);
    state.emit(Event::VoucherIssued { voucher: id, maker, owner, count });
    Ok(())
}

/// Ends a voucher: what joined by it stays, nothing more joins.
pub(crate) fn revoke<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &VoucherId,
) -> Result<(), Stop> {
    let key = own_key::voucher(id);
    let mut record: VoucherRecord = state.get(&key)?.ok_or(Refusal::UnknownVoucher)?;
    if actor.id != record.maker && actor.id != record.owner {
        return Err(Refusal::NotPermitted.into());
    }
    if record.revoked.is_some() {
        return Err(Refusal::VoucherRevoked.into());
    }
    record.revoked = Some(state.now.height);
    state.put(key, &record);
    state.emit(Event::VoucherRevoked { voucher: *id });
    Ok(())
}

/// Registers a device of a voucher and its thing; both are the voucher's owner's.
///
/// The maker vouched that the device holds its key, so it need not be there to show it. That a
/// device joins once follows from its id; no list of those that did is kept.
pub(crate) fn join<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    join: &Join,
) -> Result<(), Stop> {
    let record: VoucherRecord =
        state.get(&own_key::voucher(&join.voucher))?.ok_or(Refusal::UnknownVoucher)?;
    vouched(state, &record)?;
    entity::active(state, &record.owner)?;
    let sender = entity::active(state, &actor.id)?;
    let is_of_owner = actor.id == record.owner || sender.owner == Some(record.owner);
    if !is_of_owner || join.inception.kind != EntityKind::Device {
        return Err(Refusal::NotPermitted.into());
    }
    if !join.is_in(&record.root, record.count) {
        return Err(Refusal::NotInVoucher.into());
    }
    let device = join.inception.id();
    if state.entity(&device)?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    let (owner, height) = (record.owner, state.now.height);
    let founded = entity::founded(join.inception.clone(), Some(owner), height);
    state.put(key::entity(&device), &founded);
    state.emit(Event::EntityRegistered { entity: device, owner });
    index::entity_joined(state, actor, &device, &owner);
    let thing = thing::join(state, &record, &join.inception.name, &device)?;
    bind_device(state, &thing, &device)?;
    state.emit(Event::DeviceJoined { voucher: join.voucher, device, thing });
    Ok(())
}

/// Whether a voucher counts now: it was not revoked, nor was its maker, whose key may be stolen.
fn vouched<R: Read>(state: &mut Transition<'_, R>, voucher: &VoucherRecord) -> Result<(), Stop> {
    match entity::active(state, &voucher.maker) {
        Ok(_) if voucher.revoked.is_none() => Ok(()),
        Err(Stop::Store(error)) => Err(error.into()),
        _ => Err(Refusal::VoucherRevoked.into()),
    }
}

#[cfg(test)]
mod tests;
