//! Takes transactions in from clients and from other peers, and spreads what clients brought.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use althing_ledger::Context;
use althing_ordering::{Inbox, Outbox, PeerKey, To, Watched};
use althing_types::{Refusal, TxId};
use bytes::Bytes;
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::{
    channel::{mpsc, oneshot},
    sync::MutexGuard,
};
use futures::future::{Either, select};

use crate::{
    admission::{self, Candidate},
    application::unix_ms,
    core::{Core, Counters},
    lanes::{Lane, Lanes},
    mempool::{Checked, Mempool},
    trust::Trust,
    verify::blocking,
    wire::{SPREAD_BYTES_MAX, SPREAD_MAX, Submission, decode_spread, encode_spread},
};

/// Transactions checked together: enough for the signature batch to pay, few enough to answer soon.
const CHECKED_TOGETHER_MAX: usize = 2048;
/// So many checked at once, and more waiting, is a peer under load.
const MANY: usize = 256;
/// How long a peer under load lets calls gather: what comes in a block meanwhile is checked there, and need not be
/// admitted. Nobody sees the difference where answers wait for others anyway.
const GATHER: Duration = Duration::from_millis(20);
/// Least time between two messages that spread transactions; keeps below the channel's quota.
const SPREAD_SPACING: Duration = Duration::from_millis(4);
/// After a start what clients brought is spread again so soon, and then after twice as long each time: it
/// may have come before the other peers were connected, and the leader would not hear of it.
const RESPREAD_FIRST: Duration = Duration::from_millis(50);

pub(crate) type Verdicts = Vec<Result<TxId, Refusal>>;

/// One call of a client or one message of a peer.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) submissions: Vec<Submission>,
    pub(crate) source: Source,
}

#[derive(Debug)]
pub(crate) enum Source {
    Client(oneshot::Sender<Verdicts>),
    Peer(PeerKey),
}

/// Calls that wait, in fair order.
pub(crate) type Intake = Watched<Lanes<Call>>;

/// Puts a call into its lane; whoever finds no room is told so.
pub(crate) fn call(core: &Core, lane: Lane, call: Call) {
    let mut refused = None;
    core.intake.change(|lanes| {
        refused = lanes.push(lane, call);
        true
    });
    match refused {
        // Dropping the reply says that the peer is stopping.
        Some(_) if core.intake.read(Lanes::is_closed) => {}
        Some(Call { submissions, source: Source::Client(reply) }) => {
            let _ = reply.send(vec![Err(Refusal::MempoolFull); submissions.len()]);
        }
        // Its own peer spreads it again while it is not final.
        Some(_) => Counters::add(&core.counters.messages_refused, 1),
        None => {}
    }
}

/// Takes calls in turn, so many that checking them together pays.
fn take(lanes: &mut Lanes<Call>) -> Vec<Call> {
    let (mut together, mut count) = (Vec::new(), 0);
    while count < CHECKED_TOGETHER_MAX {
        let Some(next) = lanes.pop() else { break };
        count += next.submissions.len();
        together.push(next);
    }
    together
}

/// Nobody waits for an answer once nobody checks any more.
struct Close(Arc<Core>);

impl Drop for Close {
    fn drop(&mut self) {
        self.0.intake.change(|lanes| {
            lanes.close();
            false
        });
    }
}

/// Checks calls as they come, many at once when many wait.
pub(crate) async fn admit<E: Clock + Metrics + Spawner>(
    context: E,
    core: Arc<Core>,
    spread: mpsc::Sender<Vec<Arc<Checked>>>,
) {
    let _close = Close(Arc::clone(&core));
    let mut last = 0;
    loop {
        if last >= MANY && !core.intake.read(Lanes::is_empty) {
            context.sleep(GATHER).await;
        }
        core.intake.until(|lanes| !lanes.is_empty()).await;
        let mut together = Vec::new();
        core.intake.change(|lanes| {
            together = take(lanes);
            false
        });
        last = together.iter().map(|call: &Call| call.submissions.len()).sum();
        let now_ms = unix_ms(context.current());
        let shared = Arc::clone(&core);
        let Some(entered) = blocking(&context, move || check(&shared, together, now_ms)).await
        else {
            return;
        };
        if entered.count > 0 {
            core.arrivals.lock().came(now_ms, entered.count);
            core.work.notify_waiters();
        }
        if !entered.fresh.is_empty() {
            // Full means that spreading lags; what is not spread now is spread again later.
            let _ = spread.try_send(entered.fresh);
        }
    }
}

