use althing_types::{
    AccessMode, AccessPolicy, Action, CodeId, CodeMeta, EntityKind, Need, Price, Receipt, Terms,
};

use super::*;
use crate::testing::World;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn outside(entity: EntityId) -> Manifest {
    Manifest {
        name: "forecast".into(),
        version: version("1.0.0"),
        text: "What the weather will be".into(),
        interfaces: vec!["forecast".into()],
        tags: vec!["energy".into(), "weather".into()],
        schema: Some(b"{\"type\": \"object\"}".to_vec().into()),
        offered: Offered::Outside {
            entity,
            endpoints: vec!["https://forecast.example".into()],
            contract: None,
        },
        purpose: "forecast".into(),
        needs: vec![Need { right: Right::Read, what: "temperature".into() }],
        price: Price { text: String::new(), rule: None },
        listing: Listing::Everyone,
    }
}

fn publish(world: &mut World, sender: EntityId, manifest: Manifest) -> Result<Receipt, Refusal> {
    world.act(sender, Action::PublishService(manifest))
}

fn status(
    world: &mut World,
    sender: EntityId,
    service: ServiceId,
    version: Version,
    status: ServiceStatus,
) -> Result<Receipt, Refusal> {
    world.act(sender, Action::SetServiceStatus { service, version, status })
}

fn contract_of(world: &mut World, owner: EntityId, callers: Vec<EntityId>) -> ContractId {
    let bytes = wat::parse_str(include_str!("../../../../testdata/contracts/base.wat")).unwrap();
    let code = CodeId::of(&bytes);
    if !world.state.contains_key(&key::code(&code)) {
        world.must(world.a, Action::UploadCode { code, part: 0, bytes });
        let meta = CodeMeta { name: "c".into(), source: String::new(), interfaces: vec![] };
        world.must(world.a, Action::StoreCode { code, parts: 1, meta });
    }
    let terms = Terms { admin: Some(owner), callers, ..Terms::default() };
    let (name, message, gas_limit) = (format!("c{}", world.height), b"{}".to_vec(), 10_000_000);
    let id = ContractId::derive(&owner, &name);
    world.must(owner, Action::Instantiate { code, name, terms, message, gas_limit, funds: None });
    id
}

#[test]
fn a_service_lives_from_its_first_version_to_its_last() {
    use ServiceStatus::{Deprecated, Live, Withdrawn};
    let mut world = World::new();
    let a = world.a;
    let entity = world.member(EntityKind::Service, 40);
    let first = outside(entity);
    let id = first.id(&entity);
    let receipt = publish(&mut world, entity, first.clone()).unwrap();
    let told = ServiceEvent::Published { service: id, provider: entity, version: first.version };
    assert_eq!(receipt.events, [Event::Service(told)]);
    // Versions do not change; there may be several, also of an older line.
    assert_eq!(publish(&mut world, entity, first.clone()), Err(Refusal::AlreadyExists));
    for text in ["2.0.0", "1.0.1"] {
        let manifest = Manifest { version: version(text), ..first.clone() };
        publish(&mut world, entity, manifest).unwrap();
    }
    let record = |world: &World| {
        ServiceRecord::from_wire(&world.state[&key::service(&id)]).unwrap().versions
    };
    assert_eq!(record(&world), [version("1.0.0"), version("1.0.1"), version("2.0.0")]);

    let one = first.version;
    assert_eq!(status(&mut world, entity, id, one, Live), Err(Refusal::ChangesNothing));
    status(&mut world, entity, id, one, Deprecated).unwrap();
    status(&mut world, entity, id, one, Live).unwrap();
    let receipt = status(&mut world, entity, id, one, Withdrawn).unwrap();
    let told =
        ServiceEvent::StatusSet { service: id, provider: entity, version: one, status: Withdrawn };
    assert_eq!(receipt.events, [Event::Service(told)]);
    // What was withdrawn stays so, and stays on the ledger to be proven.
    assert_eq!(status(&mut world, entity, id, one, Live), Err(Refusal::UnknownService));
    assert_eq!(publish(&mut world, entity, first.clone()), Err(Refusal::AlreadyExists));
    let kept = VersionRecord::from_wire(&world.state[&key::service_version(&id, one)]).unwrap();
    assert_eq!((kept.status, kept.manifest), (Withdrawn, first));
    assert_eq!(record(&world), [version("1.0.1"), version("2.0.0")]);
    // The organisation can withdraw what its service offered, also after that was revoked.
    world.must(a, Action::RevokeEntity { entity });
    for text in ["1.0.1", "2.0.0"] {
        status(&mut world, a, id, version(text), Withdrawn).unwrap();
    }
    assert_eq!(record(&world), []);
    assert!(!world.state.contains_key(&key::services_of(&entity)));
}

