//! Bits, highest first, and numbers in Golomb-Rice code: the quotient in ones ended by a zero, then the remainder.

/// Appends bits to a vector.
pub(crate) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Bits that do not fill a byte yet, at the low end.
    pending: u64,
    used: u32,
}

impl<'a> BitWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        BitWriter { out, pending: 0, used: 0 }
    }

    /// The lowest `count` bits of `value`, at most 32.
    fn bits(&mut self, value: u64, count: u32) {
        self.pending = (self.pending << count) | value & ((1 << count) - 1);
        self.used += count;
        while self.used >= 8 {
            self.used -= 8;
            self.out.push((self.pending >> self.used) as u8);
        }
    }

    pub(crate) fn golomb_rice(&mut self, p: u32, value: u64) {
        let mut quotient = value >> p;
        while quotient > 0 {
            let ones = quotient.min(32) as u32;
            self.bits(u64::MAX, ones);
            quotient -= u64::from(ones);
        }
        self.bits(0, 1);
        self.bits(value, p);
    }

    /// Fills the last byte with zeros.
    pub(crate) fn finish(mut self) {
        if self.used > 0 {
            let missing = 8 - self.used;
            self.bits(0, missing);
        }
    }
}

/// Reads bits from a slice.
pub(crate) struct BitReader<'a> {
    data: &'a [u8],
    /// Bits that have been taken from `data` and not been read, at the low end.
    pending: u64,
    left: u32,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        BitReader { data, pending: 0, left: 0 }
    }

    /// The next `count` bits, at most 32; `None` at the end.
    fn bits(&mut self, count: u32) -> Option<u64> {
        while self.left < count {
            let (first, rest) = self.data.split_first()?;
            self.pending = (self.pending << 8) | u64::from(*first);
            self.left += 8;
            self.data = rest;
        }
        self.left -= count;
        Some((self.pending >> self.left) & ((1 << count) - 1))
    }

    pub(crate) fn golomb_rice(&mut self, p: u32) -> Option<u64> {
        let mut quotient = 0_u64;
        while self.bits(1)? == 1 {
            quotient += 1;
        }
        Some((quotient << p) + self.bits(p)?)
    }

    /// Whether whole bytes are left.
    pub(crate) fn bytes_left(&self) -> bool {
        !self.data.is_empty()
    }
}
