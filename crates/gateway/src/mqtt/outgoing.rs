//! What a client is told.

use althing_edge::broker::{Next, Outgoing};

use super::codec::{self, Level};
use super::connection::Client;
use super::hub::Ticket;
use crate::driver::wall_ms;

/// Bytes to be sent beyond which no more messages are taken from the queue: a client that is slow
/// leaves them there, where they count against its bound.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

impl Client {
    /// Sends a packet once what it says is durable, after those before it.
    pub(super) fn hold(&mut self, ticket: Ticket, packet: Vec<u8>) {
        if self.held.is_empty() && ticket == 0 {
            self.wire.output.extend_from_slice(&packet);
        } else {
            self.held.push_back((ticket, packet));
        }
    }

    /// Lets go of the packets whose time has come.
    pub(super) fn let_go(&mut self) {
        let durable = *self.durable.borrow_and_update();
        while let Some((ticket, packet)) = self.held.front() {
            if *ticket > durable {
                return;
            }
            self.wire.output.extend_from_slice(packet);
            self.held.pop_front();
        }
    }

    /// Whether a packet is not longer than the client takes.
    pub(super) fn fits(&self, packet: &[u8]) -> bool {
        self.packet_bytes_max.is_none_or(|max| packet.len() <= max as usize)
    }

    /// Sends what waits for the client, as far as it can take it.
    pub(super) fn deliver(&mut self) {
        let connection = self.connection;
        while self.wire.output.len() < OUTPUT_BYTES_MAX {
            let (next, _) = self.around.hub.with(|broker, now| broker.next(now, connection));
            match next {
                None => return,
                Some(Next::Release(id)) => {
                    let release = codec::pubrel(self.level, id);
                    self.wire.output.extend_from_slice(&release);
                }
                Some(Next::Publish(outgoing)) => self.deliver_one(&outgoing),
            }
        }
    }

    fn deliver_one(&mut self, outgoing: &Outgoing) {
        let message = outgoing.message();
        let expiry_s = message.expires_ms.map(|expires| {
            let left = expires.saturating_sub(wall_ms()) / 1000;
            u32::try_from(left).unwrap_or(if left < 0 { 0 } else { u32::MAX })
        });
        let alias = self.alias(&message.topic);
        let packet = codec::outgoing_publish(self.level, outgoing, alias, expiry_s);
        if self.fits(&packet) {
            if let Some((alias, true)) = alias {
                self.told_aliases.0.insert(message.topic.clone(), alias);
            }
            self.wire.output.extend_from_slice(&packet);
        } else if let Some(id) = outgoing.id {
            // MQTT-3.1.2-25: what the client does not take is dropped as if it were sent.
            let connection = self.connection;
            self.around.hub.with(|broker, _| broker.acknowledged(connection, id));
        }
    }

    /// The alias of a topic, and whether the client has yet to be told; the first topics get one.
    fn alias(&self, topic: &str) -> Option<(u16, bool)> {
        let (told, max) = &self.told_aliases;
        if self.level == Level::V3 || *max == 0 {
            return None;
        }
        if let Some(alias) = told.get(topic) {
            return Some((*alias, false));
        }
        let next = u16::try_from(told.len()).ok()?.checked_add(1)?;
        let max = (*max).min(self.around.config.topic_aliases_max);
        (next <= max).then_some((next, true))
    }
}
