//! What contracts do that only this ledger offers: each by the same rules as for anyone, with the
//! contract as sender.

use althing_state::Read;
use althing_types::{
    AccessRequest, Action, Command, EntityId, Operation, Record, Refusal, Right, TxId,
    Value as Reading,
};
use serde::Deserialize;

use super::{things::resource, wire::Binary};
use crate::{
    execute,
    transition::{Actor, Stop, Transition},
};

/// A message, as in `contract-std`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deed {
    /// Writes a record in the contract's name.
    Record { kind: String, data: Binary, notify: Vec<String>, link: Option<String> },
    /// Asks a thing to do something.
    Command { thing: String, operation: Asked, life_ms: u64, purpose: Option<String> },
    /// Asks for access to a thing, or to a property or action of it.
    RequestAccess {
        thing: String,
        name: Option<String>,
        right: String,
        purpose: String,
        blocks: u64,
    },
}

/// What a thing is asked to do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asked {
    Read { property: String },
    Write { property: String, value: Written },
    Invoke { action: String, input: Option<Binary> },
}

/// A value that is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Written {
    /// A mantissa at the stream's scale, in text.
    Number(String),
    Bool(bool),
    Text(String),
    Bytes(Binary),
}

/// Does it.
pub(super) fn carry_out<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    deed: Deed,
) -> Result<(), Stop> {
    let action = match deed {
        Deed::Record { kind, data: Binary(data), notify, link } => {
            let notify = notify
                .iter()
                .map(|text| state.entity_at(text))
                .collect::<Result<Vec<EntityId>, Stop>>()?;
            let link = match link {
                Some(text) => Some(TxId::from_hex(&text).ok_or(Refusal::OutOfBounds)?),
                None => None,
            };
            Action::Record(Record { kind, data, notify, link })
        }
        Deed::Command { thing, operation, life_ms, purpose } => Action::Command(Command {
            thing: state.thing_at(&thing)?,
            operation: operation_of(operation)?,
            until_ms: state.now.time_ms.saturating_add(life_ms),
            purpose,
        }),
        Deed::RequestAccess { thing, name, right, purpose, blocks } => {
            let right = Right::from_name(&right).ok_or(Refusal::OutOfBounds)?;
            Action::RequestAccess(AccessRequest {
                resource: resource(state.thing_at(&thing)?, right, name),
                right,
                purpose,
                count_max: 0,
                until_height: state.now.height.saturating_add(blocks),
            })
        }
    };
    if !action.is_within_bounds() {
        return Err(Refusal::OutOfBounds.into());
    }
    // A command is known by the id of its transaction, of which a contract may give several.
    let before = state.effects.events.len() as u64;
    let actor = match action {
        Action::Command(_) => Actor { transaction: actor.transaction.nth(before), ..*actor },
        _ => *actor,
    };
    execute::act(state, &actor, &[action]).map_err(|(_, stop)| stop)
}

fn operation_of(asked: Asked) -> Result<Operation, Refusal> {
    Ok(match asked {
        Asked::Read { property } => Operation::Read { property },
        Asked::Invoke { action, input } => {
            Operation::Invoke { action, input: input.map(|Binary(input)| input.into()) }
        }
        Asked::Write { property, value } => {
            let value = match value {
                Written::Number(text) => {
                    Reading::Number(text.parse().map_err(|_| Refusal::SchemaMismatch)?)
                }
                Written::Bool(value) => Reading::Bool(value),
                Written::Text(text) => Reading::Text(text),
                Written::Bytes(Binary(bytes)) => Reading::Bytes(bytes),
            };
            Operation::Write { property, value }
        }
    })
}
