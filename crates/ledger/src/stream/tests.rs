use althing_types::{Action, EntityKind, StreamId, ThingId, Value, Wire};

use super::*;
use crate::testing::{
    BEGIN_MS, PROPERTIES, World, batch, description, numbers, of_values, registration_of,
    signing_key,
};
use Refusal::{SchemaMismatch, SequenceOverlap, TimeOutOfRange, UnknownStream, VersionConflict};

struct Streams {
    world: World,
    thing: ThingId,
}

impl Streams {
    fn new() -> Self {
        let mut world = World::new();
        let thing = world.thing("hall");
        Self { world, thing }
    }

    fn id(&self, property: &str) -> StreamId {
        StreamId::derive(&self.thing, property)
    }

    fn submit(&mut self, batch: BatchHeader) -> Result<Vec<Event>, Refusal> {
        let result = self.world.act(self.world.a, Action::SubmitBatch(batch));
        result.map(|receipt| receipt.events)
    }
}

#[test]
fn a_batch_becomes_a_leaf() {
    let mut streams = Streams::new();
    let (stream, thing) = (streams.id("temperature"), streams.thing);
    let first = numbers(stream, 0, &[215, -400, 850]);
    let (owner, second) = (streams.world.a, batch(stream, 3, 2));
    let transactions = [&first, &second]
        .map(|batch| streams.world.signed(&[owner], vec![Action::SubmitBatch(batch.clone())]));
    let outcome = streams.world.block(&transactions);
    let accepted = |leaf, first_seq, count| {
        vec![Event::BatchAccepted { thing, stream, leaf, first_seq, count }]
    };
    assert_eq!(outcome.receipts[0].events, accepted(0, 0, 3));
    assert_eq!(outcome.receipts[1].events, accepted(1, 3, 2));
    let leaves: Vec<_> =
        outcome.leaves.iter().map(|(id, index, leaf)| (*id, *index, leaf.batch(stream))).collect();
    assert_eq!(leaves, [(stream, 0, first), (stream, 1, second)]);
    let leaf = &outcome.leaves[1].2;
    assert_eq!((leaf.submitter, leaf.transaction), (owner, transactions[1].id()));
    assert_eq!((leaf.height, leaf.ledger_time_ms), (2, BEGIN_MS + 2000));
    let made: Vec<_> = outcome.nodes.iter().map(|(_, made)| (made.level, made.index)).collect();
    assert_eq!(made, [(0, 0), (0, 1), (1, 0)]);
    let head = StreamHead::from_wire(&streams.world.state[&key::stream(&stream)]).unwrap();
    let summary = head.peaks.summary().unwrap();
    assert_eq!((head.next_seq, summary.count, summary.leaves), (5, 5, 2));
    assert_eq!((summary.min, summary.max, summary.sum), (Some(-400), Some(850), 1095));
}

#[test]
fn a_summary_must_fit_the_schema() {
    let of = |value: Value| move |stream| of_values(stream, 0, vec![value.clone()]);
    type Make = Box<dyn Fn(StreamId) -> BatchHeader>;
    let number = |mantissa| Box::new(of(Value::Number(mantissa))) as Make;
    let text = || Box::new(of(Value::Text("x".into()))) as Make;
    let bytes = || Box::new(of(Value::Bytes(vec![1]))) as Make;
    let boolean = || Box::new(of(Value::Bool(true))) as Make;
    let rows: Vec<(&str, Make, Result<(), Refusal>)> = vec![
        ("temperature", number(850), Ok(())),
        ("temperature", number(851), Err(SchemaMismatch)),
        ("temperature", number(-400), Ok(())),
        ("temperature", number(-401), Err(SchemaMismatch)),
        ("temperature", text(), Err(SchemaMismatch)),
        ("count", number(i64::MAX), Ok(())),
        ("count", bytes(), Err(SchemaMismatch)),
        ("open", boolean(), Ok(())),
        ("open", number(2), Err(SchemaMismatch)),
        ("open", number(-1), Err(SchemaMismatch)),
        ("open", text(), Err(SchemaMismatch)),
        ("label", text(), Ok(())),
        ("label", number(1), Err(SchemaMismatch)),
        ("image", bytes(), Ok(())),
        ("image", boolean(), Err(SchemaMismatch)),
        ("status", number(1), Err(UnknownStream)),
        ("nothing", number(1), Err(UnknownStream)),
    ];
    for (property, make, expected) in rows {
        let mut streams = Streams::new();
        let batch = make(streams.id(property));
        assert_eq!(streams.submit(batch.clone()).map(|_| ()), expected, "{property}: {batch:?}");
    }
}

#[test]
fn a_quantum_binds_the_summary_too() {
    let property = r#""p": {"type": "number", "multipleOf": 0.25, "forms": [{"href": "p"}]}"#;
    let mut world = World::new();
    let owner = world.a;
    world.must(owner, registration_of("hall", &description(property)));
    let stream = StreamId::derive(&ThingId::derive(&owner, "hall"), "p");
    let off_sum = BatchHeader { sum: 60, ..numbers(stream, 0, &[25, 50]) };
    for (batch, expected) in [
        (numbers(stream, 0, &[26]), Err(SchemaMismatch)),
        (numbers(stream, 0, &[25, 51]), Err(SchemaMismatch)),
        (off_sum, Err(SchemaMismatch)),
        (numbers(stream, 0, &[-25, 0, 75]), Ok(())),
    ] {
        let result = world.act(owner, Action::SubmitBatch(batch.clone())).map(|_| ());
        assert_eq!(result, expected, "{batch:?}");
    }
}

