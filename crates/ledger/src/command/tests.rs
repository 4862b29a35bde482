use althing_types::{
    AccessMode, AccessPolicy, AccessRequest, Action, EntityKind, Limit, Resource, Right, Value,
};

use super::*;
use crate::testing::{World, description, registration_of};
use CommandState::{Accepted, Cancelled, Delivered, Done, Expired, Failed};
use Refusal::{
    AccessDenied, BackwardState, BadInput, CommandExpired, NoGrant, NotBound, NotPermitted,
    OutsideLimit, Quarantined, SchemaMismatch, ThingRetired, TooManyCommands, UnknownAffordance,
    UnknownCommand, UnknownThing,
};

const PROPERTIES: &str = r#"
    "target": {"type": "number", "multipleOf": 0.5, "minimum": 5, "maximum": 30, "forms": [{"href": "t"}]},
    "measured": {"type": "number", "readOnly": true, "forms": [{"href": "m"}]}"#;
const ACTIONS: &str = r#""actions": {"boost": {"forms": [{"href": "b"}]}}, "properties""#;

struct Heater {
    world: World,
    thing: ThingId,
    gateway: EntityId,
}

impl Heater {
    fn new() -> Self {
        let mut world = World::new();
        let text = description(PROPERTIES).replace("\"properties\"", ACTIONS);
        let owner = world.a;
        world.must(owner, registration_of("heater", &text));
        let thing = ThingId::derive(&owner, "heater");
        let gateway = world.member(EntityKind::Gateway, 20);
        world.must(owner, Action::Bind { thing, gateway, until_height: 1000 });
        Self { world, thing, gateway }
    }

    /// That lives for so many seconds, which are blocks here.
    fn command(&self, operation: Operation, seconds: u64) -> Action {
        let until_ms = self.world.time_ms() + seconds * 1000;
        Action::Command(Command { thing: self.thing, operation, until_ms, purpose: None })
    }

    fn send(&mut self, seconds: u64) -> TxId {
        let command = self.command(boost(None), seconds);
        self.world.must(self.world.a, command).transaction
    }

    fn report(&mut self, sender: EntityId, id: TxId, state: CommandState) -> Result<(), Refusal> {
        let result = Some(b"ok".to_vec().into());
        let report = CommandReport { command: id, state, result };
        self.world.act(sender, Action::ReportCommand(report)).map(|_| ())
    }

    fn open(&self) -> Vec<TxId> {
        let key = own_key::open_commands(&self.thing);
        self.world.state.get(&key).map_or(Vec::new(), |bytes| {
            let open: Open = minicbor::decode(bytes).unwrap();
            open.0
        })
    }
}

fn boost(input: Option<&[u8]>) -> Operation {
    Operation::Invoke { action: "boost".into(), input: input.map(|input| input.to_vec().into()) }
}

fn write(property: &str, value: i64) -> Operation {
    Operation::Write { property: property.into(), value: Value::Number(value) }
}

