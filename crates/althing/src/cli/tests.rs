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
