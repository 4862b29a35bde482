//! Blocks by Raft: one log per epoch, whose entries are blocks.
//!
//! The validators of an epoch are the nodes of its log. Its leader proposes a block when all that stands
//! in the log is committed, appends it, and the others append it once their application finds it good:
//! it must hold what the block needs before it promises to keep the block. What is committed, each
//! validator signs; the signatures of a majority are the certificate, which goes the way that every
//! certificate goes: to the delivery of blocks, which fetches what is missing, and to whoever follows.
//! So a block is delivered when a majority *holds* it (Raft's promise) and has *said* so (ours).
//!
//! ```text
//! propose -> append -> check -> append, fsync -> committed -> sign -> majority -> deliver
//!            leader    others   all              all          all
//! ```
//!
//! The view of a block is its number in the epoch, from 1, since each is built on the one before.

mod appending;
mod ballots;
mod check;
mod disk;
mod follower;
mod group;
mod inputs;
mod signing;
mod tail;

use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::Sender;
use commonware_runtime::{Clock, Metrics, Spawner, Storage};
use rand_core_0_10::CryptoRng;

use crate::{
    handle::Marshal,
    launch::Parts,
    voting::{Beginning, Running},
};

/// What a message may be longer than the block in it, bytes.
const MESSAGE_OVERHEAD: usize = 512;

/// Longest message of Raft, bytes.
pub(crate) const fn message_bytes_max(block_bytes_max: usize) -> usize {
    block_bytes_max + MESSAGE_OVERHEAD
}

impl Parts {
    /// Starts what makes the blocks of an epoch, or follows them without a vote.
    pub(crate) fn start_raft<E, S>(
        &self,
        context: &E,
        marshal: &Marshal,
        begun: Beginning<S>,
    ) -> Running
    where
        E: Clock + CryptoRng + Metrics + Spawner + Storage,
        S: Sender<PublicKey = PublicKey>,
    {
        let (parts, marshal) = (self.clone(), marshal.clone());
        let context = context.child("raft").with_attribute("epoch", begun.electorate.epoch);
        Running(context.spawn(move |context| async move {
            if !begun.electorate.votes {
                return follower::run(context, &parts, marshal, begun).await;
            }
            if let Err(error) = group::run(context, &parts, marshal, begun).await {
                tracing::error!(%error, "this peer takes no part in its ledger's log any more");
            }
        }))
    }
}
