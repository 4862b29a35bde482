//! Blocks, their headers and certificates, and what executing them gave.

use althing_types::{
    Attribute, Block, Certificate, CodeId, CommandState, ContractId, Digest, EntityId, Event,
    ExecutionResult, Header, LedgerId, Mechanism, Place, Receipt, Refusal, Signature, Status,
    StreamId, Suite, ThingId, TxId, Validator, ValidatorSet, VoucherId, Wire as _, receipts_leaf,
    receipts_root, receipts_statement,
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Form, Vector, actions, governance,
    identity::{LEDGER, key},
    transactions::signed,
};

pub(super) fn validators() -> ValidatorSet {
    let mut validators: Vec<Validator> = (11..15_u8)
        .map(|seed| Validator {
            key: public(seed),
            peer: EntityId([seed; 32]),
            organisation: EntityId([seed + 100; 32]),
        })
        .collect();
    validators.sort();
    ValidatorSet { epoch: 3, validators, mechanism: None }
}

fn public(seed: u8) -> [u8; 32] {
    let bytes = key(Suite::Ed25519, seed).public_key().bytes;
    bytes.try_into().expect("an Ed25519 key has 32 bytes")
}

pub(super) fn block(count: usize, next_validators: Option<Digest>) -> Block {
    let transactions: Vec<Bytes> = actions::all()
        .into_iter()
        .take(count)
        .zip(1..)
        .map(|(action, nonce)| signed(action, nonce).wire().clone())
        .collect();
    let result = ExecutionResult {
        height: 40,
        state_root: Digest([0x5a; 32]),
        receipts_root: Digest([0x4e; 32]),
    };
    let header = Header {
        version: 1,
        ledger: LEDGER,
        height: 42,
        parent: Digest([0x9a; 32]),
        time_ms: 1_700_000_000_000,
        proposer: public(11),
        epoch: 3,
        view: 300,
        parent_view: 299,
        validators: validators().digest(),
        next_validators,
        transactions: Digest::default(),
        count: 0,
        result,
    };
    Block::new(header, transactions)
}

fn header_json(header: &Header) -> Value {
    json!({
        "version": header.version,
        "ledger": hex::encode(header.ledger.0),
        "height": header.height,
        "parent": hex::encode(header.parent.0),
        "time_ms": header.time_ms,
        "proposer": hex::encode(header.proposer),
        "epoch": header.epoch,
        "view": header.view,
        "parent_view": header.parent_view,
        "validators": hex::encode(header.validators.0),
        "next_validators": header.next_validators.map(|digest| hex::encode(digest.0)),
        "transactions": hex::encode(header.transactions.0),
        "count": header.count,
        "result": {
            "height": header.result.height,
            "state_root": hex::encode(header.result.state_root.0),
            "receipts_root": hex::encode(header.result.receipts_root.0),
        },
    })
}

