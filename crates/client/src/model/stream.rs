use serde::{Deserialize, Serialize};

use super::{DidText, StreamHex, Time, TxHex};

/// The append-only series of one property of one thing.
///
/// Numbers of the stream are exact decimals in text, with as many places as the stream's quantum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stream {
    /// Its id.
    pub id: StreamHex,
    /// The thing.
    pub thing: DidText,
    /// The property.
    pub property: String,
    /// `number`, `boolean`, `text` or `bytes`.
    pub kind: String,
    /// Unit as the description states it; empty if it states none.
    pub unit: String,
    /// Decimal places of a number.
    pub scale: u8,
    /// Every number is a multiple of this.
    pub quantum: String,
    /// Smallest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<String>,
    /// Largest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<String>,
    /// The sequence number a submitter goes on with.
    pub next_seq: u64,
    /// Batches in its tree.
    pub batches: u64,
    /// What all its readings come to; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Aggregate>,
    /// Gaps that may still be filled.
    pub gaps_open: u64,
    /// Sequence numbers that were given up: they are missing for ever.
    pub sealed: u64,
    /// Which key counts, if the stream is confidential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrecy: Option<Secrecy>,
}

/// That a stream is confidential, and which key counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Secrecy {
    /// How payloads are sealed: `chacha20-poly1305`.
    pub cipher: String,
    /// Number of the present key; the first has number 1.
    pub key_number: u32,
    /// Ledger time since when it counts.
    pub since: Time,
}

/// A key of a confidential stream, wrapped to each of its readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StreamKeyShares {
    /// The stream.
    pub stream: StreamHex,
    /// Number of the key.
    pub number: u32,
    /// How it seals; absent if the stream has no such key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// The shares, ascending by reader.
    pub shares: Vec<KeyShare>,
}

/// A stream's key, wrapped to one reader by HPKE (RFC 9180).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct KeyShare {
    /// The reader.
    pub reader: DidText,
    /// The reader's X25519 key that it was wrapped to, hex.
    pub to: String,
    /// HPKE's encapsulated key, hex.
    pub enc: String,
    /// The encrypted key with its tag, hex.
    pub wrapped: String,
}

/// A batch of a confidential stream: its readings are for who has the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SealedBatch {
    /// Position in the stream's tree.
    pub leaf: u64,
    /// Number of its first reading.
    pub first_seq: u64,
    /// How many readings.
    pub count: u32,
    /// Earliest claimed time.
    pub earliest: Time,
    /// Latest claimed time.
    pub latest: Time,
    /// Number of the key it is sealed under.
    pub key_number: u32,
    /// The sealed payload, hex.
    pub payload: String,
    /// Time of the block it is in.
    pub ledger: Time,
    /// Height of that block.
    pub height: u64,
}

/// What was erased of a stream, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Erasures {
    /// The stream.
    pub stream: StreamHex,
    /// Its erasures.
    pub items: Vec<Erasure>,
}

/// Numbers whose payloads every holder was told to delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Erasure {
    /// Which of the stream, from 0.
    pub number: u32,
    /// First number.
    pub first_seq: u64,
    /// Last number.
    pub last_seq: u64,
    /// Height of the block that erased them.
    pub height: u64,
    /// The peers that said that they hold none of it any more, but what is in `kept`.
    pub confirmed: Vec<PurgeReceipt>,
    /// The peers whose duty it was to keep some of it and that have not said so.
    pub awaited: Vec<DidText>,
    /// Payloads that are kept all the same, because other streams have the same bytes: how many, by
    /// stream. The first 10,000 batches are looked through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptFor>,
}

/// Erased payloads that are kept because another stream has the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct KeptFor {
    /// The stream that has them, too.
    pub stream: StreamHex,
    /// How many.
    pub payloads: u64,
}

/// That a peer holds none of the erased payloads any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PurgeReceipt {
    /// The peer.
    pub holder: DidText,
    /// Height of the block with its word.
    pub height: u64,
}

/// One value with its three times: claimed by the device, received by the gateway, and of the
/// block it is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reading {
    /// Its sequence number in the stream.
    pub seq: u64,
    /// The value: an exact decimal, `true` or `false`, a text, or bytes in hex.
    pub value: String,
    /// When the device says it measured.
    pub claimed: Time,
    /// When the gateway received it.
    pub received: Time,
    /// Time of the block it is in.
    pub ledger: Time,
    /// Height of that block.
    pub height: u64,
    /// Position of its batch in the stream's tree.
    pub leaf: u64,
}

/// A reading away from its stream, with its unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LatestReading {
    /// Unit as the description states it; empty if it states none.
    pub unit: String,
    /// The reading.
    pub reading: Reading,
    /// The transaction it came with.
    pub transaction: TxHex,
}

/// Readings of a stream, ascending by sequence number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Readings {
    /// The stream.
    pub stream: StreamHex,
    /// `number`, `boolean`, `text` or `bytes`.
    pub kind: String,
    /// Unit as the description states it; empty if it states none.
    pub unit: String,
    /// The readings.
    pub items: Vec<Reading>,
    /// Batches of a confidential stream, whole, in place of their readings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealed: Vec<SealedBatch>,
    /// Batches whose readings this peer neither holds (yet) nor could fetch, though the ledger has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<u64>,
    /// Batches whose readings are gone because the owner lets go what is older.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_retention: Vec<u64>,
    /// Pass as `after` to go on; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Several readings in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Aggregate {
    /// First sequence number covered.
    pub first_seq: u64,
    /// Last sequence number covered.
    pub last_seq: u64,
    /// Earliest claimed time covered.
    pub earliest: Time,
    /// Latest claimed time covered.
    pub latest: Time,
    /// Number of readings.
    pub count: u64,
    /// Smallest value; absent for text and bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// Largest value; absent for text and bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// Exact sum; absent for text and bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
    /// Sum by count, three places more than the stream has, half to even; absent for text and bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<String>,
}

/// A stream in buckets of claimed time, ascending; a bucket without readings is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Aggregates {
    /// The stream.
    pub stream: StreamHex,
    /// Unit as the description states it; empty if it states none.
    pub unit: String,
    /// Length of a bucket, milliseconds.
    pub bucket_ms: u64,
    /// The buckets; one that begins at `from` covers `bucket_ms` from there.
    pub items: Vec<Bucket>,
    /// Batches whose readings this peer does not hold (yet), and which are therefore missing here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<u64>,
    /// Pass as `from` to go on; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
}

/// The readings of one bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Bucket {
    /// Where it begins.
    pub from: Time,
    /// What its readings come to.
    pub of: Aggregate,
}

/// Sequence numbers that did not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Gap {
    /// First number missing.
    pub first_seq: u64,
    /// Last number missing.
    pub last_seq: u64,
    /// How many.
    pub count: u64,
    /// Whether they may still come.
    pub open: bool,
}

/// The gaps of a stream, ascending by sequence number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Gaps {
    /// The stream.
    pub stream: StreamHex,
    /// The gaps.
    pub items: Vec<Gap>,
    /// Pass as `after` to go on; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
