//! The way to the ledger through whichever peer answers.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use althing_client::{Client, Unsealer};
use althing_edge::{Located, Outcome, Sealing};
use althing_gateway::{AccountState, PeerUplink, Uplink, UplinkError, Verdict};
use althing_types::{EntityId, PublicKey, Refusal, StreamId, Transaction};
use tokio::time::timeout;

/// Most peers that share the time for one question.
const SHARES_MAX: usize = 3;

/// Peers in order of preference; the one that answered last is asked first.
///
/// A peer may hang, or be cut off from the others and go on answering, while the next is well. So
/// each has only its share of the time, and one whose answer did not come loses its preference,
/// also when the question is given up.
#[derive(Debug)]
pub(super) struct AnyPeer {
    peers: Vec<(Client, PeerUplink)>,
    preferred: AtomicUsize,
    share: Duration,
}

/// A peer's turn; it loses its preference unless it answers.
#[derive(Debug)]
struct Turn<'a> {
    any: &'a AnyPeer,
    peer: usize,
    has_answered: bool,
}

impl Turn<'_> {
    fn answered(mut self) {
        self.any.prefer(self.peer);
        self.has_answered = true;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.has_answered {
            return;
        }
        let next = (self.peer + 1) % self.any.peers.len();
        // Somebody else may have left it already.
        let order = Ordering::Relaxed;
        let _ = self.any.preferred.compare_exchange(self.peer, next, order, order);
    }
}

/// What a peer refused, and how far its state was.
#[derive(Debug, Clone, Copy)]
struct Refused {
    peer: usize,
    height: u64,
    refusal: Refusal,
}

impl AnyPeer {
    /// Submits as `gateway`. Each question is answered within `answer_timeout`, or never.
    pub(super) fn new(clients: &[Client], gateway: EntityId, answer_timeout: Duration) -> Self {
        // A little less, so that the last answer still counts.
        let shares = u32::try_from(clients.len().clamp(1, SHARES_MAX)).unwrap_or(1);
        let share = answer_timeout / shares * 9 / 10;
        // What is taken is waited for less long than for an answer.
        let patience = share * 3 / 4;
        let peer =
            |client: &Client| (client.clone(), PeerUplink::new(client.clone(), gateway, patience));
        let peers = clients.iter().map(peer).collect();
        Self { peers, preferred: AtomicUsize::new(0), share }
    }

    /// The same with what unwraps keys of confidential streams.
    pub(super) fn with_unsealer(mut self, unsealer: &Arc<Unsealer>) -> Self {
        let opens = |(client, uplink): (Client, PeerUplink)| {
            (client, uplink.with_unsealer(Arc::clone(unsealer)))
        };
        self.peers = self.peers.into_iter().map(opens).collect();
        self
    }

    /// Positions of the peers, the preferred one first.
    fn turns(&self) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (self.preferred.load(Ordering::Relaxed), self.peers.len());
        (0..count).map(move |turn| (first + turn) % count)
    }

    fn prefer(&self, peer: usize) {
        self.preferred.store(peer, Ordering::Relaxed);
    }

    /// Asks the preferred peer, then the others; the last error is the answer if none has one.
    async fn ask<'a, T, F>(
        &'a self,
        question: impl Fn(&'a PeerUplink) -> F,
    ) -> Result<T, UplinkError>
    where
        F: Future<Output = Result<T, UplinkError>>,
    {
        let mut last_error = nobody();
        for index in self.turns() {
            let turn = Turn { any: self, peer: index, has_answered: false };
            match self.in_time(question(&self.peers[index].1)).await {
                Ok(answer) => {
                    turn.answered();
                    return Ok(answer);
                }
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }

    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, UplinkError>>,
    ) -> Result<T, UplinkError> {
        let late = || UplinkError::because("the peer did not answer in its share of the time");
        timeout(self.share, answer).await.unwrap_or_else(|_| Err(late()))
    }

    /// Whoever is asked next must know what was just answered from this height.
    fn read_from(&self, height: u64) {
        self.peers.iter().for_each(|(client, _)| client.read_from(height));
    }
}

fn nobody() -> UplinkError {
    UplinkError::because("there is no peer to ask")
}

impl Uplink for AnyPeer {
    async fn account(&self) -> Result<AccountState, UplinkError> {
        self.ask(PeerUplink::account).await
    }

    async fn head(&self, stream: StreamId) -> Result<(u64, Sealing), UplinkError> {
        self.ask(|peer| peer.head(stream)).await
    }

    async fn key(&self, entity: EntityId) -> Result<Option<PublicKey>, UplinkError> {
        self.ask(|peer| peer.key(entity)).await
    }

    async fn locate(
        &self,
        stream: StreamId,
        seq: u64,
    ) -> Result<(Option<Located>, u64), UplinkError> {
        self.ask(|peer| peer.locate(stream, seq)).await
    }

    /// Offers it to peer after peer until one takes it. A peer that refuses judges by the state it
    /// has, which may be behind the others'; so if all refuse, what the furthest says counts. One
    /// that takes it and does not see it become final may be cut off: the next is offered it, too.
    ///
    /// Offering twice is harmless: a transaction counts once, whoever it is handed to.
    async fn submit(
        &self,
        transaction: Transaction,
        payload: Vec<u8>,
    ) -> Result<Outcome, UplinkError> {
        let (mut refused, mut undecided, mut last_error) = (None::<Refused>, false, nobody());
        for peer in self.turns() {
            let (client, uplink) = &self.peers[peer];
            let turn = Turn { any: self, peer, has_answered: false };
            match self.in_time(uplink.offer(&transaction, payload.clone())).await {
                Ok(Verdict::Ledger(Outcome::Undecided)) => undecided = true,
                Ok(Verdict::Ledger(outcome)) => {
                    if let Outcome::Finalized { height } = outcome {
                        self.read_from(height);
                    }
                    turn.answered();
                    return Ok(outcome);
                }
                Ok(Verdict::Peer(refusal)) => {
                    let height = client.height();
                    if refused.is_none_or(|earlier| earlier.height < height) {
                        refused = Some(Refused { peer, height, refusal });
                    }
                }
                Err(error) => last_error = error,
            }
        }
        let Some(Refused { peer, height, refusal }) = refused else {
            return if undecided { Ok(Outcome::Undecided) } else { Err(last_error) };
        };
        self.read_from(height);
        self.prefer(peer);
        Ok(Outcome::Refused(refusal))
    }
}

#[cfg(test)]
mod tests;
