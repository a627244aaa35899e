use std::fmt;

use grs_encoding::hex_encode;
use grs_keys::{ELLSWIFT_SIZE, EllSwift, SecretKey};

use super::cipher::{EXPANSION, GARBAGE_TERMINATOR_LEN, LENGTH_LEN, SessionCipher};
use super::message_ids::{split_type, type_len, write_type};
use crate::{
    MAX_PROTOCOL_MESSAGE_LENGTH, Message, RawMessage, Received, Transport, TransportError, V1Transport,
};

/// Most bytes that may follow a key before the garbage terminator.
pub const MAX_GARBAGE_LEN: usize = 4095;
/// Bytes that tell a first message of the unencrypted transport from a key.
const V1_PREFIX_LEN: usize = 16;
/// What such a message has after the network's magic.
const V1_VERSION: &[u8; 12] = b"version\0\0\0\0\0";
/// Longest contents: a zero, a type, a payload.
const MAX_CONTENTS_LEN: usize = 1 + 12 + MAX_PROTOCOL_MESSAGE_LENGTH as usize;
/// How far ahead of received bytes memory is taken.
const ALLOCATE_AHEAD: usize = 256 * 1024;

/// What is known of the connection so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum V2Status {
    /// Not clear yet whether the other side speaks this protocol.
    Detecting,
    /// The other side began with the unencrypted transport.
    V1,
    /// Encrypted, with the session's number.
    V2([u8; 32]),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// The first bytes: a key or a message of the unencrypted transport.
    KeyMaybeV1,
    Key,
    Garbage,
    /// First packet that is no decoy: its contents say nothing today.
    Version,
    Messages,
    V1,
}

/// Our side of the key exchange.
struct Handshake {
    key: SecretKey,
    ours: EllSwift,
    garbage: Vec<u8>,
}

/// The encrypted transport of one connection. The side that accepts falls back to the unencrypted transport if the
/// other side begins with it.
///
/// It has bytes to send that no message asks for: after [`V2Transport::new`] and after each
/// [`Transport::receive`], [`V2Transport::take_output`] has to be called. What [`Transport::send`] gets before the
/// keys are exchanged comes out there, too.
pub struct V2Transport {
    magic: [u8; 4],
    initiating: bool,
    state: State,
    /// Not processed: key, garbage, or the packet that is not complete.
    received: Vec<u8>,
    /// Length of the contents of the packet that is being received.
    contents_len: Option<usize>,
    /// Their garbage, until a packet has authenticated it.
    aad: Vec<u8>,
    handshake: Option<Handshake>,
    cipher: Option<Box<SessionCipher>>,
    v1: Option<V1Transport>,
    output: Vec<u8>,
    waiting: Vec<Message>,
}

