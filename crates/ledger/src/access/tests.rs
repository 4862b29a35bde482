use althing_proof::key;
use althing_types::{
    AccessMode, AccessPolicy, AccessRequest, AccessUse, Action, EntityId, EntityKind, Event,
    GrantId, Reads, Receipt, Refusal, Resource, Right, ThingId,
};

use super::*;
use crate::testing::World;

const ALL: &str = "permit(principal, action, resource);";

/// Organisation A owns a thing; a service of A, `reader`, wants to read it.
struct Plant {
    world: World,
    thing: ThingId,
    device: EntityId,
    reader: EntityId,
}

impl Plant {
    fn new(reads: Reads) -> Self {
        let mut world = World::new();
        world.parameters.reads = reads;
        let parameters = minicbor::to_vec(&world.parameters).unwrap();
        world.state.insert(key::parameter("parameters"), parameters);
        let thing = world.thing("machine");
        let device = world.member(EntityKind::Device, 21);
        let reader = world.member(EntityKind::Service, 23);
        world.must(world.a, Action::Bind { thing, gateway: device, until_height: u64::MAX });
        Self { world, thing, device, reader }
    }

    fn property(&self) -> Resource {
        Resource::Property { thing: self.thing, name: "temperature".into() }
    }

    fn set(&mut self, policy: AccessPolicy) {
        self.world.must(self.world.a, Action::SetAccessPolicy(policy));
    }

    fn at(&self) -> At {
        At { height: self.world.height, time_ms: self.world.time_ms() }
    }

    fn reason_for(&self, principal: Option<EntityId>, right: Right) -> Reason {
        let resource = self.property();
        let wanted = Wanted { principal, right, resource: &resource, purpose: "billing" };
        decide(&self.world.state, self.at(), &wanted).unwrap().reason
    }

    fn reason(&self) -> Reason {
        self.reason_for(Some(self.reader), Right::Read)
    }

    fn request(&mut self, count_max: u32) -> Result<Receipt, Refusal> {
        let until_height = self.world.height + 1000;
        let request = asking(self.property(), count_max, until_height);
        self.world.act(self.reader, Action::RequestAccess(request))
    }

    fn grant(&self) -> GrantId {
        let access = althing_types::Access {
            owner: self.world.a,
            grantee: self.reader,
            resource: self.property(),
            right: Right::Read,
            purpose: "billing".into(),
        };
        access.id()
    }

    fn record(&self) -> Option<althing_proof::record::GrantRecord> {
        let bytes = self.world.state.get(&key::grant(&self.grant()))?;
        Some(minicbor::decode(bytes).unwrap())
    }
}

fn asking(resource: Resource, count_max: u32, until_height: u64) -> AccessRequest {
    AccessRequest {
        resource,
        right: Right::Read,
        purpose: "billing".into(),
        count_max,
        until_height,
    }
}

fn policy(resource: Resource, mode: AccessMode, text: &str) -> AccessPolicy {
    AccessPolicy {
        resource,
        mode,
        text: text.into(),
        ask: None,
        patience_blocks: 0,
        grant_blocks_max: 100,
    }
}

fn asked(resource: Resource, entity: EntityId) -> AccessPolicy {
    AccessPolicy {
        ask: Some(entity),
        patience_blocks: 3,
        ..policy(resource, AccessMode::Grant, ALL)
    }
}

#[test]
fn without_a_policy_the_ledger_decides() {
    for (reads, right, expected) in [
        (Reads::Open, Right::Read, Reason::OpenLedger),
        (Reads::Open, Right::Subscribe, Reason::OpenLedger),
        (Reads::Open, Right::Write, Reason::NoPolicy),
        (Reads::Open, Right::Invoke, Reason::NoPolicy),
        (Reads::Policy, Right::Read, Reason::NoPolicy),
    ] {
        let plant = Plant::new(reads);
        assert_eq!(plant.reason_for(Some(plant.reader), right), expected, "{reads:?} {right:?}");
        assert_eq!(plant.reason_for(None, right), expected);
        let (a, device) = (plant.world.a, plant.device);
        assert_eq!(plant.reason_for(Some(a), right), Reason::Holder);
        assert_eq!(plant.reason_for(Some(device), right), Reason::Holder);
        let stranger = EntityId([9; 32]);
        assert_eq!(plant.reason_for(Some(stranger), right), Reason::UnknownPrincipal);
    }
}

