use althing_types::{ActionKind, Body, EntityId, LedgerId};
use proptest::prelude::*;

use super::*;
use crate::{
    NONCE_WINDOW,
    testing::{PROPERTIES, State, World, batch, description, note, registration_of},
};
use Refusal::*;

/// Refusals that are given elsewhere: form, signatures and payloads are checked with the keys and
/// schemas that this crate names, links and queues by the peer.
const ELSEWHERE: &[Refusal] = &[
    Refusal::StaleStreamKey,
    Malformed,
    TooLarge,
    BadPossession,
    PayloadMissing,
    PayloadMismatch,
    UnknownLink,
    DuplicateSigner,
    MempoolFull,
    SenderQuota,
    NotReady,
    StorageFull,
    OutOfBounds,
    UseNotGranted,
];

/// Refusals by actions, whose tables are beside each noun.
const BY_ACTIONS: &[Refusal] = &[
    Refusal::NoHolder,
    Refusal::StreamNotEmpty,
    Refusal::StreamKeyNumber,
    Refusal::NoAgreementKey,
    Refusal::UnknownStreamKey,
    Refusal::NotSealed,
    Refusal::TooManyErasures,
    DeviceChanged,
    Unsigned,
    DeviceSignature,
    NotPermitted,
    AlreadyExists,
    UnknownThing,
    ThingRetired,
    BadDescription,
    VersionConflict,
    SchemaChanged,
    UnknownStream,
    NotBound,
    BindingExpired,
    SequenceOverlap,
    SequenceTooFar,
    GapSealed,
    SchemaMismatch,
    TimeOutOfRange,
    UnknownPending,
    AlreadyApproved,
    PendingExpired,
    NotAnApprover,
    AwaitingApproval,
    Withdrawn,
    AlreadyRotated,
    Refusal::NotOffered,
    Refusal::OfferExpired,
    Refusal::BadClaim,
    Refusal::StatusTooOften,
    Refusal::UnknownVoucher,
    Refusal::VoucherRevoked,
    Refusal::NotInVoucher,
    Refusal::UnknownAffordance,
    Refusal::BadInput,
    Refusal::UnknownCommand,
    Refusal::CommandExpired,
    Refusal::TooManyCommands,
    Refusal::Quarantined,
    Refusal::OutsideLimit,
    Refusal::TooManyGateways,
    Refusal::BackwardState,
    BadPolicy,
    AccessDenied,
    NoPolicy,
    GrantNotNeeded,
    NoGrant,
    UnknownRequest,
    NotAsked,
    GrantExhausted,
    TooManyRequests,
];

/// What members deciding together are refused.
const BY_GOVERNANCE: &[Refusal] = &[
    NotAMember,
    UnknownProposal,
    VotingOver,
    NotYetDue,
    VotedDown,
    TooManyProposals,
    WouldStall,
    ThirdOfVotes,
    ChangesNothing,
    ParameterFixed,
    SeatTaken,
    NoSeat,
    TooManyMembers,
    SeatsFixed,
    MayNotDeploy,
    RegulationBroken,
    UnknownRegulation,
    TooManyRegulations,
    NotPrivate,
];

/// What those who store code, make and call contracts, and set triggers, are refused.
const BY_CONTRACTS: &[Refusal] = &[
    UnknownCode,
    BadCode,
    CodePartsMissing,
    CodeMismatch,
    CodeQuota,
    CodeNotReady,
    CodeInUse,
    UnknownContract,
    ContractFrozen,
    ContractEnded,
    ContractProposed,
    OutOfGas,
    ContractTrapped,
    ContractRefused,
    ContractAnswer,
    ContractTooDeep,
    GasLimit,
    BlockGas,
    NotAParticipant,
    NoSuchEntry,
    MessageUnsupported,
    ContractDeclined,
    ProposalExpired,
    CallerNotAllowed,
    UnknownTrigger,
    TooManyTriggers,
    TriggerWaits,
    TriggerNeedsApproval,
    UnknownService,
    TooManyServices,
];

