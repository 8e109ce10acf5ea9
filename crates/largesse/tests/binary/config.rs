//! `largesse config` and everything that is wrong before anything is served, through the real binary.

use crate::support::{Done, Folder, Running, largesse_in, run};

/// Runs with a configuration file and variables.
#[track_caller]
fn configured(file: &str, variables: &[(&str, &str)], args: &[&str]) -> Done {
    let folder = Folder::new();
    if !file.is_empty() {
        folder.write("largesse.toml", file);
    }
    let mut program = largesse_in(folder, args);
    program.command.envs(variables.iter().copied());
    Running::start(program).done()
}

/// Runs, and expects an exit status, texts on stderr, and nothing on stdout.
#[track_caller]
fn check_refused(file: &str, variables: &[(&str, &str)], args: &[&str], code: i32, wants: &[&str]) {
    let done = configured(file, variables, args);
    assert_eq!((done.code(), done.stdout.as_str()), (Some(code), ""), "{args:?}: {done:?}");
    for want in wants {
        assert!(done.stderr.contains(want), "{args:?} has no {want:?}: {}", done.stderr);
    }
}

#[test]
fn a_wrong_command_line_exits_with_2_and_says_what_is_wrong() {
    check_refused("", &[], &["--lisen", "x"], 2, &["--lisen", "--listen"]);
    check_refused("", &[], &["serv"], 2, &["serv", "serve"]);
    check_refused("", &[], &["publish"], 2, &["STREAM"]);
    check_refused("", &[], &["tail"], 2, &["STREAM"]);
    check_refused("", &[], &["tail", "a", "--url", "ftp://a"], 2, &["ftp://a", "only http and https"]);
    check_refused(
        "",
        &[],
        &["publish", "a", "b", "--url", "nowhere"],
        2,
        &["nowhere", "http://127.0.0.1:8084"],
    );
}

#[test]
fn a_wrong_value_stops_every_command_that_is_configured_and_names_its_place() {
    for command in [&["serve"][..], &[], &["config", "check"], &["config", "show"]] {
        let listen = [command, &["--listen", "here"]].concat();
        check_refused("", &[], &listen, 1, &["--listen", "here", "127.0.0.1:8084"]);
        check_refused(
            "",
            &[("LARGESSE_HTTP_HEARTBEAT", "15")],
            command,
            1,
            &["LARGESSE_HTTP_HEARTBEAT", "\"15s\""],
        );
        check_refused(
            "[http]\nheartbeat = 15",
            &[],
            command,
            1,
            &["largesse.toml, line 2", "http.heartbeat = 15"],
        );
    }
}

#[test]
fn an_unknown_key_or_variable_is_told_with_the_nearest_right_one() {
    let check = &["config", "check"];
    check_refused("[http]\nhartbeat = \"1s\"", &[], check, 1, &["line 2", "http.hartbeat", "http.heartbeat"]);
    check_refused("", &[("LARGESSE_LISSEN", "x")], check, 1, &["LARGESSE_LISSEN", "LARGESSE_LISTEN"]);
}

#[test]
fn what_would_be_passed_over_is_told_with_the_right_key() {
    let check = &["config", "check"];
    for (name, value, want) in [
        ("LARGESSE_PORT", "8084", "LARGESSE_LISTEN"),
        ("LARGESSE_HOST", "0.0.0.0", "LARGESSE_LISTEN"),
        ("LARGESSE_ADDR", "127.0.0.1:1", "LARGESSE_LISTEN"),
        ("LARGESSE_LOG_LEVEL", "debug", "LARGESSE_TRACE_LEVEL"),
        ("LARGESSE_DATA_DIR", "/x", "LARGESSE_DATA"),
        ("largesse_listen", "127.0.0.1:1", "LARGESSE_LISTEN"),
        ("LARGESE_LISTEN", "127.0.0.1:1", "LARGESSE_LISTEN"),
        ("LARGESSE_CONFIG", "x.toml", "--config"),
    ] {
        check_refused("", &[(name, value)], check, 1, &[name, want]);
        check_refused("", &[(name, value)], &["serve", "--memory"], 1, &[name, want]);
    }
    check_refused("[log]\nlevel = \"debug\"", &[], check, 1, &["log.level", "trace.level"]);
    check_refused("port = 8084", &[], check, 1, &["line 1", "listen"]);
    check_refused("", &[("LARGESSE_HTTP_ALLOWED_HOSTS", "https://a.example")], check, 1, &["no scheme"]);
    check_refused("", &[], &["config", "check", "--allowed-host", "*.a.example"], 1, &["no patterns"]);
    check_refused("", &[], &["config", "check", "--allowed-origin", "https://a.example:99999"], 1, &["port"]);
}

