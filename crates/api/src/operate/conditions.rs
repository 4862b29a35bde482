//! What is the matter with a peer, from all that it knows of itself, and what to do about each.

use std::sync::PoisonError;

use althing_client::model::GatewayPresence;
use althing_peer::query::{Agreement, Complaint, Phase, Standing};

use super::{Condition, goals::Measured};
use crate::{gateways::Reported, service::Service};

/// What to do about each alarm, by its code.
pub const ADVICE: &[(&str, &str)] = &[
    (
        "diverged",
        "Do not start it in a loop: compare its version with the others', keep its log, then run `althing peer check`.",
    ),
    (
        "storage_failed",
        "Free space or replace the disk, then start it again: it fetches what it missed.",
    ),
    (
        "foreign_data",
        "Give it the data folder and genesis that belong together, or an empty folder.",
    ),
    ("stopped", "Start it again; the last line of its log says why it stopped."),
    ("not_begun", "Wait, or set the clock of this machine right."),
    ("connecting", "Start the other peers, or check the addresses and ports in [peer.p2p]."),
    (
        "waiting_for_votes",
        "Without these votes nothing is agreed: ask who runs those peers whether they run and can be reached.",
    ),
    ("behind", "It catches up by itself. If the number grows, its disk or processor is too slow."),
    (
        "payloads_missing",
        "They are fetched from other peers. If the number stays, no connected peer holds them: connect more.",
    ),
    ("mempool_full", "See under Accounts who sends so much; clients try again by themselves."),
    (
        "peer_lost",
        "See whether its process runs and its address can be reached; the others go on without it.",
    ),
    (
        "validator_silent",
        "It is connected and does not vote: ask who runs it, or look at its own page and log.",
    ),
    (
        "validators_broke_rules",
        "Keep the log: it names the peer and holds the evidence. Members can vote its seat away.",
    ),
    (
        "clock_off",
        "Set the clock of this machine right, best by NTP: a peer that is off by too much refuses blocks.",
    ),
    ("disk_low", "Free space or add some: a full disk ends the peer."),
    (
        "disk_full",
        "Free space now: the peer is about to end, and loses nothing that it acknowledged.",
    ),
    (
        "webhook_given_up",
        "Tell its maker: `althing webhook resume` lets it go on behind the last event that was taken.",
    ),
    (
        "purge_withheld",
        "Look for a failing disk in the log; without `key` in [peer] no receipt can be signed.",
    ),
    (
        "log_damaged",
        "Compare with a copy: somebody changed the file, or the disk did. `althing audit verify` names the entry.",
    ),
    (
        "goal_commit_latency",
        "See what else it tells: missing votes, a slow disk, a full mempool. Else the network has more to do than it can.",
    ),
    ("goal_behind", "If the number grows, its disk or processor is too slow for this ledger."),
    ("goal_disk_free", "Free space or add some, before the disk is full."),
    (
        "goal_validators_connected",
        "See which are lost and whether their processes run, and the network between them and this peer.",
    ),
];

/// Free space below which it is time, and below which it is nearly too late, bytes.
const DISK_LOW_BYTES: u64 = 1_000_000_000;
const DISK_FULL_BYTES: u64 = 100_000_000;
/// How long erasures may wait, milliseconds.
const WITHHELD_MS_MAX: u64 = 60_000;
/// Tenths of its queue that a gateway may have filled.
const QUEUE_PARTS_FULL: u64 = 5;
/// What to do about an alarm that this table does not know yet.
const ELSE: &str = "See `Watching a peer` in the documentation.";

fn condition(code: &str, subject: Option<String>, grave: bool, detail: String) -> Condition {
    let advice = ADVICE.iter().find(|(known, _)| *known == code).map_or(ELSE, |(_, advice)| advice);
    Condition { code: code.to_owned(), subject, grave, detail, advice }
}

impl Service {
    /// The other validators that are not connected, once agreement has begun.
    fn lost(&self, standing: &Standing) -> Vec<[u8; 32]> {
        let begun =
            |agreement: &&Agreement| matches!(agreement.phase, Phase::Voting | Phase::Following);
        let Some(agreement) = standing.agreement.as_ref().filter(begun) else { return Vec::new() };
        let others = agreement.heard_ms.iter().map(|(key, _)| *key);
        let is_lost =
            |key: &[u8; 32]| *key != self.peer.key() && !agreement.connected.contains(key);
        others.filter(is_lost).collect()
    }

    /// The goals of this peer's operator that are missed for too long.
    fn missed_goals(&self, standing: &Standing, now_ms: u64) -> Vec<Condition> {
        let goals = self.config().goals;
        let agreement = standing.agreement.as_ref();
        let connected = agreement.map_or(0, |agreement| {
            let others = agreement.heard_ms.iter().filter(|(key, _)| *key != self.peer.key());
            others.filter(|(key, _)| agreement.connected.contains(key)).count()
        });
        let now = Measured {
            commit_p99_ms: self.query.commit_p99_ms(now_ms),
            behind_blocks: standing.final_height.saturating_sub(standing.height),
            disk_free_bytes: self.disk.free(),
            validators_connected: connected as u64,
        };
        let missed =
            self.missed.lock().unwrap_or_else(PoisonError::into_inner).look(now_ms, &goals, &now);
        missed.into_iter().map(|(code, detail)| condition(code, None, false, detail)).collect()
    }

