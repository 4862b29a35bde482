use althing_proof::{bundle::Claim, certificate::Finalized, testing::TinyLedger};
use althing_types::{Action, EntityKind, Header, Receipt, Suite, limits::LINK_PROOF_BYTES_MAX};

use super::*;
use crate::testing::World;

fn foreign() -> TinyLedger {
    TinyLedger::new(EntityKind::Gateway, Suite::Ed25519)
}

fn registration(ledger: &TinyLedger) -> Action {
    Action::RegisterLink { genesis: founders(ledger).to_wire() }
}

fn founders(ledger: &TinyLedger) -> Genesis {
    ledger.network.genesis.clone()
}

/// A world whose organisation A has a link to a ledger.
fn linked(ledger: &TinyLedger) -> (World, LinkId) {
    let mut world = World::new();
    world.must(world.a, registration(ledger));
    let link = LinkId::derive(&world.a, &founders(ledger).ledger());
    (world, link)
}

fn told(link: LinkId, advance: &Advance) -> Action {
    Action::AdvanceLink(LinkAdvance { link, proof: advance.to_wire() })
}

fn to(block: &Finalized) -> Advance {
    Advance { links: vec![], block: block.clone() }
}

fn at(world: &World, link: &LinkId) -> LinkRecord {
    LinkRecord::from_wire(&world.state[&key::link(link)]).unwrap()
}

