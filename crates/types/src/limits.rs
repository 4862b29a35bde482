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
/// Most bytes that sealing adds to a payload: head, padding and tag.
pub const SEALED_OVERHEAD_BYTES_MAX: usize = 128;
/// Most readers that one key of a confidential stream is wrapped to.
pub const STREAM_READERS_MAX: usize = 64;
/// How long after a rotation readings may still claim to be measured that are sealed under the key
/// before it, milliseconds of ledger time.
pub const STREAM_KEY_GRACE_MS: u64 = 60_000;
/// Most organisations whose peers keep the payloads of one stream, if they are named.
pub const PLACED_ORGANISATIONS_MAX: usize = 16;
/// Longest retention of a stream's payloads that is a bound, days: a hundred years.
pub const RETENTION_DAYS_MAX: u32 = 36_525;
/// Most erasures of one stream.
pub const ERASURES_MAX: usize = 64;
/// Most readings in one batch.
pub const BATCH_READINGS_MAX: usize = 4096;
/// Longest pack that a device signs, bytes.
pub const PACK_BYTES_MAX: usize = 4096;
/// Most readings of one pack.
pub const PACK_READINGS_MAX: usize = 64;
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
/// Longest part of a module that one action uploads, bytes.
pub const CODE_PART_BYTES_MAX: usize = 64 * 1024;
/// Most parts of one module.
pub const CODE_PARTS_MAX: u16 = 16;
/// Longest module, bytes.
pub const CODE_BYTES_MAX: usize = 1024 * 1024;
/// Longest statement of where a module's source is, bytes.
pub const CODE_SOURCE_BYTES_MAX: usize = 256;
/// Most interfaces that code names.
pub const INTERFACES_MAX: usize = 8;
/// Most peers or organisations that decide whether one contract begins.
pub const PARTICIPANTS_MAX: usize = 32;
/// Most entities that may call one contract, if not anyone may.
pub const CALLERS_MAX: usize = 64;
/// Longest text about a service, bytes.
pub const SERVICE_TEXT_BYTES_MAX: usize = 1024;
/// Most words to find a service by.
pub const SERVICE_TAGS_MAX: usize = 16;
/// Longest schema of a service, bytes of JSON.
pub const SERVICE_SCHEMA_BYTES_MAX: usize = 8 * 1024;
/// Most addresses of a service outside the ledger.
pub const SERVICE_ENDPOINTS_MAX: usize = 4;
/// Longest address of a service, bytes.
pub const ENDPOINT_BYTES_MAX: usize = 256;
/// Most rights that a service says it needs.
pub const SERVICE_NEEDS_MAX: usize = 16;
/// Longest text about what a service costs, bytes.
pub const PRICE_TEXT_BYTES_MAX: usize = 256;
/// Most versions of one service that are not withdrawn.
pub const SERVICE_VERSIONS_MAX: usize = 16;
/// Most services of one provider that have such a version.
pub const SERVICES_OF_PROVIDER_MAX: u32 = 256;
/// How long parts of a module are kept that nobody has stored, milliseconds of ledger time after the
/// last of them came: a day.
pub const UPLOAD_LIFE_MS: u64 = 24 * 3600 * 1000;
/// Most bytes of such parts that one organisation and what it owns may have.
pub const UPLOADS_OF_OWNER_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Longest message to a contract, bytes of JSON.
pub const CONTRACT_MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Longest key of a contract's own storage, bytes.
pub const CONTRACT_KEY_BYTES_MAX: usize = 256;
/// Most attributes of one event of a contract.
pub const CONTRACT_ATTRIBUTES_MAX: usize = 32;
/// Longest key, value or type of an attribute of a contract's event, bytes.
pub const CONTRACT_ATTRIBUTE_BYTES_MAX: usize = 256;
/// Most gas that parameters may give to one transaction or one block. Gas is the cost of running
/// contracts: about a third of a nanosecond each on the machines it was calibrated on.
pub const CONTRACT_GAS_MAX: u64 = 100_000_000_000;
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
/// Blocks of an epoch in a new ledger: half an hour when idle, less than a minute under load. The
/// validators that members choose take their seats after one to two of them.
pub const EPOCH_BLOCKS_STANDARD: u32 = 1024;
/// Most blocks of an epoch.
pub const EPOCH_BLOCKS_MAX: u32 = 10_000_000;
/// Latest time of a genesis, milliseconds since 1970: the end of the year 9999, the last that
/// RFC 3339 can write. Block times ascend from it and must not run out.
pub const GENESIS_TIME_MS_MAX: u64 = 253_402_300_799_999;
/// How many blocks may separate a block from the expiry height of a transaction in it.
pub const EXPIRY_BLOCKS_MAX: u64 = 1_000_000;