#[test]
fn the_narrowest_policy_decides_and_a_wider_one_can_only_forbid() {
    let nobody = "permit(principal == Entity::\"00\", action, resource);";
    let (thing, all) = (AccessMode::Open, ALL);
    let forbid = "forbid(principal, action, resource);";
    for (of_property, of_thing, of_all, expected) in [
        (None, None, Some(all), Reason::Permitted),
        (None, Some(nobody), Some(all), Reason::NotPermitted),
        (Some(all), Some(nobody), Some(nobody), Reason::Permitted),
        (Some(nobody), Some(all), Some(all), Reason::NotPermitted),
        (Some(all), None, Some(forbid), Reason::Forbidden),
        (Some(all), Some(forbid), None, Reason::Forbidden),
    ] {
        let mut plant = Plant::new(Reads::Policy);
        let resources = [
            (plant.property(), of_property),
            (Resource::Thing(plant.thing), of_thing),
            (Resource::Everything(plant.world.a), of_all),
        ];
        for (resource, text) in resources {
            if let Some(text) = text {
                plant.set(policy(resource, thing, text));
            }
        }
        let row = format!("{of_property:?} {of_thing:?} {of_all:?}");
        assert_eq!(plant.reason(), expected, "{row}");
    }
}

#[test]
fn only_the_owner_sets_and_removes_a_policy_and_it_must_be_one() {
    let mut plant = Plant::new(Reads::Open);
    let (b, a) = (plant.world.b, plant.world.a);
    let whole = Resource::Thing(plant.thing);
    let good = policy(whole.clone(), AccessMode::Open, ALL);
    let unknown = Resource::Thing(ThingId([1; 32]));
    for (sender, policy, expected) in [
        (b, good.clone(), Refusal::NotPermitted),
        (plant.reader, good.clone(), Refusal::NotPermitted),
        (b, policy(Resource::Everything(a), AccessMode::Open, ALL), Refusal::NotPermitted),
        (a, policy(unknown, AccessMode::Open, ALL), Refusal::UnknownThing),
        (a, policy(whole.clone(), AccessMode::Open, "let all in"), Refusal::BadPolicy),
        (a, asked(whole.clone(), EntityId([3; 32])), Refusal::UnknownEntity),
    ] {
        let found = plant.world.act(sender, Action::SetAccessPolicy(policy)).unwrap_err();
        assert_eq!(found, expected);
    }
    plant.set(good.clone());
    let again = plant.world.must(a, Action::SetAccessPolicy(good));
    assert!(matches!(&again.events[..], [Event::AccessPolicySet { version: 2, .. }]));
    let remove = Action::RemoveAccessPolicy { resource: whole };
    assert_eq!(plant.world.act(b, remove.clone()).unwrap_err(), Refusal::NoPolicy);
    plant.world.must(a, remove.clone());
    assert_eq!(plant.world.act(a, remove).unwrap_err(), Refusal::NoPolicy);
    assert_eq!(plant.reason(), Reason::OpenLedger);
}

