use std::fmt;

use althing_types::{Mechanism, limits::EPOCH_BLOCKS_MIN};

use crate::{
    Plan, Tempo,
    plan::{CLOCKS_FROM_MS, Dice, fault, seats},
};

/// One seed in so many is that of two ledgers.
const SHARE: u64 = 8;
/// Makes of a seed the one of the dice here.
const LINKS: u64 = 0x6c69_6e6b;
/// How far the clocks of two ledgers may differ, milliseconds: less than a ledger stands that is asked.
const LEDGERS_APART_MS_MAX: u64 = 8_000;
/// The same within a ledger.
const PEERS_APART_MS_MAX: u64 = 1_000;

/// What a seed decides of two ledgers.
#[derive(Debug, Clone)]
pub struct LinkedPlan {
    /// The seed.
    pub seed: u64,
    /// The ledger that asks, and the one that is asked.
    pub ends: [Plan; 2],
    /// Calls that are asked while things go wrong.
    pub calls: usize,
    /// By how many milliseconds the relay's clock is ahead.
    pub relay_clock_ms: i64,
}

/// What a seed is about.
#[derive(Debug, Clone)]
pub enum Drawn {
    /// One network.
    One(Box<Plan>),
    /// Two, with ledgers that know each other.
    Two(Box<LinkedPlan>),
}

impl Drawn {
    /// Draws everything from a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        if seed % SHARE == SHARE - 1 {
            Self::Two(Box::new(LinkedPlan::draw(seed)))
        } else {
            Self::One(Box::new(Plan::draw(seed)))
        }
    }
}

impl LinkedPlan {
    /// Draws everything from a seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ LINKS);
        let apart_ms = dice.below(LEDGERS_APART_MS_MAX) as i64;
        let ahead_ms = if dice.below(2) == 0 { [apart_ms, 0] } else { [0, apart_ms] };
        let ends =
            [true, false].map(|asks| end(&mut dice, seed, asks, ahead_ms[usize::from(!asks)]));
        let calls = 4 + dice.below(6) as usize;
        let relay_clock_ms = CLOCKS_FROM_MS + dice.below(LEDGERS_APART_MS_MAX) as i64;
        Self { seed, ends, calls, relay_clock_ms }
    }
}

/// A small network: what is told between two is looked at here, and not what within one is.
fn end(dice: &mut Dice, seed: u64, asks: bool, ahead_ms: i64) -> Plan {
    let mechanism = dice.mechanism();
    let validators = match mechanism {
        Mechanism::Simplex => [1, 1, 2, 3][dice.below(4) as usize],
        Mechanism::Raft => [1, 3][dice.below(2) as usize],
    };
    let followers = usize::from(validators < 3 && dice.below(3) > 0);
    let peers = validators + followers;
    let faults = (0..3 + dice.below(4)).map(|_| fault(dice, validators, peers, 0)).collect();
    let changes = dice.below(4) > 0;
    let seats = if changes { seats(dice, validators, peers) } else { Vec::new() };
    let clock = |_| CLOCKS_FROM_MS + ahead_ms + dice.below(PEERS_APART_MS_MAX) as i64;
    Plan {
        tempo: Tempo::Seconds,
        mechanism,
        validators,
        followers,
        faults,
        // Only there is something paid.
        tokens: asks,
        clocks_ms: (0..peers).map(clock).collect(),
        // Where there are tokens there are epochs.
        epoch_blocks: (changes || asks).then_some(EPOCH_BLOCKS_MIN),
        seats,
        ..Plan::idle(seed)
    }
}

/// What a seed drew, in short, for whoever reads of a failure.
impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(plan) => plan.fmt(f),
            Self::Two(plan) => plan.fmt(f),
        }
    }
}

impl fmt::Display for LinkedPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [asks, asked] = &self.ends;
        write!(f, "{} calls from a ledger ({asks}) to another ({asked})", self.calls)
    }
}
