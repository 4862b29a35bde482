//! A device that publishes what its sensor recorded, over MQTT.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rumqttc::v5::{
    AsyncClient, Event, EventLoop, MqttOptions,
    mqttbytes::{QoS, v5::Packet, v5::PubAckReason},
};
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{MissedTickBehavior, interval, sleep},
};

use super::catalogue::Sensor;

/// How long a device waits before it connects again, or offers its first reading again.
const AGAIN: Duration = Duration::from_millis(10);
/// How long a gateway may refuse the first reading before something must be wrong.
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
}

impl Device {
    /// Publishes reading after reading until the recording ends or the future is dropped.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (client, mut connection) = self.connect();
        self.begin(&client, &mut connection).await?;
        let mut ticks = interval(self.pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut index = 1_usize;
        loop {
            tokio::select! {
                _ = ticks.tick(), if index < self.recording.rows.len() => {
                    // Without a connection nothing is taken; the reading waits for the next tick.
                    index += usize::from(self.publish(&client, index));
                }
                event = connection.poll() => settle(event).await,
            }
        }
    }

    fn connect(&self) -> (AsyncClient, EventLoop) {
        let (host, port) = (self.gateway.ip().to_string(), self.gateway.port());
        let mut options = MqttOptions::new(self.recording.thing.clone(), host, port);
        options.set_keep_alive(Duration::from_secs(30));
        AsyncClient::new(options, REQUESTS_WAITING)
    }

    /// Offers the first reading until the gateway takes it: it refuses as long as it does not know
    /// the thing, which is registered and bound at this very moment.
    async fn begin(&self, client: &AsyncClient, connection: &mut EventLoop) -> anyhow::Result<()> {
        let started = Instant::now();
        self.publish(client, 0);
        loop {
            match connection.poll().await {
                Ok(Event::Incoming(Packet::PubAck(answer)))
                    if answer.reason == PubAckReason::Success =>
                {
                    return Ok(());
                }
                Ok(Event::Incoming(Packet::PubAck(answer))) => {
                    if started.elapsed() > ADMISSION_PATIENCE {
                        let thing = &self.recording.thing;
                        anyhow::bail!("the gateway refuses readings of {thing}: {answer:?}");
                    }
                    sleep(AGAIN).await;
                    self.publish(client, 0);
                }
                event => settle(event).await,
            }
        }
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

/// A lost connection is made anew by the next poll, and what was not acknowledged is sent again.
async fn settle<T>(event: Result<T, rumqttc::v5::ConnectionError>) {
    if event.is_err() {
        sleep(AGAIN).await;
    }
}
