//! Verdicts on signatures, as numbers that contracts know: 0 it holds, 1 it does not, others that it
//! cannot be one.

use cosmwasm_crypto::{CryptoResult, ed25519_verify};

/// A verdict as a number.
pub(crate) fn verdict(result: CryptoResult<bool>) -> u32 {
    match result {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(error) => error.code(),
    }
}

/// Whether all signatures of a batch hold, with one message or one key for all if there is just one.
///
/// One after the other and not by a random combination: the verdicts are the same under the rules of
/// ZIP 215, and no randomness is needed.
pub(crate) fn ed25519_batch(messages: &[&[u8]], signatures: &[&[u8]], keys: &[&[u8]]) -> u32 {
    const WRONG_COUNTS: u32 = 7;
    let count = signatures.len();
    let fits = |parts: &[&[u8]]| parts.len() == count || parts.len() == 1;
    let is_batch = fits(messages) && fits(keys) && (messages.len() == count || keys.len() == count);
    if !is_batch {
        return WRONG_COUNTS;
    }
    let mut all = true;
    for (index, signature) in signatures.iter().enumerate() {
        let of = |parts: &[&[u8]]| if parts.len() == 1 { 0 } else { index };
        match ed25519_verify(messages[of(messages)], signature, keys[of(keys)]) {
            Ok(holds) => all &= holds,
            Err(error) => return error.code(),
        }
    }
    u32::from(!all)
}
