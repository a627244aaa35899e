//! Miniscript: scripts put together from fragments whose satisfactions can be computed.
//! Reference: `src/script/miniscript.{h,cpp}`.
//!
//! An expression is kept as a list of nodes, children before parents, so that no walk recurses: expressions may
//! nest as deep as scripts are long.

mod decode;
mod parse;
mod print;
mod satisfy;
mod size;
mod types;

use std::collections::{BTreeMap, HashSet};

use grs_script::{MAX_OPS_PER_SCRIPT, MAX_STACK_SIZE};
use size::{Ops, Parts, StackSize, SubSizes, WitnessSize};

pub use decode::ScriptKeys;
pub use parse::TextKeys;
pub use print::ScriptBytes;
pub use satisfy::{Preimage, Satisfier};
pub use types::Type;

/// Longest standard version 0 witness script, in bytes.
const MAX_P2WSH_SCRIPT: usize = 3600;
/// Most stack elements of a standard version 0 witness, without the script.
const MAX_P2WSH_STACK_ITEMS: u32 = 100;

/// Where an expression's script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MiniscriptContext {
    /// Version 0 witness script.
    P2wsh,
    /// Taproot leaf.
    Tapscript,
}

impl MiniscriptContext {
    /// Longest script, in bytes. For tapscript: such that the largest witness (1,000 elements of 65 bytes and the
    /// largest control block) still fits a standard transaction of 400,000 weight units.
    pub const fn max_script_size(self) -> usize {
        match self {
            MiniscriptContext::P2wsh => MAX_P2WSH_SCRIPT,
            MiniscriptContext::Tapscript => {
                let body = (8 + 1 + 41 + 1 + 43) * 4 + 2;
                let satisfaction = 3 + (1 + 65) * MAX_STACK_SIZE + 3 + grs_script::TAPROOT_CONTROL_MAX_SIZE;
                400_000 - body - satisfaction - 5
            }
        }
    }
}

/// Kind of a node. The scripts are those of the miniscript language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fragment {
    /// `0`
    Just0,
    /// `1`
    Just1,
    /// `pk_k`
    PkK,
    /// `pk_h`
    PkH,
    /// `older`
    Older,
    /// `after`
    After,
    /// `sha256`
    Sha256,
    /// `hash256`: the hash of `OP_HASH256`, Groestl on this chain
    Hash256,
    /// `ripemd160`
    Ripemd160,
    /// `hash160`
    Hash160,
    /// `a:`
    WrapA,
    /// `s:`
    WrapS,
    /// `c:`
    WrapC,
    /// `d:`
    WrapD,
    /// `v:`
    WrapV,
    /// `j:`
    WrapJ,
    /// `n:`
    WrapN,
    /// `and_v`
    AndV,
    /// `and_b`
    AndB,
    /// `or_b`
    OrB,
    /// `or_c`
    OrC,
    /// `or_d`
    OrD,
    /// `or_i`
    OrI,
    /// `andor`
    AndOr,
    /// `thresh`
    Thresh,
    /// `multi`, version 0 only
    Multi,
    /// `multi_a`, tapscript only
    MultiA,
}

impl Fragment {
    const fn is_wrapper(self) -> bool {
        use Fragment::*;
        matches!(self, WrapA | WrapS | WrapC | WrapD | WrapV | WrapJ | WrapN)
    }
}

/// A node of an expression.
#[derive(Debug, Clone)]
pub struct Node<K> {
    /// Kind.
    pub fragment: Fragment,
    /// Lock time, or threshold.
    pub k: u32,
    /// Keys of `pk_k`, `pk_h`, `multi`, `multi_a`.
    pub keys: Vec<K>,
    /// Hash of a hash fragment.
    pub data: Vec<u8>,
    /// Numbers of the subexpressions.
    subs: Vec<usize>,
    kind: Type,
    ops: Ops,
    stack: StackSize,
    witness: WitnessSize,
    script_len: usize,
    duplicate_keys: bool,
}

/// A miniscript expression with keys of type `K`. Reference: `miniscript::Node`.
#[derive(Debug, Clone)]
pub struct Miniscript<K> {
    nodes: Vec<Node<K>>,
    context: MiniscriptContext,
}

/// Puts nodes together; the last one made is on top of `stack`.
struct Builder<K> {
    nodes: Vec<Node<K>>,
    /// Expressions that have no parent yet.
    stack: Vec<usize>,
    context: MiniscriptContext,
}

