//! Bounds of modules and of one call. Peers must agree on them, so none is tunable.

/// Most functions of a module, imports included.
pub const FUNCTIONS_MAX: usize = 20_000;
/// Longest code of one function, bytes: the compiler's time grows faster than a function does.
pub const FUNCTION_BYTES_MAX: usize = 128 * 1024;
/// Most parameters of one function type.
pub const PARAMETERS_MAX: usize = 100;
/// Most locals of one function, parameters included.
pub const LOCALS_MAX: u32 = 2_000;
/// Most function types of a module.
pub const TYPES_MAX: usize = 2_000;
/// Most imports of a module.
pub const IMPORTS_MAX: usize = 100;
/// Most exports of a module.
pub const EXPORTS_MAX: usize = 100;
/// Most globals of a module.
pub const GLOBALS_MAX: usize = 1_000;
/// Most entries of the table of functions.
pub const TABLE_ENTRIES_MAX: u64 = 10_000;
/// Most data and element segments of a module, together.
pub const SEGMENTS_MAX: usize = 10_000;
/// Most targets of all jump tables of a module, together.
pub const JUMP_TARGETS_MAX: u32 = 100_000;
/// Most memory of one instance, pages of 64 KiB.
pub const MEMORY_PAGES_MAX: u64 = 512;
/// Deepest stack of calls within one contract, in units of [`meter`](crate): each function counts its
/// parameters, locals and deepest operand stack, and eight.
pub const STACK_UNITS_MAX: u32 = 12_000;
/// Stack of the processor for one contract, bytes; [`STACK_UNITS_MAX`] is used up before. Contracts
/// that query each other stand on one stack, so it is much less than a thread has.
pub const STACK_BYTES_MAX: usize = 256 * 1024;

/// Longest key of storage that a contract may name, bytes.
pub const KEY_BYTES_MAX: usize = althing_types::limits::CONTRACT_KEY_BYTES_MAX;
/// Longest value of storage, bytes.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Longest text of an address that is looked at, bytes.
pub const ADDRESS_BYTES_MAX: usize = 256;
/// Length of an address in its binary form, bytes.
pub const ADDRESS_BYTES: usize = 32;
/// Longest query of a contract, bytes.
pub const QUERY_BYTES_MAX: usize = 64 * 1024;
/// Longest answer of an entry point or a query, bytes.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Longest text for debugging or breaking off, bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Longest message whose Ed25519 signature is verified, bytes.
pub const SIGNED_BYTES_MAX: usize = 128 * 1024;
/// Most signatures of one batch.
pub const SIGNATURES_MAX: usize = 256;
/// Most iterators over storage that one call may open.
pub const ITERATORS_MAX: usize = 256;
/// Rows that an iterator reads ahead, and a contract pays for later: few, since each may be as long as
/// [`VALUE_BYTES_MAX`] and [`ITERATORS_MAX`] may do so.
pub const ROWS_AHEAD: usize = 4;

/// Most memory of compiled modules that are kept, bytes of machine code.
pub const MODULES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Most points of BLS12-381 in one call.
pub const BLS_POINTS_MAX: usize = 1024;
/// Longest message or domain that is hashed to a point, bytes.
pub const BLS_MESSAGE_BYTES_MAX: usize = 64 * 1024;
