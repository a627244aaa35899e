//! Writes the Rust code of proxies and servers.

use std::collections::{BTreeMap, BTreeSet};

use crate::bind::{Asked, Bound, Served};
use crate::schema::{Field, Interface, Method, Placement, WireType};
use crate::traits::{self, RustType};

/// Names of the crates that the code refers to.
pub struct Names {
    /// The crate that has the traits.
    pub traits: String,
    /// The crate that has the code of the Cap'n Proto plugin.
    pub schemas: String,
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// An expression for a field of `from`.
fn read(field: &Field, of: &RustType, from: &str, session: &str) -> String {
    match &of.option {
        Some(inner) if !field.whole => {
            let has = if field.flagged { "get_has" } else { "has" };
            let value = read_plain(field, inner, from, session);
            format!("if {from}.{has}_{}() {{ Some({value}) }} else {{ None }}", field.name)
        }
        _ => read_plain(field, of, from, session),
    }
}

fn read_plain(field: &Field, of: &RustType, from: &str, session: &str) -> String {
    let get = format!("{from}.get_{}()", field.name);
    match (&field.wire, &of.object) {
        (WireType::Scalar(wire), _) if *wire == of.kept() => get,
        (WireType::Scalar(_) | WireType::Enum, _) => format!("FromWire::from_wire({get})?"),
        (WireType::Interface(_), Some(name)) => {
            format!("Arc::new({name}Proxy::new({session}, {get}?)) as Arc<dyn {name}>")
        }
        _ if field.or_default => format!("or_default({from}.has_{}(), {get}?)?", field.name),
        _ => format!("FromWire::from_wire({get}?)?"),
    }
}

/// Statements that put the value `name` into a field of `out`.
fn write(field: &Field, of: &RustType, name: &str, out: &str, session: &str) -> String {
    match &of.option {
        Some(inner) if !field.whole => {
            let value = write_plain(field, inner, "value", out, session);
            let flag =
                if field.flagged { format!("{out}.set_has_{}(true);", field.name) } else { String::new() };
            format!("if let Some(value) = {name} {{ {value} {flag} }}")
        }
        _ => write_plain(field, of, name, out, session),
    }
}

fn write_plain(field: &Field, of: &RustType, name: &str, out: &str, session: &str) -> String {
    let to = &field.name;
    match (&field.wire, &of.object) {
        (WireType::Scalar(wire), _) if *wire == of.kept() => format!("{out}.set_{to}({name});"),
        (WireType::Scalar(_) | WireType::Enum, _) => format!("{out}.set_{to}({name}.to_scalar());"),
        (WireType::Text, _) if of.kept() == "String" => format!("{out}.set_{to}(&{name});"),
        (WireType::Text, _) => format!("{out}.set_{to}(&*{name}.to_text());"),
        (WireType::Data, _) => format!("{out}.set_{to}(&{name}.to_data());"),
        (WireType::List, _) => {
            format!("{name}.to_wire({out}.reborrow().init_{to}(count({name}.len())));")
        }
        (WireType::StructList, _) => {
            format!("put_structs({out}.reborrow().init_{to}(count({name}.len())), &{name});")
        }
        (WireType::Interface(_), Some(object)) => {
            format!("{out}.set_{to}({}_client({session}, {name}));", snake(object))
        }
        _ => format!("{name}.to_wire({out}.reborrow().init_{to}());"),
    }
}

/// The field and type of the only result, if the results are not converted as a whole.
fn only_result<'a>(wire: &'a Method, of: &'a RustType) -> Option<(&'a Field, &'a RustType)> {
    match &wire.results[..] {
        [field] => Some((field, of)),
        _ => None,
    }
}

/// The error of a method the only result of which is one.
fn failure<'a>(field: &Field, of: &'a RustType) -> Option<&'a RustType> {
    of.failure.as_deref().filter(|_| field.name == "error")
}

