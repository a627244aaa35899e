//! Fuzz targets: any bytes, no panic.

use grs_hashes::purpose::address_file_checksum;

use crate::file::{read_anchors, read_tables};
use crate::{Rng, Subnet};

/// `peers.dat` and `anchors.dat` with a valid checksum.
pub fn fuzz_files(data: &[u8]) {
    let mut file = vec![1, 2, 3, 4];
    file.extend_from_slice(data);
    let checksum = address_file_checksum(&file);
    file.extend_from_slice(&checksum);
    let _ = read_anchors([1, 2, 3, 4], &file);
    if let Ok(tables) = read_tables(&file, [1, 2, 3, 4], Rng::seeded(1)) {
        assert_eq!(tables.check(), Ok(()));
    }
}

/// Subnets as text.
pub fn fuzz_subnet(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(subnet) = Subnet::parse(&text) {
        assert_eq!(Subnet::parse(&subnet.to_string()), Some(subnet));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_on_mutations() {
        let mut tables = crate::table::Tables::new([7; 32], Rng::seeded(9));
        let now = 1_700_000_000;
        for n in 0..40_u8 {
            let service = grs_wire::Service::new(grs_wire::NetAddress::Ipv4([50 + n, 2, 3, n]), 1331);
            let address = grs_wire::TimedAddress { service, time: now, ..Default::default() };
            tables.add(&[address], &service.address, 0, i64::from(now));
            if n % 3 == 0 {
                tables.good(&service, true, i64::from(now));
            }
        }
        let file = crate::file::write_tables(&tables, [1, 2, 3, 4]);
        let anchors = crate::file::write_anchors([1, 2, 3, 4], &[Default::default(); 2]);
        let body = |f: &[u8]| f[4..f.len() - 32].to_vec();
        grs_testkit::run_fuzz(fuzz_files, &[body(&file), body(&anchors)], 500);
        grs_testkit::run_fuzz(fuzz_subnet, &[b"1.2.3.4/24".to_vec(), b"2001:db8::/32".to_vec()], 3000);
    }
}
