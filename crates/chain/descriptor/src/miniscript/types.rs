use super::{Fragment, MiniscriptContext};

/// Properties of a miniscript expression, a set of bits. The letters are those of the miniscript language:
/// basic types `BVKW`, correctness `zondu`, malleability `efsm`, and the reference's `x` (last opcode has no
/// VERIFY form), `ghij` (kinds of time locks), `k` (no mix of them). Reference: `miniscript::Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Type(u32);

const LETTERS: &[u8] = b"BVKWzondufesmxghijk";

impl Type {
    /// No property: an expression that is not valid.
    pub const NONE: Type = Type(0);

    /// The type with these letters.
    const fn of(letters: &str) -> Type {
        let letters = letters.as_bytes();
        let (mut bits, mut i) = (0, 0);
        while i < letters.len() {
            let mut bit = 0;
            while LETTERS[bit] != letters[i] {
                bit += 1;
            }
            bits |= 1 << bit;
            i += 1;
        }
        Type(bits)
    }

    /// True when all of these letters are among the properties.
    pub const fn has(self, letters: &str) -> bool {
        let wanted = Type::of(letters).0;
        wanted & !self.0 == 0
    }

    /// True when any of these letters is among the properties.
    pub const fn has_any(self, letters: &str) -> bool {
        Type::of(letters).0 & self.0 != 0
    }

    const fn only(self, letters: &str) -> Type {
        Type(self.0 & Type::of(letters).0)
    }

    const fn and(self, other: Type) -> Type {
        Type(self.0 & other.0)
    }

    const fn or(self, other: Type) -> Type {
        Type(self.0 | other.0)
    }

    /// The type if a condition holds, else nothing.
    const fn when(self, condition: bool) -> Type {
        if condition { self } else { Type::NONE }
    }

    /// An expression with two basic types, or with contradicting properties, is a mistake in the rules.
    fn sanitized(self) -> Type {
        if !self.has_any("BVKW") {
            return Type::NONE;
        }
        debug_assert_eq!(self.only("BVKW").0.count_ones(), 1);
        debug_assert!(!self.has("zo") && !self.has("nz") && !self.has("nW") && !self.has("ef"));
        debug_assert!(!self.has("Vd") && !self.has("Vu") && !self.has("Ve") && !self.has("df"));
        debug_assert!(!self.has("K") || self.has("us"));
        debug_assert!(!self.has("e") || self.has("d"));
        debug_assert!(!self.has("V") || self.has("f"));
        debug_assert!(!self.has("z") || self.has("m"));
        self
    }
}

/// Joins types. Each argument is one of the reference's summands.
fn all(parts: &[Type]) -> Type {
    parts.iter().fold(Type::NONE, |a, b| a.or(*b))
}

/// True when one side has a height lock where the other has a time lock of the same kind.
fn mixes_locks(x: Type, y: Type) -> bool {
    let pair = |a: &str, b: &str| (x.has(a) && y.has(b)) || (x.has(b) && y.has(a));
    pair("g", "h") || pair("i", "j")
}

fn if_letters(letters: &'static str, condition: bool) -> Type {
    Type::of(letters).when(condition)
}

/// Type of an expression from the types of its parts. Reference: `ComputeType`.
pub(super) fn compute(fragment: Fragment, subs: &[Type], k: u32, context: MiniscriptContext) -> Type {
    let sub = |i: usize| subs.get(i).copied().unwrap_or_default();
    let (x, y, z) = (sub(0), sub(1), sub(2));
    let out = match fragment {
        Fragment::PkK => Type::of("Konudemsxk"),
        Fragment::PkH => Type::of("Knudemsxk"),
        Fragment::Older => {
            let time = k & grs_primitives::SEQUENCE_LOCKTIME_TYPE_FLAG != 0;
            all(&[if_letters("g", time), if_letters("h", !time), Type::of("Bzfmxk")])
        }
        Fragment::After => {
            let time = k >= grs_primitives::LOCKTIME_THRESHOLD;
            all(&[if_letters("i", time), if_letters("j", !time), Type::of("Bzfmxk")])
        }
        Fragment::Sha256 | Fragment::Ripemd160 | Fragment::Hash256 | Fragment::Hash160 => Type::of("Bonudmk"),
        Fragment::Just1 => Type::of("Bzufmxk"),
        Fragment::Just0 => Type::of("Bzudemsxk"),
        Fragment::Multi => Type::of("Bnudemsk"),
        Fragment::MultiA => Type::of("Budemsk"),
        Fragment::Thresh => thresh(subs, k),
        _ if fragment.is_wrapper() => wrapper(fragment, x, context),
        _ => combination(fragment, x, y, z),
    };
    out.sanitized()
}

