//! The interface of a running peer, seen by the client.

use std::time::Duration;

use althing_api::Config;
use althing_client::{
    Account, Signer, Submission,
    model::{
        Cursor, Effect, Event, HealthState, Hex, IdText, TransactionStatus, When,
        query::{self, List},
    },
};
use althing_proof::{bundle::VerifiedClaim, verify};
use althing_types::{
    Action, Cause, Effect as Deed, EntityKind, Payload, Reading, Record, Refusal, StreamId,
    ThingId, Transaction, Trigger, Value, Wire as _,
};

use crate::support::{Host, PATIENCE, key, with_peer};

const DESCRIPTION: &str = r#"{
  "@context": "https://www.w3.org/2022/wot/td/v1.1",
  "@type": "Thermometer",
  "title": "Office thermometer",
  "securityDefinitions": {"none": {"scheme": "nosec"}},
  "security": "none",
  "properties": {
    "temperature": {
      "type": "number", "unit": "degree Celsius", "multipleOf": 0.01, "readOnly": true,
      "forms": [{"href": "mqtt://gateway/temperature"}]
    },
    "open": {"type": "boolean", "readOnly": true, "forms": [{"href": "mqtt://gateway/open"}]}
  }
}"#;

/// Readings of one batch: a value every minute from a minute on.
fn batch(account: &Account, stream: StreamId, first_seq: u64, values: &[i64]) -> Submission {
    let readings = (first_seq..).zip(values).map(|(seq, value)| {
        let claimed_ms = 1_700_000_000_000 + seq as i64 * 60_000;
        Reading { claimed_ms, received_ms: claimed_ms + 40, value: Value::Number(*value) }
    });
    let payload = Payload { readings: readings.collect() };
    let header = payload.header(stream, first_seq);
    let transaction = account.sign(vec![Action::SubmitBatch(header)]);
    Submission { payloads: vec![payload.to_wire().into()], ..Submission::from(&transaction) }
}

struct Harbour {
    thing: ThingId,
    stream: StreamId,
    gateway: Account,
}

/// Registers a gateway and a thing, and binds them.
async fn found(host: &Host) -> Harbour {
    let ledger = host.genesis.ledger();
    let owner = host.organisation.signer().entity;
    let (gateway, register) = Signer::registration(&ledger, EntityKind::Gateway, "G", &key(9));
    let thing = ThingId::derive(&owner, "thermometer");
    let actions = vec![
        register,
        Action::RegisterThing { name: "thermometer".into(), description: DESCRIPTION.into() },
        Action::Bind { thing, gateway, until_height: 1_000_000 },
    ];
    let transaction = host.organisation.sign(actions);
    let outcome = host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap();
    assert_eq!(outcome.receipt.effect, Effect::Applied, "{outcome:?}");
    assert_eq!(outcome.receipt.events.len(), 3);
    let signer = Signer { ledger, entity: gateway, key: key(9) };
    let gateway = Account::open(&host.client, signer).await.unwrap();
    Harbour { thing, stream: StreamId::derive(&thing, "temperature"), gateway }
}

