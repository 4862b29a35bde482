use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DidText, Time};

/// The purpose of the tokens by which gateways say how they are doing: nothing else is done with those.
pub const GATEWAY_PURPOSE: &str = "gateway";
/// How often a gateway says how it is doing.
pub const GATEWAY_REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// How a gateway says it is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GatewayReport {
    /// Version of its program, at most 32 bytes.
    pub version: String,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// Whether it is going, in order: its last report.
    pub stopping: bool,
    /// Connections of devices that are open.
    pub connections: u32,
    /// Clients among them that were let in.
    pub clients: u32,
    /// Streams that take readings.
    pub streams: u32,
    /// What waits to get to the ledger.
    pub queue: GatewayQueue,
    /// Readings taken since the start.
    pub readings_taken: u64,
    /// Readings that became final since the start.
    pub readings_final: u64,
    /// Readings given up for newer ones since the start, as their owners want.
    pub readings_lost: u64,
    /// Publishes refused since the start.
    pub publishes_refused: u64,
    /// Streams whose readings the ledger refuses until people act.
    pub streams_held: u32,
    /// Whether its disk takes no writes, so that it acknowledges nothing.
    pub disk_failed: bool,
}

/// What waits in a gateway's queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GatewayQueue {
    /// Readings that are not final.
    pub readings: u64,
    /// Those of them that piled up and do not delay what is new.
    pub backfilling: u64,
    /// Their bytes, as the bound counts them.
    pub bytes: u64,
    /// The bound.
    pub bytes_max: u64,
    /// Age of the oldest, milliseconds; none if nothing waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_ms: Option<u64>,
}

/// Whether a gateway is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GatewayPresence {
    /// It reported lately.
    Present,
    /// It has not reported for a while, and did not say that it was going.
    Silent,
    /// It said that it was going.
    Stopped,
}

/// A gateway as a peer knows it by its reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GatewayState {
    /// The gateway.
    pub id: DidText,
    /// Its name.
    pub name: String,
    /// The organisation that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<DidText>,
    /// Whether it is there.
    pub presence: GatewayPresence,
    /// When its last report came, by the clock of the peer that answers.
    pub reported: Time,
    /// What it said then. It is the gateway's word.
    pub report: GatewayReport,
}

/// The gateways that have reported to the peer that answers since it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Gateways {
    /// The gateways, ascending by id.
    pub items: Vec<GatewayState>,
}
