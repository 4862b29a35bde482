//! Bundles that show an answer to somebody who trusts nobody.
//!
//! In two steps: [`Query::prepare`] waits for a certified block and fetches what lies in ordering's
//! archives; [`Prepared::bundle`] reads the rest from disk, in the calling thread.

use std::{cell::RefCell, sync::Arc};

use althing_proof::{
    Archive, Bundle, Claim, Interval, ProveError, StatePath,
    certificate::Finalized,
    membership::EpochLink,
    opening::Payloads,
    stream::{Leaf, Node},
};
use althing_state::{Direction, Proven, Read as _, Space, StoreError};
use althing_types::{Block, Digest, Header, StreamId, TriggerId, TxId};

use super::{
    Noun, Query, QueryError,
    anchor::Anchor,
    stream::ReadingFilter,
    walk::{Bounds, LeafAt},
};
use crate::rows;

/// What is to be proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// One reading.
    Reading {
        /// Its stream.
        stream: StreamId,
        /// Its sequence number.
        seq: u64,
    },
    /// All readings of an interval, with completeness. Payloads that are not here are left out,
    /// which the bundle says.
    Range {
        /// The stream.
        stream: StreamId,
        /// The interval; the whole stream if none.
        interval: Option<Interval>,
    },
    /// What the readings of an interval amount to, with completeness.
    Aggregate {
        /// The stream.
        stream: StreamId,
        /// The interval; the whole stream if none.
        interval: Option<Interval>,
    },
    /// What the state holds under a raw key, or that it holds nothing there.
    State {
        /// The key.
        key: Vec<u8>,
    },
    /// A final transaction and its receipt.
    Receipt {
        /// The transaction.
        transaction: TxId,
    },
    /// That a trigger ran in a block, and what came of it.
    Run {
        /// The trigger.
        trigger: TriggerId,
        /// Height of the block.
        height: u64,
    },
}

/// A question with what its proof hangs from.
#[derive(Debug)]
pub struct Prepared {
    query: Query,
    links: Vec<EpochLink>,
    work: Work,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one value, made and used up at once")]
enum Work {
    OfState {
        anchor: Arc<Anchor>,
        claim: Wanted,
    },
    OfBlock {
        own: Finalized,
        /// The block that states the receipts of the transaction's, with all that it states.
        later: Finalized,
        roots: Vec<Digest>,
        wanted: OfBlock,
    },
}

#[derive(Debug)]
enum OfBlock {
    Transaction { block: Arc<Block>, position: u32 },
    Run(TriggerId),
}

impl Work {
    /// The newest epoch whose validators the proof needs.
    fn epoch(&self) -> u64 {
        match self {
            Self::OfState { anchor, .. } => anchor.block.header.epoch,
            Self::OfBlock { own, later, .. } => own.header.epoch.max(later.header.epoch),
        }
    }
}

#[derive(Debug)]
enum Wanted {
    Reading { stream: StreamId, seq: u64, transaction: Option<(TxId, Vec<u8>)> },
    Range { stream: StreamId, interval: Interval },
    Aggregate { stream: StreamId, interval: Interval },
    State { key: Vec<u8> },
}

impl Query {
    /// Finds what a proof hangs from; waits until a certified block commits to what is asked about.
    /// The caller bounds the time.
    ///
    /// # Errors
    /// [`QueryError::Unknown`] if there is no such thing.
    pub async fn prepare(&self, question: Question) -> Result<Prepared, QueryError> {
        let work = match question {
            Question::Reading { stream, seq } => self.prepare_reading(stream, seq).await?,
            Question::Range { stream, interval } => {
                let (anchor, interval) = self.prepare_interval(&stream, interval).await?;
                Work::OfState { anchor, claim: Wanted::Range { stream, interval } }
            }
            Question::Aggregate { stream, interval } => {
                let (anchor, interval) = self.prepare_interval(&stream, interval).await?;
                Work::OfState { anchor, claim: Wanted::Aggregate { stream, interval } }
            }
            Question::State { key } => {
                let anchor = self.anchor_when_there(0).await?;
                Work::OfState { anchor, claim: Wanted::State { key } }
            }
            Question::Receipt { transaction } => self.prepare_receipt(&transaction).await?,
            Question::Run { trigger, height } => self.prepare_run(trigger, height).await?,
        };
        let links = self.links(work.epoch()).await?;
        Ok(Prepared { query: self.clone(), links, work })
    }

