use alloc::vec::Vec;

use althing_types::{Digest, EntityKind, Header, Mechanism, Suite};

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

/// A ledger of four that begins by Raft, agrees by Simplex from epoch 1 on and by Raft again from 2 on.
fn agreed() -> (TinyLedger, Vec<EpochLink>) {
    let mut ledger = TinyLedger::on(Network::of_raft(5), EntityKind::Gateway, Suite::Ed25519);
    ledger.commit();
    ledger.agree_by(Mechanism::Simplex);
    ledger.commit();
    ledger.agree_by(Mechanism::Raft);
    ledger.commit();
    let links = ledger.links.clone();
    (ledger, links)
}

#[test]
fn blocks_are_checked_by_the_mechanism_of_their_epoch() {
    let (ledger, links) = agreed();
    let genesis = &ledger.network.genesis;
    let membership = Membership::follow(genesis, &links).unwrap();
    let said = |epoch| membership.validators(epoch).mechanism;
    assert_eq!([said(0), said(1), said(2), said(9)], [None, Some(Mechanism::Simplex), None, None]);
    for (block, finalized, _) in &ledger.blocks {
        let validators = membership.validators(block.header().epoch);
        let verdict = finalized.verify(genesis.mechanism, &genesis.ledger(), &validators);
        assert_eq!(verdict, Ok(()), "{}", block.height());
        let signed = finalized.certificate.signatures.len();
        assert_eq!(signed, if block.header().epoch == 1 { 4 } else { 3 });
    }
}

/// A majority must not divide the ledger in an epoch in which it is no quorum, whatever it signs.
#[test]
fn a_majority_of_raft_makes_nothing_final_by_simplex() {
    let (mut ledger, links) = agreed();
    let genesis = ledger.network.genesis.clone();
    let membership = Membership::follow(&genesis, &links).unwrap();
    let (simplex, honest) = (membership.validators(1), ledger.blocks[2].1.clone());
    let verdict = |block: &Finalized| block.verify(genesis.mechanism, &genesis.ledger(), &simplex);
    assert_eq!((honest.header.epoch, verdict(&honest)), (1, Ok(())));
    let fork = Header { time_ms: honest.header.time_ms + 1, ..honest.header.clone() };
    let majority = [0, 2, 4];
    // As Simplex has it signed, by too few.
    ledger.network.enter(simplex.clone());
    let few = ledger.network.finalize_by(fork.clone(), &majority);
    assert_eq!(verdict(&few), Err(CertificateError::Quorum { signed: 3, needed: 4 }));
    // As Raft has it signed, by three and by all of them, under the header of the epoch.
    let raft = ValidatorSet { mechanism: None, ..simplex.clone() };
    ledger.network.enter(raft.clone());
    let majority = ledger.network.finalize_by(fork.clone(), &majority);
    assert_eq!(verdict(&majority), Err(CertificateError::Quorum { signed: 3, needed: 4 }));
    let all = ledger.network.finalize_by(fork.clone(), &[0, 1, 2, 3, 4]);
    assert_eq!(verdict(&all), Err(CertificateError::Signature { validator: 0 }));
    // The same under a header that says that its epoch agrees by Raft.
    let claims = Header { validators: raft.digest(), ..fork };
    let claiming = ledger.network.finalize_by(claims, &[0, 1, 2, 3, 4]);
    assert_eq!(verdict(&claiming), Err(CertificateError::Validators));
    // A link in which the majority decides by itself that it agrees by Raft from then on.
    let next = ValidatorSet { epoch: 2, ..raft };
    let mut forged = links;
    forged[1].last = ledger.network.finalize_by(
        Header { next_validators: Some(next.digest()), ..forged[1].last.header.clone() },
        &[0, 2, 4],
    );
    forged[1].next = next;
    let source = CertificateError::Quorum { signed: 3, needed: 4 };
    let verdict = Membership::follow(&genesis, &forged);
    assert_eq!(verdict, Err(MembershipError::Last { epoch: 1, source }));
}

/// Whoever leaves a change out, or tells another, has a link that its predecessors did not sign.
#[test]
fn a_change_of_mechanism_cannot_be_left_out_or_made_up() {
    let (ledger, links) = agreed();
    let genesis = &ledger.network.genesis;
    let skipped = Membership::follow(genesis, &links[1..]);
    let source = CertificateError::Validators;
    assert_eq!(skipped, Err(MembershipError::Last { epoch: 1, source }));
    for (link, told) in [
        (0, None),
        (0, Some(Mechanism::Raft)),
        (1, Some(Mechanism::Raft)),
        (1, Some(Mechanism::Simplex)),
    ] {
        let mut changed = links.clone();
        changed[link].next.mechanism = told;
        let verdict = Membership::follow(genesis, &changed);
        assert_eq!(verdict, Err(MembershipError::Next { epoch: link as u64 }), "{told:?}");
    }
}

#[test]
fn links_round_trip() {
    for link in [chain().1, agreed().1].concat() {
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