#[test]
fn a_request_becomes_a_grant_that_is_bounded_used_and_revoked() {
    let mut plant = Plant::new(Reads::Policy);
    assert_eq!(plant.request(0).unwrap_err(), Refusal::NoPolicy);
    plant.set(policy(plant.property(), AccessMode::Grant, ALL));
    assert_eq!(plant.reason(), Reason::NoGrant);
    let receipt = plant.request(3).unwrap();
    let until = plant.world.height + 100;
    assert!(
        matches!(&receipt.events[..], [Event::AccessGranted { until_height, count_max: 3, by, .. }]
            if *until_height == until && *by == plant.world.a),
        "{receipt:?}"
    );
    assert_eq!(plant.reason(), Reason::Granted);
    // For another purpose, or by another right, it says nothing.
    let resource = plant.property();
    let spying = Wanted {
        principal: Some(plant.reader),
        right: Right::Read,
        resource: &resource,
        purpose: "spying",
    };
    let other = decide(&plant.world.state, plant.at(), &spying).unwrap();
    assert_eq!(other.reason, Reason::NoGrant);
    assert_eq!(plant.reason_for(Some(plant.reader), Right::Subscribe), Reason::NoGrant);
    // Uses are recorded by who served them.
    let grant = plant.grant();
    let uses = vec![AccessUse { grant, count: 2, first_ms: 1, last_ms: 2 }];
    let record = Action::RecordAccess { uses };
    let b = plant.world.b;
    assert_eq!(plant.world.act(b, record.clone()).unwrap_err(), Refusal::NotPermitted);
    let receipt = plant.world.must(plant.device, record);
    assert!(matches!(&receipt.events[..], [Event::AccessUsed { count: 2, used: 2, .. }]));
    plant.world.must(plant.reader, Action::UseGrant { grant });
    assert_eq!(plant.reason(), Reason::Exhausted);
    let last = plant.world.act(plant.reader, Action::UseGrant { grant }).unwrap_err();
    assert_eq!(last, Refusal::GrantExhausted);
    // A new request begins anew; revoking it ends it in the very block.
    plant.request(0).unwrap();
    assert_eq!(plant.reason(), Reason::Granted);
    assert_eq!(
        plant.world.act(b, Action::RevokeGrant { grant }).unwrap_err(),
        Refusal::NotPermitted
    );
    plant.world.must(plant.world.a, Action::RevokeGrant { grant });
    assert_eq!(plant.reason(), Reason::NoGrant);
    let gone = plant.world.act(plant.world.a, Action::RevokeGrant { grant }).unwrap_err();
    assert_eq!(gone, Refusal::NoGrant);
}

#[test]
fn a_grant_ends_at_its_height_and_with_the_policy_that_permitted_it() {
    let mut plant = Plant::new(Reads::Policy);
    let short = policy(plant.property(), AccessMode::Grant, ALL);
    plant.set(AccessPolicy { grant_blocks_max: 2, ..short.clone() });
    plant.request(0).unwrap();
    for expected in [Reason::Granted, Reason::Granted, Reason::Granted, Reason::NoGrant] {
        assert_eq!(plant.reason(), expected, "height {}", plant.world.height);
        plant.world.block(&[]);
    }
    plant.set(short.clone());
    plant.request(0).unwrap();
    assert_eq!(plant.reason(), Reason::Granted);
    let forbid =
        format!("{ALL} forbid(principal == Entity::\"{}\", action, resource);", plant.reader);
    plant.set(AccessPolicy { text: forbid, ..short });
    assert_eq!(plant.reason(), Reason::Forbidden);
    let used = plant.world.act(plant.reader, Action::UseGrant { grant: plant.grant() });
    assert_eq!(used.unwrap_err(), Refusal::AccessDenied);
}

#[test]
fn who_is_asked_decides_and_the_device_has_a_veto() {
    for (answers_as_owner, allow, expected) in [
        (false, true, Reason::Granted),
        (false, false, Reason::NoGrant),
        (true, true, Reason::Granted),
        (true, false, Reason::NoGrant),
    ] {
        let mut plant = Plant::new(Reads::Policy);
        plant.set(asked(plant.property(), plant.device));
        let receipt = plant.request(0).unwrap();
        assert!(matches!(&receipt.events[..], [Event::AccessRequested { asked, .. }]
            if *asked == plant.device));
        assert_eq!(plant.reason(), Reason::NoGrant);
        let request = plant.grant();
        let answer = Action::AnswerAccess { request, allow };
        for stranger in [plant.reader, plant.world.b] {
            let found = plant.world.act(stranger, answer.clone()).unwrap_err();
            assert_eq!(found, Refusal::NotAsked);
        }
        let who = if answers_as_owner { plant.world.a } else { plant.device };
        plant.world.must(who, answer.clone());
        assert_eq!(plant.reason(), expected);
        let again = plant.world.act(who, answer).unwrap_err();
        assert_eq!(again, Refusal::UnknownRequest);
        assert_eq!(plant.record().is_some(), allow);
    }
}

#[test]
fn a_request_without_an_answer_ends_at_its_height() {
    let mut plant = Plant::new(Reads::Policy);
    plant.set(asked(plant.property(), plant.device));
    plant.request(0).unwrap();
    // Patience is three blocks after the one that asked.
    (0..3).for_each(|_| drop(plant.world.block(&[])));
    let answer = Action::AnswerAccess { request: plant.grant(), allow: true };
    let late = plant.world.act(plant.device, answer).unwrap_err();
    assert_eq!(late, Refusal::UnknownRequest);
    // The next request tells of it and takes its place.
    let receipt = plant.request(0).unwrap();
    assert!(
        matches!(
            &receipt.events[..],
            [Event::AccessTimedOut { .. }, Event::AccessRequested { .. }]
        ),
        "{receipt:?}"
    );
}

