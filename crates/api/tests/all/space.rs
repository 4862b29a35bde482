//! A peer whose payloads may take so much of the disk and no more.

use althing_api::Config;
use althing_client::{Submission, model::HealthState};
use althing_types::{Action, Payload, Reading, StreamId, ThingId, Value, Wire as _};

use crate::support::{Host, PATIENCE, with_bounded_peer};

const DESCRIPTION: &str = r#"{
  "@context": "https://www.w3.org/2022/wot/td/v1.1",
  "title": "Tank",
  "securityDefinitions": {"none": {"scheme": "nosec"}},
  "security": "none",
  "properties": {"level": {"type": "integer", "forms": [{"href": "mqtt://gateway/level"}]}}
}"#;

async fn submit(host: &Host, first_seq: u64) -> Result<(), String> {
    let stream = StreamId::derive(&thing(host), "level");
    let status = host.client.status().await.unwrap();
    let claimed_ms = status.time.0;
    let value =
        |value| Reading { claimed_ms, received_ms: claimed_ms, value: Value::Number(value) };
    let payload = Payload { readings: (0..20).map(value).collect() };
    let header = payload.header(stream, first_seq);
    let transaction = host.organisation.sign(vec![Action::SubmitBatch(header)]);
    let payloads = vec![payload.to_wire().into()];
    let submission = Submission { payloads, ..Submission::from(&transaction) };
    match host.client.finalize(&submission, PATIENCE).await {
        Ok(outcome) => outcome.receipt.refusal.map_or(Ok(()), |refusal| Err(refusal.code)),
        Err(error) => Err(error.code().unwrap_or("another error").to_owned()),
    }
}

fn thing(host: &Host) -> ThingId {
    ThingId::derive(&host.organisation.signer().entity, "tank")
}

#[test]
fn a_peer_whose_payloads_reach_their_bound_says_so_and_takes_no_more() {
    with_bounded_peer(Config::standard(), 1_000, |host| async move {
        let description = DESCRIPTION.into();
        let register = Action::RegisterThing { name: "tank".into(), description };
        let transaction = host.organisation.sign(vec![register]);
        let height = host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap().height;
        while host.client.status().await.unwrap().height < height + 2 {
            tokio::task::yield_now().await;
        }
        let said = |health: &althing_client::model::Health| {
            health.reasons.iter().any(|reason| reason.code == "payload_space_low")
        };
        assert!(!said(&host.client.health().await.unwrap()));
        let mut taken = 0;
        let refused = loop {
            match submit(&host, taken * 20).await {
                Ok(()) => taken += 1,
                Err(code) => break code,
            }
            assert!(taken < 20, "the bound holds nothing back");
        };
        assert_eq!(refused, "storage_full");
        let status = host.client.status().await.unwrap();
        assert!(status.payload_bytes >= 1_000, "{status:?}");
        assert_eq!(status.payload_bytes_max, Some(1_000));
        let health = host.client.health().await.unwrap();
        assert!(said(&health) && health.state == HealthState::Degraded, "{health:?}");
        // What it has it keeps and serves, and what brings no payload it takes.
        let stream = StreamId::derive(&thing(&host), "level");
        let page = host.client.readings(&stream, &<_>::default()).await.unwrap();
        assert!(page.unavailable.is_empty() && !page.items.is_empty());
        let erase = Action::EraseReadings { stream, first_seq: 0, last_seq: 0 };
        let transaction = host.organisation.sign(vec![erase]);
        let outcome = host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap();
        assert_eq!(outcome.receipt.refusal, None);
    });
}
