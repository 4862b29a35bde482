use althing_proof::{
    bundle::{Claim, verify},
    grant::direct_keys,
    key,
    record::{EntityRecord, Given, GrantRecord, PolicyRecord},
    testing::TinyLedger,
};
use althing_types::{
    Access, AccessMode, AccessPolicy, CommandState, DirectUse, EntityKind, Genesis, LedgerId,
    Resource, SigningKey, StreamSchema, Suite, Value, ValueKind, Wire as _,
};

use super::*;

const GATEWAY: EntityId = EntityId([0x6a; 32]);
const AGE_MAX_MS: u64 = 60_000;
const PERMIT: &str = "permit (principal, action == Action::\"write\", resource);";

/// A ledger on which an entity holds a grant to set a property.
struct Scene {
    ledger: TinyLedger,
    owner: EntityId,
    given: Given,
}

/// All that decides.
#[derive(Clone)]
struct Shown {
    genesis: Genesis,
    owner: EntityId,
    now_ms: u64,
    request: DirectRequest,
    key: SigningKey,
    proofs: Vec<Vec<u8>>,
}

impl Scene {
    fn new() -> Self {
        let ledger = TinyLedger::new(EntityKind::Device, Suite::Ed25519);
        let owner = ledger.network.genesis.organisations[0].inception.id();
        let given = Given {
            by: owner,
            since_height: 0,
            until_height: 1_000,
            count_max: 3,
            used: 1,
            used_ms: 0,
            revoked: None,
        };
        let mut scene = Self { ledger, owner, given };
        scene.grant(given);
        scene.policy(scene.property(), AccessMode::Grant, PERMIT);
        scene
    }

    fn property(&self) -> Resource {
        Resource::Property { thing: self.ledger.thing, name: "temperature".into() }
    }

    fn access(&self) -> Access {
        self.request(1, 0).accesses(self.owner).next().unwrap()
    }

    fn grant(&mut self, given: Given) {
        self.given = given;
        let access = self.access();
        let id = access.id();
        let record = GrantRecord { access, given: Some(given), asked: None };
        self.ledger.state.set(key::grant(&id), record.to_wire());
    }

    fn policy(&mut self, resource: Resource, mode: AccessMode, text: &str) {
        let key = key::access_policy(&self.owner, &resource);
        let policy = AccessPolicy {
            resource,
            mode,
            text: text.into(),
            ask: None,
            patience_blocks: 0,
            grant_blocks_max: 100,
        };
        let record = PolicyRecord { policy, version: 1, since_height: 0 };
        self.ledger.state.set(key, record.to_wire());
    }

    fn request(&self, number: u64, until_ms: u64) -> DirectRequest {
        DirectRequest {
            ledger: self.ledger.network.genesis.ledger(),
            gateway: GATEWAY,
            caller: self.ledger.gateway,
            thing: self.ledger.thing,
            operation: Operation::Write {
                property: "temperature".into(),
                value: Value::Number(2150),
            },
            purpose: "heating".into(),
            number,
            until_ms,
        }
    }

    fn revoke(&mut self, id: &EntityId) {
        let key = key::entity(id);
        let mut record = EntityRecord::from_wire(self.ledger.state.get(&key).unwrap()).unwrap();
        record.revoked = Some(1);
        self.ledger.state.set(key, record.to_wire());
    }

    fn show(&mut self) -> Shown {
        let (mut keys, grants) = direct_keys(&self.request(1, 0), &self.owner, Some(&self.owner));
        keys.push(grants[0].clone());
        let genesis = self.ledger.network.genesis.clone();
        let mut now_ms = 0;
        let mut proofs = Vec::new();
        for key in keys {
            let bundle = self.ledger.bundle(|ledger| Claim::state(ledger, key).unwrap());
            let bytes = bundle.to_bytes().unwrap();
            now_ms = now_ms.max(verify(&bytes, &genesis).unwrap().block.time_ms);
            proofs.push(bytes);
        }
        let request = self.request(1, now_ms + 30_000);
        let (owner, key) = (self.owner, self.ledger.gateway_key.clone());
        Shown { genesis, owner, now_ms, request, key, proofs }
    }

