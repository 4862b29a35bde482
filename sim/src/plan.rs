use std::{fmt, time::Duration};

use althing_sim_network::{Behaviour, Link};
use althing_types::{Mechanism, limits::EPOCH_BLOCKS_MIN};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

/// Something that goes wrong, or a pause in which nothing new does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing new.
    Calm(Duration),
    /// The peers whose bits are set hear nothing of the others, and they nothing of them.
    Partition(u8, Duration),
    /// A peer's process ends; its disk loses the last commits of its state and tears what was not
    /// synced. It comes back after a while.
    Crash {
        /// Which peer.
        peer: usize,
        /// Commits of the state that its store loses silently.
        commits_lost: usize,
        /// Chooses what remains of unsynced payloads.
        tear: u64,
        /// How long it is away.
        away: Duration,
    },
    /// A gateway's process ends; its disk keeps a part of what was not flushed, the last of it torn.
    GatewayCrash {
        /// Which gateway.
        gateway: usize,
        /// Chooses what remains of what was not flushed.
        tear: u64,
        /// How long it is away.
        away: Duration,
    },
    /// All links become like this for a while.
    Weather(Link, Duration),
    /// The clocks of all machines are set right.
    ClocksSetRight,
    /// From now on no gateway reaches a peer, or all do again.
    Uplinks {
        /// Whether they do.
        are_up: bool,
    },
}

/// How fast things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tempo {
    /// Blocks, readings and faults follow each other within seconds.
    Seconds,
    /// Blocks come by the minute, readings in tens of minutes, and a run takes days.
    Days,
}

impl Tempo {
    /// A duration that passes at this tempo: as it is, or so many times as long.
    pub(crate) fn stretch(self, span: Duration, times: u32) -> Duration {
        match self {
            Self::Seconds => span,
            Self::Days => span.saturating_mul(times),
        }
    }
}

/// What a seed decides.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// How fast things happen.
    pub tempo: Tempo,
    /// How peers agree. Where they do by Raft, none cheats: that is outside of what Raft stands.
    pub mechanism: Mechanism,
    /// Voting peers.
    pub validators: usize,
    /// Peers without a vote.
    pub followers: usize,
    /// How the first validator behaves.
    pub cheat: Behaviour,
    /// Gateways, each with a thing of its own.
    pub gateways: usize,
    /// What goes wrong, in order.
    pub faults: Vec<Fault>,
    /// Whether the power fails for all at once, halfway.
    pub power_cut: bool,
    /// For each peer, what the power cut costs: commits, and what chooses the tear.
    pub cut_losses: Vec<(usize, u64)>,
    /// For each gateway, what chooses the tear.
    pub cut_tears: Vec<u64>,
    /// Blocks in each epoch, if epochs end at all.
    pub epoch_blocks: Option<u32>,
    /// Blocks that a peer must be behind to begin with a state of other peers, if any does.
    pub newcomers: Option<u64>,
    /// Whether the ledger has tokens, which organisations pay each other and their gateways' fees with.
    pub tokens: bool,
    /// Whether seats follow from stakes rather than from votes; needs tokens, epochs and Simplex.
    pub stake: bool,
    /// Whether owners have only two peers keep each payload.
    pub placed: bool,
    /// How long the power is away after it has failed.
    pub asleep: Duration,
    /// By how many milliseconds the clock of each peer's machine is ahead; all agree if empty.
    pub clocks_ms: Vec<i64>,
    /// What members decide about seats and how those agree, one after the other, and how long they wait
    /// before each.
    pub seats: Vec<(SeatChange, Duration)>,
}

/// A peer, as the ledger knows it, and the machine whose key votes for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seated {
    /// Which of the peers' identities.
    pub peer: usize,
    /// Which machine.
    pub machine: usize,
}

/// A change of seats among the validators, or of how they agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatChange {
    /// A peer gets a seat.
    Give(Seated),
    /// A peer loses its seat.
    Take(Seated),
    /// A peer goes on voting on another machine, with that one's key.
    Rekey(Seated),
    /// Those who have seats agree in another way.
    Agree(Mechanism),
}

#[derive(Debug)]
pub(crate) struct Dice(ChaCha20Rng);

