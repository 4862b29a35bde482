//! What a validator asks its application before it proposes a block, or appends another's.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use althing_raft::Message;
use althing_types::Block;
use commonware_consensus::types::Height;
use commonware_runtime::Clock;

use crate::{
    block::Sealed,
    engine::{Bridge, Place, UNDELIVERED_MAX},
    epochs::Electorate,
    handle::Marshal,
    seam::{Draft, PeerKey, Proposal},
};

/// Pause before the archive is asked again for a block that is on its way there.
const PARENT_PAUSE: Duration = Duration::from_millis(10);

/// The block that another is built on.
#[derive(Debug, Clone)]
pub(super) enum Parent {
    /// It stands in the log.
    Here(Arc<Block>),
    /// It is the last before the log begins, and is or will be in the archive.
    At(u64),
}

/// What both questions need.
pub(super) struct Asker<E> {
    pub(super) clock: E,
    pub(super) bridge: Bridge,
    pub(super) marshal: Marshal,
    pub(super) genesis: Arc<Block>,
    pub(super) electorate: Arc<Electorate>,
}

/// Where the block after `parent` stands in an epoch.
fn place(epoch: u64, parent: &Block, proposer: PeerKey) -> Place {
    let header = parent.header();
    let parent_view = if header.epoch == epoch { header.view } else { 0 };
    Place { epoch, view: parent_view + 1, parent_view, proposer }
}

impl<E: Clock> Asker<E> {
    async fn parent(&self, parent: Parent) -> Arc<Block> {
        match parent {
            Parent::Here(block) => block,
            Parent::At(0) => Arc::clone(&self.genesis),
            Parent::At(height) => loop {
                if let Some(block) = self.marshal.get_block(Height::new(height)).await {
                    return block.inner().block();
                }
                self.clock.sleep(PARENT_PAUSE).await;
            },
        }
    }

    /// Whether blocks may be appended, each on the one before, as `message` asks.
    pub(super) async fn check(
        self,
        message: Message,
        parent: Parent,
        blocks: Vec<Sealed>,
    ) -> (Message, bool) {
        let mut parent = self.parent(parent).await;
        for block in blocks {
            let block = block.block();
            if !self.follows(&parent, &block) {
                tracing::warn!(height = block.height(), "refused a block that does not fit here");
                return (message, false);
            }
            if !self.bridge.judge(&self.clock, Arc::clone(&block), parent).await {
                return (message, false);
            }
            parent = block;
        }
        (message, true)
    }

    fn follows(&self, parent: &Block, block: &Block) -> bool {
        let header = block.header();
        let Place { epoch, view, parent_view, .. } =
            place(self.electorate.epoch, parent, header.proposer);
        self.bridge.belongs(epoch, header)
            && (header.view, header.parent_view) == (view, parent_view)
            && parent.height().checked_add(1) == Some(header.height)
            && header.parent == parent.digest()
            && self.electorate.keys.binary_search(&header.proposer).is_ok()
    }

    /// The block to append next; none if the application has none. `acknowledged` and `recent` tell
    /// what of the log it may not have carried out yet.
    pub(super) async fn propose(
        self,
        parent: Parent,
        recent: BTreeMap<u64, Arc<Block>>,
        acknowledged: u64,
        me: PeerKey,
    ) -> Option<Sealed> {
        let parent = self.parent(parent).await;
        let place = place(self.electorate.epoch, &parent, me);
        let undelivered = self.undelivered(&parent, &recent, acknowledged).await;
        let (epoch, view) = (place.epoch, place.view);
        let proposal = Proposal { epoch, view, parent: Arc::clone(&parent), undelivered };
        let draft: Draft = self.bridge.app.propose(proposal).await?;
        self.bridge.seal(&place, &parent, draft)
    }

    /// `parent` and its ancestors down to the last acknowledged block, exclusive, newest first;
    /// `None` if there are too many, or one is not here.
    async fn undelivered(
        &self,
        parent: &Arc<Block>,
        recent: &BTreeMap<u64, Arc<Block>>,
        acknowledged: u64,
    ) -> Option<Vec<Arc<Block>>> {
        let mut blocks = Vec::new();
        for height in (acknowledged.saturating_add(1)..=parent.height()).rev() {
            if blocks.len() == UNDELIVERED_MAX {
                return None;
            }
            let block = match recent.get(&height) {
                Some(block) => Arc::clone(block),
                None if height == parent.height() => Arc::clone(parent),
                None => self.marshal.get_block(Height::new(height)).await?.inner().block(),
            };
            blocks.push(block);
        }
        Some(blocks)
    }
}
