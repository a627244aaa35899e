//! Activation of rules by version bits (BIP9). Reference: `src/versionbits.cpp`.

use std::collections::{BTreeMap, HashMap};

use grs_hashes::BlockHash;
use grs_params::{Bip9Deployment, ChainParams, ConsensusParams, DEPLOYMENT_COUNT, DeploymentPos};

use crate::HeaderView;

/// The last version before version bits.
pub const VERSIONBITS_LAST_OLD_BLOCK_VERSION: i32 = 4;
/// Top bits of a version that signals.
pub const VERSIONBITS_TOP_BITS: i32 = 0x2000_0000;
/// Which bits are the top ones.
pub const VERSIONBITS_TOP_MASK: i32 = 0xe000_0000_u32 as i32;
/// Bits that deployments can use.
pub const VERSIONBITS_NUM_BITS: usize = 29;

/// State of a deployment. All blocks of a period share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ThresholdState {
    /// Before the start.
    Defined,
    /// Signals are counted.
    Started,
    /// Enough signals; active from the next period on, if the height allows.
    LockedIn,
    /// The rules hold.
    Active,
    /// The time ran out.
    Failed,
}

impl ThresholdState {
    /// Name in RPC results.
    pub const fn name(self) -> &'static str {
        match self {
            ThresholdState::Defined => "defined",
            ThresholdState::Started => "started",
            ThresholdState::LockedIn => "locked_in",
            ThresholdState::Active => "active",
            ThresholdState::Failed => "failed",
        }
    }
}

/// States by the last block of the period before; by nothing for the first period.
pub type ThresholdCache = HashMap<Option<BlockHash>, ThresholdState>;

/// Signals of a period so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bip9Stats {
    /// Blocks of a period.
    pub period: u32,
    /// Signals that lock in; 0 once locked in.
    pub threshold: u32,
    /// Blocks of the period so far.
    pub elapsed: u32,
    /// Signals so far.
    pub count: u32,
    /// Whether the threshold can still be reached.
    pub possible: bool,
}

/// What RPC shows about a deployment at a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bip9Info {
    /// Height at which the current state began.
    pub since: i32,
    /// State of the block.
    pub current_state: ThresholdState,
    /// State of the next block.
    pub next_state: ThresholdState,
    /// Signals, while they matter.
    pub stats: Option<Bip9Stats>,
    /// Which blocks of the period signalled; empty when signals do not matter.
    pub signalling_blocks: Vec<bool>,
    /// Height of activation when known; may be the next block's.
    pub active_since: Option<i32>,
}

/// A deployment in a block template.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bip9GbtInfo {
    /// Its bit.
    pub bit: u8,
    /// The bit as a mask.
    pub mask: u32,
    /// Whether a miner may ignore the rule.
    pub gbt_optional_rule: bool,
}

/// Deployments for a block template, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bip9GbtStatus {
    /// Started.
    pub signalling: BTreeMap<&'static str, Bip9GbtInfo>,
    /// Locked in.
    pub locked_in: BTreeMap<&'static str, Bip9GbtInfo>,
    /// Active.
    pub active: BTreeMap<&'static str, Bip9GbtInfo>,
}

/// Whether a block version signals for a bit.
pub const fn signals(version: i32, bit: u8) -> bool {
    version & VERSIONBITS_TOP_MASK == VERSIONBITS_TOP_BITS && (version >> (bit & 31)) & 1 != 0
}

/// Terms of a state machine, apart from what counts as a signal.
#[derive(Clone, Copy)]
struct Terms {
    start_time: i64,
    timeout: i64,
    min_activation_height: i32,
    period: i32,
    threshold: u32,
}

impl From<&Bip9Deployment> for Terms {
    fn from(d: &Bip9Deployment) -> Terms {
        Terms {
            start_time: d.start_time,
            timeout: d.timeout,
            min_activation_height: d.min_activation_height,
            period: d.period as i32,
            threshold: d.threshold,
        }
    }
}

/// The last block of the period before the one that the block behind `prev` is in.
fn period_parent<H: HeaderView>(prev: Option<H>, period: i32) -> Option<H> {
    let prev = prev?;
    prev.ancestor(prev.height() - (prev.height() + 1) % period)
}