/// What waits now that did not before.
#[derive(Debug, Default)]
pub(crate) struct Entered {
    /// How much does: a leader that waits for work has some, whoever brought it.
    count: usize,
    /// What clients of this peer brought: other peers must hear of it.
    fresh: Vec<Arc<Checked>>,
}

/// Checks calls together and answers each.
pub(crate) fn check(core: &Core, calls: Vec<Call>, now_ms: u64) -> Entered {
    let settled = core.settled.lock().count();
    let view = core.present().view();
    // As execution will: members may have changed the settings since the genesis. A disk that fails
    // fails every check below too.
    let parameters = althing_ledger::parameters(&view);
    let context = Context {
        ledger: core.ledger,
        height: core.present().height(),
        time_ms: now_ms,
        parameters: parameters.as_ref().unwrap_or(&core.config.genesis.parameters),
    };
    let trust = Trust::of(core);
    let mut now_waiting = Entered::default();
    let (mut all, mut spans) = (Vec::new(), Vec::new());
    for call in calls {
        let (start, is_vouched) = (all.len(), trust.vouches(&call.source));
        all.extend(call.submissions.into_iter().map(|it| candidate(it, is_vouched)));
        spans.push((start, all.len(), call.source));
    }
    let ids: Vec<TxId> = all.iter().map(|(candidate, _)| candidate.id).collect();
    let _checking = core.checking.lock();
    let known = known(core, &ids);
    let looked_up = all.into_iter().zip(&known);
    let new: Vec<(Candidate, Vec<Bytes>)> =
        looked_up.filter(|(_, known)| known.is_none()).map(|(new, _)| new).collect();
    let vouched: Vec<bool> = new.iter().map(|(candidate, _)| candidate.is_vouched).collect();
    let blinding = admission::blinding(&ids);
    let verdicts = admission::admit(&view, &context, |id| core.is_final(id), new, blinding);
    let looked_at = verdicts.iter().zip(vouched).filter(|(verdict, _)| was_looked_at(verdict));
    let (vouched, checked): (Vec<_>, Vec<_>) = looked_at.partition(|(_, is_vouched)| *is_vouched);
    Counters::add(&core.counters.vouched, vouched.len());
    Counters::add(&core.counters.checked, checked.len());
    let mut verdicts = verdicts.into_iter();
    let mut door = Door::open(core, settled);
    let mut answered = Vec::with_capacity(spans.len());
    for (start, end, source) in spans {
        let local = matches!(source, Source::Client(_));
        let mut answers = Vec::with_capacity(end - start);
        for index in start..end {
            let verdict = match &known[index] {
                Some(Known::Waiting) => Ok(None),
                Some(Known::Proposed(checked)) => Ok(Some(Arc::clone(checked))),
                None => next_verdict(&mut verdicts),
            };
            let came_ms = local.then_some(now_ms);
            answers.push(match verdict.and_then(|it| door.enter(it, came_ms)) {
                Ok(entered) => {
                    now_waiting.count += usize::from(entered.is_some());
                    now_waiting.fresh.extend(entered.filter(|_| local));
                    Ok(ids[index])
                }
                Err(refusal) => Err(refusal),
            });
        }
        answered.push((source, answers));
    }
    drop(door);
    answered.into_iter().for_each(|(source, answers)| answer(core, source, answers));
    now_waiting
}

/// Whether the signatures counted: not if it was too late for them, or too early.
const fn was_looked_at(verdict: &Result<Checked, Refusal>) -> bool {
    use Refusal::{Expired, ExpiryTooFar, NonceReused, NonceTooFar, NonceTooOld};
    !matches!(verdict, Err(Expired | ExpiryTooFar | NonceReused | NonceTooFar | NonceTooOld))
}

