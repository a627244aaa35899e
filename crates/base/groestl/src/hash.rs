//! One-shot and streaming hashes over any back end.

use crate::backend::{Kernels, kernels};
use crate::block::{Block, SECOND_TAIL, State, short_block};

/// Streaming Groestl-512.
#[derive(Clone)]
pub struct Groestl512 {
    kernels: &'static Kernels,
    state: State,
    /// Bytes that do not fill a block yet; `filled` of them are used.
    buffer: Block,
    filled: usize,
    /// Blocks fed into `state`.
    blocks: u64,
}

impl Groestl512 {
    /// A hash of nothing so far.
    pub fn new() -> Self {
        Self::with_kernels(kernels())
    }

    pub(crate) fn with_kernels(kernels: &'static Kernels) -> Self {
        Self { kernels, state: State::INITIAL, buffer: [0; 128], filled: 0, blocks: 0 }
    }

    fn compress(&mut self, blocks: &[Block]) {
        (self.kernels.compress)(&mut self.state, blocks);
        self.blocks += blocks.len() as u64;
    }

    /// Appends data to the message.
    pub fn update(&mut self, mut data: &[u8]) {
        if self.filled > 0 {
            let taken = data.len().min(128 - self.filled);
            let (head, rest) = data.split_at(taken);
            self.buffer[self.filled..self.filled + taken].copy_from_slice(head);
            self.filled += taken;
            data = rest;
            if self.filled < 128 {
                return;
            }
            let block = self.buffer;
            self.compress(&[block]);
            self.filled = 0;
        }
        let (blocks, rest) = data.as_chunks();
        if !blocks.is_empty() {
            self.compress(blocks);
        }
        self.buffer[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
    }

    /// Pads the message and returns its hash.
    pub fn finalize(mut self) -> [u8; 64] {
        let mut last = [[0; 128]; 2];
        last[0][..self.filled].copy_from_slice(&self.buffer[..self.filled]);
        last[0][self.filled] = 0x80;
        // The block count takes the last eight bytes and counts the padding blocks too.
        let padding = if self.filled < 120 { 1 } else { 2 };
        let count = self.blocks + padding as u64;
        last[padding - 1][120..].copy_from_slice(&count.to_be_bytes());
        self.compress(&last[..padding]);
        (self.kernels.finish)(&self.state)
    }
}

impl Default for Groestl512 {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Groestl512 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The state could be that of a secret message.
        f.debug_struct("Groestl512").field("backend", &self.kernels.backend).finish_non_exhaustive()
    }
}

pub(crate) fn groestl512(kernels: &'static Kernels, data: &[u8]) -> [u8; 64] {
    let mut hash = Groestl512::with_kernels(kernels);
    hash.update(data);
    hash.finalize()
}

pub(crate) fn groestl512d_256(kernels: &'static Kernels, data: &[u8]) -> [u8; 32] {
    if data.len() < 120 {
        return (kernels.double_block)(&short_block(data));
    }
    let mut second = [0; 128];
    second[..64].copy_from_slice(&groestl512(kernels, data));
    second[64..].copy_from_slice(&SECOND_TAIL);
    let mut state = State::INITIAL;
    (kernels.compress)(&mut state, &[second]);
    *(kernels.finish)(&state).first_chunk().expect("64 bytes hold 32")
}
