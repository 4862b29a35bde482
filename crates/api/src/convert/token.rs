use althing_client::model::{
    Action, Escrow, Event, Hex, HexKey, Holding, Movement, Reward, Sponsorship, Stake, Supply,
    TokenEvent, TokenName,
};
use althing_peer::query::{
    EscrowRecord, HoldingState, MovementAt, RewardRecord, SponsorshipRecord, StakeState,
    SupplyState,
};
use althing_types::{self as types, EntityId, TxId};

use crate::{problem::Answer, service::Service};

pub(crate) fn supply(state: &SupplyState) -> Supply {
    let places = &state.supply;
    Supply {
        token: state.token.as_ref().map(|token| TokenName {
            name: token.name.clone(),
            symbol: token.symbol.clone(),
            decimals: token.decimals,
        }),
        total: places.total.to_string(),
        accounts: places.accounts.to_string(),
        escrows: places.escrows.to_string(),
        rewards: places.rewards.to_string(),
        fees: places.fees.to_string(),
        staked: places.staked.map(|staked| staked.to_string()),
        prices: state.fees.map(Into::into),
    }
}

impl Service {
    pub(crate) fn holding(&self, state: &HoldingState) -> Holding {
        let sponsorship = state.sponsorship.as_ref();
        Holding {
            account: self.did(&state.id),
            balance: state.account.balance.to_string(),
            frozen: state.account.frozen,
            sponsorship: sponsorship.map(|record| self.sponsorship(record)),
        }
    }

    pub(crate) fn sponsorship(&self, record: &SponsorshipRecord) -> Sponsorship {
        Sponsorship {
            entity: self.did(&record.terms.entity),
            sponsor: self.did(&record.sponsor),
            per_day: record.terms.per_day.to_string(),
            total: record.terms.total.to_string(),
            spent: record.spent.total.to_string(),
            until_height: record.terms.until_height,
        }
    }

    pub(crate) fn movement(&self, at: &MovementAt) -> Movement {
        let movement = &at.movement;
        Movement {
            height: at.height,
            time: at.time_ms.into(),
            reason: movement.reason.name().to_owned(),
            incoming: movement.incoming,
            amount: movement.amount.to_string(),
            balance: movement.balance.to_string(),
            other: movement.other.as_ref().map(|other| self.did(other)),
            transaction: movement.transaction.map(Hex),
            memo: movement.memo.clone(),
        }
    }

    pub(crate) fn escrow(&self, id: &TxId, record: &EscrowRecord) -> Escrow {
        let terms = &record.terms;
        Escrow {
            id: Hex(*id),
            payer: self.did(&record.payer),
            payee: self.did(&terms.payee),
            arbiter: terms.arbiter.as_ref().map(|arbiter| self.did(arbiter)),
            amount: terms.amount.to_string(),
            since_height: record.since_height,
            until_height: terms.until_height,
            memo: terms.memo.clone(),
        }
    }

    pub(crate) fn reward(&self, id: &TxId, record: &RewardRecord) -> Reward {
        let terms = &record.terms;
        Reward {
            id: Hex(*id),
            payer: self.did(&record.payer),
            stream: Hex(terms.stream),
            per_batch: terms.per_batch.to_string(),
            per_reading: terms.per_reading.to_string(),
            per_day: terms.per_day.to_string(),
            left: record.left.to_string(),
            spent: record.spent.total.to_string(),
            since_height: record.since_height,
            until_height: terms.until_height,
        }
    }

    pub(crate) fn stake(&self, state: &StakeState) -> Answer<Stake> {
        let record = &state.record;
        Ok(Stake {
            peer: self.did(&state.peer),
            name: self.query.entity(&state.peer)?.inception.name,
            organisation: self.did(&record.organisation),
            vote_key: Hex(HexKey(record.key)),
            address: state.address.clone(),
            amount: record.amount.to_string(),
            since_height: record.since_height,
            leaving: record.leaving.to_string(),
            free_epoch: record.free_epoch,
            silent_epochs: record.silent_epochs,
        })
    }

