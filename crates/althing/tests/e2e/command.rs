//! A device that anybody has: an unmodified MQTT client hears a command and answers it.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::support::{Network, error_text, run, text, tool, until};

/// Registers a heater of the third organisation, and binds it to the gateway.
fn add_heater(network: &Network) {
    let description = network.path("heater.td.json");
    let form = json!([{ "href": "mqtt://gateway/" }]);
    let td = json!({
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": "Heater",
        "securityDefinitions": { "none": { "scheme": "nosec" } },
        "security": "none",
        "properties": { "target": {
            "type": "number", "multipleOf": 0.5, "minimum": 5, "maximum": 30, "forms": form
        } },
        "actions": { "boost": {
            "input": { "type": "object", "required": ["minutes"],
                       "properties": { "minutes": { "type": "integer", "maximum": 60 } } },
            "forms": form
        } },
    });
    std::fs::write(&description, td.to_string()).unwrap();
    let key = network.organisation(2);
    let (key, file) = (text(&key), text(&description));
    network.ask(2, &["thing", "register", "--name", "heater", "--description", file, "--key", key]);
    network.ask(2, &["thing", "bind", "heater", "--gateway", "gateway", "--key", key]);
}

fn state_of(network: &Network, peer: usize, id: &str) -> Option<Value> {
    network.try_ask(peer, &["command", "show", id])
}

#[test]
fn a_command_reaches_a_device_behind_a_gateway_and_its_answer_comes_back() {
    let mut network = Network::start();
    network.start_gateway();
    add_heater(&network);
    let key = network.organisation(2);
    let key = text(&key);

    // The device sleeps, so the command waits on the ledger.
    let input = r#"{"minutes":10}"#;
    let invoke = ["command", "invoke", "heater", "boost", "--within", "10m", "--key", key];
    let sent = network.ask(2, &[&invoke[..], &["--input", input]].concat());
    let id = sent["receipt"]["transaction"].as_str().unwrap().to_owned();
    let queued = until("a peer that knows of it", || state_of(&network, 0, &id));
    assert_eq!(queued["state"], "queued");

    // It wakes: an unmodified client subscribes, and hears it.
    let mut device = tool("mosquitto_sub", "apt-get install mosquitto-clients");
    let port = network.mqtt_port().to_string();
    device.args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-V", "5", "-C", "1"]);
    device.args(["-t", "things/heater/commands/request"]).stdout(Stdio::piped());
    let mut device = device.spawn().unwrap();
    let mut heard = String::new();
    BufReader::new(device.stdout.take().unwrap()).read_line(&mut heard).unwrap();
    let heard: Value = serde_json::from_str(&heard).unwrap();
    device.wait().unwrap();
    assert_eq!(
        heard,
        json!({ "id": id, "operation": "invoke", "name": "boost", "input": { "minutes": 10 } })
    );
    until("a command that the ledger knows is delivered", || {
        (state_of(&network, 1, &id)?["state"] == "delivered").then_some(())
    });

    // Its answer is acknowledged when it is final, so every later look sees it.
    let answer = json!({ "id": id, "state": "done", "result": { "until": "14:10" } }).to_string();
    network.publish("things/heater/commands/answer", &answer);
    for peer in 0..4 {
        let command = until("an answer on every peer", || {
            state_of(&network, peer, &id).filter(|command| command["state"] == "done")
        });
        assert_eq!(command["result"], r#"{"until":"14:10"}"#, "peer {peer}");
        // Asked by the owner, answered by the gateway: each side has signed its own.
        assert_ne!(command["sender"], command["reporter"]);
    }
    let open = network.ask(0, &["command", "list", "heater", "--open"]);
    assert_eq!(open["items"], json!([]));

    // What the description does not offer is refused before it is signed.
    for (arguments, reason) in [
        (&["command", "invoke", "heater", "boost", "--input", r#"{"minutes":61}"#][..], "60"),
        (&["command", "invoke", "heater", "explode"], "no such action"),
        (&["command", "write", "heater", "target", "99"], "schema_mismatch"),
    ] {
        let url = network.url(2);
        let output = run(&[arguments, &["--key", key, "--peer", &url]].concat());
        let error = error_text(&output);
        assert!(!output.status.success() && error.contains(reason), "{error}");
    }
    network.stop();
}

/// The whole life of a thing between two owners, typed by hand.
#[test]
fn a_thing_is_offered_by_a_code_claimed_commanded_limited_and_shut_out() {
    let mut network = Network::start();
    network.start_gateway();
    add_heater(&network);
    let (old, new) = (network.organisation(2), network.organisation(3));
    let (old, new) = (text(&old), text(&new));
    let place = ["thing", "status", "heater", "--online", "true", "--place", "48.1372,11.5755"];
    network.ask(2, &[&place[..], &["--key", old]].concat());
    let found = until("the thing in its box", || {
        let found = network.try_ask(0, &["thing", "list", "--within", "48,11,49,12"])?;
        found["items"][0]["name"].as_str().map(str::to_owned)
    });
    assert_eq!(found, "heater");
    let elsewhere = network.ask(0, &["thing", "list", "--within", "-1,-1,1,1"]);
    assert_eq!(elsewhere["items"], json!([]));

    let offered = network.ask(2, &["thing", "offer", "heater", "--code", "--key", old]);
    let code = offered["code"].as_str().unwrap();
    let wrong = "0000-0000-0000-0000-0000-0000-0000-0000";
    let url = network.url(3);
    let refused =
        run(&["thing", "accept", "heater", "--code", wrong, "--key", new, "--peer", &url]);
    assert!(error_text(&refused).contains("bad_claim"), "{}", error_text(&refused));
    let accept = ["thing", "accept", "heater", "--code", code, "--key", new];
    // This peer may hear of the offer a moment later than the one it was made at.
    until("a peer that knows of the offer", || network.try_ask(3, &accept));
    let url = network.url(2);
    let late = ["command", "read", "heater", "target", "--key", old, "--peer", &url];
    until("a peer that knows the new owner", || {
        error_text(&run(&late)).contains("not_permitted").then_some(())
    });

    network.ask(3, &["thing", "bind", "heater", "--gateway", "gateway", "--key", new]);
    let limit = ["thing", "limit", "heater", "--gateway", "gateway", "--property", "target"];
    network.ask(3, &[&limit[..], &["--key", new]].concat());
    let shown = network.ask(3, &["thing", "show", "heater"]);
    let limited = json!({ "properties": ["target"], "commands": false });
    let bindings = shown["bindings"].as_array().unwrap();
    assert!(bindings.iter().any(|binding| binding["limit"] == limited), "{shown}");

    let shut = ["thing", "quarantine", "heater", "--reason", "hijacked", "--key", new];
    assert_eq!(network.ask(3, &shut)["quarantined"], true);
    let url = network.url(3);
    let asked = run(&["command", "read", "heater", "target", "--key", new, "--peer", &url]);
    assert!(error_text(&asked).contains("quarantined"), "{}", error_text(&asked));
    let released = network.ask(3, &["thing", "release", "heater", "--key", new]);
    assert_eq!(released["quarantined"], false);
    network.stop();
}
