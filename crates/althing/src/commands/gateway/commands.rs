//! Carry commands from the ledger to the devices of the gateway, and their answers back.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    convert::Infallible,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use althing_client::{
    Account, Client, Error, Signer,
    model::{self, Event, Page, Thing, query},
};
use althing_edge::{
    Rejection, TimeMs,
    courier::{self, Courier, Errand, Step},
};
use althing_gateway::{Handle, Qos, Routed};
use althing_ledger::thing::input_problem;
use althing_types::{Action, CommandReport, CommandState, EntityId, Operation, ThingId};
use tokio::{sync::mpsc, time::sleep};

use super::{
    directory::{is_bound, own_owners},
    submit::submit,
};

/// Pause before a peer that failed is asked again, or the next one.
const PAUSE: Duration = Duration::from_millis(500);
/// Reports that wait to be signed; beyond, devices wait for their acknowledgement.
const REPORTS_WAITING_MAX: usize = 64;
/// What changes the commands that this gateway carries.
const EVENTS: &str = "command_queued,command_changed,bound,unbound,thing_transferred,\
                      thing_retired,quarantine_changed";

/// A report to the ledger, and the publish that waits for it.
type Due = (CommandReport, Option<Routed>);

/// Carries commands for as long as it is polled, and goes on from peer to peer.
pub(super) async fn carry(
    gateway: &Handle,
    clients: &[Client],
    signer: &Signer,
    owners: &[EntityId],
) -> Infallible {
    loop {
        for client in clients {
            if let Err(error) = carry_by(gateway, client, signer, owners).await {
                tracing::debug!(peer = client.url(), %error, "a peer does not tell of commands");
            }
            sleep(PAUSE).await;
        }
    }
}

async fn carry_by(
    gateway: &Handle,
    client: &Client,
    signer: &Signer,
    owners: &[EntityId],
) -> Result<(), Error> {
    let kind = Some(EVENTS.to_owned());
    // Events first, then what is open, so that nothing falls between the two.
    let mut events = client.events(&query::Events { kind, ..<_>::default() }).await?;
    let account = Account::open(client, signer.clone()).await?;
    let Ok(mut answers) = gateway.route(courier::ANSWERS) else { return Ok(()) };
    let owners = match owners {
        [] => own_owners(client, &signer.entity).await?,
        named => named.iter().copied().collect(),
    };
    let (reports, due) = mpsc::channel(REPORTS_WAITING_MAX);
    let entity = signer.entity;
    let mut carrier = Carrier {
        gateway,
        client,
        entity,
        owners,
        reports,
        courier: Courier::default(),
        names: BTreeMap::new(),
    };
    let work = async {
        carrier.refresh().await?;
        loop {
            let wait = carrier.wait();
            tokio::select! {
                event = events.next() => match event? {
                    Some(record) => carrier.on_event(record.event).await?,
                    None => return Ok(()),
                },
                Some(routed) = answers.recv() => carrier.on_answer(routed).await,
                () = sleep(wait) => {
                    let steps = carrier.courier.tick(now_ms());
                    carrier.perform(steps).await;
                }
            }
        }
    };
    tokio::select! {
        ended = work => ended,
        never = report_all(client, &account, due) => match never {},
    }
}

struct Carrier<'a> {
    gateway: &'a Handle,
    client: &'a Client,
    entity: EntityId,
    /// Whose things are served.
    owners: BTreeSet<EntityId>,
    reports: mpsc::Sender<Due>,
    courier: Courier,
    /// The things that are bound to the gateway, by name.
    names: BTreeMap<ThingId, String>,
}

