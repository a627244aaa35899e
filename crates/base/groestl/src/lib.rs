//! Groestl-512: portable, AES-NI, VAES and GFNI back ends, one-shot, streaming and batches of headers.
