//! Every way a request fails, with its status and stable code, in one place.

use althing_client::model::Problem;
use althing_peer::query::{Noun, QueryError};
use althing_types::Refusal;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// Media type of problems (RFC 9457).
pub(crate) const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";
/// What a client that is told to come back later should wait, seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// Longest part of a client's input that an answer repeats, characters.
const SHOWN_CHARS_MAX: usize = 80;

/// Longest sentence about a configuration, characters: it names file, line and key.
const SENTENCE_CHARS_MAX: usize = 600;

/// Declares [`Failure`] with the status, code and sentence of each, in one table.
macro_rules! failures {
    ($($name:ident $status:ident $code:literal $sentence:literal;)*) => {
        /// Why a request fails, other than that the ledger refuses a transaction.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Failure {
            $(
                #[doc = $sentence]
                $name,
            )*
        }

        impl Failure {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

failures! {
    InvalidPath BAD_REQUEST "invalid_path" "A part of the path is not what it should be; see the field.";
    InvalidQuery BAD_REQUEST "invalid_query" "A parameter is unknown, repeated or not what it should be; see the field.";
    InvalidCursor BAD_REQUEST "invalid_cursor" "The cursor is not one that this list gave; begin without one.";
    InvalidHeader BAD_REQUEST "invalid_header" "A header is not what it should be; see the field.";
    InvalidBody BAD_REQUEST "invalid_body" "The body is not what it should be; see the interface description.";
    UnknownRoute NOT_FOUND "unknown_route" "There is nothing here; see /openapi.json for what there is.";
    MethodNotAllowed METHOD_NOT_ALLOWED "method_not_allowed" "This cannot be done here; see /openapi.json for what can.";
    UnknownEntity NOT_FOUND "unknown_entity" "The entity is not registered on this ledger; check its id and the network.";
    UnknownThing NOT_FOUND "unknown_thing" "The thing is not registered on this ledger; check its id and the network.";
    UnknownCode NOT_FOUND "unknown_code" "No such code is stored on this ledger; check its id and the network.";
    UnknownContract NOT_FOUND "unknown_contract" "There is no such contract on this ledger; check its id and the network.";
    UnknownVersion NOT_FOUND "unknown_version" "The description has no such version; ask without a version for the present one.";
    UnknownStream NOT_FOUND "unknown_stream" "No thing has this stream; look at the properties of the thing.";
    UnknownReading NOT_FOUND "unknown_reading" "The stream has no reading with this number; look at its gaps.";
    UnknownGrant NOT_FOUND "unknown_grant" "There is no request or grant with this id; it may have been denied or have timed out.";
    UnknownTransaction NOT_FOUND "unknown_transaction" "This peer knows no such transaction; it may be on its way, or have expired.";
    UnknownBlock NOT_FOUND "unknown_block" "There is no final block at this height yet; wait for it.";
    UnknownCommand NOT_FOUND "unknown_command" "No thing was ever asked for a command of this id; a command has the id of its transaction.";
    UnknownVoucher NOT_FOUND "unknown_voucher" "No maker has issued this voucher here; have its maker issue it first.";
    UnknownTrigger NOT_FOUND "unknown_trigger" "There is no trigger with this id; list the triggers.";
    UnknownRun NOT_FOUND "unknown_run" "The trigger did not run in this block; its history tells in which it did.";
    UnknownService NOT_FOUND "unknown_service" "There is no service or version like this, or it is not shown to you; list the services, and say who you are.";
    UnknownEscrow NOT_FOUND "unknown_escrow" "No escrow with this id is open; the history of its payer tells what became of it.";
    UnknownReward NOT_FOUND "unknown_reward" "No reward with this id is open; list those of the stream.";
    UnknownStake NOT_FOUND "unknown_stake" "Nothing is staked behind this peer; list those that stand for a seat.";
    NoLedgerLink NOT_FOUND "no_ledger_link" "No organisation here has this link to another ledger; list the links.";
    UnknownCall NOT_FOUND "unknown_call" "No call like this was asked or taken here; list the calls.";
    UnknownProposal NOT_FOUND "unknown_proposal" "No proposal with this id is open; list them to see what became of it.";
    UnknownWebhook NOT_FOUND "unknown_webhook" "Who asks has no webhook of this id at this peer; list them.";
    UnknownDid NOT_FOUND "unknown_did" "Neither an entity nor a thing has this DID; check it and the network.";
    WrongNetwork NOT_FOUND "wrong_network" "The DID is of another network; ask a peer of that one.";
    BadToken UNAUTHORIZED "bad_token" "The reader's token is malformed, over, for another peer or ledger, or not signed by the present key of an entity that counts; make a new one.";
    TokenUsed UNAUTHORIZED "token_used" "The token was used already, or is of another request: each act of an operator needs one of its own; make a new one.";
    NotAnOperator FORBIDDEN "not_an_operator" "This is for operators of this peer: `operators` and `auditors` in its [peer] name them; the command line on its machine needs no name there.";
    MachineOnly FORBIDDEN "machine_only" "This is changed on the machine of the peer only, since it says who operates it or names its files; see the field.";
    UnknownAlarm NOT_FOUND "unknown_alarm" "This peer has no alarm of this number any more; list them.";
    InvalidConfiguration UNPROCESSABLE_ENTITY "invalid_configuration" "The configuration cannot be used; nothing has changed.";
    NotOperated SERVICE_UNAVAILABLE "not_operated" "The program that runs this peer lets nobody change its configuration; change it where that is started.";
    Stopping SERVICE_UNAVAILABLE "stopping" "This peer is about to end and takes no more transactions; ask another.";
    NotAcceptable NOT_ACCEPTABLE "not_acceptable" "The answer has no such form; accept JSON, or CBOR for proofs.";
    BodyTimeout REQUEST_TIMEOUT "body_timeout" "The body did not arrive in time; send it faster, or split it.";
    BodyTooLarge PAYLOAD_TOO_LARGE "body_too_large" "The body is too long; split it.";
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" "The body has the wrong media type; send application/cose or application/cbor.";
    RangeTooLarge UNPROCESSABLE_ENTITY "range_too_large" "The answer would be too large; ask for a shorter interval.";
    ReadOnly FORBIDDEN "read_only" "This peer takes no transactions from clients; ask another.";
    NotRecorded SERVICE_UNAVAILABLE "not_recorded" "This peer has no key to record uses of grants with, so it serves none; ask another peer, or set `key` in its [peer].";
    Busy SERVICE_UNAVAILABLE "busy" "The peer has as many requests under way as it may; try again shortly.";
    Behind SERVICE_UNAVAILABLE "behind" "This peer has not executed the height asked for; try again shortly or ask another peer.";
    ProofNotReady SERVICE_UNAVAILABLE "proof_not_ready" "No certified block commits to it yet; try again shortly.";
    PayloadUnavailable SERVICE_UNAVAILABLE "payload_unavailable" "This peer does not hold the payload; try again shortly or ask another peer.";
    HistoryNotHere SERVICE_UNAVAILABLE "history_not_here" "This peer began with a state of other peers and is still fetching what was before; ask a peer that has the whole history, or try again later.";
    PastRetention GONE "past_retention" "The owner lets readings of this age go, and no peer need have them any more; what they amount to can still be proven.";
    Timeout GATEWAY_TIMEOUT "timeout" "The request took too long; try again, or ask for less.";
    Internal INTERNAL_SERVER_ERROR "internal" "The peer failed to answer; its log says why.";
}

/// A problem on its way to a client.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    problem: Box<Problem>,
}

pub(crate) type Answer<T> = Result<T, ApiError>;

impl ApiError {
    fn new(status: StatusCode, code: &str, sentence: &str) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        let problem = Problem::new(status.as_u16(), title, code, sentence);
        Self { status, problem: Box::new(problem) }
    }

    /// The same, about a parameter or header.
    pub(crate) fn about(mut self, field: &str) -> Self {
        self.problem.field = Some(shown(field));
        self
    }

    /// The same, with what is wrong in particular.
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.problem.detail = format!("{} ({})", self.problem.detail, shown(reason));
        self
    }

    /// The same, with a longer sentence of this peer's own about what is wrong.
    pub(crate) fn explained(mut self, sentence: &str) -> Self {
        let kept = sentence.chars().filter(|c| !c.is_control()).take(SENTENCE_CHARS_MAX);
        self.problem.detail = format!("{} {}", self.problem.detail, kept.collect::<String>());
        self
    }

    /// That an owner does not let somebody: why, and what to do next.
    pub(crate) fn denied(status: StatusCode, code: &str, detail: String, advice: String) -> Self {
        let mut error = Self::new(status, code, &detail);
        // As it is: the sentence may hold a semicolon that is part of a name.
        error.problem.detail = detail;
        error.problem.advice = Some(advice);
        error
    }

    pub(crate) fn problem(self) -> Problem {
        *self.problem
    }
}

