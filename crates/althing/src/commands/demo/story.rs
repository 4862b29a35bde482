//! The words of the demo.

use std::path::Path;

use super::{
    play::{Demo, First},
    summary::Summary,
    tally::{Tally, milliseconds},
};
use crate::{
    commands::verify::{signers, steps_text},
    folder::Folder,
    output::{Table, thousands},
    program,
};

/// File of the first reading's proof, in the demo's folder.
pub(super) const PROOF: &str = "first-reading.proof";

/// Who takes part.
pub(super) fn opening(demo: &Demo<'_>, speed: f64) -> String {
    let mut table = Table::new(&["organisation", "peer", "interface", "owns"]);
    let founded = &demo.cluster.founded;
    let organisations = &founded.organisations;
    for (index, organisation) in organisations.iter().enumerate() {
        let own = demo.sensors.iter().filter(|sensor| sensor.owner % organisations.len() == index);
        let own: Vec<&str> = own.map(|sensor| sensor.thing.as_str()).collect();
        table.row([
            organisation.inception.name.clone(),
            demo.cluster.peers[index].name().to_owned(),
            format!("http://{}", demo.places.peers[index].api),
            own.join(", "),
        ]);
    }
    let folder = demo.folder.path().display();
    let kept = if demo.folder.is_temporary() { ", gone at the end (--dir keeps them)" } else { "" };
    format!(
        "Althing: organisations that do not trust each other agree on what sensors say.\n\n\
         {}\n\
         Watch it in a browser: http://{}/\n\n\
         Each peer is a process of its own, and so is the gateway at mqtt://{}, which takes\n\
         readings by MQTT, signs them and hands them to the peers. The sensors replay recordings of\n\
         real ones (Numenta Anomaly Benchmark, MIT licence), {speed} readings a second each.\n\
         Keys, configuration, data and logs are in {folder}{kept}.\n",
        indented(&table.to_text()),
        demo.places.peers[0].api,
        demo.places.mqtt,
    )
}

/// The things are on the ledger.
pub(super) fn registered(things: usize) -> String {
    format!(
        "{things} things are on the ledger, registered by their owners and bound to the gateway"
    )
}

/// The first reading, and what its proof shows.
pub(super) fn first(first: &First, demo: &Demo<'_>) -> String {
    let sensor = &demo.sensors[first.sensor];
    let reading = &first.reading;
    let mut text = format!(
        "{:>6.2} s  the first reading is final:\n\n    \
         {}: {} {} {}\n    \
         measured {}, in block {}, final {} ms after the sensor published it\n",
        first.after.as_secs_f64(),
        sensor.title,
        sensor.property,
        reading.value,
        sensor.unit_text(),
        reading.claimed,
        reading.height,
        milliseconds(first.latency),
    );
    match &first.verified {
        Some(verified) => text.push_str(&format!(
            "    {} of {} peers signed: {}\n\n\
             Its proof ({} bytes), checked with nothing but the genesis:\n{}",
            verified.block.signed.len(),
            verified.block.validators,
            signers(verified, &demo.cluster.founded.genesis),
            thousands(first.proof.len() as u64),
            steps_text(&verified.steps),
        )),
        None => text.push_str("    its proof does NOT hold; please report this\n"),
    }
    text
}

/// What to type next.
pub(super) fn next_steps(first: &First, demo: &Demo<'_>) -> String {
    let sensor = &demo.sensors[first.sensor];
    let (program, api) = (program(), demo.places.peers[0].api);
    let stream = format!("{}/{}", sensor.thing, sensor.property);
    let peer = if api.port() == 4464 { String::new() } else { format!(" --peer http://{api}") };
    let (folder, mqtt) = (demo.folder.path(), demo.places.mqtt);
    let (proof, genesis) = (shown(folder, PROOF), shown(folder, "genesis.json"));
    let (position, byte) = change(&first.proof);
    let mut text = format!(
        "Try in a second terminal:\n  \
         {program} reading latest {stream} --limit 5{peer}\n  \
         curl http://{api}/v1/streams/{}/latest\n  \
         mosquitto_pub -h {} -p {} -q 1 -t {} -m {}     # be a sensor yourself\n  \
         {program} verify {proof} --genesis {genesis}\n\
         Change one byte of the proof, and it does not hold any more:\n  \
         cp {proof} {proof}.bad && printf '{byte}' | dd of={proof}.bad bs=1 seek={position} conv=notrunc\n  \
         {program} verify {proof}.bad --genesis {genesis}\n",
        demo.streams[first.sensor],
        mqtt.ip(),
        mqtt.port(),
        sensor.topic(),
        first.reading.value,
    );
    let last = demo.cluster.peers.last().filter(|_| demo.cluster.peers.len() > 3);
    if let Some((name, pid)) = last.and_then(|peer| Some((peer.name(), peer.id()?))) {
        text.push_str(&format!("Kill {name} and see the others go on:\n  kill -9 {pid}\n"));
    }
    text.push_str("Ctrl-C ends the demo.\n");
    text
}

fn shown(folder: &Path, file: &str) -> String {
    folder.join(file).display().to_string()
}

/// A position in the proof and, for `printf`, another byte than it has there.
fn change(proof: &[u8]) -> (usize, &'static str) {
    let position = proof.len() / 2;
    let byte = if proof.get(position) == Some(&0xff) { "\\000" } else { "\\377" };
    (position, byte)
}

/// How things stand.
pub(super) fn stand(height: u64, tally: &Tally, latest: Option<&str>) -> String {
    let mut text = format!("block {height}, {} readings final", thousands(tally.readings));
    if let Some((p50, p99)) = tally.latency_ms() {
        text.push_str(&format!(", after {p50} ms (1 in 100: {p99} ms)"));
    }
    if let Some(latest) = latest {
        text.push_str(&format!("; {latest}"));
    }
    text
}

/// A process has ended, though nobody here asked it to.
pub(super) fn ended(name: &str, demo: &Demo<'_>) -> String {
    let command = if demo.cluster.is_gateway(name) { "gateway" } else { "peer" };
    let config = demo.cluster.layout.config(name);
    format!(
        "{name} has ended; the others go on. It catches up when it is started again:\n  \
         {} {command} run --config {}",
        program(),
        config.display()
    )
}

/// What came of it.
pub(super) fn closing(summary: &Summary, folder: &Folder) -> String {
    let mut text = format!("\n{}", summary.to_text());
    if !folder.is_temporary() {
        let (proof, genesis) = (shown(folder.path(), PROOF), shown(folder.path(), "genesis.json"));
        text.push_str(&format!(
            "\nThe proof can still be checked, without any peer:\n  {} verify {proof} --genesis {genesis}\n",
            program()
        ));
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
