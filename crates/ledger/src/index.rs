//! Rows that find things again. They are not part of the authenticated state: a peer can rebuild
//! them from the blocks, and what they lead to is what gets proven.
//!
//! | row | value |
//! |---|---|
//! | `x` transaction (its first 19 bytes) | height (8) position (4) |
//! | `h` entity height (8) | the positions (4) in that block |
//! | `e` kind (1) entity | owner, or nothing |
//! | `d` owner entity | kind (1) |
//! | `o` owner name 00 thing | thing |
//! | `n` name 00 thing | |
//! | `y` type 00 thing | |
//! | `T` tag 00 thing | |
//! | `p` property 00 thing | stream |
//! | `v` thing version (4) | SHA-256 of the description |
//! | `g` gateway thing | last height (8) |
//! | `r` recipient height (8) position (4) transaction | |
//! | `l` linked transaction height (8) position (4) transaction | |
//! | `af` owner height (8) position (4) event (4) | the event: what became of access to its things |
//! | `ap` owner resource digest | the resource |
//! | `ag` entity grant | |
//! | `w` entity pending transaction | last height (8) |
//! | `m` maker or owner, voucher | |
//! | `u` latitude (4) longitude (4) thing | |
//! | `c` command | its [record](crate::command::CommandRecord) |
//! | `m` thing height (8) position (4) command | |
//! | `b` height (8) proposal | refusal (2) height at which it ended (8); nothing while it is open |
//! | `L` height (8) stream erasure (4) | |
//! | `P` stream | |
//! | `W` `k` code | owner |
//! | `W` `n` name 00 contract | |
//! | `W` `i` interface 00 contract | |
//! | `W` `c` code contract | |
//! | `W` `h` contract height (8) position (4) | transaction |
//! | `W` `p` participant contract | last height (8) |
//! | `s` `n` name 00 service | |
//! | `s` `i` interface 00 service | |
//! | `s` `t` tag 00 service | |
//! | `s` `p` provider service | |
//! | `s` `c` contract service | |
//! | `s` `h` service height (8) position (4) | transaction |
//! | `f` `a` account | |
//! | `f` `h` account height (8) position (4) number (4) | the [movement](crate::token::Movement) |
//! | `f` `e` payer, payee or arbiter, escrow | |
//! | `f` `s` sponsor entity | |
//! | `f` `r` payer reward | |
//! | `j` `l` owner ledger | |
//! | `j` `c` call | its [record](althing_proof::call::CallRecord) |
//! | `j` `a` height (8) call | ; `o` in place of `a` while it is open |
//! | `j` `t` ledger call | its [record](althing_proof::call::TakenRecord) |
//! | `j` `b` height (8) ledger call | ; `u` in place of `b` while it waits for an answer |
//! | `t` `n` name 00 trigger | owner |
//! | `t` `h` trigger height (8) position (4) | transaction, or run |
//!
//! Numbers are big-endian, so that rows sort by height; ids are their 32 bytes; texts are UTF-8 and
//! hold no 00. The functions without a sender give the prefix to scan for.

mod derived;
pub use derived::{derived, is_derived};

mod history;
pub(crate) use history::histories;
pub use history::{history, history_of};

mod link;
pub(crate) use link::{answered, asked, link, taken_in};
pub use link::{call, calls, links_of, taken, taken_calls};

mod service;
pub use service::{
    history_of_service, services_by, services_named, services_of, services_tagged, services_with,
};
pub(crate) use service::{service_history, service_published, service_withdrawn};

mod tag;
pub(crate) use tag::thing_tagged;
pub use tag::things_tagged;

mod token;
pub(crate) use token::{account, escrow, reward, sponsorship, tokens_moved};
pub use token::{accounts, escrows_of, movements_of, rewards_by, sponsored_by};

use althing_state::Read;
use althing_types::{
    CodeId, ContractId, Digest, EntityId, EntityKind, Event, GrantId, Place, Record, Refusal,
    Resource, StreamId, ThingId, TriggerId, TxId, VoucherId, Wire as _,
};

