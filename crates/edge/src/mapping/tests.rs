use althing_types::{EntityId, StreamId, ThingId};

use super::*;
use crate::directory::ThingSpec;
use crate::pointer::Pointer;
use crate::topic::Pattern;

const NOW_MS: i64 = 1_700_000_000_000;
const TEMPERATURE: StreamId = StreamId([1; 32]);
const RUNNING: StreamId = StreamId([2; 32]);
const STATE: StreamId = StreamId([3; 32]);
const IMAGE: StreamId = StreamId([4; 32]);

fn directory() -> Directory {
    let stream = |property: &str, id, kind, scale, unit: &str| StreamSpec {
        property: property.into(),
        id,
        schema: StreamSchema {
            kind,
            scale,
            quantum: if scale == 2 { 5 } else { 1 },
            unit: unit.into(),
            minimum: (scale == 2).then_some(-5000),
            maximum: (scale == 2).then_some(10_000),
        },
    };
    let mut directory = Directory::default();
    let pump = ThingSpec {
        id: ThingId([1; 32]),
        name: "pump".into(),
        owner: EntityId([2; 32]),
        until_height: None,
        streams: vec![
            stream("temperature", TEMPERATURE, ValueKind::Number, 2, "Cel"),
            stream("running", RUNNING, ValueKind::Bool, 0, ""),
            stream("state", STATE, ValueKind::Text, 0, ""),
            stream("image", IMAGE, ValueKind::Bytes, 0, ""),
        ],
        device: None,
        may_lose: false,
        is_shut_out: false,
    };
    directory.insert(pump).unwrap();
    directory
}

fn profiles() -> Vec<Profile> {
    let named = |pattern: &str, form: Form| Profile {
        pattern: Pattern::parse(pattern).unwrap(),
        form,
        ..Profile::standard()
    };
    let json = JsonForm {
        value: Pointer::parse("/data/0/celsius").unwrap(),
        time: Some(Pointer::parse("/at").unwrap()),
        time_unit: TimeUnit::Seconds,
    };
    let fixed = Profile {
        thing: Some("pump".into()),
        property: Some("temperature".into()),
        ..named("tele/+/sensor", Form::Json(json))
    };
    let rounding = Profile { round: true, ..named("round/{thing}/{property}", Form::Plain) };
    let plain = named("plain/{thing}/{property}", Form::Plain);
    let presets = [Profile::tasmota(), Profile::shelly_gen2()];
    let standard = [Profile::standard(), Profile::standard_pack()];
    [fixed, rounding, plain].into_iter().chain(presets).chain(standard).collect()
}

/// The streams, claimed times after `NOW_MS` and values of a publish, or the code of its refusal.
fn check(topic: &str, payload: &[u8], expected: Result<Vec<(StreamId, i64, Value)>, &'static str>) {
    let (profiles, directory) = (profiles(), directory());
    let context = Context {
        only_signed: false,
        ledger: &crate::testing::LEDGER,
        profiles: &profiles,
        directory: &directory,
        height: 0,
        topic,
        payload,
        received_ms: NOW_MS,
        payload_bytes_max: 512,
        ahead_ms_max: 1000,
    };
    let seen = |(stream, reading): (StreamId, Reading)| {
        assert_eq!(reading.received_ms, NOW_MS);
        (stream, reading.claimed_ms - NOW_MS, reading.value)
    };
    let readings = context.mapped().map(|mapped| match mapped {
        Mapped::Readings(readings) => readings,
        Mapped::Pack(..) => panic!("a pack"),
    });
    let given = readings
        .map(|readings| readings.into_iter().map(seen).collect())
        .map_err(|rejection| rejection.code());
    assert_eq!(given, expected, "{topic} {}", String::from_utf8_lossy(payload));
}

fn temperature(after_ms: i64, mantissa: i64) -> (StreamId, i64, Value) {
    (TEMPERATURE, after_ms, Value::Number(mantissa))
}