    fn desk(&self) -> Desk {
        let ledger = self.ledger.network.genesis.ledger();
        let mut desk = Desk::new(ledger, GATEWAY, AGE_MAX_MS);
        desk.serve(vec![self.thing()]);
        desk
    }

    fn thing(&self) -> ThingSpec {
        let schema = StreamSchema {
            kind: ValueKind::Number,
            scale: 2,
            quantum: 1,
            unit: String::new(),
            minimum: None,
            maximum: Some(10_000),
        };
        let property = "temperature".to_owned();
        ThingSpec {
            id: self.ledger.thing,
            name: "machine-7".into(),
            owner: self.owner,
            until_height: None,
            streams: vec![StreamSpec { property, id: self.ledger.stream, schema }],
            device: None,
            may_lose: false,
            is_shut_out: false,
        }
    }
}

impl Shown {
    fn signed(&self) -> SignedRequest {
        self.request.clone().sign(&self.key)
    }

    fn session(&self) -> Result<Session, NotServed> {
        prove(&self.genesis, self.owner, &self.signed(), &self.proofs)
    }

    /// What a desk says to it.
    fn served(&self, desk: &mut Desk) -> Result<GrantId, NotServed> {
        desk.look(self.now_ms, &self.request)?;
        let session = self.session()?;
        desk.take(self.now_ms, &self.signed(), session)
    }
}

#[test]
fn who_proves_it_is_served_and_nobody_else() {
    use NotServed as N;
    let mut scene = Scene::new();
    let (good, mut desk) = (scene.show(), scene.desk());
    assert_eq!(good.served(&mut desk), Ok(scene.access().id()));
    let stranger = SigningKey::from_secret(Suite::Ed25519, [9; 32]).unwrap();
    let invoke = Operation::Invoke { action: "open".into(), input: None };
    let write = |property: &str, mantissa| Operation::Write {
        property: property.into(),
        value: Value::Number(mantissa),
    };
    type Row<'a> = (&'a str, Option<N>, &'a dyn Fn(&mut Shown));
    let rows: &[Row<'_>] = &[
        ("another ledger", Some(N::Elsewhere), &|it| it.request.ledger = LedgerId([1; 32])),
        ("another gateway", Some(N::Elsewhere), &|it| it.request.gateway = EntityId([1; 32])),
        ("too late", Some(N::Time), &|it| it.request.until_ms = it.now_ms - 1),
        ("for too long", Some(N::Time), &|it| it.request.until_ms = it.now_ms + 60_001),
        ("another thing", Some(N::UnknownThing), &|it| it.request.thing = ThingId([1; 32])),
        ("another property", None, &|it| it.request.operation = write("pressure", 1)),
        ("a value out of range", None, &|it| it.request.operation = write("temperature", 10_001)),
        ("another operation", Some(N::NoGrant), &|it| {
            it.request.operation = invoke.clone();
        }),
        ("another purpose", Some(N::NoGrant), &|it| it.request.purpose = "spying".into()),
        ("another caller", Some(N::BadProof("one is missing")), &|it| {
            it.request.caller = EntityId([1; 32]);
        }),
        ("another key", Some(N::Signature), &|it| it.key = stranger.clone()),
        ("no proofs", None, &|it| it.proofs.clear()),
        ("too many proofs", None, &|it| it.proofs = vec![it.proofs[0].clone(); 9]),
        ("a damaged proof", None, &|it| it.proofs[2][40] ^= 1),
        ("no grant", Some(N::NoGrant), &|it| it.proofs.truncate(5)),
        ("old proofs", Some(N::Stale), &|it| {
            it.now_ms += AGE_MAX_MS + 10_000;
            it.request.until_ms = it.now_ms + 1;
        }),
    ];
    for (name, expected, spoil) in rows {
        let mut spoiled = good.clone();
        spoil(&mut spoiled);
        let verdict = spoiled.served(&mut scene.desk());
        assert!(verdict.is_err(), "{name}");
        if let Some(expected) = expected {
            assert_eq!(verdict.as_ref(), Err(expected), "{name}");
        }
    }
    // Every proof that is needed is.
    for missing in 0..good.proofs.len() {
        let mut less = good.clone();
        less.proofs.remove(missing);
        assert!(less.served(&mut scene.desk()).is_err(), "without proof {missing}");
    }
}

