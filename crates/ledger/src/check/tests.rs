use althing_types::{EntityKind, crypto::Check};

use super::*;
use crate::testing::{World, inception, note, signing_key};

fn verdicts(world: &World, transaction: &Transaction) -> Vec<bool> {
    let checks =
        signature_checks(&world.state, &world.ledger, transaction, world.height).unwrap().checks;
    let verify = |check: &Check| check.key.verify(&check.message, &check.signature);
    checks.iter().map(verify).collect()
}

/// All signers, in order, then each new key that an action brings.
#[test]
fn everything_that_was_signed_is_checked() {
    let mut world = World::new();
    let person = world.member(EntityKind::Person, 20);
    let actions = vec![
        world.registration(EntityKind::Device, 30),
        note(b"nothing more to sign"),
        world.rotation(person, 31),
    ];
    let good = world.signed(&[world.a, person], actions.clone());
    assert_eq!(verdicts(&world, &good), [true; 4]);

    // A key that somebody else holds, or for another entity, shows nothing.
    let stolen = |action: &Action| match action.clone() {
        Action::RegisterEntity { possession, .. } => {
            Action::RegisterEntity { inception: inception(EntityKind::Device, 32), possession }
        }
        Action::RotateKey { key, possession, .. } => {
            Action::RotateKey { entity: world.a, key, possession }
        }
        other => other,
    };
    let actions = actions.iter().map(stolen).collect();
    let bad = world.signed(&[world.a, person], actions);
    assert_eq!(verdicts(&world, &bad), [true, true, false, false]);

    world.use_key(world.a, 33);
    let forged = world.signed(&[world.a], vec![note(b"")]);
    assert_eq!(verdicts(&world, &forged), [false]);
}

#[test]
fn signatures_count_on_their_own_ledger() {
    let mut world = World::new();
    let transaction = world.signed(&[world.a], vec![note(b"")]);
    world.ledger = LedgerId([9; 32]);
    assert_eq!(verdicts(&world, &transaction), [false]);
}

#[test]
fn who_is_revoked_is_told_from_that_height_on() {
    let mut world = World::new();
    let person = world.member(EntityKind::Person, 20);
    let transaction = world.signed(&[person], vec![note(b"")]);
    world.must(world.a, Action::RevokeEntity { entity: person });
    let at = |height| signature_checks(&world.state, &world.ledger, &transaction, height);
    assert!(at(world.height - 1).is_ok());
    assert_eq!(at(world.height).map(|_| ()), Err(Refusal::EntityRevoked));
    let key = signing_key(20).public_key();
    assert_eq!(at(world.height - 1).map(|checks| checks.checks[0].key.clone()), Ok(key));
}

/// A disk that fails says nothing about the transaction.
#[test]
fn a_state_that_cannot_be_read_refuses_for_now() {
    let mut world = World::new();
    let transaction = world.signed(&[world.a], vec![note(b"")]);
    world.state.insert(key::entity(&world.a), vec![0xff]);
    assert_eq!(world.check(&transaction), Err(Refusal::NotReady));
    let checks = signature_checks(&world.state, &world.ledger, &transaction, 0);
    assert_eq!(checks.map(|_| ()), Err(Refusal::NotReady));
    let block = crate::BlockInput { header: &world.header(), transactions: &[transaction] };
    assert!(crate::execute(&world.state, &block).is_err());
}
