//! Decide whether a principal may do an action on a resource, now, for a purpose.
//!
//! Owners write policies in a part of Cedar, or have one made from a [`Template`].
//! [`Policies::compile`] reads and checks a text once, within bounds; [`Policies::decide`] answers a
//! [`Question`] about it, and cannot fail. A statement that forbids wins over all that permit, and
//! what no statement permits is not permitted. [`explain`] says in words what each statement does.
//!
//! It does not know the ledger: which policies apply to a resource, and whether a grant is needed
//! beside them, is for crate `ledger` to say. It reads no clock, draws no randomness and does no I/O;
//! time is part of the question. Why not the engine that others use:
//! `docs/decisions/0020-a-part-of-cedar.md`.
//!
//! Start reading at [`Policies`].

mod token;

mod syntax;

mod parse;
pub use parse::BadPolicy;

mod policies;
pub use policies::{Policies, Principal, Question, Verdict};

mod template;
pub use template::{Template, TemplateError};

mod explain;
pub use explain::explain;