use crate::{
    command::CommandRecord,
    contract::ContractRecord,
    governance::ProposalStatus,
    transition::{Actor, Transition, encode},
    trigger::TriggerRecord,
};

/// How much of its id the key of a transaction's row has, bytes. Every transaction has such a row, in no
/// order, and the store keeps a key of up to 20 bytes without memory of its own, for half the time. Who
/// wants two transactions of one key tries some 2^76 of them, and then hides one of his own from queries.
const TX_KEY_BYTES: usize = 19;

/// The row of a transaction that used its nonce: its height and position. One that had no effect at
/// all (see [`execute`](crate::execute)) has none, so a repeated inclusion does not hide the first.
#[must_use]
pub fn transaction(id: &TxId) -> Vec<u8> {
    join(b'x', &[&id.0[..TX_KEY_BYTES]])
}

/// The same as stores have it that were founded in format 1, for transactions of that time.
#[must_use]
pub fn transaction_of_format_1(id: &TxId) -> Vec<u8> {
    join(b'x', &[&id.0])
}

/// Reads the value of a [`transaction`] row, and of any other that is a height and a position.
#[must_use]
pub fn place(value: &[u8]) -> Option<(u64, u32)> {
    let (height, position) = value.split_at_checked(8)?;
    Some((
        u64::from_be_bytes(height.try_into().ok()?),
        u32::from_be_bytes(position.try_into().ok()?),
    ))
}

/// Rows of all entities, by kind.
#[must_use]
pub fn entities() -> Vec<u8> {
    join(b'e', &[])
}

/// Rows of the entities of a kind.
#[must_use]
pub fn entities_of(kind: EntityKind) -> Vec<u8> {
    join(b'e', &[&[kind as u8]])
}

/// Rows of the entities that an organisation owns.
#[must_use]
pub fn owned_by(owner: &EntityId) -> Vec<u8> {
    join(b'd', &[&owner.0])
}

/// Rows of the things of an owner, by name.
#[must_use]
pub fn things_of(owner: &EntityId) -> Vec<u8> {
    join(b'o', &[&owner.0])
}

/// Rows of the things with a name; of all things, by name, if it is empty.
#[must_use]
pub fn things_named(name: &str) -> Vec<u8> {
    text(b'n', name)
}

/// Rows of the things with a semantic type; of all, by type, if it is empty.
#[must_use]
pub fn things_typed(semantic: &str) -> Vec<u8> {
    text(b'y', semantic)
}

/// Rows of the things with a property that is a stream; of all, by property, if it is empty.
#[must_use]
pub fn things_with(property: &str) -> Vec<u8> {
    text(b'p', property)
}

/// The row of one version of a thing's description, which leads to its text.
#[must_use]
pub fn description(thing: &ThingId, version: u32) -> Vec<u8> {
    join(b'v', &[&thing.0, &version.to_be_bytes()])
}

/// Rows of the things that a gateway is or was bound to.
#[must_use]
pub fn things_bound_to(gateway: &EntityId) -> Vec<u8> {
    join(b'g', &[&gateway.0])
}

/// Rows of the records that notified an entity.
#[must_use]
pub fn records_for(recipient: &EntityId) -> Vec<u8> {
    join(b'r', &[&recipient.0])
}

/// Rows of the records that link to a transaction.
#[must_use]
pub fn records_linked_to(id: &TxId) -> Vec<u8> {
    join(b'l', &[&id.0])
}

/// Rows of the transactions that wait for an entity's approval, or that it sent and that wait.
#[must_use]
pub fn waiting_for(entity: &EntityId) -> Vec<u8> {
    join(b'w', &[&entity.0])
}

/// Rows of the vouchers that an entity issued or owns.
#[must_use]
pub fn vouchers_of(entity: &EntityId) -> Vec<u8> {
    join(b'm', &[&entity.0])
}

/// Rows of the things that said where they are, from south to north.
#[must_use]
pub fn placed() -> Vec<u8> {
    join(b'u', &[])
}

