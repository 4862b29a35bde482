use alloc::vec::Vec;

use bytes::Bytes;
use minicbor::{
    Decode, Decoder, Encode, Encoder,
    encode::{Error as WriteError, Write},
};

use crate::{
    Digest, LedgerId, TxId, Wire, WireError,
    digest::hash,
    limits::{BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX},
    merkle,
    reading::expect_array,
    wire::{encode, is_encoding},
};

/// What executing a block gave, as a later header states it (Y.4464 8.2: results are computed
/// after agreement).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ExecutionResult {
    /// Height of the block that was executed.
    #[n(0)]
    pub height: u64,
    /// Root of the authenticated state after it.
    #[n(1)]
    pub state_root: Digest,
    /// The [statement](crate::receipts_statement) of the receipts of every height after the one
    /// whose result the parent states, up to this one; if there is none, the parent's.
    #[n(2)]
    pub receipts_root: Digest,
}

/// The head of a block: what the validators sign, by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Header {
    /// Version of this form, 1.
    #[n(0)]
    pub version: u8,
    /// The ledger.
    #[n(1)]
    pub ledger: LedgerId,
    /// Distance from the genesis block, which has height 0.
    #[n(2)]
    pub height: u64,
    /// Digest of the parent's header.
    #[n(3)]
    pub parent: Digest,
    /// Ledger time, milliseconds since 1970; later than the parent's.
    #[n(4)]
    pub time_ms: u64,
    /// The validator that proposed it, an Ed25519 key.
    #[cbor(n(5), with = "crate::wire::fixed")]
    pub proposer: [u8; 32],
    /// Epoch: the validator set it was agreed under.
    #[n(6)]
    pub epoch: u64,
    /// The engine's view in which it was proposed.
    #[n(7)]
    pub view: u64,
    /// The view in which its parent was proposed.
    #[n(8)]
    pub parent_view: u64,
    /// Digest of the validator set of this epoch.
    #[n(9)]
    pub validators: Digest,
    /// Digest of the next epoch's validator set; only in the last block of an epoch.
    #[n(10)]
    pub next_validators: Option<Digest>,
    /// Merkle root over the ids of its transactions.
    #[n(11)]
    pub transactions: Digest,
    /// Number of its transactions.
    #[n(12)]
    pub count: u32,
    /// Result of an earlier block.
    #[n(13)]
    pub result: ExecutionResult,
}

impl Wire for Header {
    const BYTES_MAX: usize = 512;

    fn validate(&self) -> Result<(), WireError> {
        if self.version != 1 {
            return Err(WireError::OutOfBounds("version"));
        }
        if self.count as usize > BLOCK_TRANSACTIONS_MAX {
            return Err(WireError::OutOfBounds("count"));
        }
        Ok(())
    }
}

impl Header {
    /// The block's digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(hash("althing/block/1", &[&encode(self)]))
    }
}

/// The Merkle root over the ids of transactions.
#[must_use]
pub fn transactions_root(transactions: &[Bytes]) -> Digest {
    let ids: Vec<[u8; 32]> = transactions.iter().map(|wire| TxId::of(wire).0).collect();
    merkle::root(&ids)
}

/// A block: a header and the transactions it commits to, each as its wire bytes.
///
/// On the wire: `[header, [<<transaction>>, ...]]`. Its digest is the header's, which commits to
/// the body by [`Header::transactions`]; [`Block::decode`] refuses a body that is not the header's.
#[derive(Debug, Clone)]
pub struct Block {
    header: Header,
    digest: Digest,
    ids: Vec<TxId>,
    transactions: Vec<Bytes>,
    wire: Bytes,
}

impl PartialEq for Block {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Block {}

impl Block {
    /// Puts a block together: fills in count and transactions root of the header.
    #[must_use]
    pub fn new(mut header: Header, transactions: Vec<Bytes>) -> Self {
        let ids: Vec<TxId> = transactions.iter().map(|wire| TxId::of(wire)).collect();
        header.transactions = root_of(&ids);
        header.count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let wire = to_wire(&header, &transactions).into();
        Self { digest: header.digest(), header, ids, transactions, wire }
    }

