//! Members that change who validates and how those agree, by vote, while all else goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use althing_peer::Placed;
use althing_types::{
    Action, Amount, Body, Change, MechanismFrom, Proposal, Refusal, Seat, Stake, StakedSeat,
    Transaction, possession_bytes,
};
use commonware_runtime::{Clock as _, deterministic::Context};

use crate::{
    Founding, Plan,
    founding::STAKED,
    owner::{EXPIRY_BLOCKS, NONCE_STEP, settle},
    peers::Peers,
    plan::{SeatChange, Seated},
};

/// Nonces of the council lie between those of owners, which sign for organisations too.
const FIRST_NONCE: u64 = 8;
/// Pause before what was refused is tried again: a key may still belong to a seat, or the peer that
/// was asked is behind.
const PAUSE: Duration = Duration::from_millis(300);
/// How often a member tries to vote before all is proposed again.
const VOTE_TRIES: usize = 8;

/// What the council has brought about.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    /// Runs of the council.
    pub(crate) runs: AtomicU64,
    /// Changes that took effect.
    pub(crate) changes: AtomicU64,
    /// The first height at which all of them hold.
    pub(crate) seats_from: AtomicU64,
}

/// The members, and what they are to decide.
pub(crate) struct Council {
    pub(crate) founding: Arc<Founding>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) decided: Arc<Decided>,
    /// Which run this is: another began before the power failed.
    pub(crate) run: u64,
}

impl Council {
    /// Decides all that is left, one after the other.
    pub(crate) async fn run(self, context: Context) {
        let mut nonce = FIRST_NONCE + self.run;
        let left = self.decided.changes.load(Ordering::Relaxed) as usize;
        for (change, pause) in self.plan.seats.iter().skip(left) {
            context.sleep(*pause).await;
            self.register(&context, change, &mut nonce).await;
            while !self.is_so(change) {
                self.decide(&context, change, &mut nonce).await;
                context.sleep(PAUSE).await;
            }
            self.decided.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a peer that is up has it that members decided so. Its height is as late as that can have
    /// been, so what holds must hold two epochs later.
    fn is_so(&self, change: &SeatChange) -> bool {
        for peer in self.peers.all() {
            let Ok(found) = peer.query().governance() else { continue };
            let seats = &found.chosen_validators.validators;
            let seat = |peer: usize| {
                let entity = self.founding.inception(peer).0.id();
                seats.iter().find(|seat| seat.peer == entity)
            };
            let is_so = match *change {
                SeatChange::Give(seated) => seat(seated.peer).is_some(),
                SeatChange::Take(seated) => seat(seated.peer).is_none(),
                SeatChange::Rekey(seated) => seat(seated.peer)
                    .is_some_and(|seat| seat.key == self.founding.peer_key(seated.machine)),
                SeatChange::Agree(mechanism) => found.mechanisms[2] == mechanism,
            };
            if is_so {
                let from = self.founding.genesis.parameters.seats_from(peer.height());
                self.decided.seats_from.fetch_max(from.unwrap_or(0), Ordering::Relaxed);
                return true;
            }
        }
        false
    }

    /// A peer must be an entity before it gets a seat.
    async fn register(&self, context: &Context, change: &SeatChange, nonce: &mut u64) {
        let SeatChange::Give(Seated { peer, .. }) = change else { return };
        let (inception, key) = self.founding.inception(*peer);
        let ledger = self.founding.genesis.ledger();
        let subject = possession_bytes(&ledger, &inception.id(), &key.public_key());
        let action = Action::RegisterEntity { inception, possession: key.sign(&subject) };
        let done = |code| code == 0 || code == Refusal::AlreadyExists.number();
        while !done(self.act(context, *peer, action.clone(), nonce).await.0) {
            context.sleep(PAUSE).await;
        }
    }

    /// What it takes: one proposal and the votes on it, or the stake of whoever runs the peer.
    async fn decide(&self, context: &Context, change: &SeatChange, nonce: &mut u64) {
        if let Some((peer, action)) = self.stake(change).filter(|_| self.plan.stake) {
            self.act(context, peer, action, nonce).await;
            return;
        }
        let proposal = Proposal { change: self.change(change), reason: String::new() };
        let (code, placed) = self.act(context, 0, Action::Propose(proposal), nonce).await;
        let Some(placed) = placed.filter(|_| code == 0) else { return };
        let proposal = placed.receipt.transaction;
        for member in 1..self.founding.genesis.organisations.len() {
            let vote = Action::Vote { proposal, accept: true };
            for _ in 0..VOTE_TRIES {
                let (code, placed) = self.act(context, member, vote.clone(), nonce).await;
                if placed.is_some() && code == 0 {
                    break;
                }
                if self.is_so(change) {
                    return;
                }
                context.sleep(PAUSE).await;
            }
        }
    }

    fn change(&self, change: &SeatChange) -> Change {
        let entity = |peer: usize| self.founding.inception(peer).0.id();
        let key = |machine: usize| self.founding.peer_key(machine);
        match *change {
            SeatChange::Give(Seated { peer, machine }) => Change::AddPeer(Seat {
                peer: entity(peer),
                key: key(machine),
                address: "127.0.0.1:1".to_owned(),
            }),
            SeatChange::Take(Seated { peer, .. }) => Change::RemovePeer { peer: entity(peer) },
            SeatChange::Rekey(Seated { peer, machine }) => {
                Change::RotateVotingKey { peer: entity(peer), key: key(machine) }
            }
            SeatChange::Agree(mechanism) => {
                Change::SetMechanism(MechanismFrom { mechanism, from_height: 0 })
            }
        }
    }

    /// The peer, and what its organisation does for its seat; none if it is not about one.
    fn stake(&self, change: &SeatChange) -> Option<(usize, Action)> {
        let stake = |Seated { peer, machine }: Seated, amount| {
            let entity = self.founding.inception(peer).0.id();
            let key = self.founding.voting_key(machine);
            let ledger = self.founding.genesis.ledger();
            let seat = StakedSeat {
                key: self.founding.peer_key(machine),
                address: "127.0.0.1:1".to_owned(),
                possession: key.sign(&possession_bytes(&ledger, &entity, &key.public_key())),
            };
            (peer, Action::Stake(Stake { peer: entity, amount, seat: Some(seat) }))
        };
        Some(match *change {
            SeatChange::Give(seated) => stake(seated, STAKED),
            SeatChange::Rekey(seated) => stake(seated, Amount::ZERO),
            SeatChange::Take(Seated { peer, .. }) => {
                let entity = self.founding.inception(peer).0.id();
                (peer, Action::Unstake { peer: entity, amount: None })
            }
            SeatChange::Agree(_) => return None,
        })
    }

    /// One transaction of an organisation, until it is final, has expired or is refused.
    async fn act(
        &self,
        context: &Context,
        member: usize,
        action: Action,
        nonce: &mut u64,
    ) -> (u16, Option<Placed>) {
        let (sender, key) = self.founding.organisation(member);
        let ledger = self.founding.genesis.ledger();
        *nonce += NONCE_STEP;
        let make = |height: u64| {
            let body =
                Body::new(&ledger, *sender, *nonce, height + EXPIRY_BLOCKS, vec![action.clone()]);
            Transaction::sign(&ledger, body, key, &[])
        };
        match settle(context, &self.peers, member, make).await {
            Ok(placed) => (placed.receipt.code, Some(placed)),
            Err(refusal) => (refusal.number(), None),
        }
    }
}
