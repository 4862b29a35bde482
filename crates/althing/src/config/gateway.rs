use std::{path::PathBuf, time::Duration};

use althing_edge::{DiskKey, Form, JsonForm, Limits, Pattern, Pointer, Profile, TimeUnit};
use althing_gateway::coap::CoapConfig;
use althing_gateway::http::HttpConfig;
use althing_gateway::{MqttConfig, QueueConfig};
use serde::Deserialize;

use super::devices::{RawCoap, RawHttp};
use super::{Config, mqtt::Mqtt};
use crate::nearest::nearest;

/// What `althing gateway run` needs to know.
#[derive(Debug)]
pub(crate) struct GatewayConfig {
    /// File of the key that signs batches.
    pub(crate) key: PathBuf,
    /// File with the passphrase of that file.
    pub(crate) passphrase_file: Option<PathBuf>,
    /// URLs of the peers it submits to, in order of preference.
    pub(crate) peers: Vec<String>,
    /// Whose things it serves: names in the genesis, or ids; the gateway's own owner if none.
    pub(crate) owners: Vec<String>,
    /// Whether it tells the ledger which things are online: how long a client may be away before.
    pub(crate) tell_online: Option<Duration>,
    /// Its MQTT listener.
    pub(crate) mqtt: MqttConfig,
    /// File of the key that what it keeps is encrypted with, if it is not `key`.
    pub(crate) encryption_key: Option<PathBuf>,
    /// Whether it is encrypted.
    pub(crate) encrypt_at_rest: bool,
    /// Its queue on disk; the key comes with the gateway's own.
    pub(crate) queue: QueueConfig,
    /// Its CoAP listener, if it has one.
    pub(crate) coap: Option<CoapConfig>,
    /// Its HTTP listener, if it has one.
    pub(crate) http: Option<HttpConfig>,
    /// How it serves direct requests, if it does.
    pub(crate) direct: Option<DirectSettings>,
    /// Bounds.
    pub(crate) limits: Limits,
    /// How devices speak, the two standard profiles last.
    pub(crate) profiles: Vec<Profile>,
    /// How long a peer may take to make a batch final.
    pub(crate) answer_timeout: Duration,
    /// How long a shutdown waits for readings to become final.
    pub(crate) drain_timeout: Duration,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    data: String,
    key: String,
    passphrase_file: String,
    encrypt_at_rest: bool,
    encryption_key: String,
    peers: Vec<String>,
    owners: Vec<String>,
    answer_timeout: String,
    drain_timeout: String,
    tell_online: String,
    queue: Queue,
    mqtt: Mqtt,
    coap: RawCoap,
    http: RawHttp,
    direct: RawDirect,
    limits: RawLimits,
    #[serde(default)]
    profiles: Vec<RawProfile>,
}

