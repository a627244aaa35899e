//! Addresses to start from, as BIP155 (network id, address, port) records one after another.
//! Reference: `src/chainparamsseeds.h`.

use grs_encoding::hex_decode;

use crate::Network;

const MAIN: &str = "010452c401470533 0104258b13830533 010492b98e290533 010492b98e310533";

const SIGNET: &str = "0104c6c7692b7a63
    02102604a8800001002000000000009660017a63
    0420a058614cfa698a1fc00fc454f6b768f3f43653fecd47b3965a65b74e4fbcaea07a63";

const TEST: &str = "010468ecb2f54571 0104c6c7692b4571 01042d20eb474571 01042d20ec804571 01045fb39c734571
    01046c3d63a94571 01044e8ddcdf4571 01045fb38c274571 0104d1faea5b4571
    0420b4a30f5eb6a137c8de953ae7ed28ae23a92ecf1472801cb60b9fe0a6c769bb934571
    042050c387ca8317681af39613fb574c8922dc22713670c62803a0e7af0f96e1a15b4571
    04204b86e6fe4520725490c7614617f8cbb4279949256e1903aae4bf8c4aaca9fdd84571";

const TESTNET4: &str = "010412bd9c66bccd 010412c9cf37bccd 0104339ef808bccd 01043980b0a3bccd 01045243660fbccd
    01045863f832bccd 01045fd949a2bccd 01046763abd4bccd 010467a5c0d2bccd";

/// The records of a network; empty for regtest.
pub(crate) fn fixed_seeds(network: Network) -> Vec<u8> {
    let text = match network {
        Network::Main => MAIN,
        Network::Test => TEST,
        Network::Testnet4 => TESTNET4,
        Network::Signet => SIGNET,
        Network::Regtest => "",
    };
    let digits: String = text.split_whitespace().collect();
    hex_decode(&digits).expect("the constants are hexadecimal")
}

/// Host names of the seeders. Regtest has one that never resolves, so that tests can see it being tried.
pub(crate) const fn dns_seeds(network: Network) -> &'static [&'static str] {
    match network {
        Network::Main => &[
            "dnsseed1.groestlcoin.org.",
            "dnsseed2.groestlcoin.org.",
            "dnsseed3.groestlcoin.org.",
            "dnsseed4.groestlcoin.org.",
        ],
        Network::Test => &["testnet-seed1.groestlcoin.org.", "testnet-seed2.groestlcoin.org."],
        Network::Testnet4 => &["testnet4-seed1.groestlcoin.org.", "testnet4-seed2.groestlcoin.org."],
        Network::Signet => &["95.179.191.212", "fe80::5400:1ff:feed:a3cc"],
        Network::Regtest => &["dummySeed.invalid."],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (network id, address, port) of each record.
    fn records(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>, u16)> {
        let mut out = Vec::new();
        while !bytes.is_empty() {
            let len = bytes[1] as usize;
            let port = u16::from_be_bytes([bytes[2 + len], bytes[3 + len]]);
            out.push((bytes[0], bytes[2..2 + len].to_vec(), port));
            bytes = &bytes[4 + len..];
        }
        out
    }

    #[test]
    fn records_are_whole() {
        let main = records(&fixed_seeds(Network::Main));
        assert_eq!(main.len(), 4);
        assert_eq!(main[0], (1, vec![82, 196, 1, 71], 1331));
        assert_eq!(main[3], (1, vec![146, 185, 142, 49], 1331));
        for (network, kinds) in [
            (Network::Test, "111111111444"),
            (Network::Testnet4, "111111111"),
            (Network::Signet, "124"),
            (Network::Regtest, ""),
        ] {
            let list = records(&fixed_seeds(network));
            let found: String = list.iter().map(|r| r.0.to_string()).collect();
            assert_eq!(found, kinds, "{network}");
            assert!(list.iter().all(|r| r.2 == network.p2p_port()), "{network}");
            assert!(list.iter().all(|r| r.1.len() == [0, 4, 16, 0, 32][r.0 as usize]), "{network}");
        }
    }
}
