//! Adapt MQTT to the gateway machine.
