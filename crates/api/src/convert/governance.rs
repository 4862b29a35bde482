use althing_client::{
    genesis_file::ParametersForm,
    model::{
        Change, Consequence, Governance, Hex, HexKey, Key, MechanismFrom, Member, PoliciesAt,
        Proposal, ProposalStatus, Regulation, SeatOf, VotingRule,
    },
};
use althing_peer::query::{self, GovernanceState, OpenProposal, ProposalAt};
use althing_types::{self as types, EntityId, TxId, Validator};

use crate::{problem::Answer, service::Service};

impl Service {
    pub(crate) fn governance(&self, state: &GovernanceState) -> Answer<Governance> {
        let members =
            state.members.0.iter().map(|id| {
                Ok(Member { id: self.did(id), name: self.query.entity(id)?.inception.name })
            });
        let seats = |validators: &[Validator]| {
            validators.iter().map(|one| self.seat_of(one)).collect::<Answer<Vec<_>>>()
        };
        let open = state.open.iter();
        let [mechanism, next_mechanism, chosen_mechanism] =
            state.mechanisms.map(|mechanism| mechanism.name().to_owned());
        Ok(Governance {
            members: members.collect::<Answer<_>>()?,
            rule: voting_rule(&state.rule),
            votes_needed: small(state.rule.needed(state.members.0.len())),
            parameters: ParametersForm::from(&state.parameters),
            regulations: state.regulations.iter().map(|one| self.regulation(one)).collect(),
            epoch: state.validators.epoch,
            validators: seats(&state.validators.validators)?,
            mechanism,
            epoch_end_height: state.epoch_end,
            next_validators: seats(&state.next_validators.validators)?,
            next_mechanism,
            chosen_validators: seats(&state.chosen_validators.validators)?,
            chosen_mechanism,
            planned_mechanism: state.planned_mechanism.as_ref().map(mechanism_from),
            proposals: open.map(|(id, open)| self.open(id, open, state)).collect(),
        })
    }

    fn seat_of(&self, validator: &Validator) -> Answer<SeatOf> {
        Ok(SeatOf {
            peer: self.did(&validator.peer),
            name: self.query.entity(&validator.peer)?.inception.name,
            organisation: self.did(&validator.organisation),
            vote_key: Hex(HexKey(validator.key)),
            address: self.query.peer_address(&validator.peer)?,
        })
    }

    fn dids(&self, ids: &[EntityId]) -> Vec<althing_client::model::DidText> {
        ids.iter().map(|id| self.did(id)).collect()
    }

    pub(crate) fn open(&self, id: &TxId, open: &OpenProposal, now: &GovernanceState) -> Proposal {
        let members = &now.members.0;
        let voted = |id: &&EntityId| open.accepts.contains(id) || open.rejects.contains(id);
        let awaits: Vec<EntityId> = members.iter().filter(|id| !voted(id)).copied().collect();
        let decided = open.due_height.is_some();
        Proposal {
            id: Hex(*id),
            proposer: self.did(&open.proposer),
            change: self.change(&open.proposal.change),
            reason: open.proposal.reason.clone(),
            status: if decided { ProposalStatus::Accepted } else { ProposalStatus::Open },
            refusal: None,
            since_height: open.since_height,
            until_height: Some(open.until_height),
            due_height: open.due_height,
            votes_needed: Some(small(now.rule.needed_for(&open.proposal.change, members.len()))),
            ended_height: None,
            accepts: self.dids(&open.accepts),
            rejects: self.dids(&open.rejects),
            awaits: if decided { Vec::new() } else { self.dids(&awaits) },
        }
    }

    /// A proposal that is over, with what its transaction had proposed.
    pub(crate) fn past_proposal(
        &self,
        at: &ProposalAt,
        proposer: &EntityId,
        proposal: &types::Proposal,
    ) -> Proposal {
        let (status, ended_height, refusal) = match at.status {
            query::ProposalStatus::Open => (ProposalStatus::Open, None, None),
            query::ProposalStatus::Enacted(height) => (ProposalStatus::Enacted, Some(height), None),
            query::ProposalStatus::Ended(height, why) => {
                (ProposalStatus::Ended, Some(height), Some(why.code().to_owned()))
            }
        };
        Proposal {
            id: Hex(at.id),
            proposer: self.did(proposer),
            change: self.change(&proposal.change),
            reason: proposal.reason.clone(),
            status,
            refusal,
            since_height: at.since_height,
            until_height: None,
            due_height: None,
            votes_needed: None,
            ended_height,
            accepts: Vec::new(),
            rejects: Vec::new(),
            awaits: Vec::new(),
        }
    }

