//! One socket's life: what the client says, what its operations answer, and every wait between, in one task. What
//! leaves goes first, so that nothing is asked for that cannot be sent; then what the client says and what the
//! operations answer, by turns.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _, future::BoxFuture};
use parlance_app::front::Principal;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    time::{Instant, Sleep, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error as SocketError, Message,
        error::{CapacityError, ProtocolError},
        protocol::{Role, WebSocketConfig},
    },
};

use super::{
    admission::{Knock, admit},
    message::{Closing, Said, Says},
    operations::{Full, OPERATIONS_MAX, Operations, REQUESTS_BYTES_MAX},
    outgoing::{Outgoing, Stopped},
};
use crate::{
    http::{BODY_BYTES_MAX, Parameters, Shared, Unexecuted},
    places::Place,
    running::Answer,
    visitor::Visitor,
};

/// For `connection_init`, from the moment the socket is open: clients send it at once.
pub(super) const INIT_WAIT: Duration = Duration::from_secs(10);
/// Between two pings of ours. Proxies end a connection that is silent for a minute.
pub(super) const PING_EVERY: Duration = Duration::from_secs(25);
/// Pings in a row without a word from the client, until it counts as gone.
const SILENT_PINGS_MAX: u32 = 2;
/// For the closing handshake: after it the connection ends whatever the client does.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// For queries and mutations to be answered once the server ends; less than the listener waits for everything.
pub(super) const LEAVE_WAIT: Duration = Duration::from_secs(10);
/// Clients say little; a message that is longer is gathered beside it.
const READ_BUFFER_BYTES: usize = 4 << 10;

pub(super) struct Socket<S> {
    io: WebSocketStream<S>,
    shared: Shared,
    address: Option<IpAddr>,
    stage: Stage,
    outgoing: Outgoing,
    operations: Operations,
    /// For `connection_init`; then for the next ping; then, when the server ends, for the end.
    alarm: Pin<Box<Sleep>>,
    /// The client was heard last: it is the operations' turn.
    heard_last: bool,
    /// Pings since the client was last heard.
    silent: u32,
    ending: Option<BoxFuture<'static, ()>>,
}

enum Stage {
    /// Nothing was said yet. The place is kept until it is known whose it is.
    New(Knock),
    Admitting(BoxFuture<'static, Result<(Principal, Place), Closing>>),
    Open(Open),
    /// Between two of the others.
    Between,
}

struct Open {
    principal: Principal,
    /// Resolves when the credential counts no more.
    ended: BoxFuture<'static, ()>,
    _place: Place,
}

/// What happens next.
enum Step {
    Heard(Message),
    Answered(Arc<str>, Option<Answer>),
    Admitted(Result<(Principal, Place), Closing>),
    CredentialEnded,
    ServerEnds,
    Alarm,
    /// The server ends, and everything is said.
    Left,
    Close(Closing),
    /// The client is gone, or takes nothing.
    Lost,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub async fn open(io: S, shared: Shared, knock: Knock, address: Option<IpAddr>) -> Self {
        // A message as long as a request's body. Everything is written as soon as it is there.
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(BODY_BYTES_MAX))
            .max_frame_size(Some(BODY_BYTES_MAX));
        let ending = shared.settings.ending.begun().boxed();
        Self {
            io: WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await,
            shared,
            address,
            stage: Stage::New(knock),
            outgoing: Outgoing::default(),
            operations: Operations::default(),
            alarm: Box::pin(sleep(INIT_WAIT)),
            heard_last: false,
            silent: 0,
            ending: Some(ending),
        }
    }

