use althing_types::{Action, StreamId};

use super::*;
use crate::testing::{World, batch};
use Refusal::{BindingExpired, EntityRevoked, NotBound, NotPermitted, UnknownEntity, UnknownThing};

fn record(world: &World, thing: &ThingId, gateway: &EntityId) -> BindingRecord {
    minicbor::decode(&world.state[&key::binding(thing, gateway)]).unwrap()
}

#[test]
fn the_rules_of_bindings() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let (gateway, gone) =
        (world.member(EntityKind::Gateway, 20), world.member(EntityKind::Gateway, 21));
    world.must(a, Action::RevokeEntity { entity: gone });
    let (thing, unknown) = (world.thing("hall"), ThingId([9; 32]));
    let bind = |thing, gateway, until_height| Action::Bind { thing, gateway, until_height };
    let unbind = |thing, gateway| Action::Unbind { thing, gateway };
    for (sender, action, expected) in [
        (b, bind(thing, gateway, 100), Err(NotPermitted)),
        (gateway, bind(thing, gateway, 100), Err(NotPermitted)),
        (a, bind(unknown, gateway, 100), Err(UnknownThing)),
        (a, bind(thing, EntityId([9; 32]), 100), Err(UnknownEntity)),
        (a, bind(thing, gone, 100), Err(EntityRevoked)),
        (a, bind(thing, gateway, 1), Err(BindingExpired)),
        (a, unbind(thing, gateway), Err(NotBound)),
        (a, unbind(unknown, gateway), Err(UnknownThing)),
        (a, bind(thing, gateway, 100), Ok(())),
        (b, unbind(thing, gateway), Err(NotPermitted)),
        (gateway, unbind(thing, gateway), Ok(())),
        (a, unbind(thing, gateway), Err(NotBound)),
        (a, bind(thing, gateway, 100), Ok(())),
        (a, unbind(thing, gateway), Ok(())),
    ] {
        assert_eq!(world.act(sender, action.clone()).map(|_| ()), expected, "{action:?}");
    }
}

#[test]
fn submitting_takes_a_binding_that_holds() {
    let mut world = World::new();
    let (owner, thing) = (world.a, world.thing("hall"));
    let gateway = world.member(EntityKind::Gateway, 20);
    let stream = StreamId::derive(&thing, "temperature");
    let mut next = 0;
    let mut submit = |world: &mut World, sender| {
        let result = world.act(sender, Action::SubmitBatch(batch(stream, next, 1)));
        next += u64::from(result.is_ok());
        result.map(|_| ())
    };
    assert_eq!(submit(&mut world, owner), Ok(()));
    assert_eq!(submit(&mut world, gateway), Err(NotBound));
    let until_height = world.height + 3;
    world.must(owner, Action::Bind { thing, gateway, until_height });
    assert_eq!(submit(&mut world, gateway), Ok(()));
    assert_eq!(submit(&mut world, gateway), Ok(()));
    assert_eq!(submit(&mut world, gateway), Err(BindingExpired));
    world.must(owner, Action::Bind { thing, gateway, until_height: 1000 });
    assert_eq!(submit(&mut world, gateway), Ok(()));
    world.must(owner, Action::Unbind { thing, gateway });
    assert_eq!(submit(&mut world, gateway), Err(BindingExpired));
}

#[test]
fn a_delegation_ends_with_the_one_who_gave_it() {
    let mut world = World::new();
    let person = world.member(EntityKind::Person, 21);
    let registration = crate::testing::registration_of(
        "lamp",
        &crate::testing::description(crate::testing::PROPERTIES),
    );
    world.must(person, registration);
    let thing = ThingId::derive(&person, "lamp");
    let (gateway, stream) = (world.b, StreamId::derive(&thing, "temperature"));
    world.must(person, Action::Bind { thing, gateway, until_height: 1000 });
    world.must(gateway, Action::SubmitBatch(batch(stream, 0, 1)));
    world.must(world.a, Action::RevokeEntity { entity: person });
    let result = world.act(gateway, Action::SubmitBatch(batch(stream, 1, 1)));
    assert_eq!(result, Err(EntityRevoked));
}

/// A verifier asks whether the binding held when a batch was taken, long after.
#[test]
fn the_record_keeps_since_when_it_has_held_without_interruption() {
    let mut world = World::new();
    let (owner, thing) = (world.a, world.thing("hall"));
    let gateway = world.member(EntityKind::Gateway, 20);
    let bind = |until_height| Action::Bind { thing, gateway, until_height };
    world.must(owner, bind(50));
    let bound_height = world.height;
    world.must(owner, bind(90));
    let extended = BindingRecord { until_height: 90, bound_height };
    assert_eq!(record(&world, &thing, &gateway), extended);
    world.must(owner, Action::Unbind { thing, gateway });
    let ended = BindingRecord { until_height: world.height, bound_height };
    assert_eq!(record(&world, &thing, &gateway), ended);
    world.must(owner, bind(90));
    let again = BindingRecord { until_height: 90, bound_height: world.height };
    assert_eq!(record(&world, &thing, &gateway), again);
}

#[test]
fn a_device_that_is_bound_is_the_thing_itself() {
    let mut world = World::new();
    let (owner, thing) = (world.a, world.thing("hall"));
    let (device, gateway) =
        (world.member(EntityKind::Device, 20), world.member(EntityKind::Gateway, 21));
    let signs_as = |world: &World| {
        let record: ThingRecord = minicbor::decode(&world.state[&key::thing(&thing)]).unwrap();
        record.device
    };
    world.must(owner, Action::Bind { thing, gateway, until_height: 1000 });
    assert_eq!(signs_as(&world), None);
    world.must(owner, Action::Bind { thing, gateway: device, until_height: 1000 });
    assert_eq!(signs_as(&world), Some(device));
    world.must(owner, Action::Unbind { thing, gateway });
    assert_eq!(signs_as(&world), Some(device));
    world.must(device, Action::Unbind { thing, gateway: device });
    assert_eq!(signs_as(&world), None);
}
