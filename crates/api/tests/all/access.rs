//! What owners decide about reading, seen by readers with and without a right.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use althing_api::Config;
use althing_client::{
    Account, Client, Error, Events, ReadingAs, Signer, Submission,
    model::{Event, EventRecord, Hex, query},
};
use althing_proof::{grant::in_force, key as raw_key, verify};
use althing_types::{
    Access, AccessMode, AccessPolicy, AccessRequest, Action, CodeId, CodeMeta, Command, ContractId,
    EntityId, EntityKind, Listing, Manifest, Offered, Operation, Payload, Price, Reader, Reading,
    Record, Refusal, Resource, Right, ServiceId, ServiceStatus, StreamId, Terms, ThingId, Value,
    Version, Wire as _,
};

use crate::support::{Host, PATIENCE, key, with_peer};

const DESCRIPTION: &str = r#"{
  "@context": "https://www.w3.org/2022/wot/td/v1.1",
  "title": "Meter",
  "securityDefinitions": {"none": {"scheme": "nosec"}},
  "security": "none",
  "properties": {
    "energy": {"type": "integer", "forms": [{"href": "mqtt://gateway/energy"}]},
    "power": {"type": "integer", "forms": [{"href": "mqtt://gateway/power"}]}
  }
}"#;
const PURPOSE: &str = "billing";

/// A meter with one reading of each property, and a service that would like to read it.
struct Meter {
    thing: ThingId,
    energy: StreamId,
    power: StreamId,
    service: Account,
}

impl Meter {
    fn property(&self, name: &str) -> Resource {
        Resource::Property { thing: self.thing, name: name.into() }
    }

    fn reader(&self, client: &Client, purpose: &str) -> Client {
        let signer = self.service.signer();
        let (entity, key) = (signer.entity, signer.key.clone());
        client.reading_as(ReadingAs { entity, key, purpose: purpose.into() })
    }
}

async fn perform(host: &Host, account: &Account, actions: Vec<Action>) -> u64 {
    let transaction = account.sign(actions);
    loop {
        match host.client.finalize_transaction(&transaction, PATIENCE).await {
            // Peers are given the time to compile what was stored.
            Err(error) if error.code() == Some(Refusal::CodeNotReady.code()) => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            outcome => {
                let outcome = outcome.unwrap();
                assert_eq!(outcome.receipt.refusal, None, "{outcome:?}");
                return outcome.height;
            }
        }
    }
}

async fn submit(host: &Host, stream: StreamId, seq: u64) -> u64 {
    let reading = Reading { claimed_ms: 0, received_ms: 0, value: Value::Number(seq as i64) };
    let payload = Payload { readings: vec![reading] };
    let action = Action::SubmitBatch(payload.header(stream, seq));
    let transaction = host.organisation.sign(vec![action]);
    let submission =
        Submission { payloads: vec![payload.to_wire().into()], ..Submission::from(&transaction) };
    let outcome = host.client.finalize(&submission, PATIENCE).await.unwrap();
    assert_eq!(outcome.receipt.refusal, None, "{outcome:?}");
    outcome.height
}

async fn found(host: &Host) -> Meter {
    let ledger = host.genesis.ledger();
    let owner = host.organisation.signer().entity;
    let (entity, register) = Signer::registration(&ledger, EntityKind::Service, "S", &key(9));
    let thing = ThingId::derive(&owner, "meter");
    let description = DESCRIPTION.into();
    let actions = vec![register, Action::RegisterThing { name: "meter".into(), description }];
    perform(host, &host.organisation, actions).await;
    let signer = Signer { ledger, entity, key: key(9) };
    let service = Account::open(&host.client, signer).await.unwrap();
    let stream = |name| StreamId::derive(&thing, name);
    let meter = Meter { thing, energy: stream("energy"), power: stream("power"), service };
    let begin = host.client.status().await.unwrap().height;
    // A description counts for payloads from the result that states it.
    while host.client.status().await.unwrap().height < begin + 2 {
        tokio::task::yield_now().await;
    }
    submit(host, meter.energy, 0).await;
    submit(host, meter.power, 0).await;
    meter
}

fn policy(resource: Resource, mode: AccessMode) -> Action {
    Action::SetAccessPolicy(AccessPolicy {
        resource,
        mode,
        text: format!(
            "permit(principal, action, resource) when {{ context.purpose == {PURPOSE:?} }};"
        ),
        ask: None,
        patience_blocks: 0,
        grant_blocks_max: 1_000,
    })
}

