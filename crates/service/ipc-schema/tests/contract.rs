//! The contract's ids, ordinals, layouts and defaults have not moved.

#![allow(clippy::unwrap_used)]

use capnp::introspect::{Introspect, TypeVariant};
use capnp::schema::StructSchema;
use capnp::traits::HasTypeId;
use grs_ipc_schema::{
    chain_capnp, common_capnp, echo_capnp, grs_init_capnp, handler_capnp, init_capnp, mining_capnp,
    proxy_capnp, rpc_capnp, wallet_capnp,
};

fn node(of: capnp::introspect::Type) -> (u64, u16, u16) {
    let TypeVariant::Struct(raw) = of.which() else { panic!("not a struct") };
    let schema = StructSchema::new(raw);
    let proto = schema.get_proto();
    let capnp::schema_capnp::node::Struct(layout) = proto.which().unwrap() else { panic!("not a struct") };
    (proto.get_id(), layout.get_data_word_count(), layout.get_pointer_count())
}

#[test]
fn ids_and_layouts_are_the_contracts() {
    assert_eq!(proxy_capnp::thread_map::Client::TYPE_ID, 0xee5e_3717_9ad9_dc9d);
    assert_eq!(proxy_capnp::thread::Client::TYPE_ID, 0x81c1_e260_0d0b_56c5);
    assert_eq!(echo_capnp::echo::Client::TYPE_ID, 0xd36b_8964_0dc9_4399);
    assert_eq!(init_capnp::init::Client::TYPE_ID, 0x8838_c700_ba5c_ba65);
    assert_eq!(mining_capnp::mining::Client::TYPE_ID, 0xf9c6_8436_df3a_f39e);
    assert_eq!(mining_capnp::block_template::Client::TYPE_ID, 0xf967_1ad8_41b2_f622);
    assert_eq!(rpc_capnp::rpc::Client::TYPE_ID, 0xacb1_d37f_0a71_3129);
    let layouts = [
        (node(proxy_capnp::context::Owned::introspect()), (0x9c44_e664_5d0b_22c6, 0, 2)),
        (node(common_capnp::block_ref::Owned::introspect()), (0xb3be_4b89_4935_0369, 1, 1)),
        (node(mining_capnp::block_create_options::Owned::introspect()), (0x80fc_a083_ef81_a559, 3, 0)),
        (node(mining_capnp::block_wait_options::Owned::introspect()), (0x9ba4_37d9_de0c_452e, 2, 0)),
        (node(mining_capnp::block_check_options::Owned::introspect()), (0x89f3_f39b_6c9d_d162, 1, 0)),
        (node(mining_capnp::coinbase_tx::Owned::introspect()), (0xdc39_9c6d_34ae_7e69, 3, 3)),
    ];
    for (found, expected) in layouts {
        assert_eq!(found, expected);
    }
}

/// A default is XORed with the value on the wire, so the raw bits of an explicit value tell the default.
#[test]
fn defaults_are_groestlcoins() {
    let mut message = capnp::message::Builder::new_default();
    let mut options = message.init_root::<mining_capnp::block_wait_options::Builder<'_>>();
    assert_eq!(options.reborrow().get_fee_threshold(), 10_500_000_000_000_000);
    assert_eq!(options.reborrow().get_timeout().to_bits(), 0x7fef_ffff_ffff_ffff);
    options.set_fee_threshold(0);
    let words = capnp::serialize::write_message_to_words(&message);
    let raw = u64::from_le_bytes(words[words.len() - 8..].try_into().unwrap());
    assert_eq!(raw, 0x0025_4db1_c224_4000);

    let mut message = capnp::message::Builder::new_default();
    let options = message.init_root::<mining_capnp::block_create_options::Builder<'_>>();
    assert!(options.get_use_mempool());
    let mut message = capnp::message::Builder::new_default();
    let options = message.init_root::<mining_capnp::block_create_options::Builder<'_>>();
    assert_eq!(options.get_block_reserved_weight(), 8000);
}

/// What the schemas say, written by the generator whenever they change.
const CONTRACT: &str = include_str!("../contract.txt");

#[test]
fn the_references_part_is_as_it_was() {
    let expected: Vec<&str> =
        include_str!("data/reference_contract.txt").lines().filter(|line| !line.starts_with('#')).collect();
    let files = ["common.capnp", "echo.capnp", "init.capnp", "mining.capnp", "proxy.capnp", "rpc.capnp"];
    let found: Vec<&str> =
        CONTRACT.lines().filter(|line| files.iter().any(|file| line.starts_with(file))).collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn own_interfaces_have_own_ids() {
    let ids = |theirs: bool| -> Vec<&str> {
        let files = ["common.", "echo.", "init.", "mining.", "proxy.", "rpc."];
        let of = |line: &&str| files.iter().any(|file| line.starts_with(file)) == theirs;
        let words = CONTRACT.lines().filter(of).map(|line| line.split(' ').collect::<Vec<_>>());
        words
            .filter(|words| ["file", "interface", "struct", "enum"].contains(&words[1]))
            .map(|words| words[2])
            .collect()
    };
    let (reference, own) = (ids(true), ids(false));
    assert!(own.len() > 20);
    assert!(own.iter().all(|id| !reference.contains(id)));
    // Ours are reached by an interface of our own, which leaves the ordinals of Init to the reference.
    assert!(CONTRACT.contains("grs_init.capnp:GrsInit interface 0x"));
    assert!(CONTRACT.contains(" extends init.capnp:Init\n"));
    assert!(CONTRACT.contains("grs_init.capnp:GrsInit.hello @0 "));
}

#[test]
fn the_text_is_that_of_the_code() {
    let interfaces = [
        ("chain.capnp:Chain", chain_capnp::chain::Client::TYPE_ID),
        ("chain.capnp:RpcActor", chain_capnp::rpc_actor::Client::TYPE_ID),
        ("grs_init.capnp:GrsInit", grs_init_capnp::grs_init::Client::TYPE_ID),
        ("handler.capnp:Handler", handler_capnp::handler::Client::TYPE_ID),
        ("mining.capnp:Mining", mining_capnp::mining::Client::TYPE_ID),
        ("wallet.capnp:WalletLoader", wallet_capnp::wallet_loader::Client::TYPE_ID),
    ];
    for (name, id) in interfaces {
        assert!(CONTRACT.contains(&format!("\n{name} interface {id:#x}")), "{name}");
    }
    let structs = [
        ("mining.capnp:CoinbaseTx", node(mining_capnp::coinbase_tx::Owned::introspect())),
        ("chain.capnp:FoundBlock", node(chain_capnp::found_block::Owned::introspect())),
        ("chain.capnp:RpcRequest", node(chain_capnp::rpc_request::Owned::introspect())),
        ("grs_init.capnp:Hello", node(grs_init_capnp::hello::Owned::introspect())),
    ];
    for (name, (id, data, pointers)) in structs {
        assert!(CONTRACT.contains(&format!("\n{name} struct {id:#x} {data}+{pointers}\n")), "{name}");
    }
}
