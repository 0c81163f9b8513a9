//! The servers and their PostgreSQL: started, killed, stopped, let go on, ended; and where they are reached by now.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

use parlance_private_postgres::{Database, Options, Server, Stop};
use parlance_tests::{Home, served::Served};
use tokio::task::block_in_place;

use super::{PUBLIC_URL, dice::Dice};

/// What is with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Living,
    Stopped,
    Gone,
}

struct Place {
    folder: PathBuf,
    served: Option<Served>,
    address: SocketAddr,
    state: State,
}

/// PostgreSQL, and when it last came back.
pub struct Postgres {
    server: Server,
    pub database: Database,
    back: Mutex<Instant>,
}

impl Postgres {
    /// A durable one; `None`, said loudly: it is not installed.
    pub async fn start() -> Option<Self> {
        // The shared one knows whether there is one, and says so.
        Server::shared()?;
        let options = Options { durable: true, ..Options::default() };
        let server = Server::start(&options).expect("a private PostgreSQL starts");
        let database = server.empty_database().await;
        Some(Self { server, database, back: Mutex::new(Instant::now()) })
    }

    /// Stops it, and starts it again.
    pub fn restart(&self, how: Stop) {
        block_in_place(|| self.server.restart(how)).expect("PostgreSQL comes back");
        *self.back.lock().expect("no panic while locked") = Instant::now();
    }

    /// When it last came back.
    pub fn back(&self) -> Instant {
        *self.back.lock().expect("no panic while locked")
    }
}

pub struct Fleet {
    places: Mutex<Vec<Place>>,
    providers: String,
    pub postgres: Arc<Postgres>,
    /// The other servers' data folders.
    _homes: Vec<Home>,
}

impl Fleet {
    /// Starts so many, the first on `folder`, the others on folders of their own with copies of its master key.
    pub fn start(
        postgres: Arc<Postgres>,
        folder: &Path,
        providers: &str,
        count: usize,
        program: &str,
    ) -> Arc<Self> {
        let homes: Vec<_> = (1..count).map(|_| Home::on(&postgres.database.url)).collect();
        for home in &homes {
            let copied = std::fs::copy(folder.join("master.key"), home.path().join("master.key"));
            copied.expect("the master key is copied");
        }
        let folders = std::iter::once(folder).chain(homes.iter().map(Home::path));
        let places = folders.map(|folder| {
            let served = start(program, folder, providers);
            let address = served.address;
            Place { folder: folder.to_owned(), served: Some(served), address, state: State::Living }
        });
        let places = Mutex::new(places.collect());
        Arc::new(Self { places, providers: providers.to_owned(), postgres, _homes: homes })
    }

    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().expect("no panic while locked")
    }

    pub fn folders(&self) -> Vec<PathBuf> {
        self.places().iter().map(|place| place.folder.clone()).collect()
    }

    fn living(&self) -> Vec<usize> {
        let places = self.places();
        (0..places.len()).filter(|index| places[*index].state == State::Living).collect()
    }

    /// A living one.
    pub fn any_living(&self, dice: &Dice) -> usize {
        *dice.one_of(&self.living())
    }

    /// Where a living one is reached.
    pub fn address(&self, dice: &Dice) -> SocketAddr {
        let index = self.any_living(dice);
        self.places()[index].address
    }

    /// Where any is reached, or was: it may be stopped or gone.
    pub fn any_address(&self, dice: &Dice) -> SocketAddr {
        let places = self.places();
        dice.one_of(&places).address
    }

    /// `kill -9`.
    pub fn kill(&self, index: usize) {
        let mut places = self.places();
        places[index].state = State::Gone;
        places[index].served.take().expect("it runs").kill();
    }

    /// SIGSTOP.
    pub fn pause(&self, index: usize) {
        let mut places = self.places();
        places[index].state = State::Stopped;
        places[index].served.as_ref().expect("it runs").pause();
    }

    /// SIGCONT.
    pub fn go_on(&self, index: usize) {
        let mut places = self.places();
        places[index].served.as_ref().expect("it runs").go_on();
        places[index].state = State::Living;
    }

    /// SIGTERM, and waits for its end.
    pub fn end(&self, index: usize) {
        let mut served = {
            let mut places = self.places();
            places[index].state = State::Gone;
            places[index].served.take().expect("it runs")
        };
        assert!(block_in_place(|| served.end()), "a server ends well");
    }

    /// Starts one in the place of one that is gone.
    pub fn begin(&self, index: usize, program: &str) {
        let folder = self.places()[index].folder.clone();
        let served = block_in_place(|| start(program, &folder, &self.providers));
        let mut places = self.places();
        places[index].address = served.address;
        places[index].served = Some(served);
        places[index].state = State::Living;
    }

    /// Ends all of them.
    pub fn end_all(&self) {
        for index in self.living() {
            self.end(index);
        }
    }
}

fn start(program: &str, folder: &Path, providers: &str) -> Served {
    Served::start(program, folder, providers, &["--public-url", PUBLIC_URL])
}
