//! Replay recordings of real sensors as devices that publish over MQTT.

pub(crate) mod catalogue;
pub(crate) mod device;
mod recording;
