//! Which arguments of which method the command line reads as JSON.
//!
//! The rows are the interface of the reference's client (`rpc/client.cpp`): scripts rely on what is quoted and what is
//! not. `help dump_all_command_conversions` of a server lists the same facts from its side; a functional test compares.

/// How an argument is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON, or an error.
    Json,
    /// A string, even one with an equals sign in a call with named arguments.
    Text,
    /// JSON, or a string where it is none.
    JsonOrText,
}

use Format::{Json as J, JsonOrText as E, Text as S};

/// Position, name and format of an argument. Arguments not listed are strings.
pub type ArgRow = (usize, &'static str, Format);

/// Format of the argument at a position, if listed.
pub fn by_position(method: &str, position: usize) -> Option<Format> {
    rows(method).iter().find(|row| row.0 == position).map(|row| row.2)
}

/// Format of the argument of a name, if listed.
pub fn by_name(method: &str, name: &str) -> Option<Format> {
    rows(method).iter().find(|row| row.1 == name).map(|row| row.2)
}

/// Rows of a method; several may share a position: aliases, and keys of an options object.
pub fn rows(method: &str) -> &'static [ArgRow] {
    match TABLE.binary_search_by_key(&method, |entry| entry.0) {
        Ok(index) => TABLE[index].1,
        Err(_) => &[],
    }
}

