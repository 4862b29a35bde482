//! The engine's channels, divided by epoch.

use std::{collections::VecDeque, num::NonZeroUsize, sync::Arc};

use commonware_consensus::types::Height;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{
    Channel, Message, Receiver, Sender,
    utils::mux::{Builder as _, Error, MuxHandle, Muxer, SubReceiver, SubSender},
};
use commonware_runtime::Spawner;
use commonware_utils::{channel::mpsc, sync::Mutex, vec::NonEmptyVec};

use crate::{epochs::Epochs, handle::Marshal, voting::Ballots, watched::Watched};

/// Messages of one peer on one channel that wait for an epoch to begin here: as many as a peer sends
/// in the few views that it can be ahead without this one.
const EARLY_OF_PEER_MAX: usize = 16;

/// Longest of them, bytes: more than a certificate of as many validators as there may be.
const EARLY_BYTES_MAX: usize = 64 * 1024;

/// Opens the channels of one epoch after the other.
pub(crate) struct Lanes<S: Sender> {
    votes: MuxHandle<S>,
    certificates: MuxHandle<S>,
    resolver: MuxHandle<S>,
    early_votes: Arc<Early>,
    early_certificates: Arc<Early>,
    ahead: Arc<Ahead>,
}

/// The channels of one epoch.
pub(crate) type Lane<S> = Ballots<SubSender<S>, LaneReceiver>;

/// Who was last seen in a later epoch, and in which.
type Ahead = Watched<Option<(u64, PublicKey)>>;

/// What came on a channel for an epoch that had not begun here. The engine sends a vote once, so
/// whoever enters an epoch a moment after the others would miss their first votes, and all would wait
/// for the timeout of a view.
#[derive(Debug, Default)]
struct Early(Mutex<VecDeque<(u64, Message<PublicKey>)>>);

impl Early {
    fn put(&self, epoch: u64, message: Message<PublicKey>) {
        if message.1.len() > EARLY_BYTES_MAX {
            return;
        }
        let mut waiting = self.0.lock();
        // What waits for an earlier epoch stays: its lane may not have come to take it yet.
        let of_peer =
            waiting.iter().filter(|(other, (peer, _))| *other == epoch && *peer == message.0);
        if of_peer.count() < EARLY_OF_PEER_MAX {
            waiting.push_back((epoch, message));
        }
    }

    fn take(&self, epoch: u64) -> Option<Message<PublicKey>> {
        let mut waiting = self.0.lock();
        waiting.retain(|(other, _)| *other >= epoch);
        let first = waiting.iter().position(|(other, _)| *other == epoch)?;
        waiting.remove(first).map(|(_, message)| message)
    }
}

/// What arrives for one epoch: first what was early.
#[derive(Debug)]
pub(crate) struct LaneReceiver {
    epoch: u64,
    early: Arc<Early>,
    inner: SubReceiver<PublicKey>,
}

impl Receiver for LaneReceiver {
    type Error = Error;
    type PublicKey = PublicKey;

    async fn recv(&mut self) -> Result<Message<PublicKey>, Error> {
        match self.early.take(self.epoch) {
            Some(message) => Ok(message),
            None => self.inner.recv().await,
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        self.inner.capacity()
    }
}

impl<S: Sender<PublicKey = PublicKey>> Lanes<S> {
    /// Divides the channels. Messages of an epoch that has not begun here show that it has begun
    /// elsewhere: then the block that ends the present one is asked for.
    pub(crate) fn open<E, R>(
        context: &E,
        ballots: Ballots<S, R>,
        epochs: &Arc<Epochs>,
        marshal: &Marshal,
    ) -> Self
    where
        E: Spawner,
        R: Receiver<PublicKey = PublicKey>,
    {
        let Ballots { votes, certificates, resolver } = ballots;
        let ahead: Arc<Ahead> = Arc::new(Watched::new(None));
        let watch = |context: E, messages| {
            let early: Arc<Early> = Arc::default();
            let watch = Watch {
                early: Arc::clone(&early),
                ahead: Arc::clone(&ahead),
                epochs: Arc::clone(epochs),
                marshal: marshal.clone(),
            };
            context.spawn(move |_| watch.run(messages));
            early
        };
        let (mux, votes, of_votes) =
            Muxer::builder(context.child("votes"), votes.0, votes.1).with_backup().build();
        mux.start();
        let early_votes = watch(context.child("early_votes"), of_votes);
        let (mux, certificates, of_certificates) =
            Muxer::builder(context.child("certificates"), certificates.0, certificates.1)
                .with_backup()
                .build();
        mux.start();
        let early_certificates = watch(context.child("early_certificates"), of_certificates);
        let (mux, resolver) = Muxer::new(context.child("resolver"), resolver.0, resolver.1);
        mux.start();
        Self { votes, certificates, resolver, early_votes, early_certificates, ahead }
    }

