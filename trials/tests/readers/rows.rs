//! The readers: what each does. Every row is a test, and a line of the table in `docs/readers.md`.

use crate::program::Program;
use crate::versions::Version;
use crate::{after_id, curl, cuts, hostile};

/// Who makes the next connection after a cut.
pub(crate) enum ComesBack {
    /// The reader, and it presents the last id.
    ByItself,
    /// A loop around the reader.
    ByHand,
}

/// What it does when its connection is reset before the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It tries again, with the last id.
    ComesBack,
    /// It reports an error, and that is all.
    GivesUp,
}

/// What becomes of an event whose id has come and whose blank line was cut off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CutAfterId {
    /// It comes again, and is heard.
    HearsTheEvent,
    /// The reader has kept its id, resumes after it, and never delivers it.
    LosesTheEvent,
}

/// What it delivers.
#[derive(PartialEq, Eq)]
pub(crate) enum Hears {
    EveryEvent,
    /// Those without a name.
    OnlyMessages,
}

/// What it does when the stream has ended.
pub(crate) enum AfterEnd {
    /// One request with the end's id, answered 204.
    AsksOnce,
    /// No request.
    Leaves,
    /// No request; but if one with the end's id is answered 204, others follow, again and again.
    LeavesUnlessCut,
    /// Requests with the end's id, again and again.
    AsksForEver,
    /// A request with the end's id, and then one without any.
    BeginsAgain,
}

/// One reader.
pub(crate) struct Row {
    pub(crate) reader: &'static str,
    pub(crate) version: Version,
    pub(crate) program: Program,
    /// Puts data into the form that this reader expects.
    pub(crate) dress: fn(&str) -> String,
    pub(crate) comes_back: ComesBack,
    pub(crate) refused: Refused,
    pub(crate) cut_after_id: CutAfterId,
    pub(crate) hears: Hears,
    pub(crate) after_end: AfterEnd,
    /// Which hostile events it does not hear as they are; `None` if that is not tried.
    pub(crate) unheard: Option<&'static [&'static str]>,
    pub(crate) advice: &'static str,
}

/// What most rows say.
const USUAL: Row = Row {
    reader: "",
    version: Version::Any,
    program: Program::Curl,
    dress: str::to_owned,
    comes_back: ComesBack::ByItself,
    refused: Refused::ComesBack,
    cut_after_id: CutAfterId::HearsTheEvent,
    hears: Hears::EveryEvent,
    after_end: AfterEnd::AsksOnce,
    unheard: Some(&[]),
    advice: "nothing",
};

/// The loop around a reader that only reads.
const LOOP: &str = "a loop: present the last id, wait as `retry` says, stop at 204";

/// htmx 2 splits its list of names at commas, and trims them.
const UNLISTABLE: Option<&[&str]> = Some(&["a name with spaces around", "a name with a comma"]);

/// fetch-event-source decodes each value alone, so a BOM at its beginning is lost; and it forgets empty lines at
/// the beginning of data.
const LINE_BY_LINE: Option<&[&str]> =
    Some(&["data of line breaks alone", "a BOM at the beginning", "a BOM at the beginning of a later line"]);

