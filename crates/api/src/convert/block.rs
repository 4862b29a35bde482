use althing_client::model::{Block, BlockSummary, ExecutionResult, Hex, HexKey, KeyHex};
use althing_peer::query::BlockHead;
use althing_types::{self as types, Certificate};

use crate::service::Service;

impl Service {
    pub(crate) fn block_summary(&self, BlockHead { digest, header }: &BlockHead) -> BlockSummary {
        let proposer = (header.height > 0).then(|| self.seat(&header.proposer)).flatten();
        BlockSummary {
            height: header.height,
            digest: Hex(*digest),
            parent: Hex(header.parent),
            time: header.time_ms.into(),
            proposer: Hex(HexKey(header.proposer)),
            proposer_peer: proposer.map(|seat| self.did(&seat.inception.id())),
            epoch: header.epoch,
            view: header.view,
            transactions_root: Hex(header.transactions),
            transactions: header.count,
            result: ExecutionResult {
                height: header.result.height,
                state_root: Hex(header.result.state_root),
                receipts_root: Hex(header.result.receipts_root),
            },
        }
    }

    /// A block with the ids of its transactions from `begin` on, at most `limit`.
    pub(crate) fn block(
        &self,
        block: &types::Block,
        certificate: Option<&Certificate>,
        begin: usize,
        limit: usize,
    ) -> Block {
        let head = BlockHead { digest: block.digest(), header: block.header().clone() };
        let ids: Vec<_> = block.ids().iter().skip(begin).take(limit).copied().map(Hex).collect();
        let end = begin.saturating_add(ids.len());
        Block {
            summary: self.block_summary(&head),
            signers: certificate.map(|certificate| self.signers(certificate)).unwrap_or_default(),
            transaction_ids: ids,
            next: (end < block.ids().len()).then(|| end.to_string()),
        }
    }

    fn signers(&self, certificate: &Certificate) -> Vec<KeyHex> {
        // Validators sit in the order of their keys, as the genesis lists them.
        let seats = &self.peer.genesis().peers;
        let positions = certificate.signer_positions();
        positions
            .filter_map(|position| seats.get(position))
            .map(|seat| Hex(HexKey(seat.key)))
            .collect()
    }

    /// The founding peer with a voting key.
    pub(crate) fn seat(&self, key: &[u8; 32]) -> Option<&types::PeerSeat> {
        self.peer.genesis().peers.iter().find(|seat| seat.key == *key)
    }
}