    /// An action about tokens.
    pub(super) fn token_action(&self, action: &types::Action) -> Action {
        use types::Action as A;
        match action {
            A::Transfer(transfer) => Action::Transfer {
                to: self.did(&transfer.to),
                amount: transfer.amount.to_string(),
                memo: transfer.memo.clone(),
            },
            A::BurnTokens { amount } => Action::BurnTokens { amount: amount.to_string() },
            A::OpenEscrow(terms) => Action::OpenEscrow {
                payee: self.did(&terms.payee),
                amount: terms.amount.to_string(),
                until_height: terms.until_height,
                arbiter: terms.arbiter.as_ref().map(|arbiter| self.did(arbiter)),
                memo: terms.memo.clone(),
            },
            A::ReleaseEscrow { escrow } => Action::ReleaseEscrow { escrow: Hex(*escrow) },
            A::RefundEscrow { escrow } => Action::RefundEscrow { escrow: Hex(*escrow) },
            A::SweepAccount { account } => Action::SweepAccount { account: self.did(account) },
            A::Sponsor(terms) => Action::Sponsor {
                entity: self.did(&terms.entity),
                per_day: terms.per_day.to_string(),
                total: terms.total.to_string(),
                until_height: terms.until_height,
            },
            A::EndSponsorship { entity } => Action::EndSponsorship { entity: self.did(entity) },
            A::OfferReward(terms) => Action::OfferReward {
                stream: Hex(terms.stream),
                per_batch: terms.per_batch.to_string(),
                per_reading: terms.per_reading.to_string(),
                per_day: terms.per_day.to_string(),
                fund: terms.fund.to_string(),
                until_height: terms.until_height,
            },
            A::FundReward { reward, amount } => {
                Action::FundReward { reward: Hex(*reward), amount: amount.to_string() }
            }
            A::EndReward { reward } => Action::EndReward { reward: Hex(*reward) },
            A::Stake(stake) => Action::Stake {
                peer: self.did(&stake.peer),
                amount: stake.amount.to_string(),
                vote_key: stake.seat.as_ref().map(|seat| Hex(HexKey(seat.key))),
                address: stake.seat.as_ref().map(|seat| seat.address.clone()),
            },
            A::Unstake { peer, amount } => Action::Unstake {
                peer: self.did(peer),
                amount: amount.map(|amount| amount.to_string()),
            },
            A::CollectStake { peer } => Action::CollectStake { peer: self.did(peer) },
            A::ReportDoubleVote(votes) => Action::ReportDoubleVote {
                vote_key: Hex(HexKey(votes.key)),
                epoch: votes.epoch,
                view: votes.view,
                first: phase(votes.first.phase).to_owned(),
                second: phase(votes.second.phase).to_owned(),
            },
            _ => unreachable!("called for actions about tokens only"),
        }
    }

