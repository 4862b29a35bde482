use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    Amount, EntityId, Inception, Mechanism, Parameters, PublicKey, Regulation, Signature, Wire,
    WireError,
    limits::{ADDRESS_BYTES_MAX, PATIENCE_BLOCKS_MAX, REASON_BYTES_MAX, TIMELOCK_BLOCKS_MAX},
    regulation::is_regulation_id,
};

/// A change that the member organisations decide on together (Y.4464 7.2: peers and data are
/// managed by decentralised policies).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Change {
    /// An organisation becomes a member.
    #[n(0)]
    AddOrganisation {
        /// How it begins as an entity.
        #[n(0)]
        inception: Inception,
        /// Of [`possession_bytes`](crate::possession_bytes), by its key: nobody is made a member
        /// without knowing.
        #[n(1)]
        possession: Signature,
    },
    /// An organisation ends, with all that it owns and the seats of its peers.
    #[n(1)]
    RemoveOrganisation {
        /// Which.
        #[n(0)]
        organisation: EntityId,
    },
    /// A peer that its organisation has registered gets a seat among the validators.
    #[n(2)]
    AddPeer(#[n(0)] Seat),
    /// A peer loses its seat; as an entity it stays.
    #[n(3)]
    RemovePeer {
        /// Which.
        #[n(0)]
        peer: EntityId,
    },
    /// A peer votes with another key.
    #[n(4)]
    RotateVotingKey {
        /// Which.
        #[n(0)]
        peer: EntityId,
        /// The new key (Ed25519).
        #[cbor(n(1), with = "crate::wire::fixed")]
        key: [u8; 32],
    },
    /// Settings of the ledger.
    #[n(5)]
    SetParameters(#[n(0)] Parameters),
    /// How the members decide from now on.
    #[n(6)]
    SetVotingRule(#[n(0)] VotingRule),
    /// Peers agree in another way, from a height on; in place of what was decided about that before.
    #[n(7)]
    SetMechanism(#[n(0)] MechanismFrom),
    /// More tokens for an account.
    #[n(10)]
    MintTokens {
        /// For whom.
        #[n(0)]
        to: EntityId,
        /// How many, not nothing.
        #[n(1)]
        amount: Amount,
    },
    /// An account can spend nothing but fees, or can again.
    #[n(11)]
    FreezeAccount {
        /// Which.
        #[n(0)]
        account: EntityId,
        /// Whether it is frozen from now on.
        #[n(1)]
        frozen: bool,
    },
    /// A regulation comes into force, or another text of it.
    #[n(20)]
    SetRegulation(#[n(0)] Regulation),
    /// A regulation is in force no more.
    #[n(21)]
    EndRegulation {
        /// Its id.
        #[n(0)]
        id: String,
    },
}

/// A peer's place among the validators.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Seat {
    /// The peer, an entity that a member organisation owns.
    #[n(0)]
    pub peer: EntityId,
    /// Its voting key (Ed25519), distinct from the entity's key.
    #[cbor(n(1), with = "crate::wire::fixed")]
    pub key: [u8; 32],
    /// Where other peers reach it, `host:port`, at most [`ADDRESS_BYTES_MAX`] bytes.
    #[n(2)]
    pub address: String,
}

/// How peers agree from a height on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct MechanismFrom {
    /// How.
    #[n(0)]
    pub mechanism: Mechanism,
    /// As proposed, the first height at which it may begin: it does with the first epoch after it that is
    /// not settled. As decided, where it begins.
    #[n(1)]
    pub from_height: u64,
}

/// How the members decide: each organisation has one vote, however many peers it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct VotingRule {
    /// `numerator / denominator` of the members must agree; more than a half, so that of two
    /// changes that contradict each other only one is accepted.
    #[n(0)]
    pub numerator: u8,
    /// See `numerator`; at most 100.
    #[n(1)]
    pub denominator: u8,
    /// Blocks within which the votes must come, 1 to [`PATIENCE_BLOCKS_MAX`].
    #[n(2)]
    pub patience_blocks: u32,
    /// Blocks between acceptance and effect, at most [`TIMELOCK_BLOCKS_MAX`]: time to leave, or to
    /// get ready.
    #[n(3)]
    pub timelock_blocks: u32,
}

impl VotingRule {
    /// What a ledger begins with: two thirds, a hundred thousand blocks of patience, no timelock.
    pub const STANDARD: Self =
        Self { numerator: 2, denominator: 3, patience_blocks: 100_000, timelock_blocks: 0 };

    /// Whether every field is within its bounds.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.denominator <= 100
            && self.numerator <= self.denominator
            && self.numerator as u16 * 2 > self.denominator as u16
            && self.patience_blocks >= 1
            && self.patience_blocks <= PATIENCE_BLOCKS_MAX
            && self.timelock_blocks <= TIMELOCK_BLOCKS_MAX
    }

    /// How many of `members` must agree: the smallest whole number that is enough, and at least 1.
    #[must_use]
    pub fn needed(&self, members: usize) -> usize {
        (members * usize::from(self.numerator)).div_ceil(usize::from(self.denominator)).max(1)
    }

    /// How many of `members` must agree to a change: all of them, if they are to trust every peer from then
    /// on, and otherwise as many as the rule says.
    #[must_use]
    pub fn needed_for(&self, change: &Change, members: usize) -> usize {
        match change {
            Change::SetMechanism(MechanismFrom { mechanism: Mechanism::Raft, .. }) => members,
            _ => self.needed(members),
        }
    }
}