pub(super) fn forms() -> Vec<Form> {
    let blocks = [
        ("empty", block(0, None)),
        ("one transaction", block(1, None)),
        ("three transactions", block(3, None)),
        ("last of an epoch", block(0, Some(Digest([0x0e; 32])))),
    ];
    let headers = blocks.iter().map(|(name, block)| {
        let header = block.header();
        Vector::new(*name, header_json(header), header.to_wire()).gives("digest", header.digest().0)
    });
    let whole = blocks.iter().map(|(name, block)| {
        let ids: Vec<String> = block.ids().iter().map(|id| hex::encode(id.0)).collect();
        let inputs = json!({ "header": header_json(block.header()), "transactions": ids });
        Vector::new(*name, inputs, block.wire().to_vec()).gives("digest", block.digest().0)
    });
    vec![
        Form::new(
            "header",
            "The head of a block. `digest` is SHA-256 of `althing/block/1` and the wire form: the \
             block's digest.",
            headers.collect(),
        ),
        Form::new(
            "block",
            "A header and the transactions it commits to, by their ids.",
            whole.collect(),
        ),
        Form::new(
            "validators",
            "The peers that vote in an epoch. `digest` is SHA-256 of `althing/validators/1` and \
             the wire form.",
            Vec::from([None, Some(Mechanism::Simplex), Some(Mechanism::Raft)].map(validator_set)),
        ),
        Form::new(
            "certificate",
            "The votes that finalize a block. `signed` is what each validator signs.",
            vec![
                certificate(Mechanism::Simplex, &[0, 1, 2]),
                certificate(Mechanism::Simplex, &[1, 2, 3]),
                certificate(Mechanism::Simplex, &[0, 1, 2, 3]),
                certificate(Mechanism::Raft, &[0, 2, 3]),
            ],
        ),
        Form::new(
            "event",
            "What a transaction brought about, as receipts carry it.",
            events()
                .into_iter()
                .chain(super::tokens::events())
                .chain(super::links::events())
                .chain(governance::later_events())
                .map(|(name, event)| Vector::new(name, json!({}), event.to_wire()))
                .collect(),
        ),
        Form::new(
            "receipt",
            "What happened to a transaction: `code` is 0 or the number of a refusal. `digest` is \
             SHA-256 of the wire form; `root` is the receipts root of a block with this one \
             receipt; `leaf` is SHA-256 of `althing/receipts/1`, height 42 as eight bytes and that \
             root; `statement` is what a header says that states heights 42 and 43, both with \
             that root.",
            receipts(),
        ),
    ]
}

fn validator_set(mechanism: Option<Mechanism>) -> Vector {
    let set = ValidatorSet { mechanism, ..validators() };
    let members: Vec<Value> = set
        .validators
        .iter()
        .map(|validator| {
            json!({
                "key": hex::encode(validator.key),
                "peer": hex::encode(validator.peer.0),
                "organisation": hex::encode(validator.organisation.0),
            })
        })
        .collect();
    let mut inputs = json!({ "epoch": set.epoch, "validators": members });
    let mut name = "four validators".to_owned();
    if let Some(mechanism) = mechanism {
        inputs["mechanism"] = mechanism.name().into();
        name += &format!(" that agree by {} since members decided so", mechanism.name());
    }
    Vector::new(name, inputs, set.to_wire()).gives("digest", set.digest().0)
}

/// What a validator signs, put together here once more from `docs/formats/certificate.md`.
fn finalize_bytes(mechanism: Mechanism, ledger: &LedgerId, certificate: &Certificate) -> Vec<u8> {
    let (len, begins): (u8, &[u8]) = match mechanism {
        Mechanism::Simplex => (0x3b, b"althing/simplex/1/"),
        Mechanism::Raft => (0x38, b"althing/raft/1/"),
    };
    let mut bytes = vec![len];
    bytes.extend_from_slice(begins);
    bytes.extend_from_slice(&ledger.0);
    bytes.extend_from_slice(b"_FINALIZE");
    for mut number in [certificate.epoch, certificate.view, certificate.parent_view] {
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
    }
    bytes.extend_from_slice(&certificate.block.0);
    bytes
}

fn certify(mechanism: Mechanism, block: &Block, positions: &[usize]) -> Certificate {
    let header = block.header();
    let mut certificate = Certificate {
        epoch: header.epoch,
        view: header.view,
        parent_view: header.parent_view,
        block: block.digest(),
        signers: vec![0],
        signatures: Vec::new(),
    };
    let message = finalize_bytes(mechanism, &header.ledger, &certificate);
    for position in positions {
        certificate.signers[0] |= 0x80 >> position;
        certificate.signatures.push(vote(*position, &message));
    }
    certificate
}

/// The vote of the validator at a position of the sorted set.
fn vote(position: usize, message: &[u8]) -> Signature {
    let wanted = validators().validators[position].key;
    let seed = (11..15).find(|seed| public(*seed) == wanted).expect("made from these seeds");
    key(Suite::Ed25519, seed).sign(message)
}

