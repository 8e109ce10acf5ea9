//! A reader program: reads with the crate `sseer` over reqwest, as its own example does, and says what it hears.

#[path = "support/say.rs"]
mod say;

use futures_util::StreamExt;
use serde_json::json;
use sseer::EventSource;
use sseer::reqwest::StreamEvent;

use crate::say::{end_with_stdin, say, url};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    end_with_stdin();
    let request = reqwest::Client::new().get(url());
    let mut events = EventSource::new(request).expect("a request without a body can be repeated");
    while let Some(event) = events.next().await {
        match event {
            Ok(StreamEvent::Open) => say(&json!({"open": true})),
            Ok(StreamEvent::Event(event)) => {
                say(&json!({"event": &*event.event, "data": &*event.data, "id": &*event.id}));
            }
            Err(error) => say(&json!({"error": error.to_string()})),
        }
    }
    say(&json!({"stopped": true}));
}
