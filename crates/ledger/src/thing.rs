//! Things: what is described, by a W3C Thing Description whose digest and version are on the ledger.

mod description;
mod json;

pub use description::{
    ACTIONS_MAX, DEFAULT_SCALE, Description, Interface, TYPE_BYTES_MAX, TYPES_MAX, explain,
    input_problem,
};
pub(crate) use json::{is_at_most as is_shallow, is_object as is_json_object};

use std::collections::{BTreeMap, BTreeSet};

use althing_proof::{
    key,
    record::{Signing, ThingRecord},
    stream::StreamHead,
};
use althing_state::Read;
use althing_types::{
    Digest, EntityId, EntityKind, Event, Refusal, StreamId, StreamSchema, ThingId, Wire, WireError,
    limits::{NAME_BYTES_MAX, PROPERTIES_MAX},
};
use minicbor::{Decode, Encode};

use crate::{
    command, entity, index, key as own_key,
    onboarding::VoucherRecord,
    transition::{Actor, Stop, Transition},
};

/// What a description says of a thing, in short, so that execution never reads JSON again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Outline {
    /// Names of the properties that are streams now, ascending.
    #[n(0)]
    pub properties: Vec<String>,
    /// Semantic types it is found by, ascending.
    #[n(1)]
    pub types: Vec<String>,
}

impl Wire for Outline {
    const BYTES_MAX: usize =
        PROPERTIES_MAX * (NAME_BYTES_MAX + 3) + TYPES_MAX * (TYPE_BYTES_MAX + 3) + 16;

    fn validate(&self) -> Result<(), WireError> {
        let ascending = |texts: &[String]| texts.windows(2).all(|pair| pair[0] < pair[1]);
        if ascending(&self.properties) && ascending(&self.types) {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("outline"))
        }
    }
}

/// Registers a thing and the streams of its properties; the sender becomes its owner.
pub(crate) fn register<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    name: &str,
    text: &[u8],
) -> Result<(), Stop> {
    let sender = entity::active(state, &actor.id)?;
    let id = ThingId::derive(&actor.id, name);
    if state.get::<ThingRecord>(&key::thing(&id))?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    let Description { digest, types, properties, signing, interface, .. } =
        Description::parse(text)?;
    let device = (sender.inception.kind == EntityKind::Device).then_some(actor.id);
    begin(state, &id, (&actor.id, name), digest, device, signing);
    describe(state, &id, &Outline::default(), types, properties, &interface)?;
    state.effects.descriptions.push((digest, text.to_vec()));
    Ok(())
}

/// Registers the thing of a device that joins by a voucher, for the voucher's owner.
pub(crate) fn join<R: Read>(
    state: &mut Transition<'_, R>,
    voucher: &VoucherRecord,
    name: &str,
    device: &EntityId,
) -> Result<ThingId, Stop> {
    let id = ThingId::derive(&voucher.owner, name);
    if state.get::<ThingRecord>(&key::thing(&id))?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    let (owner, digest) = (&voucher.owner, voucher.description_digest);
    begin(state, &id, (owner, name), digest, Some(*device), voucher.signing);
    let (types, properties) = (voucher.types.clone(), voucher.properties.clone());
    describe(state, &id, &Outline::default(), types, properties, &voucher.interface)?;
    Ok(id)
}

/// Writes the record of a thing at its beginning.
fn begin<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ThingId,
    (owner, name): (&EntityId, &str),
    description_digest: Digest,
    device: Option<EntityId>,
    signing: Option<Signing>,
) {
    let height = state.now.height;
    let thing = ThingRecord {
        owner: *owner,
        name: name.to_owned(),
        version: 1,
        description_digest,
        registered_height: height,
        updated_height: height,
        retired: None,
        device,
        device_height: None,
        signing,
    };
    state.put(key::thing(id), &thing);
    index::described(state, id, thing.version, &description_digest);
    state.emit(Event::ThingRegistered { thing: *id, owner: *owner });
    index::thing_named(state, owner, name, id);
}

/// Publishes a new version of a thing's description.
pub(crate) fn update<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
    replaces: u32,
    text: &[u8],
) -> Result<(), Stop> {
    let mut thing = owned(state, actor, id)?;
    if thing.version != replaces {
        return Err(Refusal::VersionConflict.into());
    }
    let Description { digest, types, properties, signing, interface, .. } =
        Description::parse(text)?;
    let before: Outline = state.get(&own_key::properties(id))?.unwrap_or_default();
    thing.version = replaces.checked_add(1).ok_or(Refusal::OutOfBounds)?;
    thing.description_digest = digest;
    thing.updated_height = state.now.height;
    thing.signing = signing;
    state.put(key::thing(id), &thing);
    index::described(state, id, thing.version, &digest);
    describe(state, id, &before, types, properties, &interface)?;
    state.effects.descriptions.push((digest, text.to_vec()));
    state.emit(Event::ThingUpdated { thing: *id, version: thing.version });
    Ok(())
}

/// Ends a thing; its streams stay readable.
pub(crate) fn retire<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
) -> Result<(), Stop> {
    let mut thing = owned(state, actor, id)?;
    command::end_all(state, actor, id)?;
    thing.retired = Some(state.now.height);
    state.put(key::thing(id), &thing);
    state.emit(Event::ThingRetired { thing: *id });
    Ok(())
}

