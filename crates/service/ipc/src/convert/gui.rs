//! What windows see of nodes and wallets.

use std::borrow::Cow;

use capnp::{enum_list, primitive_list};
use grs_interfaces::*;
use grs_ipc_schema::{gui_wallet_capnp as wire, node_capnp as node};
use grs_mp::exception;
use grs_primitives::TxRef;

use super::fields::{self, structs};
use super::{FromWire, ToData, ToScalar, ToWire, count, optional, put_structs, read};

structs! {
    NodeSubscription = node::node_subscription {
        number interval_ms: get_interval_ms set_interval_ms;
        number peers: get_peers set_peers;
    }
    NodeInfo = node::node_info {
        text client_name: get_client_name set_client_name;
        text version: get_version set_version;
        text user_agent: get_user_agent set_user_agent;
        text network: get_network set_network;
        text data_dir: get_data_dir set_data_dir;
        text blocks_dir: get_blocks_dir set_blocks_dir;
        text debug_log: get_debug_log set_debug_log;
        number start_time: get_start_time set_start_time;
        number process_id: get_process_id set_process_id;
        number block_spacing: get_block_spacing set_block_spacing;
        number wallet_enabled: get_wallet_enabled set_wallet_enabled;
        number pruned: get_pruned set_pruned;
    }
    ProgressMessage = node::progress_message {
        text title: get_title set_title;
        flagged percent: get_percent set_percent get_has_percent set_has_percent;
    }
    SyncSnapshot = node::sync_snapshot {
        number blocks: get_blocks set_blocks;
        number headers: get_headers set_headers;
        data best_block: get_best_block set_best_block;
        number tip_time: get_tip_time set_tip_time;
        number header_time: get_header_time set_header_time;
        number progress: get_progress set_progress;
        number initial_download: get_initial_download set_initial_download;
        flagged presync_headers: get_presync_headers set_presync_headers get_has_presync_headers set_has_presync_headers;
        number loading_blocks: get_loading_blocks set_loading_blocks;
    }
    PeerSnapshot = node::peer_snapshot {
        number id: get_id set_id;
        text address: get_address set_address;
        text local_address: get_local_address set_local_address;
        scalar direction: get_direction set_direction;
        text connection_type: get_connection_type set_connection_type;
        text network: get_network set_network;
        list permissions: get_permissions init_permissions;
        text transport: get_transport set_transport;
        text session_id: get_session_id set_session_id;
        number version: get_version set_version;
        text user_agent: get_user_agent set_user_agent;
        list services: get_services init_services;
        number relay_transactions: get_relay_transactions set_relay_transactions;
        number high_bandwidth_to: get_high_bandwidth_to set_high_bandwidth_to;
        number high_bandwidth_from: get_high_bandwidth_from set_high_bandwidth_from;
        number synced_headers: get_synced_headers set_synced_headers;
        number synced_blocks: get_synced_blocks set_synced_blocks;
        number connected: get_connected set_connected;
        number last_block: get_last_block set_last_block;
        number last_transaction: get_last_transaction set_last_transaction;
        number last_send: get_last_send set_last_send;
        number last_receive: get_last_receive set_last_receive;
        number bytes_sent: get_bytes_sent set_bytes_sent;
        number bytes_received: get_bytes_received set_bytes_received;
        flagged ping_us: get_ping_us set_ping_us get_has_ping_us set_has_ping_us;
        flagged min_ping_us: get_min_ping_us set_min_ping_us get_has_min_ping_us set_has_min_ping_us;
        flagged ping_wait_us: get_ping_wait_us set_ping_wait_us get_has_ping_wait_us set_has_ping_wait_us;
        number time_offset: get_time_offset set_time_offset;
        number mapped_as: get_mapped_as set_mapped_as;
        number address_relay: get_address_relay set_address_relay;
        number addresses_processed: get_addresses_processed set_addresses_processed;
        number addresses_rate_limited: get_addresses_rate_limited set_addresses_rate_limited;
    }
    NodeSnapshot = node::node_snapshot {
        number time_ms: get_time_ms set_time_ms;
        scalar phase: get_phase set_phase;
        text init_message: get_init_message set_init_message;
        maybe progress: get_progress init_progress has_progress;
        inner sync: get_sync init_sync;
        number network_active: get_network_active set_network_active;
        number connections.inbound: get_inbound set_inbound;
        number connections.outbound: get_outbound set_outbound;
        number traffic.received: get_received set_received;
        number traffic.sent: get_sent set_sent;
        number mempool.transactions: get_mempool_transactions set_mempool_transactions;
        number mempool.usage: get_mempool_usage set_mempool_usage;
        number mempool.max_usage: get_mempool_max_usage set_mempool_max_usage;
        list warnings: get_warnings init_warnings;
        list local_addresses: get_local_addresses init_local_addresses;
        inner wallet_process: get_wallet_process init_wallet_process;
        flagged_structs peers: get_peers init_peers get_has_peers set_has_peers;
        number bans_version: get_bans_version set_bans_version;
    }
    WalletEntry = wire::wallet_entry {
        text name: get_name set_name;
        text format: get_format set_format;
        number loaded: get_loaded set_loaded;
    }
    BanEntry = node::ban_entry {
        text subnet: get_subnet set_subnet;
        number created: get_created set_created;
        number until: get_until set_until;
    }
    NewWallet = wire::new_wallet {
        text name: get_name set_name;
        data passphrase: get_passphrase set_passphrase;
        number disable_private_keys: get_disable_private_keys set_disable_private_keys;
        number blank: get_blank set_blank;
    }
    WalletInfo = wire::wallet_info {
        text name: get_name set_name;
        number private_keys: get_private_keys set_private_keys;
        list address_kinds: get_address_kinds init_address_kinds;
        scalar default_address_kind: get_default_address_kind set_default_address_kind;
        text file: get_file set_file;
    }
    WalletSnapshot = wire::wallet_snapshot {
        number balances.available: get_available set_available;
        number balances.pending: get_pending set_pending;
        number balances.immature: get_immature set_immature;
        number encrypted: get_encrypted set_encrypted;
        number locked: get_locked set_locked;
        number transactions: get_transactions set_transactions;
        number transactions_version: get_transactions_version set_transactions_version;
        number requests_version: get_requests_version set_requests_version;
        structs recent: get_recent init_recent;
        number last_block_height: get_last_block_height set_last_block_height;
        flagged rescan_percent: get_rescan_percent set_rescan_percent get_has_rescan_percent set_has_rescan_percent;
    }
    TxRow = wire::tx_row {
        data txid: get_txid set_txid;
        number index: get_index set_index;
        number time: get_time set_time;
        scalar kind: get_kind set_kind;
        inner status: get_status init_status;
        text label: get_label set_label;
        text address: get_address set_address;
        number amount: get_amount set_amount;
    }
    TxFilter = wire::tx_filter {
        text text: get_text set_text;
        flagged from: get_from set_from get_has_from set_has_from;
        flagged until: get_until set_until get_has_until set_has_until;
        number kinds: get_kinds set_kinds;
        number min_amount: get_min_amount set_min_amount;
    }
    TxQuery = wire::tx_query {
        inner filter: get_filter init_filter;
        scalar sort.column: get_column set_column;
        number sort.descending: get_descending set_descending;
        number offset: get_offset set_offset;
        number limit: get_limit set_limit;
    }
    TxPage = wire::tx_page {
        number offset: get_offset set_offset;
        structs rows: get_rows init_rows;
        number matching: get_matching set_matching;
        number total: get_total set_total;
        number sum: get_sum set_sum;
        number version: get_version set_version;
    }
    TxDetails = wire::tx_details {
        data txid: get_txid set_txid;
        inner status: get_status init_status;
        number time: get_time set_time;
        structs rows: get_rows init_rows;
        number debit: get_debit set_debit;
        number credit: get_credit set_credit;
        flagged fee: get_fee set_fee get_has_fee set_has_fee;
        number size: get_size set_size;
        number vsize: get_vsize set_vsize;
        flagged block_height: get_block_height set_block_height get_has_block_height set_has_block_height;
        text block_hash: get_block_hash set_block_hash;
        text comment: get_comment set_comment;
        maybe_data replaces: get_replaces set_replaces has_replaces;
        maybe_data replaced_by: get_replaced_by set_replaced_by has_replaced_by;
        text hex: get_hex set_hex;
    }
    NewReceiveRequest = wire::new_receive_request {
        scalar address_kind: get_address_kind set_address_kind;
        text label: get_label set_label;
        number amount: get_amount set_amount;
        text message: get_message set_message;
    }
    ReceiveRequest = wire::receive_request {
        number id: get_id set_id;
        number time: get_time set_time;
        text address: get_address set_address;
        text label: get_label set_label;
        number amount: get_amount set_amount;
        text message: get_message set_message;
    }
    SendRecipient = wire::send_recipient {
        text address: get_address set_address;
        text label: get_label set_label;
        number amount: get_amount set_amount;
        number subtract_fee: get_subtract_fee set_subtract_fee;
    }
    FeeLevel = wire::fee_level {
        number target: get_target set_target;
        number rate: get_rate set_rate;
        scalar source: get_source set_source;
        number returned_target: get_returned_target set_returned_target;
    }
    FeeLevels = wire::fee_levels {
        structs levels: get_levels init_levels;
        number required: get_required set_required;
        number default_target: get_default_target set_default_target;
        number max_fee: get_max_fee set_max_fee;
    }
    Sent = wire::sent {
        data txid: get_txid set_txid;
        number repeated: get_repeated set_repeated;
        text not_broadcast: get_not_broadcast set_not_broadcast;
    }
}