fn asked(resource: Resource, right: Right, count_max: u32) -> AccessRequest {
    let (purpose, until_height) = (PURPOSE.to_owned(), u64::MAX);
    AccessRequest { resource, right, purpose, count_max, until_height }
}

fn request(resource: Resource, right: Right, count_max: u32) -> Action {
    Action::RequestAccess(asked(resource, right, count_max))
}

fn code<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "served".to_owned(),
        Err(error) => error.code().unwrap_or("another error").to_owned(),
    }
}

/// The code of each form in which values of a stream are served.
async fn codes(client: &Client, meter: &Meter, stream: &StreamId, name: &str) -> Vec<String> {
    let followed = query::Events { stream: Some(Hex(*stream)), ..<_>::default() };
    vec![
        code(client.readings(stream, &<_>::default()).await),
        code(client.latest(stream, 1).await),
        code(client.aggregates(stream, &<_>::default()).await),
        code(client.property(&meter.thing, name).await),
        code(client.prove_reading(stream, 0).await),
        code(client.prove_state(&raw_key::stream(stream)).await),
        code(client.events(&followed).await),
    ]
}

#[test]
fn values_are_shown_in_no_form_to_those_the_owner_does_not_let() {
    with_peer(Config::standard(), |host| async move {
        let meter = found(&host).await;
        let before = codes(&host.client, &meter, &meter.energy, "energy").await;
        assert!(before.iter().all(|code| code == "served"), "{before:?}");
        let set = policy(meter.property("energy"), AccessMode::Grant);
        let height = perform(&host, &host.organisation, vec![set]).await;
        host.client.read_from(height);
        for (client, expected) in [
            (host.client.clone(), "access_denied"),
            (meter.reader(&host.client, "spying"), "access_denied"),
            (meter.reader(&host.client, PURPOSE), "no_grant"),
        ] {
            let found = codes(&client, &meter, &meter.energy, "energy").await;
            assert!(found.iter().all(|code| code == expected), "{expected}: {found:?}");
            // The other property has no policy.
            let other = codes(&client, &meter, &meter.power, "power").await;
            assert!(other.iter().all(|code| code == "served"), "{other:?}");
        }
        let stream = host.client.stream(&meter.energy).await.unwrap();
        assert_eq!((stream.total, stream.next_seq), (None, 1));
        let thing = host.client.thing(&meter.thing).await.unwrap();
        let shown = |name: &str| {
            thing.properties.iter().any(|one| one.name == name && one.latest.is_some())
        };
        assert!(!shown("energy") && shown("power"));
        let refused = host.client.latest(&meter.energy, 1).await.unwrap_err();
        let Error::Refused(problem) = refused else { panic!("{refused:?}") };
        assert_eq!(problem.status, 403);
        assert!(problem.detail.contains("version 1"), "{}", problem.detail);
        // The owner needs no grant.
        let signer = host.organisation.signer();
        let (entity, key) = (signer.entity, signer.key.clone());
        let owner = host.client.reading_as(ReadingAs { entity, key, purpose: String::new() });
        assert_eq!(owner.latest(&meter.energy, 1).await.unwrap().items.len(), 1);
    });
}

async fn next(events: &mut Events, wanted: fn(&Event) -> bool) -> EventRecord {
    loop {
        let record = events.next().await.unwrap().unwrap();
        if wanted(&record.event) {
            return record;
        }
    }
}

