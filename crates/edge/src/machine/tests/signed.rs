//! Packs that a device signed: forwarded as they are, under its own numbers.

use althing_types::{Arrived, Pack, SignedPayload, Wire as _};

use super::*;
use crate::directory::DeviceSpec;
use crate::testing::{DEVICE, device_key, pack};

fn signing_pump() -> ThingSpec {
    let key = Some(device_key().public_key());
    ThingSpec { device: Some(DeviceSpec { id: DEVICE, key }), ..pump() }
}

/// A machine that serves a pump whose device signs, at number 40.
fn ready() -> Machine {
    let mut machine = Machine::recover(config(), vec![]).unwrap();
    let _ = machine.handle(T0, Input::Things(vec![signing_pump()]));
    let _ = machine.handle(T0, account(1));
    let _ = machine
        .handle(T0, Input::Head { attempt: AttemptId(2), next_seq: 40, sealing: Sealing::Open });
    let _ = machine.handle(T0, persisted(1));
    machine
}

fn publish_pack(id: u64, pack: &Pack) -> Input {
    let (id, topic) = (PublishId(id), "althing/pump/t".to_owned());
    Input::Publish {
        id,
        received_ms: T0,
        topic,
        payload: pack.wire().to_vec(),
        only_signed: false,
        mark: None,
    }
}

fn refusal(outputs: &[Output]) -> Option<&'static str> {
    outputs.iter().find_map(|output| match output {
        Output::Refuse { rejection, .. } => Some(rejection.code()),
        _ => None,
    })
}

/// The packs of what is submitted, signing on the way.
fn submitted(
    machine: &mut Machine,
    now: TimeMs,
    outputs: Vec<Output>,
) -> Option<(AttemptId, SignedPayload)> {
    let mut outputs: VecDeque<Output> = outputs.into();
    while let Some(output) = outputs.pop_front() {
        match output {
            Output::Sign { attempt, body } => {
                outputs.extend(machine.handle(now, signed(attempt, body)))
            }
            Output::Submit { attempt, payload, .. } => {
                return Some((attempt, SignedPayload::from_wire(&payload).unwrap()));
            }
            _ => {}
        }
    }
    None
}

#[test]
fn packs_go_to_the_ledger_as_the_device_made_them_and_survive_a_crash() {
    let mut machine = ready();
    let first = pack(40, None, &[10]);
    let second = pack(41, Some(&first), &[20]);
    let arrived = |pack: &Pack| Arrived { received_ms: T0, pack: pack.clone() };
    let taken = machine.handle(T0, publish_pack(1, &first));
    assert_eq!(taken, [persist(2, Record::Pack(STREAM, arrived(&first)))]);
    let _ = machine.handle(T0, publish_pack(2, &second));
    let mut outputs = machine.handle(T0, persisted(3));
    assert_eq!(outputs.remove(0), Output::Acknowledge(PublishId(1)));
    let (attempt, payload) = submitted(&mut machine, T0, outputs).unwrap();
    assert_eq!(payload.packs, [arrived(&first), arrived(&second)]);
    let snapshot = machine.snapshot();
    let finalized = machine.handle(T0, outcome(attempt.0, Outcome::Finalized { height: 11 }));
    let expected = Output::Finalized { stream: STREAM, first_seq: 40, count: 2 };
    assert!(finalized.contains(&expected), "{finalized:?}");
    assert!(machine.bytes_queued() == 0);

    let again = Machine::recover(config(), snapshot.clone()).unwrap();
    assert_eq!(again.snapshot(), snapshot, "the queue on disk has the packs, signatures and all");
}

#[test]
fn a_pack_sent_twice_is_acknowledged_and_taken_once() {
    let mut machine = ready();
    let first = pack(40, None, &[10]);
    let _ = machine.handle(T0, publish_pack(1, &first));
    // The device did not hear the answer, and sends it again before it is durable.
    let again = machine.handle(T0, publish_pack(2, &first));
    assert_eq!(again, [persist(3, head(41))]);
    let durable = machine.handle(T0, persisted(3));
    let acknowledged = durable.iter().filter(|it| matches!(it, Output::Acknowledge(_))).count();
    assert_eq!((acknowledged, machine.status(T0).readings_queued), (2, 1));
    // Other readings under the same number are another matter.
    let other = pack(40, None, &[11]);
    assert_eq!(refusal(&machine.handle(T0, publish_pack(3, &other))), Some("sequence"));
}