fn candidate(it: Submission, is_vouched: bool) -> (Candidate, Vec<Bytes>) {
    let id = TxId::of(&it.transaction);
    (Candidate { id, wire: it.transaction, is_vouched }, it.payloads)
}

/// What need not be checked again.
enum Known {
    /// It waits here already.
    Waiting,
    /// It came in a block that was proposed before it came by itself. It waits from now on: the
    /// block may be abandoned.
    Proposed(Arc<Checked>),
}

fn known(core: &Core, ids: &[TxId]) -> Vec<Option<Known>> {
    let (mempool, proposed) = (core.mempool.lock(), core.proposed.lock());
    let known = |id: &TxId| match mempool.get(id) {
        Some(_) => Some(Known::Waiting),
        None => proposed.get(id).map(|checked| Known::Proposed(Arc::clone(checked))),
    };
    ids.iter().map(known).collect()
}

type Verdict = Result<Option<Arc<Checked>>, Refusal>;

fn next_verdict(verdicts: &mut impl Iterator<Item = Result<Checked, Refusal>>) -> Verdict {
    verdicts.next().unwrap_or(Err(Refusal::NotReady)).map(|checked| Some(Arc::new(checked)))
}

/// Lets transactions wait that have been checked.
struct Door<'a> {
    core: &'a Core,
    /// Held until all have come in, so that no block is settled between them.
    mempool: MutexGuard<'a, Mempool>,
    /// What blocks carried out while these were checked; none if it is not remembered.
    carried_out: Option<HashSet<TxId>>,
}

impl<'a> Door<'a> {
    /// For transactions that were not known when `settled` blocks had been carried out.
    fn open(core: &'a Core, settled: u64) -> Self {
        let mempool = core.mempool.lock();
        let carried_out = core.settled.lock().after(settled);
        Self { core, mempool, carried_out }
    }

    /// Nothing would take one out again that was carried out meanwhile; it would be proposed once more.
    fn enter(&mut self, checked: Option<Arc<Checked>>, came_ms: Option<u64>) -> Verdict {
        let Some(checked) = checked else { return Ok(None) };
        let id = checked.transaction.id();
        let is_carried_out = match &self.carried_out {
            Some(ids) => ids.contains(&id),
            None => self.core.is_final(&id),
        };
        if is_carried_out {
            return Ok(None);
        }
        self.mempool.insert(Arc::clone(&checked), came_ms)?;
        Ok(Some(checked))
    }
}

fn answer(core: &Core, source: Source, answers: Verdicts) {
    let refused = answers.iter().filter(|answer| answer.is_err()).count();
    Counters::add(&core.counters.refused, refused);
    Counters::add(&core.counters.admitted, answers.len() - refused);
    match source {
        Source::Client(reply) => _ = reply.send(answers),
        Source::Peer(peer) => {
            // Not an offence: the other peer may have executed more or less than this one.
            if let Some(Err(refusal)) = answers.iter().find(|answer| answer.is_err()) {
                tracing::debug!(peer = %hex::encode(peer), code = refusal.code(), refused, "refused");
            }
        }
    }
}

/// Takes other peers' transactions in.
pub(crate) async fn listen(core: Arc<Core>, mut inbox: Inbox) {
    while let Some((peer, message)) = inbox.recv().await {
        match decode_spread(&message) {
            Ok(submissions) => {
                call(&core, Lane::Peer(peer), Call { submissions, source: Source::Peer(peer) });
            }
            Err(error) => {
                Counters::add(&core.counters.messages_refused, 1);
                tracing::debug!(peer = %hex::encode(peer), %error, "malformed transactions");
            }
        }
    }
}

