//! What caller and service say to each other: JSON, with bytes in hex.

use althing_types::{
    AccessUse, Action, Body, ContractId, Did, EntityId, GrantId, Record, Signature, Signed, Suite,
    Wire as _, hash,
};
use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Most hours that are forecast at once.
pub(crate) const HOURS_MAX: u32 = 48;
/// Units that one call costs.
pub(crate) const PRICE: u64 = 1;
/// Most gas that charging for a call may use.
pub(crate) const GAS: u64 = 50_000_000;
/// Kind of the record that both sign.
pub(crate) const RECORD: &str = "service-used";

/// What is sent to the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// Who asks, under its key, for this service: a reader's token.
    pub(crate) token: String,
    /// Proof of who that is.
    pub(crate) identity: String,
    /// Proof of its grant.
    pub(crate) grant: String,
    /// For how many hours, 1 to [`HOURS_MAX`].
    pub(crate) hours: u32,
}

/// What the service answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Served {
    /// A [`Forecast`] as JSON text: the record has the digest of exactly these bytes.
    pub(crate) forecast: String,
    /// What both sign: charges, uses the grant once, records.
    pub(crate) body: String,
    /// Suite of the service's key.
    pub(crate) suite: String,
    /// Its signature on the body.
    pub(crate) signature: String,
}

/// The forecast itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Forecast {
    /// Unit of the values; empty if the property has none.
    pub(crate) unit: String,
    /// One value for each hour, an exact decimal.
    pub(crate) values: Vec<String>,
    /// Number of the newest reading it was made from.
    pub(crate) up_to: u64,
}

/// The parties of one use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    pub(crate) service: EntityId,
    pub(crate) caller: EntityId,
    pub(crate) contract: ContractId,
    pub(crate) grant: GrantId,
}

impl Use {
    /// What is to be done on the ledger for a use, together or not at all.
    pub(crate) fn actions(&self, network: &str, forecast: &str, at_ms: u64) -> Vec<Action> {
        let account = Did::entity(network, &self.caller).to_string();
        let message = json!({ "debit": { "account": account, "units": PRICE } });
        vec![
            Action::Execute {
                contract: self.contract,
                message: message.to_string().into_bytes(),
                gas_limit: GAS,
                funds: None,
            },
            Action::RecordAccess {
                uses: vec![AccessUse {
                    grant: self.grant,
                    count: 1,
                    first_ms: at_ms,
                    last_ms: at_ms,
                }],
            },
            Action::Record(Record {
                kind: RECORD.to_owned(),
                data: hash("", &[forecast.as_bytes()]).to_vec(),
                notify: vec![self.caller, self.service],
                link: None,
            }),
        ]
    }

    /// Whether a body is this use and nothing else: what a caller checks before it signs. The time of the
    /// use is for the ledger to judge.
    pub(crate) fn is_said_by(&self, body: &Body, network: &str, forecast: &str) -> bool {
        let at_ms = body.actions.iter().find_map(|action| match action {
            Action::RecordAccess { uses } => uses.first().map(|one| one.first_ms),
            _ => None,
        });
        let expected = at_ms.map(|at_ms| self.actions(network, forecast, at_ms));
        body.sender == self.service && expected.as_ref() == Some(&body.actions)
    }
}

impl Served {
    /// The body, and the service's signature on it.
    pub(crate) fn signed(&self, service: EntityId) -> anyhow::Result<(Body, Signed)> {
        let body = Body::from_wire(&hex::decode(&self.body)?)?;
        let suite =
            Suite::from_name(&self.suite).context("the service signs with no known suite")?;
        let bytes = hex::decode(&self.signature)?;
        ensure!(bytes.len() == 64, "the service's signature has {} bytes", bytes.len());
        let mut signature = [0; 64];
        signature.copy_from_slice(&bytes);
        Ok((body, Signed { signer: service, suite, signature: Signature(signature) }))
    }
}

#[cfg(test)]
mod tests {
    use althing_types::LedgerId;

    use super::*;

    #[test]
    fn a_caller_signs_one_use_of_its_grant_and_nothing_else() {
        let id = |seed| EntityId([seed; 32]);
        let used = Use {
            service: id(1),
            caller: id(2),
            contract: ContractId([3; 32]),
            grant: GrantId([4; 32]),
        };
        let ledger = LedgerId([9; 32]);
        let body = |used: &Use, forecast| {
            Body::new(&ledger, used.service, 0, 9, used.actions("demo", forecast, 7))
        };
        let good = body(&used, "{}");
        assert!(used.is_said_by(&good, "demo", "{}"));
        let mut twice = good.clone();
        twice.actions.push(twice.actions[0].clone());
        let mut later = good.clone();
        if let Action::RecordAccess { uses } = &mut later.actions[1] {
            uses[0].count = 2;
        }
        for (what, wrong) in [
            ("another answer", body(&used, "{\"values\":[]}")),
            ("another caller", body(&Use { caller: id(5), ..used }, "{}")),
            ("another sender", body(&Use { service: id(5), ..used }, "{}")),
            ("another contract", body(&Use { contract: ContractId([5; 32]), ..used }, "{}")),
            ("another grant", body(&Use { grant: GrantId([5; 32]), ..used }, "{}")),
            ("charged twice", twice),
            ("two uses", later),
            ("nothing", Body { actions: vec![], ..good }),
        ] {
            assert!(!used.is_said_by(&wrong, "demo", "{}"), "{what}");
        }
    }
}
