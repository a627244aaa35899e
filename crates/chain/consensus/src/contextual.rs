//! Rules that need the headers before. Reference: `src/validation.cpp`, `ContextualCheckBlockHeader`,
//! `ContextualCheckBlock`, `GetBlockScriptFlags`; `src/node/miner.cpp`, `GetMinimumTime`.

use grs_hashes::BlockHash;
use grs_params::{BuriedDeployment, ConsensusParams, ScriptFlagException};
use grs_primitives::{Block, Header};
use grs_script::ScriptFlags;

use crate::{
    BlockRule, DIFFICULTY_ENFORCED_HEIGHT, HeaderView, MAX_BLOCK_WEIGHT, check_witness_malleation,
    is_final_tx, next_work_required,
};

/// Seconds that a block's time may be ahead of the clock.
pub const MAX_FUTURE_BLOCK_TIME: i64 = 2 * 60 * 60;
/// Seconds that the first block of a period may go back behind its parent (BIP94).
pub const MAX_TIMEWARP: i64 = 60;

/// Rules of a header behind `prev`; `now` is the clock in seconds since 1970. Proof of work is checked apart.
pub fn contextual_check_header<H: HeaderView>(
    header: &Header,
    prev: H,
    params: &ConsensusParams,
    now: i64,
) -> Result<(), BlockRule> {
    let height = prev.height() + 1;
    if height >= DIFFICULTY_ENFORCED_HEIGHT && header.bits != next_work_required(prev, header.time, params) {
        return Err(BlockRule::DiffBits);
    }
    let time = i64::from(header.time);
    if time <= prev.median_time_past() {
        return Err(BlockRule::TimeTooOld);
    }
    if params.enforce_bip94
        && i64::from(height) % params.difficulty_adjustment_interval() == 0
        && time < i64::from(prev.time()) - MAX_TIMEWARP
    {
        return Err(BlockRule::TimewarpAttack);
    }
    if time > now.saturating_add(MAX_FUTURE_BLOCK_TIME) {
        return Err(BlockRule::TimeTooNew);
    }
    // Version 112 of the first blocks is no special case: it is above all limits.
    let ended =
        [(2, BuriedDeployment::HeightInCoinbase), (3, BuriedDeployment::Dersig), (4, BuriedDeployment::Cltv)];
    if ended.iter().any(|(version, rule)| header.version < *version && params.is_active_at(*rule, height)) {
        return Err(BlockRule::Version(header.version));
    }
    Ok(())
}

/// Rules of a block behind `prev` (none for the genesis block). [`crate::check_block`] has to have passed.
pub fn contextual_check_block<H: HeaderView>(
    block: &Block,
    prev: Option<H>,
    params: &ConsensusParams,
) -> Result<(), BlockRule> {
    let height = prev.map_or(0, |p| p.height() + 1);
    let active = |rule| params.is_active_at(rule, height);
    // The median takes eleven look-ups; blocks without lock times do not need it.
    if block.txs.iter().any(|tx| tx.lock_time != 0) {
        let cutoff = match prev {
            Some(p) if active(BuriedDeployment::Csv) => p.median_time_past(),
            _ => i64::from(block.header.time),
        };
        if block.txs.iter().any(|tx| !is_final_tx(tx, height, cutoff)) {
            return Err(BlockRule::NonFinal);
        }
    }
    if active(BuriedDeployment::HeightInCoinbase) {
        let script = block.txs.first().and_then(|tx| tx.inputs.first()).map(|i| &i.script_sig);
        if !script.is_some_and(|s| s.starts_with(&height_script(height))) {
            return Err(BlockRule::CoinbaseHeight);
        }
    }
    check_witness_malleation(block, active(BuriedDeployment::Segwit))?;
    // Not before the commitment is verified: witnesses added on the way must not condemn the block.
    if block.weight() > MAX_BLOCK_WEIGHT { Err(BlockRule::Weight) } else { Ok(()) }
}

/// What the script of a coinbase begins with (BIP34): the push that `CScript() << height` makes, an opcode for
/// heights to 16 and a number in the shortest form above.
pub fn height_script(height: i32) -> Vec<u8> {
    const OP_1: u8 = 0x51;
    match height {
        0 => vec![0],
        1..=16 => vec![OP_1 + (height - 1) as u8],
        _ => {
            let mut bytes: Vec<u8> = height.unsigned_abs().to_le_bytes().to_vec();
            while bytes.last() == Some(&0) {
                bytes.pop();
            }
            // The top bit is the sign.
            if bytes.last().is_some_and(|b| b & 0x80 != 0) {
                bytes.push(0);
            }
            if height < 0
                && let Some(last) = bytes.last_mut()
            {
                *last |= 0x80;
            }
            bytes.insert(0, bytes.len() as u8);
            bytes
        }
    }
}

