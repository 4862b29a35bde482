//! The protocol library behind a wall: one call in, what it wants done out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{ConnectionOptions, Event};
use mqtt_protocol_core::mqtt::packet::GenericPacketTrait;
use mqtt_protocol_core::mqtt::prelude::TimerKind;
use mqtt_protocol_core::mqtt::result_code::MqttError;
use mqtt_protocol_core::mqtt::{Connection, Version, role};

use super::packet::Packet;
use crate::config::MqttConfig;

/// The state of one MQTT connection.
///
/// A panic in the library ends this connection and nothing else: it is caught here, and the state
/// is not used again.
pub(crate) struct Protocol {
    library: Option<Connection<role::Server>>,
}

/// What the library wants done after a call.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// Packets that came from the client.
    pub(crate) received: Vec<Packet>,
    /// Packets for the client.
    pub(crate) send: Vec<Packet>,
    /// The keep-alive timer: begin anew with so many milliseconds, or stop it.
    pub(crate) keep_alive: Option<Option<u64>>,
    /// Packet ids that are free again: deliveries that the subscriber has.
    pub(crate) released: usize,
    /// The connection is to be closed.
    pub(crate) close: bool,
    /// The client broke a rule.
    pub(crate) error: Option<MqttError>,
}

/// The library panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the protocol library failed on what the client sent")]
pub(crate) struct Panicked;

impl Protocol {
    pub(crate) fn new(config: &MqttConfig) -> Self {
        let options = ConnectionOptions::new().maximum_packet_size_recv(config.packet_bytes_max);
        let mut library = Connection::with_options(Version::Undetermined, options);
        library.set_auto_ping_response(true);
        library.set_auto_map_topic_alias_send(true);
        Self { library: Some(library) }
    }

    /// Takes one whole packet from the client.
    pub(crate) fn receive(&mut self, packet: &[u8]) -> Result<Wishes, Panicked> {
        let events = self.guard(|library| library.recv(&mut Cursor::new(packet)))?;
        Ok(Wishes::of(events))
    }

    /// Sends one packet to the client.
    pub(crate) fn send(&mut self, packet: Packet) -> Result<Wishes, Panicked> {
        self.guard(|library| library.send(packet)).map(Wishes::of)
    }

    /// The client was silent for longer than its keep-alive.
    pub(crate) fn keep_alive_is_over(&mut self) -> Result<Wishes, Panicked> {
        self.guard(|library| library.notify_timer_fired(TimerKind::PingreqRecv)).map(Wishes::of)
    }

    /// How many more messages of QoS 1 and 2 the client takes; `None` if it set no bound.
    pub(crate) fn vacancy(&mut self) -> Result<Option<u16>, Panicked> {
        self.guard(|library| library.get_receive_maximum_vacancy_for_send())
    }

    /// A packet id for a message of QoS 1 or 2, if one is free.
    pub(crate) fn packet_id(&mut self) -> Result<Option<u16>, Panicked> {
        self.guard(|library| library.acquire_packet_id().ok())
    }

    /// Gives back the packet id of a message that was not sent.
    pub(crate) fn release(&mut self, id: Option<u16>) -> Result<(), Panicked> {
        match id {
            Some(id) => self.guard(|library| library.release_packet_id(id)).map(drop),
            None => Ok(()),
        }
    }

    fn guard<T>(
        &mut self,
        call: impl FnOnce(&mut Connection<role::Server>) -> T,
    ) -> Result<T, Panicked> {
        let mut library = self.library.take().ok_or(Panicked)?;
        let result = catch_unwind(AssertUnwindSafe(|| call(&mut library))).map_err(|_| Panicked)?;
        self.library = Some(library);
        Ok(result)
    }
}

impl Wishes {
    fn of(events: Vec<Event>) -> Self {
        let mut wishes = Self::default();
        for event in events {
            match event {
                Event::NotifyPacketReceived(packet) => wishes.received.push(packet),
                Event::RequestSendPacket { packet, .. } => wishes.send.push(packet),
                Event::NotifyPacketIdReleased(_) => wishes.released += 1,
                Event::RequestTimerReset { kind: TimerKind::PingreqRecv, duration_ms } => {
                    wishes.keep_alive = Some(Some(duration_ms));
                }
                Event::RequestTimerCancel(TimerKind::PingreqRecv) => {
                    wishes.keep_alive = Some(None);
                }
                // The other timers are a client's.
                Event::RequestTimerReset { .. } | Event::RequestTimerCancel(_) => {}
                Event::NotifyError(error) => wishes.error = Some(error),
                Event::RequestClose => wishes.close = true,
            }
        }
        wishes
    }
}

/// The bytes of a packet.
pub(crate) fn bytes(packet: &Packet) -> Vec<u8> {
    packet.to_continuous_buffer()
}
