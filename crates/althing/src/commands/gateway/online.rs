//! Tell the ledger which things are online, by whether their clients are connected.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use althing_client::{Account, Client, Error, Signer};
use althing_edge::presence::Presence;
use althing_gateway::Handle;
use althing_types::{Action, Refusal, Status, ThingId};
use tokio::time::sleep;

use super::submit::submit;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// Most things that one transaction tells of.
const AT_ONCE: usize = 32;

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
            match report(client, signer, &due, &mut presence).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::debug!(peer = client.url(), %error, "a peer is told nothing of things");
                }
            }
        }
    }
}

/// Each thing by itself if the ledger does not take them together: one may be bound no more. What the ledger
/// does not take then either, it would not take later.
async fn report(
    client: &Client,
    signer: &Signer,
    due: &[(String, ThingId, bool)],
    presence: &mut Presence,
) -> Result<(), Error> {
    let account = Account::open(client, signer.clone()).await?;
    let action = |(_, thing, is_there): &(String, ThingId, bool)| Action::ReportStatus {
        thing: *thing,
        status: Status { online: Some(*is_there), firmware: None, place: None },
    };
    if submit(client, &account, &due.iter().map(action).collect::<Vec<_>>()).await?.is_none() {
        due.iter().for_each(|(name, _, is_there)| presence.told(name, *is_there));
        return Ok(());
    }
    for one in due {
        match submit(client, &account, &[action(one)]).await? {
            // The gateway's batches are numbered from the same account; it is told in a moment.
            Some(code) if code == Refusal::NonceReused.code() => continue,
            Some(code) => {
                tracing::warn!(
                    thing = one.0,
                    code,
                    "the ledger is not told whether a thing is online"
                );
            }
            None => {}
        }
        presence.told(&one.0, one.2);
    }
    Ok(())
}
