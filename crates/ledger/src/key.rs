//! Raw keys of the state that no proof opens; the others are in [`althing_proof::key`].

use althing_types::{
    Amount, CodeId, ContractId, EntityId, GrantId, LedgerId, LinkId, ServiceId, StreamId, ThingId,
    TriggerId, TxId, Version, VoucherId,
};

/// Where the names of a thing's properties are: `d/<id>`.
#[must_use]
pub fn properties(thing: &ThingId) -> Vec<u8> {
    [b"d/".as_slice(), &thing.0].concat()
}

/// Where the list of transactions of an organisation that wait for approvals is: `o/<id>`.
#[must_use]
pub fn waiting(organisation: &EntityId) -> Vec<u8> {
    [b"o/".as_slice(), &organisation.0].concat()
}

/// Where the [`Standing`](crate::standing::Standing) of a thing is: `m/<id>/o`.
#[must_use]
pub fn standing(thing: &ThingId) -> Vec<u8> {
    [b"m/".as_slice(), &thing.0, b"/o"].concat()
}

/// Where the [`Interface`](crate::thing::Interface) of a thing is: `m/<id>/i`.
#[must_use]
pub fn interface(thing: &ThingId) -> Vec<u8> {
    [b"m/".as_slice(), &thing.0, b"/i"].concat()
}

/// Where the [`StatusRecord`](crate::status::StatusRecord) of a thing is: `m/<id>/s`.
#[must_use]
pub fn status(thing: &ThingId) -> Vec<u8> {
    [b"m/".as_slice(), &thing.0, b"/s"].concat()
}

/// Where the ids of the [`Open`](crate::command::Open) commands of a thing are: `m/<id>/c`.
#[must_use]
pub fn open_commands(thing: &ThingId) -> Vec<u8> {
    [b"m/".as_slice(), &thing.0, b"/c"].concat()
}

/// Where the [`CommandRecord`](crate::command::CommandRecord) of an open command is: `u/<id>`.
#[must_use]
pub fn command(id: &TxId) -> Vec<u8> {
    [b"u/".as_slice(), &id.0].concat()
}

/// Where a [`VoucherRecord`](crate::onboarding::VoucherRecord) is: `v/<id>`.
#[must_use]
pub fn voucher(id: &VoucherId) -> Vec<u8> {
    [b"v/".as_slice(), &id.0].concat()
}

/// Where the member organisations are: `c/members`.
#[must_use]
pub fn members() -> Vec<u8> {
    b"c/members".to_vec()
}

/// Where the deployment mode of the ledger is: `c/mode`.
#[must_use]
pub fn mode() -> Vec<u8> {
    b"c/mode".to_vec()
}

/// Where the way is in which peers agree at first, as the genesis says: `c/mechanism`. Absent if it is
/// simplex, as in ledgers that are older than the choice.
#[must_use]
pub fn mechanism() -> Vec<u8> {
    b"c/mechanism".to_vec()
}

/// Where it is kept how members decided that peers are to agree, in an epoch that is not settled:
/// `c/mechanism/chosen`. Absent without such a plan.
#[must_use]
pub fn chosen_mechanism() -> Vec<u8> {
    b"c/mechanism/chosen".to_vec()
}

/// Where the rule by which members decide is: `c/voting-rule`. Absent while it is the standard one.
#[must_use]
pub fn voting_rule() -> Vec<u8> {
    b"c/voting-rule".to_vec()
}

/// Where the validators of the next epoch are: `c/validators/next`. Absent if there is none.
#[must_use]
pub fn next_validators() -> Vec<u8> {
    b"c/validators/next".to_vec()
}

/// Where the validators are that members chose in this epoch, for the one after the next:
/// `c/validators/chosen`. Absent until they choose.
#[must_use]
pub fn chosen_validators() -> Vec<u8> {
    b"c/validators/chosen".to_vec()
}

/// Where the list of open proposals is: `c/proposals`.
#[must_use]
pub fn open_proposals() -> Vec<u8> {
    b"c/proposals".to_vec()
}

/// Where an open proposal is: `c/proposal/<id>`.
#[must_use]
pub fn proposal(id: &TxId) -> Vec<u8> {
    [b"c/proposal/".as_slice(), &id.0].concat()
}

