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

    /// A block as its own bytes have it; `None` if they are none, or too long.
    pub(crate) fn of_wire(wire: Bytes, limits: Limits) -> Option<Self> {
        let block =
            Block::decode(wire).ok().filter(|it| it.wire().len() <= limits.block_bytes_max)?;
        Self::new(Arc::new(block))
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

#[cfg(test)]
pub(crate) mod tests {
    use althing_types::{ExecutionResult, Header, LedgerId};
    use commonware_codec::{Copying, Decode as _, Encode as _};

    use super::*;

    /// A block with transactions of these lengths.
    pub(crate) fn block(height: u64, proposer: [u8; 32], lengths: &[usize]) -> Arc<Block> {
        let header = Header {
            version: 1,
            ledger: LedgerId([3; 32]),
            height,
            parent: Digest([4; 32]),
            time_ms: 1_700_000_000_000,
            proposer,
            epoch: 2,
            view: height + 7,
            parent_view: height,
            validators: Digest([6; 32]),
            next_validators: None,
            transactions: Digest::default(),
            count: 0,
            result: ExecutionResult {
                height: 0,
                state_root: Digest([1; 32]),
                receipts_root: Digest([2; 32]),
            },
        };
        let transactions = lengths.iter().map(|len| Bytes::from(vec![7; *len])).collect();
        Arc::new(Block::new(header, transactions))
    }

    /// Encodings of a point, and of none.
    const KEY: [u8; 32] = [1; 32];
    const NO_KEY: [u8; 32] = [2; 32];
    const LIMITS: Limits = Limits { block_bytes_max: 4096 };

    #[test]
    fn a_sealed_block_is_its_wire_bytes_behind_their_length() {
        for lengths in [&[][..], &[1], &[0, 300, 5], &[3000]] {
            let block = block(9, KEY, lengths);
            let sealed = Sealed::new(Arc::clone(&block)).unwrap();
            let bytes = sealed.encode();
            assert_eq!(bytes.len(), sealed.encode_size());
            assert!(bytes.ends_with(block.wire()));
            assert!(bytes.len() <= Sealed::max_encode_size(&LIMITS));
            let decoded = Sealed::decode_cfg(bytes.clone(), &LIMITS).unwrap();
            assert_eq!(decoded.digest(), sealed.digest());
            assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn the_engines_context_is_the_headers() {
        let sealed = Sealed::new(block(9, KEY, &[])).unwrap();
        let context = sealed.context();
        assert_eq!(context.round, Round::new(Epoch::new(2), View::new(16)));
        assert_eq!(context.leader.as_ref(), KEY);
        assert_eq!(context.parent, (View::new(9), sha256::Digest([4; 32])));
        assert_eq!(sealed.height(), Height::new(9));
    }

    #[test]
    fn bytes_that_are_no_block_are_refused() {
        let good = Sealed::new(block(9, KEY, &[10])).unwrap().encode();
        let too_long = block(9, KEY, &[LIMITS.block_bytes_max]);
        let no_key = block(9, NO_KEY, &[]);
        let mut trailing = good.to_vec();
        trailing.push(0);
        for (desc, bytes) in [
            ("empty", Vec::new()),
            ("cut", good[..good.len() - 1].to_vec()),
            ("trailing", trailing),
            ("length without content", vec![0xff; 5]),
            ("too long", too_long.wire().encode().to_vec()),
            ("proposer is no key", no_key.wire().encode().to_vec()),
            ("content is no block", Bytes::from_static(&[0x80; 9]).encode().to_vec()),
        ] {
            assert!(Sealed::decode_cfg(Copying(&bytes), &LIMITS).is_err(), "{desc}");
        }
        assert!(Sealed::new(no_key).is_none());
    }
}
