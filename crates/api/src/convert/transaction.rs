use althing_client::model::{
    Action, DigestHex, Effect, Hex, Key, Outcome, Receipt, RefusalText, Transaction,
    TransactionStatus,
};
use althing_peer::{Placed, query::TransactionState};
use althing_types::{self as types, Digest, Refusal};

use super::onboarding::{self, text, thing_report, voucher_hex};
use crate::service::Service;

impl Service {
    pub(crate) fn transaction(&self, state: TransactionState) -> Transaction {
        let (transaction, outcome) = match state {
            TransactionState::Waiting(transaction) => (transaction, None),
            TransactionState::Final { transaction, placed, time_ms } => {
                (transaction, Some(self.outcome(placed, time_ms)))
            }
        };
        let body = transaction.body();
        let status = match outcome {
            Some(_) => TransactionStatus::Finalized,
            None => TransactionStatus::Waiting,
        };
        Transaction {
            id: Hex(transaction.id()),
            status,
            outcome,
            sender: self.did(&body.sender),
            signers: transaction.signatures().iter().map(|s| self.did(&s.signer)).collect(),
            nonce: body.nonce,
            expiry_height: body.expiry_height,
            bytes: u32::try_from(transaction.wire().len()).unwrap_or(u32::MAX),
            actions: body.actions.iter().map(|action| self.action(&body.sender, action)).collect(),
        }
    }

    pub(crate) fn outcome(&self, placed: Placed, time_ms: u64) -> Outcome {
        Outcome {
            height: placed.height,
            index: placed.position,
            time: time_ms.into(),
            receipt: self.receipt(&placed.receipt),
        }
    }

    pub(crate) fn receipt(&self, receipt: &types::Receipt) -> Receipt {
        let refusal = Refusal::from_number(receipt.code);
        let effect = match refusal {
            None => Effect::Applied,
            Some(Refusal::AwaitingApproval) => Effect::AwaitingApproval,
            Some(_) => Effect::Refused,
        };
        Receipt {
            transaction: Hex(receipt.transaction),
            effect,
            refusal: refusal.map(|refusal| RefusalText {
                code: refusal.code().to_owned(),
                detail: refusal.to_string(),
                action: receipt.action,
            }),
            events: receipt.events.iter().map(|event| self.event(event)).collect(),
        }
    }

