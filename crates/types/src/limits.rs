//! Every bound of the wire forms, with its unit. A peer refuses what exceeds one; none is tunable,
//! because peers must agree on them. Bounds that governance may change are in
//! [`Parameters`](crate::Parameters).

/// Longest transaction on the wire, bytes. Leaves room for one Thing Description of
/// [`DESCRIPTION_BYTES_MAX`] with its envelope.
pub const TRANSACTION_BYTES_MAX: usize = 96 * 1024;
/// Most actions in one transaction.
pub const ACTIONS_MAX: usize = 64;
/// Most signatures on one transaction.
pub const SIGNATURES_MAX: usize = 16;
/// Longest payload of one batch, bytes.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// Most readings in one batch.
pub const BATCH_READINGS_MAX: usize = 4096;
/// Longest Thing Description, bytes of JSON.
pub const DESCRIPTION_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of a Thing Description, levels.
pub const DESCRIPTION_DEPTH_MAX: usize = 64;
/// Most items of one array in a Thing Description: the schema wants some of them to differ, which
/// takes time with the square of their number.
pub const DESCRIPTION_ITEMS_MAX: usize = 256;
/// Most properties of one thing that become streams.
pub const PROPERTIES_MAX: usize = 128;
/// Longest name of an entity, thing, property, unit or record kind, bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest data of one [`Record`](crate::Record), bytes.
pub const RECORD_BYTES_MAX: usize = 16 * 1024;
/// Most entities that one record may notify.
pub const RECIPIENTS_MAX: usize = 16;
/// Most approvers of one multi-signature policy.
pub const APPROVERS_MAX: usize = 32;
/// Longest text or byte string value of a reading, bytes.
pub const VALUE_BYTES_MAX: usize = 1024;
/// Most decimal places of a numeric stream.
pub const SCALE_MAX: u8 = 15;
/// Most transactions in one block, whatever the parameters say.
pub const BLOCK_TRANSACTIONS_MAX: usize = 32 * 1024;
/// Longest block on the wire, bytes, whatever the parameters say.
pub const BLOCK_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most validators of a ledger.
pub const VALIDATORS_MAX: usize = 256;
/// Most organisations in a genesis.
pub const ORGANISATIONS_MAX: usize = 256;
/// Fewest blocks of an epoch: more than are ever final and not yet executed, so that whoever votes next
/// is known in time.
pub const EPOCH_BLOCKS_MIN: u32 = 32;
/// Most blocks of an epoch.
pub const EPOCH_BLOCKS_MAX: u32 = 10_000_000;
/// Latest time of a genesis, milliseconds since 1970: the end of the year 9999, the last that
/// RFC 3339 can write. Block times ascend from it and must not run out.
pub const GENESIS_TIME_MS_MAX: u64 = 253_402_300_799_999;
/// How many blocks may separate a block from the expiry height of a transaction in it.
pub const EXPIRY_BLOCKS_MAX: u64 = 1_000_000;
