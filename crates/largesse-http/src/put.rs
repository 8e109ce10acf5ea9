//! PUT: makes a stream or changes its settings.
//!
//! Invariant: a body with one wrong key changes nothing. Does not know what the settings do.

use axum::response::Response;
use http::StatusCode;
use largesse_log::{Made, Put, Settings, SettingsPatch, StreamName};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Door, Problem, json, nearest,
    query::Query,
    refusal::{Refusal, sentence},
    request_body::{RequestBody, WholeLimits},
    shown::Shown,
};

/// The most a body of settings may be.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The keys of settings.
const KEYS: &[&str] = &["max_age", "max_events", "max_bytes", "ttl_after_close", "slow"];

#[derive(Serialize)]
struct PutJson<'a> {
    stream: &'a str,
    closed: bool,
    settings: &'a Settings,
}

pub(crate) async fn answer(
    door: &Door,
    stream: &StreamName,
    query: &Query,
    body: &mut RequestBody,
) -> Result<Response, Refusal> {
    query.only(&["ticket"])?;
    let limits = WholeLimits { bytes_max: BODY_BYTES_MAX, idle: door.config.body_idle };
    let settings = patch(&body.whole(limits).await?)?;
    let put = door.hub.put(stream, Put { settings }).await;
    let put = put.map_err(|error| Refusal::of_append(&error, stream))?;
    let status = match put.made {
        Made::Now => StatusCode::CREATED,
        Made::Before => StatusCode::OK,
    };
    let closed = put.state.closed.is_some();
    Ok(json::response(status, &PutJson { stream: stream.as_str(), closed, settings: &put.settings }))
}

fn patch(body: &[u8]) -> Result<SettingsPatch, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(SettingsPatch::default());
    }
    let given: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
        let detail =
            format!("The body is not a JSON object: {error}. Right would be {{\"max_age\":\"7d\"}}.");
        Refusal::new(Problem::BadSettings, detail)
    })?;
    if let Some(key) = given.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let (shown, hint) = (Shown(key), nearest::hint(key, KEYS));
        let detail = format!("There is no setting '{shown}'{hint} Known are: {}.", KEYS.join(", "));
        return Err(Refusal::new(Problem::BadSettings, detail).with("key", shown.to_string()));
    }
    // Read again from the text, which still has the keys that came twice.
    serde_json::from_slice(body).map_err(|error| bad_value(&given, &error))
}

/// Names the key whose value is wrong: the one that fails alone.
fn bad_value(given: &Map<String, Value>, error: &serde_json::Error) -> Refusal {
    let fails = |key: &str, value: &Value| {
        let alone = Value::Object(Map::from_iter([(key.to_owned(), value.clone())]));
        serde_json::from_value::<SettingsPatch>(alone).err()
    };
    let found = given.iter().find_map(|(key, value)| Some((key, value, fails(key, value)?)));
    let Some((key, value, why)) = found else {
        return Refusal::new(Problem::BadSettings, format!("{}.", sentence(&error.to_string())));
    };
    let value = value.to_string();
    let detail = format!("The setting '{key}' is {}. {}.", Shown(&value), sentence(&why.to_string()));
    Refusal::new(Problem::BadSettings, detail).with("key", key.as_str())
}
