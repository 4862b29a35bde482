//! What operators do, and who is none.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use althing_api::{Config, Goals};
use althing_client::{
    Account, Client, ReadingAs, Signer,
    model::{Alarm, Cursor, LogEntry, OPERATE_PURPOSE, query},
    operating::{self, MACHINE_ENTITY, act_purpose},
};
use althing_types::{Action, EntityId, EntityKind, Reader, Record, SigningKey, Wire as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Host, PATIENCE, genesis, key, with_peer};

/// Operators: the harbour. Auditors: an entity that each test registers under key 8.
fn config(data: &std::path::Path) -> Config {
    Config {
        operators: vec![harbour()],
        auditors: vec![auditor()],
        data: Some(data.to_path_buf()),
        ..Config::standard()
    }
}

fn harbour() -> EntityId {
    genesis().organisations[0].inception.id()
}

fn auditor() -> EntityId {
    Signer::registration(&genesis().ledger(), EntityKind::Person, "A", &key(8)).0
}

async fn perform(host: &Host, account: &Account, action: Action) {
    let transaction = account.sign(vec![action]);
    let outcome = host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap();
    assert_eq!(outcome.receipt.refusal, None, "{outcome:?}");
    host.client.read_from(outcome.height);
}

async fn register(host: &Host, name: &str, key: &SigningKey) -> EntityId {
    let ledger = host.genesis.ledger();
    let (entity, action) = Signer::registration(&ledger, EntityKind::Person, name, key);
    perform(host, &host.organisation, action).await;
    entity
}

