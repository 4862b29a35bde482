//! How validators sign, and how many of them must.

use althing_types::Mechanism;
use commonware_consensus::simplex::{
    scheme::{Namespace, ed25519},
    types::Subject,
};
use commonware_cryptography::{
    Digest,
    certificate::{self, AssemblyError, Attestation, Membership, Signers, Verification, Verifier},
    ed25519::{
        PrivateKey, PublicKey, Signature,
        certificate::{Certificate, Generic},
    },
};
use commonware_parallel::Strategy;
use commonware_utils::{N3f1, iter::NonEmpty, ordered::Set};
use rand_core_0_10::CryptoRng;

/// The engine's Ed25519 scheme, with the quorum of the epoch's mechanism.
///
/// The engine wants a scheme whose quorum is that of Byzantine faults, and asks it to check
/// certificates; where blocks come from Raft, no part of that engine runs but the delivery of blocks,
/// which takes the scheme's word.
#[derive(Clone, Debug)]
pub struct Scheme {
    generic: Generic<Namespace>,
    mechanism: Mechanism,
}

impl Scheme {
    /// One that votes with a key; `None` if it is not a participant's.
    pub(crate) fn signer(
        mechanism: Mechanism,
        namespace: &[u8],
        participants: Set<PublicKey>,
        key: PrivateKey,
    ) -> Option<Self> {
        Some(Self { generic: Generic::signer(namespace, participants, key)?, mechanism })
    }

    /// One that only checks.
    pub(crate) fn verifier(
        mechanism: Mechanism,
        namespace: &[u8],
        participants: Set<PublicKey>,
    ) -> Self {
        Self { generic: Generic::verifier(namespace, participants), mechanism }
    }

    fn is_signed_by_majority<D: Digest>(
        &self,
        subject: Subject<'_, D>,
        certificate: &Certificate,
    ) -> bool {
        let Certificate { signers, signatures } = certificate;
        let participants = self.generic.participants.len();
        let signed = signers.iter().zip(signatures);
        signers.len() == participants
            && signers.count() == signatures.len()
            && signatures.len() >= self.mechanism.quorum(participants)
            && signed.into_iter().all(|(signer, signature)| {
                let attestation = Attestation::<Self> { signer, signature: signature.clone() };
                self.generic.verify_attestation(subject, &attestation)
            })
    }

    fn assemble_of_majority(
        &self,
        mut attestations: Vec<Attestation<Self>>,
    ) -> Result<Certificate, AssemblyError> {
        attestations.sort_by_key(|one| one.signer);
        let (signers, signatures): (Vec<_>, Vec<_>) =
            attestations.into_iter().map(|one| (one.signer, one.signature)).unzip();
        let participants = &self.generic.participants;
        let (needed, found) = (self.mechanism.quorum(participants.len()), signers.len());
        if found < needed {
            return Err(AssemblyError::InsufficientAttestations(needed as u32, found as u32));
        }
        let signers = Signers::try_from((participants, signers))?;
        Ok(Certificate { signers, signatures })
    }
}

impl Verifier for Scheme {
    type Subject<'a, D: Digest> = Subject<'a, D>;
    type Faults = N3f1;
    type PublicKey = PublicKey;
    type Certificate = Certificate;

    fn verify_certificate<R: CryptoRng, D: Digest>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        certificate: &Certificate,
        strategy: &impl Strategy,
    ) -> bool {
        let generic = &self.generic;
        match self.mechanism {
            Mechanism::Simplex => generic.verify_certificate::<ed25519::Scheme, _>(
                rng,
                subject,
                certificate,
                strategy,
            ),
            Mechanism::Raft => self.is_signed_by_majority(subject, certificate),
        }
    }

    fn verify_certificates<'a, R, D, I>(
        &self,
        rng: &mut R,
        certificates: NonEmpty<I>,
        strategy: &impl Strategy,
    ) -> bool
    where
        R: CryptoRng,
        D: Digest,
        I: Iterator<Item = (Subject<'a, D>, &'a Certificate)>,
    {
        let generic = &self.generic;
        match self.mechanism {
            Mechanism::Simplex => {
                generic.verify_certificates::<ed25519::Scheme, _, _, _>(rng, certificates, strategy)
            }
            Mechanism::Raft => certificates
                .into_iter()
                .all(|(subject, certificate)| self.is_signed_by_majority(subject, certificate)),
        }
    }

    fn is_batchable() -> bool {
        Generic::<Namespace>::is_batchable()
    }

    fn max_certificate_size(participants: u32) -> usize {
        Generic::<Namespace>::max_certificate_size(participants)
    }

    fn certificate_codec_config(&self) -> usize {
        self.generic.certificate_codec_config()
    }

    fn certificate_codec_config_unbounded() -> usize {
        Generic::<Namespace>::certificate_codec_config_unbounded()
    }
}

impl certificate::Scheme for Scheme {
    type Signature = Signature;

    fn me(&self) -> Option<Membership> {
        self.generic.signer_index().map(Membership::Signer)
    }

    fn participants(&self) -> &Set<PublicKey> {
        &self.generic.participants
    }

    fn sign<D: Digest>(&self, subject: Subject<'_, D>) -> Option<Attestation<Self>> {
        self.generic.sign(subject)
    }

    fn verify_attestation<R: CryptoRng, D: Digest>(
        &self,
        _: &mut R,
        subject: Subject<'_, D>,
        attestation: &Attestation<Self>,
        _: &impl Strategy,
    ) -> bool {
        self.generic.verify_attestation(subject, attestation)
    }

    fn verify_attestations<R, D, I>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        attestations: I,
        strategy: &impl Strategy,
    ) -> Verification<Self>
    where
        R: CryptoRng,
        D: Digest,
        I: IntoIterator<Item = Attestation<Self>>,
    {
        self.generic.verify_attestations(rng, subject, attestations, strategy)
    }

    fn optimistic_assemble<'a, R, D, I, J>(
        &self,
        rng: &mut R,
        subject: Subject<'_, D>,
        pending: I,
        verified: J,
        strategy: &impl Strategy,
    ) -> Result<Certificate, Verification<Self>>
    where
        R: CryptoRng,
        D: Digest,
        I: IntoIterator<Item = Attestation<Self>>,
        I::IntoIter: ExactSizeIterator + Send,
        J: IntoIterator<Item = &'a Attestation<Self>>,
        J::IntoIter: Send,
    {
        certificate::verify_then_assemble::<Self, _, D, _, _>(
            self, rng, subject, pending, verified, strategy,
        )
    }

    fn assemble<I>(
        &self,
        attestations: NonEmpty<I>,
        _: &impl Strategy,
    ) -> Result<Certificate, AssemblyError>
    where
        I: Iterator<Item = Attestation<Self>> + Send,
    {
        match self.mechanism {
            Mechanism::Simplex => self.generic.assemble::<Self, _>(attestations),
            Mechanism::Raft => self.assemble_of_majority(attestations.into_iter().collect()),
        }
    }

    fn is_attributable() -> bool {
        Generic::<Namespace>::is_attributable()
    }
}
