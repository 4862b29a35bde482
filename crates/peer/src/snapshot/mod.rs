//! A new peer that is useful before it knows the whole history.
//!
//! It takes the state at a recent height over from other peers and follows from there, while it fetches
//! and executes all blocks from the genesis on as every peer does. So it has two executed chains for a
//! while: the one that began with a state taken over, which answers about the present, and its own, which
//! votes, if it votes, and answers about the past as far as it has come. Once its own has caught up, the
//! other is done with. Nothing of agreement knows of any of this.
//!
//! Nothing is trusted: [`offer`] is checked from the genesis on, each piece of the state against it
//! ([`landing`]), and the blocks that follow are certified ([`tail`]).

mod join;
mod landing;
mod offer;
mod rate;
mod serve;
mod tail;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use althing_ordering::PeerKey;
use althing_state::{Store, StoreError};
use althing_types::TxId;
use commonware_utils::channel::mpsc;
use futures::future::select;

pub(crate) use self::{join::resume, join::run as join, serve::run as serve};
use crate::{
    chain::Chain,
    core::Core,
    wire::{Item, Part},
};

/// How a peer that is far behind catches up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Blocks a peer must be behind to take a state over; none if it never does.
    pub behind_blocks: Option<u64>,
    /// How long one state is handed to newcomers before a newer one is.
    pub interval: Duration,
}

impl Settings {
    /// A state is taken over by whoever is 1,000 blocks behind, and handed out for half a minute.
    pub const STANDARD: Self =
        Self { behind_blocks: Some(1_000), interval: Duration::from_secs(30) };
}

/// Where a state that is taken over lies, beside the peer's own store.
pub trait Spare: Send + Sync + fmt::Debug {
    /// Whether anything was ever put there.
    fn is_used(&self) -> bool;

    /// Opens what is there, or makes an empty store.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    fn open(&self) -> Result<Arc<dyn Store>, StoreError>;

    /// Removes all that is there. Called only while nobody has it open.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    fn clear(&self) -> Result<(), StoreError>;
}

/// A chain that began with a state taken over.
#[derive(Debug)]
pub(crate) struct Ahead {
    pub(crate) chain: Chain,
    /// The height at which it began.
    pub(crate) base: u64,
    ended: AtomicBool,
}

impl Ahead {
    pub(crate) const fn new(chain: Chain, base: u64) -> Self {
        Self { chain, base, ended: AtomicBool::new(false) }
    }

    /// Whether the peer's own chain has caught up with it.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }
}

/// Requests of others that may wait; whoever finds no room asks again.
const REQUESTS_WAITING: usize = 32;
/// Answers of others that may wait.
const ANSWERS_WAITING: usize = 32;

/// A request of another peer.
pub(crate) type Request = (PeerKey, Item, u32);
/// An answer of another peer.
pub(crate) type Answer = (PeerKey, Part);

/// Where requests and answers go.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) answers: mpsc::Sender<Answer>,
}

/// The other ends.
#[derive(Debug)]
pub(crate) struct Trays {
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) answers: mpsc::Receiver<Answer>,
}

impl Desk {
    pub(crate) fn new() -> (Self, Trays) {
        let (requests, asked) = mpsc::channel(REQUESTS_WAITING);
        let (answers, answered) = mpsc::channel(ANSWERS_WAITING);
        (Self { requests, answers }, Trays { requests: asked, answers: answered })
    }
}

impl Core {
    /// Whether a transaction is known to be final. One that a state taken over rests on, and whose block is
    /// not here yet, is not.
    pub(crate) fn is_final(&self, id: &TxId) -> bool {
        self.chain.is_final(id) || self.ahead().is_some_and(|ahead| ahead.chain.is_final(id))
    }

    /// From now on a chain that began with a state taken over answers about the present.
    pub(crate) fn go_ahead(&self, ahead: Ahead) {
        self.told.fetch_max(ahead.chain.height(), Ordering::AcqRel);
        let _ = self.ahead.set(ahead);
    }

    /// The chain that answers about the present.
    pub(crate) fn present(&self) -> &Chain {
        self.ahead().map_or(&self.chain, |ahead| &ahead.chain)
    }

    /// Resolves when a height has been executed, on whichever chain comes to it first.
    pub(crate) async fn present_at_least(&self, height: u64) {
        let own = pin!(self.chain.executed_at_least(height));
        match self.ahead.get() {
            Some(ahead) => {
                let other = pin!(ahead.chain.executed_at_least(height));
                select(own, other).await;
            }
            None => own.await,
        }
    }

    /// The chain that began with a state taken over, as long as it is the newer one.
    pub(crate) fn ahead(&self) -> Option<&Ahead> {
        self.ahead.get().filter(|ahead| !ahead.has_ended())
    }
}
