//! Verify readings, ranges, aggregates and certificates, offline.
