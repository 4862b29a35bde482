//! Gateways that say how they are doing, and others that say so in their name.

use althing_api::Config;
use althing_client::{
    Client, ReadingAs, Signer,
    model::{GATEWAY_PURPOSE, GatewayPresence, GatewayQueue, GatewayReport},
};
use althing_types::{EntityId, EntityKind, SigningKey};

use crate::support::{Host, PATIENCE, key, with_peer};

fn speaking_as(host: &Host, entity: EntityId, key: SigningKey, purpose: &str) -> Client {
    host.client.reading_as(ReadingAs { entity, key, purpose: purpose.to_owned() })
}

#[test]
fn what_a_gateway_says_of_itself_is_shown_and_nobody_speaks_for_it() {
    with_peer(Config::standard(), |host| async move {
        let ledger = host.genesis.ledger();
        let kind = EntityKind::Gateway;
        let (gateway, register) = Signer::registration(&ledger, kind, "Dock", &key(7));
        let transaction = host.organisation.sign(vec![register]);
        let outcome = host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap();
        assert_eq!(outcome.receipt.refusal, None);
        host.client.read_from(outcome.height);
        assert!(host.client.gateways().await.unwrap().items.is_empty());

        let queue = GatewayQueue {
            readings: 3,
            bytes: 500,
            bytes_max: 1_000,
            oldest_ms: Some(7),
            ..<_>::default()
        };
        let report = GatewayReport { version: "1".to_owned(), queue, ..<_>::default() };
        let itself = speaking_as(&host, gateway, key(7), GATEWAY_PURPOSE);
        itself.report_gateway(&report).await.unwrap();
        let shown = host.client.gateways().await.unwrap().items;
        let [one] = shown.as_slice() else { panic!("{shown:?}") };
        assert_eq!((one.name.as_str(), one.presence), ("Dock", GatewayPresence::Present));
        let organisation = host.organisation.signer().entity;
        assert_eq!(one.owner.as_ref().map(|owner| owner.entity_id()), Some(organisation));
        assert_eq!(one.report, report);

        let going = GatewayReport { stopping: true, ..report.clone() };
        itself.report_gateway(&going).await.unwrap();
        let shown = host.client.gateways().await.unwrap().items;
        assert_eq!(shown[0].presence, GatewayPresence::Stopped);

        // A token that was made to read, one of no gateway, one under another key, and none.
        let (owner, stranger) = (key(1), key(8));
        let code = |error: althing_client::Error| error.code().map(str::to_owned);
        for client in [
            speaking_as(&host, gateway, key(7), "maintenance"),
            speaking_as(&host, organisation, owner, GATEWAY_PURPOSE),
            speaking_as(&host, gateway, stranger, GATEWAY_PURPOSE),
            host.client.clone(),
        ] {
            let refused = client.report_gateway(&report).await.unwrap_err();
            assert_eq!(code(refused).as_deref(), Some("bad_token"));
        }
        let long = GatewayReport { version: "v".repeat(33), ..report.clone() };
        let refused = itself.report_gateway(&long).await.unwrap_err();
        assert_eq!(code(refused).as_deref(), Some("invalid_body"));
        let longer = GatewayReport { version: "v".repeat(5_000), ..report };
        let refused = itself.report_gateway(&longer).await.unwrap_err();
        assert_eq!(code(refused).as_deref(), Some("body_too_large"));
        assert_eq!(host.client.gateways().await.unwrap().items[0].report, going);
    });
}
