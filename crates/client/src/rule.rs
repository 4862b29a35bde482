//! Rules in words: `when cold-room/temperature > 8 for 10 min then command alarm.on`.
//!
//! A rule is read into its parts, with names as they were typed; whoever sets it looks the names up
//! and makes a [trigger](althing_types::Trigger) of it. There is no other mechanism behind it.
//!
//! ```text
//! rule   = "when" cause "then" effect
//! cause  = THING/PROPERTY ("<" | "<=" | ">=" | ">") VALUE ["for" SPAN]
//!        | THING/PROPERTY "silent" "for" SPAN
//!        | "every" SPAN ["from" TIME]       | "at" TIME
//!        | "contract" CONTRACT "tells" NAME | "record" KIND "by" ENTITY
//!        | "command" "of" THING STATE
//! effect = "command" THING.ACTION [JSON] asking
//!        | "write" THING.PROPERTY VALUE asking | "read" THING.PROPERTY asking
//!        | "call" CONTRACT JSON ["gas" NUMBER]
//!        | "record" KIND ["saying" TEXT] ["notify" ENTITY {"," ENTITY}]
//! asking = ["within" SPAN] ["purpose" NAME]
//! ```
//! A name with spaces stands in double quotes. Spans are like `90 s`, `10min`, `2 hours`, `1d`.

use std::{fmt, time::Duration};

use althing_types::{CommandState, Relation};

/// Longest rule that is read, bytes.
pub const RULE_BYTES_MAX: usize = 64 * 1024;
/// How long a command may take unless the rule says it.
pub const WITHIN: Duration = Duration::from_secs(300);

/// A rule, with names as they were typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it waits for.
    pub cause: RuleCause,
    /// What is done then.
    pub effect: RuleEffect,
}

/// A property or action of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The thing.
    pub thing: String,
    /// Its property or action.
    pub name: String,
}

/// What a rule waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleCause {
    /// Readings beyond a bound.
    Reading {
        /// Of what.
        of: Part,
        /// On which side of the bound.
        relation: Relation,
        /// The bound: a decimal, `true` or `false`.
        bound: String,
        /// For how long.
        lasting: Duration,
    },
    /// No readings.
    Silence {
        /// Of what.
        of: Part,
        /// For how long.
        lasting: Duration,
    },
    /// Again and again.
    Every {
        /// How long between.
        span: Duration,
        /// When first, RFC 3339; now if none.
        from: Option<String>,
    },
    /// Once.
    At(String),
    /// A contract tells of something.
    Contract {
        /// The contract.
        contract: String,
        /// What it calls the event.
        event: String,
    },
    /// Somebody writes a record.
    Record {
        /// What sort.
        kind: String,
        /// Who.
        by: String,
    },
    /// A command of a thing comes to a state.
    Command {
        /// The thing.
        thing: String,
        /// The state.
        state: CommandState,
    },
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleEffect {
    /// Asks a thing for an action.
    Invoke {
        /// Which.
        what: Part,
        /// Its input, JSON.
        input: Option<String>,
        /// How, and what for.
        asking: Asking,
    },
    /// Gives a property another value.
    Write {
        /// Which.
        what: Part,
        /// The value as typed.
        value: String,
        /// How, and what for.
        asking: Asking,
    },
    /// Asks for the value of a property.
    Read {
        /// Which.
        what: Part,
        /// How, and what for.
        asking: Asking,
    },
    /// Calls a contract.
    Call {
        /// Which.
        contract: String,
        /// The message, JSON.
        message: String,
        /// Most gas; a standard amount if none.
        gas: Option<u64>,
    },
    /// Writes a record.
    Record {
        /// What sort.
        kind: String,
        /// What it says.
        text: String,
        /// Who is notified.
        notify: Vec<String>,
    },
}

/// How a thing is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// How long it may take.
    pub within: Duration,
    /// What for, as a grant names it.
    pub purpose: Option<String>,
}

/// Why a text is no rule, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// Byte at which reading stopped.
    pub at: usize,
    /// What would have been right there.
    pub expected: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {} of the rule: expected {}", self.at + 1, self.expected)
    }
}

impl std::error::Error for RuleError {}

