//! Serve the HTTP interface, the only seam that clients meet.