    async fn prepare_reading(&self, stream: StreamId, seq: u64) -> Result<Work, QueryError> {
        let head = self.stream_head(&stream)?;
        let bounds = Bounds::new((seq, seq), ReadingFilter::ALL.time_ms);
        let found = self.walk(stream, &head, bounds, Direction::Forward).next()?;
        let LeafAt { leaf, .. } = found.ok_or(QueryError::Unknown(Noun::Reading))?;
        let anchor = self.anchor_when_there(leaf.height).await?;
        let transaction = self.wire_of(&leaf.transaction).await?;
        Ok(Work::OfState { anchor, claim: Wanted::Reading { stream, seq, transaction } })
    }

    /// The newest batch is to be in the answer, so the state must be one that has it.
    async fn prepare_interval(
        &self,
        stream: &StreamId,
        interval: Option<Interval>,
    ) -> Result<(Arc<Anchor>, Interval), QueryError> {
        let head = self.stream_head(stream)?;
        let newest = match head.peaks.leaves().checked_sub(1) {
            Some(last) => self.leaf(stream, last)?.leaf.height,
            None => 0,
        };
        let all = Interval::Seq { first: 0, last: head.next_seq.saturating_sub(1) };
        Ok((self.anchor_when_there(newest).await?, interval.unwrap_or(all)))
    }

    async fn prepare_receipt(&self, id: &TxId) -> Result<Work, QueryError> {
        let placed = self.placed(id)?;
        let (own, later, roots) = self.stated(placed.height).await?;
        let block = self.body(placed.height).await?;
        let wanted = OfBlock::Transaction { block, position: placed.position };
        Ok(Work::OfBlock { own, later, roots, wanted })
    }

    async fn prepare_run(&self, trigger: TriggerId, height: u64) -> Result<Work, QueryError> {
        let id = trigger.run(height);
        let receipts = if height <= self.height() { self.receipts(height)? } else { Vec::new() };
        if receipts.iter().all(|receipt| receipt.transaction != id) {
            return Err(QueryError::Unknown(Noun::Run));
        }
        let (own, later, roots) = self.stated(height).await?;
        Ok(Work::OfBlock { own, later, roots, wanted: OfBlock::Run(trigger) })
    }

    /// An executed block, the later one that states its receipts, and all receipts roots that this
    /// states; waits until there is one.
    async fn stated(&self, height: u64) -> Result<(Finalized, Finalized, Vec<Digest>), QueryError> {
        loop {
            let newest = self.height();
            if let Some(stating) = self.stating(height)? {
                // A certificate of the later block covers the earlier one too.
                match (self.certified(height).await, self.certified(stating).await) {
                    (Ok(own), Ok(later)) => {
                        let roots = self.stated_roots(&later)?;
                        return Ok((own, later, roots));
                    }
                    (Err(QueryError::NotCertified), _) | (_, Err(QueryError::NotCertified)) => {}
                    (Err(error), _) | (_, Err(error)) => return Err(error),
                }
            }
            self.at_least(newest.saturating_add(1)).await;
        }
    }

    /// The receipts roots that a header states: of every height after what its parent states.
    fn stated_roots(&self, block: &Finalized) -> Result<Vec<Digest>, QueryError> {
        let Header { height, result, .. } = &block.header;
        let before = self.block_head(height.saturating_sub(1))?.header.result.height;
        let roots =
            (before.saturating_add(1)..=result.height).map(|height| self.receipts_root(height));
        roots.collect()
    }

    fn receipts_root(&self, height: u64) -> Result<Digest, QueryError> {
        // At the height of a state that was taken over it is not known.
        let unknown = self
            .core
            .ahead()
            .is_some_and(|ahead| height <= ahead.base && height > self.core.chain.height());
        let done = match self.core.ahead() {
            Some(ahead) if height <= ahead.base && !unknown => self.core.chain.done(height),
            _ => self.done(height),
        };
        let done = done.filter(|_| !unknown);
        Ok(done.ok_or_else(|| self.absent(QueryError::Unknown(Noun::Block)))?.receipts_root)
    }

