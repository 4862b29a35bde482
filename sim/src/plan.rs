use std::time::Duration;

use althing_sim_network::{Behaviour, Link};
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
    /// Things that measure, one owner and one gateway each.
    pub devices: usize,
    /// What goes wrong, in order.
    pub faults: Vec<Fault>,
    /// Whether the power fails for all peers at once, halfway.
    pub power_cut: bool,
    /// For each peer, what the power cut costs: commits, and what chooses the tear.
    pub cut_losses: Vec<(usize, u64)>,
}

struct Dice(ChaCha20Rng);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

impl Plan {
    /// Draws everything from a seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice(ChaCha20Rng::seed_from_u64(seed));
        let validators = [4, 4, 4, 4, 1, 5][dice.below(6) as usize];
        let followers = usize::from(dice.below(3) == 0);
        let peers = validators + followers;
        let cheat = match dice.below(9) {
            0 => Behaviour::Equivocate,
            1 => Behaviour::DoubleVote,
            2 => Behaviour::Silent,
            _ => Behaviour::Honest,
        };
        // One fault is all that four validators stand.
        let cheat = if validators < 4 { Behaviour::Honest } else { cheat };
        let count = 3 + dice.below(5);
        let faults = (0..count).map(|_| fault(&mut dice, validators, peers)).collect();
        let power_cut = dice.below(3) == 0;
        let cut_losses = (0..peers).map(|_| (lost(&mut dice), dice.below(u64::MAX))).collect();
        let devices = 1 + dice.below(3) as usize;
        Self { seed, validators, followers, cheat, devices, faults, power_cut, cut_losses }
    }
}

/// Mostly none: a store loses its last commits only when its journal is damaged.
fn lost(dice: &mut Dice) -> usize {
    if dice.below(3) == 0 { dice.below(4) as usize } else { 0 }
}

fn fault(dice: &mut Dice, validators: usize, peers: usize) -> Fault {
    let span = dice.ms(300, 2500);
    match dice.below(8) {
        0 | 1 => Fault::Calm(span),
        2 | 3 => Fault::Partition((1 + dice.below((1 << validators) - 1)) as u8, span),
        4 | 5 => {
            let latency = dice.ms(1, 60);
            let jitter = latency / (2 + dice.below(4) as u32);
            let loss_permille = (dice.below(3) * dice.below(80)) as u16;
            Fault::Weather(Link { latency, jitter, loss_permille }, span)
        }
        _ => Fault::Crash {
            peer: dice.below(peers as u64) as usize,
            commits_lost: lost(dice),
            tear: dice.below(u64::MAX),
            away: span,
        },
    }
}
