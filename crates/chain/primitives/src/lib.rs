//! Amounts, outpoints, transactions, headers, blocks: types that carry their ids.
