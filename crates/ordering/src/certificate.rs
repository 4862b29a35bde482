//! What validators sign, and the form in which the ledger keeps it.
//!
//! `docs/formats/certificate.md` describes the bytes; the tests here hold the engine to it.

use althing_types::{Certificate, Digest, LedgerId, Signature};
use commonware_codec::{Copying, DecodeExt as _, Error};
use commonware_consensus::simplex::{scheme::ed25519::Scheme, types::Finalization};
use commonware_cryptography::{
    ed25519::{PrivateKey, PublicKey},
    sha256,
};
use commonware_utils::ordered::Set;

use crate::seam::PeerKey;

/// Begins the namespace of every vote; the ledger's id follows, then the engine's suffix for the
/// kind of vote.
const VOTES: &[u8] = b"althing/simplex/1/";
/// Begins the namespace of the handshakes between peers; the ledger's id follows.
const CONNECTIONS: &[u8] = b"althing/p2p/1/";

pub(crate) fn vote_namespace(ledger: &LedgerId) -> Vec<u8> {
    [VOTES, &ledger.0].concat()
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
    ledger: &LedgerId,
    validators: Set<PublicKey>,
    signer: Option<PrivateKey>,
) -> Option<Scheme> {
    let namespace = vote_namespace(ledger);
    match signer {
        Some(key) => Scheme::signer(&namespace, validators, key),
        None => Some(Scheme::verifier(&namespace, validators)),
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
