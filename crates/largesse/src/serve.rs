//! `largesse serve`: puts the parts together, and takes them down in order.
//!
//! Invariants: nothing listens before everything is checked; stdout gets a line for each address once all of them
//! listen; every task is joined or aborted before the process ends, and then the log is closed. If a part ends that
//! the server can't do without, the server shuts down in the same order, and has failed. Does not know requests: the
//! door does.

mod clock;
mod listen;
mod log;
mod machine;
mod signals;
mod sweeper;
mod trace;
mod watch;

#[cfg(test)]
mod failing;

use std::{io, sync::Arc, time::Duration};

use largesse::{
    http::{BodyLimits, Door, DoorConfig, Gate, GuardConfig, HostRule, ServeLimits, Served, router},
    hub::{Clock, Hub, HubLimits},
    log::Engine,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

use self::{
    clock::ServedClock,
    listen::{Absent, Exposure},
    log::{Keeping, Log},
    signals::{Hangups, Signals},
    watch::Tasks,
};
use crate::{
    cli::ServeArgs,
    config::{Config, Effective},
    gallery::{Gallery, GalleryRule},
    terminal::{Failure, counted, say},
};

/// With fewer connections than this, a warning says that they are few.
const CONNECTIONS_FEW: usize = 64;

/// What the machine lets us use.
#[derive(Clone, Copy, Debug)]
struct Capacity {
    connections_max: usize,
    readers_max: usize,
}

/// Serves until a signal.
///
/// # Errors
/// The configuration is wrong, the log can't be opened, an address can't be listened on, or a part ended that the
/// server can't do without.
pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let effective = Effective::load(args.config.file.as_deref(), &args.config.keys)?;
    signals::outlive_terminal();
    trace::begin(&effective.config.trace)?;
    let files_max = machine::open_files_max();
    if files_max < machine::FILES_MIN {
        let least = machine::FILES_MIN;
        return Err(Failure(format!(
            "the open-file limit of {files_max} is too low to serve: it must be at least {least} (ulimit -n)"
        )));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure(format!("the runtime can't start: {error}")))?;
    let hangups = runtime.block_on(async { Hangups::begin() }).map_err(|error| unheard(&error))?;
    check_exposure(args, &effective)?;
    if let Some(warning) = effective.warning() {
        tracing::warn!("{warning}");
    }
    let keeping = if args.memory { Keeping::Memory } else { Keeping::Disk };
    let capacity =
        capacity(&effective.config, files_max, Log::files_max(&effective.config, keeping, files_max));
    let log = Log::open(&effective.config, keeping, files_max)?;
    runtime.block_on(serve(&effective, capacity, log, hangups))
}

fn unheard(error: &io::Error) -> Failure {
    Failure(format!("can't wait for signals: {error}"))
}

/// Whether only this machine can reach the addresses, or the command line insists.
///
/// # Errors
/// Others could reach the server, and the operator has not insisted.
pub(crate) fn check_exposure(args: &ServeArgs, effective: &Effective) -> Result<(), Failure> {
    let exposure = if args.insecure { Exposure::Anywhere } else { Exposure::LoopbackOnly };
    listen::check(&effective.config.listen, exposure)
}

/// Measures the machine, and says what fits.
fn capacity(config: &Config, files_max: u64, log_files: usize) -> Capacity {
    let connections_max = machine::connections(files_max, log_files);
    // A tenth stays free for publishers, at least one connection: readers stay forever.
    let fitting = connections_max - connections_max.div_ceil(10);
    if connections_max < CONNECTIONS_FEW {
        tracing::warn!(
            connections_max,
            "the open-file limit ({files_max}) allows few connections, and fewer readers; raise it (ulimit -n)"
        );
    }
    let wanted =
        config.http.readers_max.map(|readers_max| usize::try_from(readers_max).unwrap_or(usize::MAX));
    let readers_max = wanted.unwrap_or(fitting);
    if readers_max > fitting {
        tracing::warn!(
            readers_max,
            fitting,
            "the open-file limit allows fewer readers than configured; raise it (ulimit -n)"
        );
    }
    let fit = readers_max.min(fitting);
    let fit_readers = counted(fit as u64, "reader");
    tracing::info!(readers_max, connections_max, "up to {fit_readers} fit (open-file limit {files_max})");
    Capacity { connections_max, readers_max: fit }
}