/// Where the ids of the regulations in force are: `c/regulations`. Absent if there are none.
#[must_use]
pub fn regulations() -> Vec<u8> {
    b"c/regulations".to_vec()
}

/// Where a regulation in force is: `c/regulation/<id>`.
#[must_use]
pub fn regulation(id: &str) -> Vec<u8> {
    [b"c/regulation/".as_slice(), id.as_bytes()].concat()
}

/// Where the address of a peer that was given a seat by vote is: `c/address/<id>`.
#[must_use]
pub fn address(peer: &EntityId) -> Vec<u8> {
    [b"c/address/".as_slice(), &peer.0].concat()
}
/// Where the requests for access to what an owner has that wait for an answer are: `aw<id>`.
#[must_use]
pub fn access_waiting(owner: &EntityId) -> Vec<u8> {
    [b"aw".as_slice(), &owner.0].concat()
}

/// Where the number of the last direct request under a grant that a gateway recorded is:
/// `i/<grant>/<gateway>`.
#[must_use]
pub fn direct(grant: &GrantId, gateway: &EntityId) -> Vec<u8> {
    [b"i/".as_slice(), &grant.0, b"/", &gateway.0].concat()
}

/// Where the [`Tags`](crate::tags::Tags) of a thing are: `m/<id>/t`.
#[must_use]
pub fn tags(thing: &ThingId) -> Vec<u8> {
    [b"m/".as_slice(), &thing.0, b"/t"].concat()
}

/// Where a [`ContractRecord`](crate::contract::ContractRecord) is: `w/<id>`.
#[must_use]
pub fn contract(id: &ContractId) -> Vec<u8> {
    [b"w/".as_slice(), &id.0].concat()
}

/// Where a contract keeps a value: `x/<id>/<key of its own>`; a byte string.
#[must_use]
pub fn storage(id: &ContractId, own: &[u8]) -> Vec<u8> {
    [b"x/".as_slice(), &id.0, b"/", own].concat()
}

/// Where a [`CodeRecord`](crate::contract::CodeRecord) is: `y/c/<id>`.
#[must_use]
pub fn code(id: &CodeId) -> Vec<u8> {
    [b"y/c/".as_slice(), &id.0].concat()
}

/// Where a part of a module is: `y/p/<id>/<part, 2 bytes big-endian>`; a byte string.
#[must_use]
pub fn code_part(id: &CodeId, part: u16) -> Vec<u8> {
    [b"y/p/".as_slice(), &id.0, b"/", &part.to_be_bytes()].concat()
}

/// Where the id of the code with a number is: `y/i/<number, 8 bytes big-endian>`.
#[must_use]
pub fn code_number(number: u64) -> Vec<u8> {
    [b"y/i/".as_slice(), &number.to_be_bytes()].concat()
}

/// Where the newest number of code is: `y/n`.
#[must_use]
pub fn code_count() -> Vec<u8> {
    b"y/n".to_vec()
}

/// Where it is kept how much code an organisation has stored, bytes: `y/q/<id>`.
#[must_use]
pub fn code_of_owner(owner: &EntityId) -> Vec<u8> {
    [b"y/q/".as_slice(), &owner.0].concat()
}

/// Where it is kept how much code all have stored, bytes: `y/q`.
#[must_use]
pub fn code_of_ledger() -> Vec<u8> {
    b"y/q".to_vec()
}

/// Where it is kept from when the code of an organisation is compiled, ledger time in milliseconds:
/// `y/r/<id>`.
#[must_use]
pub fn code_ready(owner: &EntityId) -> Vec<u8> {
    [b"y/r/".as_slice(), &owner.0].concat()
}

/// Where the upload is that a sender has under way: `y/u/<id>`.
#[must_use]
pub fn upload(sender: &EntityId) -> Vec<u8> {
    [b"y/u/".as_slice(), &sender.0].concat()
}

/// Where a part of that upload is: `y/v/<id>/<part, 2 bytes big-endian>`; a byte string.
#[must_use]
pub fn upload_part(sender: &EntityId, part: u16) -> Vec<u8> {
    [b"y/v/".as_slice(), &sender.0, b"/", &part.to_be_bytes()].concat()
}

/// Where it is kept how much of such parts an organisation and what it owns have, bytes: `y/w/<id>`.
#[must_use]
pub fn uploads_of(organisation: &EntityId) -> Vec<u8> {
    [b"y/w/".as_slice(), &organisation.0].concat()
}

