use grs_encoding::{hex_decode, is_hex};
use grs_script::{MAX_PUBKEYS_PER_MULTI_A, MAX_PUBKEYS_PER_MULTISIG};

use super::size::number_len;
use super::{Builder, Fragment, Miniscript, MiniscriptContext};
use crate::text::{expression, function, parse_i64, skip};

/// Reads the keys of a miniscript text.
pub trait TextKeys {
    /// What stands for a key in the expression.
    type Key;

    /// Reads a key expression.
    fn parse_key(&mut self, text: &str) -> Option<Self::Key>;

    /// What makes two keys the same, for the search for duplicates. Unknown keys count as the same.
    fn identity(&self, key: &Self::Key) -> Vec<u8>;
}

/// What to do next.
enum Todo {
    /// An expression that may start with wrappers and a colon.
    Wrapped,
    /// An expression without wrappers.
    Plain,
    /// Wrap the last expression.
    Wrap(Fragment),
    /// `u:`
    WrapU,
    /// `t:`
    WrapT,
    /// `and_n` of the last two.
    AndN,
    /// Combine the last two or three.
    Combine(Fragment, usize),
    /// A subexpression of `thresh` was read: its number and the threshold.
    Thresh(usize, i64),
    Comma,
    CloseBracket,
}

struct Parser<'a, C: TextKeys> {
    input: &'a str,
    keys: &'a mut C,
    todo: Vec<Todo>,
    builder: Builder<C::Key>,
    context: MiniscriptContext,
    /// Least size of the script for what was read so far: stops texts that cannot end well.
    size: usize,
}

impl<K> Miniscript<K> {
    /// Parses an expression. It need not be valid or sane. Reference: `miniscript::FromString`.
    pub fn parse<C: TextKeys<Key = K>>(
        text: &str,
        context: MiniscriptContext,
        keys: &mut C,
    ) -> Option<Miniscript<K>> {
        let mut parser = Parser {
            input: text,
            keys,
            todo: vec![Todo::Wrapped],
            builder: Builder::new(context),
            context,
            size: 1,
        };
        parser.run()?;
        if !parser.input.is_empty() {
            return None;
        }
        let Parser { builder, keys, .. } = parser;
        builder.finish(|key| keys.identity(key))
    }
}

/// Position of a character before the next closing bracket.
fn find(text: &str, wanted: char) -> Option<usize> {
    let at = text.find([wanted, ')'])?;
    text[at..].starts_with(wanted).then_some(at)
}

impl<'a, C: TextKeys> Parser<'a, C> {
    fn run(&mut self) -> Option<()> {
        while let Some(todo) = self.todo.pop() {
            self.check_size()?;
            match todo {
                Todo::Wrapped => self.wrappers()?,
                Todo::Plain => self.plain()?,
                Todo::Wrap(fragment) => {
                    if fragment == Fragment::WrapV {
                        self.size += usize::from(self.builder.top()?.kind().has("x"));
                    }
                    self.builder.wrap(fragment)?;
                }
                Todo::WrapU => {
                    self.builder.leaf(Fragment::Just0);
                    self.builder.combine(Fragment::OrI, 0, 2, false)?;
                }
                Todo::WrapT => {
                    self.builder.leaf(Fragment::Just1);
                    self.builder.combine(Fragment::AndV, 0, 2, false)?;
                }
                Todo::AndN => {
                    self.builder.leaf(Fragment::Just0);
                    self.builder.combine(Fragment::AndOr, 0, 3, false)?;
                }
                Todo::Combine(fragment, n) => self.builder.combine(fragment, 0, n, false)?,
                Todo::Thresh(n, k) => self.thresh(n, k)?,
                Todo::Comma => self.expect(",")?,
                Todo::CloseBracket => self.expect(")")?,
            }
        }
        Some(())
    }

    fn check_size(&self) -> Option<()> {
        (self.size <= self.context.max_script_size()).then_some(())
    }

