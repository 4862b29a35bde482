//! `[gateway.mqtt]` of the configuration: where devices come in, and what they may do.

use std::net::SocketAddr;

use althing_client::model::IdText;
use althing_edge::broker::filter::is_topic_filter;
use althing_edge::{Grant, Principal};
use althing_gateway::{MqttAccess, MqttConfig, MqttUser, RefusalV3, TlsConfig};
use althing_types::EntityId;
use argon2::PasswordHash;
use serde::Deserialize;

use super::Config;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mqtt {
    listen: String,
    relay: Vec<String>,
    connections_max: usize,
    connections_per_address_max: usize,
    connects_per_address_s_max: usize,
    connect_timeout: String,
    write_timeout: String,
    connect_bytes_max: u32,
    packet_bytes_max: u32,
    inflight_max: u16,
    keep_alive_max: String,
    topic_aliases_max: u16,
    sessions_max: usize,
    session_expiry_max: String,
    will_grace: String,
    subscriptions_max: usize,
    queue_bytes_max: usize,
    queues_bytes_max: usize,
    retained_max: usize,
    retained_bytes_max: usize,
    refusal_v3: String,
    websocket: WebSocket,
    tls: Tls,
    anonymous: Anonymous,
    #[serde(default)]
    users: Vec<User>,
    #[serde(default)]
    entities: Vec<Entity>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebSocket {
    listen: String,
    tls_listen: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    listen: String,
    certificate: String,
    key: String,
    client_authority: String,
    client_certificate: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Anonymous {
    allowed: bool,
    things: Vec<String>,
    publish: Vec<String>,
    receive: Vec<String>,
}

/// Somebody who comes with a password or a certificate. It has no reference to be laid over: a list
/// has as many elements as somebody writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    certificate_sha256: String,
    #[serde(default)]
    things: Vec<String>,
    #[serde(default)]
    publish: Vec<String>,
    #[serde(default)]
    receive: Vec<String>,
}

/// An entity of the ledger that comes with a token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entity {
    id: String,
    #[serde(default)]
    things: Vec<String>,
    #[serde(default)]
    publish: Vec<String>,
    #[serde(default)]
    receive: Vec<String>,
}

/// Most users, and most entities with rights of their own.
const USERS_MAX: usize = 16_384;
/// Most things, and most filters, of one of them.
const RIGHTS_MAX: usize = 1024;
/// Longest name of a user, bytes.
const USER_BYTES_MAX: usize = 256;
/// Most memory of one password check, KiB; a hash that wants more is refused.
const PASSWORD_KIB_MAX: u32 = 262_144;

