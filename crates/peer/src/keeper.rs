//! Keeps what is this peer's duty, and no more: fetches what became its duty, and drops what is others'
//! as soon as all of them say that they have it.
//!
//! Everybody who votes for a block has its payloads; who is not a holder asks the holders for their word
//! first, so that a payload is never with fewer peers than its owner wants because of a holder that
//! was away. A holder gives it by its own newest state, and recomputes its duty before it drops anything
//! itself: of two peers at different heights, one keeps.
//!
//! What has been seen to is remembered until seats or placements change, or the peer starts again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use althing_ledger::index;
use althing_ordering::{Outbox, PeerKey, To};
use althing_proof::stream::Leaf;
use althing_state::{Direction, Space, StoreError, prefix_end};
use althing_storage::PayloadError;
use althing_types::{StreamId, Validator};
use commonware_runtime::{Clock, Metrics, Spawner};

use crate::{
    core::{Core, Counters, Halt},
    duty::Duties,
    rows,
    verify::blocking,
    wire::{Fetch, KEPT_MAX},
};

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(500);
/// Batches looked at each time: 4,000 a second.
const LEAVES_AT_ONCE: usize = 2_000;
/// Most payloads that wait for others' word; more are found when these are done with.
const SURPLUS_MAX: usize = 16_384;
/// Most of them that are asked about or dropped each time.
const SETTLED_AT_ONCE: usize = 2 * KEPT_MAX;
/// Batches of one stream that are looked at each time for being past retention.
const EXPIRED_AT_ONCE: usize = 64;
/// Placed streams that are read together.
const STREAMS_READ: usize = 256;

/// What has been seen to.
#[derive(Debug, Default)]
struct Seen {
    seats: Vec<Validator>,
    streams: BTreeMap<StreamId, Place>,
    /// Where the last round ended, so that all streams have their turn.
    last: Option<StreamId>,
}

/// How far one stream has been seen to.
#[derive(Debug, Default, Clone, Copy)]
struct Place {
    /// Height of the placement that it was seen to by.
    since_height: u64,
    /// The next batch.
    next: u64,
    /// The next batch that may be past retention.
    expiring: u64,
}

/// What one round found.
#[derive(Debug, Default)]
struct Round {
    /// Which peers are to be asked about which payloads.
    asks: BTreeMap<PeerKey, Vec<[u8; 32]>>,
    dropped: usize,
    /// Whether all has been seen to that blocks brought so far.
    is_idle: bool,
}

/// Keeps what is to be kept for as long as the peer runs.
pub(crate) async fn keep<E: Clock + Metrics + Spawner>(
    context: E,
    core: Arc<Core>,
    outbox: Outbox,
) {
    let mut seen = Seen::default();
    while !core.is_halted() {
        let height = core.chain.height();
        let shared = Arc::clone(&core);
        let round = blocking(&context, move || {
            let round = seen.round(&shared);
            (seen, round)
        });
        let Some((after, round)) = round.await else { return };
        seen = after;
        let mut is_idle = false;
        match round {
            Ok(round) => {
                is_idle = round.is_idle;
                Counters::add(&core.counters.payloads_dropped, round.dropped);
                for (peer, digests) in round.asks {
                    for part in digests.chunks(KEPT_MAX) {
                        let _ = outbox.send(To::One(peer), Fetch::Keeps(part.to_vec()).encode());
                    }
                }
            }
            // Nothing is lost: what could not be moved or dropped is still there.
            Err(PayloadError::Full) => tracing::warn!("no space to move payloads in"),
            Err(error) => return core.stop_for(Halt::Storage(error.to_string())),
        }
        context.sleep(INTERVAL).await;
        if is_idle {
            core.chain.executed_at_least(height.saturating_add(1)).await;
        }
    }
}

impl Seen {
    fn round(&mut self, core: &Core) -> Result<Round, PayloadError> {
        let mut duties = Duties::now(core)?;
        if self.seats != duties.seats() {
            self.seats = duties.seats().to_vec();
            self.streams.clear();
            core.payloads.forget_words();
        }
        let has_looked_at_all = self.look(core, &mut duties)?;
        let mut round = settle(core, &mut duties)?;
        let is_compact = core.payloads.store().compact()?.is_none();
        round.is_idle = has_looked_at_all && is_compact && core.payloads.surplus() == 0;
        Ok(round)
    }

