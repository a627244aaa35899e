//! Random bytes for the encrypted transport, and whether it is used.

use grs_keys::SecretKey;
use grs_wire::{MAX_GARBAGE_LEN, V2Transport};

/// Whether a connection is encrypted.
pub(crate) enum Encryption {
    /// It is not: the other side does not want it, or we do not.
    Off,
    /// It is, or keys are being exchanged, or the other side has not said yet what it wants.
    On(Box<V2Transport>),
}

/// The transport of a new connection; `None` if the system gives no random bytes.
pub(crate) fn new_transport(magic: [u8; 4], initiating: bool) -> Option<Box<V2Transport>> {
    let (mut failed, mut tries) = (false, 0);
    let key = SecretKey::generate(true, |bytes| {
        failed |= getrandom::fill(bytes).is_err();
        tries += 1;
        if failed && tries > 1 {
            // Ends the search; the key is thrown away.
            *bytes = [1; 32];
        }
    });
    let (mut entropy, mut len, mut garbage) = ([0; 32], [0; 4], vec![0; MAX_GARBAGE_LEN]);
    for buffer in [&mut entropy[..], &mut len, &mut garbage] {
        failed |= getrandom::fill(buffer).is_err();
    }
    garbage.truncate(u32::from_le_bytes(len) as usize % (MAX_GARBAGE_LEN + 1));
    (!failed).then(|| Box::new(V2Transport::new(magic, initiating, key, &entropy, garbage)))
}