/// The row of the things at a place, or a point to begin at among [`placed`]. Degrees count from
/// the south pole and the date line, so that rows sort.
#[must_use]
pub fn placed_at(place: Place) -> Vec<u8> {
    let from = |degrees_e7: i64, least: i64| {
        u32::try_from(degrees_e7.saturating_sub(least)).unwrap_or(u32::MAX).to_be_bytes()
    };
    let latitude = from(place.latitude_e7, -900_000_000);
    join(b'u', &[&latitude, &from(place.longitude_e7, -1_800_000_000)])
}

/// Rows of the commands of a thing, oldest first.
#[must_use]
pub fn commands_of(thing: &ThingId) -> Vec<u8> {
    join(b'm', &[&thing.0])
}

/// The row of a command, with its record as it was left.
#[must_use]
pub fn command(id: &TxId) -> Vec<u8> {
    join(b'c', &[&id.0])
}

fn owned_row(owner: &EntityId, name: &str, id: &ThingId) -> Vec<u8> {
    join(b'o', &[&owner.0, name.as_bytes(), &[0], &id.0])
}
/// Rows of what became of access to what an owner has, the oldest first.
#[must_use]
pub fn access_feed(owner: &EntityId) -> Vec<u8> {
    join(b'a', &[b"f", &owner.0])
}

/// Rows of the resources that an owner has a policy about.
#[must_use]
pub fn access_policies(owner: &EntityId) -> Vec<u8> {
    join(b'a', &[b"p", &owner.0])
}

/// Rows of the requests and grants that an entity has a part in: as owner, as grantee or as the one
/// who is asked.
#[must_use]
pub fn access_of(entity: &EntityId) -> Vec<u8> {
    join(b'a', &[b"g", &entity.0])
}

/// Rows of all proposals, by the height at which they were opened.
#[must_use]
pub fn proposals() -> Vec<u8> {
    join(b'b', &[])
}

/// Reads the value of a row of [`proposals`].
#[must_use]
pub fn proposal_status(value: &[u8]) -> Option<ProposalStatus> {
    if value.is_empty() {
        return Some(ProposalStatus::Open);
    }
    let (code, height) = value.split_at_checked(2)?;
    let code = u16::from_be_bytes(code.try_into().ok()?);
    let height = u64::from_be_bytes(height.try_into().ok()?);
    match code {
        0 => Some(ProposalStatus::Enacted(height)),
        _ => Refusal::from_number(code).map(|why| ProposalStatus::Ended(height, why)),
    }
}

/// Rows of all code.
#[must_use]
pub fn codes() -> Vec<u8> {
    b"Wk".to_vec()
}

/// Rows of the contracts with a name; of all contracts, by name, if it is empty.
#[must_use]
pub fn contracts_named(name: &str) -> Vec<u8> {
    own_text(b'n', name)
}

/// Rows of the contracts whose code serves an interface.
#[must_use]
pub fn contracts_with(interface: &str) -> Vec<u8> {
    own_text(b'i', interface)
}

/// Rows of the contracts that run a code.
#[must_use]
pub fn contracts_of(code: &CodeId) -> Vec<u8> {
    join(b'W', &[b"c", &code.0])
}

/// Rows of the transactions that called or changed a contract.
#[must_use]
pub fn history_of_contract(id: &ContractId) -> Vec<u8> {
    join(b'W', &[b"h", &id.0])
}

/// Rows of the contracts that wait for a participant to decide.
#[must_use]
pub fn contracts_awaiting(participant: &EntityId) -> Vec<u8> {
    join(b'W', &[b"p", &participant.0])
}

fn own_text(kind: u8, text: &str) -> Vec<u8> {
    if text.is_empty() {
        join(b'W', &[&[kind]])
    } else {
        join(b'W', &[&[kind], text.as_bytes(), &[0]])
    }
}

