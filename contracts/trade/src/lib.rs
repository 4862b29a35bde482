//! What shops and those who buy from them say to each other: the messages of the contract `shop`.
//!
//! Whoever writes another shop that answers these can be bought from by `buyer`.
#![warn(missing_docs)]

use cosmwasm_std::Coin;
use serde::{Deserialize, Serialize};

/// What can be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecuteMsg {
    /// Says what goods cost and how many there are; by the shopkeeper. None are sold where none are there.
    Offer {
        /// The goods.
        goods: String,
        /// What one piece costs.
        price: Coin,
        /// How many pieces there are.
        stock: u32,
    },
    /// Buys one piece with the tokens that come with the call; answers with [`Receipt`] in the data.
    Buy {
        /// The goods.
        goods: String,
    },
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryMsg {
    /// What goods cost; answers with [`Offer`] or null.
    Offer {
        /// The goods.
        goods: String,
    },
    /// What was sold; answers with [`Receipt`] or null.
    Receipt {
        /// Its number.
        number: u64,
    },
}

/// Goods, as they are offered now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What one piece costs.
    pub price: Coin,
    /// How many pieces there are.
    pub stock: u32,
}

/// A sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its number, from 1.
    pub number: u64,
    /// What was sold.
    pub goods: String,
    /// What was paid.
    pub paid: Coin,
    /// DID of who bought it.
    pub buyer: String,
    /// Height of the block in which it was sold.
    pub height: u64,
}