/// Where uploads are in the order in which they expire: `y/x/`.
#[must_use]
pub fn upload_queue() -> Vec<u8> {
    b"y/x/".to_vec()
}

/// The row of an upload in that order: `y/x/<milliseconds, 8 bytes big-endian>/<sender>`; null.
#[must_use]
pub fn upload_due(due_ms: u64, sender: &EntityId) -> Vec<u8> {
    [b"y/x/".as_slice(), &due_ms.to_be_bytes(), b"/", &sender.0].concat()
}

/// Whose upload a row of that order is about, and when it expires; none if it is no such row.
#[must_use]
pub fn upload_of(row: &[u8]) -> Option<(u64, EntityId)> {
    let (due, id) = row.strip_prefix(b"y/x/")?.split_at_checked(8)?;
    let id = id.strip_prefix(b"/")?.try_into().ok()?;
    Some((u64::from_be_bytes(due.try_into().ok()?), EntityId(id)))
}

/// Where a [`ServiceRecord`](crate::service::ServiceRecord) is: `y/s/<id>`.
#[must_use]
pub fn service(id: &ServiceId) -> Vec<u8> {
    [b"y/s/".as_slice(), &id.0].concat()
}

/// Where a [`VersionRecord`](crate::service::VersionRecord) is: `y/m/<id>/<its numbers, 4 bytes
/// big-endian each>`.
#[must_use]
pub fn service_version(id: &ServiceId, version: Version) -> Vec<u8> {
    [b"y/m/".as_slice(), &id.0, b"/", &version.to_bytes()].concat()
}

/// Where it is kept how many services a provider has: `y/o/<id>`.
#[must_use]
pub fn services_of(provider: &EntityId) -> Vec<u8> {
    [b"y/o/".as_slice(), &provider.0].concat()
}

/// Where the [`LatestBatch`](crate::stream::LatestBatch) of a stream is: `r/l/<id>`.
#[must_use]
pub fn latest(stream: &StreamId) -> Vec<u8> {
    [b"r/l/".as_slice(), &stream.0].concat()
}

/// Where a [`TriggerRecord`](crate::trigger::TriggerRecord) is: `r/t/<id>`.
#[must_use]
pub fn trigger(id: &TriggerId) -> Vec<u8> {
    [b"r/t/".as_slice(), &id.0].concat()
}

/// Where the [`Triggers`](crate::trigger::Triggers) of an owner are: `r/o/<id>`.
#[must_use]
pub fn triggers_of(owner: &EntityId) -> Vec<u8> {
    [b"r/o/".as_slice(), &owner.0].concat()
}

/// Where it is counted how often the triggers of an owner ran lately: `r/u/<id>`.
#[must_use]
pub fn trigger_runs(owner: &EntityId) -> Vec<u8> {
    [b"r/u/".as_slice(), &owner.0].concat()
}

/// Where the [`Triggers`](crate::trigger::Triggers) that wait for a stream are: `r/s/<id>`.
#[must_use]
pub fn triggers_on(stream: &StreamId) -> Vec<u8> {
    [b"r/s/".as_slice(), &stream.0].concat()
}

/// Where the [`Triggers`](crate::trigger::Triggers) that wait for an event are: `r/e/<digest of what
/// it is about>`.
#[must_use]
pub fn triggers_about(topic: &[u8; 32]) -> Vec<u8> {
    [b"r/e/".as_slice(), topic].concat()
}

/// Where the numbers of triggers that wait are: `r/w`.
#[must_use]
pub fn triggers_waiting() -> Vec<u8> {
    b"r/w".to_vec()
}

/// Where triggers are in the order in which they are due: `r/q/`.
#[must_use]
pub fn trigger_queue() -> Vec<u8> {
    b"r/q/".to_vec()
}

/// The beginning of the rows that are due at a time: `r/q/<milliseconds, 8 bytes big-endian>`.
#[must_use]
pub fn trigger_due_until(due_ms: u64) -> Vec<u8> {
    [b"r/q/".as_slice(), &due_ms.to_be_bytes()].concat()
}

/// The row of a trigger in the queue: `r/q/<milliseconds, 8 bytes big-endian>/<id>`; null.
#[must_use]
pub fn trigger_due(due_ms: u64, id: &TriggerId) -> Vec<u8> {
    [b"r/q/".as_slice(), &due_ms.to_be_bytes(), b"/", &id.0].concat()
}

