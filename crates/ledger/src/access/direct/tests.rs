use althing_types::{
    Access, AccessMode, AccessPolicy, AccessRequest, Action, CommandState, DirectRequest,
    EntityKind, Event, GrantId, LedgerId, Operation, Resource, Right, SignedRequest, ThingId,
};

use super::*;
use crate::{
    check::{Bases, signature_checks},
    testing::{World, signing_key},
};

const CALLER: u8 = 23;

/// Organisation A owns a thing behind a gateway; a device may open it for care.
struct Plant {
    world: World,
    thing: ThingId,
    gateway: EntityId,
    caller: EntityId,
}

impl Plant {
    fn new() -> Self {
        let mut world = World::new();
        let thing = world.thing("valve");
        let gateway = world.member(EntityKind::Gateway, 21);
        let caller = world.member(EntityKind::Device, CALLER);
        world.must(world.a, Action::Bind { thing, gateway, until_height: u64::MAX });
        let mut plant = Self { world, thing, gateway, caller };
        let resource = plant.request(0).resource();
        plant.allow(Resource::Thing(thing));
        plant.allow(resource.clone());
        plant.ask(resource);
        plant
    }

    fn allow(&mut self, resource: Resource) {
        let policy = AccessPolicy {
            resource,
            mode: AccessMode::Grant,
            text: "permit (principal, action == Action::\"invoke\", resource);".into(),
            ask: None,
            patience_blocks: 0,
            grant_blocks_max: 100,
        };
        self.world.must(self.world.a, Action::SetAccessPolicy(policy));
    }

    fn ask(&mut self, resource: Resource) {
        let request = AccessRequest {
            resource,
            right: Right::Invoke,
            purpose: "care".into(),
            count_max: 1,
            until_height: 1000,
        };
        self.world.must(self.caller, Action::RequestAccess(request));
    }

    /// Id of the grant for something, as a use names it.
    fn grant(&self, resource: Resource) -> GrantId {
        let (owner, grantee) = (self.world.a, self.caller);
        Access { owner, grantee, resource, right: Right::Invoke, purpose: "care".into() }.id()
    }

    fn signed(&self, request: DirectRequest) -> DirectUse {
        self.served(request.sign(&signing_key(CALLER)))
    }

    fn served(&self, request: SignedRequest) -> DirectUse {
        let (grant, state) = (self.grant(self.request(0).resource()), CommandState::Done);
        DirectUse { request, grant, state, served_ms: 1_500, result: None }
    }

    fn request(&self, number: u64) -> DirectRequest {
        DirectRequest {
            ledger: self.world.ledger,
            gateway: self.gateway,
            caller: self.caller,
            thing: self.thing,
            operation: Operation::Invoke { action: "open".into(), input: None },
            purpose: "care".into(),
            number,
            until_ms: 2_000,
        }
    }

    fn record(&mut self, sender: EntityId, uses: Vec<DirectUse>) -> Result<Vec<Event>, Refusal> {
        let done = self.world.act(sender, Action::RecordDirect { uses });
        done.map(|receipt| receipt.events)
    }
}

