use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use althing_edge::{Input, Located, Outcome, Output, Sealing, StreamSpec, ThingSpec};
use althing_peer::{
    Peer, Query, Submission,
    query::{ReadingAt, ReadingFilter},
};
use althing_types::{
    EntityId, Reading, Refusal, SigningKey, StreamId, ThingId, Transaction,
    limits::BATCH_READINGS_MAX,
};
use commonware_runtime::deterministic::Context;

use crate::{
    Account,
    peers::{Peers, within},
    plan::Keeping,
};

/// How long a peer may take to reach a height that it is asked about.
const HEIGHT_PATIENCE: Duration = Duration::from_millis(500);
/// How long a transaction is waited for before it is looked for.
const SUBMIT_PATIENCE: Duration = Duration::from_millis(700);

/// The way to the ledger through whichever peer answers, as the product's gateway takes it: the peer
/// that answered last is asked first, and none is asked about less than is known already.
#[derive(Debug)]
pub(super) struct Uplink {
    peers: Arc<Peers>,
    gateway: EntityId,
    key: SigningKey,
    may_lose: bool,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    preferred: usize,
    /// For each peer the height from which it is to answer.
    from: Vec<u64>,
}

impl Uplink {
    pub(super) fn new(peers: Arc<Peers>, account: &Account) -> Self {
        let from = vec![0; peers.count()];
        let known = Mutex::new(Known { preferred: 0, from });
        let may_lose = account.keeping == Keeping::Loses;
        Self { peers, gateway: account.entity, key: account.key.clone(), may_lose, known }
    }

    /// The answer to a question of the machine, if there is one.
    pub(super) async fn answer(&self, context: &Context, question: Output) -> Option<Input> {
        match question {
            Output::AskAccount { attempt } => {
                let account = self.ask(context, |query| query.account(&self.gateway).ok()).await?;
                let (height, next_nonce) = (account.height, account.next_nonce);
                Some(Input::Account { attempt, height, next_nonce })
            }
            Output::AskHead { attempt, stream } => {
                let head = self.ask(context, |query| query.stream(&stream).ok()).await?.head;
                Some(Input::Head { attempt, next_seq: head.next_seq, sealing: Sealing::Open })
            }
            Output::Locate { attempt, stream, seq } => {
                let (batch, next_seq) = self.locate(context, stream, seq).await?;
                Some(Input::Located { attempt, batch, next_seq })
            }
            Output::Sign { attempt, body } => {
                let ledger = self.peers.ledger();
                let transaction = Transaction::sign(&ledger, body, &self.key, &[]);
                Some(Input::Signed { attempt, transaction })
            }
            Output::Submit { attempt, transaction, payload } => {
                let outcome = self.submit(context, &transaction, payload).await?;
                Some(Input::Outcome { attempt, outcome })
            }
            _ => None,
        }
    }

    /// What a gateway must know of a thing to serve it, once it is bound.
    pub(super) async fn thing(&self, context: &Context, thing: &ThingId) -> Option<ThingSpec> {
        self.ask(context, |query| {
            let state = query.thing(thing).ok()?;
            let bound = state.bindings.iter().find(|(bound, _)| *bound == self.gateway)?;
            let streams = state.outline.properties.iter().map(|property| {
                let id = StreamId::derive(thing, property);
                let schema = query.stream(&id).ok()?.head.schema;
                Some(StreamSpec { property: property.clone(), id, schema })
            });
            Some(ThingSpec {
                id: *thing,
                name: state.record.name.clone(),
                owner: state.record.owner,
                until_height: Some(bound.1.until_height),
                streams: streams.collect::<Option<_>>()?,
                device: None,
                may_lose: self.may_lose,
                is_shut_out: false,
            })
        })
        .await
    }

    async fn ask<T>(&self, context: &Context, question: impl Fn(&Query) -> Option<T>) -> Option<T> {
        for index in self.order() {
            let Some(peer) = self.reached(context, index).await else { continue };
            if let Some(answer) = question(&peer.query()) {
                self.lock().preferred = index;
                return Some(answer);
            }
        }
        None
    }

    /// Offers it to peer after peer until one sees it become final. If all refuse, what the furthest
    /// says counts.
    async fn submit(
        &self,
        context: &Context,
        transaction: &Transaction,
        payload: Vec<u8>,
    ) -> Option<Outcome> {
        let payload = bytes::Bytes::from(payload);
        let (mut refused, mut undecided) = (None::<(u64, usize, Refusal)>, false);
        for index in self.order() {
            let Some(peer) = self.reached(context, index).await else { continue };
            let submission = Submission {
                transaction: transaction.wire().clone(),
                payloads: vec![payload.clone()],
            };
            match peer.submit(vec![submission]).await.pop() {
                Some(Ok(_)) => match self.outcome(context, index, &peer, transaction).await {
                    Outcome::Undecided => undecided = true,
                    outcome => return Some(outcome),
                },
                Some(Err(refusal)) => {
                    let height = peer.height();
                    if refused.is_none_or(|(before, _, _)| before < height) {
                        refused = Some((height, index, refusal));
                    }
                }
                None => {}
            }
        }
        let Some((height, index, refusal)) = refused else {
            return undecided.then_some(Outcome::Undecided);
        };
        self.lock().learnt(height, index);
        Some(Outcome::Refused(refusal))
    }

