use althing_types::{Action, EntityId, StreamId};

use super::*;
use crate::testing::World;

#[test]
fn an_owner_says_who_keeps_the_payloads_and_says_it_anew() {
    let mut world = World::new();
    let (thing, owner) = (world.thing("vault"), world.a);
    let stream = StreamId::derive(&thing, "temperature");
    let place = |stream: StreamId, organisations: &[EntityId], copies| {
        let placement =
            Placement { organisations: organisations.to_vec(), copies, retention_days: Some(30) };
        Action::PlaceStream(StreamPlacement { stream, placement })
    };
    for (sender, action, expected) in [
        (world.b, place(stream, &[], Some(1)), Refusal::NotPermitted),
        (owner, place(StreamId([1; 32]), &[], Some(1)), Refusal::UnknownStream),
        (owner, place(stream, &[EntityId([9; 32])], None), Refusal::NoHolder),
    ] {
        assert_eq!(world.act(sender, action).map(|_| ()), Err(expected));
    }
    // That everybody keeps all is so without a word.
    let everybody = StreamPlacement { stream, placement: Placement::default() };
    let said = world.act(owner, Action::PlaceStream(everybody)).map(|_| ());
    assert_eq!(said, Err(Refusal::ChangesNothing));

    for organisations in [vec![], vec![world.a]] {
        let action = place(stream, &organisations, Some(1));
        let told = world.must(owner, action.clone()).events;
        let placement = Placement { organisations, copies: Some(1), retention_days: Some(30) };
        let event = StreamEvent::Placed { stream, placement: placement.clone() };
        assert_eq!(told, [Event::Stream(event)]);
        let kept: PlacementRecord =
            minicbor::decode(&world.state[&own_key::placement(&stream)]).unwrap();
        assert_eq!(kept, PlacementRecord { placement, since_height: world.height });
        assert_eq!(world.act(owner, action).map(|_| ()), Err(Refusal::ChangesNothing));
    }
    let everybody = StreamPlacement { stream, placement: Placement::default() };
    world.must(owner, Action::PlaceStream(everybody));
}
