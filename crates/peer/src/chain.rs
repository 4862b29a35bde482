//! The executed chain: state, results and what queries need, advanced one block at a time.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use althing_ledger::{BlockInput, Outcome, governance};
use althing_ordering::{Address, PeerKey, Watched};
use althing_proof::stream::{Leaf, Stored};
use althing_state::{
    Batch, Direction, OpenError as StateError, Space, State, Store, StoreError, View,
};
use althing_types::{
    Block, Digest, ExecutionResult, Genesis, Mechanism, Parameters, Receipt, StreamId, Transaction,
    TxId, ValidatorSet, Wire as _, receipts_encoded, receipts_statement,
};
use commonware_utils::sync::Mutex;

use crate::{
    core::Placed,
    rows::{self, Done},
};

/// Why a ledger on disk cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The genesis cannot found a ledger.
    #[error("the genesis is not valid")]
    Genesis(#[source] althing_types::GenesisError),
    /// The state is another ledger's, damaged or unreadable.
    #[error("the state cannot be used")]
    State(#[source] StateError),
    /// The disk failed.
    #[error("failed to read or found the ledger")]
    Store(#[source] StoreError),
    /// Validators' word is to be taken where validators may lie.
    #[error(
        "validators' word on signatures is to be taken, but the peers of this ledger agree by {0:?}, so \
         that some of them may lie"
    )]
    Trust(Mechanism),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why a block could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error("failed to read or write the state")]
    Store(#[from] StoreError),
}

/// What carrying a block out gave.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) state_root: Digest,
}

/// Results kept in memory: further back than any block may reach.
const RESULTS_KEPT: usize = 128;

/// The executed chain of one peer.
#[derive(Debug)]
pub(crate) struct Chain {
    state: State,
    genesis: Arc<Block>,
    parameters: Parameters,
    recent: Mutex<VecDeque<Done>>,
    height: Watched<u64>,
    /// Ledger time at which the next trigger is due, milliseconds; [`NEVER_MS`] if none is.
    due: AtomicU64,
}

/// A time that never comes.
const NEVER_MS: u64 = u64::MAX;

impl Chain {
    /// Opens the ledger in a store, or founds it there; also gives block 0.
    pub(crate) fn open(
        genesis: &Genesis,
        store: Arc<dyn Store>,
    ) -> Result<(Self, Arc<Block>), OpenError> {
        genesis.check().map_err(OpenError::Genesis)?;
        let opened =
            State::open(Arc::clone(&store), &genesis.ledger()).map_err(OpenError::State)?;
        let (state, root) = match opened {
            Some(state) => {
                let first = done_at(&*store, 0)?;
                (state, first.state_root)
            }
            None => found(genesis, store)?,
        };
        let block = Arc::new(genesis.block(root));
        let newest = done_at(&**state.store(), state.height())?;
        let recent = Mutex::new(VecDeque::from([newest]));
        let height = Watched::new(state.height());
        let due = AtomicU64::new(due_ms(&state)?);
        let parameters = genesis.parameters.clone();
        Ok((Self { state, genesis: Arc::clone(&block), parameters, recent, height, due }, block))
    }

    /// A chain of the same ledger as `own` that begins with a state taken over.
    pub(crate) fn of(state: State, own: &Self) -> Result<Self, OpenError> {
        let newest = done_at(&**state.store(), state.height())?;
        let recent = Mutex::new(VecDeque::from([newest]));
        let (height, due) = (Watched::new(state.height()), AtomicU64::new(due_ms(&state)?));
        let (genesis, parameters) = (Arc::clone(&own.genesis), own.parameters.clone());
        Ok(Self { state, genesis, parameters, recent, height, due })
    }

    /// The same from a store that it lies in, with the height at which it began; nothing if the store
    /// holds no whole one.
    pub(crate) fn taken_over(
        store: Arc<dyn Store>,
        own: &Self,
    ) -> Result<Option<(Self, u64)>, OpenError> {
        let ledger = own.genesis.header().ledger;
        let state = State::open(Arc::clone(&store), &ledger).map_err(OpenError::State)?;
        let (Some(state), Some(base)) = (state, store.get(Space::Meta, rows::TAKEN_OVER)?) else {
            return Ok(None);
        };
        let base = base.try_into().map_err(|_| StoreError::corrupt(rows::TAKEN_OVER))?;
        Ok(Some((Self::of(state, own)?, u64::from_be_bytes(base))))
    }