    /// All that is the matter now. Reads from disk.
    pub(super) fn conditions(&self, now_ms: u64) -> Vec<Condition> {
        let standing = self.query.standing();
        let lost = self.lost(&standing);
        let told = |name: String| {
            let detail = format!("{name} is not connected to this peer.");
            condition("peer_lost", Some(name), false, detail)
        };
        let mut found: Vec<Condition> = lost.iter().map(|key| told(self.name_of(key))).collect();
        for complaint in self.query.complaints(&standing, now_ms) {
            let subject = match &complaint {
                // Each start begins so.
                Complaint::Starting => continue,
                // It is told as lost, which is the better reason.
                Complaint::Silent { validator, .. } if lost.contains(validator) => continue,
                Complaint::Silent { validator, .. } => Some(self.name_of(validator)),
                _ => None,
            };
            let reason = self.reason(&complaint);
            found.push(condition(&reason.code, subject, complaint.is_grave(), reason.detail));
        }
        found.extend(self.missed_goals(&standing, now_ms));
        found.extend(self.query.clock_off_ms().map(clock_off));
        found.extend(self.disk.free().and_then(disk));
        for (id, why) in self.webhooks.given_up() {
            let detail = format!("A webhook failed too often and calls nobody any more: {why}.");
            found.push(condition("webhook_given_up", Some(id), false, detail));
        }
        if let Some(for_ms) = self.withheld.for_ms(now_ms).filter(|ms| *ms > WITHHELD_MS_MAX) {
            let detail = format!(
                "Erasures have waited {} s to be carried out here or confirmed on the ledger.",
                for_ms / 1000
            );
            found.push(condition("purge_withheld", None, false, detail));
        }
        found.extend(self.gateways.all().into_iter().flat_map(|(_, one)| gateway(one, now_ms)));
        let logs = [
            ("operations", self.operation.operations().damage()),
            ("alarms", self.operation.alarm_log().damage()),
        ];
        for (log, why) in logs {
            let damaged = |why| {
                condition(
                    "log_damaged",
                    Some(log.to_owned()),
                    false,
                    format!("The log of {log} is damaged: {why}."),
                )
            };
            found.extend(why.map(damaged));
        }
        found
    }
}

/// What is the matter with a gateway that reports to this peer.
fn gateway(one: Reported, now_ms: u64) -> Vec<Condition> {
    let (presence, queue) = (one.presence(now_ms), &one.report.queue);
    let full = queue.bytes_max > 0 && queue.bytes / QUEUE_PARTS_FULL >= queue.bytes_max / 10;
    let told = |code, detail| condition(code, Some(one.name.clone()), false, detail);
    let silent = (presence == GatewayPresence::Silent).then(|| {
        let seconds = now_ms.saturating_sub(one.at_ms) / 1000;
        told("gateway_silent", format!("Gateway {} has not reported for {seconds} s.", one.name))
    });
    let filling = (presence == GatewayPresence::Present && full).then(|| {
        let percent = queue.bytes / (queue.bytes_max / 100).max(1);
        let (name, readings) = (&one.name, queue.readings);
        told(
            "gateway_queue",
            format!(
                "The queue of gateway {name} is full to {percent} %: {readings} readings wait."
            ),
        )
    });
    silent.into_iter().chain(filling).collect()
}

fn clock_off(off_ms: i64) -> Condition {
    let (seconds, side) =
        (off_ms.unsigned_abs() / 1000, if off_ms > 0 { "ahead of" } else { "behind" });
    let detail =
        format!("The clock of this machine is about {seconds} s {side} those of most others.");
    condition("clock_off", None, false, detail)
}

fn disk(free: u64) -> Option<Condition> {
    let megabytes = free / 1_000_000;
    let detail = format!("{megabytes} MB are free on the disk of this peer.");
    match free {
        ..DISK_FULL_BYTES => Some(condition("disk_full", None, true, detail)),
        DISK_FULL_BYTES..DISK_LOW_BYTES => Some(condition("disk_low", None, false, detail)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_low_before_it_is_full() {
        let code = |free| disk(free).map(|found| (found.code, found.grave));
        let is = |code: &str, grave| Some((code.to_owned(), grave));
        assert_eq!(code(0), is("disk_full", true));
        assert_eq!(code(DISK_FULL_BYTES), is("disk_low", false));
        assert_eq!(code(DISK_LOW_BYTES), None);
    }

    #[test]
    fn a_gateway_is_told_of_when_it_falls_silent_or_its_queue_fills() {
        let codes = |bytes, bytes_max, stopping, now_ms| {
            let report = serde_json::json!({
                "version": "1", "uptime_s": 1, "stopping": stopping, "connections": 0, "clients": 0,
                "streams": 0, "readings_taken": 0, "readings_final": 0, "readings_lost": 0,
                "publishes_refused": 0, "streams_held": 0, "disk_failed": false,
                "queue": { "readings": 7, "backfilling": 0, "bytes": bytes, "bytes_max": bytes_max },
            });
            let report = serde_json::from_value(report).unwrap();
            let one = Reported { name: "g".into(), owner: None, at_ms: 0, report };
            gateway(one, now_ms).into_iter().map(|found| found.code).collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        assert_eq!(codes(10, 100, false, 1_000), none);
        assert_eq!(codes(50, 100, false, 1_000), ["gateway_queue"]);
        assert_eq!(codes(u64::MAX, u64::MAX, false, 1_000), ["gateway_queue"]);
        assert_eq!(codes(0, 0, false, 1_000), none, "no bound");
        assert_eq!(codes(50, 100, false, 60_000), ["gateway_silent"]);
        assert_eq!(codes(50, 100, true, 60_000), none, "it said that it was going");
    }

    #[test]
    fn each_alarm_says_what_to_do_and_is_in_the_book() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(page.join("../../docs/operating/watching.md")).unwrap();
        for (code, advice) in ADVICE {
            assert!(!advice.is_empty() && advice.len() < 200, "{code}");
            assert!(page.contains(&format!("| `{code}` |")), "{code} is not in watching.md");
            assert_eq!(ADVICE.iter().filter(|(other, _)| other == code).count(), 1, "{code}");
        }
    }
}
