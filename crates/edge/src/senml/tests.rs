use proptest::prelude::*;

use super::*;
use SenmlError::*;

const NOW_MS: i64 = 1_700_000_000_000;

fn record(name: &str, unit: Option<&str>, time_ms: Option<i64>, value: Scalar) -> Record {
    let own_name = name.rsplit(':').next().unwrap().to_owned();
    Record { name: name.into(), own_name, unit: unit.map(Into::into), time_ms, value }
}

fn number(text: &str) -> Scalar {
    Scalar::Number(text.into())
}

#[test]
fn json_packs_resolve() {
    for (pack, expected) in [
        // RFC 8428 §5.1.1
        (
            r#"[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]"#,
            vec![Record {
                own_name: "urn:dev:ow:10e2073a01080063".into(),
                ..record("urn:dev:ow:10e2073a01080063", Some("Cel"), None, number("23.1"))
            }],
        ),
        // RFC 8428 §5.1.2, two measurements and a relative time
        (
            r#"[{"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1},
                {"n":"current","u":"A","v":1.2,"t":-5}]"#,
            vec![
                record("urn:dev:ow:10e2073a01080063:voltage", Some("V"), None, number("120.1")),
                record(
                    "urn:dev:ow:10e2073a01080063:current",
                    Some("A"),
                    Some(NOW_MS - 5000),
                    number("1.2"),
                ),
            ],
        ),
        // Base time, base unit and base value; a record of base fields alone
        (
            r#"[{"bn":"p:","bt":1.276020076001e+09,"bu":"A","bver":5,"bv":20},
                {"n":"a","v":0.1},{"n":"b","t":-1.5,"v":-20},{"n":"c","u":"V","vs":"x"}]"#,
            vec![
                record("p:a", Some("A"), Some(1_276_020_076_001), number("20.1")),
                record("p:b", Some("A"), Some(1_276_020_074_501), number("0")),
                record("p:c", Some("V"), Some(1_276_020_076_001), Scalar::Text("x".into())),
            ],
        ),
        (
            r#"[{"n":"a","vb":true,"ut":60,"extra":{"deep":[1]}},{"n":"b","vd":"Zm9v"}]"#,
            vec![
                record("a", None, None, Scalar::Bool(true)),
                record("b", None, None, Scalar::Bytes(b"foo".to_vec())),
            ],
        ),
        ("[]", vec![]),
    ] {
        assert_eq!(from_json(pack.as_bytes(), NOW_MS), Ok(expected), "{pack}");
    }
}

