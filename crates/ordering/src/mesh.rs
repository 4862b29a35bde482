//! Messages of the application over the connections that the engine uses.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_utils::sync::Mutex;
use futures::future::BoxFuture;

use crate::{
    certificate::{peer_key, public_key},
    seam::PeerKey,
};

/// The application's own channels between peers.
///
/// Authenticated and encrypted like everything between peers, and as unreliable as the network: a
/// message to a peer that is not connected, or faster than the channel's quota, is dropped. Each
/// channel admits 512 messages a second to and from each peer, so put many small things into one
/// message, and repeat what must arrive.
#[derive(Debug)]
pub struct Mesh {
    /// For spreading transactions.
    pub transactions: Link,
    /// For asking a peer for something, and answering.
    pub fetch: Link,
}

/// One channel.
#[derive(Debug)]
pub struct Link {
    /// Sends.
    pub outbox: Outbox,
    /// Receives.
    pub inbox: Inbox,
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// Every connected peer.
    All,
    /// These, as far as they are connected.
    Some(Vec<PeerKey>),
    /// This one, if connected.
    One(PeerKey),
}

/// A message longer than [`Sizes::message_bytes_max`](crate::Sizes::message_bytes_max).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("message of {len} bytes, but at most {max} are allowed between peers")]
pub struct MessageTooLong {
    /// Bytes of the message.
    pub len: usize,
    /// Bytes allowed.
    pub max: usize,
}

/// The sending side of a channel; clones share it.
#[derive(Clone)]
pub struct Outbox {
    sender: Arc<dyn Post>,
    max: usize,
}

impl Outbox {
    pub(crate) fn new(sender: impl Sender<PublicKey = PublicKey>, max: usize) -> Self {
        Self { sender: Arc::new(Mutex::new(sender)), max }
    }

    /// Hands a message over, without waiting, and says to whom it will be sent: peers missing from
    /// the answer are not connected or have used up the channel's quota.
    ///
    /// # Errors
    /// [`MessageTooLong`]; nothing was sent.
    pub fn send(&self, to: To, message: Bytes) -> Result<Vec<PeerKey>, MessageTooLong> {
        if message.len() > self.max {
            return Err(MessageTooLong { len: message.len(), max: self.max });
        }
        let to = match to {
            To::All => Recipients::All,
            To::One(key) => match public_key(&key) {
                Ok(key) => Recipients::One(key),
                Err(_) => return Ok(Vec::new()),
            },
            To::Some(keys) => {
                Recipients::Some(keys.iter().filter_map(|key| public_key(key).ok()).collect())
            }
        };
        Ok(self.sender.post(to, message))
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("max", &self.max).finish_non_exhaustive()
    }
}

/// The receiving side of a channel.
pub struct Inbox {
    receiver: Box<dyn Fetch>,
}

impl Inbox {
    pub(crate) fn new(receiver: impl Receiver<PublicKey = PublicKey>) -> Self {
        Self { receiver: Box::new(receiver) }
    }

    /// The next message and who sent it; `None` once ordering has stopped. Up to a second's quota
    /// of every peer waits here; what arrives when that is full is dropped.
    pub async fn recv(&mut self) -> Option<(PeerKey, Bytes)> {
        self.receiver.fetch().await
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

/// The library's sender behind a pointer, so that the network's type stays inside this crate.
trait Post: Send + Sync {
    fn post(&self, to: Recipients<PublicKey>, message: Bytes) -> Vec<PeerKey>;
}

impl<S: Sender<PublicKey = PublicKey>> Post for Mutex<S> {
    fn post(&self, to: Recipients<PublicKey>, message: Bytes) -> Vec<PeerKey> {
        self.lock().send(to, message, false).iter().map(peer_key).collect()
    }
}

/// The library's receiver behind a pointer.
trait Fetch: Send {
    fn fetch(&mut self) -> BoxFuture<'_, Option<(PeerKey, Bytes)>>;
}

impl<R: Receiver<PublicKey = PublicKey>> Fetch for R {
    fn fetch(&mut self) -> BoxFuture<'_, Option<(PeerKey, Bytes)>> {
        Box::pin(async move {
            let (peer, message) = self.recv().await.ok()?;
            Some((peer_key(&peer), message.into()))
        })
    }
}
