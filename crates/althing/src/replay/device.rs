//! A device that publishes what its sensor recorded, over MQTT.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rumqttc::v5::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions,
    mqttbytes::{QoS, v5::Packet, v5::PubAckReason},
};
use tokio::{
    sync::{mpsc::UnboundedSender, watch},
    time::{MissedTickBehavior, interval, sleep},
};

use super::catalogue::Sensor;

/// How long a device waits before it connects again, or offers its first reading again.
const AGAIN: Duration = Duration::from_millis(10);
/// How long a gateway may refuse the first reading before something must be wrong. It does so as
/// long as it does not know the thing, which is registered and bound at this very moment.
const ADMISSION_PATIENCE: Duration = Duration::from_secs(60);
/// Requests to the MQTT library that may wait; a device has one or two.
const REQUESTS_WAITING: usize = 16;

/// A device took a reading and published it: which of its readings, and when. The gateway numbers
/// the readings of a device in the order they come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Published {
    /// Position of the sensor in the catalogue.
    pub(crate) sensor: usize,
    /// Position of the reading among those of the device.
    pub(crate) index: u64,
    /// When.
    pub(crate) at: Instant,
}

/// A device about to publish.
#[derive(Debug)]
pub(crate) struct Device {
    /// Position of its sensor in the catalogue.
    pub(crate) sensor: usize,
    /// What its sensor recorded, and where it publishes that.
    pub(crate) recording: Sensor,
    /// The gateway.
    pub(crate) gateway: SocketAddr,
    /// How long it waits between two readings.
    pub(crate) pause: Duration,
    /// Who wants to know of each reading.
    pub(crate) published: UnboundedSender<Published>,
    /// Counts the readings that the gateway has acknowledged, of all devices that share it.
    pub(crate) acknowledged: Arc<AtomicU64>,
    /// Turns true when it shall stop.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Device {
    /// Publishes reading after reading until it is to stop, and then waits for what is not
    /// acknowledged yet.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (client, mut connection) = self.connect();
        let (mut standing, mut stopping) = (Standing::default(), false);
        let started = Instant::now();
        let mut ticks = interval(self.pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !stopping || standing.answered < standing.next {
            let may_publish = standing.may_go_on() && standing.next < self.recording.rows.len();
            tokio::select! {
                _ = ticks.tick(), if may_publish && !stopping => {
                    standing.next += usize::from(self.publish(&client, standing.next));
                }
                event = connection.poll() => {
                    if !standing.note(&event, &self.acknowledged) {
                        if standing.answered == 0 && started.elapsed() > ADMISSION_PATIENCE {
                            return Err(self.refused(&event));
                        }
                        sleep(AGAIN).await;
                    }
                    if standing.is_to_begin() {
                        standing.next += usize::from(self.publish(&client, 0));
                    }
                }
                () = told_to_stop(self.stop.clone()), if !stopping => stopping = true,
            }
        }
        Ok(())
    }

    fn refused(&self, event: &Result<Event, ConnectionError>) -> anyhow::Error {
        anyhow::anyhow!("the gateway refuses readings of {}: {event:?}", self.recording.thing)
    }

    fn connect(&self) -> (AsyncClient, EventLoop) {
        let (host, port) = (self.gateway.ip().to_string(), self.gateway.port());
        let mut options = MqttOptions::new(self.recording.thing.clone(), host, port);
        options.set_keep_alive(Duration::from_secs(30));
        AsyncClient::new(options, REQUESTS_WAITING)
    }

    /// Hands a reading to the MQTT library; false if that has too many to send already.
    fn publish(&self, client: &AsyncClient, index: usize) -> bool {
        let row = &self.recording.rows[index];
        let payload = format!("{{\"time\":\"{}\",\"value\":{}}}", row.time, row.value);
        let topic = self.recording.topic();
        if client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_err() {
            return false;
        }
        let (sensor, index) = (self.sensor, index as u64);
        // Whoever wanted to know may be gone; the device goes on.
        let _ = self.published.send(Published { sensor, index, at: Instant::now() });
        true
    }
}

/// Where a device stands with the gateway.
#[derive(Debug, Default)]
struct Standing {
    connected: bool,
    /// The reading to be published next.
    next: usize,
    /// Readings before this one have been answered; answers come in order.
    answered: usize,
}

impl Standing {
    /// Whether the first reading is to be offered, for the first time or again.
    const fn is_to_begin(&self) -> bool {
        self.connected && self.next == 0
    }

    /// Whether more than the first reading may be published.
    const fn may_go_on(&self) -> bool {
        self.connected && self.answered > 0
    }

    /// Notes what happened; false if it was no good. Without a connection the MQTT library forgets
    /// what was not answered, since the gateway keeps no session: those readings come again.
    fn note(&mut self, event: &Result<Event, ConnectionError>, acknowledged: &AtomicU64) -> bool {
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => self.connected = true,
            Ok(Event::Incoming(Packet::PubAck(answer))) => {
                let taken = answer.reason == PubAckReason::Success;
                acknowledged.fetch_add(taken.into(), Ordering::Relaxed);
                if !taken && self.answered == 0 {
                    self.next = 0;
                    return false;
                }
                self.answered += 1;
            }
            Ok(_) => {}
            Err(_) => {
                self.connected = false;
                self.next = self.answered;
                return false;
            }
        }
        true
    }
}

async fn told_to_stop(mut stop: watch::Receiver<bool>) {
    // An error means that nobody is left who could tell it to go on.
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use rumqttc::v5::mqttbytes::v5::{ConnAck, ConnectReturnCode, PubAck};

    use super::*;

    fn connected() -> Result<Event, ConnectionError> {
        let answer =
            ConnAck { session_present: false, code: ConnectReturnCode::Success, properties: None };
        Ok(Event::Incoming(Packet::ConnAck(answer)))
    }

    fn answered(reason: PubAckReason) -> Result<Event, ConnectionError> {
        Ok(Event::Incoming(Packet::PubAck(PubAck { pkid: 1, reason, properties: None })))
    }

    /// A gateway that cannot take a reading yet closes the connection, and the MQTT library then
    /// forgets the reading: the device must not wait for its answer.
    #[test]
    fn what_was_not_answered_comes_again_after_a_lost_connection() {
        let acknowledged = AtomicU64::new(0);
        let lost = || Err(ConnectionError::RequestsDone);
        let taken = || answered(PubAckReason::Success);
        let refused = || answered(PubAckReason::NotAuthorized);
        let mut standing = Standing::default();
        for (event, published, good, next, counted) in [
            (connected(), 1, true, 0, 0),
            (refused(), 1, false, 0, 0),
            (lost(), 0, false, 0, 0),
            (connected(), 1, true, 0, 0),
            (taken(), 3, true, 1, 1),
            (taken(), 0, true, 4, 2),
            (refused(), 0, true, 4, 2),
            (lost(), 0, false, 3, 2),
            (connected(), 1, true, 3, 2),
            (taken(), 0, true, 4, 3),
        ] {
            assert_eq!(standing.note(&event, &acknowledged), good, "{event:?}");
            assert_eq!(standing.next, next, "{event:?}");
            assert_eq!(acknowledged.load(Ordering::Relaxed), counted, "{event:?}");
            standing.next += published;
        }
        assert_eq!(standing.next, standing.answered);
    }
}
