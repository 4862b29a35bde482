//! Run every check the project promises.
fn main() {}