    fn expect(&mut self, text: &str) -> Option<()> {
        skip(text, &mut self.input).then_some(())
    }

    fn wrappers(&mut self) -> Option<()> {
        let letters = self.input.bytes().take_while(u8::is_ascii_lowercase).count();
        let colon = if self.input.as_bytes().get(letters.max(1)) == Some(&b':') {
            Some(letters.max(1))
        } else {
            None
        };
        let Some(colon) = colon else {
            self.todo.push(Todo::Plain);
            return Some(());
        };
        let (head, tail) = (&self.input.as_bytes()[..colon], &self.input[colon + 1..]);
        let mut last = 0;
        for letter in head {
            self.check_size()?;
            let (size, todo) = match letter {
                b'a' => (2, Todo::Wrap(Fragment::WrapA)),
                b's' => (1, Todo::Wrap(Fragment::WrapS)),
                b'c' => (1, Todo::Wrap(Fragment::WrapC)),
                b'd' => (3, Todo::Wrap(Fragment::WrapD)),
                b'j' => (4, Todo::Wrap(Fragment::WrapJ)),
                b'n' => (1, Todo::Wrap(Fragment::WrapN)),
                // Twice in a row is never valid and would not grow the script.
                b'v' if last != b'v' => (0, Todo::Wrap(Fragment::WrapV)),
                b'u' => (4, Todo::WrapU),
                b't' => (1, Todo::WrapT),
                b'l' => {
                    self.builder.leaf(Fragment::Just0);
                    (4, Todo::Combine(Fragment::OrI, 2))
                }
                _ => return None,
            };
            self.size += size;
            self.todo.push(todo);
            last = *letter;
        }
        self.todo.push(Todo::Plain);
        self.input = tail;
        Some(())
    }

    fn plain(&mut self) -> Option<()> {
        let tapscript = usize::from(self.context == MiniscriptContext::Tapscript);
        if skip("0", &mut self.input) {
            self.builder.leaf(Fragment::Just0);
            return Some(());
        }
        if skip("1", &mut self.input) {
            self.builder.leaf(Fragment::Just1);
            return Some(());
        }
        let (name, _) = self.input.split_once('(')?;
        match name {
            "pk" => self.key("pk", Fragment::PkK, true, 34 - tapscript),
            "pkh" => self.key("pkh", Fragment::PkH, true, 24),
            "pk_k" => self.key("pk_k", Fragment::PkK, false, 33 - tapscript),
            "pk_h" => self.key("pk_h", Fragment::PkH, false, 23),
            "sha256" => self.hash("sha256", Fragment::Sha256, 32),
            "ripemd160" => self.hash("ripemd160", Fragment::Ripemd160, 20),
            "hash256" => self.hash("hash256", Fragment::Hash256, 32),
            "hash160" => self.hash("hash160", Fragment::Hash160, 20),
            "after" => self.lock_time("after", Fragment::After),
            "older" => self.lock_time("older", Fragment::Older),
            "multi" => self.multi("multi(", Fragment::Multi),
            "multi_a" => self.multi("multi_a(", Fragment::MultiA),
            "thresh" => {
                self.expect("thresh(")?;
                let k = self.threshold()?;
                if k < 1 {
                    return None;
                }
                self.todo.push(Todo::Thresh(1, k));
                self.todo.push(Todo::Wrapped);
                self.size += 1 + number_len(u32::try_from(k).unwrap_or(u32::MAX));
                Some(())
            }
            "andor" => self.function("andor(", Todo::Combine(Fragment::AndOr, 3), 3, 5),
            "and_n" => self.function("and_n(", Todo::AndN, 2, 5),
            "and_b" => self.function("and_b(", Todo::Combine(Fragment::AndB, 2), 2, 2),
            "and_v" => self.function("and_v(", Todo::Combine(Fragment::AndV, 2), 2, 1),
            "or_b" => self.function("or_b(", Todo::Combine(Fragment::OrB, 2), 2, 2),
            "or_c" => self.function("or_c(", Todo::Combine(Fragment::OrC, 2), 2, 3),
            "or_d" => self.function("or_d(", Todo::Combine(Fragment::OrD, 2), 2, 4),
            "or_i" => self.function("or_i(", Todo::Combine(Fragment::OrI, 2), 2, 4),
            _ => None,
        }
    }