/// Makes of a seed the one of the mechanism's dice.
const MECHANISMS: u64 = 0x7261_6674;
/// The same for those of changes of the mechanism.
const AGREEMENTS: u64 = 0x6167_7265;
/// The same for those of the clocks.
const CLOCKS: u64 = 0x636c_6f63;
/// What clocks of simulated machines show when a run begins, milliseconds since 1970: a clock that is
/// behind must be able to say so.
pub(crate) const CLOCKS_FROM_MS: i64 = 3_600_000;

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    pub(crate) fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }

    fn tear(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// In one network of three clocks differ, by so little that all votes come in time.
    fn clocks(&mut self, peers: usize) -> Vec<i64> {
        if self.below(3) > 0 {
            return Vec::new();
        }
        (0..peers).map(|_| CLOCKS_FROM_MS + self.below(CLOCKS_APART_MS_MAX) as i64).collect()
    }

    /// One network in four agrees by Raft.
    pub(crate) fn mechanism(&mut self) -> Mechanism {
        if self.below(4) == 0 { Mechanism::Raft } else { Mechanism::Simplex }
    }
}

/// How far clocks may differ, milliseconds: less than the drift that the ledger allows.
const CLOCKS_APART_MS_MAX: u64 = 4_000;

impl Plan {
    /// The same with clocks that are ahead by so many milliseconds, or behind.
    #[must_use]
    pub fn with_clocks(self, ahead_ms: &[i64]) -> Self {
        let clocks_ms = ahead_ms.iter().map(|ms| CLOCKS_FROM_MS + ms).collect();
        Self { clocks_ms, ..self }
    }

    /// By how much the clock of a peer's machine is ahead, milliseconds.
    pub(crate) fn clock_ms(&self, peer: usize) -> i64 {
        self.clocks_ms.get(peer).copied().unwrap_or_default()
    }

    /// Whether peers take each other's word on signatures: every other network that agrees by Raft.
    pub(crate) fn trusts_validators(&self) -> bool {
        self.mechanism == Mechanism::Raft && self.seed.is_multiple_of(2)
    }

    /// Before which fault the power fails, if it does.
    #[must_use]
    pub fn cut_at(&self) -> usize {
        self.faults.len() / 2
    }

    /// Draws everything from a seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        // From dice of their own, so that the other seeds draw what they always did.
        let mechanism = Dice::new(seed ^ MECHANISMS).mechanism();
        let counts = match mechanism {
            Mechanism::Simplex => [4, 4, 4, 4, 1, 5],
            Mechanism::Raft => [3, 3, 3, 4, 1, 5],
        };
        let validators = counts[dice.below(6) as usize];
        let followers = usize::from(dice.below(3) == 0);
        let peers = validators + followers;
        let cheat = match dice.below(14) {
            0 => Behaviour::Equivocate,
            1 => Behaviour::DoubleVote,
            2 => Behaviour::Silent,
            3 => Behaviour::Misstate,
            4 | 5 => Behaviour::Misinform,
            _ => Behaviour::Honest,
        };
        // One fault is all that four validators stand.
        let stands_it = validators >= 4 && mechanism == Mechanism::Simplex;
        let cheat = if stands_it { cheat } else { Behaviour::Honest };
        let gateways = 1 + dice.below(3) as usize;
        let count = 3 + dice.below(5);
        let faults = (0..count).map(|_| fault(&mut dice, validators, peers, gateways)).collect();
        let power_cut = dice.below(3) == 0;
        let cut_losses = (0..peers).map(|_| (lost(&mut dice), dice.tear())).collect();
        let cut_tears = (0..gateways).map(|_| dice.tear()).collect();
        let epoch_blocks = (dice.below(2) == 0).then_some(EPOCH_BLOCKS_MIN);
        // A validator that equivocates knows the votes of one set only.
        let steady =
            matches!(cheat, Behaviour::Equivocate | Behaviour::DoubleVote | Behaviour::Misstate);
        let mut seats = match epoch_blocks {
            Some(_) if !steady && peers > SEATS_MIN => seats(&mut dice, validators, peers),
            _ => Vec::new(),
        };
        // Where somebody cheats, all must go on to agree in the way that stands it.
        if epoch_blocks.is_some() && cheat == Behaviour::Honest {
            let mut dice = Dice(ChaCha20Rng::seed_from_u64(seed ^ AGREEMENTS));
            agreements(&mut dice, mechanism, &mut seats);
        }
        let asleep = if dice.below(4) == 0 { TEN_YEARS } else { Duration::ZERO };
        let mut of_clocks = Dice::new(seed ^ CLOCKS);
        let clocks_ms = of_clocks.clocks(peers);
        Self {
            seed,
            tempo: Tempo::Seconds,
            mechanism,
            validators,
            followers,
            cheat,
            gateways,
            faults,
            power_cut,
            cut_losses,
            cut_tears,
            epoch_blocks,
            newcomers: None,
            tokens: epoch_blocks.is_some() && seed.is_multiple_of(2),
            stake: false,
            placed: seed % 4 == 1,
            clocks_ms,
            seats,
            asleep,
        }
    }

    /// Three gateways that reach no peer for three days, while their machines lose power at random,
    /// and so again while they catch up. How the peers agree is nothing to them, so there is one.
    #[must_use]
    pub fn offline(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let gateways = KEEPINGS.len();
        let mut faults = vec![Fault::Calm(dice.ms(HOUR_MS, 3 * HOUR_MS))];
        faults.push(Fault::Uplinks { are_up: false });
        crashes(&mut dice, gateways, 72 * HOUR_MS, &mut faults);
        faults.push(Fault::Uplinks { are_up: true });
        crashes(&mut dice, gateways, 2 * HOUR_MS, &mut faults);
        Self {
            seed,
            tempo: Tempo::Days,
            mechanism: Mechanism::Simplex,
            validators: 1,
            followers: 0,
            cheat: Behaviour::Honest,
            gateways,
            faults,
            power_cut: false,
            cut_losses: Vec::new(),
            cut_tears: Vec::new(),
            epoch_blocks: None,
            newcomers: None,
            tokens: false,
            stake: false,
            placed: false,
            clocks_ms: Vec::new(),
            seats: Vec::new(),
            asleep: Duration::ZERO,
        }
    }

    /// Four validators without a gateway, to whom nothing happens.
    #[must_use]
    pub fn idle(seed: u64) -> Self {
        let faults = Vec::new();
        Self { validators: 4, gateways: 0, faults, ..Self::offline(seed) }
    }

    /// What the owner of a gateway's thing would rather have, and how much the gateway can keep.
    pub(crate) fn keeping(&self, gateway: usize) -> Keeping {
        match self.tempo {
            Tempo::Seconds => Keeping::Refuses,
            Tempo::Days => KEEPINGS[gateway % KEEPINGS.len()],
        }
    }
}

