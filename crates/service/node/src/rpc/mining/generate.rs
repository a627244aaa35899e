//! `generatetoaddress`, `generatetodescriptor`, `generateblock`, `generate`.

use std::sync::Arc;

use grs_chainstate::{Chainstate, ChainstateManager};
use grs_descriptor::decode_destination;
use grs_encoding::{decode_exact, encode_to_vec, hex_decode, hex_encode};
use grs_hashes::{BlockHash, Txid};
use grs_mining::{
    AssemblerOptions, AssemblyError, BlockTemplate, DEFAULT_MAX_TRIES, MAX_HASHES_ALONE,
    MAX_HASHES_IN_SERIES, Solved, create_new_block, ease_time, find_nonce, regenerate_commitment,
};
use grs_params::BuriedDeployment;
use grs_primitives::{Block, HashedHeader, Header, Script, Transaction, TxRef};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, code};
use serde_json::{Map, Value};

use super::assembler_options;
use crate::rpc::descriptors::script_of;
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let hashes = || Res::arr("", "Hashes of the new blocks", [Res::hex("", "A block hash")]);
    let max_tries = || Arg::num("maxtries", "Hashes to try at most").default(DEFAULT_MAX_TRIES);
    vec![
        maker
            .method(
                "hidden",
                "generatetoaddress",
                "Mines blocks that pay to an address, and gives their hashes.",
                generatetoaddress,
            )
            .arg(Arg::num("nblocks", "How many blocks"))
            .arg(Arg::str("address", "The address"))
            .arg(max_tries())
            .result(hashes())
            .example_text("\nMine 11 blocks to myaddress\n")
            .example_cli("11 \"myaddress\"")
            .example_text("A wallet gives an address for it with:\n")
            .example_text(&grs_rpc::help::example_cli("getnewaddress", "")),
        maker
            .method(
                "hidden",
                "generatetodescriptor",
                "Mines blocks that pay to a descriptor, and gives their hashes.",
                generatetodescriptor,
            )
            .arg(Arg::num("num_blocks", "How many blocks"))
            .arg(Arg::str("descriptor", "The descriptor"))
            .arg(max_tries())
            .result(hashes())
            .example_text("\nMine 11 blocks to mydesc\n")
            .example_cli("11 \"mydesc\""),
        maker
            .method(
                "hidden",
                "generateblock",
                "Mines a block of certain transactions that pays to an address or descriptor, and gives its hash.",
                generateblock,
            )
            .arg(Arg::str("output", "The address or descriptor"))
            .arg(Arg::arr(
                "transactions",
                "Transactions in their order: ids of transactions in the mempool, or bytes in hexadecimal. All have to be \
                 valid, parents before children.",
                [Arg::hex("rawtx/txid", "").optional()],
            ))
            .arg(Arg::bool("submit", "Submits the block instead of giving its bytes").default(true))
            .result(Res::obj(
                "",
                "",
                [
                    Res::hex("hash", "The block hash"),
                    Res::hex("hex", "The block's bytes (only with submit=false)").optional(),
                ],
            ))
            .example_text("\nMine a block to myaddress with two transactions\n")
            .example_cli("\"myaddress\" '[\"rawtx\", \"mempool_txid\"]'"),
        maker.method(
            "hidden",
            "generate",
            "has been replaced by the -generate cli option. Refer to -help for more information.",
            |_, _| {
                // The text is that of the method's help.
                Err(RpcError::new(
                    code::METHOD_NOT_FOUND,
                    "generate\n\nhas been replaced by the -generate cli option. Refer to -help for more information.\n",
                ))
            },
        ),
    ]
}

/// Makes a block on the locked tip for mining on demand.
fn assemble(
    ctx: &Ctx,
    manager: &ChainstateManager,
    chain: &mut Chainstate,
    options: &AssemblerOptions,
) -> Result<BlockTemplate, RpcError> {
    create_new_block(manager, chain, ctx.mempool.get().map(|m| &**m), options).map_err(|error| match error {
        AssemblyError::NoTip => RpcError::bug(error),
        AssemblyError::Invalid(_) => RpcError::misc(error.to_string()),
    })
}

/// Looks for a nonce; the block, `None` when there is no solution to be had with this header, or an error text when the
/// tries are used up.
enum Mined {
    Block(Arc<Block>),
    Again,
    GaveUp,
}

fn solve(manager: &ChainstateManager, mut header: Header, txs: Vec<TxRef>, max_tries: &mut u64) -> Mined {
    header.merkle_root =
        grs_primitives::merkle_root(txs.iter().map(|tx| tx.txid().to_bytes()).collect()).root;
    let interrupt = manager.interrupt();
    match find_nonce(&mut header, max_tries, &manager.params().consensus, interrupt) {
        Solved::Found => Mined::Block(Arc::new(Block::new(HashedHeader::new(header), txs))),
        Solved::NoncesUsedUp => Mined::Again,
        Solved::GaveUp => Mined::GaveUp,
    }
}

fn submit(manager: &ChainstateManager, block: Arc<Block>) -> Result<(), RpcError> {
    if !manager.process_new_block(block, true, true).accepted {
        return Err(RpcError::internal("ProcessNewBlock, block not accepted"));
    }
    Ok(())
}

