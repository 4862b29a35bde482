//! Carry proofs from one ledger to another: what the commands and the relay share. Nobody need trust it.

use std::time::{SystemTime, UNIX_EPOCH};

use althing_client::{
    Client,
    model::{AskedCall, Link, TakenCall},
};
use althing_proof::{
    Bundle, key,
    link::{Advance, Shown},
};
use althing_types::{
    Action, CallSettlement, EntityId, LedgerId, LinkAdvance, LinkId, TxId, Wire as _,
    limits::{LINK_PROOF_BYTES_MAX, LINK_SIGNATURES_OF_BLOCK_MAX},
};
use anyhow::{Context as _, bail, ensure};

use crate::session::{Explain as _, Session};

/// Most steps in which a link is led to the newest block: as many changes of validators as a proof spans.
const STEPS_MAX: usize = 1024;

/// The present time, milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
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
    for step in 0..STEPS_MAX {
        let now = session.client.link(link).await.explain()?;
        ensure!(now.ledger.0 == bundle.ledger, "the peer at --from is of another ledger");
        if bundle.block.header.height <= now.height {
            return Ok((now.height, step));
        }
        let whole = Advance::of(&bundle, now.validators_epoch);
        let next = longest(whole).context("no step of it fits into one transaction")?;
        let action = Action::AdvanceLink(LinkAdvance { link: *link, proof: next.to_wire() });
        let outcome = session.perform(vec![action]).await?;
        session.client.read_from(outcome.height);
    }
    bail!("more than {STEPS_MAX} steps")
}

fn fits(advance: &Advance) -> bool {
    advance.signatures() <= LINK_SIGNATURES_OF_BLOCK_MAX as usize
        && advance.to_wire().len() <= LINK_PROOF_BYTES_MAX
}

/// As much of an advance as fits.
fn longest(whole: Advance) -> Option<Advance> {
    if fits(&whole) {
        return Some(whole);
    }
    // The first step alone leads to the block that ends the present validators' time.
    (1..=whole.links.len()).rev().filter_map(|count| whole.part(count)).find(fits)
}

/// What shows a row of the state of `from` to a link at `to`, which is led on first where it must be.
async fn shown(to: &Session, link: &Link, from: &Client, row: &[u8]) -> anyhow::Result<Shown> {
    let bundle = bundle(from, row).await?;
    let shown =
        Shown::of(&bundle, link.validators_epoch).context("the proof is of another kind")?;
    if fits(&shown.advance) && shown.to_wire().len() <= LINK_PROOF_BYTES_MAX {
        return Ok(shown);
    }
    advance(to, &link.id, from).await?;
    let link = to.client.link(&link.id).await.explain()?;
    Shown::of(&bundle, link.validators_epoch).context("the proof is of another kind")
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
