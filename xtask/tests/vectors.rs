//! The encodings are what they were.

#[test]
fn every_wire_form_is_as_pinned() {
    if let Err(difference) = xtask::vectors::check() {
        panic!("{difference:#}");
    }
}
