//! Executing blocks that are final, and transactions within them.

use althing_proof::key;
use althing_state::{Read, StoreError};
use althing_types::{
    Action, Body, Event, Receipt, Refusal, Transaction, TxId, hash, limits::EXPIRY_BLOCKS_MAX,
};

use crate::{
    BlockInput, NonceWindow, Outcome, access, approval, binding, call, command, context, contract,
    entity, epoch, erasure, governance, index, link, onboarding, participation, placement, record,
    secrecy, service, stake, standing, status, stream, tags, thing, token,
    transition::{Actor, Moment, Stop, Transition},
    trigger,
};

/// Executes a final block. It always succeeds but for a store that fails: what the rules forbid is
/// refused with a receipt that says why, and has no effect.
///
/// A transaction is refused in one of two ways:
/// - *before it counts*, if the ledger, the expiry, a signer or the nonce is wrong. It then has no
///   effect whatever, and no row in the index, so that a second inclusion cannot hide the first.
/// - *by an action*, or because nobody can pay its [fee](crate::token). It then has used its nonce,
///   paid its fee if there is one, and done nothing else: actions take effect together.
///
/// Signatures are not checked here; validators did, before they voted, under the keys in force at
/// the height `r` whose result the header states, which all of them have executed. A signer whose
/// key changed after `r` is therefore refused with [`Refusal::BadSignature`], one registered after
/// `r` with [`Refusal::UnknownEntity`], and one revoked earlier, in the same block too, with
/// [`Refusal::EntityRevoked`]. Payloads likewise were checked under the descriptions at `r`.
///
/// # Errors
/// [`StoreError`] if the state cannot be read.
pub fn execute(view: &impl Read, block: &BlockInput<'_>) -> Result<Outcome, StoreError> {
    let parameters = context::parameters(view)?;
    let now = Moment {
        ledger: block.header.ledger,
        height: block.header.height,
        time_ms: block.header.time_ms,
        checked_height: block.header.result.height,
        parameters: &parameters,
    };
    let mut state = Transition::new(view, now);
    let count = block.transactions.len();
    stake::heard_of(&mut state, &block.header.proposer)?;
    let triggered = trigger::run_due(&mut state, count as u32)?;
    let mut receipts = Vec::with_capacity(count + triggered.len());
    for (position, transaction) in (0..).zip(block.transactions) {
        receipts.push(execute_one(&mut state, position, transaction)?);
    }
    receipts.extend(triggered);
    token::share(&mut state)?;
    let validators = epoch::turn(&mut state)?;
    receipts.extend(of_epoch(&mut state));
    let (writes, mut effects) = state.finish();
    effects.index.extend(index::histories(block.header.height, effects.histories));
    Ok(Outcome {
        writes,
        receipts,
        leaves: effects.leaves,
        nodes: effects.nodes,
        index: effects.index,
        descriptions: effects.descriptions,
        validators,
    })
}

/// The receipt of what the end of an epoch brought about, if that is to be told; it belongs to no
/// transaction.
fn of_epoch<R: Read>(state: &mut Transition<'_, R>) -> Option<Receipt> {
    let events = std::mem::take(&mut state.effects.events);
    let epoch = state.now.parameters.epoch_of(state.now.height).to_be_bytes();
    let id = TxId(hash("althing/epoch/1", &[&state.now.ledger.0, &epoch]));
    let told = !events.is_empty();
    told.then_some(Receipt { transaction: id, code: 0, action: 0, events })
}

fn execute_one<R: Read>(
    state: &mut Transition<'_, R>,
    position: u32,
    transaction: &Transaction,
) -> Result<Receipt, StoreError> {
    if let Err(stop) = admit(state, transaction) {
        return refused(transaction, 0, stop);
    }
    let actor = Actor { id: transaction.body().sender, transaction: transaction.id(), position };
    index::included(state, &actor);
    state.keep();
    if let Err(stop) = token::charge(state, &actor, transaction) {
        return refused(transaction, 0, stop);
    }
    state.keep();
    let (code, action) = match carry_out(state, &actor, transaction) {
        Ok(Effect::Done) => (0, 0),
        Ok(Effect::Waits) => (Refusal::AwaitingApproval.number(), 0),
        Err((action, stop)) => return refused(transaction, action, stop),
    };
    trigger::heard(state, 0)?;
    state.keep();
    let events: Vec<Event> = std::mem::take(&mut state.effects.events);
    Ok(Receipt { transaction: transaction.id(), code, action, events })
}