    /// The first executed block whose header states `height` or later, if there is one. Headers state
    /// results in order.
    fn stating(&self, height: u64) -> Result<Option<u64>, QueryError> {
        let newest = self.height();
        let (mut low, mut high) = (height.saturating_add(1), newest.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.block_head(middle)?.header.result.height >= height {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok((low <= newest).then_some(low))
    }

    pub(crate) async fn wire_of(&self, id: &TxId) -> Result<Option<(TxId, Vec<u8>)>, QueryError> {
        let place = self.chain().place(id).or_else(|| self.core.chain.place(id));
        let Some((height, position)) = place else {
            // It may have come with a state that was taken over.
            let wire = self.stored(Space::Receipts, &rows::wire(id))?;
            return wire
                .map_or_else(|| self.gap().map_or(Ok(None), Err), |wire| Ok(Some((*id, wire))));
        };
        let block = self.body(height).await?;
        let wire = block.transactions().get(position as usize);
        Ok(wire.map(|wire| (*id, wire.to_vec())))
    }
}

impl Prepared {
    /// The bytes of the bundle.
    ///
    /// # Errors
    /// [`QueryError::TooLarge`] if the question must be split.
    pub fn bundle(self) -> Result<Vec<u8>, QueryError> {
        let Self { query, links, work } = self;
        let bundle = match work {
            Work::OfState { anchor, claim } => {
                let claim = of_state(&query, &anchor, claim)?;
                anchor.bundle(links, claim)
            }
            Work::OfBlock { own, later, roots, wanted } => {
                let receipts = query.receipts(own.header.height)?;
                let results = (receipts.as_slice(), roots, later);
                let (claim, noun) = match wanted {
                    OfBlock::Transaction { block, position } => {
                        (Claim::transaction(&block, position, Some(results)), Noun::Transaction)
                    }
                    OfBlock::Run(trigger) => (Claim::run(&own.header, trigger, results), Noun::Run),
                };
                Bundle::new(links, own, claim.ok_or(QueryError::Unknown(noun))?)
            }
        };
        Ok(bundle.to_bytes()?)
    }
}

fn of_state(query: &Query, anchor: &Anchor, wanted: Wanted) -> Result<Claim, QueryError> {
    let (transaction, wanted) = match wanted {
        Wanted::Reading { stream, seq, transaction } => {
            (transaction, Wanted::Reading { stream, seq, transaction: None })
        }
        other => (None, other),
    };
    let stream = match &wanted {
        Wanted::Reading { stream, .. }
        | Wanted::Range { stream, .. }
        | Wanted::Aggregate { stream, .. } => Some(*stream),
        Wanted::State { .. } => None,
    };
    let failed = RefCell::new(None);
    let archive = Kept { query, height: anchor.state_height(), transaction, failed };
    let claim = match wanted {
        Wanted::Reading { stream, seq, .. } => Claim::reading(&archive, &stream, seq),
        Wanted::Range { stream, interval } => {
            Claim::range(&archive, &stream, interval, Payloads::IfKept)
        }
        Wanted::Aggregate { stream, interval } => Claim::aggregate(&archive, &stream, interval),
        Wanted::State { key } => Claim::state(&archive, key),
    };
    match archive.failed.into_inner() {
        // A disk that failed makes a proof look impossible that is not.
        Some(error) => Err(error.into()),
        None => claim.map_err(|error| match error {
            ProveError::Node { .. } => query.absent(error),
            ProveError::Payload { leaf } => query.without_payload(stream, leaf),
            error => error.into(),
        }),
    }
}

/// What this peer keeps, as a prover looks at it: the state at one height.
struct Kept<'a> {
    query: &'a Query,
    height: u64,
    /// The transaction that the claim needs: block bodies can only be read asynchronously.
    transaction: Option<(TxId, Vec<u8>)>,
    failed: RefCell<Option<StoreError>>,
}

impl Kept<'_> {
    fn read<T>(&self, result: Result<Option<T>, StoreError>) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            None
        })
    }
}

impl Archive for Kept<'_> {
    fn value(&self, raw_key: &[u8]) -> Option<Vec<u8>> {
        let view = self.query.chain().state().view_at(self.height)?;
        self.read(view.get(raw_key))
    }

    fn path(&self, raw_key: &[u8]) -> Option<StatePath> {
        let proven = self.query.chain().state().prove(self.height, raw_key);
        self.read(proven).map(|Proven { path, .. }| path)
    }

    fn node(&self, stream: &StreamId, level: u8, index: u64) -> Option<Node> {
        self.read(self.query.node_if_there(stream, level, index))
    }

    fn leaf(&self, stream: &StreamId, index: u64) -> Option<Leaf> {
        let value = self.query.stored(Space::Nodes, &rows::leaf(stream, index));
        rows::decode_leaf(&self.read(value)?)
    }

    fn payload(&self, digest: &[u8; 32]) -> Option<Vec<u8>> {
        // A damaged payload is as good as none; it is fetched anew.
        self.query.core.payloads.get(digest).ok().flatten().map(Into::into)
    }

    fn transaction(&self, id: &TxId) -> Option<Vec<u8>> {
        let (known, wire) = self.transaction.as_ref()?;
        (known == id).then(|| wire.clone())
    }
}
