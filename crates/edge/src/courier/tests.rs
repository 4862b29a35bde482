use super::*;
use CommandState::{Accepted, Cancelled, Delivered, Done, Failed, Queued};

const ID: TxId = TxId([7; 32]);

fn errand(state: CommandState) -> Errand {
    Errand { id: ID, thing: "pump".into(), payload: b"{}".to_vec(), until_ms: 100_000, state }
}

fn publish() -> Step {
    let topic = "things/pump/commands/request".into();
    Step::Publish { id: ID, topic, payload: b"{}".to_vec() }
}

fn report(state: CommandState, result: Option<&[u8]>) -> CommandReport {
    CommandReport { command: ID, state, result: result.map(|result| result.to_vec().into()) }
}

#[test]
fn a_sleeping_device_is_tried_until_it_takes_the_command() {
    let mut courier = Courier::default();
    assert_eq!(courier.take(1000, errand(Queued)), [publish()]);
    assert_eq!(courier.take(1001, errand(Queued)), [], "known");
    assert_eq!(courier.deadline(), None, "not again before the driver has answered");
    assert_eq!(courier.handed(1010, &ID, false), []);
    assert_eq!(courier.deadline(), Some(3010));
    assert_eq!(courier.tick(3009), []);
    assert_eq!(courier.tick(3010), [publish()]);
    assert_eq!(courier.handed(3011, &ID, true), [Step::Report(report(Delivered, None))]);
    assert_eq!(courier.deadline(), None);
    assert_eq!(courier.tick(90_000), []);
}

/// After a restart the ledger says it was delivered; the session it was delivered into may be gone.
#[test]
fn what_was_delivered_before_a_restart_is_handed_over_again_and_not_reported_twice() {
    for state in [Delivered, Accepted] {
        let mut courier = Courier::default();
        assert_eq!(courier.take(1000, errand(state)), [publish()]);
        assert_eq!(courier.handed(1001, &ID, true), []);
    }
}

#[test]
fn what_is_too_late_or_over_is_not_handed_over() {
    let mut courier = Courier::default();
    assert_eq!(courier.take(100_001, errand(Queued)), []);
    assert_eq!(courier.take(1000, errand(Cancelled)), []);
    assert_eq!(courier.take(1000, errand(Queued)), [publish()]);
    assert_eq!(courier.handed(99_000, &ID, false), []);
    assert_eq!(courier.tick(101_000), [], "its time passed while the device slept");
    assert_eq!(courier.deadline(), None);
    assert_eq!(courier.take(1000, errand(Queued)), [publish()]);
    courier.drop_command(&ID);
    assert_eq!(courier.handed(1001, &ID, true), []);
}

#[test]
fn an_answer_is_taken_from_the_thing_that_was_asked() {
    let mut courier = Courier::default();
    let _ = courier.take(1000, errand(Queued));
    let topic = "things/pump/commands/answer";
    let payload = |state: &str, rest: &str| format!(r#"{{"id":"{ID}","state":"{state}"{rest}}}"#);
    for (topic, payload, expected) in [
        (
            topic,
            payload("done", r#","result":{"t": 21.50}"#),
            Some((Done, Some(r#"{"t": 21.50}"#))),
        ),
        (topic, payload("accepted", ""), Some((Accepted, None))),
        (topic, payload("failed", r#","result":"stuck""#), Some((Failed, Some(r#""stuck""#)))),
        (topic, payload("delivered", ""), None),
        (topic, payload("expired", ""), None),
        (topic, payload("done", r#","more":1"#), None),
        (topic, payload("done", "").replace("07", "08"), None),
        (topic, "done".into(), None),
        (topic, format!(r#"{{"id":"{ID}","state":"done","result":"{}"}}"#, "x".repeat(3000)), None),
        ("things/press/commands/answer", payload("done", ""), None),
        ("things/pump/commands/other", payload("done", ""), None),
    ] {
        let found = courier.answer(topic, payload.as_bytes()).ok().flatten();
        let expected = expected.map(|(state, result)| report(state, result.map(str::as_bytes)));
        assert_eq!(found, expected, "{topic} {payload}");
    }
}

/// Deep nesting ends a device's own publish, and nothing else.
#[test]
fn a_hostile_answer_is_refused_and_does_not_panic() {
    let courier = Courier::default();
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    for payload in [&deep[..], b"", b"\xff", b"null", b"{}"] {
        assert!(courier.answer("things/pump/commands/answer", payload).is_err());
    }
}

#[test]
fn a_device_is_told_in_json() {
    let invoke = |input: Option<&[u8]>| Operation::Invoke {
        action: "say \"hi\"".into(),
        input: input.map(|input| input.to_vec().into()),
    };
    let write = Operation::Write { property: "t".into(), value: althing_types::Value::Number(215) };
    for (operation, value, expected) in [
        (Operation::Read { property: "t".into() }, None, r#""operation":"read","name":"t"}"#),
        (write, Some("21.5"), r#""operation":"write","name":"t","value":21.5}"#),
        (invoke(None), None, r#""operation":"invoke","name":"say \"hi\""}"#),
        (
            invoke(Some(br#"{"minutes":10}"#)),
            None,
            r#""operation":"invoke","name":"say \"hi\"","input":{"minutes":10}}"#,
        ),
    ] {
        let told = String::from_utf8(request(&ID, &operation, value)).unwrap();
        assert_eq!(told, format!(r#"{{"id":"{ID}",{expected}"#));
        assert!(serde_json::from_str::<serde_json::Value>(&told).is_ok());
    }
}

/// Its acknowledgement was lost, so the device answers again.
#[test]
fn an_answer_that_is_repeated_is_taken_and_told_nobody() {
    let mut courier = Courier::default();
    let _ = courier.take(1000, errand(Queued));
    courier.drop_command(&ID);
    let payload = format!(r#"{{"id":"{ID}","state":"done"}}"#);
    assert_eq!(courier.answer("things/pump/commands/answer", payload.as_bytes()), Ok(None));
}
