//! What the schema compiler says about a set of schemas, cut down to what the generator needs.

use std::collections::HashMap;

use capnp::schema_capnp::{annotation, code_generator_request, field, node, type_, value};

use crate::Error;

/// Ids of the annotations in `generator.capnp`, and of the one of `proxy.capnp` that is honoured.
mod id {
    pub(super) const TRAIT: u64 = 0xd8f7_0a4e_5f26_0c51;
    pub(super) const STATE: u64 = 0x9b1c_7c0b_63f2_8aa7;
    pub(super) const EXTRA: u64 = 0xe0c1_44be_7d10_96f3;
    pub(super) const SHORT: u64 = 0xa6a5_3d0f_1c9b_7e29;
    pub(super) const SECRET: u64 = 0xf4b8_6e21_90d3_4c1b;
    pub(super) const LIGHT: u64 = 0xb7d2_0f95_e8a1_3364;
    pub(super) const BY_HAND: u64 = 0x8e93_b5c7_24f0_d1a8;
    pub(super) const RETIRED: u64 = 0xc51f_82d6_0b7a_49ed;
    pub(super) const OR_DEFAULT: u64 = 0xddae_19f3_56c8_7042;
    pub(super) const DECODE_LATER: u64 = 0x972b_e4d0_8f15_a3c6;
    pub(super) const WHOLE: u64 = 0xc9e6_7158_4da3_0b9f;
    pub(super) const PROXY_NAME: u64 = 0xb594_888f_63f4_dbb9;
}

/// How a field travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireType {
    /// A number or `Bool`, by the name of its Rust type.
    Scalar(&'static str),
    /// An enumeration.
    Enum,
    /// `Text`.
    Text,
    /// `Data`.
    Data,
    /// A struct.
    Struct,
    /// A list of numbers, texts or data.
    List,
    /// A list of structs.
    StructList,
    /// An interface; the Rust trait that stands for it, if there is one.
    Interface(Option<String>),
    /// Anything else, which only methods written by hand may have.
    Other,
}

/// A parameter or result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name in snake case.
    pub name: String,
    /// Type on the wire.
    pub wire: WireType,
    /// Has a `hasX` beside it that says whether there is a value.
    pub flagged: bool,
    /// `$orDefault`: what is absent is the default value.
    pub or_default: bool,
    /// `$decodeLater`: decoded on the thread that executes the call.
    pub decode_later: bool,
    /// `$whole`: an `Option` whose absence the type itself puts on the wire.
    pub whole: bool,
}

/// Where a method is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// On the loop thread; it has no context.
    Here,
    /// On the loop thread if the context's thread is idle.
    Short,
    /// On the context's thread.
    Worker,
    /// On the loop thread and without a context if the named parameter says so, else on the context's thread.
    Light(String),
}

/// Which side of a method is written by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByHand {
    /// The proxy's.
    pub client: bool,
    /// The server's.
    pub server: bool,
}

/// A method of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Name in snake case as the Cap'n Proto plugin writes it.
    pub wire_name: String,
    /// Name with a capital letter, which the names of the parameter and result types begin with.
    pub type_name: String,
    /// Name of the trait's method.
    pub rust_name: String,
    /// Parameters without the context and the flags.
    pub params: Vec<Field>,
    /// Results without the flags.
    pub results: Vec<Field>,
    /// Where it is executed.
    pub placement: Placement,
    /// Whether its contents are kept out of logs.
    pub secret: bool,
    /// What is written by hand.
    pub by_hand: ByHand,
    /// The error that it fails with instead of doing anything.
    pub retired: Option<String>,
}

/// An interface of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Module of the generated Cap'n Proto code, such as `chain_capnp::block_scan`.
    pub module: String,
    /// The last part of the module's path.
    pub short: String,
    /// The schema file it is in, without directory and ending.
    pub file: String,
    /// The Rust trait, if code is to be generated.
    pub rust_trait: Option<String>,
    /// Type of what the server holds besides the object.
    pub state: Option<String>,
    /// Methods of the trait that have no counterpart in the schema.
    pub extra: Vec<String>,
    /// Own methods, in order of their ordinals.
    pub methods: Vec<Method>,
    /// Ids of the interfaces that it extends.
    pub parents: Vec<u64>,
}

/// All interfaces of the schemas, by id; also imported ones, which may be parents.
pub type Interfaces = HashMap<u64, Interface>;