/// Input of a client as an answer may repeat it.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect()
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self::new(failure.status(), failure.code(), failure.sentence())
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::new(status_of(refusal), refusal.code(), &refusal.to_string())
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let failure = match &error {
            QueryError::Unknown(noun) => match noun {
                Noun::Entity => Failure::UnknownEntity,
                Noun::Thing => Failure::UnknownThing,
                Noun::Code => Failure::UnknownCode,
                Noun::Contract => Failure::UnknownContract,
                Noun::Version => Failure::UnknownVersion,
                Noun::Stream => Failure::UnknownStream,
                Noun::Reading => Failure::UnknownReading,
                Noun::Grant => Failure::UnknownGrant,
                Noun::Transaction => Failure::UnknownTransaction,
                Noun::Block => Failure::UnknownBlock,
                Noun::Command => Failure::UnknownCommand,
                Noun::Voucher => Failure::UnknownVoucher,
                Noun::Trigger => Failure::UnknownTrigger,
                Noun::Run => Failure::UnknownRun,
                Noun::Service => Failure::UnknownService,
                Noun::Proposal => Failure::UnknownProposal,
                Noun::Escrow => Failure::UnknownEscrow,
                Noun::Reward => Failure::UnknownReward,
                Noun::Stake => Failure::UnknownStake,
                Noun::Link => Failure::NoLedgerLink,
                Noun::Call => Failure::UnknownCall,
            },
            QueryError::Cursor => Failure::InvalidCursor,
            QueryError::TooLarge => Failure::RangeTooLarge,
            QueryError::PayloadMissing { .. } => Failure::PayloadUnavailable,
            QueryError::PastRetention { .. } => Failure::PastRetention,
            QueryError::NotCertified => Failure::ProofNotReady,
            QueryError::HistoryNotHere { .. } => {
                return Self::from(Failure::HistoryNotHere).because(&error.to_string());
            }
            QueryError::Store(_) | QueryError::Payload(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a query failed");
                Failure::Internal
            }
        };
        failure.into()
    }
}

