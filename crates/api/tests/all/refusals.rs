//! Bad transactions, one of each kind: each is refused with the code for it, and nothing of what was
//! good is lost.

use std::time::{SystemTime, UNIX_EPOCH};

use althing_api::Config;
use althing_client::{
    Account, Error, Signer, Submission,
    model::{Effect, query},
};
use althing_proof::{bundle::VerifiedClaim, verify};
use althing_types::{
    Action, EntityKind, LedgerId, Payload, Reading, Record, Refusal, StreamId, ThingId,
    Transaction, Value, Wire as _,
    limits::{DESCRIPTION_BYTES_MAX, PAYLOAD_BYTES_MAX},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{Host, PATIENCE, key, with_peer};

/// A Thing Description whose property has this unit.
fn description(unit: &str) -> Vec<u8> {
    let text = r#"{"@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "Boiler",
        "securityDefinitions": {"none": {"scheme": "nosec"}}, "security": "none",
        "properties": {"temperature": {"type": "number", "unit": "UNIT", "multipleOf": 0.1,
            "minimum": -50, "maximum": 150, "forms": [{"href": "mqtt://gateway/"}]}}}"#;
    text.replace("UNIT", unit).into()
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

fn payload(values: &[Value]) -> Payload {
    let now = now_ms();
    let reading =
        |value: &Value| Reading { claimed_ms: now, received_ms: now, value: value.clone() };
    Payload { readings: values.iter().map(reading).collect() }
}

fn numbers(values: &[i64]) -> Payload {
    payload(&values.iter().map(|value| Value::Number(*value)).collect::<Vec<_>>())
}

/// A thing, its owner, and a gateway that is bound to it.
struct Plant {
    host: Host,
    thing: ThingId,
    stream: StreamId,
    gateway: Account,
}

impl Plant {
    async fn found(host: Host) -> Self {
        let ledger = host.genesis.ledger();
        let (entity, register) = Signer::registration(&ledger, EntityKind::Gateway, "G", &key(9));
        let thing = ThingId::derive(&host.organisation.signer().entity, "boiler");
        let stream = StreamId::derive(&thing, "temperature");
        let gateway = Account::new(Signer { ledger, entity, key: key(9) }, 0, 0);
        let plant = Self { host, thing, stream, gateway };
        plant
            .own(vec![
                register,
                Action::RegisterThing { name: "boiler".into(), description: description("Cel") },
                Action::Bind { thing, gateway: entity, until_height: u64::MAX },
            ])
            .await;
        plant
    }

    /// What the owner does, which must take effect.
    async fn own(&self, actions: Vec<Action>) {
        let transaction = self.host.organisation.sign(actions);
        let outcome = self.host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap();
        assert_eq!(outcome.receipt.effect, Effect::Applied, "{outcome:?}");
    }

    /// A batch that the gateway submits.
    fn batch(&self, first_seq: u64, payload: &Payload) -> Submission {
        let header = payload.header(self.stream, first_seq);
        let transaction = self.gateway.sign(vec![Action::SubmitBatch(header)]);
        Submission { payloads: vec![payload.to_wire().into()], ..Submission::from(&transaction) }
    }

    async fn accepted(&self, submission: &Submission) {
        let outcome = self.host.client.finalize(submission, PATIENCE).await.unwrap();
        assert_eq!(outcome.receipt.effect, Effect::Applied, "{outcome:?}");
    }

    async fn refused(&self, what: &str, submission: &Submission, refusal: Refusal, status: u16) {
        let Err(Error::Refused(problem)) = self.host.client.submit(submission).await else {
            panic!("{what} was not refused");
        };
        assert_eq!((problem.code.as_str(), problem.status), (refusal.code(), status), "{what}");
        assert!(problem.detail.len() > 10, "{what}: {problem:?}");
    }

    async fn refuses(&self, what: &str, transaction: &Transaction, refusal: Refusal, status: u16) {
        self.refused(what, &Submission::from(transaction), refusal, status).await;
    }

    /// Values of all readings, each proven together with that there is no other.
    async fn values(&self) -> Vec<i64> {
        let all = query::Range::default();
        let bytes = self.host.client.prove_range(&self.stream, &all).await.unwrap();
        let verified = verify(&bytes, &self.host.genesis).unwrap();
        let VerifiedClaim::Range { answer, .. } = verified.claim else { panic!("{verified:?}") };
        let value = |reading: &Reading| match reading.value {
            Value::Number(value) => value,
            ref other => panic!("{other:?}"),
        };
        answer.readings().map(|(_, reading)| value(reading)).collect()
    }
}

fn record() -> Action {
    Action::Record(Record { kind: "note".into(), data: vec![], notify: vec![], link: None })
}

/// One transaction by itself, as `curl` sends it, is answered by the problem alone (RFC 9457).
#[test]
fn a_problem_says_that_it_is_one() {
    with_peer(Config::standard(), |host| async move {
        let stranger = Signer { entity: Default::default(), ..host.organisation.signer().clone() };
        let transaction = stranger.sign(0, 100, vec![record()]);
        let mut stream =
            TcpStream::connect(host.url.strip_prefix("http://").unwrap()).await.unwrap();
        let head = format!(
            "POST /v1/transactions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/cose\r\ncontent-length: {}\r\n\r\n",
            transaction.wire().len()
        );
        stream.write_all(&[head.as_bytes(), transaction.wire()].concat()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
        assert!(answer.contains("\r\ncontent-type: application/problem+json\r\n"), "{answer}");
        assert!(answer.contains("\"code\":\"unknown_entity\""), "{answer}");
    });
}

#[test]
fn who_signs_and_when() {
    with_peer(Config::standard(), |host| async move {
        let plant = Plant::found(host).await;
        let owner = plant.host.organisation.signer().clone();
        let gateway = plant.gateway.signer().clone();
        let good = plant.batch(0, &numbers(&[1, 2]));
        plant.accepted(&good).await;

        plant.refused("replay", &good, Refusal::NonceReused, 409).await;
        let mut forged = plant.batch(2, &numbers(&[9]));
        let mut wire = forged.transaction.to_vec();
        *wire.last_mut().unwrap() ^= 1;
        forged.transaction = wire.into();
        plant.refused("wrong signature", &forged, Refusal::BadSignature, 403).await;
        let thief = Signer { key: key(66), ..owner.clone() };
        plant
            .refuses("wrong key", &thief.sign(9, 100, vec![record()]), Refusal::BadSignature, 403)
            .await;
        let stranger = Signer { entity: Default::default(), ..owner.clone() };
        plant
            .refuses(
                "unknown key",
                &stranger.sign(0, 100, vec![record()]),
                Refusal::UnknownEntity,
                422,
            )
            .await;
        let elsewhere = Signer { ledger: LedgerId([7; 32]), ..owner.clone() };
        plant
            .refuses(
                "other ledger",
                &elsewhere.sign(9, 100, vec![record()]),
                Refusal::WrongLedger,
                400,
            )
            .await;
        plant
            .refuses("nonce", &owner.sign(u64::MAX, 100, vec![record()]), Refusal::NonceTooFar, 422)
            .await;
        let late = Submission::from(&owner.sign(9, 0, vec![record()]));
        plant.refused("expired", &late, Refusal::Expired, 422).await;
        let early = Submission::from(&owner.sign(9, u64::MAX, vec![record()]));
        plant.refused("expiry", &early, Refusal::ExpiryTooFar, 422).await;
        let others = vec![Action::RetireThing { thing: plant.thing }];
        plant
            .refuses("not the owner", &gateway.sign(9, 100, others), Refusal::NotPermitted, 403)
            .await;
        let (_, mut twice) = Signer::registration(&owner.ledger, EntityKind::Device, "D", &key(12));
        if let Action::RegisterEntity { possession, .. } = &mut twice {
            possession.0[3] ^= 1;
        }
        plant
            .refuses("possession", &owner.sign(9, 100, vec![twice]), Refusal::BadPossession, 403)
            .await;

        // The old key, and after that the new one of an entity that is revoked.
        plant.own(vec![Signer::rotation(&owner.ledger, gateway.entity, &key(10))]).await;
        let old = plant.batch(2, &numbers(&[9]));
        plant.refused("key that was replaced", &old, Refusal::BadSignature, 403).await;
        plant.own(vec![Action::RevokeEntity { entity: gateway.entity }]).await;
        let new = Signer { key: key(10), ..gateway };
        plant
            .refuses("revoked key", &new.sign(9, 100, vec![record()]), Refusal::EntityRevoked, 403)
            .await;
        assert_eq!(plant.values().await, [1, 2]);
    });
}

#[test]
fn what_is_submitted() {
    with_peer(Config::standard(), |host| async move {
        let plant = Plant::found(host).await;
        let stream = plant.stream;
        plant.accepted(&plant.batch(0, &numbers(&[1, 2, 3]))).await;

        let overlap = plant.batch(2, &numbers(&[9, 9]));
        plant.refused("overlap", &overlap, Refusal::SequenceOverlap, 409).await;
        let far = plant.batch(2_000_000, &numbers(&[9]));
        plant.refused("too far ahead", &far, Refusal::SequenceTooFar, 422).await;
        let text = plant.batch(3, &payload(&[Value::Text("warm".into())]));
        plant.refused("wrong type", &text, Refusal::SchemaMismatch, 422).await;
        let hot = plant.batch(3, &numbers(&[1501]));
        plant.refused("out of range", &hot, Refusal::SchemaMismatch, 422).await;
        let mut ahead = numbers(&[9]);
        ahead.readings[0].claimed_ms += 3_600_000;
        ahead.readings[0].received_ms += 3_600_000;
        let ahead = plant.batch(3, &ahead);
        plant.refused("clock an hour ahead", &ahead, Refusal::TimeOutOfRange, 422).await;
        let bare = Submission { payloads: vec![], ..plant.batch(3, &numbers(&[9])) };
        plant.refused("no payload", &bare, Refusal::PayloadMissing, 400).await;
        let other = vec![numbers(&[8]).to_wire().into()];
        let other = Submission { payloads: other, ..plant.batch(3, &numbers(&[9])) };
        plant.refused("another payload", &other, Refusal::PayloadMismatch, 400).await;
        let long = vec![vec![0; PAYLOAD_BYTES_MAX + 1].into()];
        let long = Submission { payloads: long, ..plant.batch(3, &numbers(&[9])) };
        plant.refused("payload too long", &long, Refusal::TooLarge, 413).await;

        let owner = plant.host.organisation.signer().clone();
        // Made once: its times are the clock's.
        let payload = numbers(&[9]);
        let header = payload.header(stream, 3);
        // The owner may submit for its own thing; a peer of the genesis has nothing to do with it.
        let entity = plant.host.genesis.peers[0].inception.id();
        let peer = Signer { entity, key: key(2), ..owner.clone() };
        let unbound = peer.sign(0, 100, vec![Action::SubmitBatch(header)]);
        let unbound =
            Submission { payloads: vec![payload.to_wire().into()], ..Submission::from(&unbound) };
        plant.refused("not bound", &unbound, Refusal::NotBound, 403).await;
        for (what, text, refusal, status) in [
            ("deep nesting", b"[".repeat(10_000), Refusal::BadDescription, 422),
            ("no description", b"hello".to_vec(), Refusal::BadDescription, 422),
            ("oversize", vec![b' '; DESCRIPTION_BYTES_MAX + 1], Refusal::OutOfBounds, 400),
            ("far oversize", vec![b' '; 2 * DESCRIPTION_BYTES_MAX], Refusal::TooLarge, 413),
        ] {
            let action = Action::RegisterThing { name: "other".into(), description: text };
            plant.refuses(what, &owner.sign(9, 100, vec![action]), refusal, status).await;
        }
        let update =
            |description| Action::UpdateThing { thing: plant.thing, replaces: 1, description };
        let kelvin = vec![update(description("K"))];
        plant.refuses("wrong unit", &owner.sign(9, 100, kelvin), Refusal::SchemaChanged, 409).await;

        // A gap is no error: it is recorded, and filled when the rest arrives.
        plant.accepted(&plant.batch(5, &numbers(&[6, 7]))).await;
        let gaps = plant.host.client.gaps(&stream, &query::List::default()).await.unwrap();
        let told: Vec<_> = gaps.items.iter().map(|gap| (gap.first_seq, gap.last_seq)).collect();
        assert_eq!(told, [(3, 4)]);
        plant.accepted(&plant.batch(3, &numbers(&[4, 5]))).await;
        assert_eq!(plant.values().await, [1, 2, 3, 4, 5, 6, 7]);
    });
}
