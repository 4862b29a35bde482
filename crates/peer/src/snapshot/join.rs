//! Takes a state over, and follows from it until the peer's own chain has caught up.

use std::{collections::BTreeSet, pin::pin, sync::Arc, time::Duration};

use althing_ordering::{Outbox, PeerKey, To};
use althing_state::Store;
use althing_types::{Block, Certificate};
use bytes::Bytes;
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::channel::mpsc;
use futures::future::{Either, select};

use super::{
    Ahead, Answer, Spare,
    landing::{Landing, Refused},
    offer::{Checked, Lie, Offer},
    tail::{self, Group},
};
use crate::{
    chain::Chain,
    core::{Core, Counters},
    verify::blocking,
    wire::{Fetch, Item},
};

/// How long a peer may take for one part before another is asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many peers are asked for an item before the transfer is begun anew.
const ATTEMPTS_MAX: usize = 12;
/// Pause before others are asked again when nobody could answer, or there was nothing new.
const PAUSE: Duration = Duration::from_millis(200);
/// How far the own chain may be behind the newest final block to be called caught up, blocks.
const CAUGHT_UP_BLOCKS: u64 = 8;

/// Why a transfer ended before its end.
enum End {
    /// Nobody has the state any more: begin anew.
    Lost,
    /// This peer cannot go on with it; it catches up by blocks alone.
    Given(String),
    /// The peer is stopping.
    Stopping,
}

/// Runs as long as there is something to catch up with.
pub(crate) async fn run<E: Clock + Metrics + Spawner>(
    context: E,
    core: Arc<Core>,
    spare: Arc<dyn Spare>,
    answers: mpsc::Receiver<Answer>,
    outbox: Outbox,
) {
    let mut asker = Asker { context, core, answers, outbox, liars: BTreeSet::new(), turn: 0 };
    while asker.core.ahead.get().is_none() {
        match asker.take_over(&spare).await {
            Ok(true) => break,
            Ok(false) => return,
            Err(End::Lost) => asker.context.sleep(PAUSE).await,
            Err(End::Stopping) => return,
            Err(End::Given(why)) => {
                return tracing::warn!(%why, "no state was taken over; all blocks are executed first");
            }
        }
    }
    asker.follow().await;
}

struct Asker<E> {
    context: E,
    core: Arc<Core>,
    answers: mpsc::Receiver<Answer>,
    outbox: Outbox,
    /// Who handed over what is not true.
    liars: BTreeSet<PeerKey>,
    turn: usize,
}

impl<E: Clock + Metrics + Spawner> Asker<E> {
    /// Takes a state over; false if there is no need.
    async fn take_over(&mut self, spare: &Arc<dyn Spare>) -> Result<bool, End> {
        let Some(offer) = self.offer().await? else { return Ok(false) };
        let height = offer.header.height;
        tracing::info!(height, root = %offer.root, "takes the state over from other peers");
        // So that they hold on to the same state, and can stand in for one another.
        let everybody = Fetch::Ask(Item::Pieces(height, 0), 0).encode();
        let _ = self.outbox.send(To::All, everybody);
        let spare = Arc::clone(spare);
        let store = self.off(move || empty(&*spare)).await?;
        let mut landing = Landing::new(offer, store);
        while let Some(item) = landing.next() {
            let (peer, _, bytes) = self.fetch(item).await.ok_or(End::Lost)?;
            let (taken, back) = self
                .off(move || {
                    let taken = landing.take(&bytes);
                    Ok((taken, landing))
                })
                .await?;
            landing = back;
            self.judge(&peer, taken)?;
        }
        let core = Arc::clone(&self.core);
        self.off(move || settle(&core, landing)).await?;
        tracing::info!(height, "answers about the present; what is before is being fetched");
        Ok(true)
    }

