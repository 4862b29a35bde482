//! One property of all things with a tag, as each reader may see it.

use althing_api::Config;
use althing_client::{
    ReadingAs, Submission,
    model::{TaggedReadings, When, query},
};
use althing_types::{
    AccessMode, AccessPolicy, Action, Payload, Reading, Resource, StreamId, ThingId, ThingTags,
    Value, Wire as _,
};

use crate::support::{Host, PATIENCE, with_peer};

const TAG: &str = "on the roof/west";

fn description(step: &str, unit: &str) -> String {
    let property = format!(
        r#""type": "number", "multipleOf": {step}, "unit": "{unit}", "forms": [{{"href": "t"}}]"#
    );
    format!(
        r#"{{"@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "Sensor",
        "securityDefinitions": {{"none": {{"scheme": "nosec"}}}}, "security": "none",
        "properties": {{"temperature": {{{property}}}}}}}"#
    )
}

async fn act(host: &Host, actions: Vec<Action>) -> u64 {
    let transaction = host.organisation.sign(actions);
    let outcome = host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap();
    assert_eq!(outcome.receipt.refusal, None, "{outcome:?}");
    outcome.height
}

/// Registers a thing with this tag and these values, a second apart.
async fn add(host: &Host, name: &str, step: &str, unit: &str, tag: &str, mantissas: &[i64]) {
    let thing = ThingId::derive(&host.organisation.signer().entity, name);
    let tags = ThingTags { thing, tags: vec![tag.into()] };
    let register =
        Action::RegisterThing { name: name.into(), description: description(step, unit).into() };
    let begin = act(host, vec![register, Action::TagThing(tags)]).await;
    // A description counts for payloads from the result that states it.
    while host.client.status().await.unwrap().height < begin + 2 {
        tokio::task::yield_now().await;
    }
    let reading = |(index, mantissa): (usize, &i64)| {
        let claimed_ms = index as i64 * 1_000;
        Reading { claimed_ms, received_ms: claimed_ms, value: Value::Number(*mantissa) }
    };
    let payload = Payload { readings: mantissas.iter().enumerate().map(reading).collect() };
    let header = payload.header(StreamId::derive(&thing, "temperature"), 0);
    let transaction = host.organisation.sign(vec![Action::SubmitBatch(header)]);
    let submission =
        Submission { payloads: vec![payload.to_wire().into()], ..Submission::from(&transaction) };
    let outcome = host.client.finalize(&submission, PATIENCE).await.unwrap();
    assert_eq!(outcome.receipt.refusal, None, "{outcome:?}");
}

/// Name, refusal, newest value, count and sum of each thing; then kind, unit, things, count, smallest, largest, sum
/// and mean of all.
fn shown(found: &TaggedReadings) -> (Vec<String>, Vec<String>) {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let mut items: Vec<String> = Vec::new();
    for item in &found.items {
        let latest = item.latest.as_ref().map(|reading| reading.value.clone());
        let total = item.total.as_ref();
        let sum = total.and_then(|total| total.sum.clone());
        let count = total.map_or(0, |total| total.count);
        let refused = text(&item.refused);
        items.push(format!("{} {refused} {} {count} {}", item.name, text(&latest), text(&sum)));
    }
    items.sort();
    let totals = found.totals.iter().map(|total| {
        let (min, max) = (text(&total.min), text(&total.max));
        let (sum, mean) = (text(&total.sum), text(&total.mean));
        let (unit, things, count) = (&total.unit, total.things, total.count);
        format!("{unit} {things} {count} {min} {max} {sum} {mean}")
    });
    (items, totals.collect())
}

#[test]
fn a_property_of_things_with_a_tag_is_shown_as_far_as_the_reader_may_see_it() {
    with_peer(Config::standard(), |host| async move {
        add(&host, "north", "0.01", "Cel", TAG, &[2150, 2250]).await;
        add(&host, "south", "1", "Cel", TAG, &[30, 40, 50]).await;
        add(&host, "shut", "1", "Cel", TAG, &[1000]).await;
        add(&host, "other", "1", "Cel", "cellar", &[7]).await;
        add(&host, "kelvin", "1", "K", TAG, &[300]).await;
        let owner = host.organisation.signer().entity;
        let shut = ThingId::derive(&owner, "shut");
        let policy = Action::SetAccessPolicy(AccessPolicy {
            resource: Resource::Property { thing: shut, name: "temperature".into() },
            mode: AccessMode::Grant,
            text: "permit(principal, action, resource);".into(),
            ask: None,
            patience_blocks: 0,
            grant_blocks_max: 100,
        });
        let height = act(&host, vec![policy]).await;
        host.client.read_from(height);

        let asked = query::Tagged { property: "temperature".into(), ..<_>::default() };
        let found = host.client.tagged_readings(TAG, &asked).await.unwrap();
        let (items, totals) = shown(&found);
        let expected = [
            "kelvin - 300 1 300",
            "north - 22.50 2 44.00",
            "shut no_grant - 0 -",
            "south - 50 3 120",
        ];
        assert_eq!(
            (items.as_slice(), found.next.as_ref()),
            (&expected.map(String::from)[..], None)
        );
        let together =
            ["Cel 2 5 21.50 50.00 164.00 32.80000", "K 1 1 300 300 300 300.000"].map(String::from);
        assert_eq!(totals, together, "of a thing that is shut nothing is in it");

        // The owner sees all, and a time bounds what is summed up.
        let signer = host.organisation.signer();
        let (entity, key) = (signer.entity, signer.key.clone());
        let own = host.client.reading_as(ReadingAs { entity, key, purpose: String::new() });
        let late = query::Tagged { from: Some(When(1_000)), ..asked.clone() };
        let found = own.tagged_readings(TAG, &late).await.unwrap();
        let expected =
            ["kelvin - 300 0 -", "north - 22.50 1 22.50", "shut - 1000 0 -", "south - 50 2 90"];
        assert_eq!(shown(&found).0, expected.map(String::from));
        assert_eq!(shown(&found).1, ["Cel 2 3 22.50 50.00 112.50 37.50000"].map(String::from));

        // By pages.
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = query::Tagged { after, limit: Some(3), ..asked.clone() };
            let page = own.tagged_readings(TAG, &page).await.unwrap();
            assert!(page.items.len() <= 3);
            names.extend(page.items.into_iter().map(|item| item.name));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        names.sort();
        assert_eq!(names, ["kelvin", "north", "shut", "south"]);

        let nobody = host.client.tagged_readings("nothing", &asked).await.unwrap();
        assert_eq!((nobody.items.len(), nobody.totals.len()), (0, 0));
        let nameless = query::Tagged::default();
        let many = query::Tagged { limit: Some(51), ..asked };
        for wrong in [nameless, many] {
            let refused = host.client.tagged_readings(TAG, &wrong).await.unwrap_err();
            assert_eq!(refused.code(), Some("invalid_query"), "{wrong:?}");
        }
    });
}
