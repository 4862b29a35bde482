//! The newest certified block that commits to a result: what proofs hang from.

use std::sync::Arc;

use althing_proof::{
    Bundle, Claim,
    certificate::{DESCENDANTS_MAX, Finalized},
    membership::EpochLink,
};
use althing_state::VERSIONS_KEPT;
use commonware_utils::sync::Mutex;

use super::{Query, QueryError};

/// A certified block and the height whose result it commits to.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    pub(super) block: Finalized,
    /// Executed height at which it was looked for.
    looked_at: u64,
}

/// The newest anchor found.
#[derive(Debug, Default)]
pub(super) struct Anchors(Mutex<Option<Arc<Anchor>>>);

impl Anchor {
    /// The height whose state it proves.
    pub(super) const fn state_height(&self) -> u64 {
        self.block.header.result.height
    }

    /// A bundle of a claim about its state.
    pub(super) fn bundle(&self, links: Vec<EpochLink>, claim: Claim) -> Bundle {
        Bundle::new(links, self.block.clone(), claim)
    }
}

impl Query {
    /// The newest certified block that commits to the state at `height` or later, now.
    pub(super) async fn anchor(&self, height: u64) -> Result<Arc<Anchor>, QueryError> {
        let known = self.anchors.0.lock().clone();
        let newest = self.height();
        let anchor = match known {
            Some(anchor) if anchor.looked_at == newest => anchor,
            known => self.look(newest, known).await?,
        };
        // If it commits to a state that is no longer kept, the next block commits to one that is.
        let kept = self.chain().state().view_at(anchor.state_height()).is_some();
        if kept && anchor.state_height() >= height {
            Ok(anchor)
        } else {
            Err(QueryError::NotCertified)
        }
    }

    /// The newest height whose state a certified block commits to.
    pub(crate) async fn newest_stated(&self) -> Option<u64> {
        self.anchor(0).await.ok().map(|anchor| anchor.state_height())
    }

    /// The same, waiting for it. The caller bounds the time.
    pub(super) async fn anchor_when_there(&self, height: u64) -> Result<Arc<Anchor>, QueryError> {
        let mut executed = self.height();
        loop {
            match self.anchor(height).await {
                Err(QueryError::NotCertified) => {}
                found => return found,
            }
            executed = executed.saturating_add(1);
            self.at_least(executed).await;
        }
    }

    /// A block can lack a certificate of its own, so older ones are tried, as long as the state
    /// they commit to is kept.
    async fn look(
        &self,
        newest: u64,
        known: Option<Arc<Anchor>>,
    ) -> Result<Arc<Anchor>, QueryError> {
        let oldest = known.as_ref().map_or(0, |anchor| anchor.block.header.height);
        let oldest = oldest.max(newest.saturating_sub(VERSIONS_KEPT));
        for height in (oldest.saturating_add(1)..=newest).rev() {
            if let Some(block) = self.own_certificate(height).await? {
                let anchor = Arc::new(Anchor { block, looked_at: newest });
                *self.anchors.0.lock() = Some(Arc::clone(&anchor));
                return Ok(anchor);
            }
        }
        known.ok_or(QueryError::NotCertified)
    }

    /// The header at a height with its certificate, if there is one.
    async fn own_certificate(&self, height: u64) -> Result<Option<Finalized>, QueryError> {
        // What was before a state that was taken over is not here, and proves nothing of it.
        let head = match self.block_head(height) {
            Err(QueryError::HistoryNotHere { .. }) => return Ok(None),
            head => head?,
        };
        let header = head.header;
        let certificate = self.certificate(height).await;
        let descendants = Vec::new();
        Ok(certificate.map(|certificate| Finalized { header, descendants, certificate }))
    }

    /// The header at a height with the next certificate at or above it, and the headers up to that.
    pub(super) async fn certified(&self, height: u64) -> Result<Finalized, QueryError> {
        let header = self.block_head(height)?.header;
        let mut descendants = Vec::new();
        for above in (height..).take(DESCENDANTS_MAX + 1) {
            if above > self.height() {
                break;
            }
            if above > height {
                descendants.push(self.block_head(above)?.header);
            }
            if let Some(Finalized { certificate, .. }) = self.own_certificate(above).await? {
                return Ok(Finalized { header, descendants, certificate });
            }
        }
        Err(QueryError::NotCertified)
    }
}
