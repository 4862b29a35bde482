use althing_types::{
    Action, AgreementSecret, EntityKind, LedgerId, Payload, Reading, StreamKey, ThingId, Value,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

use super::*;
use crate::testing::{World, batch, numbers, of_values, signing_key};

const CIPHER: Cipher = Cipher::ChaCha20Poly1305;

/// A thing of organisation A, whose streams two entities of A would like to read.
struct Vault {
    world: World,
    thing: ThingId,
    stream: StreamId,
    readers: [EntityId; 2],
}

fn key(number: u32) -> StreamKey {
    StreamKey::new(CIPHER, number, [number as u8; 32])
}

impl Vault {
    fn new() -> Self {
        let mut world = World::new();
        let thing = world.thing("vault");
        let stream = StreamId::derive(&thing, "temperature");
        let mut readers = [21, 23].map(|seed| world.member(EntityKind::Service, seed));
        for (reader, seed) in readers.into_iter().zip([21, 23]) {
            let key = AgreementSecret::of(&signing_key(seed)).public_key();
            world.must(reader, Action::SetAgreementKey { key });
        }
        readers.sort_unstable();
        Self { world, thing, stream, readers }
    }

    fn ledger(&self) -> LedgerId {
        self.world.ledger
    }

    /// The key of a number, wrapped to entities.
    fn shares(&self, number: u32, readers: &[EntityId]) -> Vec<KeyShare> {
        let mut rng = ChaCha20Rng::seed_from_u64(u64::from(number));
        let share = |reader: &EntityId| {
            let said: AgreementRecord =
                minicbor::decode(&self.world.state[&own_key::agreement(reader)]).unwrap();
            key(number).share(&self.ledger(), &self.stream, *reader, &said.key, &mut rng)
        };
        readers.iter().map(share).map(Option::unwrap).collect()
    }

    fn rotate(&mut self, number: u32, readers: &[EntityId]) -> Result<Vec<Event>, Refusal> {
        let (stream, shares) = (self.stream, self.shares(number, readers));
        let rotation = Action::RotateStreamKey { stream, number, cipher: CIPHER, shares };
        self.world.act(self.world.a, rotation).map(|receipt| receipt.events)
    }

    fn record(&self) -> SecrecyRecord {
        SecrecyRecord::from_wire(&self.world.state[&own_key::secrecy(&self.stream)]).unwrap()
    }

    fn submit(&mut self, batch: BatchHeader) -> Result<(), Refusal> {
        self.world.act(self.world.a, Action::SubmitBatch(batch)).map(|_| ())
    }
}

fn payload(claimed_ms: i64) -> Payload {
    let reading = Reading { claimed_ms, received_ms: claimed_ms, value: Value::Number(215) };
    Payload { readings: vec![reading] }
}

fn sealed(stream: StreamId, number: u32, claimed_ms: i64) -> (BatchHeader, Vec<u8>) {
    let payload = payload(claimed_ms);
    key(number).seal(&payload.header(stream, 0), &payload.to_wire()).unwrap()
}

#[test]
fn a_stream_becomes_confidential_and_its_readers_have_its_key() {
    let mut vault = Vault::new();
    let (stream, [one, other]) = (vault.stream, vault.readers);
    let told =
        |number, readers| vec![Event::Stream(StreamEvent::KeyRotated { stream, number, readers })];
    assert_eq!(vault.rotate(1, &[one]), Ok(told(1, 1)));
    assert_eq!(vault.record().number, 1);
    let kept: Shares = minicbor::decode(&vault.world.state[&own_key::shares(&stream, 1)]).unwrap();
    assert_eq!((kept.cipher, kept.shares.len(), kept.shares[0].reader), (CIPHER, 1, one));

    let shares = vault.shares(1, &[other]);
    let receipt =
        vault.world.must(vault.world.a, Action::ShareStreamKey { stream, number: 1, shares });
    let shared = StreamEvent::KeyShared { stream, number: 1, readers: vec![other] };
    assert_eq!(receipt.events, [Event::Stream(shared)]);
    let kept: Shares = minicbor::decode(&vault.world.state[&own_key::shares(&stream, 1)]).unwrap();
    assert_eq!(kept.shares.iter().map(|it| it.reader).collect::<Vec<_>>(), [one, other]);

    // Revoked: from here on the other reads nothing new. What it had of before stays with it.
    assert_eq!(vault.rotate(2, &[one]), Ok(told(2, 1)));
    let kept: Shares = minicbor::decode(&vault.world.state[&own_key::shares(&stream, 2)]).unwrap();
    assert_eq!(kept.shares.iter().map(|it| it.reader).collect::<Vec<_>>(), [one]);
    let secret = AgreementSecret::of(&signing_key(
        if kept.shares[0].to == AgreementSecret::of(&signing_key(21)).public_key() {
            21
        } else {
            23
        },
    ));
    let opened = secret.unwrap(&vault.ledger(), &stream, (CIPHER, 2), &kept.shares[0]);
    assert_eq!(opened, Some(key(2)));
}

#[test]
fn numbers_ascend_and_only_the_owner_gives_keys() {
    let mut vault = Vault::new();
    let (stream, [one, other]) = (vault.stream, vault.readers);
    assert_eq!(vault.rotate(2, &[one]), Err(Refusal::StreamKeyNumber));
    let shares = vault.shares(1, &[one]);
    let share = Action::ShareStreamKey { stream, number: 1, shares: shares.clone() };
    assert_eq!(vault.world.act(vault.world.a, share).map(|_| ()), Err(Refusal::UnknownStreamKey));
    let rotation =
        |stream, shares| Action::RotateStreamKey { stream, number: 1, cipher: CIPHER, shares };
    for sender in [vault.world.b, one] {
        let result = vault.world.act(sender, rotation(stream, shares.clone()));
        assert_eq!(result.map(|_| ()), Err(Refusal::NotPermitted));
    }
    let nothing = StreamId([9; 32]);
    let result = vault.world.act(vault.world.a, rotation(nothing, shares.clone()));
    assert_eq!(result.map(|_| ()), Err(Refusal::UnknownStream));
    // Wrapped to a key that is not the reader's, or to one who has said none.
    let stranger = KeyShare { reader: vault.world.b, ..shares[0].clone() };
    let wrong = KeyShare { to: AgreementKey([1; 32]), ..shares[0].clone() };
    for share in [stranger, wrong] {
        let result = vault.world.act(vault.world.a, rotation(stream, vec![share]));
        assert_eq!(result.map(|_| ()), Err(Refusal::NoAgreementKey));
    }
    assert!(vault.rotate(1, &[one]).is_ok());
    assert_eq!(vault.rotate(1, &[one]), Err(Refusal::StreamKeyNumber));
    assert_eq!(vault.rotate(3, &[one]), Err(Refusal::StreamKeyNumber));
    assert!(vault.rotate(2, &[one, other]).is_ok());
    let shares = vault.shares(1, &[other]);
    let result = vault.world.act(one, Action::ShareStreamKey { stream, number: 1, shares });
    assert_eq!(result.map(|_| ()), Err(Refusal::NotPermitted));
}

#[test]
fn shares_are_bounded_and_in_order() {
    let vault = Vault::new();
    let shares = vault.shares(1, &vault.readers);
    let within = |shares: Vec<KeyShare>, number| {
        let stream = vault.stream;
        Action::RotateStreamKey { stream, number, cipher: CIPHER, shares }.is_within_bounds()
    };
    let many = |count: u8| {
        (0..count).map(|n| KeyShare { reader: EntityId([n; 32]), ..shares[0].clone() }).collect()
    };
    assert!(within(shares.clone(), 1) && within(many(64), 1));
    assert!(!within(shares.clone(), 0));
    assert!(!within(vec![], 1) && !within(many(65), 1));
    assert!(!within(vec![shares[1].clone(), shares[0].clone()], 1));
    assert!(!within(vec![shares[0].clone(), shares[0].clone()], 1));
}

#[test]
fn a_stream_with_readings_stays_as_it_is() {
    let mut vault = Vault::new();
    let (stream, [one, _]) = (vault.stream, vault.readers);
    assert_eq!(vault.submit(batch(stream, 0, 1)), Ok(()));
    assert_eq!(vault.rotate(1, &[one]), Err(Refusal::StreamNotEmpty));
}

/// Execution sees headers only: one that tells of values is of a payload that is not sealed. Nor may
/// a payload count that validators saw before the stream became confidential.
#[test]
fn what_tells_of_values_is_refused() {
    let mut vault = Vault::new();
    let (stream, [one, _]) = (vault.stream, vault.readers);
    vault.rotate(1, &[one]).unwrap();
    assert_eq!(vault.submit(numbers(stream, 0, &[215])), Err(Refusal::NotSealed));
    let (header, _) = sealed(stream, 1, vault.world.time_ms() as i64);
    assert_eq!(vault.submit(header.clone()), Ok(()));
    assert_eq!(
        vault.submit(BatchHeader { first_seq: 1, sum: 1, ..header }),
        Err(Refusal::NotSealed)
    );

    let label = StreamId::derive(&vault.thing, "label");
    let text = of_values(label, 0, vec![Value::Text("x".into())]);
    let shares: Vec<KeyShare> = {
        let said: AgreementRecord =
            minicbor::decode(&vault.world.state[&own_key::agreement(&one)]).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        vec![key(1).share(&vault.ledger(), &label, one, &said.key, &mut rng).unwrap()]
    };
    let rotation = Action::RotateStreamKey { stream: label, number: 1, cipher: CIPHER, shares };
    let owner = vault.world.a;
    let both = [rotation, Action::SubmitBatch(text)]
        .map(|action| vault.world.signed(&[owner], vec![action]));
    let codes: Vec<u16> = vault.world.block(&both).receipts.iter().map(|it| it.code).collect();
    assert_eq!(codes, [0, Refusal::NotSealed.number()]);
}

#[test]
fn payloads_under_the_key_before_count_for_readings_of_before() {
    let stream = StreamId([5; 32]);
    let since_ms = 1_700_000_000_000;
    let record = SecrecyRecord { cipher: CIPHER, number: 3, since_ms, since_height: 1 };
    let (since_ms, grace_ms) = (since_ms as i64, STREAM_KEY_GRACE_MS as i64);
    for (number, claimed_ms, expected) in [
        (3, since_ms - 9_000_000, Ok(())),
        (3, since_ms + 9_000_000, Ok(())),
        (2, since_ms, Ok(())),
        (2, since_ms + grace_ms, Ok(())),
        (2, since_ms + grace_ms + 1, Err(Refusal::StaleStreamKey)),
        (1, since_ms - 9_000_000, Err(Refusal::StaleStreamKey)),
        (4, since_ms, Err(Refusal::UnknownStreamKey)),
    ] {
        let (header, bytes) = sealed(stream, number, claimed_ms);
        assert_eq!(record.takes(&header, &bytes), expected, "key {number} at {claimed_ms}");
    }
    let plain = payload(since_ms);
    assert_eq!(record.takes(&plain.header(stream, 0), &plain.to_wire()), Err(Refusal::NotSealed));
    let (header, bytes) = sealed(stream, 3, since_ms);
    let tells = BatchHeader { min: Some(1), max: Some(1), sum: 1, ..header.clone() };
    assert_eq!(record.takes(&tells, &bytes), Err(Refusal::NotSealed));
    let mut cut = bytes.clone();
    cut.pop();
    assert_eq!(record.takes(&header, &cut), Err(Refusal::PayloadMismatch));
}