impl fmt::Debug for V2Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("V2Transport")
            .field("initiating", &self.initiating)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl V2Transport {
    /// For the network with this message start. `key`, `entropy` and `garbage` have to be fresh random bytes, the
    /// latter of random length up to [`MAX_GARBAGE_LEN`] (what is longer is cut).
    pub fn new(
        magic: [u8; 4],
        initiating: bool,
        key: SecretKey,
        entropy: &[u8; 32],
        mut garbage: Vec<u8>,
    ) -> V2Transport {
        garbage.truncate(MAX_GARBAGE_LEN);
        let ours = EllSwift::create(&key, entropy);
        let mut transport = V2Transport {
            magic,
            initiating,
            state: if initiating { State::Key } else { State::KeyMaybeV1 },
            received: Vec::new(),
            contents_len: None,
            aad: Vec::new(),
            handshake: Some(Handshake { key, ours, garbage }),
            cipher: None,
            v1: None,
            output: Vec::new(),
            waiting: Vec::new(),
        };
        if initiating {
            transport.start_handshake();
        }
        transport
    }

    /// Appends bytes to `out` that have to be sent.
    pub fn take_output(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.output);
    }

    /// What is known.
    pub fn status(&self) -> V2Status {
        match (self.state, &self.cipher) {
            (State::V1, _) => V2Status::V1,
            (State::Messages, Some(cipher)) => V2Status::V2(cipher.session_id),
            _ => V2Status::Detecting,
        }
    }

    /// Whether it makes sense to try the unencrypted transport if the other side ends the connection now, provided
    /// that it was sent more than a header of that transport has.
    pub fn should_reconnect_v1(&self) -> bool {
        self.initiating && self.state == State::Key && self.received.is_empty()
    }

    /// The unencrypted transport with what was received so far, if the other side has chosen it. For callers that
    /// want to do without this machine then; it is used up.
    pub fn take_v1(&mut self) -> Option<V1Transport> {
        self.v1.take()
    }

    /// Sends a packet that the other side ignores, once keys are exchanged.
    pub fn send_decoy(&mut self, contents: &[u8], out: &mut Vec<u8>) {
        self.take_output(out);
        if let Some(cipher) = &mut self.cipher {
            cipher.encrypt(&[], true, out, |out| out.extend_from_slice(contents));
        }
    }

    fn start_handshake(&mut self) {
        if let Some(handshake) = &self.handshake {
            self.output.extend_from_slice(&handshake.ours.0);
            self.output.extend_from_slice(&handshake.garbage);
        }
    }

    /// Moves bytes over until `len` are there; true if they are.
    fn fill(&mut self, bytes: &mut &[u8], len: usize) -> bool {
        let missing = len.saturating_sub(self.received.len());
        let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
        if self.received.capacity() < self.received.len() + taken.len() {
            self.received.reserve_exact(missing.min(taken.len() + ALLOCATE_AHEAD));
        }
        self.received.extend_from_slice(taken);
        *bytes = rest;
        taken.len() == missing
    }

    fn detect(&mut self, bytes: &mut &[u8], out: &mut Vec<Received>) -> Result<(), TransportError> {
        let mut prefix = [0; V1_PREFIX_LEN];
        prefix[..4].copy_from_slice(&self.magic);
        prefix[4..].copy_from_slice(V1_VERSION);
        let complete = self.fill(bytes, V1_PREFIX_LEN);
        if !prefix.starts_with(&self.received) {
            self.state = State::Key;
            self.start_handshake();
        } else if complete {
            self.state = State::V1;
            self.handshake = None;
            let mut v1 = V1Transport::new(self.magic);
            v1.receive(&std::mem::take(&mut self.received), out)?;
            for message in std::mem::take(&mut self.waiting) {
                v1.send(&message, &mut self.output);
            }
            self.v1 = Some(v1);
        }
        Ok(())
    }

    fn receive_key(&mut self, bytes: &mut &[u8]) -> Result<(), TransportError> {
        let complete = self.fill(bytes, ELLSWIFT_SIZE);
        // Hardly a key: it is worth telling the user.
        if !self.initiating && self.received.get(4..V1_PREFIX_LEN) == Some(V1_VERSION) {
            return Err(TransportError::OtherNetwork(hex_encode(&self.received[..4])));
        }
        if !complete {
            return Ok(());
        }
        let Some(handshake) = self.handshake.take() else { return Ok(()) };
        let mut theirs = [0; ELLSWIFT_SIZE];
        theirs.copy_from_slice(&self.received);
        self.received.clear();
        let mut cipher = Box::new(SessionCipher::new(
            self.magic,
            &handshake.key,
            &handshake.ours,
            &EllSwift(theirs),
            self.initiating,
        ));
        self.output.extend_from_slice(&cipher.send_terminator);
        cipher.encrypt(&handshake.garbage, false, &mut self.output, |_| {});
        for message in std::mem::take(&mut self.waiting) {
            encrypt_message(&mut cipher, &message, &mut self.output);
        }
        self.cipher = Some(cipher);
        self.state = State::Garbage;
        Ok(())
    }

    fn receive_garbage(&mut self, bytes: &mut &[u8]) -> Result<(), TransportError> {
        let Some(cipher) = &self.cipher else { return Ok(()) };
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            self.received.push(*byte);
            if self.received.ends_with(&cipher.receive_terminator) {
                self.aad = std::mem::take(&mut self.received);
                self.aad.truncate(self.aad.len() - GARBAGE_TERMINATOR_LEN);
                self.state = State::Version;
                return Ok(());
            }
            if self.received.len() == MAX_GARBAGE_LEN + GARBAGE_TERMINATOR_LEN {
                return Err(TransportError::NoGarbageTerminator);
            }
        }
        Ok(())
    }

    fn receive_packet(&mut self, bytes: &mut &[u8], out: &mut Vec<Received>) -> Result<(), TransportError> {
        let wanted = self.contents_len.map_or(LENGTH_LEN, |len| len + EXPANSION - LENGTH_LEN);
        if !self.fill(bytes, wanted) {
            return Ok(());
        }
        let Some(cipher) = &mut self.cipher else { return Ok(()) };
        let Some(len) = self.contents_len.take() else {
            let mut length = [0; LENGTH_LEN];
            length.copy_from_slice(&self.received);
            self.received.clear();
            let len = cipher.decrypt_length(length);
            if len > MAX_CONTENTS_LEN {
                return Err(TransportError::PacketTooLarge(len));
            }
            self.contents_len = Some(len);
            return Ok(());
        };
        let mut packet = std::mem::take(&mut self.received);
        let aad = std::mem::take(&mut self.aad);
        let Some((contents, decoy)) = cipher.decrypt(&aad, &mut packet) else {
            return Err(TransportError::Decryption(len));
        };
        if decoy {
            return Ok(());
        }
        if self.state == State::Version {
            self.state = State::Messages;
            return Ok(());
        }
        let wire_len = len + EXPANSION;
        out.push(match split_type(contents) {
            Some((message_type, payload)) => Received::Message(RawMessage {
                message_type: message_type.to_owned(),
                payload: payload.to_vec(),
                wire_len,
            }),
            None => Received::Rejected {
                message_type: String::new(),
                wire_len,
                reason: format!("V2 transport error: invalid message type ({len} bytes contents)"),
            },
        });
        Ok(())
    }
}

/// What a message of this type takes on the wire besides its payload, in bytes.
pub fn v2_overhead(message_type: &str) -> usize {
    EXPANSION + type_len(message_type)
}

fn encrypt_message(cipher: &mut SessionCipher, message: &Message, out: &mut Vec<u8>) {
    cipher.encrypt(&[], false, out, |out| {
        write_type(message.message_type(), out);
        message.encode_payload(out);
    });
}

impl Transport for V2Transport {
    fn receive(&mut self, mut bytes: &[u8], out: &mut Vec<Received>) -> Result<(), TransportError> {
        while !bytes.is_empty() {
            match self.state {
                State::KeyMaybeV1 => self.detect(&mut bytes, out)?,
                State::Key => self.receive_key(&mut bytes)?,
                State::Garbage => self.receive_garbage(&mut bytes)?,
                State::Version | State::Messages => self.receive_packet(&mut bytes, out)?,
                State::V1 => match &mut self.v1 {
                    Some(v1) => return v1.receive(bytes, out),
                    None => return Ok(()),
                },
            }
        }
        Ok(())
    }

    fn send(&mut self, message: &Message, out: &mut Vec<u8>) {
        self.take_output(out);
        match (&mut self.v1, &mut self.cipher) {
            (Some(v1), _) => v1.send(message, out),
            (None, Some(cipher)) => encrypt_message(cipher, message, out),
            (None, None) => self.waiting.push(message.clone()),
        }
    }
}
