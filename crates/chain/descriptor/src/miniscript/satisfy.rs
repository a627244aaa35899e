//! Witnesses for expressions. Reference: `Node::ProduceInput`, `InputStack`.

use super::{Fragment, Miniscript, Node};

/// Kind of a hash whose preimage is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preimage {
    /// `sha256`
    Sha256,
    /// `hash256`
    Hash256,
    /// `ripemd160`
    Ripemd160,
    /// `hash160`
    Hash160,
}

/// What a satisfaction is made of.
pub trait Satisfier<K> {
    /// A signature with a key.
    fn sign(&mut self, key: &K) -> Option<Vec<u8>>;

    /// The key as it stands in a witness.
    fn key_bytes(&self, key: &K) -> Vec<u8>;

    /// True when the transaction's lock time satisfies `after`.
    fn check_after(&self, n: u32) -> bool;

    /// True when the input's sequence satisfies `older`.
    fn check_older(&self, n: u32) -> bool;

    /// The preimage of a hash.
    fn preimage(&self, kind: Preimage, hash: &[u8]) -> Option<Vec<u8>>;
}

/// A possible witness, bottom element first. `None` where there is no way.
#[derive(Debug, Clone, Default)]
struct Stack {
    has_signature: bool,
    /// A third party can turn it into another valid one.
    malleable: bool,
    /// Bytes of the elements with one length byte each.
    size: usize,
    elements: Vec<Vec<u8>>,
}

type Way = Option<Stack>;

fn element(bytes: Vec<u8>) -> Stack {
    Stack { size: bytes.len() + 1, elements: vec![bytes], ..Stack::default() }
}

fn zero() -> Way {
    Some(element(Vec::new()))
}

fn one() -> Way {
    Some(element(vec![1]))
}

fn empty() -> Way {
    Some(Stack::default())
}

fn signed(signature: Option<Vec<u8>>) -> Way {
    signature.map(|s| Stack { has_signature: true, ..element(s) })
}

fn malleable(way: Way) -> Way {
    way.map(|s| Stack { malleable: true, ..s })
}

/// Both, one above the other.
fn both(a: Way, b: &Way) -> Way {
    let (mut a, b) = (a?, b.as_ref()?);
    a.has_signature |= b.has_signature;
    a.malleable |= b.malleable;
    a.size += b.size;
    a.elements.extend_from_slice(&b.elements);
    Some(a)
}

/// The better one of two.
fn best(a: Way, b: Way) -> Way {
    let (mut a, mut b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (a, b) => return a.or(b),
    };
    match (a.has_signature, b.has_signature) {
        // A third party can always use the one without signature.
        (false, true) => return Some(a),
        (true, false) => return Some(b),
        (false, false) => {
            a.malleable = true;
            b.malleable = true;
        }
        (true, true) if a.malleable != b.malleable => return Some(if a.malleable { b } else { a }),
        (true, true) => {}
    }
    Some(if a.size <= b.size { a } else { b })
}

/// Dissatisfaction and satisfaction of a node.
struct Ways {
    nsat: Way,
    sat: Way,
}

fn ways(nsat: Way, sat: Way) -> Ways {
    Ways { nsat, sat }
}

/// At index j the best stack that satisfies j of the items seen so far.
fn choose(start: Way, items: impl Iterator<Item = (Way, Way)>) -> Vec<Way> {
    let mut out = vec![start];
    for (nsat, sat) in items {
        let mut next = vec![both(out[0].clone(), &nsat)];
        for j in 1..out.len() {
            next.push(best(both(out[j].clone(), &nsat), both(out[j - 1].take(), &sat)));
        }
        let last = out.len() - 1;
        next.push(both(out[last].take(), &sat));
        out = next;
    }
    out
}

impl<K> Miniscript<K> {
    /// The witness of a satisfaction that no third party can change and that has a signature, bottom element
    /// first, without the script. `None` when there is no such. Reference: `Node::Satisfy`.
    pub fn satisfy(&self, satisfier: &mut dyn Satisfier<K>) -> Option<Vec<Vec<u8>>> {
        let mut results: Vec<Option<Ways>> = std::iter::repeat_with(|| None).take(self.nodes.len()).collect();
        for at in self.post_order() {
            let node = &self.nodes[at];
            let subs: Vec<Ways> = node
                .subs
                .iter()
                .map(|sub| results[*sub].take().expect("children come before parents"))
                .collect();
            results[at] = Some(node_ways(node, subs, satisfier));
        }
        let root = results.pop().flatten().expect("the root comes last");
        root.sat.filter(|s| s.has_signature && !s.malleable).map(|s| s.elements)
    }
}

