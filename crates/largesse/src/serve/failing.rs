//! Tests of a server whose log fails: everybody is answered, and the server stops and says why.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use largesse::{
    disk::{
        DiskEngine, DiskSettings, NewLog,
        io::{Folder, PanickingDisk},
    },
    log::{EngineLimits, Incarnation},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::*;
use crate::data_folder::DataFolder;

/// Far longer than anything here takes.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A folder that is removed with its owner.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("largesse-failing-{}-{name}", std::process::id()));
        Self(folder)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may not have been created.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A log whose segments fill up soon.
fn log(folder: &Temporary) -> (Log, PanickingDisk) {
    let data = DataFolder::take_for_log(&folder.0).unwrap();
    let disk = PanickingDisk::new(Folder::open(&folder.0).unwrap());
    let settings = DiskSettings { segment_bytes: 2_000, hot_bytes_max: 0, ..DiskSettings::DEFAULT };
    let new = NewLog { incarnation: Incarnation(7), salt: 11 };
    let engine = DiskEngine::open(Arc::new(disk.clone()), EngineLimits::default(), settings, new).unwrap();
    (Log::Disk { engine: Arc::new(engine), folder: data }, disk)
}

async fn begin(address: SocketAddr, method: &str, body: &str) -> io::Result<TcpStream> {
    let mut connection = TcpStream::connect(address).await?;
    let bytes = body.len();
    let head = format!("{method} /streams/a HTTP/1.0\r\nHost: localhost\r\nContent-Length: {bytes}\r\n\r\n");
    connection.write_all((head + body).as_bytes()).await?;
    Ok(connection)
}

async fn rest(mut connection: TcpStream) -> io::Result<String> {
    let mut answer = String::new();
    timeout(WAIT_MAX, connection.read_to_string(&mut answer)).await.expect("it is answered")?;
    Ok(answer)
}

/// The first answer to a publish that is not a 201. An error if the server no longer listens.
async fn first_refusal(address: SocketAddr) -> io::Result<String> {
    loop {
        let answer = rest(begin(address, "POST", "more").await?).await?;
        if !answer.starts_with("HTTP/1.0 201") {
            return Ok(answer);
        }
    }
}

/// A server with one event.
struct Server {
    server: JoinSet<Result<(), Failure>>,
    address: SocketAddr,
    disk: PanickingDisk,
    stop: Option<oneshot::Sender<()>>,
    _folder: Temporary,
}

impl Server {
    async fn start(name: &str) -> Self {
        let folder = Temporary::new(name);
        let (log, disk) = log(&folder);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, asked) = oneshot::channel();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let capacity = Capacity { connections_max: 100, readers_max: 10 };
            let defaults = Effective::defaults().config;
            serve_on(vec![listener], &defaults, capacity, log, asked).await
        });
        let first = rest(begin(address, "POST", "first").await.unwrap()).await.unwrap();
        assert!(first.starts_with("HTTP/1.0 201"), "{first}");
        Self { server, address, disk, stop: Some(stop), _folder: folder }
    }

    /// Why it ended.
    async fn failure(&mut self) -> String {
        let ended = timeout(WAIT_MAX, self.server.join_next()).await.unwrap().unwrap().unwrap();
        ended.unwrap_err().to_string()
    }
}

async fn check(thread: &'static str, problems: &[&str], why: &str) {
    let mut server = Server::start(thread).await;
    let mut reader = begin(server.address, "GET", "").await.unwrap();
    reader.read_u8().await.unwrap();
    server.disk.arm(thread, 3);
    if let Ok(refused) = first_refusal(server.address).await {
        assert!(refused.starts_with("HTTP/1.0 503"), "{refused}");
        assert!(problems.iter().any(|problem| refused.contains(problem)), "{refused}");
    }
    // The reader is told to come back: its response ends.
    assert!(rest(reader).await.unwrap().ends_with("\n\n"));
    assert_eq!(server.failure().await, why);
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing listens any more");
}

#[tokio::test]
async fn a_server_that_can_no_longer_write_its_log_says_so_and_stops() {
    let why = "the log has failed: the thread that writes the log panicked: the test made the disk panic";
    check("log-write", &["log-unsafe", "log-unwritable"], why).await;
}

#[tokio::test]
async fn a_server_that_can_no_longer_maintain_its_log_says_so_and_stops() {
    let why = "the log has failed: the thread that maintains the log panicked: the test made the disk panic";
    check("log-maintain", &["log-unwritable"], why).await;
}

#[tokio::test]
async fn a_log_that_fails_while_being_closed_is_a_failure_too() {
    for thread in ["log-write", "log-maintain"] {
        let mut server = Server::start(&format!("closing-{thread}")).await;
        server.disk.arm(thread, 0);
        server.stop.take().unwrap().send(()).unwrap();
        let why = server.failure().await;
        assert!(why.starts_with("the log has failed: the thread that "), "{why}");
    }
}
