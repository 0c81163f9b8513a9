//! HTTP as bytes on a connection: what no well-behaved client would send can be sent, and every answer is seen
//! as it came. All waits are bounded.

use std::{
    io::{Error, ErrorKind},
    net::SocketAddr,
    time::Duration,
};

use parlance_simulator::Request;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use crate::app::PATIENCE;

/// An answer, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Said {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A connection that is kept alive as long as both sides want.
pub struct Wire {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    arrived: Vec<u8>,
}

impl Wire {
    pub async fn open(address: SocketAddr) -> Result<Self, Error> {
        let stream = within(PATIENCE, TcpStream::connect(address)).await?;
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        Ok(Self { read, write, arrived: Vec::new() })
    }

    /// Sends bytes, whatever they are.
    pub async fn say(&mut self, bytes: &[u8]) -> Result<(), Error> {
        within(PATIENCE, self.write.write_all(bytes)).await
    }

    /// Says that nothing more will come, and goes on listening.
    pub async fn hang_up(&mut self) -> Result<(), Error> {
        within(PATIENCE, self.write.shutdown()).await
    }

    /// The next answer.
    pub async fn answer(&mut self) -> Result<Said, Error> {
        within(PATIENCE, answer(&mut self.read, &mut self.arrived)).await
    }

    /// Sends bytes and takes the answer, which may come before all of them are sent.
    pub async fn ask(&mut self, bytes: &[u8]) -> Result<Said, Error> {
        let Self { read, write, arrived } = self;
        let both = async {
            let mut said = std::pin::pin!(answer(read, arrived));
            tokio::select! {
                said = &mut said => return said,
                // Where the other side no longer reads, its answer may still be on the way.
                _ = write.write_all(bytes) => {}
            }
            said.await
        };
        within(PATIENCE, both).await
    }

    /// Waits until the other side ends the connection, in whatever way; false: it is still open.
    pub async fn ends(&mut self, wait: Duration) -> bool {
        let mut rest = [0; 1024];
        let reading = async { while matches!(self.read.read(&mut rest).await, Ok(1..)) {} };
        timeout(wait, reading).await.is_ok()
    }
}

async fn within<T>(wait: Duration, doing: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(wait, doing).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

async fn answer(read: &mut OwnedReadHalf, arrived: &mut Vec<u8>) -> Result<Said, Error> {
    loop {
        if let Some((said, length)) = whole(arrived) {
            arrived.drain(..length);
            return Ok(said);
        }
        if read.read_buf(arrived).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The answer that these bytes begin with, and its length; `None`: it is not whole yet.
fn whole(bytes: &[u8]) -> Option<(Said, usize)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).expect("a head is text");
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut said = Said { status: status.expect("an answer has a status"), headers, body: String::new() };
    let length = said.header("content-length").map_or(0, |text| text.parse().expect("a number"));
    let body = bytes.get(head + 4..head + 4 + length)?;
    said.body = String::from_utf8_lossy(body).into_owned();
    Some((said, head + 4 + length))
}

/// A signed request as bytes, to a path.
pub fn posted(path: &str, request: &Request) -> Vec<u8> {
    let length = request.body.len().to_string();
    let framed = request.clone().with_header("Content-Length", &length);
    let mut bytes = head(path, &framed);
    bytes.extend(&request.body);
    bytes
}

/// The head alone of a signed request, framed by nothing but the headers it has.
pub fn head(path: &str, request: &Request) -> Vec<u8> {
    let mut text = format!("POST {path} HTTP/1.1\r\nHost: inbox.example.hu\r\n");
    for (name, value) in &request.headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    text.into_bytes()
}
