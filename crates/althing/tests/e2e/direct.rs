//! A device commands another one at once, under a grant, at the gateway before it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
    sync::mpsc,
};

use serde_json::{Value, json};

use crate::support::{Network, error_text, free_port, must, run, text, tool, until};

/// A valve of the third organisation behind the gateway, which whoever was granted it may open twice.
fn add_valve(network: &Network) {
    let description = network.path("valve.td.json");
    let form = json!([{ "href": "mqtt://gateway/" }]);
    let td = json!({
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": "Valve",
        "securityDefinitions": { "none": { "scheme": "nosec" } },
        "security": "none",
        "properties": { "flow": { "type": "number", "multipleOf": 0.1, "forms": form } },
        "actions": { "open": { "input": { "type": "integer", "maximum": 100 }, "forms": form } },
    });
    std::fs::write(&description, td.to_string()).unwrap();
    let key = network.organisation(2);
    let (key, file) = (text(&key), text(&description));
    network.ask(2, &["thing", "register", "--name", "valve", "--description", file, "--key", key]);
    network.ask(2, &["thing", "bind", "valve", "--gateway", "gateway", "--key", key]);
    let set = ["access", "policy", "set", "--thing", "valve", "--everyone", "--right", "invoke"];
    network.ask(2, &[&set[..], &["--only-for", "irrigation", "--key", key]].concat());
}

/// Has the gateway serve direct requests, and gives the address.
fn serve_directly(network: &Network) -> String {
    let config = network.path("gateway/config.toml");
    let written = std::fs::read_to_string(&config).unwrap();
    let listen = format!("127.0.0.1:{}", free_port(1));
    let more = format!(
        "\n[gateway.http]\nlisten = \"{listen}\"\n\n[gateway.direct]\nenabled = true\nage_max = \"10m\"\n"
    );
    std::fs::write(&config, format!("{written}{more}")).unwrap();
    format!("http://{listen}")
}

/// An unmodified client that does what it is asked, and answers.
fn run_valve(port: u16) -> (std::process::Child, mpsc::Receiver<Value>) {
    let mut device = tool("mosquitto_sub", "apt-get install mosquitto-clients");
    let port = port.to_string();
    device.args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-V", "5"]);
    device.args(["-t", "things/valve/commands/request"]).stdout(Stdio::piped());
    let mut device = device.spawn().unwrap();
    let lines = BufReader::new(device.stdout.take().unwrap()).lines();
    let (heard, hearing) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let asked: Value = serde_json::from_str(&line).unwrap();
            let answer = json!({ "id": asked["id"], "state": "done", "result": "opened" });
            let mut publish = tool("mosquitto_pub", "apt-get install mosquitto-clients");
            publish.args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-V", "5", "-s"]);
            publish.args(["-t", "things/valve/commands/answer"]).stdin(Stdio::piped());
            let mut publish = publish.spawn().unwrap();
            publish.stdin.take().unwrap().write_all(answer.to_string().as_bytes()).unwrap();
            publish.wait().unwrap();
            if heard.send(asked).is_err() {
                return;
            }
        }
    });
    (device, hearing)
}

#[test]
fn a_device_commands_another_at_once_and_the_ledger_hears_of_it() {
    let mut network = Network::start();
    let address = serve_directly(&network);
    network.start_gateway();
    add_valve(&network);
    let (mut valve, heard) = run_valve(network.mqtt_port());

    // Device A, of another organisation, with a key of its own.
    let (owner, sensor) = (network.organisation(1), network.path("sensor.json"));
    let (owner, sensor) = (text(&owner), text(&sensor));
    must(&["key", "new", sensor, "--insecure-keys"]);
    let register = ["entity", "register", "--kind", "device", "--name", "sensor"];
    network.ask(1, &[&register[..], &["--entity-key", sensor, "--key", owner]].concat());
    let ask = |count: &str| {
        let request = ["access", "request", "--thing", "valve", "--action", "open"];
        let more =
            ["--right", "invoke", "--purpose", "irrigation", "--count", count, "--key", sensor];
        until("a grant", || network.try_ask(1, &[&request[..], &more].concat()))
    };
    let invoke = |by: &str| {
        let command = ["command", "invoke", "valve", "open", "--input", by];
        let more = ["--purpose", "irrigation", "--direct", &address, "--key", sensor];
        let url = network.url(1);
        run(&[&command[..], &more, &["--peer", &url, "--json"]].concat())
    };

    // Without a grant it is not let at the device.
    until("a gateway that knows the valve", || {
        error_text(&invoke("40")).contains("no_grant").then_some(())
    });

    ask("5");
    let answer = until("a valve that is connected", || {
        let output = invoke("40");
        assert!(output.status.success(), "{}", error_text(&output));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        (answer["state"] == "done").then_some(answer)
    });
    assert_eq!(answer["result"], "\"opened\"");
    let asked = heard.iter().find(|asked| asked["id"] == answer["id"]).unwrap();
    let expected =
        json!({ "id": answer["id"], "operation": "invoke", "name": "open", "input": 40 });
    assert_eq!(asked, expected);

    // The ledger hears of it, signed by both: of the device, its request; of the gateway, the record.
    let one = until("a record of the use", || {
        let feed = network.try_ask(3, &["access", "feed", "--owner", "organisation-3"])?;
        let used = feed["items"].as_array()?.iter();
        let used = used.filter(|item| item["event"]["type"] == "access_used");
        let shown = used
            .filter_map(|item| network.try_ask(3, &["tx", "show", item["transaction"].as_str()?]));
        let uses = shown.filter_map(|shown| shown["actions"][0]["uses"].as_array().cloned());
        uses.flatten().find(|one| one["id"] == answer["id"])
    });
    assert_eq!(one["state"], "done", "{one}");

    // It is used up in the end, though nobody asked the ledger.
    let refused = until("a grant that is used up", || {
        let error = error_text(&invoke("10"));
        error.contains("grant_exhausted").then_some(error)
    });
    assert!(refused.contains("ask for access again") || refused.contains("Ask for access again"));
    valve.kill().unwrap();
    valve.wait().unwrap();
    network.stop();
}
