use std::sync::atomic::{AtomicU64, Ordering};

use althing_types::{
    Action, Body, EntityId, EntityKind, Inception, LedgerId, PublicKey, SigningKey, Transaction,
    limits::EXPIRY_BLOCKS_MAX, possession_bytes,
};

use crate::{Client, Error};

/// An entity that signs for one ledger.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The ledger it signs for.
    pub ledger: LedgerId,
    /// Who signs.
    pub entity: EntityId,
    /// Its key.
    pub key: SigningKey,
}

impl Signer {
    /// Signs a transaction with a nonce and an expiry height of the caller's choice.
    #[must_use]
    pub fn sign(&self, nonce: u64, expiry_height: u64, actions: Vec<Action>) -> Transaction {
        let body = Body::new(&self.ledger, self.entity, nonce, expiry_height, actions);
        Transaction::sign(&self.ledger, body, &self.key, &[])
    }

    /// The id of an entity that begins with `key`, and the action that registers it.
    #[must_use]
    pub fn registration(
        ledger: &LedgerId,
        kind: EntityKind,
        name: &str,
        key: &SigningKey,
    ) -> (EntityId, Action) {
        let inception = Inception { kind, name: name.to_owned(), key: key.public_key() };
        let entity = inception.id();
        let possession = key.sign(&possession_bytes(ledger, &entity, &inception.key));
        (entity, Action::RegisterEntity { inception, possession })
    }

    /// The action that replaces the key of `entity` with `key`.
    #[must_use]
    pub fn rotation(ledger: &LedgerId, entity: EntityId, key: &SigningKey) -> Action {
        let public: PublicKey = key.public_key();
        let possession = key.sign(&possession_bytes(ledger, &entity, &public));
        Action::RotateKey { entity, key: public, possession }
    }
}

/// A signer that numbers its transactions, for any number of tasks at once.
///
/// Nonces come from a window in any order, so transactions of one account can be under way in
/// parallel, up to the 512 of the window. Two processes that number for the same entity get in each other's way: give each an
/// entity of its own, or [`refresh`](Self::refresh) after `nonce_reused`.
#[derive(Debug)]
pub struct Account {
    signer: Signer,
    next_nonce: AtomicU64,
    height: AtomicU64,
    expiry_blocks: u64,
}

impl Account {
    /// Blocks from signing to expiry unless said otherwise: minutes on a busy network, hours on an
    /// idle one.
    pub const EXPIRY_BLOCKS: u64 = 10_000;

    /// An account that begins with this nonce at this height.
    #[must_use]
    pub const fn new(signer: Signer, next_nonce: u64, height: u64) -> Self {
        Self {
            signer,
            next_nonce: AtomicU64::new(next_nonce),
            height: AtomicU64::new(height),
            expiry_blocks: Self::EXPIRY_BLOCKS,
        }
    }

    /// Asks a peer where the account stands.
    ///
    /// # Errors
    /// `unknown_entity` if the signer is not registered.
    pub async fn open(client: &Client, signer: Signer) -> Result<Self, Error> {
        let account = Self::new(signer, 0, 0);
        account.refresh(client).await?;
        Ok(account)
    }

    /// Asks a peer again where the account stands; what was numbered meanwhile stays used.
    ///
    /// # Errors
    /// `unknown_entity` if the signer is not registered.
    pub async fn refresh(&self, client: &Client) -> Result<(), Error> {
        let state = client.account(&self.signer.entity).await?;
        self.next_nonce.fetch_max(state.next_nonce, Ordering::Relaxed);
        self.saw(state.height);
        Ok(())
    }

    /// The same account, whose transactions expire so many blocks after they were signed.
    #[must_use]
    pub fn with_expiry_blocks(mut self, blocks: u64) -> Self {
        self.expiry_blocks = blocks.clamp(1, EXPIRY_BLOCKS_MAX);
        self
    }

    /// Who signs.
    #[must_use]
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The ledger has reached this height, from which expiry counts.
    pub fn saw(&self, height: u64) {
        self.height.fetch_max(height, Ordering::Relaxed);
    }

    /// Signs the next transaction.
    #[must_use]
    pub fn sign(&self, actions: Vec<Action>) -> Transaction {
        let nonce = self.next_nonce.fetch_add(1, Ordering::Relaxed);
        let expiry = self.height.load(Ordering::Relaxed).saturating_add(self.expiry_blocks);
        self.signer.sign(nonce, expiry, actions)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use althing_types::{Record, Suite};

    use super::*;

    fn account() -> Account {
        let ledger = LedgerId([9; 32]);
        let key = SigningKey::from_secret(Suite::Ed25519, [7; 32]).unwrap();
        let (entity, _) = Signer::registration(&ledger, EntityKind::Organisation, "A", &key);
        Account::new(Signer { ledger, entity, key }, 5, 100)
    }

    fn record() -> Vec<Action> {
        vec![Action::Record(Record {
            kind: "note".into(),
            data: vec![1],
            notify: vec![],
            link: None,
        })]
    }

    #[test]
    fn parallel_signers_never_share_a_nonce() {
        let account = account();
        let nonces = std::sync::Mutex::new(BTreeSet::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        nonces.lock().unwrap().insert(account.sign(record()).body().nonce);
                    }
                });
            }
        });
        assert_eq!(nonces.into_inner().unwrap(), (5..205).collect());
    }

    #[test]
    fn transactions_are_signed_for_the_ledger_and_expire_after_the_height_seen() {
        let account = account().with_expiry_blocks(10);
        account.saw(90);
        let transaction = account.sign(record());
        assert_eq!(transaction.body().expiry_height, 110);
        let signer = account.signer();
        let key = signer.key.public_key();
        let signed = transaction.signed_bytes(&signer.ledger, 0);
        assert!(key.verify(&signed, &transaction.signatures()[0].signature));
        assert!(Transaction::decode(transaction.wire().clone()).is_ok());
    }

    #[test]
    fn registration_and_rotation_prove_possession() {
        let account = account();
        let ledger = account.signer().ledger;
        let key = SigningKey::from_secret(Suite::P256, [3; 32]).unwrap();
        let (entity, action) = Signer::registration(&ledger, EntityKind::Device, "D", &key);
        let (found, possession) = match action {
            Action::RegisterEntity { inception, possession } => (inception.id(), possession),
            other => panic!("{other:?}"),
        };
        assert_eq!(found, entity);
        let bytes = possession_bytes(&ledger, &entity, &key.public_key());
        assert!(key.public_key().verify(&bytes, &possession));
        match Signer::rotation(&ledger, entity, &key) {
            Action::RotateKey { possession, .. } => {
                assert!(key.public_key().verify(&bytes, &possession));
            }
            other => panic!("{other:?}"),
        }
    }
}
