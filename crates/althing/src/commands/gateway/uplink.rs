//! The way to the ledger through whichever peer answers.

use std::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use althing_client::Client;
use althing_edge::{Located, Outcome};
use althing_gateway::{AccountState, PeerUplink, Uplink, UplinkError};
use althing_types::{EntityId, StreamId, Transaction};

/// Peers in order of preference; the one that answered last is asked first.
#[derive(Debug)]
pub(super) struct AnyPeer {
    peers: Vec<(Client, PeerUplink)>,
    preferred: AtomicUsize,
}

impl AnyPeer {
    /// Submits as `gateway`, and waits `patience` for a transaction to be final.
    pub(super) fn new(clients: &[Client], gateway: EntityId, patience: Duration) -> Self {
        let peer =
            |client: &Client| (client.clone(), PeerUplink::new(client.clone(), gateway, patience));
        Self { peers: clients.iter().map(peer).collect(), preferred: AtomicUsize::new(0) }
    }

    /// Asks the preferred peer, then the others; the last error is the answer if none has one.
    ///
    /// Asking twice is harmless: a transaction counts once, whoever it is handed to.
    async fn ask<'a, T, F>(
        &'a self,
        question: impl Fn(&'a PeerUplink) -> F,
    ) -> Result<T, UplinkError>
    where
        F: Future<Output = Result<T, UplinkError>>,
    {
        let first = self.preferred.load(Ordering::Relaxed);
        let mut last_error = UplinkError::because("there is no peer to ask");
        for turn in 0..self.peers.len() {
            let index = (first + turn) % self.peers.len();
            match question(&self.peers[index].1).await {
                Ok(answer) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }
}

impl Uplink for AnyPeer {
    async fn account(&self) -> Result<AccountState, UplinkError> {
        self.ask(PeerUplink::account).await
    }

    async fn next_seq(&self, stream: StreamId) -> Result<u64, UplinkError> {
        self.ask(|peer| peer.next_seq(stream)).await
    }

    async fn locate(
        &self,
        stream: StreamId,
        seq: u64,
    ) -> Result<(Option<Located>, u64), UplinkError> {
        self.ask(|peer| peer.locate(stream, seq)).await
    }

    async fn submit(
        &self,
        transaction: Transaction,
        payload: Vec<u8>,
    ) -> Result<Outcome, UplinkError> {
        let outcome = self.ask(|peer| peer.submit(transaction.clone(), payload.clone())).await?;
        if let Outcome::Finalized { height } = outcome {
            // Another peer may be behind this one; whoever is asked next must know this block.
            self.peers.iter().for_each(|(client, _)| client.read_from(height));
        }
        Ok(outcome)
    }
}
