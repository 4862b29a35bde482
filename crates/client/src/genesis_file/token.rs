//! The token of a ledger and what transactions cost, in `genesis.json`.

use althing_types::{Allocation, Amount, Did, Fees, Token};
use serde::{Deserialize, Serialize};

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
