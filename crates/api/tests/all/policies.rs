//! What members decide about how readings are kept, and what they had decided once.

use althing_api::Config;
use althing_client::{Error, model::Outcome};
use althing_types::{
    Action, Change, Demands, Deploy, Parameters, Participation, Placement, Proposal, Regulation,
    StreamId, StreamPlacement, ThingId, Transact, VotingRule,
};

use crate::support::{Host, PATIENCE, with_peer};

const DESCRIPTION: &str = r#"{
  "@context": "https://www.w3.org/2022/wot/td/v1.1",
  "@type": "Meter",
  "title": "Meter",
  "securityDefinitions": {"none": {"scheme": "nosec"}},
  "security": "none",
  "properties": {"power": {"type": "integer", "forms": [{"href": "mqtt://gateway/power"}]}}
}"#;

async fn act(host: &Host, action: Action) -> Result<Outcome, Error> {
    let transaction = host.organisation.sign(vec![action]);
    host.client.finalize_transaction(&transaction, PATIENCE).await
}

/// The only member decides alone; the height of the block that did it.
async fn decide(host: &Host, change: Change) -> u64 {
    let proposal = Action::Propose(Proposal { change, reason: String::new() });
    let outcome = act(host, proposal).await.unwrap();
    assert_eq!(outcome.receipt.refusal, None);
    outcome.height
}

fn regulation() -> Regulation {
    Regulation {
        id: "gdpr-5".into(),
        text: "Readings of people are kept no longer than needed.".into(),
        reference: "Article 5(1)(e)".into(),
        jurisdiction: "EU".into(),
        thing_type: Some("Meter".into()),
        demands: Demands { retention_days_max: Some(30), ..Demands::default() },
    }
}

#[test]
fn a_broken_regulation_is_named_to_who_sent_it() {
    with_peer(Config::standard(), |host| async move {
        let register =
            Action::RegisterThing { name: "meter".into(), description: DESCRIPTION.into() };
        act(&host, register).await.unwrap();
        let thing = ThingId::derive(&host.organisation.signer().entity, "meter");
        let stream = StreamId::derive(&thing, "power");
        assert_eq!(host.client.stream_regulations(&stream).await.unwrap().items, []);
        decide(&host, Change::SetRegulation(regulation())).await;
        let place = |days| {
            let placement = Placement { retention_days: Some(days), ..Placement::default() };
            Action::PlaceStream(StreamPlacement { stream, placement })
        };
        let refused = act(&host, place(31)).await.unwrap_err();
        assert_eq!(refused.code(), Some("regulation_broken"));
        let said = refused.to_string();
        assert!(said.contains("`gdpr-5` (EU): Readings of people"), "{said}");
        let about = host.client.stream_regulations(&stream).await.unwrap().items;
        assert_eq!((about.len(), about[0].complies), (1, false));
        act(&host, place(30)).await.unwrap();
        let about = host.client.stream_regulations(&stream).await.unwrap().items;
        assert!(about[0].complies && about[0].regulation.id == "gdpr-5");
    });
}

#[test]
fn what_was_decided_by_a_height_is_told() {
    with_peer(Config::standard(), |host| async move {
        let set = decide(&host, Change::SetRegulation(regulation())).await;
        let rule = VotingRule { numerator: 1, denominator: 1, ..VotingRule::STANDARD };
        let ruled = decide(&host, Change::SetVotingRule(rule)).await;
        let said = Participation { transact: Transact::Members, deploy: Deploy::Members };
        let parameters =
            Parameters { participation: Some(said), ..host.genesis.parameters.clone() };
        let parted = decide(&host, Change::SetParameters(parameters)).await;
        let ended = decide(&host, Change::EndRegulation { id: "gdpr-5".into() }).await;
        for (height, regulations, numerator, parts) in [
            (0, 0, 2, false),
            (set - 1, 0, 2, false),
            (set, 1, 2, false),
            (ruled, 1, 1, false),
            (parted - 1, 1, 1, false),
            (parted, 1, 1, true),
            (ended - 1, 1, 1, true),
            (ended, 0, 1, true),
        ] {
            let found = host.client.policies_at(height).await.unwrap();
            let parted = found.parameters.participation.is_some();
            let told = (found.regulations.len(), found.rule.numerator, parted);
            assert_eq!(told, (regulations, numerator, parts), "height {height}");
            assert_eq!((found.height, found.members.len()), (height, 1));
        }
        let unknown = host.client.policies_at(u64::MAX).await.unwrap_err();
        assert_eq!(unknown.code(), Some("unknown_block"));
        // The end of what was told is what the state has.
        let now = host.client.governance().await.unwrap();
        let found = host.client.policies_at(ended).await.unwrap();
        assert_eq!((now.parameters, now.rule), (found.parameters, found.rule));
    });
}
