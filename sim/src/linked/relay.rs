//! A relay that nobody trusts, and rightly: it decides as the real one does, and then loses, delays, doubles and
//! exchanges what it carries, and makes up what was never said.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::UNIX_EPOCH,
};

use althing_peer::query::{CallAt, Noun, PAGE_ITEMS_MAX, QueryError};
use althing_proof::{
    key,
    link::Shown,
    relay::{self, LEADING_STEPS_MAX, OpenCall, Showing, Step, There},
};
use althing_types::{
    Action, CallSettlement, EntityId, LinkAdvance, Mechanism, SigningKey, TxId, ValidatorSet,
    Wire as _,
};
use commonware_runtime::{Clock as _, deterministic::Context};

use super::{
    forge,
    side::{End, Side, Two},
};
use crate::{Book, plan::Dice};

/// Most transactions that it keeps back to bring them later.
const HELD_MAX: usize = 8;

/// The relay.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) two: Arc<Two>,
    pub(super) book: Arc<Book>,
    pub(super) dice: Dice,
    /// By how many milliseconds its clock is ahead.
    pub(super) ahead_ms: i64,
    /// Whether it has the keys of all validators: a bug that must be found.
    pub(super) has_keys: bool,
    /// How many lies were refused.
    pub(super) refused: Arc<AtomicU64>,
    /// What it brings later.
    pub(super) held: Vec<(End, Action)>,
}

impl Relay {
    /// Carries for ever.
    pub(super) async fn run(mut self, context: Context) {
        let two = Arc::clone(&self.two);
        loop {
            context.sleep(self.dice.ms(50, 600)).await;
            let turn = self.turn();
            let calls = two.asks.query(turn).map(|query| query.calls(true, None, PAGE_ITEMS_MAX));
            let Some(Ok(mut page)) = calls else { continue };
            let first = turn.checked_rem(page.items.len()).unwrap_or(0);
            page.items.rotate_left(first);
            for call in &page.items {
                self.see_to(&context, call).await;
            }
            self.lead(&context).await;
            if let Some(last) = self.held.len().checked_sub(1) {
                let (end, action) = self.held.swap_remove(turn % (last + 1));
                let _ = self.bring(&context, end, action).await;
            }
        }
    }

    /// Any number, to ask another peer each time.
    fn turn(&mut self) -> usize {
        self.dice.below(1 << 16) as usize
    }

    fn side(&self, end: End) -> &Side {
        self.two.side(end)
    }

    async fn bring(&self, context: &Context, end: End, action: Action) -> bool {
        let side = self.side(end);
        side.act(context, &side.relay, vec![action]).await.is_ok()
    }

    /// Does what is to be done about a call now, or something else.
    async fn see_to(&mut self, context: &Context, (id, record): &CallAt) {
        let turn = self.turn();
        let Some(query) = self.two.asked.query(turn) else { return };
        let there = match query.taken_call(&self.two.asks.ledger(), id) {
            Ok((_, taken)) if taken.answer.is_some() => There::Answered,
            Ok(_) => There::Waits,
            Err(QueryError::Unknown(Noun::Call)) => There::Missing,
            Err(_) => return,
        };
        let (deadline_ms, patience_ms) = (record.call.deadline_ms, record.call.patience_ms());
        let since = context.current().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = (since.as_millis() as u64).saturating_add_signed(self.ahead_ms);
        let step = OpenCall { deadline_ms, patience_ms, there }.step(now_ms);
        let is_calm = self.two.is_calm();
        if !is_calm && there != There::Missing && self.dice.below(3) == 0 {
            self.lie(context, id).await;
        }
        let next = match step {
            Step::Carry => {
                let shown = self.shown(context, End::Asked, key::call(id)).await;
                shown.map(|shown| (End::Asked, Action::TakeCall { proof: shown.to_wire() }))
            }
            Step::Return => {
                let shown = self.answer(context, id).await;
                shown.map(|shown| (End::Asks, settlement(*id, &shown)))
            }
            Step::Refund => Some((End::Asks, Action::RefundCall { call: *id })),
            // Too early, which the ledger has to know.
            Step::AwaitRefund if !is_calm => Some((End::Asks, Action::RefundCall { call: *id })),
            Step::AwaitAnswer | Step::AwaitRefund => None,
        };
        let Some((end, action)) = next else { return };
        match self.dice.below(6) {
            0 if !is_calm => {}
            1 if !is_calm && self.held.len() < HELD_MAX => self.held.push((end, action)),
            2 => {
                let again = self.bring(context, end, action.clone());
                futures::future::join(self.bring(context, end, action), again).await;
            }
            _ => _ = self.bring(context, end, action).await,
        }
    }

    async fn answer(&mut self, context: &Context, call: &TxId) -> Option<Shown> {
        let asks = self.two.asks.ledger();
        self.shown(context, End::Asks, key::taken(&asks, call)).await
    }