fn ask(bound: &Bound<'_>, of: &Interface, wire: &Method, rust: &traits::Method) -> String {
    let mut before = String::new();
    let mut fill = String::new();
    match &wire.placement {
        Placement::Here => {}
        Placement::Light(param) => {
            fill += &format!("if !{param}.is_light() {{ call.context(p.reborrow().init_context())?; }}")
        }
        Placement::Short | Placement::Worker => fill += "call.context(p.reborrow().init_context())?;",
    }
    for (field, param) in wire.params.iter().zip(&rust.params) {
        let name = &param.name;
        if field.wire == WireType::Data && (param.of.owned.is_some() || field.decode_later) {
            // Encoded on the caller's thread.
            before += &format!("let {name} = {name}.to_data().into_owned();");
            fill += &format!("p.set_{}(&{name});", field.name);
            continue;
        }
        if param.of.owned.is_some() {
            before += &format!("let {name} = {name}.to_owned();");
        }
        fill += &write(field, &param.of, name, "p", "call.session()");
    }
    let cast = match of.module == bound.interface.module {
        true => String::new(),
        false => format!("let client: {}::Client = FromClientHook::new(client.client.hook);", of.short),
    };
    let request = match fill.is_empty() {
        true => format!("let ask = client.{}_request();", wire.wire_name),
        false => {
            format!("let mut ask = client.{}_request(); {{ let mut p = ask.get(); {fill} }}", wire.wire_name)
        }
    };
    let send = if wire.secret { "send_secret" } else { "send" };
    let read_answer = match only_result(wire, &rust.result) {
        _ if wire.results.is_empty() => "answer.get()?; Ok(())".to_owned(),
        None => "FromWire::from_wire(answer.get()?)".to_owned(),
        Some((field, of)) => match failure(field, of) {
            Some(error) => format!(
                "let r = answer.get()?; Ok(if r.has_error() {{ Err({}) }} else {{ Ok(()) }})",
                read_plain(field, error, "r", "call.session()")
            ),
            None => {
                let value = read(field, of, "r", "call.session()");
                let fallible =
                    value.strip_suffix('?').filter(|value| value.starts_with("FromWire::from_wire("));
                let answer = fallible.map_or_else(|| format!("Ok({value})"), str::to_owned);
                format!("let r = answer.get()?; {answer}")
            }
        },
    };
    format!(
        "{before} self.0.call(move |client, call| async move {{
            {cast} {request}
            let answer = call.{send}(ask).await?;
            {read_answer}
        }})"
    )
}

fn proxy(bound: &Bound<'_>) -> String {
    let (name, short) = (bound.name, &bound.interface.short);
    let mut out = format!(
        "/// `{name}` of another process.
        pub struct {name}Proxy(pub(crate) Proxy<{short}::Client>);

        impl {name}Proxy {{
            /// For a capability that has come over the session's connection. On the IPC thread only.
            pub(crate) fn new(session: &Session, client: {short}::Client) -> Self {{
                {name}Proxy(Proxy::new(session, client))
            }}
        }}\n\n"
    );
    for (of, methods) in &bound.asked {
        out += &format!("impl {} for {name}Proxy {{", of.name);
        for (rust, asked) in methods {
            let body = match asked {
                Asked::Method(of, wire) => ask(bound, of, wire, rust),
                Asked::ByHand => {
                    let names: Vec<&str> = rust.params.iter().map(|param| param.name.as_str()).collect();
                    format!("self.{}_by_hand({})", rust.name, names.join(", "))
                }
            };
            out += &format!("{} {{ {body} }}\n\n", rust.signature);
        }
        out += "}\n\n";
    }
    out
}

fn execute(wire: &Method, rust: &traits::Method) -> String {
    let arguments: Vec<String> = wire
        .params
        .iter()
        .zip(&rust.params)
        .map(|(field, param)| {
            let borrow = if param.of.owned.is_some() { "&" } else { "" };
            match field.decode_later {
                true => format!("{borrow}decode_later(&{})?", param.name),
                false => format!("{borrow}{}", param.name),
            }
        })
        .collect();
    let work = format!("move || object.{}({})", rust.name, arguments.join(", "));
    let context = "RequestContext::read(p.get_context())";
    match &wire.placement {
        Placement::Here => format!("call.run_here({work})?"),
        Placement::Short => format!("call.run_short({context}, {work}).await?"),
        Placement::Worker => format!("call.run({context}, {work}).await?"),
        Placement::Light(param) => {
            format!(
                "if {param}.is_light() {{ call.run_here({work})? }}
                else {{ call.run({context}, {work}).await? }}"
            )
        }
    }
}

fn serve(wire: &Method, rust: &traits::Method) -> String {
    let mut read_params = String::new();
    for (field, param) in wire.params.iter().zip(&rust.params) {
        let (name, of) = (&param.name, &param.of);
        read_params += &match field.decode_later {
            true => format!("let {name} = p.get_{name}()?.to_vec();"),
            false => {
                format!("let {name}: {} = {};", of.kept(), read(field, of, "p", "&self.hosted.session"))
            }
        };
    }
    let params = match wire.params.is_empty() && wire.placement == Placement::Here {
        true => "",
        false => "let p = params.get()?;",
    };
    let value = if wire.results.is_empty() { "" } else { "let value =" };
    let answer = match only_result(wire, &rust.result) {
        _ if wire.results.is_empty() => String::new(),
        None => "value.to_wire(results.get());".to_owned(),
        Some((field, of)) => {
            let write = match failure(field, of) {
                Some(error) => {
                    let write = write_plain(field, error, "error", "out", "&self.hosted.session");
                    format!("if let Err(error) = value {{ {write} }}")
                }
                None => write(field, of, "value", "out", "&self.hosted.session"),
            };
            format!("{{ let mut out = results.get(); {write} }}")
        }
    };
    let (inner, outer) = if wire.results.is_empty() { (";", "") } else { ("", ";") };
    let receive = if wire.secret { "receive_secret" } else { "receive" };
    format!(
        "let call = self.hosted.session.{receive}(&params);
        {value} {{
            {params} {read_params}
            let object = self.hosted.get().map_err(exception)?;
            {}{inner}
        }}{outer}
        {answer}
        call.done(&mut results)",
        execute(wire, rust)
    )
}

