use althing_types::Action;

use super::*;
use crate::testing::{PROPERTIES, World, batch, description, registration_of};
use Refusal::{
    AlreadyExists, BadDescription, NotPermitted, SchemaChanged, ThingRetired, UnknownStream,
    UnknownThing, VersionConflict,
};

fn update_of(thing: ThingId, replaces: u32, properties: &str) -> Action {
    Action::UpdateThing { thing, replaces, description: description(properties).into_bytes() }
}

fn head(world: &World, thing: &ThingId, property: &str) -> Option<StreamHead> {
    let bytes = world.state.get(&key::stream(&StreamId::derive(thing, property)))?;
    Some(StreamHead::from_wire(bytes).unwrap())
}

#[test]
fn registering_names_the_thing_and_its_streams() {
    let mut world = World::new();
    let text = description(PROPERTIES);
    let transaction = world.signed(&[world.a], vec![registration_of("hall", &text)]);
    let outcome = world.block(&[transaction]);
    let id = ThingId::derive(&world.a, "hall");
    assert_eq!(outcome.receipts[0].events, [Event::ThingRegistered { thing: id, owner: world.a }]);
    let thing = ThingRecord::from_wire(&world.state[&key::thing(&id)]).unwrap();
    assert_eq!((thing.owner, thing.name.as_str(), thing.version), (world.a, "hall", 1));
    assert_eq!((thing.registered_height, thing.updated_height, thing.retired), (1, 1, None));
    assert_eq!(outcome.descriptions, [(thing.description_digest, text.into_bytes())]);
    let outline = Outline::from_wire(&world.state[&own_key::properties(&id)]).unwrap();
    assert_eq!(outline.properties, ["count", "image", "label", "open", "temperature"]);
    for property in &outline.properties {
        assert_eq!(head(&world, &id, property).unwrap().next_seq, 0, "{property}");
    }
    assert_eq!(head(&world, &id, "status"), None);
    let found: Vec<Vec<u8>> = [
        index::things_of(&world.a),
        index::things_named("hall"),
        index::things_typed("Sensor"),
        index::things_with("temperature"),
        index::description(&id, 1),
    ]
    .to_vec();
    for prefix in found {
        let rows = outcome.index.iter().filter(|(key, _)| key.starts_with(&prefix));
        assert_eq!(rows.count(), 1, "{prefix:?}");
    }
}

#[test]
fn the_rules_of_things() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let thing = world.thing("hall");
    let unknown = ThingId([9; 32]);
    let text = description(PROPERTIES);
    for (sender, action, expected) in [
        (a, registration_of("hall", &text), Err(AlreadyExists)),
        (b, registration_of("hall", &text), Ok(())),
        (a, registration_of("cellar", "{}"), Err(BadDescription)),
        (b, update_of(thing, 1, PROPERTIES), Err(NotPermitted)),
        (a, update_of(unknown, 1, PROPERTIES), Err(UnknownThing)),
        (a, update_of(thing, 0, PROPERTIES), Err(VersionConflict)),
        (a, update_of(thing, 2, PROPERTIES), Err(VersionConflict)),
        (a, update_of(thing, 1, "\"p\": {}"), Err(BadDescription)),
        (a, update_of(thing, 1, PROPERTIES), Ok(())),
        (a, update_of(thing, 1, PROPERTIES), Err(VersionConflict)),
        (b, Action::RetireThing { thing }, Err(NotPermitted)),
        (a, Action::RetireThing { thing: unknown }, Err(UnknownThing)),
        (a, Action::RetireThing { thing }, Ok(())),
        (a, Action::RetireThing { thing }, Err(ThingRetired)),
        (a, update_of(thing, 2, PROPERTIES), Err(ThingRetired)),
        (a, Action::Bind { thing, gateway: b, until_height: 1000 }, Err(ThingRetired)),
        (
            a,
            Action::SubmitBatch(batch(StreamId::derive(&thing, "temperature"), 0, 1)),
            Err(ThingRetired),
        ),
        (a, registration_of("hall", &text), Err(AlreadyExists)),
    ] {
        assert_eq!(world.act(sender, action.clone()).map(|_| ()), expected, "{action:?}");
    }
}

/// A stream with readings keeps meaning what it meant; all else about a description may change.
#[test]
fn descriptions_change_around_readings() {
    let property = |body: &str| format!(r#""temperature": {{{body}, "forms": [{{"href": "t"}}]}}"#);
    let same = r#""type": "number", "multipleOf": 0.1, "unit": "degC""#;
    for (body, with_readings) in [
        (r#""type": "number", "multipleOf": 0.1, "unit": "degC", "maximum": 99"#, Ok(())),
        (r#""type": "number", "multipleOf": 0.1, "unit": "degC", "title": "warmth""#, Ok(())),
        (r#""type": "number", "multipleOf": 0.1, "unit": "K""#, Err(SchemaChanged)),
        (r#""type": "number", "multipleOf": 0.1"#, Err(SchemaChanged)),
        (r#""type": "number", "multipleOf": 0.2, "unit": "degC""#, Err(SchemaChanged)),
        (r#""type": "number", "multipleOf": 0.01, "unit": "degC""#, Err(SchemaChanged)),
        (r#""type": "integer", "unit": "degC""#, Err(SchemaChanged)),
        (r#""type": "string", "unit": "degC""#, Err(SchemaChanged)),
    ] {
        for readings in [false, true] {
            let mut world = World::new();
            let (owner, thing) = (world.a, ThingId::derive(&world.a, "hall"));
            let stream = StreamId::derive(&thing, "temperature");
            world.must(owner, registration_of("hall", &description(&property(same))));
            if readings {
                world.must(owner, Action::SubmitBatch(batch(stream, 0, 3)));
            }
            let expected = if readings { with_readings } else { Ok(()) };
            let result = world.act(owner, update_of(thing, 1, &property(body))).map(|_| ());
            assert_eq!(result, expected, "{body}, readings: {readings}");
            // Taken out and put back, it is held to what it was.
            world.must(owner, update_of(thing, if result.is_ok() { 2 } else { 1 }, ""));
            assert_eq!(head(&world, &thing, "temperature").is_some(), readings);
            let submission = Action::SubmitBatch(batch(stream, 3, 1));
            assert_eq!(world.act(owner, submission), Err(UnknownStream));
            let version = if result.is_ok() { 3 } else { 2 };
            let back = world.act(owner, update_of(thing, version, &property(body))).map(|_| ());
            assert_eq!(back, expected, "{body}, readings: {readings}");
        }
    }
}

#[test]
fn a_closed_stream_goes_on_where_it_ended() {
    let mut world = World::new();
    let (owner, thing) = (world.a, world.thing("hall"));
    let stream = StreamId::derive(&thing, "temperature");
    world.must(owner, Action::SubmitBatch(batch(stream, 0, 3)));
    world.must(owner, update_of(thing, 1, ""));
    world.must(owner, update_of(thing, 2, PROPERTIES));
    world.must(owner, Action::SubmitBatch(batch(stream, 3, 2)));
    assert_eq!(head(&world, &thing, "temperature").unwrap().next_seq, 5);
}