impl Change {
    /// Name in text.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AddOrganisation { .. } => "add_organisation",
            Self::RemoveOrganisation { .. } => "remove_organisation",
            Self::AddPeer(_) => "add_peer",
            Self::RemovePeer { .. } => "remove_peer",
            Self::RotateVotingKey { .. } => "rotate_voting_key",
            Self::SetParameters(_) => "set_parameters",
            Self::SetVotingRule(_) => "set_voting_rule",
            Self::SetMechanism(_) => "set_mechanism",
            Self::MintTokens { .. } => "mint_tokens",
            Self::FreezeAccount { .. } => "freeze_account",
            Self::SetRegulation(_) => "set_regulation",
            Self::EndRegulation { .. } => "end_regulation",
        }
    }

    /// Whether every field is within its bounds; what needs the state is the ledger's to check.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        match self {
            Self::AddOrganisation { inception, .. } => inception.validate().is_ok(),
            Self::AddPeer(seat) => is_voting_key(&seat.key) && is_address(&seat.address),
            Self::RotateVotingKey { key, .. } => is_voting_key(key),
            Self::SetParameters(parameters) => parameters.check().is_ok(),
            Self::SetVotingRule(rule) => rule.is_valid(),
            Self::MintTokens { amount, .. } => !amount.is_zero(),
            Self::SetRegulation(regulation) => regulation.is_within_bounds(),
            Self::EndRegulation { id } => is_regulation_id(id),
            Self::RemoveOrganisation { .. }
            | Self::RemovePeer { .. }
            | Self::SetMechanism(_)
            | Self::FreezeAccount { .. } => true,
        }
    }
}

impl Wire for Change {
    const BYTES_MAX: usize = 4096;

    fn validate(&self) -> Result<(), WireError> {
        if self.is_within_bounds() { Ok(()) } else { Err(WireError::OutOfBounds("change")) }
    }
}

/// A change that is proposed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Proposal {
    /// What is to change.
    #[n(0)]
    pub change: Change,
    /// Why, for those who vote, at most [`REASON_BYTES_MAX`] bytes of UTF-8.
    #[n(1)]
    pub reason: String,
}

impl Proposal {
    /// Whether every field is within its bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        self.change.is_within_bounds()
            && self.reason.len() <= REASON_BYTES_MAX
            && !self.reason.chars().any(char::is_control)
    }
}

pub(crate) fn is_voting_key(key: &[u8; 32]) -> bool {
    PublicKey::ed25519(*key).is_valid()
}

/// Whether a text may be where a peer listens: `host:port` in printable ASCII. Whether it leads
/// anywhere is found out by dialling it.
pub(crate) fn is_address(text: &str) -> bool {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    printable
        && text.len() <= ADDRESS_BYTES_MAX
        && port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// The members of a ledger: organisations with a vote, ascending by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Members(#[n(0)] pub Vec<EntityId>);

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn a_rule_needs_more_than_half_and_no_more_than_all() {
        let rule =
            |numerator, denominator| VotingRule { numerator, denominator, ..VotingRule::STANDARD };
        for (numerator, denominator, valid) in [
            (2, 3, true),
            (51, 100, true),
            (1, 1, true),
            (1, 2, false),
            (0, 1, false),
            (0, 0, false),
            (3, 2, false),
            (200, 201, false),
        ] {
            assert_eq!(rule(numerator, denominator).is_valid(), valid, "{numerator}/{denominator}");
        }
        for (rule, members, needed) in [
            (rule(2, 3), 1, 1),
            (rule(2, 3), 2, 2),
            (rule(2, 3), 3, 2),
            (rule(2, 3), 4, 3),
            (rule(2, 3), 7, 5),
            (rule(51, 100), 4, 3),
            (rule(1, 1), 5, 5),
        ] {
            assert_eq!(rule.needed(members), needed, "{rule:?} of {members}");
        }
    }

    /// Each member must say itself that it trusts every peer; to trust them less, the rule is enough.
    #[test]
    fn only_all_members_together_trust_every_peer() {
        let to = |mechanism| Change::SetMechanism(MechanismFrom { mechanism, from_height: 0 });
        for (members, raft, simplex) in [(1, 1, 1), (3, 3, 2), (7, 7, 5)] {
            let needed = |change| VotingRule::STANDARD.needed_for(&change, members);
            assert_eq!(needed(to(Mechanism::Raft)), raft);
            assert_eq!(needed(to(Mechanism::Simplex)), simplex);
            assert_eq!(needed(Change::SetVotingRule(VotingRule::STANDARD)), simplex);
        }
    }

    #[test]
    fn two_contrary_changes_never_both_have_enough_votes() {
        for denominator in 1..=100_u8 {
            for numerator in 1..=denominator {
                let rule = VotingRule { numerator, denominator, ..VotingRule::STANDARD };
                if !rule.is_valid() {
                    continue;
                }
                for members in 1..=32 {
                    let needed = rule.needed(members);
                    assert!(needed * 2 > members && needed <= members, "{rule:?} of {members}");
                }
            }
        }
    }

    #[test]
    fn addresses_are_a_host_and_a_port() {
        for (text, good) in [
            ("peer.example:7000", true),
            ("127.0.0.1:1", true),
            ("[::1]:65535", true),
            ("peer.example", false),
            (":7000", false),
            ("peer:0", false),
            ("peer:65536", false),
            ("pe er:7000", false),
            ("", false),
        ] {
            assert_eq!(is_address(text), good, "{text}");
        }
        assert!(!is_address(&("x".repeat(ADDRESS_BYTES_MAX) + ":1").to_string()));
    }
}
