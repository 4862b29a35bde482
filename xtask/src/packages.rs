//! The checks of what is not Rust: the packages for TypeScript and Python, and the dashboard.

use crate::{
    check::{built, command, counted_by},
    shell::run,
    tally::{Part, Tally, counts_at_end, counts_of_node, counts_of_pytest, counts_of_vitest},
};

const NODE_INSTALL: &str = "npm ci --ignore-scripts --no-audit --no-fund --prefix";
const TYPESCRIPT_TEST: &str = "npm test --prefix sdk/typescript";
const DASHBOARD_TYPES: &str = "npm run types --prefix dashboard";
const DASHBOARD_COMPARE: &str = "npm run compare --prefix dashboard";
const DASHBOARD_TEST: &str = "npm test --prefix dashboard";
const DASHBOARD_BROWSER: &str = "node dashboard/test/browser/run.mjs";
const VENV: &str = "python3 -m venv sdk/python/.venv";
const VENV_INSTALL: &str = "sdk/python/.venv/bin/pip install --quiet \
     --disable-pip-version-check --requirement sdk/python/requirements-dev.txt";
const PYTHON_TEST: &str = "sdk/python/.venv/bin/pytest --numprocesses auto --dist worksteal \
     --config-file sdk/python/pyproject.toml sdk/python/tests";

/// What the library and the types can tell without running anything.
const PYTHON_LINT: &str = "sdk/python/.venv/bin/ruff check --cache-dir target/ruff sdk/python";
const PYTHON_TYPES: &str = "sdk/python/.venv/bin/mypy --cache-dir target/mypy \
     --config-file sdk/python/pyproject.toml sdk/python/src sdk/python/tests";

/// The TypeScript package against the pinned vectors of this code.
pub(crate) fn typescript(tally: &mut Tally) {
    let install = format!("{NODE_INSTALL} sdk/typescript");
    if !run(&install).ended_well {
        return tally.add(Part::single("TypeScript package", false, install));
    }
    tally.add(counted_by("TypeScript package", TYPESCRIPT_TEST, counts_of_node));
}

/// The dashboard, which uses that package: types, what is committed, and what needs no browser.
pub(crate) fn dashboard(tally: &mut Tally) {
    let install = format!("{NODE_INSTALL} dashboard");
    if !run(&install).ended_well {
        return tally.add(Part::single("dashboard", false, install));
    }
    tally.add(command("dashboard: types", DASHBOARD_TYPES, DASHBOARD_TYPES));
    tally.add(command(
        "dashboard: dist and its size",
        DASHBOARD_COMPARE,
        "npm run build --prefix dashboard",
    ));
    tally.add(counted_by("dashboard", DASHBOARD_TEST, counts_of_vitest));
}

/// A real browser at a real network.
pub(crate) fn browser(tally: &mut Tally) {
    let browser = format!("env ALTHING={} {DASHBOARD_BROWSER}", built("althing"));
    tally.add(counted_by("dashboard in a browser", &browser, counts_at_end));
}

/// The Python package against the same vectors, in an environment of its own.
pub(crate) fn python(tally: &mut Tally) {
    for line in [VENV, VENV_INSTALL] {
        if !run(line).ended_well {
            return tally.add(Part::single("Python package", false, line));
        }
    }
    tally.add(command("Python package: lints", PYTHON_LINT, PYTHON_LINT));
    tally.add(command("Python package: types", PYTHON_TYPES, PYTHON_TYPES));
    tally.add(counted_by("Python package", PYTHON_TEST, counts_of_pytest));
}
