//! The disk of a peer is full.
//!
//! A small file system of its own is mounted for one peer, in a namespace where any user may do so.

use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;

use crate::support::{Network, until};

const STREAM: &str = "boiler/temperature";
const TOPIC: &str = "althing/boiler/temperature";

/// Runs a peer on a small disk, fills that when told to, frees it when told to, and runs it again.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=48m tmpfs "$DATA"
echo mounted
"$ALTHING" peer run --config "$CONFIG" 2>"$LOG" &
peer=$!
read fill
dd if=/dev/zero of="$DATA/filler" bs=64k 2>/dev/null || echo full
if wait $peer; then echo "ended as if nothing had happened"; else echo ended; fi
"$ALTHING" peer run --config "$CONFIG" 2>"$LOG.again" || echo refused
read free
rm "$DATA/filler"
"$ALTHING" peer run --config "$CONFIG" --exit-with-parent 2>"$LOG.later"
"$ALTHING" peer check --config "$CONFIG" --json
"#;

/// The script, which ends with the test.
struct Script {
    child: Child,
    orders: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Script {
    fn start(network: &Network) -> Self {
        let data = network.path("peer-4/data");
        std::fs::create_dir_all(&data).unwrap();
        let mut child = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "--kill-child", "sh", "-c", SCRIPT])
            .env("ALTHING", env!("CARGO_BIN_EXE_althing"))
            .env("DATA", data)
            .env("CONFIG", network.config(3))
            .env("LOG", network.path("peer-4/log.txt"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs `unshare`; install it with: apt-get install util-linux");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { orders: child.stdin.take(), child, lines }
    }

    fn order(&mut self) {
        writeln!(self.orders.as_mut().unwrap()).unwrap();
    }

    fn expect(&mut self, what: &str) {
        let line = self.lines.next().and_then(Result::ok);
        assert_eq!(
            line.as_deref(),
            Some(what),
            "this test needs user namespaces and tmpfs (Linux)"
        );
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn held(network: &Network, peer: usize) -> Option<usize> {
    let readings = network.try_ask(peer, &["reading", "list", STREAM])?;
    let complete = readings["unavailable"].as_array().is_none_or(Vec::is_empty);
    let count = readings["items"].as_array()?.len();
    complete.then_some(count)
}

#[test]
fn a_peer_with_a_full_disk_says_so_stops_and_goes_on_when_there_is_space() {
    let mut network = Network::found();
    (0..3).for_each(|peer| network.start_peer(peer));
    let mut script = Script::start(&network);
    script.expect("mounted");
    network.wait_until_ready();
    network.start_gateway();
    network.add_thing(1, "boiler", "temperature");
    network.publish(TOPIC, "1.00");
    until("the reading at the peer", || (held(&network, 3)? == 1).then_some(()));

    script.order();
    script.expect("full");
    script.expect("ended");
    // Nobody's readings wait for it: three of four are a quorum.
    network.publish(TOPIC, "2.00");
    until("a reading without the peer", || (held(&network, 0)? == 2).then_some(()));
    script.expect("refused");
    for log in ["log.txt", "log.txt.again"] {
        let log = std::fs::read_to_string(network.path(&format!("peer-4/{log}"))).unwrap();
        assert!(log.contains("is full\n"), "{log}");
        assert!(log.contains("next: free some space, then start the peer again"), "{log}");
    }

    script.order();
    until("all readings at the peer", || (held(&network, 3)? == 2).then_some(()));
    script.orders = None;
    let report = script.lines.next().unwrap().unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let found = (&report["ok"], &report["missing"], &report["broken_at"]);
    assert_eq!(found, (&Value::from(true), &Value::from(0), &Value::Null), "{report}");
    network.stop();
}
