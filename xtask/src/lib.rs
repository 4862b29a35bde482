//! Run every check the project promises.
//!
//! `cargo xtask <command>` needs nothing but cargo. What a command needs beyond that it names, with
//! the line that installs it. Continuous integration calls these commands and nothing else.
//!
//! It contains no check that the product relies on: what must hold of the code is a test beside the
//! code, and what must hold of the layout is in `xtask/tests/tidy.rs`.
//!
//! Start reading at [`check::test`].

pub mod check;
pub mod errors;
pub mod tally;
pub mod vectors;

mod api;
mod arm64;
mod bench;
mod package;
mod packages;
mod shell;

pub use api::api;
pub use arm64::arm64;
pub use bench::bench;
pub use package::package;
pub use shell::root;
