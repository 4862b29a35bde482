use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{EntityId, TxId};

/// Data that one entity writes for itself or others to find.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Record {
    /// What sort of record, a name chosen by the application.
    #[n(0)]
    pub kind: String,
    /// Its data, at most [`RECORD_BYTES_MAX`](crate::limits::RECORD_BYTES_MAX) bytes; the ledger does not look into it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub data: Vec<u8>,
    /// Entities to be notified, at most [`RECIPIENTS_MAX`](crate::limits::RECIPIENTS_MAX).
    #[n(2)]
    pub notify: Vec<EntityId>,
    /// An earlier transaction that this record belongs to.
    #[n(3)]
    pub link: Option<TxId>,
}
