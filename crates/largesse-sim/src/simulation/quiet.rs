//! The end of a run: nothing new happens, and everything comes to rest.
//!
//! Makes no choices: from here on there is one order.

use std::time::Duration;

use largesse_hub::ControlEvents;
use largesse_wire::EventId;

use super::{Seat, Simulation, Turn};
use crate::{
    follower::{Presents, Standing},
    task::Task,
};

/// Turns within which everything must come to rest; far more than the longest replay of a run takes.
const TURNS_MAX: usize = 100_000;
/// Connections that a page needs, at most, to hear the rest: streams may disconnect readers, and cuts still happen.
const CONNECTIONS_MAX: usize = 100;

impl Simulation {
    /// Every wake arrives and everybody reads on: then all pages have heard everything.
    pub(super) async fn go_quiet(&mut self) {
        self.shared.trace.line("all goes quiet".to_owned());
        self.rest().await;
        self.check_settled();
        for _ in 0..CONNECTIONS_MAX {
            let away: Vec<usize> =
                (0..self.seats.len()).filter(|index| self.seats[*index].is_away()).collect();
            if away.is_empty() {
                break;
            }
            away.iter().for_each(|index| self.connect_with(*index, Presents::Last));
            self.rest().await;
            self.check_settled();
        }
        assert!(!self.seats.iter().any(Seat::is_away), "a page comes back again and again, and hears no end");
        let heard = self.last_ids();
        tokio::time::advance(Duration::from_secs(20)).await;
        self.rest().await;
        assert_eq!(self.last_ids(), heard, "nothing but heartbeats comes in the quiet");
        self.check_ended_stay_stopped().await;
        self.shared.publishers.borrow().check_once(&self.shared.oracle().model);
    }

    async fn rest(&mut self) {
        self.seats.iter_mut().for_each(|seat| seat.stalled = 0);
        for _ in 0..TURNS_MAX {
            self.wakes.release_all();
            tokio::task::yield_now().await;
            let seats = (0..self.seats.len()).filter(|index| self.seats[*index].is_woken());
            let writes = (0..self.writes.len()).filter(|index| self.writes[*index].is_woken());
            let next = seats.map(Turn::Reader).chain(writes.map(Turn::Write)).next();
            let Some(turn) = next else { return };
            self.poll(turn);
        }
        let is_at_rest = self.seats.iter().all(|seat| !seat.is_woken());
        assert!(is_at_rest, "somebody never comes to rest");
    }

    fn last_ids(&self) -> Vec<Option<EventId>> {
        self.seats.iter().map(|seat| seat.follower.borrow().last_id).collect()
    }

    fn check_settled(&self) {
        for (number, seat) in self.seats.iter().enumerate().filter(|(_, seat)| seat.connection.is_some()) {
            seat.follower.borrow().check_settled(&self.shared.oracle(), number);
        }
    }

    /// A page that was told the end is stopped on every request from then on. One without control events has no end id,
    /// and is stopped only as long as the streams stay as they are.
    async fn check_ended_stay_stopped(&mut self) {
        let ended = (0..self.seats.len()).filter(|index| self.seats[*index].has_ended());
        let ended = ended.filter(|index| self.seats[*index].follower.borrow().control == ControlEvents::On);
        for index in ended.collect::<Vec<_>>() {
            self.connect_with(index, Presents::Last);
            self.rest().await;
            assert!(self.seats[index].connection.is_none(), "an end id stops");
        }
    }
}

impl Seat {
    fn has_ended(&self) -> bool {
        self.follower.borrow().standing == Standing::Ended
    }

    fn is_away(&self) -> bool {
        self.connection.as_ref().map(Task::is_woken).is_none() && !self.has_ended()
    }
}
