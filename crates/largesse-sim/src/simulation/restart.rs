//! The server ends and is started again: its readers are cut, its publishers are not answered, its log is there.

use std::sync::Arc;

use super::{Simulation, hub};
use crate::{kept::Ending, recording_engine::RecordingEngine};

impl Simulation {
    /// Between two calls of the engine: those that are not done when the server ends are as if they never began.
    pub(super) fn restart(&mut self) {
        let rng = self.room.rng.clone();
        let ending = rng.pick(&[Ending::Close, Ending::Kill, Ending::PowerCut]);
        self.room.trace.line(format!("the server ends: {ending:?}"));
        self.writes.clear();
        self.seats.iter_mut().for_each(|seat| seat.connection = None);
        self.wakes.forget();
        drop(self.room.hub.take());
        self.clock.restart();
        let log = self.log.take().expect("it is put back at once");
        let log = log.restarted(ending, &rng);
        let oracle = Arc::clone(&self.room.oracle);
        let recorder = RecordingEngine::new(log.engine(), oracle, rng, Arc::clone(&self.wakes));
        self.log = Some(log);
        self.room.hub = Some(hub(recorder, &self.clock, self.hub_limits));
    }
}
