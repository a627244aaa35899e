use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use grs_fs::{FileEnv, OpenMode, RealEnv};
use grs_log::{Category, debug, error, info, warn};
use grs_sync::{LockRank, OrderedMutex, clock};
use grs_wire::NetAddress;
use serde_json::{Value, json};

use crate::Subnet;

/// Seconds of a ban when no time is given (`-bantime`).
pub const DEFAULT_MISBEHAVING_BANTIME: i64 = 60 * 60 * 24;
const CURRENT_VERSION: i64 = 1;
const JSON_KEY: &str = "banned_nets";
/// Discouraged addresses that are remembered.
const MAX_DISCOURAGED: usize = 50_000;

/// A ban. Times are seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BanEntry {
    /// When it was made.
    pub created: i64,
    /// When it ends.
    pub until: i64,
}

#[derive(Default)]
struct State {
    banned: BTreeMap<Subnet, BanEntry>,
    discouraged: HashSet<NetAddress>,
    discouraged_order: VecDeque<NetAddress>,
    dirty: bool,
}

impl State {
    fn sweep(&mut self, now: i64) {
        let before = self.banned.len();
        self.banned.retain(|subnet, entry| {
            let keep = now <= entry.until;
            if !keep {
                debug!(Category::Net, "Removed banned node address/subnet: {subnet}");
            }
            keep
        });
        self.dirty |= self.banned.len() != before;
    }
}

/// Banned addresses, chosen by the user and kept in `banlist.json`, and discouraged ones, which misbehaved and are
/// forgotten at shutdown. Reference: `BanMan`.
pub struct BanMan {
    path: Option<PathBuf>,
    env: Arc<dyn FileEnv>,
    default_ban_time: i64,
    state: OrderedMutex<State>,
    on_change: std::sync::RwLock<Option<Arc<dyn Fn() + Send + Sync>>>,
}

impl BanMan {
    /// Reads the list; a missing or unreadable file means an empty list. Without a path nothing is stored.
    pub fn open(path: Option<PathBuf>, default_ban_time: i64) -> BanMan {
        BanMan::open_in(Arc::new(RealEnv), path, default_ban_time)
    }

    /// As [`BanMan::open`] in a given file system.
    pub fn open_in(env: Arc<dyn FileEnv>, path: Option<PathBuf>, default_ban_time: i64) -> BanMan {
        // Callers may name the file without its ending, as there once was another one.
        let path =
            path.map(|path| if path.extension().is_none() { path.with_extension("json") } else { path });
        let mut state = State::default();
        if let Some(path) = &path {
            let old = path.with_extension("dat");
            if env.exists(&old) {
                warn!(
                    "banlist.dat ignored because it can only be read by Groestlcoin Core version 22.x. Remove \"{}\" \
                     to silence this warning.",
                    old.display()
                );
            }
            match read(&*env, path) {
                Some(banned) => {
                    state.banned = banned;
                    state.sweep(clock::now_secs());
                    debug!(Category::Net, "Loaded {} banned node addresses/subnets  0ms", state.banned.len());
                }
                None => {
                    info!("Recreating the banlist database");
                    state.dirty = true;
                }
            }
        }
        let ban = BanMan {
            path,
            env,
            default_ban_time,
            state: OrderedMutex::new(LockRank::AddrMan, "banned", state),
            on_change: std::sync::RwLock::new(None),
        };
        ban.dump();
        ban
    }

    /// Sets who is told when the list changes.
    pub fn set_on_change(&self, call: Arc<dyn Fn() + Send + Sync>) {
        *self.on_change.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(call);
    }

    fn changed(&self) {
        let call = self.on_change.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if let Some(call) = call {
            call();
        }
        self.dump();
    }

    /// Bans a range for `offset` seconds, or until the time `offset` if `since_epoch`. 0 or less takes the default
    /// time. A ban that ends later already stays.
    pub fn ban(&self, subnet: Subnet, offset: i64, since_epoch: bool) {
        let now = clock::now_secs();
        let (offset, since_epoch) =
            if offset <= 0 { (self.default_ban_time, false) } else { (offset, since_epoch) };
        let until = if since_epoch { offset } else { now.saturating_add(offset) };
        {
            let mut state = self.state.lock();
            if state.banned.get(&subnet).is_some_and(|entry| entry.until >= until) {
                return;
            }
            state.banned.insert(subnet, BanEntry { created: now, until });
            state.dirty = true;
        }
        self.changed();
    }

