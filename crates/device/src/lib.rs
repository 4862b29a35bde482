//! Sign readings on a microcontroller.
//!
//! A [`Device`] numbers its readings, puts them into packs and signs each pack with its own key:
//! COSE_Sign1 over SenML in CBOR, in the one form that peers take (`docs/formats/pack.md`). No gateway
//! between the device and the ledger can then alter a reading, pass it off as another stream's, or
//! leave one out unnoticed: each pack names the one before it.
//!
//! No standard library, no heap, no clock, no radio: the caller gives time, storage and transport.
//!
//! ```
//! use althing_device::{Device, Outbox, Reading, Stream, Value};
//!
//! let device = Device::new([7; 32], [1; 32], [2; 32]);
//! let stream = Stream { id: [3; 32], name: "temperature", scale: 2 };
//! let mut outbox: Outbox<1024> = Outbox::new(0, None);
//! let readings = [Reading { after_ms: 0, value: Value::Number(2150) }];
//! let pack = outbox.push(&device, &stream, Some(1_700_000_000_000), &readings).expect("room");
//! assert!(!pack.is_empty()); // publish it; once it is acknowledged:
//! outbox.acknowledged();
//! ```
//!
//! Whatever the device must remember over a loss of power is [`Outbox::state`]: write it before a pack
//! leaves. A device that forgets it uses numbers twice, and what it then sends is refused.
//!
//! Start reading at [`Outbox`].
#![no_std]
#![forbid(unsafe_code)]

mod outbox;
mod pack;

pub use outbox::{Outbox, PushError, State};
pub use pack::{Device, PACK_BYTES_MAX, READINGS_MAX, Reading, SignError, Stream, Value};