/// What a gateway's neighbour, or a confused device, could send.
#[test]
fn what_the_device_did_not_sign_is_refused() {
    let first = pack(40, None, &[10]);
    let mut altered = first.wire().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    let stranger = SigningKey::from_secret(Suite::Ed25519, [1; 32]).unwrap();
    let strange = Pack::sign(&LEDGER, &STREAM, first.body().clone(), &stranger);
    let elsewhere = Pack::sign(&LEDGER, &StreamId([9; 32]), first.body().clone(), &device_key());
    for (what, payload, code) in [
        ("unsigned", b"21.5".to_vec(), "unsigned"),
        ("altered", altered, "device_signature"),
        ("another's key", strange.wire().to_vec(), "device_signature"),
        ("of another stream", elsewhere.wire().to_vec(), "device_signature"),
        ("far ahead", pack(1 << 40, None, &[1]).wire().to_vec(), "sequence"),
        ("cut off", first.wire()[..40].to_vec(), "malformed"),
    ] {
        let (id, topic) = (PublishId(1), "althing/pump/t".to_owned());
        let input =
            Input::Publish { id, received_ms: T0, topic, payload, only_signed: false, mark: None };
        assert_eq!(refusal(&ready().handle(T0, input)), Some(code), "{what}");
    }
    let mut plain = Machine::recover(config(), vec![]).unwrap();
    let _ = plain.handle(T0, Input::Things(vec![pump()]));
    let outputs = plain.handle(T0, publish_pack(1, &first));
    assert_eq!(refusal(&outputs), Some("not_signing"), "nobody asked for the signature");
    let nobody = ThingSpec { device: Some(DeviceSpec { id: DEVICE, key: None }), ..pump() };
    let _ = plain.handle(T0, Input::Things(vec![nobody]));
    let outputs = plain.handle(T0, publish_pack(1, &first));
    assert_eq!(refusal(&outputs), Some("device_signature"), "no device is bound");
}

/// Nobody knows who sent it: whatever the thing and the profile, only a signature counts.
#[test]
fn of_strangers_only_what_is_signed_is_taken() {
    let publish = |payload: &[u8]| {
        let (id, topic) = (PublishId(1), "althing/pump/t".to_owned());
        let payload = payload.to_vec();
        Input::Publish { id, received_ms: T0, topic, payload, only_signed: true, mark: None }
    };
    let good = pack(40, None, &[10]);
    let taken = ready().handle(T0, publish(good.wire()));
    assert!(matches!(taken[..], [Output::Persist { .. }]), "{taken:?}");
    let mut plain = Machine::recover(config(), vec![]).unwrap();
    let _ = plain.handle(T0, Input::Things(vec![pump()]));
    for (payload, code) in [(&b"21.5"[..], "malformed"), (good.wire(), "not_signing")] {
        assert_eq!(refusal(&plain.handle(T0, publish(payload))), Some(code));
    }
}

/// A pack that never came is a gap: the next goes into a batch of its own.
#[test]
fn a_gap_between_packs_stays_a_gap() {
    let mut machine = ready();
    let (first, third) = (pack(40, None, &[10]), pack(45, None, &[30]));
    let _ = machine.handle(T0, publish_pack(1, &first));
    let _ = machine.handle(T0, publish_pack(2, &third));
    let outputs = machine.handle(T0, persisted(3));
    let (attempt, payload) = submitted(&mut machine, T0, outputs).unwrap();
    assert_eq!((payload.first_seq(), payload.packs.len()), (40, 1));
    let outputs = machine.handle(T0, outcome(attempt.0, Outcome::Finalized { height: 11 }));
    let outputs = if outputs.iter().any(|it| matches!(it, Output::Sign { .. })) {
        outputs
    } else {
        machine.handle(T0 + 60, Input::Tick)
    };
    let (_, payload) = submitted(&mut machine, T0 + 60, outputs).unwrap();
    assert_eq!(payload.first_seq(), 45, "under the number that the device gave");
}

/// Another gateway heard the same device: what the ledger has is what the device signed.
#[test]
fn what_another_gateway_brought_is_not_brought_again() {
    let mut machine = ready();
    let first = pack(40, None, &[10]);
    let _ = machine.handle(T0, publish_pack(1, &first));
    let outputs = machine.handle(T0, persisted(2));
    let found = submitted(&mut machine, T0, outputs);
    let (attempt, _) = found.unwrap_or_else(|| {
        let outputs = machine.handle(T0 + 60, Input::Tick);
        submitted(&mut machine, T0 + 60, outputs).unwrap()
    });
    let _ = machine.handle(T0 + 60, outcome(attempt.0, Outcome::Refused(Refusal::SequenceOverlap)));
    let outputs = machine.handle(T0 + 500, Input::Tick);
    let Some(Output::Locate { attempt, .. }) = outputs.first() else { panic!("{outputs:?}") };
    let reading = Reading { claimed_ms: 0, received_ms: 0, value: Value::Number(10) };
    let batch = Some(Located { first_seq: 40, readings: vec![reading] });
    let _ = machine.handle(T0 + 500, Input::Located { attempt: *attempt, batch, next_seq: 41 });
    assert_eq!(machine.status(T0).readings_queued, 0);
}
