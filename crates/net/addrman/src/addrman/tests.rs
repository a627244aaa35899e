use grs_fs::MemEnv;

use super::*;

const MAGIC: [u8; 4] = [1, 2, 3, 4];

fn address(n: u32, time: i64) -> TimedAddress {
    // Routable addresses in many groups.
    let [a, b, c, d] = n.wrapping_mul(2_654_435_761).to_be_bytes();
    let service = Service::new(NetAddress::Ipv4([a % 90 + 11, b, c, d]), 1331);
    TimedAddress { service, services: Services::NETWORK, time: time as u32 }
}

fn book(count: u32) -> AddrMan {
    let options = AddrManOptions { magic: MAGIC, deterministic: true };
    let book = AddrMan::open(None, options).unwrap();
    let now = clock::now_secs();
    for n in 0..count {
        let source = NetAddress::Ipv4([20 + (n % 50) as u8, (n / 50 % 200) as u8, 1, 1]);
        book.add(&[address(n, now - 100)], &source, 0);
        if n % 7 == 0 {
            book.good(&address(n, 0).service);
        }
    }
    book
}

#[test]
fn tables_stay_consistent() {
    let book = book(3000);
    assert!(book.size(None, Some(true)) > 1000);
    assert!(book.size(None, Some(false)) > 300);
    book.tables.lock().check().unwrap();
    assert_eq!(book.entries(true).len(), book.size(None, Some(false)));
    assert!(book.entries(false).len() >= book.size(None, Some(true)));
    for (info, position) in book.entries(true) {
        assert_eq!(book.find(&info.address.service), Some(position));
    }
    let (picked, _) = book.select(false, &[]).unwrap();
    assert!(book.find(&picked.service).is_some());
    assert!(!book.find(&book.select(true, &[]).unwrap().0.service).unwrap().tried);
    assert!(book.select(false, &[AddressNetwork::Onion]).is_none());
    assert_eq!(book.addresses(10, 0, None, true).len(), 10);
    assert_eq!(book.addresses(0, 23, None, true).len(), book.size(None, None) * 23 / 100);
}

#[test]
fn file_round_trips() {
    let first = book(2000);
    let bytes = write_tables(&first.tables.lock(), MAGIC);
    let again = read_tables(&bytes, MAGIC, Rng::seeded(3)).unwrap();
    assert_eq!(write_tables(&again, MAGIC).len(), bytes.len());
    let key = |entries: Vec<(AddrInfo, AddressPosition)>| {
        let mut list: Vec<_> =
            entries.iter().map(|(i, p)| (i.address.service, p.bucket, p.position)).collect();
        list.sort();
        list
    };
    for tried in [false, true] {
        assert_eq!(key(again.entries(tried)), key(first.entries(tried)));
    }
    let mut broken = bytes.clone();
    broken[100] ^= 1;
    assert_eq!(read_tables(&broken, MAGIC, Rng::seeded(3)).err(), Some(FileError::Checksum));
    assert_eq!(read_tables(&bytes, [0; 4], Rng::seeded(3)).err(), Some(FileError::Magic));
}

#[test]
fn newer_files_are_moved_away() {
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    let path = PathBuf::from("peers.dat");
    let options = AddrManOptions { magic: MAGIC, deterministic: true };
    drop(AddrMan::open_in(env.clone(), Some(path.clone()), options.clone()).unwrap());
    let mut data = env.read(&path).unwrap();
    data[5] = 32 + 5;
    let body = data.len() - 32;
    let checksum = grs_hashes::purpose::address_file_checksum(&data[..body]);
    data[body..].copy_from_slice(&checksum);
    env.write_synced(&path, &data).unwrap();
    drop(AddrMan::open_in(env.clone(), Some(path.clone()), options.clone()).unwrap());
    assert_eq!(env.read(Path::new("peers.dat.bak")).unwrap(), data);
    env.write_synced(&path, b"nonsense").unwrap();
    assert!(matches!(AddrMan::open_in(env, Some(path), options), Err(AddrManError::Corrupt { .. })));
}

#[test]
fn collisions_wait_for_the_old_address() {
    let book = book(6000);
    let mut tables = book.tables.lock();
    let now = clock::now_secs();
    let mut collided = None;
    for n in 0..6000 {
        let service = address(n, 0).service;
        if tables.find_position(&service).is_some_and(|p| !p.tried) && !tables.good(&service, true, now) {
            collided = Some(service);
            break;
        }
    }
    let service = collided.expect("a tried table this full collides");
    assert!(tables.select_tried_collision().is_some());
    // The old one worked a moment ago: it stays.
    tables.resolve_collisions(now);
    assert!(!tables.find_position(&service).unwrap().tried);
    assert!(tables.select_tried_collision().is_none());
    // Long after, untested, it has to go.
    assert!(!tables.good(&service, true, now));
    tables.resolve_collisions(now + 5 * 3600);
    assert!(tables.find_position(&service).unwrap().tried);
    tables.check().unwrap();
}

#[test]
fn a_file_without_a_key_is_refused() {
    let magic = [1, 2, 3, 4];
    let file = write_tables(&Tables::new([0; 32], Rng::seeded(1)), magic);
    let error = read_tables(&file, magic, Rng::seeded(1)).err().map(|e| e.to_string());
    assert_eq!(
        error.as_deref(),
        Some("Corrupt data. Consistency check failed with code -16: iostream error")
    );
    // A cut file ends before its checksum can be compared.
    let file = write_tables(&Tables::new([7; 32], Rng::seeded(1)), magic);
    assert!(read_tables(&file, magic, Rng::seeded(1)).is_ok());
    let error = read_tables(&file[..file.len() - 1], magic, Rng::seeded(1)).err().map(|e| e.to_string());
    assert_eq!(error.as_deref(), Some("AutoFile::read: end of file: iostream error"));
}