fn join(row: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut key = Vec::with_capacity(1 + len);
    key.push(row);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// A prefix that ends with a text, which is whole unless it is empty.
fn text(row: u8, text: &str) -> Vec<u8> {
    if text.is_empty() { Vec::from([row]) } else { join(row, &[text.as_bytes(), &[0]]) }
}

impl<R: Read> Transition<'_, R> {
    /// Height and position of the transaction whose receipt is being written.
    fn place(&self, actor: &Actor) -> [u8; 12] {
        let mut place = [0; 12];
        place[..8].copy_from_slice(&self.now.height.to_be_bytes());
        place[8..].copy_from_slice(&actor.position.to_be_bytes());
        place
    }
}

pub(crate) fn included<R: Read>(state: &mut Transition<'_, R>, actor: &Actor) {
    let place = state.place(actor);
    state.row(transaction(&actor.transaction), Some(place.to_vec()));
    in_history(state, actor, &actor.id);
}

/// The transaction is in an entity's history.
pub(crate) fn in_history<R: Read>(state: &mut Transition<'_, R>, actor: &Actor, entity: &EntityId) {
    state.effects.histories.push((*entity, actor.position));
}

pub(crate) fn entity_registered<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
    kind: EntityKind,
) {
    let kind = kind as u8;
    state.row(join(b'e', &[&[kind], &id.0]), Some(actor.id.0.to_vec()));
    state.row(join(b'd', &[&actor.id.0, &id.0]), Some(Vec::from([kind])));
    in_history(state, actor, id);
}

/// The rows of the entities that a genesis founds; they come with no block.
#[must_use]
pub fn founded(genesis: &althing_types::Genesis) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let kind = EntityKind::Organisation as u8;
    let organisations = genesis.organisations.iter().map(|organisation| {
        (join(b'e', &[&[kind], &organisation.inception.id().0]), Some(Vec::new()))
    });
    let kind = EntityKind::Peer as u8;
    let peers = genesis.peers.iter().flat_map(|peer| {
        let (id, owner) = (peer.inception.id(), peer.organisation);
        [
            (join(b'e', &[&[kind], &id.0]), Some(owner.0.to_vec())),
            (join(b'd', &[&owner.0, &id.0]), Some(Vec::from([kind]))),
        ]
    });
    organisations.chain(peers).chain(token::founded(genesis)).collect()
}

pub(crate) fn thing_named<R: Read>(
    state: &mut Transition<'_, R>,
    owner: &EntityId,
    name: &str,
    id: &ThingId,
) {
    state.row(owned_row(owner, name, id), Some(id.0.to_vec()));
    state.row(join(b'n', &[name.as_bytes(), &[0], &id.0]), Some(Vec::new()));
}

pub(crate) fn thing_typed<R: Read>(
    state: &mut Transition<'_, R>,
    semantic: &str,
    id: &ThingId,
    present: bool,
) {
    let key = join(b'y', &[semantic.as_bytes(), &[0], &id.0]);
    state.row(key, present.then(Vec::new));
}

pub(crate) fn thing_with<R: Read>(
    state: &mut Transition<'_, R>,
    property: &str,
    id: &ThingId,
    stream: Option<&StreamId>,
) {
    let key = join(b'p', &[property.as_bytes(), &[0], &id.0]);
    state.row(key, stream.map(|stream| stream.0.to_vec()));
}

pub(crate) fn described<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ThingId,
    version: u32,
    digest: &Digest,
) {
    state.row(description(id, version), Some(digest.0.to_vec()));
}

pub(crate) fn bound<R: Read>(
    state: &mut Transition<'_, R>,
    gateway: &EntityId,
    thing: &ThingId,
    until_height: u64,
) {
    let key = join(b'g', &[&gateway.0, &thing.0]);
    state.row(key, Some(until_height.to_be_bytes().to_vec()));
}

pub(crate) fn recorded<R: Read>(state: &mut Transition<'_, R>, actor: &Actor, record: &Record) {
    let place = state.place(actor);
    // One place can tell of several transactions: those that waited for the same approval.
    let transaction = actor.transaction.0;
    for recipient in &record.notify {
        state.row(join(b'r', &[&recipient.0, &place, &transaction]), Some(Vec::new()));
    }
    if let Some(link) = &record.link {
        state.row(join(b'l', &[&link.0, &place, &transaction]), Some(Vec::new()));
    }
}

