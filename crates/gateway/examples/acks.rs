//! How many publishes of QoS 1 a gateway acknowledges per second, each durable before it is.
//!
//! `cargo run --release -p althing-gateway --example acks -- [CONNECTIONS] [INFLIGHT] [SECONDS]`
//!
//! Without arguments: one device with 20 in flight, 64 with 20, and 1,000 with one, 5 s each. One line
//! of JSON for each.
//!
//! The load comes from another process, so that the CPU time shown is the gateway's alone. The
//! ledger is in memory and takes every batch at once.
#![allow(clippy::unwrap_used, reason = "a measurement ends by panicking")]

#[path = "../tests/all/common/mod.rs"]
#[allow(dead_code, reason = "most of it is for tests")]
mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::{MemoryLedger, TEMPERATURE, config, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default| args.get(at).map_or(default, |text| text.parse().unwrap());
    match args.first().map(String::as_str) {
        Some("load") => {
            let address = args[1].parse().unwrap();
            load(address, number(2, 1), number(3, 20), number(4, 5)).await;
        }
        Some(_) => measure(number(0, 1), number(1, 20), number(2, 5)).await,
        None => {
            for (connections, inflight) in [(1, 20), (64, 20), (1000, 1)] {
                // Each in a process of its own, whose memory nobody used before.
                let status = tokio::process::Command::new(std::env::current_exe().unwrap())
                    .args([connections, inflight, 5].map(|n: usize| n.to_string()))
                    .status();
                assert!(status.await.unwrap().success());
            }
        }
    }
}

async fn measure(connections: usize, inflight: usize, seconds: usize) {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let mut config = config(directory.path());
    config.mqtt.connections_max = connections;
    config.mqtt.connections_per_address_max = connections;
    config.mqtt.sessions_max = connections;
    config.mqtt.inflight_max = u16::try_from(inflight).unwrap();
    config.edge.limits.stream_readings_max = 1_000_000;
    let gateway = start(config, &ledger).await;
    let before = cpu_seconds();
    let status = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["load".into(), gateway.address().to_string()])
        .args([connections, inflight, seconds].map(|n| n.to_string()))
        .status()
        .await
        .unwrap();
    assert!(status.success());
    let used = cpu_seconds() - before;
    let taken = gateway.status().await.unwrap().edge.readings_taken;
    println!(
        "{{\"bench\":\"gateway\",\"connections\":{connections},\"inflight\":{inflight},\
         \"per_s\":{},\"cpu_ms\":{:.4},\"rss_mb\":{}}}",
        taken / seconds as u64,
        used * 1e3 / taken as f64,
        resident_kb() / 1024
    );
    gateway.shutdown().await.unwrap();
    assert_eq!(ledger.values(&TEMPERATURE).len() as u64, taken, "every one is final");
}

async fn load(address: SocketAddr, connections: usize, inflight: usize, seconds: usize) {
    let until = Instant::now() + Duration::from_secs(seconds as u64);
    let clients: Vec<_> =
        (0..connections).map(|id| tokio::spawn(client(address, id, inflight, until))).collect();
    let mut total = 0;
    for client in clients {
        total += client.await.unwrap();
    }
    eprintln!("{connections} connections, {inflight} in flight: {} acks/s", total / seconds as u64);
}

/// Keeps `inflight` publishes under way until the time is up; returns the acknowledgements.
async fn client(address: SocketAddr, id: usize, inflight: usize, until: Instant) -> u64 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = format!("load-{id:05}");
    let mut connect = vec![0x10, 12 + 10];
    connect.extend_from_slice(b"\0\x04MQTT\x04\x02\0\x3c\0\x0a");
    connect.extend_from_slice(name.as_bytes());
    stream.write_all(&connect).await.unwrap();
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).await.unwrap();

    let mut packet_id = 0_u16;
    let mut publishes = |count: usize| {
        let mut bytes = Vec::new();
        for _ in 0..count {
            packet_id = packet_id.wrapping_add(1).max(1);
            let body = [&b"\0\x18althing/pump/temperature"[..], &packet_id.to_be_bytes(), b"21.5"];
            bytes.extend_from_slice(&[0x32, 32]);
            bytes.extend_from_slice(&body.concat());
        }
        bytes
    };
    stream.write_all(&publishes(inflight)).await.unwrap();
    let (mut acks, mut pending, mut partial) = (0, inflight, 0);
    let mut buffer = [0; 4096];
    while pending > 0 {
        partial += stream.read(&mut buffer).await.unwrap();
        let count = partial / 4;
        partial %= 4;
        acks += count as u64;
        pending -= count;
        if Instant::now() < until {
            stream.write_all(&publishes(count)).await.unwrap();
            pending += count;
        }
    }
    acks
}

/// CPU seconds of this process, from the kernel's count of hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