    /// Block 0.
    pub(crate) const fn genesis_block(&self) -> &Arc<Block> {
        &self.genesis
    }

    /// The authenticated state, for queries and proofs at recent heights.
    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    /// The newest executed height.
    pub(crate) fn height(&self) -> u64 {
        self.height.get()
    }

    /// The state after it.
    pub(crate) fn view(&self) -> View<'_> {
        self.state.view()
    }

    /// Root of the state after it.
    pub(crate) fn state_root(&self) -> Digest {
        self.newest().map_or(self.genesis.header().result.state_root, |done| done.state_root)
    }

    /// When the next trigger is due by the newest state, milliseconds since 1970.
    pub(crate) fn trigger_due_ms(&self) -> Option<u64> {
        Some(self.due.load(Ordering::Acquire)).filter(|due| *due != NEVER_MS)
    }

    /// The newest executed height at which a transaction or a trigger did something.
    pub(crate) fn last_busy_height(&self) -> u64 {
        self.newest().map_or(0, |done| done.busy_height)
    }

    /// What a header states whose parent states `parent` and which goes up to the executed `height`;
    /// `None` if a height in between is not kept.
    pub(crate) fn statement(
        &self,
        parent: &ExecutionResult,
        height: u64,
    ) -> Option<ExecutionResult> {
        if height <= parent.height {
            return Some(*parent);
        }
        let first = parent.height + 1;
        let done = (first..=height).map(|height| self.done(height));
        let done: Vec<Done> = done.collect::<Option<_>>()?;
        let roots: Vec<Digest> = done.iter().map(|done| done.receipts_root).collect();
        Some(ExecutionResult {
            height,
            state_root: done.last()?.state_root,
            receipts_root: receipts_statement(first, &roots),
        })
    }

    /// The digest of the block that was executed at a height.
    pub(crate) fn digest_at(&self, height: u64) -> Option<Digest> {
        self.done(height).map(|done| done.header.digest())
    }

    /// Resolves when a height has been executed.
    pub(crate) async fn executed_at_least(&self, height: u64) {
        self.height.until(|executed| *executed >= height).await;
    }

    /// The validators of an epoch, once they are settled; none if the disk fails.
    pub(crate) async fn validators(&self, epoch: u64) -> Option<ValidatorSet> {
        Some(ValidatorSet { epoch, ..self.settled_validators(epoch).await? })
    }

    /// The same, with the first epoch in which just these validated, the same one or an earlier.
    pub(crate) async fn settled_validators(&self, epoch: u64) -> Option<ValidatorSet> {
        let settled = epoch.checked_sub(2).and_then(|before| self.parameters.epoch_end(before));
        self.executed_at_least(settled.unwrap_or(0)).await;
        self.validators_since(epoch)
    }

    /// The same, of an epoch whose validators are known to be settled.
    pub(crate) fn validators_since(&self, epoch: u64) -> Option<ValidatorSet> {
        let (from, to) = (rows::validators(0), rows::validators(epoch.saturating_add(1)));
        let rows =
            self.state.store().scan(Space::Receipts, &from, Some(&to), Direction::Backward, 1);
        let (_, row) = rows.ok()?.pop()?;
        ValidatorSet::from_wire(&row).ok()
    }

    /// How the present validators agree; none if the disk fails.
    pub(crate) fn mechanism(&self) -> Option<Mechanism> {
        let view = self.view();
        let set = althing_ledger::validators(&view).ok()?;
        governance::mechanism(&view, &set).ok()
    }

    /// Where validators that were given their seats by vote can be reached, as the state has it now.
    pub(crate) fn addresses(&self, set: &ValidatorSet) -> BTreeMap<PeerKey, Address> {
        let view = self.view();
        let found = set.validators.iter().filter_map(|validator| {
            let address = governance::address(&view, &validator.peer).ok()??;
            Some((validator.key, address.parse().ok()?))
        });
        found.collect()
    }

    /// How many seats there are or will be that the genesis did not give.
    pub(crate) fn joined(&self, genesis: &Genesis) -> usize {
        let view = self.view();
        let sets = [
            althing_ledger::validators(&view).ok(),
            althing_ledger::validators_of_next_epoch(&view).ok().flatten(),
            governance::chosen_validators(&view).ok(),
        ];
        let seats = sets.into_iter().flatten().flat_map(|set| set.validators);
        let keys: BTreeSet<PeerKey> = seats.map(|seat| seat.key).collect();
        keys.iter().filter(|key| genesis.peers.iter().all(|peer| peer.key != **key)).count()
    }

    /// What the header of a block at a height says of the next epoch's validators.
    pub(crate) async fn next_validators(&self, height: u64) -> Option<Digest> {
        if !self.parameters.ends_epoch(height) {
            return None;
        }
        let next = self.parameters.epoch_of(height).saturating_add(1);
        self.validators(next).await.map(|set| set.digest())
    }

    /// Executes the next block and makes the result durable, together with what goes `beside` it. `skew`
    /// is a planted bug.
    pub(crate) fn apply(
        &self,
        block: &Block,
        transactions: &[&Transaction],
        beside: Batch,
        skew: bool,
    ) -> Result<Applied, ApplyError> {
        let height = block.height();
        let input = BlockInput { header: block.header(), transactions };
        let outcome = althing_ledger::execute(&self.state.view(), &input)?;
        let Outcome { mut writes, receipts, leaves, nodes, index, descriptions, validators } =
            outcome;
        let busy_height = if receipts.is_empty() { self.last_busy_height() } else { height };
        let (encoded, receipts_root) = receipts_encoded(&receipts);
        let mut batch = beside;
        if !receipts.is_empty() {
            batch.put(Space::Receipts, rows::receipts(height), encoded);
        }
        put_beside(&mut batch, leaves, nodes, index, descriptions);
        if let Some(set) = validators {
            batch.put(Space::Receipts, rows::validators(set.epoch), set.to_wire());
        }
        // The root is known only once the state has changed, but both must be durable together: the
        // state writes height and root itself, and the row with the result follows from them.
        let done = |state_root| Done {
            state_root,
            receipts_root,
            header: block.header().clone(),
            busy_height,
        };
        if skew && height.is_multiple_of(5) {
            writes.insert(b"c/skew".to_vec(), Some(height.to_be_bytes().to_vec()));
        }
        let root = self.state.commit(height, writes, |root| {
            batch.put(Space::Receipts, rows::done(height), encode(&done(root)));
            batch
        })?;
        self.due.store(due_ms(&self.state)?, Ordering::Release);
        self.advance(done(root));
        Ok(Applied { receipts, state_root: root })
    }

    fn advance(&self, done: Done) {
        let height = done.header.height;
        let mut recent = self.recent.lock();
        recent.push_back(done);
        if recent.len() > RESULTS_KEPT {
            recent.pop_front();
        }
        drop(recent);
        self.height.change(|executed| std::mem::replace(executed, height) != height);
    }

    /// Height and position of a final transaction.
    pub(crate) fn place(&self, id: &TxId) -> Option<(u64, u32)> {
        let row = self.row(id)?;
        althing_ledger::index::place(&row).filter(|(height, _)| *height <= self.height())
    }

    fn row(&self, id: &TxId) -> Option<Vec<u8>> {
        use althing_ledger::index::{transaction, transaction_of_format_1};
        let store = self.state.store();
        let of = |key: Vec<u8>| store.get(Space::Index, &key).ok()?;
        of(transaction(id)).or_else(|| of(transaction_of_format_1(id)))
    }

    /// Where a final transaction stands, and what came of it.
    pub(crate) fn placed(&self, id: &TxId) -> Option<Placed> {
        let (height, position) = self.place(id)?;
        let mut receipts = self.receipts(height)?;
        if position as usize >= receipts.len() {
            return None;
        }
        Some(Placed { height, position, receipt: receipts.swap_remove(position as usize) })
    }

    /// Whether a transaction is final.
    pub(crate) fn is_final(&self, id: &TxId) -> bool {
        self.row(id).is_some()
    }

    /// The receipts of an executed block.
    pub(crate) fn receipts(&self, height: u64) -> Option<Vec<Receipt>> {
        match self.state.store().get(Space::Receipts, &rows::receipts(height)) {
            Ok(Some(value)) => rows::decode_receipts(&value),
            Ok(None) => Some(Vec::new()),
            Err(_) => None,
        }
    }

    fn newest(&self) -> Option<Done> {
        self.recent.lock().back().cloned()
    }

    /// What execution left of a block.
    pub(crate) fn done(&self, height: u64) -> Option<Done> {
        {
            let recent = self.recent.lock();
            let first = recent.front()?.header.height;
            if let Some(offset) = height.checked_sub(first) {
                return recent.get(usize::try_from(offset).ok()?).cloned();
            }
        }
        done_at(&**self.state.store(), height).ok()
    }
}

