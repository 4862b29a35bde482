//! Keep state, indexes and payloads on disk.
