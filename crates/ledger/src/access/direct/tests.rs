use althing_types::{
    AccessMode, AccessPolicy, AccessRequest, Action, CommandState, EntityKind, Event, LedgerId,
    Operation, Right, SignedRequest, ThingId,
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
        let policy = AccessPolicy {
            resource: resource.clone(),
            mode: AccessMode::Grant,
            text: "permit (principal, action == Action::\"invoke\", resource);".into(),
            ask: None,
            patience_blocks: 0,
            grant_blocks_max: 100,
        };
        plant.world.must(plant.world.a, Action::SetAccessPolicy(policy));
        let request = AccessRequest {
            resource,
            right: Right::Invoke,
            purpose: "care".into(),
            count_max: 1,
            until_height: 1000,
        };
        plant.world.must(caller, Action::RequestAccess(request));
        plant
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

fn served(request: SignedRequest) -> DirectUse {
    DirectUse { request, state: CommandState::Done, served_ms: 1_500, result: None }
}

fn signed(request: DirectRequest) -> DirectUse {
    served(request.sign(&signing_key(CALLER)))
}

#[test]
fn only_what_callers_signed_is_recorded_and_once() {
    let mut plant = Plant::new();
    let (a, b, gateway) = (plant.world.a, plant.world.b, plant.gateway);
    let plain = plant.request(5);
    let read = Operation::Read { property: "temperature".into() };
    let refused = [
        (b, signed(plain.clone()), Refusal::NotPermitted),
        (a, signed(plain.clone()), Refusal::NotPermitted),
        (b, signed(DirectRequest { gateway: b, ..plain.clone() }), Refusal::NotPermitted),
        (
            gateway,
            signed(DirectRequest { ledger: LedgerId([9; 32]), ..plain.clone() }),
            Refusal::NotPermitted,
        ),
        (
            gateway,
            signed(DirectRequest { thing: ThingId([9; 32]), ..plain.clone() }),
            Refusal::UnknownThing,
        ),
        (
            gateway,
            signed(DirectRequest { caller: EntityId([9; 32]), ..plain.clone() }),
            Refusal::UnknownEntity,
        ),
        (gateway, served(plain.clone().sign(&signing_key(99))), Refusal::BadSignature),
        (
            gateway,
            signed(DirectRequest { purpose: "harm".into(), ..plain.clone() }),
            Refusal::NoGrant,
        ),
        (gateway, signed(DirectRequest { operation: read, ..plain.clone() }), Refusal::NoGrant),
    ];
    for (sender, one, expected) in refused {
        assert_eq!(plant.record(sender, vec![one.clone()]), Err(expected), "{one:?}");
    }
    let events = plant.record(gateway, vec![signed(plain.clone())]).unwrap();
    let [Event::AccessUsed { access, by, count: 1, used: 1, first_ms: 1_500, .. }] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((access.grantee, *by), (plant.caller, gateway));
    // Once, and in order; what was used beyond the grant is told as it was.
    assert_eq!(plant.record(gateway, vec![signed(plain)]), Err(Refusal::AlreadyExists));
    let before = signed(plant.request(4));
    assert_eq!(plant.record(gateway, vec![before]), Err(Refusal::AlreadyExists));
    let (seven, six) = (signed(plant.request(7)), signed(plant.request(6)));
    let backwards = plant.record(gateway, vec![seven.clone(), six.clone()]);
    assert_eq!(backwards, Err(Refusal::AlreadyExists));
    assert_eq!(plant.record(gateway, vec![six, seven]).unwrap().len(), 2);
}

#[test]
fn a_use_is_recorded_after_its_grant_and_key_have_changed() {
    let mut plant = Plant::new();
    let (a, gateway, caller) = (plant.world.a, plant.gateway, plant.caller);
    let one = signed(plant.request(1));
    let grant = plant.request(1).accesses(a).next().unwrap().id();
    plant.world.must(a, Action::RevokeGrant { grant });
    let rotation = plant.world.rotation(caller, 25);
    plant.world.must(caller, rotation);
    plant.world.use_key(caller, 25);
    assert!(plant.record(gateway, vec![one]).is_ok());
    // The key before the one before it is too old.
    let rotation = plant.world.rotation(caller, 27);
    plant.world.must(caller, rotation);
    let two = signed(plant.request(2));
    assert_eq!(plant.record(gateway, vec![two]), Err(Refusal::BadSignature));
}

#[test]
fn the_callers_signatures_are_checked_with_the_transactions() {
    let mut plant = Plant::new();
    let good = signed(plant.request(1));
    let request = DirectRequest { number: 2, ..plant.request(1) };
    let forged = served(SignedRequest { request, ..good.request.clone() });
    let action = Action::RecordDirect { uses: vec![good, forged] };
    let transaction = plant.world.signed(&[plant.gateway], vec![action]);
    let basis = Bases::new(&plant.world.state).of(&transaction).unwrap();
    let checks = signature_checks(&plant.world.ledger, &transaction, &basis);
    let holds = checks.iter().map(|it| it.key.verify(&it.message, &it.signature));
    assert_eq!(holds.collect::<Vec<_>>(), [true, true, false]);
}