/// State of the block behind `prev`. Reference: `GetStateFor`.
fn state_for<H: HeaderView>(
    prev: Option<H>,
    terms: Terms,
    cache: &mut ThresholdCache,
    mut signal: impl FnMut(H) -> bool,
) -> ThresholdState {
    match terms.start_time {
        Bip9Deployment::ALWAYS_ACTIVE => return ThresholdState::Active,
        Bip9Deployment::NEVER_ACTIVE => return ThresholdState::Failed,
        _ => {}
    }
    let mut block = period_parent(prev, terms.period);
    // Back to a period whose state is known.
    let mut to_compute = Vec::new();
    let mut state = loop {
        let key = block.map(|b| b.hash());
        if let Some(state) = cache.get(&key) {
            break *state;
        }
        match block {
            Some(b) if b.median_time_past() >= terms.start_time => {
                to_compute.push(b);
                block = b.ancestor(b.height() - terms.period);
            }
            // The first period is in the first state by definition, and so is all before the start.
            _ => {
                cache.insert(key, ThresholdState::Defined);
                break ThresholdState::Defined;
            }
        }
    };
    // And forward again.
    for block in to_compute.into_iter().rev() {
        state = match state {
            ThresholdState::Defined if block.median_time_past() >= terms.start_time => {
                ThresholdState::Started
            }
            ThresholdState::Started => {
                let blocks = std::iter::successors(Some(block), HeaderView::parent);
                let count = blocks.take(terms.period as usize).filter(|b| signal(*b)).count();
                if count >= terms.threshold as usize {
                    ThresholdState::LockedIn
                } else if block.median_time_past() >= terms.timeout {
                    ThresholdState::Failed
                } else {
                    ThresholdState::Started
                }
            }
            ThresholdState::LockedIn if block.height() + 1 >= terms.min_activation_height => {
                ThresholdState::Active
            }
            unchanged => unchanged,
        };
        cache.insert(Some(block.hash()), state);
    }
    state
}

/// Height at which the state of the block behind `prev` began. Reference: `GetStateSinceHeightFor`.
fn since_height<H: HeaderView>(
    prev: Option<H>,
    terms: Terms,
    cache: &mut ThresholdCache,
    mut signal: impl FnMut(H) -> bool,
) -> i32 {
    if matches!(terms.start_time, Bip9Deployment::ALWAYS_ACTIVE | Bip9Deployment::NEVER_ACTIVE) {
        return 0;
    }
    let initial = state_for(prev, terms, cache, &mut signal);
    if initial == ThresholdState::Defined {
        return 0;
    }
    let Some(mut first) = period_parent(prev, terms.period) else { return 0 };
    while let Some(before) = first.ancestor(first.height() - terms.period)
        && state_for(Some(before), terms, cache, &mut signal) == initial
    {
        first = before;
    }
    first.height() + 1
}

/// Signals in the period of `block` up to it. Reference: `GetStateStatisticsFor`.
fn statistics<H: HeaderView>(block: H, deployment: &Bip9Deployment) -> (Bip9Stats, Vec<bool>) {
    let elapsed = 1 + block.height().unsigned_abs() % deployment.period;
    let blocks = std::iter::successors(Some(block), HeaderView::parent).take(elapsed as usize);
    let mut signalling: Vec<bool> = blocks.map(|b| signals(b.version(), deployment.bit)).collect();
    signalling.reverse();
    let count = signalling.iter().filter(|s| **s).count() as u32;
    let stats = Bip9Stats {
        period: deployment.period,
        threshold: deployment.threshold,
        elapsed,
        count,
        possible: deployment.period.wrapping_sub(deployment.threshold) >= elapsed - count,
    };
    (stats, signalling)
}

/// States of all deployments and of unknown bits, remembered by period.
#[derive(Clone, Debug)]
pub struct VersionBitsCache {
    deployments: [ThresholdCache; DEPLOYMENT_COUNT],
    warnings: Vec<ThresholdCache>,
}