impl ToWire<node::rpc_result::Builder<'_>> for RpcReply {
    fn to_wire(&self, mut out: node::rpc_result::Builder<'_>) {
        match self {
            Ok(result) => out.set_result(result),
            Err(error) => {
                let mut group = out.init_error();
                group.set_code(error.code);
                group.set_message(&error.message);
            }
        }
    }
}

impl FromWire<node::rpc_result::Reader<'_>> for RpcReply {
    fn from_wire(from: node::rpc_result::Reader<'_>) -> capnp::Result<Self> {
        use node::rpc_result::Which;
        Ok(match from.which()? {
            Which::Result(result) => Ok(read(result)?),
            Which::Error(error) => {
                Err(RpcError { code: error.get_code(), message: read(error.get_message())? })
            }
        })
    }
}

impl ToWire<node::wallet_process_state::Builder<'_>> for WalletProcessState {
    fn to_wire(&self, mut out: node::wallet_process_state::Builder<'_>) {
        match self {
            WalletProcessState::None => out.set_none(()),
            WalletProcessState::Starting => out.set_starting(()),
            WalletProcessState::Running { generation } => out.set_running(*generation),
            WalletProcessState::Lost { cause } => out.set_lost(cause),
        }
    }
}

impl FromWire<node::wallet_process_state::Reader<'_>> for WalletProcessState {
    fn from_wire(from: node::wallet_process_state::Reader<'_>) -> capnp::Result<Self> {
        use node::wallet_process_state::Which;
        Ok(match from.which()? {
            Which::None(()) => WalletProcessState::None,
            Which::Starting(()) => WalletProcessState::Starting,
            Which::Running(generation) => WalletProcessState::Running { generation },
            Which::Lost(cause) => WalletProcessState::Lost { cause: read(cause)? },
        })
    }
}