impl<K> Builder<K> {
    fn new(context: MiniscriptContext) -> Builder<K> {
        Builder { nodes: Vec::new(), stack: Vec::new(), context }
    }

    fn push(&mut self, fragment: Fragment, k: u32, keys: Vec<K>, data: Vec<u8>, subs: Vec<usize>) {
        let sizes: Vec<SubSizes> = subs.iter().map(|i| self.nodes[*i].sizes()).collect();
        let types: Vec<Type> = sizes.iter().map(|s| s.kind).collect();
        let parts = Parts { fragment, k, n_keys: keys.len(), context: self.context, subs: &sizes };
        self.stack.push(self.nodes.len());
        self.nodes.push(Node {
            fragment,
            k,
            data,
            kind: types::compute(fragment, &types, k, self.context),
            ops: parts.ops(),
            stack: parts.stack(),
            witness: parts.witness(),
            script_len: parts.script_len(),
            duplicate_keys: false,
            keys,
            subs,
        });
    }

    fn leaf(&mut self, fragment: Fragment) {
        self.push(fragment, 0, Vec::new(), Vec::new(), Vec::new());
    }

    fn number(&mut self, fragment: Fragment, k: u32) {
        self.push(fragment, k, Vec::new(), Vec::new(), Vec::new());
    }

    fn hash(&mut self, fragment: Fragment, data: Vec<u8>) {
        self.push(fragment, 0, Vec::new(), data, Vec::new());
    }

    fn keys(&mut self, fragment: Fragment, k: u32, keys: Vec<K>) {
        self.push(fragment, k, keys, Vec::new(), Vec::new());
    }

    /// Makes one expression of the `n` on top. With `reverse`, the top one is the first subexpression.
    fn combine(&mut self, fragment: Fragment, k: u32, n: usize, reverse: bool) -> Option<()> {
        let mut subs = self.stack.split_off(self.stack.len().checked_sub(n)?);
        if reverse {
            subs.reverse();
        }
        self.push(fragment, k, Vec::new(), Vec::new(), subs);
        Some(())
    }

    fn wrap(&mut self, fragment: Fragment) -> Option<()> {
        self.combine(fragment, 0, 1, false)
    }

    fn top(&self) -> Option<&Node<K>> {
        self.nodes.get(*self.stack.last()?)
    }

    /// The expression, when it is one.
    fn finish<I: Ord>(self, identity: impl Fn(&K) -> I) -> Option<Miniscript<K>> {
        if self.stack.len() != 1 {
            return None;
        }
        let mut out = Miniscript { nodes: self.nodes, context: self.context };
        out.find_duplicate_keys(identity);
        Some(out)
    }
}

impl<K> Node<K> {
    fn sizes(&self) -> SubSizes {
        SubSizes {
            kind: self.kind,
            ops: self.ops,
            stack: self.stack,
            witness: self.witness,
            script_len: self.script_len,
        }
    }

    /// Type.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// Bytes of the script.
    pub fn script_size(&self) -> usize {
        self.script_len
    }

    fn is_bkw(&self) -> u32 {
        u32::from(self.kind.has_any("BKW"))
    }

    /// Most counted opcodes of a satisfaction.
    pub fn max_ops(&self) -> Option<u32> {
        Some(self.ops.count + self.ops.sat?)
    }

    /// Most stack elements of a satisfaction.
    pub fn max_stack_size(&self) -> Option<u32> {
        Some(self.stack.sat?.net.cast_unsigned().wrapping_add(self.is_bkw()))
    }

    /// Most stack elements during execution.
    pub fn max_exec_stack_size(&self) -> Option<u32> {
        Some(self.stack.sat?.exec.cast_unsigned().wrapping_add(self.is_bkw()))
    }

    /// Largest witness of a satisfaction, in bytes, without the script.
    pub fn max_witness_size(&self) -> Option<u32> {
        self.witness.sat
    }

    /// True when no satisfaction exists.
    pub fn is_not_satisfiable(&self) -> bool {
        self.stack.sat.is_none()
    }

    /// True when well typed and not too long.
    pub fn is_valid(&self, context: MiniscriptContext) -> bool {
        self.kind != Type::NONE && self.script_len <= context.max_script_size()
    }

    /// True when valid as a whole script.
    pub fn is_valid_top_level(&self, context: MiniscriptContext) -> bool {
        self.is_valid(context) && self.kind.has("B")
    }

    /// True when every satisfaction can be made non-malleable.
    pub fn is_non_malleable(&self) -> bool {
        self.kind.has("m")
    }

