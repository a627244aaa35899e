//! `-netinfo`: the node's connections as a table for people.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::call::{CliError, Handler, batch_replies, batch_text, result_reply};
use crate::version::{CLIENT_NAME, FULL_VERSION};

/// Most detailed level.
pub(crate) const MAX_LEVEL: u8 = 4;
const NETWORKS: [&str; 7] = ["not_publicly_routable", "ipv4", "ipv6", "onion", "i2p", "cjdns", "internal"];
const SHORT_NAMES: [&str; 7] = ["npr", "ipv4", "ipv6", "onion", "i2p", "cjdns", "int"];
/// Networks without a line in the node's list of networks, shown when a peer has one.
const UNREACHABLE: [usize; 2] = [0, 6];
/// Oldest server whose answers have all that is shown.
const MIN_SERVER_VERSION: i64 = 209_900;

/// Number of a network by its name in answers.
pub(crate) fn network_index(name: &str) -> Option<usize> {
    NETWORKS.iter().position(|known| *known == name)
}

/// Networks that peers can be reached over.
pub(crate) fn routable_networks() -> impl Iterator<Item = (usize, &'static str)> {
    NETWORKS.into_iter().enumerate().filter(|(index, _)| !UNREACHABLE.contains(index))
}

/// The table and its options.
pub(crate) struct NetInfo {
    level: u8,
    outbound_only: bool,
    /// Name of the chain after a blank; empty for the main chain.
    chain: String,
}

impl NetInfo {
    /// Reads the words after `-netinfo`.
    pub(crate) fn new(words: &[String], chain: String) -> Result<Self, CliError> {
        let mut netinfo = Self { level: 0, outbound_only: false, chain };
        let hint = "For more information, run: groestlcoin-cli -netinfo help";
        if let Some(level) = words.first() {
            let digits = !level.is_empty() && level.bytes().all(|b| b.is_ascii_digit());
            let Some(number) = level.parse::<u8>().ok().filter(|_| digits) else {
                return Err(CliError::other(format!("invalid -netinfo level argument: {level}\n{hint}")));
            };
            netinfo.level = number.min(MAX_LEVEL);
        }
        match words.get(1).map(String::as_str) {
            None => {}
            Some("o" | "outonly") if netinfo.level > 0 => netinfo.outbound_only = true,
            Some(word) => {
                let why = if netinfo.level > 0 {
                    hint.to_owned()
                } else {
                    format!(
                        "The outonly argument is only valid for a level greater than 0 (the first argument). {hint}"
                    )
                };
                return Err(CliError::other(format!("invalid -netinfo outonly argument: {word}\n{why}")));
            }
        }
        Ok(netinfo)
    }

    fn shows_addresses(&self) -> bool {
        matches!(self.level, 2 | 4)
    }

    fn shows_versions(&self) -> bool {
        matches!(self.level, 3 | 4)
    }
}

impl Handler for NetInfo {
    fn request(&self) -> Result<String, CliError> {
        Ok(batch_text(&["getpeerinfo", "getnetworkinfo"]))
    }

