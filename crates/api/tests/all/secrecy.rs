//! A confidential stream and its erasure through the interface of a peer that runs.

use althing_api::Config;
use althing_client::{
    Account, Client, Signer, Submission, Unsealer,
    model::{Readings, query},
};
use althing_proof::{bundle::VerifiedClaim, verify};
use althing_types::{
    Action, AgreementSecret, BatchHeader, Cipher, EntityId, EntityKind, KeyShare, Payload, Reading,
    Refusal, StreamId, StreamKey, ThingId, Value, Wire as _,
};
use rand::rngs::OsRng;

use crate::support::{Host, PATIENCE, key, with_peer};

const DESCRIPTION: &str = r#"{
  "@context": "https://www.w3.org/2022/wot/td/v1.1",
  "title": "Vault",
  "securityDefinitions": {"none": {"scheme": "nosec"}},
  "security": "none",
  "properties": {
    "level": {"type": "integer", "forms": [{"href": "mqtt://gateway/level"}]},
    "note": {"type": "integer", "forms": [{"href": "mqtt://gateway/note"}]}
  }
}"#;
const CIPHER: Cipher = Cipher::ChaCha20Poly1305;
/// So many milliseconds ago readings were measured.
const AGO_MS: i64 = 5_000;

async fn perform(host: &Host, account: &Account, actions: Vec<Action>) -> u64 {
    let transaction = account.sign(actions);
    let outcome = host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap();
    assert_eq!(outcome.receipt.refusal, None, "{outcome:?}");
    host.client.read_from(outcome.height);
    outcome.height
}

/// A thing of the organisation, and a service that may read it.
struct Vault {
    stream: StreamId,
    note: StreamId,
    owner: EntityId,
    reader: EntityId,
}

async fn found(host: &Host) -> Vault {
    let ledger = host.genesis.ledger();
    let owner = host.organisation.signer().entity;
    let (reader, register) = Signer::registration(&ledger, EntityKind::Service, "S", &key(9));
    let description = DESCRIPTION.into();
    let thing = ThingId::derive(&owner, "vault");
    let actions = vec![register, Action::RegisterThing { name: "vault".into(), description }];
    perform(host, &host.organisation, actions).await;
    let service = Signer { ledger, entity: reader, key: key(9) };
    let service = Account::open(&host.client, service).await.unwrap();
    for (account, seed) in [(&host.organisation, 1), (&service, 9)] {
        let key = AgreementSecret::of(&key(seed)).public_key();
        perform(host, account, vec![Action::SetAgreementKey { key }]).await;
    }
    let stream = |name| StreamId::derive(&thing, name);
    Vault { stream: stream("level"), note: stream("note"), owner, reader }
}

fn stream_key(number: u32) -> StreamKey {
    StreamKey::new(CIPHER, number, [number as u8; 32])
}

async fn rotate(host: &Host, vault: &Vault, number: u32, readers: &[EntityId]) {
    let (ledger, stream) = (host.genesis.ledger(), vault.stream);
    let mut shares: Vec<KeyShare> = Vec::new();
    for reader in readers {
        let to = host.client.agreement(reader).await.unwrap().to_key().unwrap();
        let key = stream_key(number);
        shares.push(key.share(&ledger, &stream, *reader, &to, &mut OsRng).unwrap());
    }
    shares.sort_by_key(|share| share.reader);
    let rotation = Action::RotateStreamKey { stream, number, cipher: CIPHER, shares };
    let height = perform(host, &host.organisation, vec![rotation]).await;
    // It counts for payloads from the result that states it.
    while host.client.status().await.unwrap().height < height + 2 {
        tokio::task::yield_now().await;
    }
}

async fn now_ms(host: &Host) -> i64 {
    let height = host.client.status().await.unwrap().height;
    host.client.block(height, &<_>::default()).await.unwrap().summary.time.0
}

fn payload(claimed_ms: i64, values: &[i64]) -> Payload {
    let reading =
        |value: &i64| Reading { claimed_ms, received_ms: claimed_ms, value: Value::Number(*value) };
    Payload { readings: values.iter().map(reading).collect() }
}

/// What becomes of a batch: the code of its refusal, if it is refused.
async fn submit(host: &Host, header: BatchHeader, bytes: Vec<u8>) -> Result<u64, String> {
    let transaction = host.organisation.sign(vec![Action::SubmitBatch(header)]);
    let submission = Submission { payloads: vec![bytes.into()], ..Submission::from(&transaction) };
    match host.client.finalize(&submission, PATIENCE).await {
        Ok(outcome) => match outcome.receipt.refusal {
            None => {
                host.client.read_from(outcome.height);
                Ok(outcome.height)
            }
            Some(refusal) => Err(refusal.code),
        },
        Err(error) => Err(error.code().unwrap_or("another error").to_owned()),
    }
}

