//! Settings of the window, in a file of ours: `gui.json` in the data directory.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::amount::Unit;

/// Name of the file.
pub const FILE_NAME: &str = "gui.json";
/// A larger file is not one of ours.
const MOST_BYTES: u64 = 1 << 20;

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// All of them.
    pub const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];

    fn key(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// Smallest and largest zoom, in percent.
pub const ZOOM: std::ops::RangeInclusive<u32> = 50..=300;
/// Smallest and largest font size of the console, in points.
pub const CONSOLE_FONT: std::ops::RangeInclusive<u32> = 4..=40;

/// What the user has chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Light or dark.
    pub theme: Theme,
    /// Unit of amounts.
    pub unit: Unit,
    /// Size of everything, in percent.
    pub zoom: u32,
    /// Hide amounts.
    pub mask_values: bool,
    /// Font size of the console.
    pub console_font: u32,
    /// Let recipients pay the fee unless told otherwise.
    pub subtract_fee: bool,
    /// Target of the fee in blocks.
    pub fee_target: u32,
    /// Fee rate typed last, in gro per 1,000 virtual bytes.
    pub fee_rate: Option<u64>,
    /// Span of the traffic plot in minutes.
    pub traffic_minutes: u32,
    /// Size and place of the window: x, y, width, height in points.
    pub window: Option<[f32; 4]>,
    /// The wallet that was shown last, by network.
    pub wallet: Map<String, Value>,
    /// What this version does not know; kept as it is.
    other: Map<String, Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            theme: Theme::System,
            unit: Unit::Grs,
            zoom: 100,
            mask_values: false,
            console_font: 10,
            subtract_fee: false,
            fee_target: 6,
            fee_rate: None,
            traffic_minutes: 30,
            window: None,
            wallet: Map::new(),
            other: Map::new(),
        }
    }
}

fn clamp(value: Option<Value>, range: std::ops::RangeInclusive<u32>, default: u32) -> u32 {
    let value = value.and_then(|v| v.as_u64()).and_then(|n| u32::try_from(n).ok());
    value.map_or(default, |n| n.clamp(*range.start(), *range.end()))
}

impl Settings {
    /// From JSON; values that make no sense are left at their defaults.
    pub fn from_json(mut json: Map<String, Value>) -> Settings {
        let default = Settings::default();
        let mut take = |key: &str| json.remove(key);
        let theme = take("theme");
        let text = |v: &Option<Value>| v.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |v: Option<Value>| v.and_then(|v| v.as_bool()).unwrap_or(false);
        Settings {
            theme: Theme::ALL.into_iter().find(|t| t.key() == text(&theme)).unwrap_or_default(),
            unit: Unit::from_key(&text(&take("unit"))).unwrap_or_default(),
            zoom: clamp(take("zoom"), ZOOM, default.zoom),
            mask_values: flag(take("mask_values")),
            console_font: clamp(take("console_font"), CONSOLE_FONT, default.console_font),
            subtract_fee: flag(take("subtract_fee")),
            fee_target: clamp(take("fee_target"), 1..=1008, default.fee_target),
            fee_rate: take("fee_rate").and_then(|v| v.as_u64()),
            traffic_minutes: clamp(take("traffic_minutes"), 5..=24 * 60, default.traffic_minutes),
            window: take("window").and_then(|v| {
                let numbers: Vec<f32> =
                    v.as_array()?.iter().filter_map(|n| Some(n.as_f64()? as f32)).collect();
                <[f32; 4]>::try_from(numbers)
                    .ok()
                    .filter(|all| all.iter().all(|n| n.is_finite() && n.abs() < 1e5))
            }),
            wallet: take("wallet").and_then(|v| v.as_object().cloned()).unwrap_or_default(),
            other: json,
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut out = self.other.clone();
        let mut put = |key: &str, value: Value| {
            out.insert(key.to_owned(), value);
        };
        put("theme", self.theme.key().into());
        put("unit", self.unit.key().into());
        put("zoom", self.zoom.into());
        put("mask_values", self.mask_values.into());
        put("console_font", self.console_font.into());
        put("subtract_fee", self.subtract_fee.into());
        put("fee_target", self.fee_target.into());
        put("traffic_minutes", self.traffic_minutes.into());
        put("wallet", self.wallet.clone().into());
        if let Some(rate) = self.fee_rate {
            put("fee_rate", rate.into());
        }
        if let Some(window) = self.window {
            put("window", json!(window.map(f64::from)));
        }
        out
    }

    /// Name of the wallet that was shown last on a network.
    pub fn last_wallet(&self, network: &str) -> Option<&str> {
        self.wallet.get(network).and_then(Value::as_str)
    }
}

/// The file, and what was read from it.
#[derive(Debug, Clone)]
pub struct SettingsStore {
    path: PathBuf,
    saved: Settings,
}

impl SettingsStore {
    /// Reads the settings of a data directory. A missing file means the defaults; one that cannot be read is set aside
    /// as `gui.json.bad`, and the text says so.
    pub fn open(data_dir: &Path) -> (SettingsStore, Settings, Option<String>) {
        let path = data_dir.join(FILE_NAME);
        let (settings, problem) = match read(&path) {
            Ok(settings) => (settings, None),
            Err(e) if e.kind() == io::ErrorKind::NotFound => (Settings::default(), None),
            Err(e) => {
                let kept = data_dir.join(format!("{FILE_NAME}.bad"));
                let _ = std::fs::rename(&path, &kept);
                let text = crate::texts::Text::SettingsUnreadable.with(&[
                    ("file", &path.display()),
                    ("kept", &kept.display()),
                    ("problem", &e),
                ]);
                (Settings::default(), Some(text))
            }
        };
        (SettingsStore { path, saved: settings.clone() }, settings, problem)
    }

