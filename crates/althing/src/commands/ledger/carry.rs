//! Carry proofs from one ledger to another: what the commands and the relay share. Nobody need trust it.

use std::time::{SystemTime, UNIX_EPOCH};

use althing_client::{
    Client,
    model::{AskedCall, Link, TakenCall},
};
use althing_proof::{
    Bundle, key,
    link::{Advance, Shown},
    relay::{self, LEADING_STEPS_MAX, Showing},
};
use althing_types::{
    Action, CallSettlement, EntityId, LedgerId, LinkAdvance, LinkId, TxId, Wire as _,
};
use anyhow::{Context as _, bail, ensure};

use crate::session::{Explain as _, Session};

/// The present time, milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The newest that a peer proves about a row of its state.
async fn bundle(from: &Client, row: &[u8]) -> anyhow::Result<Bundle> {
    let bytes = from.prove_state(row).await.explain()?;
    Bundle::from_bytes(&bytes).context("the peer's proof is no bundle")
}

/// Leads a link to the newest block of its ledger, in as many steps as validators and limits demand; gives
/// the height that is known then.
pub(crate) async fn advance(
    session: &Session,
    link: &LinkId,
    from: &Client,
) -> anyhow::Result<(u64, usize)> {
    let bundle = bundle(from, &key::call(&TxId::default())).await?;
    for step in 0..LEADING_STEPS_MAX {
        let now = session.client.link(link).await.explain()?;
        ensure!(now.ledger.0 == bundle.ledger, "the peer at --from is of another ledger");
        let Some(next) = relay::lead(&bundle, now.height, now.validators_epoch)? else {
            return Ok((now.height, step));
        };
        lead(session, link, &next).await?;
    }
    bail!("more than {LEADING_STEPS_MAX} steps")
}

async fn lead(session: &Session, link: &LinkId, next: &Advance) -> anyhow::Result<()> {
    let action = Action::AdvanceLink(LinkAdvance { link: *link, proof: next.to_wire() });
    let outcome = session.perform(vec![action]).await?;
    session.client.read_from(outcome.height);
    Ok(())
}

/// What shows a row of the state of `from` to a link at `to`, which is led on first where it must be.
async fn shown(to: &Session, link: &Link, from: &Client, row: &[u8]) -> anyhow::Result<Shown> {
    let bundle = bundle(from, row).await?;
    let mut epoch = link.validators_epoch;
    for _ in 0..LEADING_STEPS_MAX {
        match Showing::of(&bundle, epoch)? {
            Showing::Now(shown) => return Ok(shown),
            Showing::After(next) => lead(to, &link.id, &next).await?,
        }
        epoch = to.client.link(&link.id).await.explain()?.validators_epoch;
    }
    bail!("more than {LEADING_STEPS_MAX} steps")
}

/// The link by which the provider of the service that a call asks knows the ledger that asks.
pub(super) async fn link_there(
    to: &Client,
    asks: &LedgerId,
    call: &AskedCall,
) -> anyhow::Result<Link> {
    let provider = to.service(&call.service).await.explain()?.provider.entity_id();
    let owner = to.entity(&provider).await.explain()?.owner;
    let owner: EntityId = owner.map_or(provider, |owner| owner.entity_id());
    to.link(&LinkId::derive(&owner, asks)).await.explain()
}

/// Carries a call to the ledger that it asks.
pub(crate) async fn call(to: &Session, from: &Client, asked: &AskedCall) -> anyhow::Result<u64> {
    let asks = from.network().await.explain()?.ledger.0;
    let link = link_there(&to.client, &asks, asked).await?;
    ensure!(link.status == "live", "the link there is {}", link.status);
    let shown = shown(to, &link, from, &key::call(&asked.id)).await?;
    let action = Action::TakeCall { proof: shown.to_wire() };
    Ok(to.perform(vec![action]).await?.height)
}

/// Carries the answer to a call back.
pub(crate) async fn answer(
    to: &Session,
    from: &Client,
    asked: &AskedCall,
    taken: &TakenCall,
) -> anyhow::Result<u64> {
    let link = to.client.link(&asked.link).await.explain()?;
    // Its owner may have closed it since, which spares it no payment.
    ensure!(link.status != "frozen", "the link there is {}", link.status);
    let shown = shown(to, &link, from, &key::taken(&taken.ledger, &taken.id)).await?;
    let (call, proof) = (asked.id.0, shown.to_wire());
    let action = Action::SettleCall(CallSettlement { call, proof });
    Ok(to.perform(vec![action]).await?.height)
}
