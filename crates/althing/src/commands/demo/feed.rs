//! Follow the events of the ledger, from whichever peer tells them.

use std::time::Duration;

use althing_client::{
    Client, Error, Events,
    model::{Cursor, EventRecord, query},
};
use tokio::time::sleep;

/// How long to wait before another peer is asked.
const AGAIN: Duration = Duration::from_millis(20);

/// Batches that become final, in order, each once.
#[derive(Debug)]
pub(super) struct Feed {
    clients: Vec<Client>,
    turn: usize,
    events: Option<Events>,
    cursor: Option<Cursor>,
}

impl Feed {
    /// From the present on, told by the first of the peers as long as it can.
    pub(super) async fn open(clients: Vec<Client>) -> Result<Self, Error> {
        let mut feed = Self { clients, turn: 0, events: None, cursor: None };
        feed.listen().await?;
        Ok(feed)
    }

    /// The next one. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> EventRecord {
        loop {
            if let Some(events) = &mut self.events {
                if let Ok(Some(record)) = events.next().await {
                    self.cursor = Some(record.cursor);
                    return record;
                }
                self.events = None;
                self.turn += 1;
            }
            if self.listen().await.is_err() {
                self.turn += 1;
                sleep(AGAIN).await;
            }
        }
    }

    async fn listen(&mut self) -> Result<(), Error> {
        let client = &self.clients[self.turn % self.clients.len()];
        let kind = Some("batch_accepted".to_owned());
        let query = query::Events { after: self.cursor, kind, ..<_>::default() };
        self.events = Some(client.events(&query).await?);
        Ok(())
    }
}
