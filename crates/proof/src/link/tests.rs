use alloc::{vec, vec::Vec};

use althing_types::{EntityKind, Header, Mechanism, Suite, Wire};

use super::*;
use crate::testing::{Network, TinyLedger};

const KEY: &[u8] = b"j/c/anything";

fn ledger() -> TinyLedger {
    TinyLedger::on(Network::new(4), EntityKind::Gateway, Suite::Ed25519)
}

/// What the ledger's state holds at a key now.
fn shown(ledger: &mut TinyLedger) -> Bundle {
    ledger.bundle(|ledger| Claim::state(ledger, KEY.to_vec()).unwrap())
}

/// A final block beside the newest one: same height and validators, another time.
fn beside(ledger: &TinyLedger, block: &Finalized) -> Advance {
    let header = Header { time_ms: block.header.time_ms + 1, ..block.header.clone() };
    Advance { links: vec![], block: ledger.network.finalize(header) }
}

#[test]
fn an_anchor_goes_up_and_shows_rows() {
    let mut ledger = ledger();
    let begin = Anchor::of(&ledger.network.genesis);
    ledger.state.set(KEY.to_vec(), vec![7; 40]);
    let bundle = shown(&mut ledger);
    let shown = Shown::of(&bundle, begin.validators.epoch).unwrap();
    let shown = Shown::from_wire(&shown.to_wire()).unwrap();
    let now = begin.follow(&shown.advance).unwrap();
    assert_eq!((now.height, now.block), (bundle.block.header.height, bundle.block.header.digest()));
    assert_eq!(shown.value().unwrap(), Some([7; 40].as_slice()));
    // An older block of the same validators holds, and leaves what is known as it is.
    let later = ledger.commit();
    let later = now.follow(&Advance { links: vec![], block: later }).unwrap();
    assert_eq!(later.height, now.height + 1);
    assert_eq!(later.follow(&shown.advance), Ok(later.clone()));
    // A wrong value, a wrong key, a block that is not final.
    let mut other = shown.clone();
    other.row.value = Some(vec![8; 40]);
    assert_eq!(other.value(), Err(LinkError::Value));
    other.row.value = None;
    assert_eq!(other.value(), Err(LinkError::Value));
    other.row.key = b"j/c/other".to_vec();
    assert!(matches!(other.value(), Err(LinkError::Path(_))));
    let mut other = shown.advance.clone();
    other.block.header.time_ms += 1;
    let height = other.block.header.height;
    let source = CertificateError::Block;
    assert_eq!(begin.follow(&other), Err(LinkError::Certificate { height, source }));
}

#[test]
fn replaced_validators_move_nothing_any_more() {
    let mut ledger = ledger();
    let begin = Anchor::of(&ledger.network.genesis);
    ledger.commit();
    // What the first validators could still sign, long after.
    let founders = TinyLedger::on(Network::new(4), EntityKind::Gateway, Suite::Ed25519).network;
    ledger.end_epoch(4);
    ledger.commit();
    ledger.end_epoch(5);
    let newest = shown(&mut ledger);
    let all = Advance::of(&newest, 0);
    assert_eq!((all.links.len(), all.signatures()), (2, 3 + 3 + 4));
    let now = begin.follow(&all).unwrap();
    assert_eq!((now.validators.epoch, now.height), (2, newest.block.header.height));
    // Step by step comes to the same.
    let first = begin.follow(&all.part(1).unwrap()).unwrap();
    assert_eq!((first.validators.epoch, first.height), (0, all.links[0].last.header.height));
    let rest = Advance { links: all.links.clone(), block: all.block.clone() };
    assert_eq!(first.follow(&rest).unwrap(), now);
    assert_eq!(Advance::of(&newest, 2).links.len(), 0);
    assert_eq!(all.part(0), None);
    assert_eq!(all.part(3), None);
    // A fork of the founders: above all that is known, of their epoch or of the present one.
    for epoch in [0, 2] {
        let header = Header {
            height: now.height + 10,
            epoch,
            validators: founders.validators.digest(),
            ..newest.block.header.clone()
        };
        let fork = Advance { links: vec![], block: founders.finalize(header) };
        assert!(now.follow(&fork).is_err(), "epoch {epoch}");
    }
    // Other successors than those that are known: their last block lies below.
    let again =
        begin.follow(&Advance { links: vec![], block: ledger.blocks[0].1.clone() }).unwrap();
    assert_eq!(again.height, 1);
    let missing = Advance { links: all.links[1..].to_vec(), block: all.block.clone() };
    assert!(begin.follow(&missing).is_err(), "a change of validators was left out");
    let swapped: Vec<_> = all.links.iter().rev().cloned().collect();
    assert!(begin.follow(&Advance { links: swapped, block: all.block.clone() }).is_err());
    // The validators of the first epoch end it a second time, above what is known of them.
    let mut late = all.links[0].clone();
    let header = Header { height: 1, ..late.last.header.clone() };
    late.last = founders.finalize(header);
    let height = first.height;
    let early = Advance { links: vec![late], block: all.block.clone() };
    assert_eq!(first.follow(&early), Err(LinkError::Place { height: 1 }), "{height}");
}