/// What is written to disk with a block's state.
fn put_beside(
    batch: &mut Batch,
    leaves: Vec<(StreamId, u64, Leaf)>,
    nodes: Vec<(StreamId, Stored)>,
    mut index: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    descriptions: Vec<(Digest, Vec<u8>)>,
) {
    for (stream, stored) in nodes {
        let key = rows::node(&stream, stored.level, stored.index);
        batch.put(Space::Nodes, key, stored.node.to_wire());
    }
    for (stream, index, leaf) in leaves {
        let reference = rows::reference(&leaf.payload_digest, &stream, index);
        batch.put(Space::Payloads, reference, Vec::new());
        batch.put(Space::Nodes, rows::leaf(&stream, index), leaf.to_wire());
    }
    for (digest, description) in descriptions {
        batch.put(Space::Descriptions, digest.0, description);
    }
    // Rows of transactions have no order. In order they go into the store in two thirds of the time, and out to
    // its files too. What was written to one key stays in turn.
    index.sort_by(|(one, _), (other, _)| one.cmp(other));
    batch.writes.extend(index.into_iter().map(|(key, value)| (Space::Index, key, value)));
}

fn found(genesis: &Genesis, store: Arc<dyn Store>) -> Result<(State, Digest), StoreError> {
    let mut batch = Batch::default();
    for (key, value) in althing_ledger::index::founded(genesis) {
        batch.writes.push((Space::Index, key, value));
    }
    batch.put(Space::Receipts, rows::validators(0), genesis.validators().to_wire());
    let mut first = Digest::default();
    let writes = althing_ledger::genesis::found(genesis);
    let state = State::found(store, &genesis.ledger(), writes, |root| {
        let block = genesis.block(root);
        let done = Done {
            state_root: root,
            receipts_root: Digest::default(),
            header: block.header().clone(),
            busy_height: 0,
        };
        batch.put(Space::Receipts, rows::done(0), encode(&done));
        first = root;
        batch
    })?;
    Ok((state, first))
}

