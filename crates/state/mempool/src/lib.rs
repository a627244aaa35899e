//! Mempool, acceptance, orphanage, persistence, fee estimation.
