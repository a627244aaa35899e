//! Blocks, chaining value and padding, common to all back ends.

/// One message block, 16 columns of 8 rows, column after column.
pub(crate) type Block = [u8; 128];
/// A serialized block header.
pub(crate) type Header = [u8; 80];

/// Chaining value between two blocks, laid out as a block.
#[derive(Clone)]
#[repr(C, align(64))]
pub(crate) struct State(pub(crate) [u8; 128]);

impl State {
    /// Initial value: the output length in bits as a big-endian number at the end.
    pub(crate) const INITIAL: State = {
        let mut bytes = [0; 128];
        bytes[126] = 2;
        State(bytes)
    };
}

/// What follows a 64-byte message in its only block: 0x80, zeros, block count 1.
pub(crate) const SECOND_TAIL: [u8; 64] = {
    let mut tail = [0; 64];
    tail[0] = 0x80;
    tail[63] = 1;
    tail
};

/// The only block of a message of at most 119 bytes.
#[inline(always)]
pub(crate) fn short_block(message: &[u8]) -> Block {
    debug_assert!(message.len() < 120);
    let mut block = [0; 128];
    block[..message.len()].copy_from_slice(message);
    block[message.len()] = 0x80;
    block[127] = 1;
    block
}

/// The only block of a header.
#[inline(always)]
pub(crate) fn header_block(header: &Header) -> Block {
    short_block(header)
}
