//! The configuration as a whole: the table of keys, precedence, mistakes, and the document.

use std::{collections::BTreeSet, ffi::OsString, time::Duration};

use clap::{Args, Command, FromArgMatches};

use largesse::log::Settings;

use super::{
    environment, file,
    sections::{key_at, keys},
    *,
};

/// A configuration from texts, as they would be in the three places.
fn load(text: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Effective, Vec<ConfigError>> {
    let mut mistakes = Vec::new();
    let file = file::parse("test.toml", text, &mut mistakes);
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let environment = environment::read(variables, &mut mistakes);
    let command = KeyFlags::augment_args(Command::new("test"));
    let matches = command.get_matches_from([&["test"], flags].concat());
    let flags = KeyFlags::from_arg_matches(&matches).unwrap().values();
    Effective::check([file, environment, flags], mistakes)
}

fn defaults() -> Effective {
    load("", &[], &[]).unwrap()
}

#[test]
fn every_default_is_right_and_is_what_the_crates_use() {
    let config = defaults().config;
    assert_eq!(config.stream, Settings::default());
    assert_eq!(config.listen, ["127.0.0.1:8084".parse().unwrap(), "[::1]:8084".parse().unwrap()]);
    assert_eq!(config.http.readers_max, None);
}

#[test]
fn sections_stand_together_after_the_keys_without_one_and_no_name_is_twice() {
    let mut sections: Vec<&str> = keys().map(|key| key.section()).collect();
    sections.dedup();
    let unique: BTreeSet<&str> = sections.iter().copied().collect();
    assert_eq!((sections[0], sections.len()), ("", unique.len()), "{sections:?}");
    let names: BTreeSet<String> = keys().flat_map(|key| [key.path.to_owned(), key.env()]).collect();
    assert_eq!(names.len(), 2 * keys().count());
}

#[test]
fn the_document_has_the_same_keys_defaults_variables_and_flags() {
    let document = include_str!("../../../../docs/configuration.md");
    let rows: BTreeSet<String> = document.lines().filter(|line| line.starts_with("| `")).map(head).collect();
    let wanted: BTreeSet<String> = keys()
        .map(|key| {
            let flag = key.flags.first().map_or_else(|| "–".to_owned(), |flag| format!("`--{}`", flag.name));
            format!("| `{}` | `{}` | `{}` | {flag} |", key.path, key.default, key.env())
        })
        .collect();
    assert_eq!(rows, wanted);
}

/// A table's row without its last column.
fn head(row: &str) -> String {
    let columns: Vec<&str> = row.split('|').collect();
    columns[..5].join("|") + "|"
}

/// The origin of `http.heartbeat`'s value, and the value in seconds.
#[track_caller]
fn check_precedence(file: Option<&str>, variable: Option<&str>, want_s: u64, want_origin: &str) {
    let file = file.map_or_else(String::new, |value| format!("[http]\nheartbeat = {value:?}\n"));
    let variables: Vec<(&str, &str)> =
        variable.map(|value| ("LARGESSE_HTTP_HEARTBEAT", value)).into_iter().collect();
    let effective = load(&file, &variables, &[]).unwrap();
    assert_eq!(effective.config.http.heartbeat.as_secs(), want_s);
    assert_eq!(effective.value("http.heartbeat").origin.to_string(), want_origin);
}

#[test]
fn the_environment_wins_over_the_file_and_that_over_the_default() {
    check_precedence(None, None, 15, "default");
    check_precedence(Some("20s"), None, 20, "test.toml, line 2");
    check_precedence(None, Some("25s"), 25, "environment, LARGESSE_HTTP_HEARTBEAT");
    check_precedence(Some("20s"), Some("25s"), 25, "environment, LARGESSE_HTTP_HEARTBEAT");
}

#[test]
fn a_flag_wins_over_all() {
    let file = "shutdown_grace = \"1s\"";
    let variables = [("LARGESSE_SHUTDOWN_GRACE", "2s")];
    let effective = load(file, &variables, &["--shutdown-grace", "3s"]).unwrap();
    assert_eq!(effective.config.shutdown_grace, Duration::from_secs(3));
    assert_eq!(effective.value("shutdown_grace").origin.to_string(), "flag, --shutdown-grace");
}

#[test]
fn every_key_takes_its_default_from_each_place() {
    for key in keys() {
        let section = if key.section().is_empty() { String::new() } else { format!("[{}]\n", key.section()) };
        let text = format!("{section}{} = {}\n", key.name(), key.default);
        let variable = key.default.trim_matches(['[', ']']).replace('"', "");
        let variables =
            [(key.env(), if key.path == "listen" { "127.0.0.1:8084,[::1]:8084".into() } else { variable })];
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        for loaded in [load(&text, &[], &[]), load("", &variables, &[])] {
            let loaded = loaded.unwrap_or_else(|mistakes| panic!("{}: {mistakes:?}", key.path));
            assert_eq!(loaded.config, defaults().config, "{}", key.path);
            assert_ne!(loaded.value(key.path).origin, Origin::Default, "{}", key.path);
        }
    }
}

#[test]
fn what_is_shown_is_a_file_that_gives_the_same() {
    let file = "listen = \"127.0.0.1:1\"\n[http]\nallowed_origins = [\"https://a.example\", \"http://b\"]\n";
    let variables = [("LARGESSE_STREAM_MAX_AGE", "unlimited"), ("LARGESSE_LOG_STREAMS_MAX", "7")];
    let effective = load(file, &variables, &["--trace-level", "debug"]).unwrap();
    let aliased = load(file, &variables, &["--log-level", "debug"]).unwrap();
    assert_eq!(aliased.config, effective.config);
    let again = load(&effective.shown(), &[], &[]).unwrap();
    assert_eq!(again.config, effective.config);
    assert_ne!(again.config, defaults().config);
}

#[test]
fn a_list_of_sections_is_shown_and_gives_the_same_again() {
    let text = "[[program]]\ncommand = [\"a\", \"b\\nc\"]\nenv = { X = \"1\", \"a b\" = 2 }\npty = true\n[[program]]\n";
    let parsed = file::parse("test.toml", text, &mut Vec::new());
    let mut effective = defaults();
    effective.tree.lay(parsed);
    let shown = effective.shown();
    let want = "\n[[program]]\ncommand = [\"a\", \"b\\nc\"] # test.toml, line 2\nenv = { X = \"1\", \"a b\" = 2 } # test.toml, \
                line 3\npty = true # test.toml, line 4\n\n[[program]]\n";
    assert!(shown.ends_with(want), "{shown}");
    let values = |text: &str| toml::from_str::<toml::Table>(text).unwrap()["program"].clone();
    assert_eq!(values(&shown), values(text));
}

/// The one mistake in a file.
#[track_caller]
fn check_mistake(text: &str, wants: &[&str]) {
    let mistakes = load(text, &[], &[]).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    let told = mistakes[0].to_string();
    for want in wants {
        assert!(told.contains(want), "{told} has no {want}");
    }
}

#[test]
fn a_wrong_value_is_reported_with_its_line_its_key_and_what_would_be_right() {
    check_mistake(
        "\n[http]\nheartbeat = \"15\"",
        &["test.toml, line 3", "http.heartbeat", "\"15\"", "\"15s\""],
    );
    check_mistake("http.heartbeat = 15", &["line 1", "http.heartbeat = 15", "with its unit"]);
    check_mistake("http.heartbeat = \"1ms\"", &["the least is 1s"]);
    check_mistake("http.heartbeat = \"2h\"", &["the most is 1h"]);
    check_mistake("http.retry_min = \"0s\"", &["the least is 1ms"]);
    check_mistake("log.max_bytes = \"ten\"", &["log.max_bytes", "\"64MiB\""]);
    check_mistake("log.max_bytes = -1", &["log.max_bytes = -1", "\"64MiB\""]);
    check_mistake("log.max_bytes = \"1 KiB\"", &["the least is 1 MiB", "\"auto\""]);
    check_mistake("data = \"\"", &["data = \"\"", "\"./largesse-data\""]);
    check_mistake("data = [\"a\"]", &["\"./largesse-data\""]);
    check_mistake("log.sync = \"never\"", &["\"always\", \"interval\""]);
    check_mistake("log.sync_interval = \"2h\"", &["the most is 1h"]);
    check_mistake("stream.max_bytes = \"0\"", &["the least is 1", "\"unlimited\""]);
    check_mistake("stream.max_bytes = 0", &["the least is", "\"unlimited\""]);
    check_mistake("stream.max_events = \"many\"", &["whole number", "\"unlimited\""]);
    check_mistake("http.readers_max = 0", &["the least is 1", "\"auto\""]);
    check_mistake("stream.slow = \"wait\"", &["\"catch-up\", \"latest\", \"disconnect\""]);
    for value in ["\"yesterday\"", "100", "\"2026-11-20T08:00:00Z\"", "true", "[\"now\"]", "\"\""] {
        check_mistake(&format!("stream.from = {value}"), &["\"start\", \"now\"", "\"-100\""]);
    }
    check_mistake("stream.control_names = \"free\"", &["\"reserved\", \"shared\""]);
    check_mistake("trace.level = true", &["trace.level = true", "\"info\""]);
    check_mistake("trace.format = \"xml\"", &["\"text\", \"json\""]);
    check_mistake("listen = [\"localhost\"]", &["\"localhost\"", "127.0.0.1:8084"]);
    check_mistake("listen = []", &["empty"]);
    check_mistake("listen = [1]", &["not every item is a text"]);
    check_mistake("http.allowed_origins = [\"https://a.example/\"]", &["https://a.example/", "origin"]);
    check_mistake("http.allowed_hosts = [\"http://x\"]", &["http://x", "a host has no scheme"]);
    check_mistake("listen = [\"127.0.0.1:1\", \"127.0.0.1:1\"]", &["127.0.0.1:1 is listed twice"]);
    check_mistake("shutdown_grace = 99999999999999999999", &["line 1"]);
}

#[test]
fn an_unknown_key_is_reported_with_the_nearest_right_one() {
    check_mistake("[http]\nhartbeat = \"15s\"", &["line 2", "http.hartbeat", "nearest is http.heartbeat"]);
    check_mistake("[htpp]\nheartbeat = \"15s\"", &["htpp is not a section", "nearest is http"]);
    check_mistake("lissen = []", &["lissen", "nearest is listen"]);
    check_mistake("http = 5", &["http is a section"]);
    check_mistake("[listen]\na = 1", &["listen = {…}: this is a section; write an IP address"]);
    check_mistake("[http.heartbeat]\na = 1", &["http.heartbeat = {…}: this is a section; write a time"]);
    check_mistake("[[sream]]\na = 1", &["sream is not a section; the nearest is stream"]);
    check_mistake(
        "\"http.heartbeat\" = \"1s\"",
        &["\"http.heartbeat\" is not a key; the nearest is http.heartbeat"],
    );
    check_mistake("[[http]]\na = 1", &["http is a section"]);
}

#[test]
fn a_mistake_is_one_line_whatever_is_written() {
    for text in [
        "data = \"a\\nb\"",
        "listen = [\"a\\nb\"]",
        "\"a\\nb\" = 1",
        "[http.\"a\\u001b\"]",
        "[http]\n\"\\n\" = 1",
    ] {
        let told = load(text, &[], &[]).unwrap_err()[0].to_string();
        assert!(!told.contains(char::is_control), "{text}: {told:?}");
    }
    assert_eq!(
        load("", &[("LARGESSE_DATA", "a\u{7f}\nb")], &[]).unwrap_err()[0].to_string(),
        "environment: LARGESSE_DATA = \"a\\u007f\\nb\" (data): there is a line break or another control character in \
         it: leave it out; write the path of a folder, like \"./largesse-data\""
    );
}

#[test]
fn mistakes_of_a_file_come_in_the_order_of_its_lines() {
    let mistakes = load("z = 1\nlisten = 2\n[log]\nb = 3\nsync = 4\na = 5\n[aa]\n", &[], &[]).unwrap_err();
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    for (told, line) in told.iter().zip([1, 2, 4, 5, 6, 7]) {
        assert!(told.starts_with(&format!("test.toml, line {line}: ")), "{told}");
    }
    assert_eq!(told.len(), 6);
}

#[test]
fn an_unknown_variable_is_reported_with_the_nearest_right_one() {
    let mistakes = load("", &[("LARGESSE_HTTP_HARTBEAT", "1"), ("OTHER", "2")], &[]).unwrap_err();
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("LARGESSE_HTTP_HARTBEAT") && told[0].contains("LARGESSE_HTTP_HEARTBEAT"),
        "{told:?}"
    );
}

