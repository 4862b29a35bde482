//! Receipts are encoded once for the disk and for the root; both must be what each alone gives.

use althing_types::{EntityId, Event, Receipt, TxId, receipts_encoded, receipts_root};

#[test]
fn receipts_are_encoded_together_as_they_are_alone() {
    for count in [0_u8, 1, 2, 23, 24, 200] {
        let receipts: Vec<Receipt> = (0..count)
            .map(|seed| Receipt {
                transaction: TxId([seed; 32]),
                code: u16::from(seed % 3),
                action: 0,
                events: vec![Event::EntityRevoked { entity: EntityId([seed; 32]) }],
            })
            .collect();
        let (encoded, root) = receipts_encoded(&receipts);
        assert_eq!(encoded, minicbor::to_vec(&receipts).unwrap(), "{count}");
        assert_eq!(root, receipts_root(&receipts), "{count}");
    }
}
