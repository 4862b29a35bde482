//! Tell the ledger which things are online, by whether their clients are connected.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use althing_client::{Account, Client, Error, Signer};
use althing_edge::presence::Presence;
use althing_gateway::Handle;
use althing_types::{Action, Status, ThingId};
use tokio::time::sleep;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// Most things that one transaction tells of.
const AT_ONCE: usize = 32;
/// How long one report may take to be final.
const FINAL_PATIENCE: Duration = Duration::from_secs(20);

/// Tells for as long as it is polled. What no peer takes is told later, as it is then.
pub(super) async fn tell(
    gateway: &Handle,
    clients: &[Client],
    signer: &Signer,
    presence: Option<Presence>,
) -> Infallible {
    let Some(mut presence) = presence else { return std::future::pending().await };
    let started = Instant::now();
    loop {
        sleep(LOOK).await;
        let now_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let served = gateway.things();
        let due = presence.look(now_ms, &gateway.present()).into_iter();
        let due: Vec<(String, ThingId, bool)> = due
            .filter_map(|(name, is_there)| {
                let id = *served.get(&name)?;
                Some((name, id, is_there))
            })
            .take(AT_ONCE)
            .collect();
        if due.is_empty() {
            continue;
        }
        for client in clients {
            match report(client, signer, &due).await {
                Ok(()) => {
                    due.iter().for_each(|(name, _, is_there)| presence.told(name, *is_there));
                    break;
                }
                Err(error) => {
                    tracing::debug!(peer = client.url(), %error, "a peer is told nothing of things");
                }
            }
        }
    }
}

/// Each thing by itself if the ledger does not take them together: one may be bound no more.
async fn report(
    client: &Client,
    signer: &Signer,
    due: &[(String, ThingId, bool)],
) -> Result<(), Error> {
    let account = Account::open(client, signer.clone()).await?;
    let action = |(_, thing, is_there): &(String, ThingId, bool)| Action::ReportStatus {
        thing: *thing,
        status: Status { online: Some(*is_there), firmware: None, place: None },
    };
    let all = account.sign(due.iter().map(action).collect());
    if client.finalize_transaction(&all, FINAL_PATIENCE).await?.receipt.refusal.is_none() {
        return Ok(());
    }
    for one in due {
        account.refresh(client).await?;
        let transaction = account.sign(vec![action(one)]);
        let outcome = client.finalize_transaction(&transaction, FINAL_PATIENCE).await;
        if let Err(error) = &outcome {
            tracing::debug!(thing = one.0, %error, "the ledger is not told whether a thing is online");
        }
    }
    Ok(())
}