#[test]
fn a_reading_is_submitted_found_and_proved() {
    with_peer(Config::standard(), |host| async move {
        let client = &host.client;
        let mut events = client.events(&query::Events::default()).await.unwrap();
        let Harbour { thing, stream, gateway } = found(&host).await;
        let first = batch(&gateway, stream, 0, &[2150, 2151, -7]);
        let outcome = client.finalize(&first, PATIENCE).await.unwrap();
        let accepted = |event: &Event| matches!(event, Event::BatchAccepted { count: 3, .. });
        assert!(outcome.receipt.events.iter().any(accepted), "{outcome:?}");

        let page = client.readings(&stream, &query::Readings::default()).await.unwrap();
        let values: Vec<_> = page.items.iter().map(|reading| reading.value.as_str()).collect();
        assert_eq!(values, ["21.50", "21.51", "-0.07"]);
        assert_eq!((page.unit.as_str(), page.kind.as_str()), ("degree Celsius", "number"));
        assert_eq!(page.items[0].height, outcome.height);

        let bytes = client.prove_reading(&stream, 1).await.unwrap();
        let verified = verify(&bytes, &host.genesis).unwrap();
        let VerifiedClaim::Reading(reading) = verified.claim else { panic!("{verified:?}") };
        assert_eq!(reading.value, Value::Number(2151));

        let found = client.thing(&thing).await.unwrap();
        assert_eq!(
            (found.title.as_str(), found.name.as_str()),
            ("Office thermometer", "thermometer")
        );
        assert_eq!(found.properties.len(), 2);
        let temperature = found.properties.iter().find(|p| p.name == "temperature").unwrap();
        assert_eq!(temperature.latest.as_ref().unwrap().reading.value, "-0.07");
        assert_eq!(found.bindings.len(), 1);
        assert_eq!(client.description(&thing, None).await.unwrap(), DESCRIPTION);
        assert_eq!(client.description(&thing, Some(1)).await.unwrap(), DESCRIPTION);
        let none = client.description(&thing, Some(2)).await.unwrap_err();
        assert_eq!(none.code(), Some("unknown_version"));

        let mut seen = Vec::new();
        while seen.last() != Some(&"batch_accepted") {
            seen.push(events.next().await.unwrap().unwrap().event.name());
        }
        assert_eq!(seen, ["entity_registered", "thing_registered", "bound", "batch_accepted"]);
        let again = query::Events { after: Some(Cursor::default()), ..Default::default() };
        let mut again = client.events(&again).await.unwrap();
        assert_eq!(again.next().await.unwrap().unwrap().event.name(), "entity_registered");
    });
}

#[test]
fn ranges_aggregates_and_gaps_come_with_what_is_missing() {
    with_peer(Config::standard(), |host| async move {
        let client = &host.client;
        let Harbour { stream, gateway, .. } = found(&host).await;
        // Numbers 0 to 99 in batches of ten; 50 to 59 come last, 70 to 79 never.
        let order = [0, 10, 20, 30, 40, 60, 80, 90, 50];
        let submissions: Vec<_> = order
            .map(|first| batch(&gateway, stream, first, &Vec::from_iter((0..10).map(|i| i + 100))))
            .into();
        // One after the other, so that the gap is there when it is filled.
        for submission in &submissions {
            let outcome = client.finalize(submission, PATIENCE).await.unwrap();
            assert_eq!(outcome.receipt.effect, Effect::Applied, "{outcome:?}");
        }

        let mut all = Vec::new();
        let mut asked = query::Readings { limit: Some(7), ..Default::default() };
        loop {
            let page = client.readings(&stream, &asked).await.unwrap();
            all.extend(page.items.iter().map(|reading| reading.seq));
            let Some(next) = page.next else { break };
            asked.after = Some(next);
        }
        let expected: Vec<u64> = (0..70).chain(80..100).collect();
        assert_eq!(all, expected);

        let at = |seq: i64| Some(When(1_700_000_000_000 + seq * 60_000));
        let asked = query::Readings { from: at(48), until: at(81), ..Default::default() };
        let page = client.readings(&stream, &asked).await.unwrap();
        let seqs: Vec<_> = page.items.iter().map(|reading| reading.seq).collect();
        assert_eq!(seqs, Vec::from_iter((48..70).chain(80..82)));
        let latest = client.latest(&stream, 3).await.unwrap();
        let seqs: Vec<_> = latest.items.iter().map(|reading| reading.seq).collect();
        assert_eq!(seqs, [97, 98, 99]);

        let gaps = client.gaps(&stream, &List::default()).await.unwrap();
        assert_eq!(gaps.items.len(), 1);
        assert_eq!((gaps.items[0].first_seq, gaps.items[0].last_seq), (70, 79));
        assert!(gaps.items[0].open);

        let asked = query::Aggregates { bucket_ms: Some(3_600_000), ..Default::default() };
        let buckets = client.aggregates(&stream, &asked).await.unwrap();
        let count: u64 = buckets.items.iter().map(|bucket| bucket.of.count).sum();
        assert_eq!(count, 90);
        let of = &buckets.items[0].of;
        assert_eq!((of.min.as_deref(), of.max.as_deref()), (Some("1.00"), Some("1.09")));
        let few = query::Aggregates { buckets: Some(5), ..Default::default() };
        assert!(client.aggregates(&stream, &few).await.unwrap().items.len() <= 5);

        let range = query::Range { first_seq: Some(45), last_seq: Some(62), ..Default::default() };
        let bytes = client.prove_range(&stream, &range).await.unwrap();
        let verified = verify(&bytes, &host.genesis).unwrap();
        let VerifiedClaim::Range { answer, .. } = verified.claim else { panic!("{verified:?}") };
        let seqs: Vec<_> = answer.readings().map(|(seq, _)| seq).collect();
        assert_eq!(seqs, Vec::from_iter(45..=62));
        let bytes = client.prove_aggregate(&stream, &query::Range::default()).await.unwrap();
        let verified = verify(&bytes, &host.genesis).unwrap();
        let VerifiedClaim::Aggregate { aggregate, .. } = verified.claim else {
            panic!("{verified:?}")
        };
        assert_eq!((aggregate.count, aggregate.min), (90, Some(100)));
    });
}

