//! Who asks, who answers, and whose links they are.

use std::{sync::Arc, time::Duration};

use althing_peer::query::PAGE_ITEMS_MAX;
use althing_types::{
    Action, Amount, Call, CallAnswer, CallPayment, LinkStatus, TxId, limits::CALL_GRACE_MS_MIN,
};
use commonware_runtime::{Clock as _, deterministic::Context};

use super::side::{End, Two};
use crate::plan::Dice;

/// What an answer costs, at most.
const PRICE_MAX: u64 = 1_000;
/// Between two looks at what is asked.
const LOOK: Duration = Duration::from_millis(300);
/// How long the last call may be answered, which must be.
pub(super) const LAST_MS: u64 = 60_000;

/// Asks so many calls, one after the other; what is refused is not asked again.
pub(super) async fn ask_all(context: Context, two: Arc<Two>, mut dice: Dice, calls: usize) {
    for _ in 0..calls {
        context.sleep(dice.ms(200, 1_500)).await;
        let within_ms = dice.ms(500, 9_000).as_millis() as u64;
        // Some are asked for nothing.
        let price = dice.below(PRICE_MAX) * (dice.below(4)).min(1);
        ask(&context, &two, within_ms, price).await;
    }
}

/// Asks a call, and gives its id.
pub(super) async fn ask(context: &Context, two: &Two, within_ms: u64, price: u64) -> Option<TxId> {
    let Two { asks, asked, .. } = two;
    let payment =
        (price > 0).then(|| CallPayment { payee: asks.owner.entity, amount: Amount::from(price) });
    let call = Call {
        ledger: asked.ledger(),
        service: asked.service(),
        deadline_ms: asks.now_ms(0)?.saturating_add(within_ms),
        grace_ms: CALL_GRACE_MS_MIN,
        request: b"is it covered?".to_vec(),
        payment,
    };
    let receipt = asks.act(context, &asks.party, vec![Action::AskLedger(call)]).await.ok()?;
    Some(receipt.transaction)
}

/// Answers for ever what is asked: most calls with yes, some with no, some late, and some never, as long as
/// not all is calm.
pub(super) async fn answer_all(context: Context, two: Arc<Two>, mut dice: Dice) {
    let side = &two.asked;
    let mut turn = 0;
    loop {
        context.sleep(LOOK).await;
        turn += 1;
        let Some(query) = side.query(turn) else { continue };
        let Ok(page) = query.taken_calls(true, None, PAGE_ITEMS_MAX) else { continue };
        for (call, taken) in page.items {
            let accepted = match call.0[0] % 4 {
                _ if two.is_calm() => true,
                0 => continue,
                1 => false,
                _ => true,
            };
            if !two.is_calm() && dice.below(3) > 0 {
                continue;
            }
            let answer =
                CallAnswer { ledger: taken.ledger, call, accepted, answer: b"it is".to_vec() };
            let _ = side.act(&context, &side.party, vec![Action::AnswerCall(answer)]).await;
        }
    }
}

/// An owner that closes its link now and then and relies on it again a moment later, until all is calm; it
/// ends with the link as it should be.
pub(super) async fn own(context: Context, two: Arc<Two>, end: End, mut dice: Dice) {
    let (side, other) = (two.side(end), two.side(end.other()));
    let link = side.link_to(other);
    let set = |status| Action::SetLinkStatus { link, status };
    loop {
        context.sleep(dice.ms(500, 5_000)).await;
        let open = match side.link(0, other).map(|record| record.status) {
            Some(LinkStatus::Live) if two.is_calm() || dice.below(2) == 0 => continue,
            Some(LinkStatus::Live) if dice.below(2) == 0 => set(LinkStatus::Suspended),
            Some(LinkStatus::Live) => set(LinkStatus::Ended),
            Some(LinkStatus::Suspended) => set(LinkStatus::Live),
            Some(LinkStatus::Ended) => side.registration_of(other),
            Some(LinkStatus::Frozen) | None => continue,
        };
        let _ = side.act(&context, &side.owner, vec![open]).await;
    }
}