fn certificate(mechanism: Mechanism, positions: &[usize]) -> Vector {
    let block = block(3, None);
    let certificate = certify(mechanism, &block, positions);
    let verdict =
        althing_proof::certificate::verify(&certificate, mechanism, &LEDGER, &validators());
    assert_eq!(verdict, Ok(()), "what is put together by hand is what `proof` checks");
    let inputs = json!({
        "mechanism": mechanism.name(),
        "ledger": hex::encode(LEDGER.0),
        "epoch": certificate.epoch,
        "view": certificate.view,
        "parent_view": certificate.parent_view,
        "block": hex::encode(certificate.block.0),
        "signers": positions,
        "validators": hex::encode(validators().to_wire()),
    });
    let how = match mechanism {
        Mechanism::Simplex => "",
        Mechanism::Raft => "by raft, ",
    };
    Vector::new(format!("{how}signed by {positions:?}"), inputs, certificate.to_wire())
        .gives("signed", finalize_bytes(mechanism, &LEDGER, &certificate))
}

/// One of each kind.
fn events() -> Vec<(&'static str, Event)> {
    let (entity, owner) = (EntityId([0xe1; 32]), EntityId([0x0e; 32]));
    let (thing, stream, pending) = (ThingId([0x74; 32]), StreamId([0x57; 32]), TxId([0x70; 32]));
    let mut events = vec![
        ("entity registered", Event::EntityRegistered { entity, owner }),
        ("key rotated", Event::KeyRotated { entity, version: 2 }),
        ("entity revoked", Event::EntityRevoked { entity }),
        ("thing registered", Event::ThingRegistered { thing, owner }),
        ("thing updated", Event::ThingUpdated { thing, version: 2 }),
        ("thing retired", Event::ThingRetired { thing }),
        ("bound", Event::Bound { thing, gateway: entity, until_height: 1_000_000 }),
        ("unbound", Event::Unbound { thing, gateway: entity }),
        (
            "batch accepted",
            Event::BatchAccepted { thing, stream, leaf: 7, first_seq: 41, count: 3 },
        ),
        ("gap opened", Event::GapOpened { stream, first_seq: 30, count: 11 }),
        ("gap filled", Event::GapFilled { stream, first_seq: 30, count: 5 }),
        ("gap sealed", Event::GapSealed { stream, first_seq: 35, count: 6 }),
        (
            "recorded",
            Event::Recorded {
                sender: owner,
                kind: "delivery".into(),
                notify: vec![entity],
                link: Some(pending),
            },
        ),
        ("approval policy set", Event::ApprovalPolicySet { entity }),
        ("approval pending", Event::ApprovalPending { pending, approvals: 1, threshold: 2 }),
        ("approval granted", Event::ApprovalGranted { pending }),
        (
            "approval ended",
            Event::ApprovalEnded { pending, code: Refusal::PendingExpired.number() },
        ),
    ];
    events.extend(onboarding_events());
    events
}

fn contract_events() -> Vec<(&'static str, Event)> {
    let (entity, owner) = (EntityId([0xe1; 32]), EntityId([0x0e; 32]));
    let (code, contract) = (CodeId([0x63; 32]), ContractId([0x6b; 32]));
    vec![
        ("code stored", Event::CodeStored { code, owner, bytes: 247_725 }),
        ("code removed", Event::CodeRemoved { code }),
        (
            "contract proposed",
            Event::ContractProposed {
                contract,
                code,
                creator: entity,
                participants: vec![owner],
                threshold: 1,
            },
        ),
        (
            "contract accepted",
            Event::ContractAccepted { contract, participant: owner, accepted: 1 },
        ),
        (
            "contract dropped",
            Event::ContractDropped { contract, code: Refusal::ContractDeclined.number() },
        ),
        ("contract instantiated", Event::ContractInstantiated { contract, code, creator: entity }),
        (
            "contract called",
            Event::ContractCalled { contract, entry: 1, caller: entity, gas_used: 1_234_567 },
        ),
        ("contract migrated", Event::ContractMigrated { contract, code }),
        ("contract admin set", Event::ContractAdminSet { contract, admin: None }),
        ("contract frozen", Event::ContractFrozen(contract)),
        ("contract thawed", Event::ContractThawed(contract)),
        ("contract terminated", Event::ContractTerminated(contract)),
        (
            "contract emitted",
            Event::ContractEmitted {
                contract,
                name: "wasm".into(),
                attributes: vec![Attribute { key: "action".into(), value: "check".into() }],
            },
        ),
    ]
}