/// How direct requests are served.
#[derive(Debug, Clone)]
pub(crate) struct DirectSettings {
    /// How old proofs may be.
    pub(crate) age_max: Duration,
    /// How long a device may take to answer.
    pub(crate) answer_timeout: Duration,
    /// Most uses that wait to be recorded.
    pub(crate) waiting_max: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDirect {
    enabled: bool,
    age_max: String,
    answer_timeout: String,
    waiting_max: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Queue {
    segment_bytes: u64,
    retry: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    payload_bytes_max: usize,
    claimed_ahead_max: String,
    batch_readings_max: usize,
    backfill_readings_max: usize,
    batch_age_max: String,
    stream_readings_max: usize,
    queue_bytes_max: usize,
    under_way_max: usize,
    expiry_blocks: u64,
    retry_first: String,
    retry_max: String,
}

/// A profile as the file writes it. Unlike the rest of the file it has no reference to be laid
/// over: a list has as many elements as somebody writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    name: String,
    #[serde(default)]
    preset: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    thing: String,
    #[serde(default)]
    property: String,
    #[serde(default = "auto")]
    form: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    time: String,
    #[serde(default = "milliseconds")]
    time_unit: String,
    #[serde(default)]
    round: bool,
}

fn auto() -> String {
    "auto".to_owned()
}

fn milliseconds() -> String {
    "milliseconds".to_owned()
}

/// Most profiles of a gateway: each is tried on each topic.
const PROFILES_MAX: usize = 256;
/// Most owners whose things a gateway serves.
const OWNERS_MAX: usize = 1024;
/// Most peers that a gateway may submit to.
const PEERS_MAX: usize = 64;

impl Config {
    /// The part that a gateway reads, validated.
    pub(crate) fn gateway(&self) -> anyhow::Result<GatewayConfig> {
        let section: Section = self.document.section("gateway")?;
        if !(1..=PEERS_MAX).contains(&section.peers.len()) {
            let problem = format!("must list 1 to {PEERS_MAX} peers");
            return Err(self.document.wrong("gateway.peers", problem));
        }
        if section.owners.len() > OWNERS_MAX {
            let problem = format!("must list at most {OWNERS_MAX} owners");
            return Err(self.document.wrong("gateway.owners", problem));
        }
        let span = |key: &str, text: &str| self.span(&format!("gateway.{key}"), text);
        let coap = self.coap(&section.coap, section.limits.payload_bytes_max)?;
        let http = self.http(&section.http, section.limits.payload_bytes_max)?;
        let is_asked = coap.is_some() || http.is_some();
        Ok(GatewayConfig {
            key: self.path("gateway.key", &section.key)?,
            passphrase_file: self.optional_path(&section.passphrase_file),
            queue: QueueConfig {
                directory: self.path("gateway.data", &section.data)?,
                segment_bytes: section.queue.segment_bytes,
                retry: span("queue.retry", &section.queue.retry)?,
                key: DiskKey::default(),
            },
            encryption_key: self.optional_path(&section.encryption_key),
            encrypt_at_rest: section.encrypt_at_rest,
            tell_online: match section.tell_online.as_str() {
                "" => None,
                text => Some(span("tell_online", text)?),
            },
            mqtt: self.mqtt(&section.mqtt)?,
            direct: self.direct(&section.direct, is_asked)?,
            coap,
            http,
            limits: self.limits(&section.limits)?,
            profiles: self.profiles(&section.profiles)?,
            answer_timeout: span("answer_timeout", &section.answer_timeout)?,
            drain_timeout: span("drain_timeout", &section.drain_timeout)?,
            peers: section.peers,
            owners: section.owners,
        })
    }

    fn direct(&self, raw: &RawDirect, is_asked: bool) -> anyhow::Result<Option<DirectSettings>> {
        if !raw.enabled {
            return Ok(None);
        }
        if !is_asked {
            let problem = "needs `listen` in [gateway.http] or [gateway.coap], where requests come";
            return Err(self.document.wrong("gateway.direct.enabled", problem));
        }
        let span = |key: &str, text: &str| self.span(&format!("gateway.direct.{key}"), text);
        Ok(Some(DirectSettings {
            age_max: span("age_max", &raw.age_max)?,
            answer_timeout: span("answer_timeout", &raw.answer_timeout)?,
            waiting_max: self.count("gateway.direct.waiting_max", raw.waiting_max)?,
        }))
    }

    fn limits(&self, raw: &RawLimits) -> anyhow::Result<Limits> {
        let span = |key: &str, text: &str| {
            let path = format!("gateway.limits.{key}");
            self.span(&path, text).map(milliseconds_of)
        };
        let limits = Limits {
            payload_bytes_max: raw.payload_bytes_max,
            claimed_ahead_ms_max: span("claimed_ahead_max", &raw.claimed_ahead_max)?,
            batch_readings_max: raw.batch_readings_max,
            backfill_readings_max: raw.backfill_readings_max,
            batch_age_ms_max: span("batch_age_max", &raw.batch_age_max)?,
            stream_readings_max: raw.stream_readings_max,
            queue_bytes_max: raw.queue_bytes_max,
            under_way_max: raw.under_way_max,
            expiry_blocks: raw.expiry_blocks,
            retry_first_ms: span("retry_first", &raw.retry_first)?,
            retry_max_ms: span("retry_max", &raw.retry_max)?,
        };
        limits.check().map_err(|error| self.document.wrong("gateway.limits", error))?;
        Ok(limits)
    }

