//! Checks of what users type. Each error is the text that stands beside the field.

use grs_descriptor::{Destination, decode_destination, script_for_destination};
use grs_interfaces::gui::FeeLevels;
use grs_params::Network;
use grs_policy::{FeeRate, dust_threshold};
use grs_primitives::{Amount, TxOut};

use crate::amount::{Unit, format_with_unit, is_blank, parse_positive};
use crate::format;
use crate::texts::Text;

/// Longest label, message and wallet name, in bytes.
pub const LONGEST_TEXT: usize = 1000;
/// Longest name of a wallet, in bytes: file systems allow no more.
pub const LONGEST_NAME: usize = 200;
/// The network's dust rate, in gro per 1,000 virtual bytes.
const DUST_RATE: i64 = 3000;

/// An address without what people paste along: spaces of any width.
pub fn clean_address(text: &str) -> String {
    text.chars().filter(|c| !is_blank(*c)).collect()
}

/// Reads an address of a network.
pub fn address(text: &str, network: Network) -> Result<Destination, String> {
    let text = clean_address(text);
    if text.is_empty() {
        return Err(Text::AddressEmpty.s().to_owned());
    }
    match decode_destination(&text, network) {
        Ok(destination) => Ok(destination),
        Err(error) => {
            let other =
                Network::ALL.into_iter().find(|n| *n != network && decode_destination(&text, *n).is_ok());
            Err(match other {
                Some(other) => Text::AddressOtherNetwork.with(&[("network", &network_name(other))]),
                None => Text::AddressInvalid.with(&[("reason", &error)]),
            })
        }
    }
}

/// Name of a network for users.
pub fn network_name(network: Network) -> &'static str {
    match network {
        Network::Main => Text::NetworkMain.s(),
        Network::Test => Text::NetworkTest.s(),
        Network::Testnet4 => Text::NetworkTestnet4.s(),
        Network::Signet => Text::NetworkSignet.s(),
        Network::Regtest => Text::NetworkRegtest.s(),
    }
}

/// Reads an amount to pay: above zero, and not so small that nobody relays it.
pub fn payment(text: &str, unit: Unit, to: Option<&Destination>) -> Result<i64, String> {
    let gro = parse_positive(unit, text).map_err(|e| e.text())?;
    if let Some(destination) = to {
        let out = TxOut { value: Amount(gro), script_pubkey: script_for_destination(destination) };
        let least = dust_threshold(&out, FeeRate::per_kvb(DUST_RATE)).0;
        if gro < least {
            return Err(Text::AmountDust.with(&[("least", &format_with_unit(unit, least))]));
        }
    }
    Ok(gro)
}

/// Reads an amount to ask for: empty means any.
pub fn request_amount(text: &str, unit: Unit) -> Result<i64, String> {
    match clean_address(text).is_empty() {
        true => Ok(0),
        false => parse_positive(unit, text).map_err(|e| e.text()),
    }
}

