//! Rows that find services.

use std::collections::BTreeSet;

use althing_state::Read;
use althing_types::{ContractId, EntityId, Manifest, ServiceId};

use super::{Actor, Transition, join};

/// Rows of the services with a name; of all services, by name, if it is empty.
#[must_use]
pub fn services_named(name: &str) -> Vec<u8> {
    own_text(b'n', name)
}

/// Rows of the services that serve an interface.
#[must_use]
pub fn services_with(interface: &str) -> Vec<u8> {
    own_text(b'i', interface)
}

/// Rows of the services that have a tag.
#[must_use]
pub fn services_tagged(tag: &str) -> Vec<u8> {
    own_text(b't', tag)
}

/// Rows of the services of a provider.
#[must_use]
pub fn services_of(provider: &EntityId) -> Vec<u8> {
    join(b's', &[b"p", &provider.0])
}

/// Rows of the services that a contract is, or charges and records for.
#[must_use]
pub fn services_by(contract: &ContractId) -> Vec<u8> {
    join(b's', &[b"c", &contract.0])
}

/// Rows of the transactions that changed a service.
#[must_use]
pub fn history_of_service(id: &ServiceId) -> Vec<u8> {
    join(b's', &[b"h", &id.0])
}

fn own_text(kind: u8, text: &str) -> Vec<u8> {
    if text.is_empty() {
        join(b's', &[&[kind]])
    } else {
        join(b's', &[&[kind], text.as_bytes(), &[0]])
    }
}

/// The rows that a version is found by. Other versions of the service have some of them too.
fn rows(id: &ServiceId, provider: &EntityId, manifest: &Manifest) -> BTreeSet<Vec<u8>> {
    let mut rows = BTreeSet::new();
    let mut add = |mut row: Vec<u8>| {
        row.extend_from_slice(&id.0);
        rows.insert(row);
    };
    add(services_named(&manifest.name));
    add(services_of(provider));
    manifest.interfaces.iter().for_each(|interface| add(services_with(interface)));
    manifest.tags.iter().for_each(|tag| add(services_tagged(tag)));
    manifest.offered.contract().iter().for_each(|contract| add(services_by(contract)));
    rows
}

/// A version was published.
pub(crate) fn service_published<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ServiceId,
    provider: &EntityId,
    manifest: &Manifest,
) {
    for row in rows(id, provider, manifest) {
        state.row(row, Some(Vec::new()));
    }
}

/// A version was withdrawn; these are left.
pub(crate) fn service_withdrawn<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ServiceId,
    provider: &EntityId,
    manifest: &Manifest,
    left: &[Manifest],
) {
    let left: BTreeSet<Vec<u8>> = left.iter().flat_map(|left| rows(id, provider, left)).collect();
    for row in rows(id, provider, manifest).difference(&left) {
        state.row(row.clone(), None);
    }
}

pub(crate) fn service_history<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ServiceId,
) {
    let place = state.place(actor);
    state.row(join(b's', &[b"h", &id.0, &place]), Some(actor.transaction.0.to_vec()));
}
