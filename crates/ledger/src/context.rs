use althing_proof::{
    key,
    stream::{Leaf, Stored},
};
use althing_state::{Read, StoreError, Writes};
use althing_types::{
    Digest, Event, Header, LedgerId, Parameters, Receipt, StreamId, Transaction, ValidatorSet,
};

use crate::transition::{Moment, expect};

/// Where in the ledger's life a transaction is looked at before agreement.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The ledger.
    pub ledger: LedgerId,
    /// Height of the state that is looked at; the transaction would come in a later block.
    pub height: u64,
    /// The present time, milliseconds since 1970: what a block proposed now would carry.
    pub time_ms: u64,
    /// Settings of the ledger.
    pub parameters: &'a Parameters,
}

impl<'a> Context<'a> {
    /// The block that would come next.
    pub(crate) const fn next_moment(&self) -> Moment<'a> {
        Moment {
            ledger: self.ledger,
            height: self.height.saturating_add(1),
            time_ms: self.time_ms,
            checked_height: self.height,
            parameters: self.parameters,
        }
    }
}

/// A final block to be executed.
#[derive(Debug, Clone, Copy)]
pub struct BlockInput<'a> {
    /// Its header.
    pub header: &'a Header,
    /// Its transactions, decoded, in order.
    pub transactions: &'a [&'a Transaction],
}

/// What executing a block gives. All of it is a function of the state before and the block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Changes of the authenticated state.
    pub writes: Writes,
    /// One receipt for each transaction, in order, and after them one for each
    /// [trigger](crate::trigger) that ran, though they ran first, and one of the epoch that ends with
    /// the block, if seats followed from [stakes](crate::stake) in a way to be told.
    pub receipts: Vec<Receipt>,
    /// Leaves that streams grew by, with their positions.
    pub leaves: Vec<(StreamId, u64, Leaf)>,
    /// Nodes of the streams' trees that were made; a leaf's own node is among them.
    pub nodes: Vec<(StreamId, Stored)>,
    /// Rows of the unauthenticated [`index`](crate::index), in order; none removes the row.
    pub index: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Thing Descriptions that were accepted, by the SHA-256 under which the state knows them.
    pub descriptions: Vec<(Digest, Vec<u8>)>,
    /// The validators that the last block of an epoch settled, of the epoch after the next, if they
    /// are others than those before them, or agree in another way.
    pub validators: Option<ValidatorSet>,
}

impl Outcome {
    /// What happened, in order, each event with the position of its transaction in the block.
    pub fn events(&self) -> impl Iterator<Item = (u32, &Event)> {
        (0..).zip(&self.receipts).flat_map(|(position, receipt)| {
            receipt.events.iter().map(move |event| (position, event))
        })
    }
}

/// Name of the parameter that holds the [`Parameters`] of the ledger.
pub(crate) const PARAMETERS: &str = "parameters";
/// Name of the parameter that holds the name of the network.
pub(crate) const NETWORK: &str = "network";
/// Name of the parameter that holds the [`ValidatorSet`] of the present epoch.
pub(crate) const VALIDATORS: &str = "validators";

/// The settings of the ledger, as the state has them.
///
/// # Errors
/// [`StoreError`] if they cannot be read.
pub fn parameters(view: &impl Read) -> Result<Parameters, StoreError> {
    expect(view, &key::parameter(PARAMETERS))
}

/// The validators of the present epoch, as the state has them.
///
/// # Errors
/// [`StoreError`] if they cannot be read.
pub fn validators(view: &impl Read) -> Result<ValidatorSet, StoreError> {
    expect(view, &key::parameter(VALIDATORS))
}
