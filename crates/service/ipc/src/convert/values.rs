//! Texts, blobs, numbers, and lists of them.

use std::borrow::Cow;
use std::sync::Arc;

use capnp::traits::OwnedStruct;
use capnp::{data_list, primitive_list, struct_list, text, text_list};
use grs_encoding::{Decode, DecodeError, Encode, Reader, encode_to_vec};
use grs_hashes::{BlockHash, Txid, Wtxid};
use grs_interfaces::{BlockBytes, SecureString};
use grs_mp::exception;
use grs_primitives::{Amount, BlockLocator, HEADER_LEN, OutPoint, Script, Transaction, TxOut, TxRef};
use serde_json::Value;

use super::{FromWire, ToData, ToScalar, ToText, ToWire};

impl ToScalar<i64> for Amount {
    fn to_scalar(&self) -> i64 {
        self.0
    }
}

impl FromWire<i64> for Amount {
    fn from_wire(from: i64) -> capnp::Result<Self> {
        Ok(Amount(from))
    }
}

impl ToScalar<i64> for i64 {
    fn to_scalar(&self) -> i64 {
        *self
    }
}

impl FromWire<i64> for i64 {
    fn from_wire(from: i64) -> capnp::Result<Self> {
        Ok(from)
    }
}

impl ToText for String {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl FromWire<text::Reader<'_>> for String {
    fn from_wire(from: text::Reader<'_>) -> capnp::Result<Self> {
        Ok(from.to_string()?)
    }
}

/// JSON.
impl ToText for Value {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
}

impl FromWire<text::Reader<'_>> for Value {
    fn from_wire(from: text::Reader<'_>) -> capnp::Result<Self> {
        serde_json::from_str(from.to_str()?).map_err(|error| exception(format!("invalid JSON: {error}")))
    }
}

fn decode_failure(error: DecodeError) -> capnp::Error {
    match error {
        // What the reference says for data that end too early.
        DecodeError::EndOfData => exception("SpanReader::read(): end of data: iostream error"),
        other => exception(other),
    }
}

/// Consensus serialization. Bytes after it are ignored, as in the reference.
macro_rules! serialized {
    ($($plain:ty),*) => {$(
        impl ToData for $plain {
            fn to_data(&self) -> Cow<'_, [u8]> {
                Cow::Owned(encode_to_vec(self))
            }
        }
        impl FromWire<&[u8]> for $plain {
            fn from_wire(from: &[u8]) -> capnp::Result<Self> {
                <$plain>::decode(&mut Reader::new(from)).map_err(decode_failure)
            }
        }
    )*};
}

serialized!(OutPoint, Transaction, TxOut);

impl ToData for TxRef {
    fn to_data(&self) -> Cow<'_, [u8]> {
        (**self).to_data()
    }
}

impl FromWire<&[u8]> for TxRef {
    fn from_wire(from: &[u8]) -> capnp::Result<Self> {
        Transaction::from_wire(from).map(Arc::new)
    }
}

/// No transaction is no data.
impl ToData for Option<TxRef> {
    fn to_data(&self) -> Cow<'_, [u8]> {
        self.as_ref().map_or(Cow::Borrowed(&[]), |tx| tx.to_data())
    }
}

impl FromWire<&[u8]> for Option<TxRef> {
    fn from_wire(from: &[u8]) -> capnp::Result<Self> {
        if from.is_empty() { Ok(None) } else { TxRef::from_wire(from).map(Some) }
    }
}

macro_rules! arrays {
    ($($length:expr, $error:literal;)*) => {$(
        impl ToData for [u8; $length] {
            fn to_data(&self) -> Cow<'_, [u8]> {
                Cow::Borrowed(self)
            }
        }
        impl FromWire<&[u8]> for [u8; $length] {
            fn from_wire(from: &[u8]) -> capnp::Result<Self> {
                from.try_into().map_err(|_| match from.len() {
                    0..$length => decode_failure(DecodeError::EndOfData),
                    _ => exception($error),
                })
            }
        }
    )*};
}

arrays! {
    32, "a hash must have 32 bytes";
    HEADER_LEN, "a block header must have 80 bytes";
}

macro_rules! hashes {
    ($($plain:ty),*) => {$(
        impl ToData for $plain {
            fn to_data(&self) -> Cow<'_, [u8]> {
                Cow::Borrowed(self.as_bytes())
            }
        }
        impl FromWire<&[u8]> for $plain {
            fn from_wire(from: &[u8]) -> capnp::Result<Self> {
                <[u8; 32]>::from_wire(from).map(<$plain>::from_bytes)
            }
        }
    )*};
}

