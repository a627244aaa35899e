use grs_encoding::hex_encode;
use grs_primitives::Script;
use grs_script::ScriptBuilder;
use grs_script::opcodes::*;

use super::{Fragment, Miniscript, Node};

/// Gives the bytes of keys in a script.
pub trait ScriptBytes<K> {
    /// The serialized key: 33 bytes, or 32 in tapscript.
    fn key_bytes(&self, key: &K) -> Vec<u8>;

    /// Hash160 of the serialized key.
    fn key_hash(&self, key: &K) -> [u8; 20];
}

/// A piece of a script that is still to be written.
enum Piece {
    /// A node, and whether a VERIFY follows that may be joined with its last opcode.
    Node(usize, bool),
    Op(u8),
    Number(u32),
}

/// A piece of a text that is still to be written.
enum TextPiece {
    /// A node, and whether it stands behind a wrapper letter.
    Node(usize, bool),
    Text(&'static str),
}

impl<K> Miniscript<K> {
    /// The script. Reference: `Node::ToScript`.
    pub fn to_script(&self, keys: &dyn ScriptBytes<K>) -> Script {
        let mut out = ScriptBuilder::new();
        // Last piece first.
        let mut todo = vec![Piece::Node(self.root_index(), false)];
        while let Some(piece) = todo.pop() {
            out = match piece {
                Piece::Op(opcode) => out.opcode(opcode),
                Piece::Number(n) => out.int(i64::from(n)),
                Piece::Node(at, verify) => self.write_node(out, &mut todo, at, verify, keys),
            };
        }
        out.into_script()
    }