fn due_ms(state: &State) -> Result<u64, StoreError> {
    Ok(althing_ledger::trigger::next_due_ms(&state.view())?.unwrap_or(NEVER_MS))
}

fn done_at(store: &dyn Store, height: u64) -> Result<Done, StoreError> {
    let key = rows::done(height);
    let value = store.get(Space::Receipts, &key)?.ok_or_else(|| StoreError::corrupt(&key))?;
    minicbor::decode(&value).map_err(|_| StoreError::corrupt(&key))
}

pub(crate) fn encode(done: &Done) -> Vec<u8> {
    minicbor::to_vec(done).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use althing_ledger::index;
    use althing_state::Batch;
    use althing_types::TxId;

    use super::Space;
    use crate::origin::Origin;

    #[test]
    fn transactions_are_found_that_were_written_in_format_1() {
        let origin = Origin::grown();
        let chain = &origin.core.chain;
        let [then, now, never] = [1, 2, 3].map(|seed| TxId([seed; 32]));
        let place = [&3_u64.to_be_bytes()[..], &1_u32.to_be_bytes()].concat();
        let mut batch = Batch::default();
        batch.put(Space::Index, index::transaction_of_format_1(&then), place.clone());
        batch.put(Space::Index, index::transaction(&now), place);
        chain.state().store().commit(batch).unwrap();
        for id in [then, now] {
            assert_eq!(chain.place(&id), Some((3, 1)));
            assert!(chain.is_final(&id));
        }
        assert!(chain.place(&never).is_none() && !chain.is_final(&never));
    }
}
