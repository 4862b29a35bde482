use alloc::{vec, vec::Vec};

use althing_types::{ExecutionResult, Signature, quorum};

use super::*;
use crate::testing::Network;

fn header(network: &Network) -> Header {
    Header {
        version: 1,
        ledger: network.genesis.ledger(),
        height: 7,
        parent: Digest([1; 32]),
        time_ms: 1_700_000_000_000,
        proposer: network.validators.validators[0].key,
        epoch: 0,
        view: 300,
        parent_view: 299,
        validators: network.validators.digest(),
        next_validators: None,
        transactions: Digest::default(),
        count: 0,
        result: ExecutionResult {
            height: 6,
            state_root: Digest([2; 32]),
            receipts_root: Digest::default(),
        },
    }
}

/// Signs with the first quorum of a network, spoils the result, and gives the verdict.
fn check(count: u8, spoil: impl Fn(&mut Finalized)) -> Result<(), CertificateError> {
    let network = Network::new(count);
    let mut finalized = network.finalize(header(&network));
    spoil(&mut finalized);
    finalized.verify(Mechanism::Simplex, &network.genesis.ledger(), &network.validators)
}

#[test]
fn a_quorum_makes_a_block_final_and_fewer_do_not() {
    for count in [1, 2, 3, 4, 7, 9, 10] {
        let network = Network::new(count);
        let ledger = network.genesis.ledger();
        let needed = quorum(usize::from(count));
        for signed in 1..=usize::from(count) {
            // The last ones, so that the first bits are 0.
            let signers: Vec<usize> = (usize::from(count) - signed..usize::from(count)).collect();
            let finalized = network.finalize_by(header(&network), &signers);
            let expected = if signed >= needed {
                Ok(())
            } else {
                Err(CertificateError::Quorum { signed, needed })
            };
            assert_eq!(
                finalized.verify(Mechanism::Simplex, &ledger, &network.validators),
                expected,
                "{count}"
            );
            assert_eq!(Finalized::from_wire(&finalized.to_wire()), Ok(finalized));
        }
    }
}

#[test]
fn what_differs_is_named() {
    use CertificateError::*;
    assert_eq!(check(4, |_| ()), Ok(()));
    assert_eq!(check(4, |f| f.header.ledger.0[0] ^= 1), Err(Ledger));
    assert_eq!(check(4, |f| f.header.epoch = 1), Err(Epoch { expected: 0, found: 1 }));
    assert_eq!(check(4, |f| f.header.validators.0[0] ^= 1), Err(Validators));
    assert_eq!(check(4, |f| f.header.time_ms += 1), Err(Block));
    assert_eq!(check(4, |f| f.certificate.view += 1), Err(Block));
    assert_eq!(check(4, |f| f.certificate.parent_view += 1), Err(Block));
    assert_eq!(check(4, |f| f.certificate.block.0[0] ^= 1), Err(Block));
    assert_eq!(check(4, |f| f.certificate.epoch = 1), Err(Epoch { expected: 0, found: 1 }));
    assert_eq!(
        check(4, |f| f.certificate.signatures[1].0[0] ^= 1),
        Err(Signature { validator: 1 })
    );
}

#[test]
fn the_bitmap_names_exactly_those_that_signed() {
    use CertificateError::Signers;
    // A bit from n upwards.
    assert_eq!(check(4, |f| f.certificate.signers[0] |= 0x08), Err(Signers));
    assert_eq!(check(4, |f| f.certificate.signers[0] |= 0x01), Err(Signers));
    assert_eq!(check(4, |f| f.certificate.signers.push(0)), Err(Signers));
    assert_eq!(check(4, |f| f.certificate.signers.clear()), Err(Signers));
    assert_eq!(check(4, |f| f.certificate.signatures.truncate(2)), Err(Signers));
    // Another validator's bit for the same signatures.
    let moved = check(4, |f| f.certificate.signers[0] = 0b0111_0000);
    assert_eq!(moved, Err(CertificateError::Signature { validator: 1 }));
    // One good signature counted again for others.
    let repeated = check(4, |f| {
        let first = f.certificate.signatures[0];
        f.certificate.signatures = vec![first; 3];
    });
    assert_eq!(repeated, Err(CertificateError::Signature { validator: 1 }));
    // A surplus signature must hold too.
    let surplus = check(4, |f| {
        f.certificate.signers[0] |= 0x10;
        f.certificate.signatures.push(Signature([7; 64]));
    });
    assert_eq!(surplus, Err(CertificateError::Signature { validator: 3 }));
}

/// A block at height 7 that the certificate of the block at height 9 covers.
fn covered(network: &Network, change: impl Fn(usize, &mut Header)) -> Finalized {
    let mut headers = vec![header(network)];
    change(0, &mut headers[0]);
    for position in 1..3 {
        let mut next = header(network);
        let before = &headers[position - 1];
        (next.parent, next.height) = (before.digest(), before.height.wrapping_add(1));
        (next.view, next.parent_view) = (before.view + 1, before.view);
        change(position, &mut next);
        headers.push(next);
    }
    let certificate = network.finalize(headers[2].clone()).certificate;
    Finalized { header: headers.remove(0), certificate, descendants: headers }
}

