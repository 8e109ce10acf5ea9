//! Places and their marks.

use proptest::prelude::*;

use super::{Place, Position};

fn place(position: u64, known: u64) -> Place {
    Place::knowing(Position(position), Position(known))
}

#[test]
fn a_mark_that_is_of_no_use_is_dropped() {
    assert_eq!(place(5, 5), Place::at(Position(5)));
    assert_eq!(place(5, 3), Place::at(Position(5)));
    assert_eq!(place(5, 9).advanced_to(Position(9)), Place::at(Position(9)));
    assert_ne!(place(5, 9).advanced_to(Position(8)), Place::at(Position(8)));
    assert_eq!(place(5, 9).marked_before(Position(5)), Place::at(Position(5)));
    assert_eq!(place(5, 9).marked_before(Position(6)), place(5, 9));
}

#[test]
fn a_first_request_knows_what_is_gone_and_a_told_loss_does_not() {
    assert_eq!(place(5, 9).known_gone(), Position(9));
    let told = Place::at(Position(5)).told(Position(9));
    assert_eq!((told.known(), told.known_gone()), (Position(9), Position(5)));
    let both = place(5, 9).told(Position(7));
    assert_eq!((both.known(), both.known_gone()), (Position(9), Position(5)), "never less is known");
}

proptest! {
    #[test]
    fn a_place_never_goes_back(position in 0..50_u64, known in 0..50_u64, steps in prop::collection::vec((0..50_u64, any::<bool>()), 0..20)) {
        let mut at = place(position, known);
        for (number, told) in steps {
            let next = if told { at.told(Position(number)) } else { at.advanced_to(Position(number)) };
            prop_assert!(next.position() >= at.position() && next.known() >= at.known());
            prop_assert!(next.known() >= next.known_gone() && next.known_gone() >= next.position());
            at = next;
        }
    }
}