#[test]
fn the_state_decides_as_the_ledger_would() {
    use NotServed as N;
    let mode = |mode| move |it: &mut Scene| it.policy(it.property(), mode, PERMIT);
    let whole = |text: &'static str| {
        move |it: &mut Scene| it.policy(Resource::Everything(it.owner), AccessMode::Open, text)
    };
    type Row<'a> = (&'a str, Result<(), N>, &'a dyn Fn(&mut Scene));
    let rows: &[Row<'_>] = &[
        ("a strict policy", Err(N::Strict), &mode(AccessMode::Strict)),
        ("a policy that forbids no more", Ok(()), &whole(PERMIT)),
        (
            "a wider policy that forbids",
            Err(N::NotPermitted),
            &whole("forbid (principal, action, resource);"),
        ),
        ("a policy about something else", Err(N::NotPermitted), &|it| {
            let text = "permit (principal, action == Action::\"read\", resource);";
            it.policy(it.property(), AccessMode::Grant, text);
        }),
        ("a grant that is over", Err(N::NoGrant), &|it| {
            it.grant(Given { until_height: 0, ..it.given });
        }),
        ("a grant that was revoked", Err(N::NoGrant), &|it| {
            it.grant(Given { revoked: Some(1), ..it.given });
        }),
        ("a caller that was revoked", Err(N::Revoked), &|it| {
            let caller = it.ledger.gateway;
            it.revoke(&caller);
        }),
        ("an organisation that was revoked", Err(N::Revoked), &|it| {
            let owner = it.owner;
            it.revoke(&owner);
        }),
        ("a grant that is used up", Err(N::UsedUp), &|it| {
            it.grant(Given { used: 3, ..it.given });
        }),
    ];
    for (name, expected, change) in rows {
        let mut scene = Scene::new();
        change(&mut scene);
        let shown = scene.show();
        assert_eq!(shown.served(&mut scene.desk()).map(|_| ()), *expected, "{name}");
    }
}

#[test]
fn a_session_serves_without_proofs_until_something_is_heard() {
    let mut scene = Scene::new();
    scene.grant(Given { count_max: 0, ..scene.given });
    let (mut shown, mut desk) = (scene.show(), scene.desk());
    assert_eq!(desk.session(shown.now_ms, &shown.request), Err(NotServed::NoProofs));
    shown.served(&mut desk).unwrap();
    let mut again = |desk: &mut Desk, number| {
        shown.request.number = number;
        let session = desk.session(shown.now_ms, &shown.request)?;
        desk.take(shown.now_ms, &shown.signed(), session)
    };
    assert_eq!(again(&mut desk, 1), Err(NotServed::Repeated));
    assert!(again(&mut desk, 5).is_ok());
    assert_eq!(again(&mut desk, 4), Err(NotServed::Repeated));
    for entity in [scene.owner, scene.ledger.gateway] {
        let mut desk = scene.desk();
        let good = scene.show();
        good.served(&mut desk).unwrap();
        desk.heard(EntityId([9; 32]), u64::MAX);
        assert!(desk.session(good.now_ms, &good.request).is_ok(), "about somebody else");
        desk.heard(entity, good.session().unwrap().height + 1);
        assert_eq!(desk.session(good.now_ms, &good.request), Err(NotServed::Stale));
        // The same proofs do not bring it back; newer ones do.
        let mut late = good.clone();
        late.request.number = 7;
        assert_eq!(late.served(&mut desk), Err(NotServed::Stale));
        let mut newer = scene.show();
        newer.request.number = 7;
        assert!(newer.served(&mut desk).is_ok());
    }
}