type Parsed<T> = Result<T, RuleError>;

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// Where it is none, and what would have been right there.
    pub fn parse(text: &str) -> Parsed<Self> {
        let mut reader = Reader { text, at: 0 };
        if text.len() > RULE_BYTES_MAX {
            return reader.fail("a shorter rule");
        }
        reader.keyword("when")?;
        let cause = reader.cause()?;
        reader.keyword("then")?;
        let effect = reader.effect()?;
        reader.skip();
        if reader.at < text.len() {
            return reader.fail("the end of the rule");
        }
        Ok(Self { cause, effect })
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn fail<T>(&self, expected: &str) -> Parsed<T> {
        Err(RuleError { at: self.at, expected: expected.to_owned() })
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The next word; a quoted one may hold spaces. Relations and commas stand for themselves.
    fn peek(&mut self) -> Option<(String, usize)> {
        self.skip();
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"')?;
            // A quoted thing may be followed by a property: "cold room"/temperature.
            let tail = quoted.get(end + 1..)?;
            let more = tail.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(tail.len());
            let word = format!("{}{}", quoted.get(..end)?, tail.get(..more)?);
            return Some((word, self.at + 2 + end + more));
        }
        for sign in ["<=", ">=", "<", ">", ","] {
            if rest.starts_with(sign) {
                return Some((sign.to_owned(), self.at + sign.len()));
            }
        }
        let stops = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',');
        let end = rest.find(stops).unwrap_or(rest.len());
        (end > 0).then(|| (rest.get(..end).unwrap_or_default().to_owned(), self.at + end))
    }

    fn word(&mut self, expected: &str) -> Parsed<String> {
        match self.peek() {
            Some((word, end)) => {
                self.at = end;
                Ok(word)
            }
            None => self.fail(expected),
        }
    }

    /// Takes a keyword if it comes next.
    fn take(&mut self, keyword: &str) -> bool {
        match self.peek() {
            Some((word, end)) if word == keyword => {
                self.at = end;
                true
            }
            _ => false,
        }
    }

    fn keyword(&mut self, keyword: &str) -> Parsed<()> {
        if self.take(keyword) { Ok(()) } else { self.fail(&format!("`{keyword}`")) }
    }

    /// A thing with a property or action.
    fn part(&mut self, expected: &str) -> Parsed<Part> {
        self.skip();
        let start = self.at;
        let word = self.word(expected)?;
        let split = word.rsplit_once('/').or_else(|| word.rsplit_once('.'));
        match split {
            Some((thing, name)) if !thing.is_empty() && !name.is_empty() => {
                Ok(Part { thing: thing.to_owned(), name: name.to_owned() })
            }
            _ => {
                self.at = start;
                self.fail(expected)
            }
        }
    }

    fn span(&mut self) -> Parsed<Duration> {
        const EXPECTED: &str = "a span of time such as `10 min`";
        self.skip();
        let start = self.at;
        let word = self.word(EXPECTED)?;
        let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        let (number, unit) = word.split_at(digits);
        let unit = if unit.is_empty() { self.word(EXPECTED)? } else { unit.to_owned() };
        let seconds = match unit.as_str() {
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 24 * 3600,
            _ => 0,
        };
        let span = number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
        match span.filter(|span| *span > 0) {
            Some(span) => Ok(Duration::from_secs(span)),
            None => {
                self.at = start;
                self.fail(EXPECTED)
            }
        }
    }

    /// A JSON value, as it stands.
    fn json(&mut self, expected: &str) -> Parsed<String> {
        self.skip();
        let rest = self.rest();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
        match values.next() {
            Some(Ok(_)) => {
                let end = values.byte_offset();
                self.at += end;
                Ok(rest.get(..end).unwrap_or_default().to_owned())
            }
            _ => self.fail(expected),
        }
    }

    fn cause(&mut self) -> Parsed<RuleCause> {
        if self.take("every") {
            let span = self.span()?;
            let from = if self.take("from") { Some(self.word("a time")?) } else { None };
            return Ok(RuleCause::Every { span, from });
        }
        if self.take("at") {
            return Ok(RuleCause::At(self.word("a time such as 2026-12-01T08:00:00Z")?));
        }
        if self.take("contract") {
            let contract = self.word("a contract")?;
            self.keyword("tells")?;
            return Ok(RuleCause::Contract { contract, event: self.word("the name of an event")? });
        }
        if self.take("record") {
            let kind = self.word("a kind of record")?;
            self.keyword("by")?;
            return Ok(RuleCause::Record { kind, by: self.word("who writes it")? });
        }
        if self.take("command") {
            self.keyword("of")?;
            let thing = self.word("a thing")?;
            self.skip();
            let start = self.at;
            let Some(state) = CommandState::from_name(&self.word("a state")?) else {
                self.at = start;
                return self.fail("a state of commands, such as `done` or `failed`");
            };
            return Ok(RuleCause::Command { thing, state });
        }
        let of =
            self.part("THING/PROPERTY, `every`, `at`, `contract`, `record` or `command of`")?;
        if self.take("silent") {
            self.keyword("for")?;
            return Ok(RuleCause::Silence { of, lasting: self.span()? });
        }
        let sign = self.peek().map(|(word, _)| word).unwrap_or_default();
        let Some((relation, _)) = Relation::ALL.into_iter().find(|(_, other)| *other == sign)
        else {
            return self.fail("`<`, `<=`, `>=`, `>` or `silent`");
        };
        self.at += self.rest().find(sign.as_str()).unwrap_or(0) + sign.len();
        let bound = self.word("a value")?;
        let lasting = if self.take("for") { self.span()? } else { Duration::ZERO };
        Ok(RuleCause::Reading { of, relation, bound, lasting })
    }

    fn effect(&mut self) -> Parsed<RuleEffect> {
        if self.take("command") {
            let what = self.part("THING.ACTION")?;
            self.skip();
            let input =
                self.rest().starts_with(['{', '[']).then(|| self.json("JSON")).transpose()?;
            return Ok(RuleEffect::Invoke { what, input, asking: self.asking()? });
        }
        if self.take("write") {
            let (what, value) = (self.part("THING.PROPERTY")?, self.word("a value")?);
            return Ok(RuleEffect::Write { what, value, asking: self.asking()? });
        }
        if self.take("read") {
            let what = self.part("THING.PROPERTY")?;
            return Ok(RuleEffect::Read { what, asking: self.asking()? });
        }
        if self.take("call") {
            let contract = self.word("a contract")?;
            let message = self.json("a message in JSON such as {\"check\":{}}")?;
            let gas = if self.take("gas") { Some(self.number()?) } else { None };
            return Ok(RuleEffect::Call { contract, message, gas });
        }
        if self.take("record") {
            let kind = self.word("a kind of record")?;
            let text = if self.take("saying") { self.word("a text")? } else { String::new() };
            let mut notify = Vec::new();
            if self.take("notify") {
                notify.push(self.word("who is notified")?);
                while self.take(",") {
                    notify.push(self.word("who is notified")?);
                }
            }
            return Ok(RuleEffect::Record { kind, text, notify });
        }
        self.fail("`command`, `write`, `read`, `call` or `record`")
    }

    fn number(&mut self) -> Parsed<u64> {
        self.skip();
        let start = self.at;
        match self.word("a number")?.parse() {
            Ok(number) => Ok(number),
            Err(_) => {
                self.at = start;
                self.fail("a number")
            }
        }
    }

    fn asking(&mut self) -> Parsed<Asking> {
        let within = if self.take("within") { self.span()? } else { WITHIN };
        let purpose = if self.take("purpose") { Some(self.word("a purpose")?) } else { None };
        Ok(Asking { within, purpose })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(thing: &str, name: &str) -> Part {
        Part { thing: thing.into(), name: name.into() }
    }

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    fn asking() -> Asking {
        Asking { within: WITHIN, purpose: None }
    }

    fn above(of: Part, bound: &str, lasting: Duration) -> RuleCause {
        RuleCause::Reading { of, relation: Relation::Above, bound: bound.into(), lasting }
    }

    fn on() -> RuleEffect {
        RuleEffect::Invoke { what: part("alarm", "on"), input: None, asking: asking() }
    }

    #[test]
    fn rules_are_read_into_their_parts() {
        let hall = || part("hall", "temperature");
        let rows = [
            (
                "when hall/temperature > 8 for 10 min then command alarm.on",
                above(hall(), "8", minutes(10)),
                on(),
            ),
            (
                "when hall.temperature>8 then command alarm/on",
                above(hall(), "8", Duration::ZERO),
                on(),
            ),
            (
                r#"when "cold room"/temperature > -1.5 for 2h then command alarm.on"#,
                above(part("cold room", "temperature"), "-1.5", minutes(120)),
                on(),
            ),
            (
                "when hall/temperature silent for 1 day then record silent notify acme, globex",
                RuleCause::Silence { of: hall(), lasting: minutes(24 * 60) },
                RuleEffect::Record {
                    kind: "silent".into(),
                    text: String::new(),
                    notify: vec!["acme".into(), "globex".into()],
                },
            ),
            (
                r#"when every 5m then call guard {"check": {"a": [1, 2]}} gas 5000000"#,
                RuleCause::Every { span: minutes(5), from: None },
                RuleEffect::Call {
                    contract: "guard".into(),
                    message: r#"{"check": {"a": [1, 2]}}"#.into(),
                    gas: Some(5_000_000),
                },
            ),
            (
                "when at 2026-12-01T08:00:00Z then write heater.target 21.5 within 30s purpose comfort",
                RuleCause::At("2026-12-01T08:00:00Z".into()),
                RuleEffect::Write {
                    what: part("heater", "target"),
                    value: "21.5".into(),
                    asking: Asking {
                        within: Duration::from_secs(30),
                        purpose: Some("comfort".into()),
                    },
                },
            ),
            (
                "when command of bell failed then read bell.state",
                RuleCause::Command { thing: "bell".into(), state: CommandState::Failed },
                RuleEffect::Read { what: part("bell", "state"), asking: asking() },
            ),
            (
                r#"when contract guard tells wasm-alarm then record note saying "too hot""#,
                RuleCause::Contract { contract: "guard".into(), event: "wasm-alarm".into() },
                RuleEffect::Record {
                    kind: "note".into(),
                    text: "too hot".into(),
                    notify: Vec::new(),
                },
            ),
            (
                r#"when record delivery by acme then command gate.open {"wide": true} within 1 min"#,
                RuleCause::Record { kind: "delivery".into(), by: "acme".into() },
                RuleEffect::Invoke {
                    what: part("gate", "open"),
                    input: Some(r#"{"wide": true}"#.into()),
                    asking: Asking { within: minutes(1), purpose: None },
                },
            ),
        ];
        for (text, cause, effect) in rows {
            assert_eq!(Rule::parse(text), Ok(Rule { cause, effect }), "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_says_where_and_what_would_be_right() {
        for (text, at, expected) in [
            ("", 0, "`when`"),
            ("if hall/t > 8 then command a.b", 0, "`when`"),
            ("when hall > 8 then command a.b", 5, "THING/PROPERTY"),
            ("when hall/t = 8 then command a.b", 12, "`silent`"),
            ("when hall/t > 8 for ever then command a.b", 20, "a span of time"),
            ("when hall/t > 8 for 0 min then command a.b", 20, "a span of time"),
            ("when hall/t > 8 for 99999999999999999999 d then", 20, "a span of time"),
            ("when hall/t > 8", 15, "`then`"),
            ("when hall/t > 8 then", 20, "`command`"),
            ("when hall/t > 8 then ring a.b", 21, "`command`"),
            ("when hall/t > 8 then command a", 29, "THING.ACTION"),
            ("when hall/t > 8 then call c nonsense", 28, "JSON"),
            ("when hall/t > 8 then command a.b now", 33, "the end of the rule"),
            ("when command of a gone then command a.b", 18, "a state"),
        ] {
            let error = Rule::parse(text).unwrap_err();
            assert!(error.expected.contains(expected), "{text}: {error}");
            assert_eq!(error.at, at, "{text}: {error}");
        }
    }

    #[test]
    fn any_text_is_a_rule_or_an_error() {
        let words =
            ["when", "then", "\"", "hall/t", ">", "8", "for", "é", "{", ",", "every", "1m", ""];
        for n in 0..20_000_u32 {
            let text: Vec<&str> =
                (0..8).map(|k| words[(n.rotate_left(k * 4) % 13) as usize]).collect();
            let _ = Rule::parse(&text.join(" "));
            let _ = Rule::parse(&text.concat());
        }
        assert!(Rule::parse(&"when ".repeat(100_000)).is_err());
    }
}