fn as_operator(client: &Client, entity: EntityId, key: SigningKey) -> Client {
    client.reading_as(ReadingAs { entity, key, purpose: OPERATE_PURPOSE.into() })
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// What a token says, and whose key signs it.
#[derive(Clone)]
struct Said {
    reader: Reader,
    key: SigningKey,
}

impl Said {
    fn bearer(&self) -> String {
        format!("Bearer {}", hex::encode(self.reader.clone().sign(&self.key).to_wire()))
    }
}

/// Status and code of the answer to a request.
async fn asked(url: &str, method: &str, path: &str, bearer: &str, body: &str) -> (u16, String) {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let authorization =
        if bearer.is_empty() { String::new() } else { format!("authorization: {bearer}\r\n") };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\n{authorization}content-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let problem = answer.split_once("\r\n\r\n").unwrap().1;
    let problem: serde_json::Value = serde_json::from_str(problem).unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn only_a_token_of_an_operator_for_this_one_act_counts_and_counts_once() {
    const PATH: &str = "/v1/alarms/7/acknowledge";
    const BODY: &str = "{\"note\":\"\"}";
    let folder = tempfile::tempdir().unwrap();
    with_peer(config(folder.path()), |host| async move {
        register(&host, "A", &key(8)).await;
        let other = register(&host, "B", &key(9)).await;
        let machine = operating::machine_key(folder.path()).unwrap();
        let purpose = act_purpose("POST", PATH, BODY.as_bytes());
        let good = Said {
            reader: Reader {
                ledger: host.genesis.ledger(),
                peer: host.genesis.peers[0].key,
                entity: harbour(),
                purpose,
                until_ms: now_ms() + 30_000,
            },
            key: key(1),
        };
        type Change = fn(&mut Said);
        let refused: [(&str, Change, &str); 13] = [
            ("a reader's", |one| one.reader.purpose = "billing".into(), "not_an_operator"),
            ("of no purpose", |one| one.reader.purpose.clear(), "not_an_operator"),
            ("of a look", |one| one.reader.purpose = OPERATE_PURPOSE.into(), "token_used"),
            (
                "of another act",
                |one| one.reader.purpose = act_purpose("POST", PATH, b"{}"),
                "token_used",
            ),
            (
                "of another path",
                |one| {
                    one.reader.purpose = act_purpose("POST", "/v1/operation/stop", BODY.as_bytes())
                },
                "token_used",
            ),
            ("for another peer", |one| one.reader.peer = [7; 32], "bad_token"),
            ("for another ledger", |one| one.reader.ledger.0[0] ^= 1, "bad_token"),
            ("over", |one| one.reader.until_ms = now_ms() - 1, "bad_token"),
            ("for too long", |one| one.reader.until_ms = now_ms() + 120_000, "bad_token"),
            ("of another key", |one| one.key = key(2), "bad_token"),
            ("of nobody", |one| one.reader.entity = EntityId([5; 32]), "bad_token"),
            (
                "of the machine, signed by an operator",
                |one| one.reader.entity = MACHINE_ENTITY,
                "bad_token",
            ),
            (
                "of an auditor",
                |one| (one.reader.entity, one.key) = (auditor(), key(8)),
                "not_an_operator",
            ),
        ];
        for (what, change, expected) in refused {
            let mut said = good.clone();
            change(&mut said);
            let found = asked(&host.url, "POST", PATH, &said.bearer(), BODY).await.1;
            assert_eq!(found, expected, "{what}");
        }
        let mut others = good.clone();
        (others.reader.entity, others.key) = (other, key(9));
        let found = asked(&host.url, "POST", PATH, &others.bearer(), BODY).await;
        assert_eq!(found, (403, "not_an_operator".to_owned()));
        for bearer in ["", "Bearer 00", "Basic abc", "Bearer zz"] {
            let (status, code) = asked(&host.url, "POST", PATH, bearer, BODY).await;
            assert!([401, 403].contains(&status), "{bearer}: {status} {code}");
        }
        // There is no such alarm, but it was an operator who asked; and a second time it is nobody.
        for (who, entity, secret) in
            [("operator", harbour(), key(1)), ("machine", MACHINE_ENTITY, machine)]
        {
            let mut said = good.clone();
            (said.reader.entity, said.key) = (entity, secret);
            let bearer = said.bearer();
            let first = asked(&host.url, "POST", PATH, &bearer, BODY).await;
            assert_eq!(first, (404, "unknown_alarm".to_owned()), "{who}");
            let again = asked(&host.url, "POST", PATH, &bearer, BODY).await;
            assert_eq!(again, (401, "token_used".to_owned()), "{who}");
        }
        // All that is for operators, without a token and with a reader's.
        let mut reader = good.clone();
        reader.reader.purpose.clear();
        for (method, path) in [
            ("GET", "/v1/operation/log"),
            ("GET", "/v1/alarms/log"),
            ("GET", "/v1/operation/configuration"),
            ("GET", "/v1/operation/configurations"),
            ("POST", "/v1/operation/check"),
            ("POST", "/v1/operation/apply"),
            ("POST", "/v1/operation/stop"),
        ] {
            for bearer in [String::new(), reader.bearer()] {
                let found = asked(&host.url, method, path, &bearer, "").await;
                assert_eq!(found, (403, "not_an_operator".to_owned()), "{method} {path}");
            }
        }
    });
}

#[test]
fn auditors_look_and_that_they_did_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    with_peer(config(folder.path()), |host| async move {
        register(&host, "A", &key(8)).await;
        let auditor = as_operator(&host.client, auditor(), key(8));
        let asked = query::List::default();
        for _ in 0..2 {
            auditor.operation_log(&asked).await.unwrap();
            auditor.alarm_log(&asked).await.unwrap();
        }
        let log = auditor.operation_log(&asked).await.unwrap().items;
        assert_eq!(log.len(), 1, "once a while: {log:?}");
        assert_eq!(log[0].act, "looked");
        assert!(log[0].by.starts_with("did:althing:test:") && log[0].follows(None), "{log:?}");
        assert_eq!(auditor.stop_peer().await.unwrap_err().code(), Some("not_an_operator"));
        let code = auditor.configuration().await.unwrap_err().code().map(str::to_owned);
        assert_eq!(code.as_deref(), Some("not_operated"), "nothing around lets it be changed");
    });
}

async fn next_alarm(answer: &mut reqwest::Response, text: &mut String) -> Alarm {
    loop {
        if let Some((event, rest)) = text.split_once("\n\n") {
            let data =
                event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
            *text = rest.to_owned();
            match data {
                Some(data) => return serde_json::from_str(&data).unwrap(),
                None => continue,
            }
        }
        let chunk = answer.chunk().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[test]
fn an_alarm_is_raised_followed_acknowledged_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    // Somebody wrote into the log of operations.
    std::fs::write(folder.path().join("operations-00000000000000000001.jsonl"), "changed\n")
        .unwrap();
    let (config, again) = (config(folder.path()), config(folder.path()));
    with_peer(config, |host| async move {
        let url = format!("{}/v1/alarms/changes", host.url);
        let mut answer = reqwest::get(&url).await.unwrap();
        let mut text = String::new();
        let alarm = next_alarm(&mut answer, &mut text).await;
        assert_eq!(
            (alarm.code.as_str(), alarm.subject.as_deref()),
            ("log_damaged", Some("operations"))
        );
        assert!(alarm.acknowledged.is_none() && alarm.ended.is_none() && !alarm.advice.is_empty());
        let operator = as_operator(&host.client, harbour(), key(1));
        for wrong in ["x".repeat(513), "a\nb".to_owned()] {
            let code =
                operator.acknowledge(alarm.id, &wrong).await.unwrap_err().code().map(str::to_owned);
            assert_eq!(code.as_deref(), Some("invalid_body"));
        }
        operator.acknowledge(alarm.id, "it was me").await.unwrap();
        let told = next_alarm(&mut answer, &mut text).await;
        let seen = told.acknowledged.unwrap();
        assert_eq!((seen.note.as_str(), told.id), ("it was me", alarm.id));
        // Whoever begins to listen now is told of it, too.
        let mut late = reqwest::get(&url).await.unwrap();
        assert_eq!(next_alarm(&mut late, &mut String::new()).await.id, alarm.id);
        let log = operator.alarm_log(&query::List::default()).await.unwrap().items;
        let acts: Vec<&str> = log.iter().map(|entry| entry.act.as_str()).collect();
        assert_eq!(acts, ["raised", "acknowledged"]);
        let mut before: Option<&LogEntry> = None;
        assert!(log.iter().all(|entry| entry.follows(before.replace(entry))));
    });
    // The peer is started again.
    with_peer(again, |host| async move {
        let alarm = host.client.alarms().await.unwrap().items.remove(0);
        assert_eq!(alarm.acknowledged.unwrap().note, "it was me");
    });
}

/// A peer alone, whose operator wants another validator to be connected.
#[test]
fn a_goal_that_is_missed_is_an_alarm() {
    let goals = Goals { validators_connected: Some(1), patience: Duration::ZERO, ..Goals::NONE };
    let folder = tempfile::tempdir().unwrap();
    with_peer(Config { goals, ..config(folder.path()) }, |host| async move {
        let mut answer = reqwest::get(format!("{}/v1/alarms/changes", host.url)).await.unwrap();
        let alarm = next_alarm(&mut answer, &mut String::new()).await;
        assert_eq!(alarm.code, "goal_validators_connected");
        assert!(alarm.detail.contains("0 other validators are connected, not 1"), "{alarm:?}");
        assert!(!alarm.grave && !alarm.advice.is_empty());
    });
}

#[test]
fn a_peer_that_is_to_end_takes_no_transactions_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    with_peer(config(folder.path()), |host| async move {
        let machine = operating::machine_key(folder.path()).unwrap();
        let operator = as_operator(&host.client, MACHINE_ENTITY, machine);
        let record = || {
            let (kind, data) = ("note".to_owned(), b"x".to_vec());
            Action::Record(Record { kind, data, notify: Vec::new(), link: None })
        };
        perform(&host, &host.organisation, record()).await;
        operator.stop_peer().await.unwrap();
        let transaction = host.organisation.sign(vec![record()]);
        let refused = host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap_err();
        assert_eq!(refused.code(), Some("stopping"));
        assert!(refused.is_temporary(), "another peer takes it");
        let health = host.client.health().await.unwrap();
        assert_eq!(health.reasons[0].code, "stopping");
        let log = operator.operation_log(&query::List::default()).await.unwrap().items;
        assert_eq!((log[0].act.as_str(), log[0].by.as_str()), ("stop", "machine"));
    });
}

#[test]
fn the_head_of_the_log_is_on_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let anchor_interval = std::time::Duration::from_millis(50);
    with_peer(Config { anchor_interval, ..config(folder.path()) }, |host| async move {
        register(&host, "A", &key(8)).await;
        let auditor = as_operator(&host.client, auditor(), key(8));
        let entry = auditor.operation_log(&query::List::default()).await.unwrap().items.remove(0);
        let (kind, after) = (Some("recorded".to_owned()), Some(Cursor::after_block(0)));
        let mut events =
            host.client.events(&query::Events { kind, after, ..<_>::default() }).await.unwrap();
        let record = events.next().await.unwrap().unwrap();
        let found = host.client.transaction(&record.transaction.0).await.unwrap();
        let expected = format!("{:016x}{}", entry.number, entry.digest);
        assert!(serde_json::to_string(&found).unwrap().contains(&expected), "{found:?}");
    });
}