fn onboarding_events() -> Vec<(&'static str, Event)> {
    let (entity, owner) = (EntityId([0xe1; 32]), EntityId([0x0e; 32]));
    let (thing, command, voucher) = (ThingId([0x74; 32]), TxId([0x70; 32]), VoucherId([0x76; 32]));
    let status = Status {
        online: Some(true),
        firmware: None,
        place: Some(Place { latitude_e7: 481_372_000, longitude_e7: -115_755_000 }),
    };
    let changed =
        |state, result| Event::CommandChanged { command, thing, sender: owner, state, result };
    vec![
        (
            "thing offered",
            Event::ThingOffered { thing, owner, until_height: 1000, to: Some(entity) },
        ),
        (
            "thing offered by a code",
            Event::ThingOffered { thing, owner, until_height: 1000, to: None },
        ),
        ("offer withdrawn", Event::OfferWithdrawn { thing }),
        ("thing transferred", Event::ThingTransferred { thing, from: owner, to: entity }),
        ("binding limited", Event::BindingLimited { thing, gateway: entity, limited: true }),
        ("status reported", Event::StatusReported { thing, reporter: entity, status }),
        ("voucher issued", Event::VoucherIssued { voucher, maker: entity, owner, count: 10_000 }),
        ("voucher revoked", Event::VoucherRevoked { voucher }),
        ("device joined", Event::DeviceJoined { voucher, device: entity, thing }),
        (
            "command queued",
            Event::CommandQueued { command, thing, sender: owner, until_ms: 1_700_000_060_000 },
        ),
        ("command delivered", changed(CommandState::Delivered, None)),
        ("command done", changed(CommandState::Done, Some(b"21.5".to_vec().into()))),
        ("quarantine changed", Event::QuarantineChanged { thing, by: owner, quarantined: true }),
    ]
    .into_iter()
    .chain(contract_events())
    .chain(super::services::events())
    .chain(super::secrecy::events())
    .chain(super::direct::events())
    .chain(super::triggers::events())
    .chain(governance::events())
    .chain(super::access::events())
    .collect()
}

fn receipts() -> Vec<Vector> {
    let refused = |refusal: Refusal| Receipt {
        transaction: TxId([7; 32]),
        code: refusal.number(),
        action: 2,
        events: vec![],
    };
    let succeeded = Receipt {
        transaction: TxId([7; 32]),
        code: 0,
        action: 0,
        events: events().into_iter().map(|(_, event)| event).collect(),
    };
    [("succeeded", succeeded), ("refused", refused(Refusal::SequenceOverlap))]
        .map(|(name, receipt)| {
            let inputs = json!({
                "transaction": hex::encode(receipt.transaction.0),
                "code": receipt.code,
                "action": receipt.action,
                "events": receipt.events.iter().map(|e| hex::encode(e.to_wire())).collect::<Vec<_>>(),
            });
            let root = receipts_root(std::slice::from_ref(&receipt));
            Vector::new(name, inputs, receipt.to_wire())
                .gives("digest", receipt.digest())
                .gives("root", root.0)
                .gives("leaf", receipts_leaf(42, &root))
                .gives("statement", receipts_statement(42, &[root, root]).0)
        })
        .into()
}
