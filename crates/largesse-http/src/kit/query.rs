//! The query of a request, parsed strictly.
//!
//! Invariant: a known parameter is UTF-8 after percent-decoding and given once, or the request is refused; an unknown
//! one never fails here. Does not know which parameters a request takes: the verbs do.

use percent_encoding::percent_decode_str;

use crate::kit::{
    nearest,
    printable::{Printable, lossy},
    problem::Problem,
    refusal::Refusal,
};

/// The parameters, in order of appearance.
#[derive(Debug)]
pub(crate) struct Query(Vec<Parameter>);

#[derive(Debug)]
struct Parameter {
    name: String,
    value: Result<String, BadText>,
}

/// A value that is not UTF-8 after percent-decoding, with bad UTF-8 replaced.
#[derive(Debug)]
struct BadText {
    lossy: String,
    why: &'static str,
}

impl Query {
    /// Source: WHATWG URL, clause 5.1, but strict: a bad escape or bad UTF-8 is not replaced; reading the parameter
    /// fails.
    pub(crate) fn parse(raw: &str) -> Self {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        Self(pairs.map(|pair| parameter(pair.split_once('=').unwrap_or((pair, "")))).collect())
    }

    /// The only value of a parameter.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.values(name);
        let first = values.next().transpose()?;
        match values.next() {
            None => Ok(first),
            Some(_) => {
                Err(refuse(name, format!("The query parameter '{name}' is given twice. Give it once.")))
            }
        }
    }

    /// All values of a parameter that may come several times.
    pub(crate) fn all(&self, name: &str) -> Result<Vec<&str>, Refusal> {
        self.values(name).collect()
    }

    /// The last value of a parameter, with invalid UTF-8 replaced: for values that never fail a request.
    pub(crate) fn last_lossy(&self, name: &str) -> Option<&str> {
        let parameter = self.0.iter().rev().find(|parameter| parameter.name == name)?;
        Some(parameter.value.as_ref().map_or_else(|bad| bad.lossy.as_str(), String::as_str))
    }

    /// The names of all parameters, duplicates included.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|parameter| parameter.name.as_str())
    }

    /// Refuses parameters that are not among `known`: ignoring a typo would ignore what was meant.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        let Some(Parameter { name, .. }) = self.0.iter().find(|p| !known.contains(&p.name.as_str())) else {
            return Ok(());
        };
        let hint = nearest::hint(name, known);
        let printable = Printable(name);
        let detail = match known {
            [] => format!("This request takes no query parameters, so '{printable}' is not allowed."),
            _ => format!(
                "There is no query parameter '{printable}' here{hint} Valid parameters: {}.",
                known.join(", ")
            ),
        };
        Err(refuse(name, detail))
    }

    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = Result<&'a str, Refusal>> {
        self.0.iter().filter(move |parameter| parameter.name == name).map(|parameter| {
            parameter.value.as_deref().map_err(|bad| {
                let (name, printable, why) = (&parameter.name, Printable(&bad.lossy), bad.why);
                refuse(name, format!("The query parameter '{name}' is '{printable}': {why}."))
            })
        })
    }
}

/// A refusal that names the parameter.
pub(crate) fn refuse(parameter: &str, detail: impl Into<String>) -> Refusal {
    Refusal::new(Problem::BadQuery, detail).with("parameter", Printable(parameter).to_string())
}

/// A refusal of a parameter's value.
pub(crate) fn refuse_value(parameter: &str, value: &str, right: &str) -> Refusal {
    refuse(
        parameter,
        format!("The query parameter '{parameter}' is '{}'. Expected: {right}.", Printable(value)),
    )
}

fn parameter((name, value): (&str, &str)) -> Parameter {
    let name = decoded(name).unwrap_or_else(|bad| bad.lossy);
    Parameter { name, value: decoded(value) }
}

fn decoded(raw: &str) -> Result<String, BadText> {
    // A space may come as `+`; a plus comes as `%2B`.
    let spaced = raw.replace('+', " ");
    let bytes: Vec<u8> = percent_decode_str(&spaced).collect();
    let bad = |why| BadText { lossy: lossy(&bytes), why };
    if !escapes_are_whole(raw) {
        return Err(bad("a % is not followed by two hexadecimal digits"));
    }
    String::from_utf8(bytes.clone()).map_err(|_| bad("the bytes are not UTF-8 after percent-decoding"))
}

/// Whether each `%` is followed by two hexadecimal digits.
pub(crate) fn escapes_are_whole(raw: &str) -> bool {
    let mut parts = raw.as_bytes().split(|byte| *byte == b'%');
    parts.next();
    parts.all(|part| matches!(part, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, want: Option<Option<&str>>) {
        assert_eq!(Query::parse(raw).one("event").ok(), want, "{raw}");
    }

    #[test]
    fn a_value_is_percent_decoded_with_plus_as_space() {
        check("event=a%20b+c%2Bd", Some(Some("a b c+d")));
        check("event=%C3%A4", Some(Some("ä")));
        check("%65vent=a", Some(Some("a")));
        check("event=a=b", Some(Some("a=b")));
        check("event", Some(Some("")));
        check("&&event=&", Some(Some("")));
        check("", Some(None));
        check("Event=a", Some(None));
    }

    #[test]
    fn a_known_parameter_is_text_and_given_once() {
        check("event=%", None);
        check("event=%4", None);
        check("event=%zz", None);
        check("event=%C3", None);
        check("event=%FF%FE", None);
        check("event=a&event=a", None);
    }

    #[test]
    fn an_unknown_parameter_fails_only_where_it_is_looked_for() {
        check("_=%&x=%FF&event=a", Some(Some("a")));
        assert!(Query::parse("event=a&_=1").only(&["event"]).is_err());
        assert!(Query::parse("event=a&event=%").only(&["event"]).is_ok());
    }

    #[test]
    fn a_value_that_never_fails_is_the_last_one_given() {
        assert_eq!(Query::parse("id=a&id=b%FF").last_lossy("id"), Some("b\u{fffd}"));
        assert_eq!(Query::parse("id=a").last_lossy("other"), None);
    }
}
