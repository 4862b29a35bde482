use althing_types::hash;
use serde::{Deserialize, Serialize};

use super::{DigestHex, Hex, Time};

/// The purpose of the tokens by which an operator looks at what is for operators; those by which it
/// acts have the purpose that [`crate::operating::act_purpose`] gives.
pub const OPERATE_PURPOSE: &str = "operate";
/// How the command line on the machine of a peer is called where an operator has its DID.
pub const MACHINE: &str = "machine";
/// Longest note with which an alarm is acknowledged, bytes.
pub const NOTE_BYTES_MAX: usize = 512;

/// The alarms of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Alarms {
    /// Those that last first, the grave before the others; then those that ended, the latest first.
    pub items: Vec<Alarm>,
}

/// Something that an operator should know of or do about, from when it began until it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Alarm {
    /// Its number at this peer; the same when it comes back.
    pub id: u64,
    /// A stable code, such as `validator_silent`.
    pub code: String,
    /// What it is about, if there can be several of one code: a peer, a webhook, a gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether the peer does not do its work, or soon will not.
    pub grave: bool,
    /// What is the matter.
    pub detail: String,
    /// What to do about it.
    pub advice: String,
    /// Since when, this time.
    pub since: Time,
    /// When it ended; absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// How often it has come.
    pub times: u32,
    /// Who has seen it, this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
}

/// That an operator has seen an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Acknowledgement {
    /// The operator's DID, or `machine`.
    pub by: String,
    /// When.
    pub at: Time,
    /// What it noted.
    pub note: String,
}

/// Acknowledges an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// What others should know: at most 512 bytes, no control characters.
    #[serde(default)]
    pub note: String,
}

/// A part of a log that a peer keeps of what was done to it, or of its alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LogPart {
    /// The entries, ascending by number.
    pub items: Vec<LogEntry>,
    /// Number of the newest entry of the log; 0 if it has none.
    pub newest: u64,
}

/// An entry of such a log. Each names the digest of the one before it, so that none can be changed,
/// left out or put in without it being seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LogEntry {
    /// Its number, from 1.
    pub number: u64,
    /// When.
    pub at: Time,
    /// Who: an operator's DID, `machine`, or `peer` for the peer itself.
    pub by: String,
    /// What, a stable word such as `configuration_applied`.
    pub act: String,
    /// The same in particular.
    pub detail: String,
    /// Digest of the entry before it; of zeros for the first.
    pub previous: DigestHex,
    /// Its own digest.
    pub digest: DigestHex,
}

impl LogEntry {
    /// The digest that it should have: of the digest before it, number, time, and each text led by its
    /// length, integers of 8 bytes with the most significant first.
    #[must_use]
    pub fn expected_digest(&self) -> [u8; 32] {
        let texts = [&self.by, &self.act, &self.detail];
        let lengths = texts.map(|text| (text.len() as u64).to_be_bytes());
        let (number, at) = (self.number.to_be_bytes(), self.at.0.to_be_bytes());
        let mut parts: Vec<&[u8]> = vec![&self.previous.0.0, &number, &at];
        for (text, length) in texts.iter().zip(&lengths) {
            parts.push(length);
            parts.push(text.as_bytes());
        }
        hash("althing/operation/1", &parts)
    }

    /// Whether its digest is its own, and it follows from the one before, if that is known.
    #[must_use]
    pub fn follows(&self, before: Option<&Self>) -> bool {
        let chained = before.is_none_or(|before| {
            before.digest == self.previous && before.number.checked_add(1) == Some(self.number)
        });
        chained && self.digest.0.0 == self.expected_digest()
    }

    /// The entry with its digest.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.digest = Hex(althing_types::Digest(self.expected_digest()));
        self
    }
}

/// The configuration that a peer runs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Configuration {
    /// Its version at this peer.
    pub version: ConfigurationVersion,
    /// Every key that a peer reads, with its value, in TOML. Keys and passphrases are paths there, and
    /// not shown by any means.
    pub text: String,
    /// What was applied and waits for a restart.
    pub waiting: Vec<Difference>,
}

/// The versions of a peer's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConfigurationVersions {
    /// The newest first; old ones are forgotten.
    pub items: Vec<ConfigurationVersion>,
}

/// A version of a peer's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConfigurationVersion {
    /// Its number at this peer, from 1.
    pub number: u64,
    /// Since when.
    pub at: Time,
    /// Who brought it: an operator's DID, or `machine`.
    pub by: String,
    /// SHA-256 of what the peer reads of it, every key with its value.
    pub digest: DigestHex,
    /// What it changed.
    pub changed: Vec<Difference>,
}

/// What another configuration would change, or has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Differences {
    /// Each key that differs.
    pub items: Vec<Difference>,
}

/// A key of a configuration that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Difference {
    /// The key, with its sections.
    pub key: String,
    /// Its value before; absent if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Its value then; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// When it counts.
    pub takes: Takes,
}

/// When a change of the configuration counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// At once.
    Now,
    /// From the next start.
    Restart,
    /// From the next start, and it is changed on the machine of the peer only.
    Machine,
}

#[cfg(test)]
mod tests {
    use althing_types::Digest;

    use super::*;

    fn entry(number: u64, previous: [u8; 32]) -> LogEntry {
        LogEntry {
            number,
            at: Time(7),
            by: MACHINE.into(),
            act: "started".into(),
            detail: "version 1".into(),
            previous: Hex(Digest(previous)),
            digest: Hex(Digest([0; 32])),
        }
        .sealed()
    }

    #[test]
    fn no_entry_is_changed_left_out_or_put_in_without_being_seen() {
        let first = entry(1, [0; 32]);
        let second = entry(2, first.digest.0.0);
        let third = entry(3, second.digest.0.0);
        assert!(first.follows(None) && second.follows(Some(&first)));
        assert!(!third.follows(Some(&first)), "left out");
        assert!(!second.follows(Some(&second)), "twice");
        type Change = fn(&mut LogEntry);
        let changes: [Change; 7] = [
            |one| one.number = 3,
            |one| one.at = Time(8),
            |one| one.by.push('x'),
            |one| one.act.push('x'),
            |one| one.detail.clear(),
            // The same letters, cut elsewhere.
            |one| (one.by, one.act) = ("machines".into(), "tarted".into()),
            |one| one.previous = Hex(Digest([9; 32])),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut changed = second.clone();
            change(&mut changed);
            assert!(!changed.follows(None), "change {index}");
        }
    }
}