#[test]
fn a_command_asks_for_what_the_description_offers() {
    let mut heater = Heater::new();
    let deep = [vec![b'['; 17], vec![b']'; 17]].concat();
    for (operation, expected) in [
        (Operation::Read { property: "measured".into() }, Ok(())),
        (Operation::Read { property: "pressure".into() }, Err(UnknownAffordance)),
        (write("target", 215), Ok(())),
        (write("target", 213), Err(SchemaMismatch)),
        (write("target", 305), Err(SchemaMismatch)),
        (write("measured", 1_000_000), Err(UnknownAffordance)),
        (
            Operation::Write { property: "target".into(), value: Value::Bool(true) },
            Err(SchemaMismatch),
        ),
        (boost(None), Ok(())),
        (boost(Some(br#"{"minutes": 10}"#)), Ok(())),
        (boost(Some(b"{minutes: 10}")), Err(BadInput)),
        (boost(Some(b"")), Err(BadInput)),
        (boost(Some(&deep)), Err(BadInput)),
        (Operation::Invoke { action: "explode".into(), input: None }, Err(UnknownAffordance)),
    ] {
        let command = heater.command(operation.clone(), 10);
        let owner = heater.world.a;
        assert_eq!(heater.world.act(owner, command).map(|_| ()), expected, "{operation:?}");
    }
}

#[test]
fn without_a_policy_only_the_owner_commands_and_only_within_time() {
    let mut heater = Heater::new();
    let (a, b, gateway) = (heater.world.a, heater.world.b, heater.gateway);
    let day = 24 * 3600;
    for (sender, seconds, expected) in [
        (b, 10, Err(AccessDenied)),
        (gateway, 10, Err(NotPermitted)),
        (a, 0, Err(CommandExpired)),
        (a, 1, Err(CommandExpired)),
        (a, 2, Ok(())),
        (a, 30 * day + 1, Ok(())),
        (a, 30 * day + 2, Err(CommandExpired)),
    ] {
        let command = heater.command(boost(None), seconds);
        assert_eq!(heater.world.act(sender, command).map(|_| ()), expected, "{seconds} s");
    }
    let unknown = Command {
        thing: ThingId([9; 32]),
        operation: boost(None),
        until_ms: heater.world.time_ms() + 10_000,
        purpose: None,
    };
    assert_eq!(heater.world.act(a, Action::Command(unknown)).map(|_| ()), Err(UnknownThing));
    // One each, for a command is called by its transaction.
    let two = vec![heater.command(boost(None), 10); 2];
    let transaction = heater.world.signed(&[a], two);
    let receipt = heater.world.run(transaction);
    assert_eq!((receipt.code, receipt.action), (Refusal::AlreadyExists.number(), 1));
}

#[test]
fn a_command_goes_forward_to_one_end() {
    let mut heater = Heater::new();
    let (b, gateway) = (heater.world.b, heater.gateway);
    let id = heater.send(100);
    assert_eq!(heater.open(), [id]);
    for (sender, state, expected) in [
        (b, Delivered, Err(NotBound)),
        (gateway, Delivered, Ok(())),
        (gateway, Delivered, Err(BackwardState)),
        (gateway, Accepted, Ok(())),
        (gateway, Delivered, Err(BackwardState)),
        (gateway, Done, Ok(())),
        (gateway, Failed, Err(UnknownCommand)),
    ] {
        assert_eq!(heater.report(sender, id, state), expected, "{state:?}");
    }
    assert_eq!(heater.open(), [], "what is over leaves the state");
    assert!(!heater.world.state.contains_key(&own_key::command(&id)));
}

#[test]
fn time_ends_a_command_alike_for_everyone() {
    let mut heater = Heater::new();
    let (owner, gateway) = (heater.world.a, heater.gateway);
    let id = heater.send(3);
    while heater.world.time_ms() < crate::testing::BEGIN_MS + 10_000 {
        heater.world.block(&[]);
    }
    assert_eq!(heater.report(gateway, id, Done), Err(CommandExpired));
    let command = heater.command(boost(None), 10);
    let receipt = heater.world.must(owner, command);
    let ended = receipt.events.iter().find_map(|event| match event {
        Event::CommandChanged { command, state, .. } => Some((*command, *state)),
        _ => None,
    });
    assert_eq!(ended, Some((id, Expired)), "the next command finds it over");
    assert_eq!(heater.open(), [receipt.transaction]);
}

#[test]
fn who_sent_a_command_or_owns_the_thing_takes_it_back() {
    let mut heater = Heater::new();
    let (owner, b, gateway) = (heater.world.a, heater.world.b, heater.gateway);
    let (id, cancel) = (heater.send(100), |command| Action::CancelCommand { command });
    for (sender, expected) in [
        (b, Err(NotPermitted)),
        (gateway, Err(NotPermitted)),
        (owner, Ok(())),
        (owner, Err(UnknownCommand)),
    ] {
        assert_eq!(heater.world.act(sender, cancel(id)).map(|_| ()), expected);
    }
    assert_eq!(heater.open(), []);
}

#[test]
fn a_thing_has_so_many_open_commands() {
    let mut heater = Heater::new();
    let ids: Vec<TxId> = (0..COMMANDS_OPEN_MAX).map(|_| heater.send(1000)).collect();
    let owner = heater.world.a;
    let more = heater.command(boost(None), 1000);
    assert_eq!(heater.world.act(owner, more.clone()).map(|_| ()), Err(TooManyCommands));
    heater.world.must(owner, Action::CancelCommand { command: ids[5] });
    heater.world.must(owner, more);
}

#[test]
fn what_shuts_a_thing_or_its_gateway_out_stops_commands() {
    let mut heater = Heater::new();
    let (owner, gateway, thing) = (heater.world.a, heater.gateway, heater.thing);
    let id = heater.send(1000);
    let limit = Some(Limit { properties: vec!["target".into()], commands: false });
    heater.world.must(owner, Action::LimitBinding { thing, gateway, limit });
    assert_eq!(heater.report(gateway, id, Delivered), Err(OutsideLimit));
    heater.world.must(owner, Action::LimitBinding { thing, gateway, limit: None });
    heater.world.must(owner, Action::Quarantine { thing, reason: Some("hijacked".into()) });
    assert_eq!(heater.report(gateway, id, Delivered), Err(Quarantined));
    let command = heater.command(boost(None), 10);
    assert_eq!(heater.world.act(owner, command).map(|_| ()), Err(Quarantined));
    heater.world.must(owner, Action::Quarantine { thing, reason: None });
    let receipt = heater.world.must(owner, Action::RetireThing { thing });
    let ended = receipt.events.iter().any(
        |event| matches!(event, Event::CommandChanged { command, state: Cancelled, .. } if *command == id),
    );
    assert!(ended, "a command ends with its thing");
    let command = heater.command(boost(None), 10);
    assert_eq!(heater.world.act(owner, command).map(|_| ()), Err(ThingRetired));
}

/// Y.4464 10.6 (a) steps 3 to 8: who was granted it for a purpose commands, and each use counts.
#[test]
fn who_was_granted_it_commands_for_that_purpose_and_each_use_is_counted() {
    let mut heater = Heater::new();
    let (owner, b, thing) = (heater.world.a, heater.world.b, heater.thing);
    let resource = Resource::ThingAction { thing, name: "boost".into() };
    let policy = AccessPolicy {
        resource: resource.clone(),
        mode: AccessMode::Grant,
        text: "permit (principal, action == Action::\"invoke\", resource);".into(),
        ask: None,
        patience_blocks: 0,
        grant_blocks_max: 1000,
    };
    heater.world.must(owner, Action::SetAccessPolicy(policy));
    let command = |heater: &Heater, purpose: &str| match heater.command(boost(None), 100) {
        Action::Command(command) => {
            Action::Command(Command { purpose: Some(purpose.into()), ..command })
        }
        other => other,
    };
    let early = command(&heater, "heating");
    assert_eq!(heater.world.act(b, early).map(|_| ()), Err(NoGrant));
    let request = AccessRequest {
        resource,
        right: Right::Invoke,
        purpose: "heating".into(),
        count_max: 0,
        until_height: u64::MAX,
    };
    heater.world.must(b, Action::RequestAccess(request));
    let (right, wrong) = (command(&heater, "heating"), command(&heater, "cooling"));
    assert_eq!(heater.world.act(b, wrong).map(|_| ()), Err(NoGrant));
    let receipt = heater.world.must(b, right);
    let used =
        receipt.events.iter().any(|event| matches!(event, Event::AccessUsed { used: 1, .. }));
    assert!(used, "{receipt:?}");
    // Who sent it takes it back; the owner's word is not needed for that.
    heater.world.must(b, Action::CancelCommand { command: receipt.transaction });
    let write = heater.command(write("target", 215), 10);
    assert_eq!(heater.world.act(b, write).map(|_| ()), Err(AccessDenied));
}