#[test]
fn only_what_callers_signed_is_recorded_and_once() {
    let mut plant = Plant::new();
    let (a, b, gateway) = (plant.world.a, plant.world.b, plant.gateway);
    let plain = plant.request(5);
    let read = Operation::Read { property: "temperature".into() };
    let refused = [
        (b, plant.signed(plain.clone()), Refusal::NotPermitted),
        (a, plant.signed(plain.clone()), Refusal::NotPermitted),
        (b, plant.signed(DirectRequest { gateway: b, ..plain.clone() }), Refusal::NotPermitted),
        (
            gateway,
            plant.signed(DirectRequest { ledger: LedgerId([9; 32]), ..plain.clone() }),
            Refusal::NotPermitted,
        ),
        (
            gateway,
            plant.signed(DirectRequest { thing: ThingId([9; 32]), ..plain.clone() }),
            Refusal::UnknownThing,
        ),
        (
            gateway,
            plant.signed(DirectRequest { caller: EntityId([9; 32]), ..plain.clone() }),
            Refusal::UnknownEntity,
        ),
        (gateway, plant.served(plain.clone().sign(&signing_key(99))), Refusal::BadSignature),
        (
            gateway,
            plant.signed(DirectRequest { purpose: "harm".into(), ..plain.clone() }),
            Refusal::NoGrant,
        ),
        (
            gateway,
            plant.signed(DirectRequest { operation: read, ..plain.clone() }),
            Refusal::NoGrant,
        ),
        // A grant that nobody gave, and one that is for something else.
        (
            gateway,
            DirectUse {
                grant: plant.grant(Resource::Thing(plant.thing)),
                ..plant.signed(plain.clone())
            },
            Refusal::NoGrant,
        ),
        (
            gateway,
            DirectUse { grant: GrantId([9; 32]), ..plant.signed(plain.clone()) },
            Refusal::NoGrant,
        ),
    ];
    for (sender, one, expected) in refused {
        assert_eq!(plant.record(sender, vec![one.clone()]), Err(expected), "{one:?}");
    }
    let first = plant.signed(plain.clone());
    let events = plant.record(gateway, vec![first]).unwrap();
    let [Event::AccessUsed { access, by, count: 1, used: 1, first_ms: 1_500, .. }] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((access.grantee, *by), (plant.caller, gateway));
    // Once, and in order; what was used beyond the grant is told as it was.
    let again = plant.signed(plain);
    assert_eq!(plant.record(gateway, vec![again]), Err(Refusal::AlreadyExists));
    let before = plant.signed(plant.request(4));
    assert_eq!(plant.record(gateway, vec![before]), Err(Refusal::AlreadyExists));
    let (seven, six) = (plant.signed(plant.request(7)), plant.signed(plant.request(6)));
    let backwards = plant.record(gateway, vec![seven.clone(), six.clone()]);
    assert_eq!(backwards, Err(Refusal::AlreadyExists));
    assert_eq!(plant.record(gateway, vec![six, seven]).unwrap().len(), 2);
}

#[test]
fn a_use_is_recorded_after_its_grant_and_key_have_changed() {
    let mut plant = Plant::new();
    let (a, gateway, caller) = (plant.world.a, plant.gateway, plant.caller);
    let one = plant.signed(plant.request(1));
    let grant = plant.request(1).accesses(a).next().unwrap().id();
    plant.world.must(a, Action::RevokeGrant { grant });
    let rotation = plant.world.rotation(caller, 25);
    plant.world.must(caller, rotation);
    plant.world.use_key(caller, 25);
    assert!(plant.record(gateway, vec![one]).is_ok());
    // The key before the one before it is too old.
    let rotation = plant.world.rotation(caller, 27);
    plant.world.must(caller, rotation);
    let two = plant.signed(plant.request(2));
    assert_eq!(plant.record(gateway, vec![two]), Err(Refusal::BadSignature));
}

#[test]
fn the_callers_signatures_are_checked_with_the_transactions() {
    let mut plant = Plant::new();
    let good = plant.signed(plant.request(1));
    let request = DirectRequest { number: 2, ..plant.request(1) };
    let forged = plant.served(SignedRequest { request, ..good.request.clone() });
    let action = Action::RecordDirect { uses: vec![good, forged] };
    let transaction = plant.world.signed(&[plant.gateway], vec![action]);
    let basis = Bases::new(&plant.world.state).of(&transaction).unwrap();
    let checks = signature_checks(&plant.world.ledger, &transaction, &basis);
    let holds = checks.iter().map(|it| it.key.verify(&it.message, &it.signature));
    assert_eq!(holds.collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn a_use_counts_against_the_grant_that_the_gateway_let_it_in_by() {
    let mut plant = Plant::new();
    let (gateway, thing) = (plant.gateway, Resource::Thing(plant.thing));
    // There is a narrower grant, but it was the wider one that was shown.
    plant.ask(thing.clone());
    let one = plant.signed(plant.request(5));
    let wide = DirectUse { grant: plant.grant(thing.clone()), ..one.clone() };
    let events = plant.record(gateway, vec![wide]).unwrap();
    let [Event::AccessUsed { access, used: 1, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(access.resource, thing);
    // Numbers ascend under each grant by itself.
    let events = plant.record(gateway, vec![one]).unwrap();
    let [Event::AccessUsed { access, used: 1, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(access.resource, plant.request(0).resource());
}
