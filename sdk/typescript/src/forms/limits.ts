// Bounds of the wire forms. A peer refuses what exceeds one; they are those of docs/formats.

/** Longest transaction, bytes. */
export const TRANSACTION_BYTES_MAX = 96 * 1024;
/** Most actions in one transaction. */
export const ACTIONS_MAX = 64;
/** Most signatures on one transaction. */
export const SIGNATURES_MAX = 16;
/** Longest payload of one batch, bytes. */
export const PAYLOAD_BYTES_MAX = 64 * 1024;
/** Most bytes that sealing adds to a payload. */
export const SEALED_OVERHEAD_BYTES_MAX = 128;
/** Most readers that one key of a confidential stream is wrapped to. */
export const STREAM_READERS_MAX = 64;
export const PLACED_ORGANISATIONS_MAX = 16;
export const RETENTION_DAYS_MAX = 36_525;
/** Longest pack that a device signs, bytes. */
export const PACK_BYTES_MAX = 4096;
/** Most readings of one pack. */
export const PACK_READINGS_MAX = 64;
/** Most readings in one batch. */
export const BATCH_READINGS_MAX = 4096;
/** Longest Thing Description, bytes of JSON. */
export const DESCRIPTION_BYTES_MAX = 64 * 1024;
/** Longest name of an entity, thing, property, unit or record kind, bytes of UTF-8. */
export const NAME_BYTES_MAX = 64;
/** Longest data of one record, bytes. */
export const RECORD_BYTES_MAX = 16 * 1024;
/** Most entities that one record may notify. */
export const RECIPIENTS_MAX = 16;
/** Most approvers of one policy. */
export const APPROVERS_MAX = 32;
/** Longest text or byte string value of a reading, bytes. */
export const VALUE_BYTES_MAX = 1024;
/** Most decimal places of a numeric stream. */
export const SCALE_MAX = 15;
/** Most transactions in one block. */
export const BLOCK_TRANSACTIONS_MAX = 32 * 1024;
/** Longest block, bytes. */
export const BLOCK_BYTES_MAX = 8 * 1024 * 1024;
/** Most validators of a ledger. */
export const VALIDATORS_MAX = 256;
/** Most organisations in a genesis. */
export const ORGANISATIONS_MAX = 256;
/** Most gaps of one stream that stay open. */
export const GAPS_MAX = 256;
/** Most leaves of one stream. */
export const LEAVES_MAX = 1n << 40n;
/** Longest bundle, bytes. */
export const BUNDLE_BYTES_MAX = 8 * 1024 * 1024;
/** Most headers between a block and the certificate that makes it final. */
export const DESCENDANTS_MAX = 64;
/** Most epochs that one chain may span. */
export const EPOCHS_MAX = 1024;
export const EPOCH_BLOCKS_MIN = 32;
export const EPOCH_BLOCKS_MAX = 10_000_000;
/** Most heights whose receipts one header states. */
export const STATED_HEIGHTS_MAX = 64;
/** Most parts of one opening. */
export const PARTS_MAX = 65_536;
/** Longest raw key of the state, bytes. */
export const KEY_BYTES_MAX = 320;
/** Longest value of the state that a bundle shows by itself, bytes. */
export const STATE_VALUE_BYTES_MAX = 256 * 1024;
/** Deepest a leaf of the state can sit. */
export const DEPTH_MAX = 256;
/** Longest genesis, bytes. */
export const GENESIS_BYTES_MAX = 256 * 1024;
/** Most properties that a limited binding names. */
export const LIMIT_PROPERTIES_MAX = 32;
/** Most devices that one voucher is about. */
export const VOUCHER_DEVICES_MAX = 10_000;
/** Longest path in the tree of a voucher, digests. */
export const VOUCHER_PATH_MAX = 14;
/** Longest input of an action, bytes of JSON. */
export const COMMAND_INPUT_BYTES_MAX = 2048;
/** Longest answer to a command, bytes. */
export const COMMAND_RESULT_BYTES_MAX = 2048;
/** Longest address of a peer, bytes of `host:port`. */
export const ADDRESS_BYTES_MAX = 261;
/** Longest text of a regulation, bytes of UTF-8. */
export const REGULATION_TEXT_BYTES_MAX = 512;
/** Longest reference to where a regulation is written, bytes of UTF-8. */
export const REGULATION_REFERENCE_BYTES_MAX = 256;
/** Longest reason of a proposal, bytes of UTF-8. */
export const REASON_BYTES_MAX = 512;
/** Most blocks that members may take to vote. */
export const PATIENCE_BLOCKS_MAX = 10_000_000;
/** Most blocks between the acceptance of a change and its effect. */
export const TIMELOCK_BLOCKS_MAX = 10_000_000;
/** Longest text of one access policy, bytes of Cedar. */
export const POLICY_BYTES_MAX = 4096;
/** Most grants whose uses one action records. */
export const ACCESS_USES_MAX = 64;
/** Most direct uses that one action records. */
export const DIRECT_USES_MAX = 16;
/** Most tags of one thing. */
export const THING_TAGS_MAX = 16;
/** Most blocks between a block and the expiry height of a transaction in it, and that a grant lasts. */
export const EXPIRY_BLOCKS_MAX = 1_000_000n;
/** Longest part of a module that one action uploads, bytes. */
export const CODE_PART_BYTES_MAX = 64 * 1024;
/** Most parts of one module. */
export const CODE_PARTS_MAX = 16;
/** Longest statement of where a module's source is, bytes. */
export const CODE_SOURCE_BYTES_MAX = 256;
/** Most interfaces that code names. */
export const INTERFACES_MAX = 8;
/** Most peers or organisations that decide whether one contract begins. */
export const PARTICIPANTS_MAX = 32;
/** Most entities that may call one contract, if not anyone may. */
export const CALLERS_MAX = 64;
/** Longest text about a service, bytes. */
export const SERVICE_TEXT_BYTES_MAX = 1024;
/** Most words to find a service by. */
export const SERVICE_TAGS_MAX = 16;
/** Longest schema of a service, bytes of JSON. */
export const SERVICE_SCHEMA_BYTES_MAX = 8 * 1024;
/** Most addresses of a service outside the ledger. */
export const SERVICE_ENDPOINTS_MAX = 4;
/** Longest address of a service, bytes. */
export const ENDPOINT_BYTES_MAX = 256;
/** Most rights that a service says it needs. */
export const SERVICE_NEEDS_MAX = 16;
/** Longest text about what a service costs, bytes. */
export const PRICE_TEXT_BYTES_MAX = 256;
/** Longest message to a contract, bytes of JSON. */
export const CONTRACT_MESSAGE_BYTES_MAX = 64 * 1024;
/** Most gas that parameters may give to one transaction or one block. */
export const CONTRACT_GAS_MAX = 100_000_000_000n;
/** Longest proof of another ledger in one action, and longest genesis of one, bytes. */
export const LINK_PROOF_BYTES_MAX = 88 * 1024;
/** Longest request or answer of a call across ledgers, bytes. */
export const CALL_BYTES_MAX = 4096;
/** Shortest time in which an answer may be carried back after the deadline of a call, milliseconds. */
export const CALL_GRACE_MS_MIN = 15_000n;
/** Longest such time, milliseconds: 30 days. */
export const CALL_GRACE_MS_MAX = 30n * 24n * 3_600_000n;
/** Longest life of a command, milliseconds: 30 days. */
export const COMMAND_LIFE_MS_MAX = 30n * 24n * 3_600_000n;
/** Longest span of time that a trigger looks at or waits, milliseconds: a year. */
export const TRIGGER_SPAN_MS_MAX = 366n * 24n * 3_600_000n;
/** Most of a token that there can be, in its smallest unit. */
export const AMOUNT_MAX = 10n ** 36n;
/** Most decimal places of a token. */
export const DECIMALS_MAX = 18;
/** Highest price among the fees. */
export const FEE_MAX = 10n ** 15n;
/** Longest note on a payment, bytes. */
export const MEMO_BYTES_MAX = 128;
/** Latest time there is, the end of the year 9999, milliseconds since 1970. */
export const GENESIS_TIME_MS_MAX = 253_402_300_799_999n;
