//! Run one contract against trait Host, metered.
//!
//! A host of the CosmWasm interface, version 8: modules that others compiled run here unchanged.
//! [`inspect`] says whether a module may run and why not; [`Machine`] compiles it, and remembers what it
//! compiled in memory and on a [`Shelf`]; [`run`] calls one entry point with a gas limit and gives back
//! its answer, or a [`Failure`] that is the same on every machine.
//!
//! It does not know the ledger: storage, addresses and queries are what a [`Host`] makes of them. It
//! does not read the answer either, and rolls nothing back: what a failed contract wrote is the
//! host's to drop. No contract reads a clock, draws randomness, or reaches anything but its host.
//!
//! What makes two machines agree: floating point in which every NaN has one bit pattern, no vectors,
//! no threads; gas counted by instruction and by length, not by time; a stack measured in what the
//! module declares and not in bytes of the processor (see `meter`); and no text of the engine in any
//! result.
//!
//! Start reading at [`run`].

pub mod limits;
pub mod price;

mod inspect;
pub use inspect::{Outline, Reason, inspect};

mod meter;

mod machine;
pub use machine::{Machine, Module};

mod modules;

mod shelf;
pub use shelf::Shelf;

mod host;
pub use host::{Broken, Host, Order, Row};

mod region;

mod crypto;

mod imports;

mod run;
pub use run::{Call, Done, Entry, Failure, run};

pub mod testing;

#[cfg(test)]
mod tests;
