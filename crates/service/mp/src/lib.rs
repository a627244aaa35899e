//! Multiprocess runtime over Cap'n Proto, wire compatible with libmultiprocess.