/// An anchor on a Raft ledger that came to agree by Simplex: a majority moves it no more, and is no fork.
#[test]
fn an_anchor_goes_on_by_the_mechanism_that_members_chose() {
    let mut ledger = TinyLedger::on(Network::of_raft(5), EntityKind::Gateway, Suite::Ed25519);
    let begin = Anchor::of(&ledger.network.genesis);
    ledger.commit();
    let raft = ledger.network.validators.clone();
    ledger.agree_by(Mechanism::Simplex);
    let newest = shown(&mut ledger);
    let advance = Advance::of(&newest, 0);
    assert_eq!(advance.signatures(), 3 + 4);
    let now = begin.follow(&advance).unwrap();
    assert_eq!(now.validators.mechanism, Some(Mechanism::Simplex));
    assert_eq!(Anchor::from_wire(&now.to_wire()), Ok(now.clone()));
    let later = Advance { links: vec![], block: ledger.commit() };
    assert!(now.follow(&later).is_ok());
    let height = newest.block.header.height;
    let header = Header { time_ms: 1, ..newest.block.header.clone() };
    let few =
        Advance { links: vec![], block: ledger.network.finalize_by(header.clone(), &[0, 1, 2]) };
    let source = CertificateError::Quorum { signed: 3, needed: 4 };
    let refused = Err(LinkError::Certificate { height, source });
    assert_eq!((now.follow(&few), now.fork(&few, &few).is_err()), (refused, true));
    ledger.network.enter(ValidatorSet { epoch: 1, ..raft });
    let votes =
        Advance { links: vec![], block: ledger.network.finalize_by(header, &[0, 1, 2, 3, 4]) };
    let source = CertificateError::Signature { validator: 0 };
    assert_eq!(now.follow(&votes), Err(LinkError::Certificate { height, source }));
}

#[test]
fn two_final_blocks_of_one_height_are_a_fork() {
    let mut ledger = ledger();
    let begin = Anchor::of(&ledger.network.genesis);
    let (one, two) = (ledger.commit(), ledger.commit());
    let at = |block: &Finalized| Advance { links: vec![], block: block.clone() };
    let other = beside(&ledger, &one);
    let fork = Fork { height: 1, first: one.header.digest(), second: other.block.header.digest() };
    assert_eq!(begin.fork(&at(&one), &other), Ok(fork));
    // One that is known and one that is shown are enough.
    let now = begin.follow(&at(&one)).unwrap();
    let shown = fork.second;
    assert_eq!(now.follow(&other), Err(LinkError::Fork { height: 1, shown }));
    assert_eq!(now.fork(&other, &other), Ok(fork));
    // Nor does it help to be past it.
    let now = now.follow(&at(&two)).unwrap();
    assert_eq!(now.fork(&at(&one), &other), Ok(fork));
    // The same block twice, blocks of two heights, and one that is not final are none.
    assert_eq!(begin.fork(&at(&one), &at(&one)), Err(LinkError::NoFork));
    assert_eq!(begin.fork(&at(&one), &at(&two)), Err(LinkError::NoFork));
    let few = ledger.network.finalize_by(other.block.header.clone(), &[0, 1]);
    assert!(matches!(begin.fork(&at(&one), &at(&few)), Err(LinkError::Certificate { .. })));
}
