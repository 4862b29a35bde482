//! Devices that come by CoAP or HTTP.

use std::fs;

use althing_gateway::coap::{Anonymous, CoapConfig, Device};
use althing_gateway::http::HttpConfig;
use rand::{RngCore as _, rngs::OsRng};
use serde::Deserialize;

use super::Config;

/// Most devices of one listener.
const DEVICES_MAX: usize = 4096;
/// Longest key or token, bytes.
const SECRET_BYTES_MAX: usize = 256;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCoap {
    listen: String,
    listen_secure: String,
    devices: Vec<String>,
    anonymous: String,
    sessions_max: usize,
    handshakes_of_address_max: usize,
    handshake_timeout: String,
    session_timeout: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttp {
    listen: String,
    devices: Vec<String>,
    anonymous: String,
    connections_max: usize,
    read_timeout: String,
    connection_timeout: String,
}

impl Config {
    pub(super) fn coap(
        &self,
        raw: &RawCoap,
        body_bytes_max: usize,
    ) -> anyhow::Result<Option<CoapConfig>> {
        let listen = |key: &str, text: &String| match text.as_str() {
            "" => Ok(None),
            text => self.listen(&format!("gateway.coap.{key}"), text).map(Some),
        };
        let span = |key: &str, text: &str| self.span(&format!("gateway.coap.{key}"), text);
        let count = |key: &str, value| self.count(&format!("gateway.coap.{key}"), value);
        let config = CoapConfig {
            listen: listen("listen", &raw.listen)?,
            listen_secure: listen("listen_secure", &raw.listen_secure)?,
            devices: self.devices("gateway.coap.devices", &raw.devices)?,
            anonymous: self.anonymous("gateway.coap.anonymous", &raw.anonymous)?,
            secret: secret(),
            body_bytes_max,
            sessions_max: count("sessions_max", raw.sessions_max)?,
            handshakes_of_address_max: count(
                "handshakes_of_address_max",
                raw.handshakes_of_address_max,
            )?,
            handshake_timeout: span("handshake_timeout", &raw.handshake_timeout)?,
            session_timeout: span("session_timeout", &raw.session_timeout)?,
        };
        let listens = config.listen.is_some() || config.listen_secure.is_some();
        Ok(listens.then_some(config))
    }

    pub(super) fn http(
        &self,
        raw: &RawHttp,
        body_bytes_max: usize,
    ) -> anyhow::Result<Option<HttpConfig>> {
        if raw.listen.is_empty() {
            return Ok(None);
        }
        let span = |key: &str, text: &str| self.span(&format!("gateway.http.{key}"), text);
        Ok(Some(HttpConfig {
            listen: self.listen("gateway.http.listen", &raw.listen)?,
            devices: self.devices("gateway.http.devices", &raw.devices)?,
            anonymous: self.anonymous("gateway.http.anonymous", &raw.anonymous)?,
            body_bytes_max,
            connections_max: self.count("gateway.http.connections_max", raw.connections_max)?,
            read_timeout: span("read_timeout", &raw.read_timeout)?,
            connection_timeout: span("connection_timeout", &raw.connection_timeout)?,
        }))
    }

    fn anonymous(&self, key: &str, text: &str) -> anyhow::Result<Anonymous> {
        match text {
            "nobody" => Ok(Anonymous::Nobody),
            "signed" => Ok(Anonymous::Signed),
            "anybody" => Ok(Anonymous::Anybody),
            other => {
                let problem = format!("`{other}` is not `nobody`, `signed` or `anybody`");
                Err(self.document.wrong(key, problem))
            }
        }
    }

    /// Each `NAME FILE TOPIC [TOPIC ...]`.
    fn devices(&self, key: &str, raw: &[String]) -> anyhow::Result<Vec<Device>> {
        if raw.len() > DEVICES_MAX {
            return Err(self.document.wrong(key, format!("must list at most {DEVICES_MAX}")));
        }
        raw.iter().map(|text| self.device(key, text)).collect()
    }

    fn device(&self, key: &str, text: &str) -> anyhow::Result<Device> {
        let mut words = text.split_whitespace();
        let (Some(name), Some(file)) = (words.next(), words.next()) else {
            let problem = format!("`{text}` is not of the form NAME FILE TOPIC [TOPIC ...]");
            return Err(self.document.wrong(key, problem));
        };
        let path = self.path(key, file)?;
        let read = fs::read_to_string(&path).map_err(|error| {
            self.document.wrong(key, format!("cannot read {}: {error}", path.display()))
        })?;
        let secret = read.lines().next().unwrap_or_default().trim().as_bytes().to_vec();
        if !(1..=SECRET_BYTES_MAX).contains(&secret.len()) {
            let problem = format!("{} has no key in its first line", path.display());
            return Err(self.document.wrong(key, problem));
        }
        let (name, topics) = (name.to_owned(), words.map(str::to_owned).collect());
        Ok(Device { name, secret, topics })
    }
}

/// What makes echoes that nobody can foresee.
fn secret() -> [u8; 32] {
    let mut secret = [0; 32];
    OsRng.fill_bytes(&mut secret);
    secret
}