/// What a gateway does with what it cannot deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// It has room for all that comes in three days.
    Keeps,
    /// It takes nothing more when its small queue is full.
    Refuses,
    /// It loses the oldest readings when its small queue is full.
    Loses,
}

/// One gateway of each kind.
const KEEPINGS: [Keeping; 3] = [Keeping::Keeps, Keeping::Refuses, Keeping::Loses];
const HOUR_MS: u64 = 3_600_000;

/// Gateways that crash over a span of time.
fn crashes(dice: &mut Dice, gateways: usize, span_ms: u64, faults: &mut Vec<Fault>) {
    let mut left = Duration::from_millis(span_ms);
    while !left.is_zero() {
        let calm = dice.ms(HOUR_MS / 12, 4 * HOUR_MS).min(left);
        let away = dice.ms(1000, HOUR_MS / 2).min(left - calm);
        left = left - calm - away;
        let gateway = dice.below(gateways as u64) as usize;
        faults.push(Fault::Calm(calm));
        faults.push(Fault::GatewayCrash { gateway, tear: dice.tear(), away });
    }
}

/// Nothing in a network expires.
const TEN_YEARS: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Changes of seats that members decide on, at most.
const SEAT_CHANGES_MAX: u64 = 5;
/// Fewest validators while seats change, so that one may fail.
const SEATS_MIN: usize = 4;

/// Seats are given, taken and rekeyed, one after the other. Machines without a seat follow.
pub(crate) fn seats(
    dice: &mut Dice,
    validators: usize,
    peers: usize,
) -> Vec<(SeatChange, Duration)> {
    let mut seated: Vec<Seated> =
        (0..validators).map(|at| Seated { peer: at, machine: at }).collect();
    let count = 1 + dice.below(SEAT_CHANGES_MAX);
    let mut change = || {
        let free: Vec<usize> =
            (0..peers).filter(|machine| seated.iter().all(|one| one.machine != *machine)).collect();
        let peer = (0..peers).find(|peer| seated.iter().all(|one| one.peer != *peer));
        let at = dice.below(seated.len() as u64) as usize;
        let machine = free.get(dice.below(peers as u64) as usize % free.len().max(1)).copied();
        let change = match (machine, peer) {
            (Some(machine), _)
                if dice.below(2) == 0 || seated.len() == SEATS_MIN && peer.is_none() =>
            {
                seated[at].machine = machine;
                SeatChange::Rekey(seated[at])
            }
            (Some(machine), Some(peer)) if dice.below(2) == 0 || seated.len() == SEATS_MIN => {
                seated.push(Seated { peer, machine });
                SeatChange::Give(Seated { peer, machine })
            }
            _ if seated.len() > SEATS_MIN => SeatChange::Take(seated.remove(at)),
            _ => return None,
        };
        Some((change, dice.ms(0, 3000)))
    };
    (0..count).filter_map(|_| change()).collect()
}