impl Carrier<'_> {
    /// How long until something is due.
    fn wait(&self) -> Duration {
        let due = self.courier.deadline().map(|due| due.saturating_sub(now_ms()));
        due.map_or(Duration::from_secs(3600), |ms| Duration::from_millis(ms.unsigned_abs()))
    }

    /// Finds out which things are bound to the gateway, and what is open for them.
    async fn refresh(&mut self) -> Result<(), Error> {
        let mut query = query::Things::default();
        loop {
            let page: Page<Thing> = self.client.things(&query).await?;
            for thing in page.items {
                self.look_at(thing).await?;
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(());
            }
        }
    }

    async fn look_at(&mut self, thing: Thing) -> Result<(), Error> {
        let id = thing.hex.0;
        let is_served = is_bound(&thing, &self.entity, self.client.height())
            && self.owners.contains(&thing.owner.entity_id())
            && !thing.quarantined;
        if !is_served {
            if let Some(name) = self.names.remove(&id) {
                self.courier.drop_thing(&name);
            }
            return Ok(());
        }
        self.names.insert(id, thing.name);
        let open = query::Commands { open: true, ..<_>::default() };
        for command in self.client.commands(&id, &open).await?.items {
            self.take(&id, command).await?;
        }
        Ok(())
    }

    async fn on_event(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::CommandQueued { command, thing, .. } => {
                let thing = thing.thing_id();
                if self.names.contains_key(&thing) {
                    let command = self.client.command(&command.0).await?;
                    self.take(&thing, command).await?;
                }
            }
            Event::CommandChanged { command, state, .. }
                if CommandState::from_name(&state).is_none_or(CommandState::is_last) =>
            {
                self.courier.drop_command(&command.0);
            }
            Event::Bound { thing, .. }
            | Event::Unbound { thing, .. }
            | Event::ThingTransferred { thing, .. }
            | Event::ThingRetired { thing }
            | Event::QuarantineChanged { thing, .. } => {
                let thing = self.client.thing(&thing.thing_id()).await?;
                self.look_at(thing).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a command on, or tells the ledger why its device is not asked.
    async fn take(&mut self, thing: &ThingId, command: model::Command) -> Result<(), Error> {
        let (Some(name), Some(state)) =
            (self.names.get(thing).cloned(), CommandState::from_name(&command.state))
        else {
            return Ok(());
        };
        let (id, until_ms) = (command.id.0, command.until.0);
        let (operation, value) = operation(&command.operation);
        if let Operation::Invoke { action, input } = &operation {
            let description = self.client.description(thing, None).await?;
            let input = input.as_ref().map(|input| input.as_slice());
            if let Some(problem) = input_problem(&description, action, input) {
                let result = Some(serde_json::Value::from(problem).to_string().into_bytes().into());
                self.report(
                    CommandReport { command: id, state: CommandState::Failed, result },
                    None,
                )
                .await;
                return Ok(());
            }
        }
        let payload = courier::request(&id, &operation, value.as_deref());
        let errand = Errand { id, thing: name, payload, until_ms, state };
        let steps = self.courier.take(now_ms(), errand);
        self.perform(steps).await;
        Ok(())
    }

    async fn perform(&mut self, steps: Vec<Step>) {
        let mut due = VecDeque::from(steps);
        while let Some(step) = due.pop_front() {
            match step {
                Step::Publish { id, topic, payload } => {
                    let delivered = self.gateway.publish(&topic, payload, Qos::AtLeastOnce, false);
                    let reached =
                        delivered.is_ok_and(|delivered| delivered.now + delivered.queued > 0);
                    due.extend(self.courier.handed(now_ms(), &id, reached));
                }
                Step::Report(report) => self.report(report, None).await,
            }
        }
    }

    async fn on_answer(&mut self, routed: Routed) {
        match self.courier.answer(&routed.topic, &routed.payload) {
            Ok(Some(report)) => self.report(report, Some(routed)).await,
            Ok(None) => routed.settle(Ok(())),
            Err(rejection) => routed.settle(Err(rejection)),
        }
    }

    async fn report(&self, report: CommandReport, routed: Option<Routed>) {
        // If nobody takes it any more, the publish is refused and the device repeats it.
        let _ = self.reports.send((report, routed)).await;
    }
}

/// The operation as the ledger has it, but for the value of a write, which is given as JSON text.
fn operation(asked: &model::Operation) -> (Operation, Option<String>) {
    let name = asked.name.clone();
    match (asked.operation.as_str(), &asked.value) {
        ("invoke", _) => {
            let input = asked.input.as_ref().map(|input| input.clone().into_bytes().into());
            (Operation::Invoke { action: name, input }, None)
        }
        ("write", Some(value)) => {
            // An exact decimal and a truth value are JSON as they are; all else is text.
            let is_plain = serde_json::from_str::<serde_json::Value>(value)
                .is_ok_and(|json| json.is_number() || json.is_boolean());
            let json = if is_plain {
                value.clone()
            } else {
                serde_json::Value::from(value.as_str()).to_string()
            };
            let value = althing_types::Value::Text(value.clone());
            (Operation::Write { property: name, value }, Some(json))
        }
        _ => (Operation::Read { property: name }, None),
    }
}

/// Tells the ledger, one report after the other, so that they come in their order.
async fn report_all(
    client: &Client,
    account: &Account,
    mut due: mpsc::Receiver<Due>,
) -> Infallible {
    loop {
        let Some((report, routed)) = due.recv().await else { return std::future::pending().await };
        let id = report.command;
        let result = submit(client, account, &[Action::ReportCommand(report)]).await;
        match &result {
            Ok(None) => {}
            Ok(Some(code)) => {
                tracing::info!(command = %id, code, "the ledger does not take a report on a command");
            }
            Err(error) => {
                tracing::info!(command = %id, %error, "a report on a command was not taken");
            }
        }
        if let Some(routed) = routed {
            // What the ledger refuses now it will refuse again: the device has done its part.
            let settled = result.map(drop);
            routed.settle(
                settled.map_err(|_| Rejection::Unavailable { reason: "no peer took the answer" }),
            );
        }
    }
}

fn now_ms() -> TimeMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimeMs::try_from(since.as_millis()).unwrap_or(TimeMs::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_told_to_the_device_as_json() {
        let asked = |value: &str| model::Operation {
            operation: "write".into(),
            name: "target".into(),
            value: Some(value.into()),
            input: None,
        };
        for (value, expected) in [
            ("21.50", "21.50"),
            ("-3", "-3"),
            ("true", "true"),
            ("warm", r#""warm""#),
            (r#"{"a":1}"#, r#""{\"a\":1}""#),
            ("null", r#""null""#),
        ] {
            assert_eq!(operation(&asked(value)).1.as_deref(), Some(expected), "{value}");
        }
    }
}
