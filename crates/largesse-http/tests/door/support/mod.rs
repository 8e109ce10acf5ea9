//! A door on a free port of this machine, and a reader of its answers, byte by byte.

mod answer;
mod trace;
mod wire;

use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use largesse_http::{BodyLimits, Door, DoorConfig, Gate, GuardConfig, ServeLimits, Served, router, serve};
use largesse_hub::{Clock, Hub, HubLimits};
use largesse_log::{Engine, EngineLimits, Incarnation, MemoryEngine, Position, StreamState, UnixMs};
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

pub(crate) use answer::Answer;
pub(crate) use trace::to_a_full_device;
pub(crate) use wire::{Wire, soon};

/// The time at which every test begins: 2023-11-14T22:13:20.000Z.
pub(crate) const BEGIN_MS: u64 = 1_700_000_000_000;

/// A clock that only moves when it is told to.
pub(crate) struct HandClock(AtomicU64);

impl HandClock {
    pub(crate) fn set_ms(&self, ms: u64) {
        self.0.store(ms, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::SeqCst))
    }
}

/// What a test may choose.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) guard: GuardConfig,
    pub(crate) bodies: BodyLimits,
    pub(crate) door: DoorConfig,
    pub(crate) hub: HubLimits,
    pub(crate) engine: EngineLimits,
    pub(crate) serve: ServeLimits,
}

/// A running server. Dropping it cuts everything.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Arc<Hub>,
    pub(crate) engine: Arc<MemoryEngine>,
    pub(crate) clock: Arc<HandClock>,
    stop: Option<oneshot::Sender<()>>,
    tasks: JoinSet<Served>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let clock = Arc::new(HandClock(AtomicU64::new(BEGIN_MS)));
        let engine = Arc::new(MemoryEngine::new(Incarnation(7), setup.engine));
        let hub = Hub::new(engine.clone(), clock.clone(), setup.hub);
        let gate = Arc::new(Gate::new(setup.guard, setup.bodies));
        let router = router(Arc::new(Door::new(gate, hub.clone(), setup.door)));
        Self::serving(router, setup.serve, hub, engine, clock).await
    }

    /// The same, nested under `/under/here` in another router.
    pub(crate) async fn nested() -> Self {
        let clock = Arc::new(HandClock(AtomicU64::new(BEGIN_MS)));
        let engine = Arc::new(MemoryEngine::new(Incarnation(7), EngineLimits::default()));
        let hub = Hub::new(engine.clone(), clock.clone(), HubLimits::default());
        let gate = Arc::new(Gate::default());
        let door = router(Arc::new(Door::new(gate, hub.clone(), DoorConfig::default())));
        let router = axum::Router::new().nest("/under/here", door);
        Self::serving(router, ServeLimits::default(), hub, engine, clock).await
    }

    async fn serving(
        router: axum::Router,
        limits: ServeLimits,
        hub: Arc<Hub>,
        engine: Arc<MemoryEngine>,
        clock: Arc<HandClock>,
    ) -> Self {
        // Every test runs on a server that has lost its stderr.
        to_a_full_device();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(vec![listener], router, limits, stopped));
        Self { address, hub, engine, clock, stop: Some(stop), tasks }
    }

    /// Starts the shutdown.
    pub(crate) fn stop(&mut self) {
        self.stop.take();
    }

    /// Waits for the shutdown's end.
    pub(crate) async fn stopped(mut self) -> Served {
        self.stop();
        soon(self.tasks.join_next()).await.expect("the server").expect("no panic")
    }

    pub(crate) async fn connect(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// Sends bytes on a new connection and reads the one answer.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut wire = self.connect().await;
        wire.send(request).await;
        wire.answer().await
    }

    /// One request: `"POST /streams/a"`, `"Content-Type: text/plain\r\n"`, the body.
    pub(crate) async fn ask(&self, line: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
        let mut wire = self.connect().await;
        wire.send(request(line, headers, body.as_ref())).await;
        wire.answer_to(line).await
    }

    pub(crate) async fn get_json(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "Accept: application/json\r\n", "").await
    }

    /// Opens a read and checks its head.
    pub(crate) async fn read(&self, path: &str, headers: &str) -> Wire {
        let mut wire = self.connect().await;
        wire.send(request(&format!("GET {path}"), headers, b"")).await;
        let head = wire.head().await;
        assert_eq!(head.status, 200, "{path}: {head:?}");
        wire
    }

    /// Publishes one event and returns its id.
    pub(crate) async fn publish(&self, stream: &str, data: &str) -> String {
        let answer = self.ask(&format!("POST /streams/{stream}"), "", data).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Everything that a refused request must leave unchanged.
    pub(crate) async fn state(&self) -> (Position, Vec<StreamState>) {
        let all = NonZeroUsize::new(1000).expect("1000 is not zero");
        (self.engine.tail(), self.hub.list(None, all).await.expect("a list"))
    }

    /// The data of a stream's events, as a JSON page shows them.
    pub(crate) async fn data(&self, stream: &str) -> Vec<String> {
        let page = self.get_json(&format!("/streams/{stream}")).await;
        let page = page.json();
        let events = page["events"].as_array().cloned().unwrap_or_default();
        events.iter().map(|event| event["data"].as_str().expect("data").to_owned()).collect()
    }
}

/// The bytes of a request to this machine.
pub(crate) fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let mut bytes = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// One piece of a chunked body.
pub(crate) fn chunk(piece: &str) -> String {
    format!("{:x}\r\n{piece}\r\n", piece.len())
}
