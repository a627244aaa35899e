//! From words of a command line to parameters of a call.

use grs_args::write_json;
use serde_json::Value;

use crate::CliError;
use crate::table::{Format, by_name, by_position};

/// Parameters of a call. Unlike a JSON map, an object keeps repeated names: the server complains about them.
#[derive(Debug, Clone, PartialEq)]
pub enum Params {
    /// By position.
    Array(Vec<Value>),
    /// By name.
    Object(Vec<(String, Value)>),
    /// None, for methods that take none.
    Null,
}

impl Params {
    /// JSON text.
    pub fn to_json(&self) -> String {
        match self {
            Params::Null => "null".to_owned(),
            Params::Array(values) => {
                let values: Vec<String> = values.iter().map(|v| write_json(v, 0)).collect();
                format!("[{}]", values.join(","))
            }
            Params::Object(pairs) => {
                let pair = |(name, value): &(String, Value)| {
                    format!("{}:{}", write_json(&Value::String(name.clone()), 0), write_json(value, 0))
                };
                let pairs: Vec<String> = pairs.iter().map(pair).collect();
                format!("{{{}}}", pairs.join(","))
            }
        }
    }
}

fn parse(word: &str, format: Option<Format>) -> Result<Value, CliError> {
    match format {
        None | Some(Format::Text) => Ok(word.into()),
        Some(format) => match serde_json::from_str(word) {
            Ok(value) => Ok(value),
            Err(_) if format == Format::JsonOrText => Ok(word.into()),
            Err(_) => Err(CliError::other(format!("Error parsing JSON: {word}"))),
        },
    }
}

/// Words as positional arguments.
pub fn positional(method: &str, words: &[String]) -> Result<Params, CliError> {
    let values = words.iter().enumerate().map(|(index, word)| parse(word, by_position(method, index)));
    values.collect::<Result<_, _>>().map(Params::Array)
}

/// Words as named arguments, `name=value`; words without equals sign are positional. So is a word whose name is not
/// that of a known argument, when the next position takes JSON and the word is JSON, or takes a string.
pub fn named(method: &str, words: &[String]) -> Result<Params, CliError> {
    let mut pairs: Vec<(String, Value)> = Vec::new();
    let mut args: Vec<Value> = Vec::new();
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            args.push(parse(word, by_position(method, args.len()))?);
            continue;
        };
        let format = by_name(method, name);
        if format.is_none() {
            let as_position = match by_position(method, args.len()) {
                Some(Format::Json) => serde_json::from_str(word).ok(),
                Some(Format::Text) => Some(word.as_str().into()),
                _ => None,
            };
            if let Some(value) = as_position {
                args.push(value);
                continue;
            }
        }
        let value = parse(value, format)?;
        // Later words win over earlier ones, so that scripts can add to a list of defaults.
        match pairs.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => pairs.push((name.to_owned(), value)),
        }
    }
    if !args.is_empty() {
        pairs.push(("args".to_owned(), Value::Array(args)));
    }
    Ok(Params::Object(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    fn by_pos(method: &str, list: &[&str]) -> String {
        positional(method, &words(list)).map_or_else(|e| e.to_string(), |p| p.to_json())
    }

    fn by_name(method: &str, list: &[&str]) -> String {
        named(method, &words(list)).map_or_else(|e| e.to_string(), |p| p.to_json())
    }

    #[test]
    fn positional_words() {
        assert_eq!(by_pos("getblockhash", &["1"]), "[1]");
        assert_eq!(by_pos("getblockhash", &["foo"]), "Error parsing JSON: foo");
        assert_eq!(by_pos("getblockhash", &[""]), "Error parsing JSON: ");
        assert_eq!(by_pos("echo", &["1", "x"]), r#"["1","x"]"#);
        assert_eq!(by_pos("echojson", &["1", "\"x\"", "1.50"]), r#"[1,"x",1.50]"#);
        assert_eq!(by_pos("getblockstats", &["7", "[\"x\"]"]), r#"[7,["x"]]"#);
        assert_eq!(by_pos("getblockstats", &["00ab"]), r#"["00ab"]"#);
    }

    #[test]
    fn named_words() {
        assert_eq!(
            by_name("echo", &["arg0=0", "arg1=1", "arg2=2", "arg1=3"]),
            r#"{"arg0":"0","arg1":"3","arg2":"2"}"#
        );
        assert_eq!(by_name("echo", &["args=[0]", "4"]), r#"{"args":"[0]","args":["4"]}"#);
        assert_eq!(by_name("echojson", &[r#"["key=value"]"#]), r#"{"args":[["key=value"]]}"#);
        assert_eq!(by_name("echojson", &[r#"["data=test"]"#, "42"]), r#"{"args":[["data=test"],42]}"#);
        assert_eq!(
            by_name("echojson", &[r#"arg0=["data=test"]"#, "arg1=42"]),
            r#"{"arg0":["data=test"],"arg1":42}"#
        );
        assert_eq!(by_name("createwallet", &["my=wallet"]), r#"{"args":["my=wallet"]}"#);
        assert_eq!(
            by_name("createwallet", &["wallet_name=w", "blank=true"]),
            r#"{"wallet_name":"w","blank":true}"#
        );
        assert_eq!(by_name("getblockhash", &["height=x"]), "Error parsing JSON: x");
        assert_eq!(by_name("help", &[]), "{}");
    }
}
