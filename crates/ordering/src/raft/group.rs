//! A validator's part in the log of an epoch.

use std::{collections::VecDeque, sync::Arc, time::SystemTime};

use althing_raft::{Base, Message, Node, Record, Refused, Settings, Step};
use bytes::Bytes;
use commonware_codec::Encode as _;
use commonware_consensus::{Viewable as _, types::Height};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Recipients, Sender, utils::mux::SubSender};
use commonware_runtime::{Clock, Metrics, Spawner, Storage};
use rand_core_0_10::CryptoRng;

use super::{
    ballots::{Ballots, Certified, Paper, Signed},
    disk::{self, Disk, DiskError},
    inputs::{Happened, Inputs},
    tail::Tail,
};
use crate::{
    certificate::{peer_key, public_key},
    epochs::Electorate,
    handle::Marshal,
    launch::Parts,
    voting::Beginning,
};

/// So many ticks are the time after which peers give up on a leader, as the genesis has it.
const TICKS_PER_LEADER_TIMEOUT: u32 = 15;
/// A leader is heard of once in so many ticks.
const HEARTBEAT_TICKS: u16 = 2;
/// A validator that heard of no leader for so many ticks asks to become one: at 100 ms, 0.8 s.
const ELECTION_TICKS_MIN: u16 = 8;
/// It asks after fewer ticks than this.
const ELECTION_TICKS_MAX: u16 = 16;
/// How often what is not certified yet is said again, ticks.
const REMIND_TICKS: u64 = 4;
/// Blocks that the log may hold before it is cut.
const TAIL_BLOCKS_MAX: usize = 256;
/// Bytes of blocks that the log may hold before it is cut.
const TAIL_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Blocks that a cut leaves, for validators that lag; others fetch them from the archives.
const TAIL_BLOCKS_KEPT: usize = 64;
/// Bytes of blocks that a cut leaves.
const TAIL_BYTES_KEPT: usize = 16 * 1024 * 1024;
/// Blocks looked at for a certificate to cut at.
const CUT_LOOKS_MAX: usize = 64;

/// Why a validator takes no part any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum GroupError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the log on disk holds what is no block of this ledger at entry {0}")]
    Foreign(u64),
    #[error("the connections have ended")]
    Ended,
}

/// What was asked for when the present proposal was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) term: u64,
    pub(super) last: u64,
}

pub(super) struct Group<'a, E: Storage + Metrics, S: Sender<PublicKey = PublicKey>> {
    pub(super) context: E,
    pub(super) parts: &'a Parts,
    pub(super) marshal: Marshal,
    pub(super) electorate: Arc<Electorate>,
    pub(super) me: u64,
    pub(super) messages: SubSender<S>,
    pub(super) papers: SubSender<S>,
    pub(super) node: Node,
    pub(super) disk: Disk<E>,
    pub(super) tail: Tail,
    /// Height of the last block before the log begins.
    pub(super) base_height: u64,
    pub(super) ballots: Ballots,
    /// This validator's signature of the newest block that it knows to be committed.
    pub(super) newest: Option<Signed>,
    pub(super) waiting: VecDeque<Message>,
    /// The term of the message that is being checked.
    pub(super) checking_term: u64,
    pub(super) asked: Asked,
    pub(super) ticks: u64,
    /// Not before then is the application asked again.
    pub(super) ask_at: SystemTime,
}

/// Takes part until something ends.
pub(super) async fn run<E, S>(
    context: E,
    parts: &Parts,
    marshal: Marshal,
    begun: Beginning<S>,
) -> Result<(), GroupError>
where
    E: Clock + CryptoRng + Metrics + Spawner + Storage,
    S: Sender<PublicKey = PublicKey>,
{
    let Beginning { electorate, lane, .. } = begun;
    let tick = parts.config.timing.leader_timeout / TICKS_PER_LEADER_TIMEOUT;
    let mut inputs = Inputs {
        messages: lane.votes.1,
        papers: lane.certificates.1,
        checking: None,
        proposing: None,
    };
    let mut group =
        Group::open(context, parts, marshal, electorate, (lane.votes.0, lane.certificates.0))
            .await?;
    if group.me == 1 {
        // Somebody must begin, and then nobody waits in vain for a leader that there never was.
        group.node.campaign();
    }
    let mut tick_at = group.context.current() + tick;
    loop {
        group.serve().await?;
        group.begin_proposal(&mut inputs);
        match inputs.next(&group.context, tick_at).await {
            Happened::Tick => {
                tick_at = group.context.current() + tick;
                group.tick().await?;
            }
            Happened::Message(from, bytes) => group.hear(&mut inputs, &from, &bytes)?,
            Happened::Paper(from, bytes) => group.read(&from, bytes),
            Happened::Checked(message, good) => {
                if good {
                    group.take(message)?;
                }
                group.next_waiting(&mut inputs)?;
            }
            Happened::Proposed(sealed) => group.append(sealed, tick),
            Happened::Ended => return Err(GroupError::Ended),
        }
    }
}

/// What a validator that lacks the beginning of the log gets instead: the height and the certificate
/// of the last block of it.
fn base_data(height: u64, certified: &Certified) -> Bytes {
    [&height.to_be_bytes()[..], &certified.encode()[..]].concat().into()
}

fn base_height(base: &Base) -> Option<u64> {
    Some(u64::from_be_bytes(base.data.get(..8)?.try_into().ok()?))
}

