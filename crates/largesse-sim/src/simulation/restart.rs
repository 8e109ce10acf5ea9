//! The server ends and starts again: its readers are cut, its publishers are not answered, its log is still there.

use std::sync::Arc;

use super::{Simulation, hub};
use crate::{kept::Ending, recording_engine::RecordingEngine};

impl Simulation {
    /// Restarts between two calls of the engine: a call that had not begun when the server ended never happened.
    pub(super) fn restart(&mut self) {
        let rng = self.shared.rng.clone();
        let ending = rng.pick(&[Ending::Close, Ending::Kill, Ending::PowerCut]);
        self.shared.trace.line(format!("the server ends: {ending:?}"));
        self.writes.clear();
        self.seats.iter_mut().for_each(|seat| seat.connection = None);
        self.wakes.forget();
        drop(self.shared.hub.take());
        self.clock.restart();
        let log = self.log.take().expect("it is put back at once");
        let log = log.restarted(ending, &rng);
        let oracle = Arc::clone(&self.shared.oracle);
        let recorder = RecordingEngine::new(log.engine(), oracle, rng, Arc::clone(&self.wakes));
        self.log = Some(log);
        self.shared.hub = Some(hub(recorder, &self.clock, self.hub_limits));
    }
}