/// Tells of an event of access, which the owner then finds in its feed.
pub(crate) fn access_told<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    owner: &EntityId,
    event: Event,
) {
    let place = state.place(actor);
    // No receipt has so many events: their bytes are bounded.
    let number = u32::try_from(state.effects.events.len()).unwrap_or(u32::MAX).to_be_bytes();
    let key = join(b'a', &[b"f", &owner.0, &place, &number]);
    state.row(key, Some(event.to_wire()));
    state.emit(event);
}

pub(crate) fn access_policy<R: Read>(
    state: &mut Transition<'_, R>,
    owner: &EntityId,
    resource: &Resource,
    present: bool,
) {
    let key = join(b'a', &[b"p", &owner.0, &resource.digest()]);
    state.row(key, present.then(|| resource.to_wire()));
}

pub(crate) fn access<R: Read>(
    state: &mut Transition<'_, R>,
    entity: &EntityId,
    grant: &GrantId,
    present: bool,
) {
    state.row(join(b'a', &[b"g", &entity.0, &grant.0]), present.then(Vec::new));
}

pub(crate) fn waiting<R: Read>(
    state: &mut Transition<'_, R>,
    entity: &EntityId,
    pending: &TxId,
    until_height: Option<u64>,
) {
    let key = join(b'w', &[&entity.0, &pending.0]);
    state.row(key, until_height.map(|height| height.to_be_bytes().to_vec()));
}

/// A thing changed hands. Two things of one owner may then have one name.
pub(crate) fn thing_moved<R: Read>(
    state: &mut Transition<'_, R>,
    from: &EntityId,
    to: &EntityId,
    name: &str,
    id: &ThingId,
) {
    state.row(owned_row(from, name, id), None);
    state.row(owned_row(to, name, id), Some(id.0.to_vec()));
}

pub(crate) fn entity_moved<R: Read>(
    state: &mut Transition<'_, R>,
    id: &EntityId,
    kind: EntityKind,
    from: &EntityId,
    to: &EntityId,
) {
    let kind = kind as u8;
    state.row(join(b'e', &[&[kind], &id.0]), Some(to.0.to_vec()));
    state.row(join(b'd', &[&from.0, &id.0]), None);
    state.row(join(b'd', &[&to.0, &id.0]), Some(Vec::from([kind])));
}

/// A device joined, for an owner who need not be the sender.
pub(crate) fn entity_joined<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
    owner: &EntityId,
) {
    entity_registered(state, &Actor { id: *owner, ..*actor }, id, EntityKind::Device);
}

pub(crate) fn voucher_issued<R: Read>(
    state: &mut Transition<'_, R>,
    maker: &EntityId,
    owner: &EntityId,
    id: &VoucherId,
) {
    for entity in [maker, owner] {
        state.row(join(b'm', &[&entity.0, &id.0]), Some(Vec::new()));
    }
}

/// Rows of the streams whose owners said who keeps the payloads.
#[must_use]
pub fn placed_streams() -> Vec<u8> {
    join(b'P', &[])
}

pub(crate) fn stream_placed<R: Read>(state: &mut Transition<'_, R>, stream: &StreamId) {
    state.row(join(b'P', &[&stream.0]), Some(Vec::new()));
}

/// Rows of all erasures, in the order in which they were made.
#[must_use]
pub fn erasures() -> Vec<u8> {
    vec![b'L']
}

/// Which erasure of which stream a row of [`erasures`] is about; none if it is no such row.
#[must_use]
pub fn erasure_of(row: &[u8]) -> Option<(StreamId, u32)> {
    let rest = row.strip_prefix(b"L")?.get(8..)?;
    let (stream, number) = rest.split_at_checked(32)?;
    Some((StreamId(stream.try_into().ok()?), u32::from_be_bytes(number.try_into().ok()?)))
}

pub(crate) fn erased<R: Read>(state: &mut Transition<'_, R>, stream: &StreamId, number: u32) {
    let height = state.now.height.to_be_bytes();
    state.row(join(b'L', &[&height, &stream.0, &number.to_be_bytes()]), Some(Vec::new()));
}

