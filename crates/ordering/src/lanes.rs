//! The engine's channels, divided by epoch.

use std::sync::Arc;

use commonware_consensus::types::Height;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{
    Channel, Message, Receiver, Sender,
    utils::mux::{Builder as _, MuxHandle, Muxer, SubReceiver, SubSender},
};
use commonware_runtime::Spawner;
use commonware_utils::{channel::mpsc, vec::NonEmptyVec};

use crate::{epochs::Epochs, handle::Marshal, voting::Ballots};

/// Opens the channels of one epoch after the other.
pub(crate) struct Lanes<S: Sender> {
    votes: MuxHandle<S>,
    certificates: MuxHandle<S>,
    resolver: MuxHandle<S>,
}

/// The channels of one epoch.
pub(crate) type Lane<S> = Ballots<SubSender<S>, SubReceiver<PublicKey>>;

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
        let early = |context: E, early| {
            let (epochs, marshal) = (Arc::clone(epochs), marshal.clone());
            context.spawn(move |_| catch_up(early, epochs, marshal));
        };
        let (mux, votes, of_votes) =
            Muxer::builder(context.child("votes"), votes.0, votes.1).with_backup().build();
        mux.start();
        early(context.child("early_votes"), of_votes);
        let (mux, certificates, of_certificates) =
            Muxer::builder(context.child("certificates"), certificates.0, certificates.1)
                .with_backup()
                .build();
        mux.start();
        early(context.child("early_certificates"), of_certificates);
        let (mux, resolver) = Muxer::new(context.child("resolver"), resolver.0, resolver.1);
        mux.start();
        Self { votes, certificates, resolver }
    }

    /// The channels of an epoch; none if the connections have ended.
    pub(crate) async fn of(&mut self, epoch: u64) -> Option<Lane<S>> {
        Some(Ballots {
            votes: self.votes.register(epoch).await.ok()?,
            certificates: self.certificates.register(epoch).await.ok()?,
            resolver: self.resolver.register(epoch).await.ok()?,
        })
    }
}

/// Asks whoever is in a later epoch for the certificate that ends the present one.
async fn catch_up(
    mut early: mpsc::Receiver<(Channel, Message<PublicKey>)>,
    epochs: Arc<Epochs>,
    marshal: Marshal,
) {
    while let Some((epoch, (peer, _))) = early.recv().await {
        let present = epochs.present().epoch;
        if epoch <= present {
            continue;
        }
        if let Some(last) = epochs.last(present) {
            marshal.hint_finalized(Height::new(last), NonEmptyVec::new(peer));
        }
    }
}