/// What those who hold and pay tokens are refused.
const BY_TOKENS: &[Refusal] = &[
    TokensOff,
    InsufficientFunds,
    AccountFrozen,
    UnknownPayee,
    TooManyTokens,
    CannotPayFee,
    UnknownEscrow,
    EscrowOver,
    UnknownSponsorship,
    UnknownReward,
    TooManyRewards,
    TokensAtStart,
    StakesOff,
    SeatsByStake,
    StakeTooSmall,
    NoStake,
    StakeLocked,
    StakeNeedsSeat,
    OffenceKnown,
];

/// Between ledgers; the tests of `link` and `call` show each.
const BY_LINKS: &[Refusal] = &[
    NoLedgerLink,
    LinkClosed,
    TooManyLinks,
    BadForeignProof,
    LinkNotOlder,
    TooManyProofs,
    UnknownCall,
    CallOver,
    CallNotDue,
];

/// Changes a good transaction into one that does not count.
type Spoil = fn(&mut World, &mut Body, &mut Vec<EntityId>);

#[test]
fn what_does_not_count_has_no_effect_at_all() {
    let rows: [(&str, Refusal, Spoil); 11] = [
        ("another ledger", WrongLedger, |_, body, _| body.ledger_tag = LedgerId([9; 32]).tag()),
        ("past its expiry", Expired, |world, body, _| body.expiry_height = world.height),
        ("valid for years", ExpiryTooFar, |world, body, _| {
            body.expiry_height = world.height + 2 + EXPIRY_BLOCKS_MAX;
        }),
        ("a sender nobody knows", UnknownEntity, |world, body, signers| {
            body.sender = EntityId([9; 32]);
            world.use_key(body.sender, 9);
            signers[0] = body.sender;
        }),
        ("a co-signer nobody knows", UnknownEntity, |world, _, signers| {
            world.use_key(EntityId([9; 32]), 9);
            signers.push(EntityId([9; 32]));
        }),
        ("a revoked co-signer", EntityRevoked, |world, body, signers| {
            let person = world.member(althing_types::EntityKind::Person, 50);
            let entity = person;
            world.must(world.b, note(b""));
            world.must(person, Action::RevokeEntity { entity });
            signers.push(person);
            body.expiry_height = world.height + 10;
        }),
        ("a key of another suite", BadSignature, |world, body, _| world.use_key(body.sender, 4)),
        ("a nonce twice", NonceReused, |_, body, _| body.nonce = 0),
        ("an old nonce", NonceTooOld, |world, body, _| {
            let jump =
                world.sign(&[world.a], world.body(world.a, NONCE_WINDOW + 5, vec![note(b"")]));
            assert_eq!(world.run(jump).code, 0);
            body.nonce = 3;
        }),
        ("a nonce too far ahead", NonceTooFar, |_, body, _| body.nonce = 1 << 40),
        ("a nonce at the end", NonceTooFar, |_, body, _| body.nonce = u64::MAX),
    ];
    for (name, refusal, spoil) in rows {
        let mut world = World::new();
        world.must(world.a, note(b"the first"));
        let mut body = world.body(world.a, 1, vec![note(b"")]);
        let mut signers = vec![world.a];
        spoil(&mut world, &mut body, &mut signers);
        let transaction = world.sign(&signers, body);
        assert_eq!(world.check(&transaction), Err(refusal), "{name}");
        let outcome = world.block(&[transaction]);
        assert_eq!(outcome.receipts[0].code, refusal.number(), "{name}");
        let nothing = (outcome.writes.len(), outcome.index.len(), outcome.events().count());
        assert_eq!(nothing, (0, 0, 0), "{name}");
    }
}

#[test]
fn the_ends_of_the_time_a_transaction_is_good_for_count() {
    for blocks in [0, EXPIRY_BLOCKS_MAX] {
        let mut world = World::new();
        let mut body = world.body(world.a, 0, vec![note(b"")]);
        body.expiry_height = world.height + 1 + blocks;
        let transaction = world.sign(&[world.a], body);
        assert_eq!(world.run(transaction).code, 0, "{blocks} blocks ahead");
    }
}

