use althing_types::{Action, EntityKind, StreamId};

use super::*;
use crate::testing::{World, batch};
use Refusal::{NotBound, NotPermitted, OutsideLimit, Quarantined, TooManyGateways, UnknownThing};

fn limit(properties: &[&str], commands: bool) -> Limit {
    Limit { properties: properties.iter().map(|name| (*name).into()).collect(), commands }
}

#[test]
fn a_limited_gateway_submits_what_the_limit_names_and_nothing_else() {
    let mut world = World::new();
    let (a, b, thing) = (world.a, world.b, world.thing("hall"));
    let gateway = world.member(EntityKind::Gateway, 20);
    let narrow = |limit| Action::LimitBinding { thing, gateway, limit };
    assert_eq!(world.act(a, narrow(Some(limit(&["count"], false)))).map(|_| ()), Err(NotBound));
    world.must(a, Action::Bind { thing, gateway, until_height: 1000 });
    assert_eq!(world.act(b, narrow(None)).map(|_| ()), Err(NotPermitted));
    assert_eq!(world.act(gateway, narrow(None)).map(|_| ()), Err(NotPermitted));
    world.must(a, narrow(Some(limit(&["count"], false))));
    let submit = |property| {
        let stream = StreamId::derive(&thing, property);
        Action::SubmitBatch(batch(stream, 0, 1))
    };
    assert_eq!(world.act(gateway, submit("temperature")).map(|_| ()), Err(OutsideLimit));
    world.must(gateway, submit("count"));
    // Moving the binding's end keeps the limit; ending the binding does not.
    world.must(a, Action::Bind { thing, gateway, until_height: 2000 });
    assert_eq!(world.act(gateway, submit("temperature")).map(|_| ()), Err(OutsideLimit));
    world.must(a, Action::Unbind { thing, gateway });
    world.must(a, Action::Bind { thing, gateway, until_height: 2000 });
    world.must(gateway, submit("temperature"));
}

#[test]
fn so_many_may_be_bound_and_those_whose_time_is_over_make_room() {
    let mut world = World::new();
    let (a, thing) = (world.a, world.thing("hall"));
    let last = world.height + 40;
    for seed in 20..20 + GATEWAYS_MAX as u8 {
        let gateway = world.member(EntityKind::Gateway, seed);
        world.must(a, Action::Bind { thing, gateway, until_height: last });
    }
    let gateway = world.member(EntityKind::Gateway, 60);
    let bind = Action::Bind { thing, gateway, until_height: 1000 };
    assert_eq!(world.act(a, bind.clone()).map(|_| ()), Err(TooManyGateways));
    while world.height < last {
        world.block(&[]);
    }
    world.must(a, bind);
}

#[test]
fn an_owner_shuts_a_thing_out_alone_and_strangers_only_together() {
    let mut world = World::new();
    let (a, b, thing) = (world.a, world.b, world.thing("hall"));
    let gateway = world.member(EntityKind::Gateway, 20);
    let stream = StreamId::derive(&thing, "temperature");
    let speak =
        |thing, reason: Option<&str>| Action::Quarantine { thing, reason: reason.map(Into::into) };
    let submits = |world: &mut World, first_seq| {
        world.act(a, Action::SubmitBatch(batch(stream, first_seq, 1))).map(|_| ())
    };
    let unknown = speak(ThingId([9; 32]), Some("floods"));
    assert_eq!(world.act(a, unknown).map(|_| ()), Err(UnknownThing));
    assert_eq!(world.act(gateway, speak(thing, Some("x"))).map(|_| ()), Err(NotPermitted));
    world.must(b, speak(thing, Some("floods")));
    assert_eq!(submits(&mut world, 0), Ok(()), "one stranger is not enough");
    world.must(a, speak(thing, Some("hijacked")));
    assert_eq!(submits(&mut world, 1), Err(Quarantined));
    // The owner's voice is the owner's to take back; the stranger's stays.
    world.must(b, speak(thing, None));
    assert_eq!(submits(&mut world, 1), Err(Quarantined));
    world.must(a, speak(thing, None));
    assert_eq!(submits(&mut world, 1), Ok(()));
}

#[test]
fn strangers_shut_a_thing_out_when_enough_of_them_speak() {
    let owner = EntityId([1; 32]);
    for (voices, expected) in [
        (vec![], false),
        (vec![[2; 32], [3; 32]], false),
        (vec![[2; 32], [3; 32], [4; 32]], true),
        (vec![[1; 32]], true),
    ] {
        let voices: Vec<EntityId> = voices.into_iter().map(EntityId).collect();
        let standing = Standing { voices: voices.clone(), ..Standing::default() };
        assert_eq!(standing.is_quarantined(&owner), expected, "{voices:?}");
    }
}