#[test]
fn what_other_servers_call_a_key_is_reported_with_ours() {
    for (file, want) in [
        ("port = 8084", "port is not a key; the nearest is listen"),
        ("host = \"0.0.0.0\"", "nearest is listen"),
        ("address = \"a\"", "nearest is listen"),
        ("bind = \"a\"", "nearest is listen"),
        ("[http]\nport = 8084", "http.port is not a key; the nearest is listen"),
        ("[server]\nport = 8084", "server is not a section; the nearest is listen"),
        ("[server]\nhost = \"a\"", "nearest is listen"),
        ("[log]\nlevel = \"debug\"", "log.level is not a key; the nearest is trace.level"),
        ("log_level = \"debug\"", "nearest is trace.level"),
        ("[logging]\nlevel = \"debug\"", "nearest is trace.level"),
        ("[log]\nformat = \"json\"", "nearest is trace.format"),
        ("data_dir = \"x\"", "nearest is data"),
        ("cors = [\"*\"]", "nearest is http.allowed_origins"),
        ("retention = \"1d\"", "nearest is stream.max_age"),
        ("memory = true", "only the flag --memory"),
        ("insecure = true", "only the flag --insecure"),
    ] {
        check_mistake(file, &[want]);
    }
}

/// The same text in the file, in the environment and as a flag, where it has one.
#[track_caller]
fn check_everywhere(path: &str, text: &str, want: &str) {
    let key = key_at(path).unwrap();
    let variable = key.env();
    let loaded = [
        load(&format!("{path} = {}", toml::Value::from(text)), &[], &[]),
        load("", &[(&variable, text)], &[]),
        key.flags.first().map_or_else(
            || load("", &[(&variable, text)], &[]),
            |flag| load("", &[], &[&format!("--{}={text}", flag.name)]),
        ),
    ];
    for loaded in loaded {
        let told: Vec<String> = loaded.unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{path} = {text:?}: {told:?}");
        assert!(told[0].contains(want), "{path} = {text:?} has no {want}: {told:?}");
    }
}

