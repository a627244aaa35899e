//! Keys and ciphers of a session. Reference: `BIP324Cipher`, `FSChaCha20`, `FSChaCha20Poly1305`.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20poly1305::{AeadInPlace, ChaCha20Poly1305, KeyInit};
use grs_hashes::purpose::hmac_sha256;
use grs_keys::{EllSwift, SecretKey};
use zeroize::Zeroizing;

/// Packets after which keys change.
const REKEY_INTERVAL: u32 = 224;
/// Bytes of a packet's length.
pub(super) const LENGTH_LEN: usize = 3;
/// Bytes before the contents, in the ciphertext.
const HEADER_LEN: usize = 1;
const TAG_LEN: usize = 16;
/// What a packet is longer than its contents.
pub(super) const EXPANSION: usize = LENGTH_LEN + HEADER_LEN + TAG_LEN;
/// Bytes of the mark at the end of the garbage.
pub(super) const GARBAGE_TERMINATOR_LEN: usize = 16;
/// Flag in the header: the packet is a decoy.
const IGNORE_BIT: u8 = 0x80;

type Key = Zeroizing<[u8; 32]>;

fn nonce(first: u32, second: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&first.to_le_bytes());
    nonce[4..].copy_from_slice(&second.to_le_bytes());
    nonce
}

/// A stream cipher that forgets its old keys, for lengths.
struct LengthCipher {
    stream: ChaCha20,
    chunks: u32,
    rekeys: u64,
}

impl LengthCipher {
    fn new(key: &Key) -> LengthCipher {
        LengthCipher { stream: ChaCha20::new((&**key).into(), &nonce(0, 0).into()), chunks: 0, rekeys: 0 }
    }

    fn crypt(&mut self, bytes: &mut [u8; LENGTH_LEN]) {
        self.stream.apply_keystream(bytes);
        self.chunks += 1;
        if self.chunks == REKEY_INTERVAL {
            let mut key = Key::default();
            self.stream.apply_keystream(&mut *key);
            self.chunks = 0;
            self.rekeys += 1;
            self.stream = ChaCha20::new((&*key).into(), &nonce(0, self.rekeys).into());
        }
    }
}

/// An authenticated cipher that forgets its old keys, for contents.
struct PacketCipher {
    aead: ChaCha20Poly1305,
    packets: u32,
    rekeys: u64,
}

impl PacketCipher {
    fn new(key: &Key) -> PacketCipher {
        PacketCipher { aead: ChaCha20Poly1305::new((&**key).into()), packets: 0, rekeys: 0 }
    }

    fn next(&mut self) {
        self.packets += 1;
        if self.packets == REKEY_INTERVAL {
            // Ciphertext of zeros is the key stream.
            let mut key = Key::default();
            let nonce = nonce(u32::MAX, self.rekeys);
            let _ = self.aead.encrypt_in_place_detached(&nonce.into(), &[], &mut *key);
            self.packets = 0;
            self.rekeys += 1;
            self.aead = ChaCha20Poly1305::new((&*key).into());
        }
    }

    fn encrypt(&mut self, aad: &[u8], bytes: &mut [u8]) -> [u8; TAG_LEN] {
        let nonce = nonce(self.packets, self.rekeys);
        let tag = self
            .aead
            .encrypt_in_place_detached(&nonce.into(), aad, bytes)
            .expect("the cipher takes 256 GiB, a packet has less than 16 MiB");
        self.next();
        tag.into()
    }

    fn decrypt(&mut self, aad: &[u8], bytes: &mut [u8], tag: [u8; TAG_LEN]) -> bool {
        let nonce = nonce(self.packets, self.rekeys);
        let valid = self.aead.decrypt_in_place_detached(&nonce.into(), aad, bytes, &tag.into()).is_ok();
        self.next();
        valid
    }
}

/// What both sides have computed once they know each other's keys.
pub(super) struct SessionCipher {
    send_length: LengthCipher,
    send_packet: PacketCipher,
    receive_length: LengthCipher,
    receive_packet: PacketCipher,
    pub(super) send_terminator: [u8; GARBAGE_TERMINATOR_LEN],
    pub(super) receive_terminator: [u8; GARBAGE_TERMINATOR_LEN],
    pub(super) session_id: [u8; 32],
}

impl SessionCipher {
    pub(super) fn new(
        magic: [u8; 4],
        key: &SecretKey,
        ours: &EllSwift,
        theirs: &EllSwift,
        initiating: bool,
    ) -> SessionCipher {
        let secret = EllSwift::bip324_secret(key, theirs, ours, initiating);
        let salt = [&b"bitcoin_v2_shared_secret"[..], &magic].concat();
        let extracted = Zeroizing::new(hmac_sha256(&salt, &*secret));
        // HKDF-SHA256 (RFC 5869) with an output of one block.
        let expand = |info: &str| -> Key {
            Zeroizing::new(hmac_sha256(&*extracted, &[info.as_bytes(), &[1]].concat()))
        };
        let (ours, theirs) = if initiating { ("initiator", "responder") } else { ("responder", "initiator") };
        let terminators = expand("garbage_terminators");
        let mut halves = [[0; GARBAGE_TERMINATOR_LEN]; 2];
        halves[0].copy_from_slice(&terminators[..GARBAGE_TERMINATOR_LEN]);
        halves[1].copy_from_slice(&terminators[GARBAGE_TERMINATOR_LEN..]);
        let [first, second] = halves;
        let (send_terminator, receive_terminator) =
            if initiating { (first, second) } else { (second, first) };
        SessionCipher {
            send_length: LengthCipher::new(&expand(&format!("{ours}_L"))),
            send_packet: PacketCipher::new(&expand(&format!("{ours}_P"))),
            receive_length: LengthCipher::new(&expand(&format!("{theirs}_L"))),
            receive_packet: PacketCipher::new(&expand(&format!("{theirs}_P"))),
            send_terminator,
            receive_terminator,
            session_id: *expand("session_id"),
        }
    }