/// After the block that revokes is executed, no read succeeds and no frame leaves (threats 28, 29).
#[test]
fn a_grant_lets_read_and_follow_until_the_block_that_revokes_it() {
    with_peer(Config::standard(), |host| async move {
        let meter = found(&host).await;
        let property = meter.property("energy");
        let set = policy(property.clone(), AccessMode::Grant);
        perform(&host, &host.organisation, vec![set]).await;
        let asked = vec![
            request(property.clone(), Right::Read, 0),
            request(property.clone(), Right::Subscribe, 0),
        ];
        let height = perform(&host, &meter.service, asked).await;
        let reader = meter.reader(&host.client, PURPOSE);
        reader.read_from(height);
        assert_eq!(reader.readings(&meter.energy, &<_>::default()).await.unwrap().items.len(), 1);
        let followed = query::Events { stream: Some(Hex(meter.energy)), ..<_>::default() };
        let mut events = reader.events(&followed).await.unwrap();
        submit(&host, meter.energy, 1).await;
        next(&mut events, |event| matches!(event, Event::BatchAccepted { .. })).await;

        let (owner, grantee) = (host.organisation.signer().entity, meter.service.signer().entity);
        let access = |right| Access {
            owner,
            grantee,
            resource: property.clone(),
            right,
            purpose: PURPOSE.into(),
        };
        let revoke = [Right::Read, Right::Subscribe]
            .map(|right| Action::RevokeGrant { grant: access(right).id() })
            .to_vec();
        let height = perform(&host, &host.organisation, revoke).await;
        reader.read_from(height);
        let codes = codes(&reader, &meter, &meter.energy, "energy").await;
        assert!(codes.iter().all(|code| code == "no_grant"), "{codes:?}");
        submit(&host, meter.energy, 2).await;
        // The peer ends the stream; nothing of the block after comes before that.
        while let Some(record) = events.next().await.unwrap() {
            assert!(record.height < height, "{record:?} came after block {height}");
        }
    });
}

#[test]
fn uses_under_a_grant_are_recorded_for_the_owner_and_bounded() {
    with_peer(Config::standard(), |host| async move {
        let meter = found(&host).await;
        let owner = host.organisation.signer().entity;
        let told = query::Events {
            entity: Some(owner.into()),
            kind: Some("access_used".into()),
            ..<_>::default()
        };
        let mut told = host.client.events(&told).await.unwrap();
        let property = meter.property("energy");
        let set = policy(property.clone(), AccessMode::Grant);
        perform(&host, &host.organisation, vec![set]).await;
        let asked = vec![request(property.clone(), Right::Read, 2)];
        let height = perform(&host, &meter.service, asked).await;
        let reader = meter.reader(&host.client, PURPOSE);
        reader.read_from(height);
        for expected in ["served", "served", "grant_exhausted"] {
            assert_eq!(code(reader.latest(&meter.energy, 1).await), expected);
        }
        let record = next(&mut told, |event| matches!(event, Event::AccessUsed { .. })).await;
        let Event::AccessUsed { access, by, count, used, .. } = &record.event else { panic!() };
        let peer = host.genesis.peers[0].inception.id();
        assert_eq!((by.entity_id(), access.purpose.as_str()), (peer, PURPOSE));
        assert!(*count >= 1 && used >= count);
        host.client.read_from(record.height);
        let feed = query::Feed { owner: owner.into(), after: None, limit: None };
        let feed = host.client.access_feed(&feed).await.unwrap();
        assert!(feed.items.contains(&record), "{feed:?}");
        let names: Vec<_> = feed.items.iter().map(|one| one.event.name()).collect();
        assert!(names.ends_with(&["access_granted", "access_policy_set"]), "{names:?}");
        let grants = query::Grants { entity: owner.into(), status: None, after: None, limit: None };
        assert_eq!(host.client.grants(&grants).await.unwrap().items.len(), 1);
    });
}

#[test]
fn a_grant_is_proven_offline_and_a_decision_explained() {
    with_peer(Config::standard(), |host| async move {
        let meter = found(&host).await;
        let property = meter.property("energy");
        let set = policy(property.clone(), AccessMode::Strict);
        perform(&host, &host.organisation, vec![set]).await;
        let asked = vec![request(property.clone(), Right::Read, 0)];
        let height = perform(&host, &meter.service, asked).await;
        host.client.read_from(height);
        let (owner, grantee) = (host.organisation.signer().entity, meter.service.signer().entity);
        let access = Access {
            owner,
            grantee,
            resource: property.clone(),
            right: Right::Read,
            purpose: PURPOSE.into(),
        };
        let explain = |entity| {
            let purpose = Some(PURPOSE.to_owned());
            query::Explain::new(entity, Right::Read, purpose, &property)
        };
        let decision = host.client.explain_access(&explain(Some(grantee))).await.unwrap();
        assert_eq!((decision.allowed, decision.reason.as_str()), (false, "not_used"));
        let words = decision.policy.unwrap().words.unwrap();
        assert_eq!(words, "everybody may do anything, for the purpose \"billing\"");
        let grant = access.id();
        let height = perform(&host, &meter.service, vec![Action::UseGrant { grant }]).await;
        let reader = meter.reader(&host.client, PURPOSE);
        reader.read_from(height);
        assert_eq!(code(reader.latest(&meter.energy, 1).await), "served");
        let anybody = host.client.explain_access(&explain(None)).await.unwrap();
        assert_eq!(anybody.reason, "no_grant");
        // The state that is proven may be one before.
        loop {
            let Ok(bundle) = host.client.prove_state(&raw_key::grant(&grant)).await else {
                continue;
            };
            let verified = verify(&bundle, &host.genesis).unwrap();
            if verified.block.state_height >= height {
                assert_eq!(in_force(&verified, &access).unwrap().used, 1);
                break;
            }
        }
    });
}

