//! Options that change the terms of a network. Reference: `src/chainparams.cpp`.

use thiserror::Error;

use crate::{BuriedDeployment, DeploymentPos, Network};

/// Why an option was refused. The texts are the reference's.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ParamsError {
    /// More than one challenge.
    #[error("-signetchallenge cannot be multiple values.")]
    MultipleChallenges,
    /// The challenge is not hexadecimal.
    #[error("-signetchallenge must be hex, not '{0}'.")]
    ChallengeNotHex(String),
    /// No `@` in an activation height.
    #[error("Invalid format ({0}) for -testactivationheight=name@height.")]
    ActivationFormat(String),
    /// The height is no number from 0 to 2^31 - 2.
    #[error("Invalid height value ({0}) for -testactivationheight=name@height.")]
    ActivationHeight(String),
    /// No deployment of this name.
    #[error("Invalid name ({0}) for -testactivationheight=name@height.")]
    ActivationName(String),
    /// Not three or four parts.
    #[error("Version bits parameters malformed, expecting deployment:start:end[:min_activation_height]")]
    VersionBitsFormat,
    /// The start time is no number.
    #[error("Invalid nStartTime ({0})")]
    StartTime(String),
    /// The timeout is no number.
    #[error("Invalid nTimeout ({0})")]
    Timeout(String),
    /// The least activation height is no number.
    #[error("Invalid min_activation_height ({0})")]
    MinActivationHeight(String),
    /// No version bits deployment of this name.
    #[error("Invalid deployment ({0})")]
    Deployment(String),
}

/// What makes a custom signet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SignetOptions {
    /// Block script; the default network's when absent.
    pub challenge: Option<Vec<u8>>,
    /// Seed nodes that replace the built-in ones.
    pub seeds: Option<Vec<String>>,
}

impl SignetOptions {
    /// From the values of `-signetchallenge` and `-signetseednode`.
    pub fn parse(challenges: &[String], seeds: &[String]) -> Result<SignetOptions, ParamsError> {
        let challenge = match challenges {
            [] => None,
            [text] => Some(parse_hex(text).ok_or_else(|| ParamsError::ChallengeNotHex(text.clone()))?),
            _ => return Err(ParamsError::MultipleChallenges),
        };
        Ok(SignetOptions { challenge, seeds: (!seeds.is_empty()).then(|| seeds.to_vec()) })
    }
}

/// Terms of a deployment given by `-vbparams`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VersionBitsParameters {
    /// Which deployment.
    pub deployment: DeploymentPos,
    /// Median time past of the start, or a special value of [`crate::Bip9Deployment`].
    pub start_time: i64,
    /// Median time past of the timeout.
    pub timeout: i64,
    /// Least height of activation.
    pub min_activation_height: i32,
}

/// What tests change on regtest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RegtestOptions {
    /// Terms of version bits deployments, in the order given; the last one of a deployment counts.
    pub version_bits: Vec<VersionBitsParameters>,
    /// Heights of buried deployments; the last one of a deployment counts.
    pub activation_heights: Vec<(BuriedDeployment, i32)>,
    /// Small block files and pruning from height 100 on.
    pub fastprune: bool,
}

impl RegtestOptions {
    /// From the values of `-testactivationheight`, `-vbparams` and `-fastprune`. (`-test=bip94` has no effect
    /// in the reference.)
    pub fn parse(
        activation_heights: &[String],
        vbparams: &[String],
        fastprune: bool,
    ) -> Result<RegtestOptions, ParamsError> {
        let activation_heights =
            activation_heights.iter().map(|a| parse_activation(a)).collect::<Result<_, _>>()?;
        let version_bits = vbparams.iter().map(|v| parse_version_bits(v)).collect::<Result<_, _>>()?;
        Ok(RegtestOptions { version_bits, activation_heights, fastprune })
    }
}

/// All options that [`crate::ChainParams`] depends on. Those of other networks are ignored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ParamsOptions {
    /// For [`Network::Signet`].
    pub signet: SignetOptions,
    /// For [`Network::Regtest`].
    pub regtest: RegtestOptions,
}

