//! Feed mutated bytes to every decoder.
//!
//! A [`Target`] is a plain function over bytes that returns whether it accepted them; it may not
//! panic, whatever they are, and asserts what must hold of what it accepts. [`driver::run`] mutates
//! a corpus taken from the pinned vectors in `testdata/vectors`, from a seed, so that every failure
//! can be repeated. It runs on stable Rust and does not measure coverage; the same functions serve
//! a coverage-guided fuzzer (`docs/contributing/fuzzing.md`).
//!
//! Start reading at [`target::all`].

pub mod corpus;
pub mod driver;
pub mod target;

mod mutation;
mod random;

pub use target::Target;
