//! Measures what a decision about access costs on a state in memory: one JSON object on one line.
#![expect(clippy::disallowed_types, reason = "a benchmark reads the clock; the ledger does not")]

use std::{collections::BTreeMap, hint::black_box, sync::Mutex, time::Instant};

use althing_ledger::access::{At, DECISIONS_MAX, Remembered, Wanted, decide};
use althing_policy::Policies;
use althing_proof::{
    key,
    record::{EntityRecord, Given, GrantRecord, PolicyRecord, ThingRecord},
};
use althing_types::{
    Access, AccessMode, AccessPolicy, EntityId, EntityKind, Inception, Resource, Right, SigningKey,
    Suite, ThingId,
};

const ROUNDS: u32 = 20_000;
/// Texts in turn, more than are remembered, so that each is read anew.
const TEXTS: u32 = 1_000;

fn main() {
    let (state, wanted_by, resource) = world();
    let wanted = Wanted {
        principal: Some(wanted_by),
        right: Right::Read,
        resource: &resource,
        purpose: "billing",
    };
    let at = At { height: 10, time_ms: 1_700_000_000_000 };
    let decision = decide(&state, at, &wanted).expect("a state in memory can be read");
    assert!(decision.allows(), "{decision:?}");
    let decided = nanoseconds(|_| {
        black_box(decide(&state, at, black_box(&wanted)).is_ok());
    });
    let read = nanoseconds(|round| {
        black_box(Policies::known(&text(round % TEXTS)).is_ok());
    });
    let remembered = remembered(&state, at, &wanted);
    println!(
        r#"{{"bench": "access", "decide_ns": {decided}, "remembered_ns": {remembered}, "read_policy_ns": {read}, "policy_statements": 13}}"#
    );
}

/// What it costs to have a decision again that was made at this height, from as many as are remembered,
/// as a peer does for whoever reads: with the lock, the question and a copy of the answer.
fn remembered(state: &State, at: At, wanted: &Wanted<'_>) -> u128 {
    let asked = |number: usize| {
        let purpose = format!("{} {number}", wanted.purpose);
        (wanted.principal, purpose, wanted.right, wanted.resource.clone())
    };
    let known = Mutex::new(Remembered::default());
    for number in 0..DECISIONS_MAX {
        let decision = decide(state, at, wanted).expect("a state in memory can be read");
        let mut known = known.lock().expect("nobody panics");
        let _ = known.get(at.height, &asked(number));
        known.put(at.height, asked(number), decision);
    }
    let all: Vec<_> = (0..DECISIONS_MAX).map(asked).collect();
    nanoseconds(|round| {
        let asked = all[round as usize % all.len()].clone();
        let found = known.lock().expect("nobody panics").get(at.height, &asked).cloned();
        assert!(black_box(found).is_some());
    })
}

/// Mean time of a round, nanoseconds.
fn nanoseconds(mut work: impl FnMut(u32)) -> u128 {
    let started = Instant::now();
    (0..ROUNDS).for_each(&mut work);
    started.elapsed().as_nanos() / u128::from(ROUNDS)
}

/// Thirteen statements, of which the last permits.
fn text(number: u32) -> String {
    let other = r#"forbid (principal in Entity::"00", action in [Action::"read", Action::"write"], resource)
        when { context.purpose == "spying" && context.used > 3 };"#;
    let all = r#"permit (principal, action, resource) when { context.purpose == "billing" };"#;
    format!("// {number}\n{}{all}", other.repeat(12))
}

type State = BTreeMap<Vec<u8>, Vec<u8>>;

fn world() -> (State, EntityId, Resource) {
    let thing = ThingId([7; 32]);
    let resource = Resource::Property { thing, name: "temperature".into() };
    let (owner_id, owner) = entity(EntityKind::Organisation, 1, None);
    let (reader_id, reader) = entity(EntityKind::Service, 2, Some(owner_id));
    let mut state = State::new();
    state.insert(key::entity(&owner_id), bytes(&owner));
    state.insert(key::entity(&reader_id), bytes(&reader));
    let record = ThingRecord {
        owner: owner_id,
        name: "machine".into(),
        version: 1,
        description_digest: [0; 32].into(),
        registered_height: 0,
        updated_height: 0,
        retired: None,
        device: None,
        device_height: None,
        signing: None,
    };
    state.insert(key::thing(&thing), bytes(&record));
    let policy = AccessPolicy {
        resource: resource.clone(),
        mode: AccessMode::Grant,
        text: text(0),
        ask: None,
        patience_blocks: 0,
        grant_blocks_max: 100,
    };
    let record = PolicyRecord { policy, version: 1, since_height: 1 };
    state.insert(key::access_policy(&owner_id, &resource), bytes(&record));
    let access = Access {
        owner: owner_id,
        grantee: reader_id,
        resource: resource.clone(),
        right: Right::Read,
        purpose: "billing".into(),
    };
    let given = Given {
        by: owner_id,
        since_height: 1,
        until_height: 100,
        count_max: 0,
        used: 0,
        used_ms: 0,
        revoked: None,
    };
    let id = access.id();
    let record = GrantRecord { access, given: Some(given), asked: None };
    state.insert(key::grant(&id), bytes(&record));
    (state, reader_id, resource)
}

fn entity(kind: EntityKind, seed: u8, owner: Option<EntityId>) -> (EntityId, EntityRecord) {
    let key = SigningKey::from_secret(Suite::Ed25519, [seed; 32]).expect("a secret");
    let inception = Inception { kind, name: format!("entity {seed}"), key: key.public_key() };
    let record = EntityRecord {
        key: inception.key.clone(),
        owner,
        key_version: 1,
        key_since_height: 0,
        registered_height: 0,
        revoked: None,
        inception,
    };
    (record.inception.id(), record)
}

fn bytes<T: minicbor::Encode<()>>(record: &T) -> Vec<u8> {
    minicbor::to_vec(record).expect("a Vec takes all")
}
