//! What waits in the queue of a gateway that does not run, and how to get it out.

use std::{
    fs::OpenOptions,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use althing_client::time::to_rfc3339;
use althing_edge::Numbered;
use althing_gateway::StoppedQueue;
use althing_types::{Digest, StreamId, StreamSchema, Value, decimal};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::{Identified, disk_key, gateway_config};
use crate::{
    config::Config,
    output::{Output, Table, thousands},
    report::{NextStep as _, failed},
};

/// Shows what waits in the queue of a gateway that does not run.
#[derive(Debug, Args)]
pub(crate) struct Waiting {
    /// The gateway's configuration.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
}

/// Takes the readings of a stream out of the queue of a gateway that does not run, and writes them
/// to a file.
#[derive(Debug, Args)]
pub(crate) struct SetAside {
    /// The stream: THING/PROPERTY, or its id in hex.
    stream: String,
    /// The file: a line of JSON for each reading. It must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The gateway's configuration.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
}

fn open(path: &Path) -> anyhow::Result<StoppedQueue> {
    let config = Config::load(path)?;
    let mut settings = config.gateway()?;
    let Identified { genesis, entity, key } = Identified::read(&config, &settings)?;
    settings.queue.key = disk_key(&settings, &key)?;
    let config = gateway_config(settings, &genesis, entity, Vec::new(), None);
    StoppedQueue::open(&config)
        .next_step(|| "stop the gateway first; it takes up its queue when it starts again".into())
}

/// How many readings wait in the queue of a gateway that does not run: those not known to be final.
pub(crate) fn waiting(config: &Path) -> anyhow::Result<u64> {
    let waiting = open(config)?.waiting().values().map(Vec::len).sum::<usize>();
    Ok(u64::try_from(waiting)?)
}

fn name(queue: &StoppedQueue, stream: &StreamId) -> Option<String> {
    let (thing, spec) = queue.of_stream(stream)?;
    Some(format!("{}/{}", thing.name, spec.property))
}

impl Waiting {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let queue = open(&self.config)?;
        let mut table = Table::new(&["stream", "readings", "first", "since", "id"]);
        let mut items = Vec::new();
        for (stream, readings) in queue.waiting() {
            let Some(first) = readings.first() else { continue };
            let name = name(&queue, stream);
            let since = to_rfc3339(first.reading.received_ms);
            table.row([
                name.clone().unwrap_or_else(|| "-".to_owned()),
                thousands(readings.len() as u64),
                first.seq.to_string(),
                since.clone(),
                stream.to_string(),
            ]);
            items.push(json!({
                "stream": stream.to_string(), "name": name, "readings": readings.len(),
                "first_seq": first.seq, "since": since,
            }));
        }
        output.show(&json!({ "items": items }), || table.or("nothing waits"))
    }
}

impl SetAside {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let mut queue = open(&self.config)?;
        let stream = self.find(&queue)?;
        let schema = queue.of_stream(&stream).map(|(_, spec)| spec.schema.clone());
        let readings = queue.waiting().get(&stream).map_or(&[][..], Vec::as_slice);
        let count = readings.len();
        write(&self.out, readings, schema.as_ref()).with_context(|| {
            format!("cannot write {}; nothing was taken out", self.out.display())
        })?;
        queue.remove(&stream).context("cannot change the queue")?;
        let value = json!({ "stream": stream.to_string(), "readings": count, "out": self.out });
        output.show(&value, || {
            format!(
                "{} readings are in {} and no longer in the queue; their numbers become a gap on \
                 the ledger",
                thousands(count as u64),
                self.out.display()
            )
        })
    }

    fn find(&self, queue: &StoppedQueue) -> anyhow::Result<StreamId> {
        let id = Digest::from_hex(&self.stream).map(|digest| StreamId(digest.0));
        let is_meant = |stream: &&StreamId| {
            id == Some(**stream) || name(queue, stream).as_ref() == Some(&self.stream)
        };
        queue.waiting().keys().find(is_meant).copied().ok_or_else(|| {
            failed(
                format!("nothing of `{}` waits in the queue", self.stream),
                format!("althing gateway queue --config {}", self.config.display()),
            )
        })
    }
}

/// Writes readings to a new file, durably.
fn write(path: &Path, readings: &[Numbered], schema: Option<&StreamSchema>) -> std::io::Result<()> {
    let mut file = BufWriter::new(OpenOptions::new().write(true).create_new(true).open(path)?);
    for numbered in readings {
        writeln!(file, "{}", line(numbered, schema))?;
    }
    file.into_inner()?.sync_all()
}

fn line(numbered: &Numbered, schema: Option<&StreamSchema>) -> serde_json::Value {
    let reading = &numbered.reading;
    let mut line = json!({
        "stream": numbered.stream.to_string(),
        "seq": numbered.seq,
        "claimed": to_rfc3339(reading.claimed_ms),
        "received": to_rfc3339(reading.received_ms),
    });
    // Where the thing is served no more, its scale stands on the ledger: `althing stream show`.
    let (key, value) = match (&reading.value, schema) {
        (Value::Number(mantissa), Some(schema)) => {
            ("value", json!(decimal::to_text(*mantissa, schema.scale)))
        }
        (Value::Number(mantissa), None) => ("mantissa", json!(mantissa)),
        (Value::Bool(value), _) => ("value", json!(value)),
        (Value::Text(text), _) => ("value", json!(text)),
        (Value::Bytes(bytes), _) => ("value", json!(hex::encode(bytes))),
    };
    line[key] = value;
    line
}

#[cfg(test)]
mod tests {
    use althing_types::{Reading, ValueKind};

    use super::*;

    #[test]
    fn a_reading_is_a_line_and_a_file_that_exists_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("aside.jsonl");
        let schema = StreamSchema {
            kind: ValueKind::Number,
            scale: 1,
            quantum: 1,
            unit: "Cel".into(),
            minimum: None,
            maximum: None,
        };
        let numbered = |seq, value| Numbered {
            stream: StreamId([1; 32]),
            seq,
            reading: Reading { claimed_ms: 1000, received_ms: 2000, value },
        };
        let readings = [numbered(7, Value::Number(215)), numbered(8, Value::Number(-5))];
        write(&path, &readings, Some(&schema)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["value"], &lines[1]["value"]), (&json!("21.5"), &json!("-0.5")));
        assert_eq!(lines[1]["seq"], 8);
        assert_eq!(lines[0]["claimed"], "1970-01-01T00:00:01.000Z");
        assert!(write(&path, &readings, None).is_err());
        assert_eq!(line(&readings[0], None)["mantissa"], 215);
    }
}