const DESTROY: &str = "let call = self.hosted.session.receive(&params);
    let context = RequestContext::read(params.get()?.get_context());
    self.hosted.destroy(&call, context).await?;
    call.done(&mut results)";

fn server(bound: &Bound<'_>) -> String {
    let (name, short) = (bound.name, &bound.interface.short);
    let (field, init) = match &bound.interface.state {
        Some(state) => (format!("pub(crate) state: {state},"), format!("state: {state}::default(),")),
        None => (String::new(), String::new()),
    };
    let with_state = bound.interface.state.as_ref().map_or_else(String::new, |state| {
        format!(
            "/// The same with a state.
            pub(crate) fn {0}_client_with(session: &Rc<Session>, object: Arc<dyn {name}>, state: {state}) -> {short}::Client {{
                capnp_rpc::new_client({name}Server {{ hosted: Hosted::new(session, object, \"{name}\"), state }})
            }}\n\n",
            snake(name)
        )
    });
    let mut out = format!(
        "/// `{name}` of this process.
        pub(crate) struct {name}Server {{ pub(crate) hosted: Hosted<dyn {name}>, {field} }}

        /// A capability for an object of this process.
        pub(crate) fn {0}_client(session: &Rc<Session>, object: Arc<dyn {name}>) -> {short}::Client {{
            capnp_rpc::new_client({name}Server {{ hosted: Hosted::new(session, object, \"{name}\"), {init} }})
        }}

        {with_state}",
        snake(name)
    );
    for (of, methods) in &bound.served {
        out += &format!("impl {}::Server for {name}Server {{", of.short);
        for (wire, served) in methods {
            let (params, results, body) = match served {
                Served::Method(rust) => ("params", "mut results", serve(wire, rust)),
                Served::Destroy => ("params", "mut results", DESTROY.to_owned()),
                Served::Retired(text) => ("_", "_", format!("Err(exception({text:?}))")),
                Served::ByHand => {
                    let call = format!("self.{}_by_hand(params, results).await", wire.wire_name);
                    ("params", "results", call)
                }
            };
            let (module, types) = (&of.short, &wire.type_name);
            out += &format!(
                "async fn {}(
                    self: Rc<Self>,
                    {params}: {module}::{types}Params,
                    {results}: {module}::{types}Results,
                ) -> Result<(), capnp::Error> {{ {body} }}\n\n",
                wire.wire_name
            );
        }
        out += "}\n\n";
    }
    out
}

/// Whether the code makes a proxy or a capability of the trait.
fn uses_of(body: &str, name: &str) -> bool {
    names_it(body, &format!("{name}Proxy")) || names_it(body, &format!("{}_client", snake(name)))
}

/// Whether the code has the last part of the path as a word.
fn names_it(body: &str, path: &str) -> bool {
    let name = path.rsplit([':', ' ']).next().unwrap_or(path);
    body.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == name)
}

/// The source files, by name.
pub fn files(bound: &[Bound<'_>], names: &Names) -> BTreeMap<String, String> {
    let mut bodies: BTreeMap<&str, (BTreeSet<String>, BTreeSet<String>, String)> = BTreeMap::new();
    for one in bound {
        let (uses, docs, body) = bodies.entry(&one.interface.file).or_default();
        for (of, _) in &one.asked {
            uses.extend(of.imports.iter().cloned());
        }
        for (of, _) in &one.served {
            uses.insert(format!("{}::{}", names.schemas, of.module));
        }
        docs.insert(format!("`{}`", one.name));
        *body += &proxy(one);
        *body += &server(one);
    }
    let mut out = BTreeMap::new();
    let mut list = String::from("//! Proxies and servers. Written by the generator: do not edit.\n\n");
    for (file, (mut uses, docs, body)) in bodies {
        uses.insert("std::rc::Rc".to_owned());
        uses.insert("std::sync::Arc".to_owned());
        uses.insert(format!("{}::*", names.traits));
        if bound.iter().any(|one| one.interface.file != file && uses_of(&body, one.name)) {
            uses.insert("crate::generated::*".to_owned());
        }
        uses.insert("crate::support::*".to_owned());
        let docs: Vec<String> = docs.into_iter().collect();
        let own = format!("{}::", names.traits);
        uses.retain(|path| path.ends_with('*') || !path.starts_with(&own) && names_it(&body, path));
        let uses: String = uses.iter().map(|path| format!("use {path};\n")).collect();
        let head = format!(
            "//! {}. Written from `{file}.capnp` and the traits by the generator: do not edit.\n\n",
            docs.join(", ")
        );
        out.insert(format!("{file}.rs"), format!("{head}{uses}\n{body}"));
        list += &format!("mod {file};\npub use {file}::*;\n");
    }
    out.insert("mod.rs".to_owned(), list);
    out
}
