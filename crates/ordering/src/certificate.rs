//! What validators sign, and the form in which the ledger keeps it.
//!
//! `docs/formats/certificate.md` describes the bytes; the tests here hold the engine to it.

use althing_types::{Certificate, Digest, LedgerId, Mechanism, Signature};
use commonware_codec::{Copying, DecodeExt as _, Error};
use commonware_consensus::simplex::types::Finalization;
use commonware_cryptography::{
    ed25519::{PrivateKey, PublicKey},
    sha256,
};
use commonware_utils::ordered::Set;

use crate::{scheme::Scheme, seam::PeerKey};

/// Begins the namespace of the handshakes between peers; the ledger's id follows.
const CONNECTIONS: &[u8] = b"althing/p2p/1/";

/// Begins every vote; the engine's suffix for the kind of vote follows.
fn vote_namespace(mechanism: Mechanism, ledger: &LedgerId) -> Vec<u8> {
    [mechanism.namespace().as_bytes(), &ledger.0].concat()
}

pub(crate) fn connection_namespace(ledger: &LedgerId) -> Vec<u8> {
    [CONNECTIONS, &ledger.0].concat()
}

pub(crate) fn private_key(seed: &[u8; 32]) -> Result<PrivateKey, Error> {
    PrivateKey::decode(Copying(seed))
}

pub(crate) fn public_key(key: &PeerKey) -> Result<PublicKey, Error> {
    PublicKey::decode(Copying(key))
}

pub(crate) fn peer_key(key: &PublicKey) -> PeerKey {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(key.as_ref());
    bytes
}

/// The scheme of one epoch: with `signer` it votes, without it only checks. `None` if the signer is
/// not a validator.
pub(crate) fn scheme(
    mechanism: Mechanism,
    ledger: &LedgerId,
    validators: Set<PublicKey>,
    signer: Option<PrivateKey>,
) -> Option<Scheme> {
    let namespace = vote_namespace(mechanism, ledger);
    match signer {
        Some(key) => Scheme::signer(mechanism, &namespace, validators, key),
        None => Some(Scheme::verifier(mechanism, &namespace, validators)),
    }
}

/// The engine's finalization as the ledger's certificate. `None` if a signature is not even 64
/// bytes of the right shape, which the engine excludes for what it has verified.
pub(crate) fn convert(finalization: &Finalization<Scheme, sha256::Digest>) -> Option<Certificate> {
    let proposal = &finalization.proposal;
    let certificate = &finalization.certificate;
    let mut signers = vec![0_u8; certificate.signers.len().div_ceil(8)];
    for signer in certificate.signers.iter() {
        let index = usize::try_from(signer.get()).ok()?;
        *signers.get_mut(index / 8)? |= 0x80 >> (index % 8);
    }
    let signatures = certificate
        .signatures
        .iter()
        .map(|signature| signature.get()?.as_ref().try_into().ok().map(Signature))
        .collect::<Option<Vec<_>>>()?;
    Some(Certificate {
        epoch: proposal.round.epoch().get(),
        view: proposal.round.view().get(),
        parent_view: proposal.parent.get(),
        block: Digest(proposal.payload.0),
        signers,
        signatures,
    })
}

#[cfg(test)]
mod tests {
    use commonware_consensus::{
        simplex::types::{Finalize, Notarize, Proposal, Subject},
        types::{Epoch, Round, View},
    };
    use commonware_cryptography::{Signer as _, certificate::Verifier as _};
    use commonware_parallel::Sequential;
    use commonware_utils::{non_empty, test_rng};

    use super::*;

    const LEDGER: LedgerId = LedgerId([0x11; 32]);
    const BLOCK: [u8; 32] = [0x22; 32];

    /// Signing schemes of `n` validators with the seeds 00.., 01.., ..., and their keys, ascending.
    fn validators(mechanism: Mechanism, n: u8) -> (Vec<Scheme>, Vec<PeerKey>) {
        let keys: Vec<PrivateKey> = (0..n).map(|i| private_key(&[i; 32]).unwrap()).collect();
        let set = Set::from_iter_dedup(keys.iter().map(|key| key.public_key()));
        let listed = set.iter().map(peer_key).collect();
        let sign = |key| scheme(mechanism, &LEDGER, set.clone(), Some(key)).unwrap();
        (keys.into_iter().map(sign).collect(), listed)
    }

    fn proposal(epoch: u64, view: u64, parent: u64) -> Proposal<sha256::Digest> {
        let round = Round::new(Epoch::new(epoch), View::new(view));
        Proposal::new(round, View::new(parent), sha256::Digest(BLOCK))
    }

    /// Finalized by the first `signers` of `schemes`.
    fn finalization(
        schemes: &[Scheme],
        signers: usize,
        proposal: &Proposal<sha256::Digest>,
    ) -> Finalization<Scheme, sha256::Digest> {
        let votes: Vec<_> = schemes[..signers]
            .iter()
            .map(|scheme| Finalize::sign(scheme, proposal.clone()).unwrap())
            .collect();
        Finalization::from_finalizes(&schemes[0], non_empty![@votes.iter()], &Sequential).unwrap()
    }