fn says(receipt: &Receipt) -> &LinkEvent {
    match receipt.events.as_slice() {
        [Event::Link(event)] => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_organisation_registers_a_ledger_by_its_genesis() {
    let ledger = foreign();
    let (mut world, link) = linked(&ledger);
    let record = at(&world, &link);
    assert_eq!((record.status, record.anchor.height, record.open), (LinkStatus::Live, 0, 0));
    assert_eq!(record.network, founders(&ledger).network);
    assert_eq!(world.act(world.a, registration(&ledger)), Err(Refusal::AlreadyExists));
    // Another has its own, which is another link.
    let receipt = world.must(world.b, registration(&ledger));
    let id = LinkId::derive(&world.b, &founders(&ledger).ledger());
    let expected =
        LinkEvent::Registered { link: id, owner: world.b, ledger: founders(&ledger).ledger() };
    assert_eq!(says(&receipt), &expected);
    let service = world.member(EntityKind::Service, 21);
    let mut wrong = founders(&ledger);
    wrong.peers.clear();
    let own = crate::testing::genesis();
    for (sender, genesis, expected) in [
        (service, founders(&ledger).to_wire(), Refusal::NotPermitted),
        (world.a, wrong.to_wire(), Refusal::BadForeignProof),
        (world.a, vec![0x80], Refusal::BadForeignProof),
        (world.a, own.to_wire(), Refusal::ChangesNothing),
    ] {
        assert_eq!(world.act(sender, Action::RegisterLink { genesis }), Err(expected));
    }
    let bytes = |len: usize| Action::RegisterLink { genesis: vec![0; len] };
    for (action, fits) in [
        (bytes(0), false),
        (bytes(LINK_PROOF_BYTES_MAX), true),
        (bytes(LINK_PROOF_BYTES_MAX + 1), false),
        (Action::SetLinkStatus { link, status: LinkStatus::Frozen }, false),
    ] {
        assert_eq!(action.is_within_bounds(), fits);
    }
}

#[test]
fn a_link_goes_up_by_proof_and_never_down() {
    let mut ledger = foreign();
    let (mut world, link) = linked(&ledger);
    let (one, two) = (ledger.commit(), ledger.commit());
    let anybody = world.member_of(world.b, EntityKind::Service, 21);
    let receipt = world.must(anybody, told(link, &to(&two)));
    assert_eq!(says(&receipt), &LinkEvent::Advanced { link, height: 2, epoch: 0 });
    let record = at(&world, &link);
    assert_eq!((record.anchor.height, record.advanced_height), (2, world.height));
    // Older, known, not final, of another ledger, no proof at all, to no link.
    let mut altered = ledger.commit();
    altered.header.time_ms += 1;
    let other = TinyLedger::on(
        althing_proof::testing::Network::new(3),
        EntityKind::Gateway,
        Suite::Ed25519,
    )
    .commit();
    let nowhere = LinkId([9; 32]);
    for (action, expected) in [
        (told(link, &to(&one)), Refusal::LinkNotOlder),
        (told(link, &to(&two)), Refusal::LinkNotOlder),
        (told(link, &to(&altered)), Refusal::BadForeignProof),
        (told(link, &to(&other)), Refusal::BadForeignProof),
        (Action::AdvanceLink(LinkAdvance { link, proof: vec![1] }), Refusal::BadForeignProof),
        (told(nowhere, &to(&two)), Refusal::NoLedgerLink),
    ] {
        assert_eq!(world.act(world.a, action), Err(expected));
        assert_eq!(at(&world, &link).anchor.height, 2);
    }
}

#[test]
fn replaced_validators_do_not_move_a_link_back() {
    let mut ledger = foreign();
    let (mut world, link) = linked(&ledger);
    let founders = foreign().network;
    ledger.end_epoch(4);
    let bundle = ledger.bundle(|ledger| Claim::state(ledger, b"any".to_vec()).unwrap());
    let advance = Advance::of(&bundle, 0);
    // In steps as well as at once: the first ends where the founders do.
    world.must(world.a, told(link, &advance.part(1).unwrap()));
    world.must(world.a, told(link, &advance));
    let known = at(&world, &link).anchor;
    assert_eq!((known.validators.epoch, known.height), (1, 2));
    let header = Header {
        height: 50,
        epoch: 0,
        validators: founders.validators.digest(),
        ..bundle.block.header.clone()
    };
    let fork = to(&founders.finalize(header.clone()));
    assert_eq!(world.act(world.a, told(link, &fork)), Err(Refusal::BadForeignProof));
    // Nor do they freeze it.
    let beside = Header { time_ms: header.time_ms + 1, ..header };
    let second = to(&founders.finalize(beside)).to_wire();
    let told = LinkFork { link, first: fork.to_wire(), second };
    let report = Action::ReportFork(told);
    assert_eq!(world.act(world.a, report), Err(Refusal::BadForeignProof));
    // And an ended link that begins again still knows who was replaced.
    let end = |status| Action::SetLinkStatus { link, status };
    world.must(world.a, end(LinkStatus::Ended));
    world.must(world.a, registration(&ledger));
    assert_eq!(at(&world, &link).anchor, known);
    assert_eq!(at(&world, &link).status, LinkStatus::Live);
}

#[test]
fn a_fork_freezes_a_link_for_ever() {
    let mut ledger = foreign();
    let one = ledger.commit();
    let header = Header { time_ms: one.header.time_ms + 1, ..one.header.clone() };
    let other = ledger.network.finalize(header);
    let two = ledger.commit();
    let fork = Fork { height: 1, first: one.header.digest(), second: other.header.digest() };
    let report = |link, first: &Finalized, second: &Finalized| {
        let (first, second) = (to(first).to_wire(), to(second).to_wire());
        Action::ReportFork(LinkFork { link, first, second })
    };
    // Shown whole, or by the block beside the one that is known.
    for known in [&two, &one] {
        let (mut world, link) = linked(&ledger);
        world.must(world.a, told(link, &to(known)));
        let action =
            if known == &two { report(link, &one, &other) } else { told(link, &to(&other)) };
        for no_fork in [report(link, &one, &one), report(link, &one, &two)] {
            assert_eq!(world.act(world.b, no_fork), Err(Refusal::BadForeignProof));
        }
        let receipt = world.must(world.b, action);
        assert_eq!(says(&receipt), &LinkEvent::Frozen { link, height: 1 });
        let record = at(&world, &link);
        assert_eq!((record.status, record.fork), (LinkStatus::Frozen, Some(fork)));
        for action in [
            told(link, &to(&ledger.commit())),
            report(link, &one, &other),
            Action::SetLinkStatus { link, status: LinkStatus::Live },
            Action::SetLinkStatus { link, status: LinkStatus::Ended },
        ] {
            assert_eq!(world.act(world.a, action), Err(Refusal::LinkClosed));
        }
        assert_eq!(world.act(world.a, registration(&ledger)), Err(Refusal::AlreadyExists));
    }
}

#[test]
fn only_its_owner_suspends_a_link() {
    let mut ledger = foreign();
    let (mut world, link) = linked(&ledger);
    let set = |status| Action::SetLinkStatus { link, status };
    assert_eq!(world.act(world.b, set(LinkStatus::Suspended)), Err(Refusal::NotPermitted));
    assert_eq!(world.act(world.a, set(LinkStatus::Live)), Err(Refusal::ChangesNothing));
    let receipt = world.must(world.a, set(LinkStatus::Suspended));
    let status = LinkStatus::Suspended;
    assert_eq!(says(&receipt), &LinkEvent::StatusSet { link, status });
    let block = ledger.commit();
    assert_eq!(world.act(world.a, told(link, &to(&block))), Err(Refusal::LinkClosed));
    world.must(world.a, set(LinkStatus::Live));
    world.must(world.a, told(link, &to(&block)));
}

/// Proofs cost more than other actions: who floods blocks with them is told so, in the block and before
/// it alike.
#[test]
fn a_block_checks_so_many_signatures_and_no_more() {
    let mut ledger = foreign();
    let (mut world, link) = linked(&ledger);
    let signatures = to(&ledger.commit()).signatures() as u32;
    let count = LINK_SIGNATURES_OF_BLOCK_MAX / signatures + 1;
    let advances: Vec<Action> = (0..count).map(|_| told(link, &to(&ledger.commit()))).collect();
    let transactions: Vec<_> =
        advances.into_iter().map(|action| world.signed(&[world.a], vec![action])).collect();
    let last = transactions.last().unwrap();
    assert_eq!(world.check(last), Ok(()), "alone it would do");
    let receipts = world.block(&transactions).receipts;
    let codes: Vec<u16> = receipts.iter().map(|receipt| receipt.code).collect();
    let (last, others) = codes.split_last().unwrap();
    assert_eq!(*last, Refusal::TooManyProofs.number());
    assert!(others.iter().all(|code| *code == 0), "{codes:?}");
}
