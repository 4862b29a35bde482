//! A gateway as a process between devices and a peer, with a way to the peer that can be closed.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use althing_client::{
    key_file::{self, Protection, StoredKey},
    model::DidText,
};
use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

use crate::{
    network::{Network, POLL},
    things::{Bound, PROPERTY},
    usage,
};

/// A gateway that runs until this is dropped.
pub(crate) struct Gateway {
    child: Child,
    /// Open as long as it shall run: it ends with its standard input.
    _lifeline: Option<ChildStdin>,
    /// Where it listens for MQTT.
    pub(crate) address: SocketAddr,
    way: watch::Sender<bool>,
}

impl Gateway {
    /// Starts the gateway of these things at the first peer, and waits until it takes a reading of
    /// each.
    pub(crate) async fn start(program: &Path, network: &Network, bound: &Bound) -> Result<Self> {
        let folder = network.folder().join("measured-gateway");
        fs::create_dir(&folder)?;
        let signer = bound.gateway.signer();
        let entity = Some(DidText::entity(&network.genesis.network, &signer.entity));
        let stored = StoredKey { entity, key: signer.key.clone() };
        key_file::write(&folder.join("gateway.json"), &stored, Protection::None)?;
        let (way, open) = watch::channel(true);
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let peer = door.local_addr()?;
        tokio::spawn(carry(door, network.ports()[0], open));
        // Free a moment ago, and for this machine alone.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?;
        let names: Vec<String> = bound.names.iter().map(|name| format!("{name:?}")).collect();
        let config = format!(
            "genesis = \"../genesis.json\"\n[gateway]\ndata = \"data\"\nkey = \"gateway.json\"\n\
             peers = [\"http://{peer}\"]\n[gateway.limits]\nretry_max = \"1s\"\n[gateway.mqtt]\n\
             listen = \"{address}\"\n[gateway.mqtt.anonymous]\nallowed = true\nthings = [{}]\n",
            names.join(", ")
        );
        fs::write(folder.join("config.toml"), config)?;
        let mut child = Command::new(program)
            .args(["gateway", "run", "--exit-with-parent", "--config"])
            .arg(folder.join("config.toml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("gateway.log"))?)
            .spawn()?;
        let lifeline = child.stdin.take();
        let gateway = Self { child, _lifeline: lifeline, address, way };
        for name in &bound.names {
            gateway.wait_for(name, network).await?;
        }
        Ok(gateway)
    }

    /// Waits until it takes a reading of a thing: until then it closes the connection.
    async fn wait_for(&self, name: &str, network: &Network) -> Result<()> {
        loop {
            let published = async {
                let mut device = Device::connect(self.address, "probe").await?;
                device.publish(name, &["0"]).await
            };
            if published.await.is_ok() {
                return Ok(());
            }
            network.check_patience()?;
            sleep(POLL).await;
        }
    }

    /// Opens or closes its way to the peer; connections end when it is closed.
    pub(crate) fn set_way(&self, is_open: bool) {
        self.way.send_replace(is_open);
    }

    /// Memory that it holds, bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        usage::memory(&self.child.id().to_string())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // One that has ended already cannot be killed; that is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Carries bytes to a port of this machine while the way is open.
async fn carry(door: TcpListener, to: u16, way: watch::Receiver<bool>) {
    while let Ok((mut near, _)) = door.accept().await {
        let mut way = way.clone();
        if !*way.borrow_and_update() {
            continue;
        }
        tokio::spawn(async move {
            let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else { return };
            // Small answers would wait for one another otherwise.
            let _ = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                _ = way.wait_for(|is_open| !is_open) => {}
            }
        });
    }
}

/// A device that speaks MQTT 3.1.1.
pub(crate) struct Device {
    stream: TcpStream,
    next_id: u16,
}

impl Device {
    /// Connects with a client id.
    pub(crate) async fn connect(address: SocketAddr, id: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let body = [&b"\0\x04MQTT\x04\x02\0\0"[..], &string(id)?].concat();
        stream.write_all(&packet(0x10, &body)?).await?;
        let mut connack = [0; 4];
        stream.read_exact(&mut connack).await?;
        ensure!(connack == [0x20, 2, 0, 0], "not let in: {connack:02x?}");
        Ok(Self { stream, next_id: 1 })
    }

    /// Publishes values of a thing with QoS 1, all under way at once, and waits until each is
    /// acknowledged.
    pub(crate) async fn publish(&mut self, thing: &str, values: &[&str]) -> Result<()> {
        let topic = string(&format!("althing/{thing}/{}", PROPERTY))?;
        let (mut bytes, first) = (Vec::new(), self.next_id);
        for value in values {
            let body = [&topic[..], &self.next_id.to_be_bytes(), value.as_bytes()].concat();
            bytes.extend(packet(0x32, &body)?);
            self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        }
        self.stream.write_all(&bytes).await?;
        let mut acknowledged = vec![0; values.len() * 4];
        self.stream.read_exact(&mut acknowledged).await?;
        let head = [&[0x40, 2][..], &first.to_be_bytes()].concat();
        ensure!(acknowledged.starts_with(&head), "no acknowledgement: {acknowledged:02x?}");
        Ok(())
    }
}

fn string(text: &str) -> Result<Vec<u8>> {
    let len = u16::try_from(text.len()).context("a long string")?;
    Ok([&len.to_be_bytes(), text.as_bytes()].concat())
}

/// A packet; those of a bench are short.
fn packet(first: u8, body: &[u8]) -> Result<Vec<u8>> {
    let len = u8::try_from(body.len()).ok().filter(|len| *len < 128).context("a long packet")?;
    Ok([&[first, len], body].concat())
}