    fn reply(&self, reply: Value) -> Result<Value, CliError> {
        let mut replies = batch_replies(reply)?;
        replies.resize(2, Value::Null);
        if let Some(failed) = replies.iter().find(|r| !r["error"].is_null()) {
            return Ok(failed.clone());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let text = self.dashboard(&replies[0]["result"], &replies[1]["result"], now)?;
        Ok(result_reply(text.into()))
    }
}

/// What is shown of a peer.
struct Peer {
    address: String,
    version: String,
    connection: &'static str,
    network: usize,
    services: String,
    transport: char,
    min_ping: f64,
    ping: f64,
    /// Texts of columns that are numbers, empty where there is nothing to tell.
    age: String,
    sent: String,
    received: String,
    transaction: String,
    block: String,
    high_bandwidth: String,
    addresses: String,
    addresses_dropped: String,
    mapped_as: i64,
    id: String,
    outbound: bool,
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or(false)
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Text of a number, empty for zero.
fn unless_zero(number: i64, text: impl FnOnce(i64) -> i64) -> String {
    if number == 0 { String::new() } else { text(number).to_string() }
}

impl Peer {
    fn new(peer: &Value, network: usize, now: i64) -> Self {
        let minutes_since = |key: &str| unless_zero(int(&peer[key]), |time| (now - time) / 60);
        let seconds_since = |key: &str| unless_zero(int(&peer[key]), |time| now - time);
        let count = |key: &str| unless_zero(int(&peer[key]), |number| number);
        let mark = |text: String, absent: bool, mark: &str| {
            if text.is_empty() && absent { mark.to_owned() } else { text }
        };
        let relays = peer["relaytxes"].as_bool().unwrap_or(true);
        let protocol = peer["transport_protocol_type"].as_str().unwrap_or("v1");
        let version = format!("{}{}", int(&peer["version"]), string(&peer["subver"]));
        Self {
            address: string(&peer["addr"]).to_owned(),
            version: if version == "0" { String::new() } else { version },
            connection: connection_type(string(&peer["connection_type"])),
            network,
            services: service_letters(&peer["servicesnames"]),
            transport: match protocol.as_bytes() {
                [b'v', digit] => char::from(*digit),
                _ => ' ',
            },
            min_ping: peer["minping"].as_f64().unwrap_or(-1.0),
            ping: peer["pingtime"].as_f64().unwrap_or(-1.0),
            age: minutes_since("conntime"),
            sent: seconds_since("lastsend"),
            received: seconds_since("lastrecv"),
            transaction: mark(minutes_since("last_transaction"), !relays, "*"),
            block: minutes_since("last_block"),
            high_bandwidth: [("bip152_hb_to", '.'), ("bip152_hb_from", '*')]
                .map(|(key, mark)| if flag(&peer[key]) { mark } else { ' ' })
                .iter()
                .collect(),
            addresses: mark(count("addr_processed"), !flag(&peer["addr_relay_enabled"]), "."),
            addresses_dropped: count("addr_rate_limited"),
            mapped_as: int(&peer["mapped_as"]),
            id: int(&peer["id"]).to_string(),
            outbound: !flag(&peer["inbound"]),
        }
    }
}

fn connection_type(name: &str) -> &'static str {
    match name {
        "outbound-full-relay" => "full",
        "block-relay-only" => "block",
        "manual" => "manual",
        "feeler" => "feeler",
        "addr-fetch" => "addr",
        "private-broadcast" => "priv",
        _ => "",
    }
}

/// One letter for each service.
fn service_letters(services: &Value) -> String {
    let letter = |name: &str| match name {
        "NETWORK_LIMITED" => Some('l'),
        "P2P_V2" => Some('2'),
        other => other.chars().next().map(|c| c.to_ascii_lowercase()),
    };
    services.as_array().into_iter().flatten().filter_map(|s| letter(string(s))).collect()
}

fn service_list(services: &Value) -> String {
    let names: Vec<String> = services
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| string(s).replace('_', " ").to_ascii_lowercase())
        .collect();
    names.join(", ")
}

/// Milliseconds.
fn ping_text(seconds: f64) -> String {
    if seconds < 0.0 {
        return String::new();
    }
    let milliseconds = (1000.0 * seconds).round();
    if milliseconds > 999_999.0 { "-".to_owned() } else { format!("{milliseconds}") }
}

/// Peers by direction (in, out, both) and network; the last column is all networks.
type Counts = [[u32; NETWORKS.len() + 1]; 3];

impl NetInfo {
    fn dashboard(&self, peer_list: &Value, info: &Value, now: i64) -> Result<String, CliError> {
        if int(&info["version"]) < MIN_SERVER_VERSION {
            return Err(CliError::other(
                "-netinfo requires groestlcoind server to be running v2.21.0 and up",
            ));
        }
        let mut counts = Counts::default();
        let (mut block_relay, mut manual) = (0, 0);
        let mut peers = Vec::new();
        for peer in peer_list.as_array().into_iter().flatten() {
            let Some(network) = network_index(string(&peer["network"])) else { continue };
            let outbound = !flag(&peer["inbound"]);
            for row in [usize::from(outbound), 2] {
                counts[row][network] += 1;
                counts[row][NETWORKS.len()] += 1;
            }
            match string(&peer["connection_type"]) {
                "block-relay-only" => block_relay += 1,
                "manual" => manual += 1,
                _ => {}
            }
            if self.level > 0 && (outbound || !self.outbound_only) {
                peers.push(Peer::new(peer, network, now));
            }
        }
        peers.sort_by(|a, b| a.outbound.cmp(&b.outbound).then(a.min_ping.total_cmp(&b.min_ping)));

        let services = &info["localservicesnames"];
        let mut out = format!(
            "{CLIENT_NAME} client {FULL_VERSION}{} - server {}{}{}\n\n",
            self.chain,
            int(&info["protocolversion"]),
            string(&info["subversion"]),
            if self.level > 0 { format!(" - services {}", service_letters(services)) } else { String::new() }
        );
        if !peers.is_empty() {
            self.write_peers(&mut out, &peers);
        }
        write_counts(&mut out, &counts, &info["networks"], block_relay, manual);
        if self.level == 0 {
            out += &format!("\n\nLocal services: {}", service_list(services));
        }
        write_local_addresses(&mut out, &info["localaddresses"]);
        Ok(out)
    }

