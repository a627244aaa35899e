//! All message handling as an I/O-free machine.
