//! Choice of the code that runs on this processor.

use std::sync::OnceLock;

use crate::block::{Block, Header, State};
use crate::portable;

/// The implementations of the permutations, slowest first.
///
/// There is none for AVX-512 with VAES but without GFNI: every processor with the former two has GFNI too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Backend {
    /// Tables; runs everywhere.
    Portable,
    /// S-box from the AES unit, one row of P or Q in a 128-bit register (needs AES-NI and AVX).
    AesNi,
    /// S-box from the AES unit, a row of P and Q side by side in a 256-bit register (needs VAES and AVX2).
    Vaes,
    /// S-box and field products from GFNI, a row of P and Q side by side in a 256-bit register (needs GFNI and AVX2).
    Gfni,
    /// As `Gfni` for one message with the 256-bit forms of AVX-512; batches hold the same row of four messages in a
    /// 512-bit register (needs GFNI, AVX-512 F, BW and VL).
    GfniAvx512,
}

impl Backend {
    /// Every back end, slowest first; whether this processor has it is another question.
    pub const ALL: [Backend; 5] =
        [Backend::Portable, Backend::AesNi, Backend::Vaes, Backend::Gfni, Backend::GfniAvx512];

    /// Short name for logs and benchmarks.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Portable => "portable",
            Backend::AesNi => "aes-ni",
            Backend::Vaes => "vaes",
            Backend::Gfni => "gfni",
            Backend::GfniAvx512 => "gfni-avx512",
        }
    }

    /// Whether this processor can run it.
    pub fn is_available(self) -> bool {
        kernels_of(self).is_some()
    }
}

/// The entry points of one back end.
///
/// The functions are safe to call because a value of this type is only handed out by `kernels_of` after the processor
/// reported the features they are compiled for.
pub(crate) struct Kernels {
    pub(crate) backend: Backend,
    /// Feeds whole blocks into the chaining value.
    pub(crate) compress: fn(&mut State, &[Block]),
    /// Output transformation.
    pub(crate) finish: fn(&State) -> [u8; 64],
    /// First 32 bytes of the double hash of one padded block.
    pub(crate) double_block: fn(&Block) -> [u8; 32],
    /// Headers to hashes, equal lengths.
    pub(crate) hash_headers: fn(&[Header], &mut [[u8; 32]]),
}

static PORTABLE: Kernels = Kernels {
    backend: Backend::Portable,
    compress: portable::compress,
    finish: portable::finish,
    double_block: portable::double_block,
    hash_headers: portable::hash_headers,
};

/// The entry points of a back end, if this processor has it.
pub(crate) fn kernels_of(backend: Backend) -> Option<&'static Kernels> {
    match backend {
        Backend::Portable => Some(&PORTABLE),
        #[cfg(target_arch = "x86_64")]
        _ => crate::x86::kernels_of(backend),
        #[cfg(not(target_arch = "x86_64"))]
        _ => None,
    }
}

/// The entry points chosen for this process.
#[inline]
pub(crate) fn kernels() -> &'static Kernels {
    static CHOSEN: OnceLock<&'static Kernels> = OnceLock::new();
    CHOSEN.get_or_init(choose)
}

#[cold]
fn choose() -> &'static Kernels {
    Backend::ALL.iter().rev().filter_map(|b| kernels_of(*b)).find(|k| self_test(k)).unwrap_or(&PORTABLE)
}

/// Compares a back end with the portable code: single block, several blocks, and batches of every remainder.
fn self_test(kernels: &Kernels) -> bool {
    let byte = |i: usize| (i as u8).wrapping_mul(167) ^ (i >> 3) as u8;
    let blocks: [Block; 3] = std::array::from_fn(|b| std::array::from_fn(|i| byte(128 * b + i)));
    let headers: [Header; 7] = std::array::from_fn(|h| std::array::from_fn(|i| byte(80 * h + i)));

    let (mut ours, mut theirs) = (State::INITIAL, State::INITIAL);
    (kernels.compress)(&mut ours, &blocks);
    portable::compress(&mut theirs, &blocks);
    let (mut batch, mut expected) = ([[0; 32]; 7], [[0; 32]; 7]);
    (kernels.hash_headers)(&headers, &mut batch);
    portable::hash_headers(&headers, &mut expected);
    ours.0 == theirs.0
        && (kernels.finish)(&ours) == portable::finish(&theirs)
        && (kernels.double_block)(&blocks[0]) == portable::double_block(&blocks[0])
        && batch == expected
}

/// The back end of this process: the fastest one the processor has that passes a comparison with the portable code.
/// Chosen at the first use.
pub fn backend() -> Backend {
    kernels().backend
}

/// Name of [`backend`], for the log.
pub fn backend_name() -> &'static str {
    backend().name()
}
