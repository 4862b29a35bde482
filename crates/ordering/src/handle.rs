use std::{fmt, sync::Arc};

use althing_types::{Block, Certificate};
use commonware_consensus::{
    marshal::{core::Mailbox, standard::Standard},
    simplex::elector::Elector as _,
    types::{Epoch, Height, Round, View},
};

use crate::{
    barrier::Presence,
    block::Sealed,
    certificate::convert,
    epochs::Epochs,
    scheme::Scheme,
    seam::PeerKey,
    status::{Shared, Status, StopReason, Tip},
};

pub(crate) type Marshal = Mailbox<Scheme, Standard<Sealed>>;

/// Access to a running peer's ordering; clones share it.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

struct Inner {
    marshal: Marshal,
    shared: Arc<Shared>,
    presence: Arc<dyn Presence>,
    epochs: Arc<Epochs>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("tip", &self.tip()).finish_non_exhaustive()
    }
}

impl Handle {
    pub(crate) fn new(
        marshal: Marshal,
        shared: Arc<Shared>,
        presence: Arc<dyn Presence>,
        epochs: Arc<Epochs>,
    ) -> Self {
        Self { inner: Arc::new(Inner { marshal, shared, presence, epochs }) }
    }

    /// The final block at `height`, if it is on this peer.
    pub async fn block(&self, height: u64) -> Option<Arc<Block>> {
        let block = self.inner.marshal.get_block(Height::new(height)).await?;
        Some(block.inner().block())
    }

    /// The votes that finalized the block at `height`, if this peer has them. A block may lack a
    /// certificate of its own: one for any later block covers it, since headers name their parents.
    pub async fn certificate(&self, height: u64) -> Option<Certificate> {
        convert(&self.inner.marshal.get_finalization(Height::new(height)).await?)
    }

    /// The highest block known to be final; it may not have been delivered yet.
    #[must_use]
    pub fn tip(&self) -> Option<Tip> {
        self.inner.shared.tip()
    }

    /// What is happening, and what is being waited for.
    #[must_use]
    pub fn status(&self) -> Status {
        let inner = &self.inner;
        let present = inner.epochs.present();
        inner.shared.snapshot(
            &present.keys,
            (present.mechanism, present.quorum),
            inner.presence.connected(),
            |epoch, view| {
                usize::from(
                    present.elector.elect(Round::new(Epoch::new(epoch), View::new(view)), ()),
                )
            },
        )
    }

    /// Peers connected now, this one not counted.
    #[must_use]
    pub fn connected(&self) -> Vec<PeerKey> {
        self.inner.presence.connected()
    }

    /// Stops voting, delivering and the connections, and returns when all has ended.
    ///
    /// Everything another peer may rely on was on disk before it was told, so stopping needs no
    /// ceremony: the next start goes on from there. Acks that are still held may be dropped.
    pub async fn shutdown(&self) {
        self.inner.shared.request_stop(StopReason::Asked);
        self.inner.shared.finished().await;
    }

    pub(crate) fn fail(&self, part: &'static str) {
        self.inner.shared.fail(part);
    }

    /// Resolves when ordering has ended, for whatever reason.
    pub async fn stopped(&self) -> StopReason {
        self.inner.shared.finished().await
    }
}