    /// Writes the settings if they have changed since; the file is replaced as a whole.
    pub fn save(&mut self, settings: &Settings) -> io::Result<bool> {
        if *settings == self.saved {
            return Ok(false);
        }
        let text = serde_json::to_string_pretty(&Value::Object(settings.to_json()))?;
        let temp = self.path.with_extension("json.tmp");
        std::fs::write(&temp, text)?;
        std::fs::rename(&temp, &self.path)?;
        self.saved = settings.clone();
        Ok(true)
    }

    /// Sets the file aside as `gui.json.bak` (`-resetguisettings`), and answers the defaults.
    pub fn reset(&mut self) -> io::Result<Settings> {
        match std::fs::rename(&self.path, self.path.with_extension("json.bak")) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        self.saved = Settings::default();
        Ok(Settings::default())
    }
}

fn read(path: &Path) -> io::Result<Settings> {
    if std::fs::metadata(path)?.len() > MOST_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too large"));
    }
    match serde_json::from_slice(&std::fs::read(path)?)? {
        Value::Object(json) => Ok(Settings::from_json(json)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "not an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, mut settings, problem) = SettingsStore::open(dir.path());
        assert_eq!((settings.clone(), problem), (Settings::default(), None));
        assert!(!store.save(&settings).unwrap());
        settings.theme = Theme::Dark;
        settings.unit = Unit::MicroGrs;
        settings.zoom = 150;
        settings.window = Some([1.0, 2.0, 800.0, 600.5]);
        settings.fee_rate = Some(1234);
        settings.wallet.insert("regtest".into(), "w".into());
        settings.other.insert("from_a_later_version".into(), json!([1]));
        assert!(store.save(&settings).unwrap());
        let (mut store, again, _) = SettingsStore::open(dir.path());
        assert_eq!(again, settings);
        assert_eq!(again.last_wallet("regtest"), Some("w"));
        assert_eq!(store.reset().unwrap(), Settings::default());
        assert!(dir.path().join("gui.json.bak").exists());
        assert_eq!(SettingsStore::open(dir.path()).1, Settings::default());
        assert!(store.reset().is_ok());
    }

    #[test]
    fn nonsense_is_set_aside_or_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for (text, broken) in [
            ("{", true),
            ("[]", true),
            ("{\"zoom\":\"x\",\"theme\":7,\"window\":[1,2],\"fee_target\":-1}", false),
        ] {
            std::fs::write(dir.path().join(FILE_NAME), text).unwrap();
            let (_, settings, problem) = SettingsStore::open(dir.path());
            assert_eq!(settings, Settings::default(), "{text}");
            assert_eq!(problem.is_some(), broken, "{text}");
        }
        let huge = Settings::from_json(json!({"zoom": 9000, "console_font": 0}).as_object().unwrap().clone());
        assert_eq!((huge.zoom, huge.console_font), (300, 4));
    }
}
