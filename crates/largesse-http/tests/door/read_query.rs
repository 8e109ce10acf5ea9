//! Query parameters of a read that are one slip away from ours, or valid only elsewhere.

use crate::support::Server;

const JSON: &str = "Accept: application/json\r\n";

/// Refused; names the parameter, and says what is expected.
#[track_caller]
fn check_refused<'a>(
    server: &'a Server,
    headers: &'a str,
    path: &'a str,
    given: &'a str,
    part: &'a str,
) -> impl Future<Output = ()> + 'a {
    let place = std::panic::Location::caller();
    async move {
        let answer = server.ask(&format!("GET {path}"), headers, "").await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "bad-query"),
            "{place}: {}",
            answer.text()
        );
        assert_eq!(answer.json()["parameter"], given, "{place}");
        assert!(answer.detail().contains(part), "{place}: {} has no {part:?}", answer.detail());
    }
}

#[tokio::test]
async fn a_live_read_refuses_what_is_one_slip_away() {
    let server = Server::start().await;
    for (query, given, part) in [
        ("form=now", "form", "'from'"),
        ("form", "form", "'from'"),
        ("froms=now", "froms", "'from'"),
        ("From=now", "From", "'from'"),
        ("FROM=now", "FROM", "'from'"),
        ("fro=now", "fro", "'from'"),
        ("from%20=now", "from ", "'from'"),
        ("from[]=now", "from[]", "'from'"),
        ("_=1&amp;from=now", "amp;from", "'from'"),
        ("FORMAT=json", "FORMAT", "'format'"),
        ("fromat=json", "fromat", "'format'"),
        ("heartbeats=event", "heartbeats", "'heartbeat'"),
        ("hearbeat=event", "hearbeat", "'heartbeat'"),
        ("heart-beat=event", "heart-beat", "'heartbeat'"),
        ("contol=off", "contol", "'control'"),
        ("controls=off", "controls", "'control'"),
        ("last-event-id=x", "last-event-id", "'last_event_id'"),
        ("Last-Event-ID=x", "Last-Event-ID", "'last_event_id'"),
        ("lasteventid=x", "lasteventid", "'last_event_id'"),
        ("last_event_ids=x", "last_event_ids", "'last_event_id'"),
        ("after=x", "after", "last_event_id"),
        ("After=x", "After", "last_event_id"),
        ("limit=5", "limit", "Accept: application/json"),
        ("limits=5", "limits", "from=-N"),
        ("event=tick", "event", "all events"),
        ("close", "close", "POST"),
    ] {
        check_refused(&server, "", &format!("/streams/a?{query}"), given, part).await;
        check_refused(&server, "", &format!("/streams?name=a&{query}"), given, part).await;
    }
    check_refused(&server, "", "/streams/a?name=b", "name", "/streams?name=a&name=b").await;
    for name in ["names", "Name", "nmae", "name[]", "stream", "streams"] {
        check_refused(&server, "", &format!("/streams?{name}=a"), name, "'name'").await;
        check_refused(&server, JSON, &format!("/streams?{name}=a"), name, "'name'").await;
    }
}

#[tokio::test]
async fn a_page_refuses_what_is_one_slip_away_and_the_last_event_id() {
    let server = Server::start().await;
    server.publish("a", "1").await;
    for path in ["/streams/a?", "/streams?name=a&"] {
        for (query, part) in [
            ("last_event_id", "use after"),
            ("lastEventId", "use after"),
            ("lastEventID", "use after"),
            ("last-event-id", "use after"),
            ("afer", "'after'"),
            ("AFTER", "'after'"),
            ("limits", "'limit'"),
            ("form", "'from'"),
            ("event", "all events"),
        ] {
            check_refused(&server, JSON, &format!("{path}{query}=1"), query, part).await;
        }
        let headers = format!("{JSON}Last-Event-ID: x\r\n");
        let answer = server.ask(&format!("GET {path}"), &headers, "").await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-header"));
        assert!(answer.detail().contains("?after="), "{}", answer.detail());
        let answer = server.ask(&format!("GET {path}"), &format!("{JSON}Last-Event-ID:\r\n"), "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for query in ["limits", "Limit", "afters", "from", "last_event_id", "lastEventId"] {
        check_refused(&server, JSON, &format!("/streams?{query}=1"), query, "").await;
    }
}

#[tokio::test]
async fn other_parameters_pass() {
    let server = Server::start().await;
    server.publish("a?close", "1").await;
    let own = "_=1&t=2&v=3&ts=4&cb=5&utm_source=x&utm_medium=y&ticket=t&token=t&caseId=7&page=2&room=r&user=u&game=g\
               &%FF=%&x[]=1&since=1&id=4&=&";
    for path in ["/streams/a?", "/streams?name=a&"] {
        let text = server
            .read(&format!("{path}{own}heartbeat=event&control=on&format=plain"), "")
            .await
            .rest_text()
            .await;
        assert!(text.contains("data: 1\n"), "{text}");
        let page =
            server.get_json(&format!("{path}{own}limit=5&heartbeat=event&control=off&format=json")).await;
        assert_eq!((page.status, page.json()["events"].as_array().map(Vec::len)), (200, Some(1)));
    }
    assert_eq!(server.get_json(&format!("/streams?{own}format=json")).await.status, 200);
}

#[tokio::test]
async fn a_header_that_was_meant_to_be_the_last_event_id_is_refused() {
    let server = Server::start().await;
    server.publish("a", "1").await;
    for name in ["X-Last-Event-ID", "Last_Event_ID", "LastEventId", "Last-Event-IDs"] {
        for accept in ["", JSON] {
            let answer = server.ask("GET /streams/a", &format!("{accept}{name}: x\r\n"), "").await;
            assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-header"), "{name}");
            assert!(answer.detail().contains("did you mean Last-Event-ID?"), "{}", answer.detail());
        }
    }
    // A copy next to the right one does no harm.
    server.read("/streams/a", "Last-Event-ID: x\r\nX-Last-Event-ID: x\r\n").await;
}