impl ParamsOptions {
    /// What the reference logs when it applies these options.
    pub fn log_lines(&self, network: Network) -> Vec<String> {
        match network {
            Network::Signet => self
                .signet
                .challenge
                .iter()
                .map(|c| format!("Signet with challenge {}", grs_encoding::hex_encode(c)))
                .collect(),
            Network::Regtest => self
                .regtest
                .version_bits
                .iter()
                .map(|v| {
                    format!(
                        "Setting version bits activation parameters for {} to start={}, timeout={}, \
                         min_activation_height={}",
                        v.deployment.name(),
                        v.start_time,
                        v.timeout,
                        v.min_activation_height
                    )
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A decimal number with an optional minus and nothing else (reference: `ToIntegral`).
fn to_integral<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

/// Bytes of a text that may have white space between them (reference: `TryParseHex`).
fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut chars = text.bytes().peekable();
    loop {
        while chars.next_if(|c| matches!(c, b' ' | b'\x0c' | b'\n' | b'\r' | b'\t' | b'\x0b')).is_some() {}
        let Some(high) = chars.next() else { return Some(out) };
        let digits = [high, chars.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        out.extend(grs_encoding::hex_decode(digits).ok()?);
    }
}

fn parse_activation(arg: &str) -> Result<(BuriedDeployment, i32), ParamsError> {
    let (name, height) = arg.split_once('@').ok_or_else(|| ParamsError::ActivationFormat(arg.to_owned()))?;
    let height = to_integral::<i32>(height)
        .filter(|h| *h >= 0 && *h < i32::MAX)
        .ok_or_else(|| ParamsError::ActivationHeight(arg.to_owned()))?;
    let deployment = BuriedDeployment::from_option_name(name)
        .ok_or_else(|| ParamsError::ActivationName(arg.to_owned()))?;
    Ok((deployment, height))
}

fn parse_version_bits(arg: &str) -> Result<VersionBitsParameters, ParamsError> {
    let parts: Vec<&str> = arg.split(':').collect();
    let (name, start, end, height) = match parts[..] {
        [name, start, end] => (name, start, end, None),
        [name, start, end, height] => (name, start, end, Some(height)),
        _ => return Err(ParamsError::VersionBitsFormat),
    };
    let number = |text: &str, error: fn(String) -> ParamsError| {
        to_integral::<i64>(text).ok_or_else(|| error(text.to_owned()))
    };
    let start_time = number(start, ParamsError::StartTime)?;
    let timeout = number(end, ParamsError::Timeout)?;
    let min_activation_height = match height {
        // The reference stores the number in an int.
        Some(text) => number(text, ParamsError::MinActivationHeight)? as i32,
        None => 0,
    };
    let deployment =
        DeploymentPos::from_name(name).ok_or_else(|| ParamsError::Deployment(name.to_owned()))?;
    Ok(VersionBitsParameters { deployment, start_time, timeout, min_activation_height })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(values: &[&str]) -> Vec<String> {
        values.iter().map(|v| (*v).to_owned()).collect()
    }

    #[test]
    fn activation_heights() {
        let parse = |v: &str| RegtestOptions::parse(&list(&[v]), &[], false).map(|o| o.activation_heights);
        assert_eq!(parse("segwit@432"), Ok(vec![(BuriedDeployment::Segwit, 432)]));
        assert_eq!(parse("dersig@0"), Ok(vec![(BuriedDeployment::Dersig, 0)]));
        assert_eq!(
            parse("bip34").unwrap_err().to_string(),
            "Invalid format (bip34) for -testactivationheight=name@height."
        );
        for bad in ["bip34@-2", "bip34@2147483647", "bip34@+1", "bip34@", "bip34@1 ", "csv@1@2"] {
            assert_eq!(parse(bad), Err(ParamsError::ActivationHeight(bad.to_owned())));
        }
        assert_eq!(parse("invalid@1"), Err(ParamsError::ActivationName("invalid@1".to_owned())));
    }

    #[test]
    fn version_bits() {
        let parse = |v: &str| RegtestOptions::parse(&[], &list(&[v]), false).map(|o| o.version_bits[0]);
        let dummy = VersionBitsParameters {
            deployment: DeploymentPos::TestDummy,
            start_time: -2,
            timeout: i64::MAX,
            min_activation_height: 0,
        };
        assert_eq!(parse("testdummy:-2:9223372036854775807"), Ok(dummy));
        assert_eq!(
            parse("testdummy:-2:9223372036854775807:403"),
            Ok(VersionBitsParameters { min_activation_height: 403, ..dummy })
        );
        assert_eq!(parse("testdummy:1"), Err(ParamsError::VersionBitsFormat));
        assert_eq!(parse("testdummy:1:2:3:4"), Err(ParamsError::VersionBitsFormat));
        assert_eq!(parse("testdummy:x:2"), Err(ParamsError::StartTime("x".to_owned())));
        assert_eq!(parse("testdummy:1:"), Err(ParamsError::Timeout(String::new())));
        assert_eq!(parse("testdummy:1:2:z"), Err(ParamsError::MinActivationHeight("z".to_owned())));
        assert_eq!(parse("segwit:1:2"), Err(ParamsError::Deployment("segwit".to_owned())));
    }

    #[test]
    fn signet_challenge() {
        let parse = |v: &[&str]| SignetOptions::parse(&list(v), &[]).map(|o| o.challenge);
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(parse(&["51"]), Ok(Some(vec![0x51])));
        assert_eq!(parse(&[" 51 00\t"]), Ok(Some(vec![0x51, 0])));
        assert_eq!(parse(&[""]), Ok(Some(vec![])));
        for bad in ["5", "5 1", "xx", "é"] {
            assert_eq!(parse(&[bad]), Err(ParamsError::ChallengeNotHex(bad.to_owned())));
        }
        assert_eq!(parse(&["51", "51"]), Err(ParamsError::MultipleChallenges));
    }
}