    /// Asks peer after peer, each of which first fetches what it does not keep: one may be far behind, and
    /// no other need keep all of it.
    async fn locate(
        &self,
        context: &Context,
        stream: StreamId,
        seq: u64,
    ) -> Option<(Option<Located>, u64)> {
        let reach = BATCH_READINGS_MAX as u64;
        for index in self.order() {
            let Some(peer) = self.reached(context, index).await else { continue };
            let query = peer.query();
            gather(context, &query, &stream, seq.saturating_sub(reach), seq + reach).await;
            if let Some(found) = locate(&query, stream, seq) {
                self.lock().preferred = index;
                return Some(found);
            }
        }
        None
    }

    /// What becomes of a transaction that a peer has taken.
    async fn outcome(
        &self,
        context: &Context,
        index: usize,
        peer: &Peer,
        transaction: &Transaction,
    ) -> Outcome {
        let placed = within(context, SUBMIT_PATIENCE, peer.wait(transaction.id())).await.flatten();
        let mut known = self.lock();
        let Some(placed) = placed else {
            // It may be cut off from the others.
            known.preferred = (index + 1) % known.from.len();
            return Outcome::Undecided;
        };
        known.learnt(placed.height, index);
        match Refusal::from_number(placed.receipt.code) {
            Some(refusal) => Outcome::Refused(refusal),
            None => Outcome::Finalized { height: placed.height },
        }
    }

    /// A peer that is up and has what was learnt from others.
    async fn reached(&self, context: &Context, index: usize) -> Option<Peer> {
        let peer = self.peers.at(index)?;
        let from = self.lock().from[index];
        within(context, HEIGHT_PATIENCE, peer.executed_at_least(from)).await?;
        Some(peer)
    }

    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (self.lock().preferred, self.peers.count());
        (0..count).map(move |turn| (first + turn) % count)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// A peer told something of a height; whoever is asked next must know as much.
    fn learnt(&mut self, height: u64, index: usize) {
        self.preferred = index;
        self.from.iter_mut().for_each(|from| *from = height.max(*from));
    }
}

/// The batch that holds a number, and the stream's next number; nothing if the peer knows the batch
/// and not its readings.
fn locate(query: &Query, stream: StreamId, seq: u64) -> Option<(Option<Located>, u64)> {
    let holding = readings(query, &stream, seq, seq)?.pop();
    let batch = match holding {
        None => None,
        Some(holding) => {
            let reach = BATCH_READINGS_MAX as u64;
            let around = readings(query, &stream, seq.saturating_sub(reach), seq + reach)?;
            let batch = around.into_iter().filter(|reading| reading.leaf == holding.leaf);
            located(batch)
        }
    };
    // Read after the readings, so that it is no lower than they say.
    Some((batch, query.stream(&stream).ok()?.head.next_seq))
}

fn located(batch: impl Iterator<Item = ReadingAt>) -> Option<Located> {
    let (numbers, readings): (Vec<u64>, Vec<Reading>) = batch
        .map(|ReadingAt { seq, claimed_ms, received_ms, value, .. }| {
            (seq, Reading { claimed_ms, received_ms, value })
        })
        .unzip();
    let first_seq = *numbers.first()?;
    Some(Located { first_seq, readings })
}

/// How long payloads that other peers keep are waited for.
const GATHER_PATIENCE: Duration = Duration::from_secs(3);

/// Has a peer fetch what others keep of the readings between two numbers, as its interface does.
pub(crate) async fn gather(
    context: &Context,
    query: &Query,
    stream: &StreamId,
    first: u64,
    last: u64,
) {
    let mut filter = ReadingFilter { seq: (first, last), ..ReadingFilter::ALL };
    while let Ok(page) = query.readings(stream, &filter, usize::MAX) {
        if let Ok(lacking) = query.lacking(stream, &page.unavailable)
            && !lacking.is_empty()
        {
            within(context, GATHER_PATIENCE, query.gather(lacking)).await;
        }
        let Some(next) = page.next else { return };
        filter.seq.0 = next + 1;
    }
}

/// All readings between two numbers; nothing if a payload is not there.
pub(crate) fn readings(
    query: &Query,
    stream: &StreamId,
    first: u64,
    last: u64,
) -> Option<Vec<ReadingAt>> {
    let mut all = Vec::new();
    let mut filter = ReadingFilter { seq: (first, last), ..ReadingFilter::ALL };
    loop {
        let page = query.readings(stream, &filter, usize::MAX).ok()?;
        if !page.unavailable.is_empty() {
            return None;
        }
        all.extend(page.readings);
        let Some(next) = page.next else { return Some(all) };
        filter.seq.0 = next + 1;
    }
}