    /// The channels of an epoch; none if the connections have ended.
    pub(crate) async fn of(&mut self, epoch: u64) -> Option<Lane<S>> {
        let lane = |(sender, inner), early: &Arc<Early>| {
            (sender, LaneReceiver { epoch, early: Arc::clone(early), inner })
        };
        Some(Ballots {
            votes: lane(self.votes.register(epoch).await.ok()?, &self.early_votes),
            certificates: lane(
                self.certificates.register(epoch).await.ok()?,
                &self.early_certificates,
            ),
            // Questions are asked again.
            resolver: lane(self.resolver.register(epoch).await.ok()?, &Arc::default()),
        })
    }

    /// Resolves once somebody was seen in a later epoch.
    pub(crate) async fn overtaken(&self, epoch: u64) {
        let beyond = |ahead: &Option<(u64, PublicKey)>| {
            ahead.as_ref().is_some_and(|(other, _)| *other > epoch)
        };
        self.ahead.until(beyond).await;
    }

    /// Asks for the end of the present epoch at once, if somebody was seen beyond it: a peer that
    /// slept across many epochs need not wait for a message in each.
    pub(crate) fn chase(&self, epochs: &Epochs, marshal: &Marshal) {
        if let Some((epoch, peer)) = self.ahead.get() {
            hint(epochs, marshal, epoch, peer);
        }
    }
}

/// Looks at what arrives for no epoch that has begun here.
struct Watch {
    early: Arc<Early>,
    ahead: Arc<Ahead>,
    epochs: Arc<Epochs>,
    marshal: Marshal,
}

impl Watch {
    async fn run(self, mut messages: mpsc::Receiver<(Channel, Message<PublicKey>)>) {
        while let Some((epoch, message)) = messages.recv().await {
            let present = self.epochs.present().epoch;
            let peer = message.0.clone();
            if epoch == present || Some(epoch) == present.checked_add(1) {
                self.early.put(epoch, message);
            }
            if epoch > present {
                // Whoever was heard last, so that one who lies about it is asked no more than others.
                self.ahead.change(|ahead| {
                    *ahead = Some((epoch, peer.clone()));
                    true
                });
                hint(&self.epochs, &self.marshal, epoch, peer);
            }
        }
    }
}

/// Asks a peer that is in a later epoch for the certificate that ends the present one.
fn hint(epochs: &Epochs, marshal: &Marshal, epoch: u64, peer: PublicKey) {
    let present = epochs.present().epoch;
    if let Some(last) = epochs.last(present).filter(|_| epoch > present) {
        marshal.hint_finalized(Height::new(last), NonEmptyVec::new(peer));
    }
}

#[cfg(test)]
mod tests {
    use commonware_cryptography::{Signer as _, ed25519::PrivateKey};

    use super::*;

    fn message(text: &'static [u8]) -> Message<PublicKey> {
        (PrivateKey::from_seed(1).public_key(), text.into())
    }

    /// A vote of the next epoch took those of the present one away that its lane had not fetched.
    #[test]
    fn what_is_early_waits_for_its_own_epoch() {
        let early = Early::default();
        early.put(5, message(b"a"));
        early.put(6, message(b"b"));
        early.put(5, message(b"c"));
        let taken = |epoch| early.take(epoch).map(|(_, bytes)| bytes);
        assert!(taken(5).is_some_and(|bytes| bytes == b"a".as_slice()));
        assert!(taken(5).is_some_and(|bytes| bytes == b"c".as_slice()));
        assert!(taken(5).is_none());
        assert!(taken(6).is_some_and(|bytes| bytes == b"b".as_slice()));
        for _ in 0..2 * EARLY_OF_PEER_MAX {
            early.put(7, message(b"d"));
        }
        assert_eq!(early.0.lock().len(), EARLY_OF_PEER_MAX);
        assert!(taken(8).is_none() && early.0.lock().is_empty());
    }
}