fn node_ways<K>(node: &Node<K>, mut subs: Vec<Ways>, satisfier: &mut dyn Satisfier<K>) -> Ways {
    let hash = |kind: Preimage, satisfier: &dyn Satisfier<K>| {
        let preimage = satisfier.preimage(kind, &node.data).map(element);
        ways(malleable(Some(element(vec![0; 32]))), preimage)
    };
    match node.fragment {
        Fragment::Just0 => ways(empty(), None),
        Fragment::Just1 => ways(None, empty()),
        Fragment::PkK => ways(zero(), signed(satisfier.sign(&node.keys[0]))),
        Fragment::PkH => {
            let key = Some(element(satisfier.key_bytes(&node.keys[0])));
            let signature = signed(satisfier.sign(&node.keys[0]));
            ways(both(zero(), &key), both(signature, &key))
        }
        Fragment::Older => ways(None, satisfier.check_older(node.k).then(Stack::default)),
        Fragment::After => ways(None, satisfier.check_after(node.k).then(Stack::default)),
        Fragment::Sha256 => hash(Preimage::Sha256, satisfier),
        Fragment::Hash256 => hash(Preimage::Hash256, satisfier),
        Fragment::Ripemd160 => hash(Preimage::Ripemd160, satisfier),
        Fragment::Hash160 => hash(Preimage::Hash160, satisfier),
        Fragment::MultiA => {
            // The signature for the first key is on top, so the last key comes first.
            let items: Vec<(Way, Way)> =
                node.keys.iter().rev().map(|key| (zero(), signed(satisfier.sign(key)))).collect();
            let mut chosen = choose(empty(), items.into_iter());
            let sat = chosen.swap_remove(node.k as usize);
            ways(std::iter::repeat_n(zero(), node.keys.len()).fold(empty(), |a, z| both(a, &z)), sat)
        }
        Fragment::Multi => {
            // A missing signature takes no element; one more element is popped than needed.
            let items: Vec<(Way, Way)> =
                node.keys.iter().map(|key| (empty(), signed(satisfier.sign(key)))).collect();
            let sat = choose(zero(), items.into_iter()).swap_remove(node.k as usize);
            ways(std::iter::repeat_n(zero(), node.k as usize).fold(zero(), |a, z| both(a, &z)), sat)
        }
        Fragment::Thresh => {
            let mut chosen = choose(empty(), subs.into_iter().rev().map(|s| (s.nsat, s.sat)));
            let sat = chosen[node.k as usize].take();
            // Other numbers of satisfied subexpressions than none dissatisfy too, but can be changed.
            let nsat = chosen
                .into_iter()
                .enumerate()
                .fold(None, |acc, (i, way)| best(acc, if i == 0 { way } else { malleable(way) }));
            ways(nsat, sat)
        }
        Fragment::WrapA | Fragment::WrapS | Fragment::WrapC | Fragment::WrapN => subs.swap_remove(0),
        Fragment::WrapD => ways(zero(), both(subs.swap_remove(0).sat, &one())),
        Fragment::WrapV => ways(None, subs.swap_remove(0).sat),
        Fragment::WrapJ => {
            let x = subs.swap_remove(0);
            // A dissatisfaction without signature may exist in another form, with a nonzero top element.
            let weak = x.nsat.is_some_and(|s| !s.has_signature);
            ways(if weak { malleable(zero()) } else { zero() }, x.sat)
        }
        _ => combination(node.fragment, subs),
    }
}

fn combination(fragment: Fragment, subs: Vec<Ways>) -> Ways {
    let mut it = subs.into_iter();
    let mut next = || it.next().unwrap_or_else(|| ways(None, None));
    let (x, y) = (next(), next());
    // Elements for the first subexpression are on top.
    match fragment {
        Fragment::AndV => ways(both(y.nsat, &x.sat), both(y.sat, &x.sat)),
        Fragment::AndB => {
            let none = both(y.nsat.clone(), &x.nsat);
            let second = malleable(both(y.sat.clone(), &x.nsat));
            let first = malleable(both(y.nsat, &x.sat));
            ways(best(best(none, second), first), both(y.sat, &x.sat))
        }
        Fragment::OrB => {
            let one = best(both(y.nsat.clone(), &x.sat), both(y.sat.clone(), &x.nsat));
            let two = malleable(both(y.sat, &x.sat));
            ways(both(y.nsat, &x.nsat), best(one, two))
        }
        Fragment::OrC => ways(None, best(x.sat, both(y.sat, &x.nsat))),
        Fragment::OrD => ways(both(y.nsat, &x.nsat), best(x.sat, both(y.sat, &x.nsat))),
        Fragment::OrI => ways(
            best(both(x.nsat, &one()), both(y.nsat, &zero())),
            best(both(x.sat, &one()), both(y.sat, &zero())),
        ),
        // andor
        _ => {
            let z = next();
            ways(
                best(both(y.nsat, &x.sat), both(z.nsat, &x.nsat)),
                best(both(y.sat, &x.sat), both(z.sat, &x.nsat)),
            )
        }
    }
}