    fn write_peers(&self, out: &mut String, peers: &[Peer]) {
        let widest =
            |least: usize, column: fn(&Peer) -> usize| peers.iter().map(column).max().unwrap_or(0).max(least);
        let services = widest(6, |p| p.services.len());
        let processed = widest(5, |p| p.addresses.len());
        let limited = widest(6, |p| p.addresses_dropped.len());
        let age = widest(5, |p| p.age.len());
        let id = widest(2, |p| p.id.len());
        let address = if self.shows_addresses() { widest(0, |p| p.address.len() + 1) } else { 0 };
        let asmap = peers.iter().any(|p| p.mapped_as != 0);

        *out += &format!(
            "<->   type   net {:>services$}  v  mping   ping send recv  txn  blk  hb {:>processed$}{:>limited$}{:>age$} ",
            "serv", "addrp", "addrl", "age"
        );
        if asmap {
            *out += " asmap ";
        }
        let address_title = if self.shows_addresses() { "address" } else { "" };
        let version_title = if self.shows_versions() { "version" } else { "" };
        *out += &format!("{:>id$} {address_title:<address$}{version_title}\n", "id");
        let asmap_width = if asmap { 7 } else { 0 };
        for peer in peers {
            *out += &format!(
                "{:>3} {:>6} {:>5} {:>services$} {:>2}{:>7}{:>7}{:>5}{:>5}{:>5}{:>5}  {:>2} \
                 {:>processed$}{:>limited$}{:>age$}{:>asmap_width$} {:>id$} {:<address$}{}\n",
                if peer.outbound { "out" } else { "in" },
                peer.connection,
                SHORT_NAMES[peer.network],
                peer.services,
                peer.transport,
                ping_text(peer.min_ping),
                ping_text(peer.ping),
                peer.sent,
                peer.received,
                peer.transaction,
                peer.block,
                peer.high_bandwidth,
                peer.addresses,
                peer.addresses_dropped,
                peer.age,
                unless_zero(peer.mapped_as, |number| number),
                peer.id,
                if self.shows_addresses() { &peer.address } else { "" },
                if self.shows_versions() { &peer.version } else { "" },
            );
        }
        *out += &format!(
            "                {:services$}         ms     ms  sec  sec  min  min                {:>age$}\n\n",
            "", "min"
        );
    }
}

fn write_counts(out: &mut String, counts: &Counts, networks: &Value, block_relay: u32, manual: u32) {
    *out += "     ";
    let mut columns = Vec::new();
    for network in networks.as_array().into_iter().flatten() {
        let name = string(&network["name"]);
        if let Some(index) = network_index(name).filter(|_| flag(&network["reachable"])) {
            *out += &format!("{name:>8}");
            columns.push(index);
        }
    }
    for index in UNREACHABLE {
        if counts[2][index] > 0 {
            *out += &format!("{:>8}", SHORT_NAMES[index]);
            columns.push(index);
        }
    }
    *out += "   total   block";
    if manual > 0 {
        *out += "  manual";
    }
    for (title, row) in ["in", "out", "total"].into_iter().zip(counts) {
        *out += &format!("\n{title:<5}");
        for column in &columns {
            *out += &format!("{:>8}", row[*column]);
        }
        *out += &format!("   {:>5}", row[NETWORKS.len()]);
        if title == "out" {
            *out += &format!("   {block_relay:>5}");
            if manual > 0 {
                *out += &format!("   {manual:>5}");
            }
        }
    }
}

