use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use althing_proof::state_path::{StatePath, key_digest, value_digest};
use althing_types::{Digest, LedgerId};

use crate::{
    pinned::Pinned,
    read::{self, Read, Writes},
    store::{Batch, Direction, Row, Space, Store, StoreError},
    trie::{Change, Trie},
    undo::{self, Undo},
};

/// Version of the layout on disk. A store of an earlier one is taken as it is, and of this one from its next block
/// on: programs that do not know what is written there now are to leave it alone.
///
/// 2: the index has transactions by the beginning of their ids.
pub const FORMAT: u32 = 2;
/// Blocks whose state stays readable and provable behind the newest.
///
/// A header states the result of a block up to 32 heights before it, and must be final itself
/// before it proves anything.
pub const VERSIONS_KEPT: u64 = 64;
/// Values kept in memory, bytes; small, since a peer is to run on small machines.
const CACHE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Rows read at a time when the trie is rebuilt.
const REBUILD_ROWS: usize = 4096;

pub(crate) const META_FORMAT: &[u8] = b"format";
pub(crate) const META_LEDGER: &[u8] = b"ledger";
pub(crate) const META_HEIGHT: &[u8] = b"height";
pub(crate) const META_ROOT: &[u8] = b"root";

/// Why a state on disk cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk failed.
    #[error("failed to read the state")]
    Store(#[source] StoreError),
    /// It is another ledger's.
    #[error(
        "the data folder belongs to ledger {found}, but the genesis is of ledger {expected}; \
         use another data folder or the genesis it was made with"
    )]
    OtherLedger {
        /// What is on disk.
        found: LedgerId,
        /// What the genesis says.
        expected: LedgerId,
    },
    /// A newer program wrote it.
    #[error(
        "the data folder has format {found}, but this program knows up to {FORMAT}; \
         use the newer program"
    )]
    Newer {
        /// Format on disk.
        found: u32,
    },
    /// The values do not have the root they were stored with.
    #[error(
        "the state at height {height} is damaged: its root is {computed}, but {stored} was agreed; \
         move the data folder away and start again, the peer then fetches everything from others"
    )]
    Damaged {
        /// Height of the state.
        height: u64,
        /// Root of the values on disk.
        computed: Digest,
        /// Root that was stored with them.
        stored: Digest,
    },
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The authenticated state of a ledger: values on disk, the trie over them in memory.
///
/// One task commits; any number read, each at a height it chooses among the newest
/// [`VERSIONS_KEPT`], and never sees part of a block.
#[derive(Debug)]
pub struct State {
    store: Arc<dyn Store>,
    /// What it had when it was opened.
    format: u32,
    inner: RwLock<Inner>,
    cache: Mutex<Cache>,
}

#[derive(Debug)]
struct Inner {
    trie: Trie,
    /// The newest height that readers may see.
    height: u64,
    /// Per block, ascending, what its writes replaced.
    replaced: VecDeque<(u64, Arc<Writes>)>,
}

#[derive(Debug, Default)]
struct Cache {
    values: HashMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

impl State {
    /// Opens the state of a ledger; `None` if nothing has been founded in the store.
    ///
    /// Reads every value and compares the root, since a store can lose its last writes without an
    /// error. Recent heights are readable as before.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(store: Arc<dyn Store>, ledger: &LedgerId) -> Result<Option<Self>, OpenError> {
        let Some(format) = store.get(Space::Meta, META_FORMAT)? else { return Ok(None) };
        let format = u32::from_be_bytes(fixed(&format, "format")?);
        if format > FORMAT {
            return Err(OpenError::Newer { found: format });
        }
        let found = LedgerId(fixed(&meta(&*store, META_LEDGER)?, "ledger")?);
        if found != *ledger {
            return Err(OpenError::OtherLedger { found, expected: *ledger });
        }
        let height = u64::from_be_bytes(fixed(&meta(&*store, META_HEIGHT)?, "height")?);
        let stored = Digest(fixed(&meta(&*store, META_ROOT)?, "root")?);
        let undos = undo::read(&*store, height)?;
        let trie = rebuild(&*store, height, &undos)?;
        let roots = undos.iter().map(|(at, undo)| (at - 1, undo.root));
        for (height, stored) in roots.chain([(height, stored)]) {
            let computed = trie.root_at(height).unwrap_or_default();
            if computed != stored {
                return Err(OpenError::Damaged { height, computed, stored });
            }
        }
        let replaced = undos.into_iter().map(|(at, undo)| (at, undo.replaced));
        Ok(Some(Self::with(store, trie, height, replaced.collect(), format)))
    }

