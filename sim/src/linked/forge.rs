//! What a relay makes up: rows that no state holds, below blocks that no ledger made.

use althing_proof::{
    call::{Answered, TakenRecord},
    certificate::{Finalized, signed_bytes},
    link::{Advance, Shown},
    state_path::{StatePath, Terminal, key_digest, leaf, value_digest},
};
use althing_types::{
    Certificate, EntityId, Header, Mechanism, SigningKey, ValidatorSet, Wire as _,
};

use crate::Founding;

/// The same row with an answer that nobody gave; none if it is no call's.
pub(super) fn with_answer(shown: &Shown, by: EntityId) -> Option<Shown> {
    let mut taken = TakenRecord::from_wire(shown.row.value.as_ref()?).ok()?;
    let accepted = !taken.answer.as_ref().is_some_and(|answer| answer.accepted);
    let (answer, height) = (b"I say so".to_vec(), shown.advance.block.header.height);
    taken.answer = Some(Answered { accepted, answer, by, height });
    let mut forged = shown.clone();
    forged.row.value = Some(taken.to_wire());
    Some(forged)
}

/// The same below a block at the same place whose state is that row and nothing else, which these validators
/// made final in their epoch, as far as their keys are `held`.
pub(super) fn below_made_up_block(
    shown: &Shown,
    held: &[SigningKey],
    validators: &ValidatorSet,
    mechanism: Mechanism,
) -> Option<Shown> {
    let mut forged = shown.clone();
    let (key, value) = (key_digest(&shown.row.key), value_digest(shown.row.value.as_ref()?));
    forged.row.path = StatePath::new(Vec::new(), Terminal::Found(value))?;
    let mut header = shown.advance.block.header.clone();
    header.result.state_root = leaf(&key, &value);
    header.epoch = validators.epoch;
    header.validators = validators.digest();
    let block = finalize(header, held, validators, mechanism);
    forged.advance = Advance { links: forged.advance.links, block };
    Some(forged)
}

/// A header with the certificate of those validators whose keys are held.
fn finalize(
    header: Header,
    held: &[SigningKey],
    validators: &ValidatorSet,
    mechanism: Mechanism,
) -> Finalized {
    let Header { epoch, view, parent_view, .. } = header;
    let block = header.digest();
    let message = signed_bytes(mechanism, &header.ledger, epoch, view, parent_view, &block);
    let mut signers = vec![0; validators.validators.len().div_ceil(8)];
    let mut signatures = Vec::new();
    for (position, validator) in validators.validators.iter().enumerate() {
        let key = held.iter().find(|key| key.public_key().bytes == validator.key);
        if let Some(key) = key {
            signers[position / 8] |= 0x80 >> (position % 8);
            signatures.push(key.sign(&message));
        }
    }
    Finalized::new(header, Certificate { epoch, view, parent_view, block, signers, signatures })
}

/// The keys that some of these validators vote with: the first `count` of them.
pub(super) fn keys_of(
    founding: &Founding,
    validators: &ValidatorSet,
    count: usize,
) -> Vec<SigningKey> {
    let machines: Vec<SigningKey> =
        (0..founding.peers()).map(|machine| founding.voting_key(machine)).collect();
    let key = |voting: &[u8; 32]| machines.iter().find(|key| key.public_key().bytes == *voting);
    let voting = validators.validators.iter().take(count);
    voting.filter_map(|validator| key(&validator.key).cloned()).collect()
}