#[test]
fn a_path_that_only_a_shell_would_have_read_otherwise_is_reported() {
    for (text, want) in [
        ("\"/srv/largesse\"", "quotes"),
        ("'/srv/largesse'", "quotes"),
        ("\"/srv/largesse", "quotes"),
        ("/srv/largesse'", "quotes"),
        ("\u{201c}/srv/largesse\u{201d}", "quotes"),
        ("/srv/largesse ", "space"),
        (" /srv/largesse", "space"),
        ("/srv/largesse\u{a0}", "space"),
        (" ", "space"),
        ("/srv/largesse\r", "control character"),
        ("/srv/largesse\n", "control character"),
        ("/srv/\u{1b}largesse", "control character"),
        ("\t/srv/largesse", "control character"),
        ("~", "~ is not a folder"),
        ("~/largesse", "~ is not a folder"),
        ("~me/largesse", "~ is not a folder"),
        ("$HOME/largesse", "variables"),
        ("${HOME}/largesse", "variables"),
        ("/srv/${NAME}", "variables"),
        ("%h/largesse", "variables"),
        ("file:///srv/largesse", "URL"),
        ("file:/srv/largesse", "URL"),
        ("", "empty"),
    ] {
        check_everywhere("data", text, want);
    }
    for text in ["/srv/largesse", "./~", "a b/c", "./$HOME", "./\"x\"y", "data~", "50%", "C:\\data", "grün"]
    {
        let loaded = load("", &[("LARGESSE_DATA", text)], &[]);
        assert_eq!(loaded.unwrap().config.data, PathBuf::from(text));
    }
}

