//! What a screen reader is told: the accessibility tree of a program, over AT-SPI.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{ObjectPath, OwnedObjectPath};

const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
/// Roles of fields.
pub const FIELDS: [u32; 3] = [role::ENTRY, role::TEXT, role::PASSWORD];
/// Deepest nesting that is followed.
const DEEPEST: usize = 40;

/// Roles, as AT-SPI numbers them.
pub mod role {
    /// Something to press.
    pub const BUTTON: u32 = 43;
    /// A tab of a row of tabs.
    pub const TAB: u32 = 37;
    /// A table.
    pub const TABLE: u32 = 55;
    /// A cell of one.
    pub const CELL: u32 = 56;
    /// A field whose letters are dots.
    pub const PASSWORD: u32 = 40;
    /// A field of several lines.
    pub const TEXT: u32 = 61;
    /// A field.
    pub const ENTRY: u32 = 79;
}

/// A control, text or group.
#[derive(Debug, Clone)]
pub struct Node {
    bus: String,
    path: String,
    /// Role, one of [`role`] or another.
    pub role: u32,
    /// Name, as it would be spoken.
    pub name: String,
    /// Text in it, for fields.
    pub text: String,
    /// Distance from the root.
    pub depth: usize,
}

/// A connection with the accessibility bus.
pub struct Accessibility {
    bus: Connection,
}

impl Accessibility {
    /// Switches the accessibility of the session on and joins its bus.
    pub fn join(session: &str) -> zbus::Result<Accessibility> {
        let session = zbus::blocking::connection::Builder::address(session)?.build()?;
        let status = Proxy::new(&session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Status")?;
        status.set_property("IsEnabled", true)?;
        let bus = Proxy::new(&session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus")?;
        let address: String = bus.call("GetAddress", &())?;
        Ok(Accessibility { bus: zbus::blocking::connection::Builder::address(address.as_str())?.build()? })
    }

    fn proxy<'a>(&'a self, bus: &'a str, path: &'a str, interface: &'a str) -> zbus::Result<Proxy<'a>> {
        zbus::blocking::proxy::Builder::new(&self.bus)
            .destination(bus)?
            .path(path)?
            .interface(interface)?
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
    }

    fn children(&self, bus: &str, path: &str) -> zbus::Result<Vec<(String, OwnedObjectPath)>> {
        self.proxy(bus, path, ACCESSIBLE)?.call("GetChildren", &())
    }

    fn node(&self, bus: &str, path: &ObjectPath<'_>, depth: usize) -> zbus::Result<Node> {
        let accessible = self.proxy(bus, path.as_str(), ACCESSIBLE)?;
        let role: u32 = accessible.call("GetRole", &())?;
        let name: String = accessible.get_property("Name")?;
        let text = if FIELDS.contains(&role) {
            let text = self.proxy(bus, path.as_str(), "org.a11y.atspi.Text")?;
            text.call("GetText", &(0_i32, -1_i32)).unwrap_or_default()
        } else {
            String::new()
        };
        Ok(Node { bus: bus.to_owned(), path: path.to_string(), role, name, text, depth })
    }

    /// Everything that is shown now, from the outermost. Parts that go away meanwhile are left out.
    pub fn tree(&self) -> Vec<Node> {
        let mut out = Vec::new();
        let root = ("org.a11y.atspi.Registry".to_owned(), "/org/a11y/atspi/accessible/root".to_owned());
        let mut todo = vec![(root.0, root.1, 0_usize)];
        while let Some((bus, path, depth)) = todo.pop() {
            let Ok(object) = ObjectPath::try_from(path.as_str()) else { continue };
            if depth > 0 {
                match self.node(&bus, &object, depth) {
                    Ok(node) => out.push(node),
                    Err(_) => continue,
                }
            }
            if depth < DEEPEST {
                let children = self.children(&bus, &path).unwrap_or_default();
                todo.extend(children.into_iter().rev().map(|(bus, path)| (bus, path.to_string(), depth + 1)));
            }
        }
        out
    }

    /// Waits until a part passes `wanted`.
    pub fn wait(&self, what: &str, wanted: impl Fn(&Node) -> bool) -> Node {
        self.wait_all(what, |tree| tree.iter().find(|node| wanted(node)).cloned())
    }

    /// Waits until `wanted` finds something in the tree; says what was there instead if it never does.
    pub fn wait_all<T>(&self, what: &str, wanted: impl Fn(&[Node]) -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let tree = self.tree();
            if let Some(found) = wanted(&tree) {
                return found;
            }
            if Instant::now() > end {
                let shown: Vec<String> = tree
                    .iter()
                    .map(|n| format!("{}{} {:?} {:?}", " ".repeat(n.depth), n.role, n.name, n.text))
                    .collect();
                panic!("never: {what}. Shown:\n{}", shown.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A control of that name whose role is one of these.
    pub fn control(&self, roles: &[u32], name: &str) -> Node {
        self.wait(name, |node| node.name == name && roles.contains(&node.role))
    }

    /// Does what a press on it does.
    pub fn press(&self, node: &Node) {
        let action = self.proxy(&node.bus, &node.path, "org.a11y.atspi.Action").expect("the bus is there");
        let done: zbus::Result<bool> = action.call("DoAction", &(0_i32,));
        assert!(matches!(done, Ok(true)), "{node:?}: {done:?}");
    }

    /// Presses the button of that name.
    pub fn press_button(&self, name: &str) {
        self.press(&self.control(&[role::BUTTON], name));
    }

    /// Gives the keyboard to it.
    pub fn focus(&self, node: &Node) {
        let component =
            self.proxy(&node.bus, &node.path, "org.a11y.atspi.Component").expect("the bus is there");
        let done: zbus::Result<bool> = component.call("GrabFocus", &());
        assert!(matches!(done, Ok(true)), "{node:?}: {done:?}");
    }

    /// How many parts there are of each role.
    pub fn roles(&self) -> HashMap<u32, usize> {
        let mut roles = HashMap::new();
        for node in self.tree() {
            *roles.entry(node.role).or_default() += 1;
        }
        roles
    }
}
