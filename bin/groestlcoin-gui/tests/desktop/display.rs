//! A display without a screen: programs draw on it, keys are pressed on it, pictures are taken of it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, InputFocus, MapState, Window};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

const KEY_PRESS: u8 = 2;
const KEY_RELEASE: u8 = 3;
const SHIFT: u32 = 0xffe1;
const CONTROL: u32 = 0xffe3;
const LAUNCHER: [&str; 2] = ["/usr/libexec/at-spi-bus-launcher", "/usr/lib/at-spi2-core/at-spi-bus-launcher"];

/// What is missing on this machine for a display, if anything.
pub fn missing() -> Option<String> {
    let found = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
    };
    if let Some(name) = ["Xvfb", "dbus-daemon"].into_iter().find(|name| !found(name)) {
        return Some(format!("there is no {name}"));
    }
    let launcher = LAUNCHER.iter().any(|path| Path::new(path).is_file());
    (!launcher).then(|| "there is no at-spi-bus-launcher".to_owned())
}

/// Kills its process when it goes.
struct Helper(Child);

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn first_line(command: &mut Command) -> (Helper, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it is installed");
    let mut line = String::new();
    let out = child.stdout.take().expect("it is piped");
    BufReader::new(out).read_line(&mut line).expect("it says where it listens");
    (Helper(child), line.trim().to_owned())
}

/// A display with a message bus and accessibility.
pub struct Display {
    name: String,
    /// Address of the message bus of the session.
    pub bus: String,
    x: RustConnection,
    root: Window,
    pictures: Option<PathBuf>,
    _helpers: [Helper; 2],
}

impl Display {
    /// Starts it, `width` by `height` pixels. Pictures go into `pictures`.
    pub fn start(width: u32, height: u32, pictures: Option<PathBuf>) -> Display {
        let screen = format!("{width}x{height}x24");
        let (xvfb, number) = first_line(Command::new("Xvfb").args([
            "-displayfd",
            "1",
            "-nolisten",
            "tcp",
            "-screen",
            "0",
            &screen,
        ]));
        let name = format!(":{number}");
        // The bus starts what gives access to the accessibility tree by itself, when it is first asked for.
        let (dbus, bus) = first_line(
            Command::new("dbus-daemon")
                .args(["--session", "--nofork", "--print-address=1"])
                .env("DISPLAY", &name),
        );
        let (x, screen) = x11rb::connect(Some(&name)).expect("the display runs");
        let root = x.setup().roots[screen].root;
        Display { name, bus, x, root, pictures, _helpers: [xvfb, dbus] }
    }

    /// Lets a program draw here.
    pub fn use_for(&self, command: &mut Command) {
        command
            .env("DISPLAY", &self.name)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("AT_SPI_BUS_ADDRESS");
    }

    /// Windows that are shown, the newest last.
    fn windows(&self) -> Vec<Window> {
        let tree = self.x.query_tree(self.root).expect("connected").reply().expect("the root is there");
        let shown = |window: &Window| {
            let attributes = self.x.get_window_attributes(*window).ok().and_then(|c| c.reply().ok());
            let size = self.x.get_geometry(*window).ok().and_then(|c| c.reply().ok());
            attributes.is_some_and(|a| a.map_state == MapState::VIEWABLE)
                && size.is_some_and(|s| s.width > 50)
        };
        tree.children.into_iter().filter(shown).collect()
    }

    /// Gives the keyboard to the newest window, as a window manager would.
    pub fn focus_window(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        let window = loop {
            if let Some(window) = self.windows().last() {
                break *window;
            }
            assert!(Instant::now() < end, "no window was shown");
            std::thread::sleep(Duration::from_millis(50));
        };
        self.x.set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME).expect("connected");
        self.x.sync();
    }

    fn key(&self, symbol: u32) -> (u8, bool) {
        let setup = self.x.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let map = self
            .x
            .get_keyboard_mapping(first, last - first + 1)
            .expect("connected")
            .reply()
            .expect("a keyboard");
        let per_key = usize::from(map.keysyms_per_keycode);
        let found = map.keysyms.chunks(per_key).enumerate().find_map(|(at, symbols)| {
            symbols.iter().take(2).position(|s| *s == symbol).map(|level| (first + at as u8, level == 1))
        });
        found.unwrap_or_else(|| panic!("no key for {symbol:#x}"))
    }

    fn event(&self, kind: u8, code: u8) {
        self.x.xtest_fake_input(kind, code, x11rb::CURRENT_TIME, self.root, 0, 0, 0).expect("connected");
        self.x.sync();
        std::thread::sleep(Duration::from_millis(4));
    }

    /// Presses a key with others held down; symbols of X.
    pub fn press(&self, held: &[u32], symbol: u32) {
        let (code, shift) = self.key(symbol);
        let mut held: Vec<u8> = held.iter().map(|symbol| self.key(*symbol).0).collect();
        if shift {
            held.push(self.key(SHIFT).0);
        }
        held.iter().for_each(|code| self.event(KEY_PRESS, *code));
        self.event(KEY_PRESS, code);
        self.event(KEY_RELEASE, code);
        held.iter().rev().for_each(|code| self.event(KEY_RELEASE, *code));
    }

    /// Control and a key.
    pub fn control(&self, key: char) {
        self.press(&[CONTROL], key.into());
    }

    /// Types a text.
    pub fn text(&self, text: &str) {
        text.chars().for_each(|c| self.press(&[], c.into()));
    }

    /// Takes a picture of the whole display.
    pub fn picture(&self, name: &str) {
        let Some(dir) = &self.pictures else { return };
        let size = self.x.get_geometry(self.root).expect("connected").reply().expect("the root is there");
        let all = u32::MAX;
        let image = self
            .x
            .get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, size.width, size.height, all)
            .expect("connected")
            .reply()
            .expect("the root can be read");
        let rgb: Vec<u8> = image.data.chunks_exact(4).flat_map(|p| [p[2], p[1], p[0]]).collect();
        let picture = image::RgbImage::from_raw(size.width.into(), size.height.into(), rgb).expect("24 bits");
        std::fs::create_dir_all(dir).expect("a place for pictures");
        picture.save(dir.join(format!("{name}.png"))).expect("the picture is written");
    }
}

trait Sync {
    fn sync(&self);
}

impl Sync for RustConnection {
    /// Waits until all requests so far have been carried out.
    fn sync(&self) {
        let cookie = self.get_input_focus().expect("connected");
        cookie.reply().expect("the display answers");
    }
}
