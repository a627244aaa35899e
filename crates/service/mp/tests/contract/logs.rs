//! Log lines: the reference's wording, and no secrets.

use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

use super::support::{echo, pair};

type Lines = Arc<Mutex<Vec<(Level, String)>>>;

/// Writes down what is logged, with a category and without.
struct Capture(Lines);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        matches!(metadata.target(), "ipc" | "all")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap().push((*event.metadata().level(), message.0));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn lines() -> &'static Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines = Lines::default();
        tracing::subscriber::set_global_default(Capture(lines.clone())).unwrap();
        lines
    })
}

/// Takes process, thread and request numbers out.
fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut digits = false;
    for c in line.chars() {
        if c.is_ascii_digit() {
            if !digits {
                out.push('N');
            }
            digits = true;
        } else {
            digits = false;
            out.push(c);
        }
    }
    out
}

#[test]
fn requests_are_logged_in_the_references_words_and_secrets_are_not() {
    let lines = lines();
    let pair = pair();
    std::thread::Builder::new()
        .name("caller".into())
        .spawn(move || {
            echo(&pair.root, "logged text").unwrap();
            pair.root
                .call(|client, call| async move {
                    let mut request = client.secret_request();
                    let mut p = request.get();
                    call.context(p.reborrow().init_context())?;
                    p.set_passphrase("correct horse");
                    call.send_secret(request).await.map(|_| ())
                })
                .unwrap();
        })
        .unwrap()
        .join()
        .unwrap();
    let all = lines.lock().unwrap().clone();
    // Other tests of this program log too, from threads with other names.
    let own: Vec<(Level, String)> = all
        .iter()
        .filter(|(_, line)| line.contains("/caller-") || line.contains("secret"))
        .map(|(level, line)| (*level, plain(line)))
        .collect();
    let has = |level: Level, text: &str| {
        assert!(own.iter().any(|(l, line)| *l == level && line == text), "no line {text:?} in {own:#?}");
    };
    let client = "{client-N/caller-N}";
    let server = "(from client-N/caller-N)";
    has(
        Level::INFO,
        &format!("ipc: {client} IPC client first request from current thread, constructing waiter"),
    );
    has(Level::DEBUG, &format!("{client} IPC client send Root.echo$Params"));
    has(Level::DEBUG, &format!("{client} IPC client recv Root.echo$Results"));
    has(
        Level::DEBUG,
        &format!(
            "{{server-N/s-capnp-loop-N}} IPC server post request  #N {{server-N/s-capnp-loop-N {server}}}"
        ),
    );
    has(Level::DEBUG, &format!("{{server-N/s-capnp-loop-N {server}}} IPC server executing request #N"));
    has(Level::DEBUG, "{server-N/s-capnp-loop-N} IPC server recv request  #N Root.secret$Params");
    has(Level::DEBUG, "{server-N/s-capnp-loop-N} IPC server send response #N Root.secret$Results");
    let trace = |text: &str| all.iter().any(|(level, line)| *level == Level::TRACE && line.contains(text));
    assert!(trace(
        "send data: (context = (thread = <external capability>, callbackThread = <external capability>)"
    ));
    assert!(trace("request data: ") && trace("response data: ") && trace("recv data: "));
    assert!(trace("logged text"));
    assert!(!all.iter().any(|(_, line)| line.contains("correct horse")));
}
