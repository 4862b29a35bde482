use althing_types::ThingId;

use super::*;

fn id(byte: u8) -> EntityId {
    EntityId([byte; 32])
}

fn service_of(organisation: u8, byte: u8) -> Principal {
    let organisation = Some(id(organisation));
    Principal::Entity { id: id(byte), kind: EntityKind::Service, organisation }
}

fn thing() -> ThingId {
    ThingId([7; 32])
}

fn property(name: &str) -> Resource {
    Resource::Property { thing: thing(), name: name.into() }
}

fn ask(text: &str, principal: Principal, right: Right, resource: &Resource) -> Verdict {
    Policies::compile(text).unwrap().decide(&Question {
        principal,
        right,
        resource,
        owner: id(1),
        purpose: "billing",
        height: 10,
        time_ms: 1_700_000_000_000,
        used: 3,
    })
}

#[test]
fn statements_decide() {
    use Verdict::{Forbidden, Permitted, Silent};
    let (of_two, of_three) = (service_of(2, 9), service_of(3, 9));
    let two = format!("permit(principal in Entity::\"{}\", action, resource);", id(2));
    let only = format!("forbid(principal == Entity::\"{}\", action, resource);", id(9));
    let all = "permit(principal, action, resource);";
    let on = |resource: &str| format!("permit(principal, action, resource in {resource});");
    let when =
        |condition: &str| format!("permit(principal, action, resource) when {{ {condition} }};");
    let temperature = property("temperature");
    let rows: Vec<(String, Principal, Right, &Resource, Verdict)> = vec![
        (all.into(), Principal::Nobody, Right::Read, &temperature, Permitted(0)),
        (two.clone(), of_two, Right::Read, &temperature, Permitted(0)),
        (two.clone(), of_three, Right::Read, &temperature, Silent),
        (two.clone(), Principal::Nobody, Right::Read, &temperature, Silent),
        (format!("{all}{only}"), of_two, Right::Read, &temperature, Forbidden(1)),
        (format!("{only}{all}"), of_two, Right::Read, &temperature, Forbidden(0)),
        (format!("{two}{all}"), of_three, Right::Read, &temperature, Permitted(1)),
        (on(&format!("Thing::\"{}\"", thing())), of_two, Right::Read, &temperature, Permitted(0)),
        (on(&format!("Owner::\"{}\"", id(1))), of_two, Right::Read, &temperature, Permitted(0)),
        (on(&format!("Owner::\"{}\"", id(2))), of_two, Right::Read, &temperature, Silent),
        (when("context.purpose == \"billing\""), of_two, Right::Read, &temperature, Permitted(0)),
        (when("context.purpose == \"spying\""), of_two, Right::Read, &temperature, Silent),
        (when("context.used < 3"), of_two, Right::Read, &temperature, Silent),
        (when("context.height < 11"), of_two, Right::Read, &temperature, Permitted(0)),
        (when("principal.kind == \"service\""), of_two, Right::Read, &temperature, Permitted(0)),
        (when("principal.kind == \"device\""), of_two, Right::Read, &temperature, Silent),
        // A question that makes no sense is permitted by nothing.
        (all.into(), of_two, Right::Invoke, &temperature, Silent),
        (
            when("!(context.used > 2) || resource in Thing::\"00\""),
            of_two,
            Right::Read,
            &temperature,
            Silent,
        ),
        (
            when("principal is Entity && resource is Property"),
            of_two,
            Right::Read,
            &temperature,
            Permitted(0),
        ),
    ];
    for (text, principal, right, resource, expected) in rows {
        let found = ask(&text, principal, right, resource);
        assert_eq!(found, expected, "{text} {principal:?} {right:?}");
    }
}

#[test]
fn every_right_fits_some_resource() {
    let all = "permit(principal, action, resource);";
    let service = Resource::Service(id(5));
    let blink = Resource::ThingAction { thing: thing(), name: "blink".into() };
    let (temperature, whole) = (property("t"), Resource::Thing(thing()));
    for (right, resource) in [
        (Right::Read, &temperature),
        (Right::Subscribe, &temperature),
        (Right::Write, &temperature),
        (Right::Invoke, &blink),
        (Right::Describe, &whole),
        (Right::Call, &service),
        (Right::Call, &Resource::Contract([4; 32])),
        (Right::Read, &Resource::Everything(id(1))),
    ] {
        let found = ask(all, service_of(2, 9), right, resource);
        assert_eq!(found, Verdict::Permitted(0), "{right:?} {resource:?}");
    }
}

/// Names of properties are an owner's text, policies another's; neither becomes the other.
#[test]
fn a_name_is_never_syntax() {
    let odd = property("\"); permit(principal, action, resource); //");
    let text = format!("permit(principal, action, resource == Property::\"{}/t\");", thing());
    assert_eq!(ask(&text, service_of(2, 9), Right::Read, &odd), Verdict::Silent);
}

#[test]
fn conditions_hold_or_not() {
    for (condition, expected) in [
        ("true", true),
        ("!true", false),
        ("!!true", true),
        ("false || true && false", false),
        ("(false || true) && true", true),
        ("context.height == 10", true),
        ("context.height != 10", false),
        ("10 >= context.height && context.height >= 10", true),
        ("context.height <= 9", false),
        ("1700000000000 < context.time_ms", false),
        ("\"billing\" != context.purpose", false),
        ("principal != Entity::\"00\"", true),
    ] {
        let text = format!("permit(principal, action, resource) when {{ {condition} }};");
        let found = ask(&text, service_of(2, 9), Right::Read, &property("t"));
        assert_eq!(found == Verdict::Permitted(0), expected, "{condition}");
        let text = format!("permit(principal, action, resource) unless {{ {condition} }};");
        let found = ask(&text, service_of(2, 9), Right::Read, &property("t"));
        assert_eq!(found == Verdict::Permitted(0), !expected, "unless {condition}");
    }
}

#[test]
fn a_policy_is_read_once_and_remembered() {
    let text = "permit(principal, action, resource); // once";
    let first = Policies::known(text).unwrap();
    assert!(Arc::ptr_eq(&first, &Policies::known(text).unwrap()));
    for number in 0..=KNOWN_MAX {
        Policies::known(&format!("{text} {number}")).unwrap();
    }
    assert_eq!(Policies::known(text).unwrap(), first);
    assert!(Policies::known("no policy").is_err());
}
