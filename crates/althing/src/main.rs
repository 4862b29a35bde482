//! Parse, configure, call a library.
fn main() {}
