//! Who takes part, on the command line.

use althing_client::genesis_file::{DeployForm, ParametersForm, TransactForm};
use althing_types::{Deploy, Participation, Transact};
use clap::ValueEnum;

use crate::report::failed;

/// Who may send transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransactName {
    /// Any entity; any organisation may register another, which is then a guest without a vote.
    Everybody,
    /// Member organisations and what they own.
    Members,
}

/// Who may bring code and make contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeployName {
    /// Whoever may send transactions.
    Everybody,
    /// Member organisations and what they own.
    Members,
    /// They too, and a contract begins once as many members approve as the voting rule asks for.
    Approved,
}

impl From<TransactName> for Transact {
    fn from(name: TransactName) -> Self {
        match name {
            TransactName::Everybody => Self::Everybody,
            TransactName::Members => Self::Members,
        }
    }
}

impl From<DeployName> for Deploy {
    fn from(name: DeployName) -> Self {
        match name {
            DeployName::Everybody => Self::Everybody,
            DeployName::Members => Self::Members,
            DeployName::Approved => Self::Approved,
        }
    }
}

/// What was said before with what is said now; both must be known once one is.
pub(crate) fn joined(
    before: Option<Participation>,
    transact: Option<TransactName>,
    deploy: Option<DeployName>,
) -> anyhow::Result<Option<Participation>> {
    let transact = transact.map(Transact::from).or(before.map(|it| it.transact));
    let deploy = deploy.map(Deploy::from).or(before.map(|it| it.deploy));
    match (transact, deploy) {
        (None, None) => Ok(None),
        (Some(transact), Some(deploy)) => Ok(Some(Participation { transact, deploy })),
        _ => Err(failed(
            "this ledger says neither who transacts nor who deploys, so both must be said",
            "give --transact and --deploy",
        )),
    }
}

/// Who takes part, in a sentence.
pub(crate) fn participation(parameters: &ParametersForm) -> String {
    let Some(said) = parameters.participation else {
        return "whoever is registered sends transactions and makes contracts".to_owned();
    };
    let transact = match said.transact {
        TransactForm::Everybody => "everybody sends transactions",
        TransactForm::Members => "members and what they own send transactions",
    };
    let deploy = match said.deploy {
        DeployForm::Everybody => "whoever does makes contracts too",
        DeployForm::Members => "members and what they own make contracts",
        DeployForm::Approved => "contracts begin once members approve them",
    };
    format!("{transact}; {deploy}")
}
