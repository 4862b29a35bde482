//! The task that looks what is the matter, as long as the peer serves.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;

use crate::{reader::now_ms, service::Shared};

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Looks as long as the peer runs.
pub(crate) async fn watch(service: Shared) {
    let mut live = service.peer.subscribe();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            executed = live.recv() => if matches!(executed, Err(RecvError::Closed)) {
                return;
            },
            _ = ticks.tick() => {
                let looked = service.read(|service| {
                    let conditions = service.conditions(now_ms());
                    service.operation.observe(conditions);
                    Ok(())
                });
                // A look that failed was logged; the next comes soon.
                let _ = looked.await;
            }
        }
    }
}
