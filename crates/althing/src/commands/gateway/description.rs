//! The Thing Description of a thing, with the addresses at which a gateway really serves it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use althing_client::model::Thing;
use althing_gateway::coap::Anonymous;
use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value, json};

use crate::config::{Config, GatewayConfig};
use crate::lookup;
use crate::output::write_out;
use crate::report::failed;
use crate::session::{Explain as _, block_on, client};

/// Prints a Thing Description with forms for the protocols and addresses that this gateway serves,
/// and for its peers.
#[derive(Debug, Args)]
pub(crate) struct Description {
    /// Its name, DID or hex id.
    thing: String,
    /// The gateway's configuration.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
    /// Host by which others reach this gateway, if not by the addresses it listens on.
    #[arg(long)]
    host: Option<String>,
}

impl Description {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let settings = Config::load(&self.config)?.gateway()?;
        let peer = client(settings.peers.first().context("no peer is configured")?)?;
        let (thing, registered) = block_on(async {
            let thing = lookup::thing(&peer, &self.thing).await?;
            let registered = peer.description(&thing.hex, None).await.explain()?;
            Ok((thing, registered))
        })?;
        let registered = serde_json::from_slice(&registered).context("it is no JSON object")?;
        let doors = Doors::of(&settings, self.host.as_deref())?;
        let described = describe(registered, &thing, &doors);
        write_out(&serde_json::to_string_pretty(&described)?)
    }
}

/// Where a thing's properties can be reached.
#[derive(Debug, Default)]
struct Doors {
    /// Base, scheme of security.
    mqtt: Vec<(String, Security)>,
    coap: Vec<(String, Security)>,
    http: Vec<(String, Security)>,
    peers: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    Nobody,
    Password,
    Token,
    SharedKey,
}

impl Security {
    const ALL: [Self; 4] = [Self::Nobody, Self::Password, Self::Token, Self::SharedKey];

    const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "althing_nosec",
            Self::Password => "althing_password",
            Self::Token => "althing_token",
            Self::SharedKey => "althing_psk",
        }
    }

    fn definition(self) -> Value {
        match self {
            Self::Nobody => json!({ "scheme": "nosec" }),
            Self::Password => json!({ "scheme": "basic", "in": "auto" }),
            Self::Token => json!({ "scheme": "bearer", "in": "header" }),
            Self::SharedKey => json!({ "scheme": "psk" }),
        }
    }
}

impl Doors {
    /// Those of a gateway that let something be read.
    fn of(settings: &GatewayConfig, host: Option<&str>) -> anyhow::Result<Self> {
        let mut doors = Self { peers: settings.peers.clone(), ..Self::default() };
        let base = |scheme: &str, listen: SocketAddr| base(scheme, listen, host);
        let mqtt = &settings.mqtt;
        let by_mqtt =
            if mqtt.access.is_anonymous_allowed { Security::Nobody } else { Security::Password };
        let tls = mqtt.tls.as_ref();
        for (scheme, listen) in [
            ("mqtt", Some(mqtt.listen)),
            ("ws", mqtt.websocket_listen),
            ("mqtts", tls.and_then(|tls| tls.listen)),
            ("wss", tls.and_then(|tls| tls.websocket_listen)),
        ] {
            if let Some(listen) = listen {
                doors.mqtt.push((base(scheme, listen)?, by_mqtt));
            }
        }
        if let Some(coap) = &settings.coap {
            if let (Some(listen), Anonymous::Anybody) = (coap.listen, coap.anonymous) {
                doors.coap.push((base("coap", listen)?, Security::Nobody));
            }
            if let Some(listen) = coap.listen_secure {
                doors.coap.push((base("coaps", listen)?, Security::SharedKey));
            }
        }
        if let Some(http) = &settings.http {
            let is_open = http.anonymous == Anonymous::Anybody;
            let by_http = if is_open { Security::Nobody } else { Security::Token };
            doors.http.push((base("http", http.listen)?, by_http));
        }
        Ok(doors)
    }
}

fn base(scheme: &str, listen: SocketAddr, host: Option<&str>) -> anyhow::Result<String> {
    let port = listen.port();
    match (host, listen.ip()) {
        (Some(host), _) => Ok(format!("{scheme}://{host}:{port}")),
        (None, ip) if ip.is_unspecified() => Err(failed(
            format!("the gateway listens on {listen}, which is nobody's address"),
            "--host NAME says by which name or address others reach it",
        )),
        (None, IpAddr::V6(ip)) => Ok(format!("{scheme}://[{ip}]:{port}")),
        (None, IpAddr::V4(ip)) => Ok(format!("{scheme}://{ip}:{port}")),
    }
}

