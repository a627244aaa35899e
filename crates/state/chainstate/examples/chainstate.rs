//! Opens a data directory without a node: shows the chain, rebuilds it, verifies it. For two-way tests with the
//! reference and for timing.
//!
//! `chainstate DATADIR [regtest|main|...] [reindex|reindex-chainstate] [verify] [stats] [import=FILE] [blocks=FILE] [feed=FILE group=N]
//! [workers=N]`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use grs_chainstate::{ChainstateManager, ChainstateOptions, StatsHash};
use grs_encoding::decode_exact;
use grs_fs::RealEnv;
use grs_params::{ChainParams, Network};
use grs_primitives::Block;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let dir = args.first().ok_or("no data directory given")?;
    let has = |name: &str| args.iter().any(|a| a == name);
    let value = |name: &str| args.iter().find_map(|a| a.strip_prefix(name));
    let network = if has("main") { Network::Main } else { Network::Regtest };
    let mut options = ChainstateOptions::new(
        Arc::new(RealEnv),
        Arc::new(ChainParams::for_network(network)),
        PathBuf::from(dir),
    );
    let options_env = options.env.clone();
    options.reindex = has("reindex");
    options.reindex_chainstate = has("reindex-chainstate");
    options.script_workers = value("workers=").map_or(Ok(1), str::parse)?;
    let begin = Instant::now();
    let manager = ChainstateManager::open(options)?;
    println!("opened after {:.3} s, {} headers", begin.elapsed().as_secs_f64(), manager.index().len());
    let files: Vec<PathBuf> = value("import=").map(PathBuf::from).into_iter().collect();
    manager.import_blocks(&files)?;
    println!("connected after {:.3} s", begin.elapsed().as_secs_f64());
    if let Some(path) = value("blocks=") {
        // One block in hexadecimal a line.
        for line in std::fs::read_to_string(path)?.lines() {
            let block: Block = decode_exact(&grs_encoding::hex_decode(line.trim())?)?;
            let done = manager.process_new_block(Arc::new(block), true, true);
            if !done.accepted {
                return Err("block refused".into());
            }
        }
    }
    if let Some(path) = value("feed=") {
        // A file of framed blocks, given one after the other (or in groups) as a peer would.
        let file = options_env.open(&PathBuf::from(path), grs_fs::OpenMode::Read)?;
        let mut reader = grs_blockstore::BlockFileReader::plain(file, manager.params().magic);
        let mut blocks = Vec::new();
        while let Some((_, data)) = reader.next_block()? {
            blocks.push(Arc::new(decode_exact::<Block>(&data)?));
        }
        let start = Instant::now();
        let headers: Vec<_> = blocks.iter().map(|b| b.header).collect();
        for part in headers.chunks(2000) {
            manager.process_new_headers(part, true)?;
        }
        println!("{} headers in {:.3} s", headers.len(), start.elapsed().as_secs_f64());
        let start = Instant::now();
        for part in blocks.chunks(value("group=").map_or(Ok(1), str::parse)?) {
            manager.process_new_blocks(part, true, true);
        }
        println!("{} blocks in {:.3} s", blocks.len(), start.elapsed().as_secs_f64());
    }
    if has("verify") {
        println!("verify: {:?}", manager.verify(4, 0));
    }
    let view = manager.view();
    println!("tip {} height {}", view.tip_hash(), view.height());
    if has("stats")
        && let Some(stats) = manager.compute_utxo_stats(StatsHash::MuHash)?
    {
        println!("outputs {} muhash {}", stats.outputs, stats.hash.unwrap_or_default());
    }
    manager.shutdown();
    println!("closed after {:.3} s", begin.elapsed().as_secs_f64());
    Ok(())
}
