use std::future::Future;

use althing_edge::{Located, Outcome, Sealing};
use althing_types::{Body, EntityId, LedgerId, PublicKey, SigningKey, StreamId, Transaction};

/// The way to the ledger, as far as a gateway needs it.
///
/// An error means that nothing is known, not that nothing happened: the gateway asks again, and a
/// transaction submitted twice does no harm.
pub trait Uplink: Send + Sync + 'static {
    /// Where the gateway's account stands.
    fn account(&self) -> impl Future<Output = Result<AccountState, UplinkError>> + Send;

    /// The sequence number after a stream's highest, and whether and how its payloads are sealed.
    fn head(
        &self,
        stream: StreamId,
    ) -> impl Future<Output = Result<(u64, Sealing), UplinkError>> + Send;

    /// The batch of a stream that holds a sequence number, if any does; and the number after the
    /// stream's highest, of the same state of the ledger or a later one.
    fn locate(
        &self,
        stream: StreamId,
        seq: u64,
    ) -> impl Future<Output = Result<(Option<Located>, u64), UplinkError>> + Send;

    /// Submits a transaction with the payload of its one batch, and waits until it is final as
    /// long as the implementation sees fit ([`Outcome::Undecided`]).
    fn submit(
        &self,
        transaction: Transaction,
        payload: Vec<u8>,
    ) -> impl Future<Output = Result<Outcome, UplinkError>> + Send;

    /// The key that counts for an entity now; none if there is none, or what it signs counts no
    /// more. An uplink that does not know keys lets nobody in who comes with a token.
    fn key(
        &self,
        _entity: EntityId,
    ) -> impl Future<Output = Result<Option<PublicKey>, UplinkError>> + Send {
        std::future::ready(Ok(None))
    }
}

/// Where the gateway's account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountState {
    /// The ledger's height.
    pub height: u64,
    /// The lowest nonce that no transaction of the gateway has used.
    pub next_nonce: u64,
}

/// A question to the ledger that got no answer.
#[derive(Debug, thiserror::Error)]
#[error("the peer gave no answer")]
pub struct UplinkError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl UplinkError {
    /// An error with a sentence instead of a cause.
    #[must_use]
    pub fn because(sentence: &str) -> Self {
        Self(sentence.into())
    }
}

/// Whoever holds the gateway's key.
pub trait Signer: Send + Sync + 'static {
    /// Signs a transaction as its sender.
    fn sign(&self, body: Body) -> impl Future<Output = Result<Transaction, SignError>> + Send;
}

/// A body that was not signed.
#[derive(Debug, thiserror::Error)]
#[error("the gateway's key could not sign")]
pub struct SignError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A key in memory.
#[derive(Debug)]
pub struct KeySigner {
    ledger: LedgerId,
    key: SigningKey,
}

impl KeySigner {
    /// Signs for a ledger with a key.
    #[must_use]
    pub const fn new(ledger: LedgerId, key: SigningKey) -> Self {
        Self { ledger, key }
    }
}

impl Signer for KeySigner {
    async fn sign(&self, body: Body) -> Result<Transaction, SignError> {
        Ok(Transaction::sign(&self.ledger, body, &self.key, &[]))
    }
}