impl Default for VersionBitsCache {
    fn default() -> Self {
        VersionBitsCache {
            deployments: Default::default(),
            warnings: vec![ThresholdCache::new(); VERSIONBITS_NUM_BITS],
        }
    }
}

fn deployment_state<H: HeaderView>(
    caches: &mut [ThresholdCache; DEPLOYMENT_COUNT],
    prev: Option<H>,
    params: &ConsensusParams,
    pos: DeploymentPos,
) -> ThresholdState {
    let deployment = params.deployment(pos);
    state_for(prev, deployment.into(), &mut caches[pos.index()], |b: H| signals(b.version(), deployment.bit))
}

fn block_version<H: HeaderView>(
    caches: &mut [ThresholdCache; DEPLOYMENT_COUNT],
    prev: Option<H>,
    params: &ConsensusParams,
) -> i32 {
    DeploymentPos::ALL.into_iter().fold(VERSIONBITS_TOP_BITS, |version, pos| {
        match deployment_state(caches, prev, params, pos) {
            ThresholdState::Started | ThresholdState::LockedIn => {
                version | params.deployment(pos).mask() as i32
            }
            _ => version,
        }
    })
}

impl VersionBitsCache {
    /// Knows nothing yet.
    pub fn new() -> VersionBitsCache {
        VersionBitsCache::default()
    }

    /// State of a deployment for the block behind `prev` (none for the genesis block).
    pub fn state_after<H: HeaderView>(
        &mut self,
        prev: Option<H>,
        params: &ConsensusParams,
        pos: DeploymentPos,
    ) -> ThresholdState {
        deployment_state(&mut self.deployments, prev, params, pos)
    }

    /// Whether a deployment's rules hold for the block behind `prev`.
    pub fn is_active_after<H: HeaderView>(
        &mut self,
        prev: Option<H>,
        params: &ConsensusParams,
        pos: DeploymentPos,
    ) -> bool {
        self.state_after(prev, params, pos) == ThresholdState::Active
    }

    /// What RPC shows about a deployment at a block.
    pub fn info<H: HeaderView>(
        &mut self,
        block: H,
        params: &ConsensusParams,
        pos: DeploymentPos,
    ) -> Bip9Info {
        let deployment = params.deployment(pos);
        let current_state = self.state_after(block.parent(), params, pos);
        let next_state = self.state_after(Some(block), params, pos);
        let cache = &mut self.deployments[pos.index()];
        let signal = |b: H| signals(b.version(), deployment.bit);
        let since = since_height(block.parent(), deployment.into(), cache, signal);
        let mut info = Bip9Info {
            since,
            current_state,
            next_state,
            stats: None,
            signalling_blocks: Vec::new(),
            active_since: None,
        };
        if matches!(current_state, ThresholdState::Started | ThresholdState::LockedIn) {
            let (mut stats, signalling) = statistics(block, deployment);
            if current_state == ThresholdState::LockedIn {
                stats.threshold = 0;
                stats.possible = false;
            }
            info.stats = Some(stats);
            info.signalling_blocks = signalling;
        }
        if current_state == ThresholdState::Active {
            info.active_since = Some(since);
        } else if next_state == ThresholdState::Active {
            info.active_since = Some(block.height() + 1);
        }
        info
    }

    /// Deployments for a template behind `block`.
    pub fn gbt_status<H: HeaderView>(&mut self, block: H, params: &ConsensusParams) -> Bip9GbtStatus {
        let mut status = Bip9GbtStatus::default();
        for pos in DeploymentPos::ALL {
            let deployment = params.deployment(pos);
            let info = Bip9GbtInfo {
                bit: deployment.bit,
                mask: deployment.mask(),
                gbt_optional_rule: pos.gbt_optional_rule(),
            };
            let list = match self.state_after(Some(block), params, pos) {
                ThresholdState::Started => &mut status.signalling,
                ThresholdState::LockedIn => &mut status.locked_in,
                ThresholdState::Active => &mut status.active,
                ThresholdState::Defined | ThresholdState::Failed => continue,
            };
            list.insert(pos.name(), info);
        }
        status
    }