    /// Founds a ledger in an empty store: writes its first state, at height 0, together with what
    /// `beside` gives for its root.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn found(
        store: Arc<dyn Store>,
        ledger: &LedgerId,
        writes: Writes,
        beside: impl FnOnce(Digest) -> Batch,
    ) -> Result<Self, StoreError> {
        let state = Self::with(store, Trie::new(), 0, VecDeque::new(), FORMAT);
        state.commit(0, writes, |root| {
            let mut batch = beside(root);
            batch.put(Space::Meta, META_FORMAT, FORMAT.to_be_bytes());
            batch.put(Space::Meta, META_LEDGER, ledger.0);
            batch
        })?;
        Ok(state)
    }

    fn with(
        store: Arc<dyn Store>,
        trie: Trie,
        height: u64,
        replaced: VecDeque<(u64, Arc<Writes>)>,
        format: u32,
    ) -> Self {
        let inner = Inner { trie, height, replaced };
        Self { store, format, inner: RwLock::new(inner), cache: Mutex::default() }
    }

    /// The newest height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.read().height
    }

    /// Root of the newest state.
    #[must_use]
    pub fn root(&self) -> Digest {
        let inner = self.read();
        inner.trie.root_at(inner.height).unwrap_or_default()
    }

    /// Root of the state at a height, if it is still kept.
    #[must_use]
    pub fn root_at(&self, height: u64) -> Option<Digest> {
        self.read().trie.root_at(height)
    }

    /// The store below.
    #[must_use]
    pub const fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The state at the newest height.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View { state: self, height: self.height() }
    }

    /// The state at a height; `None` if it is not kept any more, or has not come yet.
    #[must_use]
    pub fn view_at(&self, height: u64) -> Option<View<'_>> {
        self.read().trie.root_at(height)?;
        Some(View { state: self, height })
    }

    /// Makes the writes of the block at `height` part of the state and writes them to disk together
    /// with height, root and what `beside` gives for the root, in one durable batch. Returns the
    /// root.
    ///
    /// # Errors
    /// [`StoreError`]; the state must then be opened anew.
    pub fn commit(
        &self,
        height: u64,
        writes: Writes,
        beside: impl FnOnce(Digest) -> Batch,
    ) -> Result<Digest, StoreError> {
        let view = View { state: self, height: self.height() };
        let replaced = writes
            .keys()
            .map(|key| Ok((key.clone(), view.get(key)?)))
            .collect::<Result<BTreeMap<_, _>, StoreError>>()?;
        let changes = changes(&writes);
        let (undo, root) = {
            let mut inner = self.write();
            let undo = Undo { root: inner.trie.root(), replaced: Arc::new(replaced) };
            inner.replaced.push_back((height, Arc::clone(&undo.replaced)));
            (undo, inner.trie.apply(height, &changes))
        };
        let mut batch = beside(root);
        // Nothing leads back beyond the first state.
        if height > 0 {
            batch.put(Space::Meta, undo::key(height), undo.encode());
        }
        if let Some(oldest) = height.checked_sub(VERSIONS_KEPT).filter(|oldest| *oldest > 0) {
            batch.remove(Space::Meta, undo::key(oldest));
        }
        for (key, value) in &writes {
            batch.writes.push((Space::State, key.clone(), value.clone()));
        }
        batch.put(Space::Meta, META_HEIGHT, height.to_be_bytes());
        batch.put(Space::Meta, META_ROOT, root.0);
        if self.format < FORMAT {
            batch.put(Space::Meta, META_FORMAT, FORMAT.to_be_bytes());
        }
        self.store.commit(batch)?;
        self.publish(height, writes);
        Ok(root)
    }

    fn publish(&self, height: u64, writes: Writes) {
        // Before the height moves: until then readers find what the writes replaced.
        self.cache().update(writes);
        let mut inner = self.write();
        inner.height = height;
        let oldest = height.saturating_sub(VERSIONS_KEPT);
        inner.trie.keep_from(oldest);
        while inner.replaced.front().is_some_and(|(at, _)| *at <= oldest) {
            inner.replaced.pop_front();
        }
    }

    /// The value at a raw key at a height with the path that proves it, or proves that there is
    /// none; `None` if the height is not kept any more.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    pub fn prove(&self, height: u64, key: &[u8]) -> Result<Option<Proven>, StoreError> {
        let path = {
            let inner = self.read();
            // The trie is ahead of the published height while a block is on its way to disk.
            if height > inner.height {
                return Ok(None);
            }
            inner.trie.prove(height, &key_digest(key))
        };
        let Some(path) = path else { return Ok(None) };
        let value = View { state: self, height }.get(key)?;
        Ok(Some(Proven { value, path }))
    }

    /// Holds the state at a height, so that it can be read piece by piece however many blocks come
    /// meanwhile; `None` if the height is not kept any more, or has not come yet.
    #[must_use]
    pub fn pin(&self, height: u64) -> Option<Pinned> {
        // Held while the store is frozen, so that no block begins to be written in between.
        let inner = self.read();
        if height > inner.height {
            return None;
        }
        let (root, pieces) = (inner.trie.root_at(height)?, inner.trie.pieces(height)?);
        let later = inner.replaced.partition_point(|(at, _)| *at <= height);
        let mut restored = Writes::new();
        for (_, replaced) in inner.replaced.range(later..).rev() {
            restored.extend(replaced.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        Some(Pinned::new(self.store.frozen(), restored, height, root, pieces))
    }

    /// Raw keys and values of the newest state in order, `limit` at a time, after a key: for export
    /// and state sync. The root is a function of exactly these.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    pub fn export(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.view().scan(b"", after, limit)
    }

    /// Memory of the trie, bytes.
    #[must_use]
    pub fn trie_bytes(&self) -> usize {
        self.read().trie.bytes()
    }

    fn get_newest(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(value) = self.cache().values.get(key) {
            return Ok(value.clone());
        }
        let value = self.store.get(Space::State, key)?;
        self.cache().remember(key, &value);
        Ok(value)
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        // A panic elsewhere has ended the peer; what it left is consistent up to the last publish.
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The value, or none if the key is absent.
    pub value: Option<Vec<u8>>,
    /// What proves it.
    pub path: StatePath,
}

/// The state at one height.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    state: &'a State,
    height: u64,
}

