//! One example of each change that members decide on.

use althing_types::{
    Action, Amount, Change, Demands, Deploy, EntityId, EntityKind, Event, Mechanism, MechanismFrom,
    Parameters, Participation, Proposal, Refusal, Regulation, Seat, Suite, Transact, TxId,
    VotingRule, possession_bytes,
};
use serde_json::{Value, json};

use super::identity::{LEDGER, inception, inception_json, key};

const PROPOSAL: TxId = TxId([0x7a; 32]);
const PEER: EntityId = EntityId([0x9e; 32]);
const RETURN: MechanismFrom = MechanismFrom { mechanism: Mechanism::Simplex, from_height: 0 };
const ORGANISATION: EntityId = EntityId([0x06; 32]);

fn vote_key() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&key(Suite::Ed25519, 8).public_key().bytes);
    bytes
}

fn changes() -> Vec<Change> {
    let begins = inception(EntityKind::Organisation, "fifth", Suite::Ed25519, 7);
    let possession =
        key(Suite::Ed25519, 7).sign(&possession_bytes(&LEDGER, &begins.id(), &begins.key));
    let seat = Seat { peer: PEER, key: vote_key(), address: "peer.example:7000".into() };
    vec![
        Change::AddOrganisation { inception: begins, possession },
        Change::RemoveOrganisation { organisation: ORGANISATION },
        Change::AddPeer(seat),
        Change::RemovePeer { peer: PEER },
        Change::RotateVotingKey { peer: PEER, key: vote_key() },
        Change::SetParameters(Parameters { sequence_window: 500, ..Parameters::standard() }),
        Change::SetVotingRule(VotingRule { timelock_blocks: 600, ..VotingRule::STANDARD }),
    ]
}

/// Those about tokens.
fn token_changes() -> [Change; 3] {
    [
        Change::MintTokens { to: ORGANISATION, amount: Amount::from(1_000_000) },
        Change::FreezeAccount { account: PEER, frozen: true },
        Change::SetParameters(super::tokens::genesis().parameters),
    ]
}

/// Those about who takes part and how readings are kept.
fn policy_changes() -> [Change; 3] {
    let participation =
        Some(Participation { transact: Transact::Members, deploy: Deploy::Approved });
    let demands = Demands {
        retention_days_min: None,
        retention_days_max: Some(30),
        holders: vec![ORGANISATION],
        confidential: true,
    };
    let regulation = Regulation {
        id: "gdpr-5".into(),
        text: "Readings of people are kept no longer than needed.".into(),
        reference: "Regulation (EU) 2016/679, Article 5(1)(e)".into(),
        jurisdiction: "EU".into(),
        thing_type: Some("saref:Meter".into()),
        demands,
    };
    [
        Change::SetParameters(Parameters { participation, ..Parameters::standard() }),
        Change::SetRegulation(regulation),
        Change::EndRegulation { id: "gdpr-5".into() },
    ]
}

/// Those about how peers agree.
pub(super) fn mechanism_actions() -> [Action; 2] {
    [MechanismFrom { mechanism: Mechanism::Raft, from_height: 4096 }, RETURN]
        .map(|wanted| propose(Change::SetMechanism(wanted)))
}

/// Proposals about who takes part and how readings are kept.
pub(super) fn policy_actions() -> [Action; 3] {
    policy_changes().map(propose)
}

fn regulation_json(said: &Regulation) -> Value {
    let holders: Vec<String> = said.demands.holders.iter().map(|id| hex::encode(id.0)).collect();
    json!({
        "regulation": {
            "id": said.id,
            "text": said.text,
            "reference": said.reference,
            "jurisdiction": said.jurisdiction,
            "thing_type": said.thing_type,
            "retention_days_min": said.demands.retention_days_min,
            "retention_days_max": said.demands.retention_days_max,
            "holders": holders,
            "confidential": said.demands.confidential,
        },
    })
}

fn participation_json(said: Participation) -> Value {
    let transact = Transact::ALL.iter().find(|(one, _)| *one == said.transact);
    let deploy = Deploy::ALL.iter().find(|(one, _)| *one == said.deploy);
    json!({ "transact": transact.map(|(_, name)| name), "deploy": deploy.map(|(_, name)| name) })
}

fn propose(change: Change) -> Action {
    Action::Propose(Proposal { change, reason: "as agreed in Reykjavík".into() })
}

/// Proposals about tokens.
pub(super) fn token_actions() -> [Action; 3] {
    token_changes().map(propose)
}

