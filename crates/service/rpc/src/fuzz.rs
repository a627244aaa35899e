//! Entry points for fuzzing: decoders of what clients send.

use crate::auth::parse_basic;
use crate::error::RpcError;
use crate::named::{ArgName, positional};
use crate::protocol::{Body, Caller, Item};
use crate::request::Params;
use crate::value::{amount_from_value, parse_fixed_point};

/// Body of a request, up to arguments by position and the text of an answer.
pub fn fuzz_request_body(data: &[u8]) {
    let Ok(body) = Body::parse(data) else { return };
    let items = match body {
        Body::Single(call) => vec![Item::Call(call)],
        Body::Batch(items) => items,
        Body::Other => Vec::new(),
    };
    let names: Vec<ArgName> = [("a|b", false), ("c", true), ("options", false)]
        .map(|(names, named_only)| ArgName { names: names.to_owned(), named_only })
        .to_vec();
    let mut caller = Caller::default();
    for item in items {
        let Item::Call(call) = item else { continue };
        let answer = match caller.read(*call) {
            Ok((_, Params::Array(values))) => {
                for value in &values {
                    let _ = amount_from_value(value);
                }
                caller.answer(Ok("null"))
            }
            Ok((_, Params::Object(given))) => match positional(given, &names) {
                Ok(values) => {
                    assert!(values.len() <= names.len() || values.iter().any(|v| !v.is_null()));
                    caller.answer(Ok("null"))
                }
                Err(error) => caller.answer(Err(&error)),
            },
            Err(error) => caller.answer(Err(&error)),
        };
        assert!(serde_json::from_str::<serde_json::Value>(&answer).is_ok(), "answers are JSON");
        assert!(!RpcError::bug("x").message.is_empty());
    }
}

/// `Authorization` header.
pub fn fuzz_auth_header(data: &[u8]) {
    if let Some((user, password)) = parse_basic(data) {
        assert!(!user.contains(':'));
        assert!(user.len() + password.as_ref().len() <= data.len() * 3);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Some(amount) = parse_fixed_point(text, 8) {
            assert!(amount.unsigned_abs() < 1_000_000_000_000_000_000);
        }
        let _ = crate::subnet::Subnet::parse(text, false);
        let _ = crate::subnet::split_host_port(text, 1);
        let _ = crate::http::percent_decode(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes a few bytes of a sample, or cuts it, by a small generator of its own: equal on every run.
    fn mutations(samples: &[&[u8]], count: usize, target: fn(&[u8])) {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below.max(1) as u64) as usize
        };
        for sample in samples {
            target(sample);
            for _ in 0..count {
                let mut data = sample.to_vec();
                for _ in 0..=next(4) {
                    let at = next(data.len());
                    match next(4) {
                        0 => data.truncate(at),
                        1 => data.insert(at, b"{}[]\":,0e-\\u"[next(12)]),
                        2 if at < data.len() => data[at] = next(256) as u8,
                        _ if at < data.len() => drop(data.remove(at)),
                        _ => {}
                    }
                }
                target(&data);
            }
        }
    }

    #[test]
    fn request_bodies_never_panic() {
        let samples: [&[u8]; 7] = [
            br#"{"jsonrpc":"2.0","id":1,"method":"getblock","params":["00",1]}"#,
            br#"{"method":"x","params":{"a":1,"args":[0.00000001],"c":"\u00e4","options":{}},"id":null}"#,
            br#"[{"method":"a"},{"jsonrpc":"2.0","method":"b"},1,"x",[2],null,{}]"#,
            br#"{"method":"x","params":{"a":1,"a":2}}"#,
            b"1.5e3",
            b"[]",
            br#"{"params":1e9,"id":[[[[[[]]]]]]}"#,
        ];
        mutations(&samples, 3000, fuzz_request_body);
        let deep = "[".repeat(100_000);
        fuzz_request_body(deep.as_bytes());
    }

    #[test]
    fn auth_headers_never_panic() {
        let samples: [&[u8]; 7] = [
            b"Basic dXNlcjpwYXNz",
            b"Basic  OjpwYXNz ",
            b"Basic",
            b"1.2.3.0/24",
            b"[2001:db8::1]:1441",
            b"-20999999.99999999e-1",
            b"wallet%20name%",
        ];
        mutations(&samples, 3000, fuzz_auth_header);
    }
}