#[test]
fn a_run_of_a_trigger_is_proved_and_one_that_never_was_is_not() {
    with_peer(Config::standard(), |host| async move {
        let client = &host.client;
        let owner = host.organisation.signer().entity;
        let note = Record { kind: "tick".into(), data: vec![7], notify: vec![], link: None };
        let cause = Cause::Time { first_ms: 1, every_ms: 0 };
        let trigger = Trigger { name: "once".into(), cause, effect: Deed::Record(note) };
        let id = trigger.id(&owner);
        let set = host.organisation.sign(vec![Action::SetTrigger(trigger)]);
        let outcome = client.finalize_transaction(&set, PATIENCE).await.unwrap();
        let mut events =
            client.events(&query::Events { after: None, ..Default::default() }).await.unwrap();
        let height = loop {
            let event = events.next().await.unwrap().unwrap();
            if matches!(&event.event, Event::Recorded { kind, .. } if kind == "tick") {
                break event.height;
            }
        };
        assert!(height > outcome.height);

        let bytes = client.prove_run(&id, height).await.unwrap();
        let verified = verify(&bytes, &host.genesis).unwrap();
        let VerifiedClaim::Run(run) = verified.claim else { panic!("{verified:?}") };
        assert_eq!((run.trigger, run.height, run.receipt.code), (id, height, 0));
        for (trigger, height) in [(id, height - 1), (id, height + 1_000_000)] {
            let error = client.prove_run(&trigger, height).await.unwrap_err();
            assert_eq!(error.code(), Some("unknown_run"), "{error}");
        }
    });
}

#[test]
fn records_blocks_keys_and_receipts_are_found_and_proved() {
    with_peer(Config::standard(), |host| async move {
        let client = &host.client;
        let owner = host.organisation.signer().entity;
        let note =
            Record { kind: "note".into(), data: vec![1, 2], notify: vec![owner], link: None };
        let transaction = host.organisation.sign(vec![Action::Record(note)]);
        let outcome = client.finalize_transaction(&transaction, PATIENCE).await.unwrap();
        assert!(
            matches!(&outcome.receipt.events[..], [Event::Recorded { kind, .. }] if kind == "note")
        );

        let found = client.transaction(&transaction.id()).await.unwrap();
        assert_eq!(found.status, TransactionStatus::Finalized);
        assert_eq!(found.outcome.as_ref(), Some(&outcome));
        let block = client.block(outcome.height, &List::default()).await.unwrap();
        assert_eq!(block.transaction_ids, [Hex(transaction.id())]);
        let blocks = client.blocks(&query::Blocks::default()).await.unwrap();
        assert!(blocks.items.iter().any(|one| one.digest == block.summary.digest));
        let bytes = client.prove_receipt(&transaction.id()).await.unwrap();
        let verified = verify(&bytes, &host.genesis).unwrap();
        assert!(matches!(verified.claim, VerifiedClaim::Transaction(_)), "{verified:?}");

        let rotation = Signer::rotation(&host.genesis.ledger(), owner, &key(77));
        let rotate = host.organisation.sign(vec![rotation]);
        client.finalize_transaction(&rotate, PATIENCE).await.unwrap();
        let keys = client.keys(&owner, &List::default()).await.unwrap().items;
        assert_eq!(keys.len(), 2);
        assert_eq!((keys[0].version, keys[1].version), (1, 2));
        assert!(keys[0].until_height.is_some() && keys[1].until_height.is_none());
        let entity = client.entity(&owner).await.unwrap();
        assert_eq!((entity.key_version, entity.active), (2, true));
        let document = client.resolve(&entity.id.to_string()).await.unwrap();
        assert!(document.verification_method[0].id.ends_with("#key-2"));
        let owned = query::Entities { owner: Some(IdText::from(owner)), ..Default::default() };
        assert_eq!(client.entities(&owned).await.unwrap().items[0].name, "Quay");

        let raw = althing_proof::key::entity(&owner);
        for (raw, there) in [(raw, true), (b"t/nothing".to_vec(), false)] {
            let bytes = client.prove_state(&raw).await.unwrap();
            let VerifiedClaim::State { value, .. } = verify(&bytes, &host.genesis).unwrap().claim
            else {
                panic!("no state");
            };
            assert_eq!(value.is_some(), there);
        }
    });
}

