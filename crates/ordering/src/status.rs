use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use althing_types::{Digest, Mechanism};
use commonware_utils::sync::Mutex;

use crate::{seam::PeerKey, watched::Watched};

/// What ordering is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waiting until a quorum of validators is connected, so that votes reach somebody.
    Connecting,
    /// Proposing and voting.
    Voting,
    /// Following without a vote.
    Following,
    /// Stopped, and for which reason.
    Stopped(StopReason),
}

/// Why ordering stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// It was asked to.
    Asked,
    /// The application dropped the [`Ack`](crate::Ack) of this height.
    NotAcknowledged(u64),
    /// The engine, the block store or the network ended by itself; the log says why. The peer must
    /// be restarted, since it no longer takes part.
    Failed(&'static str),
}

/// The highest block known to be final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: u64,
    /// Its digest.
    pub block: Digest,
    /// Epoch in which it became final.
    pub epoch: u64,
    /// View in which it became final.
    pub view: u64,
}

/// A snapshot for people and health checks: what happens, and what is being waited for.
#[derive(Debug, Clone)]
pub struct Status {
    /// What ordering is doing.
    pub phase: Phase,
    /// The current epoch.
    pub epoch: u64,
    /// How its validators agree.
    pub mechanism: Mechanism,
    /// The current view.
    pub view: u64,
    /// The leader of the current view.
    pub leader: PeerKey,
    /// When the current view was entered, milliseconds since 1970.
    pub view_since_ms: u64,
    /// How many validators must vote alike.
    pub quorum: usize,
    /// Peers connected now, this one not counted.
    pub connected: Vec<PeerKey>,
    /// Validators whose vote to notarize a block of the current view was seen; by Raft, those that
    /// were heard in it.
    pub notarized: Vec<PeerKey>,
    /// Validators whose vote to give the current view up was seen.
    pub nullified: Vec<PeerKey>,
    /// Per validator, in order, when its latest vote was seen, milliseconds since 1970.
    pub heard_ms: Vec<(PeerKey, Option<u64>)>,
    /// Views given up since start.
    pub views_nullified: u64,
    /// The highest block known to be final; `None` until one is, after a first start.
    pub tip: Option<Tip>,
    /// The highest block that the application has acknowledged.
    pub acknowledged: u64,
}

/// What the tasks of one peer's ordering share.
#[derive(Debug)]
pub(crate) struct Shared {
    stopping: AtomicBool,
    acknowledged: AtomicU64,
    stop: Watched<Option<StopReason>>,
    finished: Watched<bool>,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    phase: Phase,
    epoch: u64,
    view: u64,
    view_since_ms: u64,
    /// Who leads, where that does not follow from the view.
    leader: Option<usize>,
    notarized: BTreeSet<usize>,
    nullified: BTreeSet<usize>,
    heard_ms: Vec<Option<u64>>,
    views_nullified: u64,
    tip: Option<Tip>,
}

/// A vote seen, as far as status is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vote {
    Notarize,
    Nullify,
    Finalize,
}

impl Shared {
    pub(crate) fn new(epoch: u64, validators: usize) -> Self {
        Self {
            stopping: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            stop: Watched::new(None),
            finished: Watched::new(false),
            progress: Mutex::new(Progress {
                phase: Phase::Connecting,
                epoch,
                view: 1,
                view_since_ms: 0,
                leader: None,
                notarized: BTreeSet::new(),
                nullified: BTreeSet::new(),
                heard_ms: vec![None; validators],
                views_nullified: 0,
                tip: None,
            }),
        }
    }

    pub(crate) fn acknowledged(&self, height: u64) {
        self.acknowledged.fetch_max(height, Ordering::AcqRel);
    }

    pub(crate) fn acknowledged_height(&self) -> u64 {
        self.acknowledged.load(Ordering::Acquire)
    }

    /// An application that is being stopped may drop what it will not finish.
    pub(crate) fn ack_dropped(&self, height: u64) {
        if !self.stopping.load(Ordering::Acquire) {
            tracing::error!(height, "block was not acknowledged; ordering stops");
            self.request_stop(StopReason::NotAcknowledged(height));
        }
    }

    /// Asks the root task to stop everything; the first reason given is kept.
    pub(crate) fn request_stop(&self, reason: StopReason) {
        self.stopping.store(true, Ordering::Release);
        self.stop.change(|current| {
            let first = current.is_none();
            current.get_or_insert(reason);
            first
        });
    }

    /// A part ended by itself, which must not happen unless everything is being stopped.
    pub(crate) fn fail(&self, part: &'static str) {
        if !self.stopping.load(Ordering::Acquire) {
            tracing::error!(part, "a part of ordering ended by itself; ordering stops");
            self.request_stop(StopReason::Failed(part));
        }
    }

    /// Resolves when a stop was requested.
    pub(crate) async fn stop_requested(&self) {
        self.stop.until(Option::is_some).await;
    }

