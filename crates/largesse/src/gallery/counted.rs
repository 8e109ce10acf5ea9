//! The counted source: three events, one a second, then the stream is closed.
//!
//! Invariants: a run writes only to a stream of its own, whose name nobody can guess and which expires soon;
//! a stream that was deleted meanwhile is not made anew. Does not know who reads.

use std::{sync::Arc, time::Duration};

use largesse::{
    hub::Hub,
    log::{
        Append, AppendError, Author, FromSetting, NewEvent, Once, Put, SettingChange, SettingsPatch,
        StreamName, Then,
    },
    wire::EventData,
};
use tokio::{
    sync::oneshot,
    time::{MissedTickBehavior, interval},
};

/// How many events a run writes.
const EVENTS: u32 = 3;
/// The time between two of them, and between the last one and the end.
const STEP: Duration = Duration::from_secs(1);
/// How long a run's events are kept, and how long its stream exists after the end.
const KEPT_FOR: Duration = Duration::from_secs(5 * 60);

/// A name for a run's stream, with 128 random bits.
///
/// # Errors
/// The system has no random bits.
pub(super) fn new_stream() -> Result<StreamName, getrandom::Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    let name = format!("demo/s4/{:032x}", u128::from_be_bytes(bits));
    Ok(StreamName::parse(&name).expect("letters, digits and two slashes between them are a name"))
}

/// Makes the stream, reports whether that went well, and writes the stream to its end.
///
/// Cancellation: what was written stays.
pub(super) async fn run(hub: Arc<Hub>, stream: StreamName, tell: oneshot::Sender<Result<(), AppendError>>) {
    let made = hub.put(&stream, Put { settings: settings() }).await.map(|_| ());
    let is_made = made.is_ok();
    // The caller may have stopped waiting for it; the run continues for its readers.
    let _ = tell.send(made);
    if !is_made {
        return;
    }
    match count(&hub, &stream).await {
        Ok(()) => tracing::debug!(%stream, "a run of the gallery ended"),
        // Anyone can close or delete the stream under it.
        Err(error) => tracing::debug!(%stream, %error, "a run of the gallery stopped early"),
    }
}

async fn count(hub: &Hub, stream: &StreamName) -> Result<(), AppendError> {
    let mut steps = interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..=EVENTS {
        steps.tick().await;
        if hub.state(stream).await?.is_none() {
            return Ok(());
        }
        hub.append(step(stream, number)).await?;
    }
    Ok(())
}

/// The step with this number: an event, or, after the last one, the end.
fn step(stream: &StreamName, number: u32) -> Append {
    let event = |number| NewEvent {
        name: None,
        data: EventData::parse_owned(format!("Message {number}")).expect("a word and a number have no NUL"),
    };
    let (events, then) =
        if number < EVENTS { (vec![event(number)], Then::StayOpen) } else { (Vec::new(), Then::Close) };
    Append { stream: stream.clone(), events, then, once: Once::Unkeyed, author: Author::Source }
}

fn settings() -> SettingsPatch {
    SettingsPatch {
        max_age: SettingChange::Set(Some(KEPT_FOR)),
        ttl_after_close: SettingChange::Set(KEPT_FOR),
        // The page that started the run hears all of it, whatever this server's defaults are.
        from: SettingChange::Set(FromSetting::Start),
        ..SettingsPatch::default()
    }
}

#[cfg(test)]
mod tests {
    use largesse::{
        hub::{HubLimits, WallClock},
        log::{EngineLimits, Incarnation, MemoryEngine, StreamState},
    };
    use tokio::task::JoinSet;

    use super::*;

    struct Running {
        hub: Arc<Hub>,
        stream: StreamName,
        run: JoinSet<()>,
    }

    /// A run whose stream has just been made, in paused time.
    async fn begin() -> Running {
        let engine = MemoryEngine::new(Incarnation(1), EngineLimits::default());
        let hub = Hub::new(Arc::new(engine), Arc::new(WallClock), HubLimits::default());
        let stream = new_stream().unwrap();
        let (tell, told) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(run(Arc::clone(&hub), stream.clone(), tell));
        told.await.unwrap().unwrap();
        Running { hub, stream, run: tasks }
    }

    impl Running {
        async fn state(&self) -> Option<StreamState> {
            self.hub.state(&self.stream).await.unwrap()
        }

        /// How many events there are `ms` later, and whether the stream is closed.
        async fn after(&self, ms: u64) -> (u64, bool) {
            tokio::time::advance(Duration::from_millis(ms)).await;
            tokio::task::yield_now().await;
            let state = self.state().await.unwrap();
            (state.events, state.closed.is_some())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn three_events_come_a_second_apart_and_then_the_end() {
        let mut running = begin().await;
        let rows =
            [(0, (1, false)), (999, (1, false)), (1, (2, false)), (1000, (3, false)), (999, (3, false))];
        for (ms, want) in rows {
            assert_eq!(running.after(ms).await, want, "{ms} ms later");
        }
        assert_eq!(running.after(1).await, (3, true));
        running.run.join_next().await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_was_deleted_is_not_made_anew() {
        let mut running = begin().await;
        assert_eq!(running.after(0).await, (1, false));
        running.hub.delete(&running.stream).await.unwrap();
        running.run.join_next().await.unwrap().unwrap();
        assert!(running.state().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_was_closed_ends_its_run() {
        let mut running = begin().await;
        running.hub.append(step(&running.stream, EVENTS)).await.unwrap();
        running.run.join_next().await.unwrap().unwrap();
        assert!(running.state().await.unwrap().closed.is_some());
    }

    #[tokio::test]
    async fn a_run_soon_expires_and_its_name_is_its_own() {
        let running = begin().await;
        let again = running.hub.put(&running.stream, Put::default()).await.unwrap();
        assert_eq!(
            (again.settings.max_age, again.settings.ttl_after_close),
            (Some(KEPT_FOR), KEPT_FOR),
            "as it was made"
        );
        let (one, other) = (new_stream().unwrap(), new_stream().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), "demo/s4/".len() + 32);
    }
}