#[test]
fn claimed_times_may_lie_back_but_not_far_ahead() {
    let mut streams = Streams::new();
    let (stream, ahead_ms) = (streams.id("count"), streams.world.parameters.claim_ahead_max_ms);
    for (offset, expected) in
        [(0, Ok(())), (1, Err(TimeOutOfRange)), (i64::MAX, Err(TimeOutOfRange))]
    {
        let latest = (streams.world.time_ms() + 1000 + ahead_ms) as i64;
        let next = streams.world.state[&key::stream(&stream)].clone();
        let head: StreamHead = minicbor::decode(&next).unwrap();
        let time_max = latest.saturating_add(offset);
        let batch = BatchHeader { time_max, time_min: i64::MIN, ..batch(stream, head.next_seq, 1) };
        assert_eq!(streams.submit(batch).map(|_| ()), expected, "{offset} ms");
    }
}

#[test]
fn gaps_are_told() {
    let mut streams = Streams::new();
    let stream = streams.id("temperature");
    let tail = |mut events: Vec<Event>| events.split_off(1);
    let opened = streams.submit(batch(stream, 10, 5)).map(tail);
    assert_eq!(opened, Ok(vec![Event::GapOpened { stream, first_seq: 0, count: 10 }]));
    let filled = streams.submit(batch(stream, 2, 3)).map(tail);
    assert_eq!(filled, Ok(vec![Event::GapFilled { stream, first_seq: 2, count: 3 }]));
    assert_eq!(streams.submit(batch(stream, 2, 3)), Err(SequenceOverlap));
    let far = 15 + streams.world.parameters.sequence_window + 1;
    assert_eq!(streams.submit(batch(stream, far, 1)), Err(Refusal::SequenceTooFar));
}

/// Payloads were checked under the description at the height that the header states.
#[test]
fn a_description_that_changed_since_payloads_were_checked_refuses_them() {
    let mut streams = Streams::new();
    let (owner, thing, stream) = (streams.world.a, streams.thing, streams.id("temperature"));
    let text = description(PROPERTIES).into_bytes();
    let update = Action::UpdateThing { thing, replaces: 1, description: text };
    let update = streams.world.signed(&[owner], vec![update]);
    let early = streams.world.signed(&[owner], vec![Action::SubmitBatch(batch(stream, 0, 1))]);
    let new = ThingId::derive(&owner, "cellar");
    let registration =
        streams.world.signed(&[owner], vec![registration_of("cellar", &description(PROPERTIES))]);
    let first = batch(StreamId::derive(&new, "count"), 0, 1);
    let first = streams.world.signed(&[owner], vec![Action::SubmitBatch(first)]);
    let receipts = streams.world.block(&[update, early, registration, first]).receipts;
    let codes: Vec<u16> = receipts.iter().map(|receipt| receipt.code).collect();
    assert_eq!(codes, [0, VersionConflict.number(), 0, UnknownStream.number()]);

    assert!(streams.submit(batch(stream, 0, 1)).is_ok());
}

/// The owner wants the signature of the thing's device: no gateway's word is enough, and what a
/// device signed counts only while validators and execution see the same device and key.
#[test]
fn readings_of_a_thing_that_signs_need_its_device() {
    let mut world = World::new();
    let signing = description(PROPERTIES).replacen('{', r#"{"althing:signing": "device", "#, 1);
    world.must(world.a, registration_of("boiler", &signing));
    let thing = ThingId::derive(&world.a, "boiler");
    let stream = StreamId::derive(&thing, "temperature");
    let gateway = world.member(EntityKind::Gateway, 40);
    let bind = |gateway| Action::Bind { thing, gateway, until_height: 1000 };
    world.must(world.a, bind(gateway));
    let submit = |seq| Action::SubmitBatch(batch(stream, seq, 1));
    assert_eq!(world.act(gateway, submit(0)).err(), Some(Refusal::Unsigned), "no device is bound");

    let device = world.member(EntityKind::Device, 41);
    world.must(world.a, bind(device));
    world.must(gateway, submit(0));
    let of_gateway = world.signed(&[gateway], vec![submit(1)]);
    let of_device = world.signed(&[device], vec![submit(1)]);
    let key = signing_key(41).public_key();
    for (transaction, expected) in [(&of_gateway, Some((device, key))), (&of_device, None)] {
        let basis = crate::Bases::new(&world.state).of(transaction).unwrap();
        assert_eq!(basis.devices, [expected], "whose signature the payload needs");
    }
    world.must(device, submit(1));

    let checked = crate::Bases::new(&world.state).of(&of_gateway).unwrap();
    let agree = |world: &World| crate::Bases::new(&world.state).agree(&of_gateway, &checked);
    assert_eq!(agree(&world), Ok(true));

    let rotation = world.rotation(device, 42);
    let rotated = world.signed(&[world.a], vec![rotation]);
    let beside = world.signed(&[gateway], vec![submit(2)]);
    let receipts = world.block(&[rotated, beside]).receipts;
    assert_eq!(receipts[1].code, Refusal::DeviceChanged.number());
    assert_eq!(agree(&world), Ok(false), "what was checked under the old key is checked again");
    world.must(gateway, submit(2));
    world.must(world.a, Action::RevokeEntity { entity: device });
    assert_eq!(world.act(gateway, submit(3)).err(), Some(Refusal::DeviceSignature));
}