async fn serve(effective: &Effective, capacity: Capacity, log: Log, hangups: Hangups) -> Result<(), Failure> {
    let config = &effective.config;
    let signals = Signals::begin().map_err(|error| unheard(&error))?;
    let absent = if effective.may_lack_addresses() { Absent::Fine } else { Absent::Wrong };
    let listeners = listen::bind(&config.listen, absent).await?;
    announce(&listeners)?;
    let (stop, asked) = oneshot::channel();
    let mut signalled = JoinSet::new();
    signalled.spawn(signals.run(stop));
    signalled.spawn(hangups.run());
    let why = serve_on(listeners, config, capacity, log, asked).await;
    // Until here, a second signal ends it at once.
    signalled.shutdown().await;
    why
}

/// Serves until it is `asked` to stop, or until a part ends that it can't do without. Closes the log.
async fn serve_on(
    listeners: Vec<TcpListener>,
    config: &Config,
    capacity: Capacity,
    log: Log,
    asked: oneshot::Receiver<()>,
) -> Result<(), Failure> {
    let clock = Arc::new(ServedClock::start(&log));
    let hub = hub(config, capacity, log.engine(), clock.clock());
    let gate = Arc::new(Gate::new(guard(config), bodies(config)));
    let door = Arc::new(Door::new(Arc::clone(&gate), Arc::clone(&hub), door(config)));
    let gallery = Gallery::new(gate, Arc::clone(&hub));
    let router = match config.http.gallery {
        GalleryRule::On => router(door).merge(gallery.router()),
        GalleryRule::Off => router(door),
    };
    let mut tasks = Tasks::default();
    tasks.sweeping.spawn(sweeper::run(Arc::clone(&hub)));
    tasks.sweeping.spawn(Arc::clone(&clock).run(log.engine()));
    let (end, ended) = oneshot::channel::<()>();
    let draining = Arc::clone(&hub);
    tasks.serving.spawn(largesse::http::serve(listeners, router, limits(config, capacity), async move {
        // Sent or dropped, both mean the end.
        let _ = ended.await;
        draining.drain();
    }));
    let why = tasks.first_end(asked, log.failed()).await;
    if let Err(failure) = &why {
        tracing::error!(%failure, "stopping");
    }
    drop(end);
    let served = tasks.serving.join_next().await;
    gallery.stop().await;
    tasks.sweeping.shutdown().await;
    clock.keep().await;
    // Nobody else holds the log now: what still runs, the wait for a second signal, never did.
    drop((gallery, hub));
    let closed = close(log).await;
    if let Some(Ok(Served { connections, cut })) = served {
        tracing::info!(connections, cut, "stopped");
    }
    why.and(closed)
}

/// Closes the log on a thread that may wait for the disk.
async fn close(log: Log) -> Result<(), Failure> {
    log.released().await;
    let closed = tokio::task::spawn_blocking(move || log.close()).await;
    closed.unwrap_or_else(|error| Err(Failure(format!("the log could not be closed: {error}"))))
}

/// One line for each address.
fn announce(listeners: &[TcpListener]) -> Result<(), Failure> {
    for listener in listeners {
        let address = listener.local_addr();
        let address = address.map_err(|error| Failure(format!("a listener has no address: {error}")))?;
        if let Err(error) = say(&format!("listening on http://{address}")) {
            tracing::warn!(%address, %error, "listening, but can't write to stdout");
        }
    }
    Ok(())
}

fn hub(config: &Config, capacity: Capacity, engine: Arc<dyn Engine>, clock: Arc<dyn Clock>) -> Arc<Hub> {
    let limits = HubLimits {
        readers_max: capacity.readers_max,
        heartbeat: config.http.heartbeat,
        lag_max: config.readers.lag_max,
        lag_bytes_max: config.readers.lag_bytes_max,
        ..HubLimits::default()
    };
    Hub::new(engine, clock, limits)
}