#[test]
fn quotes_and_spaces_around_any_value_are_reported_or_do_no_harm() {
    for key in keys() {
        let value = key.default.trim_matches(['[', ']', '"']);
        let value = match key.path {
            "listen" => "127.0.0.1:8084",
            "http.allowed_origins" => "https://app.example",
            "http.allowed_hosts" => "events.example",
            _ => value,
        };
        for (begin, end) in [("\"", "\""), ("'", "'"), ("\"", ""), ("", "'")] {
            check_everywhere(key.path, &format!("{begin}{value}{end}"), "the quotes are part of");
        }
        for text in [format!("{value} "), format!(" {value}"), format!("{value}\r")] {
            let Err(mistakes) = load("", &[(&key.env(), &text)], &[]) else {
                let again = load("", &[(&key.env(), value)], &[]).unwrap();
                assert_eq!(
                    load("", &[(&key.env(), &text)], &[]).unwrap().config,
                    again.config,
                    "{}",
                    key.path
                );
                continue;
            };
            let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            assert!(told[0].contains("space") || told[0].contains("control character"), "{told:?}");
        }
    }
}

#[test]
fn hosts_and_origins_that_match_nothing_are_reported() {
    for (text, want) in [
        ("http://events.example", "no scheme"),
        ("events.example/", "leave out the path"),
        ("events.example/streams", "leave out the path"),
        ("events.example:99999", "port"),
        ("events.example:0", "port is 0"),
        ("*", "no patterns"),
        ("*.example", "no patterns"),
        (".example", "no patterns"),
        ("bücher.example", "xn--"),
        ("me@events.example", "user"),
        ("::1", "[ ]"),
        ("127.1", "ends in a number"),
        ("a..b", "between the dots"),
    ] {
        check_everywhere("http.allowed_hosts", text, want);
    }
    for (text, want) in [
        ("*", "no patterns"),
        ("https://*.example", "no patterns"),
        ("null", "never allowed"),
        ("app.example", "scheme://host"),
        ("https://app.example/", "leave out the path"),
        ("https://app.example:99999", "port"),
        ("https://app.example:0", "port is 0"),
        ("https://bücher.example", "xn--"),
        ("htps://app.example", "scheme"),
        ("wss://app.example", "scheme"),
        ("file:///page.html", "scheme"),
    ] {
        check_everywhere("http.allowed_origins", text, want);
    }
    // A list in the environment loses its spaces, and an empty host in a file isn't a host.
    check_mistake("http.allowed_hosts = [\"\"]", &["it is empty"]);
    check_mistake("http.allowed_hosts = [\" a\"]", &["a space"]);
    check_mistake("http.allowed_origins = [\"https://a \"]", &["a space"]);
}

