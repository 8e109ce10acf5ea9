//! All parameters, their misspellings, and parameters that are not ours.

use super::*;

fn one() -> Resource {
    Resource::Stream("a".to_owned())
}

/// What a name was meant to be on the path of several streams.
#[track_caller]
fn check(given: &str, want: Option<&str>) {
    let found = meant(given, &Resource::Streams).map(|(parameter, _)| parameter.name);
    assert_eq!(found, want, "{given}");
}

/// Each letter dropped, doubled, replaced, and put after the next.
fn slips(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut slips = vec![format!("{name}s"), format!("x{name}")];
    for at in 0..letters.len() {
        let with = |change: &dyn Fn(&mut Vec<char>)| {
            let mut changed = letters.clone();
            change(&mut changed);
            changed.into_iter().collect::<String>()
        };
        slips.push(with(&|letters| {
            letters.remove(at);
        }));
        slips.push(with(&|letters| letters.insert(at, letters[at])));
        slips.push(with(&|letters| letters[at] = 'q'));
        if at + 1 < letters.len() {
            slips.push(with(&|letters| letters.swap(at, at + 1)));
        }
    }
    slips.retain(|slip| slip != name && !ORDINARY.contains(&slip.as_str()));
    slips
}

#[test]
fn every_slip_of_every_parameter_finds_it() {
    let mut rows = 0;
    for parameter in PARAMETERS.iter().filter(|parameter| matches!(parameter.near, Near::Slip)) {
        for name in [&[parameter.name], parameter.spellings].concat() {
            for slip in slips(name) {
                check(&slip, Some(parameter.name));
                rows += 1;
            }
        }
    }
    assert!(rows > 200, "{rows}");
}

#[test]
fn another_case_or_other_signs_are_slips_of_every_parameter() {
    for parameter in PARAMETERS {
        let name = parameter.name;
        let hyphens = name.replace('_', "-");
        for given in [
            name.to_uppercase(),
            name[..1].to_uppercase() + &name[1..],
            format!("{name}[]"),
            format!(" {name}"),
            format!("amp;{name}"),
            format!("_{name}"),
            hyphens.to_uppercase(),
        ] {
            check(&given, Some(name));
        }
    }
    for given in
        ["last-event-id", "Last-Event-ID", "lasteventid", "LASTEVENTID", "last_eventid", "LastEventId"]
    {
        check(given, Some("last_event_id"));
    }
    for given in ["stream", "streams", "Stream", "stream[]"] {
        check(given, Some("name"));
        assert!(meant(given, &one()).is_none(), "{given}");
    }
}

#[test]
fn what_pages_add_of_their_own_passes() {
    for given in [
        "",
        "_",
        "t",
        "v",
        "ts",
        "cb",
        "id",
        "utm_source",
        "utm_medium",
        "ticket",
        "token",
        "access_token",
        "page",
        "room",
        "user",
        "lang",
        "time",
        "date",
        "since",
        "cursor",
        "offset",
        "start",
        "form2",
        "forms",
        "forum",
        "farm",
        "frame",
        "file",
        "beat",
        "caseId",
        "nocache",
        "random",
        "events",
        "closed",
        "even",
        "game",
        "rom",
        "life",
        "time[]",
        "last",
        "lastId",
        "topic",
        "ä",
        "%",
        "\u{fffd}",
    ] {
        check(given, None);
    }
    check(&"from".repeat(1000), None);
}

/// Whether a read takes the parameter, as far as its name goes.
#[track_caller]
fn check_form(form: Form, resource: &Resource, taken: &[&str], refused: &[&str]) {
    let ask = |name: &&str| super::check(&Query::parse(name), resource, form).is_ok();
    assert!(taken.iter().all(ask), "{form:?}: {:?}", taken.iter().find(|name| !ask(name)));
    assert!(!refused.iter().any(ask), "{form:?}: {:?}", refused.iter().find(|name| ask(name)));
}

#[test]
fn what_counts_for_another_form_is_refused() {
    let ids = ["last_event_id", "lastEventId", "lastEventID"];
    let told = ["heartbeat", "control", "format"];
    let pages = ["after", "limit"];
    let publishers = ["event", "close"];
    for resource in [one(), Resource::Streams] {
        let live = [&ids[..], &told, &["from"]].concat();
        check_form(Form::Live, &resource, &live, &[&pages[..], &publishers].concat());
        let page = [&pages[..], &told, &["from"]].concat();
        check_form(Form::Page, &resource, &page, &[&ids[..], &publishers].concat());
    }
    check_form(
        Form::List,
        &Resource::Streams,
        &[&pages[..], &told].concat(),
        &["from", "last_event_id", "event"],
    );
    check_form(Form::Live, &Resource::Streams, &["name"], &["names", "nmae"]);
    check_form(Form::Live, &one(), &["nmae"], &["name"]);
    check_form(Form::Page, &one(), &[], &["name"]);
}