/// Each row becomes a test of its own, so that none stays untested.
macro_rules! rows {
    ($($test:ident: $row:expr;)*) => {
        pub(crate) const ROWS: &[Row] = &[$($row),*];
        $(#[test] fn $test() { check(&$row) })*
    };
}

fn check(row: &Row) {
    if let Program::Curl = row.program {
        return curl::check(row);
    }
    cuts::check(row);
    cuts::check_refused(row);
    after_id::check(row);
    hostile::check(row);
}

fn turbo_stream(data: &str) -> String {
    format!(
        r#"<turbo-stream action="append" target="heard"><template><p>{data}</p></template></turbo-stream>"#
    )
}

rows! {
    eventsource_4_does_what_its_row_says: Row {
        reader: "`eventsource` 4 (npm)",
        version: Version::Npm("eventsource"),
        program: Program::Node(&["event-source.js", "eventsource"]),
        ..USUAL
    };
    eventsource_5_does_what_its_row_says: Row {
        reader: "`eventsource` 5 (npm)",
        version: Version::Npm("eventsource-5"),
        program: Program::Node(&["event-source.js", "eventsource-5"]),
        ..USUAL
    };
    undici_does_what_its_row_says: Row {
        reader: "`undici`'s `EventSource` (npm)",
        version: Version::Npm("undici"),
        program: Program::Node(&["event-source.js", "undici"]),
        ..USUAL
    };
    eventsource_parser_does_what_its_row_says: Row {
        reader: "`eventsource-parser` (npm) with `fetch`",
        version: Version::Npm("eventsource-parser"),
        program: Program::Node(&["eventsource-parser.js"]),
        comes_back: ComesBack::ByHand,
        advice: LOOP,
        ..USUAL
    };
    fetch_event_source_does_what_its_row_says: Row {
        reader: "`@microsoft/fetch-event-source` (npm)",
        version: Version::Npm("@microsoft/fetch-event-source"),
        program: Program::Page("fetch-event-source.html"),
        cut_after_id: CutAfterId::LosesTheEvent,
        after_end: AfterEnd::LeavesUnlessCut,
        unheard: LINE_BY_LINE,
        advice: "`openWhenHidden: true`, and see the next line",
        ..USUAL
    };
    fetch_event_source_with_abort_does_what_its_row_says: Row {
        reader: "the same, with its `signal` aborted on `end`",
        version: Version::Npm("@microsoft/fetch-event-source"),
        program: Program::Page("fetch-event-source.html?close"),
        cut_after_id: CutAfterId::LosesTheEvent,
        after_end: AfterEnd::Leaves,
        unheard: LINE_BY_LINE,
        advice: "`openWhenHidden: true`, and see the next line",
        ..USUAL
    };
    fetch_event_source_with_abort_and_fetch_does_what_its_row_says: Row {
        reader: "the same, and a `fetch` that presents the last id that was heard",
        version: Version::Npm("@microsoft/fetch-event-source"),
        program: Program::Page("fetch-event-source.html?close&fetch"),
        after_end: AfterEnd::Leaves,
        unheard: LINE_BY_LINE,
        advice: "`openWhenHidden: true`",
        ..USUAL
    };
    sse_js_does_what_its_row_says: Row {
        reader: "`sse.js` (npm) with `autoReconnect`",
        version: Version::Npm("sse.js"),
        program: Program::Page("sse-js.html"),
        after_end: AfterEnd::AsksForEver,
        advice: "see the next line",
        ..USUAL
    };
    sse_js_with_close_does_what_its_row_says: Row {
        reader: "the same, with `close()` on `end`",
        version: Version::Npm("sse.js"),
        program: Program::Page("sse-js.html?close"),
        after_end: AfterEnd::Leaves,
        ..USUAL
    };
    htmx_2_does_what_its_row_says: Row {
        reader: "htmx 2 with `htmx-ext-sse` (npm)",
        version: Version::Npm("htmx-ext-sse"),
        program: Program::Page("htmx-2.html"),
        after_end: AfterEnd::BeginsAgain,
        unheard: UNLISTABLE,
        advice: "see the next line",
        ..USUAL
    };
    htmx_2_with_close_does_what_its_row_says: Row {
        reader: "the same, with `sse-close=\"end\"`",
        version: Version::Npm("htmx-ext-sse"),
        program: Program::Page("htmx-2.html?close"),
        after_end: AfterEnd::Leaves,
        unheard: UNLISTABLE,
        ..USUAL
    };
    htmx_4_does_what_its_row_says: Row {
        reader: "htmx 4 with its `hx-sse` (npm)",
        version: Version::Npm("htmx-4"),
        program: Program::Page("htmx-4.html"),
        after_end: AfterEnd::AsksForEver,
        advice: "see the next line",
        ..USUAL
    };
    htmx_4_with_close_does_what_its_row_says: Row {
        reader: "the same, with `hx-sse:close=\"end\"`",
        version: Version::Npm("htmx-4"),
        program: Program::Page("htmx-4.html?close"),
        after_end: AfterEnd::Leaves,
        advice: "for a page of another origin: set htmx's `mode` to `cors`, and drop its `HX-` headers",
        ..USUAL
    };
    turbo_does_what_its_row_says: Row {
        reader: "Turbo's `<turbo-stream-source>` (npm)",
        version: Version::Npm("@hotwired/turbo"),
        program: Program::Page("turbo.html"),
        dress: turbo_stream,
        hears: Hears::OnlyMessages,
        unheard: None,
        advice: "publish without a name",
        ..USUAL
    };
    httpx_sse_does_what_its_row_says: Row {
        reader: "`httpx-sse` (Python)",
        version: Version::Pip("httpx-sse"),
        program: Program::Python("read_httpx_sse.py"),
        comes_back: ComesBack::ByHand,
        advice: LOOP,
        ..USUAL
    };
    sseclient_py_does_what_its_row_says: Row {
        reader: "`sseclient-py` (Python) with `requests`",
        version: Version::Pip("sseclient-py"),
        program: Program::Python("read_sseclient_py.py"),
        comes_back: ComesBack::ByHand,
        advice: LOOP,
        ..USUAL
    };
    eventsource_client_does_what_its_row_says: Row {
        reader: "`eventsource-client` (Rust)",
        version: Version::Crate("eventsource-client"),
        program: Program::Rust("read_eventsource_client"),
        after_end: AfterEnd::AsksForEver,
        advice: "leave the loop at `end` (not tried)",
        ..USUAL
    };
    sseer_does_what_its_row_says: Row {
        reader: "`sseer` (Rust) with `reqwest`",
        version: Version::Crate("sseer"),
        program: Program::Rust("read_sseer"),
        refused: Refused::GivesUp,
        after_end: AfterEnd::AsksForEver,
        advice: "leave the loop at `end`; make another one when it gives up (neither was tried)",
        ..USUAL
    };
    curl_does_what_its_row_says: Row {
        reader: "`curl -N`",
        program: Program::Curl,
        comes_back: ComesBack::ByHand,
        after_end: AfterEnd::Leaves,
        advice: "`-H 'Last-Event-ID: …'` with the last id goes on",
        ..USUAL
    };
}
