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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::broker::{Delivery, Message};
    use super::super::connect::sanitize;
    use super::super::frame::next_packet;
    use super::super::packet::{self, Level, Said};
    use super::*;
    use crate::config::RefusalV3;
    use mqtt_protocol_core::mqtt::packet::Qos;

    fn config() -> MqttConfig {
        let second = std::time::Duration::from_secs(1);
        MqttConfig {
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
            connections_max: 1,
            connect_timeout: second,
            write_timeout: second,
            packet_bytes_max: 4096,
            inflight_max: 4,
            keep_alive_s_max: 60,
            topic_aliases_max: 3,
            subscriptions_max: 4,
            deliveries_max: 4,
            retained_max: 4,
            retained_bytes_max: 4096,
            refusal_v3: RefusalV3::Close,
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Receive(Vec<u8>),
        Deliver(u8),
        Acknowledge,
        KeepAlive,
    }

    fn small_id() -> impl Strategy<Value = u16> {
        prop_oneof![0..6_u16, any::<u16>()]
    }

    /// Packets with a fixed header that passes, and bodies from likely to arbitrary.
    fn client_packet() -> impl Strategy<Value = Vec<u8>> {
        let first =
            (1..16_u8, prop_oneof![Just(0_u8), Just(2), Just(4), Just(8), Just(10), Just(1)]);
        let body = prop_oneof![
            proptest::collection::vec(prop_oneof![0..5_u8, any::<u8>()], 0..24),
            small_id().prop_map(|id| id.to_be_bytes().to_vec()),
            (small_id(), 0..4_u8, any::<bool>()).prop_map(|(id, options, v5)| {
                let properties: &[u8] = if v5 { &[0] } else { &[] };
                [&id.to_be_bytes(), properties, &[0, 1, b'a', options]].concat()
            }),
            (small_id(), small_id()).prop_map(|(id, alias)| {
                let (id, alias) = (id.to_be_bytes(), alias.to_be_bytes());
                [&[0, 1, b'a'][..], &id, &[3, 0x23], &alias, b"x"].concat()
            }),
            (small_id(), small_id()).prop_map(|(id, alias)| {
                let (id, alias) = (id.to_be_bytes(), alias.to_be_bytes());
                [&[0, 0][..], &id, &[3, 0x23], &alias, b"x"].concat()
            }),
        ];
        (first, body).prop_map(|((kind, flags), body)| {
            let len = u8::try_from(body.len()).unwrap();
            [&[kind << 4 | flags, len][..], &body].concat()
        })
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => client_packet().prop_map(Step::Receive),
            2 => (0..3_u8).prop_map(Step::Deliver),
            2 => Just(Step::Acknowledge),
            1 => Just(Step::KeepAlive),
        ]
    }

    fn connect() -> impl Strategy<Value = Vec<u8>> {
        let property = prop_oneof![
            any::<u16>().prop_map(|n| [&[0x22][..], &n.to_be_bytes()].concat()),
            any::<u16>().prop_map(|n| [&[0x21][..], &n.to_be_bytes()].concat()),
            any::<u32>().prop_map(|n| [&[0x27][..], &n.to_be_bytes()].concat()),
            any::<u32>().prop_map(|n| [&[0x11][..], &n.to_be_bytes()].concat()),
            Just(vec![0x17, 0]),
        ];
        let v5 =
            (proptest::collection::vec(property, 0..4), any::<u8>()).prop_map(|(props, flags)| {
                let props = props.concat();
                let len = u8::try_from(props.len()).unwrap();
                [&b"\0\x04MQTT\x05"[..], &[flags & 0x02, 0, 60, len], &props, b"\0\x02me"].concat()
            });
        let v3 = any::<u8>().prop_map(|flags| {
            [&b"\0\x04MQTT\x04"[..], &[flags & 0x02, 0, 60], b"\0\x02me"].concat()
        });
        prop_oneof![v3, v5].prop_map(|body| {
            let len = u8::try_from(body.len()).unwrap();
            [&[0x10, len][..], &body].concat()
        })
    }

    fn delivery(qos: u8) -> Delivery {
        let qos = Qos::try_from(qos).unwrap();
        let message = Message {
            topic: "a".into(),
            payload: b"x".to_vec(),
            qos,
            retain: false,
            properties: Vec::new(),
            expires: None,
        };
        let (message, retain) = (std::sync::Arc::new(message), false);
        Delivery { message, qos, retain, subscription_ids: Vec::new() }
    }

    /// A connection that answers as [`super::super::connection`] does, and whether it goes on.
    struct Run {
        protocol: Protocol,
        level: Level,
        awaited: Vec<(Qos, u16)>,
    }

    impl Run {
        fn send(&mut self, packet: Packet) -> Result<bool, Panicked> {
            let wishes = self.protocol.send(packet)?;
            Ok(wishes.error.is_none() && !wishes.close)
        }

        fn receive(&mut self, bytes: &[u8]) -> Result<bool, Panicked> {
            let Ok(Some(len)) = next_packet(bytes, 4096) else { return Ok(false) };
            let wishes = self.protocol.receive(&bytes[..len])?;
            let goes_on = wishes.error.is_none() && !wishes.close;
            for packet in wishes.received {
                match Said::of(packet) {
                    Said::Publish { id: Some(0), .. } | Said::Disconnect { .. } => {
                        return Ok(false);
                    }
                    Said::Publish { id: Some(id), message } => self.awaited.push((message.qos, id)),
                    Said::Received { id, is_taken: true } => {
                        self.send(packet::pubrel(self.level, id).unwrap())?;
                    }
                    Said::Release { id } => {
                        if let Ok(packet) = packet::pubcomp(self.level, id, true) {
                            self.send(packet)?;
                        }
                    }
                    _ => {}
                }
            }
            Ok(goes_on)
        }

        fn take(&mut self, step: Step) -> Result<bool, Panicked> {
            match step {
                Step::Receive(bytes) => self.receive(&bytes),
                Step::Deliver(qos) => {
                    if self.protocol.vacancy()? == Some(0) {
                        return Ok(true);
                    }
                    let id = if qos == 0 { None } else { self.protocol.packet_id()? };
                    let packet = packet::publish(self.level, &delivery(qos), id).unwrap();
                    let wishes = self.protocol.send(packet)?;
                    if wishes.error == Some(MqttError::PacketTooLarge) {
                        self.protocol.release(id)?;
                    }
                    Ok(true)
                }
                Step::Acknowledge => match self.awaited.pop() {
                    Some((qos, id)) => {
                        self.send(packet::acknowledge(self.level, qos, id, None, true).unwrap())
                    }
                    None => Ok(true),
                },
                Step::KeepAlive => {
                    self.protocol.keep_alive_is_over()?;
                    Ok(true)
                }
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_a_client_sends_makes_the_library_panic(
            connect in connect(),
            steps in proptest::collection::vec(step(), 0..40)
        ) {
            let mut protocol = Protocol::new(&config());
            let wishes = protocol.receive(&sanitize(&connect).unwrap()).unwrap();
            if let Some(Said::Connect(connect)) = wishes.received.into_iter().next().map(Said::of) {
                let accept = connect.accept(&config(), None).unwrap();
                let level = connect.level;
                let mut run = Run { protocol, level, awaited: Vec::new() };
                prop_assert!(run.send(accept).is_ok());
                for step in steps {
                    let shown = format!("{step:?}");
                    match run.take(step) {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(Panicked) => prop_assert!(false, "{}", shown),
                    }
                }
            }
        }
    }
}
