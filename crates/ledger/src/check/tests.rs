use althing_types::{EntityKind, crypto::Check};

use super::*;
use crate::testing::{PROPERTIES, World, batch, description, inception, note, signing_key};

fn verdicts(world: &World, transaction: &Transaction) -> Vec<bool> {
    let basis = Bases::new(&world.state).of(transaction).unwrap();
    let checks = signature_checks(&world.ledger, transaction, &basis);
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

/// What a validator checked before may be used again only while the state says the same.
#[test]
fn the_basis_changes_with_whatever_a_verdict_hangs_on() {
    let mut world = World::new();
    let (person, thing) = (world.member(EntityKind::Person, 20), world.thing("boiler"));
    let stream = StreamId::derive(&thing, "temperature");
    let by_person = world.signed(&[person], vec![note(b"")]);
    let reading = world.signed(&[world.a], vec![Action::SubmitBatch(batch(stream, 0, 1))]);
    let bases = |world: &World| {
        let mut bases = Bases::new(&world.state);
        (bases.of(&by_person), bases.of(&reading))
    };
    let (before_person, before_reading) = bases(&world);
    assert_eq!(before_person.as_ref().unwrap().keys, [signing_key(20).public_key()]);
    assert_eq!(before_reading.as_ref().unwrap().schemas.len(), 1);

    world.must(world.b, note(b"nothing to do with them"));
    assert_eq!(bases(&world), (before_person.clone(), before_reading.clone()));

    let rotation = world.rotation(person, 32);
    world.must(world.a, rotation);
    let narrower = PROPERTIES.replace("85", "50");
    let description = description(&narrower).into_bytes();
    world.must(world.a, Action::UpdateThing { thing, replaces: 1, description });
    let (after_person, after_reading) = bases(&world);
    assert_ne!(after_person, before_person);
    assert_ne!(after_reading, before_reading);
    // The same without making another basis.
    let mut now = Bases::new(&world.state);
    for (transaction, before, after) in
        [(&by_person, &before_person, &after_person), (&reading, &before_reading, &after_reading)]
    {
        let (before, after) = (before.as_ref().unwrap(), after.as_ref().unwrap());
        assert_eq!(now.agree(transaction, before), Ok(false));
        assert_eq!(now.agree(transaction, after), Ok(true));
        assert_eq!(now.agree(transaction, &Basis::default()), Ok(false));
    }

    world.must(world.a, Action::RevokeEntity { entity: person });
    let description = description_without_properties();
    world.must(world.a, Action::UpdateThing { thing, replaces: 2, description });
    assert_eq!(bases(&world), (Err(Refusal::EntityRevoked), Err(Refusal::UnknownStream)));
    let mut now = Bases::new(&world.state);
    let agree = now.agree(&by_person, after_person.as_ref().unwrap());
    assert_eq!(agree, Err(Refusal::EntityRevoked));
}

/// Many are checked by one checker, which remembers what it decoded and must not remember what it
/// tried out: each is looked at as if it were the only one.
#[test]
fn a_checker_tells_of_each_what_it_would_tell_of_it_alone() {
    let mut world = World::new();
    let person = world.member(EntityKind::Person, 20);
    let rotation = world.rotation(person, 32);
    let rotate = world.signed(&[world.a], vec![rotation]);
    let revoke = world.signed(&[world.a], vec![Action::RevokeEntity { entity: person }]);
    let write = world.signed(&[person], vec![note(b"1")]);
    let register = {
        let registration = world.registration(EntityKind::Device, 30);
        world.signed(&[world.a], vec![registration])
    };
    let by_stranger = {
        let stranger = inception(EntityKind::Person, 40).id();
        world.use_key(stranger, 40);
        world.signed(&[stranger], vec![note(b"2")])
    };
    let series =
        [&write, &rotate, &write, &revoke, &write, &register, &register, &by_stranger, &rotate];
    let now = Context {
        ledger: world.ledger,
        height: world.height,
        time_ms: world.time_ms() + 1000,
        parameters: &world.parameters,
    };
    let mut checker = Checker::new(&world.state, &now);
    for (position, transaction) in series.into_iter().enumerate() {
        let alone = world.check(transaction);
        assert_eq!(checker.check(transaction), alone, "{position}");
        assert_eq!(alone.is_ok(), !core::ptr::eq(transaction, &by_stranger), "{position}");
    }
}

fn description_without_properties() -> Vec<u8> {
    description("").into_bytes()
}

/// A disk that fails says nothing about the transaction.
#[test]
fn a_state_that_cannot_be_read_refuses_for_now() {
    let mut world = World::new();
    let transaction = world.signed(&[world.a], vec![note(b"")]);
    world.state.insert(key::entity(&world.a), vec![0xff]);
    assert_eq!(world.check(&transaction), Err(Refusal::NotReady));
    assert_eq!(Bases::new(&world.state).of(&transaction), Err(Refusal::NotReady));
    let block = crate::BlockInput { header: &world.header(), transactions: &[&transaction] };
    assert!(crate::execute(&world.state, &block).is_err());
}
