//! What the trials share: the server with short waits, and what a page heard, as the events in it.

use std::time::Duration;

use largesse_trials::{Browser, Heard, Page, Server};

/// Control events that a page listens to.
pub(crate) const CONTROL: &[&str] = &["begin", "reset", "closed", "end"];

/// How long to watch for a request from a page that will not ask again: three times the wait it was told to
/// keep, which is never under Firefox's own minimum of 500 ms.
pub(crate) const OBSERVED: Duration = Duration::from_millis(1_500);

/// Where a response's body may be cut so that the browser comes back: from this byte on.
///
/// Firefox (153) gives up for good, as after an error, if only the head of the response has come: the framing of
/// the first chunk, which is shorter than this, does not count. Chromium comes back.
pub(crate) fn cut_bytes_min(browser: Browser) -> u64 {
    match browser {
        Browser::Chromium => 0,
        Browser::Firefox => 16,
    }
}

/// A server that tells pages to come back after 100 ms.
pub(crate) fn server() -> Server {
    Server::start(&[("LARGESSE_HTTP_RETRY_MIN", "100ms"), ("LARGESSE_HTTP_RETRY_MAX", "100ms")])
}

/// One event that a page heard: its name, its data, its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
    pub(crate) id: String,
}

/// The events among what was heard.
pub(crate) fn events(heard: &[Heard]) -> Vec<Event> {
    let event = |heard: &Heard| match heard {
        Heard::Event { name, data, id } => {
            Some(Event { name: name.clone(), data: data.clone(), id: id.clone() })
        }
        Heard::Open | Heard::Lost | Heard::Stopped => None,
    };
    heard.iter().filter_map(event).collect()
}

/// The data of the events of one name.
pub(crate) fn data_of(heard: &[Heard], name: &str) -> Vec<String> {
    events(heard).into_iter().filter(|event| event.name == name).map(|event| event.data).collect()
}

/// Waits until a page has heard this many events of a name.
#[track_caller]
pub(crate) fn wait_for_events(page: &Page, name: &str, count: usize) {
    page.wait_for(&format!("{count} events named {name}"), |heard| {
        (data_of(heard, name).len() >= count).then_some(())
    });
}

/// Waits until the browser has given up for good.
#[track_caller]
pub(crate) fn wait_for_stop(page: &Page) {
    page.wait_for("that it is over", |heard| heard.contains(&Heard::Stopped).then_some(()));
}

/// A seed, which a failing trial prints. `TRIALS_SEED` in the environment sets it.
#[expect(clippy::print_stdout, reason = "what a test prints is shown when it fails, and only then")]
pub(crate) fn seed() -> u64 {
    let given = std::env::var_os("TRIALS_SEED");
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.to_str().unwrap().parse().unwrap());
    println!("the seed is {seed}; to use it again: TRIALS_SEED={seed}");
    seed
}