impl ToWire<wire::tx_status::Builder<'_>> for TxStatus {
    fn to_wire(&self, mut out: wire::tx_status::Builder<'_>) {
        use wire::tx_status::Kind;
        let (kind, depth, blocks_left) = match *self {
            TxStatus::Unconfirmed => (Kind::Unconfirmed, 0, 0),
            TxStatus::Inactive => (Kind::Inactive, 0, 0),
            TxStatus::Confirming { depth } => (Kind::Confirming, depth, 0),
            TxStatus::Confirmed { depth } => (Kind::Confirmed, depth, 0),
            TxStatus::Immature { depth, blocks_left } => (Kind::Immature, depth, blocks_left),
            TxStatus::Conflicted => (Kind::Conflicted, 0, 0),
            TxStatus::Abandoned => (Kind::Abandoned, 0, 0),
        };
        out.set_kind(kind);
        out.set_depth(depth);
        out.set_blocks_left(blocks_left);
    }
}

impl FromWire<wire::tx_status::Reader<'_>> for TxStatus {
    fn from_wire(from: wire::tx_status::Reader<'_>) -> capnp::Result<Self> {
        use wire::tx_status::Kind;
        let depth = from.get_depth();
        Ok(match from.get_kind()? {
            Kind::Unconfirmed => TxStatus::Unconfirmed,
            Kind::Inactive => TxStatus::Inactive,
            Kind::Confirming => TxStatus::Confirming { depth },
            Kind::Confirmed => TxStatus::Confirmed { depth },
            Kind::Immature => TxStatus::Immature { depth, blocks_left: from.get_blocks_left() },
            Kind::Conflicted => TxStatus::Conflicted,
            Kind::Abandoned => TxStatus::Abandoned,
        })
    }
}

