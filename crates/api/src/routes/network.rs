use std::{
    fmt::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use althing_client::{
    genesis_file::GenesisFile,
    model::{
        Health, HealthReason, HealthState, Hex, HexKey, Network, Peer, PeerOffence, PeerRole,
        Peers, Status,
    },
};
use althing_peer::{
    Halt, Offence, Offences,
    query::{Complaint, Figure, Phase, Standing},
};
use althing_types::Validator;
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    problem::Answer,
    process,
    service::{Service, Shared},
};

/// Get the network and its genesis
#[utoipa::path(
    get,
    path = "/v1/network",
    tag = "network",
    responses((status = 200, description = "The network", body = Network))
)]
pub(super) async fn network(State(service): State<Shared>) -> Json<Network> {
    let genesis = service.peer.genesis();
    Json(Network {
        network: genesis.network.clone(),
        ledger: Hex(service.peer.ledger()),
        genesis: GenesisFile::from(genesis),
    })
}

/// Ask what the peer is doing
#[utoipa::path(
    get,
    path = "/v1/status",
    tag = "network",
    responses((status = 200, description = "What it is doing", body = Status))
)]
pub(super) async fn status(State(service): State<Shared>) -> Answer<Json<Status>> {
    service.read(|service| service.status().map(Json)).await
}

/// Ask whether the peer is well
///
/// 200 if it takes part, with reasons if something is missing; 503 if it does not, with reasons.
#[utoipa::path(
    get,
    path = "/v1/health",
    tag = "network",
    responses(
        (status = 200, description = "It takes part", body = Health),
        (status = 503, description = "It does not", body = Health),
    )
)]
pub(super) async fn health(State(service): State<Shared>) -> Response {
    let standing = service.query.standing();
    let complaints = service.query.complaints(&standing, now_ms());
    let stopping = service.operation.is_stopping().then(|| HealthReason {
        code: "stopping".to_owned(),
        detail: "The peer takes no more transactions and ends soon; ask another.".to_owned(),
    });
    let state = match complaints.first() {
        _ if stopping.is_some() => HealthState::Unavailable,
        None => HealthState::Ready,
        Some(complaint) if complaint.is_grave() => HealthState::Unavailable,
        Some(_) => HealthState::Degraded,
    };
    let status = match state {
        HealthState::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        HealthState::Ready | HealthState::Degraded => StatusCode::OK,
    };
    let reasons = complaints.iter().map(|complaint| service.reason(complaint));
    let reasons: Vec<HealthReason> = stopping.into_iter().chain(reasons).collect();
    (status, Json(Health { state, reasons, height: standing.height })).into_response()
}

/// List the peers of the network
///
/// As this peer sees them.
#[utoipa::path(
    get,
    path = "/v1/peers",
    tag = "network",
    responses((status = 200, description = "The peers", body = Peers))
)]
pub(super) async fn peers(State(service): State<Shared>) -> Answer<Json<Peers>> {
    let list = |service: &Service| {
        let standing = service.query.standing();
        let seats = service.query.seats()?;
        let peer = |(seat, votes): &(Validator, bool)| service.peer_of(seat, *votes, &standing);
        Ok(Json(Peers { items: seats.iter().map(peer).collect() }))
    };
    service.read(list).await
}

