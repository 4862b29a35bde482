//! Devices of the procedures: unmodified MQTT clients, which know nothing of ledgers.

use std::net::SocketAddr;

use anyhow::Context as _;

/// A client of Mosquitto at a gateway.
pub(super) fn mosquitto(
    tool: &str,
    mqtt: SocketAddr,
    arguments: &[&str],
) -> tokio::process::Command {
    let (host, port) = (mqtt.ip().to_string(), mqtt.port().to_string());
    let mut command = tokio::process::Command::new(tool);
    command.args(["-h", &host, "-p", &port, "-q", "1", "-V", "5"]).args(arguments);
    command.stdout(std::process::Stdio::piped()).kill_on_drop(true);
    command
}

/// Publishes as a device would; what the client said if the gateway did not take it.
pub(super) async fn publish(
    mqtt: SocketAddr,
    login: &[&str],
    topic: &str,
    message: &str,
) -> anyhow::Result<Result<(), String>> {
    let mut command = mosquitto("mosquitto_pub", mqtt, login);
    let output = command.args(["-t", topic, "-m", message]).output().await;
    let output = output.context("cannot run mosquitto_pub: apt-get install mosquitto-clients")?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    // A publish that is refused is told on standard error, and not by the exit status.
    Ok(if output.status.success() && said.is_empty() { Ok(()) } else { Err(said) })
}
