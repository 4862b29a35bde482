use clap::{Command as Clap, CommandFactory as _};

use super::*;

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

/// The page is written by this very test with `ALTHING_BLESS=1`.
#[test]
fn the_reference_has_every_command_as_it_is() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/cli.md");
    let expected = page();
    if std::env::var_os("ALTHING_BLESS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/reference/cli.md is out of date; write it anew with: \
         ALTHING_BLESS=1 cargo test --package althing the_reference"
    );
}

fn page() -> String {
    let mut command = Cli::command();
    command.build();
    let mut page = "# Commands\n\n\
        Every command of `althing`, as `--help` shows it. With `--json` each prints one JSON value instead of\n\
        tables; errors then are JSON too, on standard error: `error`, `because` and `next`. The exit code is 0 if\n\
        the command did what it should, 1 if not, 2 if it was not understood.\n"
        .to_owned();
    describe(&mut page, &mut command, "");
    page
}

fn describe(page: &mut String, command: &mut Clap, parents: &str) {
    let path = format!("{parents} {}", command.get_name());
    let path = path.trim();
    let help = command.render_long_help().to_string();
    let lines = help.lines().map(|line| format!("    {line}").trim_end().to_owned());
    let level = "#".repeat(path.split(' ').count().min(2) + 1);
    let help = lines.collect::<Vec<_>>().join("\n");
    page.push_str(&format!("\n{level} {path}\n\n{help}\n"));
    let shown = |child: &&mut Clap| child.get_name() != "help";
    command.get_subcommands_mut().filter(shown).for_each(|child| describe(page, child, path));
}

fn packaged(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/");
    std::fs::read_to_string(format!("{folder}{name}")).unwrap()
}

/// A unit that names an option which is gone would be found out on somebody's machine.
#[test]
fn what_packages_type_can_be_typed() {
    for (unit, started) in [("peer", "peer run"), ("gateway", "gateway run")] {
        let text = packaged(&format!("systemd/althing-{unit}.service"));
        let lines: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("ExecStart=/usr/bin/")).collect();
        assert_eq!(lines.len(), 1, "{unit}");
        assert!(lines[0].contains(started) && lines[0].ends_with("/etc/althing/config.toml"));
        Cli::try_parse_from(lines[0].split(' ')).unwrap();
    }
    let text = packaged("Containerfile");
    let list = |begin: &str| -> Vec<String> {
        let line = text.lines().filter_map(|line| line.split_once(begin)).next_back().unwrap();
        serde_json::from_str(line.1).unwrap()
    };
    let program = list("ENTRYPOINT ");
    assert_eq!(program, ["/usr/bin/althing"]);
    for command in
        [[program.clone(), list("\nCMD ".trim_start())].concat(), list("start-period=60s CMD ")]
    {
        Cli::try_parse_from(&command).unwrap_or_else(|error| panic!("{command:?}: {error}"));
    }
}

#[test]
fn the_configuration_of_packages_is_one() {
    let text = packaged("config.toml");
    let document = crate::config::Document::parse("config.toml", &text).unwrap();
    let folder = std::path::Path::new("/etc/althing");
    let config = crate::config::Config::of(document, folder).unwrap();
    let (peer, gateway) = (config.peer().unwrap(), config.gateway().unwrap());
    // Units let a peer write there and nowhere else.
    for data in [&peer.data, &gateway.queue.directory] {
        assert!(data.starts_with("/var/lib/althing"), "{}", data.display());
    }
    assert_eq!(peer.voting_key, std::path::Path::new("/etc/althing/keys/voting.json"));
}
