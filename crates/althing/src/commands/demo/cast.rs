//! Who takes part in the demo.

use std::net::SocketAddr;

use althing_types::Mode;

use super::DemoCommand;
use crate::{
    founding::{Endpoints, Plan, gateway_config},
    ports::Reservations,
};

/// The first peer's interface, and how far apart those of the peers are.
const PORT: u16 = 4464;
const PORT_STEP: u16 = 10;
/// The port registered for MQTT.
const MQTT_PORT: u16 = 1883;
/// Those who share data here without having to trust each other.
const ORGANISATIONS: [&str; 4] = ["Steelworks", "Office Park", "Road Authority", "Auditors"];

/// Where everybody listens.
#[derive(Debug)]
pub(super) struct Places {
    /// The peers.
    pub(super) peers: Vec<Endpoints>,
    /// The gateway.
    pub(super) mqtt: SocketAddr,
}

/// A network of as many organisations as peers.
pub(super) fn plan(peers: usize) -> Plan {
    let named = ORGANISATIONS.iter().map(|name| (*name).to_owned());
    let further = (ORGANISATIONS.len()..).map(|index| format!("Organisation {}", index + 1));
    let organisations = named.chain(further).take(peers).collect();
    // Two or three peers tolerate no fault, so no share of the votes is too large among them.
    Plan::even("demo".to_owned(), Mode::Consortium, organisations, peers)
}

impl Places {
    /// Finds ports, and holds them until the caller drops what it gets beside.
    pub(super) fn find(command: &DemoCommand) -> anyhow::Result<(Self, Reservations)> {
        let mut ports = Reservations::default();
        let mut peers = Vec::new();
        for index in 0..command.peers {
            peers.push(endpoints(command, &mut ports, index)?);
        }
        let mqtt = match command.mqtt_port {
            Some(port) => ports.insist(port, "--mqtt-port")?,
            None => ports.prefer(MQTT_PORT)?,
        };
        Ok((Self { peers, mqtt }, ports))
    }

    /// The gateway's configuration: as in the field, but quick to try again, since everybody starts
    /// at once here, serving the things of all, and rounding, since some recordings show the noise of binary floats.
    pub(super) fn gateway_config(&self, owners: &[String]) -> String {
        const MORE: &str = "\n[gateway.limits]\nbatch_age_max = \"20ms\"\nretry_first = \"10ms\"\nretry_max = \"500ms\"\n\n\
             [[gateway.profiles]]\nname = \"recordings\"\ntopic = \"althing/{thing}/{property}\"\nround = true\n";
        gateway_config("demo", self.mqtt, &self.peers, owners, MORE)
    }
}

fn endpoints(
    command: &DemoCommand,
    ports: &mut Reservations,
    index: usize,
) -> anyhow::Result<Endpoints> {
    let up = u16::try_from(index).ok().and_then(|index| index.checked_mul(PORT_STEP));
    let above = |first: u16| up.and_then(|up| first.checked_add(up)).unwrap_or(0);
    let api = match command.port {
        Some(first) => ports.insist(above(first), "--port")?,
        None => ports.prefer(above(PORT))?,
    };
    let p2p = ports.prefer(api.port().checked_add(1).unwrap_or(0))?;
    Ok(Endpoints { p2p, api })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, founding::found};

    #[test]
    fn any_number_of_peers_founds_a_network() {
        for peers in [1, 2, 3, 4, 7, 10] {
            let plan = plan(peers);
            assert_eq!((plan.organisations.len(), plan.peers.len()), (peers, peers));
            found(&plan).unwrap();
        }
    }

    #[test]
    fn the_gateways_configuration_is_one() {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let places = Places { peers: vec![Endpoints { p2p: at(2), api: at(1) }], mqtt: at(3) };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, places.gateway_config(&["Works \"A\"".into()])).unwrap();
        let gateway = Config::load(&path).unwrap().gateway().unwrap();
        assert_eq!(gateway.owners, ["Works \"A\""]);
        assert!(gateway.profiles[0].round && gateway.profiles.len() == 3);
    }
}
