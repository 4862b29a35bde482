//! Check that a quorum of validators made a block final, without the engine that ordered it.
//!
//! The bytes are described in `docs/formats/certificate.md`.

use alloc::vec::Vec;

use althing_types::{
    Certificate, Digest, Header, LedgerId, Mechanism, Phase, PublicKey, ValidatorSet, Wire,
    WireError, vote_bytes,
};
use minicbor::{Decode, Encode};

/// Why a certificate does not make a block final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The bitmap is not of the length of the validator set, or does not match the signatures.
    #[error("the signers named are not those that signed, or not of this validator set")]
    Signers,
    /// Too few signed.
    #[error("{signed} validators signed, but {needed} must")]
    Quorum {
        /// How many signed.
        signed: usize,
        /// How many must.
        needed: usize,
    },
    /// A signature does not verify.
    #[error("the signature of validator {validator} does not verify")]
    Signature {
        /// Position in the validator set.
        validator: usize,
    },
    /// Signed by the validators of another epoch.
    #[error("it is of epoch {found}, but these are the validators of epoch {expected}")]
    Epoch {
        /// Epoch of the validator set.
        expected: u64,
        /// Epoch of the certificate or header.
        found: u64,
    },
    /// The header is of another ledger.
    #[error("the block belongs to another ledger")]
    Ledger,
    /// The header names another validator set.
    #[error("the block names another validator set")]
    Validators,
    /// The certificate is about another block.
    #[error("the certificate is about another block")]
    Block,
    /// A header between the block and the certified one is not its predecessor's child, or the
    /// epoch ends before it.
    #[error("the block at height {height} is no child, in the same epoch, of the one before it")]
    Descendant {
        /// Height it claims.
        height: u64,
    },
}

/// What each validator signs to finalize a block: the engine's vote, with nothing hashed
/// beforehand.
#[must_use]
pub fn signed_bytes(
    mechanism: Mechanism,
    ledger: &LedgerId,
    epoch: u64,
    view: u64,
    parent_view: u64,
    block: &Digest,
) -> Vec<u8> {
    vote_bytes(mechanism, ledger, Phase::Finalize, (epoch, view, parent_view), block)
}

/// Checks that a quorum of `validators` finalized the block that `certificate` names, on a ledger that was
/// founded with a mechanism: theirs, unless they say that another holds in their epoch.
///
/// Every signature must hold, not merely a quorum of them: no honest peer makes a certificate with
/// a bad one.
///
/// # Errors
/// [`CertificateError`] naming the first thing that does not hold.
pub fn verify(
    certificate: &Certificate,
    founding: Mechanism,
    ledger: &LedgerId,
    validators: &ValidatorSet,
) -> Result<(), CertificateError> {
    let count = validators.validators.len();
    if certificate.epoch != validators.epoch {
        let (expected, found) = (validators.epoch, certificate.epoch);
        return Err(CertificateError::Epoch { expected, found });
    }
    let signers: Vec<usize> = certificate.signer_positions().collect();
    if certificate.signers.len() != count.div_ceil(8)
        || signers.last().is_some_and(|last| *last >= count)
        || signers.len() != certificate.signatures.len()
    {
        return Err(CertificateError::Signers);
    }
    let mechanism = validators.agrees_by(founding);
    let needed = mechanism.quorum(count);
    if signers.is_empty() || signers.len() < needed {
        return Err(CertificateError::Quorum { signed: signers.len(), needed });
    }
    let Certificate { epoch, view, parent_view, block, .. } = certificate;
    let message = signed_bytes(mechanism, ledger, *epoch, *view, *parent_view, block);
    for (validator, signature) in signers.into_iter().zip(&certificate.signatures) {
        let key = PublicKey::ed25519(validators.validators[validator].key);
        if !key.verify(&message, signature) {
            return Err(CertificateError::Signature { validator });
        }
    }
    Ok(())
}

/// Most headers between a block and the certificate that makes it final.
pub const DESCENDANTS_MAX: usize = 64;

/// A block's header with the certificate that makes it final: its own or, if it has none, that of
/// a descendant. Who finalizes a block finalizes all before it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Finalized {
    /// The header.
    #[n(0)]
    pub header: Header,
    /// The certificate.
    #[n(1)]
    pub certificate: Certificate,
    /// The headers from the block's child to the one that the certificate is about; empty if it is
    /// about the block itself.
    #[n(2)]
    pub descendants: Vec<Header>,
}

impl Wire for Finalized {
    const BYTES_MAX: usize = 8 + (1 + DESCENDANTS_MAX) * Header::BYTES_MAX + Certificate::BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        if self.descendants.len() > DESCENDANTS_MAX {
            return Err(WireError::OutOfBounds("descendants"));
        }
        self.header.validate()?;
        self.descendants.iter().try_for_each(Wire::validate)?;
        self.certificate.validate()
    }
}

impl Finalized {
    /// A block with a certificate of its own.
    #[must_use]
    pub const fn new(header: Header, certificate: Certificate) -> Self {
        Self { header, certificate, descendants: Vec::new() }
    }

    /// The header that the certificate is about.
    #[must_use]
    pub fn certified(&self) -> &Header {
        self.descendants.last().unwrap_or(&self.header)
    }

    /// Checks that the header is of the ledger and that a quorum of `validators` made it final,
    /// itself or by a descendant in the same epoch. `founding` is the mechanism of the genesis.
    ///
    /// # Errors
    /// [`CertificateError`] naming the first thing that does not hold.
    pub fn verify(
        &self,
        founding: Mechanism,
        ledger: &LedgerId,
        validators: &ValidatorSet,
    ) -> Result<(), CertificateError> {
        let Self { header, certificate, descendants } = self;
        if header.ledger != *ledger {
            return Err(CertificateError::Ledger);
        }
        if header.epoch != validators.epoch {
            let (expected, found) = (validators.epoch, header.epoch);
            return Err(CertificateError::Epoch { expected, found });
        }
        if header.validators != validators.digest() {
            return Err(CertificateError::Validators);
        }
        let mut last = header;
        for next in descendants {
            if !continues(last, next) {
                return Err(CertificateError::Descendant { height: next.height });
            }
            last = next;
        }
        let placed = (last.view, last.parent_view) == (certificate.view, certificate.parent_view);
        // The last block of an epoch is proposed again, as it is, in later views until it is final.
        let again = last.next_validators.is_some() && certificate.view > last.view;
        if last.digest() != certificate.block || !(placed || again) {
            return Err(CertificateError::Block);
        }
        verify(certificate, founding, ledger, validators)
    }
}

/// Whether `child` names `parent` and is of its ledger and epoch, which `parent` does not end.
fn continues(parent: &Header, child: &Header) -> bool {
    child.parent == parent.digest()
        && parent.height.checked_add(1) == Some(child.height)
        && child.ledger == parent.ledger
        && (child.epoch, child.validators) == (parent.epoch, parent.validators)
        && parent.next_validators.is_none()
}

#[cfg(test)]
mod tests;