fn wrapper(fragment: Fragment, x: Type, context: MiniscriptContext) -> Type {
    let locks = x.only("ghijk");
    match fragment {
        Fragment::WrapA => all(&[if_letters("W", x.has("B")), locks, x.only("udfems"), Type::of("x")]),
        Fragment::WrapS => all(&[if_letters("W", x.has("Bo")), locks, x.only("udfemsx")]),
        Fragment::WrapC => all(&[if_letters("B", x.has("K")), locks, x.only("ondfem"), Type::of("us")]),
        Fragment::WrapD => all(&[
            if_letters("B", x.has("Vz")),
            if_letters("o", x.has("z")),
            if_letters("e", x.has("f")),
            locks,
            x.only("ms"),
            // In version 0 scripts the minimal argument of OP_IF is policy only.
            if_letters("u", context == MiniscriptContext::Tapscript),
            Type::of("ndx"),
        ]),
        Fragment::WrapV => all(&[if_letters("V", x.has("B")), locks, x.only("zonms"), Type::of("fx")]),
        Fragment::WrapJ => all(&[
            if_letters("B", x.has("Bn")),
            if_letters("e", x.has("f")),
            locks,
            x.only("oums"),
            Type::of("ndx"),
        ]),
        _ => all(&[locks, x.only("Bzondfems"), Type::of("ux")]),
    }
}

fn combination(fragment: Fragment, x: Type, y: Type, z: Type) -> Type {
    let (both, either) = (x.and(y), x.or(y));
    let one_arg = either.only("o").when(either.has("z"));
    match fragment {
        Fragment::AndV => all(&[
            y.only("KVB").when(x.has("V")),
            x.only("n"),
            y.only("n").when(x.has("z")),
            one_arg,
            both.only("mz"),
            either.only("s"),
            if_letters("f", y.has("f") || x.has("s")),
            y.only("ux"),
            either.only("ghij"),
            if_letters("k", both.has("k") && !mixes_locks(x, y)),
        ]),
        Fragment::AndB => all(&[
            x.only("B").when(y.has("W")),
            one_arg,
            x.only("n"),
            y.only("n").when(x.has("z")),
            both.only("e").when(both.has("s")),
            both.only("dzm"),
            if_letters("f", both.has("f") || x.has("sf") || y.has("sf")),
            either.only("s"),
            Type::of("ux"),
            either.only("ghij"),
            if_letters("k", both.has("k") && !mixes_locks(x, y)),
        ]),
        Fragment::OrB => all(&[
            if_letters("B", x.has("Bd") && y.has("Wd")),
            one_arg,
            both.only("m").when(either.has("s") && both.has("e")),
            both.only("zse"),
            Type::of("dux"),
            either.only("ghij"),
            both.only("k"),
        ]),
        Fragment::OrD | Fragment::OrC => {
            let shared = all(&[
                x.only("o").when(y.has("z")),
                both.only("m").when(x.has("e") && either.has("s")),
                both.only("zs"),
                Type::of("x"),
                either.only("ghij"),
                both.only("k"),
            ]);
            if fragment == Fragment::OrD {
                all(&[y.only("B").when(x.has("Bdu")), y.only("ufde"), shared])
            } else {
                all(&[y.only("V").when(x.has("Bdu")), Type::of("f"), shared])
            }
        }
        Fragment::OrI => all(&[
            both.only("VBKufs"),
            if_letters("o", both.has("z")),
            either.only("e").when(either.has("f")),
            both.only("m").when(either.has("s")),
            either.only("d"),
            Type::of("x"),
            either.only("ghij"),
            both.only("k"),
        ]),
        _ => and_or(x, y, z),
    }
}

fn and_or(x: Type, y: Type, z: Type) -> Type {
    let inner = y.and(z);
    let every = x.and(inner);
    let any = x.or(y).or(z);
    let x_or_inner = x.or(inner);
    let signed = x.has("s") || y.has("f");
    all(&[
        inner.only("BKV").when(x.has("Bdu")),
        every.only("z"),
        x_or_inner.only("o").when(x_or_inner.has("z")),
        inner.only("u"),
        z.only("f").when(signed),
        z.only("d"),
        z.only("e").when(signed),
        every.only("m").when(x.has("e") && any.has("s")),
        z.and(x.or(y)).only("s"),
        Type::of("x"),
        any.only("ghij"),
        if_letters("k", every.has("k") && !mixes_locks(x, y)),
    ])
}

fn thresh(subs: &[Type], k: u32) -> Type {
    let (mut all_e, mut all_m, mut args, mut signed) = (true, true, 0_u32, 0_usize);
    let mut locks = Type::of("k");
    for (i, t) in subs.iter().enumerate() {
        if !t.has(if i == 0 { "Bdu" } else { "Wdu" }) {
            return Type::NONE;
        }
        all_e &= t.has("e");
        all_m &= t.has("m");
        signed += usize::from(t.has("s"));
        args += if t.has("z") { 0 } else { 2 - u32::from(t.has("o")) };
        let clean = locks.and(*t).has("k") && (k <= 1 || !mixes_locks(locks, *t));
        locks = locks.or(*t).only("ghij").or(if_letters("k", clean));
    }
    let (n, k) = (subs.len(), k as usize);
    all(&[
        Type::of("Bdu"),
        if_letters("z", args == 0),
        if_letters("o", args == 1),
        if_letters("e", all_e && signed == n),
        if_letters("m", all_e && all_m && signed + k >= n),
        if_letters("s", signed + k > n),
        locks,
    ])
}
