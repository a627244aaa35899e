//! SipHash-2-4 over short inputs (compact blocks, filters, in-memory tables).

/// A SipHash-2-4 that is fed in pieces.
#[derive(Clone, Debug)]
pub struct SipHasher24 {
    v: [u64; 4],
    tail: u64,
    count: u8,
}

/// Outpoint hasher of in-memory tables: SipHash-1-3 (the reference's presalted hasher), keyed per process.
#[derive(Clone, Copy, Debug)]
pub struct SipHasher13Outpoint {
    k0: u64,
    k1: u64,
}

fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

fn start(k0: u64, k1: u64) -> [u64; 4] {
    [
        0x736f_6d65_7073_6575 ^ k0,
        0x646f_7261_6e64_6f6d ^ k1,
        0x6c79_6765_6e65_7261 ^ k0,
        0x7465_6462_7974_6573 ^ k1,
    ]
}

fn word(bytes: &[u8]) -> u64 {
    let mut b = [0; 8];
    b.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(b)
}

impl SipHasher24 {
    /// Starts with a 128-bit key.
    pub fn new(k0: u64, k1: u64) -> Self {
        SipHasher24 { v: start(k0, k1), tail: 0, count: 0 }
    }

    fn absorb(&mut self, m: u64) {
        self.v[3] ^= m;
        round(&mut self.v);
        round(&mut self.v);
        self.v[0] ^= m;
    }

    /// Adds bytes.
    pub fn write(&mut self, data: &[u8]) -> &mut Self {
        for byte in data {
            self.tail |= u64::from(*byte) << (8 * (self.count % 8));
            self.count = self.count.wrapping_add(1);
            if self.count.is_multiple_of(8) {
                let m = std::mem::take(&mut self.tail);
                self.absorb(m);
            }
        }
        self
    }

    /// Adds a little-endian 64-bit number.
    pub fn write_u64(&mut self, n: u64) -> &mut Self {
        self.write(&n.to_le_bytes())
    }

    /// The 64-bit hash.
    pub fn finish(mut self) -> u64 {
        let last = self.tail | u64::from(self.count) << 56;
        self.absorb(last);
        self.v[2] ^= 0xff;
        for _ in 0..4 {
            round(&mut self.v);
        }
        self.v[0] ^ self.v[1] ^ self.v[2] ^ self.v[3]
    }
}

/// SipHash-2-4 of 32 bytes (reference: `SipHashUint256`).
pub fn sip_hash_uint256(k0: u64, k1: u64, value: &[u8; 32]) -> u64 {
    let mut h = SipHasher24::new(k0, k1);
    value.chunks_exact(8).for_each(|c| h.absorb(word(c)));
    h.count = 32;
    h.finish()
}

/// SipHash-2-4 of 32 bytes and a 32-bit number (reference: `SipHashUint256Extra`).
pub fn sip_hash_uint256_extra(k0: u64, k1: u64, value: &[u8; 32], extra: u32) -> u64 {
    let mut h = SipHasher24::new(k0, k1);
    value.chunks_exact(8).for_each(|c| h.absorb(word(c)));
    h.tail = u64::from(extra);
    h.count = 36;
    h.finish()
}

impl SipHasher13Outpoint {
    /// A hasher with a secret key; take it from the system's random source.
    pub fn new(k0: u64, k1: u64) -> Self {
        SipHasher13Outpoint { k0, k1 }
    }

    /// Hash of a txid and an output number.
    #[inline]
    pub fn hash(&self, txid: &[u8; 32], vout: u32) -> u64 {
        let mut v = start(self.k0, self.k1);
        for m in [
            word(&txid[..8]),
            word(&txid[8..16]),
            word(&txid[16..24]),
            word(&txid[24..]),
            u64::from(vout) | 36 << 56,
        ] {
            v[3] ^= m;
            round(&mut v);
            v[0] ^= m;
        }
        v[2] ^= 0xff;
        for _ in 0..3 {
            round(&mut v);
        }
        v[0] ^ v[1] ^ v[2] ^ v[3]
    }
}