/// The actions, in the order in which they came.
pub(super) fn actions() -> Vec<Action> {
    changes()
        .into_iter()
        .map(propose)
        .chain([
            Action::Vote { proposal: PROPOSAL, accept: true },
            Action::Enact { proposal: PROPOSAL },
            Action::WithdrawProposal { proposal: PROPOSAL },
        ])
        .collect()
}

/// A proposal in words that need no CBOR.
pub(super) fn to_json(proposal: &Proposal) -> Value {
    let mut fields = match &proposal.change {
        Change::AddOrganisation { inception, possession } => json!({
            "inception": inception_json(inception),
            "possession": hex::encode(possession.0),
        }),
        Change::RemoveOrganisation { organisation } => {
            json!({ "organisation": hex::encode(organisation.0) })
        }
        Change::AddPeer(seat) => json!({
            "peer": hex::encode(seat.peer.0),
            "vote_key": hex::encode(seat.key),
            "address": seat.address,
        }),
        Change::RemovePeer { peer } => json!({ "peer": hex::encode(peer.0) }),
        Change::RotateVotingKey { peer, key } => {
            json!({ "peer": hex::encode(peer.0), "vote_key": hex::encode(key) })
        }
        Change::SetParameters(parameters) => parameters_json(parameters),
        Change::SetMechanism(wanted) => json!({
            "mechanism": wanted.mechanism.name(),
            "from_height": wanted.from_height,
        }),
        Change::SetVotingRule(rule) => json!({
            "numerator": rule.numerator,
            "denominator": rule.denominator,
            "patience_blocks": rule.patience_blocks,
            "timelock_blocks": rule.timelock_blocks,
        }),
        Change::MintTokens { to, amount } => {
            json!({ "to": hex::encode(to.0), "amount": amount.to_string() })
        }
        Change::FreezeAccount { account, frozen } => {
            json!({ "account": hex::encode(account.0), "frozen": frozen })
        }
        Change::SetRegulation(said) => regulation_json(said),
        Change::EndRegulation { id } => json!({ "id": id }),
    };
    fields["change"] = proposal.change.name().into();
    fields["reason"] = proposal.reason.clone().into();
    fields
}

pub(super) fn parameters_json(parameters: &Parameters) -> Value {
    let mut json = json!({
        "block_bytes_max": parameters.block_bytes_max,
        "block_transactions_max": parameters.block_transactions_max,
        "heartbeat_ms": parameters.heartbeat_ms,
        "leader_timeout_ms": parameters.leader_timeout_ms,
        "clock_drift_max_ms": parameters.clock_drift_max_ms,
        "claim_ahead_max_ms": parameters.claim_ahead_max_ms,
        "sequence_window": parameters.sequence_window,
        "contract_gas_transaction_max": parameters.contract_gas_transaction_max,
        "contract_gas_block_max": parameters.contract_gas_block_max,
        "epoch_blocks": parameters.epoch_blocks,
    });
    if let Some(fees) = parameters.fees {
        json["fees"] = super::tokens::fees_json(fees);
    }
    if let Some(stake) = &parameters.stake {
        json["stake"] = super::tokens::rules_json(stake);
    }
    if let Some(participation) = parameters.participation {
        json["participation"] = participation_json(participation);
    }
    json
}

/// One event of each kind.
pub(super) fn events() -> Vec<(&'static str, Event)> {
    let (proposal, organisation) = (PROPOSAL, ORGANISATION);
    vec![
        ("proposed", Event::Proposed { proposal, proposer: organisation }),
        ("voted", Event::Voted { proposal, organisation, accept: true, votes: 2, needed: 3 }),
        ("proposal accepted", Event::ProposalAccepted { proposal, due_height: 700 }),
        ("proposal enacted", Event::ProposalEnacted { proposal }),
        ("proposal ended", Event::ProposalEnded { proposal, code: Refusal::VotedDown.number() }),
        ("member added", Event::MemberAdded { organisation }),
        ("member removed", Event::MemberRemoved { organisation }),
        ("validators chosen", Event::ValidatorsChosen { count: 5, quorum: 4 }),
        ("parameters set", Event::ParametersSet),
        ("voting rule set", Event::VotingRuleSet),
    ]
}

/// One of each kind that came later.
pub(super) fn later_events() -> [(&'static str, Event); 1] {
    [("mechanism chosen", Event::MechanismChosen(RETURN))]
}
