use serde::{Deserialize, Serialize};

use super::{Cursor, DidText, query};

/// The purpose of the tokens by which webhooks are made and handled: nothing else is done with those.
pub const WEBHOOK_PURPOSE: &str = "webhooks";

/// What somebody wants to be told of, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// The URL that is called: http or https, at most 1024 bytes, without user name.
    pub url: String,
    /// What the maker follows for: the purpose of its grant; empty if it needs none.
    #[serde(default)]
    pub purpose: String,
    /// Which events, as of `/v1/events`; from the present on if it does not say `after`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub events: query::Events,
}

/// A webhook, and what came of its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Webhook {
    /// Its id, hex.
    pub id: String,
    /// Who made it.
    pub entity: DidText,
    /// The URL that is called.
    pub url: String,
    /// Whether nothing is called until it is resumed.
    pub paused: bool,
    /// The last event that was taken, or where it began.
    pub cursor: Cursor,
    /// How many events were taken.
    pub delivered: u64,
    /// How many calls failed since the last that did not.
    pub failures: u32,
    /// Why the last of them failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// The webhooks of who asks, at this peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Webhooks {
    /// The webhooks.
    pub items: Vec<Webhook>,
}
