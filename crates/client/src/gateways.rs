//! Gateways, and how they are doing; peers, and what they hold.

use althing_types::StreamId;

use crate::{
    Client, Error,
    model::{GatewayReport, Gateways, Holders, query},
    queries::NONE,
};

impl Client {
    /// The gateways that have reported to the peer since it started.
    ///
    /// # Errors
    /// [`Error`] if the request failed.
    pub async fn gateways(&self) -> Result<Gateways, Error> {
        self.get("v1/gateways", NONE).await
    }

    /// Says how the gateway is doing that this client reads as, for
    /// [`GATEWAY_PURPOSE`](crate::model::GATEWAY_PURPOSE).
    ///
    /// # Errors
    /// `bad_token` if it is no gateway that counts, or reads for another purpose.
    pub async fn report_gateway(&self, report: &GatewayReport) -> Result<(), Error> {
        self.post_json("v1/gateways/report", report).await.map(|_| ())
    }

    /// Who holds the payloads of a stream.
    ///
    /// # Errors
    /// `unknown_stream` if no thing has it.
    pub async fn holders(
        &self,
        stream: &StreamId,
        query: &query::HoldersOf,
    ) -> Result<Holders, Error> {
        self.get(&format!("v1/streams/{stream}/holders"), query).await
    }
}