impl Config {
    pub(super) fn mqtt(&self, raw: &Mqtt) -> anyhow::Result<MqttConfig> {
        let span = |key: &str, text: &str| self.span(&format!("gateway.mqtt.{key}"), text);
        let count = |key: &str, value| self.count(&format!("gateway.mqtt.{key}"), value);
        let keep_alive = span("keep_alive_max", &raw.keep_alive_max)?.as_secs();
        let keep_alive_s_max = u16::try_from(keep_alive)
            .map_err(|_| self.wrong("keep_alive_max", "must be at most 65535s"))?;
        let expiry = span("session_expiry_max", &raw.session_expiry_max)?.as_secs();
        let session_expiry_s_max = u32::try_from(expiry)
            .map_err(|_| self.wrong("session_expiry_max", "must be at most 49710d"))?;
        let will_grace = span("will_grace", &raw.will_grace)?.as_secs();
        let will_grace_s = u32::try_from(will_grace)
            .map_err(|_| self.wrong("will_grace", "must be at most a day"))?;
        Ok(MqttConfig {
            listen: self.listen("gateway.mqtt.listen", &raw.listen)?,
            websocket_listen: self.maybe_listen("websocket.listen", &raw.websocket.listen)?,
            tls: self.tls(&raw.tls, &raw.websocket)?,
            access: self.access(raw)?,
            relay: self.relay(&raw.relay)?,
            connections_max: count("connections_max", raw.connections_max)?,
            connections_per_address_max: raw.connections_per_address_max,
            connects_per_address_s_max: raw.connects_per_address_s_max,
            connect_timeout: span("connect_timeout", &raw.connect_timeout)?,
            write_timeout: span("write_timeout", &raw.write_timeout)?,
            connect_bytes_max: raw.connect_bytes_max,
            packet_bytes_max: raw.packet_bytes_max,
            inflight_max: raw.inflight_max,
            keep_alive_s_max,
            topic_aliases_max: raw.topic_aliases_max,
            sessions_max: count("sessions_max", raw.sessions_max)?,
            session_expiry_s_max,
            will_grace_s,
            subscriptions_max: raw.subscriptions_max,
            queue_bytes_max: raw.queue_bytes_max,
            queues_bytes_max: raw.queues_bytes_max,
            retained_max: raw.retained_max,
            retained_bytes_max: raw.retained_bytes_max,
            refusal_v3: match raw.refusal_v3.as_str() {
                "acknowledge" => RefusalV3::AcknowledgeAndLog,
                "close" => RefusalV3::Close,
                other => {
                    let problem = format!("`{other}` is neither `acknowledge` nor `close`");
                    return Err(self.wrong("refusal_v3", problem));
                }
            },
        })
    }

    fn relay(&self, filters: &[String]) -> anyhow::Result<Vec<String>> {
        match filters.iter().find(|text| !is_topic_filter(text)) {
            Some(wrong) => Err(self.wrong("relay", format!("`{wrong}` is no topic filter"))),
            None if filters.len() > RIGHTS_MAX => {
                Err(self.wrong("relay", format!("must list at most {RIGHTS_MAX}")))
            }
            None => Ok(filters.to_vec()),
        }
    }

    fn wrong(&self, key: &str, problem: impl std::fmt::Display) -> anyhow::Error {
        self.document.wrong(&format!("gateway.mqtt.{key}"), problem)
    }

    fn maybe_listen(&self, key: &str, text: &str) -> anyhow::Result<Option<SocketAddr>> {
        let listen = || self.listen(&format!("gateway.mqtt.{key}"), text);
        if text.is_empty() { Ok(None) } else { listen().map(Some) }
    }

    fn tls(&self, raw: &Tls, websocket: &WebSocket) -> anyhow::Result<Option<TlsConfig>> {
        let listen = self.maybe_listen("tls.listen", &raw.listen)?;
        let websocket_listen = self.maybe_listen("websocket.tls_listen", &websocket.tls_listen)?;
        let client_authority = self.optional_path(&raw.client_authority);
        let is_client_certificate_required = match raw.client_certificate.as_str() {
            "optional" => false,
            "required" => true,
            other => {
                let problem = format!("`{other}` is neither `optional` nor `required`");
                return Err(self.wrong("tls.client_certificate", problem));
            }
        };
        if is_client_certificate_required && client_authority.is_none() {
            let problem = "must name the authority, since client certificates are required";
            return Err(self.wrong("tls.client_authority", problem));
        }
        if listen.is_none() && websocket_listen.is_none() {
            return Ok(None);
        }
        for (key, file) in [
            ("certificate", Some(&raw.certificate)),
            ("key", Some(&raw.key)),
            ("client_authority", client_authority.is_some().then_some(&raw.client_authority)),
        ] {
            let Some(file) = file else { continue };
            let path = self.path(&format!("gateway.mqtt.tls.{key}"), file)?;
            if !path.is_file() {
                let problem = format!("names {}, which is not there", path.display());
                return Err(self.wrong(&format!("tls.{key}"), problem));
            }
        }
        Ok(Some(TlsConfig {
            listen,
            websocket_listen,
            certificate: self.path("gateway.mqtt.tls.certificate", &raw.certificate)?,
            key: self.path("gateway.mqtt.tls.key", &raw.key)?,
            client_authority,
            is_client_certificate_required,
        }))
    }

