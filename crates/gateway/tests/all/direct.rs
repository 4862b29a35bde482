//! Direct requests by HTTP: who proves it is let at a device, once, also by a gateway that crashed.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::{
    MemoryLedger, PATIENCE, config, mosquitto, pump, spawn_mosquitto, start_at_once, text,
};
use althing_client::model::{DirectAnswer, DirectAsked};
use althing_edge::{StreamSpec, ThingSpec};
use althing_gateway::coap::Anonymous;
use althing_gateway::http::{Http, HttpConfig};
use althing_gateway::{Config, DirectConfig, Handle, Qos};
use althing_proof::{
    bundle::Claim,
    grant::direct_keys,
    key,
    record::{Given, GrantRecord, PolicyRecord},
    testing::TinyLedger,
};
use althing_types::{
    AccessMode, AccessPolicy, CommandState, DirectRequest, DirectUse, EntityId, EntityKind,
    GrantId, Operation, SignedRequest, SigningKey, StreamSchema, Suite, ValueKind, Wire as _,
};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The ledger of the tests began long ago, and its proofs are as old.
const AGE_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
pub(crate) const GATEWAY: EntityId = EntityId([8; 32]);
const ASKED: &str = "things/machine-7/commands/request";
const ANSWERS: &str = "things/machine-7/commands/answer";

/// A grant to switch the machine, with the proofs of it.
pub(crate) struct Caller {
    ledger: TinyLedger,
    owner: EntityId,
    pub(crate) grant: GrantId,
    pub(crate) proofs: Vec<Vec<u8>>,
}

impl Caller {
    pub(crate) fn new() -> Self {
        let mut ledger = TinyLedger::new(EntityKind::Device, Suite::Ed25519);
        let owner = ledger.network.genesis.organisations[0].inception.id();
        let request = request(&ledger, 0);
        let (access, resource) = (request.accesses(owner).next().unwrap(), request.resource());
        let grant = access.id();
        let given = Given {
            by: owner,
            since_height: 1,
            until_height: 1_000,
            count_max: 0,
            used: 0,
            used_ms: 0,
            revoked: None,
        };
        let record = GrantRecord { access, given: Some(given), asked: None };
        ledger.state.set(key::grant(&grant), record.to_wire());
        let policy = AccessPolicy {
            resource: resource.clone(),
            mode: AccessMode::Grant,
            text: "permit (principal, action == Action::\"invoke\", resource);".into(),
            ask: None,
            patience_blocks: 0,
            grant_blocks_max: 1_000,
        };
        let record = PolicyRecord { policy, version: 1, since_height: 1 };
        ledger.state.set(key::access_policy(&owner, &resource), record.to_wire());
        ledger.commit();
        let (mut keys, grants) = direct_keys(&request, &owner, Some(&owner));
        keys.push(grants[0].clone());
        let proofs = keys
            .into_iter()
            .map(|key| {
                let bundle = ledger.bundle(|ledger| Claim::state(ledger, key).unwrap());
                bundle.to_bytes().unwrap()
            })
            .collect();
        Self { ledger, owner, grant, proofs }
    }

    pub(crate) fn sign(&self, number: u64) -> SignedRequest {
        request(&self.ledger, number).sign(&self.ledger.gateway_key)
    }

    fn thing(&self) -> ThingSpec {
        let schema = StreamSchema {
            kind: ValueKind::Number,
            scale: 2,
            quantum: 1,
            unit: String::new(),
            minimum: None,
            maximum: None,
        };
        let stream = StreamSpec { property: "temperature".into(), id: self.ledger.stream, schema };
        ThingSpec {
            id: self.ledger.thing,
            name: "machine-7".into(),
            owner: self.owner,
            streams: vec![stream],
            ..pump()
        }
    }

    pub(crate) fn config(
        &self,
        directory: &Path,
        waiting_max: usize,
        answer_timeout: Duration,
    ) -> Config {
        let direct = DirectConfig {
            genesis: self.ledger.network.genesis.clone(),
            key: gateway_key(),
            age_max: AGE_MAX,
            answer_timeout,
            waiting_max,
            objection: Arc::new(|_, _| None),
        };
        Config { direct: Some(direct), owners: vec![self.owner], ..config(directory) }
    }

    /// A gateway that serves the machine.
    pub(crate) async fn start(&self, config: Config) -> (Handle, Http) {
        let gateway = start_at_once(config, &MemoryLedger::default()).await;
        gateway.serve_only(vec![self.thing()]).await.unwrap();
        let served = async {
            while gateway.direct().unwrap().things().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, served).await.unwrap();
        let http = HttpConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            devices: Vec::new(),
            anonymous: Anonymous::Signed,
            body_bytes_max: 4096,
            connections_max: 16,
            read_timeout: Duration::from_secs(5),
            connection_timeout: Duration::from_secs(20),
        };
        let http = Http::start(http, &gateway).await.unwrap();
        (gateway, http)
    }
}

fn request(ledger: &TinyLedger, number: u64) -> DirectRequest {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    DirectRequest {
        ledger: ledger.network.genesis.ledger(),
        gateway: GATEWAY,
        caller: ledger.gateway,
        thing: ledger.thing,
        operation: Operation::Invoke { action: "switch".into(), input: None },
        purpose: "care".into(),
        number,
        until_ms: u64::try_from(now).unwrap() + 50_000,
    }
}

fn gateway_key() -> SigningKey {
    SigningKey::from_secret(Suite::Ed25519, [9; 32]).unwrap()
}