/// Script rules for a block of this height and hash.
pub fn block_script_flags(height: i32, hash: &BlockHash, params: &ConsensusParams) -> ScriptFlags {
    let exception = params.script_flag_exceptions.iter().find(|(h, _)| h == hash).map(|(_, e)| *e);
    let mut flags = match exception {
        None => ScriptFlags::P2SH | ScriptFlags::WITNESS | ScriptFlags::TAPROOT,
        Some(ScriptFlagException::P2shWitness) => ScriptFlags::P2SH | ScriptFlags::WITNESS,
        Some(ScriptFlagException::None) => ScriptFlags::NONE,
    };
    for (deployment, flag) in [
        (BuriedDeployment::Dersig, ScriptFlags::DERSIG),
        (BuriedDeployment::Cltv, ScriptFlags::CHECKLOCKTIMEVERIFY),
        (BuriedDeployment::Csv, ScriptFlags::CHECKSEQUENCEVERIFY),
        (BuriedDeployment::Segwit, ScriptFlags::NULLDUMMY),
    ] {
        if params.is_active_at(deployment, height) {
            flags |= flag;
        }
    }
    flags
}

/// The earliest time of a template behind `prev`, in seconds. It keeps BIP94's limit, though blocks that do not
/// are valid.
pub fn minimum_block_time<H: HeaderView>(prev: H, params: &ConsensusParams) -> i64 {
    let time = prev.median_time_past() + 1;
    if (i64::from(prev.height()) + 1) % params.difficulty_adjustment_interval() == 0 {
        time.max(i64::from(prev.time()) - MAX_TIMEWARP)
    } else {
        time
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use grs_params::{ChainParams, Network};
    use grs_primitives::{
        Amount, HashedHeader, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut,
    };
    use grs_uint::CompactTarget;

    use super::*;
    use crate::{HeaderList, generate_coinbase_commitment};

    #[test]
    fn height_pushes() {
        for (height, hex) in [
            (0, "00"),
            (1, "51"),
            (16, "60"),
            (17, "0111"),
            (127, "017f"),
            (128, "028000"),
            (255, "02ff00"),
            (256, "020001"),
            (32_767, "02ff7f"),
            (32_768, "03008000"),
            (6_289_200, "0330f75f"),
            (8_388_608, "0400008000"),
            (i32::MAX, "04ffffff7f"),
        ] {
            assert_eq!(grs_encoding::hex_encode(height_script(height)), hex, "{height}");
        }
    }

    #[test]
    fn header_times_and_versions() {
        let params = &ChainParams::for_network(Network::Regtest).consensus;
        let mut list = HeaderList::new(0);
        for i in 0..20_u32 {
            list.push(HashedHeader::new(Header { time: 1000 + i, ..Header::default() }));
        }
        let prev = list.tip().unwrap();
        let check = |version: i32, time: u32, now: i64| {
            let header = Header { version, time, bits: CompactTarget(1), ..Header::default() };
            contextual_check_header(&header, prev, params, now)
        };
        assert_eq!(prev.median_time_past(), 1014);
        assert_eq!(check(4, 1014, 0), Err(BlockRule::TimeTooOld));
        assert_eq!(check(4, 1015, 0), Ok(()));
        assert_eq!(check(4, 7201, 1), Ok(()));
        assert_eq!(check(4, 7202, 1), Err(BlockRule::TimeTooNew));
        assert_eq!(check(112, 1015, 0), Ok(()));
        assert_eq!(check(3, 1015, 0), Err(BlockRule::Version(3)));
        assert_eq!(check(-5, 1015, 0), Err(BlockRule::Version(-5)));
        let main = &ChainParams::for_network(Network::Main).consensus;
        let old = Header { version: 1, time: 1015, ..Header::default() };
        assert_eq!(contextual_check_header(&old, prev, main, 0), Ok(()));
    }

    #[test]
    fn bip94_when_switched_on() {
        let mut params = ChainParams::for_network(Network::Main).consensus;
        let mut list = HeaderList::new(20_159 - 30);
        for i in 0..31_u32 {
            let time = if i == 30 { 100_000 } else { 1000 + i };
            list.push(HashedHeader::new(Header { time, ..Header::default() }));
        }
        let prev = list.tip().unwrap();
        let header = Header { version: 4, time: 99_939, ..Header::default() };
        assert_eq!(contextual_check_header(&header, prev, &params, 0), Err(BlockRule::TimeTooNew));
        let check = |params: &ConsensusParams, time| {
            contextual_check_header(&Header { time, ..header }, prev, params, 200_000)
        };
        assert_eq!(check(&params, 99_939), Ok(()));
        assert_eq!(minimum_block_time(prev, &params), 99_940);
        params.enforce_bip94 = true;
        assert_eq!(check(&params, 99_939), Err(BlockRule::TimewarpAttack));
        assert_eq!(check(&params, 99_940), Ok(()));
    }

    #[test]
    fn flags_by_height() {
        let params = &ChainParams::for_network(Network::Main).consensus;
        let base = ScriptFlags::P2SH | ScriptFlags::WITNESS | ScriptFlags::TAPROOT;
        let flags = |height| block_script_flags(height, &BlockHash::ZERO, params);
        assert_eq!(flags(799_999), base);
        assert_eq!(flags(800_000), base | ScriptFlags::DERSIG);
        let csv = base | ScriptFlags::DERSIG | ScriptFlags::CHECKSEQUENCEVERIFY | ScriptFlags::NULLDUMMY;
        assert_eq!(flags(1_439_424), csv);
        assert_eq!(flags(2_464_000), csv | ScriptFlags::CHECKLOCKTIMEVERIFY);
        assert_eq!(flags(2_464_000), ScriptFlags::MANDATORY);
        let (hash, _) = params.script_flag_exceptions[0];
        assert_eq!(block_script_flags(0, &hash, params), ScriptFlags::NONE);
    }

    fn block_at(height: i32, lock_time: u32, time: u32) -> Block {
        let mut input = TxIn::new(OutPoint::NULL, 0);
        input.script_sig = Script::from(height_script(height));
        let coinbase = MutableTransaction {
            version: 1,
            inputs: vec![input],
            outputs: vec![TxOut::new(Amount(1), Script::new())],
            lock_time,
        };
        let header = HashedHeader::new(Header { time, ..Header::default() });
        let mut block = Block::new(header, vec![Arc::new(Transaction::from(coinbase))]);
        generate_coinbase_commitment(&mut block, true);
        block
    }

    #[test]
    fn block_lock_times_heights_and_weight() {
        let params = ChainParams::for_network(Network::Regtest).consensus;
        let mut list = HeaderList::new(299);
        for i in 0..11_u32 {
            list.push(HashedHeader::new(Header { time: 1_600_000_000 + i, ..Header::default() }));
        }
        let prev = list.tip();
        let check = |block: &Block| contextual_check_block(block, prev, &params);
        let median = 1_600_000_005;
        assert_eq!(check(&block_at(310, 0, 0)), Ok(()));
        assert_eq!(check(&block_at(310, 309, 0)), Ok(()));
        assert_eq!(check(&block_at(310, 310, 0)), Err(BlockRule::NonFinal));
        assert_eq!(check(&block_at(310, median - 1, median)), Ok(()));
        assert_eq!(check(&block_at(310, median, median + 100)), Err(BlockRule::NonFinal));
        assert_eq!(check(&block_at(309, 0, 0)), Err(BlockRule::CoinbaseHeight));
        // Before BIP113 the block's own time counts, before BIP34 the height does not.
        let old = ConsensusParams { csv_height: 1000, bip34_height: 1000, ..params.clone() };
        let check_old = |block: &Block| contextual_check_block(block, prev, &old);
        assert_eq!(check_old(&block_at(5, median, median + 100)), Ok(()));
        assert_eq!(check_old(&block_at(5, median, median)), Err(BlockRule::NonFinal));

        let mut large = block_at(310, 0, 0);
        let mut coinbase = large.txs[0].to_mutable();
        let room = (MAX_BLOCK_WEIGHT - large.weight()) / 4 - 4;
        coinbase.outputs[0].script_pubkey = Script::from(vec![0x6a; room]);
        large.txs[0] = Arc::new(Transaction::from(coinbase.clone()));
        assert!(large.weight() <= MAX_BLOCK_WEIGHT && large.weight() > MAX_BLOCK_WEIGHT - 4);
        assert_eq!(check(&large), Ok(()));
        coinbase.outputs[0].script_pubkey.bytes_mut().push(0);
        large.txs[0] = Arc::new(Transaction::from(coinbase));
        assert_eq!(check(&large), Err(BlockRule::Weight));
    }
}
