//! One HTTP request on a blocking socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Largest head of an answer, bytes.
const MAX_HEAD: u64 = 64 * 1024;

/// Why there is no answer. Numbers and words are those of the reference's HTTP library, which users know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection.
    #[error("")]
    Connect,
    /// Waited too long.
    #[error(" (error code 0 - \"timeout reached\")")]
    Timeout,
    /// The server hung up.
    #[error(" (error code 1 - \"EOF reached\")")]
    Eof,
    /// Not HTTP.
    #[error(" (error code 2 - \"error while reading header, or invalid header\")")]
    InvalidHeader,
    /// The connection broke.
    #[error(" (error code 3 - \"error encountered while reading or writing\")")]
    Broken,
}

impl From<io::Error> for HttpError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => HttpError::Timeout,
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                HttpError::Eof
            }
            _ => HttpError::Broken,
        }
    }
}

/// Answer of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// Status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

/// A request by POST.
#[derive(Clone, Copy)]
pub struct Post<'a> {
    /// Host name or address, without brackets.
    pub host: &'a str,
    /// Port.
    pub port: u16,
    /// Path.
    pub path: &'a str,
    /// User and password, separated by a colon.
    pub credentials: &'a str,
    /// Body, JSON.
    pub body: &'a str,
    /// Longest time without progress; `None` waits forever.
    pub timeout: Option<Duration>,
}

impl Post<'_> {
    /// Sends the request and reads the answer.
    pub fn send(&self) -> Result<HttpReply, HttpError> {
        let mut stream = self.connect()?;
        let timeout = |e: io::Error| -> HttpError { e.into() };
        stream.set_read_timeout(self.timeout).map_err(timeout)?;
        stream.set_write_timeout(self.timeout).map_err(timeout)?;
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Authorization: Basic {}\r\nContent-Length: {}\r\n\r\n",
            self.path,
            self.host,
            grs_encoding::base64_encode(self.credentials.as_bytes()),
            self.body.len()
        );
        // One write, so that a small request is one packet. A server may answer and close before it has read all of a
        // large one: then its answer counts.
        let written = stream.write_all([head.as_bytes(), self.body.as_bytes()].concat().as_slice());
        let reply = read_reply(BufReader::new(stream));
        match (written, reply) {
            (Err(error), Err(_)) => Err(error.into()),
            (_, reply) => reply,
        }
    }

    fn connect(&self) -> Result<TcpStream, HttpError> {
        // A name that cannot be looked up is told as a lost connection, as always.
        let addresses = (self.host, self.port).to_socket_addrs().map_err(|_| HttpError::Eof)?;
        for address in addresses {
            let stream = match self.timeout {
                Some(timeout) => TcpStream::connect_timeout(&address, timeout),
                None => TcpStream::connect(address),
            };
            if let Ok(stream) = stream {
                return Ok(stream);
            }
        }
        Err(HttpError::Connect)
    }
}

/// Reads head and body of an answer.
pub fn read_reply(mut stream: impl BufRead) -> Result<HttpReply, HttpError> {
    loop {
        let head = read_head(&mut stream)?;
        // "100 Continue" and the like come before the answer proper.
        if !(100..200).contains(&head.status) {
            let body = read_body(&mut stream, &head)?;
            return Ok(HttpReply { status: head.status, body });
        }
    }
}

struct Head {
    status: u16,
    length: Option<u64>,
    chunked: bool,
}

fn read_line(stream: &mut impl BufRead, room: &mut u64) -> Result<String, HttpError> {
    let mut line = Vec::new();
    let read = stream.by_ref().take(*room).read_until(b'\n', &mut line)?;
    *room -= read as u64;
    if line.pop() != Some(b'\n') {
        return Err(if *room == 0 { HttpError::InvalidHeader } else { HttpError::Eof });
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| HttpError::InvalidHeader)
}