/// Sends a request; what came of it, or the code of the refusal.
pub(crate) async fn ask(
    http: &Http,
    request: &SignedRequest,
    proofs: &[Vec<u8>],
) -> Result<(DirectAnswer, DirectUse), String> {
    let body = serde_json::to_vec(&DirectAsked::new(request, proofs)).unwrap();
    let mut stream = TcpStream::connect(http.address()).await.unwrap();
    let head = format!(
        "POST /.well-known/althing/direct HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = text(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    if !head.starts_with("HTTP/1.1 200") {
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        return Err(problem["code"].as_str().unwrap().to_owned());
    }
    Ok(checked(request, body))
}

/// An answer that the gateway has signed, and the use in it.
pub(crate) fn checked(request: &SignedRequest, body: &str) -> (DirectAnswer, DirectUse) {
    let answer: DirectAnswer = serde_json::from_str(body).unwrap();
    let (used, signature) = answer.read().unwrap();
    assert_eq!(used.request, *request);
    assert!(gateway_key().public_key().verify(&used.signed_bytes(), &signature));
    (answer, used)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_is_served_once_also_after_a_crash_and_waits_to_be_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let caller = Caller::new();
    let config = caller.config(directory.path(), 2, PATIENCE);
    let (gateway, http) = caller.start(config.clone()).await;

    // Without proofs, and for what no grant is for, nobody is served, and nothing is counted.
    assert_eq!(ask(&http, &caller.sign(1), &[]).await, Err("no_proofs".to_owned()));
    let explode = Operation::Invoke { action: "explode".into(), input: None };
    let other = DirectRequest { operation: explode, ..request(&caller.ledger, 1) };
    let other = other.sign(&caller.ledger.gateway_key);
    assert_eq!(ask(&http, &other, &caller.proofs).await, Err("no_grant".to_owned()));

    // A device that is not there has done nothing, and that is known.
    let (answer, first) = ask(&http, &caller.sign(1), &caller.proofs).await.unwrap();
    assert_eq!(first.state, CommandState::Failed, "{answer:?}");

    let args = ["-V", "5", "-q", "1", "-t", ASKED];
    let mut device = spawn_mosquitto("mosquitto_sub", gateway.address(), &args);
    let mut lines = BufReader::new(device.stdout.take().unwrap()).lines();
    let there = async {
        while gateway
            .publish(ASKED, b"are you there".to_vec(), Qos::AtLeastOnce, false)
            .unwrap()
            .now
            == 0
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, there).await.unwrap();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("are you there"));
    let address = gateway.address();
    let answering = tokio::spawn(async move {
        let asked = lines.next_line().await.unwrap().unwrap();
        let asked: serde_json::Value = serde_json::from_str(&asked).unwrap();
        let answer =
            serde_json::json!({ "id": asked["id"], "state": "done", "result": 7 }).to_string();
        let args = ["-V", "5", "-q", "1", "-t", ANSWERS, "-m", &answer];
        assert!(mosquitto("mosquitto_pub", address, &args).await.status.success());
        (asked, lines)
    });
    // The proofs were shown: none are needed.
    let second = caller.sign(5);
    let (answer, used) = ask(&http, &second, &[]).await.unwrap();
    assert_eq!((answer.result.as_str(), used.state), ("7", CommandState::Done));
    assert_eq!(used.grant, caller.grant);
    let (asked, _lines) = answering.await.unwrap();
    assert_eq!(asked["id"], second.request.id().to_string());

    let busy = Err("busy".to_owned());
    assert_eq!(ask(&http, &second, &caller.proofs).await, busy, "two wait, no more may");
    let due = gateway.direct().unwrap().due().await;
    assert_eq!(due, [(1, first), (2, used)]);

    // Nothing is lost with the gateway, and nothing done again.
    drop((gateway, http, device));
    let more = caller.config(directory.path(), 100, PATIENCE);
    let (gateway, http) = caller.start(more.clone()).await;
    let direct = gateway.direct().unwrap();
    assert_eq!(direct.due().await, due);
    for number in [1, 4, 5] {
        let again = ask(&http, &caller.sign(number), &caller.proofs).await;
        assert_eq!(again, Err("repeated".to_owned()), "{number}");
    }
    direct.recorded(&[1, 2]);
    assert_eq!(direct.waiting(), 0);
    assert_eq!(ask(&http, &second, &caller.proofs).await, Err("repeated".to_owned()));

    // What was recorded is not in old proofs: after a crash newer ones are wanted.
    drop((gateway, http));
    let (gateway, http) = caller.start(more).await;
    assert_eq!(gateway.direct().unwrap().waiting(), 0);
    assert_eq!(ask(&http, &second, &caller.proofs).await, Err("stale".to_owned()));
}

/// A valve that opens an hour after its caller was told that nothing had come of it would be a danger.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_slept_does_not_do_later_what_was_asked_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let caller = Caller::new();
    let config = caller.config(directory.path(), 10, Duration::from_millis(50));
    let (gateway, http) = caller.start(config).await;
    let session = ["-V", "5", "-q", "1", "-c", "-i", "sleeper", "-x", "3600", "-t", ASKED];
    let asleep = [&session[..], &["-E"]].concat();
    let output = mosquitto("mosquitto_sub", gateway.address(), &asleep).await;
    assert!(output.status.success(), "{output:?}");
    let (_, used) = ask(&http, &caller.sign(1), &caller.proofs).await.unwrap();
    assert_eq!((used.state, used.result), (CommandState::Delivered, None), "nobody knows");

    // The first that it hears when it wakes is something else.
    gateway.publish(ASKED, b"good morning".to_vec(), Qos::AtLeastOnce, false).unwrap();
    let awake = [&session[..], &["-C", "1"]].concat();
    let output = mosquitto("mosquitto_sub", gateway.address(), &awake).await;
    assert_eq!(text(&output.stdout).trim(), "good morning");
}
