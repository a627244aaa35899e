//! The server on a real socket: status codes, dialects, authentication, limits, shutdown.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grs_rpc::auth::{Auth, AuthOptions, read_cookie};
use grs_rpc::http::{HttpError, HttpOptions, HttpReply, HttpServer, pooled};
use grs_rpc::{Arg, Method, RpcServer, RpcTable, code};
use serde_json::{Value, json};

/// Echo of password `pw` of users `user` and `limited`.
struct Fixture {
    http: Arc<HttpServer>,
    address: SocketAddr,
    cookie: String,
    release: Sender<()>,
    entered: Receiver<()>,
    _dir: tempfile::TempDir,
}

fn auth(dir: &std::path::Path, change: impl FnOnce(&mut AuthOptions)) -> Auth {
    let mut options = AuthOptions { cookie_file: Some(dir.join(".cookie")), ..AuthOptions::default() };
    change(&mut options);
    Auth::new(options).unwrap()
}

fn start(change: impl FnOnce(&mut HttpOptions)) -> Fixture {
    start_with(change, |_| ())
}

fn start_with(change: impl FnOnce(&mut HttpOptions), change_auth: impl FnOnce(&mut AuthOptions)) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let (release, wait) = channel();
    let (enter, entered) = channel();
    let wait = Mutex::new(wait);
    let table = Arc::new(RpcTable::new());
    table.register(Method::new("util", "one", "", |_| Ok(json!(1))).fast());
    table.register(
        Method::new("util", "take", "", |request| Ok(request.param(0).clone()))
            .arg(Arg::str("x", "").skip_type_check()),
    );
    table.register(Method::new("util", "fail", "", |_| Err(grs_rpc::RpcError::invalid_parameter("no"))));
    table.register(Method::new("util", "uri", "", |request| Ok(json!([request.uri, request.auth_user]))));
    table.register(Method::new("util", "wait", "", move |_| {
        enter.send(()).unwrap();
        wait.lock().unwrap().recv().unwrap();
        Ok(json!("waited"))
    }));
    table.set_warmup_finished();
    table.start();

    let mut options = HttpOptions::new(0);
    options.threads = 2;
    change(&mut options);
    let http = Arc::new(HttpServer::bind(&options).unwrap());
    let server = RpcServer::new(table, auth(dir.path(), change_auth), Arc::new(()));
    server.register(&http, true);
    http.register(
        "/rest/",
        false,
        pooled(|request, tail| {
            HttpReply::typed(200, "text/plain", format!("{tail} {:?}", request.query("count")))
        }),
    );
    http.start().unwrap();
    let address = *http.addresses().iter().find(|a| a.is_ipv4()).unwrap();
    let cookie = read_cookie(&dir.path().join(".cookie")).unwrap_or_default();
    Fixture { http, address, cookie, release, entered, _dir: dir }
}

/// Head and body of an answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut head = Vec::new();
    let mut byte = [0u8];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap() == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    Some(Answer { status, head, body: String::from_utf8(body).unwrap() })
}

impl Fixture {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn request(&self, userpass: &str, path: &str, body: &str) -> String {
        let credentials = grs_encoding::base64_encode(userpass.as_bytes());
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn send(&self, text: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        read_answer(&mut stream).unwrap()
    }

    fn post(&self, body: &str) -> Answer {
        self.send(&self.request(&self.cookie, "/", body))
    }