fn refused(transaction: &Transaction, action: u8, stop: Stop) -> Result<Receipt, StoreError> {
    match stop {
        Stop::Refused(refusal) => Ok(Receipt {
            transaction: transaction.id(),
            code: refusal.number(),
            action,
            events: Vec::new(),
        }),
        Stop::Store(error) => Err(error),
    }
}

/// What became of a transaction that was not refused.
pub(crate) enum Effect {
    /// It took effect.
    Done,
    /// It is recorded and waits for approvals.
    Waits,
}

/// Whether a transaction counts at all: ledger, expiry, signers, and last its nonce, which it uses
/// up. If it does not, nothing was written.
pub(crate) fn admit<R: Read>(
    state: &mut Transition<'_, R>,
    transaction: &Transaction,
) -> Result<(), Stop> {
    let body = transaction.body();
    if body.ledger_tag != state.now.ledger.tag() {
        return Err(Refusal::WrongLedger.into());
    }
    check_expiry(state.now.height, body)?;
    for signed in transaction.signatures() {
        let signer = entity::active(state, &signed.signer)?;
        if signer.registered_height > state.now.checked_height {
            return Err(Refusal::UnknownEntity.into());
        }
        if signer.key_since_height > state.now.checked_height || signer.key.suite != signed.suite {
            return Err(Refusal::BadSignature.into());
        }
    }
    participation::may_transact(state, &body.sender)?;
    let (key, nonces) = nonces_with(state, body)?;
    state.put(key, &nonces);
    Ok(())
}

/// Whether a transaction comes at its time, whoever signed it: neither expired nor with a nonce that
/// is used.
pub(crate) fn timely<R: Read>(state: &Transition<'_, R>, body: &Body) -> Result<(), Stop> {
    check_expiry(state.now.height, body)?;
    nonces_with(state, body).map(|_| ())
}

fn check_expiry(height: u64, body: &Body) -> Result<(), Refusal> {
    match body.expiry_height.checked_sub(height) {
        None => Err(Refusal::Expired),
        Some(blocks) if blocks > EXPIRY_BLOCKS_MAX => Err(Refusal::ExpiryTooFar),
        Some(_) => Ok(()),
    }
}

/// The nonces of a sender with that of `body` among those used, and their key.
fn nonces_with<R: Read>(
    state: &Transition<'_, R>,
    body: &Body,
) -> Result<(Vec<u8>, NonceWindow), Stop> {
    let key = key::nonces(&body.sender);
    let mut nonces: NonceWindow = state.get(&key)?.unwrap_or_default();
    nonces.accept(body.nonce)?;
    Ok((key, nonces))
}

/// Does what a transaction says, or records that it waits for approvals. If it is refused, nothing
/// of it remains.
pub(crate) fn carry_out<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    transaction: &Transaction,
) -> Result<Effect, (u8, Stop)> {
    let mark = state.mark();
    let done = try_out(state, actor, transaction);
    if done.is_err() {
        state.roll_back(mark);
    }
    done
}

fn try_out<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    transaction: &Transaction,
) -> Result<Effect, (u8, Stop)> {
    let at_start = |stop| (0, stop);
    approval::stands_alone(transaction).map_err(at_start)?;
    let missing = approval::missing(state, transaction).map_err(at_start)?;
    let mark = state.mark();
    // Also what waits must be something that could be done now: nobody is asked to approve what
    // would be refused.
    act(state, actor, &transaction.body().actions)?;
    if missing.is_empty() {
        return Ok(Effect::Done);
    }
    state.roll_back(mark);
    approval::record(state, transaction, &missing).map_err(at_start)?;
    Ok(Effect::Waits)
}

