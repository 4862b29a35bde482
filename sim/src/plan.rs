use std::{fmt, time::Duration};

use althing_sim_network::{Behaviour, Link};
use althing_types::limits::EPOCH_BLOCKS_MIN;
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
}

/// What a seed decides.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
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
    /// From which heights on which peers, by their bits, are wanted as validators.
    pub wanted: Vec<(u64, u8)>,
}

struct Dice(ChaCha20Rng);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }

    fn tear(&mut self) -> u64 {
        self.0.next_u64()
    }
}

impl Plan {
    /// Before which fault the power fails, if it does.
    #[must_use]
    pub fn cut_at(&self) -> usize {
        self.faults.len() / 2
    }

    /// Draws everything from a seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice(ChaCha20Rng::seed_from_u64(seed));
        let validators = [4, 4, 4, 4, 1, 5][dice.below(6) as usize];
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
        let cheat = if validators < 4 { Behaviour::Honest } else { cheat };
        let gateways = 1 + dice.below(3) as usize;
        let count = 3 + dice.below(5);
        let faults = (0..count).map(|_| fault(&mut dice, validators, peers, gateways)).collect();
        let power_cut = dice.below(3) == 0;
        let cut_losses = (0..peers).map(|_| (lost(&mut dice), dice.tear())).collect();
        let cut_tears = (0..gateways).map(|_| dice.tear()).collect();
        let epoch_blocks = (dice.below(3) == 0).then_some(EPOCH_BLOCKS_MIN);
        // A validator that equivocates knows the votes of one set only.
        let steady =
            matches!(cheat, Behaviour::Equivocate | Behaviour::DoubleVote | Behaviour::Misstate);
        let wanted = match epoch_blocks {
            Some(blocks) if !steady && peers > 4 => (1..=SETS_MAX)
                .map(|turn| (turn * u64::from(blocks), set(&mut dice, peers)))
                .collect(),
            _ => Vec::new(),
        };
        Self {
            seed,
            validators,
            followers,
            cheat,
            gateways,
            faults,
            power_cut,
            cut_losses,
            cut_tears,
            epoch_blocks,
            wanted,
        }
    }
}

/// Sets of validators that are wanted one after the other.
const SETS_MAX: u64 = 12;

/// At least four of the peers, so that one may fail.
fn set(dice: &mut Dice, peers: usize) -> u8 {
    loop {
        let bits = dice.below(1 << peers) as u8;
        if bits.count_ones() >= 4 {
            return bits;
        }
    }
}

/// Mostly none: a store loses its last commits only when its journal is damaged.
fn lost(dice: &mut Dice) -> usize {
    if dice.below(3) == 0 { dice.below(4) as usize } else { 0 }
}

fn fault(dice: &mut Dice, validators: usize, peers: usize, gateways: usize) -> Fault {
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
        6 | 7 => Fault::GatewayCrash {
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
        write!(f, "{} validators, {} followers, ", self.validators, self.followers)?;
        if self.cheat != Behaviour::Honest {
            write!(f, "peer 0 cheats ({:?}), ", self.cheat)?;
        }
        if self.epoch_blocks.is_some() {
            let sets: Vec<String> =
                self.wanted.iter().map(|(at, bits)| format!("{bits:b} from {at}")).collect();
            write!(f, "epochs end, validators {sets:?}, ")?;
        }
        write!(f, "{} gateways:", self.gateways)?;
        for (index, fault) in self.faults.iter().enumerate() {
            if self.power_cut && index == self.cut_at() {
                f.write_str(" POWER CUT;")?;
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
        }
    }
}