fn too_far_ahead(mined: usize) -> RpcError {
    RpcError::misc(format!(
        "Mined {mined} blocks. The next one would need a block time more than two hours ahead of the clock, or very many \
         hashes: wait, or set another time with setmocktime."
    ))
}

fn generate_blocks(ctx: &Ctx, count: i32, script: Script, mut max_tries: u64) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let options =
        AssemblerOptions { coinbase_script: script, dummy_extra_nonce: true, ..assembler_options(&ctx.args) };
    let mut hashes: Vec<BlockHash> = Vec::new();
    while (hashes.len() as i64) < i64::from(count) && !manager.interrupt().is_interrupted() {
        let (mut template, tip) = {
            let mut chain = manager.lock();
            let template = assemble(ctx, manager, &mut chain, &options)?;
            (template, chain.tip())
        };
        if let Some(tip) = tip {
            ease_time(&mut template.header, manager.header_view(tip), MAX_HASHES_IN_SERIES, manager.params())
                .map_err(|_| too_far_ahead(hashes.len()))?;
        }
        match solve(manager, template.header, template.txs, &mut max_tries) {
            Mined::Block(block) => {
                hashes.push(block.hash());
                submit(manager, block)?;
            }
            Mined::Again => {}
            Mined::GaveUp => break,
        }
    }
    Ok(hashes.iter().map(BlockHash::to_string).collect::<Vec<_>>().into())
}

fn address_script(ctx: &Ctx, text: &str) -> Option<Script> {
    decode_destination(text, ctx.params.network).ok().map(|destination| destination.script())
}

fn generatetoaddress(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let count: i32 = request.arg("nblocks")?;
    // Read as the reference reads it: an integer of 32 bits.
    let max_tries = match request.opt::<i64>("maxtries")? {
        Some(tries) => tries as u64,
        None => DEFAULT_MAX_TRIES,
    };
    let script = address_script(ctx, request.arg("address")?)
        .ok_or_else(|| RpcError::invalid_address_or_key("Error: Invalid address"))?;
    generate_blocks(ctx, count, script, max_tries)
}

fn generatetodescriptor(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let count: i32 = request.arg("num_blocks")?;
    let max_tries: u64 = request.arg("maxtries")?;
    let script = script_of(request.arg("descriptor")?, ctx.params.network)?
        .map_err(RpcError::invalid_address_or_key)?;
    generate_blocks(ctx, count, script, max_tries)
}

/// A transaction of the mempool by its id, or one in hexadecimal.
fn transaction(ctx: &Ctx, text: &str) -> Result<TxRef, RpcError> {
    if let Ok(txid) = text.parse::<Txid>() {
        return ctx
            .mempool()?
            .get(&txid)
            .ok_or_else(|| RpcError::invalid_address_or_key(format!("Transaction {text} not in mempool.")));
    }
    let tx = hex_decode(text).ok().and_then(|bytes| decode_exact::<Transaction>(&bytes).ok());
    tx.map(Arc::new).ok_or_else(|| {
        RpcError::deserialization(format!(
            "Transaction decode failed for {text}. Make sure the tx has at least one input."
        ))
    })
}

fn generateblock(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let output: &str = request.arg("output")?;
    let script = match script_of(output, ctx.params.network)? {
        Ok(script) => script,
        Err(_) => address_script(ctx, output)
            .ok_or_else(|| RpcError::invalid_address_or_key("Error: Invalid address or descriptor"))?,
    };
    let mut txs = Vec::new();
    for text in request.value("transactions").get_array()? {
        txs.push(transaction(ctx, text.get_str()?)?);
    }
    let process: bool = request.arg("submit")?;
    let manager = ctx.chainman()?;
    let options = AssemblerOptions {
        use_mempool: false,
        coinbase_script: script,
        dummy_extra_nonce: true,
        ..assembler_options(&ctx.args)
    };
    let block = {
        let mut chain = manager.lock();
        let mut template = assemble(ctx, manager, &mut chain, &options)?;
        if let Some(tip) = chain.tip() {
            ease_time(&mut template.header, manager.header_view(tip), MAX_HASHES_ALONE, manager.params())
                .map_err(|_| too_far_ahead(0))?;
        }
        let mut block = Block::new(HashedHeader::new(template.header), template.txs);
        block.txs.extend(txs);
        let height = template.height as i32;
        let segwit = manager.params().consensus.is_active_at(BuriedDeployment::Segwit, height);
        regenerate_commitment(&mut block, segwit);
        chain.test_block_validity(&block, false, false).map_err(|error| {
            RpcError::new(code::VERIFY_ERROR, format!("TestBlockValidity failed: {error}"))
        })?;
        block
    };
    let mut max_tries = DEFAULT_MAX_TRIES;
    let Mined::Block(block) = solve(manager, *block.header.header(), block.txs, &mut max_tries) else {
        return Err(RpcError::misc("Failed to make block."));
    };
    let mut out = Map::new();
    out.insert("hash".into(), block.hash().to_string().into());
    if process {
        submit(manager, block)?;
    } else {
        out.insert("hex".into(), hex_encode(encode_to_vec(&*block)).into());
    }
    Ok(Value::Object(out))
}
