//! Who may depend on whom. The tables are the architecture; changing one is changing that.

use super::sources::{Crate, crates};

const ALL_KINDS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

/// Each crate of the product and those it may use, bottom first: a crate may use earlier rows only.
/// Development dependencies count. A crate without a row fails.
const LAYERS: &[(&str, &[&str])] = &[
    ("althing-types", &[]),
    ("althing-proof", &["althing-types"]),
    ("althing-state", &["althing-types", "althing-proof"]),
    ("althing-policy", &["althing-types"]),
    ("althing-contract", &["althing-types"]),
    (
        "althing-ledger",
        &["althing-types", "althing-proof", "althing-state", "althing-policy", "althing-contract"],
    ),
    ("althing-edge", &["althing-types", "althing-proof", "althing-policy"]),
    ("althing-storage", &["althing-types", "althing-proof", "althing-state"]),
    ("althing-raft", &[]),
    ("althing-ordering", &["althing-types", "althing-raft"]),
    (
        "althing-peer",
        &[
            "althing-types",
            "althing-proof",
            "althing-state",
            "althing-ledger",
            "althing-storage",
            "althing-ordering",
        ],
    ),
    ("althing-client", &["althing-types", "althing-proof"]),
    (
        "althing-api",
        &[
            "althing-types",
            "althing-proof",
            "althing-policy",
            "althing-ledger",
            "althing-peer",
            "althing-client",
        ],
    ),
    ("althing-dashboard", &[]),
    ("althing-gateway", &["althing-types", "althing-proof", "althing-edge", "althing-client"]),
    (
        "althing",
        &[
            "althing-types",
            "althing-proof",
            "althing-state",
            "althing-policy",
            "althing-contract",
            "althing-ledger",
            "althing-edge",
            "althing-storage",
            "althing-ordering",
            "althing-peer",
            "althing-client",
            "althing-api",
            "althing-dashboard",
            "althing-gateway",
        ],
    ),
];

/// Crates beside the product: they may use any of it, and none of it may use them.
const OUTSIDE: &[&str] = &[
    "althing-bench",
    "althing-device",
    "althing-forecast",
    "althing-sim-network",
    "althing-sim",
    "althing-fuzz",
    "xtask",
];

/// Libraries that only these crates of the product may name.
const RESERVED: &[(&str, &[&str])] = &[
    ("commonware-consensus", &["althing-ordering"]),
    ("commonware-broadcast", &["althing-ordering"]),
    ("commonware-cryptography", &["althing-ordering"]),
    ("commonware-p2p", &["althing-ordering"]),
    ("commonware-stream", &["althing-ordering"]),
    ("commonware-runtime", &["althing-ordering", "althing-peer", "althing"]),
    ("ed25519-zebra", &["althing-types"]),
    ("p256", &["althing-types"]),
    ("wasmtime", &["althing-contract"]),
    ("wasmparser", &["althing-contract"]),
    ("wasm-encoder", &["althing-contract"]),
    ("cosmwasm-crypto", &["althing-contract"]),
    ("environmental", &["althing-contract"]),
    ("fjall", &["althing-storage", "althing-gateway"]),
    ("jsonschema", &["althing-ledger"]),
    ("axum", &["althing-api", "althing-dashboard"]),
    // The client asks peers, and the interface calls webhooks.
    ("reqwest", &["althing-client", "althing-api"]),
    ("tokio-rustls", &["althing-gateway"]),
    ("tokio-tungstenite", &["althing-gateway"]),
    ("rumqttc", &["althing"]),
    ("anyhow", &["althing"]),
];

/// Crates that decide and do not act.
pub(crate) const CORE: &[&str] = &[
    "althing-types",
    "althing-proof",
    "althing-state",
    "althing-policy",
    "althing-contract",
    "althing-ledger",
    "althing-edge",
];

/// Libraries that read clocks, draw randomness, do I/O, spawn or await.
const ACTING: &[&str] = &[
    "async-trait",
    "axum",
    "fjall",
    "futures",
    "getrandom",
    "rand",
    "reqwest",
    "tempfile",
    "tokio",
];

#[test]
fn every_crate_has_a_row_and_depends_on_earlier_rows_only() {
    for (row, (name, allowed)) in LAYERS.iter().enumerate() {
        for used in *allowed {
            let earlier = LAYERS[..row].iter().any(|(earlier, _)| earlier == used);
            assert!(earlier, "{name} may use {used}, which is no earlier row");
        }
    }
    for member in crates() {
        if OUTSIDE.contains(&member.name()) {
            continue;
        }
        let allowed = row(&member);
        for used in member.dependencies(ALL_KINDS) {
            let ours = used.starts_with("althing") || OUTSIDE.contains(&used.as_str());
            // A crate's tests may use the crate itself, with features for tests.
            let fits = !ours || used == member.name() || allowed.contains(&used.as_str());
            assert!(fits, "{} may not depend on {used}: see LAYERS", member.name());
        }
    }
}

fn row(member: &Crate) -> &'static [&'static str] {
    LAYERS
        .iter()
        .find(|(name, _)| *name == member.name())
        .unwrap_or_else(|| panic!("{} has no row in LAYERS", member.name()))
        .1
}

#[test]
fn libraries_are_named_only_where_they_belong() {
    for member in crates().iter().filter(|member| !OUTSIDE.contains(&member.name())) {
        for used in member.dependencies(&["dependencies"]) {
            for (library, owners) in RESERVED {
                let fits = used != *library || owners.contains(&member.name());
                assert!(fits, "{} may not name {library}; {owners:?} may", member.name());
            }
        }
    }
}

#[test]
fn the_core_names_no_library_that_acts() {
    for member in crates().iter().filter(|member| CORE.contains(&member.name())) {
        for used in member.dependencies(&["dependencies", "build-dependencies"]) {
            let acts = ACTING.contains(&used.as_str()) || used.starts_with("commonware-");
            assert!(!acts, "{} decides and may not depend on {used}", member.name());
        }
    }
}