    /// Looks at some batches of placed streams; whether nothing is left to look at.
    fn look(&mut self, core: &Core, duties: &mut Duties<'_>) -> Result<bool, PayloadError> {
        let mut left = LEAVES_AT_ONCE;
        let is_first = self.last.is_none();
        let (streams, is_all) = placed(core, self.last.as_ref())?;
        for stream in &streams {
            if left == 0 {
                return Ok(false);
            }
            self.last = Some(*stream);
            let Some(since_height) = duties.record(stream)?.map(|record| record.since_height)
            else {
                continue;
            };
            let place = self.streams.entry(*stream).or_default();
            if place.since_height != since_height {
                *place = Place { since_height, ..Place::default() };
                core.payloads.forget_words();
            }
            left -= look_at(core, duties, stream, place, left)?;
            left -= expire(core, duties, stream, place, left)?;
        }
        if is_all {
            self.last = None;
        }
        Ok(is_first && is_all && left > 0)
    }
}

/// Some of the placed streams behind one, and whether they are the last.
fn placed(core: &Core, after: Option<&StreamId>) -> Result<(Vec<StreamId>, bool), StoreError> {
    let prefix = index::placed_streams();
    let from =
        after.map_or_else(|| prefix.clone(), |after| [prefix.as_slice(), &after.0, &[0]].concat());
    let end = prefix_end(&prefix);
    let store = core.chain.state().store();
    let rows = store.scan(Space::Index, &from, end.as_deref(), Direction::Forward, STREAMS_READ)?;
    let is_all = rows.len() < STREAMS_READ;
    let id = |(row, _): &(Vec<u8>, Vec<u8>)| row.get(prefix.len()..)?.try_into().ok().map(StreamId);
    Ok((rows.iter().filter_map(id).collect(), is_all))
}

/// Batches of a stream from a position on, with their positions.
fn batches(
    core: &Core,
    stream: &StreamId,
    from: u64,
    limit: usize,
) -> Result<Vec<(u64, Leaf)>, StoreError> {
    let begin = rows::leaf(stream, from);
    let end = rows::leaves(&begin).and_then(|prefix| prefix_end(&prefix));
    let store = core.chain.state().store();
    let rows = store.scan(Space::Nodes, &begin, end.as_deref(), Direction::Forward, limit)?;
    rows.iter()
        .map(|(key, value)| {
            let index = key.last_chunk::<8>().map(|index| u64::from_be_bytes(*index));
            index.zip(rows::decode_leaf(value)).ok_or_else(|| StoreError::corrupt(key))
        })
        .collect()
}

/// Looks at batches that were not looked at yet; how many.
fn look_at(
    core: &Core,
    duties: &mut Duties<'_>,
    stream: &StreamId,
    place: &mut Place,
    limit: usize,
) -> Result<usize, PayloadError> {
    let found = batches(core, stream, place.next, limit)?;
    for (index, leaf) in &found {
        let digest = leaf.payload_digest;
        let is_here = core.payloads.store().contains(&digest);
        let mine = duties.of_batch(stream, leaf)?.mine;
        if mine && !is_here {
            core.payloads.want(digest);
        } else if !mine && is_here && !core.payloads.is_surplus(digest, SURPLUS_MAX) {
            // No room: this one has its turn again.
            place.next = *index;
            return Ok(found.len());
        } else if !mine && !is_here {
            core.payloads.want_no_more(&digest);
        }
        place.next = index.saturating_add(1);
    }
    Ok(found.len())
}

/// Drops payloads that are past retention, the oldest first; how many batches it looked at. They came
/// in the order of ledger time.
fn expire(
    core: &Core,
    duties: &mut Duties<'_>,
    stream: &StreamId,
    place: &mut Place,
    limit: usize,
) -> Result<usize, PayloadError> {
    if duties.record(stream)?.is_none_or(|record| record.placement.retention_days.is_none()) {
        return Ok(0);
    }
    let found = batches(core, stream, place.expiring, limit.min(EXPIRED_AT_ONCE))?;
    let mut gone = BTreeSet::new();
    for (index, leaf) in &found {
        if *index >= place.next || !duties.is_past_retention(stream, leaf)? {
            break;
        }
        if !duties.of_payload(&leaf.payload_digest)?.wanted {
            gone.insert(leaf.payload_digest);
        }
        place.expiring = index.saturating_add(1);
    }
    if !gone.is_empty() {
        core.payloads.drop_all(&gone)?;
    }
    Ok(found.len())
}

