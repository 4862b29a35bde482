//! Who takes part, in `genesis.json`.

use althing_types::{Deploy, Participation, Transact};
use serde::{Deserialize, Serialize};

/// Who may send transactions, and who may bring code and make contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ParticipationForm {
    /// Who may send transactions.
    pub transact: TransactForm,
    /// Who may bring code and make contracts.
    pub deploy: DeployForm,
}

/// Who may send transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TransactForm {
    /// Any entity; any organisation may register another.
    Everybody,
    /// Member organisations and what they own.
    Members,
}

/// Who may bring code and make contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeployForm {
    /// Whoever may send transactions.
    Everybody,
    /// Member organisations and what they own.
    Members,
    /// They too, and a contract begins when as many members approve as the voting rule asks for.
    Approved,
}

impl From<Participation> for ParticipationForm {
    fn from(said: Participation) -> Self {
        let transact = match said.transact {
            Transact::Everybody => TransactForm::Everybody,
            Transact::Members => TransactForm::Members,
        };
        let deploy = match said.deploy {
            Deploy::Everybody => DeployForm::Everybody,
            Deploy::Members => DeployForm::Members,
            Deploy::Approved => DeployForm::Approved,
        };
        Self { transact, deploy }
    }
}

impl From<ParticipationForm> for Participation {
    fn from(form: ParticipationForm) -> Self {
        let transact = match form.transact {
            TransactForm::Everybody => Transact::Everybody,
            TransactForm::Members => Transact::Members,
        };
        let deploy = match form.deploy {
            DeployForm::Everybody => Deploy::Everybody,
            DeployForm::Members => Deploy::Members,
            DeployForm::Approved => Deploy::Approved,
        };
        Self { transact, deploy }
    }
}