    pub(crate) fn action(&self, sender: &types::EntityId, action: &types::Action) -> Action {
        match action {
            types::Action::RegisterEntity { inception, .. } => Action::RegisterEntity {
                entity: self.did(&inception.id()),
                kind: inception.kind.name().to_owned(),
                name: inception.name.clone(),
                key: Key::from(&inception.key),
            },
            types::Action::RotateKey { entity, key, .. } => {
                Action::RotateKey { entity: self.did(entity), key: Key::from(key) }
            }
            types::Action::RevokeEntity { entity } => {
                Action::RevokeEntity { entity: self.did(entity) }
            }
            types::Action::RegisterThing { name, description } => Action::RegisterThing {
                thing: self.thing_did(&types::ThingId::derive(sender, name)),
                name: name.clone(),
                description_digest: sha256(description),
            },
            types::Action::UpdateThing { thing, replaces, description } => Action::UpdateThing {
                thing: self.thing_did(thing),
                replaces: *replaces,
                description_digest: sha256(description),
            },
            types::Action::Bind { thing, gateway, until_height } => Action::Bind {
                thing: self.thing_did(thing),
                gateway: self.did(gateway),
                until_height: *until_height,
            },
            types::Action::Unbind { thing, gateway } => {
                Action::Unbind { thing: self.thing_did(thing), gateway: self.did(gateway) }
            }
            types::Action::SubmitBatch(batch) => Action::SubmitBatch {
                stream: Hex(batch.stream),
                first_seq: batch.first_seq,
                count: batch.count,
                earliest: althing_client::model::Time(batch.time_min),
                latest: althing_client::model::Time(batch.time_max),
                payload_digest: Hex(Digest(batch.payload_digest)),
                payload_bytes: batch.payload_len,
            },
            types::Action::Record(record) => Action::Record {
                kind: record.kind.clone(),
                data: hex::encode(&record.data),
                notify: record.notify.iter().map(|entity| self.did(entity)).collect(),
                link: record.link.map(Hex),
            },
            types::Action::SetApprovalPolicy(policy) => Action::SetApprovalPolicy {
                kind: policy.kind.name().to_owned(),
                threshold: policy.threshold,
                approvers: policy.approvers.iter().map(|entity| self.did(entity)).collect(),
                patience_blocks: policy.patience_blocks,
            },
            types::Action::Approve { pending } => Action::Approve { pending: Hex(*pending) },
            types::Action::Reject { pending } => Action::Reject { pending: Hex(*pending) },
            types::Action::RetireThing { thing } => {
                Action::RetireThing { thing: self.thing_did(thing) }
            }
            types::Action::SetAccessPolicy(_)
            | types::Action::RemoveAccessPolicy { .. }
            | types::Action::RequestAccess(_)
            | types::Action::AnswerAccess { .. }
            | types::Action::RevokeGrant { .. }
            | types::Action::UseGrant { .. }
            | types::Action::RecordAccess { .. } => self.access_action(action),
            types::Action::UploadCode { .. }
            | types::Action::StoreCode { .. }
            | types::Action::RemoveCode { .. } => code_action(action),
            types::Action::Instantiate { code, name, terms, message, gas_limit, funds } => {
                Action::Instantiate {
                    contract: self.contract_did(&types::ContractId::derive(sender, name)),
                    code: Hex(*code),
                    name: name.clone(),
                    message: message_text(message),
                    gas_limit: *gas_limit,
                    funds: funds.map(|funds| funds.to_string()),
                    participants: terms.participants.iter().map(|id| self.did(id)).collect(),
                    threshold: terms.threshold,
                }
            }
            types::Action::Execute { contract, message, gas_limit, funds } => Action::Execute {
                contract: self.contract_did(contract),
                message: message_text(message),
                gas_limit: *gas_limit,
                funds: funds.map(|funds| funds.to_string()),
            },
            types::Action::Migrate { contract, code, message, gas_limit } => Action::Migrate {
                contract: self.contract_did(contract),
                code: Hex(*code),
                message: message_text(message),
                gas_limit: *gas_limit,
            },
            types::Action::SetAdmin { contract, admin } => Action::SetAdmin {
                contract: self.contract_did(contract),
                admin: admin.as_ref().map(|admin| self.did(admin)),
            },
            types::Action::FreezeContract { contract } => {
                Action::FreezeContract { contract: self.contract_did(contract) }
            }
            types::Action::ThawContract { contract } => {
                Action::ThawContract { contract: self.contract_did(contract) }
            }
            types::Action::TerminateContract { contract } => {
                Action::TerminateContract { contract: self.contract_did(contract) }
            }
            types::Action::AcceptContract { contract } => {
                Action::AcceptContract { contract: self.contract_did(contract) }
            }
            types::Action::DeclineContract { contract } => {
                Action::DeclineContract { contract: self.contract_did(contract) }
            }
            types::Action::SetTrigger(_)
            | types::Action::RemoveTrigger { .. }
            | types::Action::SuspendTrigger { .. }
            | types::Action::ResumeTrigger { .. } => self.trigger_action(sender, action),
            types::Action::PublishService(manifest) => self.publication(sender, manifest),
            types::Action::SetServiceStatus { service, version, status } => {
                Action::SetServiceStatus {
                    service: Hex(*service),
                    version: version.to_string(),
                    status: status.name().to_owned(),
                }
            }
            types::Action::SetAgreementKey { .. }
            | types::Action::RotateStreamKey { .. }
            | types::Action::ShareStreamKey { .. }
            | types::Action::PlaceStream(_)
            | types::Action::EraseReadings { .. }
            | types::Action::ConfirmErasure { .. } => self.stream_action(action),
            types::Action::OfferThing { .. }
            | types::Action::AcceptThing { .. }
            | types::Action::LimitBinding { .. }
            | types::Action::ReportStatus { .. }
            | types::Action::IssueVoucher(_)
            | types::Action::RevokeVoucher { .. }
            | types::Action::JoinByVoucher(_) => self.onboarding_action(sender, action),
            types::Action::Propose(proposal) => Action::Propose {
                change: self.change(&proposal.change),
                reason: proposal.reason.clone(),
            },
            types::Action::Vote { proposal, accept } => {
                Action::Vote { proposal: Hex(*proposal), accept: *accept }
            }
            types::Action::Enact { proposal } => Action::Enact { proposal: Hex(*proposal) },
            types::Action::WithdrawProposal { proposal } => {
                Action::WithdrawProposal { proposal: Hex(*proposal) }
            }
            types::Action::Command(command) => Action::Command {
                thing: self.thing_did(&command.thing),
                asked: self.operation(&command.thing, &command.operation),
                until: command.until_ms.into(),
                purpose: command.purpose.clone(),
            },
            types::Action::ReportCommand(report) => Action::ReportCommand {
                command: Hex(report.command),
                state: report.state.name().to_owned(),
                result: text(report.result.as_deref()),
            },
            types::Action::RecordDirect { uses } => {
                Action::RecordDirect { uses: uses.iter().map(|one| self.direct_use(one)).collect() }
            }
            types::Action::TagThing(said) => Action::TagThing(self.tagged(said)),
            types::Action::CancelCommand { command } => {
                Action::CancelCommand { command: Hex(*command) }
            }
            types::Action::Quarantine { thing, reason } => {
                Action::Quarantine { thing: self.thing_did(thing), reason: reason.clone() }
            }
            types::Action::Transfer(_)
            | types::Action::BurnTokens { .. }
            | types::Action::OpenEscrow(_)
            | types::Action::ReleaseEscrow { .. }
            | types::Action::RefundEscrow { .. }
            | types::Action::SweepAccount { .. }
            | types::Action::Sponsor(_)
            | types::Action::EndSponsorship { .. }
            | types::Action::OfferReward(_)
            | types::Action::FundReward { .. }
            | types::Action::EndReward { .. }
            | types::Action::Stake(_)
            | types::Action::Unstake { .. }
            | types::Action::CollectStake { .. }
            | types::Action::ReportDoubleVote(_) => self.token_action(action),
            types::Action::RegisterLink { .. }
            | types::Action::AdvanceLink(_)
            | types::Action::ReportFork(_)
            | types::Action::SetLinkStatus { .. }
            | types::Action::AskLedger(_)
            | types::Action::TakeCall { .. }
            | types::Action::AnswerCall(_)
            | types::Action::SettleCall(_)
            | types::Action::RefundCall { .. } => self.link_action(sender, action),
        }
    }

