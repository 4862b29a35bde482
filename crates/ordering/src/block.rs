//! The ledger's block as the engine carries it.

use std::sync::Arc;

use althing_types::{Block, Digest};
use bytes::{BufMut, Bytes};
use commonware_codec::{
    Buf, BufsMut, EncodeSize, Error, MaxEncodeSize as _, RangeCfg, Read, Write, varint::UInt,
};
use commonware_consensus::{
    Block as ConsensusBlock, BoundedBlock, CertifiableBlock, Heightable,
    simplex::types::Context,
    types::{Epoch, Height, Round, View},
};
use commonware_cryptography::{Digested, Digestible, ed25519::PublicKey, sha256};

use crate::certificate::public_key;

/// A block whose proposer is known to be a key.
///
/// On the wire and in the archive it is its canonical bytes behind their length; the block keeps
/// its bytes and digest, so neither is ever computed twice. The engine's context of a block (round,
/// leader, parent) is in the block's header, so nothing is added.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    block: Arc<Block>,
    /// Checked on arrival, since not every 32 bytes are a key.
    proposer: PublicKey,
}

/// What decides whether bytes from elsewhere can be a block here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) block_bytes_max: usize,
}

impl Sealed {
    /// `None` if the proposer is not an Ed25519 key.
    pub(crate) fn new(block: Arc<Block>) -> Option<Self> {
        let proposer = public_key(&block.header().proposer).ok()?;
        Some(Self { block, proposer })
    }

    pub(crate) fn block(&self) -> Arc<Block> {
        Arc::clone(&self.block)
    }

    /// The form the engine passes around; nothing is hashed, the digest is known.
    pub(crate) fn digested(self) -> Digested<Self> {
        let digest = self.digest();
        Digested::precomputed(self, digest)
    }
}

pub(crate) fn engine_digest(digest: &Digest) -> sha256::Digest {
    sha256::Digest(digest.0)
}

impl Write for Sealed {
    fn write(&self, buf: &mut impl BufMut) {
        self.block.wire().write(buf);
    }

    fn write_bufs(&self, buf: &mut impl BufsMut) {
        self.block.wire().write_bufs(buf);
    }
}

impl EncodeSize for Sealed {
    fn encode_size(&self) -> usize {
        self.block.wire().encode_size()
    }

    fn encode_inline_size(&self) -> usize {
        self.block.wire().encode_inline_size()
    }
}

impl Read for Sealed {
    type Cfg = Limits;

    fn read_cfg(buf: &mut impl Buf, limits: &Limits) -> Result<Self, Error> {
        let wire = Bytes::read_cfg(buf, &RangeCfg::from(..=limits.block_bytes_max))?;
        let block = Block::decode(wire)
            .map_err(|error| Error::Wrapped("althing_types::Block", error.to_string().into()))?;
        Self::new(Arc::new(block))
            .ok_or(Error::Invalid("althing_types::Header", "proposer is not an Ed25519 key"))
    }
}

impl Digestible for Sealed {
    type Digest = sha256::Digest;

    fn digest(&self) -> sha256::Digest {
        engine_digest(&self.block.digest())
    }
}

impl Heightable for Sealed {
    fn height(&self) -> Height {
        Height::new(self.block.height())
    }
}

impl ConsensusBlock for Sealed {
    fn parent(&self) -> sha256::Digest {
        engine_digest(&self.block.header().parent)
    }
}

impl CertifiableBlock for Sealed {
    type Context = Context<sha256::Digest, PublicKey>;

    fn context(&self) -> Self::Context {
        let header = self.block.header();
        Context {
            round: Round::new(Epoch::new(header.epoch), View::new(header.view)),
            leader: self.proposer.clone(),
            parent: (View::new(header.parent_view), engine_digest(&header.parent)),
        }
    }
}

impl BoundedBlock for Sealed {
    fn max_encode_size(limits: &Limits) -> usize {
        limits.block_bytes_max + UInt::<u32>::MAX_ENCODE_SIZE
    }
}