    /// Version of a new block behind `prev`.
    pub fn compute_block_version<H: HeaderView>(&mut self, prev: Option<H>, params: &ConsensusParams) -> i32 {
        block_version(&mut self.deployments, prev, params)
    }

    /// Bits that no deployment of ours uses and that blocks lock in (false) or have activated (true), for the
    /// block behind `block`.
    pub fn check_unknown_activations<H: HeaderView>(
        &mut self,
        block: H,
        chain: &ChainParams,
    ) -> Vec<(u8, bool)> {
        let params = &chain.consensus;
        let mut terms = Terms {
            start_time: 0,
            timeout: i64::MAX,
            min_activation_height: 0,
            period: 2016,
            threshold: 1815,
        };
        if chain.is_test_chain() {
            terms.period = i32::try_from(params.difficulty_adjustment_interval()).unwrap_or(i32::MAX);
            terms.threshold = (i64::from(terms.period) * 3 / 4) as u32;
        }
        let VersionBitsCache { deployments, warnings } = self;
        let mut found = Vec::new();
        for (bit, cache) in warnings.iter_mut().enumerate() {
            let bit = bit as u8;
            let state = state_for(Some(block), terms, cache, |b: H| {
                b.height() >= params.min_bip9_warning_height
                    && signals(b.version(), bit)
                    && (block_version(deployments, b.parent(), params) >> bit) & 1 == 0
            });
            if matches!(state, ThresholdState::Active | ThresholdState::LockedIn) {
                found.push((bit, state == ThresholdState::Active));
            }
        }
        found
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = VersionBitsCache::default();
    }
}

#[cfg(test)]
mod tests {
    use grs_params::{Network, ParamsOptions, RegtestOptions};
    use grs_primitives::{HashedHeader, Header};

    use super::*;
    use crate::HeaderList;

    const SIGNAL: i32 = VERSIONBITS_TOP_BITS | 1 << 28;

    fn regtest(vbparams: &str) -> ChainParams {
        let regtest = RegtestOptions::parse(&[], &[vbparams.to_owned()], false).unwrap();
        ChainParams::new(Network::Regtest, &ParamsOptions { regtest, ..ParamsOptions::default() })
    }

    /// Headers 0 to `count - 1`, one second apart from 1000 on, with versions by height.
    fn chain(count: i32, version: impl Fn(i32) -> i32) -> HeaderList {
        let headers: Vec<Header> = (0..count)
            .map(|h| Header { version: version(h), time: 1000 + h as u32, ..Header::default() })
            .collect();
        let mut list = HeaderList::new(0);
        HashedHeader::batch(&headers).into_iter().for_each(|h| list.push(h));
        list
    }

    /// States of the blocks 0 to `count`, each asked of an empty cache, and compared with one cache for all.
    fn states(list: &HeaderList, params: &ChainParams, count: i32) -> Vec<ThresholdState> {
        let mut shared = VersionBitsCache::new();
        let pos = DeploymentPos::TestDummy;
        (0..=count)
            .step_by(36)
            .map(|height| {
                let prev = list.at(height - 1);
                let state = VersionBitsCache::new().state_after(prev, &params.consensus, pos);
                assert_eq!(shared.state_after(prev, &params.consensus, pos), state);
                state
            })
            .collect()
    }

