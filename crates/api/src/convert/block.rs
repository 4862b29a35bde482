use althing_client::model::{Block, BlockSummary, ExecutionResult, Hex, HexKey, KeyHex};
use althing_peer::query::BlockHead;
use althing_types::{self as types, Certificate, Validator};

use crate::service::Service;

impl Service {
    pub(crate) fn block_summary(&self, BlockHead { digest, header }: &BlockHead) -> BlockSummary {
        let is_made = header.height > 0;
        let proposer = is_made.then(|| self.validator(header.epoch, &header.proposer)).flatten();
        BlockSummary {
            height: header.height,
            digest: Hex(*digest),
            parent: Hex(header.parent),
            time: header.time_ms.into(),
            proposer: Hex(HexKey(header.proposer)),
            proposer_peer: proposer.map(|seat| self.did(&seat.peer)),
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
        // Signers are told by their positions among the validators of the certificate's epoch.
        let Ok(set) = self.query.validators_of(certificate.epoch) else { return Vec::new() };
        let positions = certificate.signer_positions();
        let keys = positions.filter_map(|position| set.validators.get(position));
        keys.map(|seat| Hex(HexKey(seat.key))).collect()
    }

    /// Who votes with a key in an epoch.
    fn validator(&self, epoch: u64, key: &[u8; 32]) -> Option<Validator> {
        let set = self.query.validators_of(epoch).ok()?;
        set.validators.into_iter().find(|seat| seat.key == *key)
    }

    /// Who votes with a key now or in a settled epoch to come, or did so by the genesis.
    pub(crate) fn seat(&self, key: &[u8; 32]) -> Option<Validator> {
        let seats = self.query.seats().ok()?;
        seats.into_iter().map(|(seat, _)| seat).find(|seat| seat.key == *key)
    }

    /// The name of an entity; empty if the disk fails.
    pub(crate) fn entity_name(&self, id: &types::EntityId) -> String {
        self.query.entity(id).map(|entity| entity.inception.name).unwrap_or_default()
    }
}
