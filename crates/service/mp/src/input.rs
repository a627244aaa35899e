//! Messages out of the bytes of a stream.
//!
//! A message is a table of segment lengths and the segments, aligned to words. Small messages are cut out of a buffer that
//! takes many of them with one system call. Memory for a large one grows with what has arrived of it.

use std::io;
use std::task::{Context, Poll, ready};

use capnp::Word;
use capnp::message::{Reader, ReaderOptions, ReaderSegments};

use crate::limits::Limit;
use crate::transport::Source;

/// Size of the read buffer.
const BUFFER: usize = 64 << 10;
/// The format's bound on segments: there have to be fewer.
const MAX_SEGMENTS: usize = 512;
const WORD: usize = 8;

/// Why no message can be had.
#[derive(Debug)]
pub(crate) enum InputError {
    Limit(Limit),
    /// The stream ended within a message.
    Truncated,
    Io(io::Error),
}

/// The segments of a message.
pub(crate) struct Segments {
    words: Vec<Word>,
    /// Where each ends, in words, if there is more than one.
    ends: Vec<usize>,
}

impl ReaderSegments for Segments {
    fn get_segment(&self, idx: u32) -> Option<&[u8]> {
        let idx = idx as usize;
        if self.ends.is_empty() {
            return (idx == 0).then(|| Word::words_to_bytes(&self.words));
        }
        let end = *self.ends.get(idx)?;
        let begin = if idx == 0 { 0 } else { self.ends[idx - 1] };
        Some(Word::words_to_bytes(&self.words[begin..end]))
    }

    fn len(&self) -> usize {
        self.ends.len().max(1)
    }
}

impl Segments {
    /// Size in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.words.len() * WORD
    }

    /// For reading. The traversal limit bounds work, as a message may name the same data many times; it is the other
    /// libraries' default, or the size of the message if that is larger.
    pub(crate) fn into_reader(self) -> Reader<Segments> {
        let mut options = ReaderOptions::new();
        let limit = options.traversal_limit_in_words.unwrap_or(usize::MAX);
        options.traversal_limit_in_words(Some(limit.max(self.words.len())));
        Reader::new(self, options)
    }
}

/// A message, the beginning of which has arrived.
struct Partial {
    segments: Segments,
    /// Bytes that have arrived.
    filled: usize,
    /// Bytes that it has.
    total: usize,
}

impl Partial {
    /// Room for what comes next.
    fn room(&mut self) -> &mut [u8] {
        if self.filled == self.segments.bytes() {
            let more = self.filled.max(BUFFER).min(self.total - self.filled);
            self.segments
                .words
                .resize(self.segments.words.len() + more / WORD, capnp::word(0, 0, 0, 0, 0, 0, 0, 0));
        }
        let filled = self.filled;
        &mut Word::words_to_bytes_mut(&mut self.segments.words)[filled..]
    }
}

/// The reading half of a connection.
pub(crate) struct Input {
    source: Box<dyn Source>,
    max_message: usize,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    partial: Option<Partial>,
    received: u64,
}

/// The lengths of segments: size of the table, ends of segments (empty for a single one), and bytes of all segments.
struct Table {
    size: usize,
    ends: Vec<usize>,
    total: usize,
}

/// `None` if more bytes are needed.
fn read_table(bytes: &[u8], max_message: usize) -> Result<Option<Table>, InputError> {
    let number = |at: usize| -> Option<usize> {
        Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize)
    };
    let Some(last) = number(0) else { return Ok(None) };
    if last >= MAX_SEGMENTS - 1 {
        return Err(InputError::Limit(Limit::Segments));
    }
    let count = last + 1;
    let size = (4 * (1 + count)).next_multiple_of(WORD);
    if bytes.len() < size {
        return Ok(None);
    }
    let mut words = 0_usize;
    let mut ends = Vec::new();
    for n in 1..=count {
        words += number(4 * n).unwrap_or_default();
        if count > 1 {
            ends.push(words);
        }
    }
    if words > max_message / WORD {
        return Err(InputError::Limit(Limit::Message));
    }
    Ok(Some(Table { size, ends, total: words * WORD }))
}

impl Input {
    pub(crate) fn new(source: Box<dyn Source>, max_message: usize) -> Input {
        Input {
            source,
            max_message,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            partial: None,
            received: 0,
        }
    }

    /// Whether a message has begun to arrive.
    pub(crate) fn is_partial(&self) -> bool {
        self.partial.is_some() || self.start < self.end
    }

    /// Bytes that have arrived since the last time this was asked.
    pub(crate) fn take_received(&mut self) -> u64 {
        std::mem::take(&mut self.received)
    }

