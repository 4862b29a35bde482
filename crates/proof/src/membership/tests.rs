use alloc::vec::Vec;

use althing_types::{Digest, EntityKind, Mechanism, Suite};

use super::*;
use crate::testing::{Network, TinyLedger};

/// Three epochs with 4, 7 and 1 validators.
fn chain() -> (TinyLedger, Vec<EpochLink>) {
    let mut ledger = TinyLedger::new(EntityKind::Gateway, Suite::Ed25519);
    ledger.commit();
    ledger.end_epoch(7);
    ledger.commit();
    ledger.end_epoch(1);
    ledger.commit();
    let links = ledger.links.clone();
    (ledger, links)
}

fn follow(spoil: impl Fn(&mut Vec<EpochLink>)) -> Result<Membership, MembershipError> {
    let (ledger, mut links) = chain();
    spoil(&mut links);
    Membership::follow(&ledger.network.genesis, &links)
}

#[test]
fn validators_follow_from_the_genesis_over_epochs() {
    let (ledger, links) = chain();
    let genesis = &ledger.network.genesis;
    let membership = Membership::follow(genesis, &links).unwrap();
    for (epoch, count) in [(0, 4), (1, 7), (2, 1), (3, 1), (u64::MAX, 1)] {
        let set = membership.validators(epoch);
        assert_eq!((set.epoch, set.validators.len()), (epoch, count));
    }
    for (block, finalized, _) in &ledger.blocks {
        let epoch = block.header().epoch;
        let validators = membership.validators(epoch);
        assert_eq!(finalized.verify(Mechanism::Simplex, &genesis.ledger(), &validators), Ok(()));
        for other in 0..3 {
            assert_eq!(membership.admits(other, block.height()), other == epoch, "{other}");
        }
    }
    let start = Membership::follow(genesis, &[]).unwrap();
    assert_eq!(start.validators(0), genesis.validators());
    assert!(start.admits(0, 1_000_000));
}

/// Validators that stay for a thousand epochs, of which none needs a link.
#[test]
fn epochs_in_which_nothing_changes_need_no_link() {
    let mut network = Network::new(4);
    let header = |network: &mut Network, epoch: u64, height: u64, next: Option<Digest>| {
        let validators = ValidatorSet { epoch, ..network.validators.clone() };
        network.validators = validators;
        let mut header = chain().1[0].last.header.clone();
        (header.ledger, header.epoch, header.height) = (network.genesis.ledger(), epoch, height);
        (header.validators, header.next_validators) = (network.validators.digest(), next);
        network.finalize(header)
    };
    let mut next = network.next_validators(7);
    next.epoch = 1001;
    let last = header(&mut network, 1000, 32_031, Some(next.digest()));
    let (before, late) =
        (header(&mut network, 999, 32_000, None), header(&mut network, 1002, 9, None));
    let links = [EpochLink { last, next: next.clone() }];
    let membership = Membership::follow(&network.genesis, &links).unwrap();
    let ledger = network.genesis.ledger();
    assert_eq!(before.verify(Mechanism::Simplex, &ledger, &membership.validators(999)), Ok(()));
    assert!(membership.admits(999, 32_000) && !membership.admits(999, 32_032));
    assert!(membership.admits(1001, 32_032) && !membership.admits(1001, 32_031));
    // Whoever has left signs for nobody, not even for an epoch far ahead.
    let refused = late.verify(Mechanism::Simplex, &ledger, &membership.validators(1002));
    assert_eq!(refused, Err(CertificateError::Validators));
    let claims_more =
        [EpochLink { next: ValidatorSet { epoch: 1002, ..next }, ..links[0].clone() }];
    let verdict = Membership::follow(&network.genesis, &claims_more);
    assert_eq!(verdict, Err(MembershipError::Next { epoch: 1000 }));
}