/// All rows, sorted by method.
pub const TABLE: &[(&str, &[ArgRow])] = &[
    ("addconnection", &[(2, "v2transport", J)]),
    ("addnode", &[(2, "v2transport", J)]),
    ("addpeeraddress", &[(1, "port", J), (2, "tried", J)]),
    ("analyzepsbt", &[(0, "psbt", S)]),
    ("backupwallet", &[(0, "destination", S)]),
    (
        "bumpfee",
        &[
            (1, "options", J),
            (1, "conf_target", J),
            (1, "fee_rate", J),
            (1, "replaceable", J),
            (1, "outputs", J),
            (1, "original_change_index", J),
        ],
    ),
    ("combinepsbt", &[(0, "txs", J)]),
    ("combinerawtransaction", &[(0, "txs", J)]),
    ("converttopsbt", &[(1, "permitsigdata", J), (2, "iswitness", J)]),
    ("createmultisig", &[(0, "nrequired", J), (1, "keys", J)]),
    (
        "createpsbt",
        &[(0, "inputs", J), (1, "outputs", J), (2, "locktime", J), (3, "replaceable", J), (4, "version", J)],
    ),
    (
        "createrawtransaction",
        &[(0, "inputs", J), (1, "outputs", J), (2, "locktime", J), (3, "replaceable", J), (4, "version", J)],
    ),
    (
        "createwallet",
        &[
            (0, "wallet_name", S),
            (1, "disable_private_keys", J),
            (2, "blank", J),
            (3, "passphrase", S),
            (4, "avoid_reuse", J),
            (5, "descriptors", J),
            (6, "load_on_startup", J),
            (7, "external_signer", J),
        ],
    ),
    ("createwalletdescriptor", &[(1, "options", J), (1, "internal", J)]),
    ("decodepsbt", &[(0, "psbt", S)]),
    ("decoderawtransaction", &[(1, "iswitness", J)]),
    ("deriveaddresses", &[(1, "range", J)]),
    (
        "descriptorprocesspsbt",
        &[
            (0, "psbt", S),
            (1, "descriptors", J),
            (2, "sighashtype", S),
            (3, "bip32derivs", J),
            (4, "finalize", J),
        ],
    ),
    ("disconnectnode", &[(1, "nodeid", J)]),
    ("dumptxoutset", &[(0, "path", S), (1, "type", S), (2, "options", J), (2, "rollback", E)]),
    ("echoipc", &[(0, "arg", S)]),
    (
        "echojson",
        &[
            (0, "arg0", J),
            (1, "arg1", J),
            (2, "arg2", J),
            (3, "arg3", J),
            (4, "arg4", J),
            (5, "arg5", J),
            (6, "arg6", J),
            (7, "arg7", J),
            (8, "arg8", J),
            (9, "arg9", J),
        ],
    ),
    ("encryptwallet", &[(0, "passphrase", S)]),
    ("estimaterawfee", &[(0, "conf_target", J), (1, "threshold", J)]),
    ("estimatesmartfee", &[(0, "conf_target", J)]),
    ("finalizepsbt", &[(0, "psbt", S), (1, "extract", J)]),
    (
        "fundrawtransaction",
        &[
            (1, "options", J),
            (1, "add_inputs", J),
            (1, "include_unsafe", J),
            (1, "minconf", J),
            (1, "maxconf", J),
            (1, "changePosition", J),
            (1, "includeWatching", J),
            (1, "lockUnspents", J),
            (1, "fee_rate", J),
            (1, "feeRate", J),
            (1, "subtractFeeFromOutputs", J),
            (1, "input_weights", J),
            (1, "conf_target", J),
            (1, "replaceable", J),
            (1, "solving_data", J),
            (1, "max_tx_weight", J),
            (2, "iswitness", J),
        ],
    ),
    ("generateblock", &[(1, "transactions", J), (2, "submit", J)]),
    ("generatetoaddress", &[(0, "nblocks", J), (2, "maxtries", J)]),
    ("generatetodescriptor", &[(0, "num_blocks", J), (2, "maxtries", J)]),
    ("getaddressesbylabel", &[(0, "label", S)]),
    ("getbalance", &[(1, "minconf", J), (2, "include_watchonly", J), (3, "avoid_reuse", J)]),
    ("getblock", &[(1, "verbosity", J), (1, "verbose", J)]),
    ("getblockfrompeer", &[(1, "peer_id", J)]),
    ("getblockhash", &[(0, "height", J)]),
    ("getblockheader", &[(1, "verbose", J)]),
    ("getblockstats", &[(0, "hash_or_height", E), (1, "stats", J)]),
    ("getblocktemplate", &[(0, "template_request", J)]),
    ("getchaintxstats", &[(0, "nblocks", J)]),
    ("getdescriptoractivity", &[(0, "blockhashes", J), (1, "scanobjects", J), (2, "include_mempool", J)]),
    ("gethdkeys", &[(0, "active_only", J), (0, "options", J), (0, "private", J)]),
    ("getmempoolancestors", &[(1, "verbose", J)]),
    ("getmempooldescendants", &[(1, "verbose", J)]),
    ("getnetworkhashps", &[(0, "nblocks", J), (1, "height", J)]),
    ("getnewaddress", &[(0, "label", S), (1, "address_type", S)]),
    ("getnodeaddresses", &[(0, "count", J)]),
    ("getorphantxs", &[(0, "verbosity", J)]),
    ("getrawmempool", &[(0, "verbose", J), (1, "mempool_sequence", J)]),
    ("getrawtransaction", &[(1, "verbosity", J), (1, "verbose", J)]),
    ("getreceivedbyaddress", &[(1, "minconf", J), (2, "include_immature_coinbase", J)]),
    ("getreceivedbylabel", &[(0, "label", S), (1, "minconf", J), (2, "include_immature_coinbase", J)]),
    ("gettransaction", &[(1, "include_watchonly", J), (2, "verbose", J)]),
    ("gettxout", &[(1, "n", J), (2, "include_mempool", J)]),
    ("gettxoutproof", &[(0, "txids", J)]),
    ("gettxoutsetinfo", &[(1, "hash_or_height", E), (2, "use_index", J)]),
    (
        "gettxspendingprevout",
        &[(0, "outputs", J), (1, "options", J), (1, "mempool_only", J), (1, "return_spending_tx", J)],
    ),
    ("importdescriptors", &[(0, "requests", J)]),
    (
        "importmempool",
        &[
            (0, "filepath", S),
            (1, "options", J),
            (1, "apply_fee_delta_priority", J),
            (1, "use_current_time", J),
            (1, "apply_unbroadcast_set", J),
        ],
    ),
    ("joinpsbts", &[(0, "txs", J)]),
    ("keypoolrefill", &[(0, "newsize", J)]),
    ("listdescriptors", &[(0, "private", J)]),
    (
        "listreceivedbyaddress",
        &[
            (0, "minconf", J),
            (1, "include_empty", J),
            (2, "include_watchonly", J),
            (4, "include_immature_coinbase", J),
        ],
    ),
    (
        "listreceivedbylabel",
        &[
            (0, "minconf", J),
            (1, "include_empty", J),
            (2, "include_watchonly", J),
            (3, "include_immature_coinbase", J),
        ],
    ),
    (
        "listsinceblock",
        &[
            (0, "blockhash", S),
            (1, "target_confirmations", J),
            (2, "include_watchonly", J),
            (3, "include_removed", J),
            (4, "include_change", J),
            (5, "label", S),
        ],
    ),
    ("listtransactions", &[(0, "label", S), (1, "count", J), (2, "skip", J), (3, "include_watchonly", J)]),
    (
        "listunspent",
        &[
            (0, "minconf", J),
            (1, "maxconf", J),
            (2, "addresses", J),
            (3, "include_unsafe", J),
            (4, "query_options", J),
            (4, "minimumAmount", J),
            (4, "maximumAmount", J),
            (4, "maximumCount", J),
            (4, "minimumSumAmount", J),
            (4, "include_immature_coinbase", J),
        ],
    ),
    ("loadtxoutset", &[(0, "path", S)]),
    ("loadwallet", &[(0, "filename", S), (1, "load_on_startup", J)]),
    ("lockunspent", &[(0, "unlock", J), (1, "transactions", J), (2, "persistent", J)]),
    ("logging", &[(0, "include", J), (1, "exclude", J)]),
    ("migratewallet", &[(0, "wallet_name", S), (1, "passphrase", S)]),
    ("mockscheduler", &[(0, "delta_time", J)]),
    ("prioritisetransaction", &[(1, "dummy", J), (2, "fee_delta", J)]),
    ("pruneblockchain", &[(0, "height", J)]),
    (
        "psbtbumpfee",
        &[
            (1, "options", J),
            (1, "conf_target", J),
            (1, "fee_rate", J),
            (1, "replaceable", J),
            (1, "outputs", J),
            (1, "original_change_index", J),
        ],
    ),
    ("rescanblockchain", &[(0, "start_height", J), (1, "stop_height", J)]),
    ("restorewallet", &[(0, "wallet_name", S), (1, "backup_file", S), (2, "load_on_startup", J)]),
    (
        "scanblocks",
        &[
            (1, "scanobjects", J),
            (2, "start_height", J),
            (3, "stop_height", J),
            (5, "options", J),
            (5, "filter_false_positives", J),
        ],
    ),
    ("scantxoutset", &[(1, "scanobjects", J)]),
    (
        "send",
        &[
            (0, "outputs", J),
            (1, "conf_target", J),
            (3, "fee_rate", J),
            (4, "options", J),
            (4, "add_inputs", J),
            (4, "include_unsafe", J),
            (4, "minconf", J),
            (4, "maxconf", J),
            (4, "add_to_wallet", J),
            (4, "change_position", J),
            (4, "fee_rate", J),
            (4, "include_watching", J),
            (4, "inputs", J),
            (4, "locktime", J),
            (4, "lock_unspents", J),
            (4, "psbt", J),
            (4, "subtract_fee_from_outputs", J),
            (4, "conf_target", J),
            (4, "replaceable", J),
            (4, "solving_data", J),
            (4, "max_tx_weight", J),
            (5, "version", J),
        ],
    ),
    (
        "sendall",
        &[
            (0, "recipients", J),
            (1, "conf_target", J),
            (3, "fee_rate", J),
            (4, "options", J),
            (4, "add_to_wallet", J),
            (4, "fee_rate", J),
            (4, "include_watching", J),
            (4, "inputs", J),
            (4, "locktime", J),
            (4, "lock_unspents", J),
            (4, "psbt", J),
            (4, "send_max", J),
            (4, "minconf", J),
            (4, "maxconf", J),
            (4, "conf_target", J),
            (4, "replaceable", J),
            (4, "solving_data", J),
            (4, "version", J),
        ],
    ),
    (
        "sendmany",
        &[
            (0, "dummy", S),
            (1, "amounts", J),
            (2, "minconf", J),
            (3, "comment", S),
            (4, "subtractfeefrom", J),
            (5, "replaceable", J),
            (6, "conf_target", J),
            (7, "estimate_mode", S),
            (8, "fee_rate", J),
            (9, "verbose", J),
        ],
    ),
    ("sendmsgtopeer", &[(0, "peer_id", J)]),
    ("sendrawtransaction", &[(1, "maxfeerate", J), (2, "maxburnamount", J)]),
    (
        "sendtoaddress",
        &[
            (0, "address", S),
            (1, "amount", J),
            (2, "comment", S),
            (3, "comment_to", S),
            (4, "subtractfeefromamount", J),
            (5, "replaceable", J),
            (6, "conf_target", J),
            (7, "estimate_mode", S),
            (8, "avoid_reuse", J),
            (9, "fee_rate", J),
            (10, "verbose", J),
        ],
    ),
    ("setban", &[(2, "bantime", J), (3, "absolute", J)]),
    ("setlabel", &[(1, "label", S)]),
    ("setmocktime", &[(0, "timestamp", J)]),
    ("setnetworkactive", &[(0, "state", J)]),
    ("setwalletflag", &[(1, "value", J)]),
    ("signmessage", &[(1, "message", S)]),
    ("signmessagewithprivkey", &[(1, "message", S)]),
    ("signrawtransactionwithkey", &[(1, "privkeys", J), (2, "prevtxs", J)]),
    ("signrawtransactionwithwallet", &[(1, "prevtxs", J)]),
    ("simulaterawtransaction", &[(0, "rawtxs", J), (1, "options", J), (1, "include_watchonly", J)]),
    ("stop", &[(0, "wait", J)]),
    ("submitpackage", &[(0, "package", J), (1, "maxfeerate", J), (2, "maxburnamount", J)]),
    ("testmempoolaccept", &[(0, "rawtxs", J), (1, "maxfeerate", J)]),
    ("unloadwallet", &[(0, "wallet_name", S), (1, "load_on_startup", J)]),
    ("utxoupdatepsbt", &[(0, "psbt", S), (1, "descriptors", J)]),
    ("verifychain", &[(0, "checklevel", J), (1, "nblocks", J)]),
    ("verifymessage", &[(1, "signature", S), (2, "message", S)]),
    ("waitforblock", &[(1, "timeout", J)]),
    ("waitforblockheight", &[(0, "height", J), (1, "timeout", J)]),
    ("waitfornewblock", &[(0, "timeout", J)]),
    (
        "walletcreatefundedpsbt",
        &[
            (0, "inputs", J),
            (1, "outputs", J),
            (2, "locktime", J),
            (3, "options", J),
            (3, "add_inputs", J),
            (3, "include_unsafe", J),
            (3, "minconf", J),
            (3, "maxconf", J),
            (3, "changePosition", J),
            (3, "includeWatching", J),
            (3, "lockUnspents", J),
            (3, "fee_rate", J),
            (3, "feeRate", J),
            (3, "subtractFeeFromOutputs", J),
            (3, "conf_target", J),
            (3, "replaceable", J),
            (3, "solving_data", J),
            (3, "max_tx_weight", J),
            (4, "bip32derivs", J),
            (5, "version", J),
        ],
    ),
    ("walletpassphrase", &[(0, "passphrase", S), (1, "timeout", J)]),
    ("walletpassphrasechange", &[(0, "oldpassphrase", S), (1, "newpassphrase", S)]),
    (
        "walletprocesspsbt",
        &[(0, "psbt", S), (1, "sign", J), (2, "sighashtype", S), (3, "bip32derivs", J), (4, "finalize", J)],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_without_repetitions() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
        let rows: usize = TABLE.iter().map(|(_, rows)| rows.len()).sum();
        assert_eq!(rows, 331);
        for (method, rows) in TABLE {
            assert!(rows.is_sorted_by_key(|row| row.0), "{method}");
            for (index, row) in rows.iter().enumerate() {
                let again = rows[..index].iter().any(|other| (other.0, other.1) == (row.0, row.1));
                assert!(!again, "{method} {}", row.1);
            }
        }
    }

    #[test]
    fn rows_are_found() {
        assert_eq!(by_position("getblockhash", 0), Some(Format::Json));
        assert_eq!(by_position("getblockhash", 1), None);
        assert_eq!(by_position("nope", 0), None);
        assert_eq!(by_name("getblockstats", "hash_or_height"), Some(Format::JsonOrText));
        assert_eq!(by_name("createwallet", "wallet_name"), Some(Format::Text));
        assert_eq!(by_name("createwallet", "nope"), None);
    }
}
