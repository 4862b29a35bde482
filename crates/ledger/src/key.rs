//! Raw keys of the state that no proof opens; the others are in [`althing_proof::key`].

use althing_types::{EntityId, ThingId, TxId, VoucherId};

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

/// Where the [`Standing`](crate::standing::Standing) of a thing is: `m/<id>/o`.
#[must_use]
pub fn standing(thing: &ThingId) -> Vec<u8> {
    [b"m/".as_slice(), &thing.0, b"/o"].concat()
}

/// Where the [`Interface`](crate::thing::Interface) of a thing is: `m/<id>/i`.
#[must_use]
pub fn interface(thing: &ThingId) -> Vec<u8> {
    [b"m/".as_slice(), &thing.0, b"/i"].concat()
}

/// Where the [`StatusRecord`](crate::status::StatusRecord) of a thing is: `m/<id>/s`.
#[must_use]
pub fn status(thing: &ThingId) -> Vec<u8> {
    [b"m/".as_slice(), &thing.0, b"/s"].concat()
}

/// Where the ids of the [`Open`](crate::command::Open) commands of a thing are: `m/<id>/c`.
#[must_use]
pub fn open_commands(thing: &ThingId) -> Vec<u8> {
    [b"m/".as_slice(), &thing.0, b"/c"].concat()
}

/// Where the [`CommandRecord`](crate::command::CommandRecord) of an open command is: `u/<id>`.
#[must_use]
pub fn command(id: &TxId) -> Vec<u8> {
    [b"u/".as_slice(), &id.0].concat()
}

/// Where a [`VoucherRecord`](crate::onboarding::VoucherRecord) is: `v/<id>`.
#[must_use]
pub fn voucher(id: &VoucherId) -> Vec<u8> {
    [b"v/".as_slice(), &id.0].concat()
}
