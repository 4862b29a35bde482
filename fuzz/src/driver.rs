//! Mutates, feeds, and catches what panics.

use std::{
    panic,
    time::{Duration, Instant},
};

use crate::{Target, mutation::mutate, random::Random};

/// Most inputs kept to mutate further.
const POOL_MAX: usize = 4096;

/// A panic, and all it takes to repeat it.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The input.
    pub input: Vec<u8>,
    /// How many inputs came before it.
    pub iteration: u64,
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Inputs fed.
    pub inputs: u64,
    /// Inputs the decoder accepted: a run that is never accepted tests only the first branch.
    pub accepted: u64,
    /// The first panic.
    pub failure: Option<Failure>,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After so much time.
    Elapsed(Duration),
    /// After so many inputs.
    Inputs(u64),
}

/// Feeds a target with its seeds unchanged, then with mutations of them and of what it accepted.
/// The inputs are a function of the seed; `until` only says how many of them there are.
#[must_use]
pub fn run(target: &Target, corpus: Vec<Vec<u8>>, seed: u64, until: Until) -> Outcome {
    let started = Instant::now();
    let mut random = Random::new(seed);
    let mut outcome = Outcome { inputs: 0, accepted: 0, failure: None };
    let mut pool = corpus;
    pool.push(Vec::new());
    let originals = pool.len();
    loop {
        let index = outcome.inputs as usize;
        let input = if index < originals { pool[index].clone() } else { next(&pool, &mut random) };
        match panic::catch_unwind(|| (target.run)(&input)) {
            Ok(accepted) => {
                outcome.accepted += u64::from(accepted);
                if accepted && index >= originals {
                    keep(&mut pool, originals, input, &mut random);
                }
            }
            Err(_) => {
                outcome.failure = Some(Failure { input, iteration: outcome.inputs });
                return outcome;
            }
        }
        outcome.inputs += 1;
        let over = match until {
            Until::Elapsed(time) => started.elapsed() >= time,
            Until::Inputs(inputs) => outcome.inputs >= inputs,
        };
        if over && outcome.inputs >= originals as u64 {
            return outcome;
        }
    }
}

fn next(pool: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let (input, other) = (random.pick(pool), random.pick(pool));
    mutate(input.map_or(&[], |v| v), other.map_or(&[], |v| v), random)
}

/// Keeps an accepted input; when there are enough, in place of an earlier one that is no original.
fn keep(pool: &mut Vec<Vec<u8>>, originals: usize, input: Vec<u8>, random: &mut Random) {
    if pool.len() < POOL_MAX {
        pool.push(input);
    } else {
        let at = originals + random.below(pool.len() - originals);
        if let Some(slot) = pool.get_mut(at) {
            *slot = input;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Seeds;

    /// A decoder with a planted bug: it believes the length that a CBOR byte string states.
    fn careless(bytes: &[u8]) -> bool {
        match bytes {
            [head, rest @ ..] if head >> 5 == 2 => rest[..usize::from(head & 0x1f)].len() > 3,
            _ => false,
        }
    }

    #[test]
    fn the_canary_is_found_and_its_input_repeats_it() {
        panic::set_hook(Box::new(|_| {}));
        let target = Target { name: "canary", seeds: Seeds::Texts(&[]), run: careless };
        let corpus = vec![vec![0x45, 1, 2, 3, 4, 5]];
        let outcome = run(&target, corpus.clone(), 7, Until::Inputs(10_000));
        let failure = outcome.failure.expect("canary survived");
        assert!(panic::catch_unwind(|| careless(&failure.input)).is_err());
        let again = run(&target, corpus, 7, Until::Inputs(10_000));
        assert_eq!(
            again.failure.map(|f| (f.iteration, f.input)),
            Some((failure.iteration, failure.input))
        );
    }
}
