//! Why a transaction is refused: one list for admission, validators, receipts and the interface.

/// Declares [`Refusal`] with its receipt code, its stable text code and the sentence that says
/// what to do next, in one table.
macro_rules! refusals {
    ($($number:literal $name:ident $code:literal $advice:literal;)*) => {
        /// Why a transaction is refused. Numbers and codes never change their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
        #[repr(u16)]
        pub enum Refusal {
            $(
                #[doc = $advice]
                #[error($advice)]
                $name = $number,
            )*
        }

        impl Refusal {
            /// All refusals, ascending by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number in receipts; 0 is success and never a refusal.
            #[must_use]
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// The stable text code of the interface.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The refusal with this receipt number.
            #[must_use]
            pub fn from_number(number: u16) -> Option<Self> {
                Self::ALL.iter().copied().find(|refusal| refusal.number() == number)
            }
        }
    };
}

refusals! {
    1 Malformed "malformed" "The transaction is not canonical CBOR of a known version; build it with a current client.";
    2 TooLarge "too_large" "The transaction or one of its parts exceeds a size limit; split it.";
    3 OutOfBounds "out_of_bounds" "A field is outside its bounds; see the limits in the format documentation.";
    4 WrongLedger "wrong_ledger" "The transaction was signed for another ledger; use the genesis of this one.";
    5 BadSignature "bad_signature" "A signature does not verify under the signer's current key; sign again with that key.";
    6 UnknownEntity "unknown_entity" "The entity is not registered on this ledger; have an organisation register it first.";
    7 EntityRevoked "entity_revoked" "The entity has been revoked; nothing it signs counts any more.";
    8 NonceReused "nonce_reused" "This nonce was used already; the transaction was submitted before, or needs the next nonce.";
    9 NonceTooOld "nonce_too_old" "The nonce has fallen out of the window; ask the account for its next nonce.";
    10 NonceTooFar "nonce_too_far" "The nonce is too far ahead; ask the account for its next nonce.";
    11 Expired "expired" "The expiry height has passed; sign again with a later one.";
    12 ExpiryTooFar "expiry_too_far" "The expiry height is too far ahead; choose one closer to the present height.";
    13 NotPermitted "not_permitted" "The sender may not do this; the owner must, or must grant it.";
    14 AlreadyExists "already_exists" "It is registered already; look it up instead of registering it again.";
    15 BadPossession "bad_possession" "The proof that the new key is held does not verify; sign it with the new key for this ledger and entity.";
    16 UnknownThing "unknown_thing" "The thing is not registered; register it with its Thing Description first.";
    17 ThingRetired "thing_retired" "The thing has been retired and accepts nothing more.";
    18 BadDescription "bad_description" "The Thing Description does not satisfy W3C WoT Thing Description 1.1 or the limits here.";
    19 VersionConflict "version_conflict" "The description was changed meanwhile; fetch the present version and update that.";
    20 SchemaChanged "schema_changed" "A property with readings cannot change type, unit or quantum; publish it under a new name.";
    21 UnknownStream "unknown_stream" "The thing has no such property; look at its Thing Description.";
    22 NotBound "not_bound" "The sender is not bound to the thing; the owner must bind it as gateway.";
    23 BindingExpired "binding_expired" "The binding to the thing has expired; the owner must renew it.";
    24 SequenceOverlap "sequence_overlap" "Some of these sequence numbers were submitted before; continue at the stream's next sequence number.";
    25 SequenceTooFar "sequence_too_far" "The sequence number is too far ahead of the stream; continue at its next sequence number.";
    26 GapSealed "gap_sealed" "The gap these readings would fill was given up for newer gaps; they can no longer be added.";
    27 SchemaMismatch "schema_mismatch" "A value is not of the property's type, range or quantum; see the Thing Description.";
    28 PayloadMissing "payload_missing" "The payload of a batch did not come with the transaction; attach it.";
    29 PayloadMismatch "payload_mismatch" "The payload is not the one the batch header names or summarises.";
    30 TimeOutOfRange "time_out_of_range" "A claimed time is too far in the future of ledger time; set the device's clock.";
    31 UnknownPending "unknown_pending" "No transaction with this id waits for approval.";
    32 AlreadyApproved "already_approved" "This entity has approved it already.";
    33 PendingExpired "pending_expired" "The transaction waited too long for approvals; submit it again.";
    34 NotAnApprover "not_an_approver" "The sender is not among the approvers of this policy.";
    35 AwaitingApproval "awaiting_approval" "The transaction is recorded and waits for more approvals.";
    36 UnknownLink "unknown_link" "The record links to a transaction this ledger does not know.";
    37 DuplicateSigner "duplicate_signer" "An entity signed the same transaction twice.";
    38 MempoolFull "mempool_full" "The peer holds as many transactions as it may; try again shortly.";
    39 SenderQuota "sender_quota" "The sender has too many transactions waiting, or too large ones; wait for some to be finalized.";
    40 NotReady "not_ready" "The peer is starting, stopping or behind; try again shortly or ask another peer.";
    41 StorageFull "storage_full" "The peer's disk is full; ask another peer until space is freed and this one started again.";
    42 Withdrawn "withdrawn" "The transaction that waited for approvals was withdrawn; submit it again if it is still wanted.";
    43 AlreadyRotated "already_rotated" "The key was replaced in this very block; replace it again in a later one.";
    60 BadPolicy "bad_policy" "The policy is not Cedar that fits the schema and the limits here; see what `althing access explain` says of it.";
    61 AccessDenied "access_denied" "No policy of the owner permits this; see `althing access explain`, or ask the owner.";
    62 NoPolicy "no_policy" "The owner has no policy about it; nothing is to be asked for or removed.";
    63 GrantNotNeeded "grant_not_needed" "The policy permits this without a grant; go ahead.";
    64 NoGrant "no_grant" "There is no grant in force for this, by this sender, for this purpose; ask for one with `althing access request`.";
    65 UnknownRequest "unknown_request" "No request with this id waits for an answer; it may have been answered or have timed out.";
    66 NotAsked "not_asked" "The sender is not asked about this request; the owner is, or who the policy names.";
    67 GrantExhausted "grant_exhausted" "The grant has been used as often as it allows; ask for another.";
    68 TooManyRequests "too_many_requests" "The owner, or this sender with this owner, has as many requests waiting as there may be; wait for an answer.";
    69 UseNotGranted "use_not_granted" "Each access to this is decided by a transaction; use the grant with `althing access use` first.";
    80 NotOffered "not_offered" "The thing is not offered to the sender; ask its owner to offer it.";
    81 OfferExpired "offer_expired" "The offer has expired; ask the owner to offer the thing again.";
    82 BadClaim "bad_claim" "The code is not the one the thing is offered under; check what is printed on it.";
    83 StatusTooOften "status_too_often" "The status of this thing was reported too often; report changes only, and later.";
    84 UnknownVoucher "unknown_voucher" "No maker has issued this voucher here; have its maker issue it first.";
    85 VoucherRevoked "voucher_revoked" "The voucher was revoked, or its maker; no more devices join by it.";
    86 NotInVoucher "not_in_voucher" "The path does not lead from this device to the voucher; make it from the maker's list.";
    87 UnknownAffordance "unknown_affordance" "The thing has no such action or property, or it cannot be written; look at its Thing Description.";
    88 BadInput "bad_input" "The input is not what the Thing Description asks for; look at the action's input there.";
    89 UnknownCommand "unknown_command" "No open command has this id; it was done, has expired or was taken back.";
    90 CommandExpired "command_expired" "The command's time has passed, or lies too far ahead; send it again with another.";
    91 TooManyCommands "too_many_commands" "Too many commands of this thing are open; wait until some are done, or cancel them.";
    92 Quarantined "quarantined" "The thing is in quarantine; have whoever shut it out let it in again.";
    93 OutsideLimit "outside_limit" "The binding does not cover this; the owner must widen its limit.";
    94 TooManyGateways "too_many_gateways" "Too many entities are bound to the thing or speak about it; end another binding first.";
    95 BackwardState "backward_state" "The command is as far already; report only what comes after its present state.";
    100 UnknownCode "unknown_code" "No such code is stored on this ledger; upload and store it first.";
    101 BadCode "bad_code" "The module is not one that may run here; `althing contract check` says why.";
    102 CodePartsMissing "code_parts_missing" "Parts of the module have not been uploaded by this sender; upload them, then store.";
    103 CodeMismatch "code_mismatch" "The uploaded parts are not the module that the code id names; upload it again.";
    104 CodeQuota "code_quota" "The organisation or the ledger has as much code as it may; remove code that no contract runs.";
    105 CodeInUse "code_in_use" "Contracts run this code; migrate or terminate them first.";
    106 UnknownContract "unknown_contract" "No such contract; look it up by name with the list of contracts.";
    107 ContractFrozen "contract_frozen" "The contract is frozen; its administrator must thaw it.";
    108 ContractEnded "contract_ended" "The contract has been terminated and does nothing more.";
    109 ContractProposed "contract_proposed" "The contract has not begun; its participants must accept it first.";
    110 OutOfGas "out_of_gas" "The call needs more gas than its limit; raise the limit, or do less in one call.";
    111 ContractTrapped "contract_trapped" "The contract broke off; try the call with `althing contract dry-run`.";
    112 ContractRefused "contract_refused" "The contract answered with an error; `althing contract dry-run` shows its text.";
    113 ContractAnswer "contract_answer" "The contract's answer is no response of CosmWasm, or exceeds a limit; its author must mend it.";
    114 ContractTooDeep "contract_too_deep" "Contracts called each other too deep or too often; call fewer of them.";
    115 GasLimit "gas_limit" "The gas limit is more than the ledger allows for one transaction; lower it.";
    116 BlockGas "block_gas" "The block has no gas left for the call; submit it again.";
    117 NotAParticipant "not_a_participant" "The sender does not take part in deciding about this contract, or has decided already.";
    118 NoSuchEntry "no_such_entry" "The code has no such entry point; a contract without `migrate` cannot be given new code.";
    119 MessageUnsupported "message_unsupported" "The contract asked for something that this ledger does not offer.";
    120 ContractDeclined "contract_declined" "The contract was declined or withdrawn by those who decide about it.";
    121 ProposalExpired "proposal_expired" "The participants did not accept the contract in time; propose it again.";
    122 CallerNotAllowed "caller_not_allowed" "The contract's terms do not let this entity call it; ask for another contract with other terms.";
    123 UnknownTrigger "unknown_trigger" "The sender has no such trigger; list the triggers.";
    124 TooManyTriggers "too_many_triggers" "As many triggers as it may have are there already; remove one first.";
    125 TriggerWaits "trigger_waits" "The trigger is suspended already, or is not.";
    126 TriggerNeedsApproval "trigger_needs_approval" "It would need approvals, which a trigger cannot collect.";
    127 UnknownService "unknown_service" "No such service or version, or it was withdrawn; list the services.";
    128 TooManyServices "too_many_services" "As many services, or versions of this one, as there may be are published; withdraw one first.";
    129 CodeNotReady "code_not_ready" "The code was stored a moment ago and peers are still preparing it; submit it again in some seconds.";
    130 NotAMember "not_a_member" "Only a member organisation may do this; have one of the members do it.";
    131 UnknownProposal "unknown_proposal" "No proposal with this id is open; list those that are.";
    132 VotingOver "voting_over" "The time to vote on it is over or it was decided; propose it again if it is still wanted.";
    133 NotYetDue "not_yet_due" "The proposal takes effect at a later height, or lacks votes; try again then.";
    134 VotedDown "voted_down" "So many members voted against the proposal that it cannot be accepted any more.";
    135 TooManyProposals "too_many_proposals" "As many proposals as the ledger allows are open; vote on those first.";
    136 WouldStall "would_stall" "The change would leave the ledger without members or validators that can decide; keep at least one of each.";
    137 ThirdOfVotes "third_of_votes" "One organisation would hold a third of the validators or more and could stop the ledger; add peers of others first.";
    138 ChangesNothing "changes_nothing" "It is so already; nothing would change.";
    139 ParameterFixed "parameter_fixed" "This parameter was fixed when the ledger was founded; change only those that may change.";
    140 SeatTaken "seat_taken" "The peer has a seat already, or the voting key belongs to one; use another.";
    141 NoSeat "no_seat" "The peer has no seat among the validators; list those that have.";
    142 TooManyMembers "too_many_members" "The ledger has as many members or validators as it may.";
    143 SeatsFixed "seats_fixed" "The genesis of this ledger sets no length of epochs, so the founders validate for ever; found a ledger with `epoch_blocks`.";
    150 TokensOff "tokens_off" "This ledger has no tokens; a genesis with `token` founds one that has.";
    151 InsufficientFunds "insufficient_funds" "The account has fewer tokens than that; see its balance.";
    152 AccountFrozen "account_frozen" "Members froze the account, so it can spend nothing; they can let it again by vote.";
    153 UnknownPayee "unknown_payee" "Neither an active entity nor a contract has this id; pay one that is registered.";
    154 TooManyTokens "too_many_tokens" "There would be more tokens than there can be; choose a smaller amount.";
    155 CannotPayFee "cannot_pay_fee" "Neither the sender nor a sponsor can pay the fee; give the account tokens, or have its owner sponsor it.";
    156 UnknownEscrow "unknown_escrow" "No open escrow has this id; it was released or refunded, or never opened.";
    157 EscrowOver "escrow_over" "The escrow's time has passed, so it can only be refunded.";
    158 UnknownSponsorship "unknown_sponsorship" "The entity is not sponsored; its owner can sponsor it.";
    159 UnknownReward "unknown_reward" "No open reward has this id; list those of the stream.";
    160 TooManyRewards "too_many_rewards" "As many rewards as there may be are offered for the stream; wait until one ends.";
    161 TokensAtStart "tokens_at_start" "Funds cannot go with a contract that waits for participants; send them once it has begun.";
    162 StakesOff "stakes_off" "Seats of this ledger do not follow from stakes; members give them by vote.";
    163 SeatsByStake "seats_by_stake" "Seats of this ledger follow from stakes, and members from seats; put stake behind a peer instead.";
    164 StakeTooSmall "stake_too_small" "The peer would have less than the least stake behind it; stake more, or withdraw all.";
    165 NoStake "no_stake" "Nothing is staked behind this peer; list those that have stake.";
    166 StakeLocked "stake_locked" "What was withdrawn is locked still, or nothing was; `althing stake show` names the epoch in which it is free.";
    167 StakeNeedsSeat "stake_needs_seat" "The peer does not stand for a seat; say its voting key and address too.";
    168 OffenceKnown "offence_known" "A double vote of this key in this epoch was paid for already; nothing more is to be done.";
    170 StreamNotEmpty "stream_not_empty" "A stream becomes confidential before its first reading or never; publish the property under a new name.";
    171 StreamKeyNumber "stream_key_number" "It is not the number of the stream's next key; the key was rotated meanwhile, so look at the stream and try again.";
    172 NoAgreementKey "no_agreement_key" "A reader has not said to which key the stream's key is to be wrapped, or has another by now; it does so with `althing entity agree`.";
    173 UnknownStreamKey "unknown_stream_key" "The stream has no key of this number; look at the stream.";
    174 NotSealed "not_sealed" "The stream is confidential and takes sealed payloads only; fetch its key and seal them.";
    175 StaleStreamKey "stale_stream_key" "The key was rotated before these readings were measured; fetch the present one and seal them under that.";
    176 TooManyErasures "too_many_erasures" "The stream has as many erasures as it may have; erase more at once.";
    177 DeviceChanged "device_changed" "The device of the thing, or its key, was changed a moment ago; submit again.";
    178 Unsigned "unsigned" "Readings of this thing count only with its device's signature; forward the packs that the device signed, unaltered.";
    179 DeviceSignature "device_signature" "A pack is not signed by the thing's device under its current key for this ledger and stream; the readings in it do not count.";
    180 NoHolder "no_holder" "None of these organisations has a peer with a seat, so nobody would keep the payloads; name one that has.";
    181 NoLedgerLink "no_ledger_link" "The organisation has no link to that ledger; it registers one with `althing ledger link register`.";
    182 LinkClosed "link_closed" "The link is suspended, ended or frozen; `althing ledger link show` says which, and why.";
    183 TooManyLinks "too_many_links" "The organisation has as many links as it may, or as many calls across this one are open; wait until some are over.";
    184 BadForeignProof "bad_foreign_proof" "It does not follow from what the link knows of the other ledger; fetch it again from a peer of that ledger, or the genesis.";
    185 LinkNotOlder "link_not_older" "The link knows this block or a newer one already; nothing is to be done.";
    186 TooManyProofs "too_many_proofs" "The block has checked as many signatures of other ledgers as it may; submit it again, or advance the link in smaller steps.";
    187 UnknownCall "unknown_call" "No open call has this id; it was settled, refunded or forgotten, or never asked.";
    188 CallOver "call_over" "The call's time is over, too far ahead, or it was answered already; ask again with another deadline.";
    189 CallNotDue "call_not_due" "It is too early: the call can be answered still, or the other ledger's clock is ahead of this one's; try again later.";
    190 NotTakingPart "not_taking_part" "Only member organisations and what they own send transactions on this ledger (`transact` in its parameters); have the members let the organisation in by vote.";
    191 MayNotDeploy "may_not_deploy" "Only member organisations and what they own bring code or make contracts on this ledger (`deploy` in its parameters); have one of them do it.";
    192 RegulationBroken "regulation_broken" "A regulation of the network forbids to keep the stream's readings like this; `althing regulation check` names it and what it demands.";
    193 UnknownRegulation "unknown_regulation" "No regulation of this id is in force; list those that are.";
    194 TooManyRegulations "too_many_regulations" "As many regulations as there may be are in force; end one first.";
    195 NotPrivate "not_private" "Raft trusts every peer, so only a private ledger may agree by it; stay with simplex.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_codes_are_unique_and_found_again() {
        assert!(Refusal::ALL.is_sorted_by_key(|refusal| refusal.number()));
        for refusal in Refusal::ALL {
            let equal = Refusal::ALL.iter().filter(|other| other.number() == refusal.number());
            assert_eq!(equal.count(), 1, "{refusal:?}");
            assert_eq!(Refusal::from_number(refusal.number()), Some(*refusal));
            let same = Refusal::ALL.iter().filter(|other| other.code() == refusal.code());
            assert_eq!(same.count(), 1, "{refusal:?}");
        }
        assert_eq!(Refusal::from_number(0), None);
    }
}
