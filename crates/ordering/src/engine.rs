//! The engine's questions, put to the application.

use std::{pin::pin, sync::Arc, time::Duration};

use althing_types::{Block, Digest, Header, LedgerId};
use commonware_consensus::{
    Application as EngineApplication, Epochable as _, Viewable as _, marshal::ancestry::Ancestry,
    simplex::types::Context, types::Height,
};
use commonware_cryptography::{Digested, ed25519::PublicKey, sha256};
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::vec::NonEmptyVec;
use futures::{
    StreamExt as _,
    future::{Either, select},
};

use crate::{
    block::Sealed,
    certificate::peer_key,
    handle::Marshal,
    scheme::Scheme,
    seam::{Application, Draft, PeerKey, Proposal},
    status::Shared,
};

/// Version of the block header made here.
const HEADER_VERSION: u8 = 1;
/// How far the last acknowledged block may be below the parent of a block that is made, for the
/// blocks in between to be listed.
pub(crate) const UNDELIVERED_MAX: usize = 256;
/// How long a verdict may stay open before this peer asks the others for certificates it may lack.
const FINALITY_PATIENCE: Duration = Duration::from_millis(300);
/// Certificates asked for at a time, from the checked block downwards.
const CERTIFICATES_ASKED_MAX: usize = 64;

/// Translates between the engine and the application.
#[derive(Clone)]
pub(crate) struct Bridge {
    pub(crate) app: Arc<dyn Application>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) ledger: LedgerId,
    /// Digest of the epoch's validators.
    pub(crate) validators: Digest,
    pub(crate) marshal: Marshal,
    /// The other validators.
    pub(crate) others: Vec<PublicKey>,
    pub(crate) block_bytes_max: usize,
}

type Round = Context<sha256::Digest, PublicKey>;

impl<E: Spawner + Metrics + Clock> EngineApplication<E> for Bridge {
    type SigningScheme = Scheme;
    type Context = Round;
    type Block = Sealed;
    type Input = ();

    async fn propose(
        &mut self,
        (_, round): (E, Round),
        mut ancestry: impl Ancestry<Sealed>,
        (): (),
    ) -> Option<Digested<Sealed>> {
        let parent = ancestry.next().await?.inner().block();
        let undelivered = self.undelivered(&parent, ancestry).await;
        let proposal = Proposal {
            epoch: round.epoch().get(),
            view: round.view().get(),
            parent: Arc::clone(&parent),
            undelivered,
        };
        let draft = self.app.propose(proposal).await?;
        self.seal(&Place::from(&round), &parent, draft).map(Sealed::digested)
    }

    async fn verify(
        &mut self,
        (clock, round): (E, Round),
        mut ancestry: impl Ancestry<Sealed>,
    ) -> bool {
        let Some(block) = ancestry.next().await else { return false };
        let Some(parent) = ancestry.next().await else { return false };
        let (block, parent) = (block.inner().block(), parent.inner().block());
        if !self.belongs(round.epoch().get(), block.header()) {
            tracing::warn!(height = block.height(), "refused a block of another ledger or epoch");
            return false;
        }
        self.judge(&clock, block, parent).await
    }
}

/// Where a block comes to stand, and who puts it there.
pub(crate) struct Place {
    pub(crate) epoch: u64,
    pub(crate) view: u64,
    pub(crate) parent_view: u64,
    pub(crate) proposer: PeerKey,
}

impl From<&Round> for Place {
    fn from(round: &Round) -> Self {
        Self {
            epoch: round.epoch().get(),
            view: round.view().get(),
            parent_view: round.parent.0.get(),
            proposer: peer_key(&round.leader),
        }
    }
}

impl Bridge {
    /// The application's verdict on a block.
    pub(crate) async fn judge(
        &self,
        clock: &impl Clock,
        block: Arc<Block>,
        parent: Arc<Block>,
    ) -> bool {
        let (stated, height) = (block.header().result.height, block.height());
        let mut verdict = self.app.verify(block, parent);
        loop {
            match select(verdict, pin!(clock.sleep(FINALITY_PATIENCE))).await {
                Either::Left((verdict, _)) => return verdict,
                Either::Right(((), open)) => verdict = open,
            }
            self.ask_for_certificates(stated, height);
        }
    }

    /// What the engine itself does not compare: it has checked proposer, parent and height.
    pub(crate) fn belongs(&self, epoch: u64, header: &Header) -> bool {
        header.version == HEADER_VERSION
            && header.ledger == self.ledger
            && header.epoch == epoch
            && header.validators == self.validators
    }

    /// `parent` and its ancestors down to the last acknowledged block, exclusive, newest first;
    /// `None` if there are more than [`UNDELIVERED_MAX`].
    async fn undelivered(
        &self,
        parent: &Arc<Block>,
        mut ancestry: impl Ancestry<Sealed>,
    ) -> Option<Vec<Arc<Block>>> {
        let acknowledged = self.shared.acknowledged_height();
        let mut blocks = Vec::new();
        let mut block = Arc::clone(parent);
        while block.height() > acknowledged {
            if blocks.len() == UNDELIVERED_MAX {
                return None;
            }
            blocks.push(block);
            match ancestry.next().await {
                Some(next) => block = next.inner().block(),
                None => break,
            }
        }
        Some(blocks)
    }

    /// A block at `height` states the result of height `stated`, which was final where the block was
    /// made. A verdict that waits for it must not wait for somebody to make a later block final: that
    /// may need this very verdict. Certificates are sent once and can get lost, so they are asked for;
    /// one for any height in between does, since it covers those below.
    fn ask_for_certificates(&self, stated: u64, height: u64) {
        if self.shared.acknowledged_height() >= stated {
            return;
        }
        let newest = (stated.saturating_add(1)..=height).rev();
        for height in std::iter::once(stated).chain(newest.take(CERTIFICATES_ASKED_MAX)) {
            if let Ok(targets) = NonEmptyVec::try_from(self.others.clone()) {
                self.marshal.hint_finalized(Height::new(height), targets);
            }
        }
    }

    /// The block that a draft becomes; none if it is too long to be sent.
    pub(crate) fn seal(&self, place: &Place, parent: &Block, draft: Draft) -> Option<Sealed> {
        let header = Header {
            version: HEADER_VERSION,
            ledger: self.ledger,
            height: parent.height() + 1,
            parent: parent.digest(),
            time_ms: draft.time_ms,
            proposer: place.proposer,
            epoch: place.epoch,
            view: place.view,
            parent_view: place.parent_view,
            validators: self.validators,
            next_validators: draft.next_validators,
            transactions: Digest::default(),
            count: 0,
            result: draft.result,
        };
        let block = Block::new(header, draft.transactions);
        let len = block.wire().len();
        if len > self.block_bytes_max {
            // Sending it would disconnect us from every peer.
            tracing::error!(len, max = self.block_bytes_max, "proposed block is too long");
            return None;
        }
        Sealed::new(Arc::new(block))
    }
}