#[test]
fn nobody_publishes_or_changes_what_is_not_its_own() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let (entity, person) =
        (world.member(EntityKind::Service, 40), world.member(EntityKind::Person, 41));
    assert_eq!(publish(&mut world, b, outside(entity)), Err(Refusal::NotPermitted));
    for provider in [a, person, entity] {
        publish(&mut world, provider, outside(entity)).unwrap();
    }
    let unknown = outside(EntityId([9; 32]));
    assert_eq!(publish(&mut world, a, unknown), Err(Refusal::UnknownEntity));
    let id = ServiceId::derive(&person, "forecast");
    let (one, over) = (version("1.0.0"), ServiceStatus::Withdrawn);
    for sender in [b, entity] {
        assert_eq!(status(&mut world, sender, id, one, over), Err(Refusal::NotPermitted));
    }
    let other = status(&mut world, a, id, version("1.0.1"), over);
    assert_eq!(other, Err(Refusal::UnknownService));
    let other = status(&mut world, a, ServiceId([9; 32]), one, over);
    assert_eq!(other, Err(Refusal::UnknownService));

    let contract = contract_of(&mut world, a, vec![]);
    let by = |contract| Manifest {
        name: "metering".into(),
        offered: Offered::Contract(contract),
        ..outside(entity)
    };
    assert_eq!(publish(&mut world, b, by(contract)), Err(Refusal::NotPermitted));
    assert_eq!(publish(&mut world, a, by(ContractId([9; 32]))), Err(Refusal::UnknownContract));
    for provider in [a, person] {
        publish(&mut world, provider, by(contract)).unwrap();
    }
    // Also the contract that charges must be the provider's.
    let theirs = contract_of(&mut world, b, vec![]);
    let offered = Offered::Outside {
        entity,
        endpoints: vec!["https://forecast.example".into()],
        contract: Some(theirs),
    };
    let charged = Manifest { name: "charged".into(), offered, ..outside(entity) };
    assert_eq!(publish(&mut world, a, charged), Err(Refusal::NotPermitted));
}

#[test]
fn a_schema_is_a_json_object() {
    let mut world = World::new();
    let entity = world.member(EntityKind::Service, 40);
    let deep = [b"{\"a\":".repeat(65), b"1".to_vec(), b"}".repeat(65)].concat();
    for (schema, fits) in [
        (b"{}".to_vec(), true),
        (b"[]".to_vec(), false),
        (b"{\"a\": 1, \"a\": 2}".to_vec(), false),
        (b"{".to_vec(), false),
        (deep, false),
    ] {
        let name = format!("s{}", world.height);
        let manifest = Manifest { name, schema: Some(schema.into()), ..outside(entity) };
        let expected = if fits { Ok(()) } else { Err(Refusal::OutOfBounds) };
        assert_eq!(publish(&mut world, entity, manifest).map(|_| ()), expected);
    }
}

#[test]
fn services_and_their_versions_are_bounded() {
    let mut world = World::new();
    let entity = world.member(EntityKind::Service, 40);
    let numbered = |patch| Version { patch, ..version("1.0.0") };
    for patch in 0..SERVICE_VERSIONS_MAX as u32 {
        let manifest = Manifest { version: numbered(patch), ..outside(entity) };
        publish(&mut world, entity, manifest).unwrap();
    }
    let more = Manifest { version: numbered(99), ..outside(entity) };
    assert_eq!(publish(&mut world, entity, more.clone()), Err(Refusal::TooManyServices));
    let id = more.id(&entity);
    status(&mut world, entity, id, numbered(3), ServiceStatus::Withdrawn).unwrap();
    publish(&mut world, entity, more).unwrap();
    for n in 1..SERVICES_OF_PROVIDER_MAX {
        let manifest = Manifest { name: format!("s{n}"), ..outside(entity) };
        publish(&mut world, entity, manifest).unwrap();
    }
    let more = Manifest { name: "more".into(), ..outside(entity) };
    assert_eq!(publish(&mut world, entity, more.clone()), Err(Refusal::TooManyServices));
    let one = ServiceId::derive(&entity, "s1");
    status(&mut world, entity, one, version("1.0.0"), ServiceStatus::Withdrawn).unwrap();
    publish(&mut world, entity, more).unwrap();
}

