use std::collections::HashSet;

use crate::graph::ChunkKey;
use crate::{FeeSize, TxGraph, TxId};

/// Walks the chunks of a graph from the best rate down, for filling a block.
#[derive(Debug)]
pub struct BlockBuilder<'a> {
    graph: &'a TxGraph,
    rest: std::iter::Rev<std::collections::btree_set::Iter<'a, ChunkKey>>,
    current: Option<ChunkKey>,
    skipped: HashSet<u64>,
}

impl<'a> BlockBuilder<'a> {
    /// Starts at the best chunk.
    pub fn new(graph: &'a TxGraph) -> BlockBuilder<'a> {
        let mut builder =
            BlockBuilder { graph, rest: graph.chunks().iter().rev(), current: None, skipped: HashSet::new() };
        builder.advance();
        builder
    }

    fn advance(&mut self) {
        self.current = self.rest.by_ref().find(|k| !self.skipped.contains(&k.cluster)).copied();
    }

    /// The chunk to decide on: its transactions, parents first, and its total.
    pub fn current(&self) -> Option<(Vec<TxId>, FeeSize)> {
        self.current.as_ref().map(|key| (self.graph.chunk_txs(key), key.rate))
    }

    /// Takes the chunk and goes on.
    pub fn include(&mut self) {
        self.advance();
    }

    /// Leaves the chunk out, and with it the rest of its cluster, which may depend on it.
    pub fn skip(&mut self) {
        if let Some(key) = self.current {
            self.skipped.insert(key.cluster);
        }
        self.advance();
    }
}
