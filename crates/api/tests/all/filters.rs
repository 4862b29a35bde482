//! What somebody who follows events can ask for.

use althing_api::Config;
use althing_client::{
    Submission,
    model::{EVENT_TYPES, Event, EventRecord, Hex, query},
};
use althing_types::{Action, Payload, Reading, StreamId, ThingId, Value, Wire as _};

use crate::support::{Host, PATIENCE, with_peer};

fn description(title: &str, semantic: &str) -> Vec<u8> {
    format!(
        r#"{{
  "@context": "https://www.w3.org/2022/wot/td/v1.1",
  "@type": "{semantic}",
  "title": "{title}",
  "securityDefinitions": {{"none": {{"scheme": "nosec"}}}},
  "security": "none",
  "properties": {{
    "level": {{"type": "number", "multipleOf": 0.1, "forms": [{{"href": "mqtt://gateway/level"}}]}},
    "note": {{"type": "string", "forms": [{{"href": "mqtt://gateway/note"}}]}}
  }}
}}"#
    )
    .into_bytes()
}

async fn register(host: &Host, name: &str, semantic: &str) -> ThingId {
    let description = description(name, semantic);
    let action = Action::RegisterThing { name: name.to_owned(), description };
    let transaction = host.organisation.sign(vec![action]);
    let outcome = host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap();
    assert_eq!(outcome.receipt.refusal, None);
    host.client.read_from(outcome.height);
    while host.client.status().await.unwrap().height < outcome.height + 2 {
        tokio::task::yield_now().await;
    }
    ThingId::derive(&host.organisation.signer().entity, name)
}

async fn submit(host: &Host, stream: StreamId, first_seq: u64, tenths: i64) {
    let claimed_ms = host.client.status().await.unwrap().time.0;
    let value = Value::Number(tenths);
    let payload =
        Payload { readings: vec![Reading { claimed_ms, received_ms: claimed_ms, value }] };
    let header = payload.header(stream, first_seq);
    let transaction = host.organisation.sign(vec![Action::SubmitBatch(header)]);
    let payloads = vec![payload.to_wire().into()];
    let submission = Submission { payloads, ..Submission::from(&transaction) };
    let outcome = host.client.finalize(&submission, PATIENCE).await.unwrap();
    assert_eq!(outcome.receipt.refusal, None);
}

async fn next(host: &Host, asked: &query::Events) -> EventRecord {
    let asked = query::Events { after: Some("0-0-0".parse().unwrap()), ..asked.clone() };
    let mut events = host.client.events(&asked).await.unwrap();
    tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap().unwrap()
}

#[test]
fn what_cannot_be_told_is_refused_and_named() {
    with_peer(Config::standard(), |host| async move {
        let thing = register(&host, "tank", "Tank").await;
        let [level, note] = ["level", "note"].map(|name| Some(Hex(StreamId::derive(&thing, name))));
        let text = |text: &str| Some(text.to_owned());
        let base = query::Events::default;
        for (asked, field, said) in [
            (
                query::Events { kind: text("recorded,batch_acepted"), ..base() },
                "type",
                "did you mean batch_accepted?",
            ),
            (query::Events { kind: text("nonsense"), ..base() }, "type", "nonsense"),
            (query::Events { above: text("1"), ..base() }, "above", "together with stream"),
            (query::Events { silence_s: Some(5), ..base() }, "silence_s", "together with stream"),
            (query::Events { above: text("warm"), stream: level, ..base() }, "above", "decimal"),
            (query::Events { below: text("0.25"), stream: level, ..base() }, "below", "places"),
            (query::Events { below: text("1"), stream: note, ..base() }, "below", "no numbers"),
            (
                query::Events { silence_s: Some(0), stream: level, ..base() },
                "silence_s",
                "1 to 86400",
            ),
        ] {
            let refused = host.client.events(&asked).await.err();
            let Some(althing_client::Error::Refused(problem)) = refused else {
                panic!("{asked:?}: {refused:?}")
            };
            assert_eq!(
                (problem.code.as_str(), problem.field.as_deref()),
                ("invalid_query", Some(field))
            );
            assert!(problem.detail.contains(said), "{}", problem.detail);
        }
    });
}

