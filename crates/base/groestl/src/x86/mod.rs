//! Back ends for x86-64. The functions here are entered only after the processor reported their features.
#![allow(unsafe_code)]

mod batch512;
mod registers;
mod single;
mod tables;

use crate::backend::{Backend, Kernels};
use crate::block::{Header, header_block};

use single::{aes_ni, gfni, gfni_vl, vaes};

fn has_aes_ni() -> bool {
    is_x86_feature_detected!("aes") && is_x86_feature_detected!("avx")
}

fn has_vaes() -> bool {
    is_x86_feature_detected!("vaes") && is_x86_feature_detected!("avx2")
}

fn has_gfni() -> bool {
    is_x86_feature_detected!("gfni") && is_x86_feature_detected!("avx2")
}

fn has_gfni_avx512() -> bool {
    has_gfni()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
}

/// The entry points of a module made by `side_by_side`.
macro_rules! kernels {
    ($backend:ident, $module:ident, $hash_headers:expr) => {
        Kernels {
            backend: Backend::$backend,
            // SAFETY: `kernels_of` hands these functions out only after the processor reported their features.
            compress: |state, blocks| unsafe { $module::compress(state, blocks) },
            // SAFETY: as above.
            finish: |state| unsafe { $module::finish(state) },
            // SAFETY: as above.
            double_block: |block| unsafe { $module::double_block(block) },
            hash_headers: $hash_headers,
        }
    };
}

static AES_NI: Kernels = kernels!(AesNi, aes_ni, |h, out| one_by_one(&AES_NI, h, out));
static VAES: Kernels = kernels!(Vaes, vaes, |h, out| one_by_one(&VAES, h, out));
static GFNI: Kernels = kernels!(Gfni, gfni, |h, out| one_by_one(&GFNI, h, out));
static GFNI_AVX512: Kernels = kernels!(GfniAvx512, gfni_vl, hash_headers_gfni_avx512);

fn one_by_one(kernels: &Kernels, headers: &[Header], out: &mut [[u8; 32]]) {
    for (header, hash) in headers.iter().zip(out) {
        *hash = (kernels.double_block)(&header_block(header));
    }
}

/// Cuts a batch into groups of eight and four; two or three left over are cheaper as a group than one by one.
fn hash_headers_gfni_avx512(headers: &[Header], out: &mut [[u8; 32]]) {
    let (fours, rest) = headers.as_chunks();
    let (four_hashes, rest_hashes) = out.as_chunks_mut();
    let (eights, last_four) = fours.as_chunks();
    let (eight_hashes, last_four_hashes) = four_hashes.as_chunks_mut();
    for (group, hashes) in eights.iter().zip(eight_hashes) {
        // SAFETY: `kernels_of` hands this function out only after `has_gfni_avx512`.
        unsafe { batch512::hash_headers8(group, hashes) };
    }
    // SAFETY: as above.
    let hash4 = |group: &_, hashes: &mut _| unsafe { batch512::hash_headers4(group, hashes) };
    if let ([group], [hashes]) = (last_four, last_four_hashes) {
        hash4(group, hashes);
    }
    match rest {
        [] => {}
        [header] => rest_hashes[0] = (GFNI_AVX512.double_block)(&header_block(header)),
        _ => {
            let mut group = [rest[0]; 4];
            group[..rest.len()].copy_from_slice(rest);
            let mut hashes = [[0; 32]; 4];
            hash4(&group, &mut hashes);
            rest_hashes.copy_from_slice(&hashes[..rest.len()]);
        }
    }
}

/// The entry points of a back end, if this processor has it.
pub(crate) fn kernels_of(backend: Backend) -> Option<&'static Kernels> {
    match backend {
        Backend::AesNi if has_aes_ni() => Some(&AES_NI),
        Backend::Vaes if has_vaes() => Some(&VAES),
        Backend::Gfni if has_gfni() => Some(&GFNI),
        Backend::GfniAvx512 if has_gfni_avx512() => Some(&GFNI_AVX512),
        _ => None,
    }
}
