//! The reads about tokens.

use althing_types::{EntityId, StreamId, TxId};

use crate::{
    Client, Error,
    model::{Escrow, Holding, Movement, Page, Reward, Sponsorship, Stake, Supply, query},
    queries::NONE,
};

impl Client {
    /// How the token of the ledger is called, where all of it is, and what transactions cost.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn supply(&self) -> Result<Supply, Error> {
        self.get("v1/supply", NONE).await
    }

    /// The accounts that have tokens, in a stable order.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn holdings(&self, query: &query::List) -> Result<Page<Holding>, Error> {
        self.get("v1/accounts", query).await
    }

    /// What an entity or a contract has.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn holding(&self, id: &EntityId) -> Result<Holding, Error> {
        self.get(&format!("v1/accounts/{id}/tokens"), NONE).await
    }

    /// What came to an account and left it, newest first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn transfers(
        &self,
        id: &EntityId,
        query: &query::List,
    ) -> Result<Page<Movement>, Error> {
        self.get(&format!("v1/accounts/{id}/transfers"), query).await
    }

    /// The open escrows that an entity locked, is to get or decides about.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn escrows(&self, id: &EntityId, query: &query::List) -> Result<Page<Escrow>, Error> {
        self.get(&format!("v1/accounts/{id}/escrows"), query).await
    }

    /// The entities whose fees an entity pays.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn sponsored(
        &self,
        id: &EntityId,
        query: &query::List,
    ) -> Result<Page<Sponsorship>, Error> {
        self.get(&format!("v1/accounts/{id}/sponsored"), query).await
    }

    /// The open rewards that an entity offered.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn rewards_by(
        &self,
        id: &EntityId,
        query: &query::List,
    ) -> Result<Page<Reward>, Error> {
        self.get(&format!("v1/accounts/{id}/rewards"), query).await
    }

    /// The open rewards for readings of a stream.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn rewards_of(&self, id: &StreamId) -> Result<Page<Reward>, Error> {
        self.get(&format!("v1/streams/{id}/rewards"), NONE).await
    }

    /// The peers that stand for a seat by their stakes, the first in line first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn candidates(&self, query: &query::List) -> Result<Page<Stake>, Error> {
        self.get("v1/stakes", query).await
    }

    /// What is staked behind a peer.
    ///
    /// # Errors
    /// `unknown_stake` if nothing is.
    pub async fn stake(&self, peer: &EntityId) -> Result<Stake, Error> {
        self.get(&format!("v1/stakes/{peer}"), NONE).await
    }

    /// An open escrow.
    ///
    /// # Errors
    /// `unknown_escrow` if there is none.
    pub async fn escrow(&self, id: &TxId) -> Result<Escrow, Error> {
        self.get(&format!("v1/escrows/{id}"), NONE).await
    }

    /// An open reward.
    ///
    /// # Errors
    /// `unknown_reward` if there is none.
    pub async fn reward(&self, id: &TxId) -> Result<Reward, Error> {
        self.get(&format!("v1/rewards/{id}"), NONE).await
    }
}