    /// What shows a row of the other ledger to the link at this end, which is led on first where it must be.
    async fn shown(&mut self, context: &Context, to: End, row: Vec<u8>) -> Option<Shown> {
        let turn = self.turn();
        let two = Arc::clone(&self.two);
        let (here, there) = (two.side(to), two.side(to.other()));
        let bundle = there.prove(context, turn, row).await?;
        for _ in 0..LEADING_STEPS_MAX {
            let epoch = here.link(turn, there)?.anchor.validators.epoch;
            let next = match Showing::of(&bundle, epoch).ok()? {
                Showing::Now(shown) => return Some(shown),
                Showing::After(next) => next,
            };
            let told = LinkAdvance { link: here.link_to(there), proof: next.to_wire() };
            if !self.bring(context, to, Action::AdvanceLink(told)).await {
                return None;
            }
        }
        None
    }

    /// Tells one of the links of the newest block now and then.
    async fn lead(&mut self, context: &Context) {
        let end = match self.dice.below(12) {
            0 => End::Asks,
            1 => End::Asked,
            _ => return,
        };
        let turn = self.turn();
        let two = Arc::clone(&self.two);
        let (here, there) = (two.side(end), two.side(end.other()));
        let Some(bundle) = there.prove(context, turn, key::call(&TxId::default())).await else {
            return;
        };
        let Some(anchor) = here.link(turn, there).map(|record| record.anchor) else { return };
        let Ok(Some(next)) = relay::lead(&bundle, anchor.height, anchor.validators.epoch) else {
            return;
        };
        let told = LinkAdvance { link: here.link_to(there), proof: next.to_wire() };
        self.bring(context, end, Action::AdvanceLink(told)).await;
    }

    /// Tells the ledger that asks of an answer that the other one does not hold.
    async fn lie(&mut self, context: &Context, call: &TxId) {
        let Some(shown) = self.answer(context, call).await else { return };
        let forger = self.two.asked.party.entity;
        let choice =
            if self.has_keys { Lie::AllKeys } else { Lie::ALL[self.turn() % Lie::ALL.len()] };
        let Some(forged) = self.made_up(choice, &shown, forger) else { return };
        match self.bring(context, End::Asks, settlement(*call, &forged)).await {
            false => _ = self.refused.fetch_add(1, Ordering::Relaxed),
            // That is for the witness to find.
            true if self.has_keys => {}
            true => self.book.complain(format!("{call} was settled by a lie: {choice:?}")),
        }
    }

    fn made_up(&mut self, lie: Lie, shown: &Shown, forger: EntityId) -> Option<Shown> {
        let founding = Arc::clone(&self.two.asked.founding);
        let mechanism = founding.genesis.mechanism;
        let turn = self.turn();
        match lie {
            Lie::Row => forge::with_answer(shown, forger),
            Lie::Damage => damaged(shown, turn),
            Lie::ReplacedKeys => {
                let before = founding.genesis.validators();
                let known = self.two.asks.link(turn, &self.two.asked)?.anchor;
                // Until a link has heard of newer ones, they are who to believe.
                (known.validators.epoch > 0).then_some(())?;
                let keys = forge::keys_of(&founding, &before, usize::MAX);
                let forged = forge::with_answer(shown, forger)?;
                forge::below_made_up_block(&forged, &keys, &before, mechanism)
            }
            Lie::TooFewKeys | Lie::AllKeys => {
                let epoch = shown.advance.block.header.epoch;
                let set = self.two.asked.query(turn)?.validators_of(epoch).ok()?;
                let set = ValidatorSet { epoch, ..set };
                let count = held(lie, mechanism, &set);
                let keys: Vec<SigningKey> = forge::keys_of(&founding, &set, count);
                let forged = forge::with_answer(shown, forger)?;
                forge::below_made_up_block(&forged, &keys, &set, mechanism)
            }
        }
    }
}

fn settlement(call: TxId, shown: &Shown) -> Action {
    Action::SettleCall(CallSettlement { call, proof: shown.to_wire() })
}

/// What a relay makes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// A row below a true block.
    Row,
    /// A bit of the proof.
    Damage,
    /// A block that the first validators sign, long after others followed them.
    ReplacedKeys,
    /// A block that one validator too few signs.
    TooFewKeys,
    /// A block that all sign.
    AllKeys,
}

impl Lie {
    const ALL: [Self; 4] = [Self::Row, Self::Damage, Self::ReplacedKeys, Self::TooFewKeys];
}

fn held(lie: Lie, mechanism: Mechanism, set: &ValidatorSet) -> usize {
    match lie {
        Lie::TooFewKeys => mechanism.quorum(set.validators.len()).saturating_sub(1),
        _ => usize::MAX,
    }
}

/// The same with one bit changed, if that is still a proof by its form.
fn damaged(shown: &Shown, at: usize) -> Option<Shown> {
    let mut bytes = shown.to_wire();
    let (place, bit) = (at % bytes.len(), at / bytes.len() % 8);
    bytes[place] ^= 1 << bit;
    Shown::from_wire(&bytes).ok()
}
