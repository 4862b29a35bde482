//! The engine's reports, passed to the application and to the status.

use std::sync::Arc;

use althing_types::{CastVote, Digest, DoubleVote, Phase, Signature};
use commonware_actor::Feedback;
use commonware_codec::{Buf, Encode, ReadExt as _};
use commonware_consensus::{
    Epochable, Reporter, Viewable,
    marshal::Update,
    simplex::types::{Activity, Attributable, Finalize, Notarize, Nullify},
};
use commonware_cryptography::sha256;
use commonware_parallel::Sequential;
use commonware_runtime::Clock;
use commonware_utils::{channel::mpsc, sync::Mutex};
use rand_core_0_10::CryptoRng;

use crate::{
    block::Sealed,
    epochs::{Electorate, Epochs},
    scheme::Scheme,
    seam::{Ack, Application, Evidence, Fault, PeerKey},
    status::{Shared, Tip, Vote, unix_ms},
};

/// Hands final blocks to the application, in order.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) app: Arc<dyn Application>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) epochs: Arc<Epochs>,
    /// Told the height of each block that ends an epoch.
    pub(crate) ended: mpsc::UnboundedSender<u64>,
}

impl Reporter for Delivery {
    type Activity = Update<Sealed>;

    fn report(&mut self, update: Update<Sealed>) -> Feedback {
        match update {
            Update::Tip(round, height, digest) => self.shared.set_tip(Tip {
                height: height.get(),
                block: Digest(digest.0),
                epoch: round.epoch().get(),
                view: round.view().get(),
            }),
            Update::Block(sealed, ack) => {
                let block = sealed.inner().block();
                let height = block.height();
                let ack = Ack::new(height, ack, Arc::clone(&self.shared));
                if self.epochs.last(self.epochs.of(height)) == Some(height) {
                    // If nobody listens, everything is ending.
                    let _ = self.ended.send(height);
                }
                self.app.deliver(block, ack);
            }
        }
        Feedback::Ok
    }
}

/// Watches votes and certificates: what is going on, and who breaks the rules.
pub(crate) struct Watch<E> {
    /// For the time of day and for checking signatures.
    context: Arc<Mutex<E>>,
    app: Arc<dyn Application>,
    shared: Arc<Shared>,
    epoch: u64,
    scheme: Scheme,
    validators: Arc<[PeerKey]>,
}

impl<E> Clone for Watch<E> {
    fn clone(&self) -> Self {
        Self {
            context: Arc::clone(&self.context),
            app: Arc::clone(&self.app),
            shared: Arc::clone(&self.shared),
            epoch: self.epoch,
            scheme: self.scheme.clone(),
            validators: Arc::clone(&self.validators),
        }
    }
}

impl<E: Clock + CryptoRng> Reporter for Watch<E> {
    type Activity = Activity<Scheme, sha256::Digest>;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        match &activity {
            Activity::Notarize(vote) => self.voted(Vote::Notarize, vote),
            Activity::Nullify(vote) => self.voted(Vote::Nullify, vote),
            Activity::Finalize(vote) => self.voted(Vote::Finalize, vote),
            Activity::Notarization(_) => {}
            Activity::Certification(certificate) => {
                self.view_ended(certificate.view().get(), false)
            }
            Activity::Nullification(certificate) => self.view_ended(certificate.view().get(), true),
            Activity::Finalization(certificate) => self.view_ended(certificate.view().get(), false),
            Activity::ConflictingNotarize(votes) => {
                let proven = votes.verify(&mut *self.context.lock(), &self.scheme, &Sequential);
                let cast = [Phase::Notarize, Phase::Notarize];
                self.accuse(proven, Fault::ConflictingNotarize, votes, cast);
            }
            Activity::ConflictingFinalize(votes) => {
                let proven = votes.verify(&mut *self.context.lock(), &self.scheme, &Sequential);
                let cast = [Phase::Finalize, Phase::Finalize];
                self.accuse(proven, Fault::ConflictingFinalize, votes, cast);
            }
            Activity::NullifyFinalize(votes) => {
                let proven = votes.verify(&mut *self.context.lock(), &self.scheme, &Sequential);
                let cast = [Phase::Nullify, Phase::Finalize];
                self.accuse(proven, Fault::NullifyFinalize, votes, cast);
            }
        }
        Feedback::Ok
    }
}

impl<E: Clock> Watch<E> {
    pub(crate) fn new(
        context: E,
        app: Arc<dyn Application>,
        shared: Arc<Shared>,
        electorate: &Electorate,
    ) -> Self {
        let scheme = (*electorate.scheme).clone();
        let (epoch, validators) = (electorate.epoch, Arc::clone(&electorate.keys));
        Self { context: Arc::new(Mutex::new(context)), app, shared, epoch, scheme, validators }
    }

    fn now_ms(&self) -> u64 {
        unix_ms(self.context.lock().current())
    }

    fn voted(&self, kind: Vote, vote: &(impl Attributable + Viewable)) {
        let index = usize::from(vote.signer());
        self.shared.voted(kind, index, (self.epoch, vote.view().get()), self.now_ms());
    }

    fn view_ended(&self, view: u64, nullified: bool) {
        self.shared.view_ended((self.epoch, view), nullified, self.now_ms());
    }

    /// The engine reports votes as they arrive, signatures unchecked; only what is proven counts.
    fn accuse(
        &self,
        proven: bool,
        fault: Fault,
        votes: &(impl Attributable + Epochable + Viewable + Encode),
        phases: [Phase; 2],
    ) {
        let Some(validator) = self.validators.get(usize::from(votes.signer())).copied() else {
            return;
        };
        if !proven {
            return;
        }
        let (epoch, view) = (votes.epoch().get(), votes.view().get());
        tracing::warn!(epoch, view, %fault, validator = %hex(&validator), "misbehaviour");
        let mut encoded = votes.encode();
        let [first, second] = phases.map(|phase| cast(phase, &mut encoded));
        let (Some(first), Some(second)) = (first, second) else { return };
        let votes = DoubleVote { key: validator, epoch, view, first, second };
        self.app.misbehaviour(Evidence { fault, validator, epoch, view, votes });
    }
}

/// One vote as the ledger writes it, from what the engine wrote: it keeps its own to itself.
fn cast(phase: Phase, encoded: &mut impl Buf) -> Option<CastVote> {
    type Block = sha256::Digest;
    let (proposal, attestation) = match phase {
        Phase::Notarize => {
            let vote = Notarize::<Scheme, Block>::read(encoded).ok()?;
            (Some(vote.proposal), vote.attestation)
        }
        Phase::Nullify => (None, Nullify::<Scheme>::read(encoded).ok()?.attestation),
        Phase::Finalize => {
            let vote = Finalize::<Scheme, Block>::read(encoded).ok()?;
            (Some(vote.proposal), vote.attestation)
        }
    };
    let signature = attestation.signature.get()?.as_ref().try_into().ok().map(Signature)?;
    let about = proposal.map(|proposal| (proposal.parent.get(), Digest(proposal.payload.0)));
    let (parent_view, block) = about.unwrap_or_default();
    Some(CastVote { phase, parent_view, block, signature })
}

fn hex(key: &PeerKey) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}
