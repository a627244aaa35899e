//! The graph against slow and literal models.

use std::cmp::Ordering;

use grs_txgraph::{
    BlockBuilder, DepGraph, FeeSize, NewTx, Parent, Set, TxGraph, TxId, chunk_linearization, compare_chunks,
    linearize,
};
use proptest::prelude::*;

fn graph(txs: &[(i64, i64, u64)]) -> DepGraph {
    let mut graph = DepGraph::default();
    for (i, (fee, size, parents)) in txs.iter().enumerate() {
        let own = graph.add(FeeSize::new(*fee, *size));
        for p in 0..i {
            if parents >> p & 1 == 1 {
                graph.add_dependency(p, own);
            }
        }
    }
    graph
}

/// A sparse mask keeps graphs interesting: not everything depends on everything.
fn transactions(max: usize) -> impl Strategy<Value = Vec<(i64, i64, u64)>> {
    prop::collection::vec(
        (0..1000_i64, 1..500_i64, (any::<u64>(), any::<u64>()).prop_map(|(a, b)| a & b)),
        1..max,
    )
}

/// All chunkings of all topological orders, by exhaustive search: the best diagram.
fn best_by_search(graph: &DepGraph) -> Vec<FeeSize> {
    fn go(graph: &DepGraph, done: Set, order: &mut Vec<usize>, best: &mut Option<Vec<FeeSize>>) {
        if order.len() == graph.len() {
            let chunks: Vec<FeeSize> = chunk_linearization(graph, order).into_iter().map(|c| c.1).collect();
            let better = best
                .as_ref()
                .is_none_or(|b| compare_chunks(chunks.clone(), b.clone()) == Some(Ordering::Greater));
            if better {
                *best = Some(chunks);
            }
            return;
        }
        for i in graph.all().minus(done).iter() {
            if graph.ancestors(i).minus(done) == Set::one(i) {
                order.push(i);
                go(graph, done.or(Set::one(i)), order, best);
                order.pop();
            }
        }
    }
    let mut best = None;
    go(graph, Set::EMPTY, &mut Vec::new(), &mut best);
    best.expect("at least one order was tried")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn linearization_is_topological_and_complete(txs in transactions(64)) {
        let graph = graph(&txs);
        let order = linearize(&graph, &[]);
        let mut done = Set::EMPTY;
        for i in &order {
            prop_assert!(graph.ancestors(*i).minus(done) == Set::one(*i));
            done = done.or(Set::one(*i));
        }
        prop_assert!(done == graph.all());
        let chunks = chunk_linearization(&graph, &order);
        prop_assert!(chunks.windows(2).all(|w| !w[1].1.better_than(&w[0].1)));
    }

    #[test]
    fn linearization_is_optimal(txs in transactions(8)) {
        let graph = graph(&txs);
        let found: Vec<FeeSize> = chunk_linearization(&graph, &linearize(&graph, &[])).into_iter().map(|c| c.1).collect();
        let best = best_by_search(&graph);
        prop_assert_eq!(compare_chunks(found, best), Some(Ordering::Equal));
    }

    #[test]
    fn graph_agrees_with_a_model(txs in transactions(40), removals in prop::collection::vec(any::<u16>(), 0..8)) {
        let mut graph = TxGraph::new(64, i64::MAX);
        let mut model: Vec<(TxId, Vec<TxId>)> = Vec::new();
        for (i, (fee, size, mask)) in txs.iter().enumerate() {
            let parents: Vec<TxId> = (0..i).filter(|p| mask >> p & 1 == 1 && p % 3 != 0).map(|p| model[p].0).collect();
            let id = graph.add(FeeSize::new(*fee, *size), [0; 32], &parents).unwrap();
            model.push((id, parents));
        }
        for r in removals {
            if model.is_empty() {
                break;
            }
            let victim = model[usize::from(r) % model.len()].0;
            let gone = graph.descendants(victim);
            graph.remove(&gone);
            model.retain(|(id, _)| !gone.contains(id));
            for (_, parents) in &model {
                prop_assert!(parents.iter().all(|p| !gone.contains(p)), "a child outlived its parent");
            }
        }
        prop_assert_eq!(graph.len(), model.len());
        for (id, parents) in &model {
            let ancestors = graph.ancestors(*id);
            prop_assert!(parents.iter().all(|p| ancestors.contains(p)));
            prop_assert!(graph.cluster(*id).contains(id));
        }
        // Building a block takes everything once, parents first, in falling order of rate.
        let mut builder = BlockBuilder::new(&graph);
        let (mut seen, mut last) = (Vec::new(), None::<FeeSize>);
        while let Some((txs, rate)) = builder.current() {
            prop_assert!(last.is_none_or(|l| !rate.better_than(&l)));
            last = Some(rate);
            for tx in txs {
                prop_assert!(graph.ancestors(tx).iter().all(|a| *a == tx || seen.contains(a)));
                seen.push(tx);
            }
            builder.include();
        }
        prop_assert_eq!(seen.len(), model.len());
        for pair in seen.windows(2) {
            prop_assert_eq!(graph.compare_mining_order(pair[0], pair[1]), Ordering::Less);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Clusters below the limit are put together; nothing exceeds it afterwards, nothing survives its parents.
    #[test]
    fn linking_trims(txs in transactions(60), links in prop::collection::vec((any::<u16>(), any::<u16>()), 1..30), max in 2..12_usize) {
        let mut graph = TxGraph::new(max, 2000);
        let mut parents: Vec<(TxId, Vec<TxId>)> = Vec::new();
        for (i, (fee, size, mask)) in txs.iter().enumerate() {
            let above: Vec<TxId> = (0..i).filter(|p| mask >> p & 1 == 1 && p % 3 == 0).map(|p| parents[p].0).collect();
            let known = if graph.add(FeeSize::new(*fee, *size), [i as u8; 32], &above).is_ok() { above } else {
                graph.add(FeeSize::new(*fee, *size), [i as u8; 32], &[]).unwrap();
                Vec::new()
            };
            parents.push((TxId(i as u64), known));
        }
        // From newer to older only, as from blocks to the mempool: no circles.
        let links: Vec<(TxId, TxId)> = links.iter().map(|(a, b)| (usize::from(*a) % txs.len(), usize::from(*b) % txs.len()))
            .filter(|(a, b)| a < b).map(|(a, b)| (TxId(a as u64), TxId(b as u64))).collect();
        let before = graph.len();
        let removed = graph.link(&links);
        prop_assert_eq!(graph.len() + removed.len(), before);
        for (parent, child) in &links {
            parents[child.0 as usize].1.push(*parent);
        }
        for (id, above) in &parents {
            let gone = removed.contains(id);
            prop_assert_eq!(!gone, graph.contains(*id));
            if gone {
                continue;
            }
            let ancestors = graph.ancestors(*id);
            prop_assert!(above.iter().all(|p| ancestors.contains(p)), "a parent went without its child");
            let (count, size) = graph.cluster_count_size(*id);
            prop_assert!(count <= max && size <= 2000, "{count} of {size}");
        }
        let mut builder = BlockBuilder::new(&graph);
        let mut count = 0;
        while let Some((txs, _)) = builder.current() {
            count += txs.len();
            builder.include();
        }
        prop_assert_eq!(count, graph.len());
    }
}

#[test]
fn linking_keeps_the_best() {
    let mut graph = TxGraph::new(3, 10_000);
    let block = graph.add(FeeSize::new(1, 100), [0; 32], &[]).unwrap();
    let fees = [50, 20, 90, 70];
    let children: Vec<TxId> =
        fees.iter().map(|f| graph.add(FeeSize::new(*f, 100), [*f as u8; 32], &[]).unwrap()).collect();
    let links: Vec<(TxId, TxId)> = children.iter().map(|c| (block, *c)).collect();
    assert_eq!(graph.link(&links), vec![children[0], children[1]]);
    assert_eq!(graph.cluster(block), vec![block, children[2], children[3]]);
    assert_eq!(graph.chunk(block), Some(FeeSize::new(161, 300)));
}

#[test]
fn ties_are_broken_by_size_then_key() {
    let mut graph = TxGraph::new(64, 10_000);
    let late = graph.add(FeeSize::new(10, 100), [9; 32], &[]).unwrap();
    let early = graph.add(FeeSize::new(10, 100), [1; 32], &[]).unwrap();
    let small = graph.add(FeeSize::new(5, 50), [9; 32], &[]).unwrap();
    let order: Vec<TxId> = {
        let mut builder = BlockBuilder::new(&graph);
        std::iter::from_fn(|| {
            let next = builder.current().map(|(txs, _)| txs[0]);
            builder.include();
            next
        })
        .collect()
    };
    assert_eq!(order, vec![small, early, late]);
    assert_eq!(graph.worst_chunk().unwrap().0, vec![late]);
}

#[test]
fn child_pays_for_parent() {
    let mut graph = TxGraph::new(64, 100_000);
    let parent = graph.add(FeeSize::new(10, 100), [0; 32], &[]).unwrap();
    let other = graph.add(FeeSize::new(200, 100), [0; 32], &[]).unwrap();
    let child = graph.add(FeeSize::new(1000, 100), [0; 32], &[parent]).unwrap();
    assert_eq!(graph.chunk(parent), Some(FeeSize::new(1010, 200)));
    assert_eq!(graph.compare_mining_order(parent, other), Ordering::Less);
    assert_eq!(graph.worst_chunk(), Some((vec![other], FeeSize::new(200, 100))));
    graph.remove(&[child]);
    assert_eq!(graph.worst_chunk(), Some((vec![parent], FeeSize::new(10, 100))));
}

#[test]
fn limits_hold() {
    let mut graph = TxGraph::new(2, 250);
    let a = graph.add(FeeSize::new(1, 100), [0; 32], &[]).unwrap();
    let b = graph.add(FeeSize::new(1, 100), [0; 32], &[a]).unwrap();
    assert_eq!(graph.add(FeeSize::new(1, 10), [0; 32], &[b]).unwrap_err().count, 3);
    let c = graph.add(FeeSize::new(1, 200), [0; 32], &[]).unwrap();
    assert_eq!(graph.add(FeeSize::new(1, 100), [0; 32], &[c]).unwrap_err().size, 300);
    assert_eq!(graph.len(), 3);
}

#[test]
fn replacement_is_judged_by_the_diagram() {
    let mut graph = TxGraph::new(64, 100_000);
    let a = graph.add(FeeSize::new(1000, 100), [0; 32], &[]).unwrap();
    let better = NewTx { fee_size: FeeSize::new(1500, 100), parents: vec![] };
    let e = graph.evaluate(&[a], std::slice::from_ref(&better)).unwrap();
    assert_eq!(compare_chunks(e.new, e.old), Some(Ordering::Greater));
    let larger = NewTx { fee_size: FeeSize::new(1500, 1000), parents: vec![] };
    let e = graph.evaluate(&[a], &[larger]).unwrap();
    assert_eq!(compare_chunks(e.new, e.old), None);
    let child = NewTx { fee_size: FeeSize::new(10, 100), parents: vec![Parent::New(0)] };
    let e = graph.evaluate(&[a], &[better, child]).unwrap();
    assert_eq!(e.new_tx_chunks, vec![FeeSize::new(1500, 100), FeeSize::new(10, 100)]);
    assert_eq!(graph.len(), 1);
}
