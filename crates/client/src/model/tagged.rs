use serde::{Deserialize, Serialize};

use super::{
    stream::{Aggregate, Reading},
    text::{DidText, StreamHex, Time},
};

/// One property of the things that have a tag: a page of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TaggedReadings {
    /// The things, in the order of `/v1/things`.
    pub items: Vec<TaggedReading>,
    /// What the values of this page come to, by unit and kind; of things that the reader may see.
    pub totals: Vec<TaggedTotal>,
    /// Pass as `after` to go on; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The property of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TaggedReading {
    /// The thing.
    pub thing: DidText,
    /// Its name.
    pub name: String,
    /// The stream of the property.
    pub stream: StreamHex,
    /// `number`, `boolean`, `text` or `bytes`.
    pub kind: String,
    /// Unit as the description states it; empty if it states none.
    pub unit: String,
    /// Why the reader may not see its values, as the code of a refusal; absent if it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The newest reading; absent if there is none, it is sealed, or this peer could not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Reading>,
    /// What its readings of the asked time come to; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Aggregate>,
    /// Whether readings are missing from `total` because no peer that was asked gave them in time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

/// What values of several things come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TaggedTotal {
    /// Kind of the values.
    pub kind: String,
    /// Their unit.
    pub unit: String,
    /// Number of things that have readings.
    pub things: u32,
    /// Number of readings.
    pub count: u64,
    /// Earliest claimed time.
    pub earliest: Time,
    /// Latest claimed time.
    pub latest: Time,
    /// Smallest value; absent for text and bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// Largest value; absent for text and bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// Exact sum; absent for text and bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
    /// Sum by count, three places more than the finest stream has, half to even; absent for text and
    /// bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<String>,
}
