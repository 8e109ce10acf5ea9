//! What is encoded parses to the same events, and holds nothing beyond the safe subset.

use largesse_wire::{
    Block, EventData, EventId, EventName, HEARTBEAT, ParsedEvent, Parser, ParserLimits, Retry, encode_block,
    encode_head, encoded_bytes,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

const LIMITS: ParserLimits = ParserLimits { event_bytes_max: 1 << 20 };

#[derive(Clone, Debug)]
struct Event {
    name: Option<EventName>,
    data: EventData,
    id: Option<EventId>,
}

impl Event {
    fn block(&self) -> Block<'_> {
        Block { name: self.name.as_ref(), data: &self.data, id: self.id.as_ref() }
    }

    fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::new();
        encode_block(&mut out, &self.block());
        out
    }
}

/// Text that tries to be more than text: fields, ends of lines and blocks, a BOM, other line separators.
fn hostile_text() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "data: ",
        "id: 5",
        "event: end",
        "retry: 0",
        ":",
        " ",
        "\u{FEFF}",
        "\u{2028}",
        "\u{85}",
        "é",
        "\t",
        "x",
    ];
    let word = prop_oneof![
        3 => proptest::sample::select(WORDS).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    vec(word, 0..12).prop_map(|words| words.concat().replace('\0', ""))
}

fn event_name() -> impl Strategy<Value = EventName> {
    hostile_text().prop_filter_map("no name", |text| {
        let text: String = text.replace(['\r', '\n'], "").chars().take(100).collect();
        EventName::parse(&text).ok()
    })
}

fn event() -> impl Strategy<Value = Event> {
    let id = "[A-Za-z0-9._~-]{1,128}".prop_map(|id| EventId::parse(&id).expect("made of allowed bytes"));
    let data = hostile_text().prop_map(|data| EventData::parse(&data).expect("without NUL"));
    (option::of(event_name()), data, option::of(id)).prop_map(|(name, data, id)| Event { name, data, id })
}

fn parsed(mut input: &[u8]) -> Vec<ParsedEvent> {
    let mut parser = Parser::new(LIMITS);
    std::iter::from_fn(|| parser.next_event(&mut input).expect("far below the limit")).collect()
}

/// What a reader hears of `events`: an id stays until the next one.
fn heard(events: &[Event]) -> Vec<ParsedEvent> {
    let mut last_event_id = String::new();
    let hear = |event: &Event| {
        if let Some(id) = &event.id {
            last_event_id = id.to_string();
        }
        let name = event.name.as_ref().map_or_else(String::new, EventName::to_string);
        ParsedEvent { name, data: event.data.as_str().into(), last_event_id: last_event_id.as_str().into() }
    };
    events.iter().map(hear).collect()
}

/// 0 for an `event` line, 1 for a `data` line, 2 for an `id` line.
fn rank(line: &str) -> Option<usize> {
    ["event: ", "data: ", "id: "].iter().position(|field| line.starts_with(field))
}

proptest! {
    #[test]
    fn a_connection_is_heard_as_it_was_written(events in vec(event(), 0..6), ms in 1_u32..=86_400_000) {
        let mut out = Vec::new();
        encode_head(&mut out, Retry::from_ms(ms).expect("in bounds"));
        for event in &events {
            out.extend_from_slice(HEARTBEAT);
            encode_block(&mut out, &event.block());
        }
        out.extend_from_slice(HEARTBEAT);
        prop_assert_eq!(parsed(&out), heard(&events));
        let mut parser = Parser::new(LIMITS);
        prop_assert!(parser.next_event(&mut out.as_slice()).is_ok());
        prop_assert_eq!(parser.reconnection_time_ms(), Some(u64::from(ms)));
    }

    #[test]
    fn a_block_holds_only_what_the_safe_subset_allows(event in event()) {
        let text = String::from_utf8(event.encoded()).expect("text in, text out");
        let bad_start = text.starts_with('\u{FEFF}');
        prop_assert!(!bad_start && !text.contains(['\r', '\0']));
        let lines = text.strip_suffix("\n\n").expect("a blank line at the end");
        let ranks: Option<Vec<usize>> = lines.split('\n').map(rank).collect();
        let ranks = ranks.expect("known fields only, and no blank line before the end");
        prop_assert!(ranks.is_sorted(), "event, data, id");
        let count = |rank: usize| ranks.iter().filter(|&&other| other == rank).count();
        prop_assert_eq!(count(0), usize::from(event.name.is_some()));
        prop_assert_eq!(count(1), event.data.as_str().split('\n').count());
        prop_assert_eq!(count(2), usize::from(event.id.is_some()));
    }

    #[test]
    fn the_encoded_length_is_known_beforehand(event in event()) {
        prop_assert_eq!(encoded_bytes(&event.block()), event.encoded().len());
    }

    #[test]
    fn the_limit_is_on_data_name_and_id_to_the_byte(event in event()) {
        let bytes = event.data.as_str().len()
            + event.name.as_ref().map_or(0, |name| name.as_str().len())
            + event.id.as_ref().map_or(0, |id| id.as_str().len());
        let read = |event_bytes_max| {
            Parser::new(ParserLimits { event_bytes_max }).next_event(&mut event.encoded().as_slice())
        };
        prop_assert!(matches!(read(bytes), Ok(Some(_))));
        prop_assert!(bytes == 0 || read(bytes - 1).is_err());
    }

    #[test]
    fn normalised_data_is_left_alone(raw in hostile_text()) {
        let data = EventData::parse(&raw).expect("without NUL");
        prop_assert!(!data.as_str().contains('\r'));
        prop_assert_eq!(EventData::parse(data.as_str()), Ok(data.clone()));
        prop_assert_eq!(data.as_str(), raw.replace("\r\n", "\n").replace('\r', "\n"));
    }
}

#[test]
fn data_that_forges_fields_is_heard_as_data() {
    let forged = "x\nid: 5\n\nevent: end\ndata: {}\n\n";
    let event = Event { name: None, data: EventData::parse(forged).expect("without NUL"), id: None };
    let want = ParsedEvent { name: String::new(), data: forged.into(), last_event_id: "".into() };
    assert_eq!(parsed(&event.encoded()), [want]);
}
