//! HTTP/1.1 over one connection that is kept open, by hand: the machine's cores are for the server, so whoever
//! asks builds requests before the clock starts, and reads of an answer no more than its status and length.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A page of 25 conversations is about 20 KiB.
const BUFFER_BYTES: usize = 32 << 10;

/// The bytes of a POST.
pub fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request = format!("POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut request = request.into_bytes();
    request.extend_from_slice(body);
    request
}

/// The bytes of a GET.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes()
}

/// The bytes of a GraphQL request.
pub fn graphql(token: &str, query: &str, variables: &serde_json::Value) -> Vec<u8> {
    let body = serde_json::json!({ "query": query, "variables": variables }).to_string();
    let bearer = format!("Bearer {token}");
    let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
    post("/graphql", &headers, body.as_bytes())
}

/// A connection. Requests are asked one after the other.
pub struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
    body_at: usize,
}

impl Wire {
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(BUFFER_BYTES), body_at: 0 })
    }

    /// Asks, and reads the whole answer; gives its status.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let mut looked_at = 0;
        let head = loop {
            self.more().await?;
            if let Some(end) = self.received[looked_at..].windows(4).position(|four| four == b"\r\n\r\n") {
                break looked_at + end;
            }
            looked_at = self.received.len().saturating_sub(3);
        };
        self.body_at = head + 4;
        let text = std::str::from_utf8(&self.received[..head])?;
        let status = text.get(9..12).context("a status line")?.parse()?;
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
        });
        let end = self.body_at + length.context("an answer that does not tell its length")??;
        while self.received.len() < end {
            self.more().await?;
        }
        Ok(status)
    }

    /// Asks for what must work.
    pub async fn ask_well(&mut self, request: &[u8]) -> anyhow::Result<()> {
        match self.ask(request).await? {
            200 => Ok(()),
            status => bail!("answered {status}: {}", String::from_utf8_lossy(self.body())),
        }
    }

    /// The last answer's body.
    pub fn body(&self) -> &[u8] {
        &self.received[self.body_at..]
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => bail!("the server closed the connection"),
            _ => Ok(()),
        }
    }
}
