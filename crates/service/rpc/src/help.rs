//! Help texts in the layout of the reference (`rpc/util.cpp`): summary line, description, arguments, results, examples.

use serde_json::{Map, Value};

use crate::method::{Arg, ArgType, Fallback, Method, Res, ResType};

/// Command-line example: a line with prompt.
pub fn example_cli(method: &str, args: &str) -> String {
    format!("> groestlcoin-cli {method} {args}\n")
}

/// HTTP example; `args` is the inside of a JSON array.
pub fn example_rpc(method: &str, args: &str) -> String {
    curl(method, &format!("[{args}]"))
}

/// Command-line example with named arguments.
pub fn example_cli_named(method: &str, args: &[(&str, Value)]) -> String {
    let mut line = format!("> groestlcoin-cli -named {method}");
    for (name, value) in args {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        line.push_str(&format!(" {name}={}", quote_for_shell(&text)));
    }
    line.push('\n');
    line
}

/// HTTP example with named arguments.
pub fn example_rpc_named(method: &str, args: &[(&str, Value)]) -> String {
    let params: Map<String, Value> = args.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    curl(method, &Value::Object(params).to_string())
}

fn curl(method: &str, params: &str) -> String {
    format!(
        "> curl --user myusername --data-binary '{{\"jsonrpc\": \"2.0\", \"id\": \"curltest\", \"method\": \"{method}\", \
         \"params\": {params}}}' -H 'content-type: application/json' http://127.0.0.1:1441/\n"
    )
}

fn quote_for_shell(text: &str) -> String {
    if text.contains([' ', '\'', '"']) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        text.to_owned()
    }
}

/// Full help text of a method.
pub fn method_help(method: &Method) -> String {
    let mut text = summary(method);
    text.push_str("\n\n");
    text.push_str(method.about.trim_matches(|c: char| " \u{c}\n\r\t\u{b}".contains(c)));
    text.push('\n');

    let mut positional = Sections::default();
    let mut named = Sections::default();
    // An argument after a hidden one is hidden too.
    for (index, arg) in method.args.iter().take_while(|a| !a.hidden).enumerate() {
        positional.push(format!("{}. {}", index + 1, arg.first_name()), describe_arg(arg, true));
        positional.push_arg(arg, 5, Outer::None);
        if arg.ty == ArgType::Options {
            for inner in &arg.inner {
                named.push(inner.first_name().to_owned(), describe_arg(inner, true));
                named.push_arg(inner, 5, Outer::None);
            }
        }
    }
    if !positional.lines.is_empty() {
        text.push_str("\nArguments:\n");
        positional.write(&mut text);
    }
    if !named.lines.is_empty() {
        text.push_str("\nNamed Arguments:\n");
        named.write(&mut text);
    }
    for result in method.results.iter().filter(|r| r.ty != ResType::Any) {
        if result.cond.is_empty() {
            text.push_str("\nResult:\n");
        } else {
            text.push_str(&format!("\nResult ({}):\n", result.cond));
        }
        let mut sections = Sections::default();
        sections.push_result(result, Outer::None, 0);
        sections.write(&mut text);
    }
    if !method.examples.is_empty() {
        text.push_str("\nExamples:\n");
        text.push_str(&method.examples);
    }
    text
}