    pub(super) fn token_event(&self, event: &types::TokenEvent) -> Event {
        use types::TokenEvent as E;
        let did = |id: &EntityId| self.did(id);
        Event::Tokens(match event {
            E::Transferred { from, to, amount, memo } => TokenEvent::Transferred {
                from: did(from),
                to: did(to),
                amount: amount.to_string(),
                memo: memo.clone(),
            },
            E::Burnt { account, amount } => {
                TokenEvent::Burnt { account: did(account), amount: amount.to_string() }
            }
            E::Minted { to, amount } => {
                TokenEvent::Minted { to: did(to), amount: amount.to_string() }
            }
            E::AccountFrozen { account, frozen } => {
                TokenEvent::AccountFrozen { account: did(account), frozen: *frozen }
            }
            E::EscrowOpened { escrow, payer, payee, amount, until_height } => {
                TokenEvent::EscrowOpened {
                    escrow: Hex(*escrow),
                    payer: did(payer),
                    payee: did(payee),
                    amount: amount.to_string(),
                    until_height: *until_height,
                }
            }
            E::EscrowReleased { escrow, payee, amount } => TokenEvent::EscrowReleased {
                escrow: Hex(*escrow),
                payee: did(payee),
                amount: amount.to_string(),
            },
            E::EscrowRefunded { escrow, payer, amount } => TokenEvent::EscrowRefunded {
                escrow: Hex(*escrow),
                payer: did(payer),
                amount: amount.to_string(),
            },
            E::Sponsored { entity, sponsor, until_height } => TokenEvent::Sponsored {
                entity: did(entity),
                sponsor: did(sponsor),
                until_height: *until_height,
            },
            E::SponsorshipEnded { entity, sponsor } => {
                TokenEvent::SponsorshipEnded { entity: did(entity), sponsor: did(sponsor) }
            }
            E::RewardOffered { reward, stream, payer } => TokenEvent::RewardOffered {
                reward: Hex(*reward),
                stream: Hex(*stream),
                payer: did(payer),
            },
            E::RewardFunded { reward, from, amount } => TokenEvent::RewardFunded {
                reward: Hex(*reward),
                from: did(from),
                amount: amount.to_string(),
            },
            E::RewardPaid { reward, to, amount } => TokenEvent::RewardPaid {
                reward: Hex(*reward),
                to: did(to),
                amount: amount.to_string(),
            },
            E::RewardEnded { reward, payer, amount } => TokenEvent::RewardEnded {
                reward: Hex(*reward),
                payer: did(payer),
                amount: amount.to_string(),
            },
            E::Staked { peer, organisation, amount, stake } => TokenEvent::Staked {
                peer: did(peer),
                organisation: did(organisation),
                amount: amount.to_string(),
                stake: stake.to_string(),
            },
            E::Unstaked { peer, organisation, amount, free_epoch } => TokenEvent::Unstaked {
                peer: did(peer),
                organisation: did(organisation),
                amount: amount.to_string(),
                free_epoch: *free_epoch,
            },
            E::StakeCollected { peer, organisation, amount } => TokenEvent::StakeCollected {
                peer: did(peer),
                organisation: did(organisation),
                amount: amount.to_string(),
            },
            E::CandidateDropped { peer, organisation, silent_epochs } => {
                TokenEvent::CandidateDropped {
                    peer: did(peer),
                    organisation: did(organisation),
                    silent_epochs: *silent_epochs,
                }
            }
            E::StakeBurnt { peer, organisation, amount, epoch } => TokenEvent::StakeBurnt {
                peer: did(peer),
                organisation: did(organisation),
                amount: amount.to_string(),
                epoch: *epoch,
            },
            E::SeatsKept { candidates, needed } => {
                TokenEvent::SeatsKept { candidates: *candidates, needed: *needed }
            }
        })
    }
}

const fn phase(phase: types::Phase) -> &'static str {
    match phase {
        types::Phase::Notarize => "notarize",
        types::Phase::Nullify => "nullify",
        types::Phase::Finalize => "finalize",
    }
}

/// Whom an event about tokens is about.
pub(super) fn parties(event: &types::TokenEvent) -> Vec<EntityId> {
    use types::TokenEvent as E;
    match event {
        E::Transferred { from, to, .. } => vec![*from, *to],
        E::EscrowOpened { payer, payee, .. } => vec![*payer, *payee],
        E::Sponsored { entity, sponsor, .. } | E::SponsorshipEnded { entity, sponsor } => {
            vec![*entity, *sponsor]
        }
        E::Staked { peer, organisation, .. }
        | E::Unstaked { peer, organisation, .. }
        | E::StakeCollected { peer, organisation, .. }
        | E::CandidateDropped { peer, organisation, .. }
        | E::StakeBurnt { peer, organisation, .. } => vec![*peer, *organisation],
        E::SeatsKept { .. } => Vec::new(),
        E::Burnt { account: one, .. }
        | E::Minted { to: one, .. }
        | E::AccountFrozen { account: one, .. }
        | E::EscrowReleased { payee: one, .. }
        | E::EscrowRefunded { payer: one, .. }
        | E::RewardOffered { payer: one, .. }
        | E::RewardFunded { from: one, .. }
        | E::RewardPaid { to: one, .. }
        | E::RewardEnded { payer: one, .. } => vec![*one],
    }
}