    /// Runs it to its end.
    pub async fn run(mut self) {
        loop {
            let step = std::future::poll_fn(|cx| self.poll_step(cx)).await;
            let ended = match step {
                Step::Heard(message) => self.heard(message),
                Step::Answered(id, answer) => {
                    self.answered(&id, answer.as_ref());
                    Ok(())
                }
                Step::Admitted(admitted) => {
                    admitted.map(|(principal, place)| self.admitted(principal, place))
                }
                Step::CredentialEnded => Err(Closing::Forbidden),
                Step::ServerEnds => {
                    self.leave();
                    Ok(())
                }
                Step::Alarm => match self.alarm() {
                    Ok(alive) => {
                        if !alive {
                            return;
                        }
                        Ok(())
                    }
                    Err(closing) => Err(closing),
                },
                Step::Left => Err(Closing::GoingAway),
                Step::Close(closing) => Err(closing),
                Step::Lost => return,
            };
            if let Err(closing) = ended {
                return self.close(&closing).await;
            }
        }
    }

    /// Says why, waits a moment for the client to have read it, and ends the connection.
    pub async fn close(self, closing: &Closing) {
        let Self { mut io, operations, stage, .. } = self;
        drop((operations, stage));
        let frame = closing.frame();
        let _ = timeout(CLOSE_WAIT, async {
            if io.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = io.next().await {}
            }
        })
        .await;
        // Where the client still sends, the connection's own end reads that away: a reset would cost it the reason.
        let _ = timeout(CLOSE_WAIT, io.get_mut().shutdown()).await;
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if let Some(ending) = &mut self.ending
            && ending.poll_unpin(cx).is_ready()
        {
            self.ending = None;
            return Poll::Ready(Step::ServerEnds);
        }
        match &mut self.stage {
            Stage::Admitting(admitting) => {
                if let Poll::Ready(admitted) = admitting.poll_unpin(cx) {
                    return Poll::Ready(Step::Admitted(admitted));
                }
            }
            Stage::Open(open) => {
                if open.ended.poll_unpin(cx).is_ready() {
                    return Poll::Ready(Step::CredentialEnded);
                }
            }
            Stage::New(_) | Stage::Between => {}
        }
        if self.alarm.poll_unpin(cx).is_ready() {
            return Poll::Ready(Step::Alarm);
        }
        if let Poll::Ready(Err(Stopped::Gone | Stopped::Stalled)) = self.outgoing.poll_send(&mut self.io, cx)
        {
            return Poll::Ready(Step::Lost);
        }
        // By turns, so that neither can keep the other from being heard.
        if std::mem::take(&mut self.heard_last)
            && let Poll::Ready(step) = self.poll_operations(cx)
        {
            return Poll::Ready(step);
        }
        if self.outgoing.has_room()
            && let Poll::Ready(heard) = self.io.poll_next_unpin(cx)
        {
            self.heard_last = true;
            return Poll::Ready(match heard {
                Some(Ok(message)) => Step::Heard(message),
                Some(Err(error)) => fault(&error),
                None => Step::Lost,
            });
        }
        self.poll_operations(cx)
    }

    /// An operation's answer, once everything before it has left.
    fn poll_operations(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if !self.outgoing.is_empty() {
            return Poll::Pending;
        }
        if self.ending.is_none() && self.operations.is_empty() {
            return Poll::Ready(Step::Left);
        }
        self.operations.poll_next(cx).map(|(id, answer)| Step::Answered(id, answer))
    }

    fn heard(&mut self, message: Message) -> Result<(), Closing> {
        self.silent = 0;
        match message {
            Message::Text(text) => self.said(Said::read(&text)?),
            Message::Binary(_) => Err(Closing::Bad("Messages are text, not binary")),
            // Pings and the client's close are answered underneath; after a close nothing more is read.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => Ok(()),
        }
    }

    fn said(&mut self, said: Said) -> Result<(), Closing> {
        match said {
            Said::Init(payload) => match std::mem::replace(&mut self.stage, Stage::Between) {
                Stage::New(knock) => {
                    let admitting = admit(self.shared.clone(), payload, knock);
                    self.stage = Stage::Admitting(admitting.boxed());
                    // A silent peer is a dead one from now on; looking a token up is bounded by itself.
                    self.alarm.as_mut().reset(Instant::now() + PING_EVERY);
                    Ok(())
                }
                _ => Err(Closing::TooManyInits),
            },
            Said::Ping(payload) => {
                self.outgoing.push(None, Says::Pong { payload: payload.as_deref() }.message());
                Ok(())
            }
            Said::Pong => Ok(()),
            Said::Subscribe { id, payload } => self.subscribed(id, payload.get()),
            Said::Complete { id } => {
                self.operations.cancel(&id);
                self.outgoing.forget(&id);
                Ok(())
            }
        }
    }

    fn subscribed(&mut self, id: String, payload: &str) -> Result<(), Closing> {
        let Stage::Open(open) = &self.stage else { return Err(Closing::Unauthorized) };
        if self.ending.is_none() {
            // The close is on its way; nothing new begins.
            return Ok(());
        }
        let room = self.operations.room_for(&id, payload.len());
        if room == Err(Full::SameId) {
            return Err(Closing::AlreadySubscribed(id));
        }
        let parameters = Parameters::from_json(payload)
            .map_err(|_| Closing::Bad("Subscribe's payload is not a GraphQL request"))?;
        let visitor = Visitor {
            principal: Some(open.principal),
            trace_id: self.shared.trace_id(),
            address: self.address,
            sets_cookies: false,
        };
        let begun = room
            .map_err(too_many)
            .and_then(|()| self.shared.prepare(parameters, visitor))
            .and_then(|received| self.shared.run(received));
        match begun {
            Ok(running) => self.operations.begin(&id, payload.len(), running),
            Err(refused) => self.answered(&id.into(), Some(&Answer::refused(&refused))),
        }
        Ok(())
    }

    fn answered(&mut self, id: &Arc<str>, answer: Option<&Answer>) {
        let message = match answer {
            Some(Answer::Result(payload)) => Says::Next { id, payload }.message(),
            Some(Answer::Refused(payload)) => {
                // An error is an operation's last word.
                self.operations.cancel(id);
                Says::Error { id, payload }.message()
            }
            None => Says::Complete { id }.message(),
        };
        self.outgoing.push(Some(Arc::clone(id)), message);
    }

    fn admitted(&mut self, principal: Principal, place: Place) {
        let ended = self.shared.schema.front().ended(principal);
        self.stage = Stage::Open(Open { principal, ended, _place: place });
        self.outgoing.push(None, Says::ConnectionAck.message());
    }

    /// False: the client is not there any more.
    fn alarm(&mut self) -> Result<bool, Closing> {
        if self.ending.is_none() {
            return Err(Closing::GoingAway);
        }
        if matches!(self.stage, Stage::New(_)) {
            return Err(Closing::InitTimeout);
        }
        self.alarm.as_mut().reset(Instant::now() + PING_EVERY);
        if self.silent >= SILENT_PINGS_MAX {
            return Ok(false);
        }
        self.silent += 1;
        // Browsers answer the one by themselves; the other is seen by clients that look for dead servers.
        self.outgoing.push(None, Message::Ping(Vec::new().into()));
        self.outgoing.push(None, Says::Ping.message());
        Ok(true)
    }

    /// The server ends: what answers once may do so, nothing else goes on.
    fn leave(&mut self) {
        self.operations.cancel_endless();
        self.alarm.as_mut().reset(Instant::now() + LEAVE_WAIT);
    }
}

/// What is wrong with what the client sent, or that it is gone.
fn fault(error: &SocketError) -> Step {
    Step::Close(Closing::Bad(match error {
        SocketError::Capacity(CapacityError::MessageTooLong { .. }) => "Message is larger than 256 KiB",
        SocketError::Utf8(_) => "Message is not UTF-8",
        SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return Step::Lost,
        SocketError::Protocol(_) => "Not a frame of the WebSocket protocol",
        _ => return Step::Lost,
    }))
}

fn too_many(full: Full) -> Unexecuted {
    const { assert!(OPERATIONS_MAX == 64 && REQUESTS_BYTES_MAX == 256 << 10) };
    let message = match full {
        Full::TooLarge => "The requests under way on this socket are 256 KiB together. Complete some first.",
        Full::SameId | Full::TooMany => {
            "There are 64 operations under way on this socket. Complete some first."
        }
    };
    Unexecuted::new(axum::http::StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_OPERATIONS", message)
}
