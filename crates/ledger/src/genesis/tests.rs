use althing_proof::key;
use althing_types::{EntityKind, Wire};

use super::*;
use crate::{
    index, parameters,
    testing::{State, World, genesis, note},
    validators,
};

#[test]
fn it_founds_members_and_settings_and_nothing_else() {
    let genesis = genesis();
    let state: State =
        found(&genesis).into_iter().map(|(key, value)| (key, value.unwrap())).collect();
    assert_eq!(parameters(&state).unwrap(), genesis.parameters);
    assert_eq!(validators(&state).unwrap(), genesis.validators());
    let record = |inception: &althing_types::Inception| {
        EntityRecord::from_wire(&state[&key::entity(&inception.id())]).unwrap()
    };
    for organisation in &genesis.organisations {
        assert_eq!(record(&organisation.inception).owner, None);
    }
    for peer in &genesis.peers {
        let founded = record(&peer.inception);
        assert_eq!((founded.owner, founded.key_version), (Some(peer.organisation), 1));
        assert_eq!((founded.registered_height, founded.key_since_height), (0, 0));
    }
    let members = crate::governance::members(&state).unwrap().0;
    assert!(
        members.iter().eq(genesis
            .organisations
            .iter()
            .map(|one| one.inception.id())
            .collect::<Vec<_>>()
            .iter())
    );
    // Beside entities: parameters, validators of two epochs, members, mode and the network's name.
    assert_eq!(state.len(), genesis.organisations.len() + genesis.peers.len() + 6);
}

#[test]
fn what_it_founds_is_found_again() {
    let genesis = genesis();
    let rows = index::founded(&genesis);
    let count = |prefix: Vec<u8>| rows.iter().filter(|(key, _)| key.starts_with(&prefix)).count();
    assert_eq!(count(index::entities()), 4);
    assert_eq!(count(index::entities_of(EntityKind::Organisation)), 2);
    assert_eq!(count(index::entities_of(EntityKind::Peer)), 2);
    for peer in &genesis.peers {
        assert_eq!(count(index::owned_by(&peer.organisation)), 1);
    }
}

#[test]
fn its_peers_act_and_stand_and_fall_with_their_organisation() {
    let mut world = World::new();
    let genesis = genesis();
    let peer = &genesis.peers[0];
    world.must(peer.inception.id(), note(b"first"));
    let revoked = althing_types::Action::RevokeEntity { entity: peer.organisation };
    world.must(peer.organisation, revoked);
    let refused = world.act(peer.inception.id(), note(b"second"));
    assert_eq!(refused, Err(althing_types::Refusal::EntityRevoked));
}