    fn profiles(&self, raw: &[RawProfile]) -> anyhow::Result<Vec<Profile>> {
        if raw.len() > PROFILES_MAX {
            let problem = format!("at most {PROFILES_MAX} profiles");
            return Err(self.document.wrong("gateway.profiles", problem));
        }
        let read = |raw: &RawProfile| {
            raw.to_profile().map_err(|problem| {
                let problem = format!("profile `{}`: {problem}", raw.name);
                self.document.wrong("gateway.profiles", problem)
            })
        };
        let standard = [Profile::standard(), Profile::standard_pack()].map(Ok);
        raw.iter().map(read).chain(standard).collect()
    }
}

fn milliseconds_of(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl RawProfile {
    fn to_profile(&self) -> Result<Profile, String> {
        let preset = match self.preset.as_str() {
            "" => None,
            "tasmota" => Some(Profile::tasmota()),
            "shelly-gen2" => Some(Profile::shelly_gen2()),
            other => return Err(not_one_of("preset", other, &["tasmota", "shelly-gen2"])),
        };
        if let Some(preset) = preset {
            let topic = match self.topic.as_str() {
                "" => preset.pattern.clone(),
                topic => Pattern::parse(topic).map_err(|error| format!("topic: {error}"))?,
            };
            let name = self.name.clone();
            return Ok(Profile { name, pattern: topic, round: self.round, ..preset });
        }
        let named = |text: &String| (!text.is_empty()).then(|| text.clone());
        Ok(Profile {
            name: self.name.clone(),
            pattern: Pattern::parse(&self.topic).map_err(|error| format!("topic: {error}"))?,
            thing: named(&self.thing),
            property: named(&self.property),
            form: self.form()?,
            round: self.round,
        })
    }

    fn form(&self) -> Result<Form, String> {
        const FORMS: [&str; 7] =
            ["auto", "plain", "json", "fields", "senml-json", "senml-cbor", "signed"];
        match self.form.as_str() {
            "auto" => Ok(Form::Auto),
            "plain" => Ok(Form::Plain),
            "json" => Ok(Form::Json(self.json_form()?)),
            "fields" => Ok(Form::Fields),
            "signed" => Ok(Form::Signed),
            "senml-json" => Ok(Form::SenmlJson),
            "senml-cbor" => Ok(Form::SenmlCbor),
            other => Err(not_one_of("form", other, &FORMS)),
        }
    }

    fn json_form(&self) -> Result<JsonForm, String> {
        let pointer =
            |key: &str, text: &str| Pointer::parse(text).map_err(|error| format!("{key}: {error}"));
        let time_unit = match self.time_unit.as_str() {
            "seconds" => TimeUnit::Seconds,
            "milliseconds" => TimeUnit::Milliseconds,
            other => return Err(not_one_of("time_unit", other, &["seconds", "milliseconds"])),
        };
        let time = (!self.time.is_empty()).then(|| pointer("time", &self.time)).transpose()?;
        Ok(JsonForm { value: pointer("value", &self.value)?, time, time_unit })
    }
}

fn not_one_of(key: &str, given: &str, known: &[&str]) -> String {
    match nearest(given, known.iter().copied()) {
        Some(near) => format!("{key}: `{given}` is not known; did you mean `{near}`?"),
        None => format!("{key}: `{given}` is not known; it is one of {}", known.join(", ")),
    }
}