/// When the trigger of a row of the queue is due, and which it is; none if it is no such row.
#[must_use]
pub fn due_of(row: &[u8]) -> Option<(u64, TriggerId)> {
    let rest = row.strip_prefix(b"r/q/")?;
    let (due, id) = rest.split_at_checked(8)?;
    let id = id.strip_prefix(b"/")?.try_into().ok()?;
    Some((u64::from_be_bytes(due.try_into().ok()?), TriggerId(id)))
}

/// Where the [`TokenRecord`](crate::token::TokenRecord) is: `f/t`. Absent if the ledger has no tokens.
#[must_use]
pub fn token() -> Vec<u8> {
    b"f/t".to_vec()
}

/// Where the [`Supply`](crate::token::Supply) is: `f/n`.
#[must_use]
pub fn token_supply() -> Vec<u8> {
    b"f/n".to_vec()
}

/// Where an [`Account`](crate::token::Account) is: `f/a/<id>`. Absent while it would say nothing.
#[must_use]
pub fn account(id: &EntityId) -> Vec<u8> {
    [accounts().as_slice(), &id.0].concat()
}

/// The beginning of the keys of accounts: `f/a/`.
#[must_use]
pub fn accounts() -> Vec<u8> {
    b"f/a/".to_vec()
}

/// Where an [`EscrowRecord`](crate::token::EscrowRecord) is: `f/e/<id>`.
#[must_use]
pub fn escrow(id: &TxId) -> Vec<u8> {
    [escrows().as_slice(), &id.0].concat()
}

/// The beginning of the keys of escrows: `f/e/`.
#[must_use]
pub fn escrows() -> Vec<u8> {
    b"f/e/".to_vec()
}

/// Where the [`SponsorshipRecord`](crate::token::SponsorshipRecord) of an entity is: `f/s/<id>`.
#[must_use]
pub fn sponsorship(entity: &EntityId) -> Vec<u8> {
    [b"f/s/".as_slice(), &entity.0].concat()
}

/// Where a [`RewardRecord`](crate::token::RewardRecord) is: `f/r/<id>`.
#[must_use]
pub fn reward(id: &TxId) -> Vec<u8> {
    [rewards().as_slice(), &id.0].concat()
}

/// The beginning of the keys of rewards: `f/r/`.
#[must_use]
pub fn rewards() -> Vec<u8> {
    b"f/r/".to_vec()
}

/// Where the [`Rewards`](crate::token::Rewards) of a stream are: `f/w/<id>`.
#[must_use]
pub fn rewards_of(stream: &StreamId) -> Vec<u8> {
    [b"f/w/".as_slice(), &stream.0].concat()
}

/// Where the [`StakeRecord`](crate::stake::StakeRecord) of a peer is: `f/p/<id>`.
#[must_use]
pub fn stake(peer: &EntityId) -> Vec<u8> {
    [stakes().as_slice(), &peer.0].concat()
}

/// The beginning of the keys of what is staked: `f/p/`.
#[must_use]
pub fn stakes() -> Vec<u8> {
    b"f/p/".to_vec()
}

/// The beginning of the rows of those who stand for a seat, the first in line first: `f/q/`.
#[must_use]
pub fn candidates() -> Vec<u8> {
    b"f/q/".to_vec()
}

/// The row of a peer that stands for a seat: `f/q/<10^36 less its stake, 16 bytes big-endian><height
/// since which it stands, 8 bytes big-endian><id>`; null. So the highest stake comes first, of equal
/// ones the older, and of those the smaller id.
#[must_use]
pub fn candidate(stake: Amount, since_height: u64, peer: &EntityId) -> Vec<u8> {
    let less = Amount::MAX.minus(stake).unwrap_or_default().units();
    [b"f/q/", &less.to_be_bytes()[..], &since_height.to_be_bytes(), &peer.0].concat()
}

/// The peer of a row of those who stand; none if it is no such row.
#[must_use]
pub fn candidate_of(row: &[u8]) -> Option<EntityId> {
    let (_, id) = row.strip_prefix(b"f/q/")?.split_at_checked(24)?;
    Some(EntityId(id.try_into().ok()?))
}

