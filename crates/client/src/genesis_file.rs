//! `genesis.json`: the genesis of a ledger as people read, send and edit it.
//!
//! The ledger itself knows the canonical CBOR of [`Genesis`] only. This form says the same in JSON:
//! unknown fields are refused, and ids that follow from the rest are written for the reader and
//! checked when read, so that an edited file cannot pass for the ledger it was.

use std::{io, path::Path};

use althing_types::{
    Did, EntityKind, Genesis, GenesisError, Inception, Mechanism, Mode, Organisation, Parameters,
    PeerSeat, PublicKey, Reads, Suite,
};
use serde::{Deserialize, Serialize};

use crate::{
    file,
    model::{DidText, Hex, HexKey, Key, KeyHex, LedgerHex},
    time,
};

/// Longest `genesis.json` read, bytes.
pub const GENESIS_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The JSON form of a genesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GenesisFile {
    /// Version of this form, 1.
    pub version: u8,
    /// Name of the network: 1 to 32 of `a-z`, `0-9` and `-`; part of every DID.
    pub network: String,
    /// The ledger's id, which follows from all else here.
    pub ledger: LedgerHex,
    /// When it began, RFC 3339.
    pub time: String,
    /// Who may take part: `public`, `consortium` or `private`.
    pub mode: String,
    /// How peers agree: `simplex`.
    pub mechanism: String,
    /// Settings that all peers share.
    pub parameters: ParametersForm,
    /// Founding organisations, ascending by id.
    pub organisations: Vec<OrganisationForm>,
    /// Founding peers, ascending by voting key.
    pub peers: Vec<PeerForm>,
    /// The token of the ledger; without it, the ledger has no tokens for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenForm>,
}

/// Settings of a ledger that all peers share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ParametersForm {
    /// Longest block, bytes.
    pub block_bytes_max: u32,
    /// Most transactions in a block.
    pub block_transactions_max: u32,
    /// How long a leader with nothing to do waits before it proposes an empty block, milliseconds.
    pub heartbeat_ms: u32,
    /// How long the others wait for its proposal, milliseconds.
    pub leader_timeout_ms: u32,
    /// How far a block's time may lie ahead of a validator's clock, milliseconds.
    pub clock_drift_max_ms: u32,
    /// How far a claimed time may lie ahead of ledger time, milliseconds.
    pub claim_ahead_max_ms: u64,
    /// How far a batch may skip ahead of its stream's next sequence number, readings.
    pub sequence_window: u64,
    /// Most gas that contracts may use in one transaction.
    pub contract_gas_transaction_max: u64,
    /// Most gas that contracts may use in one block.
    pub contract_gas_block_max: u64,
    /// Who may read a thing without a policy: `open`, anybody, which is left out; or `policy`, who
    /// has it in its hands.
    #[serde(default, skip_serializing_if = "ReadsForm::is_open")]
    pub reads: ReadsForm,
    /// Blocks in each epoch; without it, the founders validate for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch_blocks: Option<u32>,
    /// What transactions cost; there if the ledger has a token, even if nothing costs anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fees: Option<FeesForm>,
    /// How seats are given by stake; without it, members give them by vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stake: Option<StakeForm>,
    /// Who may send transactions and who may deploy; without it, whoever is registered may do both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participation: Option<ParticipationForm>,
}

/// A founding organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrganisationForm {
    /// Its id, which follows from name and key.
    pub id: DidText,
    /// Its name.
    pub name: String,
    /// Its first key.
    pub key: Key,
}

/// A founding peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PeerForm {
    /// Its id, which follows from name and key.
    pub id: DidText,
    /// Its name.
    pub name: String,
    /// The organisation that runs it.
    pub organisation: DidText,
    /// Its first key as an entity, which signs transactions.
    pub key: Key,
    /// Its voting key (Ed25519), which also authenticates its connections to other peers.
    pub vote_key: KeyHex,
}

