//! Cluster graph and linearization; knows no transaction.