    /// Waits for an offer that is worth taking; none if this peer is not far behind.
    async fn offer(&mut self) -> Result<Option<Checked>, End> {
        let Some(behind) = self.core.config.sync.behind_blocks else { return Ok(None) };
        loop {
            if let Some((peer, _, bytes)) = self.fetch(Item::Offer(0)).await {
                let core = Arc::clone(&self.core);
                let checked =
                    self.off(move || Ok(Offer::check(&core.config.genesis, &bytes))).await?;
                match checked {
                    Ok(offer) => {
                        let own = self.core.chain.height();
                        let far = offer.header.height >= own.saturating_add(behind);
                        return Ok(Some(offer).filter(|_| far));
                    }
                    Err(lie) => self.accuse(peer, &lie),
                }
            }
            let tip = self.core.ordering().and_then(|ordering| ordering.tip());
            let own = self.core.chain.height();
            if tip.is_some_and(|tip| tip.height <= own.saturating_add(CAUGHT_UP_BLOCKS)) {
                return Ok(None);
            }
            self.context.sleep(PAUSE).await;
        }
    }

    fn accuse(&mut self, peer: PeerKey, lie: &Lie) {
        tail::name(&peer, lie);
        Counters::add(&self.core.counters.lies, 1);
        self.liars.insert(peer);
    }

    /// What becomes of the transfer after an item was taken or refused.
    fn judge(&mut self, peer: &PeerKey, taken: Result<(), Refused>) -> Result<(), End> {
        match taken {
            Ok(()) => Ok(()),
            Err(Refused::Lie(lie)) => {
                self.accuse(*peer, &lie);
                Ok(())
            }
            Err(error) => Err(End::Given(error.to_string())),
        }
    }

    /// Fetches blocks and executes them, until the own chain is as far.
    async fn follow(&mut self) {
        let core = Arc::clone(&self.core);
        let Some(ahead) = core.ahead.get() else { return };
        while core.chain.height() < ahead.chain.height() && !core.is_halted() {
            let from = ahead.chain.height().saturating_add(1);
            let Some((peer, _, bytes)) = self.fetch(Item::Blocks(from)).await else {
                self.context.sleep(PAUSE).await;
                continue;
            };
            let shared = Arc::clone(&core);
            let group = self.off(move || Ok(group(&shared, &bytes))).await;
            let blocks = match group {
                Ok(Ok(Group(blocks))) => blocks,
                Ok(Err(lie)) => {
                    self.accuse(peer, &lie);
                    continue;
                }
                Err(_) => return,
            };
            if blocks.is_empty() {
                self.context.sleep(PAUSE).await;
            }
            for (block, certificate) in blocks {
                let shared = Arc::clone(&core);
                let work = move || Ok(execute(&shared, block, certificate.as_ref()));
                match self.off(work).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::error!(%error, "cannot go on with the state that was taken over");
                        return ahead.end();
                    }
                    Err(_) => return,
                }
            }
        }
        ahead.end();
        core.work.notify_waiters();
        tracing::info!(height = core.chain.height(), "knows the whole history");
    }

    /// Fetches something from one peer, whoever answers first when asked in turn: who, what and its
    /// bytes.
    async fn fetch(&mut self, item: Item) -> Option<(PeerKey, Item, Bytes)> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(peer) = self.next_peer() else {
                self.context.sleep(PAUSE).await;
                continue;
            };
            if let Some((item, bytes)) = self.fetch_from(peer, item).await {
                // Who answers well is asked again: it has what comes next at hand.
                return Some((peer, item, bytes));
            }
            self.turn = self.turn.wrapping_add(1);
        }
        None
    }

    fn next_peer(&self) -> Option<PeerKey> {
        let mut peers = self.core.ordering()?.connected();
        peers.retain(|peer| !self.liars.contains(peer));
        peers.sort_unstable();
        let count = peers.len();
        (count > 0).then(|| peers[self.turn % count])
    }

    async fn fetch_from(&mut self, peer: PeerKey, asked: Item) -> Option<(Item, Bytes)> {
        let (mut item, mut bytes) = (asked, Vec::new());
        loop {
            let offset = u32::try_from(bytes.len()).ok()?;
            let _ = self.outbox.send(To::One(peer), Fetch::Ask(item, offset).encode());
            let part = self.part(peer, item, offset).await?;
            // An offer of the newest state is of a state with a height.
            item = part.item;
            let total = usize::try_from(part.total).ok()?;
            bytes.extend_from_slice(&part.bytes);
            if total > Item::BYTES_MAX || bytes.len() > total {
                return None;
            }
            if bytes.len() == total {
                return Some((item, bytes.into()));
            }
            if part.bytes.is_empty() {
                return None;
            }
        }
    }

    /// The answer of a peer to what it was asked; none if it does not come in time.
    async fn part(&mut self, peer: PeerKey, item: Item, offset: u32) -> Option<crate::wire::Part> {
        let mut late = pin!(self.context.sleep(PATIENCE));
        loop {
            let answer = pin!(self.answers.recv());
            match select(answer, late.as_mut()).await {
                Either::Left((Some((from, part)), _)) => {
                    let same = part.item == item
                        || matches!((item, part.item), (Item::Offer(0), Item::Offer(_)));
                    if from == peer && same && part.offset == offset {
                        return Some(part);
                    }
                }
                Either::Left((None, _)) | Either::Right(_) => return None,
            }
        }
    }

    /// Runs what computes or waits for a disk off the asynchronous threads.
    async fn off<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, End> {
        match blocking(&self.context, work).await {
            Some(Ok(done)) => Ok(done),
            Some(Err(why)) => Err(End::Given(why)),
            None => Err(End::Stopping),
        }
    }
}

