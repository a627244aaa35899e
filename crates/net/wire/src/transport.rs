//! Framing. A transport turns bytes from a peer into messages and messages into bytes for it; it owns no socket.

use grs_encoding::hex_encode;
use grs_hashes::purpose::wire_checksum;
use thiserror::Error;

use crate::{Message, sanitize_string};

/// Longest payload that is accepted, in bytes.
pub const MAX_PROTOCOL_MESSAGE_LENGTH: u32 = 4_000_000;
/// Bytes before the payload: magic, type, length, checksum.
pub const MESSAGE_HEADER_LEN: usize = 24;
/// How far ahead of received bytes memory is taken.
const ALLOCATE_AHEAD: usize = 256 * 1024;

/// A complete message, not decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawMessage {
    /// Type, without padding.
    pub message_type: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// Bytes that it took on the wire.
    pub wire_len: usize,
}

/// What came out of a transport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Received {
    /// A message.
    Message(RawMessage),
    /// A message that has to be dropped, with the reason to log; the connection goes on.
    Rejected {
        /// Type, as far as it is readable.
        message_type: String,
        /// Bytes that it took on the wire.
        wire_len: usize,
        /// Why, in the reference's words (without the peer's number).
        reason: String,
    },
}

/// Why a connection has to end. The texts are the reference's, without the peer's number.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TransportError {
    /// The first bytes are not this network's.
    #[error("Header error: Wrong MessageStart {0} received")]
    WrongMagic(String),
    /// The length exceeds [`MAX_PROTOCOL_MESSAGE_LENGTH`].
    #[error("Header error: Size too large ({message_type}, {len} bytes)")]
    TooLarge {
        /// Type, sanitized.
        message_type: String,
        /// Claimed length.
        len: u32,
    },
    /// A first message of the unencrypted transport for another network.
    #[error("V2 transport error: V1 peer with wrong MessageStart {0}")]
    OtherNetwork(String),
    /// The garbage after the key does not end.
    #[error("V2 transport error: missing garbage terminator")]
    NoGarbageTerminator,
    /// An encrypted packet is too long.
    #[error("V2 transport error: packet too large ({0} bytes)")]
    PacketTooLarge(usize),
    /// An encrypted packet was not made by the other side.
    #[error("V2 transport error: packet decryption failure ({0} bytes)")]
    Decryption(usize),
}

/// Turns bytes into messages and back.
pub trait Transport: Send {
    /// Takes bytes as they come; everything complete is appended to `out`. An error ends the connection.
    fn receive(&mut self, bytes: &[u8], out: &mut Vec<Received>) -> Result<(), TransportError>;
    /// Appends a message's bytes to `out`.
    fn send(&mut self, message: &Message, out: &mut Vec<u8>);
}

/// The unencrypted transport.
#[derive(Debug)]
pub struct V1Transport {
    magic: [u8; 4],
    header: [u8; MESSAGE_HEADER_LEN],
    header_len: usize,
    payload: Vec<u8>,
}

impl V1Transport {
    /// For the network with this message start.
    pub fn new(magic: [u8; 4]) -> V1Transport {
        V1Transport { magic, header: [0; MESSAGE_HEADER_LEN], header_len: 0, payload: Vec::new() }
    }

    fn payload_len(&self) -> usize {
        let mut len = [0; 4];
        len.copy_from_slice(&self.header[16..20]);
        u32::from_le_bytes(len) as usize
    }

    fn type_bytes(&self) -> &[u8] {
        let field = &self.header[4..16];
        &field[..field.iter().position(|b| *b == 0).unwrap_or(field.len())]
    }

    /// Printable ASCII, then zeros to the end.
    fn type_is_valid(&self) -> bool {
        let field = &self.header[4..16];
        let name = self.type_bytes();
        name.iter().all(|b| (b' '..=b'~').contains(b)) && field[name.len()..].iter().all(|b| *b == 0)
    }

