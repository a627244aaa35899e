//! Log lines in libmultiprocess's wording, through `tracing` with target `ipc`.

use capnp::introspect::TypeVariant;
use capnp::traits::Owned;

/// Longest payload rendering in a trace line, in characters.
const MAX_PAYLOAD: usize = 200;

/// A log line: debug ones have the target `ipc`, which is the name of their category. The others come out whatever is
/// asked for, so they have no category (the target `all`) and say themselves what they are about.
macro_rules! ipc_log {
    (DEBUG, $name:expr, $($arg:tt)+) => {
        if tracing::enabled!(target: "ipc", tracing::Level::DEBUG) {
            tracing::debug!(target: "ipc", "{{{}}} {}", $name, format_args!($($arg)+));
        }
    };
    ($level:ident, $name:expr, $($arg:tt)+) => {
        if tracing::enabled!(target: "all", tracing::Level::$level) {
            tracing::event!(target: "all", tracing::Level::$level, "ipc: {{{}}} {}", $name, format_args!($($arg)+));
        }
    };
}
pub(crate) use ipc_log;

/// Whether requests and answers are logged at all.
pub(crate) fn debug_enabled() -> bool {
    tracing::enabled!(target: "ipc", tracing::Level::DEBUG)
}

/// Whether payloads are logged.
pub(crate) fn trace_enabled() -> bool {
    tracing::enabled!(target: "ipc", tracing::Level::TRACE)
}

/// Name of the calling thread in log lines: `<exe>-<pid>/<thread>-<tid>`.
pub(crate) fn thread_name(exe: &str) -> String {
    let thread = std::thread::current();
    let tid = rustix::thread::gettid().as_raw_nonzero();
    match thread.name() {
        Some(name) => format!("{exe}-{}/{name}-{tid}", std::process::id()),
        None => format!("{exe}-{}/{tid}", std::process::id()),
    }
}

/// What is needed to log a parameter or result struct, without its type.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    of: fn() -> capnp::introspect::Type,
    render: Option<fn(capnp::any_pointer::Reader<'_>) -> String>,
}

impl Shape {
    /// For a struct; the payload of a secret one is never rendered.
    pub(crate) fn of<T: Owned>(secret: bool) -> Shape
    where
        for<'a> T::Reader<'a>: std::fmt::Debug,
    {
        fn render<T: Owned>(from: capnp::any_pointer::Reader<'_>) -> String
        where
            for<'a> T::Reader<'a>: std::fmt::Debug,
        {
            match from.get_as::<T::Reader<'_>>() {
                Ok(reader) => payload(&reader),
                Err(_) => String::new(),
            }
        }
        let render: fn(capnp::any_pointer::Reader<'_>) -> String = render::<T>;
        Shape { of: T::introspect, render: (!secret).then_some(render) }
    }

    /// Name, such as `Echo.echo$Params`.
    pub(crate) fn name(&self) -> String {
        let TypeVariant::Struct(raw) = (self.of)().which() else {
            return "?".to_owned();
        };
        let schema = capnp::schema::StructSchema::new(raw);
        let name = schema.get_proto().get_display_name().ok().and_then(|text| text.to_string().ok());
        let name = name.unwrap_or_default();
        match name.split_once(':') {
            Some((_, name)) => name.to_owned(),
            None => name,
        }
    }

    /// Rendering for trace lines, if those are wanted and it is not secret.
    pub(crate) fn payload(&self, from: capnp::any_pointer::Reader<'_>) -> Option<String> {
        self.render.filter(|_| trace_enabled()).map(|render| render(from))
    }
}

/// Collects at most so many bytes of a rendering; then makes the formatter stop.
struct Bounded {
    text: String,
    limit: usize,
}

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        for c in s.bytes() {
            if self.text.len() >= self.limit {
                return Err(std::fmt::Error);
            }
            match c {
                b'\\' => self.text.push_str("\\\\"),
                0x20..=0x7e => self.text.push(char::from(c)),
                _ => {
                    let _ = std::fmt::Write::write_fmt(&mut self.text, format_args!("\\{c:02x}"));
                }
            }
        }
        Ok(())
    }
}

/// The rendering of a struct, cut to [`MAX_PAYLOAD`] characters. The work is bounded by the cut, not by the struct.
pub(crate) fn payload(value: &dyn std::fmt::Debug) -> String {
    let mut out = Bounded { text: String::new(), limit: MAX_PAYLOAD };
    if std::fmt::Write::write_fmt(&mut out, format_args!("{value:?}")).is_err() {
        out.text.truncate(MAX_PAYLOAD);
        out.text.push_str("...");
    }
    out.text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy_capnp::thread_map;

    #[test]
    fn struct_names_have_no_file() {
        assert_eq!(
            Shape::of::<thread_map::make_thread_params::Owned>(false).name(),
            "ThreadMap.makeThread$Params"
        );
        assert_eq!(
            Shape::of::<thread_map::make_thread_results::Owned>(false).name(),
            "ThreadMap.makeThread$Results"
        );
    }

    #[test]
    fn payloads_are_escaped_and_cut() {
        assert_eq!(payload(&"a\u{1}"), "\"a\\\\u{1}\"");
        assert_eq!(payload(&"x".repeat(1000)).len(), MAX_PAYLOAD + 3);
    }
}