/// The rows that find a service, as they are after these blocks.
fn found(rows: &std::collections::BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Vec<String> {
    let there =
        rows.iter().filter(|(key, value)| key[0] == b's' && key[1] != b'h' && value.is_some());
    there.map(|(key, _)| key[1..key.len() - 32].escape_ascii().to_string()).collect()
}

#[test]
fn a_service_is_found_by_what_its_versions_that_are_left_say() {
    let mut world = World::new();
    let entity = world.member(EntityKind::Service, 40);
    let mut rows = std::collections::BTreeMap::new();
    let mut act = |world: &mut World, action: Action| {
        let transaction = world.signed(&[entity], vec![action]);
        let outcome = world.block(&[transaction]);
        assert_eq!(outcome.receipts[0].code, 0);
        rows.extend(outcome.index);
        let mut found = found(&rows);
        found.retain(|row| !row.starts_with('p'));
        found
    };
    let first = outside(entity);
    let second =
        Manifest { tags: vec!["weather".into()], version: version("2.0.0"), ..first.clone() };
    let id = first.id(&entity);
    let over = |version| {
        let status = ServiceStatus::Withdrawn;
        Action::SetServiceStatus { service: id, version, status }
    };
    let all = ["iforecast\\x00", "nforecast\\x00", "tenergy\\x00", "tweather\\x00"];
    assert_eq!(act(&mut world, Action::PublishService(first.clone())), all);
    assert_eq!(act(&mut world, Action::PublishService(second.clone())), all);
    let left = act(&mut world, over(first.version));
    assert_eq!(left, ["iforecast\\x00", "nforecast\\x00", "tweather\\x00"]);
    assert_eq!(act(&mut world, over(second.version)), Vec::<String>::new());
}

#[test]
fn what_is_for_callers_is_shown_to_those_who_may_call() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let (entity, friend) =
        (world.member(EntityKind::Service, 40), world.member(EntityKind::Person, 41));
    let shown = |world: &World, reader, manifest: &Manifest| {
        let at = At { height: world.height, time_ms: world.time_ms() };
        is_shown(&world.state, at, reader, &entity, manifest).unwrap()
    };
    let open = outside(entity);
    let hidden = Manifest { listing: Listing::Callers, ..open.clone() };
    let policy = |resource, mode, text: &str| {
        Action::SetAccessPolicy(AccessPolicy {
            resource,
            text: text.into(),
            mode,
            ask: None,
            patience_blocks: 0,
            grant_blocks_max: 100,
        })
    };
    // The ledger of the tests is open where nothing is said.
    assert!(shown(&world, Some(b), &hidden));
    let text = format!(
        "permit (principal == Entity::\"{b}\", action == Action::\"call\", resource) \
         when {{ context.purpose == \"forecast\" }};"
    );
    // A grant need not be there yet: it is what is asked for.
    world.must(a, policy(Resource::Service(entity), AccessMode::Grant, &text));
    assert!(shown(&world, Some(b), &hidden));
    for reader in [None, Some(friend), Some(EntityId([9; 32]))] {
        assert!(!shown(&world, reader, &hidden), "{reader:?}");
        assert!(shown(&world, reader, &open));
    }
    assert!(shown(&world, Some(entity), &hidden) && shown(&world, Some(a), &hidden));

    let contract = contract_of(&mut world, a, vec![b]);
    let by = Manifest { offered: Offered::Contract(contract), ..hidden };
    assert!(shown(&world, Some(b), &by) && shown(&world, Some(a), &by));
    assert!(!shown(&world, Some(friend), &by) && !shown(&world, None, &by));
    let anyone = contract_of(&mut world, a, vec![]);
    let by = Manifest { offered: Offered::Contract(anyone), ..by };
    assert!(shown(&world, None, &by));
    let nobody = "forbid (principal, action == Action::\"call\", resource);";
    world.must(a, policy(Resource::Contract(anyone.0), AccessMode::Open, nobody));
    assert!(!shown(&world, Some(b), &by));
}

/// Y.4464 9.3: by their ability and by policy.
#[test]
fn devices_and_gateways_publish_services_too() {
    let mut world = World::new();
    for (kind, seed) in [(EntityKind::Device, 40), (EntityKind::Gateway, 41)] {
        let entity = world.member(kind, seed);
        publish(&mut world, entity, outside(entity)).unwrap();
    }
}
