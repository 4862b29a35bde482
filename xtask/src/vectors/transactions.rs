//! Transactions: every action, every suite, one signer and several.

use althing_types::{
    Action, Body, EntityId, EntityKind, SigningKey, Suite, Transaction, limits::ACTIONS_MAX,
};
use serde_json::{Value, json};

use super::{
    Form, Vector, actions,
    identity::{LEDGER, inception, key, sender},
};

/// A transaction with one action, signed by the sender alone.
pub(super) fn signed(action: Action, nonce: u64) -> Transaction {
    let (id, key) = sender();
    Transaction::sign(&LEDGER, Body::new(&LEDGER, id, nonce, 900, vec![action]), &key, &[])
}

pub(super) fn forms() -> Vec<Form> {
    let about = "A signed request. `id` is SHA-256 of the wire form; `signed` is what each signer \
                 signs (RFC 9052, 4.4), in order; `secrets` are the signers' secret keys, the \
                 sender's first.";
    let mut vectors: Vec<Vector> = actions::all()
        .into_iter()
        .chain(super::tokens::actions())
        .chain(super::governance::token_actions())
        .chain(super::governance::policy_actions())
        .chain(super::links::actions())
        .chain(super::governance::mechanism_actions())
        .zip(1..)
        .map(|(action, nonce)| {
            let name = match &action {
                Action::Propose(proposal) => format!("propose {}", proposal.change.name()),
                _ => action.kind().name().to_owned(),
            };
            vector(&name, &signed(action, nonce), &[(Suite::Ed25519, 1)])
        })
        .collect();
    vectors.push(signed_with_p256());
    vectors.push(signed_by_several());
    vectors.push(several_actions());
    vec![Form::new("transaction", about, vectors)]
}

/// As many as there may be of all but the first twelve.
fn without_the_first() -> Vec<Action> {
    let mut some = actions::all().split_off(12);
    some.truncate(ACTIONS_MAX);
    some
}

fn signed_with_p256() -> Vector {
    let (sender, key) = other(Suite::P256, 2);
    let body = Body::new(&LEDGER, sender, 1, 900, without_the_first());
    let transaction = Transaction::sign(&LEDGER, body, &key, &[]);
    vector("signed with p256", &transaction, &[(Suite::P256, 2)])
}

fn signed_by_several() -> Vector {
    let (id, key) = sender();
    let (second, second_key) = other(Suite::P256, 2);
    let (third, third_key) = other(Suite::Ed25519, 3);
    let body = Body::new(&LEDGER, id, u64::MAX, u64::MAX, without_the_first());
    let others = [(second, &second_key), (third, &third_key)];
    let transaction = Transaction::sign(&LEDGER, body, &key, &others);
    let secrets = [(Suite::Ed25519, 1), (Suite::P256, 2), (Suite::Ed25519, 3)];
    vector("signed by several", &transaction, &secrets)
}

fn several_actions() -> Vector {
    let (id, key) = sender();
    let mut several = actions::all();
    several.truncate(ACTIONS_MAX);
    let body = Body::new(&LEDGER, id, 99, 900, several);
    let transaction = Transaction::sign(&LEDGER, body, &key, &[]);
    vector("as many actions as may be", &transaction, &[(Suite::Ed25519, 1)])
}

fn other(suite: Suite, seed: u8) -> (EntityId, SigningKey) {
    (inception(EntityKind::Organisation, "other", suite, seed).id(), key(suite, seed))
}

fn vector(name: &str, transaction: &Transaction, secrets: &[(Suite, u8)]) -> Vector {
    let body = transaction.body();
    let actions: Vec<Value> = body.actions.iter().map(actions::to_json).collect();
    let signers: Vec<Value> = transaction
        .signatures()
        .iter()
        .zip(secrets)
        .enumerate()
        .map(|(index, (signed, (suite, seed)))| {
            assert_eq!(signed.suite, *suite);
            json!({
                "signer": hex::encode(signed.signer.0),
                "suite": suite.name(),
                "secret": hex::encode([*seed; 32]),
                "signed": hex::encode(transaction.signed_bytes(&LEDGER, index)),
                "signature": hex::encode(signed.signature.0),
            })
        })
        .collect();
    let inputs = json!({
        "ledger": hex::encode(LEDGER.0),
        "sender": hex::encode(body.sender.0),
        "nonce": body.nonce.to_string(),
        "expiry_height": body.expiry_height.to_string(),
        "actions": actions,
        "signers": signers,
    });
    Vector::new(name, inputs, transaction.wire().to_vec()).gives("id", transaction.id().0)
}