impl ToData for SendToken {
    fn to_data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl FromWire<&[u8]> for SendToken {
    fn from_wire(from: &[u8]) -> capnp::Result<Self> {
        from.try_into().map(SendToken).map_err(|_| exception("an order's token must have 16 bytes"))
    }
}

impl ToWire<wire::send_request::Builder<'_>> for SendRequest {
    fn to_wire(&self, mut out: wire::send_request::Builder<'_>) {
        put_structs(out.reborrow().init_recipients(count(self.recipients.len())), &self.recipients);
        out.set_replaceable(self.replaceable);
        match self.fee {
            FeeChoice::Target(target) => out.init_fee().set_target(target),
            FeeChoice::Rate(rate) => out.init_fee().set_rate(rate),
        }
    }
}

impl FromWire<wire::send_request::Reader<'_>> for SendRequest {
    fn from_wire(from: wire::send_request::Reader<'_>) -> capnp::Result<Self> {
        use wire::send_request::fee::Which;
        Ok(SendRequest {
            recipients: read(from.get_recipients())?,
            fee: match from.get_fee().which()? {
                Which::Target(target) => FeeChoice::Target(target),
                Which::Rate(rate) => FeeChoice::Rate(rate),
            },
            replaceable: from.get_replaceable(),
        })
    }
}

impl ToWire<wire::send_preview::Builder<'_>> for SendPreview {
    fn to_wire(&self, mut out: wire::send_preview::Builder<'_>) {
        out.set_tx(&self.tx.to_data());
        self.amounts[..].to_wire(out.reborrow().init_amounts(count(self.amounts.len())));
        out.set_fee(self.fee);
        out.set_fee_rate(self.fee_rate);
        out.set_source(self.source.to_scalar());
        if let Some(target) = self.target {
            out.set_target(target);
            out.set_has_target(true);
        }
        out.set_vsize(self.vsize);
        out.set_inputs(self.inputs);
        out.set_change(self.change);
        out.set_total(self.total);
    }
}

impl FromWire<wire::send_preview::Reader<'_>> for SendPreview {
    fn from_wire(from: wire::send_preview::Reader<'_>) -> capnp::Result<Self> {
        Ok(SendPreview {
            tx: read::<_, TxRef>(from.get_tx())?,
            amounts: read(from.get_amounts())?,
            fee: from.get_fee(),
            fee_rate: from.get_fee_rate(),
            source: FromWire::from_wire(from.get_source())?,
            target: from.get_has_target().then(|| from.get_target()),
            vsize: from.get_vsize(),
            inputs: from.get_inputs(),
            change: from.get_change(),
            total: from.get_total(),
        })
    }
}

impl ToWire<wire::send_order::Builder<'_>> for SendOrder {
    fn to_wire(&self, mut out: wire::send_order::Builder<'_>) {
        out.set_token(&self.token.to_data());
        out.set_tx(&self.tx.to_data());
        put_structs(out.reborrow().init_recipients(count(self.recipients.len())), &self.recipients);
        out.set_passphrase(&self.passphrase.to_data());
    }
}

impl FromWire<wire::send_order::Reader<'_>> for SendOrder {
    fn from_wire(from: wire::send_order::Reader<'_>) -> capnp::Result<Self> {
        Ok(SendOrder {
            token: read(from.get_token())?,
            tx: read(from.get_tx())?,
            recipients: read(from.get_recipients())?,
            passphrase: read(from.get_passphrase())?,
        })
    }
}

impl ToWire<wire::send_status::Builder<'_>> for SendStatus {
    fn to_wire(&self, out: wire::send_status::Builder<'_>) {
        if let SendStatus::Sent(sent) = self {
            sent.to_wire(out.init_sent());
        }
    }
}

impl FromWire<wire::send_status::Reader<'_>> for SendStatus {
    fn from_wire(from: wire::send_status::Reader<'_>) -> capnp::Result<Self> {
        let sent = optional(from.has_sent(), from.get_sent())?;
        Ok(sent.map_or(SendStatus::NotSent, SendStatus::Sent))
    }
}

impl ToWire<wire::send_problem::Builder<'_>> for SendProblem {
    fn to_wire(&self, mut out: wire::send_problem::Builder<'_>) {
        use wire::send_problem::Kind;
        out.set_kind(match self {
            SendProblem::Other(_) => Kind::Other,
            SendProblem::Address { .. } => Kind::Address,
            SendProblem::Amount { .. } => Kind::Amount,
            SendProblem::InsufficientFunds { .. } => Kind::InsufficientFunds,
            SendProblem::Fee(_) => Kind::Fee,
            SendProblem::Locked => Kind::Locked,
            SendProblem::WrongPassphrase => Kind::WrongPassphrase,
            SendProblem::NoPrivateKeys => Kind::NoPrivateKeys,
            SendProblem::Changed(_) => Kind::Changed,
        });
        match self {
            SendProblem::Address { recipient, text } | SendProblem::Amount { recipient, text } => {
                out.set_recipient(*recipient);
                out.set_text(text);
            }
            SendProblem::InsufficientFunds { available, needed } => {
                out.set_available(*available);
                out.set_needed(*needed);
            }
            SendProblem::Fee(text) | SendProblem::Changed(text) | SendProblem::Other(text) => {
                out.set_text(text)
            }
            SendProblem::Locked | SendProblem::WrongPassphrase | SendProblem::NoPrivateKeys => {}
        }
    }
}