impl<'a, E, S> Group<'a, E, S>
where
    E: Clock + CryptoRng + Metrics + Spawner + Storage,
    S: Sender<PublicKey = PublicKey>,
{
    async fn open(
        mut context: E,
        parts: &'a Parts,
        marshal: Marshal,
        electorate: Arc<Electorate>,
        (messages, papers): (SubSender<S>, SubSender<S>),
    ) -> Result<Self, GroupError> {
        let bytes_max = super::message_bytes_max(parts.config.sizes.block_bytes_max);
        let partition = parts.votes_of(electorate.epoch);
        let cache = parts.cache.clone();
        let (disk, records) = disk::open(context.child("log"), partition, cache, bytes_max).await?;
        let me = electorate.keys.iter().position(|key| *key == peer_key(&parts.me));
        let me = me.map_or(0, |index| index as u64 + 1);
        let settings = Settings {
            me,
            voters: electorate.keys.len() as u64,
            heartbeat_ticks: HEARTBEAT_TICKS,
            election_ticks_min: ELECTION_TICKS_MIN,
            election_ticks_max: ELECTION_TICKS_MAX,
            seed: context.next_u64(),
        };
        let node = Node::new(settings, records);
        let before = electorate.epoch.checked_sub(1).and_then(|it| parts.epochs.last(it));
        let base_height = base_height(node.base()).or(before).unwrap_or(0);
        let mut tail = Tail::default();
        for record in node.records() {
            if let Record::Entry(entry) = record
                && !tail.push(&entry, parts.limits())
            {
                return Err(GroupError::Foreign(entry.index));
            }
        }
        let acknowledged = parts.shared.acknowledged_height();
        let known = tail.newest_first().find(|(_, block)| block.height() <= acknowledged);
        let certified = known.map_or(0, |(_, block)| block.header().view);
        let ask_at = context.current();
        Ok(Self {
            ballots: Ballots::new(Arc::clone(&electorate), certified),
            context,
            parts,
            marshal,
            electorate,
            me,
            messages,
            papers,
            node,
            disk,
            tail,
            base_height,
            newest: None,
            waiting: VecDeque::new(),
            checking_term: 0,
            asked: Asked { term: 0, last: 0 },
            ticks: 0,
            ask_at,
        })
    }

    /// Does what the node asks for, until it asks for nothing.
    async fn serve(&mut self) -> Result<(), GroupError> {
        while let Some(Step { send, records, sync }) = self.node.step() {
            self.send(send);
            for record in &records {
                match record {
                    Record::Entry(entry) => {
                        if !self.tail.push(entry, self.parts.limits()) {
                            return Err(GroupError::Foreign(entry.index));
                        }
                    }
                    Record::Base(base) => {
                        self.tail.clear();
                        self.base_height = base_height(base).unwrap_or(self.base_height);
                    }
                    Record::State { .. } => {}
                }
            }
            if !records.is_empty() {
                self.disk.append(&records, sync).await?;
            }
            let outcome = self.node.written();
            self.send(outcome.send);
            for entry in outcome.committed {
                self.committed(&entry);
            }
        }
        let leader = self.node.leader().and_then(|leader| usize::try_from(leader).ok());
        let leader = leader.and_then(|leader| leader.checked_sub(1));
        self.parts.shared.led_by(leader, self.electorate.epoch);
        Ok(())
    }

    fn send(&mut self, messages: Vec<(u64, Message)>) {
        for (to, message) in messages {
            let index = usize::try_from(to).ok().and_then(|to| to.checked_sub(1));
            let key = index.and_then(|index| self.electorate.keys.get(index));
            if let Some(key) = key.and_then(|key| public_key(key).ok()) {
                let _ = self.messages.send(Recipients::One(key), message.encode(), false);
            }
        }
    }

    async fn tick(&mut self) -> Result<(), GroupError> {
        self.node.tick();
        self.ticks += 1;
        if self.ticks.is_multiple_of(REMIND_TICKS) {
            let certified = self.ballots.certified();
            let open = self.newest.clone().filter(|it| it.view().get() > certified);
            if let Some(signed) = open {
                self.tell(Recipients::All, &Paper::Signed(signed));
            }
            self.cut().await?;
        }
        Ok(())
    }

    /// Cuts the log off behind what is carried out here, if it has become long.
    async fn cut(&mut self) -> Result<(), GroupError> {
        if self.tail.len() <= TAIL_BLOCKS_MAX && self.tail.bytes() <= TAIL_BYTES_MAX {
            return Ok(());
        }
        let acknowledged = self.parts.shared.acknowledged_height();
        let (mut count, mut bytes, mut looks) = (0, 0, 0);
        let (committed, mut found) = (self.node.committed(), None);
        for (index, block) in self.tail.newest_first() {
            count += 1;
            bytes += block.wire().len();
            let height = block.height();
            let is_kept = count <= TAIL_BLOCKS_KEPT && bytes <= TAIL_BYTES_KEPT;
            if is_kept || index > committed || height > acknowledged {
                continue;
            }
            looks += 1;
            if let Some(certified) = self.marshal.get_finalization(Height::new(height)).await {
                found = Some((index, height, certified));
                break;
            }
            if looks == CUT_LOOKS_MAX {
                break;
            }
        }
        if let Some((index, height, certified)) = found {
            let records = self.node.cut(index, base_data(height, &certified));
            self.disk.rewrite(records).await?;
            self.tail.cut(index);
            self.base_height = height;
        }
        Ok(())
    }
}
