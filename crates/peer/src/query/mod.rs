//! Answer questions about the executed ledger, with proof where asked.
//!
//! [`Query`] reads the state and the rows beside it, in the calling thread: an embedded database is
//! synchronous, so callers keep it off asynchronous threads. What lies in ordering's archives,
//! block bodies and certificates, is asynchronous, and only proofs, transactions and blocks need it.
//!
//! Every answer is bounded by the constants below, whoever asks. Answers come from the newest
//! executed height; [`Query::at_least`] waits for one, so that a client can read what it wrote.
//!
//! Start reading at [`Query`].

mod error;
pub use error::{Noun, QueryError};

mod access;

mod ledger;
pub use ledger::{BlockHead, EventAt, EventPlace, TransactionState};

mod entity;
pub use entity::{AccountState, EntityFilter, KeyVersion};

mod governance;
pub use althing_ledger::governance::{Consequence, OpenProposal, ProposalStatus};
pub use governance::{GovernanceState, ProposalAt};

mod history;
pub use althing_ledger::approval::Pending;
pub use history::Past;

mod service;
pub use service::{ServiceFilter, ServiceState};
mod trigger;
pub use trigger::{REPLAY_BATCHES_MAX, REPLAY_MOMENTS_MAX, Replay, TriggerFilter, TriggerState};
mod thing;
pub use thing::{Bounds, Circle, ThingFilter, ThingState};

mod command;
pub use althing_ledger::{onboarding::VoucherRecord, status::StatusRecord};
pub use command::CommandAt;

mod contract;
pub use althing_ledger::contract::{Asked, CodeRecord, ContractRecord, Status, Trial};
pub use contract::{CodeState, ContractFilter, ContractState, Tried};

mod token;
pub use althing_ledger::token::{EscrowRecord, RewardRecord, SponsorshipRecord};
pub use token::{HoldingState, MovementAt, StakeState, SupplyState};

mod link;
pub use althing_ledger::link::LinkRecord;
pub use link::{CallAt, TakenAt};

mod walk;

mod secrecy;
pub use althing_ledger::secrecy::{AgreementRecord, SecrecyRecord, Shares};
pub use secrecy::ErasureState;

mod policies;
pub use policies::{PROPOSALS_GONE_THROUGH_MAX, PoliciesAt};

mod placement;
pub use althing_ledger::placement::PlacementRecord;
pub use placement::{BATCHES_LOOKED_THROUGH_MAX, BatchHolders, GATHERED_MAX, Lacking};

mod stream;
pub use stream::{GapState, ReadingAt, ReadingFilter, ReadingPage, SealedAt, StreamState};

mod aggregate;
pub use aggregate::{Bucket, BucketLength, BucketPage, Buckets, ROUND_LENGTHS_MS};

mod status;
use althing_ordering::Handle;
pub use althing_ordering::{Phase, Status as Agreement};
pub use status::{Complaint, Figure, Standing};

mod anchor;
use anchor::Anchors;

mod membership;
use membership::Links;

mod bodies;
use bodies::Bodies;

mod nodes;
use nodes::Nodes;

mod prove;
pub use prove::{Prepared, Question};

use std::{sync::Arc, time::Duration};

use althing_state::{Direction, Read as _, Row, Space, StoreError, View};
use minicbor::Decode;

use crate::{Peer, chain::Chain, core::Core, rows::Done};

/// Most items of one page of a list.
pub const PAGE_ITEMS_MAX: usize = 200;
/// Most readings of one page.
pub const PAGE_READINGS_MAX: usize = 5_000;
/// Most buckets of one page of aggregates.
pub const PAGE_BUCKETS_MAX: usize = 2_000;
/// Most events read at a time.
pub const PAGE_EVENTS_MAX: usize = 1_000;
/// Most rows looked at for one page of a filtered list; a page that ends there says so.
pub const ROWS_EXAMINED_MAX: usize = 5_000;
/// Most nodes of a stream's tree looked at for one answer.
pub const NODES_EXAMINED_MAX: usize = 100_000;
/// Most bytes of sealed payloads in one answer; one more payload may end it.
pub const SEALED_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most payloads opened for one answer.
pub const PAYLOADS_OPENED_MAX: usize = 4_096;
/// Longest wait for a height, or for a result to be certified.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A page of a list, and where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to go on after; none at the end.
    pub next: Option<Vec<u8>>,
}