#[test]
fn events_are_told_by_type_of_thing_by_value_and_when_nothing_comes() {
    with_peer(Config::standard(), |host| async move {
        let pump = register(&host, "pump", "Pump").await;
        let tank = register(&host, "tank", "Tank").await;
        let [of_pump, of_tank] = [pump, tank].map(|thing| StreamId::derive(&thing, "level"));
        submit(&host, of_pump, 0, 5).await;
        for (seq, tenths) in [(0, 100), (1, 305), (2, -7), (3, 300)] {
            submit(&host, of_tank, seq, tenths).await;
        }
        let text = |text: &str| Some(text.to_owned());
        let stream = Some(Hex(of_tank));
        let accepted = query::Events { kind: text("batch_accepted"), ..<_>::default() };
        let first_seq = |record: EventRecord| match record.event {
            Event::BatchAccepted { first_seq, stream, .. } => (stream.0, first_seq),
            other => panic!("{other:?}"),
        };
        for (asked, expected) in [
            (query::Events { thing_type: text("Tank"), ..accepted.clone() }, (of_tank, 0)),
            (query::Events { stream, above: text("30"), ..accepted.clone() }, (of_tank, 1)),
            (query::Events { stream, below: text("0"), ..accepted.clone() }, (of_tank, 2)),
            (
                query::Events {
                    stream,
                    above: text("30.4"),
                    below: text("-1"),
                    ..accepted.clone()
                },
                (of_tank, 1),
            ),
        ] {
            assert_eq!(first_seq(next(&host, &asked).await), expected, "{asked:?}");
        }
        // A registration is told to who waits for things of its type.
        let asked = query::Events {
            kind: text("thing_registered"),
            thing_type: text("Pump"),
            ..<_>::default()
        };
        let Event::ThingRegistered { thing, .. } = next(&host, &asked).await.event else {
            panic!()
        };
        assert_eq!(thing.thing_id(), pump);

        let asked = query::Events {
            stream,
            kind: text("stream_silent"),
            silence_s: Some(1),
            ..<_>::default()
        };
        let mut events = host.client.events(&asked).await.unwrap();
        let record = tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap().unwrap();
        let Event::StreamSilent(silence) = record.event else { panic!() };
        assert_eq!((silence.stream.0, silence.seconds), (of_tank, 1));
        // Told once; the next is told when something came and nothing after it.
        submit(&host, of_tank, 4, 301).await;
        let record = tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap().unwrap();
        let Event::StreamSilent(next) = record.event else { panic!() };
        assert!(next.since.0 > silence.since.0, "{next:?} {silence:?}");
    });
}

/// The list of types is that of the interface's description.
#[test]
fn every_type_that_an_event_can_have_can_be_asked_for() {
    let document = serde_json::to_value(althing_api::openapi()).unwrap();
    let forms = document["components"]["schemas"]["Event"]["oneOf"].as_array().unwrap().clone();
    let mut described = Vec::new();
    for form in forms {
        collect_types(&form, &mut described);
    }
    described.sort_unstable();
    described.dedup();
    let mut known: Vec<String> = EVENT_TYPES.iter().map(|name| (*name).to_owned()).collect();
    known.sort_unstable();
    assert_eq!(described, known);
}

/// The constants that the field `type` of a form can have.
fn collect_types(form: &serde_json::Value, types: &mut Vec<String>) {
    let names = form["properties"]["type"]["enum"].as_array().cloned().unwrap_or_default();
    types.extend(names.iter().filter_map(|name| name.as_str().map(ToOwned::to_owned)));
    for part in form["allOf"].as_array().into_iter().flatten() {
        collect_types(part, types);
    }
}
