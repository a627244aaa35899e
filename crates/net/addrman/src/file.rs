//! Formats of `peers.dat` and `anchors.dat`. Reference: `AddrManImpl::Serialize`, `addrdb.cpp`.

use std::collections::HashMap;

use grs_encoding::{DecodeError, Encode, Reader, write_compact_size};
use grs_hashes::purpose::address_file_checksum;
use grs_wire::{NetAddress, TimedAddress};
use thiserror::Error;

use crate::Rng;
use crate::table::{AddrInfo, BUCKET_SIZE, NEW_BUCKETS, NEW_BUCKETS_PER_ADDRESS, TRIED_BUCKETS, Tables};

const FILE_FORMAT: u8 = 4;
const LOWEST_COMPATIBLE: u8 = 4;
const INCOMPATIBILITY_BASE: u8 = 32;
const DISK_VERSION: u32 = 220_000;
const DISK_VERSION_ADDRV2: u32 = 0x2000_0000;
const DISK_VERSION_IGNORE_MASK: u32 = 0x0007_ffff;
/// Buckets are counted with this bit flipped, so that very old programs refuse the file.
const BUCKET_COUNT_FLAG: u32 = 1 << 30;

/// Why an address file cannot be read. Texts are the reference's, as users see them.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum FileError {
    /// Of another network.
    #[error("Invalid network magic number")]
    Magic,
    /// Damaged.
    #[error("Checksum mismatch, data corrupted")]
    Checksum,
    /// Too new.
    #[error(
        "Unsupported format of addrman database: {format}. It is compatible with formats >={lowest}, but the maximum \
         supported by this version of Groestlcoin Core is {FILE_FORMAT}."
    )]
    Version {
        /// Its format.
        format: u8,
        /// Oldest format that can read it.
        lowest: u8,
    },
    /// Other nonsense; the ending is what the reference's C++ library adds to errors of streams.
    #[error("{0}: iostream error")]
    Corrupt(String),
}

impl From<DecodeError> for FileError {
    fn from(error: DecodeError) -> FileError {
        match error {
            DecodeError::EndOfData => FileError::Corrupt("AutoFile::read: end of file".into()),
            other => FileError::Corrupt(other.to_string()),
        }
    }
}

fn sealed(magic: [u8; 4], data: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = magic.to_vec();
    data(&mut out);
    let checksum = address_file_checksum(&out);
    out.extend_from_slice(&checksum);
    out
}

/// The content behind the network's magic, which [`check_seal`] has to be called on when it is read: errors come in
/// the order in which a reader of a stream meets them.
fn opened(magic: [u8; 4], file: &[u8]) -> Result<Reader<'_>, FileError> {
    let mut reader = Reader::new(file);
    if reader.array::<4>()? != magic {
        return Err(FileError::Magic);
    }
    Ok(reader)
}

/// Compares the checksum that follows the content with the one of all bytes read so far.
fn check_seal(file: &[u8], mut reader: Reader<'_>) -> Result<(), FileError> {
    let body = &file[..file.len() - reader.remaining()];
    if reader.array::<32>()? == address_file_checksum(body) { Ok(()) } else { Err(FileError::Checksum) }
}

fn write_address(out: &mut Vec<u8>, address: &TimedAddress) {
    (DISK_VERSION | DISK_VERSION_ADDRV2).encode(out);
    address.encode_v2(out);
}

fn read_address(reader: &mut Reader<'_>, allow_v2: bool) -> Result<TimedAddress, FileError> {
    let version = reader.u32_le()? & !DISK_VERSION_IGNORE_MASK;
    let other = |e: grs_wire::AddressError| FileError::Corrupt(e.to_string());
    match version {
        0 => Ok(TimedAddress::decode_v1(reader)?),
        DISK_VERSION_ADDRV2 if allow_v2 => TimedAddress::decode_v2(reader).map_err(other),
        _ => Err(FileError::Corrupt("Unsupported CAddress disk format version".into())),
    }
}

fn write_info(out: &mut Vec<u8>, info: &AddrInfo) {
    write_address(out, &info.address);
    info.source.encode_v2(out);
    info.last_success.encode(out);
    info.attempts.encode(out);
}

fn read_info(reader: &mut Reader<'_>, v2: bool) -> Result<AddrInfo, FileError> {
    let address = read_address(reader, v2)?;
    let source = if v2 {
        NetAddress::decode_v2(reader).map_err(|e| FileError::Corrupt(e.to_string()))?
    } else {
        NetAddress::from_ipv6_bytes(reader.array()?)
    };
    let mut info = AddrInfo::new(address, source);
    info.last_success = reader.i64_le()?;
    info.attempts = reader.i32_le()?;
    Ok(info)
}

