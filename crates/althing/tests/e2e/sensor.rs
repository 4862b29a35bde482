//! A sensor somebody has: an unmodified MQTT client publishes, and the reading is final and proven.

use crate::support::{Network, must, run, text, until};

#[test]
fn a_value_from_mosquitto_pub_becomes_a_final_reading_with_a_proof() {
    let mut network = Network::start();
    network.start_gateway();
    network.add_thing(2, "freezer", "temperature");
    let stream = "freezer/temperature";
    network.publish("althing/freezer/temperature", "-18.25");
    let senml = r#"[{"n":"temperature","u":"Cel","v":-18.5}]"#;
    network.publish("althing/freezer/temperature", senml);
    let at = r#"{"value":-18.75,"time":"2026-01-02T03:04:05Z"}"#;
    network.publish("althing/freezer/temperature", at);

    // Every peer serves the same readings.
    for peer in 0..4 {
        let readings = until("three readings", || {
            let readings = network.try_ask(peer, &["reading", "list", stream])?;
            (readings["items"].as_array()?.len() == 3).then_some(readings)
        });
        let values: Vec<&str> = readings["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reading| reading["value"].as_str().unwrap())
            .collect();
        assert_eq!(values, ["-18.25", "-18.50", "-18.75"], "peer {peer}");
        assert_eq!(readings["items"][2]["claimed"]["utc"], "2026-01-02T03:04:05.000Z");
    }

    let genesis = network.path("genesis.json");
    for (name, what) in [
        ("reading", &["--seq", "0"][..]),
        ("range", &["--first-seq", "0", "--last-seq", "2"]),
        ("aggregate", &["--first-seq", "0", "--last-seq", "2", "--aggregate"]),
    ] {
        let out = network.path(name);
        let arguments = [&["reading", "prove", stream, "--out", text(&out)], what].concat();
        until("a block that commits to the readings", || network.try_ask(3, &arguments));
        must(&["verify", text(&out), "--genesis", text(&genesis)]);
    }

    // The description is what was registered, to the byte: its digest is on the ledger.
    let url = network.url(0);
    let described = run(&["thing", "description", "freezer", "--peer", &url]).stdout;
    assert_eq!(described, std::fs::read(network.path("freezer.td.json")).unwrap());

    // Its peers know that the gateway is there, and that it goes when it does.
    let presence = |network: &Network| {
        let gateways = network.try_ask(0, &["gateway", "list"])?;
        let one = gateways["items"].as_array()?.first()?.clone();
        assert_eq!(one["report"]["queue"]["bytes_max"], 1_u64 << 30, "{one}");
        Some(one["presence"].as_str()?.to_owned())
    };
    assert_eq!(until("the gateway's report", || presence(&network)), "present");

    // A value of another type is refused, and says so.
    let unknown = run(&["reading", "latest", "freezer/temperatur", "--peer", &url]);
    let error = crate::support::error_text(&unknown);
    assert!(error.contains("did you mean freezer/temperature?"), "{error}");
    network.stop();
}
