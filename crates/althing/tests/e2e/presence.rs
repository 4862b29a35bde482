//! Who goes and comes back among the peers is told by the others, to programs too.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

use serde_json::Value;

use crate::support::{Network, PATIENCE};

/// What a peer tells of others, from a connection that is kept.
struct Told(BufReader<TcpStream>);

impl Told {
    fn by(network: &Network, peer: usize) -> Self {
        let url = network.url(peer);
        let address = url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET /v1/peers/changes HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// The next change of a kind: the key of the peer.
    fn next(&mut self, wanted: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the peer ended the stream");
            let Some(data) = line.strip_prefix("data: ") else { continue };
            let change: Value = serde_json::from_str(data).unwrap();
            if change["change"] == wanted {
                assert_ne!(change["name"], "", "{change}");
                return change["key"].as_str().unwrap().to_owned();
            }
        }
    }
}

#[test]
fn a_peer_that_is_killed_is_told_lost_by_every_other_and_then_back() {
    let mut network = Network::start();
    let mut told: Vec<Told> = (0..3).map(|peer| Told::by(&network, peer)).collect();
    // Each of them has been connected to the three others.
    for told in &mut told {
        (0..3).for_each(|_| drop(told.next("came")));
    }
    network.kill_peer(3);
    let lost: Vec<String> = told.iter_mut().map(|told| told.next("lost")).collect();
    assert!(lost.iter().all(|key| *key == lost[0]), "{lost:?}");
    network.start_peer(3);
    let back: Vec<String> = told.iter_mut().map(|told| told.next("back")).collect();
    assert_eq!(back, lost);
    network.stop();
}
