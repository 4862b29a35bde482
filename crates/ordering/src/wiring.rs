//! What goes between the engine and a network: for `althing-sim-network` only.
//!
//! This module shows types of the engine's libraries, since a simulated network is made of them.
//! Nothing but the simulator may depend on it.

use std::{collections::BTreeMap, sync::Arc};

use commonware_codec::DecodeExt as _;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_runtime::{Clock, Metrics, Quota, Spawner, Storage};
use commonware_utils::ordered::Set;
use rand_core_0_10::CryptoRng;

use crate::{
    config::{Address, Config},
    error::StartError,
    handle::Handle,
    mesh::Mesh,
    network,
    seam::{Application, PeerKey},
};

/// The channels between peers, by what they carry.
#[derive(Debug)]
pub struct Channels<S, R> {
    /// Single votes.
    pub votes: (S, R),
    /// Certificates, sent as soon as they are complete.
    pub certificates: (S, R),
    /// Requests for certificates of earlier views.
    pub resolver: (S, R),
    /// Requests for final blocks that were missed.
    pub backfill: (S, R),
    /// Proposed blocks.
    pub blocks: (S, R),
    /// The application's transactions.
    pub transactions: (S, R),
    /// The application's requests and answers.
    pub fetch: (S, R),
    /// Carries nothing; asked whom it would reach.
    pub presence: S,
    /// What peers tell of where they are.
    pub addresses: (S, R),
}

/// A started network, seen by one peer.
pub struct Wires<S, R, P, B> {
    /// The channels.
    pub channels: Channels<S, R>,
    /// Knows the peers.
    pub provider: P,
    /// Shuts out peers that send what is invalid.
    pub blocker: B,
    /// Told whom to be connected to.
    pub track: Arc<dyn Track>,
}

pub use crate::{epochs::Circle, scheme::Scheme};

/// Whom a network connects to, as validators come and go.
pub trait Track: Send + Sync + 'static {
    /// From now on these validate, or will soon; `number` rises, and a call with a lower one than
    /// before has no effect.
    fn track(&self, number: u64, circle: &Circle);

    /// Looks for those of them that are not connected, where they said they are and wherever else they may
    /// be. `look` counts up, about once a second; `told` is what peers said of themselves.
    fn seek(&self, look: u64, told: &BTreeMap<PeerKey, Address>, connected: &[PeerKey]);
}

/// Starts ordering on any runtime and network.
///
/// # Errors
/// [`StartError`].
pub async fn launch<E, S, R, P, B>(
    context: E,
    wires: Wires<S, R, P, B>,
    config: Config,
    app: Arc<dyn Application>,
) -> Result<(Handle, Mesh), StartError>
where
    E: Clock + CryptoRng + Metrics + Spawner + Storage,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    crate::launch::launch(context, wires, config, app).await
}

/// Longest message that the network must carry, bytes.
#[must_use]
pub fn message_bytes_max(config: &Config) -> u32 {
    network::message_bytes_max(config)
}

/// The quota of a channel, by its number.
#[must_use]
pub fn quota(channel: u64) -> Quota {
    network::quota(channel)
}

/// What the validator of a configuration signs its votes with; `None` if it has no vote.
#[must_use]
pub fn scheme(config: &Config) -> Option<Scheme> {
    let keys = config.validator_keys();
    let validators = keys.iter().filter_map(public_key);
    let signer = crate::certificate::private_key(&config.seed).ok()?;
    let validators = Set::from_iter_dedup(validators);
    crate::certificate::scheme(config.mechanism, &config.ledger, validators, Some(signer))
}

/// The public key of a seed; `None` is not possible with 32 bytes, but the codec's type says so.
#[must_use]
pub fn public_key_of(seed: &[u8; 32]) -> Option<PublicKey> {
    use commonware_cryptography::Signer as _;
    crate::certificate::private_key(seed).ok().map(|key| key.public_key())
}

/// A key as the library knows it; `None` if the bytes are not one.
#[must_use]
pub fn public_key(key: &[u8; 32]) -> Option<PublicKey> {
    PublicKey::decode(commonware_codec::Copying(key)).ok()
}
