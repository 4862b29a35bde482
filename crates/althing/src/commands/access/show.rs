//! Access, for people.

use althing_client::model::{Access, AccessPolicy, Event, EventRecord, Grant};
use althing_proof::record::GrantRecord;
use althing_types::GrantId;

use crate::output::{Table, fields, short};

/// The access that an event is about, if it is about one.
pub(super) fn access_of(event: &Event) -> Option<&Access> {
    match event {
        Event::AccessRequested { access, .. }
        | Event::AccessGranted { access, .. }
        | Event::AccessDenied { access, .. }
        | Event::AccessTimedOut { access, .. }
        | Event::GrantRevoked { access, .. }
        | Event::AccessUsed { access, .. } => Some(access),
        _ => None,
    }
}

/// Sentences, one in a line.
pub(super) fn list(sentences: &[String]) -> String {
    sentences.iter().map(|sentence| format!("- {sentence}\n")).collect()
}

pub(super) fn policy(policy: &AccessPolicy) -> String {
    let ask = match &policy.ask {
        Some(asked) => format!("{asked}, within {} blocks", policy.patience_blocks),
        None => "nobody".to_owned(),
    };
    let head = fields(&[
        ("about", policy.resource.to_string()),
        ("owner", policy.owner.to_string()),
        (
            "needs",
            match policy.mode.as_str() {
                "open" => "nothing besides".to_owned(),
                "grant" => "a grant".to_owned(),
                _ => "a grant, and a transaction for each use".to_owned(),
            },
        ),
        ("asks", ask),
        ("grants last", format!("{} blocks at most", policy.grant_blocks_max)),
        ("version", format!("{}, since block {}", policy.version, policy.since_height)),
    ]);
    format!("{head}{}", list(&policy.words))
}

pub(super) fn grant(grant: &Grant) -> String {
    let access = &grant.access;
    let mut rows = vec![
        ("id", access.id.to_string()),
        ("status", grant.status.clone()),
        ("grantee", access.grantee.to_string()),
        ("may", format!("{} {}", access.right, access.resource)),
        ("for", access.purpose.clone()),
        ("owner", access.owner.to_string()),
    ];
    if let Some(given) = &grant.given {
        let count = match given.count_max {
            0 => format!("used {} times", given.used),
            max => format!("used {} of {max} times", given.used),
        };
        let span = format!("blocks {} to {}", given.since_height, given.until_height);
        rows.push(("given", format!("by {}, {span}, {count}", given.by)));
        if let Some(height) = given.revoked {
            rows.push(("revoked", format!("in block {height}")));
        }
    }
    if let Some(asked) = &grant.asked {
        let who = format!("{}, until block {}", asked.entity, asked.answer_until_height);
        rows.push(("waits for", who));
    }
    fields(&rows)
}

pub(super) fn grants(grants: &[Grant], none: &str) -> String {
    let mut table = Table::new(&["id", "status", "right", "what", "purpose", "grantee"]);
    for grant in grants {
        let access = &grant.access;
        table.row([
            access.id.to_string(),
            grant.status.clone(),
            access.right.clone(),
            what(access),
            access.purpose.clone(),
            access.grantee.to_string(),
        ]);
    }
    table.or(none)
}

fn what(access: &Access) -> String {
    let resource = &access.resource;
    let name = resource.name.clone().unwrap_or_default();
    format!("{} {name} {}", resource.kind, short(&resource.id))
}

pub(super) fn feed(records: &[EventRecord]) -> String {
    let mut table = Table::new(&["when", "block", "what happened"]);
    for record in records {
        table.row([record.time.to_string(), record.height.to_string(), sentence(&record.event)]);
    }
    table.or("nothing happened yet")
}

/// One event of the feed as it comes.
pub(super) fn told(record: &EventRecord) -> String {
    format!("{}  {}", record.time, sentence(&record.event))
}

fn sentence(event: &Event) -> String {
    let of = |access: &Access| {
        format!("{} {} for {:?} by {}", access.right, what(access), access.purpose, access.grantee)
    };
    match event {
        Event::AccessPolicySet { resource, version, .. } => {
            format!("policy about {resource} set, version {version}")
        }
        Event::AccessPolicyRemoved { resource, .. } => format!("policy about {resource} removed"),
        Event::AccessRequested { access, asked, .. } => {
            format!("asked: {}; {asked} is to answer", of(access))
        }
        Event::AccessGranted { access, by, .. } => format!("granted: {}; by {by}", of(access)),
        Event::AccessDenied { access, by } => format!("denied: {}; by {by}", of(access)),
        Event::AccessTimedOut { access, .. } => format!("not answered: {}", of(access)),
        Event::GrantRevoked { access, by } => format!("revoked: {}; by {by}", of(access)),
        Event::AccessUsed { access, by, count, used, .. } => {
            format!("used {count} times, {used} in all: {}; recorded by {by}", of(access))
        }
        other => other.name().to_owned(),
    }
}

/// A grant as the state has it, with what that means at a height.
pub(super) fn record(id: &GrantId, record: &GrantRecord, height: u64) -> String {
    let access = &record.access;
    let state = match &record.given {
        Some(given) if given.holds_at(height) && given.uses_left() == Some(0) => {
            "used up".to_owned()
        }
        Some(given) if given.holds_at(height) => {
            format!("in force until block {}", given.until_height)
        }
        Some(_) => "over or revoked".to_owned(),
        None => "asked for, not given".to_owned(),
    };
    format!(
        "grant {id}: entity {} may {} {:?} of owner {} for {:?}: {state} at block {height}",
        access.grantee,
        access.right.name(),
        access.resource,
        access.owner,
        access.purpose
    )
}
