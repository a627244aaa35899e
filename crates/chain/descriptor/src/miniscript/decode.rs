use grs_script::opcodes::*;
use grs_script::{
    MAX_PUBKEYS_PER_MULTI_A, MAX_PUBKEYS_PER_MULTISIG, ScriptExt, ScriptNum, check_minimal_push,
};

use super::{Builder, Fragment, Miniscript, MiniscriptContext};

/// Reads the keys of a script.
pub trait ScriptKeys {
    /// What stands for a key in the expression.
    type Key;

    /// The key with these bytes (32 or 33), if it may stand here.
    fn key_from_bytes(&mut self, bytes: &[u8]) -> Option<Self::Key>;

    /// The key with this Hash160.
    fn key_from_hash(&mut self, hash: &[u8; 20]) -> Option<Self::Key>;

    /// What makes two keys the same, for the search for duplicates. Unknown keys count as the same.
    fn identity(&self, key: &Self::Key) -> Vec<u8>;
}

/// An opcode and what it pushes.
type Op = (u8, Vec<u8>);

/// The instructions of a script, last one first, with VERIFY split off. `None` for scripts that no miniscript
/// has. Reference: `DecomposeScript`.
fn decompose(script: &[u8]) -> Option<Vec<Op>> {
    let mut out = Vec::new();
    let mut it = script.instructions();
    while let Some(instruction) = it.next() {
        let i = instruction.ok()?;
        let split = match i.opcode {
            OP_CHECKSIGVERIFY => Some(OP_CHECKSIG),
            OP_CHECKMULTISIGVERIFY => Some(OP_CHECKMULTISIG),
            OP_EQUALVERIFY => Some(OP_EQUAL),
            OP_NUMEQUALVERIFY => Some(OP_NUMEQUAL),
            _ => None,
        };
        if let Some(opcode) = split {
            out.push((opcode, Vec::new()));
            out.push((OP_VERIFY, Vec::new()));
            continue;
        }
        match i.opcode {
            OP_1..=OP_16 => out.push((i.opcode, vec![i.opcode - (OP_1 - 1)])),
            0..=OP_PUSHDATA4 => {
                if !check_minimal_push(i.data, i.opcode) {
                    return None;
                }
                out.push((i.opcode, i.data.to_vec()));
            }
            OP_CHECKSIG | OP_CHECKMULTISIG | OP_EQUAL | OP_NUMEQUAL
                if it.rest().first() == Some(&OP_VERIFY) =>
            {
                return None;
            }
            _ => out.push((i.opcode, Vec::new())),
        }
    }
    out.reverse();
    Some(out)
}

/// The number that an instruction pushes. Reference: `ParseScriptNumber`.
fn number((opcode, data): &Op) -> Option<i64> {
    if *opcode == OP_0 {
        return Some(0);
    }
    if data.is_empty() {
        return None;
    }
    ScriptNum::from_bytes(data, true, ScriptNum::DEFAULT_MAX_SIZE).ok().map(|n| n.0)
}

/// What to do next; the script is read from its end.
enum Todo {
    /// One expression of type B, K or V; not `and_v`.
    Single,
    /// As `Single`, maybe several joined by `and_v`.
    Several,
    /// An expression of type W.
    W,
    /// `OP_SWAP` comes next.
    Swap,
    /// `OP_TOALTSTACK` comes next.
    Alt,
    Wrap(Fragment),
    MaybeAndV,
    /// Combine the last two.
    Combine(Fragment),
    AndOr,
    /// In `thresh`: subexpressions so far, threshold.
    ThreshW(usize, u32),
    ThreshE(usize, u32),
    /// Behind `OP_ENDIF`.
    EndIf,
    EndIfNotIf,
    EndIfElse,
}

struct Decoder<'a, C: ScriptKeys> {
    ops: &'a [Op],
    keys: &'a mut C,
    todo: Vec<Todo>,
    builder: Builder<C::Key>,
    context: MiniscriptContext,
}