    /// Appends a packet to `out` whose contents `write` appends.
    pub(super) fn encrypt(
        &mut self,
        aad: &[u8],
        decoy: bool,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let start = out.len();
        out.extend_from_slice(&[0; LENGTH_LEN]);
        out.push(if decoy { IGNORE_BIT } else { 0 });
        write(out);
        let contents = out.len() - start - LENGTH_LEN - HEADER_LEN;
        let [a, b, c, ..] = (contents as u32).to_le_bytes();
        let mut length = [a, b, c];
        self.send_length.crypt(&mut length);
        out[start..start + LENGTH_LEN].copy_from_slice(&length);
        let tag = self.send_packet.encrypt(aad, &mut out[start + LENGTH_LEN..]);
        out.extend_from_slice(&tag);
    }

    /// Length of the contents of the packet that begins with these bytes.
    pub(super) fn decrypt_length(&mut self, mut bytes: [u8; LENGTH_LEN]) -> usize {
        self.receive_length.crypt(&mut bytes);
        let [a, b, c] = bytes;
        u32::from_le_bytes([a, b, c, 0]) as usize
    }

    /// Decrypts a packet without its length in place: where its contents are, and whether it is a decoy. `None` for
    /// what the other side has not encrypted so.
    pub(super) fn decrypt<'a>(&mut self, aad: &[u8], packet: &'a mut [u8]) -> Option<(&'a [u8], bool)> {
        let (sealed, tag) = packet.split_at_mut_checked(packet.len().checked_sub(TAG_LEN)?)?;
        if !self.receive_packet.decrypt(aad, sealed, (*tag).try_into().ok()?) {
            return None;
        }
        let (header, contents) = sealed.split_first()?;
        Some((contents, header & IGNORE_BIT != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grs_encoding::{hex_decode, hex_encode};

    fn session(key: &str, ours: &str, theirs: &str, initiating: bool) -> SessionCipher {
        let swift = |text: &str| EllSwift(hex_decode(text).unwrap().try_into().unwrap());
        let key = SecretKey::from_slice(&hex_decode(key).unwrap(), true).unwrap();
        // The cases are from BIP324, whose network is Bitcoin's.
        SessionCipher::new([0xf9, 0xbe, 0xb4, 0xd9], &key, &swift(ours), &swift(theirs), initiating)
    }

    /// The packet with this number.
    fn packet(cipher: &mut SessionCipher, number: usize, contents: &str) -> String {
        let contents = hex_decode(contents).unwrap();
        let mut out = Vec::new();
        for _ in 0..number {
            cipher.encrypt(&[], true, &mut out, |_| {});
        }
        out.clear();
        cipher.encrypt(&[], false, &mut out, |out| out.extend_from_slice(&contents));
        hex_encode(&out)
    }

    #[test]
    fn packets_of_bip324() {
        let mut cipher = session(
            "61062ea5071d800bbfd59e2e8b53d47d194b095ae5a4df04936b49772ef0d4d7",
            "ec0adff257bbfe500c188c80b4fdd640f6b45a482bbc15fc7cef5931deff0aa1\
             86f6eb9bba7b85dc4dcc28b28722de1e3d9108b985e2967045668f66098e475b",
            "a4a94dfce69b4a2a0a099313d10f9f7e7d649d60501c9e1d274c300e0d89aafa\
             ffffffffffffffffffffffffffffffffffffffffffffffffffffffff8faf88d5",
            true,
        );
        assert_eq!(hex_encode(cipher.send_terminator), "faef555dfcdb936425d84aba524758f3");
        assert_eq!(hex_encode(cipher.receive_terminator), "02cb8ff24307a6e27de3b4e7ea3fa65b");
        let id = "ce72dffb015da62b0d0f5474cab8bc72605225b0cee3f62312ec680ec5f41ba5";
        assert_eq!(hex_encode(cipher.session_id), id);
        assert_eq!(packet(&mut cipher, 1, "8e"), "7530d2a18720162ac09c25329a60d75adf36eda3c3");
    }

    /// Far enough for several changes of keys.
    #[test]
    fn packets_of_bip324_after_new_keys() {
        let mut cipher = session(
            "6f312890ec83bbb26798abaadd574684a53e74ccef7953b790fcc29409080246",
            "a8785af31c029efc82fa9fc677d7118031358d7c6a25b5779a9b900e5ccd94aa\
             c97eb36a3c5dbcdb2ca5843cc4c2fe0aaa46d10eb3d233a81c3dde476da00eef",
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f\
             0000000000000000000000000000000000000000000000000000000000000000",
            false,
        );
        assert_eq!(
            packet(&mut cipher, 999, "3eb1d4e98035cfd8eeb29bac969ed3824a"),
            "d78adbcba0eebfb15cfbd8142c84dc729d233d0dc11b1d851e46a114122b8d5b96b7d59317"
        );
    }
}
