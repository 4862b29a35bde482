//! One example of each action.

use althing_types::{
    Action, ActionKind, ApprovalPolicy, Claim, CodeId, CodeMeta, Command, CommandReport,
    CommandState, ContractId, EntityId, EntityKind, Inception, Join, Limit, Offer, OfferTo,
    Operation, Place, Record, Resource, Status, Suite, Terms, ThingId, TxId, Voucher, claim_bytes,
    merkle, possession_bytes,
};
use serde_json::{Value, json};

use super::{
    governance,
    identity::{LEDGER, inception, inception_json, key, sender},
    readings::{STREAM, header_json, numbers},
};

const DESCRIPTION: &[u8] =
    br#"{"@context":"https://www.w3.org/2022/wot/td/v1.1","title":"Machine"}"#;
const THING: ThingId = ThingId([0x74; 32]);
const CODE: CodeId = CodeId([0x63; 32]);
const CONTRACT: ContractId = ContractId([0x6b; 32]);
const PENDING: TxId = TxId([0x70; 32]);

/// All of them, in the order of their numbers.
pub(super) fn all() -> Vec<Action> {
    let gateway = inception(EntityKind::Gateway, "gateway", Suite::P256, 5);
    let (id, secret) = (gateway.id(), key(Suite::P256, 5));
    let possession = secret.sign(&possession_bytes(&LEDGER, &id, &gateway.key));
    let next = key(Suite::Ed25519, 6);
    let next_possession = next.sign(&possession_bytes(&LEDGER, &id, &next.public_key()));
    let mut actions = vec![
        Action::RegisterEntity { inception: gateway, possession },
        Action::RotateKey { entity: id, key: next.public_key(), possession: next_possession },
        Action::RevokeEntity { entity: id },
        Action::RegisterThing { name: "machine-1".into(), description: DESCRIPTION.into() },
        Action::UpdateThing { thing: THING, replaces: 1, description: DESCRIPTION.into() },
        Action::Bind { thing: THING, gateway: id, until_height: 1_000_000 },
        Action::Unbind { thing: THING, gateway: id },
        Action::SubmitBatch(numbers().header(STREAM, 41)),
        Action::Record(record(id)),
        Action::SetApprovalPolicy(policy(id)),
        Action::Approve { pending: PENDING },
        Action::Reject { pending: PENDING },
        Action::RetireThing { thing: THING },
        Action::SetAccessPolicy(super::access::policy(id)),
        Action::RemoveAccessPolicy { resource: Resource::Everything(id) },
        Action::RequestAccess(super::access::request()),
        Action::AnswerAccess { request: super::access::GRANT, allow: true },
        Action::RevokeGrant { grant: super::access::GRANT },
        Action::UseGrant { grant: super::access::GRANT },
        Action::RecordAccess { uses: vec![super::access::one_use()] },
    ];
    actions.extend(super::direct::actions());
    actions.extend(onboarding(id));
    actions
}

/// Those about code and contracts.
fn contracts(sender: EntityId, id: EntityId) -> Vec<Action> {
    vec![
        Action::UploadCode { code: CODE, part: 1, bytes: b"\0asm".to_vec() },
        Action::StoreCode { code: CODE, parts: 2, meta: meta() },
        Action::RemoveCode { code: CODE },
        Action::Instantiate {
            code: CODE,
            name: "guard".into(),
            terms: terms(sender, id),
            message: b"{}".to_vec(),
            gas_limit: 1_000_000,
            funds: None,
        },
        Action::Execute {
            contract: CONTRACT,
            message: b"{\"check\":{}}".to_vec(),
            gas_limit: 7,
            funds: None,
        },
        Action::Migrate {
            contract: CONTRACT,
            code: CODE,
            message: b"{}".to_vec(),
            gas_limit: 1_000_000,
        },
        Action::SetAdmin { contract: CONTRACT, admin: Some(id) },
        Action::FreezeContract { contract: CONTRACT },
        Action::ThawContract { contract: CONTRACT },
        Action::TerminateContract { contract: CONTRACT },
        Action::AcceptContract { contract: CONTRACT },
        Action::DeclineContract { contract: CONTRACT },
    ]
}