/// Drops what all its holders have said they have; finds whom to ask about the rest.
fn settle(core: &Core, duties: &mut Duties<'_>) -> Result<Round, PayloadError> {
    let (mut round, mut gone) = (Round::default(), BTreeSet::new());
    for (digest, said) in core.payloads.next_surplus(SETTLED_AT_ONCE) {
        let duty = duties.of_payload(&digest)?;
        if duty.mine || !core.payloads.store().contains(&digest) {
            core.payloads.no_surplus(&digest);
            continue;
        }
        let holders = duties.keys(&duty.holders);
        if holders.iter().all(|holder| said.contains(holder)) {
            gone.insert(digest);
        } else {
            for holder in holders.into_iter().filter(|holder| !said.contains(holder)) {
                round.asks.entry(holder).or_default().push(digest);
            }
        }
    }
    round.dropped = gone.len();
    if !gone.is_empty() {
        core.payloads.drop_all(&gone)?;
    }
    Ok(round)
}

/// Those of these payloads that this peer has and is to keep: its word, on which others drop theirs.
pub(crate) fn kept(core: &Core, digests: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, StoreError> {
    let mut duties = Duties::now(core)?;
    let mut kept = Vec::new();
    for digest in digests {
        if core.payloads.store().contains(digest) && duties.of_payload(digest)?.mine {
            kept.push(*digest);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use althing_types::{Action, Placement, StreamPlacement, Wire as _};
    use commonware_runtime::{Runner as _, deterministic};

    use super::*;
    use crate::{
        Peer,
        origin::{Origin, batch, payload},
        query::{QueryError, Question, ReadingFilter},
    };

    const HOUR_MS: u64 = 3_600_000;

    /// A day later nobody need have it: it is dropped, answers say why it is not there, and what it amounts
    /// to is still proven.
    #[test]
    fn what_is_past_retention_goes_and_answers_say_so() {
        deterministic::Runner::default().start(|_| async move {
            let mut origin = Origin::grown();
            origin.pace_ms = HOUR_MS;
            let stream = origin.stream(8);
            let kept_for_a_day = Placement { retention_days: Some(1), ..Placement::default() };
            let bytes = |round| {
                let payload = payload(8, round).to_wire();
                (batch_digest(&origin, round), payload.into())
            };
            origin.core.payloads.keep((0..4).map(bytes).collect()).unwrap();
            let place = Action::PlaceStream(StreamPlacement { stream, placement: kept_for_a_day });
            origin.block(vec![vec![place]]);
            let core = Arc::clone(&origin.core);
            let mut seen = Seen::default();
            seen.round(&core).unwrap();
            let query = Peer { core: Arc::clone(&core) }.query();
            let page = || query.readings(&stream, &ReadingFilter::ALL, 100).unwrap();
            assert_eq!((page().readings.len(), page().past_retention.len()), (12, 0));

            (0..25).for_each(|_| origin.block(Vec::new()));
            seen.round(&core).unwrap();
            let after = page();
            assert!(after.readings.is_empty() && after.unavailable.is_empty(), "{after:?}");
            assert_eq!(after.past_retention, [0, 1, 2, 3]);
            assert!(
                (0..4).all(|round| !core.payloads.store().contains(&batch_digest(&origin, round)))
            );
            let told = query.prepare(Question::Reading { stream, seq: 4 }).await.unwrap().bundle();
            assert!(matches!(told, Err(QueryError::PastRetention { leaf: 1 })), "{told:?}");
            let all = Question::Aggregate { stream, interval: None };
            let bundle = query.prepare(all).await.unwrap().bundle().unwrap();
            althing_proof::verify(&bundle, &origin.genesis).unwrap();
        });
    }

    fn batch_digest(origin: &Origin, round: usize) -> [u8; 32] {
        batch(origin, 8, round).payload_digest
    }
}