/// The description with forms that hold, in place of those that its owner wrote.
fn describe(mut registered: Map<String, Value>, thing: &Thing, doors: &Doors) -> Value {
    registered.insert("id".to_owned(), json!(thing.id));
    let definitions = registered.entry("securityDefinitions").or_insert_with(|| json!({}));
    if let Value::Object(definitions) = definitions {
        for security in Security::ALL {
            definitions.insert(security.name().to_owned(), security.definition());
        }
    }
    if let Some(Value::Object(properties)) = registered.get_mut("properties") {
        let served = thing.properties.iter().map(|property| property.name.as_str());
        for name in served {
            if let Some(Value::Object(property)) = properties.get_mut(name) {
                property.insert("forms".to_owned(), forms(thing, name, doors));
            }
        }
    }
    Value::Object(registered)
}

fn forms(thing: &Thing, property: &str, doors: &Doors) -> Value {
    let mut forms = Vec::new();
    let path = format!("althing/{}/{}", segment(&thing.name), segment(property));
    for (base, security) in &doors.mqtt {
        let filter = format!("althing/{}/{property}", thing.name);
        forms.push(json!({
            "href": base, "op": ["observeproperty", "unobserveproperty"],
            "mqv:controlPacket": "subscribe", "mqv:filter": filter, "security": security.name(),
        }));
    }
    for (base, security) in &doors.coap {
        let href = format!("{base}/{path}");
        forms.push(json!({
            "href": href, "op": "readproperty", "cov:method": "GET",
            "contentType": "application/senml+json", "security": security.name(),
        }));
        forms.push(json!({
            "href": href, "op": ["observeproperty", "unobserveproperty"], "cov:method": "GET",
            "subprotocol": "cov:observe", "security": security.name(),
        }));
    }
    for (base, security) in &doors.http {
        forms.push(json!({
            "href": format!("{base}/{path}"), "op": "readproperty", "htv:methodName": "GET",
            "contentType": "application/senml+json", "security": security.name(),
        }));
    }
    for peer in &doors.peers {
        let (base, id) = (peer.trim_end_matches('/'), &thing.id);
        let property = segment(property);
        forms.push(json!({
            "href": format!("{base}/v1/things/{id}/properties/{property}"), "op": "readproperty",
            "htv:methodName": "GET", "contentType": "application/json",
            "security": Security::Nobody.name(),
        }));
    }
    Value::Array(forms)
}

/// A text as one segment of a path (RFC 3986 §3.3).
fn segment(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing() -> Thing {
        let id = "did:althing:demo:US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx";
        let property = json!({
            "name": "top temperature", "stream": "11".repeat(32), "kind": "number", "unit": "Cel",
        });
        let thing = json!({
            "id": id, "hex": "22".repeat(32), "name": "press 2", "title": "Press", "owner": id,
            "version": 1, "description_digest": "33".repeat(32), "active": true, "types": [],
            "bindings": [], "properties": [property],
        });
        serde_json::from_value(thing).unwrap()
    }

    #[test]
    fn a_description_has_forms_for_what_is_served_and_is_valid() {
        let doors = Doors {
            mqtt: vec![("mqtt://gate:1883".into(), Security::Password)],
            coap: vec![("coaps://gate:5684".into(), Security::SharedKey)],
            http: vec![("http://gate:8080".into(), Security::Token)],
            peers: vec!["http://peer:8701/".into()],
        };
        let registered = json!({
            "@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "Press",
            "security": "none", "securityDefinitions": { "none": { "scheme": "nosec" } },
            "properties": { "top temperature": {
                "type": "number", "multipleOf": 0.1, "forms": [{ "href": "urn:none" }] } },
        });
        let Value::Object(registered) = registered else { panic!("an object") };
        let described = describe(registered, &thing(), &doors);
        let text = serde_json::to_vec(&described).unwrap();
        assert_eq!(althing_ledger::thing::explain(&text), None, "{described:#}");
        let forms = described["properties"]["top temperature"]["forms"].as_array().unwrap();
        let hrefs: Vec<&str> = forms.iter().map(|form| form["href"].as_str().unwrap()).collect();
        let did = thing().id;
        let path = "althing/press%202/top%20temperature";
        assert_eq!(
            hrefs,
            [
                "mqtt://gate:1883",
                &format!("coaps://gate:5684/{path}"),
                &format!("coaps://gate:5684/{path}"),
                &format!("http://gate:8080/{path}"),
                &format!("http://peer:8701/v1/things/{did}/properties/top%20temperature"),
            ]
        );
        assert_eq!(forms[0]["mqv:filter"], "althing/press 2/top temperature");
        let definitions = described["securityDefinitions"].as_object().unwrap();
        assert!(forms.iter().all(|f| definitions.contains_key(f["security"].as_str().unwrap())));
    }

    #[test]
    fn an_address_that_is_nobodys_needs_a_name() {
        let anywhere = SocketAddr::from(([0, 0, 0, 0], 5683));
        assert!(base("coap", anywhere, None).is_err());
        assert_eq!(
            base("coap", anywhere, Some("gate.example")).unwrap(),
            "coap://gate.example:5683"
        );
        let v6 = "[2001:db8::1]:5683".parse().unwrap();
        assert_eq!(base("coap", v6, None).unwrap(), "coap://[2001:db8::1]:5683");
    }
}