/// Get figures for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "network",
    responses((status = 200, description = "Prometheus text format", body = String,
        content_type = "text/plain"))
)]
pub(super) async fn metrics(State(service): State<Shared>) -> Response {
    let mut figures = service.query.figures();
    let disk = service.read(|service| Ok(service.disk.figures())).await;
    figures.extend(disk.unwrap_or_default());
    figures.extend(process::figures());
    figures.extend(service.query.commit_p99_ms(now_ms()).map(|value| Figure {
        name: "althing_commit_p99_ms",
        help: "Milliseconds within which 99 of 100 transactions of clients were final in the last minute.",
        counts: false,
        value,
    }));
    let text = exposition(&figures);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn exposition(figures: &[Figure]) -> String {
    let mut text = String::new();
    for Figure { name, help, counts, value } in figures {
        let kind = if *counts { "counter" } else { "gauge" };
        // Writing to a String does not fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    text
}

fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

impl Service {
    fn status(&self) -> Answer<Status> {
        let standing = self.query.standing();
        let head = self.query.block_head(standing.height)?;
        let key = self.peer.key();
        let agreement = standing.agreement.as_ref();
        let (arriving_per_s, gather) = self.query.pace(now_ms());
        Ok(Status {
            arriving_per_s,
            gather_ms: u32::try_from(gather.as_millis()).unwrap_or(u32::MAX),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network: self.network().to_owned(),
            ledger: Hex(self.peer.ledger()),
            peer: self.seat(&key).map(|seat| self.did(&seat.peer)),
            key: Hex(HexKey(key)),
            role: if standing.votes { PeerRole::Validator } else { PeerRole::Follower },
            trusts_validators: standing.trusts_validators,
            phase: phase(&standing).to_owned(),
            height: standing.height,
            time: head.header.time_ms.into(),
            state_root: Hex(self.query.state_root(standing.height)?),
            final_height: standing.final_height,
            epoch: agreement.map_or(0, |agreement| agreement.epoch),
            mechanism: agreement.map_or("", |agreement| agreement.mechanism.name()).to_owned(),
            view: agreement.map_or(0, |agreement| agreement.view),
            leader: Hex(HexKey(agreement.map_or([0; 32], |agreement| agreement.leader))),
            quorum: agreement.map_or(0, |agreement| number(agreement.quorum)),
            connected: agreement.map_or(0, |agreement| number(agreement.connected.len())),
            waiting: number(standing.waiting),
            waiting_bytes: standing.waiting_bytes as u64,
            payloads_missing: standing.payloads_missing as u64,
            payloads_surplus: standing.payloads_surplus as u64,
            payload_bytes: standing.payload_bytes,
            payload_bytes_max: standing.payload_bytes_max,
        })
    }

    fn peer_of(&self, seat: &Validator, votes: bool, standing: &Standing) -> Peer {
        let agreement = standing.agreement.as_ref();
        let heard = agreement.and_then(|agreement| {
            let of_seat = agreement.heard_ms.iter().find(|(key, _)| *key == seat.key);
            of_seat.and_then(|(_, heard)| *heard)
        });
        let offences = self.peer.offences(&seat.key).into_iter();
        let name = self.entity_name(&seat.peer);
        Peer {
            key: Hex(HexKey(seat.key)),
            id: self.did(&seat.peer),
            organisation: self.did(&seat.organisation),
            organisation_name: self.entity_name(&seat.organisation),
            role: if votes { PeerRole::Validator } else { PeerRole::Follower },
            this: seat.key == self.peer.key(),
            http: self.address_of(&name, &seat.key),
            connected: agreement.is_some_and(|agreement| agreement.connected.contains(&seat.key)),
            heard: heard.map(Into::into),
            offences: offences.map(|(offence, seen)| offence_seen(offence, seen)).collect(),
            name,
        }
    }

    fn address_of(&self, name: &str, key: &[u8; 32]) -> Option<String> {
        let known = &self.config().addresses;
        known.get(name).or_else(|| known.get(&hex::encode(key))).cloned()
    }

    pub(crate) fn reason(&self, complaint: &Complaint) -> HealthReason {
        let (code, detail) = match complaint {
            Complaint::Halted(halt) => halted(halt),
            Complaint::Starting => ("starting", "The peer is starting.".to_owned()),
            Complaint::Stopped => {
                ("stopped", "The peer has stopped taking part; restart it.".to_owned())
            }
            Complaint::NotBegun { in_ms } => (
                "not_begun",
                format!(
                    "The genesis is {} s ahead of this peer's clock; nothing is agreed on before. \
                     Wait, or set the clock right.",
                    in_ms.div_ceil(1000)
                ),
            ),
            Complaint::Connecting { connected, quorum } => (
                "connecting",
                format!(
                    "Waits until {quorum} validators, this one included, are connected; \
                     {connected} others are now. Start them, or check addresses and ports."
                ),
            ),
            Complaint::WaitingForVotes { since_ms, leader, missing } => (
                "waiting_for_votes",
                format!(
                    "Waits for votes of {} since {} s; {} leads the view.",
                    self.names(missing),
                    since_ms / 1000,
                    self.name_of(leader)
                ),
            ),
            Complaint::Behind { blocks } => (
                "behind",
                format!("{blocks} final blocks are not executed yet; answers are as old."),
            ),
            Complaint::PayloadsMissing { count } => (
                "payloads_missing",
                format!("The payloads of {count} batches are being fetched from other peers."),
            ),
            Complaint::Backfilling { from, have } => (
                "backfilling",
                format!(
                    "Knows history from height {from}; fetching what is before: {} %.",
                    have.saturating_mul(100) / (*from).max(1)
                ),
            ),
            Complaint::PayloadSpace { bytes, bytes_max } => (
                "payload_space_low",
                format!(
                    "Payloads take {bytes} of {bytes_max} bytes (`disk` in [peer]); beyond that this \
                     peer takes no readings from its clients. Give it more, or have owners keep theirs \
                     at fewer peers or for less long."
                ),
            ),
            Complaint::MempoolFull => (
                "mempool_full",
                "Nearly as many transactions wait as may; new ones will be refused.".to_owned(),
            ),
            Complaint::Silent { validator, since_ms } => {
                let name = self.name_of(validator);
                let detail = match since_ms {
                    Some(since_ms) => format!("No vote of {name} for {} s.", since_ms / 1000),
                    None => format!("No vote of {name} since the start."),
                };
                ("validator_silent", detail)
            }
            Complaint::Offences { by } => (
                "validators_broke_rules",
                format!("{} broke the rules; `althing peer status` says how.", self.names(by)),
            ),
        };
        HealthReason { code: code.to_owned(), detail }
    }

    fn names(&self, keys: &[[u8; 32]]) -> String {
        let names: Vec<String> = keys.iter().map(|key| self.name_of(key)).collect();
        if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
    }

    pub(crate) fn name_of(&self, key: &[u8; 32]) -> String {
        let seat = self.seat(key);
        seat.map_or_else(|| HexKey(*key).to_string(), |seat| self.entity_name(&seat.peer))
    }
}

fn offence_seen(offence: Offence, seen: Offences) -> PeerOffence {
    PeerOffence {
        code: offence.code().to_owned(),
        detail: seen.detail,
        count: seen.count,
        first: seen.first_ms.into(),
        last: seen.last_ms.into(),
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn phase(standing: &Standing) -> &'static str {
    match standing.agreement.as_ref().map(|agreement| agreement.phase) {
        _ if standing.halt.is_some() => "halted",
        None => "starting",
        Some(Phase::Connecting) => "connecting",
        Some(Phase::Voting) => "voting",
        Some(Phase::Following) => "following",
        Some(Phase::Stopped(_)) => "stopped",
    }
}

fn halted(halt: &Halt) -> (&'static str, String) {
    match halt {
        Halt::Diverged { height, .. } => (
            "diverged",
            format!(
                "This peer computed another result of block {height} than the quorum; it takes no \
                 part. Run `althing peer check`, and compare versions."
            ),
        ),
        Halt::Storage(what) => ("storage_failed", format!("The disk failed or is full: {what}.")),
        Halt::Foreign(what) => ("foreign_data", format!("{what}. Run `althing peer check`.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_in_the_text_format() {
        let figures = [Figure { name: "a_total", help: "All.", counts: true, value: 7 }];
        let expected = "# HELP a_total All.\n# TYPE a_total counter\na_total 7\n";
        assert_eq!(exposition(&figures), expected);
    }
}