    fn write_node(
        &self,
        out: ScriptBuilder,
        todo: &mut Vec<Piece>,
        at: usize,
        verify: bool,
        keys: &dyn ScriptBytes<K>,
    ) -> ScriptBuilder {
        use Piece::{Number, Op};
        let node = &self.nodes[at];
        let sub = |i: usize| Piece::Node(node.subs[i], false);
        let sub_with = |i: usize, verify: bool| Piece::Node(node.subs[i], verify);
        let either = |plain: u8, verifying: u8| if verify { verifying } else { plain };
        let k = i64::from(node.k);
        let mut plan = |mut pieces: Vec<Piece>| {
            pieces.reverse();
            todo.append(&mut pieces);
        };
        let hash = |out: ScriptBuilder, opcode: u8| {
            out.opcode(OP_SIZE)
                .int(32)
                .opcode(OP_EQUALVERIFY)
                .opcode(opcode)
                .data(&node.data)
                .opcode(either(OP_EQUAL, OP_EQUALVERIFY))
        };
        match node.fragment {
            Fragment::Just0 => return out.opcode(OP_0),
            Fragment::Just1 => return out.opcode(OP_1),
            Fragment::PkK => return out.data(&keys.key_bytes(&node.keys[0])),
            Fragment::PkH => {
                let hash = keys.key_hash(&node.keys[0]);
                return out.opcode(OP_DUP).opcode(OP_HASH160).data(&hash).opcode(OP_EQUALVERIFY);
            }
            Fragment::Older => return out.int(k).opcode(OP_CHECKSEQUENCEVERIFY),
            Fragment::After => return out.int(k).opcode(OP_CHECKLOCKTIMEVERIFY),
            Fragment::Sha256 => return hash(out, OP_SHA256),
            Fragment::Hash256 => return hash(out, OP_HASH256),
            Fragment::Ripemd160 => return hash(out, OP_RIPEMD160),
            Fragment::Hash160 => return hash(out, OP_HASH160),
            Fragment::Multi => {
                let out = node.keys.iter().fold(out.int(k), |o, key| o.data(&keys.key_bytes(key)));
                let last = either(OP_CHECKMULTISIG, OP_CHECKMULTISIGVERIFY);
                return out.int(node.keys.len() as i64).opcode(last);
            }
            Fragment::MultiA => {
                let out = node.keys.iter().enumerate().fold(out, |o, (i, key)| {
                    let opcode = if i == 0 { OP_CHECKSIG } else { OP_CHECKSIGADD };
                    o.data(&keys.key_bytes(key)).opcode(opcode)
                });
                return out.int(k).opcode(either(OP_NUMEQUAL, OP_NUMEQUALVERIFY));
            }
            Fragment::WrapA => plan(vec![Op(OP_TOALTSTACK), sub(0), Op(OP_FROMALTSTACK)]),
            Fragment::WrapS => plan(vec![Op(OP_SWAP), sub_with(0, verify)]),
            Fragment::WrapC => plan(vec![sub(0), Op(either(OP_CHECKSIG, OP_CHECKSIGVERIFY))]),
            Fragment::WrapD => plan(vec![Op(OP_DUP), Op(OP_IF), sub(0), Op(OP_ENDIF)]),
            Fragment::WrapV if self.nodes[node.subs[0]].kind.has("x") => {
                plan(vec![sub_with(0, true), Op(OP_VERIFY)]);
            }
            Fragment::WrapV => plan(vec![sub_with(0, true)]),
            Fragment::WrapJ => plan(vec![Op(OP_SIZE), Op(OP_0NOTEQUAL), Op(OP_IF), sub(0), Op(OP_ENDIF)]),
            Fragment::WrapN => plan(vec![sub(0), Op(OP_0NOTEQUAL)]),
            Fragment::AndV => plan(vec![sub(0), sub_with(1, verify)]),
            Fragment::AndB => plan(vec![sub(0), sub(1), Op(OP_BOOLAND)]),
            Fragment::OrB => plan(vec![sub(0), sub(1), Op(OP_BOOLOR)]),
            Fragment::OrD => plan(vec![sub(0), Op(OP_IFDUP), Op(OP_NOTIF), sub(1), Op(OP_ENDIF)]),
            Fragment::OrC => plan(vec![sub(0), Op(OP_NOTIF), sub(1), Op(OP_ENDIF)]),
            Fragment::OrI => plan(vec![Op(OP_IF), sub(0), Op(OP_ELSE), sub(1), Op(OP_ENDIF)]),
            Fragment::AndOr => plan(vec![sub(0), Op(OP_NOTIF), sub(2), Op(OP_ELSE), sub(1), Op(OP_ENDIF)]),
            Fragment::Thresh => {
                let mut pieces = vec![sub(0)];
                for i in 1..node.subs.len() {
                    pieces.extend([sub(i), Op(OP_ADD)]);
                }
                pieces.extend([Number(node.k), Op(either(OP_EQUAL, OP_EQUALVERIFY))]);
                plan(pieces);
            }
        }
        out
    }

    /// The text. `None` when `key` gives none for some key. Reference: `Node::ToString`.
    pub fn to_text(&self, key: impl FnMut(&K) -> Option<String>) -> Option<String> {
        self.text_of(self.root_index(), key)
    }

    /// The text of one node.
    pub(crate) fn text_of(&self, at: usize, mut key: impl FnMut(&K) -> Option<String>) -> Option<String> {
        let mut out = String::new();
        let mut todo = vec![TextPiece::Node(at, false)];
        while let Some(piece) = todo.pop() {
            match piece {
                TextPiece::Text(text) => out.push_str(text),
                TextPiece::Node(at, wrapped) => {
                    let mut pieces = self.node_text(&self.nodes[at], wrapped, &mut out, &mut key)?;
                    pieces.reverse();
                    todo.append(&mut pieces);
                }
            }
        }
        Some(out)
    }

    fn fragment_of(&self, at: usize) -> Fragment {
        self.nodes[at].fragment
    }

