//! JSON text in the reference's layout (`univalue_write.cpp`): an empty list or object takes two lines when indented.

use std::fmt::Write as _;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::Value;

/// Text of a value. `indent` is the number of spaces of one level; 0 writes one line without spaces.
pub fn write_json(value: &Value, indent: usize) -> String {
    let mut out = String::new();
    write_value(&mut out, value, indent, 1);
    out
}

fn write_value(out: &mut String, value: &Value, indent: usize, level: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            let entries = items.iter().map(|item| (None, item));
            write_block(out, ['[', ']'], entries, indent, level);
        }
        Value::Object(map) => {
            let entries = map.iter().map(|(key, item)| (Some(key.as_str()), item));
            write_block(out, ['{', '}'], entries, indent, level);
        }
    }
}

fn write_block<'a>(
    out: &mut String,
    brackets: [char; 2],
    entries: impl ExactSizeIterator<Item = (Option<&'a str>, &'a Value)>,
    indent: usize,
    level: usize,
) {
    let line = |out: &mut String, level: usize| {
        if indent > 0 {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * level));
        }
    };
    out.push(brackets[0]);
    for (n, (key, item)) in entries.enumerate() {
        if n > 0 {
            out.push(',');
        }
        line(out, level);
        if let Some(key) = key {
            write_text(out, key);
            out.push_str(if indent > 0 { ": " } else { ":" });
        }
        write_value(out, item, indent, level + 1);
    }
    line(out, level - 1);
    out.push(brackets[1]);
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || c == '\x7f' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Entries of the outermost object in their order, with repeated keys, which a map would lose.
pub(crate) fn object_entries(text: &str) -> Option<Vec<(String, Value)>> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<(String, Value)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }

    let mut reader = serde_json::Deserializer::from_str(text);
    let entries = reader.deserialize_map(Entries).ok()?;
    reader.end().ok()?;
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn layout() {
        let value = json!({"a": [], "b": {}, "c": [1, "x\u{7f}\u{1}\"\\\n/ä"], "d": {"e": null}, "f": true});
        assert_eq!(
            write_json(&value, 4),
            "{\n    \"a\": [\n    ],\n    \"b\": {\n    },\n    \"c\": [\n        1,\n        \
             \"x\\u007f\\u0001\\\"\\\\\\n/ä\"\n    ],\n    \"d\": {\n        \"e\": null\n    },\n    \"f\": \
             true\n}"
        );
        assert_eq!(
            write_json(&value, 0),
            "{\"a\":[],\"b\":{},\"c\":[1,\"x\\u007f\\u0001\\\"\\\\\\n/ä\"],\"d\":{\"e\":null},\"f\":true}"
        );
    }

    #[test]
    fn numbers_keep_their_text() {
        let text = "[1.50,1e5,123456789012345678901234567890]";
        let value: Value = serde_json::from_str(text).unwrap();
        // The reader normalizes exponents only in sign and case.
        assert_eq!(write_json(&value, 0), text.replace("1e5", "1e+5"));
    }

    #[test]
    fn repeated_keys_are_seen() {
        let entries = object_entries(r#" {"a": 1, "b": {"c": 2}, "a": 3} "#).unwrap();
        assert_eq!(entries.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a", "b", "a"]);
        assert_eq!(object_entries("{} x"), None);
        assert_eq!(object_entries("[]"), None);
        assert_eq!(object_entries(""), None);
    }
}
