//! The list of transactions, filtered and sorted by the wallet, in pages.

use grs_hashes::Txid;

/// Most rows of a page.
pub const PAGE_LIMIT: u32 = 200;

/// What a row of the list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum TxKind {
    /// A payment to one of our addresses.
    #[default]
    Received,
    /// A payment to another's address.
    Sent,
    /// A payment to ourselves.
    ToSelf,
    /// A block reward.
    Mined,
    /// Neither of these: inputs of several owners.
    Other,
}

impl TxKind {
    /// All kinds.
    pub const ALL: [TxKind; 5] =
        [TxKind::Received, TxKind::Sent, TxKind::ToSelf, TxKind::Mined, TxKind::Other];

    /// A bit of [`TxFilter::kinds`].
    pub fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TxStatus {
    /// Not in a block; in the mempool.
    #[default]
    Unconfirmed,
    /// Not in a block and not in our mempool.
    Inactive,
    /// In a block, with fewer than the recommended confirmations.
    Confirming {
        /// Blocks since, its own included.
        depth: u32,
    },
    /// In a block, with enough confirmations.
    Confirmed {
        /// Blocks since, its own included.
        depth: u32,
    },
    /// A block reward that cannot be spent yet.
    Immature {
        /// Blocks since, its own included.
        depth: u32,
        /// Blocks until it can be spent.
        blocks_left: u32,
    },
    /// Excluded by another transaction.
    Conflicted,
    /// Given up by the user.
    Abandoned,
}

/// One row of the list: an output that matters, or a whole transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TxRow {
    /// The transaction.
    pub txid: Txid,
    /// Tells rows of one transaction apart, and stays the same.
    pub index: u32,
    /// Unix seconds.
    pub time: i64,
    /// What it is about.
    pub kind: TxKind,
    /// Where it stands.
    pub status: TxStatus,
    /// Label of the address; empty if none.
    pub label: String,
    /// The address; empty if there is none.
    pub address: String,
    /// Signed, in gro; the fee is in the first row that sends.
    pub amount: i64,
}

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TxFilter {
    /// Part of address, label or transaction id, in any case; empty: all.
    pub text: String,
    /// From this time on, Unix seconds.
    pub from: Option<i64>,
    /// Before this time, Unix seconds.
    pub until: Option<i64>,
    /// Sum of [`TxKind::bit`]; 0: all.
    pub kinds: u32,
    /// Least amount without sign, in gro.
    pub min_amount: i64,
}

/// By what to sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TxSortColumn {
    /// Confirmations, then time.
    Status,
    /// Time.
    #[default]
    Date,
    /// Kind.
    Kind,
    /// Label, or address without one.
    Label,
    /// Amount.
    Amount,
}

/// Order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TxSort {
    /// By what.
    pub column: TxSortColumn,
    /// The largest first.
    pub descending: bool,
}

impl Default for TxSort {
    fn default() -> Self {
        TxSort { column: TxSortColumn::Date, descending: true }
    }
}

/// What to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TxQuery {
    /// Which rows.
    pub filter: TxFilter,
    /// In which order.
    pub sort: TxSort,
    /// First row of the page.
    pub offset: u32,
    /// Rows of the page; at most [`PAGE_LIMIT`].
    pub limit: u32,
}

/// Some of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TxPage {
    /// Number of the first row.
    pub offset: u32,
    /// The rows.
    pub rows: Vec<TxRow>,
    /// How many rows pass the filter.
    pub matching: u32,
    /// How many rows there are.
    pub total: u32,
    /// Sum of the amounts of the rows that pass the filter, in gro.
    pub sum: i64,
    /// [`super::WalletSnapshot::transactions_version`] that the page shows.
    pub version: u64,
}

/// All about one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TxDetails {
    /// The transaction.
    pub txid: Txid,
    /// Where it stands.
    pub status: TxStatus,
    /// When it came, Unix seconds.
    pub time: i64,
    /// Its rows.
    pub rows: Vec<TxRow>,
    /// What it took from the wallet, in gro.
    pub debit: i64,
    /// What it gave to the wallet, in gro.
    pub credit: i64,
    /// Fee in gro, if we paid it.
    pub fee: Option<i64>,
    /// Serialized size in bytes.
    pub size: u32,
    /// Virtual size in bytes.
    pub vsize: u32,
    /// Height of its block.
    pub block_height: Option<u32>,
    /// Hash of its block as text; empty if it is in none.
    pub block_hash: String,
    /// The user's note.
    pub comment: String,
    /// The transaction that this one replaces, or that replaced it.
    pub replaces: Option<Txid>,
    /// The transaction that replaced this one.
    pub replaced_by: Option<Txid>,
    /// The transaction in hex.
    pub hex: String,
}
