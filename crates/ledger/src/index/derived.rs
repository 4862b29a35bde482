//! Rows that follow from the state, for a peer that begins with a state and not with the blocks.

use althing_proof::{
    key,
    record::{BindingRecord, EntityRecord, ThingRecord},
};
use althing_state::{Row, StoreError};
use althing_types::{EntityId, StreamId, ThingId, TxId};

use super::{description, join, link, owned_row, placed_at, tag::of_tags};
use crate::{key as own_key, status::StatusRecord, thing::Outline, transition::decode_at};

/// Whether the rows with a prefix all follow from the state. Those of past versions of a description do
/// not, but for the present one.
#[must_use]
pub fn is_derived(prefix: &[u8]) -> bool {
    let links = matches!(prefix, [b'j', b'l' | b'o' | b'u', ..]);
    links
        || matches!(
            prefix.first(),
            Some(b'e' | b'd' | b'o' | b'n' | b'y' | b'p' | b'u' | b'g' | b'T')
        )
}

/// The rows that follow from one row of the state.
///
/// # Errors
/// [`StoreError`] if the row is not one that the ledger wrote.
pub fn derived(raw: &[u8], value: &[u8]) -> Result<Vec<Row>, StoreError> {
    let id = || raw.get(2..34).and_then(|id| id.try_into().ok()).unwrap_or_default();
    let (entity, thing) = (EntityId(id()), ThingId(id()));
    let rows = match raw {
        _ if raw == key::entity(&entity) => of_entity(&entity, &decode_at(raw, value)?),
        _ if raw == key::thing(&thing) => of_thing(&thing, &decode_at(raw, value)?),
        _ if raw == own_key::properties(&thing) => of_outline(&thing, &decode_at(raw, value)?),
        _ if raw == own_key::status(&thing) => {
            let status: StatusRecord = decode_at(raw, value)?;
            let row = |place| ([placed_at(place).as_slice(), &thing.0].concat(), Vec::new());
            status.place.map(row).into_iter().collect()
        }
        _ if raw == own_key::tags(&thing) => of_tags(&thing, &decode_at(raw, value)?),
        [b'b', b'/', ..] => {
            let gateway: [u8; 32] =
                raw.last_chunk().copied().ok_or_else(|| StoreError::corrupt(raw))?;
            let binding: BindingRecord = decode_at(raw, value)?;
            let until = binding.until_height.to_be_bytes().to_vec();
            vec![(join(b'g', &[&gateway, &thing.0]), until)]
        }
        [b'j', b'/', b'l', b'/', ..] => link::rows_of_link(&decode_at(raw, value)?),
        [b'j', b'/', kind @ (b'c' | b't'), b'/', ..] => {
            let id = TxId(raw.last_chunk().copied().ok_or_else(|| StoreError::corrupt(raw))?);
            match kind {
                b'c' => link::rows_of_call(&id, &decode_at(raw, value)?),
                _ => link::rows_of_taken(&id, &decode_at(raw, value)?),
            }
        }
        _ => Vec::new(),
    };
    Ok(rows)
}

fn of_entity(id: &EntityId, record: &EntityRecord) -> Vec<Row> {
    let kind = record.inception.kind as u8;
    let owner = record.owner.map(|owner| owner.0.to_vec());
    let mut rows = vec![(join(b'e', &[&[kind], &id.0]), owner.clone().unwrap_or_default())];
    rows.extend(owner.map(|owner| (join(b'd', &[&owner, &id.0]), vec![kind])));
    rows
}

fn of_thing(id: &ThingId, record: &ThingRecord) -> Vec<Row> {
    let named = join(b'n', &[record.name.as_bytes(), &[0], &id.0]);
    vec![
        (owned_row(&record.owner, &record.name, id), id.0.to_vec()),
        (named, Vec::new()),
        (description(id, record.version), record.description_digest.0.to_vec()),
    ]
}

fn of_outline(id: &ThingId, outline: &Outline) -> Vec<Row> {
    let types = outline
        .types
        .iter()
        .map(|semantic| (join(b'y', &[semantic.as_bytes(), &[0], &id.0]), Vec::new()));
    let properties = outline.properties.iter().map(|property| {
        let stream = StreamId::derive(id, property).0.to_vec();
        (join(b'p', &[property.as_bytes(), &[0], &id.0]), stream)
    });
    types.chain(properties).collect()
}
