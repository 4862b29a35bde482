use alloc::vec::Vec;

use althing_types::{Digest, EntityKind, Suite};

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
    let counts = [0, 1, 2].map(|epoch| membership.validators(epoch).unwrap().validators.len());
    assert_eq!(counts, [4, 7, 1]);
    assert_eq!(membership.validators(3), None);
    assert_eq!(membership.validators(u64::MAX), None);
    for (block, finalized, _) in &ledger.blocks {
        let epoch = block.header().epoch;
        let validators = membership.validators(epoch).unwrap();
        assert_eq!(finalized.verify(&genesis.ledger(), validators), Ok(()));
        for other in 0..3 {
            assert_eq!(membership.admits(other, block.height()), other == epoch, "{other}");
        }
    }
    let start = Membership::follow(genesis, &[]).unwrap();
    assert_eq!(start.validators(0), Some(&genesis.validators()));
    assert!(start.admits(0, 1_000_000));
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
    assert_eq!(skipped, Err(Last { epoch: 0, source: epoch(0, 1) }));
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