impl<K> Miniscript<K> {
    /// Reads an expression from its script. The result is valid as a whole script, but maybe not sane.
    /// Reference: `miniscript::FromScript`.
    pub fn from_script<C: ScriptKeys<Key = K>>(
        script: &[u8],
        context: MiniscriptContext,
        keys: &mut C,
    ) -> Option<Miniscript<K>> {
        if script.len() > context.max_script_size() {
            return None;
        }
        let ops = decompose(script)?;
        let builder = Builder::new(context);
        let mut decoder = Decoder { ops: &ops, keys, todo: vec![Todo::Several], builder, context };
        decoder.run()?;
        if !decoder.ops.is_empty() {
            return None;
        }
        let Decoder { builder, keys, .. } = decoder;
        let out = builder.finish(|key| keys.identity(key))?;
        out.root().is_valid_top_level(context).then_some(out)
    }
}

impl<C: ScriptKeys> Decoder<'_, C> {
    fn run(&mut self) -> Option<()> {
        while let Some(todo) = self.todo.pop() {
            if self.builder.top().is_some_and(|node| !node.is_valid(self.context)) {
                return None;
            }
            match todo {
                Todo::Single => self.single()?,
                Todo::Several => self.plan([Todo::MaybeAndV, Todo::Single]),
                Todo::W => {
                    if self.opcode(0)? == OP_FROMALTSTACK {
                        self.advance(1);
                        self.plan([Todo::Alt, Todo::Several]);
                    } else {
                        self.plan([Todo::Swap, Todo::Several]);
                    }
                }
                Todo::Swap => {
                    self.take(OP_SWAP)?;
                    self.builder.wrap(Fragment::WrapS)?;
                }
                Todo::Alt => {
                    self.take(OP_TOALTSTACK)?;
                    self.builder.wrap(Fragment::WrapA)?;
                }
                Todo::Wrap(fragment) => self.builder.wrap(fragment)?,
                Todo::MaybeAndV => {
                    // None of these can end an expression.
                    let end = [OP_IF, OP_ELSE, OP_NOTIF, OP_TOALTSTACK, OP_SWAP];
                    if self.opcode(0).is_some_and(|op| !end.contains(&op)) {
                        self.plan([Todo::Combine(Fragment::AndV), Todo::Several]);
                    }
                }
                Todo::Combine(fragment) => self.builder.combine(fragment, 0, 2, true)?,
                Todo::AndOr => self.and_or()?,
                Todo::ThreshW(n, k) => {
                    if self.opcode(0)? == OP_ADD {
                        self.advance(1);
                        self.plan([Todo::ThreshW(n + 1, k), Todo::W]);
                    } else {
                        self.plan([Todo::ThreshE(n + 1, k), Todo::Single]);
                    }
                }
                Todo::ThreshE(n, k) => {
                    if k < 1 || k as usize > n {
                        return None;
                    }
                    self.builder.combine(Fragment::Thresh, k, n, true)?;
                }
                Todo::EndIf => self.end_if()?,
                Todo::EndIfNotIf => {
                    let fragment = if self.opcode(0)? == OP_IFDUP {
                        self.advance(1);
                        Fragment::OrD
                    } else {
                        Fragment::OrC
                    };
                    self.plan([Todo::Combine(fragment), Todo::Single]);
                }
                Todo::EndIfElse => match self.opcode(0)? {
                    OP_IF => {
                        self.advance(1);
                        self.builder.combine(Fragment::OrI, 0, 2, true)?;
                    }
                    OP_NOTIF => {
                        self.advance(1);
                        self.plan([Todo::AndOr, Todo::Single]);
                    }
                    _ => return None,
                },
            }
        }
        Some(())
    }

    fn plan<const N: usize>(&mut self, steps: [Todo; N]) {
        self.todo.extend(steps);
    }

    fn opcode(&self, at: usize) -> Option<u8> {
        self.ops.get(at).map(|(opcode, _)| *opcode)
    }

    fn data(&self, at: usize) -> &[u8] {
        self.ops.get(at).map(|(_, data)| data.as_slice()).unwrap_or_default()
    }

    fn number(&self, at: usize) -> Option<i64> {
        number(self.ops.get(at)?)
    }

    fn advance(&mut self, n: usize) {
        self.ops = self.ops.get(n..).unwrap_or_default();
    }

    fn take(&mut self, opcode: u8) -> Option<()> {
        (self.opcode(0)? == opcode).then(|| self.advance(1))
    }

    fn and_or(&mut self) -> Option<()> {
        // On the stack, in the order of reading: second, third, first.
        let stack = &mut self.builder.stack;
        let n = stack.len();
        if n < 3 {
            return None;
        }
        stack[n - 3..].rotate_right(1);
        self.builder.combine(Fragment::AndOr, 0, 3, false)
    }

    fn end_if(&mut self) -> Option<()> {
        match self.opcode(0)? {
            OP_ELSE => {
                self.advance(1);
                self.plan([Todo::EndIfElse, Todo::Several]);
            }
            OP_IF if self.opcode(1) == Some(OP_DUP) => {
                self.advance(2);
                self.plan([Todo::Wrap(Fragment::WrapD)]);
            }
            OP_IF if self.opcode(1) == Some(OP_0NOTEQUAL) && self.opcode(2) == Some(OP_SIZE) => {
                self.advance(3);
                self.plan([Todo::Wrap(Fragment::WrapJ)]);
            }
            OP_NOTIF => {
                self.advance(1);
                self.plan([Todo::EndIfNotIf]);
            }
            _ => return None,
        }
        Some(())
    }

    fn single(&mut self) -> Option<()> {
        let opcode = self.opcode(0)?;
        match opcode {
            OP_1 => {
                self.advance(1);
                self.builder.leaf(Fragment::Just1);
                return Some(());
            }
            OP_0 => {
                self.advance(1);
                self.builder.leaf(Fragment::Just0);
                return Some(());
            }
            _ => {}
        }
        if matches!(self.data(0).len(), 32 | 33) {
            let key = self.keys.key_from_bytes(&self.ops[0].1)?;
            self.advance(1);
            self.builder.keys(Fragment::PkK, 0, vec![key]);
            return Some(());
        }
        if opcode == OP_VERIFY
            && self.opcode(1) == Some(OP_EQUAL)
            && self.opcode(3) == Some(OP_HASH160)
            && self.opcode(4) == Some(OP_DUP)
            && let Ok(hash) = <&[u8; 20]>::try_from(self.data(2))
        {
            let hash = *hash;
            let key = self.keys.key_from_hash(&hash)?;
            self.advance(5);
            self.builder.keys(Fragment::PkH, 0, vec![key]);
            return Some(());
        }
        if matches!(opcode, OP_CHECKSEQUENCEVERIFY | OP_CHECKLOCKTIMEVERIFY)
            && let Some(n) = self.number(1)
        {
            let n = u32::try_from(n).ok().filter(|n| (1..1 << 31).contains(n))?;
            self.advance(2);
            let older = opcode == OP_CHECKSEQUENCEVERIFY;
            self.builder.number(if older { Fragment::Older } else { Fragment::After }, n);
            return Some(());
        }
        if opcode == OP_EQUAL
            && let Some(fragment) = self.hash_fragment()
        {
            let data = self.data(1).to_vec();
            self.advance(7);
            self.builder.hash(fragment, data);
            return Some(());
        }
        self.combined(opcode)
    }

    /// The hash fragment that ends here, if any.
    fn hash_fragment(&self) -> Option<Fragment> {
        let frame = self.opcode(3) == Some(OP_VERIFY)
            && self.opcode(4) == Some(OP_EQUAL)
            && self.number(5) == Some(32)
            && self.opcode(6) == Some(OP_SIZE);
        if !frame {
            return None;
        }
        match (self.opcode(2)?, self.data(1).len()) {
            (OP_SHA256, 32) => Some(Fragment::Sha256),
            (OP_RIPEMD160, 20) => Some(Fragment::Ripemd160),
            (OP_HASH256, 32) => Some(Fragment::Hash256),
            (OP_HASH160, 20) => Some(Fragment::Hash160),
            _ => None,
        }
    }

    /// Expressions with others in them. `and_v` commutes with wrappers and `and_b`, so these read a single
    /// expression and leave the rest to an `and_v` around them.
    fn combined(&mut self, opcode: u8) -> Option<()> {
        match opcode {
            OP_CHECKMULTISIG if self.ops.len() >= 3 => return self.multi(),
            OP_NUMEQUAL if self.ops.len() >= 4 => return self.multi_a(),
            OP_EQUAL => {
                let k = u32::try_from(self.number(1)?).ok().filter(|k| *k >= 1 && self.ops.len() >= 3)?;
                self.advance(2);
                self.plan([Todo::ThreshW(0, k)]);
                return Some(());
            }
            _ => {}
        }
        match opcode {
            OP_CHECKSIG => self.plan([Todo::Wrap(Fragment::WrapC), Todo::Single]),
            OP_VERIFY => self.plan([Todo::Wrap(Fragment::WrapV), Todo::Single]),
            OP_0NOTEQUAL => self.plan([Todo::Wrap(Fragment::WrapN), Todo::Single]),
            OP_ENDIF => self.plan([Todo::EndIf, Todo::Several]),
            OP_BOOLAND => self.plan([Todo::Combine(Fragment::AndB), Todo::Single, Todo::W]),
            OP_BOOLOR => self.plan([Todo::Combine(Fragment::OrB), Todo::Single, Todo::W]),
            _ => return None,
        }
        self.advance(1);
        Some(())
    }

    fn multi(&mut self) -> Option<()> {
        if self.context == MiniscriptContext::Tapscript {
            return None;
        }
        let n = usize::try_from(self.number(1)?).ok()?;
        if !(1..=MAX_PUBKEYS_PER_MULTISIG).contains(&n) || self.ops.len() < 3 + n {
            return None;
        }
        let mut keys = Vec::with_capacity(n);
        for (_, data) in &self.ops[2..2 + n] {
            if data.len() != 33 {
                return None;
            }
            keys.push(self.keys.key_from_bytes(data)?);
        }
        let k = u32::try_from(self.number(2 + n)?).ok().filter(|k| *k >= 1 && *k as usize <= n)?;
        self.advance(3 + n);
        keys.reverse();
        self.builder.keys(Fragment::Multi, k, keys);
        Some(())
    }

    fn multi_a(&mut self) -> Option<()> {
        if self.context != MiniscriptContext::Tapscript {
            return None;
        }
        let k = u32::try_from(self.number(1)?).ok()?;
        if k < 1 || k as usize > MAX_PUBKEYS_PER_MULTI_A || self.ops.len() < 2 + k as usize * 2 {
            return None;
        }
        let mut keys = Vec::new();
        for pair in self.ops[2..].chunks_exact(2) {
            let opcode = pair[0].0;
            if !matches!(opcode, OP_CHECKSIGADD | OP_CHECKSIG) || pair[1].1.len() != 32 {
                return None;
            }
            keys.push(self.keys.key_from_bytes(&pair[1].1)?);
            if keys.len() > MAX_PUBKEYS_PER_MULTI_A {
                return None;
            }
            if opcode == OP_CHECKSIG {
                if keys.len() < k as usize {
                    return None;
                }
                self.advance(2 + keys.len() * 2);
                keys.reverse();
                self.builder.keys(Fragment::MultiA, k, keys);
                return Some(());
            }
        }
        None
    }
}