    #[test]
    fn lock_in_and_delayed_activation() {
        use ThresholdState::{Active, Defined, LockedIn, Started};
        // The median of block 143 is 1138: the first period behind that time is 144..288.
        let params = regtest("testdummy:1138:9223372036854775807:700");
        // 108 signals in the second period, 107 in the first would not do.
        let list = chain(900, |h| if (180..288).contains(&h) { SIGNAL } else { 4 });
        let found = states(&list, &params, 900);
        let expected: Vec<ThresholdState> = (0..=900)
            .step_by(36)
            .map(|h| match h {
                0..144 => Defined,
                144..288 => Started,
                288..720 => LockedIn,
                _ => Active,
            })
            .collect();
        assert_eq!(found, expected);

        let mut cache = VersionBitsCache::new();
        let mut info = |h: i32| cache.info(list.at(h).unwrap(), &params.consensus, DeploymentPos::TestDummy);
        let started = info(200);
        assert_eq!((started.since, started.current_state, started.next_state), (144, Started, Started));
        let stats = started.stats.unwrap();
        assert_eq!((stats.period, stats.threshold, stats.elapsed, stats.count), (144, 108, 57, 21));
        assert!(stats.possible);
        assert_eq!(started.signalling_blocks.iter().filter(|s| **s).count(), 21);
        assert!(!started.signalling_blocks[35] && started.signalling_blocks[36]);
        let locked = info(700);
        assert_eq!((locked.since, locked.current_state), (288, LockedIn));
        assert_eq!((locked.stats.unwrap().threshold, locked.stats.unwrap().possible), (0, false));
        assert_eq!(info(719).active_since, Some(720));
        let active = info(800);
        assert_eq!((active.since, active.active_since, active.stats), (720, Some(720), None));

        let mut cache = VersionBitsCache::new();
        let mut version = |h| cache.compute_block_version(list.at(h - 1), &params.consensus);
        assert_eq!(
            (version(143), version(144), version(719), version(720)),
            (VERSIONBITS_TOP_BITS, SIGNAL, SIGNAL, VERSIONBITS_TOP_BITS)
        );
        let mut cache = VersionBitsCache::new();
        let status = cache.gbt_status(list.at(300).unwrap(), &params.consensus);
        assert!(status.locked_in.contains_key("testdummy") && status.active.contains_key("taproot"));
        assert_eq!(status.locked_in["testdummy"].mask, 1 << 28);
    }

    #[test]
    fn too_few_signals_fail() {
        use ThresholdState::{Defined, Failed, Started};
        let params = regtest("testdummy:1138:1500");
        // The median reaches the timeout at height 505: the period from 576 on has failed.
        let list = chain(800, |h| if (180..287).contains(&h) { SIGNAL } else { 4 });
        let expected: Vec<ThresholdState> = (0..=800)
            .step_by(36)
            .map(|h| match h {
                0..144 => Defined,
                144..576 => Started,
                _ => Failed,
            })
            .collect();
        assert_eq!(states(&list, &params, 800), expected);
        let mut cache = VersionBitsCache::new();
        let info = cache.info(list.at(700).unwrap(), &params.consensus, DeploymentPos::TestDummy);
        assert_eq!((info.since, info.current_state), (576, Failed));
        cache.clear();
        assert!(!cache.is_active_after(list.at(700), &params.consensus, DeploymentPos::TestDummy));
    }

    #[test]
    fn special_start_times() {
        let list = chain(300, |_| SIGNAL);
        for (terms, state) in
            [("testdummy:-1:1", ThresholdState::Active), ("testdummy:-2:1", ThresholdState::Failed)]
        {
            let params = regtest(terms);
            let mut cache = VersionBitsCache::new();
            for height in [0, 200] {
                let info = cache.info(list.at(height).unwrap(), &params.consensus, DeploymentPos::TestDummy);
                assert_eq!((info.since, info.current_state), (0, state));
            }
        }
    }

    #[test]
    fn unknown_bits_are_noticed() {
        let chain_params = ChainParams::for_network(Network::Main);
        let mut chain_params = chain_params;
        chain_params.consensus.min_bip9_warning_height = 0;
        let unknown = VERSIONBITS_TOP_BITS | 1 << 11 | 1 << 2;
        let list = chain(3 * 2016, |h| if (2016..4032).contains(&h) { unknown } else { 4 });
        let mut cache = VersionBitsCache::new();
        let mut check = |h: i32| cache.check_unknown_activations(list.at(h).unwrap(), &chain_params);
        assert_eq!(check(4030), []);
        // Bit 2 is taproot's, but its deployment had not started at these times.
        assert_eq!(check(4031), [(2, false), (11, false)]);
        assert_eq!(check(6047), [(2, true), (11, true)]);
    }

    #[test]
    fn signal_needs_the_top_bits() {
        assert!(signals(SIGNAL, 28));
        assert!(!signals(SIGNAL, 27));
        assert!(!signals(-1, 28));
        assert!(!signals(1 << 28, 28));
    }
}
