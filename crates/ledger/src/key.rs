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

/// Where the member organisations are: `c/members`.
#[must_use]
pub fn members() -> Vec<u8> {
    b"c/members".to_vec()
}

/// Where the deployment mode of the ledger is: `c/mode`.
#[must_use]
pub fn mode() -> Vec<u8> {
    b"c/mode".to_vec()
}

/// Where the rule by which members decide is: `c/voting-rule`. Absent while it is the standard one.
#[must_use]
pub fn voting_rule() -> Vec<u8> {
    b"c/voting-rule".to_vec()
}

/// Where the validators of the next epoch are: `c/validators/next`. Absent while they stay.
#[must_use]
pub fn next_validators() -> Vec<u8> {
    b"c/validators/next".to_vec()
}

/// Where the list of open proposals is: `c/proposals`.
#[must_use]
pub fn open_proposals() -> Vec<u8> {
    b"c/proposals".to_vec()
}

/// Where an open proposal is: `c/proposal/<id>`.
#[must_use]
pub fn proposal(id: &TxId) -> Vec<u8> {
    [b"c/proposal/".as_slice(), &id.0].concat()
}

/// Where the address of a peer that was given a seat by vote is: `c/address/<id>`.
#[must_use]
pub fn address(peer: &EntityId) -> Vec<u8> {
    [b"c/address/".as_slice(), &peer.0].concat()
}
/// Where the requests for access to what an owner has that wait for an answer are: `aw<id>`.
#[must_use]
pub fn access_waiting(owner: &EntityId) -> Vec<u8> {
    [b"aw".as_slice(), &owner.0].concat()
}
