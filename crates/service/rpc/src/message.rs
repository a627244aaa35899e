//! Requests and answers of the HTTP server, whole.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

/// A request, whole.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Path with query, as sent.
    pub uri: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Client.
    pub peer: SocketAddr,
}

impl HttpRequest {
    /// First value of a parameter of the query, percent-decoded.
    pub fn query(&self, key: &str) -> Option<String> {
        let (_, query) = self.uri.split_once('?')?;
        let query = query.split('#').next().unwrap_or_default();
        query.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(name) == key).then(|| percent_decode(&value.replace('+', " ")))
        })
    }
}

/// Text with `%xx` decoded; bytes that are no UTF-8 are replaced.
pub fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let hex = bytes.get(index + 1..index + 3).and_then(|h| std::str::from_utf8(h).ok());
        let decoded = hex
            .filter(|h| bytes[index] == b'%' && h.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        if let Some(byte) = decoded {
            out.push(byte);
            index += 3;
        } else {
            out.push(bytes[index]);
            index += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct HttpReply {
    /// Status.
    pub status: u16,
    /// Headers besides length and date.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Body.
    pub body: Bytes,
    /// Wait before sending it, to slow down guessing of passwords.
    pub delay: Duration,
}

impl HttpReply {
    /// Answer with a status and a body.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), delay: Duration::ZERO }
    }

    /// Answer with a content type.
    pub fn typed(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self::new(status, body).header(header::CONTENT_TYPE, content_type)
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// Closes the connection after this answer.
    pub fn close(self) -> Self {
        self.header(header::CONNECTION, "close")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_are_decoded() {
        for (text, decoded) in [
            ("a%20b", "a b"),
            ("%C3%BC", "ü"),
            ("100%", "100%"),
            ("%2", "%2"),
            ("%zz%41", "%zzA"),
            ("%+1", "%+1"),
            ("%FF", "\u{fffd}"),
        ] {
            assert_eq!(percent_decode(text), decoded);
        }
    }

    #[test]
    fn queries_are_found() {
        let query = |uri: &str, key: &str| {
            let request = HttpRequest {
                method: Method::GET,
                uri: uri.to_owned(),
                headers: HeaderMap::new(),
                body: Bytes::new(),
                peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            };
            request.query(key)
        };
        assert_eq!(query("/x", "a"), None);
        assert_eq!(query("/x?a=1&b=2&a=3", "a").as_deref(), Some("1"));
        assert_eq!(query("/x?a%62=1+2%2B#y", "ab").as_deref(), Some("1 2+"));
        assert_eq!(query("/x?a", "a").as_deref(), Some(""));
        assert_eq!(query("/x?b", "a"), None);
    }
}