/// Where it is kept which peer a voting key belongs to, for ever: `f/v/<key>`.
#[must_use]
pub fn voting_key(key: &[u8; 32]) -> Vec<u8> {
    [b"f/v/".as_slice(), key].concat()
}

/// Where it is kept that a voting key paid for a double vote in an epoch: `f/d/<key><epoch, 8 bytes
/// big-endian>`; null.
#[must_use]
pub fn offence(key: &[u8; 32], epoch: u64) -> Vec<u8> {
    [b"f/d/".as_slice(), key, &epoch.to_be_bytes()].concat()
}

/// Where the voting keys are that have proposed a block of the present epoch, ascending: `f/h`.
#[must_use]
pub fn heard() -> Vec<u8> {
    b"f/h".to_vec()
}

/// Where the [`AgreementRecord`](crate::secrecy::AgreementRecord) of an entity is: `l/a/<id>`.
#[must_use]
pub fn agreement(entity: &EntityId) -> Vec<u8> {
    [b"l/a/".as_slice(), &entity.0].concat()
}

/// Where the [`SecrecyRecord`](crate::secrecy::SecrecyRecord) of a confidential stream is:
/// `l/s/<id>`.
#[must_use]
pub fn secrecy(stream: &StreamId) -> Vec<u8> {
    [b"l/s/".as_slice(), &stream.0].concat()
}

/// Where the [`Shares`](crate::secrecy::Shares) of a key of a stream are: `l/w/<id>/<number, 4 bytes
/// big-endian>`.
#[must_use]
pub fn shares(stream: &StreamId, number: u32) -> Vec<u8> {
    [b"l/w/".as_slice(), &stream.0, b"/", &number.to_be_bytes()].concat()
}

/// Where the [`PlacementRecord`](crate::placement::PlacementRecord) of a stream is: `l/p/<id>`.
#[must_use]
pub fn placement(stream: &StreamId) -> Vec<u8> {
    [b"l/p/".as_slice(), &stream.0].concat()
}

/// Where the [`Erasures`](crate::erasure::Erasures) of a stream are: `l/e/<id>`.
#[must_use]
pub fn erasures(stream: &StreamId) -> Vec<u8> {
    [b"l/e/".as_slice(), &stream.0].concat()
}

/// Where it is kept which peers confirmed an erasure: `l/c/<id>/<number, 4 bytes big-endian>`.
#[must_use]
pub fn confirmations(stream: &StreamId, erasure: u32) -> Vec<u8> {
    [b"l/c/".as_slice(), &stream.0, b"/", &erasure.to_be_bytes()].concat()
}

/// Where a [`LinkRecord`](crate::link::LinkRecord) is: `j/l/<id>`.
#[must_use]
pub fn link(id: &LinkId) -> Vec<u8> {
    [b"j/l/".as_slice(), &id.0].concat()
}

/// Where it is kept how many links an organisation has had: `j/o/<id>`.
#[must_use]
pub fn links_of(owner: &EntityId) -> Vec<u8> {
    [b"j/o/".as_slice(), &owner.0].concat()
}

/// Where calls of other ledgers are in the order in which they are forgotten: `j/q/`.
#[must_use]
pub fn taken_queue() -> Vec<u8> {
    b"j/q/".to_vec()
}

/// The row of such a call in that order: `j/q/<milliseconds, 8 bytes big-endian>/<ledger>/<id>`; null.
#[must_use]
pub fn taken_due(due_ms: u64, ledger: &LedgerId, id: &TxId) -> Vec<u8> {
    [b"j/q/".as_slice(), &due_ms.to_be_bytes(), b"/", &ledger.0, b"/", &id.0].concat()
}

/// When the call of a row of that order is forgotten, who asked it, and which it is; none if it is no
/// such row.
#[must_use]
pub fn taken_of(row: &[u8]) -> Option<(u64, LedgerId, TxId)> {
    let (due, rest) = row.strip_prefix(b"j/q/")?.split_at_checked(8)?;
    let (ledger, id) = rest.strip_prefix(b"/")?.split_at_checked(32)?;
    let id = id.strip_prefix(b"/")?.try_into().ok()?;
    let due_ms = u64::from_be_bytes(due.try_into().ok()?);
    Some((due_ms, LedgerId(ledger.try_into().ok()?), TxId(id)))
}
