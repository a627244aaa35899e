//! blk and rev files with xor key, block index arena and its database.