#[test]
fn only_a_token_of_the_reader_for_this_peer_and_time_counts() {
    with_peer(Config::standard(), |host| async move {
        let meter = found(&host).await;
        let status = host.client.status().await.unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let soon = u64::try_from((now + Duration::from_secs(60)).as_millis()).unwrap();
        let good = Reader {
            ledger: host.genesis.ledger(),
            peer: status.key.0.0,
            entity: meter.service.signer().entity,
            purpose: PURPOSE.into(),
            until_ms: soon,
        };
        let signed = |reader: Reader, seed| hex::encode(reader.sign(&key(seed)).to_wire());
        let bearer = |reader: Reader, seed| format!("Bearer {}", signed(reader, seed));
        let url = format!("{}/v1/streams/{}/latest", host.url, meter.energy);
        for (what, value, expected) in [
            ("as it should be", bearer(good.clone(), 9), 200),
            ("of another key", bearer(good.clone(), 8), 401),
            ("for another peer", bearer(Reader { peer: [7; 32], ..good.clone() }, 9), 401),
            (
                "for another ledger",
                bearer(Reader { ledger: [7; 32].into(), ..good.clone() }, 9),
                401,
            ),
            ("of nobody", bearer(Reader { entity: EntityId([7; 32]), ..good.clone() }, 9), 401),
            ("that is over", bearer(Reader { until_ms: soon - 120_000, ..good.clone() }, 9), 401),
            (
                "that counts for long",
                bearer(Reader { until_ms: soon + 86_400_000, ..good.clone() }, 9),
                401,
            ),
            ("without its scheme", signed(good.clone(), 9), 401),
            ("that is no hex", "Bearer x".into(), 401),
            ("that is too long", format!("Bearer {}", "ab".repeat(4_000)), 401),
            ("cut off", bearer(good.clone(), 9)[..100].into(), 401),
        ] {
            let status = crate::support::status_with(&url, &value).await;
            assert_eq!(status, expected, "a token {what}");
        }
        let revoke = Action::RevokeEntity { entity: meter.service.signer().entity };
        perform(&host, &host.organisation, vec![revoke]).await;
        assert_eq!(
            crate::support::status_with(&url, &bearer(good, 9)).await,
            401,
            "of who was revoked"
        );
    });
}

/// A service of an entity, performed outside.
fn manifest(name: &str, entity: EntityId, listing: Listing) -> Manifest {
    Manifest {
        name: name.into(),
        version: Version { major: 1, minor: 0, patch: 0 },
        text: "What it will be Tomorrow".into(),
        interfaces: vec!["forecast".into()],
        tags: vec!["weather".into()],
        schema: Some(b"{}".to_vec().into()),
        offered: Offered::Outside {
            entity,
            endpoints: vec!["http://localhost:1".into()],
            contract: None,
        },
        purpose: PURPOSE.into(),
        needs: vec![],
        price: Price { text: String::new(), rule: None },
        listing,
    }
}

fn only(resource: Resource, reader: EntityId) -> Action {
    Action::SetAccessPolicy(AccessPolicy {
        resource,
        mode: AccessMode::Grant,
        text: format!(
            "permit (principal == Entity::\"{reader}\", action == Action::\"call\", resource);"
        ),
        ask: None,
        patience_blocks: 0,
        grant_blocks_max: 1_000,
    })
}

