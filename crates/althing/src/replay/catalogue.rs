//! What the demo replays: recordings, and the thing each of them is the sensor of.

use std::{ffi::OsStr, path::Path};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::recording::{self, Row, SCALE};
use crate::report::{NextStep as _, failed};

/// Most recordings of one folder.
const RECORDINGS_MAX: usize = 64;

/// A thing with one property, and what its sensor recorded.
#[derive(Debug, Clone)]
pub(crate) struct Sensor {
    /// Name among the owner's things, and in topics.
    pub(crate) thing: String,
    /// What it is, for people.
    pub(crate) title: String,
    /// Name of its property.
    pub(crate) property: String,
    /// Unit, as its description states it; empty if not known.
    pub(crate) unit: String,
    /// Decimal places that the description promises.
    pub(crate) scale: u8,
    /// Which organisation owns it; the organisations of a network take turns.
    pub(crate) owner: usize,
    /// What it recorded.
    pub(crate) rows: Vec<Row>,
}

impl Sensor {
    /// Its W3C Thing Description 1.1.
    pub(crate) fn description(&self) -> Value {
        let mut property = json!({
            "title": self.property,
            "type": "number",
            "multipleOf": quantum(self.scale),
            "readOnly": true,
            "observable": true,
            "forms": [{ "href": self.topic_path(), "op": ["observeproperty"] }],
        });
        if !self.unit.is_empty() {
            property["unit"] = json!(self.unit);
        }
        json!({
            "@context": "https://www.w3.org/2022/wot/td/v1.1",
            "title": self.title,
            "securityDefinitions": { "none": { "scheme": "nosec" } },
            "security": "none",
            "properties": { self.property.clone(): property },
        })
    }

    /// The MQTT topic its device publishes on.
    pub(crate) fn topic(&self) -> String {
        format!("althing/{}/{}", self.thing, self.property)
    }

    /// Its unit as people write it; UCUM codes are for machines.
    pub(crate) fn unit_text(&self) -> &str {
        match self.unit.as_str() {
            "[degF]" => "°F",
            "[mi_i]/h" => "mph",
            unit => unit,
        }
    }

    fn topic_path(&self) -> String {
        format!("mqtt://gateway/{}", self.topic())
    }
}

/// The `multipleOf` of a number of decimal places, as a JSON number that a decimal reader takes
/// exactly.
fn quantum(scale: u8) -> serde_json::Number {
    let text = match scale {
        0 => "1".to_owned(),
        places => format!("0.{}1", "0".repeat(usize::from(places) - 1)),
    };
    serde_json::from_str(&text).unwrap_or_else(|_| 1.into())
}

/// A recording that the program brings along.
struct Known {
    file: &'static str,
    text: &'static str,
    thing: &'static str,
    title: &'static str,
    property: &'static str,
    unit: &'static str,
    scale: u8,
    owner: usize,
}

macro_rules! recording {
    ($file:literal) => {
        include_str!(concat!("../../../../data/nab/", $file))
    };
}

/// Units are UCUM codes.
const KNOWN: [Known; 5] = [
    Known {
        file: "machine_temperature_system_failure.csv",
        text: recording!("machine_temperature_system_failure.csv"),
        thing: "machine-1",
        title: "Large industrial machine",
        property: "temperature",
        unit: "[degF]",
        scale: SCALE,
        owner: 0,
    },
    Known {
        file: "ambient_temperature_system_failure.csv",
        text: recording!("ambient_temperature_system_failure.csv"),
        thing: "office-2",
        title: "Office",
        property: "temperature",
        unit: "[degF]",
        scale: SCALE,
        owner: 1,
    },
    Known {
        file: "speed_7578.csv",
        text: recording!("speed_7578.csv"),
        thing: "road-loop-7578",
        title: "Road loop sensor 7578",
        property: "speed",
        unit: "[mi_i]/h",
        scale: 0,
        owner: 2,
    },
    Known {
        file: "occupancy_6005.csv",
        text: recording!("occupancy_6005.csv"),
        thing: "road-loop-6005",
        title: "Road loop sensor 6005",
        property: "occupancy",
        unit: "%",
        scale: 2,
        owner: 2,
    },
    Known {
        file: "TravelTime_451.csv",
        text: recording!("TravelTime_451.csv"),
        thing: "road-section-451",
        title: "Road section 451",
        property: "travel-time",
        unit: "s",
        scale: 0,
        owner: 2,
    },
];