    /// True when every satisfaction has a signature.
    pub fn needs_signature(&self) -> bool {
        self.kind.has("s")
    }

    /// True when no satisfaction needs both a height and a time of one kind.
    pub fn no_time_lock_mix(&self) -> bool {
        self.kind.has("k")
    }

    /// True when no key is there twice.
    pub fn no_duplicate_keys(&self) -> bool {
        !self.duplicate_keys
    }

    /// True when satisfactions stay within the limits of scripts.
    pub fn valid_satisfactions(&self, context: MiniscriptContext) -> bool {
        let within = match context {
            MiniscriptContext::Tapscript => {
                self.max_exec_stack_size().is_none_or(|n| n as usize <= MAX_STACK_SIZE)
            }
            MiniscriptContext::P2wsh => {
                self.max_ops().is_none_or(|n| n as usize <= MAX_OPS_PER_SCRIPT)
                    && self.max_stack_size().is_none_or(|n| n <= MAX_P2WSH_STACK_ITEMS)
            }
        };
        self.is_valid(context) && within
    }

    /// True when the script does what the expression says.
    pub fn is_sane_subexpression(&self, context: MiniscriptContext) -> bool {
        self.valid_satisfactions(context)
            && self.is_non_malleable()
            && self.no_time_lock_mix()
            && self.no_duplicate_keys()
    }

    /// True when safe as a whole script.
    pub fn is_sane(&self, context: MiniscriptContext) -> bool {
        self.is_valid_top_level(context) && self.is_sane_subexpression(context) && self.needs_signature()
    }
}

impl<K> Miniscript<K> {
    /// The whole expression.
    pub fn root(&self) -> &Node<K> {
        self.nodes.last().expect("an expression has a node")
    }

    fn root_index(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Where the script runs.
    pub fn context(&self) -> MiniscriptContext {
        self.context
    }

    /// All nodes, children before parents.
    pub fn nodes(&self) -> &[Node<K>] {
        &self.nodes
    }

    /// True when safe as a whole script.
    pub fn is_sane(&self) -> bool {
        self.root().is_sane(self.context)
    }

    /// Numbers of all nodes from right to left, parents before children.
    fn pre_order(&self) -> Vec<usize> {
        let mut out = Vec::with_capacity(self.nodes.len());
        let mut todo = vec![self.root_index()];
        while let Some(at) = todo.pop() {
            out.push(at);
            todo.extend(&self.nodes[at].subs);
        }
        out
    }

    /// Numbers of all nodes from left to right, children before parents.
    fn post_order(&self) -> Vec<usize> {
        let mut out = self.pre_order();
        out.reverse();
        out
    }

    /// All nodes in the order of the reference's `ForEachNode`: parents first, from right to left.
    pub fn walk(&self) -> impl Iterator<Item = &Node<K>> {
        self.pre_order().into_iter().map(|at| &self.nodes[at])
    }

    /// The first insane expression without insane subexpressions. Reference: `FindInsaneSub`.
    pub(crate) fn find_insane(&self) -> Option<usize> {
        self.post_order().into_iter().find(|i| !self.nodes[*i].is_sane_subexpression(self.context))
    }

    /// Marks nodes below which two keys have the same identity. Reference: `DuplicateKeyCheck`.
    fn find_duplicate_keys<I: Ord>(&mut self, identity: impl Fn(&K) -> I) {
        let mut ranks: BTreeMap<I, u32> = BTreeMap::new();
        // Keys below each node that has no parent yet; `None` with duplicates.
        let mut sets: Vec<Option<HashSet<u32>>> = Vec::with_capacity(self.nodes.len());
        for node in &mut self.nodes {
            let mut set = Some(HashSet::new());
            for key in &node.keys {
                let next = ranks.len() as u32;
                let rank = *ranks.entry(identity(key)).or_insert(next);
                set = set.and_then(|mut s| s.insert(rank).then_some(s));
            }
            for sub in &node.subs {
                set = match (set, sets[*sub].take()) {
                    (Some(a), Some(b)) => union(a, b),
                    _ => None,
                };
            }
            node.duplicate_keys = set.is_none();
            sets.push(set);
        }
    }
}

/// Both sets together; `None` when they share an element.
fn union(a: HashSet<u32>, b: HashSet<u32>) -> Option<HashSet<u32>> {
    let (mut large, small) = if a.len() < b.len() { (b, a) } else { (a, b) };
    small.into_iter().all(|key| large.insert(key)).then_some(large)
}
