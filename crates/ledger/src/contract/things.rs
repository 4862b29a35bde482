//! Questions that only this ledger answers: about entities, things, their readings and rights.

use althing_proof::{
    key as proof_key,
    record::{BindingRecord, ThingRecord},
    stream::StreamHead,
};
use althing_state::Read;
use althing_types::{EntityId, Resource, Right};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    access::{self, Wanted},
    entity, key,
    stream::LatestBatch,
    transition::{Actor, Stop, Transition},
};

/// A question, as in `contract-std`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Custom {
    /// Who an entity is.
    Entity { id: String },
    /// What is known of a thing.
    Thing { id: String },
    /// The newest batch of a property, if the contract may read it.
    Stream { thing: String, property: String },
    /// Whether an entity may submit for a thing.
    Binding { thing: String, entity: String },
    /// Whether somebody may do something with a thing, or with a property or action of it.
    Access {
        entity: String,
        right: String,
        thing: String,
        name: Option<String>,
        purpose: Option<String>,
    },
}

/// Answers a question of a contract, which is the actor.
pub(super) fn own<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    custom: Custom,
) -> Result<Value, Stop> {
    match custom {
        Custom::Entity { id } => {
            let id = state.entity_at(&id)?;
            who(state, &id)
        }
        Custom::Thing { id } => {
            let id = state.thing_at(&id)?;
            let record: Option<ThingRecord> = state.get(&proof_key::thing(&id))?;
            let Some(record) = record else { return Ok(Value::Null) };
            Ok(json!({
                "active": record.retired.is_none(),
                "name": record.name,
                "owner": state.address(&record.owner)?,
                "version": record.version,
            }))
        }
        Custom::Stream { thing, property } => stream(state, actor, &thing, &property),
        Custom::Binding { thing, entity } => {
            let (thing, entity) = (state.thing_at(&thing)?, state.entity_at(&entity)?);
            let binding: Option<BindingRecord> = state.get(&proof_key::binding(&thing, &entity))?;
            let height = state.now.height;
            Ok(json!({ "bound": binding.is_some_and(|binding| binding.holds_at(height)) }))
        }
        Custom::Access { entity, right, thing, name, purpose } => {
            let (entity, thing) = (state.entity_at(&entity)?, state.thing_at(&thing)?);
            let Some(right) = Right::from_name(&right) else { return Ok(Value::Null) };
            let resource = resource(thing, right, name);
            let purpose = purpose.unwrap_or_default();
            let wanted =
                Wanted { principal: Some(entity), right, resource: &resource, purpose: &purpose };
            Ok(json!({ "allowed": allowed(state, &wanted)? }))
        }
    }
}

/// A thing, or the part of it that a right is about.
pub(super) fn resource(
    thing: althing_types::ThingId,
    right: Right,
    name: Option<String>,
) -> Resource {
    match (name, right) {
        (None, _) => Resource::Thing(thing),
        (Some(name), Right::Invoke) => Resource::ThingAction { thing, name },
        (Some(name), _) => Resource::Property { thing, name },
    }
}

fn allowed<R: Read>(state: &Transition<'_, R>, wanted: &Wanted<'_>) -> Result<bool, Stop> {
    match access::may(state, wanted) {
        Ok(()) => Ok(true),
        Err(Stop::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn who<R: Read>(state: &mut Transition<'_, R>, id: &EntityId) -> Result<Value, Stop> {
    let Some(record) = state.entity(id)? else { return Ok(Value::Null) };
    let owner = record.owner.map(|owner| state.address(&owner)).transpose()?;
    let active = match entity::active(state, id) {
        Ok(_) => true,
        Err(Stop::Refused(_)) => false,
        Err(error) => return Err(error),
    };
    Ok(json!({
        "active": active,
        "kind": record.inception.kind.name(),
        "name": record.inception.name,
        "owner": owner,
    }))
}

fn stream<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    thing: &str,
    property: &str,
) -> Result<Value, Stop> {
    let id = state.stream_at(thing, property)?;
    let head: Option<StreamHead> = state.get(&proof_key::stream(&id))?;
    let Some(head) = head else { return Ok(Value::Null) };
    let resource = Resource::Property { thing: head.thing, name: head.property.clone() };
    let principal = Some(actor.id);
    let readable = allowed(
        state,
        &Wanted { principal, right: Right::Read, resource: &resource, purpose: "" },
    )?;
    let latest: Option<LatestBatch> = state.get(&key::latest(&id))?;
    Ok(json!({
        "kind": head.schema.kind.name(),
        "latest": latest.filter(|_| readable).map(|latest| latest.to_json()),
        "next_seq": head.next_seq,
        "readable": readable,
        "scale": head.schema.scale,
        "unit": head.schema.unit,
    }))
}
