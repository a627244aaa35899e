//! Entry points for fuzzing: what comes from a server or from the user.

use crate::convert::{named, positional};
use crate::http::{read_reply, split_host_port, uri_encode};

/// Answer of a server.
pub fn fuzz_http_reply(data: &[u8]) {
    if let Ok(reply) = read_reply(data) {
        assert!(reply.body.len() <= data.len());
        assert!(!(100..200).contains(&reply.status));
    }
}

/// Words of a command line, one a line.
pub fn fuzz_words(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let words: Vec<String> = text.lines().map(str::to_owned).collect();
    for method in ["echojson", "createwallet", "getblockstats", "echo"] {
        for params in [positional(method, &words), named(method, &words)].into_iter().flatten() {
            assert!(serde_json::from_str::<serde_json::Value>(&params.to_json()).is_ok());
        }
    }
    let _ = split_host_port(&text);
    assert!(uri_encode(&text).is_ascii());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes, cuts or extends each sample, the same on every run.
    fn mutations(samples: &[&[u8]], target: fn(&[u8])) {
        let mut state = 88_172_645_463_325_252u64;
        let mut next = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below.max(1) as u64) as usize
        };
        for sample in samples {
            target(sample);
            for _ in 0..2000 {
                let mut data = sample.to_vec();
                for _ in 0..=next(3) {
                    let at = next(data.len());
                    match next(3) {
                        0 => data.truncate(at),
                        1 => data.insert(at, b"\r\n: 0f=[\"{"[next(10)]),
                        _ if at < data.len() => data[at] = next(256) as u8,
                        _ => {}
                    }
                }
                target(&data);
            }
        }
    }

    #[test]
    fn answers_never_panic() {
        let samples: [&[u8]; 3] = [
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            b"HTTP/1.0 204 No Content\n\nrest",
        ];
        mutations(&samples, fuzz_http_reply);
    }

    #[test]
    fn words_never_panic() {
        let samples: [&[u8]; 3] =
            [b"1\n[\"a=b\"]\narg0={}\nargs=[1]", b"my=wallet\nblank=true", b"[::1]:1441"];
        mutations(&samples, fuzz_words);
    }
}