#[test]
fn requests_that_wait_are_bounded_for_each_sender() {
    let mut plant = Plant::new(Reads::Policy);
    let whole = asked(Resource::Thing(plant.thing), plant.device);
    plant.set(AccessPolicy { patience_blocks: 1000, ..whole });
    for number in 0..=REQUESTS_PER_SENDER_MAX {
        let purpose = format!("purpose {number}");
        let request = AccessRequest { purpose, ..asking(plant.property(), 0, 1_000_000) };
        let found = plant.world.act(plant.reader, Action::RequestAccess(request));
        let expected = number < REQUESTS_PER_SENDER_MAX;
        assert_eq!(found.is_ok(), expected, "{number}: {found:?}");
    }
    // The same request again takes the place that it has.
    let request =
        AccessRequest { purpose: "purpose 0".into(), ..asking(plant.property(), 0, 1_000_000) };
    plant.world.must(plant.reader, Action::RequestAccess(request));
}

#[test]
fn strict_opens_for_a_while_after_each_use() {
    let mut plant = Plant::new(Reads::Policy);
    plant.set(policy(plant.property(), AccessMode::Strict, ALL));
    plant.request(2).unwrap();
    assert_eq!(plant.reason(), Reason::NotUsed);
    plant.world.must(plant.reader, Action::UseGrant { grant: plant.grant() });
    assert_eq!(plant.reason(), Reason::Granted);
    // Blocks of tests are a second apart.
    (0..USE_OPEN_MS / 1000).for_each(|_| drop(plant.world.block(&[])));
    assert_eq!(plant.reason(), Reason::Granted);
    plant.world.block(&[]);
    assert_eq!(plant.reason(), Reason::NotUsed);
    let other = plant.world.act(plant.world.b, Action::UseGrant { grant: plant.grant() });
    assert_eq!(other.unwrap_err(), Refusal::NoGrant);
}

#[test]
fn nobody_asks_for_what_needs_no_grant_or_is_denied() {
    let mut plant = Plant::new(Reads::Open);
    assert_eq!(plant.request(0).unwrap_err(), Refusal::GrantNotNeeded);
    plant.set(policy(plant.property(), AccessMode::Open, ALL));
    assert_eq!(plant.request(0).unwrap_err(), Refusal::GrantNotNeeded);
    let nobody = "permit(principal == Entity::\"00\", action, resource);";
    plant.set(policy(plant.property(), AccessMode::Grant, nobody));
    assert_eq!(plant.request(0).unwrap_err(), Refusal::AccessDenied);
    let request = asking(plant.property(), 0, 1_000_000);
    let own = plant.world.act(plant.world.a, Action::RequestAccess(request));
    assert_eq!(own.unwrap_err(), Refusal::GrantNotNeeded);
}

/// An entity that was revoked has no access in the next block, whatever it was granted.
#[test]
fn who_is_revoked_has_no_access() {
    let mut plant = Plant::new(Reads::Policy);
    plant.set(policy(plant.property(), AccessMode::Grant, ALL));
    plant.request(0).unwrap();
    plant.world.must(plant.world.a, Action::RevokeEntity { entity: plant.reader });
    assert_eq!(plant.reason(), Reason::UnknownPrincipal);
}

#[test]
fn the_owner_finds_what_became_of_access_in_its_feed() {
    let mut plant = Plant::new(Reads::Policy);
    plant.set(policy(plant.property(), AccessMode::Grant, ALL));
    let until_height = plant.world.height + 50;
    let request = asking(plant.property(), 0, until_height);
    let transaction = plant.world.signed(&[plant.reader], vec![Action::RequestAccess(request)]);
    let outcome = plant.world.block(&[transaction]);
    let prefix = index::access_feed(&plant.world.a);
    let told: Vec<Event> = outcome
        .index
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix))
        .map(|(_, value)| Event::from_wire(value.as_ref().unwrap()).unwrap())
        .collect();
    assert!(matches!(&told[..], [Event::AccessGranted { .. }]), "{told:?}");
}