#[test]
fn a_certificate_makes_all_before_it_final() {
    use CertificateError::*;
    let network = Network::new(4);
    let verdict = |finalized: &Finalized| {
        finalized.verify(Mechanism::Simplex, &network.genesis.ledger(), &network.validators)
    };
    // A quorum signs what it must not.
    for (position, change, height) in [
        (1, (|h| h.height += 1) as fn(&mut Header), 9),
        (1, |h| h.height -= 1, 7),
        (2, |h| h.height = 0, 0),
        (0, |h| h.height = u64::MAX, 0),
        (1, |h| h.parent.0[31] ^= 1, 8),
        (2, |h| h.parent.0[0] ^= 1, 9),
        (1, |h| h.ledger.0[0] ^= 1, 8),
        (1, |h| h.epoch = 1, 8),
        (2, |h| h.epoch = 1, 9),
        (2, |h| h.validators.0[0] ^= 1, 9),
        (0, |h| h.next_validators = Some(Digest([8; 32])), 8),
        (1, |h| h.next_validators = Some(Digest([8; 32])), 9),
    ] {
        let finalized = covered(&network, |at, header| {
            if at == position {
                change(header);
            }
        });
        assert_eq!(verdict(&finalized), Err(Descendant { height }), "{position}");
    }
    let good = covered(&network, |_, _| ());
    assert_eq!(verdict(&good), Ok(()));
    assert_eq!(Finalized::from_wire(&good.to_wire()), Ok(good.clone()));
    // The last of an epoch may cover those before it.
    let end =
        |at, header: &mut Header| header.next_validators = (at == 2).then_some(Digest::default());
    assert_eq!(verdict(&covered(&network, end)), Ok(()));
    let spoil = |change: fn(&mut Finalized)| {
        let mut spoiled = good.clone();
        change(&mut spoiled);
        verdict(&spoiled)
    };
    assert_eq!(spoil(|f| f.header.time_ms += 1), Err(Descendant { height: 8 }));
    assert_eq!(spoil(|f| f.descendants[0].time_ms += 1), Err(Descendant { height: 9 }));
    assert_eq!(spoil(|f| f.descendants[1].time_ms += 1), Err(Block));
    assert_eq!(spoil(|f| f.descendants.swap(0, 1)), Err(Descendant { height: 9 }));
    assert_eq!(spoil(|f| _ = f.descendants.remove(0)), Err(Descendant { height: 9 }));
    assert_eq!(spoil(|f| _ = f.descendants.pop()), Err(Block));
    assert_eq!(spoil(|f| f.descendants.clear()), Err(Block));
}

/// A vote of the earlier phase, of another ledger or another engine is no vote to finalize.
#[test]
fn the_bytes_signed_are_those_of_the_format() {
    let bytes =
        signed_bytes(Mechanism::Simplex, &LedgerId([0xaa; 32]), 0, 300, 127, &Digest([0xbb; 32]));
    let mut expected = vec![59];
    expected.extend(b"althing/simplex/1/");
    expected.extend([0xaa; 32]);
    expected.extend(b"_FINALIZE");
    expected.extend([0, 0xac, 0x02, 0x7f]);
    expected.extend([0xbb; 32]);
    assert_eq!(bytes, expected);
    let longest = signed_bytes(
        Mechanism::Simplex,
        &LedgerId::default(),
        u64::MAX,
        1 << 63,
        128,
        &Digest::default(),
    );
    assert_eq!(longest[60..70], [255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    assert_eq!(longest[70..80], [128, 128, 128, 128, 128, 128, 128, 128, 128, 1]);
    assert_eq!(longest[80..82], [128, 1]);
}

/// A majority makes a block final where peers only crash, by signatures that count nowhere else.
#[test]
fn of_raft_a_majority_is_enough_and_nothing_of_another_mechanism_counts() {
    for count in [1, 2, 3, 4, 5, 7] {
        let network = Network::of_raft(count);
        let ledger = network.genesis.ledger();
        let needed = usize::from(count) / 2 + 1;
        for signed in 1..=usize::from(count) {
            let signers: Vec<usize> = (usize::from(count) - signed..usize::from(count)).collect();
            let finalized = network.finalize_by(header(&network), &signers);
            let expected = if signed >= needed {
                Ok(())
            } else {
                Err(CertificateError::Quorum { signed, needed })
            };
            let verdict = finalized.verify(Mechanism::Raft, &ledger, &network.validators);
            assert_eq!(verdict, expected, "{count}");
            let other = finalized.verify(Mechanism::Simplex, &ledger, &network.validators);
            assert!(other.is_err(), "{count}");
        }
    }
    let network = Network::new(4);
    let finalized = network.finalize(header(&network));
    let verdict = finalized.verify(Mechanism::Raft, &network.genesis.ledger(), &network.validators);
    assert_eq!(verdict, Err(CertificateError::Signature { validator: 0 }));
}
