//! Any bytes, in any pieces, under any limit.

use super::{Outcome, ROOMY, fed, model};
use crate::ParserLimits;
use proptest::collection::vec;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

/// Words of the format, glued together in any order: near misses are far more likely than in random bytes.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => proptest::sample::select(WORDS).prop_map(<[u8]>::to_vec),
        4 => proptest::sample::select(LINE_ENDS).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..4),
        1 => any::<char>().prop_map(|character| character.to_string().into_bytes()),
    ];
    let start =
        prop_oneof![3 => Just(&b""[..]), 1 => Just(&b"\xEF\xBB\xBF"[..]), 1 => Just(&b"\xEF\xBB"[..])];
    (start, vec(word, 0..40)).prop_map(|(start, words)| [start, &words.concat()].concat())
}

const LINE_ENDS: &[&[u8]] = &[b"\n", b"\r", b"\r\n", b"\n\n"];

const WORDS: &[&[u8]] = &[
    b"data",
    b"data:",
    b"data: ",
    b"data: x\n",
    b"event",
    b"event: ",
    b"event: n\n",
    b"id",
    b"id: ",
    b"id: 1\n",
    b"id:\n",
    b"retry",
    b"retry: ",
    b"retry: 25\n",
    b"7",
    b":",
    b" ",
    b"\t",
    b"\0",
    b"x",
    b"\xEF\xBB\xBF",
    b"\xEF",
    b"\xE2\x82",
    b"\xAC",
    b"\xF0\x9F",
    b"\xFF",
];

fn pieces<'a>(input: &'a [u8], cuts: &[proptest::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
    cuts.sort_unstable();
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain(std::iter::once(input.len()));
    starts.zip(ends).map(|(start, end)| &input[start..end]).collect()
}

fn is_prefix(outcome: &Outcome, of: &Outcome) -> bool {
    of.events.starts_with(&outcome.events)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_parser_reads_what_the_standard_says(input in input()) {
        prop_assert_eq!(fed(ROOMY, [&*input]), model::outcome(&input));
    }

    #[test]
    fn any_bytes_are_read_as_the_standard_says(input in vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(fed(ROOMY, [&*input]), model::outcome(&input));
    }

    #[test]
    fn how_the_input_is_cut_changes_nothing(
        input in input(),
        cuts in vec(any::<proptest::sample::Index>(), 0..12),
        event_bytes_max in prop_oneof![0_usize..20, Just(1 << 20)],
    ) {
        let limits = ParserLimits { event_bytes_max };
        let whole = fed(limits, [&*input]);
        prop_assert_eq!(&fed(limits, pieces(&input, &cuts)), &whole);
        prop_assert_eq!(&fed(limits, input.chunks(1)), &whole);
    }

    /// That the bounds hold at every step is asserted by `fed`.
    #[test]
    fn a_limit_cuts_the_events_short_and_changes_none(input in input(), event_bytes_max in 0_usize..30) {
        let (limited, roomy) = (fed(ParserLimits { event_bytes_max }, [&*input]), fed(ROOMY, [&*input]));
        if limited.error.is_none() {
            prop_assert_eq!(limited, roomy);
        } else {
            prop_assert!(is_prefix(&limited, &roomy));
        }
    }
}
