//! The procedures of clause 10, as anybody would run them.

use serde_json::Value;

use crate::support::{must, must_fail};

#[test]
fn the_procedure_of_clause_10_1_passes_step_by_step() {
    let output = must(&["conformance", "10.1", "--json"]);
    let report: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    assert_eq!(report["failed"], 0, "{report}");
    let steps = report["steps"].as_array().unwrap();
    let ids: Vec<&str> = steps.iter().map(|step| step["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        ["REQ-10-topo", "REQ-10.1-1", "REQ-10.1-2", "REQ-10.1-3", "REQ-10.1-4", "REQ-10.1-5"]
    );
    assert!(steps.iter().all(|step| step["ok"] == true && step["evidence"] != ""), "{report}");
}

/// The same in a private ledger, whose peers agree by Raft: a majority signs.
#[test]
fn the_procedure_of_clause_10_1_passes_in_a_private_ledger() {
    let output = must(&["conformance", "10.1", "--mode", "private", "--json"]);
    let report: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    assert_eq!((&report["failed"], &report["passed"]), (&0.into(), &6.into()), "{report}");
    let agreed = report["steps"].as_array().unwrap().iter().find(|it| it["id"] == "REQ-10.1-2");
    let evidence = agreed.unwrap()["evidence"].as_str().unwrap();
    assert!(evidence.contains("4 of 7 needed"), "{evidence}");
}

/// The same in a public ledger, where a token is there and seats follow from stakes.
#[test]
fn the_procedure_of_clause_10_1_passes_in_a_public_ledger() {
    let output = must(&["conformance", "10.1", "--mode", "public", "--json"]);
    let report: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    assert_eq!((&report["failed"], &report["passed"]), (&0.into(), &6.into()), "{report}");
}

#[test]
fn the_procedure_of_clause_10_7_passes_step_by_step() {
    let output = must(&["conformance", "10.7", "--json"]);
    let report: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    assert_eq!(report["failed"], 0, "{report}");
    assert_eq!(report["passed"], 8, "{report}");
    let steps = report["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["ok"] == true && step["evidence"] != ""), "{report}");
}

#[test]
fn an_unknown_procedure_is_refused_with_the_nearest() {
    let error = must_fail(&["conformance", "10.11"]);
    assert!(error.contains("did you mean `10.1`?"), "{error}");
}

/// Both kinds of devices: one that signs for itself, and one that knows nothing of ledgers.
#[test]
fn the_procedures_of_clause_10_6_pass_step_by_step() {
    for (clause, steps) in [("10.6a", 9), ("10.6b", 6)] {
        let output = must(&["conformance", clause, "--b", "1", "--json"]);
        let report: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
        assert_eq!((&report["failed"], &report["passed"]), (&0.into(), &steps.into()), "{report}");
    }
}
