use althing_proof::ProveError;
use althing_state::StoreError;
use althing_storage::PayloadError;

/// What a question was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// An entity.
    Entity,
    /// A thing.
    Thing,
    /// Code of contracts.
    Code,
    /// A contract.
    Contract,
    /// A version of a thing's description.
    Version,
    /// A stream.
    Stream,
    /// A reading.
    Reading,
    /// A request for access or a grant.
    Grant,
    /// A transaction.
    Transaction,
    /// A block.
    Block,
    /// A command.
    Command,
    /// A voucher.
    Voucher,
    /// An open proposal.
    Proposal,
    /// A trigger.
    Trigger,
    /// A run of a trigger in a block.
    Run,
    /// A service, or a version of one.
    Service,
    /// An open escrow.
    Escrow,
    /// An open reward.
    Reward,
    /// Tokens staked behind a peer.
    Stake,
    /// A link to another ledger.
    Link,
    /// A call across ledgers.
    Call,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The ledger has no such thing.
    #[error("the ledger has no such {}", .0.text())]
    Unknown(Noun),
    /// The cursor is not one that this list gave.
    #[error("the cursor is not one that this list gave")]
    Cursor,
    /// The answer would exceed its bounds.
    #[error("the answer would be too large; ask for a shorter interval")]
    TooLarge,
    /// The payload of a batch is not here (yet), and the answer needs it.
    #[error("the payload of batch {leaf} is not held by this peer")]
    PayloadMissing {
        /// Position of the batch in its stream.
        leaf: u64,
    },
    /// This peer took the state over from others and does not know yet what was before.
    #[error("it knows history from height {from}, and up to height {have} so far")]
    HistoryNotHere {
        /// The height whose state it took over.
        from: u64,
        /// The height up to which it has fetched and executed what was before.
        have: u64,
    },
    /// The payload of a batch is past its stream's retention, and no peer need have it any more.
    #[error("the payload of batch {leaf} is past the retention of its stream")]
    PastRetention {
        /// Position of the batch in its stream.
        leaf: u64,
    },
    /// No block that is here with its certificate commits to it yet.
    #[error("no certified block commits to it yet")]
    NotCertified,
    /// The disk failed.
    #[error("the disk failed")]
    Store(#[from] StoreError),
    /// Reading a payload failed.
    #[error("reading a payload failed")]
    Payload(#[from] PayloadError),
}

impl Noun {
    const fn text(self) -> &'static str {
        match self {
            Self::Entity => "entity",
            Self::Thing => "thing",
            Self::Code => "code",
            Self::Contract => "contract",
            Self::Version => "version",
            Self::Stream => "stream",
            Self::Reading => "reading",
            Self::Grant => "grant",
            Self::Transaction => "transaction",
            Self::Block => "block",
            Self::Command => "command",
            Self::Voucher => "voucher",
            Self::Proposal => "open proposal",
            Self::Trigger => "trigger",
            Self::Run => "run",
            Self::Service => "service",
            Self::Escrow => "open escrow",
            Self::Reward => "open reward",
            Self::Stake => "stake",
            Self::Link => "link",
            Self::Call => "call",
        }
    }
}

impl From<ProveError> for QueryError {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::NotInState("stream") => Self::Unknown(Noun::Stream),
            ProveError::NoReading(_) => Self::Unknown(Noun::Reading),
            ProveError::Payload { leaf } => Self::PayloadMissing { leaf },
            ProveError::TooLarge => Self::TooLarge,
            ProveError::NotInState(what) => {
                StoreError::Damaged { what: format!("the state lacks the {what}") }.into()
            }
            ProveError::Node { level, index } => {
                let what = format!("node {index} at level {level} of a stream's tree is missing");
                StoreError::Damaged { what }.into()
            }
        }
    }
}
