//! The commands that ask a server, over TLS: they work where the certificate is trusted, and say why where it is not.

use rcgen::{BasicConstraints, CertificateParams, IsCa, SanType, date_time_ymd};

use crate::support::{Done, Running, largesse, server::Server, tls::TlsProxy};

const COMMANDS: [&[&str]; 3] = [&["publish", "a", "hello", "--close"], &["tail", "a"], &["log", "export"]];

/// Asks the server at `url`, with what `SSL_CERT_FILE` names.
fn run(command: &[&str], url: &str, trusted: Option<&str>) -> Done {
    let mut program = largesse(&[command, &["--url", url]].concat());
    program.command.env_remove("SSL_CERT_DIR").env_remove("SSL_CERT_FILE");
    if let Some(trusted) = trusted {
        program.command.env("SSL_CERT_FILE", trusted);
    }
    Running::start(program).done()
}

/// Each command fails, once, and says this.
#[track_caller]
fn check(url: &str, trusted: Option<&str>, want: &[&str]) {
    for command in COMMANDS {
        let done = run(command, url, trusted);
        assert_eq!((done.code(), done.stdout.as_str()), (Some(1), ""), "{done:?}");
        assert!(want.iter().all(|part| done.stderr.contains(part)), "{want:?}: {done:?}");
        assert!(done.stderr.starts_with("largesse: ") && done.stderr.lines().count() == 1, "{done:?}");
    }
}

#[test]
fn publish_tail_and_export_speak_tls_to_who_is_trusted() {
    let server = Server::start();
    let proxy = TlsProxy::start(&server.address, |_| {});
    let done = COMMANDS.map(|command| run(command, &proxy.url(), proxy.authority().to_str()));
    let told = done.each_ref().map(|done| (done.code(), done.stderr.as_str()));
    assert_eq!(told, [(Some(0), ""), (Some(0), "closed: a\n"), (Some(0), "")]);
    assert_eq!(done[1].stdout, "hello\n");
    assert!(done[2].stdout.ends_with("{\"end\":true,\"streams\":1,\"events\":1}\n"), "{done:?}");
}

#[test]
fn an_untrusted_certificate_is_reported_with_what_to_do() {
    let server = Server::start();
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2001, 1, 1);
    let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(4000, 1, 1);
    let other = |params: &mut CertificateParams| {
        params.subject_alt_names = vec![SanType::DnsName("elsewhere.example".try_into().unwrap())];
    };
    let with = |shape: fn(&mut CertificateParams), want: &[&str]| {
        let proxy = TlsProxy::start(&server.address, shape);
        check(&proxy.url(), proxy.authority().to_str(), want);
    };
    with(expired, &["certificate has expired", "clock"]);
    with(early, &["not valid yet", "clock"]);
    with(other, &["not for this host", "--url"]);
    let authority = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    with(authority, &["CA:TRUE", "CA:FALSE"]);
    let proxy = TlsProxy::start(&server.address, |_| {});
    let other = TlsProxy::start(&server.address, |_| {});
    check(&proxy.url(), other.authority().to_str(), &["certificate", "SSL_CERT_FILE"]);
    check(&proxy.url(), Some("/nowhere"), &["no trusted certificates", "SSL_CERT_FILE"]);
    // Nothing was sent to any of them.
    assert!(server.ask("HEAD", "/streams/a", "").contains(" 404 "));
}

#[test]
fn what_the_machine_trusts_is_not_everything() {
    let server = Server::start();
    let proxy = TlsProxy::start(&server.address, |_| {});
    // Where the machine trusts nobody, that is said.
    check(&proxy.url(), None, &["trust", "SSL_CERT_FILE"]);
}

#[test]
fn the_wrong_scheme_for_a_port_is_told() {
    let server = Server::start();
    let proxy = TlsProxy::start(&server.address, |_| {});
    let done = run(&["log", "export"], &format!("http://127.0.0.1:{}", proxy.port), None);
    assert!(done.stderr.contains("is it the right port") && done.stderr.contains("https://"), "{done:?}");
    let done = run(&["log", "export"], &format!("https://{}", server.address), proxy.authority().to_str());
    assert!(done.stderr.contains("does not speak TLS: is it the right port"), "{done:?}");
    assert_eq!((done.code(), done.stderr.lines().count()), (Some(1), 1), "{done:?}");
}