fn empty(spare: &dyn Spare) -> Result<Arc<dyn Store>, String> {
    spare.clear().and_then(|()| spare.open()).map_err(|error| error.to_string())
}

/// Makes a chain of what has landed, which answers from now on.
fn settle(core: &Core, landing: Landing) -> Result<(), String> {
    let base = landing.height();
    let (state, payloads) =
        landing.finish(&core.config.genesis).map_err(|error| error.to_string())?;
    let chain = Chain::of(state, &core.chain).map_err(|error| error.to_string())?;
    core.go_ahead(Ahead::new(chain, base));
    for digest in payloads {
        core.payloads.want(digest);
    }
    Ok(())
}

fn group(core: &Core, bytes: &[u8]) -> Result<Group, Lie> {
    let ahead = core.ahead.get().ok_or(Lie("nothing was taken over"))?;
    Group::for_chain(core, &ahead.chain, bytes)
}

fn execute(
    core: &Core,
    block: Arc<Block>,
    certificate: Option<&Certificate>,
) -> Result<(), Refused> {
    core.ahead.get().map_or(Ok(()), |ahead| tail::execute(core, ahead, block, certificate))
}

/// Goes on with a state that was taken over before the last stop, if it is whole and still the newer one.
pub(crate) fn resume(core: &Core, spare: &dyn Spare) {
    if !spare.is_used() {
        return;
    }
    let found = spare
        .open()
        .map_err(|error| error.to_string())
        .and_then(|store| Chain::taken_over(store, &core.chain).map_err(|error| error.to_string()));
    match found {
        Ok(Some((chain, base))) if chain.height() > core.chain.height() => {
            tracing::info!(base, height = chain.height(), "goes on with the state it took over");
            core.go_ahead(Ahead::new(chain, base));
        }
        Ok(found) => {
            drop(found);
            if let Err(error) = spare.clear() {
                tracing::warn!(%error, "cannot remove what is left of a state that was taken over");
            }
        }
        Err(why) => {
            tracing::warn!(%why, "a state that was taken over cannot be used, and is taken over anew");
            let _ = spare.clear();
        }
    }
}