/// Makes a contract of the organisation from the module that comes built.
async fn metering(host: &Host) -> ContractId {
    let module = include_bytes!("../../../../contracts/artifacts/metering.wasm");
    let code = CodeId::of(module);
    let parts: Vec<&[u8]> = module.chunks(65_536).collect();
    let count = parts.len() as u16;
    for (part, bytes) in (0..).zip(parts) {
        let action = Action::UploadCode { code, part, bytes: bytes.to_vec() };
        perform(host, &host.organisation, vec![action]).await;
    }
    let meta = CodeMeta { name: "m".into(), source: String::new(), interfaces: vec![] };
    let store = Action::StoreCode { code, parts: count, meta };
    perform(host, &host.organisation, vec![store]).await;
    let message = br#"{"property": "energy", "price": 1, "currency": "unit"}"#.to_vec();
    let owner = host.organisation.signer().entity;
    let terms = Terms { admin: Some(owner), ..Terms::default() };
    let (name, gas_limit) = ("metering".to_owned(), 50_000_000);
    let begin = Action::Instantiate { code, name, terms, message, gas_limit, funds: None };
    perform(host, &host.organisation, vec![begin]).await;
    ContractId::derive(&owner, "metering")
}

#[test]
fn services_and_contracts_are_listed_for_those_who_may_find_them() {
    with_peer(Config::standard(), |host| async move {
        let meter = found(&host).await;
        let (client, ledger) = (host.client.clone(), host.genesis.ledger());
        let (entity, register) = Signer::registration(&ledger, EntityKind::Service, "X", &key(7));
        perform(&host, &host.organisation, vec![register]).await;
        let signer = Signer { ledger, entity, key: key(7) };
        let provider = Account::open(&client, signer).await.unwrap();
        let friend = meter.service.signer().entity;
        let contract = metering(&host).await;
        let by = Manifest {
            offered: Offered::Contract(contract),
            ..manifest("by contract", entity, Listing::Callers)
        };
        let policies =
            [Resource::Service(entity), Resource::Contract(contract.0)].map(|it| only(it, friend));
        perform(&host, &host.organisation, policies.to_vec()).await;
        let listings = [("open", Listing::Everyone), ("hidden", Listing::Callers)];
        let publish =
            listings.map(|(name, listing)| Action::PublishService(manifest(name, entity, listing)));
        let owners = perform(&host, &host.organisation, vec![Action::PublishService(by)]).await;
        client.read_from(perform(&host, &provider, publish.to_vec()).await.max(owners));

        let names = async |client: &Client, query: query::Services| {
            let page = client.services(&query).await.unwrap();
            page.items.into_iter().map(|service| service.name).collect::<Vec<_>>()
        };
        let reader = meter.reader(&client, PURPOSE);
        let all = query::Services::default();
        assert_eq!(names(&client, all.clone()).await, ["open"]);
        assert_eq!(names(&reader, all.clone()).await, ["by contract", "hidden", "open"]);
        let text = |text: &str| query::Services { text: Some(text.into()), ..all.clone() };
        assert_eq!(names(&reader, text("tomorrow")).await.len(), 3);
        assert_eq!(names(&reader, text("yesterday")).await.len(), 0);
        let kind = query::Services { kind: Some("contract".into()), ..all.clone() };
        assert_eq!(names(&reader, kind).await, ["by contract"]);
        let tag = query::Services { tag: Some("weather".into()), ..all.clone() };
        assert_eq!(names(&client, tag).await, ["open"]);
        let wrong = query::Services { kind: Some("both".into()), ..all };
        assert_eq!(code(client.services(&wrong).await), "invalid_query");
        let hidden = ServiceId::derive(&entity, "hidden");
        assert_eq!(code(client.service(&hidden).await), "unknown_service");
        assert_eq!(code(reader.service(&hidden).await), "served");
        let version = Version { major: 1, minor: 0, patch: 0 };
        assert_eq!(code(client.service_version(&hidden, version).await), "unknown_service");
        let shown = reader.service_version(&hidden, version).await.unwrap();
        assert_eq!((shown.schema.as_deref(), shown.kind.as_str()), (Some("{}"), "outside"));
        let watched = query::Events { service: Some(Hex(hidden)), ..<_>::default() };
        assert_eq!(code(client.events(&watched).await), "unknown_service");

        let contracts = query::Contracts::default();
        assert_eq!(client.contracts(&contracts).await.unwrap().items.len(), 0);
        assert_eq!(reader.contracts(&contracts).await.unwrap().items.len(), 1);
        assert_eq!(code(client.contract(&contract).await), "served");
    });
}

