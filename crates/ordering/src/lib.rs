//! Agree on the next block.