/// Most entities that are bound to one thing at a time.
pub const GATEWAYS_MAX: usize = 16;
/// Most properties that a limited binding names.
pub const LIMIT_PROPERTIES_MAX: usize = 32;
/// Most devices that one voucher is about.
pub const VOUCHER_DEVICES_MAX: u32 = 10_000;
/// Longest path in the tree of a voucher, digests: 2^14 leaves are more than
/// [`VOUCHER_DEVICES_MAX`].
pub const VOUCHER_PATH_MAX: usize = 14;
/// Most reports of a thing's status within [`STATUS_WINDOW_MS`].
pub const STATUS_REPORTS_MAX: u32 = 30;
/// Time in which the reports of a thing's status are counted, milliseconds of ledger time.
pub const STATUS_WINDOW_MS: u64 = 60_000;
/// Longest input of an action, bytes of JSON.
pub const COMMAND_INPUT_BYTES_MAX: usize = 2048;
/// Longest answer to a command, bytes.
pub const COMMAND_RESULT_BYTES_MAX: usize = 2048;
/// Longest life of a command, milliseconds of ledger time: 30 days.
pub const COMMAND_LIFE_MS_MAX: u64 = 30 * 24 * 3_600_000;
/// Most commands of one thing that are neither done nor over.
pub const COMMANDS_OPEN_MAX: usize = 32;
/// Most organisations that may speak for the quarantine of one thing.
pub const QUARANTINE_VOICES_MAX: usize = 16;
/// How many organisations shut a thing out that is not theirs.
pub const QUARANTINE_VOICES_MIN: usize = 3;
/// Longest address of a peer, bytes of `host:port`.
pub const ADDRESS_BYTES_MAX: usize = 261;
/// Most addresses that a peer tells another in one message.
pub const PEER_ADDRESSES_MAX: usize = 16;
/// Longest reason of a proposal, bytes of UTF-8.
pub const REASON_BYTES_MAX: usize = 512;
/// Most blocks that members may take to vote.
pub const PATIENCE_BLOCKS_MAX: u32 = 10_000_000;
/// Most blocks between the acceptance of a change and its effect.
pub const TIMELOCK_BLOCKS_MAX: u32 = 10_000_000;
/// Most proposals that wait for votes or for their time, of all members together.
pub const PROPOSALS_MAX: usize = 64;
/// Most regulations in force at a time.
pub const REGULATIONS_MAX: usize = 32;
/// Longest text of a regulation, bytes of UTF-8.
pub const REGULATION_TEXT_BYTES_MAX: usize = 512;
/// Longest reference to where a regulation is written, bytes of UTF-8.
pub const REGULATION_REFERENCE_BYTES_MAX: usize = 256;
/// Longest text of one access policy, bytes of Cedar.
pub const POLICY_BYTES_MAX: usize = 4096;
/// Most statements of one access policy.
pub const POLICY_STATEMENTS_MAX: usize = 16;
/// Most tokens of one access policy: they bound how deep its expressions can be.
pub const POLICY_TOKENS_MAX: usize = 512;
/// Deepest nesting of brackets in an access policy, levels.
pub const POLICY_DEPTH_MAX: usize = 12;
/// How far ahead the end of a reader's token may lie, milliseconds: so long is one that was stolen
/// of use to the thief.
pub const READER_TOKEN_MS_MAX: u64 = 600_000;
/// Most grants whose uses one action records.
pub const ACCESS_USES_MAX: usize = 64;
/// Most direct uses that one action records: each has a signature to be checked.
pub const DIRECT_USES_MAX: usize = 16;
/// Longest time for which a direct request may be served, milliseconds.
pub const DIRECT_LIFE_MS_MAX: u64 = 60_000;
/// Most tags of one thing.
pub const THING_TAGS_MAX: usize = 16;
/// Longest span of time that a trigger looks at or waits, milliseconds: a year.
pub const TRIGGER_SPAN_MS_MAX: u64 = 366 * 24 * 3600 * 1000;
/// Most triggers of one owner.
pub const TRIGGERS_OF_OWNER_MAX: usize = 256;
/// Most triggers that wait for one stream, or for one and the same event.
pub const TRIGGERS_OF_CAUSE_MAX: usize = 16;
/// Most runs of the triggers of one owner within [`TRIGGER_WINDOW_MS`]; the others wait for the next.
pub const TRIGGER_RUNS_OF_OWNER_MAX: u32 = 256;
/// Time in which the runs of an owner's triggers are counted, milliseconds of ledger time.
pub const TRIGGER_WINDOW_MS: u64 = 60_000;
/// Most triggers that run in one block; the others run in the next.
pub const TRIGGERS_RUN_MAX: usize = 64;
/// Most of a token that there can be, in its smallest unit: sums of two fit 128 bits.
pub const AMOUNT_MAX: u128 = 1_000_000_000_000_000_000_000_000_000_000_000_000;
/// Most decimal places of a token.
pub const DECIMALS_MAX: u8 = 18;
/// Shortest sign of a token, bytes: contracts take no shorter name of a coin.
pub const SYMBOL_BYTES_MIN: usize = 3;
/// Longest sign of a token, bytes.
pub const SYMBOL_BYTES_MAX: usize = 16;
/// Most accounts that begin with tokens: one for each founding organisation.
pub const ALLOCATIONS_MAX: usize = ORGANISATIONS_MAX;
/// Highest price among the fees, in a token's smallest unit: JSON carries it exactly.
pub const FEE_MAX: u64 = 1_000_000_000_000_000;
/// Longest note on a payment, bytes.
pub const MEMO_BYTES_MAX: usize = 128;
/// Most rewards that are offered for readings of one stream.
pub const REWARDS_OF_STREAM_MAX: usize = 8;
/// Most payments of rewards in one block; batches beyond are accepted and earn nothing.
pub const REWARDS_PAID_MAX: u32 = 1024;
/// Fewest epochs for which withdrawn stake is locked: the peer may vote in the one that begins after
/// the next block still, and in the one after it.
pub const STAKE_LOCKED_EPOCHS_MIN: u32 = 2;
/// Most epochs for which withdrawn stake is locked.
pub const STAKE_LOCKED_EPOCHS_MAX: u32 = 100_000;
/// Most whole epochs in which a peer may propose nothing and keep its seat.
pub const STAKE_SILENT_EPOCHS_MAX: u32 = 100_000;
/// Fewest blocks of an epoch for each seat that is given by stake: so often is it a peer's turn, and if
/// it let all of them pass, it was silent.
pub const STAKE_TURNS_MIN: u32 = 4;
/// So many failures in a row suspend a trigger.
pub const TRIGGER_FAILURES_MAX: u8 = 5;
/// Longest proof of another ledger in one action, bytes; also the longest genesis of one. Leaves room for
/// the envelope of the transaction.
pub const LINK_PROOF_BYTES_MAX: usize = 88 * 1024;
/// Most signatures of other ledgers that are checked in one block, whether or not they hold: about
/// 30 ms of one core.
pub const LINK_SIGNATURES_OF_BLOCK_MAX: u32 = 512;
/// Most links of one organisation, ended ones among them: what they know must not be forgotten.
pub const LINKS_OF_OWNER_MAX: u32 = 64;
/// Longest request or answer of a call across ledgers, bytes.
pub const CALL_BYTES_MAX: usize = 4096;
/// Most calls across one link, either way, that are not over.
pub const CALLS_OF_LINK_MAX: u32 = 256;
/// Longest life of a call, milliseconds of ledger time: 30 days.
pub const CALL_LIFE_MS_MAX: u64 = 30 * 24 * 3_600_000;
/// How far the clock of a ledger that asks may be ahead of that of the ledger asked, milliseconds.
pub const CALL_SKEW_MS_MAX: u64 = 10_000;
/// Shortest time in which an answer may be carried back after the deadline of a call, milliseconds: more than
/// clocks may differ.
pub const CALL_GRACE_MS_MIN: u64 = 15_000;
/// Longest such time, milliseconds: 30 days.
pub const CALL_GRACE_MS_MAX: u64 = 30 * 24 * 3_600_000;
