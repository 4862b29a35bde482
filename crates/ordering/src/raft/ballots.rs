//! What validators sign of what is committed, and the certificates that come of it.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use commonware_codec::{Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::{
    Epochable as _, Viewable as _,
    simplex::types::{Attributable as _, Finalization, Finalize, Subject},
};
use commonware_cryptography::{certificate::Verifier as _, ed25519::PublicKey, sha256};
use commonware_parallel::Sequential;
use commonware_utils::iter::NonEmpty;
use rand_core_0_10::CryptoRng;

use crate::{epochs::Electorate, scheme::Scheme};

pub(super) type Signed = Finalize<Scheme, sha256::Digest>;
pub(super) type Certified = Finalization<Scheme, sha256::Digest>;

/// How far ahead of the newest certificate signatures are kept, views.
const AHEAD_MAX: u64 = 256;
/// Begins a message with a signature.
const SIGNED: u8 = 0;
/// Begins a message with a certificate.
const CERTIFIED: u8 = 1;

/// What is said about committed blocks.
#[derive(Debug, Clone)]
pub(super) enum Paper {
    /// One validator holds it to be committed.
    Signed(Signed),
    /// A majority does.
    Certified(Certified),
}

impl Paper {
    pub(super) fn encode(&self) -> Bytes {
        let (tag, paper) = match self {
            Self::Signed(signed) => (SIGNED, signed.encode()),
            Self::Certified(certified) => (CERTIFIED, certified.encode()),
        };
        [&[tag], &paper[..]].concat().into()
    }

    /// What somebody sent, if it is well formed.
    pub(super) fn decode(mut bytes: Bytes, scheme: &Scheme) -> Option<Self> {
        if bytes.is_empty() {
            return None;
        }
        let tag = bytes.split_to(1);
        match tag[0] {
            SIGNED => Some(Self::Signed(Signed::decode(bytes).ok()?)),
            CERTIFIED => {
                let config = scheme.certificate_codec_config();
                Some(Self::Certified(Certified::decode_cfg(bytes, &config).ok()?))
            }
            _ => None,
        }
    }
}

/// Collects signatures until they are a certificate.
pub(super) struct Ballots {
    electorate: Arc<Electorate>,
    signed: BTreeMap<u64, Vec<Signed>>,
    /// The newest certificate, if it was seen since the start.
    latest: Option<Certified>,
    /// Its view; or that of the newest block known to have one.
    certified: u64,
}

impl Ballots {
    /// Blocks up to a view are known to be certified.
    pub(super) fn new(electorate: Arc<Electorate>, certified: u64) -> Self {
        Self { electorate, signed: BTreeMap::new(), latest: None, certified }
    }

    /// The newest view known to be certified.
    pub(super) const fn certified(&self) -> u64 {
        self.certified
    }

    pub(super) const fn latest(&self) -> Option<&Certified> {
        self.latest.as_ref()
    }

    /// Whether a signature is worth keeping: of this epoch, by its sender, and not over long ago or
    /// far ahead.
    pub(super) fn is_wanted(&self, signed: &Signed, from: &PublicKey) -> bool {
        let signer = usize::from(signed.signer());
        signed.epoch().get() == self.electorate.epoch
            && self.electorate.participants.iter().nth(signer) == Some(from)
            && self.is_open(signed.view().get())
            && !self.has(signed)
    }

    fn is_open(&self, view: u64) -> bool {
        self.certified < view && view - self.certified <= AHEAD_MAX
    }

    fn has(&self, signed: &Signed) -> bool {
        let same = |other: &Signed| other.signer() == signed.signer();
        self.signed.get(&signed.view().get()).is_some_and(|all| all.iter().any(same))
    }

    /// Adds a signature that holds; gives the certificate if it completes one.
    pub(super) fn add(&mut self, signed: Signed) -> Option<Certified> {
        let view = signed.view().get();
        if !self.is_open(view) || self.has(&signed) {
            return None;
        }
        let proposal = signed.proposal.clone();
        let all = self.signed.entry(view).or_default();
        all.push(signed);
        let alike: Vec<&Signed> = all.iter().filter(|one| one.proposal == proposal).collect();
        if alike.len() < self.electorate.quorum {
            return None;
        }
        let alike = NonEmpty::try_new(alike.into_iter())?;
        Finalization::from_finalizes(&*self.electorate.scheme, alike, &Sequential).ok()
    }

    /// Whether a certificate that came from elsewhere is news, and holds.
    pub(super) fn is_news(&self, certified: &Certified, rng: &mut impl CryptoRng) -> bool {
        certified.epoch().get() == self.electorate.epoch
            && certified.view().get() > self.certified
            && holds(certified, &self.electorate.scheme, rng)
    }

    /// Takes a certificate that holds.
    pub(super) fn settle(&mut self, certified: Certified) {
        let view = certified.view().get();
        if view > self.certified {
            self.certified = view;
            self.latest = Some(certified);
            self.signed = self.signed.split_off(&view.saturating_add(1));
        }
    }
}

/// Whether a majority signed.
pub(super) fn holds(certified: &Certified, scheme: &Scheme, rng: &mut impl CryptoRng) -> bool {
    let subject = Subject::Finalize { proposal: &certified.proposal };
    scheme.verify_certificate(rng, subject, &certified.certificate, &Sequential)
}