#[test]
fn every_form_gives_exact_readings() {
    let warm = Value::Text("warm".into());
    let t = "althing/pump/temperature";
    for (topic, payload, expected) in [
        (t, &b"21.5"[..], vec![temperature(0, 2150)]),
        (t, b" -0.05\n", vec![temperature(0, -5)]),
        (t, br#"{"value":2.15e1}"#, vec![temperature(0, 2150)]),
        (t, br#"{"time":1699999999999,"value":21.50}"#, vec![temperature(-1, 2150)]),
        (t, br#"{"value":1,"time":"2023-11-14T22:13:20.5Z"}"#, vec![temperature(500, 100)]),
        (
            t,
            br#"[{"v":20},{"v":21,"t":-1,"n":"temperature"}]"#,
            vec![temperature(0, 2000), temperature(-1000, 2100)],
        ),
        (t, br#"[{"bn":"urn:dev:mac:0024befffe804ff1","v":20}]"#, vec![temperature(0, 2000)]),
        (t, &[0x81, 0xa1, 0x02, 0xf9, 0x4d, 0x60], vec![temperature(0, 2150)]),
        ("althing/pump/running", b"true", vec![(RUNNING, 0, Value::Bool(true))]),
        ("althing/pump/running", b"0", vec![(RUNNING, 0, Value::Bool(false))]),
        ("althing/pump/running", br#"{"value":true}"#, vec![(RUNNING, 0, Value::Bool(true))]),
        ("althing/pump/state", b"warm", vec![(STATE, 0, warm.clone())]),
        ("plain/pump/state", b"{warm", vec![(STATE, 0, Value::Text("{warm".into()))]),
        ("plain/pump/image", b"\xff\x00", vec![(IMAGE, 0, Value::Bytes(b"\xff\x00".to_vec()))]),
        (
            "althing/pump",
            br#"[{"bn":"urn:dev:x:","n":"temperature","v":1},{"n":"state","vs":"warm"}]"#,
            vec![temperature(0, 100), (STATE, 0, warm)],
        ),
        (
            "tele/4711/sensor",
            br#"{"data":[{"celsius":21.5}],"at":1700000000.25}"#,
            vec![temperature(250, 2150)],
        ),
        ("round/pump/temperature", b"21.4996", vec![temperature(0, 2150)]),
    ] {
        check(topic, payload, Ok(expected));
    }
}

#[test]
fn what_does_not_fit_is_refused_whole() {
    let t = "althing/pump/temperature";
    for (topic, payload, code) in [
        ("elsewhere", &b"1"[..], "no_profile"),
        ("althing/pump/temperature/x", b"1", "no_profile"),
        ("althing/fan/temperature", b"1", "unknown_thing"),
        ("althing/pump/pressure", b"1", "unknown_stream"),
        ("althing/pump", b"1", "unknown_stream"),
        (
            "althing/pump",
            br#"[{"n":"temperature","v":1},{"n":"pressure","v":1}]"#,
            "unknown_stream",
        ),
        (t, b"", "schema_mismatch"),
        (t, b"hot", "schema_mismatch"),
        (t, b"\xffhot", "malformed"),
        (t, b"21.555", "schema_mismatch"),
        (t, b"21.51", "schema_mismatch"),
        (t, b"100.05", "schema_mismatch"),
        (t, b"1e400", "schema_mismatch"),
        (t, br#"{"value":"21.5"}"#, "schema_mismatch"),
        (t, br#"{"value":true}"#, "schema_mismatch"),
        (t, br#"{"value":null}"#, "malformed"),
        (t, br#"{"value":1"#, "malformed"),
        (t, br#"{"value":1,"time":"yesterday"}"#, "malformed"),
        (t, br#"{"value":1,"time":[1]}"#, "malformed"),
        (t, br#"{"value":1,"time":-1}"#, "time_out_of_range"),
        (t, br#"{"value":1,"time":1700000001001}"#, "time_out_of_range"),
        (t, br#"[{"v":1,"t":1e15}]"#, "time_out_of_range"),
        (t, b"[]", "malformed"),
        (t, br#"[{"bu":"Cel"}]"#, "malformed"),
        (t, br#"[{"n":"pressure","v":1}]"#, "malformed"),
        (t, br#"[{"v":1,"u":"K"}]"#, "unit_mismatch"),
        (t, br#"[{"vs":"x"}]"#, "schema_mismatch"),
        (t, &[0x81], "malformed"),
        (t, &[b'1'; 513], "too_large"),
        ("althing/pump/running", b"on", "schema_mismatch"),
        ("tele/4711/sensor", br#"{"data":[]}"#, "malformed"),
        ("tele/4711/sensor", b"21.5", "malformed"),
    ] {
        check(topic, payload, Err(code));
    }
}

#[test]
fn deep_nesting_is_refused_and_nothing_overflows() {
    let (profiles, directory) = (profiles(), directory());
    for payload in [vec![b'['; 1_000_000], vec![0x81; 1_000_000], {
        let mut json = br#"{"value":"#.to_vec();
        json.extend(vec![b'['; 1_000_000]);
        json
    }] {
        let context = Context {
            only_signed: false,
            ledger: &crate::testing::LEDGER,
            profiles: &profiles,
            directory: &directory,
            height: 0,
            topic: "althing/pump/temperature",
            payload: &payload,
            received_ms: NOW_MS,
            payload_bytes_max: 2_000_000,
            ahead_ms_max: 1000,
        };
        assert_eq!(
            context.mapped().map(|_| ()).map_err(|rejection| rejection.code()),
            Err("malformed")
        );
    }
}

/// Payloads as the documentation of the two firmwares shows them.
#[test]
fn two_common_firmwares_are_understood_as_they_are() {
    let tasmota = br#"{"Time":"2024-02-11T22:03:15","AM2301":{"Temperature":21.40,"Humidity":48.1,
        "DewPoint":9.9},"ENERGY":{"Power":12,"Period":[1,2]},"TempUnit":"C"}"#;
    check("tele/pump/SENSOR", tasmota, Ok(vec![temperature(0, 2140)]));
    let shelly = br#"{"id":0,"source":"MQTT","output":true,"apower":8.9,"voltage":237.5,
        "aenergy":{"total":6.532,"by_minute":[45.199,47.141,88.397],"minute_ts":1626935779},
        "temperature":{"tC":39.4,"tF":102.9},"running":true,"state":"ok"}"#;
    let expected = vec![(RUNNING, 0, Value::Bool(true)), (STATE, 0, Value::Text("ok".into()))];
    check("pump/status/switch:0", shelly, Ok(expected));
    for (topic, payload, code) in [
        ("tele/fan/SENSOR", &br#"{"a":1}"#[..], "unknown_thing"),
        ("tele/pump/SENSOR", br#"{"a":1}"#, "malformed"),
        ("tele/pump/SENSOR", br#"{"a":{"b":{"c":{"d":{"temperature":1}}}}}"#, "malformed"),
        ("tele/pump/SENSOR", br#"[1]"#, "malformed"),
        ("tele/pump/SENSOR", br#"{"AM2301":{"Temperature":"hot"}}"#, "schema_mismatch"),
    ] {
        check(topic, payload, Err(code));
    }
}
