//! Keep authenticated key-value state over trait Store.
