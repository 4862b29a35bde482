//! Raw keys of the state that no proof opens; the others are in [`althing_proof::key`].

use althing_types::{EntityId, ThingId};

/// Where the names of a thing's properties are: `d/<id>`.
#[must_use]
pub fn properties(thing: &ThingId) -> Vec<u8> {
    [b"d/".as_slice(), &thing.0].concat()
}

/// Where the list of transactions of an organisation that wait for approvals is: `o/<id>`.
#[must_use]
pub fn waiting(organisation: &EntityId) -> Vec<u8> {
    [b"o/".as_slice(), &organisation.0].concat()
}
