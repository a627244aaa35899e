//! The console's language: `method arg arg`, `method(arg, other(arg)[key])[index]`.
//!
//! Words are separated by spaces or commas. A word directly before `(` is a nested call, whose result becomes the
//! argument. `[key]` and `[index]` behind `)` take a part of a result. Single quotes keep everything as it is, double
//! quotes know `\"` and `\\`; outside quotes a backslash takes the next character as it is.

use grs_rpc_client::convert;
use serde_json::Value;

use crate::texts::Text;

/// Calls nested deeper than this are refused.
const DEEPEST: usize = 32;

/// Why a line could not be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsoleError {
    /// It does not follow the rules.
    #[error("{0}")]
    Syntax(String),
    /// A method failed.
    #[error("{0}")]
    Call(String),
}

/// An argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A word.
    Word(String),
    /// The result of a call.
    Call(Call),
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Call {
    /// Method.
    pub(crate) method: String,
    /// Arguments.
    pub(crate) args: Vec<Step>,
    /// Parts to take of the result, from left to right.
    pub(crate) queries: Vec<String>,
    /// Bytes of the line that hold the arguments, parentheses and spaces before them included.
    pub(crate) span: std::ops::Range<usize>,
}

/// Runs one method with JSON parameters and answers the JSON text of the result.
pub type Executor<'a> = dyn FnMut(&str, &str) -> Result<String, String> + 'a;

fn syntax(text: Text) -> ConsoleError {
    ConsoleError::Syntax(text.s().to_owned())
}

struct Parser<'a> {
    line: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.line[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// A word; `None` where there is none. Parentheses and separators end it.
    fn word(&mut self) -> Result<Option<String>, ConsoleError> {
        let mut out: Option<String> = None;
        while let Some(c) = self.peek() {
            match c {
                '(' | ')' | ',' => break,
                c if c.is_whitespace() => break,
                _ => {}
            }
            self.next();
            let word = out.get_or_insert_default();
            match c {
                '\'' | '"' => self.quoted(c, word)?,
                '\\' => word.push(self.next().ok_or_else(|| syntax(Text::ConsoleLoneBackslash))?),
                c => word.push(c),
            }
        }
        Ok(out)
    }

    fn quoted(&mut self, quote: char, word: &mut String) -> Result<(), ConsoleError> {
        loop {
            match self.next().ok_or_else(|| syntax(Text::ConsoleOpenQuote))? {
                c if c == quote => return Ok(()),
                '\\' if quote == '"' => {
                    let c = self.next().ok_or_else(|| syntax(Text::ConsoleOpenQuote))?;
                    // Only these two are escapes; JSON in quotes keeps its own.
                    if c != '"' && c != '\\' {
                        word.push('\\');
                    }
                    word.push(c);
                }
                c => word.push(c),
            }
        }
    }

    /// What follows a method's name.
    fn call(&mut self, method: String, depth: usize) -> Result<Call, ConsoleError> {
        if depth > DEEPEST {
            return Err(syntax(Text::ConsoleTooDeep));
        }
        let start = self.at;
        let mut call = Call { method, ..Call::default() };
        if self.peek() == Some('(') {
            self.next();
            call.args = self.args(true, depth)?;
            if self.next() != Some(')') {
                return Err(syntax(Text::ConsoleOpenParenthesis));
            }
            call.span = start..self.at;
            while self.peek() == Some('[') {
                self.next();
                let rest = &self.line[self.at..];
                let end = rest.find(']').ok_or_else(|| syntax(Text::ConsoleOpenBracket))?;
                call.queries.push(rest[..end].trim().to_owned());
                self.at += end + 1;
            }
        } else {
            call.args = self.args(false, depth)?;
            call.span = start..self.at;
        }
        Ok(call)
    }

    fn args(&mut self, inside: bool, depth: usize) -> Result<Vec<Step>, ConsoleError> {
        let mut out = Vec::new();
        // Whether a comma stands before, which needs an argument behind it.
        let mut comma = false;
        loop {
            self.skip_spaces();
            match self.peek() {
                Some(',') if comma || out.is_empty() => return Err(syntax(Text::ConsoleEmptyArgument)),
                Some(',') => {
                    self.next();
                    comma = true;
                    continue;
                }
                None | Some(')') if comma => return Err(syntax(Text::ConsoleEmptyArgument)),
                None => return Ok(out),
                Some(')') if inside => return Ok(out),
                Some('(' | ')') => return Err(syntax(Text::ConsoleStrayParenthesis)),
                Some(_) => {}
            }
            let Some(word) = self.word()? else { return Err(syntax(Text::ConsoleStrayParenthesis)) };
            let nested = self.peek() == Some('(') && !word.is_empty();
            out.push(if nested { Step::Call(self.call(word, depth + 1)?) } else { Step::Word(word) });
            comma = false;
        }
    }
}

/// Reads a line; `None` if there is nothing on it.
pub(crate) fn parse(line: &str) -> Result<Option<Call>, ConsoleError> {
    let mut parser = Parser { line, at: 0 };
    parser.skip_spaces();
    let Some(method) = parser.word()?.filter(|word| !word.is_empty()) else {
        return if parser.at == line.len() { Ok(None) } else { Err(syntax(Text::ConsoleStrayParenthesis)) };
    };
    let call = parser.call(method, 0)?;
    parser.skip_spaces();
    match parser.at == line.len() {
        true => Ok(Some(call)),
        false => Err(syntax(Text::ConsoleTrailing)),
    }
}

/// A JSON value as an argument, or as the answer: texts without quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