    /// All tasks have ended.
    pub(crate) fn finish(&self) {
        self.request_stop(StopReason::Asked);
        let reason = self.stop.get().unwrap_or(StopReason::Asked);
        self.progress.lock().phase = Phase::Stopped(reason);
        self.finished.change(|finished| !std::mem::replace(finished, true));
    }

    /// Resolves when all tasks have ended.
    pub(crate) async fn finished(&self) -> StopReason {
        self.finished.until(|finished| *finished).await;
        self.stop.get().unwrap_or(StopReason::Asked)
    }

    pub(crate) fn enter(&self, phase: Phase, now_ms: u64) {
        let mut progress = self.progress.lock();
        progress.phase = phase;
        progress.view_since_ms = now_ms;
    }

    pub(crate) fn tip(&self) -> Option<Tip> {
        self.progress.lock().tip
    }

    pub(crate) fn set_tip(&self, tip: Tip) {
        let mut progress = self.progress.lock();
        // The first one comes from the disk, and tells in which view the last run ended.
        if progress.tip.is_none() && tip.epoch == progress.epoch && tip.view >= progress.view {
            progress.view = tip.view.saturating_add(1);
        }
        progress.tip = Some(tip);
    }

    /// An epoch with so many validators begins.
    pub(crate) fn enter_epoch(&self, epoch: u64, validators: usize, now_ms: u64) {
        let mut progress = self.progress.lock();
        if progress.epoch == epoch {
            return;
        }
        // After a restart in the middle of it, the tip tells in which view the last run ended.
        let tip = progress.tip.filter(|tip| tip.epoch == epoch);
        progress.epoch = epoch;
        progress.view = tip.map_or(1, |tip| tip.view.saturating_add(1));
        progress.view_since_ms = now_ms;
        progress.notarized.clear();
        progress.nullified.clear();
        progress.heard_ms = vec![None; validators];
        progress.leader = None;
    }

    /// The validator with this index leads in this epoch until another does.
    pub(crate) fn led_by(&self, leader: Option<usize>, epoch: u64) {
        let mut progress = self.progress.lock();
        if epoch == progress.epoch {
            progress.leader = leader;
        }
    }

    /// A vote of the validator with this index in this epoch and view was seen.
    pub(crate) fn voted(
        &self,
        vote: Vote,
        validator: usize,
        (epoch, view): (u64, u64),
        now_ms: u64,
    ) {
        let mut progress = self.progress.lock();
        if epoch != progress.epoch {
            return;
        }
        if let Some(heard) = progress.heard_ms.get_mut(validator) {
            *heard = Some(now_ms);
        }
        if view == progress.view {
            match vote {
                Vote::Notarize => _ = progress.notarized.insert(validator),
                Vote::Nullify => _ = progress.nullified.insert(validator),
                Vote::Finalize => {}
            }
        }
    }

    /// By Raft, the validator with this index was heard.
    pub(crate) fn heard(&self, validator: usize, epoch: u64, now_ms: u64) {
        let mut progress = self.progress.lock();
        if epoch == progress.epoch
            && let Some(heard) = progress.heard_ms.get_mut(validator)
        {
            *heard = Some(now_ms);
            progress.notarized.insert(validator);
        }
    }

    /// A certificate ended a view of an epoch, so the next one is current.
    pub(crate) fn view_ended(&self, (epoch, view): (u64, u64), nullified: bool, now_ms: u64) {
        let mut progress = self.progress.lock();
        if epoch == progress.epoch && view >= progress.view {
            progress.views_nullified += u64::from(nullified);
            progress.view = view.saturating_add(1);
            progress.view_since_ms = now_ms;
            progress.notarized.clear();
            progress.nullified.clear();
        }
    }

    /// `leader` maps an epoch and view to the index of its leader.
    pub(crate) fn snapshot(
        &self,
        validators: &[PeerKey],
        (mechanism, quorum): (Mechanism, usize),
        connected: Vec<PeerKey>,
        leader: impl FnOnce(u64, u64) -> usize,
    ) -> Status {
        let progress = self.progress.lock();
        let keys = |indices: &BTreeSet<usize>| {
            indices.iter().filter_map(|index| validators.get(*index).copied()).collect()
        };
        let leader = progress.leader.unwrap_or_else(|| leader(progress.epoch, progress.view));
        Status {
            phase: progress.phase,
            epoch: progress.epoch,
            mechanism,
            view: progress.view,
            leader: validators.get(leader).copied().unwrap_or_default(),
            view_since_ms: progress.view_since_ms,
            quorum,
            connected,
            notarized: keys(&progress.notarized),
            nullified: keys(&progress.nullified),
            heard_ms: validators.iter().copied().zip(progress.heard_ms.iter().copied()).collect(),
            views_nullified: progress.views_nullified,
            tip: progress.tip,
            acknowledged: self.acknowledged_height(),
        }
    }
}