    fn finish(&mut self) -> Received {
        let payload = std::mem::take(&mut self.payload);
        let wire_len = payload.len() + MESSAGE_HEADER_LEN;
        let message_type = String::from_utf8_lossy(self.type_bytes()).into_owned();
        let (computed, claimed) = (wire_checksum(&payload), &self.header[20..24]);
        let reason = if computed != *claimed {
            Some(format!(
                "Header error: Wrong checksum ({}, {} bytes), expected {} was {}",
                sanitize_string(&message_type),
                payload.len(),
                hex_encode(computed),
                hex_encode(claimed)
            ))
        } else if !self.type_is_valid() {
            Some(format!(
                "Header error: Invalid message type ({}, {} bytes)",
                sanitize_string(&message_type),
                payload.len()
            ))
        } else {
            None
        };
        self.header_len = 0;
        match reason {
            Some(reason) => Received::Rejected { message_type, wire_len, reason },
            None => Received::Message(RawMessage { message_type, payload, wire_len }),
        }
    }
}

impl Transport for V1Transport {
    fn receive(&mut self, mut bytes: &[u8], out: &mut Vec<Received>) -> Result<(), TransportError> {
        loop {
            if self.header_len < MESSAGE_HEADER_LEN {
                let n = bytes.len().min(MESSAGE_HEADER_LEN - self.header_len);
                self.header[self.header_len..self.header_len + n].copy_from_slice(&bytes[..n]);
                self.header_len += n;
                bytes = &bytes[n..];
                if self.header_len < MESSAGE_HEADER_LEN {
                    return Ok(());
                }
                if self.header[..4] != self.magic {
                    return Err(TransportError::WrongMagic(hex_encode(&self.header[..4])));
                }
                let len = self.payload_len() as u32;
                if len > MAX_PROTOCOL_MESSAGE_LENGTH {
                    let message_type = sanitize_string(&String::from_utf8_lossy(self.type_bytes()));
                    return Err(TransportError::TooLarge { message_type, len });
                }
            }
            let missing = self.payload_len() - self.payload.len();
            let n = bytes.len().min(missing);
            if self.payload.capacity() < self.payload.len() + n {
                self.payload.reserve_exact(missing.min(n + ALLOCATE_AHEAD));
            }
            self.payload.extend_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
            if n < missing {
                return Ok(());
            }
            out.push(self.finish());
            if bytes.is_empty() {
                return Ok(());
            }
        }
    }

    fn send(&mut self, message: &Message, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; MESSAGE_HEADER_LEN]);
        message.encode_payload(out);
        let header = message_header(self.magic, message.message_type(), &out[start + MESSAGE_HEADER_LEN..]);
        out[start..start + MESSAGE_HEADER_LEN].copy_from_slice(&header);
    }
}

/// The 24 bytes before a payload. Types longer than twelve bytes are cut.
pub fn message_header(magic: [u8; 4], message_type: &str, payload: &[u8]) -> [u8; MESSAGE_HEADER_LEN] {
    let mut header = [0; MESSAGE_HEADER_LEN];
    header[..4].copy_from_slice(&magic);
    let name = message_type.as_bytes();
    let n = name.len().min(12);
    header[4..4 + n].copy_from_slice(&name[..n]);
    header[16..20].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    header[20..].copy_from_slice(&wire_checksum(payload));
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that arrive take memory, claims do not.
    #[test]
    fn memory_follows_the_bytes() {
        let magic = [1, 2, 3, 4];
        let mut header = message_header(magic, "block", &[]);
        header[16..20].copy_from_slice(&MAX_PROTOCOL_MESSAGE_LENGTH.to_le_bytes());
        let (mut transport, mut out) = (V1Transport::new(magic), Vec::new());
        transport.receive(&header, &mut out).unwrap();
        assert!(transport.payload.capacity() <= ALLOCATE_AHEAD);
        let mut received = 0;
        while received < 3_900_000 {
            transport.receive(&[7; 1000], &mut out).unwrap();
            received += 1000;
            assert!(transport.payload.capacity() <= received + ALLOCATE_AHEAD);
            assert!(transport.payload.capacity() <= MAX_PROTOCOL_MESSAGE_LENGTH as usize);
        }
        assert!(out.is_empty());
    }
}
