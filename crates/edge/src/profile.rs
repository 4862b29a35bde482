use crate::pointer::Pointer;
use crate::topic::Pattern;

/// How one kind of device speaks: on which topics, and in what form.
///
/// Profiles are tried in order; the first whose pattern fits the topic decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Name for messages and logs.
    pub name: String,
    /// Topics it speaks for.
    pub pattern: Pattern,
    /// The thing, where the topic does not name it. The topic wins.
    pub thing: Option<String>,
    /// The property, where the topic does not name it. The topic wins; a SenML name must agree.
    pub property: Option<String>,
    /// What the payload looks like.
    pub form: Form,
    /// Whether surplus decimal places are rounded half to even; otherwise they are refused, so that
    /// nothing measured is changed silently.
    pub round: bool,
}

/// The form of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// By the first bytes: COSE_Sign1 is [`Form::Signed`], `{` is [`JsonForm::standard`], `[` SenML JSON, 0x80 to 0x9f SenML CBOR,
    /// anything else plain.
    Auto,
    /// The value alone, as text: `21.5`, `true`, or the text itself; for a stream of bytes the
    /// payload as it is.
    Plain,
    /// One value in a JSON object.
    Json(JsonForm),
    /// Every value in a JSON object that the thing has a property for. A value is of the property
    /// that is named like the path to it, in lower case with `_` between the steps
    /// (`energy_power`), or else like its last step (`power`). What the thing has no property for
    /// is passed over: firmware tells more than anybody wants.
    Fields,
    /// A SenML pack in JSON (RFC 8428), of one or several properties.
    SenmlJson,
    /// A SenML pack in CBOR.
    SenmlCbor,
    /// A pack that the thing's device signed ([`Pack`](althing_types::Pack)), with or without the
    /// CBOR tag of COSE_Sign1.
    Signed,
}

/// Where value and time stand in a JSON payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonForm {
    /// Of the value.
    pub value: Pointer,
    /// Of the time the device claims; without one, or where the payload lacks it, the time is that
    /// of receipt.
    pub time: Option<Pointer>,
    /// What a number at `time` counts. Text is always RFC 3339 with an offset.
    pub time_unit: TimeUnit,
}

/// What a numeric time counts from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds, with decimal places.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

impl Profile {
    /// The profile of devices that have none of their own: `althing/<thing>/<property>`, any form.
    #[must_use]
    pub fn standard() -> Self {
        Self::named("standard", "althing/{thing}/{property}")
    }

    /// For whole SenML packs on `althing/<thing>`, whose records name the properties.
    #[must_use]
    pub fn standard_pack() -> Self {
        Self::named("standard-pack", "althing/{thing}")
    }

    /// Devices with Tasmota firmware: what their sensors tell on `tele/<thing>/SENSOR`. Their time has
    /// no offset from UTC and is not taken.
    #[must_use]
    pub fn tasmota() -> Self {
        Self { form: Form::Fields, ..Self::named("tasmota", "tele/{thing}/SENSOR") }
    }

    /// Shelly devices of the second generation and later: the status of a component on
    /// `<thing>/status/<component>`, if the device publishes it (`status_ntf`).
    #[must_use]
    pub fn shelly_gen2() -> Self {
        Self { form: Form::Fields, ..Self::named("shelly-gen2", "{thing}/status/+") }
    }

    /// The filter of the topics on which this profile takes readings of a thing, if the topic or the
    /// profile says whose they are. Where only the payload does, no topic belongs to one thing.
    pub(crate) fn topics_of(&self, thing: &str) -> Option<String> {
        let is_fixed = self.thing.as_deref() == Some(thing);
        (self.pattern.captures_thing() || is_fixed).then(|| self.pattern.filter_of(thing))
    }

    fn named(name: &str, pattern: &str) -> Self {
        #[expect(clippy::expect_used, reason = "the patterns above are constants, and tested")]
        let pattern = Pattern::parse(pattern).expect("constant pattern");
        Self {
            name: name.to_owned(),
            pattern,
            thing: None,
            property: None,
            form: Form::Auto,
            round: false,
        }
    }
}

impl JsonForm {
    /// `{"value": 21.5, "time": "2013-12-02T21:15:00Z"}`; the time is optional, and a number counts
    /// milliseconds.
    #[must_use]
    pub fn standard() -> Self {
        #[expect(clippy::expect_used, reason = "two constants, and tested")]
        let pointer = |text| Pointer::parse(text).expect("constant pointer");
        Self {
            value: pointer("/value"),
            time: Some(pointer("/time")),
            time_unit: TimeUnit::Milliseconds,
        }
    }
}