/// The HTTP status of a refusal at admission.
const fn status_of(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::Malformed
        | Refusal::OutOfBounds
        | Refusal::WrongLedger
        | Refusal::DuplicateSigner
        | Refusal::PayloadMissing
        | Refusal::PayloadMismatch
        | Refusal::BadForeignProof
        | Refusal::BadInput => StatusCode::BAD_REQUEST,
        Refusal::BadSignature
        | Refusal::BadPossession
        | Refusal::EntityRevoked
        | Refusal::NotPermitted
        | Refusal::NotBound
        | Refusal::BindingExpired
        | Refusal::NotAParticipant
        | Refusal::CallerNotAllowed
        | Refusal::TriggerNeedsApproval
        | Refusal::NotAMember
        | Refusal::NotTakingPart
        | Refusal::MayNotDeploy
        | Refusal::RegulationBroken
        | Refusal::Unsigned
        | Refusal::DeviceSignature
        | Refusal::NotAnApprover
        | Refusal::NotOffered
        | Refusal::BadClaim
        | Refusal::VoucherRevoked
        | Refusal::Quarantined
        | Refusal::OutsideLimit
        | Refusal::AccessDenied
        | Refusal::AccountFrozen
        | Refusal::NoGrant
        | Refusal::NotAsked
        | Refusal::NotSealed
        | Refusal::UseNotGranted => StatusCode::FORBIDDEN,
        Refusal::NonceReused
        | Refusal::NonceTooOld
        | Refusal::AlreadyExists
        | Refusal::VersionConflict
        | Refusal::SequenceOverlap
        | Refusal::StreamNotEmpty
        | Refusal::StreamKeyNumber
        | Refusal::NoAgreementKey
        | Refusal::StaleStreamKey
        | Refusal::TooManyErasures
        | Refusal::DeviceChanged
        | Refusal::GapSealed
        | Refusal::SchemaChanged
        | Refusal::ThingRetired
        | Refusal::AlreadyApproved
        | Refusal::AlreadyRotated
        | Refusal::CodeInUse
        | Refusal::ContractFrozen
        | Refusal::TriggerWaits
        | Refusal::ContractEnded
        | Refusal::ContractProposed
        | Refusal::ContractDeclined
        | Refusal::Withdrawn
        | Refusal::BackwardState
        | Refusal::VotingOver
        | Refusal::NotYetDue
        | Refusal::VotedDown
        | Refusal::SeatTaken
        | Refusal::ChangesNothing
        | Refusal::OffenceKnown
        | Refusal::GrantNotNeeded
        | Refusal::GrantExhausted
        | Refusal::LinkClosed
        | Refusal::LinkNotOlder
        | Refusal::CallOver
        | Refusal::CallNotDue
        | Refusal::AwaitingApproval => StatusCode::CONFLICT,
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::UnknownEntity
        | Refusal::UnknownThing
        | Refusal::UnknownStream
        | Refusal::UnknownStreamKey
        | Refusal::UnknownPending
        | Refusal::UnknownLink
        | Refusal::NonceTooFar
        | Refusal::Expired
        | Refusal::ExpiryTooFar
        | Refusal::SequenceTooFar
        | Refusal::BadDescription
        | Refusal::SchemaMismatch
        | Refusal::BadPolicy
        | Refusal::NoPolicy
        | Refusal::UnknownRequest
        | Refusal::TimeOutOfRange
        | Refusal::UnknownCode
        | Refusal::BadCode
        | Refusal::CodePartsMissing
        | Refusal::CodeMismatch
        | Refusal::UnknownContract
        | Refusal::OutOfGas
        | Refusal::ContractTrapped
        | Refusal::ContractRefused
        | Refusal::ContractAnswer
        | Refusal::ContractTooDeep
        | Refusal::GasLimit
        | Refusal::NoSuchEntry
        | Refusal::MessageUnsupported
        | Refusal::ProposalExpired
        | Refusal::UnknownTrigger
        | Refusal::UnknownService
        | Refusal::UnknownProposal
        | Refusal::UnknownRegulation
        | Refusal::TokensOff
        | Refusal::InsufficientFunds
        | Refusal::UnknownPayee
        | Refusal::TooManyTokens
        | Refusal::CannotPayFee
        | Refusal::UnknownEscrow
        | Refusal::UnknownCall
        | Refusal::NoLedgerLink
        | Refusal::EscrowOver
        | Refusal::UnknownSponsorship
        | Refusal::UnknownReward
        | Refusal::TokensAtStart
        | Refusal::StakesOff
        | Refusal::SeatsByStake
        | Refusal::StakeTooSmall
        | Refusal::NoStake
        | Refusal::StakeLocked
        | Refusal::StakeNeedsSeat
        | Refusal::WouldStall
        | Refusal::ThirdOfVotes
        | Refusal::ParameterFixed
        | Refusal::SeatsFixed
        | Refusal::NotPrivate
        | Refusal::NoSeat
        | Refusal::NoHolder
        | Refusal::PendingExpired
        | Refusal::OfferExpired
        | Refusal::UnknownVoucher
        | Refusal::NotInVoucher
        | Refusal::UnknownAffordance
        | Refusal::UnknownCommand
        | Refusal::CommandExpired => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::CodeQuota
        | Refusal::SenderQuota
        | Refusal::StatusTooOften
        | Refusal::TooManyCommands
        | Refusal::TooManyProposals
        | Refusal::TooManyMembers
        | Refusal::TooManyRegulations
        | Refusal::TooManyTriggers
        | Refusal::TooManyServices
        | Refusal::TooManyGateways
        | Refusal::TooManyLinks
        | Refusal::TooManyRewards
        | Refusal::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        Refusal::BlockGas
        | Refusal::TooManyProofs
        | Refusal::CodeNotReady
        | Refusal::MempoolFull
        | Refusal::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let later = matches!(self.status.as_u16(), 429 | 503);
        let mut response = (self.status, Json(*self.problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        if later {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_and_refusal_has_a_status_of_an_error_and_says_what_to_do() {
        let failures = Failure::ALL.iter().map(|failure| ApiError::from(*failure));
        let refusals = Refusal::ALL.iter().map(|refusal| ApiError::from(*refusal));
        for error in failures.chain(refusals) {
            let (status, problem) = (error.status, error.problem());
            assert!(status.is_client_error() || status.is_server_error(), "{problem:?}");
            assert_eq!(problem.status, status.as_u16());
            assert!(!problem.title.is_empty() && !problem.detail.is_empty(), "{problem:?}");
            let snake = problem.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(snake, "{}", problem.code);
        }
    }

    #[test]
    fn a_code_has_one_meaning_wherever_it_comes_from() {
        for failure in Failure::ALL {
            let same = Failure::ALL.iter().filter(|other| other.code() == failure.code());
            assert_eq!(same.count(), 1, "{failure:?}");
        }
    }

    #[test]
    fn what_a_client_sent_is_repeated_in_part_and_without_control_characters() {
        let error = ApiError::from(Failure::InvalidQuery).about(&"x\r\n".repeat(1000));
        assert_eq!(error.problem().field, Some("x".repeat(SHOWN_CHARS_MAX)));
    }
}