    /// The bytes that `docs/formats/certificate.md` says are signed, from that page alone.
    fn documented(mechanism: Mechanism, certificate: &Certificate, ledger: &LedgerId) -> Vec<u8> {
        fn varint(out: &mut Vec<u8>, mut value: u64) {
            while value >= 0x80 {
                out.push((value & 0x7f) as u8 | 0x80);
                value >>= 7;
            }
            out.push(value as u8);
        }
        let (len, begins): (u8, &[u8]) = match mechanism {
            Mechanism::Simplex => (0x3b, b"althing/simplex/1/"),
            Mechanism::Raft => (0x38, b"althing/raft/1/"),
        };
        let mut out = vec![len];
        out.extend_from_slice(begins);
        out.extend_from_slice(&ledger.0);
        out.extend_from_slice(b"_FINALIZE");
        for value in [certificate.epoch, certificate.view, certificate.parent_view] {
            varint(&mut out, value);
        }
        out.extend_from_slice(&certificate.block.0);
        out
    }

    /// How many signatures hold, by `ed25519-zebra` and the documented bytes.
    fn verified(mechanism: Mechanism, certificate: &Certificate, keys: &[PeerKey]) -> usize {
        let message = documented(mechanism, certificate, &LEDGER);
        let signed = certificate.signer_positions().zip(&certificate.signatures);
        let holds = signed.filter(|(position, signature)| {
            let key = ed25519_zebra::VerificationKey::try_from(keys[*position]).unwrap();
            key.verify(&ed25519_zebra::Signature::from(signature.0), &message).is_ok()
        });
        holds.count()
    }

    #[test]
    fn what_the_engine_signs_is_what_the_format_says() {
        let mechanisms = [Mechanism::Simplex, Mechanism::Raft];
        let cases = mechanisms.into_iter().flat_map(|it| [1, 2, 4, 7, 10, 17].map(|n| (it, n)));
        for (mechanism, n) in cases {
            let (schemes, keys) = validators(mechanism, n);
            for (epoch, view, parent) in [
                (0, 1, 0),
                (0, 127, 126),
                (1, 128, 3),
                (300, 1 << 40, 16_383),
                (u64::MAX, u64::MAX, 1),
            ] {
                for signers in [mechanism.quorum(usize::from(n)), usize::from(n)] {
                    let finalization =
                        finalization(&schemes, signers, &proposal(epoch, view, parent));
                    let certificate = convert(&finalization).unwrap();
                    assert_eq!(
                        (certificate.epoch, certificate.view, certificate.parent_view),
                        (epoch, view, parent)
                    );
                    assert_eq!(certificate.signers.len(), usize::from(n).div_ceil(8));
                    assert_eq!(certificate.signatures.len(), signers);
                    assert_eq!(
                        verified(mechanism, &certificate, &keys),
                        signers,
                        "n={n} view={view}"
                    );
                    let subject = Subject::Finalize { proposal: &finalization.proposal };
                    let own = &finalization.certificate;
                    let mut rng = test_rng();
                    assert!(schemes[0].verify_certificate(&mut rng, subject, own, &Sequential));
                }
            }
        }
    }

    /// Of Raft a minority is no quorum, and a vote of another mechanism is none.
    #[test]
    fn of_raft_less_than_a_majority_and_votes_of_simplex_do_not_count() {
        for n in [2, 3, 4, 5] {
            let (schemes, _) = validators(Mechanism::Raft, n);
            let (others, _) = validators(Mechanism::Simplex, n);
            let proposal = proposal(0, 3, 2);
            let votes: Vec<_> = schemes[..Mechanism::Raft.quorum(usize::from(n)) - 1]
                .iter()
                .map(|scheme| Finalize::sign(scheme, proposal.clone()).unwrap())
                .collect();
            if !votes.is_empty() {
                let votes = non_empty![@votes.iter()];
                assert!(Finalization::from_finalizes(&schemes[0], votes, &Sequential).is_err());
            }
            let finalization = finalization(&others, usize::from(n), &proposal);
            let subject = Subject::Finalize { proposal: &proposal };
            let certificate = &finalization.certificate;
            let mut rng = test_rng();
            assert!(!schemes[0].verify_certificate(&mut rng, subject, certificate, &Sequential));
        }
    }

    #[test]
    fn a_vote_to_notarize_finalizes_nothing() {
        let (schemes, keys) = validators(Mechanism::Simplex, 4);
        let proposal = proposal(0, 300, 299);
        let mut certificate = convert(&finalization(&schemes, 4, &proposal)).unwrap();
        let votes: Vec<_> = schemes
            .iter()
            .map(|scheme| Notarize::sign(scheme, proposal.clone()).unwrap().attestation)
            .collect();
        for vote in votes {
            let position = usize::from(vote.signer);
            let signature = vote.signature.get().unwrap();
            certificate.signatures[position] = Signature(signature.as_ref().try_into().unwrap());
        }
        assert_eq!(verified(Mechanism::Simplex, &certificate, &keys), 0);
    }

    #[test]
    fn the_worked_example_of_the_format_holds() {
        let (schemes, keys) = validators(Mechanism::Simplex, 4);
        let certificate = convert(&finalization(&schemes, 3, &proposal(0, 300, 299))).unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let mut example = String::new();
        for (index, key) in keys.iter().enumerate() {
            example += &format!("validator {index}  {}\n", hex(key));
        }
        example += &format!(
            "signed       {}\n",
            hex(&documented(Mechanism::Simplex, &certificate, &LEDGER))
        );
        example += &format!("signers      {}\n", hex(&certificate.signers));
        for (position, signature) in certificate.signer_positions().zip(&certificate.signatures) {
            example += &format!("signature {position}  {}\n", hex(&signature.0));
        }
        let format = include_str!("../../../docs/formats/certificate.md");
        for line in example.lines() {
            assert!(format.contains(line), "not in the format's example:\n{example}");
        }
    }
}