/// Reads a fee rate in gro per virtual byte, with up to three decimals; the answer is per 1,000 virtual bytes.
pub fn fee_rate(text: &str, levels: Option<&FeeLevels>) -> Result<u64, String> {
    let text: String = clean_address(text).replace(',', ".");
    if text.is_empty() {
        return Err(Text::FeeRateEmpty.s().to_owned());
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(Text::FeeRateNotANumber.s().to_owned());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 3 {
        return Err(Text::FeeRateTooPrecise.s().to_owned());
    }
    let rate = format!("0{whole}{fraction:0<3}").parse::<u64>().unwrap_or(u64::MAX);
    let least = levels.map_or(1, |levels| levels.required.max(1));
    if rate < least {
        return Err(Text::FeeRateTooLow.with(&[("least", &format::fee_rate(least))]));
    }
    // One virtual byte at this rate must not cost more than a whole payment may.
    let most =
        levels.map_or(10_000_000, |levels| (levels.max_fee.max(0) as u64).saturating_mul(10)).max(least);
    if rate > most {
        return Err(Text::FeeRateTooHigh.with(&[("most", &format::fee_rate(most))]));
    }
    Ok(rate)
}

/// Checks a label or message.
pub fn free_text(text: &str) -> Result<String, String> {
    let trimmed = text.trim();
    if trimmed.len() > LONGEST_TEXT {
        return Err(Text::TextTooLong.with(&[("most", &LONGEST_TEXT)]));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(Text::TextControl.s().to_owned());
    }
    Ok(trimmed.to_owned())
}

/// Checks the name of a new wallet. `taken` are the names in the wallet directory.
pub fn wallet_name(text: &str, taken: &[&str]) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() {
        return Err(Text::WalletNameEmpty.s().to_owned());
    }
    if name.len() > LONGEST_NAME {
        return Err(Text::TextTooLong.with(&[("most", &LONGEST_NAME)]));
    }
    if name.chars().any(|c| c.is_control() || "/\\:*?\"<>|".contains(c)) || name == "." || name == ".." {
        return Err(Text::WalletNameCharacters.s().to_owned());
    }
    if taken.contains(&name) {
        return Err(Text::WalletNameTaken.s().to_owned());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn regtest_address() -> String {
        let destination = Destination::WitnessV0KeyHash(grs_hashes::Hash160::from_bytes([7; 20]));
        grs_descriptor::encode_destination(&destination, Network::Regtest)
    }

    #[test]
    fn addresses() {
        let text = regtest_address();
        assert!(address(&format!(" \u{200b}{text}\n"), Network::Regtest).is_ok());
        assert_eq!(address("  ", Network::Regtest), Err(Text::AddressEmpty.s().to_owned()));
        assert!(address(&text, Network::Main).is_err_and(|e| e.contains(Text::NetworkRegtest.s())));
        let mut broken = text.clone();
        broken.replace_range(text.len() - 1.., if text.ends_with('q') { "p" } else { "q" });
        assert!(address(&broken, Network::Regtest).is_err());
        assert!(address("x", Network::Regtest).is_err());
    }

    #[test]
    fn amounts_that_nobody_relays() {
        let to = address(&regtest_address(), Network::Regtest).unwrap();
        assert!(payment("293", Unit::Gro, Some(&to)).is_err_and(|e| e.contains("294 gro")));
        assert_eq!(payment("294", Unit::Gro, Some(&to)), Ok(294));
        assert_eq!(payment("1", Unit::Gro, None), Ok(1));
        assert!(payment("0", Unit::Gro, None).is_err());
        assert_eq!(request_amount(" ", Unit::Grs), Ok(0));
        assert_eq!(request_amount("0.5", Unit::MilliGrs), Ok(50_000));
        assert!(request_amount("0", Unit::Grs).is_err());
    }

    #[test]
    fn fee_rates() {
        let levels = FeeLevels { required: 1000, max_fee: 10_000_000, ..FeeLevels::default() };
        let rate = |text| fee_rate(text, Some(&levels));
        assert_eq!(rate("1"), Ok(1000));
        assert_eq!(rate("1,234"), Ok(1234));
        assert_eq!(rate("12.5000"), Ok(12_500));
        for text in
            ["", "x", ".", "1.2345", "0.999", "-1", "1000001", "99999999999999999999999", "1 e", "1.2.3"]
        {
            assert!(rate(text).is_err(), "{text}");
        }
        assert!(rate("0.5").is_err_and(|e| e.contains("1 gro/vB")));
        assert_eq!(fee_rate("0.001", None), Ok(1));
    }

    #[test]
    fn names_and_texts() {
        assert_eq!(wallet_name(" Savings ", &["x"]), Ok("Savings".into()));
        for name in ["", "  ", "a/b", "..", "x", "a\nb", &"x".repeat(300)] {
            assert!(wallet_name(name, &["x"]).is_err(), "{name}");
        }
        assert_eq!(free_text(" Müller "), Ok("Müller".into()));
        assert!(free_text("a\u{7}b").is_err());
        assert!(free_text(&"x".repeat(1001)).is_err());
    }

    proptest! {
        #[test]
        fn rates_that_are_shown_can_be_read(rate in 1000_u64..10_000_000) {
            prop_assert_eq!(fee_rate(&format::rate_field(rate), None), Ok(rate));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,60}") {
            let _ = address(&text, Network::Main);
            let _ = fee_rate(&text, None);
            let _ = payment(&text, Unit::Grs, None);
            let _ = free_text(&text);
            let _ = wallet_name(&text, &[]);
        }
    }
}