    fn access(&self, raw: &Mqtt) -> anyhow::Result<MqttAccess> {
        for (key, len) in [("users", raw.users.len()), ("entities", raw.entities.len())] {
            if len > USERS_MAX {
                return Err(self.wrong(key, format!("must list at most {USERS_MAX}")));
            }
        }
        let Anonymous { allowed, things, publish, receive } = &raw.anonymous;
        let grant = self.grant("anonymous", things, publish, receive)?;
        let mut grants = vec![(Principal::Anonymous, grant)];
        let mut users = Vec::new();
        for user in &raw.users {
            if users.iter().any(|known: &MqttUser| known.name == user.name) {
                return Err(self.wrong("users", format!("`{}` stands twice", user.name)));
            }
            users.push(self.user(user)?);
            let grant = self.grant("users", &user.things, &user.publish, &user.receive)?;
            grants.push((Principal::User(user.name.clone()), grant));
        }
        for entity in &raw.entities {
            let id = entity.id.parse::<IdText>().map_err(|_| {
                self.wrong("entities", format!("`{}` is no id of an entity", entity.id))
            })?;
            let grant = self.grant("entities", &entity.things, &entity.publish, &entity.receive)?;
            grants.push((Principal::Entity(EntityId(id.id)), grant));
        }
        Ok(MqttAccess { is_anonymous_allowed: *allowed, users, grants })
    }

    fn user(&self, raw: &User) -> anyhow::Result<MqttUser> {
        let wrong = |problem: &str| self.wrong("users", format!("user `{}`: {problem}", raw.name));
        if !(1..=USER_BYTES_MAX).contains(&raw.name.len()) {
            return Err(wrong("a name has 1 to 256 bytes"));
        }
        if raw.password.is_empty() && raw.certificate_sha256.is_empty() {
            return Err(wrong("needs `password` or `certificate_sha256`"));
        }
        if !raw.password.is_empty() && !is_hash(&raw.password) {
            return Err(wrong(
                "`password` is no Argon2id hash; make one: althing gateway password",
            ));
        }
        let fingerprint = (!raw.certificate_sha256.is_empty()).then_some(&raw.certificate_sha256);
        let fingerprint = fingerprint.map(|text| {
            let digits = text.replace(':', "");
            let bytes = hex::decode(digits).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or_else(|| wrong("`certificate_sha256` has not 64 hex digits"))
        });
        Ok(MqttUser {
            name: raw.name.clone(),
            password_hash: (!raw.password.is_empty()).then(|| raw.password.clone()),
            certificate_sha256: fingerprint.transpose()?,
        })
    }

    fn grant(
        &self,
        key: &str,
        things: &[String],
        publish: &[String],
        receive: &[String],
    ) -> anyhow::Result<Grant> {
        if things.len().max(publish.len()).max(receive.len()) > RIGHTS_MAX {
            return Err(self.wrong(key, format!("must list at most {RIGHTS_MAX} of each")));
        }
        if let Some(wrong) = publish.iter().chain(receive).find(|text| !is_topic_filter(text)) {
            return Err(self.wrong(key, format!("`{wrong}` is no topic filter")));
        }
        let (things, publish, receive) = (things.to_vec(), publish.to_vec(), receive.to_vec());
        Ok(Grant { things, publish, receive })
    }
}

/// Whether a text is a hash that may be checked against.
fn is_hash(text: &str) -> bool {
    let Ok(hash) = PasswordHash::new(text) else { return false };
    let memory = hash.params.get_decimal("m").unwrap_or(u32::MAX);
    hash.algorithm.as_str() == "argon2id" && hash.hash.is_some() && memory <= PASSWORD_KIB_MAX
}