/// Does actions in order, up to the first that is refused; says which that was. What the others
/// did is the caller's to take back. Behind a call of a contract that was only looked at, nothing can be
/// said of the others.
pub(crate) fn act<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    actions: &[Action],
) -> Result<(), (u8, Stop)> {
    for (position, action) in (0..).zip(actions) {
        act_once(state, actor, action).map_err(|stop| (position, stop))?;
        if state.has_skipped_call() {
            break;
        }
    }
    Ok(())
}

fn act_once<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    action: &Action,
) -> Result<(), Stop> {
    participation::may_deploy(state, &actor.id, action)?;
    match action {
        Action::RegisterEntity { inception, .. } => entity::register(state, actor, inception),
        Action::RotateKey { entity, key, .. } => entity::rotate(state, actor, entity, key),
        Action::RevokeEntity { entity } => entity::revoke(state, actor, entity),
        Action::RegisterThing { name, description } => {
            thing::register(state, actor, name, description)
        }
        Action::UpdateThing { thing, replaces, description } => {
            thing::update(state, actor, thing, *replaces, description)
        }
        Action::RetireThing { thing } => thing::retire(state, actor, thing),
        Action::Bind { thing, gateway, until_height } => {
            binding::bind(state, actor, thing, gateway, *until_height)
        }
        Action::Unbind { thing, gateway } => binding::unbind(state, actor, thing, gateway),
        Action::SubmitBatch(batch) => stream::submit(state, actor, batch),
        Action::PlaceStream(said) => placement::place(state, actor, said),
        Action::SetAgreementKey { key } => {
            secrecy::set_agreement_key(state, actor, *key);
            Ok(())
        }
        Action::RotateStreamKey { stream, number, cipher, shares } => {
            secrecy::rotate(state, actor, stream, *number, *cipher, shares)
        }
        Action::ShareStreamKey { stream, number, shares } => {
            secrecy::share(state, actor, stream, *number, shares)
        }
        Action::EraseReadings { stream, first_seq, last_seq } => {
            erasure::erase(state, actor, stream, *first_seq, *last_seq)
        }
        Action::ConfirmErasure { stream, erasure } => {
            erasure::confirm(state, actor, stream, *erasure)
        }
        Action::Record(what) => record::write(state, actor, what),
        Action::SetApprovalPolicy(policy) => approval::set_policy(state, actor, policy),
        Action::UploadCode { code, part, bytes } => {
            contract::upload(state, actor, code, *part, bytes)
        }
        Action::StoreCode { code, parts, meta } => {
            contract::store(state, actor, code, *parts, meta)
        }
        Action::RemoveCode { code } => contract::remove(state, actor, code),
        Action::Instantiate { code, name, terms, message, gas_limit, funds } => {
            let sent = contract::Sent { message, funds: funds.unwrap_or_default() };
            contract::instantiate(state, actor, code, name, terms, sent, *gas_limit)
        }
        Action::Execute { contract, message, gas_limit, funds } => {
            let sent = contract::Sent { message, funds: funds.unwrap_or_default() };
            contract::execute(state, actor, contract, sent, *gas_limit)
        }
        Action::Migrate { contract, code, message, gas_limit } => {
            contract::migrate(state, actor, contract, code, message, *gas_limit)
        }
        Action::SetAdmin { contract, admin } => {
            contract::set_admin(state, actor, &actor.id, contract, *admin)
        }
        Action::FreezeContract { contract } => contract::freeze(state, actor, contract),
        Action::ThawContract { contract } => contract::thaw(state, actor, contract),
        Action::TerminateContract { contract } => contract::terminate(state, actor, contract),
        Action::AcceptContract { contract } => contract::accept(state, actor, contract),
        Action::DeclineContract { contract } => contract::decline(state, actor, contract),
        Action::SetTrigger(set) => trigger::set(state, actor, set),
        Action::RemoveTrigger { trigger } => trigger::remove(state, actor, trigger),
        Action::SuspendTrigger { trigger } => trigger::suspend(state, actor, trigger),
        Action::ResumeTrigger { trigger } => trigger::resume(state, actor, trigger),
        Action::PublishService(manifest) => service::publish(state, actor, manifest),
        Action::SetServiceStatus { service, version, status } => {
            service::set_status(state, actor, service, *version, *status)
        }
        Action::Transfer(transfer) => token::transfer(state, actor, transfer),
        Action::BurnTokens { amount } => token::burn(state, actor, *amount),
        Action::OpenEscrow(terms) => token::open(state, actor, terms),
        Action::ReleaseEscrow { escrow } => token::release(state, actor, escrow),
        Action::RefundEscrow { escrow } => token::refund(state, actor, escrow),
        Action::SweepAccount { account } => token::sweep(state, actor, account),
        Action::Sponsor(terms) => token::sponsor(state, actor, terms),
        Action::EndSponsorship { entity } => token::end_sponsorship(state, actor, entity),
        Action::OfferReward(terms) => token::offer_reward(state, actor, terms),
        Action::FundReward { reward, amount } => token::fund_reward(state, actor, reward, *amount),
        Action::EndReward { reward } => token::end_reward(state, actor, reward),
        Action::Stake(terms) => stake::put(state, actor, terms),
        Action::Unstake { peer, amount } => stake::take_back(state, actor, peer, *amount),
        Action::CollectStake { peer } => stake::collect(state, actor, peer),
        Action::ReportDoubleVote(votes) => stake::burn(state, actor, votes),
        Action::RegisterLink { genesis } => link::register(state, actor, genesis),
        Action::AdvanceLink(told) => link::advance(state, actor, told),
        Action::ReportFork(told) => link::report_fork(state, actor, told),
        Action::SetLinkStatus { link, status } => link::set_status(state, actor, link, *status),
        Action::AskLedger(asked) => call::ask(state, actor, asked),
        Action::TakeCall { proof } => call::take(state, actor, proof),
        Action::AnswerCall(said) => call::answer(state, actor, said),
        Action::SettleCall(told) => call::settle(state, actor, told),
        Action::RefundCall { call } => call::refund(state, actor, call),
        Action::Approve { pending } => approval::approve(state, actor, pending),
        Action::Reject { pending } => approval::reject(state, actor, pending),
        Action::OfferThing { thing, offer } => {
            onboarding::offer(state, actor, thing, offer.as_ref())
        }
        Action::AcceptThing { thing, claim } => {
            onboarding::accept(state, actor, thing, claim.as_ref())
        }
        Action::LimitBinding { thing, gateway, limit } => {
            standing::limit(state, actor, thing, gateway, limit.as_ref())
        }
        Action::ReportStatus { thing, status } => status::report(state, actor, thing, status),
        Action::IssueVoucher(voucher) => onboarding::issue(state, actor, voucher),
        Action::RevokeVoucher { voucher } => onboarding::revoke(state, actor, voucher),
        Action::JoinByVoucher(join) => onboarding::join(state, actor, join),
        Action::Command(command) => command::send(state, actor, command),
        Action::ReportCommand(report) => command::report(state, actor, report),
        Action::CancelCommand { command } => command::cancel(state, actor, command),
        Action::Quarantine { thing, reason } => {
            standing::quarantine(state, actor, thing, reason.is_some())
        }
        Action::Propose(proposal) => governance::propose(state, actor, proposal),
        Action::Vote { proposal, accept } => governance::vote(state, actor, proposal, *accept),
        Action::Enact { proposal } => governance::enact(state, actor, proposal),
        Action::WithdrawProposal { proposal } => governance::withdraw(state, actor, proposal),
        Action::SetAccessPolicy(policy) => access::set_policy(state, actor, policy),
        Action::RemoveAccessPolicy { resource } => access::remove_policy(state, actor, resource),
        Action::RequestAccess(request) => access::request(state, actor, request),
        Action::AnswerAccess { request, allow } => access::answer(state, actor, request, *allow),
        Action::RevokeGrant { grant } => access::revoke(state, actor, grant),
        Action::UseGrant { grant } => access::use_by_transaction(state, actor, grant),
        Action::RecordAccess { uses } => access::record(state, actor, uses),
        Action::RecordDirect { uses } => access::record_direct(state, actor, uses),
        Action::TagThing(said) => tags::set(state, actor, said),
    }
}

#[cfg(test)]
mod tests;
