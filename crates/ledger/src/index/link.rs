//! Rows about links to other ledgers, and calls across them.

use althing_proof::call::{CallRecord, TakenRecord};
use althing_state::{Read, Row};
use althing_types::{EntityId, LedgerId, TxId};

use super::join;
use crate::{
    link::LinkRecord,
    transition::{Transition, encode},
};

/// Rows of the links of an organisation; of all, by organisation, if none is named.
#[must_use]
pub fn links_of(owner: Option<&EntityId>) -> Vec<u8> {
    join(b'j', &[b"l", owner.map_or(&[], |owner| &owner.0)])
}

/// The row of a call that this ledger asks.
#[must_use]
pub fn call(id: &TxId) -> Vec<u8> {
    join(b'j', &[b"c", &id.0])
}

/// Rows of the calls that this ledger asks, oldest first: all, or those that are open.
#[must_use]
pub fn calls(open: bool) -> Vec<u8> {
    join(b'j', &[if open { b"o" } else { b"a" }])
}

/// The row of a call that another ledger asks.
#[must_use]
pub fn taken(ledger: &LedgerId, id: &TxId) -> Vec<u8> {
    join(b'j', &[b"t", &ledger.0, &id.0])
}

/// Rows of the calls that other ledgers ask, oldest first: all, or those that wait for an answer.
#[must_use]
pub fn taken_calls(open: bool) -> Vec<u8> {
    join(b'j', &[if open { b"u" } else { b"b" }])
}

fn link_row(record: &LinkRecord) -> Vec<u8> {
    [links_of(Some(&record.owner)).as_slice(), &record.anchor.ledger.0].concat()
}

fn asked_at(prefix: &[u8], id: &TxId, record: &CallRecord) -> Vec<u8> {
    [prefix, &record.asked_height.to_be_bytes(), &id.0].concat()
}

fn taken_at(prefix: &[u8], id: &TxId, record: &TakenRecord) -> Vec<u8> {
    [prefix, &record.taken_height.to_be_bytes(), &record.ledger.0, &id.0].concat()
}

pub(crate) fn link<R: Read>(state: &mut Transition<'_, R>, record: &LinkRecord) {
    state.row(link_row(record), Some(Vec::new()));
}

/// A call was asked, or something came of it.
pub(crate) fn asked<R: Read>(state: &mut Transition<'_, R>, id: &TxId, record: &CallRecord) {
    let is_open = record.outcome.is_none();
    state.row(call(id), Some(encode(record)));
    state.row(asked_at(&calls(true), id, record), is_open.then(Vec::new));
    if is_open {
        state.row(asked_at(&calls(false), id, record), Some(Vec::new()));
    }
}

/// A call of another ledger arrived.
pub(crate) fn taken_in<R: Read>(state: &mut Transition<'_, R>, id: &TxId, record: &TakenRecord) {
    for (row, value) in rows_of_taken(id, record) {
        state.row(row, Some(value));
    }
}

/// A call of another ledger was answered, or waits for no answer any more.
pub(crate) fn answered<R: Read>(state: &mut Transition<'_, R>, id: &TxId, record: &TakenRecord) {
    state.row(taken(&record.ledger, id), Some(encode(record)));
    state.row(taken_at(&taken_calls(true), id, record), None);
}

pub(super) fn rows_of_link(record: &LinkRecord) -> Vec<Row> {
    vec![(link_row(record), Vec::new())]
}

/// Those of an open call.
pub(super) fn rows_of_call(id: &TxId, record: &CallRecord) -> Vec<Row> {
    vec![
        (call(id), encode(record)),
        (asked_at(&calls(true), id, record), Vec::new()),
        (asked_at(&calls(false), id, record), Vec::new()),
    ]
}

pub(super) fn rows_of_taken(id: &TxId, record: &TakenRecord) -> Vec<Row> {
    let mut rows = vec![
        (taken(&record.ledger, id), encode(record)),
        (taken_at(&taken_calls(false), id, record), Vec::new()),
    ];
    if record.answer.is_none() {
        rows.push((taken_at(&taken_calls(true), id, record), Vec::new()));
    }
    rows
}
