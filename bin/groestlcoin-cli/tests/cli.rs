//! The program against a server that plays back answers.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use grs_interfaces::{CallError, CallResult, Hello, Init, Role, Rpc};
use grs_ipc::{Ipc, IpcAddress};

/// Serves one connection for each answer; gives the requests.
fn serve(answers: &[&str]) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers: Vec<String> = answers.iter().map(|s| (*s).to_owned()).collect();
    let thread = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut request = String::new();
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.strip_prefix("Content-Length: ") {
                    length = value.trim().parse().unwrap();
                }
                request.push_str(&line);
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            request.push_str(&String::from_utf8(body).unwrap());
            requests.push(request);
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
        requests
    });
    (port, thread)
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

struct Cli {
    dir: tempfile::TempDir,
}

impl Cli {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("regtest")).unwrap();
        Self { dir }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn run_with(&self, words: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_groestlcoin-cli"))
            .arg(format!("-datadir={}", self.path().display()))
            .arg("-regtest")
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that fails early does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Exit code, output, error output.
    fn run(&self, words: &[&str]) -> (i32, String, String) {
        let output = self.run_with(words, "");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

#[test]
fn results_are_printed() {
    let cli = Cli::new();
    std::fs::write(cli.path().join("regtest/.cookie"), "__cookie__:secret").unwrap();
    for (result, printed) in [
        ("5", "5\n"),
        ("\"text\"", "text\n"),
        ("null", ""),
        ("[]", "[\n]\n"),
        (
            "{\"a\":[1.50000000,{}],\"b\":null}",
            "{\n  \"a\": [\n    1.50000000,\n    {\n    }\n  ],\n  \"b\": null\n}\n",
        ),
    ] {
        let (port, server) =
            serve(&[&answer("200 OK", &format!("{{\"result\":{result},\"error\":null,\"id\":1}}\n"))]);
        let port = format!("-rpcport={port}");
        assert_eq!(cli.run(&[&port, "getblockhash", "5"]), (0, printed.to_owned(), String::new()));
        let request = server.join().unwrap().remove(0);
        // "__cookie__:secret"
        assert!(request.contains("\r\nAuthorization: Basic X19jb29raWVfXzpzZWNyZXQ=\r\n"), "{request}");
        assert!(request.starts_with("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"), "{request}");
        assert!(
            request.ends_with("{\"method\":\"getblockhash\",\"params\":[5],\"id\":1,\"jsonrpc\":\"2.0\"}\n"),
            "{request}"
        );
    }
}

#[test]
fn failures_are_told() {
    let cli = Cli::new();
    let fails = |reply: &str, words: &[&str]| {
        let (port, server) = serve(&[reply]);
        let port = format!("-rpcport={port}");
        let run = cli.run(&[&[port.as_str(), "-rpcuser=u", "-rpcpassword=p"], words].concat());
        server.join().unwrap();
        assert_eq!(run.1, "");
        (run.0, run.2)
    };
    let call = &["-rpcwallet=a b", "getblockcount"][..];
    let error = r#"{"jsonrpc":"2.0","error":{"code":-8,"message":"Wrong\nthing"},"id":1}"#;
    assert_eq!(
        fails(&answer("200 OK", error), call),
        (8, "error code: -8\nerror message:\nWrong\nthing\n".to_owned())
    );
    assert_eq!(fails(&answer("500 X", error), call).0, 8);
    for (status, body, text) in [
        ("401 X", "", "Authorization failed: Incorrect rpcuser or rpcpassword"),
        ("503 X", "Work queue depth exceeded", "Server response: Work queue depth exceeded"),
        ("403 X", "", "server returned HTTP error 403"),
        ("200 OK", "", "no response from server"),
        ("200 OK", "x", "couldn't parse reply from server"),
        ("200 OK", "[]", "JSON value of type array is not of expected type object"),
        ("200 OK", "{}", "expected reply to have result, error and id properties"),
    ] {
        assert_eq!(fails(&answer(status, body), call), (1, format!("error: {text}\n")));
    }
    let (code, text) = fails("", call);
    assert_eq!(code, 1);
    assert!(
        text.starts_with("error: timeout on transient error: Could not connect to the server 127.0.0.1:"),
        "{text}"
    );
    assert!(
        text.contains(" (error code 1 - \"EOF reached\")\n\nMake sure the groestlcoind server is running"),
        "{text}"
    );

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (code, _, text) = cli.run(&[&format!("-rpcport={port}"), "getblockcount"]);
    assert_eq!(code, 1);
    assert!(
        text.contains(&format!("Could not connect to the server 127.0.0.1:{port}\n\nMake sure")),
        "{text}"
    );
}

#[test]
fn options_are_checked() {
    let cli = Cli::new();
    let error = |words: &[&str]| {
        let (code, _, text) = cli.run(words);
        assert_eq!(code, 1);
        text
    };
    for (words, text) in [
        (&["-nope"][..], "Error parsing command line arguments: Invalid parameter -nope\n"),
        (&["-rpcconnect=127.0.0.1:0", "echo"], "error: Invalid port provided in -rpcconnect: 127.0.0.1:0\n"),
        (&["-rpcport=-1", "echo"], "error: Invalid port provided in -rpcport: -1\n"),
        (&["-rpcport=1"], "error: too few parameters (need at least command)\n"),
        (&["-getinfo", "help"], "error: -getinfo takes no arguments\n"),
        (&["-getinfo", "-netinfo"], "error: Only one of -getinfo, -netinfo may be specified.\n"),
        (&["-rpcport=1", "getblockhash", "foo"], "error: Error parsing JSON: foo\n"),
        (
            &["-netinfo", "x"],
            "error: invalid -netinfo level argument: x\nFor more information, run: groestlcoin-cli -netinfo help\n",
        ),
    ] {
        assert_eq!(error(words), text);
    }
    assert!(cli.run(&["-version"]).1.starts_with("Groestlcoin Core RPC client version v31.0.0\n"));
    let help = cli.run(&["-help"]).1;
    assert!(help.contains("\n  -rpcwaittimeout=<n>\n") && help.contains("Usage: groestlcoin-cli"), "{help}");
    assert!(cli.run(&["-netinfo", "help"]).1.starts_with("-netinfo (level [outonly]) | help\n"));
    let bare = Command::new(env!("CARGO_BIN_EXE_groestlcoin-cli")).output().unwrap();
    assert_eq!((bare.status.code(), bare.stderr.as_slice()), (Some(1), &b"Error: too few parameters\n"[..]));
    let missing = Command::new(env!("CARGO_BIN_EXE_groestlcoin-cli"))
        .args(["-datadir=/nonexistent", "x"])
        .output()
        .unwrap();
    assert_eq!(missing.stderr, b"Error: Specified data directory \"/nonexistent\" does not exist.\n");
}

#[test]
fn credentials_come_from_where_they_are_asked_for() {
    let cli = Cli::new();
    let (port, server) = serve(&[&answer("401 X", "")]);
    let (code, _, text) = cli.run(&[&format!("-rpcport={port}"), "echo"]);
    assert_eq!(code, 1);
    assert!(
        text.starts_with("error: Could not locate RPC credentials. No authentication cookie could be found"),
        "{text}"
    );
    assert!(text.contains("Configuration file: ("), "{text}");
    server.join().unwrap();

    // From the configuration file, and words from standard input after the password.
    let (port, server) = serve(&[&answer("200 OK", "{\"result\":1,\"id\":1}")]);
    std::fs::write(cli.path().join("groestlcoin.conf"), format!("[regtest]\nrpcport={port}\nrpcuser=u\n"))
        .unwrap();
    let output = cli.run_with(&["-stdinrpcpass", "-stdin", "echo", "first"], "pw\nsecond\nthird");
    assert_eq!(output.stdout, b"1\n");
    let request = server.join().unwrap().remove(0);
    assert!(request.contains("\r\nAuthorization: Basic dTpwdw==\r\n"), "{request}");
    assert!(request.contains("\"params\":[\"first\",\"second\",\"third\"]"), "{request}");

    let output = cli.run_with(&["-stdinwalletpassphrase", "getinfo"], "pass\n");
    assert_eq!(
        output.stderr,
        b"error: -stdinwalletpassphrase is only applicable for walletpassphrase(change)\n"
    );
    let output = cli.run_with(&["-stdinrpcpass", "echo"], "");
    assert_eq!(output.stderr, b"error: -stdinrpcpass specified but failed to read from standard input\n");
}

#[test]
fn waiting_ends_when_the_server_is_ready() {
    let cli = Cli::new();
    let warmup = answer("500 X", r#"{"result":null,"error":{"code":-28,"message":"Loading"},"id":1}"#);
    let (port, server) = serve(&[&warmup, &answer("200 OK", "{\"result\":7,\"id\":1}")]);
    let port = format!("-rpcport={port}");
    let words =
        [port.as_str(), "-rpcuser=u", "-rpcpassword=p", "-rpcwait", "-named", "-rpcwallet=w/1", "uptime"];
    assert_eq!(cli.run(&words), (0, "7\n".to_owned(), String::new()));
    let requests = server.join().unwrap();
    assert!(requests[1].starts_with("POST /wallet/w%2F1 HTTP/1.1\r\n"), "{}", requests[1]);
    assert!(requests[1].contains("\"params\":{},"), "{}", requests[1]);
}

#[test]
fn generating_takes_two_calls() {
    let cli = Cli::new();
    let address = answer("200 OK", "{\"result\":\"addr\",\"id\":1}");
    let (port, server) = serve(&[&address, &answer("200 OK", "{\"result\":[\"hash\"],\"id\":1}")]);
    let port = format!("-rpcport={port}");
    let (code, text, _) = cli.run(&[&port, "-rpcpassword=p", "-generate", "2"]);
    assert_eq!(
        (code, text.as_str()),
        (0, "{\n  \"address\": \"addr\",\n  \"blocks\": [\n    \"hash\"\n  ]\n}\n")
    );
    let requests = server.join().unwrap();
    assert!(requests[0].contains("\"method\":\"getnewaddress\",\"params\":[]"), "{}", requests[0]);
    assert!(
        requests[1].contains("\"method\":\"generatetoaddress\",\"params\":[2,\"addr\"]"),
        "{}",
        requests[1]
    );
}

/// A node that answers calls over IPC with what it was asked; `None` stands for one without RPC over IPC.
#[derive(Clone)]
struct IpcNode(Option<String>);

impl Init for IpcNode {
    fn hello(&self, _peer: &Hello) -> CallResult<Hello> {
        Ok(Hello::new(Role::Node, "test"))
    }

    fn make_rpc(&self) -> CallResult<Arc<dyn Rpc>> {
        match &self.0 {
            Some(_) => Ok(Arc::new(self.clone())),
            None => Err(CallError::remote("Method not implemented.")),
        }
    }
}

impl Rpc for IpcNode {
    fn execute_rpc(&self, request: &str, uri: &str, user: &str) -> CallResult<String> {
        let answer = self.0.as_deref().unwrap_or_default();
        let method = request.split('"').nth(3).unwrap_or_default();
        Ok(answer.replace("$", &format!("{method} {uri} {user}")))
    }
}

#[test]
fn calls_go_over_ipc_where_a_node_listens() {
    let cli = Cli::new();
    let called = (0, "uptime / \n".to_owned(), String::new());
    let no_node = |reason: &str| {
        let text = format!(
            "error: {reason}\n\nProbably groestlcoin-node is not running or not listening on a unix socket. Can be \
             started with:\n\n    groestlcoin-node -chain=regtest -ipcbind=unix\n"
        );
        (1, String::new(), text)
    };
    for option in ["-ipcconnect", "-ipcconnect=unix", "-ipcconnect=unix:other.sock"] {
        assert_eq!(cli.run(&[option, "uptime"]), no_node("No such file or directory"));
    }
    assert_eq!(cli.run(&["-ipcconnect=tcp", "uptime"]), no_node("Unrecognized address 'tcp'"));
    let conflict = "error: -rpcconnect and -ipcconnect options cannot both be enabled\n";
    let http = |options: &[&str]| {
        let (port, server) = serve(&[&answer("200 OK", "{\"result\":\"http\",\"error\":null,\"id\":1}")]);
        let port = format!("-rpcport={port}");
        let words = [&["-rpcpassword=p", &port], options, &["uptime"]].concat();
        assert_eq!(cli.run(&words), (0, "http\n".to_owned(), String::new()));
        server.join().unwrap();
    };
    http(&[]);
    http(&["-ipcconnect=auto"]);

    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let address = IpcAddress::parse("unix", &cli.path().join("regtest")).unwrap();
    let serve_node =
        |answer: Option<&str>| ipc.bind(&address, Arc::new(IpcNode(answer.map(str::to_owned)))).unwrap();
    let bound = serve_node(Some("{\"result\":\"$\",\"error\":null,\"id\":1}"));
    let socket = format!("-ipcconnect={address}");
    for options in [&[][..], &["-ipcconnect"], &["-ipcconnect=unix"], &[&socket], &["-norpcconnect"]] {
        assert_eq!(cli.run(&[options, &["uptime"]].concat()), called, "{options:?}");
    }
    let named = cli.run(&["-rpcuser=me", "-rpcwallet=a b", "getbalance"]);
    assert_eq!(named, (0, "getbalance /wallet/a%20b me\n".to_owned(), String::new()));
    http(&["-noipcconnect"]);
    http(&["-ipcconnect=0"]);
    http(&["-rpcconnect=127.0.0.1"]);
    let (code, _, error) = cli.run(&["-ipcconnect=unix", "-rpcconnect=127.0.0.1", "uptime"]);
    assert_eq!((code, error.as_str()), (1, conflict));
    drop(bound);

    let bound = serve_node(Some("{\"result\":null,\"error\":{\"code\":-8,\"message\":\"$\"},\"id\":1}"));
    let failed = (8, String::new(), "error code: -8\nerror message:\nstop / \n".to_owned());
    assert_eq!(cli.run(&["stop"]), failed);
    drop(bound);

    let _bound = serve_node(None);
    http(&[]);
    let (code, _, error) = cli.run(&["-ipcconnect", "uptime"]);
    assert_eq!(code, 1);
    assert!(error.contains("Method not implemented."), "{error}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut cli = Command::new(env!("CARGO_BIN_EXE_groestlcoin-cli"))
        .arg("-help")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(cli.stdout.take());
    let output = cli.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