    /// The next message; `None` at the end of the stream.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Segments>, InputError>> {
        loop {
            if let Some(segments) = self.assemble()? {
                return Poll::Ready(Ok(Some(segments)));
            }
            let read = match &mut self.partial {
                Some(partial) => {
                    let read = ready!(self.source.poll_read(cx, partial.room())).map_err(InputError::Io)?;
                    partial.filled += read;
                    read
                }
                None => {
                    if self.start > 0 {
                        self.buffer.copy_within(self.start..self.end, 0);
                        self.end -= self.start;
                        self.start = 0;
                    }
                    let room = &mut self.buffer[self.end..];
                    let read = ready!(self.source.poll_read(cx, room)).map_err(InputError::Io)?;
                    self.end += read;
                    read
                }
            };
            if read == 0 {
                return Poll::Ready(if self.is_partial() { Err(InputError::Truncated) } else { Ok(None) });
            }
            self.received += read as u64;
        }
    }

    /// A message out of what has arrived.
    fn assemble(&mut self) -> Result<Option<Segments>, InputError> {
        if self.partial.is_none() {
            let Some(table) = read_table(&self.buffer[self.start..self.end], self.max_message)? else {
                return Ok(None);
            };
            self.start += table.size;
            let have = table.total.min(self.end - self.start);
            let mut words = Word::allocate_zeroed_vec(have.div_ceil(WORD));
            Word::words_to_bytes_mut(&mut words)[..have]
                .copy_from_slice(&self.buffer[self.start..self.start + have]);
            self.start += have;
            let segments = Segments { words, ends: table.ends };
            self.partial = Some(Partial { segments, filled: have, total: table.total });
        }
        if self.partial.as_ref().is_some_and(|partial| partial.filled == partial.total) {
            return Ok(self.partial.take().map(|partial| partial.segments));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives bytes in pieces.
    struct Pieces {
        bytes: Vec<u8>,
        at: usize,
        step: usize,
    }

    impl Source for Pieces {
        fn poll_read(&mut self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
            let take = self.step.min(self.bytes.len() - self.at).min(buf.len());
            buf[..take].copy_from_slice(&self.bytes[self.at..self.at + take]);
            self.at += take;
            Poll::Ready(Ok(take))
        }
    }

    fn read_all(bytes: &[u8], step: usize) -> Result<Vec<Vec<Vec<u8>>>, InputError> {
        let mut input = Input::new(Box::new(Pieces { bytes: bytes.to_vec(), at: 0, step }), 1 << 20);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut out = Vec::new();
        loop {
            let Poll::Ready(next) = input.poll(&mut cx) else { panic!("pieces are always ready") };
            let Some(segments) = next? else { break };
            assert_eq!(segments.get_segment(segments.len() as u32), None);
            out.push((0..segments.len()).map(|n| segments.get_segment(n as u32).unwrap().to_vec()).collect());
        }
        assert_eq!(input.take_received(), bytes.len() as u64);
        Ok(out)
    }

    fn message(segments: &[Vec<u8>]) -> Vec<u8> {
        let mut out = (segments.len() as u32 - 1).to_le_bytes().to_vec();
        for segment in segments {
            out.extend_from_slice(&(segment.len() as u32 / 8).to_le_bytes());
        }
        out.resize(out.len().next_multiple_of(8), 0);
        segments.iter().for_each(|segment| out.extend_from_slice(segment));
        out
    }

    #[test]
    fn messages_arrive_whole_however_they_are_cut() {
        let small = vec![vec![1; 16]];
        let three = vec![vec![2; 8], vec![], vec![3; 24]];
        let large = vec![vec![4; 300 << 10], vec![5; 8]];
        let all = [small, three.clone(), large, vec![vec![]], three];
        let bytes: Vec<u8> = all.iter().flat_map(|segments| message(segments)).collect();
        for step in [1, 7, 8, 4096, 1 << 20] {
            assert_eq!(read_all(&bytes, step).unwrap(), all);
        }
    }

    #[test]
    fn bad_tables_are_refused() {
        let many = message(&vec![vec![]; 511]);
        assert_eq!(read_all(&many, 99).unwrap()[0].len(), 511);
        let refused = |bytes: &[u8]| match read_all(bytes, 5) {
            Err(InputError::Limit(limit)) => limit.name(),
            Err(InputError::Truncated) => "truncated",
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&message(&vec![vec![]; 512])), "segments");
        assert_eq!(refused(&[0xff; 64]), "segments");
        assert_eq!(refused(&[0, 0, 0, 0, 1, 0, 2, 0]), "message_size");
        assert_eq!(
            refused(&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
            "message_size"
        );
        assert_eq!(refused(&[0, 0, 0]), "truncated");
        assert_eq!(refused(&[0, 0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]), "truncated");
    }

    #[test]
    fn memory_follows_what_has_come_not_what_is_claimed() {
        /// Gives a little and then nothing.
        struct Stalls(Vec<u8>);
        impl Source for Stalls {
            fn poll_read(&mut self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
                if self.0.is_empty() {
                    return Poll::Pending;
                }
                let take = self.0.len().min(buf.len());
                buf[..take].copy_from_slice(&self.0[..take]);
                self.0.drain(..take);
                Poll::Ready(Ok(take))
            }
        }
        let mut bytes = vec![0, 0, 0, 0, 0, 0, 0x80, 0];
        bytes.extend_from_slice(&[7; 100 << 10]);
        let mut input = Input::new(Box::new(Stalls(bytes)), 64 << 20);
        assert!(input.poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
        assert!(input.is_partial());
        let partial = input.partial.as_ref().unwrap();
        assert_eq!((partial.filled, partial.total), (100 << 10, 64 << 20));
        assert!(partial.segments.words.capacity() * 8 <= 256 << 10, "{}", partial.segments.words.capacity());
    }
}
