//! The message catalogue: every text that a user reads, in one place.
//!
//! A text is a variant of [`Text`], one that depends on a number a variant of [`Count`]. English is compiled in
//! (`english.rs`); a translation is a file of `key = text` lines ([`Catalogue::parse`]), where a key that it lacks falls
//! back to English. Texts that the node or a wallet sends are shown as they come.

mod english;
mod plural;

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::OnceLock;

pub use english::{Count, Text};
pub use plural::{Category, Rule};

static CURRENT: OnceLock<Catalogue> = OnceLock::new();

/// A translation.
pub struct Catalogue {
    rule: Rule,
    texts: HashMap<String, String>,
}

/// A line that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct CatalogueError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

impl Catalogue {
    /// Reads a translation: lines `key = text`, for counts `key[category] = text`. Empty lines and those that begin
    /// with `#` mean nothing. A key that does not exist, or a placeholder that English does not have, is an error.
    pub fn parse(rule: Rule, source: &str) -> Result<Catalogue, CatalogueError> {
        let mut texts = HashMap::new();
        for (number, line) in source.lines().enumerate() {
            let fail = |problem: String| CatalogueError { line: number + 1, problem };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, text) = line.split_once('=').ok_or_else(|| fail("no equals sign".to_owned()))?;
            let (key, text) = (key.trim(), text.trim());
            let english = match key.strip_suffix(']').and_then(|key| key.split_once('[')) {
                Some((name, category)) => {
                    Category::from_name(category).ok_or_else(|| fail(format!("no category {category}")))?;
                    Count::ALL.iter().find(|count| count.key() == name).map(|count| count.english(2))
                }
                None => Text::ALL.iter().find(|text| text.key() == key).map(|text| text.english()),
            };
            let english = english.ok_or_else(|| fail(format!("no text {key}")))?;
            if let Some(extra) = placeholders(text).into_iter().find(|p| !placeholders(english).contains(p)) {
                return Err(fail(format!("no placeholder {{{extra}}} in {key}")));
            }
            texts.insert(key.to_owned(), text.to_owned());
        }
        Ok(Catalogue { rule, texts })
    }

    /// Uses this translation from now on; false if a language has been chosen already.
    pub fn install(self) -> bool {
        CURRENT.set(self).is_ok()
    }

    fn count(&self, count: Count, n: u64) -> Option<&str> {
        let find = |category: Category| self.texts.get(&format!("{}[{}]", count.key(), category.name()));
        find(self.rule.category(n)).or_else(|| find(Category::Other)).map(String::as_str)
    }
}

impl Text {
    /// The text in the user's language.
    pub fn s(self) -> &'static str {
        CURRENT.get().and_then(|c| c.texts.get(self.key())).map_or(self.english(), String::as_str)
    }

    /// The text with its placeholders filled in.
    pub fn with(self, values: &[(&str, &dyn Display)]) -> String {
        fill(self.s(), values)
    }
}

impl Count {
    /// The text for a number, which stands for `{n}`, with thin spaces between groups of digits.
    pub fn n(self, n: u64) -> String {
        self.with(n, &[])
    }

    /// The text for a number, with further placeholders filled in.
    pub fn with(self, n: u64, values: &[(&str, &dyn Display)]) -> String {
        let template = CURRENT.get().and_then(|c| c.count(self, n)).unwrap_or_else(|| self.english(n));
        let number = crate::format::number(n);
        let mut all: Vec<(&str, &dyn Display)> = vec![("n", &number)];
        all.extend_from_slice(values);
        fill(template, &all)
    }
}

/// Puts values in the place of `{name}`. Values are not looked at for further placeholders.
fn fill(template: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        let tail = &rest[start..];
        let found = tail.find('}').and_then(|end| {
            let value = values.iter().find(|(name, _)| *name == &tail[1..end])?;
            Some((value.1.to_string(), end + 1))
        });
        match found {
            Some((value, used)) => {
                out.push_str(&value);
                rest = &tail[used..];
            }
            None => {
                out.push('{');
                rest = &tail[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Names between braces.
fn placeholders(template: &str) -> Vec<&str> {
    template.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn values_are_put_in_once() {
        assert_eq!(fill("{a} {b} {c", &[("a", &"{b}"), ("b", &2)]), "{b} 2 {c");
        assert_eq!(fill("{x}", &[("a", &1)]), "{x}");
    }

    #[test]
    fn keys_are_unique_and_forms_alike() {
        let keys: BTreeSet<&str> =
            Text::ALL.iter().map(|t| t.key()).chain(Count::ALL.iter().map(|c| c.key())).collect();
        assert_eq!(keys.len(), Text::ALL.len() + Count::ALL.len());
        for text in Text::ALL {
            assert!(!text.english().is_empty(), "{}", text.key());
            assert_eq!(text.english(), text.english().trim(), "{}", text.key());
        }
        for count in Count::ALL {
            assert!(placeholders(count.english(2)).contains(&"n"), "{}", count.key());
        }
    }

    #[test]
    fn translations_are_checked() {
        let key = Count::ALL[0].key();
        let source = format!("# comment\n\n{key}[few] = {{n}} x\n{} = y\n", Text::ALL[0].key());
        let catalogue = Catalogue::parse(Rule::Slavic, &source).expect("it is well formed");
        assert_eq!(catalogue.count(Count::ALL[0], 3), Some("{n} x"));
        assert_eq!(catalogue.count(Count::ALL[0], 5), None);
        for (wrong, problem) in [
            ("x", "no equals sign"),
            ("no-such-key = x", "no text no-such-key"),
            (&format!("{key}[dozen] = x") as &str, "no category dozen"),
            (&format!("{} = {{zzz}}", Text::ALL[0].key()), "placeholder {zzz}"),
        ] {
            let error = Catalogue::parse(Rule::OneOther, wrong).err().expect("it is wrong");
            assert!(error.to_string().contains(problem), "{error}");
        }
    }
}