/// As the Cap'n Proto plugin turns names: every capital letter begins a word.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for (n, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && n > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// The annotations of one thing, by id; the value if it is a text.
struct Notes(HashMap<u64, String>);

impl Notes {
    fn read(list: capnp::struct_list::Reader<'_, annotation::Owned>) -> Result<Notes, Error> {
        let mut notes = HashMap::new();
        for note in list {
            let text = match note.get_value()?.which()? {
                value::Text(text) => text?.to_string()?,
                _ => String::new(),
            };
            notes.insert(note.get_id(), text);
        }
        Ok(Notes(notes))
    }

    fn has(&self, id: u64) -> bool {
        self.0.contains_key(&id)
    }

    fn text(&self, id: u64) -> Option<String> {
        self.0.get(&id).cloned()
    }
}

struct Request<'a> {
    nodes: HashMap<u64, node::Reader<'a>>,
}

impl<'a> Request<'a> {
    fn node(&self, id: u64) -> Result<node::Reader<'a>, Error> {
        self.nodes.get(&id).copied().ok_or_else(|| Error::Schema(format!("node {id:x} is not there")))
    }

    /// Name of a node without its scope.
    fn name(&self, node: node::Reader<'a>) -> Result<String, Error> {
        let name = node.get_display_name()?.to_string()?;
        Ok(name.get(node.get_display_name_prefix_length() as usize..).unwrap_or_default().to_owned())
    }

    fn rust_trait(&self, id: u64) -> Result<Option<String>, Error> {
        Ok(Notes::read(self.node(id)?.get_annotations()?)?.text(id::TRAIT))
    }

    fn wire(&self, of: type_::Reader<'a>) -> Result<WireType, Error> {
        Ok(match of.which()? {
            type_::Bool(()) => WireType::Scalar("bool"),
            type_::Int8(()) => WireType::Scalar("i8"),
            type_::Int16(()) => WireType::Scalar("i16"),
            type_::Int32(()) => WireType::Scalar("i32"),
            type_::Int64(()) => WireType::Scalar("i64"),
            type_::Uint8(()) => WireType::Scalar("u8"),
            type_::Uint16(()) => WireType::Scalar("u16"),
            type_::Uint32(()) => WireType::Scalar("u32"),
            type_::Uint64(()) => WireType::Scalar("u64"),
            type_::Float32(()) => WireType::Scalar("f32"),
            type_::Float64(()) => WireType::Scalar("f64"),
            type_::Text(()) => WireType::Text,
            type_::Data(()) => WireType::Data,
            type_::List(list) => match list.get_element_type()?.which()? {
                type_::Struct(_) => WireType::StructList,
                _ => WireType::List,
            },
            type_::Enum(_) => WireType::Enum,
            type_::Struct(_) => WireType::Struct,
            type_::Interface(of) => WireType::Interface(self.rust_trait(of.get_type_id())?),
            type_::Void(()) | type_::AnyPointer(_) => WireType::Other,
        })
    }

    /// Fields of a parameter or result struct, and whether there is a context.
    fn fields(&self, id: u64) -> Result<(Vec<Field>, bool), Error> {
        let node::Struct(layout) = self.node(id)?.which()? else {
            return Err(Error::Schema(format!("{id:x} is not a struct")));
        };
        let mut fields = Vec::new();
        let mut context = false;
        for field in layout.get_fields()? {
            let name = snake(field.get_name()?.to_str()?);
            let field::Slot(slot) = field.which()? else {
                return Err(Error::Schema(format!("'{name}' is a group")));
            };
            let of = slot.get_type()?;
            if name == "context" && matches!(of.which()?, type_::Struct(_)) {
                context = true;
                continue;
            }
            let notes = Notes::read(field.get_annotations()?)?;
            fields.push(Field {
                name,
                wire: self.wire(of)?,
                flagged: false,
                or_default: notes.has(id::OR_DEFAULT),
                decode_later: notes.has(id::DECODE_LATER),
                whole: notes.has(id::WHOLE),
            });
        }
        Ok((fold_flags(fields), context))
    }

    fn method(&self, method: capnp::schema_capnp::method::Reader<'a>) -> Result<Method, Error> {
        let name = method.get_name()?.to_string()?;
        let notes = Notes::read(method.get_annotations()?)?;
        let (params, context) = self.fields(method.get_param_struct_type())?;
        let (results, _) = self.fields(method.get_result_struct_type())?;
        let placement = match (notes.text(id::LIGHT), context) {
            (Some(param), true) => Placement::Light(snake(&param)),
            (None, true) if notes.has(id::SHORT) => Placement::Short,
            (None, true) => Placement::Worker,
            (None, false) if !notes.has(id::SHORT) => Placement::Here,
            _ => {
                return Err(Error::Schema(format!(
                    "{name} has no context, so $short and $light have no meaning"
                )));
            }
        };
        let by_hand = match notes.text(id::BY_HAND).as_deref() {
            None => ByHand::default(),
            Some("client") => ByHand { client: true, server: false },
            Some("server") => ByHand { client: false, server: true },
            Some("both") => ByHand { client: true, server: true },
            Some(other) => {
                return Err(Error::Schema(format!(
                    "{name}: $byHand is client, server or both, not '{other}'"
                )));
            }
        };
        Ok(Method {
            wire_name: snake(&name),
            type_name: capital(&name),
            rust_name: snake(&notes.text(id::PROXY_NAME).unwrap_or_else(|| name.clone())),
            params,
            results,
            placement,
            secret: notes.has(id::SECRET),
            by_hand,
            retired: notes.text(id::RETIRED),
        })
    }
}