/// In one network of three members change how peers agree, somewhere among what else they decide, and
/// in every other one of these they change it back.
fn agreements(dice: &mut Dice, first: Mechanism, seats: &mut Vec<(SeatChange, Duration)>) {
    let other = match first {
        Mechanism::Simplex => Mechanism::Raft,
        Mechanism::Raft => Mechanism::Simplex,
    };
    let count = [0, 0, 0, 0, 1, 2][dice.below(6) as usize];
    let mut from = 0;
    for mechanism in [other, first].into_iter().take(count) {
        let at = from + dice.below((seats.len() - from) as u64 + 1) as usize;
        seats.insert(at, (SeatChange::Agree(mechanism), dice.ms(0, 3000)));
        from = at + 1;
    }
}

/// Mostly none: a store loses its last commits only when its journal is damaged.
fn lost(dice: &mut Dice) -> usize {
    if dice.below(3) == 0 { dice.below(4) as usize } else { 0 }
}

pub(crate) fn fault(dice: &mut Dice, validators: usize, peers: usize, gateways: usize) -> Fault {
    let span = dice.ms(300, 2500);
    match dice.below(10) {
        0 | 1 => Fault::Calm(span),
        2 | 3 => Fault::Partition((1 + dice.below((1 << validators) - 1)) as u8, span),
        4 | 5 => {
            let latency = dice.ms(1, 60);
            let jitter = latency / (2 + dice.below(4) as u32);
            let loss_permille = (dice.below(3) * dice.below(80)) as u16;
            Fault::Weather(Link { latency, jitter, loss_permille }, span)
        }
        6 | 7 if gateways > 0 => Fault::GatewayCrash {
            gateway: dice.below(gateways as u64) as usize,
            tear: dice.tear(),
            away: span,
        },
        _ => Fault::Crash {
            peer: dice.below(peers as u64) as usize,
            commits_lost: lost(dice),
            tear: dice.tear(),
            away: span,
        },
    }
}

/// What a seed drew, in short, for whoever reads of a failure.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (validators, followers) = (self.validators, self.followers);
        write!(f, "{:?}, {validators} validators, {followers} followers, ", self.mechanism)?;
        if self.cheat != Behaviour::Honest {
            write!(f, "peer 0 cheats ({:?}), ", self.cheat)?;
        }
        if self.epoch_blocks.is_some() {
            let seats: Vec<&SeatChange> = self.seats.iter().map(|(change, _)| change).collect();
            write!(f, "epochs end, seats change: {seats:?}, ")?;
        }
        if self.tokens {
            write!(f, "tokens are paid, ")?;
        }
        if self.stake {
            write!(f, "seats follow from stakes, ")?;
        }
        if self.placed {
            write!(f, "two peers keep each payload, ")?;
        }
        if !self.clocks_ms.is_empty() {
            write!(f, "clocks differ: {:?} ms, ", self.clocks_ms)?;
        }
        write!(f, "{} gateways:", self.gateways)?;
        for (index, fault) in self.faults.iter().enumerate() {
            if self.power_cut && index == self.cut_at() {
                write!(f, " POWER CUT, {:?} away;", self.asleep)?;
            }
            write!(f, " {fault};")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calm(span) => write!(f, "calm {span:?}"),
            Self::Partition(bits, span) => write!(f, "partition {bits:#b} {span:?}"),
            Self::Weather(link, span) => write!(
                f,
                "latency {:?} and {} permille lost {span:?}",
                link.latency, link.loss_permille
            ),
            Self::Crash { peer, commits_lost, away, .. } => {
                write!(f, "peer {peer} crashes, loses {commits_lost} commits, away {away:?}")
            }
            Self::GatewayCrash { gateway, away, .. } => {
                write!(f, "gateway {gateway} crashes, away {away:?}")
            }
            Self::ClocksSetRight => f.write_str("clocks are set right"),
            Self::Uplinks { are_up: true } => f.write_str("gateways reach peers again"),
            Self::Uplinks { are_up: false } => f.write_str("no gateway reaches a peer"),
        }
    }
}