impl View<'_> {
    /// The height.
    #[must_use]
    pub const fn height(&self) -> u64 {
        self.height
    }
}

impl Read for View<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        // Held across the disk read, so that no block is published in between.
        let inner = self.state.read();
        let later = inner.replaced.partition_point(|(at, _)| *at <= self.height);
        for (_, replaced) in inner.replaced.range(later..) {
            if let Some(value) = replaced.get(key) {
                return Ok(value.clone());
            }
        }
        self.state.get_newest(key)
    }

    fn range(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        // Held across the disk read, so that no block is published in between.
        let inner = self.state.read();
        let mut restored = Writes::new();
        let later = inner.replaced.partition_point(|(at, _)| *at <= self.height);
        for (_, replaced) in inner.replaced.range(later..).rev() {
            let within = |key: &[u8]| key >= from && to.is_none_or(|to| key < to);
            let replaced = replaced.iter().filter(|(key, _)| within(key));
            restored.extend(replaced.map(|(key, value)| (key.clone(), value.clone())));
        }
        let newest = Newest(&*self.state.store);
        read::merged(&restored, &newest, from, to, direction, limit).map(|(rows, _)| rows)
    }
}

/// The newest state, as it is on disk.
struct Newest<'a>(&'a dyn Store);

impl Read for Newest<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(Space::State, key)
    }

    fn range(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.0.scan(Space::State, from, to, direction, limit)
    }
}

impl Cache {
    fn remember(&mut self, key: &[u8], value: &Option<Vec<u8>>) {
        let bytes = key.len() + value.as_ref().map_or(0, Vec::len) + 64;
        if self.bytes + bytes > CACHE_BYTES_MAX {
            // Rare, and simpler than an order of use: what is needed comes back with one read each.
            *self = Self::default();
        }
        if self.values.insert(key.to_vec(), value.clone()).is_none() {
            self.bytes += bytes;
        }
    }

    fn update(&mut self, writes: Writes) {
        for (key, value) in writes {
            self.remember(&key, &value);
        }
    }
}

/// The first key after `key`.
pub(crate) fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = key.to_vec();
    next.push(0);
    next
}

/// The first key after all that begin with `prefix`; none if there is no such key.
#[must_use]
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

fn changes(writes: &Writes) -> Vec<Change> {
    let mut changes: Vec<Change> = writes
        .iter()
        .map(|(key, value)| (key_digest(key), value.as_deref().map(value_digest)))
        .collect();
    changes.sort_unstable();
    changes
}

/// The trie at `height`, and at the heights before it to which the rows lead back.
fn rebuild(store: &dyn Store, height: u64, undos: &[(u64, Undo)]) -> Result<Trie, StoreError> {
    let (mut before, mut steps) = (Writes::new(), Vec::new());
    for (at, undo) in undos.iter().rev() {
        let mut after = Writes::new();
        for key in undo.replaced.keys() {
            let value = match before.get(key) {
                Some(value) => value.clone(),
                None => store.get(Space::State, key)?,
            };
            after.insert(key.clone(), value);
        }
        steps.push((*at, changes(&after)));
        before.extend(undo.replaced.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    let oldest = undos.first().map_or(height, |(at, _)| at - 1);
    let mut trie = Trie::new();
    trie.apply(oldest, &all_leaves(store)?);
    trie.apply(oldest, &changes(&before));
    trie.keep_from(oldest);
    for (at, changes) in steps.iter().rev() {
        trie.apply(*at, changes);
    }
    Ok(trie)
}

fn all_leaves(store: &dyn Store) -> Result<Vec<Change>, StoreError> {
    let (mut changes, mut from) = (Vec::new(), Vec::new());
    loop {
        let rows = store.scan(Space::State, &from, None, Direction::Forward, REBUILD_ROWS)?;
        let Some((last, _)) = rows.last() else { break };
        from = successor(last);
        changes
            .extend(rows.iter().map(|(key, value)| (key_digest(key), Some(value_digest(value)))));
    }
    changes.sort_unstable();
    Ok(changes)
}

fn meta(store: &dyn Store, key: &[u8]) -> Result<Vec<u8>, StoreError> {
    store.get(Space::Meta, key)?.ok_or_else(|| StoreError::corrupt(key))
}

fn fixed<const N: usize>(bytes: &[u8], what: &'static str) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| StoreError::corrupt(what.as_bytes()))
}

#[cfg(test)]
mod tests;
