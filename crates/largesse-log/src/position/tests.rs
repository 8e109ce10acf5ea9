//! Places and their marks.

use proptest::prelude::*;

use super::{Place, Position};

fn place(position: u64, told_upto: u64) -> Place {
    Place::knowing(Position(position), Position(told_upto))
}

#[test]
fn a_mark_that_adds_nothing_is_dropped() {
    let told = Place::at(Position(5)).told(Position(9));
    assert_eq!(Place::at(Position(5)).told(Position(5)), Place::at(Position(5)));
    assert_eq!(told.advanced_to(Position(9)), Place::at(Position(9)));
    assert_ne!(told.advanced_to(Position(8)), Place::at(Position(8)));
    assert_eq!(place(5, 9).marked_before(Position(5)), Place::at(Position(5)));
    assert_eq!(place(5, 9).marked_before(Position(6)), place(5, 9));
}

#[test]
fn streams_gone_at_the_first_request_stay_gone_whatever_is_told_and_read() {
    assert_eq!(place(5, 9).asked_at(), Position(9));
    let told = Place::at(Position(5)).told(Position(9));
    assert_eq!((told.told_upto(), told.asked_at()), (Position(9), Position::ZERO));
    let less = place(5, 9).told(Position(7));
    assert_eq!((less.told_upto(), less.asked_at()), (Position(9), Position(9)), "told_upto never goes back");
    let both = place(5, 9).told(Position(12));
    assert_eq!((both.told_upto(), both.asked_at()), (Position(12), Position(9)));
    let later = both.advanced_to(Position(20));
    assert_eq!((later.told_upto(), later.asked_at()), (Position(20), Position(9)));
    assert_eq!(place(5, 5).asked_at(), Position(5), "from=now knows too");
}

proptest! {
    #[test]
    fn a_place_never_goes_back(position in 0..50_u64, told_upto in 0..50_u64, steps in prop::collection::vec((0..50_u64, any::<bool>()), 0..20)) {
        let mut at = place(position, told_upto);
        for (number, told) in steps {
            let next = if told { at.told(Position(number)) } else { at.advanced_to(Position(number)) };
            prop_assert!(next.position() >= at.position() && next.told_upto() >= at.told_upto());
            prop_assert!(next.told_upto() >= next.position() && next.told_upto() >= next.asked_at());
            prop_assert_eq!(next.asked_at(), at.asked_at());
            at = next;
        }
    }
}