    /// Ends the ban of exactly this range; false if there is none.
    pub fn unban(&self, subnet: &Subnet) -> bool {
        {
            let mut state = self.state.lock();
            if state.banned.remove(subnet).is_none() {
                return false;
            }
            state.dirty = true;
        }
        self.changed();
        true
    }

    /// Ends all bans.
    pub fn clear(&self) {
        {
            let mut state = self.state.lock();
            state.banned.clear();
            state.dirty = true;
        }
        self.changed();
    }

    /// All bans in force.
    pub fn banned(&self) -> Vec<(Subnet, BanEntry)> {
        let mut state = self.state.lock();
        state.sweep(clock::now_secs());
        state.banned.iter().map(|(subnet, entry)| (*subnet, *entry)).collect()
    }

    /// Whether an address lies in a banned range.
    pub fn is_banned(&self, address: &NetAddress) -> bool {
        let now = clock::now_secs();
        self.state.lock().banned.iter().any(|(subnet, entry)| now < entry.until && subnet.matches(address))
    }

    /// Whether exactly this range is banned.
    pub fn is_banned_subnet(&self, subnet: &Subnet) -> bool {
        self.state.lock().banned.get(subnet).is_some_and(|entry| clock::now_secs() < entry.until)
    }

    /// Notes that an address misbehaved: it is refused when slots are short, and not connected to.
    pub fn discourage(&self, address: &NetAddress) {
        let mut state = self.state.lock();
        if state.discouraged.insert(*address) {
            state.discouraged_order.push_back(*address);
            if state.discouraged_order.len() > MAX_DISCOURAGED
                && let Some(oldest) = state.discouraged_order.pop_front()
            {
                state.discouraged.remove(&oldest);
            }
        }
    }

    /// Whether an address misbehaved since start.
    pub fn is_discouraged(&self, address: &NetAddress) -> bool {
        self.state.lock().discouraged.contains(address)
    }

    /// Writes the list, if it changed.
    pub fn dump(&self) {
        let Some(path) = &self.path else { return };
        let banned = {
            let mut state = self.state.lock();
            state.sweep(clock::now_secs());
            if !state.dirty {
                return;
            }
            state.dirty = false;
            state.banned.clone()
        };
        let start = std::time::Instant::now();
        if let Err(e) = write(&*self.env, path, &banned) {
            error!("Error: Unable to open settings file {} for writing: {e}", path.display());
            self.state.lock().dirty = true;
        }
        debug!(
            Category::Net,
            "Flushed {} banned node addresses/subnets to disk  {}ms",
            banned.len(),
            start.elapsed().as_millis()
        );
    }
}

impl Drop for BanMan {
    fn drop(&mut self) {
        self.dump();
    }
}

fn write(
    env: &dyn FileEnv,
    path: &std::path::Path,
    banned: &BTreeMap<Subnet, BanEntry>,
) -> std::io::Result<()> {
    let list: Vec<Value> = banned
        .iter()
        .map(|(subnet, entry)| {
            json!({
                "version": CURRENT_VERSION,
                "ban_created": entry.created,
                "banned_until": entry.until,
                "address": subnet.to_string(),
            })
        })
        .collect();
    let value = json!({
        "_warning_": "This file is automatically generated and updated by Groestlcoin Core. Please do not edit this \
                      file while the node is running, as any changes might be ignored or overwritten.",
        JSON_KEY: list,
    });
    let mut out = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, format);
    serde::Serialize::serialize(&value, &mut serializer).map_err(std::io::Error::other)?;
    out.push(b'\n');
    let file = env.open(path, OpenMode::Truncate)?;
    file.write_at(&out, 0)
}

