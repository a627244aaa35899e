use std::collections::{BTreeMap, BTreeSet};

use grs_keys::XOnlyPublicKey;
use grs_script::{
    TAPROOT_CONTROL_BASE_SIZE, TAPROOT_CONTROL_MAX_NODE_COUNT, TAPROOT_CONTROL_MAX_SIZE,
    TAPROOT_CONTROL_NODE_SIZE, TAPROOT_LEAF_MASK,
};
use grs_script::{tapbranch_hash, tapleaf_hash, taproot_merkle_root};

/// A control block; shorter ones come first in sets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ControlBlock(pub Vec<u8>);

impl Ord for ControlBlock {
    fn cmp(&self, other: &ControlBlock) -> std::cmp::Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for ControlBlock {
    fn partial_cmp(&self, other: &ControlBlock) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// How a Taproot output can be spent. Reference: `TaprootSpendData`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaprootSpendData {
    /// Internal key, if known.
    pub internal_key: Option<XOnlyPublicKey>,
    /// Root of the scripts; `None` when not known, and for an output without scripts.
    pub merkle_root: Option<[u8; 32]>,
    /// Scripts with their leaf versions, and control blocks of each (a script may be in several places).
    pub scripts: BTreeMap<(Vec<u8>, u8), BTreeSet<ControlBlock>>,
}

impl TaprootSpendData {
    /// Takes over what is not known yet; both must be of one output. Reference: `TaprootSpendData::Merge`.
    pub fn merge(&mut self, other: TaprootSpendData) {
        self.internal_key = self.internal_key.or(other.internal_key);
        self.merkle_root = self.merkle_root.or(other.merkle_root);
        for (leaf, blocks) in other.scripts {
            self.scripts.entry(leaf).or_default().extend(blocks);
        }
    }
}

/// A leaf of a Taproot tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TapLeaf {
    /// Steps from the root.
    pub depth: u8,
    /// Leaf version, even.
    pub leaf_version: u8,
    /// The script.
    pub script: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TrackedLeaf {
    script: Vec<u8>,
    leaf_version: u8,
    branch: Vec<[u8; 32]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Subtree {
    hash: [u8; 32],
    leaves: Vec<TrackedLeaf>,
}

impl Subtree {
    fn combine(mut a: Subtree, mut b: Subtree) -> Subtree {
        a.leaves.iter_mut().for_each(|leaf| leaf.branch.push(b.hash));
        b.leaves.iter_mut().for_each(|leaf| leaf.branch.push(a.hash));
        let hash = tapbranch_hash(&a.hash, &b.hash);
        a.leaves.append(&mut b.leaves);
        Subtree { hash, leaves: a.leaves }
    }
}

/// Builds a Taproot output from an internal key and a tree of scripts, added in depth-first order.
/// Reference: `TaprootBuilder`.
#[derive(Debug, Clone, Default)]
pub struct TaprootBuilder {
    /// At index d: a finished left subtree at depth d that waits for its sibling. Only index 0 at the end.
    pending: Vec<Option<Subtree>>,
    invalid: bool,
    /// Internal key, output key, and whether the output point's y coordinate is odd.
    finished: Option<(XOnlyPublicKey, XOnlyPublicKey, bool)>,
}

/// Equal trees; keys do not matter, as in the reference.
impl PartialEq for TaprootBuilder {
    fn eq(&self, other: &TaprootBuilder) -> bool {
        self.leaves() == other.leaves()
    }
}

impl TaprootBuilder {
    /// Without scripts.
    pub fn new() -> TaprootBuilder {
        TaprootBuilder::default()
    }

    /// Adds a script at a depth; with `track`, it will be in the spend data.
    pub fn add(&mut self, depth: usize, script: &[u8], leaf_version: u8, track: bool) {
        let hash = tapleaf_hash(leaf_version, script);
        let leaf = TrackedLeaf { script: script.to_vec(), leaf_version, branch: Vec::new() };
        self.insert(Subtree { hash, leaves: if track { vec![leaf] } else { Vec::new() } }, depth);
    }

    /// Adds a subtree of which only the hash is known.
    pub fn add_omitted(&mut self, depth: usize, hash: [u8; 32]) {
        self.insert(Subtree { hash, leaves: Vec::new() }, depth);
    }

    fn insert(&mut self, mut node: Subtree, mut depth: usize) {
        // A node above an unfinished branch would not be depth-first order.
        if self.invalid || depth > TAPROOT_CONTROL_MAX_NODE_COUNT || depth + 1 < self.pending.len() {
            self.invalid = true;
            return;
        }
        while self.pending.len() == depth + 1 {
            let Some(Some(left)) = self.pending.pop() else { break };
            if depth == 0 {
                self.invalid = true;
                return;
            }
            node = Subtree::combine(node, left);
            depth -= 1;
        }
        self.pending.resize(depth + 1, None);
        self.pending[depth] = Some(node);
    }

    /// False after an addition out of order.
    pub fn is_valid(&self) -> bool {
        !self.invalid
    }

    /// True without scripts, and when the tree has no open ends.
    pub fn is_complete(&self) -> bool {
        !self.invalid && (self.pending.is_empty() || matches!(self.pending.as_slice(), [Some(_)]))
    }

    /// True when depths (in depth-first order) make a whole tree.
    pub fn valid_depths(depths: &[usize]) -> bool {
        let mut builder = TaprootBuilder::new();
        depths.iter().for_each(|d| builder.add_omitted(*d, [0; 32]));
        builder.is_complete()
    }

    /// Computes the output key. `false` when the tree is not complete or the key not on the curve.
    pub fn finalize(&mut self, internal_key: XOnlyPublicKey) -> bool {
        if !self.is_complete() {
            return false;
        }
        let root = self.root().map(|r| r.hash);
        let Some((output, odd)) = internal_key.tap_tweak(root.as_ref()) else { return false };
        self.finished = Some((internal_key, output, odd));
        true
    }

    fn root(&self) -> Option<&Subtree> {
        self.pending.first()?.as_ref()
    }

    /// The output key, after [`TaprootBuilder::finalize`].
    pub fn output_key(&self) -> Option<XOnlyPublicKey> {
        self.finished.map(|(_, output, _)| output)
    }

    /// True with any script.
    pub fn has_scripts(&self) -> bool {
        !self.pending.is_empty()
    }

    /// How to spend, after [`TaprootBuilder::finalize`].
    pub fn spend_data(&self) -> Option<TaprootSpendData> {
        let (internal, _, odd) = self.finished?;
        let mut out = TaprootSpendData { internal_key: Some(internal), ..TaprootSpendData::default() };
        let Some(root) = self.root() else { return Some(out) };
        out.merkle_root = Some(root.hash);
        for leaf in &root.leaves {
            let mut block =
                Vec::with_capacity(TAPROOT_CONTROL_BASE_SIZE + TAPROOT_CONTROL_NODE_SIZE * leaf.branch.len());
            block.push(leaf.leaf_version | u8::from(odd));
            block.extend_from_slice(internal.as_bytes());
            leaf.branch.iter().for_each(|h| block.extend_from_slice(h));
            let key = (leaf.script.clone(), leaf.leaf_version);
            out.scripts.entry(key).or_default().insert(ControlBlock(block));
        }
        Some(out)
    }

    /// The tracked leaves in order. Reference: `GetTreeTuples`.
    pub fn leaves(&self) -> Vec<TapLeaf> {
        let leaves = self.root().map(|r| r.leaves.as_slice()).unwrap_or_default();
        leaves
            .iter()
            .map(|l| TapLeaf {
                depth: l.branch.len() as u8,
                leaf_version: l.leaf_version,
                script: l.script.clone(),
            })
            .collect()
    }
}

/// A node of the tree that [`infer_taproot_tree`] puts together.
#[derive(Default)]
struct InferredNode {
    hash: Option<[u8; 32]>,
    children: Option<(usize, usize)>,
    leaf: Option<(Vec<u8>, u8)>,
}

/// The script tree of an output, in depth-first order, from its spend data. `None` when they do not fit or are
/// incomplete. Reference: `InferTaprootTree`.
pub fn infer_taproot_tree(data: &TaprootSpendData, output: &XOnlyPublicKey) -> Option<Vec<TapLeaf>> {
    let (key, _) = data.internal_key?.tap_tweak(data.merkle_root.as_ref())?;
    if key != *output {
        return None;
    }
    let Some(root) = data.merkle_root else { return Some(Vec::new()) };
    let mut nodes = vec![InferredNode { hash: Some(root), ..InferredNode::default() }];
    for ((script, version), blocks) in &data.scripts {
        for ControlBlock(block) in blocks {
            place_leaf(&mut nodes, &root, script, *version, block)?;
        }
    }
    let mut out = Vec::new();
    // A node, its depth.
    let mut todo = vec![(0, 0)];
    while let Some((at, depth)) = todo.pop() {
        let node = &nodes[at];
        if let Some((script, leaf_version)) = &node.leaf {
            out.push(TapLeaf { depth, leaf_version: *leaf_version, script: script.clone() });
            continue;
        }
        let (left, right) = node.children?;
        // Two equal subtrees have equal control blocks, so all leaves ended up on the left.
        let unexplored = nodes[right].leaf.is_none() && nodes[right].children.is_none();
        let twin = unexplored && nodes[right].hash.is_some_and(|h| Some(tapbranch_hash(&h, &h)) == node.hash);
        todo.push((if twin { left } else { right }, depth + 1));
        todo.push((left, depth + 1));
        // A tree of twins of twins would double at each level.
        if out.len() + todo.len() > 1 << 16 {
            return None;
        }
    }
    Some(out)
}

/// Follows a control block from the root and puts a leaf at its end. `None` on a contradiction.
fn place_leaf(
    nodes: &mut Vec<InferredNode>,
    root: &[u8; 32],
    script: &[u8],
    version: u8,
    block: &[u8],
) -> Option<()> {
    let size_fits = (TAPROOT_CONTROL_BASE_SIZE..=TAPROOT_CONTROL_MAX_SIZE).contains(&block.len())
        && (block.len() - TAPROOT_CONTROL_BASE_SIZE).is_multiple_of(TAPROOT_CONTROL_NODE_SIZE);
    if version & 1 != 0 || !size_fits || block[0] & TAPROOT_LEAF_MASK != version {
        return Some(());
    }
    let leaf_hash = tapleaf_hash(version, script);
    if taproot_merkle_root(block, &leaf_hash) != *root {
        return Some(());
    }
    let mut at = 0;
    for sibling in block[TAPROOT_CONTROL_BASE_SIZE..].rchunks_exact(TAPROOT_CONTROL_NODE_SIZE) {
        let sibling: [u8; 32] = sibling.try_into().expect("chunks of 32 bytes");
        if nodes[at].leaf.is_some() {
            return None;
        }
        at = match nodes[at].children {
            Some((left, right)) => {
                let is_sibling = |nodes: &[InferredNode], a: usize, b: usize| {
                    nodes[a].hash == Some(sibling)
                        || (nodes[a].hash.is_none() && nodes[b].hash != Some(sibling))
                };
                let (other, next) = if is_sibling(nodes, left, right) {
                    (left, right)
                } else if is_sibling(nodes, right, left) {
                    (right, left)
                } else {
                    return None;
                };
                nodes[other].hash = Some(sibling);
                next
            }
            None => {
                let left = nodes.len();
                nodes.push(InferredNode::default());
                nodes.push(InferredNode { hash: Some(sibling), ..InferredNode::default() });
                nodes[at].children = Some((left, left + 1));
                left
            }
        };
    }
    if nodes[at].children.is_some() {
        return None;
    }
    nodes[at].leaf = Some((script.to_vec(), version));
    nodes[at].hash = Some(leaf_hash);
    Some(())
}
