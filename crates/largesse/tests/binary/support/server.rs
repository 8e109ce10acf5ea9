//! A server of ours on a free port, and requests to it as bytes.

use std::{
    io::{Read, Write},
    path::Path,
};

use crate::support::{Folder, Program, Running, connect, largesse};

pub(crate) struct Server {
    pub(crate) running: Running,
    /// Host and port.
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(more: &[&str]) -> Self {
        Self::start_as(&[&["serve", "--memory", "--listen", "127.0.0.1:0"], more].concat())
    }

    /// Starts one that keeps its log in a folder, and leaves it there.
    pub(crate) fn start_on(data: &Folder, more: &[&str]) -> Self {
        let data = data.path().to_str().unwrap();
        Self::start_as(&[&["serve", "--data", data, "--listen", "127.0.0.1:0"], more].concat())
    }

    /// The same, started by another program, if one comes before it on the command line.
    pub(crate) fn start_under(before: &[&str], data: &Path, more: &[&str]) -> Self {
        let data = data.to_str().unwrap();
        let args = [&["serve", "--data", data, "--listen", "127.0.0.1:0"], more].concat();
        let program = largesse(&args);
        Self::start_program(match before.split_first() {
            Some((before, words)) => program.under(before, words),
            None => program,
        })
    }

    fn start_as(args: &[&str]) -> Self {
        Self::start_program(largesse(args))
    }

    /// Starts one with this program.
    pub(crate) fn start_program(program: Program) -> Self {
        let running = Running::start(program);
        let address = running.line().strip_prefix("listening on http://").unwrap().to_owned();
        Self { running, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends an HTTP/1.0 request, which is answered without chunks, and reads to the end.
    pub(crate) fn ask(&self, method: &str, target: &str, body: &str) -> String {
        self.ask_with(&format!("Host: {}\r\n", self.address), method, target, body)
    }

    /// The same with other header lines.
    pub(crate) fn ask_with(&self, headers: &str, method: &str, target: &str, body: &str) -> String {
        let mut connection = connect(&self.address);
        connection.write_all(request(headers, method, target, body).as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    /// An HTTP/1.0 request as text.
    pub(crate) fn request(&self, method: &str, target: &str, body: &str) -> String {
        request(&format!("Host: {}\r\n", self.address), method, target, body)
    }
}

fn request(headers: &str, method: &str, target: &str, body: &str) -> String {
    format!("{method} {target} HTTP/1.0\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}
