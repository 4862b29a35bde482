//! MQTT in frames of WebSocket (MQTT 5 §6).

use std::io;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use super::connection::Stream;

/// Bytes between the frames and the client's task, each way.
const PIPE_BYTES: usize = 16 * 1024;
/// Longest frame beyond the longest packet, bytes: a frame may hold several packets.
const FRAME_SPARE_BYTES: usize = 64 * 1024;

/// Shakes hands, and passes bytes on from then on.
pub(super) async fn open(
    stream: Box<dyn Stream>,
    packet_bytes_max: u32,
) -> io::Result<Box<dyn Stream>> {
    let message_max = (packet_bytes_max as usize).saturating_add(FRAME_SPARE_BYTES);
    let config = WebSocketConfig::default()
        .read_buffer_size(PIPE_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(message_max)
        .max_message_size(Some(message_max))
        .max_frame_size(Some(message_max));
    let socket = accept_hdr_async_with_config(stream, negotiate, Some(config));
    let socket = socket.await.map_err(io::Error::other)?;
    let (near, far) = duplex(PIPE_BYTES);
    tokio::spawn(pump(socket, near));
    Ok(Box::new(far))
}

/// MQTT-6.0.0-3 and -4: the subprotocol is `mqtt`, and the client must have offered it.
#[expect(clippy::result_large_err, reason = "the library's signature")]
fn negotiate(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offers = offers.iter().filter_map(|offer| offer.to_str().ok());
    if offers.any(|offer| offer.split(',').any(|name| name.trim() == "mqtt")) {
        let mqtt = HeaderValue::from_static("mqtt");
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, mqtt);
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(Some("the subprotocol must be mqtt".to_owned()));
    *refusal.status_mut() = StatusCode::BAD_REQUEST;
    Err(refusal)
}

/// Ends when either side does. Its ends are bounded, so whoever is slow slows the other.
async fn pump(socket: WebSocketStream<Box<dyn Stream>>, pipe: DuplexStream) {
    let (mut to_client, mut from_client) = socket.split();
    let (mut from_gateway, mut to_gateway) = tokio::io::split(pipe);
    let inwards = async {
        while let Some(Ok(message)) = from_client.next().await {
            match message {
                Message::Binary(bytes) if to_gateway.write_all(&bytes).await.is_ok() => {}
                Message::Ping(_) | Message::Pong(_) => {}
                // MQTT-6.0.0-1: only binary frames; and the end.
                _ => break,
            }
        }
        // The client's task may have ended.
        let _ = to_gateway.shutdown().await;
    };
    let outwards = async {
        let mut buffer = vec![0; PIPE_BYTES];
        while let Ok(len) = from_gateway.read(&mut buffer).await {
            let bytes = Bytes::copy_from_slice(&buffer[..len]);
            if len == 0 || to_client.send(Message::Binary(bytes)).await.is_err() {
                break;
            }
        }
        // The client may be gone.
        let _ = to_client.close().await;
    };
    // When the gateway has said all, nothing more is heard; the other way round it still answers.
    tokio::pin!(outwards);
    tokio::select! {
        () = &mut outwards => {}
        () = inwards => outwards.await,
    }
}