/// Turns `x` and `hasX :Bool` into one field.
fn fold_flags(fields: Vec<Field>) -> Vec<Field> {
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    let flag_of = |field: &Field| match field.wire {
        WireType::Scalar("bool") => field.name.strip_prefix("has_").map(str::to_owned),
        _ => None,
    };
    let flags: Vec<String> = fields.iter().filter_map(flag_of).filter(|name| names.contains(name)).collect();
    let is_flag = |field: &Field| flag_of(field).is_some_and(|name| flags.contains(&name));
    let kept = fields.into_iter().filter(|field| !is_flag(field));
    kept.map(|field| Field { flagged: flags.contains(&field.name), ..field }).collect()
}

/// Reads the schema compiler's request.
pub fn read(request: code_generator_request::Reader<'_>) -> Result<Interfaces, Error> {
    let request = Request { nodes: request.get_nodes()?.iter().map(|node| (node.get_id(), node)).collect() };
    let mut interfaces = Interfaces::new();
    for (id, node) in &request.nodes {
        let node::Interface(interface) = node.which()? else {
            continue;
        };
        let path = node.get_display_name()?.to_string()?;
        let file = path.split(':').next().unwrap_or_default();
        let file = file.rsplit('/').next().unwrap_or_default().trim_end_matches(".capnp").to_owned();
        let short = snake(&request.name(*node)?);
        let notes = Notes::read(node.get_annotations()?)?;
        let extra = notes.text(id::EXTRA).unwrap_or_default();
        interfaces.insert(
            *id,
            Interface {
                module: format!("{}_capnp::{short}", file.replace('-', "_")),
                short,
                file,
                rust_trait: notes.text(id::TRAIT),
                state: notes.text(id::STATE),
                extra: extra.split_whitespace().map(snake).collect(),
                methods: interface
                    .get_methods()?
                    .iter()
                    .map(|method| request.method(method))
                    .collect::<Result<_, _>>()
                    .map_err(|error| Error::Schema(format!("{path}: {error}")))?,
                parents: interface.get_superclasses()?.iter().map(|parent| parent.get_id()).collect(),
            },
        );
    }
    Ok(interfaces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_plugin() {
        assert_eq!(snake("getTransactionsByTxID"), "get_transactions_by_tx_i_d");
        assert_eq!(snake("BlockTemplate"), "block_template");
        assert_eq!(capital("getTip"), "GetTip");
    }

    #[test]
    fn flags_belong_to_their_values() {
        let field = |name: &str, wire| Field {
            name: name.to_owned(),
            wire,
            flagged: false,
            or_default: false,
            decode_later: false,
            whole: false,
        };
        let bool = WireType::Scalar("bool");
        let folded = fold_flags(vec![
            field("result", WireType::Struct),
            field("has_result", bool.clone()),
            field("has_index", bool),
        ]);
        assert_eq!(folded.len(), 2);
        assert!(folded[0].flagged);
        // Without a field "index" it is a value of its own.
        assert_eq!((folded[1].name.as_str(), folded[1].flagged), ("has_index", false));
    }
}