/// Reads of one peer; clones share it.
#[derive(Debug, Clone)]
pub struct Query {
    core: Arc<Core>,
    /// The newest certified block that proofs hang from.
    anchors: Arc<Anchors>,
    /// The steps from validators to validators that proofs begin with, as far as known.
    links: Arc<Links>,
    /// Blocks that were read lately.
    bodies: Arc<Bodies>,
    /// Nodes of streams' trees that were read lately.
    nodes: Arc<Nodes>,
}

impl Peer {
    /// Reads of this peer. Clones of it share what they remember, so make one and clone that.
    #[must_use]
    pub fn query(&self) -> Query {
        Query {
            core: Arc::clone(&self.core),
            anchors: Arc::default(),
            links: Arc::default(),
            bodies: Arc::default(),
            nodes: Arc::default(),
        }
    }
}

impl Query {
    /// The newest executed height, from which answers come.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.chain().height()
    }

    /// Resolves when `height` has been executed. The caller bounds the time.
    pub async fn at_least(&self, height: u64) {
        self.core.present_at_least(height).await;
    }

    /// The chain that answers about the present.
    fn chain(&self) -> &Chain {
        self.core.present()
    }

    /// Why something may not be here although the ledger has it, if this peer began with a state of others.
    fn gap(&self) -> Option<QueryError> {
        let have = self.core.chain.height();
        self.core.ahead().map(|ahead| QueryError::HistoryNotHere { from: ahead.base, have })
    }

    /// What to say of something that is not here: that its history is not, or `otherwise`.
    fn absent(&self, otherwise: impl Into<QueryError>) -> QueryError {
        self.gap().unwrap_or_else(|| otherwise.into())
    }

    /// What execution left of a block, on whichever chain it was executed.
    fn done(&self, height: u64) -> Option<Done> {
        let of = |chain: &Chain| (height <= chain.height()).then(|| chain.done(height)).flatten();
        of(self.chain()).or_else(|| of(&self.core.chain))
    }

    fn view(&self) -> View<'_> {
        self.chain().view()
    }

    /// The record at a raw key of the newest state.
    fn record<T: for<'b> Decode<'b, ()>>(&self, key: &[u8]) -> Result<Option<T>, QueryError> {
        let Some(value) = self.view().get(key)? else { return Ok(None) };
        decode(key, &value).map(Some)
    }

    /// The record at a raw key, or the problem that there is no such thing.
    fn known<T: for<'b> Decode<'b, ()>>(&self, key: &[u8], noun: Noun) -> Result<T, QueryError> {
        self.record(key)?.ok_or(QueryError::Unknown(noun))
    }

    fn stored(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.chain().state().store().get(space, key)
    }

    /// Ordering's archive, where it has all blocks: no state was taken over, and nobody need look whether a
    /// block came beside one.
    fn archive(&self) -> Option<Handle> {
        if self.core.ahead().is_none() { self.core.ordering() } else { None }
    }

    /// Index rows whose keys begin with `prefix`, after a key.
    fn rows(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, QueryError> {
        self.lists(prefix)?;
        let from = match after {
            // The next key in order is the same with a zero byte.
            Some(after) => [after, &[0]].concat(),
            None => prefix.to_vec(),
        };
        let to = althing_state::prefix_end(prefix);
        let store = self.chain().state().store();
        Ok(store.scan(Space::Index, &from, to.as_deref(), Direction::Forward, limit)?)
    }

    /// Whether all rows with a prefix are here.
    fn lists(&self, prefix: &[u8]) -> Result<(), QueryError> {
        match self.gap() {
            Some(gap) if !althing_ledger::index::is_derived(prefix) => Err(gap),
            _ => Ok(()),
        }
    }
}

/// Reads what this peer wrote itself; its bounds were checked then.
fn decode<T: for<'b> Decode<'b, ()>>(key: &[u8], bytes: &[u8]) -> Result<T, QueryError> {
    minicbor::decode(bytes).map_err(|_| StoreError::corrupt(key).into())
}

/// The id at the end of an index key.
fn id_at_end(key: &[u8]) -> Option<[u8; 32]> {
    key.get(key.len().checked_sub(32)?..)?.try_into().ok()
}

/// Checks that a cursor belongs to the list it is used for.
fn checked_cursor<'a>(
    after: Option<&'a [u8]>,
    prefix: &[u8],
) -> Result<Option<&'a [u8]>, QueryError> {
    match after {
        Some(after) if !after.starts_with(prefix) => Err(QueryError::Cursor),
        after => Ok(after),
    }
}
