//! Run the binary, and networks of it.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// How long something may take before it must be called missing; generous, for machines are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);
/// How often something is looked for.
const POLL: Duration = Duration::from_millis(50);

/// The binary with arguments, without what the environment says about peers and keys.
pub(crate) fn althing(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_althing"));
    for variable in ["ALTHING_PEER", "ALTHING_KEY", "ALTHING_GENESIS", "ALTHING_PASSPHRASE"] {
        command.env_remove(variable);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    althing(arguments).output().expect("the binary can be run")
}

/// Runs it to its end, which must be good; its standard output.
pub(crate) fn must(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", error_text(&output));
    String::from_utf8(output.stdout).expect("output is text")
}

/// Runs it to its end, which must be an error; its standard error.
pub(crate) fn must_fail(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?} should have failed");
    error_text(&output)
}

pub(crate) fn error_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Looks until something is there.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(POLL);
    }
}

/// A program of the system that a test needs.
pub(crate) fn tool(name: &str, install: &str) -> Command {
    let found = Command::new(name).arg("--help").output();
    assert!(found.is_ok(), "this test needs `{name}`; install it with: {install}");
    Command::new(name)
}

/// A path as text.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}

/// A running peer or gateway; it ends with the test, however the test ends.
pub(crate) struct Process {
    child: Child,
    lifeline: Option<ChildStdin>,
}

impl Process {
    /// Starts `peer run` or `gateway run`.
    pub(crate) fn start(command: &str, config: &Path) -> Self {
        let log = config.with_file_name("log.txt");
        Self::start_with(command, &["--config", text(config)], &log)
    }

    /// The same with these arguments.
    pub(crate) fn start_with(command: &str, arguments: &[&str], log: &Path) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(log);
        let mut child = althing(&[&[command, "run", "--exit-with-parent"], arguments].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log.expect("the log can be written"))
            .spawn()
            .expect("the binary can be run");
        Self { lifeline: child.stdin.take(), child }
    }

    /// Lets it end in good order.
    pub(crate) fn stop(mut self) {
        self.lifeline = None;
        let status = self.child.wait().expect("it can be waited for");
        assert!(status.success(), "ended with {status}");
    }

    /// Lets it end in good order, which must tell of something that failed before.
    pub(crate) fn stop_badly(mut self) {
        self.lifeline = None;
        let status = self.child.wait().expect("it can be waited for");
        assert!(!status.success(), "ended with {status}");
    }

    /// Waits until it has ended by itself, which must be with success.
    pub(crate) fn ended_well(mut self) {
        let status = self.child.wait().expect("it can be waited for");
        assert!(status.success(), "ended with {status}");
    }

    /// The most memory that it had at a time, bytes.
    pub(crate) fn memory_max(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("as Linux tells");
        let kib: u64 =
            line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("KiB");
        kib * 1024
    }

    /// Ends it as a loss of power would, as far as a process can tell.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be waited for");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A network of four peers and a gateway, each a process.
pub(crate) struct Network {
    folder: TempDir,
    port: u16,
    mqtt_port: u16,
    pub(crate) peers: Vec<Option<Process>>,
    gateway: Option<Process>,
}

/// How far apart the ports of peers are, as `network new` has it.
const PORT_STEP: u16 = 10;
/// The ports of a network, with those of its gateway.
const PORT_BLOCK: u16 = 50;
const PEERS: u16 = 4;

impl Network {
    /// Founds a network and starts its peers.
    pub(crate) fn start() -> Self {
        let mut network = Self::found();
        (0..usize::from(PEERS)).for_each(|index| network.start_peer(index));
        network.wait_until_ready();
        network
    }

    /// Founds a network whose peers are not started yet.
    pub(crate) fn found() -> Self {
        Self::found_with(&[])
    }