fn read_head(stream: &mut impl BufRead) -> Result<Head, HttpError> {
    let mut room = MAX_HEAD;
    let line = read_line(stream, &mut room)?;
    let mut words = line.split(' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().and_then(|w| w.parse().ok()).ok_or(HttpError::InvalidHeader)?;
    if !version.starts_with("HTTP/1.") {
        return Err(HttpError::InvalidHeader);
    }
    let mut head = Head { status, length: None, chunked: false };
    loop {
        let line = read_line(stream, &mut room)?;
        if line.is_empty() {
            return Ok(head);
        }
        let (name, value) = line.split_once(':').ok_or(HttpError::InvalidHeader)?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            head.length = Some(value.parse().map_err(|_| HttpError::InvalidHeader)?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            head.chunked = value.eq_ignore_ascii_case("chunked");
        }
    }
}

fn read_body(stream: &mut impl BufRead, head: &Head) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    if head.chunked {
        loop {
            let line = read_line(stream, &mut MAX_HEAD.clone())?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(digits, 16).map_err(|_| HttpError::InvalidHeader)?;
            if size == 0 {
                // Trailers end with an empty line.
                while !read_line(stream, &mut MAX_HEAD.clone())?.is_empty() {}
                return Ok(body);
            }
            read_exactly(stream, size, &mut body)?;
            read_line(stream, &mut MAX_HEAD.clone())?;
        }
    }
    match head.length {
        _ if matches!(head.status, 204 | 304) => {}
        Some(length) => read_exactly(stream, length, &mut body)?,
        None => {
            stream.read_to_end(&mut body)?;
        }
    }
    Ok(body)
}

/// The buffer grows with what arrives, not with what was announced.
fn read_exactly(stream: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> Result<(), HttpError> {
    let read = stream.by_ref().take(length).read_to_end(body)?;
    if read as u64 == length { Ok(()) } else { Err(HttpError::Eof) }
}

/// Text with all bytes but letters, digits and `-._~` percent-encoded.
pub fn uri_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Splits `host:port`; the port is `None` when there is none. An error when it is no number from 1 to 65535.
pub fn split_host_port(text: &str) -> Option<(String, Option<u16>)> {
    let mut host = text;
    let mut port = None;
    if let Some((before, after)) = text.rsplit_once(':') {
        let bracketed = before.starts_with('[') && before.ends_with(']');
        if before.is_empty() || bracketed || !before.contains(':') {
            port = Some(parse_port(after)?);
            host = before;
        }
    }
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    Some((host.to_owned(), port))
}

/// A port from 1 to 65535, digits only.
pub fn parse_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Result<(u16, String), HttpError> {
        read_reply(text.as_bytes()).map(|r| (r.status, String::from_utf8(r.body).unwrap()))
    }

    #[test]
    fn replies_are_read() {
        let ok = |body: &str| Ok((200, body.to_owned()));
        assert_eq!(reply("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd"), ok("abc"));
        assert_eq!(reply("HTTP/1.0 200 OK\r\n\r\nabc"), ok("abc"));
        assert_eq!(reply("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc"), ok("abc"));
        assert_eq!(
            reply(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: 1\r\n\r\n"
            ),
            ok("abc")
        );
        assert_eq!(reply("HTTP/1.1 204 No Content\r\n\r\n"), Ok((204, String::new())));
        assert_eq!(reply(""), Err(HttpError::Eof));
        assert_eq!(reply("garbage\r\n\r\n"), Err(HttpError::InvalidHeader));
        assert_eq!(reply("HTTP/1.1 200 OK\r\nbad\r\n\r\n"), Err(HttpError::InvalidHeader));
        assert_eq!(reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), Err(HttpError::Eof));
        assert_eq!(
            reply("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nabc"),
            Err(HttpError::Eof)
        );
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(70_000));
        assert_eq!(reply(&long), Err(HttpError::InvalidHeader));
    }

    #[test]
    fn names_are_encoded() {
        assert_eq!(uri_encode("a b/ü"), "a%20b%2F%C3%BC");
        assert_eq!(uri_encode("A-z_0.~"), "A-z_0.~");
    }

    #[test]
    fn ports_are_strict() {
        assert_eq!(split_host_port("::1"), Some(("::1".to_owned(), None)));
        assert_eq!(split_host_port("[::1]:5"), Some(("::1".to_owned(), Some(5))));
        assert_eq!(split_host_port("localhost:5"), Some(("localhost".to_owned(), Some(5))));
        for bad in ["127.0.0.1:notaport", "127.0.0.1:-1", "127.0.0.1:0", "127.0.0.1:65536", "[::1]:0", "a:"] {
            assert_eq!(split_host_port(bad), None);
        }
        assert_eq!(parse_port("+5"), None);
    }
}
