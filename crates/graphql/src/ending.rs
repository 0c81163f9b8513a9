//! The server's end, told to what would otherwise go on for ever: sockets and event streams.

use tokio::sync::watch;

/// Tells the end.
pub struct End(watch::Sender<bool>);

/// Waits for the end; by default for one that never comes. Clones wait for the same one.
#[derive(Clone, Debug)]
pub struct Ending(watch::Receiver<bool>);

/// An end, and who waits for it.
pub fn ending() -> (End, Ending) {
    let (tell, told) = watch::channel(false);
    (End(tell), Ending(told))
}

impl End {
    /// From now on nothing new begins, and what goes on for ever ends.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Default for Ending {
    fn default() -> Self {
        ending().1
    }
}

impl Ending {
    /// Resolves once the server is about to end. Never, where nobody is left to tell.
    pub(crate) fn begun(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut told = self.0.clone();
        async move {
            if told.wait_for(|ending| *ending).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }
}
