use althing_types::{
    Action, Inception, PublicKey, StreamId, claim_bytes, limits::VOUCHER_DEVICES_MAX, merkle,
};

use super::*;
use crate::{
    check::signature_checks,
    testing::{PROPERTIES, World, batch, description, inception, registration_of, signing_key},
};
use Refusal::{
    AlreadyExists, BadClaim, NotBound, NotInVoucher, NotOffered, NotPermitted, OfferExpired,
    Quarantined, UnknownVoucher, VoucherRevoked,
};

fn thing_of(world: &World, id: &ThingId) -> ThingRecord {
    minicbor::decode(&world.state[&key::thing(id)]).unwrap()
}

fn to(entity: EntityId, until_height: u64) -> Option<Offer> {
    Some(Offer { to: OfferTo::Entity(entity), until_height })
}

fn coded(key: PublicKey) -> Option<Offer> {
    Some(Offer { to: OfferTo::Code(key), until_height: 1000 })
}

#[test]
fn a_thing_passes_to_whom_it_is_offered_and_to_nobody_else() {
    let mut world = World::new();
    let (a, b, thing) = (world.a, world.b, world.thing("hall"));
    let person = world.member(EntityKind::Person, 21);
    let offer = |offer| Action::OfferThing { thing, offer };
    let accept = || Action::AcceptThing { thing, claim: None };
    for (sender, action, expected) in [
        (b, accept(), Err(NotOffered)),
        (b, offer(to(b, 1000)), Err(NotPermitted)),
        (a, offer(None), Err(NotOffered)),
        (a, offer(to(b, 1)), Err(OfferExpired)),
        (a, offer(to(b, 1000)), Ok(())),
        (person, accept(), Err(NotOffered)),
        (a, offer(None), Ok(())),
        (b, accept(), Err(NotOffered)),
        (a, offer(to(b, 1000)), Ok(())),
        (b, accept(), Ok(())),
        (b, accept(), Err(NotOffered)),
        (a, offer(to(a, 1000)), Err(NotPermitted)),
        (b, offer(to(b, 1000)), Ok(())),
        (b, accept(), Err(AlreadyExists)),
    ] {
        assert_eq!(world.act(sender, action.clone()).map(|_| ()), expected, "{action:?}");
    }
    assert_eq!(thing_of(&world, &thing).owner, b);
}

#[test]
fn the_old_owner_and_what_it_bound_are_out_within_the_block() {
    let mut world = World::new();
    let (a, b, thing) = (world.a, world.b, world.thing("hall"));
    let gateway = world.member(EntityKind::Gateway, 20);
    let stream = StreamId::derive(&thing, "temperature");
    let submit = |seq| Action::SubmitBatch(batch(stream, seq, 1));
    world.must(a, Action::Bind { thing, gateway, until_height: u64::MAX });
    world.must(gateway, submit(0));
    world.must(a, Action::OfferThing { thing, offer: to(b, 1000) });
    world.must(b, Action::AcceptThing { thing, claim: None });
    assert_eq!(world.act(a, submit(1)).map(|_| ()), Err(NotBound));
    assert_eq!(world.act(gateway, submit(1)).map(|_| ()), Err(Refusal::BindingExpired));
    // The series goes on where it was, whoever carries it.
    world.must(b, Action::Bind { thing, gateway, until_height: u64::MAX });
    world.must(gateway, submit(1));
    world.must(b, submit(2));
}

#[test]
fn a_device_comes_along_with_its_thing_if_it_was_the_owners() {
    let mut world = World::new();
    let (a, b, thing) = (world.a, world.b, world.thing("hall"));
    let device = world.member(EntityKind::Device, 22);
    world.must(a, Action::Bind { thing, gateway: device, until_height: 1000 });
    world.must(a, Action::OfferThing { thing, offer: to(b, 1000) });
    world.must(b, Action::AcceptThing { thing, claim: None });
    assert_eq!(thing_of(&world, &thing).device, Some(device));
    let owner: EntityRecord = minicbor::decode(&world.state[&key::entity(&device)]).unwrap();
    assert_eq!(owner.owner, Some(b));
    let stream = StreamId::derive(&thing, "temperature");
    world.must(device, Action::SubmitBatch(batch(stream, 0, 1)));
    // To a person it cannot belong: persons own no entities.
    let person = world.member(EntityKind::Person, 23);
    world.must(b, Action::OfferThing { thing, offer: to(person, 1000) });
    world.must(person, Action::AcceptThing { thing, claim: None });
    assert_eq!(thing_of(&world, &thing).device, None);
    let late = world.act(device, Action::SubmitBatch(batch(stream, 1, 1)));
    assert_eq!(late.map(|_| ()), Err(Refusal::BindingExpired));
}

