//! Groestl-512: portable, AES-NI, VAES and GFNI back ends, one-shot, streaming and batches of headers.
//!
//! Block hashes, the checksum of the v1 transport, base58 checksums and `OP_HASH256` are the first 32 bytes of
//! Groestl-512 of Groestl-512. The code for this processor is chosen at the first use and compared with the portable
//! code before it is trusted.
//!
//! Source of the algorithm: Groestl, "a SHA-3 candidate", specification of March 2011.

mod backend;
mod block;
mod hash;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use backend::{Backend, backend, backend_name};
pub use hash::Groestl512;

/// Groestl-512 of a message.
pub fn groestl512(data: &[u8]) -> [u8; 64] {
    hash::groestl512(backend::kernels(), data)
}

/// First 32 bytes of Groestl-512(Groestl-512(data)).
pub fn groestl512d_256(data: &[u8]) -> [u8; 32] {
    hash::groestl512d_256(backend::kernels(), data)
}

/// Hash of one serialized block header: [`groestl512d_256`] of its 80 bytes.
pub fn hash_header(header: &[u8; 80]) -> [u8; 32] {
    (backend::kernels().double_block)(&block::header_block(header))
}

/// Hashes of many serialized block headers; several times faster than one by one where the processor has AVX-512.
///
/// # Panics
///
/// When the lengths differ.
pub fn hash_headers(headers: &[[u8; 80]], out: &mut [[u8; 32]]) {
    assert_eq!(headers.len(), out.len(), "one hash for each header");
    (backend::kernels().hash_headers)(headers, out);
}

/// The same functions with a given back end; `None` when this processor lacks it. For tests and benchmarks.
pub mod with_backend {
    use crate::backend::{Backend, kernels_of};
    use crate::{Groestl512, block, hash};

    /// [`crate::groestl512`] with a given back end.
    pub fn groestl512(backend: Backend, data: &[u8]) -> Option<[u8; 64]> {
        Some(hash::groestl512(kernels_of(backend)?, data))
    }

    /// [`crate::groestl512d_256`] with a given back end.
    pub fn groestl512d_256(backend: Backend, data: &[u8]) -> Option<[u8; 32]> {
        Some(hash::groestl512d_256(kernels_of(backend)?, data))
    }

    /// A streaming hash with a given back end.
    pub fn streaming(backend: Backend) -> Option<Groestl512> {
        Some(Groestl512::with_kernels(kernels_of(backend)?))
    }

    /// [`crate::hash_header`] with a given back end.
    pub fn hash_header(backend: Backend, header: &[u8; 80]) -> Option<[u8; 32]> {
        Some((kernels_of(backend)?.double_block)(&block::header_block(header)))
    }

    /// [`crate::hash_headers`] with a given back end.
    ///
    /// # Panics
    ///
    /// When the lengths differ.
    pub fn hash_headers(backend: Backend, headers: &[[u8; 80]], out: &mut [[u8; 32]]) -> Option<()> {
        assert_eq!(headers.len(), out.len(), "one hash for each header");
        (kernels_of(backend)?.hash_headers)(headers, out);
        Some(())
    }
}
