//! The state that a genesis founds.

use althing_proof::{key, record::EntityRecord};
use althing_state::Writes;
use althing_types::{Genesis, Mechanism, Members, ValidatorSet};

use crate::{
    context::{NETWORK, PARAMETERS, VALIDATORS},
    entity::founded,
    key as own_key,
    transition::encode,
};

/// The first state of the ledger: organisations, peers and settings. Block 0 states its root.
///
/// The genesis must have passed [`Genesis::check`]. Whatever else would found another state is in
/// the genesis, whose digest is the ledger's id, so no two ledgers of one id begin differently.
#[must_use]
pub fn found(genesis: &Genesis) -> Writes {
    let mut writes = Writes::new();
    let mut put = |key: Vec<u8>, value: Vec<u8>| writes.insert(key, Some(value));
    let mut entity = |record: EntityRecord| {
        put(key::entity(&record.inception.id()), encode(&record));
    };
    for organisation in &genesis.organisations {
        entity(founded(organisation.inception.clone(), None, 0));
    }
    for peer in &genesis.peers {
        entity(founded(peer.inception.clone(), Some(peer.organisation), 0));
    }
    put(key::parameter(PARAMETERS), encode(&genesis.parameters));
    put(key::parameter(NETWORK), encode(&genesis.network));
    put(key::parameter(VALIDATORS), encode(&genesis.validators()));
    // Organisations of a genesis ascend by id.
    let members = genesis.organisations.iter().map(|one| one.inception.id()).collect();
    put(own_key::members(), encode(&Members(members)));
    put(own_key::mode(), encode(&genesis.mode));
    if genesis.mechanism != Mechanism::Simplex {
        put(own_key::mechanism(), encode(&genesis.mechanism));
    }
    if genesis.parameters.epoch_blocks.is_some() {
        let next = ValidatorSet { epoch: 1, ..genesis.validators() };
        put(own_key::next_validators(), encode(&next));
    }
    let mut put = |key, value| {
        writes.insert(key, Some(value));
    };
    crate::token::found(genesis, &mut put);
    crate::stake::found(genesis, &mut put);
    writes
}

#[cfg(test)]
mod tests;
