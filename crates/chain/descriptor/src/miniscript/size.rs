//! Bounds on opcodes, stack and witness of an expression. Reference: `CalcOps`, `CalcStackSize`,
//! `CalcWitnessSize` and `ComputeScriptLen`.

use super::{Fragment, MiniscriptContext, Type};

/// Largest number over the ways to do something; `None` when there is no way.
type Max = Option<u32>;

fn plus(a: Max, b: Max) -> Max {
    Some(a?.saturating_add(b?))
}

fn either(a: Max, b: Max) -> Max {
    a.max(b)
}

/// Opcodes: those always counted, and keys of executed multisigs when satisfied and dissatisfied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ops {
    pub(super) count: u32,
    pub(super) sat: Max,
    pub(super) dsat: Max,
}

/// Largest witness in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WitnessSize {
    pub(super) sat: Max,
    pub(super) dsat: Max,
}

/// Effect of scripts on the stack: how many elements more it has at the start than at the end, and at most
/// during execution. `None` for no script. Reference: `SatInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) net: i32,
    pub(super) exec: i32,
}

pub(super) type Effects = Option<Effect>;

const fn effect(net: i32, exec: i32) -> Effects {
    Some(Effect { net, exec })
}

const EMPTY: Effects = effect(0, 0);
const PUSH: Effects = effect(-1, 0);
const HASH: Effects = effect(0, 0);
const NOP: Effects = effect(0, 0);
const IF: Effects = effect(1, 1);
const BINARY: Effects = effect(1, 1);
const DUP: Effects = effect(-1, 0);
const IFDUP_TRUE: Effects = effect(-1, 0);
const IFDUP_FALSE: Effects = effect(0, 0);
const EQUALVERIFY: Effects = effect(2, 2);
const EQUAL: Effects = effect(1, 1);
const SIZE: Effects = effect(-1, 0);
const CHECKSIG: Effects = effect(1, 1);
const NOTEQUAL0: Effects = effect(0, 0);
const VERIFY: Effects = effect(1, 1);

/// One script after the other.
fn then(parts: &[Effects]) -> Effects {
    let mut out = Effect { net: 0, exec: 0 };
    for part in parts {
        let b = (*part)?;
        out = Effect { net: out.net + b.net, exec: b.exec.max(b.net + out.exec) };
    }
    Some(out)
}

/// One script or the other.
fn or(a: Effects, b: Effects) -> Effects {
    match (a, b) {
        (Some(a), Some(b)) => effect(a.net.max(b.net), a.exec.max(b.exec)),
        (a, b) => a.or(b),
    }
}

/// Effects when satisfied and dissatisfied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StackSize {
    pub(super) sat: Effects,
    pub(super) dsat: Effects,
}

/// What sizes are computed from.
pub(super) struct Parts<'a> {
    pub(super) fragment: Fragment,
    pub(super) k: u32,
    pub(super) n_keys: usize,
    pub(super) context: MiniscriptContext,
    pub(super) subs: &'a [SubSizes],
}

/// Sizes of a subexpression.
#[derive(Debug, Clone, Copy)]
pub(super) struct SubSizes {
    pub(super) kind: Type,
    pub(super) ops: Ops,
    pub(super) stack: StackSize,
    pub(super) witness: WitnessSize,
    pub(super) script_len: usize,
}

/// For `thresh`: at index j the best over all ways to satisfy j subexpressions.
fn ways<T: Copy>(
    start: T,
    n: usize,
    dsat: impl Fn(usize, T) -> T,
    sat: impl Fn(usize, T) -> T,
    best: impl Fn(T, T) -> T,
) -> Vec<T> {
    let mut out = vec![start];
    for i in 0..n {
        let mut next = vec![dsat(i, out[0])];
        for j in 1..out.len() {
            next.push(best(dsat(i, out[j]), sat(i, out[j - 1])));
        }
        next.push(sat(i, out[out.len() - 1]));
        out = next;
    }
    out
}

