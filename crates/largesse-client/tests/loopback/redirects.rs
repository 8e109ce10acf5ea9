//! Redirects: which ones are followed, how many, and which headers they keep.

use largesse_client::{
    Client, ClientConfig, HeaderValue, REDIRECTS_MAX, Redirects, Request, SendError, Url,
    header::AUTHORIZATION,
};

use crate::support::{Server, answer, within};

fn to(url: &Url, status: &str) -> crate::support::Reply {
    answer(status, &format!("Location: {url}\r\n"), "")
}

/// Sends a request with a secret, and returns the status and the URL that answered.
async fn asked(redirects: Redirects, url: Url) -> (u16, Url) {
    let client = Client::new(&ClientConfig { redirects, ..ClientConfig::default() });
    let request = Request::post(url, "body").header(AUTHORIZATION, HeaderValue::from_static("Bearer secret"));
    let response = within(client.send(&request)).await.unwrap();
    (response.status().as_u16(), response.url().clone())
}

#[tokio::test]
async fn each_rule_follows_the_redirects_that_it_names() {
    let elsewhere = Server::start(|_, _| answer("200 OK", "", "")).await;
    let target = elsewhere.url("/there");
    let server = Server::start(move |_, asked| match asked.split(' ').nth(1) {
        Some("/near") => answer("307 Temporary Redirect", "Location: /here\r\n", ""),
        Some("/far") => to(&target, "307 Temporary Redirect"),
        _ => answer("200 OK", "", ""),
    })
    .await;
    let (near, far) = (server.url("/near"), server.url("/far"));
    let (here, there) = (server.url("/here"), elsewhere.url("/there"));
    let rows = [
        (Redirects::Refused, &near, (307, &near)),
        (Redirects::Refused, &far, (307, &far)),
        (Redirects::SameOrigin, &near, (200, &here)),
        (Redirects::SameOrigin, &far, (307, &far)),
        (Redirects::Followed, &near, (200, &here)),
        (Redirects::Followed, &far, (200, &there)),
    ];
    for (redirects, url, want) in rows {
        let (status, who) = asked(redirects, url.clone()).await;
        assert_eq!((status, &who), want, "{redirects:?} {url}");
    }
    let near: Vec<String> =
        server.asked().into_iter().filter(|asked| asked.starts_with("POST /here")).collect();
    assert!(near.iter().all(|asked| asked.contains("Bearer secret") && asked.ends_with("body")), "{near:?}");
    let far = elsewhere.asked().remove(0);
    assert!(far.starts_with("POST /there") && far.ends_with("body") && !far.contains("secret"), "{far}");
}

#[tokio::test]
async fn a_post_becomes_a_get_if_the_status_says_so() {
    for (status, want) in
        [("301 Moved", "GET"), ("302 Found", "GET"), ("303 See Other", "GET"), ("308 P", "POST")]
    {
        let server = Server::start(move |number, _| match number {
            0 => answer(status, "Location: /x\r\n", ""),
            _ => answer("200 OK", "", ""),
        })
        .await;
        assert_eq!(asked(Redirects::SameOrigin, server.url("/")).await.0, 200);
        assert!(server.asked()[1].starts_with(&format!("{want} /x ")), "{status}: {:?}", server.asked());
    }
}

#[tokio::test]
async fn a_loop_ends_at_the_limit_of_redirects() {
    for redirects in [Redirects::SameOrigin, Redirects::Followed] {
        let server = Server::start(|_, _| answer("302 Found", "Location: /again\r\n", "")).await;
        let client = Client::new(&ClientConfig { redirects, ..ClientConfig::default() });
        let error = within(client.send(&Request::get(server.url("/")))).await.unwrap_err();
        assert!(matches!(error, SendError::TooManyRedirects) && error.is_futile(), "{error:?}");
        assert_eq!(server.asked().len(), REDIRECTS_MAX + 1);
    }
}
