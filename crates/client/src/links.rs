//! Reads about links to other ledgers, and calls across them.

use althing_types::{LedgerId, LinkId, TxId};

use crate::{
    Client, Error,
    model::{AskedCall, Link, Page, TakenCall, query},
    queries::NONE,
};

impl Client {
    /// Links to other ledgers, in a stable order.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn links(&self, query: &query::Links) -> Result<Page<Link>, Error> {
        self.get("v1/links", query).await
    }

    /// A link to another ledger.
    ///
    /// # Errors
    /// `no_ledger_link` if there is none.
    pub async fn link(&self, id: &LinkId) -> Result<Link, Error> {
        self.get(&format!("v1/links/{id}"), NONE).await
    }

    /// Calls that the ledger asks others, oldest first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn asked_calls(&self, query: &query::Calls) -> Result<Page<AskedCall>, Error> {
        self.get("v1/calls/asked", query).await
    }

    /// A call that the ledger asks.
    ///
    /// # Errors
    /// `unknown_call` if there is none.
    pub async fn asked_call(&self, id: &TxId) -> Result<AskedCall, Error> {
        self.get(&format!("v1/calls/asked/{id}"), NONE).await
    }

    /// Calls that other ledgers ask this one, oldest first.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn taken_calls(&self, query: &query::Calls) -> Result<Page<TakenCall>, Error> {
        self.get("v1/calls/taken", query).await
    }

    /// A call that another ledger asks.
    ///
    /// # Errors
    /// `unknown_call` if it did not arrive.
    pub async fn taken_call(&self, ledger: &LedgerId, id: &TxId) -> Result<TakenCall, Error> {
        self.get(&format!("v1/calls/taken/{ledger}/{id}"), NONE).await
    }
}