#[test]
fn a_device_that_registered_itself_is_claimed_with_its_code() {
    let mut world = World::new();
    let (b, device) = (world.b, world.member(EntityKind::Device, 22));
    world.must(device, registration_of("lamp", &description(PROPERTIES)));
    let thing = ThingId::derive(&device, "lamp");
    let code = signing_key(77);
    world.must(device, Action::OfferThing { thing, offer: coded(code.public_key()) });
    let claim = |key: PublicKey| {
        let signature = code.sign(&claim_bytes(&world.ledger, &thing, &b));
        Action::AcceptThing { thing, claim: Some(Claim { key, signature }) }
    };
    let (right, wrong) = (claim(code.public_key()), claim(signing_key(78).public_key()));
    assert_eq!(world.act(b, wrong).map(|_| ()), Err(BadClaim));
    let none = Action::AcceptThing { thing, claim: None };
    assert_eq!(world.act(b, none).map(|_| ()), Err(BadClaim));
    world.must(b, right);
    let record = thing_of(&world, &thing);
    assert_eq!((record.owner, record.device), (b, Some(device)));
    let stream = StreamId::derive(&thing, "temperature");
    world.must(device, Action::SubmitBatch(batch(stream, 0, 1)));
}

/// Whoever sees a claim on its way cannot use it: what was signed names the claimant.
#[test]
fn a_claim_holds_for_its_claimant_alone() {
    let mut world = World::new();
    let (a, b, thing) = (world.a, world.b, world.thing("hall"));
    let code = signing_key(77);
    let signature = code.sign(&claim_bytes(&world.ledger, &thing, &b));
    let claim = Some(Claim { key: code.public_key(), signature });
    for (sender, expected) in [(b, true), (a, false)] {
        let action = Action::AcceptThing { thing, claim: claim.clone() };
        let transaction = world.signed(&[sender], vec![action]);
        let basis = crate::Bases::new(&world.state).of(&transaction).unwrap();
        let checks = signature_checks(&world.ledger, &transaction, &basis);
        let [_, check] = checks.as_slice() else { panic!("{checks:?}") };
        assert_eq!(check.key.verify(&check.message, &check.signature), expected);
    }
}

#[test]
fn a_thing_in_quarantine_stays_where_it_is() {
    let mut world = World::new();
    let (a, b, thing) = (world.a, world.b, world.thing("hall"));
    world.must(a, Action::OfferThing { thing, offer: to(b, 1000) });
    world.must(a, Action::Quarantine { thing, reason: Some("hijacked".into()) });
    let accept = Action::AcceptThing { thing, claim: None };
    assert_eq!(world.act(b, accept).map(|_| ()), Err(Quarantined));
}

/// Five meters that B made for A.
struct Batch {
    devices: Vec<Inception>,
    leaves: Vec<[u8; 32]>,
    voucher: Voucher,
    id: VoucherId,
}

impl Batch {
    fn new(world: &World) -> Self {
        let devices: Vec<Inception> =
            (100..105).map(|seed| inception(EntityKind::Device, seed)).collect();
        let leaves: Vec<[u8; 32]> = devices.iter().map(Inception::leaf).collect();
        let description = description(PROPERTIES).into_bytes();
        let root = merkle::root(&leaves);
        let voucher = Voucher { owner: world.a, root, count: 5, description };
        let id = voucher.id(&world.b);
        Self { devices, leaves, voucher, id }
    }

    fn join(&self, index: usize) -> Join {
        Join {
            voucher: self.id,
            index: index as u32,
            inception: self.devices[index].clone(),
            path: merkle::path(&self.leaves, index).unwrap(),
        }
    }
}

