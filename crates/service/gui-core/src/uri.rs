//! `groestlcoin:` URIs (BIP21).

use grs_params::Network;

use crate::amount::{Grouping, Style, Unit, format, parse};
use crate::texts::Text;
use crate::validate;

/// Scheme of the URIs.
pub const SCHEME: &str = "groestlcoin";
/// Longer texts are not looked at.
const LONGEST: usize = 8192;

/// What a URI asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentUri {
    /// Address.
    pub address: String,
    /// In gro; 0: not said.
    pub amount: i64,
    /// Label.
    pub label: String,
    /// Message.
    pub message: String,
}

/// Whether a text is meant as a URI of ours.
pub fn looks_like_uri(text: &str) -> bool {
    let text = text.trim();
    text.get(..SCHEME.len() + 1).is_some_and(|head| head.eq_ignore_ascii_case("groestlcoin:"))
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|d| d as u8)
}

fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                out.push(hex(*bytes.get(at + 1)?)? << 4 | hex(*bytes.get(at + 2)?)?);
                at += 2;
            }
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).ok()
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

impl PaymentUri {
    /// Reads a URI for a network; the error is for the user.
    pub fn parse(text: &str, network: Network) -> Result<PaymentUri, String> {
        let text = text.trim();
        let fail = |text: Text| Err(text.s().to_owned());
        if text.len() > LONGEST {
            return fail(Text::UriTooLong);
        }
        if !looks_like_uri(text) {
            return fail(Text::UriScheme);
        }
        let rest = &text[SCHEME.len() + 1..];
        if rest.starts_with("//") {
            return fail(Text::UriSlashes);
        }
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut out = PaymentUri {
            address: address.strip_suffix('/').unwrap_or(address).to_owned(),
            ..PaymentUri::default()
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(key), Some(value)) = (decode(key), decode(value)) else {
                return fail(Text::UriEncoding);
            };
            match key.as_str() {
                "amount" => {
                    // Plain decimals only: no spaces, no commas.
                    let plain = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                    out.amount = parse(Unit::Grs, if plain { &value } else { "?" })
                        .map_err(|e| Text::UriAmount.with(&[("amount", &value), ("reason", &e.text())]))?;
                }
                "label" => out.label = validate::free_text(&value)?,
                "message" => out.message = validate::free_text(&value)?,
                "r" if out.address.is_empty() => return fail(Text::UriBip70),
                other if other.starts_with("req-") => {
                    return Err(Text::UriRequired.with(&[("name", &other)]));
                }
                _ => {}
            }
        }
        validate::address(&out.address, network)?;
        Ok(out)
    }

    /// The URI.
    pub fn to_text(&self) -> String {
        // Upper case makes smaller QR codes, and means the same in bech32.
        let bech32 = self.address.rfind('1').is_some_and(|at| {
            matches!(&self.address[..at], "grs" | "tgrs" | "grsrt")
                && !self.address.bytes().any(|b| b.is_ascii_uppercase())
        });
        let address = if bech32 { self.address.to_ascii_uppercase() } else { self.address.clone() };
        let mut out = format!("{SCHEME}:{address}");
        let mut separator = '?';
        let mut add = |key: &str, value: &str| {
            if !value.is_empty() {
                out.push(separator);
                out.push_str(&format!("{key}={value}"));
                separator = '&';
            }
        };
        if self.amount > 0 {
            add("amount", &format(Unit::Grs, self.amount, Style { grouping: Grouping::Never, plus: false }));
        }
        add("label", &encode(&self.label));
        add("message", &encode(&self.message));
        out
    }
}

#[cfg(test)]
mod tests {
    use grs_descriptor::{Destination, encode_destination};
    use proptest::prelude::*;

    use super::*;

    fn address() -> String {
        encode_destination(
            &Destination::WitnessV0KeyHash(grs_hashes::Hash160::from_bytes([7; 20])),
            Network::Regtest,
        )
    }

    #[test]
    fn uris() {
        let address = address();
        let read = |rest: &str| PaymentUri::parse(&format!("groestlcoin:{address}{rest}"), Network::Regtest);
        let plain = PaymentUri { address: address.clone(), ..PaymentUri::default() };
        assert_eq!(read(""), Ok(plain.clone()));
        assert_eq!(read("/"), Ok(plain.clone()));
        assert_eq!(read("?"), Ok(plain.clone()));
        assert_eq!(read("?unknown=1&&x"), Ok(plain.clone()));
        assert_eq!(read("?r=https://x"), Ok(plain));
        let full = read("?amount=1.5&label=M%C3%BCller%20%26%20Co&message=a+b").unwrap();
        assert_eq!(
            (full.amount, full.label.as_str(), full.message.as_str()),
            (150_000_000, "Müller & Co", "a+b")
        );
        for (rest, text) in [
            ("?amount=1,5", Text::AmountNotANumber),
            ("?amount=", Text::AmountEmpty),
            ("?amount=-1", Text::AmountNotANumber),
            ("?label=%zz", Text::UriEncoding),
            ("?label=%f", Text::UriEncoding),
            ("?label=%ff", Text::UriEncoding),
        ] {
            assert!(read(rest).is_err_and(|e| e.contains(text.s())), "{rest}: {:?}", read(rest));
        }
        assert!(read("?req-x=1").is_err_and(|e| e.contains("req-x")));
        for (uri, text) in [
            ("groestlcoin://x", Text::UriSlashes),
            ("bitcoin:x", Text::UriScheme),
            ("", Text::UriScheme),
            ("groestlcoin:", Text::AddressEmpty),
            ("groestlcoin:?r=https://x", Text::UriBip70),
        ] {
            assert_eq!(PaymentUri::parse(uri, Network::Regtest), Err(text.s().to_owned()), "{uri}");
        }
        assert!(PaymentUri::parse(&"groestlcoin:".repeat(1000), Network::Regtest).is_err());
        assert!(looks_like_uri(" GROESTLCOIN:x") && !looks_like_uri("groestl"));
    }

    proptest! {
        #[test]
        fn uris_come_back(amount in 0..=grs_primitives::MAX_MONEY, label in "[^\\pC]{0,30}", message in "[^\\pC]{0,30}") {
            let uri = PaymentUri { address: address(), amount, label: label.trim().into(), message: message.trim().into() };
            let read = PaymentUri::parse(&uri.to_text(), Network::Regtest).unwrap();
            prop_assert_eq!(read.address.to_lowercase(), uri.address.clone());
            prop_assert_eq!(PaymentUri { address: uri.address.clone(), ..read }, uri);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = PaymentUri::parse(&format!("groestlcoin:{text}"), Network::Main);
        }
    }
}