/// Why a text is no genesis.
#[derive(Debug, thiserror::Error)]
pub enum GenesisFileError {
    /// The file cannot be read.
    #[error("failed to read the genesis file")]
    Read(#[source] io::Error),
    /// Not JSON of this form; the source names line and column.
    #[error("the genesis file is not of the expected form")]
    Form(#[source] serde_json::Error),
    /// A text field has a value that is not known.
    #[error("`{field}` in the genesis file has the unknown value `{value}`")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// An id is not the one that follows from the rest.
    #[error("`{field}` of `{name}` in the genesis file should be {expected}")]
    Id {
        /// The field.
        field: &'static str,
        /// Of which network, organisation or peer.
        name: String,
        /// What it should be.
        expected: String,
    },
    /// It cannot found a ledger.
    #[error("the genesis file cannot found a ledger")]
    Genesis(#[source] GenesisError),
}

const MODES: [(Mode, &str); 3] =
    [(Mode::Public, "public"), (Mode::Consortium, "consortium"), (Mode::Private, "private")];

/// Reads a genesis from a file.
///
/// # Errors
/// [`GenesisFileError`] naming what is wrong and where.
pub fn read(path: &Path) -> Result<Genesis, GenesisFileError> {
    parse(&file::read_text(path, GENESIS_FILE_BYTES_MAX).map_err(GenesisFileError::Read)?)
}

/// Reads a genesis from JSON text.
///
/// # Errors
/// [`GenesisFileError`] naming what is wrong and where.
pub fn parse(text: &str) -> Result<Genesis, GenesisFileError> {
    // A newer form has fields this program does not know; say the version, not the field.
    if let Ok(Versioned { version }) = serde_json::from_str(text)
        && version != VERSION
    {
        return Err(GenesisFileError::Genesis(GenesisError::Version(version)));
    }
    serde_json::from_str::<GenesisFile>(text).map_err(GenesisFileError::Form)?.to_genesis()
}

const VERSION: u8 = 1;

#[derive(Deserialize)]
struct Versioned {
    version: u8,
}

/// Writes a genesis as JSON text, the same text for the same genesis.
#[must_use]
pub fn to_text(genesis: &Genesis) -> String {
    let form = GenesisFile::from(genesis);
    // Text keys and no floats: this form always has JSON.
    let mut text = serde_json::to_string_pretty(&form).unwrap_or_default();
    text.push('\n');
    text
}

impl From<&Genesis> for GenesisFile {
    fn from(genesis: &Genesis) -> Self {
        let network = &genesis.network;
        Self {
            version: genesis.version,
            network: network.clone(),
            ledger: Hex(genesis.ledger()),
            time: time::to_rfc3339(i64::try_from(genesis.time_ms).unwrap_or(i64::MAX)),
            mode: name_of(&MODES, genesis.mode),
            mechanism: genesis.mechanism.name().to_owned(),
            parameters: (&genesis.parameters).into(),
            organisations: genesis
                .organisations
                .iter()
                .map(|organisation| OrganisationForm::new(network, organisation))
                .collect(),
            peers: genesis.peers.iter().map(|peer| PeerForm::new(network, peer)).collect(),
            token: genesis.token.as_ref().map(|token| TokenForm::new(network, token)),
        }
    }
}

impl GenesisFile {
    /// The genesis this form describes.
    ///
    /// # Errors
    /// [`GenesisFileError`] naming what is wrong and where.
    pub fn to_genesis(&self) -> Result<Genesis, GenesisFileError> {
        let time_ms = time::from_rfc3339(&self.time).and_then(|ms| u64::try_from(ms).ok());
        let organisations = self.organisations.iter().map(|form| form.read(&self.network));
        let peers = self.peers.iter().map(|form| form.read(&self.network));
        let genesis = Genesis {
            version: self.version,
            network: self.network.clone(),
            time_ms: time_ms.ok_or_else(|| unknown("time", &self.time))?,
            mode: value_of(&MODES, "mode", &self.mode)?,
            mechanism: value_of(&Mechanism::ALL, "mechanism", &self.mechanism)?,
            parameters: (&self.parameters).into(),
            organisations: organisations.collect::<Result<_, _>>()?,
            peers: peers.collect::<Result<_, _>>()?,
            token: self.token.as_ref().map(|form| form.read(&self.network)).transpose()?,
        };
        genesis.check().map_err(GenesisFileError::Genesis)?;
        check_id("ledger", &self.network, &self.ledger, &Hex(genesis.ledger()))?;
        Ok(genesis)
    }
}

impl OrganisationForm {
    fn new(network: &str, organisation: &Organisation) -> Self {
        let inception = &organisation.inception;
        Self {
            id: DidText::entity(network, &inception.id()),
            name: inception.name.clone(),
            key: (&inception.key).into(),
        }
    }

    fn read(&self, network: &str) -> Result<Organisation, GenesisFileError> {
        let kind = EntityKind::Organisation;
        let inception = Inception { kind, name: self.name.clone(), key: read_key(&self.key)? };
        check_id("id", &self.name, &self.id, &DidText::entity(network, &inception.id()))?;
        Ok(Organisation { inception })
    }
}

impl PeerForm {
    fn new(network: &str, peer: &PeerSeat) -> Self {
        Self {
            id: DidText::entity(network, &peer.inception.id()),
            name: peer.inception.name.clone(),
            organisation: DidText::entity(network, &peer.organisation),
            key: (&peer.inception.key).into(),
            vote_key: Hex(HexKey(peer.key)),
        }
    }

    fn read(&self, network: &str) -> Result<PeerSeat, GenesisFileError> {
        let kind = EntityKind::Peer;
        let inception = Inception { kind, name: self.name.clone(), key: read_key(&self.key)? };
        check_id("id", &self.name, &self.id, &DidText::entity(network, &inception.id()))?;
        let organisation = &self.organisation;
        let same_network = Did { network: network.to_owned(), id: organisation.0.id };
        check_id("organisation", &self.name, organisation, &DidText(same_network))?;
        Ok(PeerSeat { inception, organisation: organisation.entity_id(), key: self.vote_key.0.0 })
    }
}

/// Who may read a thing without a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReadsForm {
    /// Anybody.
    #[default]
    Open,
    /// Its owner, its device and who is bound to it.
    Policy,
}

impl ReadsForm {
    /// Whether anybody may.
    fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

impl From<Reads> for ReadsForm {
    fn from(reads: Reads) -> Self {
        match reads {
            Reads::Open => Self::Open,
            Reads::Policy => Self::Policy,
        }
    }
}

impl From<ReadsForm> for Reads {
    fn from(form: ReadsForm) -> Self {
        match form {
            ReadsForm::Open => Self::Open,
            ReadsForm::Policy => Self::Policy,
        }
    }
}

macro_rules! parameters {
    ($($field:ident),*) => {
        impl From<&Parameters> for ParametersForm {
            fn from(parameters: &Parameters) -> Self {
                Self {
                    $($field: parameters.$field,)*
                    reads: parameters.reads.into(),
                    fees: parameters.fees.map(Into::into),
                    stake: parameters.stake.map(Into::into),
                    participation: parameters.participation.map(Into::into),
                }
            }
        }

        impl From<&ParametersForm> for Parameters {
            fn from(form: &ParametersForm) -> Self {
                Self {
                    $($field: form.$field,)*
                    reads: form.reads.into(),
                    fees: form.fees.map(Into::into),
                    stake: form.stake.map(Into::into),
                    participation: form.participation.map(Into::into),
                }
            }
        }
    };
}

parameters!(
    block_bytes_max,
    block_transactions_max,
    heartbeat_ms,
    leader_timeout_ms,
    clock_drift_max_ms,
    claim_ahead_max_ms,
    sequence_window,
    contract_gas_transaction_max,
    contract_gas_block_max,
    epoch_blocks
);

impl From<&PublicKey> for Key {
    fn from(key: &PublicKey) -> Self {
        Self { suite: key.suite.name().to_owned(), public: hex::encode(&key.bytes) }
    }
}

fn read_key(key: &Key) -> Result<PublicKey, GenesisFileError> {
    let suite = Suite::from_name(&key.suite).ok_or_else(|| unknown("suite", &key.suite))?;
    let bytes = hex::decode(&key.public).map_err(|_| unknown("public", &key.public))?;
    let public = PublicKey { suite, bytes };
    public.is_valid().then_some(public).ok_or_else(|| unknown("public", &key.public))
}

fn name_of<T: PartialEq>(names: &[(T, &str)], value: T) -> String {
    names.iter().find(|(known, _)| *known == value).map_or("", |(_, name)| name).to_owned()
}

fn value_of<T: Copy>(
    names: &[(T, &str)],
    field: &'static str,
    name: &str,
) -> Result<T, GenesisFileError> {
    let found = names.iter().find(|(_, known)| *known == name);
    found.map(|(value, _)| *value).ok_or_else(|| unknown(field, name))
}

/// Longest part of a wrong value that an error repeats, characters.
const SHOWN_CHARS_MAX: usize = 80;

fn unknown(field: &'static str, value: &str) -> GenesisFileError {
    GenesisFileError::Value { field, value: value.chars().take(SHOWN_CHARS_MAX).collect() }
}

fn check_id<T: PartialEq + ToString>(
    field: &'static str,
    name: &str,
    found: &T,
    expected: &T,
) -> Result<(), GenesisFileError> {
    if found == expected {
        return Ok(());
    }
    let name = name.chars().take(SHOWN_CHARS_MAX).collect();
    Err(GenesisFileError::Id { field, name, expected: expected.to_string() })
}

mod participation;
pub use participation::{DeployForm, ParticipationForm, TransactForm};

mod token;
pub use token::{AllocationForm, FeesForm, StakeForm, TokenForm};

#[cfg(test)]
mod tests;