/// A thing that is not retired.
pub(crate) fn present<R: Read>(
    state: &Transition<'_, R>,
    id: &ThingId,
) -> Result<ThingRecord, Stop> {
    let thing: ThingRecord = state.get(&key::thing(id))?.ok_or(Refusal::UnknownThing)?;
    match thing.retired {
        Some(_) => Err(Refusal::ThingRetired.into()),
        None => Ok(thing),
    }
}

/// A thing of the sender's that is not retired.
pub(crate) fn owned<R: Read>(
    state: &Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
) -> Result<ThingRecord, Stop> {
    let thing = present(state, id)?;
    if thing.owner == actor.id { Ok(thing) } else { Err(Refusal::NotPermitted.into()) }
}

/// Names what the description names: streams, outline, interface and index.
fn describe<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ThingId,
    before: &Outline,
    types: Vec<String>,
    properties: Vec<(String, StreamSchema)>,
    interface: &Interface,
) -> Result<(), Stop> {
    let after =
        Outline { properties: properties.iter().map(|(name, _)| name.clone()).collect(), types };
    for (name, schema) in properties {
        open_stream(state, id, name, schema)?;
    }
    let named: BTreeSet<&String> = after.properties.iter().collect();
    for name in before.properties.iter().filter(|name| !named.contains(name)) {
        close_stream(state, id, name)?;
    }
    let types: BTreeMap<&String, bool> = before
        .types
        .iter()
        .map(|semantic| (semantic, false))
        .chain(after.types.iter().map(|semantic| (semantic, true)))
        .collect();
    for (semantic, present) in types {
        index::thing_typed(state, semantic, id, present);
    }
    state.put(own_key::properties(id), &after);
    let key = own_key::interface(id);
    if *interface != Interface::default() {
        state.put(key, interface);
    } else if state.get::<Interface>(&key)?.is_some() {
        state.remove(key);
    }
    Ok(())
}

/// Begins the stream of a property, or goes on with the one that was there before.
fn open_stream<R: Read>(
    state: &mut Transition<'_, R>,
    thing: &ThingId,
    property: String,
    schema: StreamSchema,
) -> Result<(), Stop> {
    let id = StreamId::derive(thing, &property);
    index::thing_with(state, &property, thing, Some(&id));
    let key = key::stream(&id);
    let head = match state.get::<StreamHead>(&key)? {
        Some(head) if head.schema == schema => return Ok(()),
        Some(head) if head.peaks.leaves() > 0 => {
            if !reads_alike(&head.schema, &schema) {
                return Err(Refusal::SchemaChanged.into());
            }
            StreamHead { schema, ..head }
        }
        _ => StreamHead::new(*thing, property, schema),
    };
    state.put(key, &head);
    Ok(())
}

/// Whether readings taken under one schema mean the same under the other: bounds may move.
fn reads_alike(one: &StreamSchema, other: &StreamSchema) -> bool {
    one.kind == other.kind
        && one.scale == other.scale
        && one.quantum == other.quantum
        && one.unit == other.unit
}

/// A property left the description: its stream takes nothing more. What it took stays.
fn close_stream<R: Read>(
    state: &mut Transition<'_, R>,
    thing: &ThingId,
    property: &str,
) -> Result<(), Stop> {
    index::thing_with(state, property, thing, None);
    let key = key::stream(&StreamId::derive(thing, property));
    let head: Option<StreamHead> = state.get(&key)?;
    if head.is_some_and(|head| head.peaks.leaves() == 0) {
        state.remove(key);
    }
    Ok(())
}

/// Whether a property is in the thing's present description.
pub(crate) fn has_property<R: Read>(
    state: &Transition<'_, R>,
    thing: &ThingId,
    property: &str,
) -> Result<bool, Stop> {
    let outline: Outline = state.get(&own_key::properties(thing))?.unwrap_or_default();
    Ok(outline.properties.binary_search_by(|name| name.as_str().cmp(property)).is_ok())
}

/// What a thing can be asked to do.
pub(crate) fn interface<R: Read>(
    state: &Transition<'_, R>,
    thing: &ThingId,
) -> Result<Interface, Stop> {
    Ok(state.get(&own_key::interface(thing))?.unwrap_or_default())
}

/// Whether what the packs of the thing's device were checked against still held when they came:
/// validators checked them against the state at an earlier height, execution sees no payload.
pub(crate) fn device_unchanged<R: Read>(
    state: &mut Transition<'_, R>,
    thing: &ThingRecord,
    submitter: &EntityId,
) -> Result<(), Stop> {
    if thing.signing.is_none() || thing.device.as_ref() == Some(submitter) {
        return Ok(());
    }
    let device = thing.device.ok_or(Refusal::Unsigned)?;
    let record = state.entity(&device)?.ok_or(Refusal::Unsigned)?;
    let changes = [thing.device_height, Some(record.key_since_height), record.revoked];
    if changes.into_iter().flatten().any(|height| height > state.now.checked_height) {
        return Err(Refusal::DeviceChanged.into());
    }
    if record.revoked.is_some() {
        return Err(Refusal::DeviceSignature.into());
    }
    Ok(())
}

/// Whether an entity is the thing itself, as far as the ledger knows.
pub(crate) fn is_device_of(thing: &ThingRecord, entity: &EntityId) -> bool {
    thing.device.as_ref() == Some(entity)
}

#[cfg(test)]
mod tests;
