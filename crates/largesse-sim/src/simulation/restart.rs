//! The server ends and is started again: its readers are cut, its publishers are not answered, its log is there.

use std::sync::Arc;

use super::{Simulation, hub};
use crate::{kept::Ending, witness::Witness};

impl Simulation {
    /// Between two calls of the engine: those that are not done when the server ends are as if they never began.
    pub(super) fn restart(&mut self) {
        let luck = self.room.luck.clone();
        let ending = luck.pick(&[Ending::Close, Ending::Kill, Ending::PowerCut]);
        self.room.trace.line(format!("the server ends: {ending:?}"));
        self.writes.clear();
        self.seats.iter_mut().for_each(|seat| seat.connection = None);
        self.rings.forget();
        drop(self.room.hub.take());
        self.clock.restart();
        let log = self.log.take().expect("it is put back at once");
        let log = log.restarted(ending, &luck);
        let ledger = Arc::clone(&self.room.ledger);
        let witness = Witness::new(log.engine(), ledger, luck, Arc::clone(&self.rings));
        self.log = Some(log);
        self.room.hub = Some(hub(witness, &self.clock, self.hub_limits));
    }
}