#[test]
fn a_port_that_the_host_sets_is_said_where_nobody_gives_an_address() {
    let variables = [("PORT", "9000")];
    let done = configured("", &variables, &["config", "check"]);
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(done.stderr.contains("PORT=9000") && done.stderr.contains("LARGESSE_LISTEN"), "{done:?}");
    let done = configured("listen = \"127.0.0.1:1\"", &variables, &["config", "check"]);
    assert_eq!((done.code(), done.stderr.as_str()), (Some(0), ""), "{done:?}");
}

#[test]
fn a_folder_that_only_a_shell_would_have_read_otherwise_is_told_and_not_made() {
    for (data, want) in [
        ("\"x\"", "quotes"),
        ("'x'", "quotes"),
        ("x ", "space"),
        (" x", "space"),
        ("~/x", "~"),
        ("~", "~"),
        ("$HOME/x", "shell"),
    ] {
        let flag = format!("--data={data}");
        let file = format!("data = {data:?}");
        let variable = [("LARGESSE_DATA", data)];
        for (file, variables, args) in [
            ("", &variable[..], &["serve"][..]),
            ("", &[], &["serve", &flag]),
            (&file, &[], &["serve"]),
            ("", &[], &["log", "import", &flag]),
            ("", &[], &["log", "info", &flag]),
            ("", &variable, &["log", "import"]),
        ] {
            let folder = Folder::new();
            if !file.is_empty() {
                folder.write("largesse.toml", file);
            }
            let path = folder.path().to_owned();
            let mut program = largesse_in(folder, args);
            program.command.envs(variables.iter().copied());
            let running = Running::start(program);
            let told = running.told(want);
            assert!(told.contains("data"), "{args:?}: {told}");
            let made = std::fs::read_dir(&path)
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().path().is_dir())
                .count();
            assert_eq!(made, 0, "{args:?} {data:?}");
            assert_eq!(running.done().code(), Some(1), "{args:?} {data:?}");
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let variables = [("LARGESSE_NO", "x"), ("LARGESSE_TRACE_LEVEL", "loud")];
    let wants = ["shutdown_grace", "LARGESSE_NO", "loud", "--trace-format"];
    let args = ["config", "check", "--trace-format", "xml"];
    check_refused("shutdown_grace = \"soon\"", &variables, &args, 1, &wants);
}

#[test]
fn a_file_that_is_named_must_be_there_and_be_toml() {
    check_refused(
        "",
        &[],
        &["config", "check", "--config", "none.toml"],
        1,
        &["none.toml", "cannot be read"],
    );
    check_refused("", &[], &["config", "check", "--config", "/dev/zero"], 1, &["larger than 1 MiB"]);
    check_refused("= nonsense", &[], &["config", "check"], 1, &["largesse.toml, line 1", "not TOML"]);
}

#[test]
fn a_right_configuration_is_said_to_be_right() {
    let done =
        configured("[http]\nheartbeat = \"20s\"", &[("LARGESSE_TRACE_LEVEL", "warn")], &["config", "check"]);
    assert_eq!((done.code(), done.stderr.as_str()), (Some(0), ""), "{done:?}");
    assert!(done.stdout.contains("right"), "{done:?}");
}

#[test]
fn the_check_finds_what_serve_would_refuse() {
    for command in [&["serve"][..], &["config", "check"]] {
        let open = [command, &["--listen", "0.0.0.0:0"]].concat();
        check_refused("", &[], &open, 1, &["other machines can reach 0.0.0.0:0", "--insecure"]);
        check_refused("listen = \"192.0.2.1:0\"", &[], command, 1, &["192.0.2.1:0", "--insecure"]);
    }
}

#[test]
fn check_and_show_take_the_flags_of_serve() {
    let flags = ["--memory", "--insecure", "--listen", "0.0.0.0:1"];
    let checked = configured("", &[], &[&["config", "check"], &flags[..]].concat());
    assert_eq!((checked.code(), checked.stderr.as_str()), (Some(0), ""), "{checked:?}");
    let shown = configured("", &[], &[&["config", "show"], &flags[..]].concat());
    assert_eq!(shown.code(), Some(0), "{shown:?}");
    assert!(shown.stdout.contains("listen = [\"0.0.0.0:1\"] # flag, --listen"), "{shown:?}");
}

#[test]
fn variables_that_are_not_for_the_server_are_passed_over() {
    let variables =
        [("LARGESSE_URL", "http://a"), ("LARGESSE_SERVICE_PORT", "8084"), ("LARGESSE_PORT", "tcp://a:1")];
    let done = configured("", &variables, &["config", "check"]);
    assert_eq!((done.code(), done.stderr.as_str()), (Some(0), ""), "{done:?}");
}

/// What `config show` says about `shutdown_grace`.
#[track_caller]
fn check_shown(file: &str, variables: &[(&str, &str)], flags: &[&str], want: &str) {
    let done = configured(file, variables, &[&["config", "show"], flags].concat());
    assert_eq!(done.code(), Some(0), "{done:?}");
    let line = done.stdout.lines().find(|line| line.starts_with("shutdown_grace"));
    assert_eq!(line, Some(want));
}

#[test]
fn a_flag_wins_over_the_environment_that_over_the_file_that_over_the_default() {
    let file = "shutdown_grace = \"1s\"";
    let variable = [("LARGESSE_SHUTDOWN_GRACE", "2s")];
    let flag = ["--shutdown-grace", "3s"];
    check_shown("", &[], &[], "shutdown_grace = \"5s\" # default");
    check_shown(file, &[], &[], "shutdown_grace = \"1s\" # largesse.toml, line 1");
    check_shown("", &variable, &[], "shutdown_grace = \"2s\" # environment, LARGESSE_SHUTDOWN_GRACE");
    check_shown(file, &variable, &[], "shutdown_grace = \"2s\" # environment, LARGESSE_SHUTDOWN_GRACE");
    check_shown("", &[], &flag, "shutdown_grace = \"3s\" # flag, --shutdown-grace");
    check_shown(file, &variable, &flag, "shutdown_grace = \"3s\" # flag, --shutdown-grace");
}

#[test]
fn what_is_shown_can_be_used_as_the_file() {
    let first =
        configured("listen = \"127.0.0.1:1\"", &[("LARGESSE_HTTP_RETRY_MAX", "9s")], &["config", "show"]);
    let again = configured(&first.stdout, &[], &["config", "show"]);
    let values =
        |shown: &str| shown.lines().map(|line| line.split(" # ").next().unwrap().to_owned()).collect();
    let (first, again): (Vec<String>, Vec<String>) = (values(&first.stdout), values(&again.stdout));
    assert_eq!(first, again);
    assert!(first.contains(&"retry_max = \"9s\"".to_owned()), "{first:?}");
}

#[test]
fn help_and_version_are_there() {
    for (args, want) in [(["--help"], "publish"), (["--version"], env!("CARGO_PKG_VERSION"))] {
        let done = run(&args);
        assert_eq!(done.code(), Some(0));
        assert!(done.stdout.contains(want), "{done:?}");
    }
}
