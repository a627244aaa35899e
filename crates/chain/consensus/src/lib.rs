//! Every block, header and transaction rule as pure functions over views.
