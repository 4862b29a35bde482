//! The decoders, each as a function over bytes.

mod edge;
mod interface;
mod proofs;
mod types;

use althing_types::Wire;

/// A decoder under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What to begin with.
    pub seeds: Seeds,
    /// Feeds it; true if it accepted the bytes. Must not panic.
    pub run: fn(&[u8]) -> bool,
}

/// Where mutation begins.
#[derive(Debug, Clone, Copy)]
pub enum Seeds {
    /// The wire forms in these files of `testdata/vectors`.
    Vectors(&'static [&'static str]),
    /// These texts.
    Texts(&'static [&'static str]),
    /// What the function makes of the vectors.
    Made(fn() -> anyhow::Result<Vec<Vec<u8>>>),
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Target> {
    [types::TARGETS, proofs::TARGETS, edge::TARGETS, interface::TARGETS].concat()
}

const fn vectors(
    name: &'static str,
    files: &'static [&'static str],
    run: fn(&[u8]) -> bool,
) -> Target {
    Target { name, seeds: Seeds::Vectors(files), run }
}

const fn texts(
    name: &'static str,
    texts: &'static [&'static str],
    run: fn(&[u8]) -> bool,
) -> Target {
    Target { name, seeds: Seeds::Texts(texts), run }
}

const fn made(
    name: &'static str,
    seeds: fn() -> anyhow::Result<Vec<Vec<u8>>>,
    run: fn(&[u8]) -> bool,
) -> Target {
    Target { name, seeds: Seeds::Made(seeds), run }
}

/// What is accepted has this one encoding.
fn wire<T: Wire>(bytes: &[u8]) -> bool {
    T::from_wire(bytes).is_ok_and(|value| {
        assert_eq!(value.to_wire(), bytes, "accepted a second encoding");
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;

    #[test]
    fn every_target_accepts_the_vectors_it_begins_with() {
        for target in all() {
            let seeds = corpus::of(&target).expect("the vectors can be read");
            let accepted = seeds.iter().filter(|seed| (target.run)(seed)).count();
            assert!(accepted > 0, "{} accepts none of its {} seeds", target.name, seeds.len());
        }
    }

    #[test]
    fn every_target_has_a_name_of_its_own() {
        let targets = all();
        for target in &targets {
            let same = targets.iter().filter(|other| other.name == target.name).count();
            assert_eq!(same, 1, "{}", target.name);
        }
    }
}