pub(crate) fn thing_placed<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ThingId,
    before: Option<Place>,
    after: Option<Place>,
) {
    let row = |place: Place| [placed_at(place).as_slice(), &id.0].concat();
    if let Some(place) = before {
        state.row(row(place), None);
    }
    if let Some(place) = after {
        state.row(row(place), Some(Vec::new()));
    }
}

pub(crate) fn commanded<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    thing: &ThingId,
    id: &TxId,
) {
    let place = state.place(actor);
    state.row(join(b'm', &[&thing.0, &place, &id.0]), Some(Vec::new()));
}

pub(crate) fn command_changed<R: Read>(
    state: &mut Transition<'_, R>,
    id: &TxId,
    record: &CommandRecord,
) {
    state.row(command(id), Some(encode(record)));
}

/// An organisation that became a member by vote; like a founding one it has no owner.
pub(crate) fn member_added<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    organisation: &EntityId,
) {
    let kind = EntityKind::Organisation as u8;
    state.row(join(b'e', &[&[kind], &organisation.0]), Some(Vec::new()));
    in_history(state, actor, organisation);
}

pub(crate) fn proposed<R: Read>(
    state: &mut Transition<'_, R>,
    proposal: &TxId,
    since_height: u64,
    status: ProposalStatus,
) {
    let value = match status {
        ProposalStatus::Open => Vec::new(),
        ProposalStatus::Enacted(height) => [&[0; 2][..], &height.to_be_bytes()].concat(),
        ProposalStatus::Ended(height, why) => {
            [&why.number().to_be_bytes()[..], &height.to_be_bytes()].concat()
        }
    };
    state.row(join(b'b', &[&since_height.to_be_bytes(), &proposal.0]), Some(value));
}

pub(crate) fn code<R: Read>(
    state: &mut Transition<'_, R>,
    id: &CodeId,
    owner: &EntityId,
    present: bool,
) {
    state.row(join(b'W', &[b"k", &id.0]), present.then(|| owner.0.to_vec()));
}

/// The rows that find a contract by its name, by what its code serves, and by its code.
pub(crate) fn contract<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ContractId,
    record: &ContractRecord,
    interfaces: &[String],
    present: bool,
) {
    let row = || present.then(Vec::new);
    state.row(join(b'W', &[b"n", record.name.as_bytes(), &[0], &id.0]), row());
    state.row(join(b'W', &[b"c", &record.code.0, &id.0]), row());
    for interface in interfaces {
        state.row(join(b'W', &[b"i", interface.as_bytes(), &[0], &id.0]), row());
    }
}

pub(crate) fn contract_history<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
) {
    let place = state.place(actor);
    state.row(join(b'W', &[b"h", &id.0, &place]), Some(actor.transaction.0.to_vec()));
}

pub(crate) fn awaits<R: Read>(
    state: &mut Transition<'_, R>,
    participant: &EntityId,
    id: &ContractId,
    until_height: Option<u64>,
) {
    let key = join(b'W', &[b"p", &participant.0, &id.0]);
    state.row(key, until_height.map(|height| height.to_be_bytes().to_vec()));
}

/// Rows of all triggers, by name.
#[must_use]
pub fn triggers() -> Vec<u8> {
    join(b't', &[b"n"])
}

/// Rows of the transactions that changed a trigger, and of its runs.
#[must_use]
pub fn history_of_trigger(id: &TriggerId) -> Vec<u8> {
    join(b't', &[b"h", &id.0])
}

pub(crate) fn trigger<R: Read>(
    state: &mut Transition<'_, R>,
    id: &TriggerId,
    record: &TriggerRecord,
    present: bool,
) {
    let key = join(b't', &[b"n", record.trigger.name.as_bytes(), &[0], &id.0]);
    state.row(key, present.then(|| record.owner.0.to_vec()));
}

pub(crate) fn trigger_history<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TriggerId,
) {
    let place = state.place(actor);
    state.row(join(b't', &[b"h", &id.0, &place]), Some(actor.transaction.0.to_vec()));
}
