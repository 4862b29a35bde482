use alloc::{vec, vec::Vec};

use proptest::prelude::*;

use super::*;
use crate::testing::Trie;

fn content(keys: &[u16]) -> Trie {
    let mut trie = Trie::default();
    keys.iter().for_each(|key| trie.set(key.to_be_bytes().to_vec(), vec![*key as u8]));
    trie
}

#[test]
fn an_empty_state_holds_nothing() {
    let path = StatePath::new(vec![], Terminal::Empty).unwrap();
    assert_eq!(path.verify(&EMPTY, b"any"), Ok(None));
    assert_eq!(path.to_wire(), [0x84, 0x00, 0x40, 0x40, 0xf6]);
    assert_eq!(path.verify(&Digest([1; 32]), b"any"), Err(StatePathError::Root));
}

#[test]
fn a_leaf_elsewhere_says_nothing() {
    let content = content(&[1, 2, 3, 4, 5]);
    let root = content.root();
    let known = content.path(&3_u16.to_be_bytes());
    let Terminal::Found(value) = *known.terminal() else { panic!("3 is there") };
    // The leaf of key 3 does not show that key 3 is absent, nor that another is.
    let key = key_digest(&3_u16.to_be_bytes());
    let lie = StatePath::new(known.siblings.clone(), Terminal::Other { key, value }).unwrap();
    assert_eq!(lie.verify(&root, &3_u16.to_be_bytes()), Err(StatePathError::Elsewhere));
    for other in 4..100_u16 {
        let verdict = lie.verify(&root, &other.to_be_bytes());
        let shares = (0..lie.siblings.len())
            .all(|depth| bit(&key, depth) == bit(&key_digest(&other.to_be_bytes()), depth));
        assert_eq!(verdict.is_ok(), shares, "{other}");
    }
}

#[test]
fn a_second_encoding_is_refused() {
    let path = content(&[1, 2, 3]).path(&2_u16.to_be_bytes());
    let wire = path.to_wire();
    assert_eq!(StatePath::from_wire(&wire), Ok(path.clone()));
    let bitmap = wire[3];
    let mut surplus_bit = wire.clone();
    surplus_bit[3] = bitmap | 1;
    assert!(StatePath::from_wire(&surplus_bit).is_err());
    // An empty sibling spelled out as 32 zero bytes.
    let mut e = Encoder::new(Vec::new());
    e.array(4).unwrap().u8(1).unwrap().bytes(&[0x80]).unwrap().bytes(&[0; 32]).unwrap();
    e.null().unwrap();
    assert_eq!(StatePath::from_wire(e.writer()), Err(WireError::NotCanonical));
    assert_eq!(StatePath::new(vec![EMPTY; DEPTH_MAX + 1], Terminal::Empty), None);
    let deepest = StatePath::new(vec![Digest([1; 32]); DEPTH_MAX], Terminal::Empty).unwrap();
    assert_eq!(StatePath::from_wire(&deepest.to_wire()), Ok(deepest));
}

proptest! {
    #[test]
    fn what_is_there_is_found_and_what_is_not_is_absent(
        keys in prop::collection::vec(any::<u16>(), 0..60),
        asked: u16,
    ) {
        let content = content(&keys);
        let root = content.root();
        for key in keys.iter().chain([&asked]) {
            let raw = key.to_be_bytes();
            let path = content.path(&raw);
            prop_assert_eq!(path.verify(&root, &raw), Ok(content.get(&raw).map(value_digest)));
            prop_assert_eq!(StatePath::from_wire(&path.to_wire()), Ok(path));
        }
    }

    #[test]
    fn no_flipped_byte_passes(
        keys in prop::collection::vec(any::<u16>(), 1..40),
        asked: u16,
        present: bool,
        bit in 0..8_u32,
    ) {
        let content = content(&keys);
        let root = content.root();
        let raw = if present { keys[0] } else { asked }.to_be_bytes();
        let wire = content.path(&raw).to_wire();
        for position in 0..wire.len() {
            let mut flipped = wire.clone();
            flipped[position] ^= 1 << bit;
            if let Ok(path) = StatePath::from_wire(&flipped) {
                prop_assert!(path.verify(&root, &raw).is_err(), "byte {}", position);
            }
        }
    }

    #[test]
    fn garbage_is_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(path) = StatePath::from_wire(&bytes) {
            prop_assert!(path.verify(&Digest([1; 32]), b"key").is_err());
        }
    }
}
