//! Keep authenticated key-value state over trait Store.
#![no_std]
extern crate alloc;

mod store;
pub use store::{AnyStore, Batch, Cause, Direction, Row, Space, Store, StoreError};

mod read;
pub use read::{Overlay, Read, Writes};
