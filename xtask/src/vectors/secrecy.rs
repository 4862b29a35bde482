//! Confidential streams: a payload that is sealed, and its key wrapped to a reader.

use althing_types::{
    Action, AgreementKey, AgreementSecret, Cipher, EntityId, Event, KeyShare, LedgerId, Payload,
    Placement, Reading, SigningKey, StreamEvent, StreamKey, StreamPlacement, Suite, Value as Exact,
    Wire as _,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use serde_json::{Value, json};

use super::{
    Form, Vector,
    readings::{STREAM, header_json},
};

const LEDGER: LedgerId = LedgerId([0x1d; 32]);
const READER: EntityId = EntityId([0x2e; 32]);
const AGREEMENT: AgreementKey = AgreementKey([0x25; 32]);

fn shares() -> Vec<KeyShare> {
    let share = |seed: u8| KeyShare {
        reader: EntityId([seed; 32]),
        to: AGREEMENT,
        enc: [seed; 32],
        wrapped: [seed; 48],
    };
    vec![share(1), share(2)]
}

fn placement() -> Placement {
    let organisations = vec![EntityId([1; 32]), EntityId([2; 32])];
    Placement { organisations, copies: Some(3), retention_days: Some(400) }
}

/// Those about streams' keys, erasure and placement.
pub(super) fn actions() -> Vec<Action> {
    vec![
        Action::PlaceStream(StreamPlacement { stream: STREAM, placement: Placement::default() }),
        Action::PlaceStream(StreamPlacement { stream: STREAM, placement: placement() }),
        Action::SetAgreementKey { key: AGREEMENT },
        Action::RotateStreamKey {
            stream: STREAM,
            number: 1,
            cipher: Cipher::ChaCha20Poly1305,
            shares: shares(),
        },
        Action::ShareStreamKey { stream: STREAM, number: 300, shares: shares() },
        Action::EraseReadings { stream: STREAM, first_seq: 41, last_seq: 70_000 },
        Action::ConfirmErasure { stream: STREAM, erasure: 3 },
    ]
}

fn share_json(share: &KeyShare) -> Value {
    json!({
        "reader": hex::encode(share.reader.0),
        "to": hex::encode(share.to.0),
        "enc": hex::encode(share.enc),
        "wrapped": hex::encode(share.wrapped),
    })
}

pub(super) fn action_json(action: &Action) -> Value {
    let shares = |shares: &[KeyShare]| shares.iter().map(share_json).collect::<Vec<_>>();
    match action {
        Action::PlaceStream(StreamPlacement { stream, placement }) => json!({
            "stream": hex::encode(stream.0),
            "organisations": placement.organisations.iter().map(|id| hex::encode(id.0)).collect::<Vec<_>>(),
            "copies": placement.copies,
            "retention_days": placement.retention_days,
        }),
        Action::SetAgreementKey { key } => json!({ "key": hex::encode(key.0) }),
        Action::RotateStreamKey { stream, number, cipher, shares: wrapped } => json!({
            "stream": hex::encode(stream.0),
            "number": number,
            "cipher": cipher.name(),
            "shares": shares(wrapped),
        }),
        Action::ShareStreamKey { stream, number, shares: wrapped } => json!({
            "stream": hex::encode(stream.0),
            "number": number,
            "shares": shares(wrapped),
        }),
        Action::EraseReadings { stream, first_seq, last_seq } => json!({
            "stream": hex::encode(stream.0), "first_seq": first_seq, "last_seq": last_seq,
        }),
        Action::ConfirmErasure { stream, erasure } => {
            json!({ "stream": hex::encode(stream.0), "erasure": erasure })
        }
        _ => unreachable!("no action about a stream"),
    }
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    let stream = STREAM;
    let readers = vec![EntityId([1; 32]), EntityId([2; 32])];
    [
        ("agreement key set", StreamEvent::AgreementKeySet { entity: READER, key: AGREEMENT }),
        ("stream key rotated", StreamEvent::KeyRotated { stream, number: 2, readers: 3 }),
        ("stream key shared", StreamEvent::KeyShared { stream, number: 2, readers }),
        (
            "readings erased",
            StreamEvent::Erased { stream, erasure: 0, first_seq: 41, last_seq: 70_000 },
        ),
        ("stream placed", StreamEvent::Placed { stream, placement: placement() }),
        ("erasure confirmed", StreamEvent::ErasureConfirmed { stream, erasure: 0, holder: READER }),
    ]
    .map(|(name, event)| (name, Event::Stream(event)))
    .into()
}

fn payload(values: &[Exact]) -> Payload {
    let reading = |(after, value): (i64, &Exact)| {
        let claimed_ms = 1_700_000_000_000 + 1000 * after;
        Reading { claimed_ms, received_ms: claimed_ms + 7, value: value.clone() }
    };
    Payload { readings: (0..).zip(values).map(reading).collect() }
}

/// Sealed payloads, and the share by which a reader comes by their key.
pub(super) fn form() -> Form {
    let about = "A payload of a confidential stream, sealed under the key `stream_key` with the \
                 number `key_number`; `header` announces it as readings from sequence number 41 of \
                 `stream`, and `payload` are the bytes inside. The key is wrapped for the entity \
                 `share.reader`, whose signing key has the bytes `signing_secret` in `suite`, on \
                 the ledger `ledger`.";
    let cases = [
        ("numbers", Suite::Ed25519, 1, vec![Exact::Number(2150), Exact::Number(-5)]),
        ("one number, P-256", Suite::P256, 70_000, vec![Exact::Number(i64::MIN)]),
        ("text", Suite::Ed25519, 2, vec![Exact::Text("öffen".into())]),
        ("padding of its own", Suite::Ed25519, 2, vec![Exact::Bytes(vec![0x80, 0, 0])]),
    ];
    Form::new("sealed_payload", about, cases.into_iter().map(sealed).collect())
}

#[expect(clippy::expect_used, reason = "constants that are keys, and payloads that fit")]
fn sealed((name, suite, number, values): (&str, Suite, u32, Vec<Exact>)) -> Vector {
    let mut rng = ChaCha20Rng::seed_from_u64(u64::from(number));
    let secret = [0x5e; 32];
    let key = StreamKey::new(Cipher::ChaCha20Poly1305, number, secret);
    let signing = SigningKey::from_secret(suite, [0x42; 32]).expect("a key");
    let agreement = AgreementSecret::of(&signing).public_key();
    let share = key.share(&LEDGER, &STREAM, READER, &agreement, &mut rng).expect("a key");
    let payload = payload(&values);
    let plain = payload.header(STREAM, 41);
    let (header, bytes) = key.seal(&plain, &payload.to_wire()).expect("a short payload");
    let inputs = json!({
        "ledger": hex::encode(LEDGER.0),
        "stream": hex::encode(STREAM.0),
        "key_number": number,
        "stream_key": hex::encode(secret),
        "suite": suite.name(),
        "signing_secret": hex::encode(signing.secret()),
        "share": share_json(&share),
        "payload": hex::encode(payload.to_wire()),
        "header": header_json(&header),
    });
    Vector::new(name, inputs, bytes).gives("digest", header.payload_digest)
}
