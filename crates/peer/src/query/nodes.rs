//! Nodes of streams' trees that were read lately: a proof reads some thirty, the upper ones are those
//! of every proof of the stream, and none ever changes.

use std::collections::HashMap;

use althing_proof::stream::Node;
use althing_types::StreamId;
use commonware_utils::sync::Mutex;

/// Most nodes kept; a node with its place takes some 200 bytes.
const NODES_MAX: usize = 16_384;

/// Which node of which tree.
type At = (StreamId, u8, u64);

/// The nodes. Only looked up, so their order is nobody's.
#[derive(Debug, Default)]
pub(super) struct Nodes(Mutex<HashMap<At, Node>>);

impl Nodes {
    /// The node, if it is kept.
    pub(super) fn get(&self, at: &At) -> Option<Node> {
        self.0.lock().get(at).copied()
    }

    /// Keeps a node that is on disk.
    pub(super) fn keep(&self, at: At, node: Node) {
        let mut kept = self.0.lock();
        if kept.len() >= NODES_MAX {
            // Rare, and simpler than an order of use: what is needed comes back with one read each.
            kept.clear();
        }
        kept.insert(at, node);
    }
}

#[cfg(test)]
mod tests {
    use althing_proof::stream::Leaf;
    use althing_types::{EntityId, TxId};

    use super::*;

    fn node(first_seq: u64) -> Node {
        Node::of_leaf(&Leaf {
            first_seq,
            count: 1,
            time_min: 0,
            time_max: 0,
            min: Some(1),
            max: Some(1),
            sum: 1,
            payload_digest: [1; 32],
            payload_len: 4,
            submitter: EntityId([1; 32]),
            transaction: TxId([2; 32]),
            ledger_time_ms: 5,
            height: 1,
        })
    }

    #[test]
    fn nodes_are_those_of_their_place_and_bounded() {
        let nodes = Nodes::default();
        let at = |index| (StreamId([1; 32]), 0, index);
        for index in 0..NODES_MAX as u64 {
            nodes.keep(at(index), node(index));
        }
        for (at, expected) in [
            (at(7), Some(node(7))),
            ((StreamId([2; 32]), 0, 7), None),
            ((StreamId([1; 32]), 1, 7), None),
        ] {
            assert_eq!(nodes.get(&at), expected, "{at:?}");
        }
        nodes.keep(at(NODES_MAX as u64), node(1));
        assert!(nodes.0.lock().len() <= NODES_MAX);
        assert_eq!(nodes.get(&at(NODES_MAX as u64)), Some(node(1)));
    }
}
