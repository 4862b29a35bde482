use althing_types::{Action, EntityKind};

use super::*;
use crate::testing::{World, batch, inception};

#[test]
fn an_owner_erases_and_peers_with_a_seat_confirm_once_each() {
    let mut world = World::new();
    let (thing, owner) = (world.thing("vault"), world.a);
    let stream = StreamId::derive(&thing, "temperature");
    world.must(owner, Action::SubmitBatch(batch(stream, 0, 5)));
    let erase = |first_seq, last_seq| Action::EraseReadings { stream, first_seq, last_seq };
    for (sender, action, expected) in [
        (world.b, erase(0, 1), Refusal::NotPermitted),
        (owner, erase(0, 5), Refusal::OutOfBounds),
        (
            owner,
            Action::EraseReadings { stream: StreamId([1; 32]), first_seq: 0, last_seq: 0 },
            Refusal::UnknownStream,
        ),
    ] {
        assert_eq!(world.act(sender, action).map(|_| ()), Err(expected));
    }
    assert!(erase(2, 2).is_within_bounds() && !erase(3, 2).is_within_bounds());
    let told = world.must(owner, erase(1, 2)).events;
    let erased = StreamEvent::Erased { stream, erasure: 0, first_seq: 1, last_seq: 2 };
    assert_eq!(told, [Event::Stream(erased)]);
    let kept = Erasures::from_wire(&world.state[&own_key::erasures(&stream)]).unwrap();
    assert_eq!(kept.0, [Erasure { first_seq: 1, last_seq: 2, height: world.height }]);

    let confirm = |erasure| Action::ConfirmErasure { stream, erasure };
    let peers = [11, 13].map(|seed| inception(EntityKind::Peer, seed).id());
    assert_eq!(world.act(owner, confirm(0)).map(|_| ()), Err(Refusal::NoSeat));
    assert_eq!(world.act(peers[0], confirm(1)).map(|_| ()), Err(Refusal::OutOfBounds));
    for holder in peers {
        let told = world.must(holder, confirm(0)).events;
        let confirmed = StreamEvent::ErasureConfirmed { stream, erasure: 0, holder };
        assert_eq!(told, [Event::Stream(confirmed)]);
        let again = world.act(holder, confirm(0)).map(|_| ());
        assert_eq!(again, Err(Refusal::ChangesNothing));
    }
    let key = own_key::confirmations(&stream, 0);
    let confirmed: Vec<Confirmation> = minicbor::decode(&world.state[&key]).unwrap();
    assert_eq!(confirmed.iter().map(|it| it.holder).collect::<Vec<_>>(), peers);
}

#[test]
fn erasures_of_a_stream_are_bounded() {
    let mut world = World::new();
    let (thing, owner) = (world.thing("vault"), world.a);
    let stream = StreamId::derive(&thing, "count");
    world.must(owner, Action::SubmitBatch(batch(stream, 0, 1)));
    let erase = Action::EraseReadings { stream, first_seq: 0, last_seq: 0 };
    for _ in 0..ERASURES_MAX {
        world.must(owner, erase.clone());
    }
    assert!(Erasures::from_wire(&world.state[&own_key::erasures(&stream)]).is_ok());
    assert_eq!(world.act(owner, erase).map(|_| ()), Err(Refusal::TooManyErasures));
}