/// The recordings that the program brings along.
pub(crate) fn built_in() -> anyhow::Result<Vec<Sensor>> {
    KNOWN.iter().map(|known| Ok(known.sensor(recording::parse(known.file, known.text)?))).collect()
}

/// All recordings (`*.csv`) of a folder, in order of their names.
pub(crate) fn of_folder(folder: &Path) -> anyhow::Result<Vec<Sensor>> {
    let name = folder.display();
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read {name}"))
        .next_step(|| "give --data a folder with recordings, or leave it away".to_owned())?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .with_context(|| format!("cannot read {name}"))?;
    paths.retain(|path| path.extension() == Some(OsStr::new("csv")));
    paths.sort();
    if paths.is_empty() || paths.len() > RECORDINGS_MAX {
        return Err(failed(
            format!(
                "{name} has {} files *.csv; 1 to {RECORDINGS_MAX} can be replayed",
                paths.len()
            ),
            "leave --data away to replay the recordings that the program brings along",
        ));
    }
    let sensors = paths.iter().enumerate().map(|(index, path)| sensor_of(path, index));
    let sensors = sensors.collect::<anyhow::Result<Vec<_>>>()?;
    refuse_equal_names(&sensors)?;
    Ok(sensors)
}

impl Known {
    fn sensor(&self, rows: Vec<Row>) -> Sensor {
        Sensor {
            thing: self.thing.to_owned(),
            title: self.title.to_owned(),
            property: self.property.to_owned(),
            unit: self.unit.to_owned(),
            scale: self.scale,
            owner: self.owner,
            rows,
        }
    }
}

fn sensor_of(path: &Path, owner: usize) -> anyhow::Result<Sensor> {
    let rows = recording::load(path)?;
    let known = KNOWN.iter().find(|known| path.file_name() == Some(OsStr::new(known.file)));
    if let Some(known) = known {
        return Ok(known.sensor(rows));
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(Sensor {
        thing: topic_level(&stem),
        title: stem.into_owned(),
        property: "value".to_owned(),
        unit: String::new(),
        scale: rows.iter().map(places).max().unwrap_or(0),
        owner,
        rows,
    })
}

/// Longest name made from a file name, bytes.
const NAME_BYTES: usize = 48;

/// A file name as one level of a topic: lower case letters, digits and `-`.
fn topic_level(stem: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let level: String = stem.chars().map(plain).take(NAME_BYTES).collect();
    let level = level.trim_matches('-');
    if level.is_empty() { "sensor".to_owned() } else { level.to_owned() }
}

fn refuse_equal_names(sensors: &[Sensor]) -> anyhow::Result<()> {
    let repeated = |(index, sensor): (usize, &Sensor)| {
        sensors[..index].iter().any(|earlier| earlier.thing == sensor.thing)
    };
    match sensors.iter().enumerate().find(|pair| repeated(*pair)) {
        Some((_, sensor)) => Err(failed(
            format!("two recordings would both be the thing `{}`", sensor.thing),
            "rename one of the files",
        )),
        None => Ok(()),
    }
}

/// Decimal places of a value as written, at most [`SCALE`].
fn places(row: &Row) -> u8 {
    if row.value.contains(['e', 'E']) {
        return SCALE;
    }
    let places = row.value.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    u8::try_from(places).unwrap_or(SCALE).min(SCALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recordings_brought_along_are_whole() {
        let sensors = built_in().unwrap();
        let rows: Vec<usize> = sensors.iter().map(|sensor| sensor.rows.len()).collect();
        assert_eq!(rows, [22695, 7267, 1127, 2380, 2162]);
        refuse_equal_names(&sensors).unwrap();
    }

    #[test]
    fn any_folder_of_recordings_can_be_replayed() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, rows: &str| {
            std::fs::write(folder.path().join(name), format!("timestamp,value\n{rows}")).unwrap();
        };
        write("My Boiler.csv", "2020-01-01 00:00:00,1.25\n2020-01-01 00:01:00,1.5");
        write("notes.txt", "");
        let sensors = of_folder(folder.path()).unwrap();
        assert_eq!(sensors.len(), 1);
        assert_eq!((sensors[0].thing.as_str(), sensors[0].scale), ("my-boiler", 2));
        assert_eq!(sensors[0].topic(), "althing/my-boiler/value");
        let description = sensors[0].description().to_string();
        assert!(description.contains("\"multipleOf\":0.01"), "{description}");
        write("my_boiler.csv", "2020-01-01 00:00:00,1");
        let error = of_folder(folder.path()).unwrap_err().to_string();
        assert_eq!(error, "two recordings would both be the thing `my-boiler`");
    }
}