pub(crate) fn write_tables(tables: &Tables, magic: [u8; 4]) -> Vec<u8> {
    sealed(magic, |out| {
        let mut new: Vec<(u32, &AddrInfo)> =
            tables.info.iter().filter(|(_, i)| !i.tried).map(|(id, i)| (*id, i)).collect();
        let mut tried: Vec<(u32, &AddrInfo)> =
            tables.info.iter().filter(|(_, i)| i.tried).map(|(id, i)| (*id, i)).collect();
        new.sort_by_key(|(id, _)| *id);
        tried.sort_by_key(|(id, _)| *id);
        out.push(FILE_FORMAT);
        out.push(INCOMPATIBILITY_BASE + LOWEST_COMPATIBLE);
        // The key is stored with a length in the oldest format only; here its 32 bytes stand alone.
        out.extend_from_slice(&tables.key);
        (new.len() as u32).encode(out);
        (tried.len() as u32).encode(out);
        (NEW_BUCKETS as u32 ^ BUCKET_COUNT_FLAG).encode(out);
        new.iter().chain(&tried).for_each(|(_, info)| write_info(out, info));
        let places: HashMap<u32, u32> = new.iter().enumerate().map(|(n, (id, _))| (*id, n as u32)).collect();
        for bucket in &tables.new {
            let list: Vec<u32> = bucket.iter().filter_map(|id| places.get(id).copied()).collect();
            (list.len() as u32).encode(out);
            list.iter().for_each(|n| n.encode(out));
        }
        // No asmap.
        out.extend_from_slice(&[0; 32]);
    })
}

pub(crate) fn read_tables(file: &[u8], magic: [u8; 4], rng: Rng) -> Result<Tables, FileError> {
    let mut r = opened(magic, file)?;
    let format = r.u8()?;
    let compat = r.u8()?;
    let Some(lowest) = compat.checked_sub(INCOMPATIBILITY_BASE) else {
        return Err(FileError::Corrupt(format!(
            "Corrupted addrman database: The compat value ({compat}) is lower than the expected minimum value \
             {INCOMPATIBILITY_BASE}."
        )));
    };
    if lowest > FILE_FORMAT {
        return Err(FileError::Version { format, lowest });
    }
    let v2 = format >= 3;
    let mut tables = Tables::new(r.array()?, rng);
    let (new_count, tried_count) = (r.i32_le()?, r.i32_le()?);
    let mut buckets = r.u32_le()?;
    if format >= 1 {
        buckets ^= BUCKET_COUNT_FLAG;
    }
    let limit = |name: &str, count: i32, max: usize| {
        if (0..=max as i32).contains(&count) {
            Ok(())
        } else {
            Err(FileError::Corrupt(format!(
                "Corrupt AddrMan serialization: {name}={count}, should be in [0, {max}]"
            )))
        }
    };
    limit("nNew", new_count, NEW_BUCKETS * BUCKET_SIZE)?;
    limit("nTried", tried_count, TRIED_BUCKETS * BUCKET_SIZE)?;
    let mut ids = Vec::new();
    for _ in 0..new_count {
        let info = read_info(&mut r, v2)?;
        // The same address twice would break the index.
        ids.push(tables.get_mut(&info.address.service).is_none().then(|| tables.create(info)));
    }
    for _ in 0..tried_count {
        let info = read_info(&mut r, v2)?;
        tables.place_tried(info);
    }
    let mut places = Vec::new();
    for bucket in 0..buckets {
        for _ in 0..r.i32_le()?.max(0) {
            let index = r.i32_le()?;
            if let Some(id) = usize::try_from(index).ok().and_then(|n| ids.get(n).copied().flatten()) {
                places.push((bucket as usize, id));
            }
        }
    }
    let asmap = if format >= 2 { r.array()? } else { [0; 32] };
    let restore = buckets as usize == NEW_BUCKETS && asmap == [0; 32];
    for (bucket, id) in places {
        let Some(info) = tables.info.get(&id).copied() else { continue };
        let service = info.address.service;
        if !service.address.is_valid() || info.references >= NEW_BUCKETS_PER_ADDRESS {
            continue;
        }
        if !(restore && tables.place_new(id, bucket)) {
            let bucket = tables.new_bucket(&service, &info.source);
            tables.place_new(id, bucket);
        }
    }
    let lost: Vec<u32> =
        tables.info.iter().filter(|(_, i)| !i.tried && i.references == 0).map(|(id, _)| *id).collect();
    lost.into_iter().for_each(|id| tables.delete(id));
    tables.check().map_err(|why| {
        FileError::Corrupt(format!("Corrupt data. Consistency check failed with code {why}"))
    })?;
    check_seal(file, r)?;
    Ok(tables)
}

/// `anchors.dat`: addresses to connect to first after a restart.
pub fn write_anchors(magic: [u8; 4], anchors: &[TimedAddress]) -> Vec<u8> {
    sealed(magic, |out| {
        write_compact_size(out, anchors.len() as u64);
        anchors.iter().for_each(|a| write_address(out, a));
    })
}

/// Reads `anchors.dat`.
///
/// # Errors
/// If it is no such file.
pub fn read_anchors(magic: [u8; 4], file: &[u8]) -> Result<Vec<TimedAddress>, FileError> {
    let mut r = opened(magic, file)?;
    // Flag, time, services, kind, length and port take at least this much.
    let (count, safe) = r.count(13)?;
    let mut out = Vec::with_capacity(safe);
    for _ in 0..count {
        out.push(read_address(&mut r, true)?);
    }
    check_seal(file, r)?;
    Ok(out)
}
