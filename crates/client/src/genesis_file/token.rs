//! The token of a ledger and what transactions cost, in `genesis.json`.

use althing_types::{Allocation, Amount, Did, Fees, StakeRules, Token};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{GenesisFileError, check_id, unknown};
use crate::model::DidText;

/// The token of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenForm {
    /// Its name among people.
    pub name: String,
    /// Its sign, by which contracts name it too: 3 to 16 of `a-z` and `0-9`, a letter first.
    pub symbol: String,
    /// How many decimal places of one token its smallest unit is, at most 18.
    pub decimals: u8,
    /// What founding organisations begin with, ascending by id.
    pub initial: Vec<AllocationForm>,
}

/// What an organisation begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AllocationForm {
    /// Which.
    pub account: DidText,
    /// How much, digits in text, in the smallest unit.
    pub amount: String,
}

/// What transactions cost, in the smallest unit of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FeesForm {
    /// Each transaction.
    pub per_transaction: u64,
    /// Each byte of it.
    pub per_byte: u64,
    /// Each million of gas, or part of it, that it sets as limits of calls.
    pub per_million_gas: u64,
}

/// How seats are given by stake at the end of each epoch. Amounts are in the smallest unit of the token,
/// digits in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StakeForm {
    /// Fewest peers with stake that take over: while there are less, whoever has a seat keeps it.
    pub seats_min: u16,
    /// Most seats.
    pub seats_max: u16,
    /// Least stake of a peer.
    #[serde(with = "digits")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub least: Amount,
    /// What is staked behind each founding peer from the beginning.
    #[serde(with = "digits")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub founding: Amount,
    /// Epochs for which stake that was withdrawn stays locked.
    pub locked_epochs: u32,
    /// So many whole epochs in a row without a block of its own cost a peer its seat.
    pub silent_epochs: u32,
    /// How much of a peer's stake a double vote destroys, hundredths.
    pub burnt_percent: u8,
}

/// Amounts as digits in text.
mod digits {
    use serde::de::Error as _;

    use super::{Amount, Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(amount: &Amount, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(amount)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Amount, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(from)?;
        Amount::parse(&text).ok_or_else(|| D::Error::custom("an amount is digits in text"))
    }
}

impl From<StakeRules> for StakeForm {
    fn from(rules: StakeRules) -> Self {
        let StakeRules {
            seats_min,
            seats_max,
            least,
            founding,
            locked_epochs,
            silent_epochs,
            burnt_percent,
        } = rules;
        Self { seats_min, seats_max, least, founding, locked_epochs, silent_epochs, burnt_percent }
    }
}

impl From<StakeForm> for StakeRules {
    fn from(form: StakeForm) -> Self {
        let StakeForm {
            seats_min,
            seats_max,
            least,
            founding,
            locked_epochs,
            silent_epochs,
            burnt_percent,
        } = form;
        Self { seats_min, seats_max, least, founding, locked_epochs, silent_epochs, burnt_percent }
    }
}

impl TokenForm {
    pub(super) fn new(network: &str, token: &Token) -> Self {
        let initial = token.initial.iter().map(|each| AllocationForm {
            account: DidText::entity(network, &each.account),
            amount: each.amount.to_string(),
        });
        Self {
            name: token.name.clone(),
            symbol: token.symbol.clone(),
            decimals: token.decimals,
            initial: initial.collect(),
        }
    }

    pub(super) fn read(&self, network: &str) -> Result<Token, GenesisFileError> {
        let initial = self.initial.iter().map(|form| {
            let account = &form.account;
            let same_network = Did { network: network.to_owned(), id: account.0.id };
            check_id("account", &self.name, account, &DidText(same_network))?;
            let amount = Amount::parse(&form.amount);
            Ok(Allocation {
                account: account.entity_id(),
                amount: amount.ok_or_else(|| unknown("amount", &form.amount))?,
            })
        });
        Ok(Token {
            name: self.name.clone(),
            symbol: self.symbol.clone(),
            decimals: self.decimals,
            initial: initial.collect::<Result<_, GenesisFileError>>()?,
        })
    }
}

impl From<Fees> for FeesForm {
    fn from(fees: Fees) -> Self {
        let Fees { per_transaction, per_byte, per_million_gas } = fees;
        Self { per_transaction, per_byte, per_million_gas }
    }
}

impl From<FeesForm> for Fees {
    fn from(form: FeesForm) -> Self {
        let FeesForm { per_transaction, per_byte, per_million_gas } = form;
        Self { per_transaction, per_byte, per_million_gas }
    }
}