impl Parts<'_> {
    pub(super) fn ops(&self) -> Ops {
        let make = |count, sat, dsat| Ops { count, sat, dsat };
        let s = |i: usize| self.subs[i].ops;
        let sum = |n: usize| (0..n).map(|i| s(i).count).sum::<u32>();
        match self.fragment {
            Fragment::Just1 => make(0, Some(0), None),
            Fragment::Just0 => make(0, None, Some(0)),
            Fragment::PkK => make(0, Some(0), Some(0)),
            Fragment::PkH => make(3, Some(0), Some(0)),
            Fragment::Older | Fragment::After => make(1, Some(0), None),
            Fragment::Sha256 | Fragment::Ripemd160 | Fragment::Hash256 | Fragment::Hash160 => {
                make(4, Some(0), None)
            }
            Fragment::AndV => make(sum(2), plus(s(0).sat, s(1).sat), None),
            Fragment::AndB => make(1 + sum(2), plus(s(0).sat, s(1).sat), plus(s(0).dsat, s(1).dsat)),
            Fragment::OrB => make(
                1 + sum(2),
                either(plus(s(0).sat, s(1).dsat), plus(s(1).sat, s(0).dsat)),
                plus(s(0).dsat, s(1).dsat),
            ),
            Fragment::OrD => {
                make(3 + sum(2), either(s(0).sat, plus(s(1).sat, s(0).dsat)), plus(s(0).dsat, s(1).dsat))
            }
            Fragment::OrC => make(2 + sum(2), either(s(0).sat, plus(s(1).sat, s(0).dsat)), None),
            Fragment::OrI => make(3 + sum(2), either(s(0).sat, s(1).sat), either(s(0).dsat, s(1).dsat)),
            Fragment::AndOr => make(
                3 + sum(3),
                either(plus(s(1).sat, s(0).sat), plus(s(0).dsat, s(2).sat)),
                plus(s(0).dsat, s(2).dsat),
            ),
            Fragment::Multi => make(1, Some(self.n_keys as u32), Some(self.n_keys as u32)),
            Fragment::MultiA => make(self.n_keys as u32 + 1, Some(0), Some(0)),
            Fragment::WrapS | Fragment::WrapC | Fragment::WrapN => make(1 + s(0).count, s(0).sat, s(0).dsat),
            Fragment::WrapA => make(2 + s(0).count, s(0).sat, s(0).dsat),
            Fragment::WrapD => make(3 + s(0).count, s(0).sat, Some(0)),
            Fragment::WrapJ => make(4 + s(0).count, s(0).sat, Some(0)),
            Fragment::WrapV => make(s(0).count + u32::from(self.subs[0].kind.has("x")), s(0).sat, None),
            Fragment::Thresh => {
                let n = self.subs.len();
                let best = ways(Some(0), n, |i, w| plus(w, s(i).dsat), |i, w| plus(w, s(i).sat), either);
                make(sum(n) + n as u32, best[self.k as usize], best[0])
            }
        }
    }

    pub(super) fn stack(&self) -> StackSize {
        let make = |sat, dsat| StackSize { sat, dsat };
        let same = |both| StackSize { sat: both, dsat: both };
        let sat = |i: usize| self.subs[i].stack.sat;
        let dsat = |i: usize| self.subs[i].stack.dsat;
        match self.fragment {
            Fragment::Just0 => make(None, PUSH),
            Fragment::Just1 => make(PUSH, None),
            Fragment::Older | Fragment::After => make(then(&[PUSH, NOP]), None),
            Fragment::PkK => same(PUSH),
            Fragment::PkH => same(then(&[DUP, HASH, PUSH, EQUALVERIFY])),
            Fragment::Sha256 | Fragment::Ripemd160 | Fragment::Hash256 | Fragment::Hash160 => {
                make(then(&[SIZE, PUSH, EQUALVERIFY, HASH, PUSH, EQUAL]), None)
            }
            Fragment::AndOr => make(
                or(then(&[sat(0), IF, sat(1)]), then(&[dsat(0), IF, sat(2)])),
                then(&[dsat(0), IF, dsat(2)]),
            ),
            Fragment::AndV => make(then(&[sat(0), sat(1)]), None),
            Fragment::AndB => make(then(&[sat(0), sat(1), BINARY]), then(&[dsat(0), dsat(1), BINARY])),
            Fragment::OrB => {
                let ways = or(then(&[sat(0), dsat(1)]), then(&[dsat(0), sat(1)]));
                make(then(&[ways, BINARY]), then(&[dsat(0), dsat(1), BINARY]))
            }
            Fragment::OrC => make(or(then(&[sat(0), IF]), then(&[dsat(0), IF, sat(1)])), None),
            Fragment::OrD => make(
                or(then(&[sat(0), IFDUP_TRUE, IF]), then(&[dsat(0), IFDUP_FALSE, IF, sat(1)])),
                then(&[dsat(0), IFDUP_FALSE, IF, dsat(1)]),
            ),
            Fragment::OrI => make(then(&[IF, or(sat(0), sat(1))]), then(&[IF, or(dsat(0), dsat(1))])),
            // From a zero and k signatures over n keys and two numbers to one result.
            Fragment::Multi => same(effect(self.k as i32, self.k as i32 + self.n_keys as i32 + 2)),
            // From n signatures over one key to one result.
            Fragment::MultiA => same(effect(self.n_keys as i32 - 1, self.n_keys as i32)),
            Fragment::WrapA | Fragment::WrapN | Fragment::WrapS => self.subs[0].stack,
            Fragment::WrapC => make(then(&[sat(0), CHECKSIG]), then(&[dsat(0), CHECKSIG])),
            Fragment::WrapD => make(then(&[DUP, IF, sat(0)]), then(&[DUP, IF])),
            Fragment::WrapV => make(then(&[sat(0), VERIFY]), None),
            Fragment::WrapJ => make(then(&[SIZE, NOTEQUAL0, IF, sat(0)]), then(&[SIZE, NOTEQUAL0, IF])),
            Fragment::Thresh => {
                let add = |i: usize| if i == 0 { EMPTY } else { BINARY };
                let best = ways(
                    EMPTY,
                    self.subs.len(),
                    |i, w| then(&[w, dsat(i), add(i)]),
                    |i, w| then(&[w, sat(i), add(i)]),
                    or,
                );
                make(then(&[best[self.k as usize], PUSH, EQUAL]), then(&[best[0], PUSH, EQUAL]))
            }
        }
    }

    pub(super) fn witness(&self) -> WitnessSize {
        let make = |sat, dsat| WitnessSize { sat, dsat };
        let (signature, key) = match self.context {
            MiniscriptContext::Tapscript => (1 + 65, 1 + 32),
            MiniscriptContext::P2wsh => (1 + 72, 1 + 33),
        };
        let s = |i: usize| self.subs[i].witness;
        let (n, k) = (self.n_keys as u32, self.k);
        match self.fragment {
            Fragment::Just0 => make(None, Some(0)),
            Fragment::Just1 | Fragment::Older | Fragment::After => make(Some(0), None),
            Fragment::PkK => make(Some(signature), Some(1)),
            Fragment::PkH => make(Some(signature + key), Some(1 + key)),
            Fragment::Sha256 | Fragment::Ripemd160 | Fragment::Hash256 | Fragment::Hash160 => {
                make(Some(1 + 32), None)
            }
            Fragment::AndOr => {
                make(either(plus(s(0).sat, s(1).sat), plus(s(0).dsat, s(2).sat)), plus(s(0).dsat, s(2).dsat))
            }
            Fragment::AndV => make(plus(s(0).sat, s(1).sat), None),
            Fragment::AndB => make(plus(s(0).sat, s(1).sat), plus(s(0).dsat, s(1).dsat)),
            Fragment::OrB => {
                make(either(plus(s(0).dsat, s(1).sat), plus(s(0).sat, s(1).dsat)), plus(s(0).dsat, s(1).dsat))
            }
            Fragment::OrC => make(either(s(0).sat, plus(s(0).dsat, s(1).sat)), None),
            Fragment::OrD => make(either(s(0).sat, plus(s(0).dsat, s(1).sat)), plus(s(0).dsat, s(1).dsat)),
            Fragment::OrI => make(
                either(plus(s(0).sat, Some(2)), plus(s(1).sat, Some(1))),
                either(plus(s(0).dsat, Some(2)), plus(s(1).dsat, Some(1))),
            ),
            Fragment::Multi => make(Some(k * signature + 1), Some(k + 1)),
            Fragment::MultiA => make(Some(k * signature + n - k), Some(n)),
            Fragment::WrapA | Fragment::WrapN | Fragment::WrapS | Fragment::WrapC => s(0),
            Fragment::WrapD => make(plus(Some(2), s(0).sat), Some(1)),
            Fragment::WrapV => make(s(0).sat, None),
            Fragment::WrapJ => make(s(0).sat, Some(1)),
            Fragment::Thresh => {
                let n = self.subs.len();
                let best = ways(Some(0), n, |i, w| plus(w, s(i).dsat), |i, w| plus(w, s(i).sat), either);
                make(best[self.k as usize], best[0])
            }
        }
    }

    pub(super) fn script_len(&self) -> usize {
        let below: usize = self.subs.iter().map(|s| s.script_len).sum();
        let tapscript = self.context == MiniscriptContext::Tapscript;
        match self.fragment {
            Fragment::Just1 | Fragment::Just0 => 1,
            Fragment::PkK => 34 - usize::from(tapscript),
            Fragment::PkH => 3 + 21,
            Fragment::Older | Fragment::After => 1 + number_len(self.k),
            Fragment::Hash256 | Fragment::Sha256 => 4 + 2 + 33,
            Fragment::Hash160 | Fragment::Ripemd160 => 4 + 2 + 21,
            Fragment::Multi => 1 + number_len(self.n_keys as u32) + number_len(self.k) + 34 * self.n_keys,
            Fragment::MultiA => 34 * self.n_keys + number_len(self.k) + 1,
            Fragment::AndV => below,
            Fragment::WrapV => below + usize::from(self.subs[0].kind.has("x")),
            Fragment::WrapS | Fragment::WrapC | Fragment::WrapN | Fragment::AndB | Fragment::OrB => below + 1,
            Fragment::WrapA | Fragment::OrC => below + 2,
            Fragment::WrapD | Fragment::OrD | Fragment::OrI | Fragment::AndOr => below + 3,
            Fragment::WrapJ => below + 4,
            Fragment::Thresh => below + self.subs.len() + number_len(self.k),
        }
    }
}

/// Bytes of the push of a number below 2^31.
pub(super) fn number_len(n: u32) -> usize {
    match n {
        0..=16 => 1,
        17..=0x7f => 2,
        0x80..=0x7fff => 3,
        0x8000..=0x7f_ffff => 4,
        _ => 5,
    }
}