fn sealed(vault: &Vault, number: u32, first_seq: u64, payload: &Payload) -> (BatchHeader, Vec<u8>) {
    let plain = payload.header(vault.stream, first_seq);
    stream_key(number).seal(&plain, &payload.to_wire()).unwrap()
}

fn values(page: &Readings) -> Vec<(u64, String)> {
    page.items.iter().map(|reading| (reading.seq, reading.value.clone())).collect()
}

async fn read_as(host: &Host, vault: &Vault, entity: EntityId, seed: u8) -> Readings {
    let unsealer = Unsealer::new(host.genesis.ledger(), entity, &key(seed));
    let mut page = host.client.readings(&vault.stream, &<_>::default()).await.unwrap();
    unsealer.open(&host.client, &mut page).await.unwrap();
    page
}

#[test]
fn a_confidential_stream_is_read_by_those_who_were_given_its_key() {
    with_peer(Config::standard(), |host| async move {
        let vault = found(&host).await;
        rotate(&host, &vault, 1, &[vault.owner, vault.reader]).await;
        let shown = host.client.stream(&vault.stream).await.unwrap().secrecy.unwrap();
        assert_eq!((shown.key_number, shown.cipher.as_str()), (1, "chacha20-poly1305"));

        let early_ms = now_ms(&host).await - AGO_MS;
        let first = payload(early_ms, &[41, -7]);
        let plain = (first.header(vault.stream, 0), first.to_wire());
        assert_eq!(submit(&host, plain.0, plain.1).await, Err("not_sealed".to_owned()));
        let (header, bytes) = sealed(&vault, 2, 0, &first);
        assert_eq!(submit(&host, header, bytes).await, Err("unknown_stream_key".to_owned()));
        let (header, bytes) = sealed(&vault, 1, 0, &first);
        let open = header.clone();
        let tells = BatchHeader { min: Some(-7), max: Some(41), sum: 34, ..open };
        assert_eq!(submit(&host, tells, bytes.clone()).await, Err("not_sealed".to_owned()));
        submit(&host, header, bytes).await.unwrap();
        // The other property is no secret: nothing there may be sealed.
        let note = payload(early_ms, &[5]);
        let (header, bytes) =
            stream_key(1).seal(&note.header(vault.note, 0), &note.to_wire()).unwrap();
        assert_eq!(submit(&host, header, bytes).await, Err("payload_mismatch".to_owned()));

        // Whoever has no key sees that there are readings, and when, and nothing of their values.
        let stranger = host.client.readings(&vault.stream, &<_>::default()).await.unwrap();
        assert_eq!((stranger.items.len(), stranger.sealed.len()), (0, 1));
        let latest = host.client.latest(&vault.stream, 1).await.unwrap();
        assert_eq!((latest.items.len(), latest.sealed[0].count), (0, 2));
        let total = host.client.stream(&vault.stream).await.unwrap().total.unwrap();
        assert_eq!((total.count, total.min, total.max, total.sum), (2, None, None, None));
        let buckets = host.client.aggregates(&vault.stream, &<_>::default()).await.unwrap();
        assert!(buckets.items.iter().all(|bucket| bucket.of.min.is_none()));

        let expected = [(0, "41".to_owned()), (1, "-7".to_owned())];
        assert_eq!(values(&read_as(&host, &vault, vault.reader, 9).await), expected);
        assert_eq!(values(&read_as(&host, &vault, vault.owner, 1).await), expected);
        // Somebody else's key does not unwrap what was wrapped to the reader.
        let thief = read_as(&host, &vault, vault.reader, 77).await;
        assert_eq!((thief.items.len(), thief.sealed.len()), (0, 1));

        // Revoked: the next key is not wrapped to the service. What it had, it still reads.
        rotate(&host, &vault, 2, &[vault.owner]).await;
        let (header, bytes) = sealed(&vault, 1, 2, &payload(early_ms, &[8]));
        submit(&host, header, bytes).await.unwrap();
        let late = payload(now_ms(&host).await + 70_000, &[9]);
        let (header, bytes) = sealed(&vault, 1, 3, &late);
        let stale = submit(&host, header, bytes).await;
        assert_eq!(stale, Err(Refusal::StaleStreamKey.code().to_owned()));
        let (header, bytes) = sealed(&vault, 2, 3, &payload(early_ms, &[10]));
        submit(&host, header, bytes).await.unwrap();
        let seqs = |page: &Readings| page.items.iter().map(|it| it.seq).collect::<Vec<_>>();
        let reader = read_as(&host, &vault, vault.reader, 9).await;
        assert_eq!((seqs(&reader), reader.sealed.len()), (vec![0, 1, 2], 1));
        assert_eq!(seqs(&read_as(&host, &vault, vault.owner, 1).await), [0, 1, 2, 3]);

        // A proof needs no key, and shows the value to whoever has it.
        let bytes = host.client.prove_reading(&vault.stream, 1).await.unwrap();
        let shown = verify(&bytes, &host.genesis).unwrap();
        let VerifiedClaim::Range { stream, mut answer } = shown.claim else { panic!() };
        assert_eq!((answer.readings().count(), answer.sealed().count()), (0, 1));
        answer.open(stream.stream, &stream.schema, &stream_key(1)).unwrap();
        let read: Vec<_> = answer.readings().map(|(seq, it)| (seq, it.value.clone())).collect();
        assert_eq!(read, [(1, Value::Number(-7))]);
    });
}

