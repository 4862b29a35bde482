//! Run the gateway as a machine: map, buffer, batch, sign, retry.
//!
//! This crate decides; it does not act. [`Machine::handle`] takes one [`Input`] and returns the
//! [`Output`]s that its driver must carry out, in order. [`Machine::deadline`] says when it next
//! wants [`Input::Tick`]. It reads no clock, draws no random number, does no I/O and knows no MQTT,
//! so a run is a function of its inputs and any failure can be replayed.
//!
//! ```text
//!             publish                      persist            sign, submit
//!  device ───────────────> [ mapping ] ──────────────> queue ──────────────> peer
//!         <─────────────── acknowledge <── persisted     │      <── finalized
//!                          (durable)                     └ kept until final
//! ```
//!
//! What it promises, crash at any point included:
//! - A publish is acknowledged only when its readings are durable, and then each of them becomes
//!   final exactly once. Numbers are given when a reading enters the queue, one batch of a stream
//!   is under way at a time, and after an answer was lost the ledger's own digest decides whether
//!   a batch is ours.
//! - A publish of QoS 2 that comes again after any crash is known by its [`Mark`].
//! - Nothing is dropped: a full queue refuses, unless the owner of a thing would rather lose its
//!   oldest readings; those are then a gap on the ledger.
//! - What is new does not wait for what piled up: a stream has a live lane and one for backfill.
//! - Values are exact: no binary float holds a reading.
//!
//! [`journal`] has the queue's form on disk, for any driver that can append to a file, and
//! [`journal::Queue`] decides what is written where.
//!
//! Start reading at [`Machine::handle`].
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod machine;
pub use machine::{
    AttemptId, Held, Input, Located, Machine, Outcome, Output, PersistId, PublishId, Sealing,
    Status, TimeMs,
};

mod config;
pub use config::{Config, LimitError, Limits};

mod directory;
pub use directory::{DeviceSpec, STREAMS_MAX, StreamSpec, THINGS_MAX, ThingSpec, Unserved};

mod things_file;
pub use things_file::{ThingList, ThingListError};

mod profile;
pub use profile::{Form, JsonForm, Profile, TimeUnit};

mod topic;
pub use topic::{Captured, Pattern, PatternError, TOPIC_BYTES_MAX, TOPIC_LEVELS_MAX};

pub mod courier;

pub mod direct;

mod pointer;
pub use pointer::{POINTER_STEPS_MAX, Pointer, PointerError};

mod mapping;
pub use mapping::is_cose_sign1;
mod rejection;
pub use rejection::{QUOTED_CHARS_MAX, Rejection};

mod scalar;
pub use scalar::Scalar;

pub mod senml;

mod time;

mod stream;

mod at_rest;
pub use at_rest::{AtRest, DiskKey, SEAL_BYTES};

mod mark;
pub use mark::Mark;

mod record;
pub use record::{Numbered, RECORD_BYTES_MAX, Record};

pub mod coap;

pub mod journal;

pub mod presence;

mod rights;
pub use rights::{Grant, Principal, Rights, RightsTable};

pub mod broker;

mod retry;

#[cfg(test)]
mod testing;