#[test]
fn what_a_service_publishes_reaches_who_follows_it() {
    with_peer(Config::standard(), |host| async move {
        let (client, ledger) = (host.client.clone(), host.genesis.ledger());
        let (entity, register) = Signer::registration(&ledger, EntityKind::Service, "X", &key(7));
        perform(&host, &host.organisation, vec![register]).await;
        let signer = Signer { ledger, entity, key: key(7) };
        let provider = Account::open(&client, signer).await.unwrap();
        let open = manifest("open", entity, Listing::Everyone);
        let (service, version) = (open.id(&entity), open.version);
        client.read_from(perform(&host, &provider, vec![Action::PublishService(open)]).await);
        let query = query::Events { service: Some(Hex(service)), ..<_>::default() };
        let mut events = client.events(&query).await.unwrap();
        let note = |kind: &str| {
            Action::Record(Record {
                kind: kind.into(),
                data: vec![],
                notify: vec![entity],
                link: None,
            })
        };
        // What somebody else says to the service is not what the service says.
        perform(&host, &host.organisation, vec![note("question")]).await;
        perform(&host, &provider, vec![note("forecast")]).await;
        let status = ServiceStatus::Deprecated;
        let deprecate = Action::SetServiceStatus { service, version, status };
        perform(&host, &provider, vec![deprecate]).await;
        let first = events.next().await.unwrap().unwrap();
        assert!(matches!(&first.event, Event::Recorded { kind, .. } if kind == "forecast"));
        let second = events.next().await.unwrap().unwrap();
        assert!(
            matches!(&second.event, Event::ServiceStatusSet { status, .. } if status == "deprecated")
        );
        // The past too, behind a cursor, and of one topic.
        let topic = Some("forecast".to_owned());
        let past = query::Events { after: Some(<_>::default()), topic, ..query };
        let mut events = client.events(&past).await.unwrap();
        assert_eq!(events.next().await.unwrap().unwrap(), first);
    });
}

/// What a peer refuses at once for want of an owner's leave, it refuses with the policy that decided.
#[test]
fn a_refused_command_call_or_request_names_the_policy() {
    with_peer(Config::standard(), |host| async move {
        let meter = found(&host).await;
        let contract = metering(&host).await;
        let called = Resource::Contract(contract.0);
        let rules = [meter.property("energy"), called].map(|it| policy(it, AccessMode::Grant));
        perform(&host, &host.organisation, rules.to_vec()).await;
        let until_ms = host.client.status().await.unwrap().time.0 as u64 + 60_000;
        let command = |property: &str, purpose: &str| {
            let (thing, purpose) = (meter.thing, Some(purpose.to_owned()));
            let operation = Operation::Read { property: property.into() };
            Action::Command(Command { thing, operation, until_ms, purpose })
        };
        let (message, gas_limit) = (br#"{"read":{}}"#.to_vec(), 1_000_000);
        let call = Action::Execute { contract, message, gas_limit, funds: None };
        let (energy, id) = (meter.property("energy"), Hex(contract));
        let spying = AccessRequest { purpose: "spying".into(), ..asked(energy, Right::Read, 0) };
        let silent = "no statement of the owner's policy permits it (policy about";
        for (action, expected, why, advice) in [
            (
                command("energy", PURPOSE),
                "no_grant",
                "version 1",
                "--property \"energy\" --right read",
            ),
            (command("energy", "spying"), "access_denied", silent, "explain --thing"),
            (command("power", PURPOSE), "not_permitted", "the owner has no policy", "explain"),
            (call, "access_denied", silent, &format!("explain --contract {id} --right call")),
            (Action::RequestAccess(spying), "access_denied", silent, "--property \"energy\""),
        ] {
            let what = format!("{action:?}");
            let transaction = meter.service.sign(vec![action]);
            let refused = host.client.finalize_transaction(&transaction, PATIENCE).await;
            let Err(Error::Refused(problem)) = refused else { panic!("{what}: {refused:?}") };
            assert_eq!(problem.code, expected, "{what}");
            let (detail, advised) = (problem.detail.to_lowercase(), problem.advice.unwrap());
            assert!(
                detail.contains(why) && detail.contains("the owner is did:"),
                "{what}: {detail}"
            );
            assert!(advised.contains(advice), "{what}: {advised}");
        }
    });
}
