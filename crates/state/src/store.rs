use alloc::{
    string::{String, ToString as _},
    sync::Arc,
    vec::Vec,
};
use core::fmt;

/// A separate ordered set of keys in a [`Store`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Values of the authenticated state, by raw key.
    State,
    /// Nodes and leaves of stream trees.
    Nodes,
    /// Indexes for queries: derived from blocks, not authenticated.
    Index,
    /// Results and receipts by height.
    Receipts,
    /// Thing Descriptions by digest.
    Descriptions,
    /// What the store itself must know: ledger, format version, height, root.
    Meta,
    /// Where payloads are in their segments.
    Payloads,
}

impl Space {
    /// All spaces.
    pub const ALL: [Self; 7] = [
        Self::State,
        Self::Nodes,
        Self::Index,
        Self::Receipts,
        Self::Descriptions,
        Self::Meta,
        Self::Payloads,
    ];

    /// Name on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Nodes => "nodes",
            Self::Index => "index",
            Self::Receipts => "receipts",
            Self::Descriptions => "descriptions",
            Self::Meta => "meta",
            Self::Payloads => "payloads",
        }
    }
}

/// In which order a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Ascending.
    Forward,
    /// Descending.
    Backward,
}

/// Writes that take effect together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Space, key and new value; `None` removes. A later write to the same key wins.
    pub writes: Vec<(Space, Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// Sets a value.
    pub fn put(&mut self, space: Space, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.writes.push((space, key.into(), Some(value.into())));
    }

    /// Removes a value.
    pub fn remove(&mut self, space: Space, key: impl Into<Vec<u8>>) {
        self.writes.push((space, key.into(), None));
    }
}

/// What a store failed at.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// No space is left; nothing of the batch was written. A store on disk may refuse to write from
    /// then on, so only a restart goes on.
    #[error("the disk is full: free some space and start the peer again")]
    Full,
    /// The disk failed while doing something; after a failed write only a restart is safe.
    #[error("failed to {attempt}")]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// What is stored is not what was written.
    #[error("stored data is damaged: {what}")]
    Damaged {
        /// What was found damaged.
        what: String,
    },
}

impl StoreError {
    /// The value at a key is not one that could have been written there.
    #[must_use]
    pub fn corrupt(key: &[u8]) -> Self {
        Self::Damaged { what: alloc::format!("the value at `{}`", key.escape_ascii()) }
    }
}

/// The cause of a failure, shareable.
#[derive(Clone)]
pub struct Cause(Arc<dyn core::error::Error + Send + Sync>);

impl Cause {
    /// Wraps an error.
    pub fn new(error: impl core::error::Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string())
    }
}

impl core::error::Error for Cause {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source()
    }
}

/// A row of a scan.
pub type Row = (Vec<u8>, Vec<u8>);

/// An ordered key-value store on which a peer keeps everything but blocks and payload bytes.
///
/// Synchronous, because an embedded database is; callers keep it off asynchronous threads.
pub trait Store: Send + Sync + fmt::Debug {
    /// The value at a key.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` rows with `from <= key < to`, in the direction's order. An absent `to` means
    /// up to the end of the space.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;

    /// Writes all of a batch or nothing, and returns only when it would survive a loss of power.
    ///
    /// # Errors
    /// [`StoreError`]; after [`StoreError::Io`] nobody knows what is on disk until a restart.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// What it holds now, readable as it is for as long as this is kept. Keeping it costs the disk what
    /// is overwritten meanwhile.
    fn frozen(&self) -> Arc<dyn Frozen>;
}

/// A [`Store`] as it was at one moment.
pub trait Frozen: Send + Sync + fmt::Debug {
    /// At most `limit` rows of a space with `from <= key`, ascending.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    fn scan_from(&self, space: Space, from: &[u8], limit: usize) -> Result<Vec<Row>, StoreError>;
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(space, key)
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        (**self).scan(space, from, to, direction, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        (**self).commit(batch)
    }

    fn frozen(&self) -> Arc<dyn Frozen> {
        (**self).frozen()
    }
}