    fn post_as(&self, userpass: &str, body: &str) -> Answer {
        self.send(&self.request(userpass, "/", body))
    }
}

#[test]
fn dialects_have_their_own_status_codes() {
    let f = start(|_| ());
    for (body, status, answer) in [
        (r#"{"method":"one","id":7}"#, 200, json!({"result":1,"error":null,"id":7})),
        (r#"{"method":"one"}"#, 200, json!({"result":1,"error":null})),
        (
            r#"{"jsonrpc":"1.0","method":"take","params":["a"],"id":"x"}"#,
            200,
            json!({"result":"a","error":null,"id":"x"}),
        ),
        (
            r#"{"method":"nope","id":1}"#,
            404,
            json!({"result":null,"error":{"code":code::METHOD_NOT_FOUND,"message":"Method not found"},"id":1}),
        ),
        (
            r#"{"method":"fail","id":1}"#,
            500,
            json!({"result":null,"error":{"code":-8,"message":"no"},"id":1}),
        ),
        (
            r#"{"method":3,"id":1}"#,
            400,
            json!({"result":null,"error":{"code":-32600,"message":"Method must be a string"},"id":1}),
        ),
        (
            r#"{"id":1}"#,
            400,
            json!({"result":null,"error":{"code":-32600,"message":"Missing method"},"id":1}),
        ),
        (
            r#"{"method":"one","params":3,"id":1}"#,
            400,
            json!({"result":null,"error":{"code":-32600,"message":"Params must be an array or object"},"id":1}),
        ),
        (
            r#"{"jsonrpc":2,"method":"one"}"#,
            400,
            json!({"result":null,"error":{"code":-32600,"message":"jsonrpc field must be a string"}}),
        ),
        (
            r#"{"jsonrpc":"3.0","method":"one"}"#,
            400,
            json!({"result":null,"error":{"code":-32600,"message":"JSON-RPC version not supported"}}),
        ),
        ("", 500, json!({"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null})),
        (
            "this is bad",
            500,
            json!({"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}),
        ),
        (
            "3",
            500,
            json!({"result":null,"error":{"code":-32700,"message":"Top-level object parse error"},"id":null}),
        ),
        (r#"{"jsonrpc":"2.0","method":"one","id":7}"#, 200, json!({"jsonrpc":"2.0","result":1,"id":7})),
        (r#"{"jsonrpc":"2.0","method":"one","id":null}"#, 200, json!({"jsonrpc":"2.0","result":1,"id":null})),
        (
            r#"{"jsonrpc":"2.0","method":"nope","id":7}"#,
            200,
            json!({"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":7}),
        ),
        ("[]", 200, json!([])),
        (
            r#"[{"method":"one","id":1},{"jsonrpc":"2.0","method":"fail","id":2},{"jsonrpc":"2.0","method":"one"},5]"#,
            200,
            json!([
                {"result":1,"error":null,"id":1},
                {"jsonrpc":"2.0","error":{"code":-8,"message":"no"},"id":2},
            ]),
        ),
    ] {
        let got = f.post(body);
        assert_eq!((got.status, got.json()), (status, answer), "{body}");
        assert!(got.head.contains("Content-Type: application/json\r\n"), "{}", got.head);
        assert!(got.body.ends_with('\n'));
    }
    for body in [
        r#"{"jsonrpc":"2.0","method":"one"}"#,
        r#"{"jsonrpc":"2.0","method":"nope"}"#,
        r#"[{"jsonrpc":"2.0","method":"one"},{"jsonrpc":"2.0","method":"fail"}]"#,
    ] {
        let got = f.post(body);
        assert_eq!((got.status, got.body.as_str()), (204, ""), "{body}");
    }
    assert_eq!(
        f.post(r#"{"method":"take","params":[1.50000000],"id":1}"#).body,
        "{\"result\":1.50000000,\"error\":null,\"id\":1}\n"
    );
}

#[test]
fn only_posts_with_credentials_enter() {
    let f = start(|_| ());
    let get = f.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((get.status, get.body.as_str()), (405, "JSONRPC server handles only POST requests"));
    assert_eq!(f.send("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n").status, 405);
    assert_eq!(f.send("OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n").status, 501);
    assert_eq!(f.send("GET /nope HTTP/1.1\r\nHost: x\r\n\r\n").status, 404);
    let anonymous = f.send("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(anonymous.status, 401);
    assert!(anonymous.head.contains("Www-Authenticate: Basic realm=\"jsonrpc\"\r\n"), "{}", anonymous.head);
    let before = Instant::now();
    let wrong = f.post_as("__cookie__:wrong", r#"{"method":"one"}"#);
    assert_eq!(wrong.status, 401);
    assert!(wrong.head.contains("Www-Authenticate: Basic realm=\"jsonrpc\"\r\n"));
    assert!(before.elapsed() >= Duration::from_millis(250));
}

#[test]
fn paths_reach_their_handlers() {
    let f = start(|_| ());
    let body = r#"{"method":"uri"}"#;
    let wallet = f.send(&f.request(&f.cookie, "/wallet/my%20own", body));
    assert_eq!(wallet.json()["result"], json!(["/wallet/my%20own", "__cookie__"]));
    assert_eq!(f.send(&f.request(&f.cookie, "/other", body)).status, 404);
    let rest = f.send("GET /rest/headers/00.hex?count=5&x=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((rest.status, rest.body.as_str()), (200, "headers/00.hex?count=5&x=1 Some(\"5\")"));
    f.http.unregister("/rest/", false);
    assert_eq!(f.send("GET /rest/x HTTP/1.1\r\nHost: x\r\n\r\n").status, 404);
}

#[test]
fn heads_and_bodies_are_limited() {
    let f = start(|_| ());
    let get = |length| f.send(&format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(length)));
    assert_eq!(get(1000).status, 404);
    assert_eq!(get(10_000).status, 400);
    let huge = f.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 33554433\r\n\r\n");
    assert_eq!(huge.status, 413);
    // Larger than what is parsed on the spot.
    let text = "a".repeat(1_000_000);
    let answer = f.post(&format!(r#"{{"method":"take","params":["{text}"]}}"#));
    assert_eq!(answer.json()["result"].as_str().map(str::len), Some(1_000_000));
}

#[test]
fn chunked_bodies_are_read() {
    let f = start(|_| ());
    let credentials = grs_encoding::base64_encode(f.cookie.as_bytes());
    let mut text = format!(
        "POST / HTTP/1.1\r\nAuthorization: Basic {credentials}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    for chunk in [r#"{"method":"take","#, r#""params":["#, "5", "]}"] {
        text.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    }
    text.push_str("0\r\n\r\n");
    assert_eq!(f.send(&text).json()["result"], 5);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let f = start(|_| ());
    let mut stream = f.connect();
    stream.write_all(f.request(&f.cookie, "/", r#"{"method":"wait"}"#).as_bytes()).unwrap();
    stream.write_all(f.request(&f.cookie, "/", r#"{"method":"one"}"#).as_bytes()).unwrap();
    f.entered.recv().unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(stream.read(&mut [0]).is_err());
    stream.set_read_timeout(None).unwrap();
    f.release.send(()).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().json()["result"], "waited");
    assert_eq!(read_answer(&mut stream).unwrap().json()["result"], 1);
}

#[test]
fn a_full_queue_refuses_but_fast_methods_still_answer() {
    let f = start(|o| (o.threads, o.work_queue) = (1, 1));
    let waiting = || {
        let mut stream = f.connect();
        stream.write_all(f.request(&f.cookie, "/", r#"{"method":"wait"}"#).as_bytes()).unwrap();
        stream
    };
    let mut running = waiting();
    f.entered.recv().unwrap();
    let mut queued = waiting();
    // The queue fills when the server has read the second request.
    let refused = loop {
        let mut stream = waiting();
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let mut byte = [0];
        if stream.peek(&mut byte).is_ok() {
            break read_answer(&mut stream).unwrap();
        }
        queued = stream;
    };
    assert_eq!((refused.status, refused.body.as_str()), (503, "Work queue depth exceeded"));
    assert_eq!(f.post(r#"{"method":"one"}"#).status, 200);
    for _ in 0..4 {
        f.release.send(()).unwrap();
    }
    assert_eq!(read_answer(&mut running).unwrap().json()["result"], "waited");
    let _ = queued;
}

#[test]
fn stop_waits_for_running_calls() {
    let f = start(|_| ());
    let mut idle = f.connect();
    idle.write_all(f.request(&f.cookie, "/", r#"{"method":"one"}"#).as_bytes()).unwrap();
    assert_eq!(read_answer(&mut idle).unwrap().status, 200);
    let mut stream = f.connect();
    stream.write_all(f.request(&f.cookie, "/", r#"{"method":"wait"}"#).as_bytes()).unwrap();
    f.entered.recv().unwrap();
    let http = f.http.clone();
    let stopper = std::thread::spawn(move || http.stop());
    std::thread::sleep(Duration::from_millis(50));
    assert!(!stopper.is_finished());
    // Idle connections get to hear that it is over.
    idle.write_all(f.request(&f.cookie, "/", r#"{"method":"one"}"#).as_bytes()).unwrap();
    let rejected = read_answer(&mut idle).unwrap();
    assert_eq!(rejected.status, 503);
    f.release.send(()).unwrap();
    let answer = read_answer(&mut stream).unwrap();
    assert_eq!(answer.json()["result"], "waited");
    assert!(answer.head.contains("Connection: close\r\n"), "{}", answer.head);
    assert!(read_answer(&mut stream).is_none());
    let before = Instant::now();
    stopper.join().unwrap();
    assert!(before.elapsed() < Duration::from_secs(2));
    assert!(TcpStream::connect(f.address).is_err());
}

#[test]
fn incomplete_requests_time_out_silently() {
    let f = start(|o| o.timeout = Duration::from_secs(1));
    let mut stream = f.connect();
    let before = Instant::now();
    stream.write_all(b"GET /test1 HTTP/1.1\r\nHost: somehost\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 100]).unwrap(), 0);
    let waited = before.elapsed();
    assert!(waited >= Duration::from_millis(900) && waited < Duration::from_secs(3), "{waited:?}");
}

#[test]
fn whitelists_limit_users() {
    // Password "12345", made by the reference's script.
    let entry =
        "50358aa884c841648e0700b073c32b2e$b73e95fff0748cc0b517859d2ca47d9bac1aa78231f3e48fa9222b612bd2083e";
    let users = |list: &[&str], default| {
        let list: Vec<String> = list.iter().map(|s| (*s).to_owned()).collect();
        start_with(
            |_| (),
            move |o| {
                o.rpcauth = ["all", "some", "none"].map(|u| format!("{u}:{entry}")).to_vec();
                o.whitelist = list;
                o.whitelist_default = default;
            },
        )
    };
    let one = r#"{"method":"one"}"#;
    let f = users(&["some:one,uri", "some:one, take", "none"], Some(false));
    assert_eq!(f.post_as("all:12345", one).status, 200);
    assert_eq!(f.post_as("all:1234", one).status, 401);
    assert_eq!(f.post_as("some:12345", one).status, 200);
    assert_eq!(f.post_as("some:12345", r#"{"method":"uri"}"#).status, 403);
    assert_eq!(f.post_as("some:12345", r#"[{"method":"one"},{"method":"take"}]"#).status, 403);
    assert_eq!(f.post_as("some:12345", r#"[{"method":"one"}]"#).status, 200);
    assert_eq!(f.post_as("some:12345", r#"[{"method":1}]"#).status, 500);
    assert_eq!(f.post_as("none:12345", one).status, 403);
    assert_eq!(f.post(one).status, 200);
    drop(f);
    let f = users(&["some:one"], None);
    assert_eq!(f.post_as("all:12345", one).status, 403);
    assert_eq!(f.post_as("some:12345", one).status, 200);
    assert_eq!(f.post(one).status, 403);
}

#[test]
fn passwords_and_cookies_are_set_up() {
    let dir = tempfile::tempdir().unwrap();
    let header = |text: &str| format!("Basic {}", grs_encoding::base64_encode(text.as_bytes())).into_bytes();
    let cookie: PathBuf = dir.path().join(".cookie");
    let made = auth(dir.path(), |_| ());
    let text = read_cookie(&cookie).unwrap();
    assert_eq!(text.len(), "__cookie__:".len() + 64);
    assert_eq!(made.check_header(&header(&text)).as_deref(), Some("__cookie__"));
    assert_eq!(std::fs::metadata(&cookie).unwrap().permissions().mode() & 0o777, 0o600);
    drop(made);
    assert!(!cookie.exists());
    for (word, mode) in [("owner", 0o600), ("group", 0o640), ("all", 0o644)] {
        let _made = auth(dir.path(), |o| o.cookie_perms = Some(word.to_owned()));
        assert_eq!(std::fs::metadata(&cookie).unwrap().permissions().mode() & 0o777, mode);
    }
    let plain = auth(dir.path(), |o| (o.user, o.password) = ("u💻".to_owned(), "p:🔑".to_owned()));
    assert!(!cookie.exists());
    assert_eq!(plain.check_header(&header("u💻:p:🔑")).as_deref(), Some("u💻"));
    assert_eq!(plain.check_header(&header("u💻:p")), None);
    assert_eq!(plain.check_header(b"Basic x"), None);
    assert_eq!(plain.check_header(b"Bearer x"), None);

    let fails = |change: fn(&mut AuthOptions)| {
        let mut options = AuthOptions { cookie_file: Some(cookie.clone()), ..AuthOptions::default() };
        change(&mut options);
        Auth::new(options).is_err()
    };
    for entry in ["", "\"\"", "foo", "foo:bar", "foo:bar:baz", "foo$bar:baz", "foo$bar$baz"] {
        let options = AuthOptions { rpcauth: vec![entry.to_owned()], ..AuthOptions::default() };
        assert!(Auth::new(options).is_err(), "{entry}");
    }
    assert!(fails(|o| o.cookie_perms = Some("everyone".to_owned())));
    std::fs::create_dir(dir.path().join(".cookie.tmp")).unwrap();
    assert!(fails(|_| ()));
    assert!(!cookie.exists());
}

#[test]
fn bad_addresses_are_refused() {
    let bind = |allow: &str, bind: &str| {
        let mut options = HttpOptions::new(0);
        options.allow_ip = vec![allow.to_owned()];
        options.bind = vec![bind.to_owned()];
        HttpServer::bind(&options).map(|s| s.addresses().to_vec())
    };
    assert!(matches!(bind("x", "127.0.0.1"), Err(HttpError::AllowIp(_))));
    assert!(matches!(bind("1.2.3.4", "127.0.0.1:0"), Err(HttpError::Port(_))));
    assert!(matches!(bind("1.2.3.4", "192.0.2.1"), Err(HttpError::Bind)));
    let addresses = bind("1.2.3.4", "127.0.0.1").unwrap();
    assert_eq!(addresses.len(), 1);
    let error = bind("x", "127.0.0.1").unwrap_err().to_string();
    assert!(error.starts_with("Invalid -rpcallowip subnet specification: x. Valid values are"), "{error}");
}