#[test]
fn a_peer_tells_how_it_is_and_what_network_it_serves() {
    with_peer(Config::standard(), |host| async move {
        let client = &host.client;
        found(&host).await;
        let status = client.status().await.unwrap();
        assert_eq!((status.network.as_str(), status.phase.as_str()), ("test", "voting"));
        let health = client.health().await.unwrap();
        assert_eq!(health.state, HealthState::Ready, "{health:?}");
        // The root it computed is the one that a later block comes to state for that height.
        let stated = || async {
            let blocks = client.blocks(&query::Blocks::default()).await.unwrap().items;
            blocks.into_iter().find(|block| block.result.height == status.height)
        };
        let stated = tokio::time::timeout(PATIENCE, async {
            loop {
                match stated().await {
                    Some(block) => break block.result,
                    None => tokio::task::yield_now().await,
                }
            }
        });
        assert_eq!(stated.await.unwrap().state_root, status.state_root);
        let peers = client.peers().await.unwrap().items;
        assert_eq!((peers[0].name.as_str(), peers[0].this), ("Quay", true));
        assert_eq!(client.genesis().await.unwrap(), host.genesis);
        let metrics = client.metrics().await.unwrap();
        assert!(metrics.contains("\nalthing_transactions_executed_total 1\n"), "{metrics}");
        client.read_from(u64::MAX);
        let behind = client.status().await.unwrap_err();
        assert_eq!(behind.code(), Some("behind"));
        assert!(behind.is_temporary());
    });
}

#[test]
fn refusals_come_with_their_codes_and_many_are_answered_one_by_one() {
    with_peer(Config::standard(), |host| async move {
        let client = &host.client;
        let record = |kind: &str| {
            Action::Record(Record { kind: kind.into(), data: vec![], notify: vec![], link: None })
        };
        let forged = |of: &Transaction| {
            let mut wire = of.wire().to_vec();
            *wire.last_mut().unwrap() ^= 1;
            Submission { transaction: wire.into(), payloads: vec![] }
        };
        let good = host.organisation.sign(vec![record("a")]);
        let stranger = Signer { entity: Default::default(), ..host.organisation.signer().clone() };
        let unknown = stranger.sign(0, 100, vec![record("b")]);
        let all = [Submission::from(&good), forged(&good), Submission::from(&unknown)];
        let admissions = client.finalize_many(&all, PATIENCE).await.unwrap();
        let codes: Vec<_> =
            admissions.iter().map(|one| one.problem.as_ref().map(|p| p.code.as_str())).collect();
        assert_eq!(codes, [None, Some("bad_signature"), Some("unknown_entity")]);
        assert_eq!(admissions[0].status, TransactionStatus::Finalized);
        // The signature is looked at before what costs more: whoever cannot sign must not make a peer work.
        let unregistered = forged(
            &host.organisation.sign(vec![Action::RevokeEntity { entity: Default::default() }]),
        );
        let error = client.submit(&unregistered).await.unwrap_err();
        assert_eq!(error.code(), Some(Refusal::BadSignature.code()));
        // What comes too late is refused before that, whoever signed it.
        for late in &all[..2] {
            let again = client.submit(late).await.unwrap_err();
            assert_eq!(again.code(), Some("nonce_reused"));
        }
        let never = client.wait(Default::default(), Duration::from_millis(50)).await.unwrap_err();
        assert_eq!(never.code(), Some("unknown_transaction"));
    });
}
