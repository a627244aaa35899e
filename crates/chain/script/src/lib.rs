//! Opcodes, interpreter, signature hashes, signature cache, script classes, sigop counting.
