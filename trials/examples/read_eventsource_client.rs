//! A reader program: reads with the crate `eventsource-client`, as its own example does, and says what it hears.

#[path = "support/say.rs"]
mod say;

use std::time::Duration;

use eventsource_client::{Client, ClientBuilder, ReconnectOptions, SSE};
use futures_util::StreamExt;
use launchdarkly_sdk_transport::HyperTransport;
use serde_json::json;

use crate::say::{end_with_stdin, say, url};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    end_with_stdin();
    // Its own first wait is a second, and it takes no shorter one from the server's `retry`.
    let reconnect = ReconnectOptions::reconnect(true).delay(Duration::from_millis(100)).build();
    let transport = HyperTransport::builder().build_http().expect("a transport without settings");
    let client = ClientBuilder::for_url(&url()).expect("a URL").reconnect(reconnect);
    let mut events = client.build_with_transport(transport).stream();
    while let Some(event) = events.next().await {
        match event {
            Ok(SSE::Connected(_)) => say(&json!({"open": true})),
            Ok(SSE::Comment(_)) => {}
            Ok(SSE::Event(event)) => {
                say(&json!({"event": event.event_type, "data": event.data, "id": event.id}));
            }
            Err(error) => say(&json!({"error": error.to_string()})),
        }
    }
    say(&json!({"stopped": true}));
}