    /// The same, with more arguments for `network new`.
    pub(crate) fn found_with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (port, mqtt_port) = free_ports();
        let files = folder.path().join("net");
        let (port_text, mqtt_text) = (port.to_string(), mqtt_port.to_string());
        let new = [
            "network",
            "new",
            text(&files),
            "--name",
            "test",
            "--insecure-keys",
            "--port",
            &port_text,
            "--mqtt-port",
            &mqtt_text,
        ];
        must(&[&new[..], more].concat());
        let peers = (0..PEERS).map(|_| None).collect();
        Self { folder, port, mqtt_port, peers, gateway: None }
    }

    /// Starts a peer, or starts it again.
    pub(crate) fn start_peer(&mut self, index: usize) {
        let config = self.config(index);
        self.peers[index] = Some(Process::start("peer", &config));
    }

    /// Ends a peer as a loss of power would.
    pub(crate) fn kill_peer(&mut self, index: usize) {
        self.peers[index].take().expect("the peer runs").kill();
    }

    /// Waits until every peer takes transactions.
    pub(crate) fn wait_until_ready(&self) {
        for index in 0..usize::from(PEERS) {
            until("a peer that takes transactions", || {
                let status = self.try_ask(index, &["peer", "status"])?;
                (status["health"]["state"] != "unavailable").then_some(())
            });
        }
    }

    /// Registers the gateway with the first organisation, and starts it.
    pub(crate) fn start_gateway(&mut self) {
        let (key, organisation) = (self.path("gateway/keys/gateway.json"), self.organisation(0));
        self.ask(
            0,
            &[
                "entity",
                "register",
                "--kind",
                "gateway",
                "--name",
                "gateway",
                "--entity-key",
                text(&key),
                "--key",
                text(&organisation),
            ],
        );
        let config = self.path("gateway/config.toml");
        let written = std::fs::read_to_string(&config).expect("it can be read");
        if !written.contains("owners") {
            // Things of all four are bound to it.
            let names = (1..=PEERS).map(|number| format!("\"organisation-{number}\""));
            let owners = names.collect::<Vec<_>>().join(", ");
            let served =
                written.replace("[gateway]\n", &format!("[gateway]\nowners = [{owners}]\n"));
            std::fs::write(&config, served).expect("it can be written");
        }
        self.gateway = Some(Process::start("gateway", &config));
    }

    /// The most memory that the gateway had at a time, bytes.
    pub(crate) fn gateway_memory_max(&self) -> u64 {
        self.gateway.as_ref().expect("the gateway runs").memory_max()
    }

    /// Registers a thing with one numeric property for an organisation, and binds it to the gateway.
    pub(crate) fn add_thing(&self, organisation: usize, name: &str, property: &str) {
        let description = self.path(&format!("{name}.td.json"));
        let td = serde_json::json!({
            "@context": "https://www.w3.org/2022/wot/td/v1.1",
            "title": name,
            "securityDefinitions": { "none": { "scheme": "nosec" } },
            "security": "none",
            "properties": {
                property: {
                    "type": "number",
                    "unit": "Cel",
                    "multipleOf": 0.01,
                    "forms": [{ "href": "mqtt://gateway/" }],
                },
            },
        });
        std::fs::write(&description, td.to_string()).expect("the description can be written");
        let key = self.organisation(organisation);
        let key = text(&key);
        let file = text(&description);
        self.ask(
            organisation,
            &["thing", "register", "--name", name, "--description", file, "--key", key],
        );
        self.ask(organisation, &["thing", "bind", name, "--gateway", "gateway", "--key", key]);
    }

    /// Asks a peer; the answer as JSON.
    pub(crate) fn ask(&self, peer: usize, arguments: &[&str]) -> Value {
        let url = self.url(peer);
        let output = run(&[arguments, &["--peer", &url, "--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", error_text(&output));
        serde_json::from_slice(&output.stdout).expect("the answer is JSON")
    }

    /// Asks a peer that may not answer, or not so.
    pub(crate) fn try_ask(&self, peer: usize, arguments: &[&str]) -> Option<Value> {
        let url = self.url(peer);
        let output = run(&[arguments, &["--peer", &url, "--json"]].concat());
        output.status.success().then(|| serde_json::from_slice(&output.stdout).ok())?
    }

    /// Publishes a value by MQTT.
    pub(crate) fn publish(&self, topic: &str, message: &str) {
        let mut command = tool("mosquitto_pub", "apt-get install mosquitto-clients");
        let port = self.mqtt_port.to_string();
        command.args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-V", "5"]);
        command.args(["-t", topic, "-m", message]);
        until("a gateway that takes the reading", || {
            let output = command.output().expect("mosquitto_pub can be run");
            let refused = String::from_utf8_lossy(&output.stderr).contains("failed");
            (output.status.success() && !refused).then_some(())
        });
    }

    /// Where the gateway listens for MQTT.
    pub(crate) const fn mqtt_port(&self) -> u16 {
        self.mqtt_port
    }

    /// Where a peer serves its interface.
    pub(crate) fn url(&self, peer: usize) -> String {
        let up = u16::try_from(peer).expect("few peers") * PORT_STEP;
        format!("http://127.0.0.1:{}", self.port + up)
    }

    /// A file of the network.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("net").join(name)
    }

    /// The configuration of a peer.
    pub(crate) fn config(&self, peer: usize) -> PathBuf {
        self.path(&format!("peer-{}/config.toml", peer + 1))
    }

    /// The key of an organisation.
    pub(crate) fn organisation(&self, index: usize) -> PathBuf {
        self.path(&format!("organisations/{}.json", index + 1))
    }

    /// Ends everything in good order; the files stay until this is dropped.
    pub(crate) fn stop(&mut self) {
        self.gateway.take().into_iter().for_each(Process::stop);
        self.peers.drain(..).flatten().for_each(Process::stop);
    }
}

/// The first of `count` ports in a row that are free, for a network that a test founds itself.
pub(crate) fn free_port(count: u16) -> u16 {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).ok();
    let blocks = u32::from(8_000 / count);
    let begin = 11_000 + u16::try_from(std::process::id() % blocks).expect("small") * count;
    let fits = |first: &u16| {
        let all: Vec<u16> = (*first..first + count).collect();
        let held: Option<Vec<TcpListener>> = all.iter().map(free).collect();
        held.is_some()
    };
    (begin..20_000).step_by(count.into()).find(fits).expect("there are free ports")
}

/// The first of eight ports ten apart, with the ones above them, that are free; and one for MQTT.
fn free_ports() -> (u16, u16) {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).ok();
    // Tests run side by side, each in a process, and look before either has started its peers: whole
    // blocks of ports, so that two of them never overlap in part.
    let block = u16::try_from(std::process::id() % 160).expect("small");
    let begin = 20_000 + block * PORT_BLOCK;
    let fits = |first: &u16| {
        let all = (0..PEERS).flat_map(|peer| [0, 1].map(|up| first + peer * PORT_STEP + up));
        let held: Option<Vec<TcpListener>> = all.map(free).collect();
        held.is_some()
    };
    let first =
        (begin..31_000).step_by(PORT_BLOCK.into()).find(fits).expect("there are free ports");
    let mqtt = first + PEERS * PORT_STEP;
    (first, mqtt)
}
