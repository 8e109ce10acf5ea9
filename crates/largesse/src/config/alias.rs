//! What other servers call our keys.
//!
//! Invariant: a name in this table is not a key; it points to one. Does not look for typos: `nearest.rs` does.

/// Each key with its other names: in lower case, with `_` between the words, without a [`GENERIC`] prefix.
const ALIASES: &[(&str, &str)] = &[
    (
        "listen",
        "port ports host hostname ip addr addrs address addresses bind bind_addr bind_address bind_host \
         bind_ip bind_port listen_addr listen_address listen_host listen_on listen_port listener listeners \
         interface socket",
    ),
    (
        "data",
        "data_dir data_directory data_folder data_path datadir db db_path dir directory folder home path \
         root storage storage_dir storage_path log_dir log_path log_data state_dir volume",
    ),
    (
        "shutdown_grace",
        "grace grace_period shutdown_timeout stop_timeout drain_timeout shutdown_grace_period",
    ),
    (
        "log.max_bytes",
        "log_max_size log_size max_size max_disk disk_max disk_limit max_bytes storage_max_bytes",
    ),
    ("log.sync", "fsync sync log_fsync"),
    ("stream.max_age", "retention retention_time retention_age ttl stream_ttl stream_retention"),
    (
        "http.allowed_origins",
        "cors cors_origin cors_origins cors_allowed_origins origin origins allow_origin allow_origins",
    ),
    ("http.allowed_hosts", "hosts server_name server_names domain domains allow_hosts"),
    (
        "http.event_bytes_max",
        "max_event_bytes max_event_size max_message_size event_max_bytes max_body_size body_limit",
    ),
    ("http.heartbeat", "heartbeat_interval keepalive keep_alive keepalive_interval ping ping_interval"),
    ("http.retry_min", "retry retry_ms reconnect reconnect_time"),
    (
        "http.readers_max",
        "max_readers max_connections connections_max max_clients max_subscribers connection_limit",
    ),
    ("http.head_timeout", "idle_timeout header_timeout read_header_timeout"),
    ("http.body_idle", "read_timeout body_timeout"),
    ("http.write_stall", "write_timeout"),
    (
        "trace.level",
        "debug level log log_level loglevel logging logging_level log_filter rust_log verbose verbosity \
         trace",
    ),
    ("trace.format", "log_format logformat logging_format log_json json_logs"),
];

/// Flags that are not keys, and their names elsewhere.
const FLAGS: &[(&str, &str)] = &[
    ("--config", "config config_file config_path conf configuration"),
    ("--memory", "memory in_memory memory_only ephemeral"),
    ("--insecure", "insecure unsafe allow_insecure"),
];

/// Prefixes that say only that a name is a server's.
const GENERIC: &[&str] =
    &["http_", "server_", "sse_", "app_", "net_", "network_", "main_", "global_", "largesse_"];

/// The path of the key that a name stands for, in any case, with `.`, `-` or `_` between its words.
pub(crate) fn key_of(name: &str) -> Option<&'static str> {
    find(ALIASES, name)
}

/// The flag without a key that such a name stands for.
pub(crate) fn flag_of(name: &str) -> Option<&'static str> {
    find(FLAGS, name)
}

fn find(table: &'static [(&str, &str)], name: &str) -> Option<&'static str> {
    let words = name.to_lowercase().replace(['.', '-'], "_");
    let bare = GENERIC.iter().find_map(|prefix| words.strip_prefix(prefix)).unwrap_or(&words);
    let is_known = |others: &str| others.split(' ').any(|other| other == words || other == bare);
    table.iter().find(|(_, others)| is_known(others)).map(|(meant, _)| *meant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sections::keys;

    #[test]
    fn every_name_points_to_a_key_is_not_a_key_and_occurs_once() {
        let names = || ALIASES.iter().flat_map(|(_, others)| others.split(' '));
        for (key, _) in ALIASES {
            assert!(keys().any(|known| known.path == *key), "{key}");
        }
        for name in names() {
            assert!(!keys().any(|key| key.path.replace('.', "_") == name), "{name} is a key");
            assert_eq!(names().filter(|other| *other == name).count(), 1, "{name}");
        }
    }

    #[test]
    fn a_flag_without_a_key_is_found_too() {
        assert_eq!(
            (flag_of("CONFIG"), flag_of("server.memory"), flag_of("port")),
            (Some("--config"), Some("--memory"), None)
        );
    }

    #[test]
    fn a_name_is_found_however_it_is_written() {
        for (name, want) in [
            ("port", "listen"),
            ("PORT", "listen"),
            ("http.port", "listen"),
            ("server.host", "listen"),
            ("SERVER_PORT", "listen"),
            ("bind-address", "listen"),
            ("log.level", "trace.level"),
            ("LOG_LEVEL", "trace.level"),
            ("logging.level", "trace.level"),
            ("data_dir", "data"),
            ("DATADIR", "data"),
            ("cors.origins", "http.allowed_origins"),
            ("http.cors", "http.allowed_origins"),
            ("retention", "stream.max_age"),
        ] {
            assert_eq!(key_of(name), Some(want), "{name}");
        }
        for name in ["", "banana", "tls.certificate", "no", "http.", "portly"] {
            assert_eq!(key_of(name), None, "{name}");
        }
    }
}
