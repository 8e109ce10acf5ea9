//! PUT: makes a stream or changes its settings.
//!
//! Invariant: a body with one invalid key changes nothing; a client that sends events by mistake (`curl -T file` is a
//! PUT) learns that POST appends. Does not know what the settings do.

use std::fmt;

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use largesse_log::{Made, Put, Settings, SettingsPatch, StreamName};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, error::Category};

use crate::{
    kit::{body::RequestBody, json, nearest, printable::Printable, problem::Problem, refusal::Refusal},
    native::{
        append::body_kind::{self, BodyKind},
        door::Door,
        request::RequestHead,
        tail_id,
    },
};

/// The largest body of settings, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The keys of settings, and the values of each. `null` is valid for all.
const KEYS: &[(&str, &str)] = &[
    ("max_age", "a duration of at least \"1ms\", such as \"24h\" or \"7d\", or \"unlimited\""),
    ("max_events", "a whole number of at least 1, or \"unlimited\""),
    ("max_bytes", "a number of at least 1 byte, such as \"64 MiB\" or 1048576, or \"unlimited\""),
    ("ttl_after_close", "a duration such as \"90s\", \"15m\", \"24h\" or \"7d\""),
    ("slow", "\"catch-up\", \"latest\" or \"disconnect\""),
    ("from", "\"start\", \"now\", or \"-N\" for the last N events, such as \"-100\""),
    ("control_names", "\"reserved\" or \"shared\""),
];

/// For publishers who used the wrong method.
const POST_APPENDS: &str =
    "PUT sets a stream's settings. POST appends: with curl, -X POST -T FILE, or --data-binary @FILE.";

#[derive(Serialize)]
struct PutJson<'a> {
    stream: &'a str,
    closed: bool,
    settings: &'a Settings,
    /// Present if the body was empty: perhaps an empty event was meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

pub(crate) async fn answer(
    door: &Door,
    stream: &StreamName,
    head: &RequestHead<'_>,
    body: &mut RequestBody,
) -> Result<Response, Refusal> {
    let told = |refusal: Refusal| refusal.and(POST_APPENDS);
    head.query.only(&[]).map_err(|refusal| told(refusal.and("Settings go in the body, as JSON.")))?;
    check_kind(head.headers).map_err(told)?;
    let body = whole(body).await.map_err(told)?;
    let settings = patch(&body).map_err(told)?;
    let put = door.hub.put(stream, Put { settings }).await;
    let put = put.map_err(|error| Refusal::of_append(&error, stream))?;
    let status = match put.made {
        Made::Now => StatusCode::CREATED,
        Made::Before => StatusCode::OK,
    };
    let closed = put.state.closed.is_some();
    let hint = is_blank(&body).then(|| {
        let done = match put.made {
            Made::Now => "This created the stream",
            Made::Before => "This changed nothing",
        };
        format!("{done} and appended nothing. {POST_APPENDS}")
    });
    let answer = PutJson { stream: stream.as_str(), closed, settings: &put.settings, hint };
    Ok(tail_id::marked(json::response(status, &answer), door))
}

/// Refuses a body whose Content-Type is that of events.
fn check_kind(headers: &HeaderMap) -> Result<(), Refusal> {
    let several = match body_kind::of(headers)? {
        BodyKind::Text => return Ok(()),
        BodyKind::Lines => "one event a line",
        BodyKind::EventStream => "an event stream",
    };
    let detail = format!("The Content-Type is that of {several}. Settings are application/json.");
    Err(Refusal::new(Problem::UnsupportedBody, detail))
}

async fn whole(body: &mut RequestBody) -> Result<Vec<u8>, Refusal> {
    if body.awaits_continue() && body.length_hint() > BODY_BYTES_MAX {
        let detail = format!(
            "The body has {} bytes, but the limit for settings is {BODY_BYTES_MAX}.",
            body.length_hint()
        );
        return Err(Refusal::new(Problem::BadSettings, detail).with("limit", BODY_BYTES_MAX));
    }
    let mut is_begun = false;
    let look = |piece: &[u8]| match piece.trim_ascii_start().first() {
        Some(first) if !is_begun => {
            is_begun = true;
            if *first == b'{' { Ok(()) } else { Err(no_object("")) }
        }
        _ => Ok(()),
    };
    body.whole_checked(BODY_BYTES_MAX, look).await
}

fn is_blank(body: &[u8]) -> bool {
    body.trim_ascii().is_empty()
}

fn patch(body: &[u8]) -> Result<SettingsPatch, Refusal> {
    if is_blank(body) {
        return Ok(SettingsPatch::default());
    }
    let Members(given) = serde_json::from_slice(body).map_err(|error| not_an_object(&error))?;
    let mut checked = Map::new();
    for (key, value) in given {
        check(&key, &value)?;
        if checked.insert(key.clone(), value).is_some() {
            let detail = format!("The setting '{key}' is given twice. Give it once.");
            return Err(Refusal::new(Problem::BadSettings, detail).with("key", key));
        }
    }
    serde_json::from_value(Value::Object(checked)).map_err(|error| not_an_object(&error))
}

/// Refuses an unknown key, and a value that is invalid for its key.
fn check(key: &str, value: &Value) -> Result<(), Refusal> {
    let Some((_, right)) = KEYS.iter().find(|(known, _)| *known == key) else { return Err(unknown(key)) };
    let alone = Value::Object(Map::from_iter([(key.to_owned(), value.clone())]));
    // The text is ours: serde's messages mean nothing to a caller.
    let parsed = serde_json::from_value::<SettingsPatch>(alone);
    // No setting is a list or an object, though serde would take {"latest": null} for the name of a variant.
    if parsed.is_ok() && !value.is_array() && !value.is_object() {
        return Ok(());
    }
    let value = value.to_string();
    let detail = format!("The setting '{key}' is {}. Expected: {right}.", Printable(&value));
    Err(Refusal::new(Problem::BadSettings, detail).with("key", key))
}

fn unknown(key: &str) -> Refusal {
    let known: Vec<&str> = KEYS.iter().map(|(known, _)| *known).collect();
    let (printable, hint) = (Printable(key), nearest::hint(key, &known));
    let detail = format!("There is no setting '{printable}'{hint} Valid settings: {}.", known.join(", "));
    Refusal::new(Problem::BadSettings, detail).with("key", printable.to_string())
}

fn not_an_object(error: &serde_json::Error) -> Refusal {
    let why = match error.classify() {
        Category::Data => String::new(),
        Category::Syntax | Category::Eof | Category::Io => {
            format!(": it is not JSON at line {}, column {}", error.line(), error.column())
        }
    };
    no_object(&why)
}

fn no_object(why: &str) -> Refusal {
    let detail =
        format!("The body is not a JSON object{why}. Expected, for example: {{\"max_age\":\"7d\"}}.");
    Refusal::new(Problem::BadSettings, detail)
}

/// The members of a JSON object, in order, duplicates included.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