hashes!(BlockHash, Txid, Wtxid);

macro_rules! blobs {
    ($($plain:ty: |$value:ident| $bytes:expr, |$from:ident| $make:expr;)*) => {$(
        impl ToData for $plain {
            fn to_data(&self) -> Cow<'_, [u8]> {
                let $value = self;
                Cow::Borrowed($bytes)
            }
        }
        impl FromWire<&[u8]> for $plain {
            fn from_wire($from: &[u8]) -> capnp::Result<Self> {
                Ok($make)
            }
        }
    )*};
}

blobs! {
    Vec<u8>: |bytes| bytes, |from| from.to_vec();
    BlockBytes: |block| &block.0, |from| BlockBytes(from.to_vec());
    Script: |script| script.as_bytes(), |from| Script::from(from);
    SecureString: |secret| secret.as_bytes(), |from| SecureString::new(from.to_vec());
}

/// Hashes joined.
impl ToData for BlockLocator {
    fn to_data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.hashes.iter().flat_map(|hash| hash.to_bytes()).collect())
    }
}

impl FromWire<&[u8]> for BlockLocator {
    fn from_wire(from: &[u8]) -> capnp::Result<Self> {
        let (hashes, rest) = from.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(exception("a list of hashes must have 32 bytes for each"));
        }
        Ok(BlockLocator { hashes: hashes.iter().map(|hash| BlockHash::from_bytes(*hash)).collect() })
    }
}

/// Outpoints joined.
impl ToData for [OutPoint] {
    fn to_data(&self) -> Cow<'_, [u8]> {
        let mut out = Vec::with_capacity(self.len() * 36);
        for outpoint in self {
            outpoint.encode(&mut out);
        }
        Cow::Owned(out)
    }
}

impl FromWire<&[u8]> for Vec<OutPoint> {
    fn from_wire(from: &[u8]) -> capnp::Result<Self> {
        let (items, rest) = from.as_chunks::<36>();
        if !rest.is_empty() {
            return Err(exception("a list of outpoints must have 36 bytes for each"));
        }
        items.iter().map(|item| OutPoint::from_wire(&item[..])).collect()
    }
}

impl<T: ToData> ToWire<data_list::Builder<'_>> for [T] {
    fn to_wire(&self, mut out: data_list::Builder<'_>) {
        for (n, item) in (0..).zip(self) {
            out.set(n, &item.to_data());
        }
    }
}

impl<'a, T: FromWire<&'a [u8]>> FromWire<data_list::Reader<'a>> for Vec<T> {
    fn from_wire(from: data_list::Reader<'a>) -> capnp::Result<Self> {
        from.iter().map(|item| T::from_wire(item?)).collect()
    }
}

impl<T: ToText> ToWire<text_list::Builder<'_>> for [T] {
    fn to_wire(&self, mut out: text_list::Builder<'_>) {
        for (n, item) in (0..).zip(self) {
            out.set(n, &*item.to_text());
        }
    }
}

impl<'a, T: FromWire<text::Reader<'a>>> FromWire<text_list::Reader<'a>> for Vec<T> {
    fn from_wire(from: text_list::Reader<'a>) -> capnp::Result<Self> {
        from.iter().map(|item| T::from_wire(item?)).collect()
    }
}

impl<T: ToScalar<i64>> ToWire<primitive_list::Builder<'_, i64>> for [T] {
    fn to_wire(&self, mut out: primitive_list::Builder<'_, i64>) {
        for (n, item) in (0..).zip(self) {
            out.set(n, item.to_scalar());
        }
    }
}

impl<'a, T: FromWire<i64>> FromWire<primitive_list::Reader<'a, i64>> for Vec<T> {
    fn from_wire(from: primitive_list::Reader<'a, i64>) -> capnp::Result<Self> {
        from.iter().map(T::from_wire).collect()
    }
}

impl<'a, S, T> FromWire<struct_list::Reader<'a, S>> for Vec<T>
where
    S: OwnedStruct,
    T: FromWire<S::Reader<'a>>,
{
    fn from_wire(from: struct_list::Reader<'a, S>) -> capnp::Result<Self> {
        from.iter().map(T::from_wire).collect()
    }
}
