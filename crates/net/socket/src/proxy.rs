//! SOCKS5 client (RFC 1928, RFC 1929).

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use grs_addrman::Rng;
use grs_log::{Category, debug};

/// A SOCKS5 proxy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proxy {
    /// Its address.
    pub address: SocketAddr,
    /// `-proxyrandomize`: other credentials for each connection, so that Tor uses other circuits.
    pub randomize: bool,
}

/// Why a connection through a proxy failed.
#[derive(Debug)]
pub(crate) enum ProxyError {
    /// The proxy itself is not to be had.
    Proxy(io::Error),
    /// The proxy could not reach the target, or speaks nonsense.
    Target(String),
}

fn target(text: &str) -> ProxyError {
    ProxyError::Target(text.to_owned())
}

/// The reference's words for the replies.
fn reply_text(code: u8) -> &'static str {
    match code {
        1 => "general failure",
        2 => "connection not allowed",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "protocol error",
        8 => "address type not supported",
        _ => "unknown",
    }
}

/// Connects to a host by name or address.
pub(crate) fn connect(
    proxy: &Proxy,
    host: &str,
    port: u16,
    timeout: Duration,
) -> Result<TcpStream, ProxyError> {
    let mut stream = TcpStream::connect_timeout(&proxy.address, timeout).map_err(ProxyError::Proxy)?;
    let long = Duration::from_secs(20);
    let setup = stream.set_read_timeout(Some(long)).and_then(|()| stream.set_write_timeout(Some(long)));
    setup.map_err(ProxyError::Proxy)?;
    debug!(Category::Net, "SOCKS5 connecting {host}");
    negotiate(&mut stream, proxy, host, port)?;
    let setup = stream.set_read_timeout(None).and_then(|()| stream.set_write_timeout(None));
    setup.map_err(ProxyError::Proxy)?;
    debug!(Category::Net, "SOCKS5 connected {host}");
    Ok(stream)
}

fn negotiate(
    stream: &mut (impl Read + Write),
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), ProxyError> {
    let failed = |e: io::Error| ProxyError::Target(e.to_string());
    let host_len = u8::try_from(host.len()).map_err(|_| target("Hostname too long"))?;
    let methods: &[u8] = if proxy.randomize { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    stream.write_all(methods).map_err(failed)?;
    let mut reply = [0; 2];
    stream.read_exact(&mut reply).map_err(failed)?;
    if reply[0] != 5 {
        return Err(target("Proxy failed to initialize"));
    }
    match reply[1] {
        0 => {}
        2 if proxy.randomize => {
            let mut rng = Rng::new();
            let name = format!("{:016x}", rng.u64());
            let mut message = vec![1, name.len() as u8];
            message.extend_from_slice(name.as_bytes());
            message.push(name.len() as u8);
            message.extend_from_slice(name.as_bytes());
            stream.write_all(&message).map_err(failed)?;
            stream.read_exact(&mut reply).map_err(failed)?;
            if reply != [1, 0] {
                return Err(target("Proxy authentication unsuccessful"));
            }
        }
        other => {
            return Err(ProxyError::Target(format!(
                "Proxy requested wrong authentication method {other:02x}"
            )));
        }
    }
    let mut message = vec![5, 1, 0, 3, host_len];
    message.extend_from_slice(host.as_bytes());
    message.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&message).map_err(failed)?;
    let mut reply = [0; 4];
    stream.read_exact(&mut reply).map_err(failed)?;
    if reply[0] != 5 {
        return Err(target("Proxy failed to accept request"));
    }
    if reply[1] != 0 {
        let text = reply_text(reply[1]);
        debug!(Category::Net, "Socks5() connect to {host}:{port} failed: {text}");
        return Err(ProxyError::Target(text.to_owned()));
    }
    // The address it is bound to is of no use, but has to be read.
    let rest = match reply[3] {
        1 => 4,
        4 => 16,
        3 => {
            let mut len = [0];
            stream.read_exact(&mut len).map_err(failed)?;
            usize::from(len[0])
        }
        _ => return Err(target("Error: malformed proxy response")),
    };
    let mut bound = [0; 257];
    stream.read_exact(&mut bound[..rest + 2]).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Script {
        answers: io::Cursor<Vec<u8>>,
        sent: Vec<u8>,
    }

    impl Read for Script {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.answers.read(buf)
        }
    }

    impl Write for Script {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.sent.extend_from_slice(buf);
            Ok(buf.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn run(answers: &[u8], randomize: bool) -> (Result<(), String>, Vec<u8>) {
        let mut script = Script { answers: io::Cursor::new(answers.to_vec()), sent: Vec::new() };
        let proxy = Proxy { address: ([127, 0, 0, 1], 9050).into(), randomize };
        let result = negotiate(&mut script, &proxy, "a.onion", 0x1234);
        let result = result.map_err(|e| match e {
            ProxyError::Target(text) => text,
            ProxyError::Proxy(e) => e.to_string(),
        });
        (result, script.sent)
    }

    #[test]
    fn asks_by_name() {
        let (result, sent) = run(&[5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0, 80], false);
        assert_eq!(result, Ok(()));
        assert_eq!(sent, b"\x05\x01\x00\x05\x01\x00\x03\x07a.onion\x12\x34");
    }

    #[test]
    fn random_credentials() {
        let (result, sent) = run(&[5, 2, 1, 0, 5, 0, 0, 3, 2, 9, 9, 0, 80], true);
        assert_eq!(result, Ok(()));
        assert_eq!(sent[..6], [5, 2, 0, 2, 1, 16]);
        assert_eq!(sent[6..22], sent[23..39]);
    }

    #[test]
    fn refusals() {
        assert_eq!(run(&[5, 0, 5, 5, 0, 1], false).0, Err("connection refused".to_owned()));
        assert_eq!(run(&[4, 0], false).0, Err("Proxy failed to initialize".to_owned()));
        assert!(run(&[5, 0xff], false).0.is_err());
        assert!(run(&[5, 0, 5, 0, 0, 9], false).0.is_err());
        assert!(run(&[5, 0, 5], false).0.is_err());
    }
}