#[test]
fn uses_are_counted_here_before_the_ledger_tells_of_them() {
    let mut scene = Scene::new();
    let mut desk = scene.desk();
    let shown = scene.show();
    let at = |number| {
        let mut shown = shown.clone();
        shown.request.number = number;
        shown
    };
    // One of three is used: two are left.
    let grant = at(1).served(&mut desk).unwrap();
    at(2).served(&mut desk).unwrap();
    assert_eq!(at(3).served(&mut desk), Err(NotServed::UsedUp));
    // That they are recorded gives none back.
    desk.recorded(shown.now_ms, &grant);
    desk.recorded(shown.now_ms, &grant);
    assert_eq!(at(4).served(&mut desk), Err(NotServed::UsedUp));
    // A gateway that was killed remembers what is not on the ledger yet.
    let mut desk = scene.desk();
    desk.remember(shown.now_ms, &at(2).request, grant, false);
    assert_eq!(at(2).served(&mut desk), Err(NotServed::Repeated));
    at(3).served(&mut desk).unwrap();
    assert_eq!(at(4).served(&mut desk), Err(NotServed::UsedUp));
    desk.recorded(shown.now_ms, &grant);
    desk.recorded(shown.now_ms, &grant);
    assert_eq!(at(4).served(&mut desk), Err(NotServed::UsedUp));
    // What it recorded before may not be in proofs from before.
    let mut desk = scene.desk();
    desk.remember(shown.now_ms + 1, &at(2).request, grant, true);
    assert_eq!(at(2).served(&mut desk), Err(NotServed::Stale));
    assert_eq!(at(3).served(&mut desk), Err(NotServed::Stale));
}

#[test]
fn a_grant_that_was_given_anew_counts_anew_and_never_as_before() {
    let mut scene = Scene::new();
    let (mut older, mut desk) = (scene.show(), scene.desk());
    let grant = older.served(&mut desk).unwrap();
    older.request.number = 2;
    older.served(&mut desk).unwrap();
    desk.recorded(older.now_ms, &grant);
    desk.recorded(older.now_ms, &grant);
    scene.grant(Given { since_height: 1, used: 0, ..scene.given });
    let mut newer = scene.show();
    for number in 3..=5 {
        newer.request.number = number;
        newer.served(&mut desk).unwrap();
        desk.recorded(newer.now_ms, &grant);
    }
    newer.request.number = 6;
    assert_eq!(newer.served(&mut desk), Err(NotServed::UsedUp));
    // Proofs from before do not have it counted from the start again.
    older.request.number = 7;
    assert_eq!(older.served(&mut desk), Err(NotServed::Stale));
    assert_eq!(newer.served(&mut desk), Err(NotServed::UsedUp));
}

#[test]
fn counts_that_proofs_tell_as_well_make_room() {
    let mut scene = Scene::new();
    let (shown, mut desk) = (scene.show(), scene.desk());
    let long_ago = shown.now_ms - desk.memory_ms() - 1;
    for number in 0..COUNTS_MAX {
        let mut id = [0xcc; 32];
        id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        desk.remember(long_ago, &shown.request, GrantId(id), true);
    }
    assert!(shown.served(&mut desk).is_ok());
    assert_eq!(desk.counts.len(), 1);
    for number in 0..COUNTS_MAX {
        let mut id = [0xcc; 32];
        id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        desk.remember(long_ago, &shown.request, GrantId(id), false);
    }
    desk.counts.remove(&scene.access().id());
    assert_eq!(shown.served(&mut desk), Err(NotServed::Busy));
}

#[test]
fn a_thing_in_quarantine_or_served_no_more_is_not_reached() {
    let mut scene = Scene::new();
    let (shown, mut desk) = (scene.show(), scene.desk());
    desk.serve(vec![ThingSpec { is_shut_out: true, ..scene.thing() }]);
    assert_eq!(shown.served(&mut desk), Err(NotServed::Quarantined));
    desk.serve(Vec::new());
    assert_eq!(shown.served(&mut desk), Err(NotServed::UnknownThing));
}

#[test]
fn what_was_served_fits_its_form() {
    let mut scene = Scene::new();
    let (request, state) = (scene.show().signed(), CommandState::Done);
    let served_ms = request.request.until_ms;
    let grant = scene.access().id();
    let used = DirectUse { request, grant, state, served_ms, result: None };
    assert_eq!(DirectUse::from_wire(&used.to_wire()), Ok(used));
}