/// Those by which things join, pass on, say how they are and are commanded.
fn onboarding(gateway: EntityId) -> Vec<Action> {
    let code = key(Suite::Ed25519, 8);
    let claim = Claim {
        key: code.public_key(),
        signature: code.sign(&claim_bytes(&LEDGER, &THING, &gateway)),
    };
    let offer = |to| Some(Offer { to, until_height: 1000 });
    let devices: Vec<_> = (10..13)
        .map(|seed| inception(EntityKind::Device, &format!("meter-{seed}"), Suite::Ed25519, seed))
        .collect();
    let leaves: Vec<[u8; 32]> = devices.iter().map(Inception::leaf).collect();
    let voucher = Voucher {
        owner: gateway,
        root: merkle::root(&leaves),
        count: 3,
        description: DESCRIPTION.into(),
    };
    let join = Join {
        voucher: voucher.id(&gateway),
        index: 1,
        inception: devices[1].clone(),
        path: merkle::path(&leaves, 1).unwrap_or_default(),
    };
    let status = Status {
        online: Some(false),
        firmware: Some("1.4.2".into()),
        place: Some(Place { latitude_e7: 481_372_000, longitude_e7: -115_755_000 }),
    };
    let limit = Limit { properties: vec!["count".into(), "temperature".into()], commands: true };
    let report = |state, result: Option<&[u8]>| {
        let result = result.map(|result| result.to_vec().into());
        Action::ReportCommand(CommandReport { command: PENDING, state, result })
    };
    vec![
        Action::OfferThing { thing: THING, offer: offer(OfferTo::Entity(gateway)) },
        Action::OfferThing { thing: THING, offer: offer(OfferTo::Code(code.public_key())) },
        Action::OfferThing { thing: THING, offer: None },
        Action::AcceptThing { thing: THING, claim: None },
        Action::AcceptThing { thing: THING, claim: Some(claim) },
        Action::LimitBinding { thing: THING, gateway, limit: Some(limit) },
        Action::ReportStatus { thing: THING, status },
        Action::IssueVoucher(voucher),
        Action::RevokeVoucher { voucher: join.voucher },
        Action::JoinByVoucher(join),
        command(Operation::Read { property: "temperature".into() }, None),
        command(
            Operation::Write {
                property: "target".into(),
                value: althing_types::Value::Number(215),
            },
            Some("heating".into()),
        ),
        command(
            Operation::Invoke {
                action: "boost".into(),
                input: Some(br#"{"minutes":10}"#.to_vec().into()),
            },
            None,
        ),
        report(CommandState::Delivered, None),
        report(CommandState::Done, Some(b"21.5")),
        Action::CancelCommand { command: PENDING },
        Action::Quarantine { thing: THING, reason: Some("floods the network".into()) },
        Action::Quarantine { thing: THING, reason: None },
    ]
    .into_iter()
    .chain(contracts(sender().0, gateway))
    .chain(super::triggers::actions())
    .chain(super::services::actions())
    .chain(super::secrecy::actions())
    .chain(governance::actions())
    .collect()
}

fn command(operation: Operation, purpose: Option<String>) -> Action {
    Action::Command(Command { thing: THING, operation, until_ms: 1_700_000_060_000, purpose })
}

fn meta() -> CodeMeta {
    CodeMeta {
        name: "guard".into(),
        source: "https://example.org/guard#1a2b3c".into(),
        interfaces: vec!["guard".into()],
    }
}

fn terms(admin: EntityId, other: EntityId) -> Terms {
    let mut participants = vec![admin, other];
    participants.sort();
    Terms {
        admin: Some(admin),
        participants,
        threshold: 2,
        patience_blocks: 500,
        callers: vec![other],
    }
}

fn terms_json(terms: &Terms) -> Value {
    let ids = |ids: &[EntityId]| ids.iter().map(|id| hex::encode(id.0)).collect::<Vec<_>>();
    json!({
        "admin": terms.admin.map(|id| hex::encode(id.0)),
        "participants": ids(&terms.participants),
        "threshold": terms.threshold,
        "patience_blocks": terms.patience_blocks,
        "callers": ids(&terms.callers),
    })
}

fn record(notified: EntityId) -> Record {
    Record {
        kind: "delivery".into(),
        data: b"pallet 7 at gate 3".to_vec(),
        notify: vec![notified],
        link: Some(PENDING),
    }
}

fn policy(approver: EntityId) -> ApprovalPolicy {
    let mut approvers = vec![sender().0, approver];
    approvers.sort();
    ApprovalPolicy { kind: ActionKind::RevokeEntity, threshold: 2, approvers, patience_blocks: 500 }
}

/// The action in words that need no CBOR.
pub(super) fn to_json(action: &Action) -> Value {
    let mut fields = match action {
        Action::RegisterEntity { inception, possession } => json!({
            "inception": inception_json(inception),
            "possession": hex::encode(possession.0),
        }),
        Action::RotateKey { entity, key, possession } => json!({
            "entity": hex::encode(entity.0),
            "suite": key.suite.name(),
            "key": hex::encode(&key.bytes),
            "possession": hex::encode(possession.0),
        }),
        Action::RevokeEntity { entity } => json!({ "entity": hex::encode(entity.0) }),
        Action::RegisterThing { name, description } => json!({
            "name": name,
            "description": String::from_utf8_lossy(description),
        }),
        Action::UpdateThing { thing, replaces, description } => json!({
            "thing": hex::encode(thing.0),
            "replaces": replaces,
            "description": String::from_utf8_lossy(description),
        }),
        Action::Bind { thing, gateway, until_height } => json!({
            "thing": hex::encode(thing.0),
            "gateway": hex::encode(gateway.0),
            "until_height": until_height,
        }),
        Action::Unbind { thing, gateway } => {
            json!({ "thing": hex::encode(thing.0), "gateway": hex::encode(gateway.0) })
        }
        Action::SubmitBatch(header) => header_json(header),
        Action::Record(record) => json!({
            "record_kind": record.kind,
            "data": hex::encode(&record.data),
            "notify": record.notify.iter().map(|id| hex::encode(id.0)).collect::<Vec<_>>(),
            "link": record.link.map(|link| hex::encode(link.0)),
        }),
        Action::SetApprovalPolicy(policy) => json!({
            "action_kind": policy.kind.name(),
            "threshold": policy.threshold,
            "approvers": policy.approvers.iter().map(|id| hex::encode(id.0)).collect::<Vec<_>>(),
            "patience_blocks": policy.patience_blocks,
        }),
        Action::Approve { pending } | Action::Reject { pending } => {
            json!({ "pending": hex::encode(pending.0) })
        }
        Action::RetireThing { thing } => json!({ "thing": hex::encode(thing.0) }),
        Action::UploadCode { code, part, bytes } => json!({
            "code": hex::encode(code.0),
            "part": part,
            "bytes": hex::encode(bytes),
        }),
        Action::StoreCode { code, parts, meta } => json!({
            "code": hex::encode(code.0),
            "parts": parts,
            "meta": {
                "name": meta.name,
                "source": meta.source,
                "interfaces": meta.interfaces,
            },
        }),
        Action::RemoveCode { code } => json!({ "code": hex::encode(code.0) }),
        Action::Instantiate { code, name, terms, message, gas_limit, .. } => json!({
            "code": hex::encode(code.0),
            "name": name,
            "terms": terms_json(terms),
            "message": hex::encode(message),
            "gas_limit": gas_limit,
        }),
        Action::Execute { contract, message, gas_limit, funds } => {
            let mut json = json!({
                "contract": hex::encode(contract.0),
                "message": hex::encode(message),
                "gas_limit": gas_limit,
            });
            if let Some(funds) = funds {
                json["funds"] = funds.to_string().into();
            }
            json
        }
        Action::Migrate { contract, code, message, gas_limit } => json!({
            "contract": hex::encode(contract.0),
            "code": hex::encode(code.0),
            "message": hex::encode(message),
            "gas_limit": gas_limit,
        }),
        Action::SetAdmin { contract, admin } => json!({
            "contract": hex::encode(contract.0),
            "admin": admin.map(|id| hex::encode(id.0)),
        }),
        Action::FreezeContract { contract }
        | Action::ThawContract { contract }
        | Action::TerminateContract { contract }
        | Action::AcceptContract { contract }
        | Action::DeclineContract { contract } => {
            json!({ "contract": hex::encode(contract.0) })
        }
        Action::PublishService(manifest) => super::services::to_json(manifest),
        Action::SetServiceStatus { service, version, status } => json!({
            "service": hex::encode(service.0),
            "version": version.to_string(),
            "status": status.name(),
        }),
        Action::SetTrigger(trigger) => super::triggers::to_json(trigger),
        Action::RemoveTrigger { trigger }
        | Action::SuspendTrigger { trigger }
        | Action::ResumeTrigger { trigger } => json!({ "trigger": hex::encode(trigger.0) }),
        Action::Propose(proposal) => governance::to_json(proposal),
        Action::Vote { proposal, accept } => {
            json!({ "proposal": hex::encode(proposal.0), "accept": accept })
        }
        Action::Enact { proposal } | Action::WithdrawProposal { proposal } => {
            json!({ "proposal": hex::encode(proposal.0) })
        }
        Action::SetAccessPolicy(_)
        | Action::RemoveAccessPolicy { .. }
        | Action::RequestAccess(_)
        | Action::AnswerAccess { .. }
        | Action::RevokeGrant { .. }
        | Action::UseGrant { .. }
        | Action::RecordAccess { .. } => super::access::action_json(action),
        Action::RecordDirect { .. } | Action::TagThing(_) => super::direct::action_json(action),
        Action::SetAgreementKey { .. }
        | Action::RotateStreamKey { .. }
        | Action::ShareStreamKey { .. }
        | Action::PlaceStream(_)
        | Action::EraseReadings { .. }
        | Action::ConfirmErasure { .. } => super::secrecy::action_json(action),
        other => onboarding_json(other),
    };
    fields["kind"] = action.kind().name().into();
    fields
}

pub(super) fn key_json(key: &althing_types::PublicKey) -> Value {
    json!({ "suite": key.suite.name(), "key": hex::encode(&key.bytes) })
}

/// The fields of those of [`onboarding`].
fn onboarding_json(action: &Action) -> Value {
    match action {
        Action::OfferThing { thing, offer } => json!({
            "thing": hex::encode(thing.0),
            "offer": offer.as_ref().map(|offer| match &offer.to {
                OfferTo::Entity(to) => json!({ "to": hex::encode(to.0), "until_height": offer.until_height }),
                OfferTo::Code(key) => json!({ "code": key_json(key), "until_height": offer.until_height }),
            }),
        }),
        Action::AcceptThing { thing, claim } => json!({
            "thing": hex::encode(thing.0),
            "claim": claim.as_ref().map(|claim| json!({
                "code": key_json(&claim.key),
                "signature": hex::encode(claim.signature.0),
            })),
        }),
        Action::LimitBinding { thing, gateway, limit } => json!({
            "thing": hex::encode(thing.0),
            "gateway": hex::encode(gateway.0),
            "limit": limit.as_ref().map(|limit| {
                json!({ "properties": limit.properties, "commands": limit.commands })
            }),
        }),
        Action::ReportStatus { thing, status } => json!({
            "thing": hex::encode(thing.0),
            "online": status.online,
            "firmware": status.firmware,
            "place": status.place.map(|place| [place.latitude_e7, place.longitude_e7]),
        }),
        Action::IssueVoucher(voucher) => json!({
            "owner": hex::encode(voucher.owner.0),
            "root": hex::encode(voucher.root.0),
            "count": voucher.count,
            "description": String::from_utf8_lossy(&voucher.description),
        }),
        Action::RevokeVoucher { voucher } => json!({ "voucher": hex::encode(voucher.0) }),
        Action::JoinByVoucher(join) => json!({
            "voucher": hex::encode(join.voucher.0),
            "index": join.index,
            "inception": inception_json(&join.inception),
            "path": join.path.iter().map(|digest| hex::encode(digest.0)).collect::<Vec<_>>(),
        }),
        other => command_json(other),
    }
}

fn command_json(action: &Action) -> Value {
    match action {
        Action::Command(command) => {
            let mut json = operation_json(&command.operation);
            json["thing"] = json!(hex::encode(command.thing.0));
            json["until_ms"] = json!(command.until_ms);
            json["purpose"] = json!(command.purpose);
            json
        }
        Action::ReportCommand(report) => json!({
            "command": hex::encode(report.command.0),
            "state": report.state.name(),
            "result": report.result.as_ref().map(|result| hex::encode(&**result)),
        }),
        Action::CancelCommand { command } => json!({ "command": hex::encode(command.0) }),
        Action::Quarantine { thing, reason } => {
            json!({ "thing": hex::encode(thing.0), "reason": reason })
        }
        other => super::tokens::action_json(other)
            .or_else(|| super::links::action_json(other))
            .unwrap_or_else(|| json!({})),
    }
}

pub(super) fn operation_json(operation: &Operation) -> Value {
    json!({
        "operation": operation.verb(),
        "target": operation.target(),
        "number": match operation {
            Operation::Write { value: althing_types::Value::Number(mantissa), .. } => Some(mantissa),
            _ => None,
        },
        "input": match operation {
            Operation::Invoke { input: Some(input), .. } => Some(hex::encode(&**input)),
            _ => None,
        },
    })
}
