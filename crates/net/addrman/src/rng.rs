use grs_hashes::SipHasher24;

/// Random numbers for choices that an attacker must not predict, from 16 random bytes and a counter.
#[derive(Clone, Debug)]
pub struct Rng {
    key: (u64, u64),
    counter: u64,
}

impl Rng {
    /// Seeded by the system.
    pub fn new() -> Rng {
        let mut seed = [0; 16];
        if getrandom::fill(&mut seed).is_err() {
            // Without a random source only unpredictability suffers.
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            seed = now.as_nanos().to_le_bytes();
        }
        let half = |from: usize| {
            let mut b = [0; 8];
            b.copy_from_slice(&seed[from..from + 8]);
            u64::from_le_bytes(b)
        };
        Rng { key: (half(0), half(8)), counter: 0 }
    }

    /// A fixed sequence, for tests.
    pub fn seeded(seed: u64) -> Rng {
        Rng { key: (seed, !seed), counter: 0 }
    }

    /// 64 random bits.
    pub fn u64(&mut self) -> u64 {
        self.counter += 1;
        let mut hasher = SipHasher24::new(self.key.0, self.key.1);
        hasher.write_u64(self.counter);
        hasher.finish()
    }

    /// A number below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.u64()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from 0 up to, not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A time until the next event of a Poisson process with this mean (reference: `rand_exp_duration`).
    pub fn exp_duration(&mut self, mean: std::time::Duration) -> std::time::Duration {
        mean.mul_f64(-(1.0 - self.unit()).ln())
    }

    /// Puts a list into random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

impl Default for Rng {
    fn default() -> Self {
        Rng::new()
    }
}