fn query(value: Value, key: &str) -> Result<Value, ConsoleError> {
    match value {
        Value::Array(mut items) => {
            let index: usize = key.parse().map_err(|_| syntax(Text::ConsoleBadQuery))?;
            Ok(if index < items.len() { items.swap_remove(index) } else { Value::Null })
        }
        Value::Object(mut members) => Ok(members.remove(key).unwrap_or_default()),
        _ => Err(syntax(Text::ConsoleBadQuery)),
    }
}

fn execute(call: &Call, executor: &mut Executor<'_>) -> Result<Value, ConsoleError> {
    let mut words = Vec::with_capacity(call.args.len());
    for arg in &call.args {
        words.push(match arg {
            Step::Word(word) => word.clone(),
            Step::Call(inner) => shown(&execute(inner, executor)?),
        });
    }
    let params =
        convert::positional(&call.method, &words).map_err(|e| ConsoleError::Call(e.to_string()))?.to_json();
    let answer = executor(&call.method, &params).map_err(ConsoleError::Call)?;
    let mut value: Value = serde_json::from_str(&answer).map_err(|e| ConsoleError::Call(e.to_string()))?;
    for key in &call.queries {
        value = query(value, key)?;
    }
    Ok(value)
}

/// Runs a line; the answer is a text, or indented JSON. Nothing is run if the line is not well formed.
pub fn run(line: &str, executor: &mut Executor<'_>) -> Result<String, ConsoleError> {
    match parse(line)? {
        Some(call) => Ok(shown(&execute(&call, executor)?)),
        None => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A node that repeats what it is asked, and has a chain of one block.
    fn answer(method: &str, params: &str) -> Result<String, String> {
        match method {
            "echo" => Ok(params.to_owned()),
            "getbestblockhash" => Ok("\"00ff\"".to_owned()),
            "getblock" => Ok(format!("{{\"hash\":\"00ff\",\"tx\":[\"aa\",\"bb\"],\"asked\":{params}}}")),
            other => Err(format!("no method {other}")),
        }
    }

    fn ran(line: &str) -> String {
        match run(line, &mut answer) {
            Ok(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Err(e) => format!("error: {e}"),
        }
    }

    #[test]
    fn words_quotes_and_separators() {
        for (line, expected) in [
            ("echo", "[]"),
            ("  echo  ", "[]"),
            ("echo()", "[]"),
            ("echo ''", "[ \"\" ]"),
            ("echo \"\"", "[ \"\" ]"),
            ("echo x  y\tz", "[ \"x\", \"y\", \"z\" ]"),
            ("echo(x )", "[ \"x\" ]"),
            ("echo(  x  ,  y )", "[ \"x\", \"y\" ]"),
            ("echo x,y", "[ \"x\", \"y\" ]"),
            ("echo 'a b'\"c d\"e", "[ \"a bc de\" ]"),
            ("echo \"a \\\" \\\\ \\n\"", "[ \"a \\\" \\\\ \\\\n\" ]"),
            ("echo a\\ b\\(", "[ \"a b(\" ]"),
            ("echo [] {}", "[ \"[]\", \"{}\" ]"),
            ("", ""),
        ] {
            assert_eq!(ran(line), expected, "{line}");
        }
    }

    #[test]
    fn nested_calls_and_parts_of_results() {
        assert_eq!(ran("getblock(getbestblockhash())[tx][1]"), "bb");
        assert_eq!(ran("getblock( getblock(getbestblockhash())[hash], true )[asked][1]"), "true");
        assert_eq!(
            ran("getblock getbestblockhash() 1"),
            "{ \"hash\": \"00ff\", \"tx\": [ \"aa\", \"bb\" ], \"asked\": [ \"00ff\", 1 ] }"
        );
        assert_eq!(ran("getblock(x)[tx][7]"), "null");
        assert_eq!(ran("getblock(x)[\"tx\"]"), "null");
        assert_eq!(ran("echo(x)[0][0]"), format!("error: {}", Text::ConsoleBadQuery.s()));
        assert_eq!(ran("getblock(x)[tx][-1]"), format!("error: {}", Text::ConsoleBadQuery.s()));
    }

    #[test]
    fn wrong_lines_run_nothing() {
        for line in [
            "echo(x,,y)",
            "echo x,,y",
            "echo(,x)",
            "echo(x,)",
            "echo x,",
            "echo(",
            "echo)",
            "echo(x))",
            "echo() echo()",
            "echo() .",
            "echo 'x",
            "echo \"x",
            "echo x\\",
            "echo()[0",
            "(x)",
            "echo (x)",
            ")",
        ] {
            let mut calls = 0;
            let result = run(line, &mut |_, _| {
                calls += 1;
                Ok("1".into())
            });
            assert!(matches!(result, Err(ConsoleError::Syntax(_))), "{line}: {result:?}");
            assert_eq!(calls, 0, "{line}");
        }
        assert!(ran(&"echo(".repeat(100)).starts_with("error"));
        assert_eq!(ran("nosuch(getbestblockhash())"), "error: no method nosuch");
    }

    proptest! {
        #[test]
        fn any_line_is_run_or_refused(line in "[a-c()\\[\\], '\"\\\\é\n]{0,40}") {
            let _ = run(&line, &mut |_, _| Ok("[[1]]".into()));
        }

        #[test]
        fn quoted_words_come_through(word in "[^']{0,20}") {
            let line = format!("echo '{word}'");
            let result = run(&line, &mut answer);
            prop_assert_eq!(result, Ok(serde_json::to_string_pretty(&serde_json::json!([word])).unwrap()));
        }
    }
}
