use althing_types::Action;

use super::*;
use crate::{
    Bases,
    testing::{World, inception, note, signing_key},
};
use Refusal::{
    AlreadyExists, AlreadyRotated, BadSignature, EntityRevoked, NotPermitted, UnknownEntity,
};

fn record(world: &World, id: &EntityId) -> EntityRecord {
    minicbor::decode(&world.state[&key::entity(id)]).unwrap()
}

#[test]
fn organisations_register_what_they_own() {
    for kind in EntityKind::ALL {
        let mut world = World::new();
        let registration = world.registration(kind, 20);
        let result = world.act(world.a, registration.clone());
        if kind == EntityKind::Organisation {
            assert_eq!(result, Err(NotPermitted));
            continue;
        }
        let id = inception(kind, 20).id();
        let event = Event::EntityRegistered { entity: id, owner: world.a };
        assert_eq!(result.unwrap().events, [event]);
        let record = record(&world, &id);
        assert_eq!((record.owner, record.key_version), (Some(world.a), 1));
        assert_eq!((record.registered_height, record.key_since_height), (1, 1));
        assert_eq!(world.act(world.b, registration), Err(AlreadyExists));
    }
}

#[test]
fn only_an_entity_and_its_owner_have_a_say_over_it() {
    let mut world = World::new();
    let (gateway, other) =
        (world.member(EntityKind::Gateway, 20), world.member(EntityKind::Person, 21));
    let (a, b, stranger) = (world.a, world.b, EntityId([9; 32]));
    let another = world.registration(EntityKind::Device, 22);
    let rotation = |id| world.rotation(id, 30);
    let again = world.rotation(gateway, 20);
    let (mine, theirs, nobodys) = (rotation(gateway), rotation(b), rotation(stranger));
    for (sender, action, expected) in [
        (gateway, another, NotPermitted),
        (other, mine.clone(), NotPermitted),
        (b, mine, NotPermitted),
        (a, theirs, NotPermitted),
        (a, nobodys, UnknownEntity),
        (a, again, AlreadyExists),
        (other, Action::RevokeEntity { entity: gateway }, NotPermitted),
        (b, Action::RevokeEntity { entity: gateway }, NotPermitted),
        (a, Action::RevokeEntity { entity: stranger }, UnknownEntity),
    ] {
        assert_eq!(world.act(sender, action.clone()), Err(expected), "{action:?}");
    }
}

#[test]
fn keys_rotate_and_the_old_ones_stay_to_be_looked_up() {
    let mut world = World::new();
    let gateway = world.member(EntityKind::Gateway, 20);
    let by_itself = world.rotation(gateway, 31);
    let receipt = world.must(gateway, by_itself);
    assert_eq!(receipt.events, [Event::KeyRotated { entity: gateway, version: 2 }]);
    world.use_key(gateway, 31);
    world.must(gateway, note(b"under the new key"));
    let by_owner = world.rotation(gateway, 32);
    world.must(world.a, by_owner);

    let record = record(&world, &gateway);
    assert_eq!((record.key, record.key_version), (signing_key(32).public_key(), 3));
    assert_eq!(record.inception.key, signing_key(20).public_key());
    for (version, seed, since_height, until_height) in [(1, 20, 1, 2), (2, 31, 2, 4)] {
        let old: KeyRecord =
            minicbor::decode(&world.state[&key::key_history(&gateway, version)]).unwrap();
        let key = signing_key(seed).public_key();
        assert_eq!(old, KeyRecord { key, since_height, until_height });
    }
    // The world signs with the Ed25519 key 31; 20 and 32 are P-256.
    let transaction = world.signed(&[gateway], vec![note(b"")]);
    assert_eq!(Bases::new(&world.state).of(&transaction), Err(BadSignature));
}

/// So every key was in force somewhere, and the history has no two for one height.
#[test]
fn a_key_rotates_once_in_a_block() {
    let mut world = World::new();
    let gateway = world.member(EntityKind::Gateway, 20);
    let (first, second) = (world.rotation(gateway, 31), world.rotation(gateway, 32));
    let both = world.signed(&[world.a], vec![first.clone(), second.clone()]);
    let outcome = world.block(&[both]);
    assert_eq!(outcome.receipts[0].code, AlreadyRotated.number());
    world.must(world.a, first);
    world.must(world.a, second);
}

#[test]
fn what_is_revoked_counts_no_more_nor_does_what_it_owns() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let (gateway, person) =
        (world.member(EntityKind::Gateway, 20), world.member(EntityKind::Person, 21));
    let receipt = world.must(a, Action::RevokeEntity { entity: gateway });
    assert_eq!(receipt.events, [Event::EntityRevoked { entity: gateway }]);
    assert_eq!(record(&world, &gateway).revoked, Some(world.height));
    let rotation = world.rotation(gateway, 40);
    assert_eq!(world.act(gateway, note(b"")), Err(EntityRevoked));
    assert_eq!(world.act(a, rotation), Err(EntityRevoked));
    assert_eq!(world.act(a, Action::RevokeEntity { entity: gateway }), Err(EntityRevoked));

    world.must(person, note(b"still here"));
    world.must(a, Action::RevokeEntity { entity: a });
    for sender in [a, person] {
        assert_eq!(world.act(sender, note(b"")), Err(EntityRevoked));
    }
    world.must(b, note(b"others go on"));
}

/// Signatures were checked under the keys at the height that the header states. Whoever changed
/// since, be it in the same block, is refused without any effect.
#[test]
fn keys_changed_since_the_signatures_were_checked_do_not_count() {
    let mut world = World::new();
    let (gateway, person) =
        (world.member(EntityKind::Gateway, 20), world.member(EntityKind::Person, 21));
    // Of the same suite, so that only the height tells that the key is another.
    let rotation = world.rotation(gateway, 30);
    let revocation = Action::RevokeEntity { entity: person };
    let newcomer = world.registration(EntityKind::Device, 41);
    let (a, device) = (world.a, inception(EntityKind::Device, 41).id());
    let change = world.signed(&[a], vec![rotation, revocation, newcomer]);
    let from_gateway = world.signed(&[gateway], vec![note(b"")]);
    let from_person = world.signed(&[person], vec![note(b"")]);
    world.use_key(device, 41);
    let from_device = world.signed(&[device], vec![note(b"")]);
    let with_gateway = world.signed(&[a, gateway], vec![note(b"")]);
    let outcome = world.block(&[change, from_gateway, from_person, from_device, with_gateway]);
    let codes: Vec<u16> = outcome.receipts.iter().map(|receipt| receipt.code).collect();
    let refusals = [BadSignature, EntityRevoked, UnknownEntity, BadSignature];
    assert_eq!(codes, [&[0][..], &refusals.map(Refusal::number)].concat());
    for untouched in [gateway, person, device] {
        assert!(!outcome.writes.contains_key(&key::nonces(&untouched)));
    }
    // As does a block that states an older result.
    let late = world.signed(&[device], vec![note(b"")]);
    let mut header = world.header();
    header.result.height -= 1;
    let block = crate::BlockInput { header: &header, transactions: &[&late] };
    let outcome = crate::execute(&world.state, &block).unwrap();
    assert_eq!(outcome.receipts[0].code, UnknownEntity.number());
    assert_eq!(world.run(late).code, 0);
}
