//! Call the HTTP interface, keep keys, sign.
//!
//! What a program outside the peer needs: the forms of the interface ([`model`]), a client that
//! speaks them ([`Client`]), an account that numbers and signs transactions ([`Account`]), and the
//! two files that people handle: a key ([`key_file`]) and a genesis ([`genesis_file`]).
//!
//! It does not retry: a request that failed says so, and whether trying again can help
//! ([`Error::is_temporary`]); how often is the caller's to decide. It verifies nothing that a peer
//! says: proofs are bytes here, and crate `proof` checks them.
//!
//! Start reading at [`Client`].

mod config;
pub use config::Config;

mod error;
pub use error::Error;

mod client;
pub use client::Client;

mod gateways;
mod links;
mod queries;
mod tokens;

mod operation;

pub mod operating;

pub mod amount;

mod direct;
pub use direct::Direct;

mod reading;
pub use reading::ReadingAs;

mod events;
pub use events::Events;

pub mod submission;
pub use submission::Submission;

mod account;
pub use account::{Account, Signer};

pub mod model;

pub mod key_file;

pub mod genesis_file;

pub mod file;

mod turns;
pub use turns::Turns;

pub mod rule;

pub mod time;

pub mod nearest;

mod unseal;
pub use unseal::Unsealer;