fn write_local_addresses(out: &mut String, addresses: &Value) {
    *out += "\n\nLocal addresses";
    let addresses = addresses.as_array().map(Vec::as_slice).unwrap_or_default();
    if addresses.is_empty() {
        *out += ": n/a\n";
        return;
    }
    let width = addresses.iter().map(|a| string(&a["address"]).len() + 1).max().unwrap_or(0);
    for address in addresses {
        *out += &format!(
            "\n{:<width$}    port {:>6}    score {:>6}",
            string(&address["address"]),
            int(&address["port"]),
            int(&address["score"])
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn netinfo(words: &[&str]) -> Result<NetInfo, String> {
        let words: Vec<String> = words.iter().map(|s| (*s).to_owned()).collect();
        NetInfo::new(&words, " regtest".to_owned()).map_err(|e| e.to_string())
    }

    fn network() -> Value {
        json!({"version": 310000, "protocolversion": 70016, "subversion": "/Groestlcoin:31.0.0/",
            "localservicesnames": ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"],
            "networks": [{"name": "ipv4", "reachable": true}, {"name": "ipv6", "reachable": false},
                         {"name": "onion", "reachable": true}],
            "localaddresses": [{"address": "1.2.3.4", "port": 1331, "score": 4}]})
    }

    fn peer(id: i64, change: Value) -> Value {
        let mut peer = json!({"id": id, "addr": "127.0.0.1:1", "network": "not_publicly_routable", "inbound": false,
            "connection_type": "manual", "version": 70016, "subver": "/x/", "servicesnames": ["NETWORK", "BLOOM"],
            "conntime": 940, "lastsend": 999, "lastrecv": 0, "last_transaction": 0, "last_block": 880,
            "minping": 0.0015, "pingtime": 2000.0, "relaytxes": false, "bip152_hb_to": true, "bip152_hb_from": true,
            "addr_processed": 12, "addr_rate_limited": 0, "addr_relay_enabled": true,
            "transport_protocol_type": "v2"});
        for (key, value) in change.as_object().unwrap() {
            peer[key] = value.clone();
        }
        peer
    }

    #[test]
    fn words_are_checked() {
        assert_eq!(netinfo(&[]).unwrap().level, 0);
        assert_eq!(netinfo(&["250"]).unwrap().level, MAX_LEVEL);
        assert!(netinfo(&["1", "o"]).unwrap().outbound_only);
        assert!(netinfo(&["x"]).err().unwrap().starts_with("invalid -netinfo level argument: x\n"));
        assert!(netinfo(&["256"]).is_err());
        assert!(
            netinfo(&["1", "x"]).err().unwrap().starts_with("invalid -netinfo outonly argument: x\nFor more")
        );
        assert!(
            netinfo(&["0", "o"]).err().unwrap().contains("\nThe outonly argument is only valid for a level")
        );
    }

    #[test]
    fn short_dashboard() {
        let peers = json!([
            peer(0, json!({})),
            peer(1, json!({"inbound": true, "network": "ipv4", "connection_type": "inbound"}))
        ]);
        let text = netinfo(&[]).unwrap().dashboard(&peers, &network(), 1000).unwrap();
        let expected = "\
Groestlcoin Core client v31.0.0 regtest - server 70016/Groestlcoin:31.0.0/

         ipv4   onion     npr   total   block  manual
in          1       0       0       1
out         0       0       1       1       0       1
total       1       0       1       2

Local services: network, witness, network limited, p2p v2

Local addresses
1.2.3.4     port   1331    score      4";
        assert_eq!(text, expected);
    }

    #[test]
    fn full_dashboard() {
        let peers = json!([
            peer(0, json!({})),
            peer(
                10,
                json!({"inbound": true, "connection_type": "inbound", "minping": null, "pingtime": null,
                "relaytxes": true, "addr_processed": 0, "addr_relay_enabled": false, "bip152_hb_to": false})
            ),
        ]);
        let mut info = network();
        info["localaddresses"] = json!([]);
        let text = netinfo(&["4"]).unwrap().dashboard(&peers, &info, 1000).unwrap();
        let expected = "\
Groestlcoin Core client v31.0.0 regtest - server 70016/Groestlcoin:31.0.0/ - services nwl2

<->   type   net   serv  v  mping   ping send recv  txn  blk  hb addrp addrl  age id address     version
 in          npr     nb  2                  1              2   *     .          1 10 127.0.0.1:1 70016/x/
out manual   npr     nb  2      2      -    1         *    2  .*    12          1  0 127.0.0.1:1 70016/x/
                               ms     ms  sec  sec  min  min                  min

         ipv4   onion     npr   total   block  manual
in          0       0       1       1
out         0       0       1       1       0       1
total       0       0       2       2

Local addresses: n/a
";
        assert_eq!(text, expected);
        let outbound = netinfo(&["1", "o"]).unwrap().dashboard(&peers, &info, 1000).unwrap();
        assert_eq!(outbound.lines().filter(|l| l.starts_with(" in")).count(), 0);
        assert!(!outbound.contains("127.0.0.1"));
    }

    #[test]
    fn old_servers_are_refused() {
        let mut info = network();
        info["version"] = json!(200000);
        assert!(netinfo(&[]).unwrap().dashboard(&json!([]), &info, 0).is_err());
    }
}
