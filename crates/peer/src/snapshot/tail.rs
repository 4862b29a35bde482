//! Follows from the height of a state that was taken over: certified blocks, fetched from others one
//! group after the other, are executed on it.

use std::sync::Arc;

use althing_ordering::PeerKey;
use althing_proof::certificate::{DESCENDANTS_MAX, Finalized};
use althing_state::{Batch, Space};
use althing_types::{Block, Certificate, Genesis, Header, Transaction, ValidatorSet};
use bytes::Bytes;
use minicbor::{Decode, Encode};

use super::{
    Ahead,
    landing::Refused,
    offer::{Lie, exact},
};
use crate::{
    chain::{ApplyError, Chain},
    core::{Core, Executed},
    executor, rows,
};

/// Blocks from a height on; the last has a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Blocks {
    #[n(0)]
    pub(crate) blocks: Vec<Sent>,
}

/// A block with its certificate, if it has one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Sent {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) wire: Vec<u8>,
    #[n(1)]
    pub(crate) certificate: Option<Certificate>,
}

/// A group of blocks, all final.
#[derive(Debug)]
pub(crate) struct Group(pub(crate) Vec<(Arc<Block>, Option<Certificate>)>);

/// Most blocks of one group.
pub(super) const GROUP_MAX: usize = DESCENDANTS_MAX + 1;

impl Group {
    /// Checks that the blocks follow on a header and are final.
    pub(crate) fn check(
        genesis: &Genesis,
        validators: impl Fn(u64) -> Option<ValidatorSet>,
        parent: &Header,
        bytes: &[u8],
    ) -> Result<Self, Lie> {
        let Blocks { blocks } = exact(bytes, "the blocks are malformed")?;
        if blocks.len() > GROUP_MAX {
            return Err(Lie("the blocks are too many"));
        }
        let mut group = Vec::with_capacity(blocks.len());
        for Sent { wire, certificate } in blocks {
            let block =
                Block::decode(Bytes::from(wire)).map_err(|_| Lie("a block is malformed"))?;
            group.push((Arc::new(block), certificate));
        }
        let mut headers = group.iter().map(|(block, _)| block.header().clone());
        let Some(header) = headers.next() else { return Ok(Self(group)) };
        if header.parent != parent.digest() || Some(header.height) != parent.height.checked_add(1) {
            return Err(Lie("the blocks do not follow on those before"));
        }
        let descendants: Vec<Header> = headers.collect();
        let certificate = group.last().and_then(|(_, certificate)| certificate.clone());
        let certificate = certificate.ok_or(Lie("the last block has no certificate"))?;
        // Who validates follows from what was executed, so it is known, unless the epoch is wrong.
        let epoch = genesis.parameters.epoch_of(header.height);
        let validators = validators(epoch).filter(|_| header.epoch == epoch);
        let validators = validators.ok_or(Lie("the blocks are of another epoch"))?;
        let run = Finalized { header, certificate, descendants };
        run.verify(genesis.mechanism, &genesis.ledger(), &validators)
            .map_err(|_| Lie("the blocks are not final"))?;
        Ok(Self(group))
    }

    /// The same, for a chain that began with a state taken over.
    pub(super) fn for_chain(core: &Core, chain: &Chain, bytes: &[u8]) -> Result<Self, Lie> {
        let parent = chain.done(chain.height()).ok_or(Lie("the newest block is gone"))?.header;
        let validators = |epoch| Some(ValidatorSet { epoch, ..chain.validators_since(epoch)? });
        Self::check(&core.config.genesis, validators, &parent, bytes)
    }
}

/// Executes the next block, as ordinary blocks are, and tells who waits.
pub(super) fn execute(
    core: &Core,
    ahead: &Ahead,
    block: Arc<Block>,
    certificate: Option<&Certificate>,
) -> Result<(), Refused> {
    let transactions: Vec<Transaction> = block
        .transactions()
        .iter()
        .map(|wire| Transaction::decode(wire.clone()))
        .collect::<Result<_, _>>()
        .map_err(|_| Lie("a final block holds a malformed transaction"))?;
    check_result(ahead, &block)?;
    let all: Vec<&Transaction> = transactions.iter().collect();
    let mut beside = Batch::default();
    let height = block.height();
    beside.put(Space::Receipts, rows::block(height), block.wire().to_vec());
    if let Some(certificate) = certificate {
        beside.put(Space::Receipts, rows::certificate(height), encoded(certificate));
    }
    let applied = ahead.chain.apply(&block, &all, beside, false);
    let applied = applied.map_err(|ApplyError::Store(error)| Refused::Store(error))?;
    for batch in transactions.iter().flat_map(Transaction::batches) {
        core.payloads.want(batch.payload_digest);
    }
    let (receipts, state_root) = (Arc::new(applied.receipts), applied.state_root);
    executor::settle(core, &Arc::new(Executed { block, receipts, state_root }));
    Ok(())
}

fn encoded(certificate: &Certificate) -> Vec<u8> {
    minicbor::to_vec(certificate).unwrap_or_default()
}

/// A quorum signed the result. The state that was taken over was checked, so another result is this
/// program's fault; the peer's own chain will say so as well.
fn check_result(ahead: &Ahead, block: &Block) -> Result<(), Lie> {
    let theirs = block.header().result;
    let ours = ahead.chain.done(theirs.height).filter(|_| theirs.height >= ahead.base);
    match ours {
        Some(ours) if ours.state_root != theirs.state_root => {
            Err(Lie("executing on the state that was taken over gave another result"))
        }
        _ => Ok(()),
    }
}

/// Says who lied, and that it is not asked again.
pub(super) fn name(peer: &PeerKey, lie: &Lie) {
    tracing::warn!(peer = %hex::encode(peer), %lie, "a peer handed over what is not true; it is not asked again");
}