async fn erased(client: &Client, stream: &StreamId) -> althing_client::model::Erasure {
    let waited = async {
        loop {
            let erasures = client.erasures(stream).await.unwrap();
            if let Some(erasure) = erasures.items.into_iter().find(|it| it.awaited.is_empty()) {
                return erasure;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap()
}

/// What an owner erases is gone from the disk of the peer, which says so with its signature; the
/// batches stay in the tree, so that what remains is still proven. Equal bytes of another stream are
/// not its to erase.
#[test]
fn what_is_erased_is_gone_confirmed_and_still_proven() {
    with_peer(Config::standard(), |host| async move {
        let vault = found(&host).await;
        let begin = host.client.status().await.unwrap().height;
        while host.client.status().await.unwrap().height < begin + 2 {
            tokio::task::yield_now().await;
        }
        let at_ms = now_ms(&host).await - AGO_MS;
        for (first_seq, values) in [(0, [1, 2]), (2, [3, 4]), (4, [5, 6])] {
            let payload = payload(at_ms, &values);
            submit(&host, payload.header(vault.stream, first_seq), payload.to_wire())
                .await
                .unwrap();
        }
        let twin = payload(at_ms, &[3, 4]);
        submit(&host, twin.header(vault.note, 0), twin.to_wire()).await.unwrap();

        let holders = host.client.holders(&vault.stream, &<_>::default()).await.unwrap();
        assert_eq!(holders.peers.len(), 1);
        // Number 1 is in a batch with number 0, 2 and 3 are a batch of the same bytes as the twin.
        let erase = Action::EraseReadings { stream: vault.stream, first_seq: 1, last_seq: 2 };
        let height = perform(&host, &host.organisation, vec![erase]).await;
        let erasure = erased(&host.client, &vault.stream).await;
        assert_eq!((erasure.number, erasure.height), (0, height));
        assert_eq!(erasure.confirmed[0].holder, holders.peers[0]);

        // What the twin has too is kept, and the erasure says so and for whom.
        let [kept] = erasure.kept.as_slice() else { panic!("{:?}", erasure.kept) };
        assert_eq!((kept.stream.0, kept.payloads), (vault.note, 1));
        let shown = host.client.holders(&vault.stream, &<_>::default()).await.unwrap().batches;
        let shown: Vec<_> = shown.iter().map(|it| (it.first_seq, it.here, it.erased)).collect();
        assert_eq!(shown, [(4, true, false), (2, true, true), (0, false, true)]);

        let all = query::Readings::default();
        let page = host.client.readings(&vault.stream, &all).await.unwrap();
        assert_eq!(page.unavailable, [0]);
        let twins = host.client.readings(&vault.note, &all).await.unwrap();
        assert_eq!(values(&twins), [(0, "3".to_owned()), (1, "4".to_owned())]);
        assert!(host.client.prove_reading(&vault.stream, 0).await.is_err());

        let range = query::Range { first_seq: Some(0), last_seq: Some(5), ..<_>::default() };
        let bytes = host.client.prove_range(&vault.stream, &range).await.unwrap();
        let shown = verify(&bytes, &host.genesis).unwrap();
        let VerifiedClaim::Range { answer, .. } = shown.claim else { panic!() };
        assert_eq!(answer.without_payload().map(|batch| batch.index).collect::<Vec<_>>(), [0]);
        // The twin is erased too: now nobody refers to the bytes.
        let erase = Action::EraseReadings { stream: vault.note, first_seq: 0, last_seq: 0 };
        perform(&host, &host.organisation, vec![erase]).await;
        erased(&host.client, &vault.note).await;
        assert!(erased(&host.client, &vault.stream).await.kept.is_empty());
        let page = host.client.readings(&vault.stream, &all).await.unwrap();
        assert_eq!(page.unavailable, [0, 1]);
        assert_eq!(values(&page), [(4, "5".to_owned()), (5, "6".to_owned())]);
        // Not asked of others either: it is not missing.
        assert_eq!(host.client.status().await.unwrap().payloads_missing, 0);
    });
}