    /// Plans a function of `n` expressions.
    fn function(&mut self, head: &str, then: Todo, n: usize, size: usize) -> Option<()> {
        self.expect(head)?;
        self.size += size;
        self.todo.push(then);
        self.todo.push(Todo::CloseBracket);
        self.todo.push(Todo::Wrapped);
        for _ in 1..n {
            self.todo.push(Todo::Comma);
            self.todo.push(Todo::Wrapped);
        }
        Some(())
    }

    /// The argument of a function without expressions in it.
    fn argument(&mut self, name: &str) -> Option<&'a str> {
        let mut text = expression(&mut self.input);
        function(name, &mut text).then_some(text)
    }

    fn key(&mut self, name: &str, fragment: Fragment, check: bool, size: usize) -> Option<()> {
        let text = self.argument(name)?;
        let key = self.keys.parse_key(text)?;
        self.builder.keys(fragment, 0, vec![key]);
        self.size += size;
        if check { self.builder.wrap(Fragment::WrapC) } else { Some(()) }
    }

    fn hash(&mut self, name: &str, fragment: Fragment, len: usize) -> Option<()> {
        let text = self.argument(name)?;
        if !is_hex(text) || text.len() != 2 * len {
            return None;
        }
        let data = hex_decode(text).ok()?;
        self.builder.hash(fragment, data);
        self.size += len + 6;
        Some(())
    }

    fn lock_time(&mut self, name: &str, fragment: Fragment) -> Option<()> {
        let n = u32::try_from(parse_i64(self.argument(name)?)?).ok()?;
        if !(1..1 << 31).contains(&n) {
            return None;
        }
        self.builder.number(fragment, n);
        self.size += number_len(n);
        Some(())
    }

    /// A number and the comma behind it.
    fn threshold(&mut self) -> Option<i64> {
        let comma = find(self.input, ',')?;
        let k = parse_i64(&self.input[..comma])?;
        self.input = &self.input[comma + 1..];
        Some(k)
    }

    fn multi(&mut self, head: &str, fragment: Fragment) -> Option<()> {
        self.expect(head)?;
        let (max_keys, context) = match fragment {
            Fragment::MultiA => (MAX_PUBKEYS_PER_MULTI_A, MiniscriptContext::Tapscript),
            _ => (MAX_PUBKEYS_PER_MULTISIG, MiniscriptContext::P2wsh),
        };
        if self.context != context {
            return None;
        }
        let k = self.threshold()?;
        let mut keys = Vec::new();
        loop {
            let comma = find(self.input, ',');
            let end = comma.or_else(|| find(self.input, ')')).filter(|end| *end > 0)?;
            keys.push(self.keys.parse_key(&self.input[..end])?);
            self.input = &self.input[end + 1..];
            if comma.is_none() {
                break;
            }
        }
        let n = keys.len();
        let k = u32::try_from(k).ok().filter(|k| *k >= 1 && *k as usize <= n)?;
        if n > max_keys {
            return None;
        }
        self.size += if fragment == Fragment::MultiA {
            34 * n + number_len(k)
        } else {
            2 + usize::from(n > 16) + usize::from(k > 16) + 34 * n
        };
        self.builder.keys(fragment, k, keys);
        Some(())
    }

    fn thresh(&mut self, n: usize, k: i64) -> Option<()> {
        if skip(",", &mut self.input) {
            self.todo.push(Todo::Thresh(n + 1, k));
            self.todo.push(Todo::Wrapped);
            self.size += 2;
            return Some(());
        }
        self.expect(")")?;
        let k = u32::try_from(k).ok().filter(|k| *k as usize <= n)?;
        self.builder.combine(Fragment::Thresh, k, n, false)
    }
}