/// The line that lists a method: its name with arguments, optional ones in parentheses.
pub fn summary(method: &Method) -> String {
    let mut line = method.name.to_string();
    let mut in_optional = false;
    for arg in method.args.iter().take_while(|a| !a.hidden) {
        line.push(' ');
        match (arg.is_optional(), in_optional) {
            (true, false) => line.push_str("( "),
            (false, true) => line.push_str(") "),
            _ => {}
        }
        in_optional = arg.is_optional();
        line.push_str(&arg_text(arg, true));
    }
    if in_optional {
        line.push_str(" )");
    }
    line
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outer {
    None,
    Arr,
    Obj,
}

/// Pairs of left and right texts, the right ones aligned.
#[derive(Default)]
struct Sections {
    lines: Vec<(String, String)>,
    widest: usize,
}

impl Sections {
    fn push(&mut self, left: String, right: String) {
        self.widest = self.widest.max(left.len());
        self.lines.push((left, right));
    }

    fn drop_last_comma(&mut self) {
        if let Some((left, _)) = self.lines.last_mut() {
            left.pop();
        }
    }

    fn push_arg(&mut self, arg: &Arg, indent: usize, outer: Outer) {
        let pad = " ".repeat(indent);
        let top = outer == Outer::None;
        let in_object = outer == Outer::Obj;
        let key = if in_object { format!("\"{}\": ", arg.first_name()) } else { String::new() };
        let about = if top { String::new() } else { describe_arg(arg, in_object) };
        let comma = if top { "" } else { "," };
        match arg.ty {
            ArgType::Obj | ArgType::ObjUserKeys => {
                self.push(format!("{pad}{key}{{"), about);
                for inner in &arg.inner {
                    self.push_arg(inner, indent + 2, Outer::Obj);
                }
                if arg.ty == ArgType::ObjUserKeys {
                    self.push(format!("{pad}  ..."), String::new());
                }
                self.push(format!("{pad}}}{comma}"), String::new());
            }
            ArgType::Arr => {
                self.push(format!("{pad}{key}["), about);
                for inner in &arg.inner {
                    self.push_arg(inner, indent + 2, Outer::Arr);
                }
                self.push(format!("{pad}  ..."), String::new());
                self.push(format!("{pad}]{comma}"), String::new());
            }
            _ if top => {}
            _ => {
                let text = match &arg.type_str {
                    Some((value, _)) if in_object => format!("{key}{value}"),
                    _ if in_object => arg_text_in_object(arg, false),
                    _ => arg_text(arg, false),
                };
                self.push(format!("{pad}{text},"), about);
            }
        }
    }

    fn push_result(&mut self, res: &Res, outer: Outer, indent: usize) {
        let pad = " ".repeat(indent);
        let comma = if outer == Outer::None { "" } else { "," };
        let key = if outer == Outer::Obj { format!("\"{}\" : ", res.key) } else { String::new() };
        let about = |ty: &str| {
            let optional = if res.optional { ", optional" } else { "" };
            let space = if res.about.is_empty() { "" } else { " " };
            format!("({ty}{optional}){space}{}", res.about)
        };
        let mut leaf = |value: &str, ty: &str| self.push(format!("{pad}{key}{value}{comma}"), about(ty));
        match res.ty {
            ResType::Elision => self.push(format!("{pad}...{comma}"), res.about.to_string()),
            ResType::Any => leaf("...", "any"),
            ResType::Null => self.push(format!("{pad}null{comma}"), about("json null")),
            ResType::Str => leaf("\"str\"", "string"),
            ResType::Hex => leaf("\"hex\"", "string"),
            ResType::Amount | ResType::Num => leaf("n", "numeric"),
            ResType::Time => leaf("xxx", "numeric"),
            ResType::Bool => leaf("true|false", "boolean"),
            ResType::Obj | ResType::ObjDyn if res.inner.is_empty() => {
                self.push(format!("{pad}{key}{{}}"), about("empty JSON object"));
            }
            ResType::Arr | ResType::ArrFixed | ResType::Obj | ResType::ObjDyn => {
                let array = matches!(res.ty, ResType::Arr | ResType::ArrFixed);
                let (open, close, ty) =
                    if array { ('[', ']', "json array") } else { ('{', '}', "json object") };
                self.push(format!("{pad}{key}{open}"), about(ty));
                for inner in &res.inner {
                    self.push_result(inner, if array { Outer::Arr } else { Outer::Obj }, indent + 2);
                }
                let repeats = matches!(res.ty, ResType::Arr | ResType::ObjDyn);
                if repeats && res.inner.last().is_some_and(|r| r.ty != ResType::Elision) {
                    self.push(format!("{pad}  ..."), String::new());
                } else {
                    self.drop_last_comma();
                }
                self.push(format!("{pad}{close}{comma}"), String::new());
            }
        }
    }

    fn write(&self, out: &mut String) {
        let width = self.widest + 4;
        for (left, right) in &self.lines {
            out.push_str(left);
            if !right.is_empty() {
                out.push_str(&" ".repeat(width - left.len()));
                for (number, line) in right.split('\n').enumerate() {
                    if number == 0 {
                        out.push_str(line);
                    } else {
                        out.push('\n');
                        out.push_str(&" ".repeat(width));
                        out.push_str(line.trim_start_matches(' '));
                    }
                }
            }
            out.push('\n');
        }
    }
}

fn type_text(ty: ArgType) -> &'static str {
    match ty {
        ArgType::Hex | ArgType::Str => "string",
        ArgType::Num => "numeric",
        ArgType::Amount => "numeric or string",
        ArgType::Range => "numeric or array",
        ArgType::Bool => "boolean",
        ArgType::Obj | ArgType::Options | ArgType::ObjUserKeys => "json object",
        ArgType::Arr => "json array",
    }
}