/// Spreads what clients brought, at once, and again as long as it is not final.
pub(crate) async fn spread<E: Clock>(
    context: E,
    core: Arc<Core>,
    mut fresh: mpsc::Receiver<Vec<Arc<Checked>>>,
    outbox: Outbox,
) {
    let mut pauses = pauses(core.config.respread_interval);
    let mut again = next_time(context.current(), &mut pauses);
    loop {
        let next = {
            let next = std::pin::pin!(fresh.recv());
            let tick = std::pin::pin!(context.sleep_until(again));
            match select(next, tick).await {
                Either::Left((None, _)) => return,
                Either::Left((Some(checked), _)) => Some(checked),
                Either::Right(_) => None,
            }
        };
        match next {
            Some(mut checked) => {
                while let Ok(more) = fresh.try_recv() {
                    checked.extend(more);
                }
                send_all(&outbox, &checked);
                context.sleep(SPREAD_SPACING).await;
            }
            None => {
                let waiting = core.mempool.lock().local(SPREAD_MAX);
                send_all(&outbox, &waiting);
                core.forget_waiters();
                again = next_time(context.current(), &mut pauses);
            }
        }
    }
}

/// How long to wait before what is not final is spread again, time after time.
fn pauses(interval: Duration) -> impl Iterator<Item = Duration> {
    let longer = move |pause: &Duration| Some(pause.saturating_mul(2).min(interval));
    std::iter::successors(Some(RESPREAD_FIRST.min(interval)), longer)
}

fn next_time(now: SystemTime, pauses: &mut impl Iterator<Item = Duration>) -> SystemTime {
    pauses.next().and_then(|pause| now.checked_add(pause)).unwrap_or(now)
}

fn send_all(outbox: &Outbox, checked: &[Arc<Checked>]) {
    let mut message = Vec::new();
    let mut bytes = 0;
    for entry in checked {
        let full = message.len() >= SPREAD_MAX || bytes + entry.len() > SPREAD_BYTES_MAX;
        if full && !message.is_empty() {
            send(outbox, &message);
            message.clear();
            bytes = 0;
        }
        bytes += entry.len();
        message.push(Submission {
            transaction: entry.transaction.wire().clone(),
            payloads: entry.payloads.clone(),
        });
    }
    if !message.is_empty() {
        send(outbox, &message);
    }
}

fn send(outbox: &Outbox, message: &[Submission]) {
    let message: Bytes = encode_spread(message);
    if let Err(error) = outbox.send(To::All, message) {
        tracing::warn!(%error, "cannot spread transactions");
    }
}

#[cfg(test)]
mod tests {
    use althing_types::{Action, Block, Record};

    use super::*;
    use crate::{core::Executed, executor::settle, origin::Origin};

    #[test]
    fn what_was_carried_out_while_it_was_checked_does_not_wait() {
        let mut origin = Origin::grown();
        let note = || {
            let kind = "note".to_owned();
            vec![Action::Record(Record { kind, data: vec![1], notify: vec![], link: None })]
        };
        let core = Arc::clone(&origin.core);
        let (now_ms, settled) = (core.chain.done(core.chain.height()).unwrap().header.time_ms, 0);
        let [carried_out, other] = [origin.sign(note()), origin.sign(note())].map(|transaction| {
            let (wire, (reply, _verdicts)) = (transaction.wire().clone(), oneshot::channel());
            let submissions = vec![Submission { transaction: wire, payloads: Vec::new() }];
            let call = Call { submissions, source: Source::Client(reply) };
            check(&core, vec![call], now_ms);
            core.mempool.lock().remove(&transaction.id()).expect("it was taken in")
        });
        let header = origin.genesis.block(core.chain.state_root()).header().clone();
        let block = Arc::new(Block::new(header, vec![carried_out.transaction.wire().clone()]));
        let (receipts, state_root) = (Arc::default(), core.chain.state_root());
        settle(&core, &Arc::new(Executed { block, receipts, state_root }));
        let mut door = Door::open(&core, settled);
        let mut entered = |it: &Arc<Checked>| {
            door.enter(Some(Arc::clone(it)), None).expect("there is room").is_some()
        };
        assert_eq!([entered(&carried_out), entered(&other)], [false, true]);
        drop(door);
        let mempool = core.mempool.lock();
        assert_eq!(mempool.len(), 1);
        assert!(mempool.get(&other.transaction.id()).is_some());
    }

    #[test]
    fn what_came_before_others_were_there_is_spread_again_soon_and_then_seldom() {
        let ms = |interval| {
            let pauses = pauses(Duration::from_millis(interval)).take(8);
            pauses.map(|pause| pause.as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(ms(2000), [50, 100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(ms(20), [20; 8]);
    }
}