    /// Writes the start of a node's text and returns the rest.
    fn node_text(
        &self,
        node: &Node<K>,
        wrapped: bool,
        out: &mut String,
        key: &mut impl FnMut(&K) -> Option<String>,
    ) -> Option<Vec<TextPiece>> {
        let is = |i: usize, fragment: Fragment| self.fragment_of(node.subs[i]) == fragment;
        let letter = match node.fragment {
            Fragment::WrapA => Some(('a', 0)),
            Fragment::WrapS => Some(('s', 0)),
            Fragment::WrapC if !is(0, Fragment::PkK) && !is(0, Fragment::PkH) => Some(('c', 0)),
            Fragment::WrapD => Some(('d', 0)),
            Fragment::WrapV => Some(('v', 0)),
            Fragment::WrapJ => Some(('j', 0)),
            Fragment::WrapN => Some(('n', 0)),
            Fragment::AndV if is(1, Fragment::Just1) => Some(('t', 0)),
            Fragment::OrI if is(0, Fragment::Just0) => Some(('l', 1)),
            Fragment::OrI if is(1, Fragment::Just0) => Some(('u', 0)),
            _ => None,
        };
        if let Some((letter, sub)) = letter {
            out.push(letter);
            return Some(vec![TextPiece::Node(node.subs[sub], true)]);
        }
        if wrapped {
            out.push(':');
        }
        let mut with_keys = |name: &str, k: Option<u32>, keys: &[K]| {
            out.push_str(name);
            let mut parts: Vec<String> = k.map(|k| k.to_string()).into_iter().collect();
            for k in keys {
                parts.push(key(k)?);
            }
            out.push_str(&parts.join(","));
            out.push(')');
            Some(Vec::new())
        };
        let functions = |out: &mut String, name: &str, subs: &[usize]| {
            out.push_str(name);
            let mut pieces = Vec::with_capacity(2 * subs.len());
            for (i, sub) in subs.iter().enumerate() {
                if i > 0 {
                    pieces.push(TextPiece::Text(","));
                }
                pieces.push(TextPiece::Node(*sub, false));
            }
            pieces.push(TextPiece::Text(")"));
            pieces
        };
        Some(match node.fragment {
            Fragment::WrapC => {
                let key_node = &self.nodes[node.subs[0]];
                let name = if key_node.fragment == Fragment::PkK { "pk(" } else { "pkh(" };
                return with_keys(name, None, &key_node.keys);
            }
            Fragment::PkK => return with_keys("pk_k(", None, &node.keys),
            Fragment::PkH => return with_keys("pk_h(", None, &node.keys),
            Fragment::Multi => return with_keys("multi(", Some(node.k), &node.keys),
            Fragment::MultiA => return with_keys("multi_a(", Some(node.k), &node.keys),
            Fragment::After => return with_keys("after(", Some(node.k), &[]),
            Fragment::Older => return with_keys("older(", Some(node.k), &[]),
            Fragment::Hash256 => hash_text(out, "hash256", &node.data),
            Fragment::Hash160 => hash_text(out, "hash160", &node.data),
            Fragment::Sha256 => hash_text(out, "sha256", &node.data),
            Fragment::Ripemd160 => hash_text(out, "ripemd160", &node.data),
            Fragment::Just1 => vec![TextPiece::Text("1")],
            Fragment::Just0 => vec![TextPiece::Text("0")],
            Fragment::AndV => functions(out, "and_v(", &node.subs),
            Fragment::AndB => functions(out, "and_b(", &node.subs),
            Fragment::OrB => functions(out, "or_b(", &node.subs),
            Fragment::OrD => functions(out, "or_d(", &node.subs),
            Fragment::OrC => functions(out, "or_c(", &node.subs),
            Fragment::OrI => functions(out, "or_i(", &node.subs),
            Fragment::AndOr if is(2, Fragment::Just0) => functions(out, "and_n(", &node.subs[..2]),
            Fragment::AndOr => functions(out, "andor(", &node.subs),
            _ => {
                let name = format!("thresh({},", node.k);
                functions(out, &name, &node.subs)
            }
        })
    }
}

fn hash_text(out: &mut String, name: &str, hash: &[u8]) -> Vec<TextPiece> {
    out.push_str(&format!("{name}({})", hex_encode(hash)));
    Vec::new()
}
