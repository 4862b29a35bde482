//! The bound of an event.

use super::Event;
use crate::{Wire, WireError};

impl Wire for Event {
    const BYTES_MAX: usize = 32 * 1024;

    fn validate(&self) -> Result<(), WireError> {
        Ok(())
    }
}