fn guard(config: &Config) -> GuardConfig {
    GuardConfig {
        allowed_origins: config.http.allowed_origins.clone(),
        allowed_hosts: config.http.allowed_hosts.clone(),
        host_rule: host_rule(config),
    }
}

fn bodies(config: &Config) -> BodyLimits {
    let http = &config.http;
    BodyLimits {
        total_bytes_max: held(http.bodies_bytes_max),
        idle_max: http.body_idle,
        time_max: http.body_time_max,
    }
}

fn door(config: &Config) -> DoorConfig {
    let http = &config.http;
    DoorConfig {
        event_bytes_max: held(http.event_bytes_max),
        batch_bytes_max: held(http.batch_bytes_max),
        retry_ms_min: ms(http.retry_min),
        retry_ms_max: ms(http.retry_max),
        ..DoorConfig::default()
    }
}

/// An operator who insists on open addresses and lists no names gets any name accepted: we can't know ours.
fn host_rule(config: &Config) -> HostRule {
    if listen::any_open(&config.listen) && config.http.allowed_hosts.is_empty() {
        HostRule::Any
    } else {
        HostRule::LoopbackAndAllowed
    }
}

fn limits(config: &Config, capacity: Capacity) -> ServeLimits {
    ServeLimits {
        connections_max: capacity.connections_max,
        head_timeout: config.http.head_timeout,
        write_stall: config.http.write_stall,
        shutdown_grace: config.shutdown_grace,
        ..ServeLimits::default()
    }
}

/// Sizes of bodies are far below what fits into a word on any machine.
fn held(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Waits that readers are given are at most a day.
fn ms(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use largesse::http::{Authority, Origin as PageOrigin};

    use super::*;
    use crate::config::HttpConfig;

    fn config() -> Config {
        let seconds = Duration::from_secs;
        let defaults = Effective::defaults().config;
        let http = HttpConfig {
            allowed_origins: vec![PageOrigin::parse("https://app.example").unwrap()],
            event_bytes_max: 1,
            batch_bytes_max: 2,
            bodies_bytes_max: 10,
            retry_min: seconds(3),
            retry_max: seconds(4),
            head_timeout: seconds(5),
            body_idle: seconds(6),
            body_time_max: seconds(11),
            write_stall: seconds(12),
            ..defaults.http
        };
        Config { http, shutdown_grace: seconds(7), listen: vec!["127.0.0.1:0".parse().unwrap()], ..defaults }
    }

    #[test]
    fn every_value_reaches_its_own_limit() {
        let capacity = Capacity { connections_max: 8, readers_max: 9 };
        let (door, limits) = (door(&config()), limits(&config(), capacity));
        let (guard, bodies) = (guard(&config()), bodies(&config()));
        assert_eq!(guard.allowed_origins, config().http.allowed_origins);
        assert_eq!((door.event_bytes_max, door.batch_bytes_max, bodies.total_bytes_max), (1, 2, 10));
        assert_eq!((bodies.time_max.as_secs(), limits.write_stall.as_secs()), (11, 12));
        assert_eq!((door.retry_ms_min, door.retry_ms_max), (3_000, 4_000));
        assert_eq!((limits.head_timeout.as_secs(), bodies.idle_max.as_secs()), (5, 6));
        assert_eq!((limits.shutdown_grace.as_secs(), limits.connections_max), (7, 8));
    }

    #[test]
    fn any_host_name_is_accepted_only_on_open_addresses_without_a_list_of_names() {
        let listed = vec![Authority::parse("events.example").unwrap()];
        let rows = [
            ("127.0.0.1:0", vec![], HostRule::LoopbackAndAllowed),
            ("0.0.0.0:0", vec![], HostRule::Any),
            ("0.0.0.0:0", listed.clone(), HostRule::LoopbackAndAllowed),
            ("[::1]:0", listed, HostRule::LoopbackAndAllowed),
        ];
        for (address, allowed_hosts, want) in rows {
            let mut config = config();
            config.listen = vec![address.parse().unwrap()];
            config.http.allowed_hosts = allowed_hosts;
            assert_eq!(host_rule(&config), want, "{address}");
        }
    }
}
