//! A man in the middle: forwards bytes between a store and its server, and cuts a connection when it is told to.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};

/// Where the next thing that is asked by any connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The server never hears of it.
    Before,
    /// The server does it, and its answer is lost.
    After,
    /// The store is cut off at once; the server does it in its own time.
    Aside,
    /// The server does it, and who stands in between says instead that the connection is lost, as an error.
    Told,
    /// The same, as the end of the session.
    Ended,
    /// The server does it, and nothing comes back, while the connection stays.
    Mute,
}

/// An error as a pooler makes it: without the severity in PostgreSQL's own words.
fn message(severity: &str, code: &str) -> Vec<u8> {
    let fields = format!("S{severity}\0C{code}\0Mserver conn crashed?\0\0");
    let length = u32::try_from(fields.len() + 4).expect("a short message");
    [b"E".as_slice(), &length.to_be_bytes(), fields.as_bytes()].concat()
}

pub struct Proxy {
    pub port: u16,
    cut: watch::Sender<Option<Cut>>,
    is_closed: Arc<AtomicBool>,
    /// A word for each cut that was made.
    pub made: mpsc::UnboundedReceiver<Cut>,
}

impl Proxy {
    pub async fn before(server_port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let (cut, waiting) = watch::channel(None);
        let (tell, made) = mpsc::unbounded_channel();
        let is_closed = Arc::new(AtomicBool::new(false));
        let (cuts, closed) = (cut.clone(), Arc::clone(&is_closed));
        tokio::spawn(async move {
            while let Ok((store, _)) = listener.accept().await {
                if closed.load(Ordering::SeqCst) {
                    continue;
                }
                let address = SocketAddr::from(([127, 0, 0, 1], server_port));
                let Ok(server) = TcpStream::connect(address).await else { continue };
                let cuts = Cuts { waiting: waiting.clone(), taken: cuts.clone(), tell: tell.clone() };
                tokio::spawn(async move {
                    let _ = forward(store, server, cuts).await;
                });
            }
        });
        Self { port, cut, is_closed, made }
    }

    /// Cuts once, at the next thing that is asked.
    pub fn cut_next(&self, cut: Cut) {
        self.cut.send_replace(Some(cut));
    }

    /// Lets nobody in any more; who is in stays.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }
}

struct Cuts {
    waiting: watch::Receiver<Option<Cut>>,
    taken: watch::Sender<Option<Cut>>,
    tell: mpsc::UnboundedSender<Cut>,
}

impl Cuts {
    /// The cut that waits, for one connection alone.
    fn take(&self) -> Option<Cut> {
        let cut = *self.waiting.borrow();
        cut?;
        let mut mine = None;
        self.taken.send_if_modified(|waiting| {
            mine = waiting.take();
            mine.is_some()
        });
        if let Some(cut) = mine {
            let _ = self.tell.send(cut);
        }
        mine
    }
}

async fn forward(mut store: TcpStream, mut server: TcpStream, cuts: Cuts) -> io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            count = store.read(&mut asked) => {
                let count = count?;
                if count == 0 {
                    return Ok(());
                }
                match cuts.take() {
                    Some(Cut::Before) => return Ok(()),
                    Some(Cut::After) => {
                        server.write_all(&asked[..count]).await?;
                        server.readable().await?;
                        return Ok(());
                    }
                    Some(Cut::Aside) => {
                        server.write_all(&asked[..count]).await?;
                        drop(store);
                        server.readable().await?;
                        return Ok(());
                    }
                    Some(cut @ (Cut::Told | Cut::Ended)) => {
                        server.write_all(&asked[..count]).await?;
                        server.readable().await?;
                        let (severity, code) =
                            if cut == Cut::Told { ("ERROR", "08P01") } else { ("FATAL", "58000") };
                        return store.write_all(&message(severity, code)).await;
                    }
                    Some(Cut::Mute) => {
                        server.write_all(&asked[..count]).await?;
                        while store.read(&mut asked).await? > 0 {}
                        return Ok(());
                    }
                    None => server.write_all(&asked[..count]).await?,
                }
            }
            count = server.read(&mut answered) => {
                let count = count?;
                if count == 0 {
                    return Ok(());
                }
                store.write_all(&answered[..count]).await?;
            }
        }
    }
}