fn describe_arg(arg: &Arg, named: bool) -> String {
    let mut text = String::from("(");
    text.push_str(arg.type_str.as_ref().map_or(type_text(arg.ty), |(_, description)| description));
    match &arg.fallback {
        Fallback::Hint(hint) => text.push_str(&format!(", optional, default={hint}")),
        Fallback::Default(value) => text.push_str(&format!(", optional, default={value}")),
        Fallback::Omitted if named => text.push_str(", optional"),
        Fallback::Omitted => {}
        Fallback::Required => text.push_str(", required"),
    }
    text.push(')');
    if arg.ty == ArgType::Options {
        text.push_str(" Object of options, each of which can also be given as a named argument; see below.");
    }
    if !arg.about.is_empty() {
        text.push(' ');
        text.push_str(&arg.about);
    }
    text
}

fn arg_text_in_object(arg: &Arg, oneline: bool) -> String {
    let key = format!("\"{}\":{}", arg.first_name(), if oneline { "" } else { " " });
    match arg.ty {
        ArgType::Str => key + "\"str\"",
        ArgType::Hex => key + "\"hex\"",
        ArgType::Num => key + "n",
        ArgType::Range => key + "n or [n,n]",
        ArgType::Amount => key + "amount",
        ArgType::Bool => key + "bool",
        ArgType::Arr => {
            let inner: String = arg.inner.iter().map(|i| arg_text(i, oneline) + ",").collect();
            format!("{key}[{inner}...]")
        }
        ArgType::Obj | ArgType::Options | ArgType::ObjUserKeys => key + &arg_text(arg, oneline),
    }
}

fn arg_text(arg: &Arg, oneline: bool) -> String {
    if oneline && !arg.oneline.is_empty() {
        return arg.oneline.to_string();
    }
    match arg.ty {
        ArgType::Hex | ArgType::Str => format!("\"{}\"", arg.first_name()),
        ArgType::Num | ArgType::Range | ArgType::Amount | ArgType::Bool => arg.first_name().to_owned(),
        ArgType::Obj | ArgType::Options | ArgType::ObjUserKeys => {
            let inner: Vec<String> = arg.inner.iter().map(|i| arg_text_in_object(i, oneline)).collect();
            let more = if arg.ty == ArgType::Obj { "" } else { ",..." };
            format!("{{{}{more}}}", inner.join(","))
        }
        ArgType::Arr => {
            let inner: String = arg.inner.iter().map(|i| arg_text(i, oneline) + ",").collect();
            format!("[{inner}...]")
        }
    }
}