impl FromWire<wire::send_problem::Reader<'_>> for SendProblem {
    fn from_wire(from: wire::send_problem::Reader<'_>) -> capnp::Result<Self> {
        use wire::send_problem::Kind;
        let (recipient, text) = (from.get_recipient(), read(from.get_text())?);
        Ok(match from.get_kind()? {
            Kind::Other => SendProblem::Other(text),
            Kind::Address => SendProblem::Address { recipient, text },
            Kind::Amount => SendProblem::Amount { recipient, text },
            Kind::InsufficientFunds => {
                SendProblem::InsufficientFunds { available: from.get_available(), needed: from.get_needed() }
            }
            Kind::Fee => SendProblem::Fee(text),
            Kind::Locked => SendProblem::Locked,
            Kind::WrongPassphrase => SendProblem::WrongPassphrase,
            Kind::NoPrivateKeys => SendProblem::NoPrivateKeys,
            Kind::Changed => SendProblem::Changed(text),
        })
    }
}

/// A result and its error, each with a struct of its own.
macro_rules! results {
    ($($ok:ty, $error:ty = $module:ident { $good:ident $init_good:ident $bad:ident $init_bad:ident })*) => {$(
        impl ToWire<wire::$module::Builder<'_>> for Result<$ok, $error> {
            fn to_wire(&self, out: wire::$module::Builder<'_>) {
                match self {
                    Ok(value) => value.to_wire(out.$init_good()),
                    Err(error) => error.to_wire(out.$init_bad()),
                }
            }
        }
        impl FromWire<wire::$module::Reader<'_>> for Result<$ok, $error> {
            fn from_wire(from: wire::$module::Reader<'_>) -> capnp::Result<Self> {
                use wire::$module::Which;
                Ok(match from.which()? {
                    Which::$good(value) => Ok(read(value)?),
                    Which::$bad(error) => Err(read(error)?),
                })
            }
        }
    )*};
}

results! {
    SendPreview, SendProblem = preview_result { Preview init_preview Problem init_problem }
    Sent, SendProblem = send_result { Sent init_sent Problem init_problem }
}

impl ToWire<wire::request_result::Builder<'_>> for Result<ReceiveRequest, String> {
    fn to_wire(&self, mut out: wire::request_result::Builder<'_>) {
        match self {
            Ok(request) => request.to_wire(out.init_request()),
            Err(error) => out.set_error(error),
        }
    }
}

impl FromWire<wire::request_result::Reader<'_>> for Result<ReceiveRequest, String> {
    fn from_wire(from: wire::request_result::Reader<'_>) -> capnp::Result<Self> {
        use wire::request_result::Which;
        Ok(match from.which()? {
            Which::Request(request) => Ok(read(request)?),
            Which::Error(error) => Err(read(error)?),
        })
    }
}

impl ToWire<primitive_list::Builder<'_, u32>> for [u32] {
    fn to_wire(&self, mut out: primitive_list::Builder<'_, u32>) {
        for (n, item) in (0..).zip(self) {
            out.set(n, *item);
        }
    }
}

impl FromWire<primitive_list::Reader<'_, u32>> for Vec<u32> {
    fn from_wire(from: primitive_list::Reader<'_, u32>) -> capnp::Result<Self> {
        Ok(from.iter().collect())
    }
}

impl ToWire<enum_list::Builder<'_, wire::AddressKind>> for [AddressKind] {
    fn to_wire(&self, mut out: enum_list::Builder<'_, wire::AddressKind>) {
        for (n, item) in (0..).zip(self) {
            out.set(n, item.to_scalar());
        }
    }
}

impl FromWire<enum_list::Reader<'_, wire::AddressKind>> for Vec<AddressKind> {
    fn from_wire(from: enum_list::Reader<'_, wire::AddressKind>) -> capnp::Result<Self> {
        from.iter().map(AddressKind::from_wire).collect()
    }
}
