//! The token of a new network.

use althing_client::amount;
use althing_types::{
    Allocation, Amount, Fees, Genesis, StakeRules, Token, limits::STAKE_TURNS_MIN,
};
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

    /// Give seats by stake, at least so many whole tokens for each, with so many staked behind each
    /// founding peer from the beginning; needs --mode public. It cannot be added later.
    #[arg(long, value_name = "AMOUNT", requires = "token")]
    stake: Option<String>,

    /// Most seats that are given by stake; by default 128, or fewer where an epoch has not four turns for
    /// each.
    #[arg(long, value_name = "COUNT", requires = "stake")]
    seats_max: Option<u16>,

    /// Fewest peers with stake that take over from whoever has a seat; by default four, or as many as
    /// found the network if those are fewer.
    #[arg(long, value_name = "COUNT", requires = "stake")]
    seats_min: Option<u16>,

    /// Epochs for which stake stays locked when it is withdrawn.
    #[arg(long, value_name = "EPOCHS", default_value_t = LOCKED_EPOCHS, requires = "stake")]
    locked_epochs: u32,

    /// So many whole epochs in a row without a block of its own cost a peer its seat.
    #[arg(long, value_name = "EPOCHS", default_value_t = SILENT_EPOCHS, requires = "stake")]
    silent_epochs: u32,

    /// How much of its stake a peer loses that votes twice, hundredths.
    #[arg(long, value_name = "PERCENT", default_value_t = BURNT_PERCENT, requires = "stake")]
    burnt_percent: u8,
}

/// What new networks have: an epoch of 1,024 blocks has eight turns for each of as many seats.
const SEATS_MAX: u16 = 128;
/// A day and a half in an idle network, an hour in a busy one.
const LOCKED_EPOCHS: u32 = 64;
/// As long as a broken machine may take to be mended: nine hours in an idle network.
const SILENT_EPOCHS: u32 = 16;
/// Enough to hurt, and not so much that a disk that was restored from a copy ruins its owner.
const BURNT_PERCENT: u8 = 10;
/// Fewest peers of which one may fail or lie.
const SEATS_MIN: u16 = 4;

impl TokenArgs {
    /// What a public ledger comes with, where nothing else is said: a token, and seats by stake.
    pub(crate) fn for_public(mut self) -> Self {
        if self.token.is_none() {
            let (symbol, each) = ("coin".to_owned(), "1000000".to_owned());
            (self.token, self.token_decimals, self.token_each) = (Some(symbol), 6, each);
        }
        if self.stake.is_none() {
            self.stake = Some("1000".to_owned());
            (self.locked_epochs, self.silent_epochs) = (LOCKED_EPOCHS, SILENT_EPOCHS);
            self.burnt_percent = BURNT_PERCENT;
        }
        self
    }

    /// A token that is not divided, of which each organisation has some, in a ledger without stakes.
    pub(crate) fn named(symbol: &str) -> Self {
        let (token, token_each) = (Some(symbol.to_owned()), "1000000".to_owned());
        Self { token, token_decimals: 0, token_each, ..Self::default() }
    }

    fn amount(&self, text: &str, option: &str) -> anyhow::Result<Amount> {
        amount::parse(text, self.token_decimals).ok_or_else(|| {
            let next = format!("{option} takes whole tokens, such as 1000 or 12.5");
            failed(format!("`{text}` is no amount"), next)
        })
    }

    fn rules(&self, genesis: &Genesis) -> anyhow::Result<Option<StakeRules>> {
        let Some(stake) = &self.stake else { return Ok(None) };
        let least = self.amount(stake, "--stake")?;
        let small = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
        let turns = small(genesis.parameters.epoch_blocks.unwrap_or(0) / STAKE_TURNS_MIN);
        let founders = u16::try_from(genesis.peers.len()).unwrap_or(u16::MAX);
        Ok(Some(StakeRules {
            seats_min: self.seats_min.unwrap_or(SEATS_MIN.min(founders)),
            seats_max: self.seats_max.unwrap_or(SEATS_MAX.min(turns)),
            least,
            founding: least,
            locked_epochs: self.locked_epochs,
            silent_epochs: self.silent_epochs,
            burnt_percent: self.burnt_percent,
        }))
    }

    /// The genesis with the token, if there is to be one.
    pub(crate) fn add(&self, mut genesis: Genesis) -> anyhow::Result<Genesis> {
        let Some(symbol) = &self.token else { return Ok(genesis) };
        let each = self.amount(&self.token_each, "--token-each")?;
        genesis.parameters.stake = self.rules(&genesis)?;
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
        checked.map_err(|error| {
            with_next(error, "althing network new --help explains --token and --stake")
        })
    }
}