    pub(crate) fn change(&self, change: &types::Change) -> Change {
        match change {
            types::Change::AddOrganisation { inception, .. } => Change::AddOrganisation {
                organisation: self.did(&inception.id()),
                name: inception.name.clone(),
                key: Key::from(&inception.key),
            },
            types::Change::RemoveOrganisation { organisation } => {
                Change::RemoveOrganisation { organisation: self.did(organisation) }
            }
            types::Change::AddPeer(seat) => Change::AddPeer {
                peer: self.did(&seat.peer),
                vote_key: Hex(HexKey(seat.key)),
                address: seat.address.clone(),
            },
            types::Change::RemovePeer { peer } => Change::RemovePeer { peer: self.did(peer) },
            types::Change::RotateVotingKey { peer, key } => {
                Change::RotateVotingKey { peer: self.did(peer), vote_key: Hex(HexKey(*key)) }
            }
            types::Change::SetParameters(parameters) => {
                Change::SetParameters { parameters: ParametersForm::from(parameters) }
            }
            types::Change::SetVotingRule(rule) => Change::SetVotingRule { rule: voting_rule(rule) },
            types::Change::SetMechanism(wanted) => Change::SetMechanism(mechanism_from(wanted)),
            types::Change::MintTokens { to, amount } => {
                Change::MintTokens { to: self.did(to), amount: amount.to_string() }
            }
            types::Change::FreezeAccount { account, frozen } => {
                Change::FreezeAccount { account: self.did(account), frozen: *frozen }
            }
            types::Change::SetRegulation(said) => {
                Change::SetRegulation { regulation: self.regulation(said) }
            }
            types::Change::EndRegulation { id } => {
                Change::EndRegulation { regulation_id: id.clone() }
            }
        }
    }

    pub(crate) fn regulation(&self, said: &types::Regulation) -> Regulation {
        let demands = &said.demands;
        Regulation {
            id: said.id.clone(),
            text: said.text.clone(),
            reference: said.reference.clone(),
            jurisdiction: said.jurisdiction.clone(),
            thing_type: said.thing_type.clone(),
            retention_days_min: demands.retention_days_min,
            retention_days_max: demands.retention_days_max,
            holders: self.dids(&demands.holders),
            confidential: demands.confidential,
        }
    }

    pub(crate) fn policies(&self, height: u64, found: &query::PoliciesAt) -> PoliciesAt {
        PoliciesAt {
            height,
            members: self.dids(&found.members.0),
            rule: voting_rule(&found.rule),
            votes_needed: small(found.rule.needed(found.members.0.len())),
            parameters: ParametersForm::from(&found.parameters),
            regulations: found.regulations.iter().map(|one| self.regulation(one)).collect(),
        }
    }

    pub(crate) fn consequence(&self, told: &query::Consequence) -> Consequence {
        Consequence {
            refusal: told.refusal.map(|refusal| refusal.code().to_owned()),
            summary: summary(told),
            votes_needed: small(told.votes_needed),
            timelock_blocks: told.timelock_blocks,
            members: small(told.members),
            votes_needed_after: small(told.votes_needed_after),
            validators: small(told.validators.len()),
            seats_from_height: told.seats_from.map(|(from, _)| from),
            in_time_height: told.seats_from.map(|(_, in_time)| in_time),
            quorum: small(told.quorum),
            faults_tolerated: small(told.faults_tolerated),
            lies_tolerated: small(told.lies_tolerated),
            mechanism: told.mechanism.name().to_owned(),
            mechanism_from_height: told.mechanism_from,
            largest: told.largest_share.map(|(organisation, _)| self.did(&organisation)),
            largest_seats: told.largest_share.map_or(0, |(_, seats)| small(seats)),
        }
    }
}

/// What a person would want to know before voting.
fn summary(told: &query::Consequence) -> String {
    if let Some(refusal) = told.refusal {
        return format!("It cannot be: {refusal}");
    }
    let when = match told.timelock_blocks {
        0 => "at once".to_owned(),
        blocks => format!("{blocks} blocks after"),
    };
    let seats = told.seats_from.map_or_else(String::new, |(from, in_time)| {
        format!(
            " Seats change with block {from} if it takes effect by block {in_time}, and otherwise \
             an epoch later."
        )
    });
    format!(
        "With {} votes of members it takes effect {when}. The network would then need {} of {} \
         validators for a block and go on with {} of them failing; a further change would need {} \
         of {} members.{seats}{}",
        told.votes_needed,
        told.quorum,
        told.validators.len(),
        told.faults_tolerated,
        told.votes_needed_after,
        told.members,
        agreement(told),
    )
}

/// What it means that peers agree in another way from a block on.
fn agreement(told: &query::Consequence) -> String {
    let Some(from) = told.mechanism_from else { return String::new() };
    let (count, fail) = (told.validators.len(), told.faults_tolerated);
    let shows = match told.mechanism {
        types::Mechanism::Simplex => format!(
            "outlive {fail} of its {count} validators, and as many of them may lie; whoever trusts \
             nobody can check what is proven of them"
        ),
        types::Mechanism::Raft => format!(
            "outlive {fail} of its {count} validators, and no lie of any; what is proven of these \
             blocks is what a majority said"
        ),
    };
    format!(
        " Blocks from {from} on are agreed on by {}: the ledger would {shows}.",
        told.mechanism.name()
    )
}

pub(super) fn mechanism_from(said: &types::MechanismFrom) -> MechanismFrom {
    MechanismFrom { mechanism: said.mechanism.name().to_owned(), from_height: said.from_height }
}

const fn voting_rule(rule: &types::VotingRule) -> VotingRule {
    VotingRule {
        numerator: rule.numerator,
        denominator: rule.denominator,
        patience_blocks: rule.patience_blocks,
        timelock_blocks: rule.timelock_blocks,
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