#[test]
fn every_refusal_has_its_place() {
    let here = [
        WrongLedger,
        BadSignature,
        UnknownEntity,
        EntityRevoked,
        NonceReused,
        NonceTooOld,
        NonceTooFar,
        Expired,
        ExpiryTooFar,
        NotTakingPart,
    ];
    for refusal in Refusal::ALL {
        let places =
            [ELSEWHERE, BY_ACTIONS, BY_GOVERNANCE, BY_CONTRACTS, BY_TOKENS, BY_LINKS, &here];
        let count = places.iter().filter(|place| place.contains(refusal)).count();
        assert_eq!(count, 1, "{refusal:?}");
    }
}

#[test]
fn actions_take_effect_together_or_not_at_all() {
    let mut world = World::new();
    let (owner, thing) = (world.a, world.thing("hall"));
    let stream = althing_types::StreamId::derive(&thing, "temperature");
    let registration = world.registration(althing_types::EntityKind::Device, 60);
    let good = vec![
        registration,
        registration_of("cellar", &description(PROPERTIES)),
        Action::SubmitBatch(batch(stream, 0, 3)),
        Action::RetireThing { thing },
        note(b""),
    ];
    let before = world.state.clone();
    for position in 0..=good.len() {
        let mut actions = good.clone();
        actions.insert(position, Action::RetireThing { thing: althing_types::ThingId([9; 32]) });
        let transaction = world.signed(&[owner], actions);
        let outcome = world.block(std::slice::from_ref(&transaction));
        let receipt = &outcome.receipts[0];
        assert_eq!((receipt.code, receipt.action), (UnknownThing.number(), position as u8));
        assert!(receipt.events.is_empty());
        let written: Vec<_> = outcome.writes.keys().cloned().collect();
        assert_eq!(written, [key::nonces(&owner)], "action {position}");
        assert!(outcome.leaves.is_empty() && outcome.nodes.is_empty());
        assert!(outcome.descriptions.is_empty());
        // The transaction and its sender's history lead to the receipt.
        assert_eq!(outcome.index.len(), 2);
    }
    let differing: Vec<_> =
        world.state.iter().filter(|(key, value)| before.get(*key) != Some(*value)).collect();
    assert_eq!(differing.len(), 1, "only the nonces");
    let transaction = world.signed(&[owner], good);
    assert_eq!(world.run(transaction).code, 0);
}

/// What was read while a transaction was under way is not remembered when it is taken back.
#[test]
fn nobody_is_taken_for_revoked_by_a_transaction_that_was_refused() {
    let mut world = World::new();
    let person = world.member(althing_types::EntityKind::Person, 20);
    let revoked = Action::RevokeEntity { entity: person };
    let twice = world.signed(&[world.a], vec![revoked.clone(), revoked]);
    let after = world.signed(&[person], vec![note(b"still here")]);
    let receipts = world.block(&[twice, after]).receipts;
    assert_eq!((receipts[0].code, receipts[0].action), (EntityRevoked.number(), 1));
    assert_eq!(receipts[1].code, 0);
}

#[test]
fn a_block_sees_what_it_did_before() {
    let mut world = World::new();
    let owner = world.a;
    let thing = althing_types::ThingId::derive(&owner, "hall");
    let transactions = [
        vec![registration_of("hall", &description(PROPERTIES))],
        vec![Action::Bind { thing, gateway: world.b, until_height: 10 }],
        vec![registration_of("hall", &description(PROPERTIES))],
        vec![Action::RetireThing { thing }],
    ]
    .map(|actions| world.signed(&[owner], actions));
    let outcome = world.block(&transactions);
    let codes: Vec<u16> = outcome.receipts.iter().map(|receipt| receipt.code).collect();
    assert_eq!(codes, [0, 0, AlreadyExists.number(), 0]);
    let positions: Vec<u32> = outcome.events().map(|(position, _)| position).collect();
    assert_eq!(positions, [0, 1, 3]);
}

