//! The standard, read literally and slowly: decode it all, cut it into lines, interpret each.
//!
//! It has no limit and reads no pieces. It is there to disagree with the parser.

use super::Outcome;
use crate::ParsedEvent;

pub(super) fn outcome(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input);
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let mut model = Model::default();
    for line in complete_lines(text) {
        model.interpret(&line);
    }
    model.outcome
}

#[derive(Default)]
struct Model {
    outcome: Outcome,
    data: String,
    name: String,
    id: String,
}

/// Text after the last line end is not a line.
fn complete_lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    lines.pop();
    lines
}

impl Model {
    fn interpret(&mut self, line: &str) {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => self.data += &format!("{value}\n"),
            "event" => self.name = value.to_owned(),
            "id" if !value.contains('\0') => self.id = value.to_owned(),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                // Digits alone can fail to parse only by being too many.
                self.outcome.reconnection_time_ms = Some(value.parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        self.outcome.last_event_id.clone_from(&self.id);
        let (data, name) = (std::mem::take(&mut self.data), std::mem::take(&mut self.name));
        if let Some(data) = data.strip_suffix('\n') {
            let event = ParsedEvent { name, data: data.to_owned(), last_event_id: self.id.as_str().into() };
            self.outcome.events.push(event);
        }
    }
}
