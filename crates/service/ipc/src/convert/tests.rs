//! What is written is read again, whatever it is; and what is damaged is an error.

use std::collections::BTreeMap;
use std::time::Duration;

use capnp::traits::Owned;
use grs_hashes::{BlockHash, Txid};
use grs_interfaces::*;
use grs_ipc_schema::{chain_capnp, common_capnp, grs_init_capnp, handler_capnp, mining_capnp, wallet_capnp};
use grs_primitives::{
    Amount, BlockLocator, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut, TxRef,
};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Through the bytes of a message and back.
fn round_trip<O, T>(value: &T) -> capnp::Result<T>
where
    O: Owned,
    T: for<'a> ToWire<O::Builder<'a>> + for<'a> FromWire<O::Reader<'a>>,
{
    let mut message = capnp::message::Builder::new_default();
    value.to_wire(message.init_root::<O::Builder<'_>>());
    let bytes = capnp::serialize::write_message_to_words(&message);
    let reader = capnp::serialize::read_message(&bytes[..], capnp::message::ReaderOptions::new())?;
    T::from_wire(reader.get_root::<O::Reader<'_>>()?)
}

fn hash() -> impl Strategy<Value = BlockHash> {
    any::<[u8; 32]>().prop_map(BlockHash::from_bytes)
}

fn locators() -> impl Strategy<Value = BlockLocator> {
    prop::collection::vec(hash(), 0..5).prop_map(|hashes| BlockLocator { hashes })
}

fn block_bytes() -> impl Strategy<Value = BlockBytes> {
    any::<Vec<u8>>().prop_map(BlockBytes)
}

fn plain_block() -> impl Strategy<Value = FoundBlock> {
    (
        hash(),
        any::<(u32, i64, i64, i64, bool)>(),
        prop::option::of(locators()),
        prop::option::of(block_bytes()),
    )
        .prop_map(|(hash, (height, time, max_time, mtp_time, in_active_chain), locator, data)| {
            FoundBlock { hash, height, time, max_time, mtp_time, in_active_chain, locator, next: None, data }
        })
}

fn bilingual() -> impl Strategy<Value = BilingualString> {
    any::<(String, String)>().prop_map(|(original, translated)| BilingualString { original, translated })
}

fn outpoint() -> impl Strategy<Value = OutPoint> {
    any::<([u8; 32], u32)>().prop_map(|(txid, vout)| OutPoint::new(Txid::from_bytes(txid), vout))
}

fn settings() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let value = prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    prop::collection::btree_map(any::<String>(), value, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn found_blocks(mut block in plain_block(), next in prop::option::of(plain_block())) {
        block.next = next.map(Box::new);
        prop_assert_eq!(&round_trip::<chain_capnp::found_block::Owned, _>(&block).unwrap(), &block);
        // More than one level is not followed.
        let nested = FoundBlock { next: Some(Box::new(block)), ..plain(1) };
        let read = round_trip::<chain_capnp::found_block::Owned, _>(&nested).unwrap();
        prop_assert!(read.next.unwrap().next.is_none());
    }

    #[test]
    fn coins(value in any::<i64>(), script in any::<Vec<u8>>(), height in any::<u32>(), coinbase in any::<bool>()) {
        let out = TxOut::new(Amount(value), Script::from(script));
        for coin in [None, Some(Coin { out, height, coinbase })] {
            prop_assert_eq!(round_trip::<chain_capnp::found_coin::Owned, _>(&coin).unwrap(), coin);
        }
    }

    #[test]
    fn scans(
        scripts in prop::collection::vec(any::<Vec<u8>>(), 0..5),
        outpoints in prop::collection::vec(outpoint(), 0..5),
        blocks in prop::collection::vec((hash(), any::<u32>(), any::<i64>(), block_bytes()), 0..3),
        last in prop::option::of((hash(), any::<u32>())),
        numbers in any::<(u32, u32)>(),
    ) {
        let needles = ScanNeedles { scripts: scripts.into_iter().map(Script::from).collect(), outpoints };
        prop_assert_eq!(&round_trip::<chain_capnp::scan_needles::Owned, _>(&needles).unwrap(), &needles);
        let block = |(hash, height, max_time, data)| ScannedBlock { hash, height, max_time, data };
        let chunk = ScanChunk {
            blocks: blocks.into_iter().map(block).collect(),
            last: last.map(|(hash, height)| BlockRef { hash, height }),
            next_height: numbers.0,
            tip_height: numbers.1,
            progress: 0.25,
            status: ScanStatus::MissingData,
        };
        prop_assert_eq!(&round_trip::<chain_capnp::scan_chunk::Owned, _>(&chunk).unwrap(), &chunk);
    }

    #[test]
    fn rpc(texts in any::<[String; 6]>(), id in any::<Option<String>>(), code in any::<i32>(), named in any::<bool>()) {
        let [method, params, uri, auth_user, peer_addr, text] = texts;
        let command = RpcCommand {
            category: uri.clone(),
            name: method.clone(),
            arg_names: vec![RpcArgName { name: text.clone(), named_only: named }, RpcArgName { name: id.clone().unwrap_or_default(), named_only: !named }],
            unique_id: i64::from(code),
        };
        prop_assert_eq!(&round_trip::<chain_capnp::rpc_command::Owned, _>(&command).unwrap(), &command);
        let (mode, version) = (RpcMode::GetArgs, RpcVersion::V2);
        let request = RpcRequest { id, method, params, mode, uri, auth_user, peer_addr, version };
        prop_assert_eq!(&round_trip::<chain_capnp::rpc_request::Owned, _>(&request).unwrap(), &request);
        for reply in [None, Some(Ok(text.clone())), Some(Err(RpcError { code, message: text }))] {
            prop_assert_eq!(&round_trip::<chain_capnp::rpc_reply::Owned, _>(&reply).unwrap(), &reply);
        }
    }

    #[test]
    fn wallets(name in any::<String>(), error in bilingual(), warnings in prop::collection::vec(bilingual(), 0..4)) {
        for result in [Ok(name.clone()), Err(error.clone())] {
            let outcome = WalletOutcome { result, warnings: warnings.clone() };
            prop_assert_eq!(&round_trip::<wallet_capnp::outcome::Owned, _>(&outcome).unwrap(), &outcome);
        }
        let done = WalletMigration { wallet: name.clone(), watch_only: None, solvables: Some(name.clone()), backup_path: name };
        for migration in [Ok(done), Err(error.clone())] {
            prop_assert_eq!(&round_trip::<wallet_capnp::migration::Owned, _>(&migration).unwrap(), &migration);
        }
        prop_assert_eq!(&round_trip::<handler_capnp::bilingual_string::Owned, _>(&error).unwrap(), &error);
    }

    #[test]
    fn process_settings(forced in settings(), rw in settings(), list in prop::collection::vec(any::<i64>(), 0..4), path in any::<String>()) {
        let values: Vec<Value> = list.into_iter().map(Value::from).collect();
        let options = BTreeMap::from([(path.clone(), values)]);
        let args = GlobalArgs {
            forced_settings: forced,
            command_line_options: options.clone(),
            rw_settings: rw,
            ro_config: BTreeMap::from([(String::new(), options)]),
            config_path: path.clone(),
            network: "signet".into(),
            net_data_dir: path,
        };
        prop_assert_eq!(&round_trip::<grs_init_capnp::global_args::Owned, _>(&args).unwrap(), &args);
    }

    #[test]
    fn small_structs(numbers in any::<(i64, u32, u32, u32)>(), flags in any::<[bool; 4]>(), hash in hash()) {
        let estimate = FeeEstimate {
            feerate: Amount(numbers.0),
            reason: FeeReason::DoubleEstimate,
            desired_target: numbers.1,
            returned_target: numbers.2,
            best_height: numbers.3,
        };
        prop_assert_eq!(round_trip::<chain_capnp::fee_estimate::Owned, _>(&estimate).unwrap(), estimate);
        let want = FindBlock { data: flags[0], locator: flags[1], next: flags[2], next_data: flags[3] };
        prop_assert_eq!(round_trip::<chain_capnp::find_block::Owned, _>(&want).unwrap(), want);
        let options = NotifyOptions { connect_undo_data: flags[0], disconnect_data: flags[1], disconnect_undo_data: flags[2] };
        prop_assert_eq!(round_trip::<chain_capnp::notify_options::Owned, _>(&options).unwrap(), options);
        let role = ChainstateRole { validated: flags[0], historical: flags[1] };
        prop_assert_eq!(round_trip::<chain_capnp::chainstate_role::Owned, _>(&role).unwrap(), role);
        let tip = BlockRef { hash, height: numbers.1 >> 1 };
        prop_assert_eq!(round_trip::<common_capnp::block_ref::Owned, _>(&tip).unwrap(), tip);
    }

    #[test]
    fn mining(numbers in any::<(u32, u32, i64, u32)>(), bytes in any::<Vec<u8>>(), witness in any::<Option<[u8; 32]>>(), milliseconds in 0_u64..1 << 40) {
        let coinbase = CoinbaseTx {
            version: numbers.0,
            sequence: numbers.1,
            script_sig_prefix: bytes.clone(),
            witness,
            block_reward_remaining: Amount(numbers.2),
            required_outputs: vec![TxOut::new(Amount(numbers.2), Script::from(bytes))],
            lock_time: numbers.3,
        };
        prop_assert_eq!(&round_trip::<mining_capnp::coinbase_tx::Owned, _>(&coinbase).unwrap(), &coinbase);
        let wait = BlockWaitOptions { timeout: Duration::from_millis(milliseconds), fee_threshold: Amount(numbers.2) };
        let read = round_trip::<mining_capnp::block_wait_options::Owned, _>(&wait).unwrap();
        prop_assert_eq!(read.fee_threshold, wait.fee_threshold);
        // Milliseconds travel as a float.
        prop_assert!(read.timeout.abs_diff(wait.timeout) < Duration::from_millis(1));
    }

    #[test]
    fn answers_of_several_fields(
        texts in any::<(String, String)>(),
        flags in any::<[bool; 3]>(),
        numbers in any::<(u64, u64, u64, i64, u32)>(),
        found in [prop::option::of(plain_block()), prop::option::of(plain_block()), prop::option::of(plain_block())],
    ) {
        use chain_capnp::chain as answers;
        let check = BlockCheck { valid: flags[0], reason: texts.0.clone(), debug: texts.1 };
        prop_assert_eq!(&round_trip::<mining_capnp::mining::check_block_results::Owned, _>(&check).unwrap(), &check);
        prop_assert_eq!(&round_trip::<mining_capnp::mining::submit_block_results::Owned, _>(&check).unwrap(), &check);
        let create = BlockCreateOptions {
            use_mempool: flags[0],
            block_reserved_weight: numbers.0,
            coinbase_output_max_additional_sigops: numbers.1,
        };
        prop_assert_eq!(round_trip::<mining_capnp::block_create_options::Owned, _>(&create).unwrap(), create);
        let options = BlockCheckOptions { check_merkle_root: flags[1], check_pow: flags[2] };
        prop_assert_eq!(round_trip::<mining_capnp::block_check_options::Owned, _>(&options).unwrap(), options);
        for broadcast in [Ok(()), Err(texts.0.clone())] {
            let read = round_trip::<answers::broadcast_transaction_results::Owned, Broadcast>(&broadcast);
            prop_assert_eq!(read.unwrap(), broadcast);
        }
        let ancestry = TransactionAncestry {
            ancestors: numbers.0,
            cluster_count: numbers.1,
            ancestor_size: numbers.2,
            ancestor_fees: Amount(numbers.3),
        };
        prop_assert_eq!(round_trip::<chain_capnp::transaction_ancestry::Owned, _>(&ancestry).unwrap(), ancestry);
        let limits = PackageLimits { ancestors: numbers.4, descendants: !numbers.4 };
        prop_assert_eq!(round_trip::<answers::get_package_limits_results::Owned, _>(&limits).unwrap(), limits);
        let [ancestor, block1, block2] = found;
        let found = FoundCommonAncestor { ancestor, block1, block2 };
        prop_assert_eq!(&round_trip::<answers::find_common_ancestor_results::Owned, _>(&found).unwrap(), &found);
        for change in [None, Some((Value::from(texts.0), SettingsAction::SkipWrite))] {
            let read = round_trip::<chain_capnp::settings_update::update_results::Owned, _>(&change).unwrap();
            prop_assert_eq!(read, change);
        }
    }

    #[test]
    fn blobs_and_lists(
        bytes in any::<Vec<u8>>(),
        hash in any::<[u8; 32]>(),
        locator in locators(),
        outpoints in prop::collection::vec(outpoint(), 0..5),
        amounts in any::<Vec<i64>>(),
        texts in any::<Vec<String>>(),
        blobs in any::<Vec<Vec<u8>>>(),
    ) {
        fn back<T: ToData + for<'a> FromWire<&'a [u8]>>(value: &T) -> T {
            T::from_wire(&value.to_data()).unwrap()
        }
        prop_assert_eq!(&back(&bytes), &bytes);
        prop_assert_eq!(back(&hash), hash);
        prop_assert_eq!(back(&BlockHash::from_bytes(hash)), BlockHash::from_bytes(hash));
        prop_assert_eq!(back(&Txid::from_bytes(hash)), Txid::from_bytes(hash));
        prop_assert_eq!(back(&grs_hashes::Wtxid::from_bytes(hash)), grs_hashes::Wtxid::from_bytes(hash));
        prop_assert_eq!(&back(&locator), &locator);
        prop_assert_eq!(Vec::<OutPoint>::from_wire(&*outpoints.to_data()).unwrap(), outpoints);
        let (script, secret) = (Script::from(bytes.clone()), SecureString::new(bytes.clone()));
        prop_assert_eq!(&back(&script), &script);
        prop_assert_eq!(&back(&secret), &secret);
        let block = BlockBytes(bytes.clone());
        prop_assert_eq!(&back(&block), &block);
        let out = TxOut::new(Amount(1), script);
        prop_assert_eq!(&back(&out), &out);

        let amounts: Vec<Amount> = amounts.into_iter().map(Amount).collect();
        let mut message = capnp::message::Builder::new_default();
        amounts.to_wire(message.initn_root::<capnp::primitive_list::Builder<'_, i64>>(count(amounts.len())));
        let list = message.get_root_as_reader::<capnp::primitive_list::Reader<'_, i64>>().unwrap();
        prop_assert_eq!(Vec::<Amount>::from_wire(list).unwrap(), amounts);
        let mut message = capnp::message::Builder::new_default();
        texts.to_wire(message.initn_root::<capnp::text_list::Builder<'_>>(count(texts.len())));
        let list = message.get_root_as_reader::<capnp::text_list::Reader<'_>>().unwrap();
        prop_assert_eq!(Vec::<String>::from_wire(list).unwrap(), texts);
        let mut message = capnp::message::Builder::new_default();
        blobs.to_wire(message.initn_root::<capnp::data_list::Builder<'_>>(count(blobs.len())));
        let list = message.get_root_as_reader::<capnp::data_list::Reader<'_>>().unwrap();
        prop_assert_eq!(Vec::<Vec<u8>>::from_wire(list).unwrap(), blobs);
    }

    #[test]
    fn events(
        tx in any::<Vec<u8>>(),
        locator in locators(),
        hashes in (hash(), prop::option::of(hash())),
        numbers in any::<(u32, i64)>(),
        undo in any::<Option<Vec<u8>>>(),
    ) {
        use crate::event::{Event, EventBlock};
        let info = BlockInfo {
            hash: hashes.0,
            prev_hash: hashes.1,
            height: numbers.0,
            chain_time_max: numbers.1,
            data: None,
            undo_data: undo,
        };
        let role = ChainstateRole { validated: false, historical: true };
        let list = [
            Event::TransactionAdded(tx.clone()),
            Event::TransactionRemoved(tx, MempoolRemovalReason::Conflict),
            Event::BlockConnected(role, EventBlock::new(&info, true, true)),
            Event::BlockDisconnected(EventBlock::new(&info, false, false)),
            Event::UpdatedBlockTip,
            Event::ChainStateFlushed(role, locator),
        ];
        for event in list {
            prop_assert_eq!(&round_trip::<chain_capnp::event::Owned, _>(&event).unwrap(), &event);
        }
    }
}

fn plain(height: u32) -> FoundBlock {
    FoundBlock {
        hash: BlockHash::from_bytes([height as u8; 32]),
        height,
        time: 0,
        max_time: 0,
        mtp_time: 0,
        in_active_chain: false,
        locator: None,
        next: None,
        data: None,
    }
}

#[test]
fn greetings() {
    for role in [Role::Node, Role::Wallet, Role::Gui, Role::Other] {
        let mut hello = Hello::new(role, "v31.0.0");
        hello.data_dir = "/d".into();
        assert_eq!(round_trip::<grs_init_capnp::hello::Owned, _>(&hello).unwrap(), hello);
    }
}

#[test]
fn wrong_lengths_are_errors() {
    assert!(BlockHash::from_wire(&[0; 31][..]).is_err());
    assert!(BlockHash::from_wire(&[][..]).is_err());
    assert_eq!(or_default::<BlockHash>(false, &[]).unwrap(), BlockHash::ZERO);
    assert!(or_default::<BlockHash>(true, &[]).unwrap_err().extra.contains("end of data"));
    assert!(or_default::<BlockHash>(true, &[1; 33]).is_err());
    assert!(BlockLocator::from_wire(&[0; 33][..]).is_err());
    assert!(Vec::<OutPoint>::from_wire(&[0; 37][..]).is_err());
    assert!(<[u8; 80]>::from_wire(&[0; 79][..]).is_err());
    assert!(Value::from_wire(capnp::text::Reader::from("{")).is_err());
    let error = TxOut::from_wire(&[1, 2][..]).unwrap_err();
    assert_eq!(error.extra, "std::exception: SpanReader::read(): end of data: iostream error");
}

#[test]
fn what_is_decoded_later_fails_with_the_references_text() {
    let error = decode_later::<TxRef>(&[1, 0]).unwrap_err();
    assert_eq!(error.to_string(), "SpanReader::read(): end of data: iostream error");
    let tx = Transaction::from(MutableTransaction {
        version: 1,
        inputs: vec![TxIn::new(OutPoint::NULL, 0)],
        outputs: Vec::new(),
        lock_time: 0,
    });
    assert_eq!(*decode_later::<TxRef>(&tx.to_data()).unwrap(), tx);
}

#[test]
fn time_limits_may_be_anything() {
    let timeout = |milliseconds: f64| Duration::from_wire(milliseconds).unwrap();
    assert_eq!(timeout(f64::NAN), Duration::ZERO);
    assert_eq!(timeout(-1.0), Duration::ZERO);
    assert_eq!(timeout(f64::INFINITY), TIMEOUT_FOREVER);
    assert_eq!(timeout(f64::MAX), TIMEOUT_FOREVER);
    assert_eq!(timeout(1500.0), Duration::from_millis(1500));
    assert_eq!(TIMEOUT_FOREVER.to_scalar(), f64::MAX);
}

/// Messages of all kinds, then thousands of damaged ones: nothing panics.
#[test]
fn damaged_messages_do_no_harm() {
    let mut corpus = Vec::new();
    let mut add = |fill: &dyn Fn(&mut capnp::message::Builder<capnp::message::HeapAllocator>)| {
        let mut message = capnp::message::Builder::new_default();
        fill(&mut message);
        corpus.push(capnp::serialize::write_message_to_words(&message));
    };
    let block = FoundBlock {
        next: Some(Box::new(plain(2))),
        locator: Some(BlockLocator { hashes: vec![BlockHash::ZERO; 3] }),
        data: Some(BlockBytes(vec![7; 90])),
        ..plain(1)
    };
    add(&|message| block.to_wire(message.init_root()));
    add(&|message| GlobalArgs::default().to_wire(message.init_root()));
    let needles = ScanNeedles { scripts: vec![Script::from(&[1, 2][..])], outpoints: vec![OutPoint::NULL] };
    add(&|message| needles.to_wire(message.init_root()));
    let event = crate::event::Event::TransactionRemoved(vec![1; 60], MempoolRemovalReason::Block);
    add(&|message| event.to_wire(message.init_root()));
    let request = RpcRequest { method: "getbalance".into(), params: "[]".into(), ..RpcRequest::default() };
    add(&|message| request.to_wire(message.init_root()));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for original in &corpus {
        crate::fuzz::fuzz_wire(original);
        for _ in 0..2000 {
            let mut data = original.clone();
            for _ in 0..=random(4) {
                let at = random(data.len());
                data[at] = random(256) as u8;
            }
            if random(4) == 0 {
                data.truncate(random(data.len()));
            }
            crate::fuzz::fuzz_wire(&data);
        }
    }
}