    /// Reads wire bytes; the transactions share their memory.
    ///
    /// # Errors
    /// [`WireError`] if they are too long, malformed, not canonical, or the body is not the one the
    /// header commits to.
    pub fn decode(wire: Bytes) -> Result<Self, WireError> {
        if wire.len() > BLOCK_BYTES_MAX {
            return Err(WireError::TooLong { len: wire.len(), max: BLOCK_BYTES_MAX });
        }
        let mut d = Decoder::new(&wire);
        let (header, spans) =
            read(&mut d).map_err(|_| WireError::Malformed { position: d.position() })?;
        header.validate()?;
        let transactions: Vec<Bytes> =
            spans.into_iter().map(|(start, end)| wire.slice(start..end)).collect();
        let ids: Vec<TxId> = transactions.iter().map(|bytes| TxId::of(bytes)).collect();
        if header.count as usize != ids.len() || header.transactions != root_of(&ids) {
            return Err(WireError::OutOfBounds("transactions"));
        }
        if !is_encoding(&wire, |e| write(e, &header, &transactions)) {
            return Err(WireError::NotCanonical);
        }
        Ok(Self { digest: header.digest(), header, ids, transactions, wire })
    }

    /// Its header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its digest.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Its height.
    #[must_use]
    pub const fn height(&self) -> u64 {
        self.header.height
    }

    /// Ids of its transactions, in order.
    #[must_use]
    pub fn ids(&self) -> &[TxId] {
        &self.ids
    }

    /// Its transactions' wire bytes, in order.
    #[must_use]
    pub fn transactions(&self) -> &[Bytes] {
        &self.transactions
    }

    /// Its wire bytes.
    #[must_use]
    pub const fn wire(&self) -> &Bytes {
        &self.wire
    }
}

fn root_of(ids: &[TxId]) -> Digest {
    let leaves: Vec<[u8; 32]> = ids.iter().map(|id| id.0).collect();
    merkle::root(&leaves)
}

fn to_wire(header: &Header, transactions: &[Bytes]) -> Vec<u8> {
    let len: usize = transactions.iter().map(|wire| wire.len() + 5).sum();
    let mut out = Vec::with_capacity(len + Header::BYTES_MAX);
    let written = write(&mut Encoder::new(&mut out), header, transactions);
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    out
}

fn write<W: Write>(
    e: &mut Encoder<W>,
    header: &Header,
    transactions: &[Bytes],
) -> Result<(), WriteError<W::Error>> {
    e.array(2)?.encode(header)?.array(transactions.len() as u64)?;
    transactions.iter().try_for_each(|wire| e.bytes(wire)?.ok())
}

type Spans = Vec<(usize, usize)>;

fn read(d: &mut Decoder<'_>) -> Result<(Header, Spans), minicbor::decode::Error> {
    expect_array(d, 2)?;
    let header = d.decode()?;
    let count = d.array()?.unwrap_or(u64::MAX);
    if count > BLOCK_TRANSACTIONS_MAX as u64 {
        return Err(minicbor::decode::Error::message("number of transactions"));
    }
    let mut spans = Vec::new();
    for _ in 0..count {
        let len = d.bytes()?.len();
        if len > TRANSACTION_BYTES_MAX {
            return Err(minicbor::decode::Error::message("length of a transaction"));
        }
        spans.push((d.position() - len, d.position()));
    }
    Ok((header, spans))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn block(count: usize) -> Block {
        let result = ExecutionResult {
            height: 0,
            state_root: Digest([1; 32]),
            receipts_root: Digest([2; 32]),
        };
        let header = Header {
            version: 1,
            ledger: LedgerId([3; 32]),
            height: 9,
            parent: Digest([4; 32]),
            time_ms: 1_700_000_000_000,
            proposer: [5; 32],
            epoch: 0,
            view: 11,
            parent_view: 10,
            validators: Digest([6; 32]),
            next_validators: None,
            transactions: Digest::default(),
            count: 0,
            result,
        };
        Block::new(header, (0..count).map(|i| Bytes::from(vec![i as u8; i + 1])).collect())
    }

    #[test]
    fn blocks_round_trip_and_every_flipped_byte_is_another_block_or_none() {
        for count in [0, 1, 5] {
            let block = block(count);
            let decoded = Block::decode(block.wire().clone()).unwrap();
            assert_eq!((decoded.digest(), decoded.ids()), (block.digest(), block.ids()));
            for position in 0..block.wire().len() {
                let mut wire = block.wire().to_vec();
                wire[position] ^= 1;
                if let Ok(other) = Block::decode(wire.into()) {
                    assert_ne!(other.digest(), block.digest(), "byte {position}");
                }
            }
        }
    }

    #[test]
    fn a_body_that_is_not_the_headers_is_refused() {
        let (one, other) = (block(3), block(2));
        let mixed = to_wire(one.header(), other.transactions());
        assert_eq!(Block::decode(mixed.into()), Err(WireError::OutOfBounds("transactions")));
    }
}
