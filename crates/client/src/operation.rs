//! What operators ask of a peer. The client must read as one, for [`OPERATE_PURPOSE`].
//!
//! [`OPERATE_PURPOSE`]: crate::model::OPERATE_PURPOSE

use crate::{
    Client, Error,
    client::read_json,
    model::{
        Acknowledge, Alarm, Alarms, Configuration, ConfigurationVersions, Differences, LogPart,
        query,
    },
    queries::NONE,
};

impl Client {
    /// The alarms of this peer, which anybody may see.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn alarms(&self) -> Result<Alarms, Error> {
        self.get("v1/alarms", NONE).await
    }

    /// Notes that this operator has seen an alarm.
    ///
    /// # Errors
    /// `unknown_alarm` if there is none of this number; `not_an_operator`.
    pub async fn acknowledge(&self, id: u64, note: &str) -> Result<Alarm, Error> {
        let body = Acknowledge { note: note.to_owned() };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        self.act_json(&format!("v1/alarms/{id}/acknowledge"), body).await
    }

    /// What became of alarms, as the peer has kept it.
    ///
    /// # Errors
    /// `not_an_operator` if this client reads as neither operator nor auditor.
    pub async fn alarm_log(&self, query: &query::List) -> Result<LogPart, Error> {
        self.get("v1/alarms/log", query).await
    }

    /// What was done to this peer, as it has kept it.
    ///
    /// # Errors
    /// As [`alarm_log`](Self::alarm_log).
    pub async fn operation_log(&self, query: &query::List) -> Result<LogPart, Error> {
        self.get("v1/operation/log", query).await
    }

    /// The configuration this peer runs with.
    ///
    /// # Errors
    /// As [`alarm_log`](Self::alarm_log).
    pub async fn configuration(&self) -> Result<Configuration, Error> {
        self.get("v1/operation/configuration", NONE).await
    }

    /// The versions of this peer's configuration.
    ///
    /// # Errors
    /// As [`alarm_log`](Self::alarm_log).
    pub async fn configurations(&self) -> Result<ConfigurationVersions, Error> {
        self.get("v1/operation/configurations", NONE).await
    }

    /// What a configuration (TOML) would change; nothing does.
    ///
    /// # Errors
    /// `invalid_configuration` with the reason; `not_an_operator`.
    pub async fn check_configuration(&self, text: &str) -> Result<Differences, Error> {
        self.act_json("v1/operation/check", text.as_bytes().to_vec()).await
    }

    /// Puts a configuration (TOML) in the place of the present one; what can be changed while the peer
    /// runs is changed at once.
    ///
    /// # Errors
    /// As [`check_configuration`](Self::check_configuration); `machine_only` for what is changed on the
    /// peer's machine.
    pub async fn apply_configuration(&self, text: &str) -> Result<Differences, Error> {
        self.act_json("v1/operation/apply", text.as_bytes().to_vec()).await
    }

    /// Has the peer take no more transactions, settle those it has taken, and end.
    ///
    /// # Errors
    /// `not_an_operator`.
    pub async fn stop_peer(&self) -> Result<(), Error> {
        self.act("v1/operation/stop", Vec::new()).await.map(|_| ())
    }

    async fn act_json<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, Error> {
        let answer = self.act(path, body).await?;
        read_json(answer, &self.at(path)).await
    }
}