#[test]
fn devices_join_by_the_voucher_of_their_maker() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let gateway = world.member(EntityKind::Gateway, 20);
    let batch_of = Batch::new(&world);
    let join = |index| Action::JoinByVoucher(batch_of.join(index));
    assert_eq!(world.act(a, join(0)).map(|_| ()), Err(UnknownVoucher));
    world.must(b, Action::IssueVoucher(batch_of.voucher.clone()));
    let moved = Join { index: 1, ..batch_of.join(0) };
    let unlisted = Join { inception: inception(EntityKind::Device, 99), ..batch_of.join(0) };
    for (sender, action, expected) in [
        (b, Action::IssueVoucher(batch_of.voucher.clone()), Err(AlreadyExists)),
        (b, join(0), Err(NotPermitted)),
        (a, Action::JoinByVoucher(moved), Err(NotInVoucher)),
        (a, Action::JoinByVoucher(unlisted), Err(NotInVoucher)),
        (a, join(0), Ok(())),
        (a, join(0), Err(AlreadyExists)),
        (gateway, join(4), Ok(())),
    ] {
        assert_eq!(world.act(sender, action.clone()).map(|_| ()), expected, "{action:?}");
    }
    let device = batch_of.devices[4].id();
    let thing = ThingId::derive(&a, &batch_of.devices[4].name);
    let record = thing_of(&world, &thing);
    assert_eq!((record.owner, record.device), (a, Some(device)));
    let binding: BindingRecord =
        minicbor::decode(&world.state[&key::binding(&thing, &device)]).unwrap();
    assert!(binding.holds_at(world.height), "the device submits for itself");
}

#[test]
fn a_revoked_voucher_or_maker_stops_those_that_come_later() {
    for by_key in [false, true] {
        let mut world = World::new();
        let (a, b) = (world.a, world.b);
        let batch_of = Batch::new(&world);
        world.must(b, Action::IssueVoucher(batch_of.voucher.clone()));
        world.must(a, Action::JoinByVoucher(batch_of.join(0)));
        let end = if by_key {
            Action::RevokeEntity { entity: b }
        } else {
            Action::RevokeVoucher { voucher: batch_of.id }
        };
        world.must(b, end);
        let later = world.act(a, Action::JoinByVoucher(batch_of.join(1)));
        assert_eq!(later.map(|_| ()), Err(VoucherRevoked));
        let device = batch_of.devices[0].id();
        let record: EntityRecord = minicbor::decode(&world.state[&key::entity(&device)]).unwrap();
        assert_eq!(record.revoked, None, "those that joined stay");
    }
}

#[test]
fn a_voucher_is_ended_by_its_two_sides_once() {
    let mut world = World::new();
    let (a, b, gateway) = (world.a, world.b, world.member(EntityKind::Gateway, 20));
    let batch_of = Batch::new(&world);
    let revoke = Action::RevokeVoucher { voucher: batch_of.id };
    assert_eq!(world.act(b, revoke.clone()).map(|_| ()), Err(UnknownVoucher));
    world.must(b, Action::IssueVoucher(batch_of.voucher.clone()));
    assert_eq!(world.act(gateway, revoke.clone()).map(|_| ()), Err(NotPermitted));
    world.must(a, revoke.clone());
    assert_eq!(world.act(b, revoke).map(|_| ()), Err(VoucherRevoked));
}

/// The state grows by what joins, not by what might: one record for ten thousand devices.
#[test]
fn ten_thousand_devices_are_vouched_for_in_one_transaction() {
    let mut world = World::new();
    let (a, b) = (world.a, world.b);
    let key = signing_key(9).public_key();
    let devices: Vec<Inception> = (0..VOUCHER_DEVICES_MAX)
        .map(|number| Inception {
            kind: EntityKind::Device,
            name: format!("meter-{number}"),
            key: key.clone(),
        })
        .collect();
    let leaves: Vec<[u8; 32]> = devices.iter().map(Inception::leaf).collect();
    let description = description(PROPERTIES).into_bytes();
    let voucher =
        Voucher { owner: a, root: merkle::root(&leaves), count: VOUCHER_DEVICES_MAX, description };
    let before = world.state.len();
    let id = voucher.id(&b);
    world.must(b, Action::IssueVoucher(voucher.clone()));
    assert_eq!(world.state.len(), before + 2, "the voucher and the sender's nonces");
    let last = devices.len() - 1;
    let path = merkle::path(&leaves, last).unwrap();
    let join = Join { voucher: id, index: last as u32, inception: devices[last].clone(), path };
    let action = Action::JoinByVoucher(join);
    assert!(action.is_within_bounds());
    world.must(a, action);
    let more = Voucher { count: VOUCHER_DEVICES_MAX + 1, ..voucher };
    assert!(!Action::IssueVoucher(more).is_within_bounds());
}