/// The entries of a file; `None` if it is missing or no ban list.
fn read(env: &dyn FileEnv, path: &std::path::Path) -> Option<BTreeMap<Subnet, BanEntry>> {
    if !env.exists(path) {
        return None;
    }
    let parsed = env
        .read(path)
        .map_err(|e| e.to_string())
        .and_then(|data| serde_json::from_slice::<Value>(&data).map_err(|e| e.to_string()));
    let value = match parsed {
        Ok(Value::Object(value)) => value,
        Ok(_) => {
            warn!("Cannot load banlist {}: no JSON object", path.display());
            return None;
        }
        Err(e) => {
            warn!("Cannot load banlist {}: {e}", path.display());
            return None;
        }
    };
    let mut banned = BTreeMap::new();
    let list = value.get(JSON_KEY).and_then(Value::as_array);
    let Some(list) = list else {
        warn!("Cannot parse banlist {}: JSON value is not an array as expected", path.display());
        return None;
    };
    for entry in list {
        let number = |key: &str| entry.get(key).and_then(Value::as_i64);
        let text = entry.get("address").and_then(Value::as_str);
        let (Some(version), Some(created), Some(until), Some(text)) =
            (number("version"), number("ban_created"), number("banned_until"), text)
        else {
            warn!("Cannot parse banlist {}: JSON value is not of the expected type", path.display());
            return None;
        };
        if version != CURRENT_VERSION {
            info!("Dropping entry with unknown version ({version}) from ban list");
            continue;
        }
        let Some(subnet) = Subnet::parse(text) else {
            info!("Dropping entry with unparseable address or subnet ({text}) from ban list");
            continue;
        };
        banned.insert(subnet, BanEntry { created, until });
    }
    Some(banned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use grs_fs::MemEnv;

    fn subnet(text: &str) -> Subnet {
        Subnet::parse(text).unwrap()
    }

    #[test]
    fn bans_survive_a_restart_and_end() {
        let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
        let path = PathBuf::from("banlist.json");
        let open = || BanMan::open_in(env.clone(), Some(path.clone()), 100);
        let ban = open();
        ban.ban(subnet("1.2.3.0/24"), 0, false);
        ban.ban(subnet("5.6.7.8"), clock::now_secs() + 50, true);
        ban.ban(subnet("9.9.9.9"), 1, true);
        assert!(ban.is_banned(&NetAddress::parse("1.2.3.77").unwrap()));
        assert!(!ban.is_banned(&NetAddress::parse("1.2.4.77").unwrap()));
        assert!(!ban.is_banned_subnet(&subnet("1.2.3.77")));
        assert!(!ban.is_banned(&NetAddress::parse("9.9.9.9").unwrap()));
        drop(ban);
        let text = String::from_utf8(env.read(&path).unwrap()).unwrap();
        assert!(text.starts_with("{\n    \"_warning_\": \"This file"), "{text}");
        assert!(text.contains("\n            \"address\": \"1.2.3.0/24\"\n"), "{text}");
        let ban = open();
        assert_eq!(
            ban.banned().iter().map(|b| b.0.to_string()).collect::<Vec<_>>(),
            ["1.2.3.0/24", "5.6.7.8/32"]
        );
        // A shorter ban does not replace a longer one.
        let until = ban.banned()[0].1.until;
        ban.ban(subnet("1.2.3.0/24"), 5, false);
        assert_eq!(ban.banned()[0].1.until, until);
        assert!(ban.unban(&subnet("5.6.7.8")));
        assert!(!ban.unban(&subnet("5.6.7.8")));
        ban.clear();
        assert!(ban.banned().is_empty());
        drop(ban);
        assert!(open().banned().is_empty());
    }

    #[test]
    fn broken_files_are_replaced() {
        for content in ["", "[]", "{\"banned_nets\": 3}", "{\"banned_nets\": [{\"version\": 1}]}"] {
            let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
            env.write_synced(&PathBuf::from("banlist.json"), content.as_bytes()).unwrap();
            let ban = BanMan::open_in(env.clone(), Some("banlist.json".into()), 1);
            assert!(ban.banned().is_empty(), "{content}");
            let text = String::from_utf8(env.read(&PathBuf::from("banlist.json")).unwrap()).unwrap();
            assert!(text.contains("banned_nets") && text.contains("_warning_"));
        }
    }

    #[test]
    fn discouraged_are_bounded() {
        let ban = BanMan::open(None, 1);
        let address = |i: u32| NetAddress::Ipv4(i.to_be_bytes());
        for i in 0..MAX_DISCOURAGED as u32 + 10 {
            ban.discourage(&address(i));
        }
        assert!(!ban.is_discouraged(&address(9)));
        assert!(ban.is_discouraged(&address(10)));
    }
}
