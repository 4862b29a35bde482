//! Give contracts typed access to the ledger: things, streams, entities and records.
//!
//! Contracts are CosmWasm contracts; this crate has the queries and messages that only Althing offers.
//! Use [`AlthingQuery`] as the type of custom queries and [`AlthingMsg`] as that of custom messages:
//! ```
//! use althing_contract_std::{AlthingMsg, AlthingQuery, latest};
//! use cosmwasm_std::{Deps, Response, StdResult};
//!
//! fn check(deps: Deps<AlthingQuery>) -> StdResult<Response<AlthingMsg>> {
//!     let stream = latest(&deps.querier, "did:althing:demo:...", "temperature")?;
//!     let hot = stream.and_then(|stream| stream.latest).is_some_and(|latest| latest.max > Some(80));
//!     Ok(Response::new().add_attribute("hot", hot.to_string()))
//! }
//! ```
//! Addresses are DIDs. Numbers of streams are integers at the stream's scale: with scale 1, 215 is
//! 21.5. They are texts in JSON, since JSON numbers are not exact everywhere.
#![warn(missing_docs)]

use cosmwasm_std::{Binary, CosmosMsg, CustomMsg, CustomQuery, QuerierWrapper, StdResult};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// The capability that contracts of this crate require; other chains refuse them before they run.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
extern "C" fn requires_althing() {}

/// Questions to the ledger. Each reads the state as the transaction has left it so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlthingQuery {
    /// Who an entity is; answers with [`Entity`] or null.
    Entity {
        /// Its DID.
        id: String,
    },
    /// What is known of a thing; answers with [`Thing`] or null.
    Thing {
        /// Its DID.
        id: String,
    },
    /// The newest readings of a property; answers with [`Stream`] or null.
    Stream {
        /// DID of the thing.
        thing: String,
        /// The property.
        property: String,
    },
    /// Whether an entity may submit readings for a thing; answers with [`Binding`].
    Binding {
        /// DID of the thing.
        thing: String,
        /// DID of the entity.
        entity: String,
    },
    /// Whether somebody may do something with a thing; answers with [`Access`].
    Access {
        /// DID of who would do it: an entity, or a contract.
        entity: String,
        /// What: read, subscribe, write, invoke or describe.
        right: String,
        /// DID of the thing.
        thing: String,
        /// The property or action; none for the thing as a whole.
        name: Option<String>,
        /// What for, as a grant names it.
        purpose: Option<String>,
    },
}

impl CustomQuery for AlthingQuery {}

/// What the ledger can be asked to do in the contract's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlthingMsg {
    /// Writes a record and notifies entities.
    Record {
        /// What sort of record.
        kind: String,
        /// Its data.
        data: Binary,
        /// DIDs of the entities to notify.
        notify: Vec<String>,
        /// An earlier transaction it belongs to, 64 hex digits.
        link: Option<String>,
    },
    /// Asks a thing to do something. Its owner must have allowed the contract to; the command goes
    /// the way of all commands, and what becomes of it is told by events.
    Command {
        /// DID of the thing.
        thing: String,
        /// What it is to do.
        operation: Operation,
        /// How long it may take, milliseconds.
        life_ms: u64,
        /// What for, as a grant names it.
        purpose: Option<String>,
    },
    /// Asks the owner of a thing for access, for the contract itself.
    RequestAccess {
        /// DID of the thing.
        thing: String,
        /// The property or action; none for the thing as a whole.
        name: Option<String>,
        /// To do what: read, subscribe, write, invoke or describe.
        right: String,
        /// What for.
        purpose: String,
        /// For how many blocks.
        blocks: u64,
    },
}

/// What a thing is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// To tell the present value of a property.
    Read {
        /// The property.
        property: String,
    },
    /// To give a property another value.
    Write {
        /// The property.
        property: String,
        /// The value.
        value: Value,
    },
    /// To do an action.
    Invoke {
        /// The action.
        action: String,
        /// Its input, JSON.
        input: Option<Binary>,
    },
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A number at the stream's scale, in text: with scale 1, `"215"` is 21.5.
    Number(String),
    /// Yes or no.
    Bool(bool),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Binary),
}

impl CustomMsg for AlthingMsg {}

impl From<AlthingMsg> for CosmosMsg<AlthingMsg> {
    fn from(message: AlthingMsg) -> Self {
        Self::Custom(message)
    }
}

/// An entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// What it is: organisation, peer, gateway, device, service, person, auditor.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// DID of the organisation that owns it; none for an organisation.
    pub owner: Option<String>,
    /// Whether what it signs counts.
    pub active: bool,
}

/// A thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// DID of its owner.
    pub owner: String,
    /// Its owner's name for it.
    pub name: String,
    /// Version of its description.
    pub version: u32,
    /// Whether it accepts readings.
    pub active: bool,
}

/// The stream of a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// What the values are: number, boolean, text, bytes.
    pub kind: String,
    /// Unit as the thing's description states it.
    pub unit: String,
    /// Decimal places of a number.
    pub scale: u8,
    /// Number of the next reading.
    pub next_seq: u64,
    /// Whether the contract may read it.
    pub readable: bool,
    /// The newest readings, if there are any and the contract may read them.
    pub latest: Option<Latest>,
}

/// The newest readings that came together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// Number of the first.
    #[serde(deserialize_with = "number")]
    pub first_seq: u64,
    /// How many.
    pub count: u32,
    /// Latest time that was claimed for one, milliseconds since 1970.
    #[serde(deserialize_with = "number")]
    pub claimed_ms: i64,
    /// Ledger time at which they became final, milliseconds since 1970.
    #[serde(deserialize_with = "number")]
    pub ledger_ms: u64,
    /// Smallest value; none for text and bytes.
    #[serde(deserialize_with = "optional_number")]
    pub min: Option<i64>,
    /// Largest value; none for text and bytes.
    #[serde(deserialize_with = "optional_number")]
    pub max: Option<i64>,
    /// Sum of the values.
    #[serde(deserialize_with = "number")]
    pub sum: i128,
}

/// Whether an entity may submit for a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// It may.
    pub bound: bool,
}

/// Whether somebody may do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// It may.
    pub allowed: bool,
}

fn number<'de, T: core::str::FromStr, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom("a number in text expected"))
}

fn optional_number<'de, T: core::str::FromStr, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let number =
        |text: String| text.parse().map_err(|_| D::Error::custom("a number in text expected"));
    text.map(number).transpose()
}

/// The stream of a property, if the thing has it.
///
/// # Errors
/// If `thing` is no DID of this ledger.
pub fn latest(
    querier: &QuerierWrapper<AlthingQuery>,
    thing: &str,
    property: &str,
) -> StdResult<Option<Stream>> {
    let question = AlthingQuery::Stream { thing: thing.into(), property: property.into() };
    querier.query(&question.into())
}

/// A thing, if it is registered.
///
/// # Errors
/// If `id` is no DID of this ledger.
pub fn thing(querier: &QuerierWrapper<AlthingQuery>, id: &str) -> StdResult<Option<Thing>> {
    querier.query(&AlthingQuery::Thing { id: id.into() }.into())
}

/// An entity, if it is registered.
///
/// # Errors
/// If `id` is no DID of this ledger.
pub fn entity(querier: &QuerierWrapper<AlthingQuery>, id: &str) -> StdResult<Option<Entity>> {
    querier.query(&AlthingQuery::Entity { id: id.into() }.into())
}
