//! The token of a new network.

use althing_client::amount;
use althing_types::{Allocation, Fees, Genesis, Token};
use clap::Args;

use crate::report::{failed, with_next};

/// Whether a new network has tokens, and what transactions cost.
#[derive(Debug, Default, Args)]
pub(crate) struct TokenArgs {
    /// Let the ledger have a token with this sign: 3 to 16 of a-z and 0-9, a letter first. It cannot be
    /// added later.
    #[arg(long, value_name = "SYMBOL")]
    token: Option<String>,

    /// Name of the token among people; by default its sign.
    #[arg(long, value_name = "NAME", requires = "token")]
    token_name: Option<String>,

    /// How many decimal places of one token its smallest unit is.
    #[arg(long, default_value_t = 6, requires = "token")]
    token_decimals: u8,

    /// What each organisation begins with, in whole tokens.
    #[arg(long, value_name = "AMOUNT", default_value = "1000000", requires = "token")]
    token_each: String,

    /// What a transaction costs, in the smallest unit; members can change it by vote.
    #[arg(long, value_name = "UNITS", default_value_t = 0, requires = "token")]
    fee_per_transaction: u64,

    /// What each byte of it costs.
    #[arg(long, value_name = "UNITS", default_value_t = 0, requires = "token")]
    fee_per_byte: u64,

    /// What each million gas costs that it asks for.
    #[arg(long, value_name = "UNITS", default_value_t = 0, requires = "token")]
    fee_per_million_gas: u64,
}

impl TokenArgs {
    /// The genesis with the token, if there is to be one.
    pub(super) fn add(&self, mut genesis: Genesis) -> anyhow::Result<Genesis> {
        let Some(symbol) = &self.token else { return Ok(genesis) };
        let each = amount::parse(&self.token_each, self.token_decimals).ok_or_else(|| {
            let next = "--token-each takes whole tokens, such as 1000 or 12.5";
            failed(format!("`{}` is no amount", self.token_each), next)
        })?;
        let accounts = genesis.organisations.iter().map(|it| it.inception.id());
        let initial = accounts.filter(|_| !each.is_zero());
        genesis.token = Some(Token {
            name: self.token_name.as_ref().unwrap_or(symbol).clone(),
            symbol: symbol.clone(),
            decimals: self.token_decimals,
            initial: initial.map(|account| Allocation { account, amount: each }).collect(),
        });
        genesis.parameters.fees = Some(Fees {
            per_transaction: self.fee_per_transaction,
            per_byte: self.fee_per_byte,
            per_million_gas: self.fee_per_million_gas,
        });
        let checked = genesis.check().map(|()| genesis);
        checked.map_err(|error| with_next(error, "althing network new --help explains --token"))
    }
}