#[test]
fn json_that_is_no_pack_is_refused() {
    let many = format!("[{}]", vec![r#"{"n":"a","v":1}"#; 257].join(","));
    let wide =
        format!("[{{{}}}]", (0..33).map(|i| format!("\"x{i}\":1")).collect::<Vec<_>>().join(","));
    let long = format!(r#"[{{"n":"{}","v":1}}]"#, "a".repeat(256));
    for (pack, expected) in [
        ("", Malformed { position: 0 }),
        ("{}", Malformed { position: 0 }),
        (r#"[{"n":"a","v":1}"#, Malformed { position: 16 }),
        (r#"[{"n":"a","v":1}] x"#, Malformed { position: 19 }),
        (r#"[{"n":"a","v":"1"}]"#, WrongType { field: "v" }),
        (r#"[{"n":"a","v":null}]"#, WrongType { field: "v" }),
        (r#"[{"n":"a","v":[1]}]"#, WrongType { field: "v" }),
        (r#"[{"n":1,"v":1}]"#, WrongType { field: "n" }),
        (r#"[{"n":"a","vd":"Z"}]"#, WrongType { field: "vd" }),
        (r#"[{"n":"a","v":1,"v":2}]"#, Twice { field: "v" }),
        (r#"[{"n":"a","v":1,"vs":"x"}]"#, Twice { field: "vs" }),
        (r#"[{"n":"a","n":"b","v":1}]"#, Twice { field: "n" }),
        (r#"[{"n":"a","v":1,"new_":2}]"#, MustUnderstand("new_".into())),
        (r#"[{"bver":11,"n":"a","v":1}]"#, Version("11".into())),
        (r#"[{"n":"a b","v":1}]"#, Name("a b".into())),
        (r#"[{"n":"-a","v":1}]"#, Name("-a".into())),
        (r#"[{"n":"a","s":1}]"#, OnlySum),
        (
            r#"[{"n":"a","v":1,"t":1e30}]"#,
            Number { field: "t", source: decimal::DecimalError::TooLarge },
        ),
        (&many, TooMany { what: "records", max: 256 }),
        (&wide, TooMany { what: "fields in a record", max: 32 }),
        (&long, TooMany { what: "bytes in a name", max: 255 }),
    ] {
        assert_eq!(from_json(pack.as_bytes(), NOW_MS), Err(expected), "{pack}");
    }
}

#[test]
fn cbor_packs_resolve() {
    for (hex, expected) in [
        // RFC 8428 §6: the example of §5.1.2 in CBOR, doubles and an integer
        (
            "82a42170 75726e3a6465763a6f773a313065323a 0067766f6c74616765 016156 02fb405e066666666666\
             a3 0067 63757272656e74 06 24 02 fb3ff3333333333333",
            vec![
                record("urn:dev:ow:10e2:voltage", Some("V"), None, number("1.201e2")),
                record("urn:dev:ow:10e2:current", None, Some(NOW_MS - 5000), number("1.2e0")),
            ],
        ),
        // Indefinite lengths, half and single precision, a decimal fraction, a negative integer
        (
            "9f bf 006161 02f94d60 ff a2006162 02fa41ac0000 a2006163 02c4 82 21 196ab3 a2006164 0220 ff",
            vec![
                record("a", None, None, number("2.15e1")),
                record("b", None, None, number("2.15e1")),
                record("c", None, None, number("27315e-2")),
                record("d", None, None, number("-1e0")),
            ],
        ),
        // Text, bool, data; unknown labels are passed over
        (
            "83 a2006161 036178 a3006162 04f5 1863 82 01 a1 01 02 a2006163 0842 0102",
            vec![
                record("a", None, None, Scalar::Text("x".into())),
                record("b", None, None, Scalar::Bool(true)),
                record("c", None, None, Scalar::Bytes(vec![1, 2])),
            ],
        ),
        ("80", vec![]),
    ] {
        assert_eq!(from_cbor(&bytes(hex), NOW_MS), Ok(expected), "{hex}");
    }
}

#[test]
fn cbor_that_is_no_pack_is_refused() {
    let many = format!("990101{}", "a200616102 01".repeat(257));
    let nested = format!("81a3006161 0201 1863{}01", "81".repeat(60_000));
    for (hex, expected) in [
        ("", Malformed { position: 0 }),
        ("a0", Malformed { position: 0 }),
        ("81", Malformed { position: 1 }),
        ("9f a2006161 0201", Malformed { position: 7 }),
        ("81 a2006161 0201 00", Malformed { position: 7 }),
        ("81 a2006161 02f97e00", WrongType { field: "v" }),
        ("81 a2006161 02f6", WrongType { field: "v" }),
        ("81 a2006161 0281 01", WrongType { field: "v" }),
        ("81 a2006161 02c001", WrongType { field: "v" }),
        ("81 a2006161 0261 31", WrongType { field: "v" }),
        ("81 a2006161 626e5f 01", MustUnderstand("n_".into())),
        ("81 a2 616e6161 0201", Malformed { position: 4 }),
        ("9bffffffffffffffff", Malformed { position: 9 }),
        (&many, TooMany { what: "records", max: 256 }),
        (&nested, TooMany { what: "levels of nesting", max: 8 }),
    ] {
        let shown = &hex[..hex.len().min(60)];
        assert_eq!(from_cbor(&bytes(hex), NOW_MS), Err(expected), "{shown}");
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

proptest! {
    #[test]
    fn exact_values_survive_both_forms(mantissa: i64, scale in 0_u8..=15, cel: bool) {
        let text = decimal::to_text(mantissa, scale);
        let unit = cel.then_some("Cel");
        let with_unit = if cel { r#","u":"Cel""# } else { "" };
        let json = format!(r#"[{{"n":"a","v":{text}{with_unit}}}]"#);
        let expected = vec![record("a", unit, None, Scalar::Number(text.clone()))];
        prop_assert_eq!(from_json(json.as_bytes(), NOW_MS), Ok(expected));

        let mut cbor = Vec::new();
        let mut e = minicbor::Encoder::new(&mut cbor);
        e.array(1).unwrap().map(2).unwrap().u8(0).unwrap().str("a").unwrap().u8(2).unwrap();
        e.tag(minicbor::data::Tag::new(4)).unwrap().array(2).unwrap();
        e.i32(-i32::from(scale)).unwrap().i64(mantissa).unwrap();
        let records = from_cbor(&cbor, NOW_MS).unwrap();
        let Scalar::Number(given) = &records[0].value else { panic!("not a number") };
        prop_assert_eq!(decimal::parse(given, scale, false), Ok(mantissa));
    }

    #[test]
    fn any_bytes_are_a_pack_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = from_json(&bytes, NOW_MS);
        let _ = from_cbor(&bytes, NOW_MS);
    }

    #[test]
    fn any_json_text_is_a_pack_or_an_error(text in r#"[\[\]{}":,a-z0-9.eE_-]{0,80}"#) {
        let _ = from_json(text.as_bytes(), NOW_MS);
    }

    #[test]
    fn any_cbor_of_a_packs_shape_is_a_pack_or_an_error(
        body in proptest::collection::vec(any::<u8>(), 0..60)
    ) {
        let _ = from_cbor(&[&[0x9f, 0xbf], &body[..]].concat(), NOW_MS);
    }
}
