//! `althing-forecast serve`: the service as it runs.

use std::{io::Write as _, net::SocketAddr, sync::Arc};

use althing_client::Account;
use althing_types::StreamId;
use anyhow::Context as _;
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::{get, post},
};
use clap::Args;

use crate::{
    Common,
    desk::{Desk, Refused},
    form::{Question, Served},
};

/// Longest question, bytes: two proofs in hex.
const QUESTION_BYTES_MAX: usize = 512 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    common: Common,
    /// The stream to forecast, 64 hex digits.
    #[arg(long, value_parser = stream, value_name = "ID")]
    stream: StreamId,
    /// Where to listen; with port 0 the system chooses, and the first line of output says which.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// End when standard input closes: for whoever starts this as a part of something.
    #[arg(long)]
    exit_with_parent: bool,
}

fn stream(text: &str) -> Result<StreamId, String> {
    StreamId::from_hex(text).ok_or_else(|| "64 hex digits expected".to_owned())
}

impl Serve {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let party = self.common.party()?;
        let entity = party.client.entity(&party.signer.entity).await?;
        let owner = entity.owner.map_or(party.signer.entity, |owner| owner.entity_id());
        let account = Account::open(&party.client, party.signer.clone()).await?;
        let desk = Arc::new(Desk::new(party, account, owner, self.stream));
        let listener = tokio::net::TcpListener::bind(self.listen).await;
        let listener = listener.with_context(|| format!("cannot listen on {}", self.listen))?;
        let mut out = std::io::stdout();
        writeln!(out, "http://{}", listener.local_addr()?)?;
        out.flush()?;
        let router = Router::new()
            .route("/forecast", post(serve))
            .route("/health", get(|| async { "ok" }))
            .layer(DefaultBodyLimit::max(QUESTION_BYTES_MAX))
            .with_state(desk);
        axum::serve(listener, router).with_graceful_shutdown(end(self.exit_with_parent)).await?;
        Ok(())
    }
}

async fn serve(
    State(desk): State<Arc<Desk>>,
    Json(question): Json<Question>,
) -> Result<Json<Served>, (StatusCode, String)> {
    desk.answer(&question).await.map(Json).map_err(|refused| match refused {
        Refused::NotAdmitted(why) => (StatusCode::FORBIDDEN, why),
        Refused::NoCredit => {
            let why = "no units are left; ask the provider for more".to_owned();
            (StatusCode::PAYMENT_REQUIRED, why)
        }
        Refused::Unavailable(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    })
}

/// Until somebody asks for the end.
async fn end(with_parent: bool) {
    let parent = async {
        if !with_parent {
            std::future::pending::<()>().await;
        }
        let mut byte = [0];
        // Nobody writes there: it ends, or fails, with whoever holds the other end.
        while tokio::io::AsyncReadExt::read(&mut tokio::io::stdin(), &mut byte)
            .await
            .is_ok_and(|read| read > 0)
        {}
    };
    tokio::select! {
        () = parent => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
