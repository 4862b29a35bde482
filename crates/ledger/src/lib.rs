//! Apply a block to the state.