/// Old keys, all of them, in an epoch in which others validate.
#[test]
fn who_lost_a_seat_signs_for_nothing() {
    let mut ledger = TinyLedger::new(EntityKind::Gateway, Suite::Ed25519);
    let retired = ledger.network.validators.clone();
    ledger.commit();
    ledger.end_epoch(4);
    ledger.commit();
    let membership = Membership::follow(&ledger.network.genesis, &ledger.links).unwrap();
    let (id, honest) = (ledger.network.genesis.ledger(), ledger.blocks.last().unwrap().1.clone());
    let now = membership.validators(1);
    assert_eq!(honest.verify(Mechanism::Simplex, &id, &now), Ok(()));
    // They sign a block as if they were those who validate now, and as if they still did themselves.
    ledger.network.enter(retired.clone());
    let mut header = honest.header;
    header.time_ms += 1;
    let posing = ledger.network.finalize(header.clone());
    assert_eq!(
        posing.verify(Mechanism::Simplex, &id, &now),
        Err(CertificateError::Signature { validator: 0 })
    );
    header.validators = ValidatorSet { epoch: 1, ..retired }.digest();
    let claiming = ledger.network.finalize(header);
    assert_eq!(claiming.verify(Mechanism::Simplex, &id, &now), Err(CertificateError::Validators));
}

#[test]
fn links_round_trip() {
    let (_, links) = chain();
    for link in links {
        assert_eq!(EpochLink::from_wire(&link.to_wire()), Ok(link));
    }
}

#[test]
fn a_broken_link_is_named_by_its_epoch() {
    use MembershipError::{Last, Next};
    let next = |epoch| Err(Next { epoch });
    assert_eq!(follow(|links| links[0].next.validators[0].key[0] ^= 1), next(0));
    assert_eq!(follow(|links| links[1].next.epoch = 3), next(1));
    assert_eq!(follow(|links| links[1].next.validators.clear()), next(1));
    let epoch = |expected, found| CertificateError::Epoch { expected, found };
    let skipped = follow(|links| links.retain(|link| link.next.epoch == 2));
    assert_eq!(skipped, Err(Last { epoch: 1, source: CertificateError::Validators }));
    let repeated = follow(|links| links[1] = links[0].clone());
    assert_eq!(repeated, Err(Last { epoch: 1, source: epoch(1, 0) }));
    let forged = follow(|links| links[1].last.header.next_validators = Some(Digest([1; 32])));
    assert_eq!(forged, Err(Last { epoch: 1, source: CertificateError::Block }));
    let signature = CertificateError::Signature { validator: 0 };
    let unsigned = follow(|links| links[1].last.certificate.signatures[0].0[9] ^= 1);
    assert_eq!(unsigned, Err(Last { epoch: 1, source: signature }));
}

#[test]
fn a_block_inside_an_epoch_ends_none() {
    let (ledger, mut links) = chain();
    links[0].last = ledger.blocks[0].1.clone();
    let verdict = Membership::follow(&ledger.network.genesis, &links);
    assert_eq!(verdict, Err(MembershipError::Next { epoch: 0 }));
}

#[test]
fn the_last_blocks_ascend() {
    let (mut ledger, links) = chain();
    // The validators of epoch 1 sign an end below that of epoch 0.
    let mut network = Network::new(4);
    let first = network.next_validators(7);
    network.enter(first);
    let second = network.next_validators(1);
    let mut header = links[1].last.header.clone();
    header.height = links[0].last.header.height;
    header.next_validators = Some(second.digest());
    ledger.links[1] = EpochLink { last: network.finalize(header), next: second };
    let verdict = Membership::follow(&network.genesis, &ledger.links);
    assert_eq!(verdict, Err(MembershipError::Height { epoch: 1 }));
}

#[test]
fn another_genesis_and_an_endless_chain_are_refused() {
    let (_, links) = chain();
    let other = Network::new(5);
    let verdict = Membership::follow(&other.genesis, &links);
    let source = CertificateError::Ledger;
    assert_eq!(verdict, Err(MembershipError::Last { epoch: 0, source }));
    let endless =
        follow(|links| *links = links.iter().cycle().take(EPOCHS_MAX + 1).cloned().collect());
    assert_eq!(endless, Err(MembershipError::TooLong));
}
