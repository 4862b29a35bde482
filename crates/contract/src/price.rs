//! What the host's work costs, in gas. One instruction of a contract costs one, but for those below; on
//! the machine these prices were calibrated on an addition takes a sixth of a nanosecond. The example
//! `gas_bench` measures nanoseconds per gas of each, and none may be ten times cheaper than an addition.
//! Storage is dearer than it measures: the state hashes what changes and keeps it for ever.

/// Dividing whole numbers: tens of cycles on some processors.
pub(crate) const DIVIDE: u8 = 5;
/// Arithmetic on floating point: each result is looked at, so that every NaN has one form.
pub(crate) const FLOAT: u8 = 5;
/// Division and roots of floating point.
pub(crate) const FLOAT_SLOW: u8 = 25;

/// Entering a contract: an instance with its memory, and taking it down again.
pub const ENTER: u64 = 60_000;
/// For each byte of argument, answer or other region carried in or out.
pub const CARRY_BYTE: u64 = 2;
/// Reading a value of storage, found or not.
pub const READ: u64 = 10_000;
/// For each byte of key and value read.
pub const READ_BYTE: u64 = 4;
/// Writing or removing a value.
pub const WRITE: u64 = 30_000;
/// For each byte of key and value written: it is hashed and stays on disk.
pub const WRITE_BYTE: u64 = 30;
/// Opening an iterator.
pub const SCAN: u64 = 40_000;
/// One step of an iterator.
pub const NEXT: u64 = 5_000;
/// Looking at an address.
pub const ADDRESS: u64 = 10_000;
/// Verifying a signature on secp256k1.
pub const SECP256K1_VERIFY: u64 = 400_000;
/// Finding the key of a signature on secp256k1.
pub const SECP256K1_RECOVER: u64 = 600_000;
/// Verifying a signature on secp256r1.
pub const SECP256R1_VERIFY: u64 = 900_000;
/// Finding the key of a signature on secp256r1.
pub const SECP256R1_RECOVER: u64 = 1_500_000;
/// Verifying a signature of Ed25519.
pub const ED25519_VERIFY: u64 = 250_000;
/// For each byte of the signed message.
pub const SIGNED_BYTE: u64 = 10;
/// A query, without what answers it.
pub const QUERY: u64 = 20_000;
/// A text for debugging.
pub const DEBUG: u64 = 1_000;
/// For each byte of a module that is stored: it is inspected, and compiled once.
pub const STORE_BYTE: u64 = 1_500;
/// Reading, or adding up, one point of BLS12-381.
pub const BLS_POINT: u64 = 600_000;
/// One pairing on BLS12-381.
pub const BLS_PAIRING: u64 = 4_000_000;
/// Hashing to a point of BLS12-381, without the message.
pub const BLS_HASH: u64 = 3_000_000;
