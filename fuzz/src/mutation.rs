//! How an input is changed: a few edits of bytes, of blocks, and of CBOR lengths.

use crate::random::Random;

/// Longest input that mutation makes, bytes.
const INPUT_BYTES_MAX: usize = 256 * 1024;

/// Bytes that begin or end something in CBOR, JSON, MQTT and UTF-8.
const TELLING_BYTES: &[u8] = &[
    0x00, 0x01, 0x17, 0x18, 0x1b, 0x20, 0x3b, 0x40, 0x5f, 0x60, 0x7f, 0x80, 0x81, 0x9b, 0x9f, 0xa0,
    0xa1, 0xbf, 0xc0, 0xc4, 0xd8, 0xf4, 0xf6, 0xf9, 0xfb, 0xff, b'"', b'[', b'{', b'-', b'.', b'e',
];

/// Lengths at the edges of their encodings, and some that no machine can hold.
const TELLING_LENGTHS: &[u64] =
    &[0, 1, 23, 24, 255, 256, 65_535, 65_536, (1 << 31) - 1, 1 << 32, 1 << 63, u64::MAX];

/// A changed copy of `input`: one to four edits, `other` serving to splice.
pub(crate) fn mutate(input: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        edit(&mut bytes, other, random);
    }
    bytes.truncate(INPUT_BYTES_MAX);
    bytes
}

fn edit(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    match random.below(10) {
        0 => flip_bit(bytes, random),
        1 => set_byte(bytes, random),
        2 => step_byte(bytes, random),
        3 => insert_bytes(bytes, random),
        4 => remove_block(bytes, random),
        5 => repeat_block(bytes, random),
        6 => splice(bytes, other, random),
        7 => bytes.truncate(random.below(bytes.len())),
        8 => change_cbor_length(bytes, random),
        _ => nest(bytes, random),
    }
}

fn flip_bit(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn set_byte(bytes: &mut [u8], random: &mut Random) {
    let (at, value) = (random.below(bytes.len()), random.pick(TELLING_BYTES).copied());
    if let (Some(byte), Some(value)) = (bytes.get_mut(at), value) {
        *byte = value;
    }
}

fn step_byte(bytes: &mut [u8], random: &mut Random) {
    let (at, up) = (random.below(bytes.len()), random.below(2) == 0);
    if let Some(byte) = bytes.get_mut(at) {
        *byte = if up { byte.wrapping_add(1) } else { byte.wrapping_sub(1) };
    }
}

fn insert_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() + 1);
        bytes.insert(at, random.next() as u8);
    }
}

fn block(bytes: &[u8], random: &mut Random) -> core::ops::Range<usize> {
    let start = random.below(bytes.len());
    start..start + random.below(bytes.len() - start + 1).min(64)
}

fn remove_block(bytes: &mut Vec<u8>, random: &mut Random) {
    let range = block(bytes, random);
    bytes.drain(range);
}

fn repeat_block(bytes: &mut Vec<u8>, random: &mut Random) {
    let copy = bytes[block(bytes, random)].to_vec();
    let at = random.below(bytes.len() + 1);
    let times = 1 + random.below(16);
    bytes.splice(at..at, copy.repeat(times));
}

fn splice(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let (keep, from) = (random.below(bytes.len() + 1), random.below(other.len() + 1));
    bytes.truncate(keep);
    bytes.extend_from_slice(&other[from..]);
}

/// Gives what may be the head of a CBOR item another length, in any of the widths.
fn change_cbor_length(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    let Some(&head) = bytes.get(at) else { return };
    let argument_bytes = match head & 0x1f {
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => 0,
    };
    let length = random.pick(TELLING_LENGTHS).copied().unwrap_or_default();
    let width = random.below(5);
    let mut changed =
        Vec::from([head & 0xe0 | if width == 0 { length as u8 & 0x1f } else { 23 + width as u8 }]);
    if width > 0 {
        changed.extend_from_slice(&length.to_be_bytes()[8 - (1 << (width - 1))..]);
    }
    let end = (at + 1 + argument_bytes).min(bytes.len());
    bytes.splice(at..end, changed);
}

/// Puts the input, or nothing, under many levels of arrays, objects or tags.
fn nest(bytes: &mut Vec<u8>, random: &mut Random) {
    let levels = [8, 64, 1000, 100_000][random.below(4)];
    let opening = [0x81, 0x9f, 0xa1, 0xc4, b'[', b'{'][random.below(6)];
    let at = random.below(bytes.len().min(8) + 1);
    bytes.splice(at..at, core::iter::repeat_n(opening, levels));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_change_alike_and_no_input_breaks_the_mutator() {
        for seed in 0..2_000 {
            let input: Vec<u8> = (0..seed as usize % 40).map(|i| i as u8).collect();
            let (mut a, mut b) = (Random::new(seed), Random::new(seed));
            let changed = mutate(&input, b"other", &mut a);
            assert_eq!(changed, mutate(&input, b"other", &mut b), "seed {seed}");
            assert!(changed.len() <= INPUT_BYTES_MAX);
        }
    }
}
