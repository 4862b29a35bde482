use super::*;

fn when(condition: &str) -> String {
    format!("permit(principal, action, resource) when {{ {condition} }};")
}

#[test]
fn texts_are_policies_or_not() {
    let good = [
        "permit(principal, action, resource);".to_owned(),
        r#"// Billing may read.
           @id("billing")
           permit (principal in Entity::"ab", action in [Action::"read", Action::"subscribe"], resource)
           when { context.purpose == "billing" && context.used < 5 }
           unless { principal == Entity::"cd" };
           forbid(principal == Entity::"cd", action, resource);"#
            .replace("\n           ", "\n"),
        r#"permit(principal is Entity, action == Action::"call", resource is Service);"#.to_owned(),
        r#"permit(principal, action in Action::"read", resource in Thing::"ab");"#.to_owned(),
        r#"permit(principal, action, resource is Property in Thing::"ab");"#.to_owned(),
        when("!(context.height > 100) || !true && (false || context.time_ms >= 7)"),
        when("principal.kind == \"service\" && principal in Entity::\"ab\""),
        when("resource != Property::\"ab/t\" && \"x\" != context.purpose"),
    ];
    for text in good {
        assert!(statements(&text).is_ok(), "{text}: {:?}", statements(&text));
    }
    let bad = [
        "permit".to_owned(),
        "allow(principal, action, resource);".to_owned(),
        "permit(principal, action, resource)".to_owned(),
        "permit(principal, action);".to_owned(),
        r#"permit(principal == User::"a", action, resource);"#.to_owned(),
        r#"permit(principal == Thing::"a", action, resource);"#.to_owned(),
        r#"permit(principal, action, resource == Entity::"a");"#.to_owned(),
        r#"permit(principal, action == Action::"fly", resource);"#.to_owned(),
        r#"permit(principal, action in [], resource);"#.to_owned(),
        "permit(principal == ?principal, action, resource);".to_owned(),
        when(""),
        when("context.used"),
        when("context.used < \"a\""),
        when("context.purpose < \"a\""),
        when("context.purpose == 3"),
        when("context.color == \"a\""),
        when("principal"),
        when("principal.kind"),
        when("principal.name == \"a\""),
        when("!context.used < 3"),
        when("1 < 2 < 3"),
        when("(1) < 2"),
        when("true ||"),
        when("context.used + 1 < 3"),
        when("if true then true else true"),
    ];
    for text in bad {
        let found = statements(&text);
        assert!(matches!(found, Err(BadPolicy::Syntax { .. })), "{text}: {found:?}");
    }
}

#[test]
fn length_depth_and_number_are_bounded() {
    let one = "permit(principal,action,resource);";
    let deep = |levels: usize| when(&format!("{}true{}", "(".repeat(levels), ")".repeat(levels)));
    for (text, expected) in [
        (String::new(), Some(BadPolicy::Bounds)),
        ("// nothing".to_owned(), Some(BadPolicy::Count)),
        (one.repeat(POLICY_STATEMENTS_MAX), None),
        (one.repeat(POLICY_STATEMENTS_MAX + 1), Some(BadPolicy::Count)),
        (deep(POLICY_DEPTH_MAX - 1), None),
        (deep(POLICY_DEPTH_MAX), Some(BadPolicy::Bounds)),
        (when(&format!("{}true", "!".repeat(POLICY_TOKENS_MAX))), Some(BadPolicy::Bounds)),
        (format!("{one}{}", " ".repeat(POLICY_BYTES_MAX)), Some(BadPolicy::Bounds)),
    ] {
        assert_eq!(statements(&text).err(), expected, "{text:.60}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let text = "permit(principal, action, resource)\nwhen {\n context.color == 1 };";
    let error = statements(text).unwrap_err();
    assert_eq!(error.to_string(), "line 3: purpose, height, time_ms or used expected");
}