pub(crate) fn unix_ms(now: SystemTime) -> u64 {
    let elapsed = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [PeerKey; 4] = [[1; 32], [2; 32], [3; 32], [4; 32]];

    fn snapshot(shared: &Shared) -> Status {
        shared.snapshot(&KEYS, (Mechanism::Simplex, 3), Vec::new(), |epoch, view| {
            ((epoch + view) % 4) as usize
        })
    }

    #[test]
    fn votes_of_the_current_view_are_shown_until_it_ends() {
        let shared = Shared::new(0, KEYS.len());
        shared.voted(Vote::Notarize, 1, (0, 1), 100);
        shared.voted(Vote::Nullify, 2, (0, 1), 110);
        shared.voted(Vote::Notarize, 3, (0, 2), 120);
        shared.voted(Vote::Finalize, 99, (0, 1), 130);
        let status = snapshot(&shared);
        assert_eq!((status.view, status.leader, status.quorum), (1, KEYS[1], 3));
        assert_eq!(status.notarized, [KEYS[1]]);
        assert_eq!(status.nullified, [KEYS[2]]);
        let heard: Vec<_> = status.heard_ms.iter().map(|(_, at)| *at).collect();
        assert_eq!(heard, [None, Some(100), Some(110), Some(120)]);

        shared.view_ended((0, 1), true, 200);
        shared.view_ended((0, 1), true, 210);
        let status = snapshot(&shared);
        assert_eq!((status.view, status.view_since_ms, status.views_nullified), (2, 200, 1));
        assert!(status.notarized.is_empty() && status.nullified.is_empty());
    }

    #[test]
    fn after_a_restart_the_view_goes_on_from_the_tip() {
        let shared = Shared::new(0, KEYS.len());
        let tip = |epoch, view| Tip { height: 5, block: Digest([5; 32]), epoch, view };
        for (tip, expected) in [(tip(0, 8), 9), (tip(0, 20), 9)] {
            shared.set_tip(tip);
            assert_eq!((snapshot(&shared).view, snapshot(&shared).tip), (expected, Some(tip)));
        }
    }

    #[test]
    fn an_epoch_begins_with_its_first_view_or_where_the_last_run_ended() {
        let tip = |epoch| Tip { height: 5, block: Digest([5; 32]), epoch, view: 8 };
        for (before, expected) in [(None, 1), (Some(tip(2)), 1), (Some(tip(3)), 9)] {
            let shared = Shared::new(0, KEYS.len());
            before.into_iter().for_each(|tip| shared.set_tip(tip));
            shared.voted(Vote::Nullify, 1, (0, 1), 100);
            shared.enter_epoch(3, 2, 200);
            // What the engine of the epoch before still reports is over.
            shared.voted(Vote::Nullify, 0, (2, expected), 210);
            shared.view_ended((2, 50), false, 210);
            let agree = (Mechanism::Simplex, 2);
            let status = shared.snapshot(&KEYS[..2], agree, Vec::new(), |_, _| 0);
            assert_eq!((status.epoch, status.view, status.view_since_ms), (3, expected, 200));
            assert!(status.nullified.is_empty());
            assert_eq!(status.heard_ms, [(KEYS[0], None), (KEYS[1], None)]);
        }
    }

    /// A log that is just ending said who leads in the next epoch, whose leader follows from the view.
    #[test]
    fn who_led_the_log_of_an_epoch_leads_no_later_one() {
        let shared = Shared::new(0, KEYS.len());
        shared.led_by(Some(3), 0);
        assert_eq!(snapshot(&shared).leader, KEYS[3]);
        shared.enter_epoch(1, KEYS.len(), 200);
        shared.led_by(Some(3), 0);
        assert_eq!(snapshot(&shared).leader, KEYS[2]);
    }

    #[test]
    fn the_first_reason_to_stop_is_kept() {
        let shared = Shared::new(0, 1);
        shared.ack_dropped(7);
        shared.request_stop(StopReason::Asked);
        shared.finish();
        assert_eq!(snapshot(&shared).phase, Phase::Stopped(StopReason::NotAcknowledged(7)));
        assert_eq!(futures::executor::block_on(shared.finished()), StopReason::NotAcknowledged(7));
    }

    #[test]
    fn a_peer_that_stops_may_drop_what_it_has() {
        let shared = Shared::new(0, 1);
        shared.request_stop(StopReason::Asked);
        shared.ack_dropped(7);
        shared.finish();
        assert_eq!(snapshot(&shared).phase, Phase::Stopped(StopReason::Asked));
    }

    #[test]
    fn acknowledgements_only_rise() {
        let shared = Shared::new(0, 1);
        for (height, expected) in [(3, 3), (2, 3), (5, 5)] {
            shared.acknowledged(height);
            assert_eq!(shared.acknowledged_height(), expected);
        }
    }
}
