use super::*;

fn config(text: &str) -> anyhow::Result<Config> {
    Config::of(Document::parse("a.toml", text)?, Path::new("/net/peer-1"))
}

#[test]
fn the_reference_is_a_configuration_of_its_own() {
    let reference = config(REFERENCE).unwrap();
    let defaults = config("").unwrap();
    for config in [&reference, &defaults] {
        let peer = config.peer().unwrap();
        assert_eq!(peer.voting_key, Path::new("/net/peer-1/keys/voting.json"));
        assert_eq!(peer.api_listen.port(), 4464);
        let gateway = config.gateway().unwrap();
        assert_eq!(gateway.profiles.len(), 2);
        assert_eq!(gateway.limits.batch_age_ms_max, 100);
    }
}

#[test]
fn the_profile_in_the_reference_comment_is_one() {
    let lines = REFERENCE.lines().skip_while(|line| !line.contains("[[gateway.profiles]]"));
    let text: String = lines.map(|line| format!("{}\n", line.trim_start_matches('#'))).collect();
    let gateway = config(&text).unwrap().gateway().unwrap();
    assert_eq!(gateway.profiles[0].name, "press");
    assert_eq!(gateway.profiles[0].property.as_deref(), Some("temperature"));
    assert_eq!(gateway.profiles[0].thing, None);
}

#[test]
fn wrong_values_name_line_key_and_remedy() {
    let peer = |text: &str| config(text).and_then(|config| config.peer().map(drop));
    let gateway = |text: &str| config(text).and_then(|config| config.gateway().map(drop));
    for (result, expected) in [
        (
            peer("[peer]\nrole = \"validater\""),
            "a.toml line 2: `peer.role`: `validater` is no role; did you mean `validator`?",
        ),
        (peer("[peer]\ndata = \"\""), "line 2: `peer.data`: must be a path"),
        (peer("[peer]\nworker_threads = 0"), "`peer.worker_threads`: is 0, but must be 1 to 256"),
        (peer("[peer.api]\nlisten = \"4464\""), "`peer.api.listen`: `4464` is no address and port"),
        (
            peer("[peer.p2p.addresses]\nb = \"h\""),
            "line 2: `peer.p2p.addresses.b`: `h` is no address",
        ),
        (
            peer("[peer.api.addresses]\nb = \"javascript:alert(1)\""),
            "line 2: `peer.api.addresses.b`: `javascript:alert(1)` is no address such as",
        ),
        (peer("[peer.api.addresses]\nb = \"http://a@b\""), "`http://a@b` is no address such as"),
        (gateway("[gateway]\npeers = []"), "`gateway.peers`: must list 1 to 64 peers"),
        (gateway("[gateway.limits]\nretry_max = \"1\""), "`1` is no length of time"),
        (
            gateway("[gateway.limits]\nbatch_readings_max = 0"),
            "`gateway.limits`: limit `batch_readings_max` is 0",
        ),
        (
            gateway(
                "[gateway.mqtt.tls]\nlisten = \"127.0.0.1:8883\"\ncertificate = \"no.pem\"\nkey = \"no.key\"",
            ),
            "`gateway.mqtt.tls.certificate`: names ",
        ),
        (
            gateway("[[gateway.profiles]]\nname = \"p\"\ntopic = \"a/#\""),
            "profile `p`: topic: level `#`",
        ),
        (gateway("[[gateway.profiles]]\nname = \"p\"\ntopics = \"a\""), "unknown field `topics`"),
        (
            gateway("[[gateway.profiles]]\nname = \"p\"\ntopic = \"a\"\nform = \"jsn\""),
            "form: `jsn` is not known; did you mean `json`?",
        ),
    ] {
        let found = result.unwrap_err().to_string();
        assert!(found.contains(expected), "{expected}: {found}");
    }
}
