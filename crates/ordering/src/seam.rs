use std::{collections::BTreeMap, fmt, sync::Arc};

use althing_types::{Block, DoubleVote, ExecutionResult, ValidatorSet};
use bytes::Bytes;
use commonware_utils::{Acknowledgement as _, acknowledgement::Exact};
use futures::future::BoxFuture;

use crate::{config::Address, status::Shared};

/// A peer's Ed25519 public key, which names it among peers.
pub type PeerKey = [u8; 32];

/// What orders blocks asks of the one who makes and executes them.
///
/// All methods may be called from any task of the runtime and must not block it: signature checks
/// and disk reads belong on threads of their own. `propose` and `verify` are cancelled (the future
/// is dropped) when the engine gives a view up, so they must hold nothing that a drop would lose.
pub trait Application: Send + Sync + 'static {
    /// Makes the content of the block after `proposal.parent`.
    ///
    /// The pace is set here: return at once when there is work, and wait for work, up to the
    /// heartbeat, when there is none. The wait counts against [`Timing::leader_timeout`], so the
    /// heartbeat must be well below it. `None` gives the view up, which costs all validators a
    /// timeout: return it only when shutting down.
    ///
    /// [`Timing::leader_timeout`]: crate::Timing::leader_timeout
    fn propose(&self, proposal: Proposal) -> BoxFuture<'static, Option<Draft>>;

    /// Whether `block` may follow `parent`.
    ///
    /// The answer is final, and all honest validators must give the same one: `false` only if the
    /// block can never become valid. While that is not known (a result not yet executed, a payload
    /// not yet here) the future stays pending; what it may wait for is the delivery of the block
    /// whose result `block` states, of no later one.
    ///
    /// Checked before this is called: the header belongs to this ledger, epoch and view; proposer,
    /// parent and height are as the engine demands; the transactions match their root.
    fn verify(&self, block: Arc<Block>, parent: Arc<Block>) -> BoxFuture<'static, bool>;

    /// The validators of an epoch after the first, as soon as they are known here.
    ///
    /// They must follow from blocks of epochs before the last one: while an epoch lasts, those of the
    /// next are asked for, so that peers connect before they vote. The last block of an epoch names
    /// their digest.
    fn validators(&self, epoch: u64) -> BoxFuture<'static, Electors>;

    /// Takes the next final block.
    ///
    /// Blocks arrive in order of height, from 1, without gaps. After a restart they resume after
    /// the last one acknowledged, so a block may arrive twice: keep the height with what it did.
    /// At most [`Sizes::unacknowledged`](crate::Sizes::unacknowledged) blocks wait for
    /// [`Ack::done`] at a time.
    fn deliver(&self, block: Arc<Block>, ack: Ack);

    /// A validator was seen to break the rules. May be called more than once for one offence.
    fn misbehaviour(&self, evidence: Evidence);
}

/// The validators of an epoch, as the application tells them.
#[derive(Debug, Clone)]
pub struct Electors {
    /// Who they are.
    pub set: ValidatorSet,
    /// Where to reach those of them that the application knows to have an address.
    pub addresses: BTreeMap<PeerKey, Address>,
}

/// A request to make a block.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Epoch of the block.
    pub epoch: u64,
    /// View of the block.
    pub view: u64,
    /// The block to build on.
    pub parent: Arc<Block>,
    /// Ancestors, newest first and the parent included, that are not known to be acknowledged yet:
    /// what they contain must not be proposed again. Reaches down to the last acknowledged block,
    /// exclusive. `None` if these are too many to list (the peer is catching up, or the network goes
    /// on without making blocks final): then only an empty block is safe to make.
    pub undelivered: Option<Vec<Arc<Block>>>,
}

/// What a proposer decides about a block; the rest of its header follows from the engine's state.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Milliseconds since 1970; later than the parent's.
    pub time_ms: u64,
    /// The transactions, in order.
    pub transactions: Vec<Bytes>,
    /// The results of an earlier block.
    pub result: ExecutionResult,
    /// Digest of the validators of the next epoch, in the last block of an epoch only.
    pub next_validators: Option<althing_types::Digest>,
}

/// The promise to say when a delivered block is durable.
///
/// Dropping it without [`Ack::done`] means that the block will never be durable, so ordering stops:
/// it says so in the log, and [`Handle::stopped`](crate::Handle::stopped) gives the height. It does
/// not go on silently with a hole in the application's history.
#[must_use = "a block that is never acknowledged stops the peer"]
pub struct Ack {
    height: u64,
    inner: Option<Exact>,
    shared: Arc<Shared>,
}

impl Ack {
    pub(crate) fn new(height: u64, inner: Exact, shared: Arc<Shared>) -> Self {
        Self { height, inner: Some(inner), shared }
    }

    /// The block is durable: it need not be delivered again.
    pub fn done(mut self) {
        if let Some(inner) = self.inner.take() {
            self.shared.acknowledged(self.height);
            inner.acknowledge();
        }
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        if self.inner.is_some() {
            self.shared.ack_dropped(self.height);
        }
    }
}

impl fmt::Debug for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ack").field("height", &self.height).finish_non_exhaustive()
    }
}

/// What a validator did that an honest one cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Voted to notarize two blocks in one view: it proposed two, or voted for both.
    ConflictingNotarize,
    /// Voted to finalize two blocks in one view.
    ConflictingFinalize,
    /// Voted both to give a view up and to finalize a block in it.
    NullifyFinalize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConflictingNotarize => "voted for two blocks in one view",
            Self::ConflictingFinalize => "voted to finalize two blocks in one view",
            Self::NullifyFinalize => "voted both to skip a view and to finalize a block in it",
        })
    }
}

/// Two signed votes that contradict each other, checked against the validator's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What it did.
    pub fault: Fault,
    /// Who did it.
    pub validator: PeerKey,
    /// Epoch of the view.
    pub epoch: u64,
    /// The view.
    pub view: u64,
    /// Both votes.
    pub votes: DoubleVote,
}