    /// An action by which things and devices join or pass on.
    fn onboarding_action(&self, sender: &types::EntityId, action: &types::Action) -> Action {
        match action {
            types::Action::OfferThing { thing, offer } => Action::OfferThing {
                thing: self.thing_did(thing),
                offer: offer.as_ref().map(|offer| self.offer(offer)),
            },
            types::Action::AcceptThing { thing, claim } => {
                Action::AcceptThing { thing: self.thing_did(thing), by_code: claim.is_some() }
            }
            types::Action::LimitBinding { thing, gateway, limit } => Action::LimitBinding {
                thing: self.thing_did(thing),
                gateway: self.did(gateway),
                limit: limit.as_ref().map(onboarding::limit),
            },
            types::Action::ReportStatus { thing, status } => {
                Action::ReportStatus { thing: self.thing_did(thing), status: thing_report(status) }
            }
            types::Action::IssueVoucher(voucher) => Action::IssueVoucher {
                voucher: voucher_hex(&voucher.id(sender)),
                owner: self.did(&voucher.owner),
                root: Hex(voucher.root),
                count: voucher.count,
                description_digest: sha256(&voucher.description),
            },
            types::Action::RevokeVoucher { voucher } => {
                Action::RevokeVoucher { voucher: voucher_hex(voucher) }
            }
            types::Action::JoinByVoucher(join) => Action::JoinByVoucher {
                voucher: voucher_hex(&join.voucher),
                index: join.index,
                device: self.did(&join.inception.id()),
                name: join.inception.name.clone(),
            },
            // The caller hands over no other.
            other => self.action(sender, other),
        }
    }
}

/// An action about code, which names nobody.
fn code_action(action: &types::Action) -> Action {
    match action {
        types::Action::UploadCode { code, part, bytes } => {
            let bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            Action::UploadCode { code: Hex(*code), part: *part, bytes }
        }
        types::Action::StoreCode { code, meta, .. } => Action::StoreCode {
            code: Hex(*code),
            name: meta.name.clone(),
            source: meta.source.clone(),
            interfaces: meta.interfaces.clone(),
        },
        types::Action::RemoveCode { code } => Action::RemoveCode { code: Hex(*code) },
        _ => unreachable!("called for actions about code only"),
    }
}

/// A message as text: JSON, or whatever else somebody sent in its place.
fn message_text(message: &[u8]) -> String {
    String::from_utf8_lossy(message).into_owned()
}

/// SHA-256, by which the state knows a description.
fn sha256(bytes: &[u8]) -> DigestHex {
    Hex(Digest(types::hash("", &[bytes])))
}