/// A repeated inclusion is refused and does not hide the first one's place.
#[test]
fn a_transaction_counts_once() {
    let mut world = World::new();
    let transaction = world.signed(&[world.a], vec![note(b"")]);
    let outcome = world.block(&[transaction.clone(), transaction.clone()]);
    let codes: Vec<u16> = outcome.receipts.iter().map(|receipt| receipt.code).collect();
    assert_eq!(codes, [0, NonceReused.number()]);
    let row = crate::index::transaction(&transaction.id());
    assert_eq!(outcome.index.iter().filter(|(key, _)| *key == row).count(), 1);
    assert_eq!(world.run(transaction).code, NonceReused.number());
}

#[test]
fn transactions_under_way_at_once_count_in_any_order() {
    let mut world = World::new();
    let nonces = [7, 0, 3, 1, 2, 6, 5, 4];
    let transactions = nonces.map(|nonce| {
        world.sign(&[world.b], world.body(world.b, nonce, vec![note(&[nonce as u8])]))
    });
    let outcome = world.block(&transactions);
    assert!(outcome.receipts.iter().all(|receipt| receipt.code == 0));
}

/// A history drawn at random: some of it is refused, none of it fails.
fn history(world: &mut World, steps: &[(u8, u8)]) -> Vec<Vec<Transaction>> {
    let (a, b) = (world.a, world.b);
    let things = ["hall", "cellar"].map(|name| althing_types::ThingId::derive(&a, name));
    let mut next = 0_u64;
    let mut blocks = Vec::new();
    for chunk in steps.chunks(4) {
        let mut block = Vec::new();
        for (choice, detail) in chunk {
            let thing = things[usize::from(detail % 2)];
            let stream = althing_types::StreamId::derive(&thing, "temperature");
            let sender = if detail % 3 == 0 { b } else { a };
            next += u64::from(detail % 5);
            let action = match choice % 9 {
                0 => registration_of(
                    ["hall", "cellar"][usize::from(detail % 2)],
                    &description(PROPERTIES),
                ),
                1 => Action::Bind { thing, gateway: b, until_height: u64::from(*detail) },
                2 => Action::Unbind { thing, gateway: b },
                3 | 4 => Action::SubmitBatch(batch(stream, next, usize::from(detail % 4) + 1)),
                5 => world.registration(althing_types::EntityKind::Device, 100 + detail % 8),
                6 => Action::SetApprovalPolicy(althing_types::ApprovalPolicy {
                    kind: ActionKind::Record,
                    threshold: detail % 2,
                    approvers: vec![b],
                    patience_blocks: 2,
                }),
                7 => Action::UpdateThing {
                    thing,
                    replaces: u32::from(detail % 3),
                    description: description(PROPERTIES).into_bytes(),
                },
                _ => note(&[*detail]),
            };
            let actions = if detail % 7 == 0 { vec![action, note(b"and")] } else { vec![action] };
            block.push(world.signed(&[sender], actions));
        }
        blocks.push(block);
    }
    blocks
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Equal inputs give equal outputs, and refused transactions leave no trace but their nonce:
    /// leaving them out of a block gives the same state but for nonces.
    #[test]
    fn execution_is_a_function_and_refusals_leave_no_trace(
        steps in prop::collection::vec((any::<u8>(), any::<u8>()), 1..40),
    ) {
        let (mut world, mut twin, mut chosen) = (World::new(), World::new(), World::new());
        for block in history(&mut World::new(), &steps) {
            let outcome = world.block(&block);
            prop_assert_eq!(&outcome, &twin.block(&block));
            let took_effect = |receipt: &Receipt| {
                receipt.code == 0 || receipt.code == AwaitingApproval.number()
            };
            let kept: Vec<Transaction> = block
                .into_iter()
                .zip(&outcome.receipts)
                .filter(|(_, receipt)| took_effect(receipt))
                .map(|(transaction, _)| transaction)
                .collect();
            let again = chosen.block(&kept);
            prop_assert!(again.receipts.iter().all(took_effect));
        }
        prop_assert_eq!(without_nonces(world.state), without_nonces(chosen.state));
    }
}

fn without_nonces(state: State) -> State {
    state.into_iter().filter(|(key, _)| !key.starts_with(b"n/")).collect()
}