#[test]
fn what_is_near_no_key_is_reported_without_one() {
    let check = |mistakes: Vec<ConfigError>| {
        let told = mistakes[0].to_string();
        assert!(mistakes.len() == 1 && told.contains("is not a "), "{mistakes:?}");
        assert!(!told.contains("nearest"), "{told}");
    };
    check(load("banana = 1", &[], &[]).unwrap_err());
    check(load("http.sport = 1", &[], &[]).unwrap_err());
    check(load("[tls]\ncertificate = \"x\"", &[], &[]).unwrap_err());
    check(load("", &[("LARGESSE_BANANA", "1")], &[]).unwrap_err());
    check(load("", &[("LARGESSE_HTTP_SPORT", "1")], &[]).unwrap_err());
}

#[test]
fn what_is_not_toml_is_reported_with_its_line() {
    check_mistake("listen = [\n", &["test.toml, line", "not TOML"]);
}

#[test]
fn all_mistakes_of_all_places_are_reported_at_once_those_that_lose_too() {
    let file = "[http]\nheartbeat = 1\nfoo = 2\n";
    let variables = [("LARGESSE_HTTP_HEARTBEAT", "x"), ("LARGESSE_SHUTDOWN_GRACE", "x")];
    let mistakes = load(file, &variables, &["--shutdown-grace", "y", "--listen", "z"]).unwrap_err();
    assert_eq!(mistakes.len(), 6, "{mistakes:?}");
}

#[test]
fn values_that_are_right_alone_but_not_together_are_a_mistake() {
    check_mistake("http.retry_min = \"5s\"", &["http.retry_min = \"5s\"", "http.retry_max = \"3s\""]);
    check_mistake("http.batch_bytes_max = 10", &["http.event_bytes_max", "http.batch_bytes_max = 10"]);
    check_mistake(
        "http.bodies_bytes_max = \"2 MiB\"",
        &["http.batch_bytes_max = \"16 MiB\"", "http.bodies_bytes_max = \"2 MiB\""],
    );
}

#[test]
fn a_list_in_the_environment_has_commas_and_one_value_in_a_file_needs_no_brackets() {
    let variables = [("LARGESSE_HTTP_ALLOWED_ORIGINS", "https://a.example, http://b:1,")];
    let from_env = load("", &variables, &[]).unwrap().config;
    assert_eq!(from_env.http.allowed_origins.len(), 2);
    let from_file = load("listen = \"127.0.0.1:1\"", &[], &[]).unwrap().config;
    assert_eq!(from_file.listen.len(), 1);
}
