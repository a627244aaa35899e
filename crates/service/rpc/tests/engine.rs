//! Dispatch, arguments, help and checks, without a network.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use grs_rpc::control::{self, ControlHooks};
use grs_rpc::value::{
    Expected, amount, amount_from_value, check_object_types, double, fee_rate_from_value, number,
    parse_confirm_target, parse_descriptor_range, parse_fixed_point, parse_hash, parse_hex, parse_verbosity,
};
use grs_rpc::{
    Arg, CallInfo, CommandCall, JsonExt, Method, Mode, Outcome, Output, Params, RemoteCommand, Request, Res,
    RpcError, RpcTable, arg_names, code,
};
use serde_json::{Value, json};

fn info() -> CallInfo {
    CallInfo::new(Arc::new(()))
}

fn echo(request: &Request) -> Result<Value, RpcError> {
    Ok(request.params().to_vec().into())
}

/// `sample "first" ( n {"key":"str",...} )`
fn sample() -> Method {
    Method::new("util", "sample", "Shows every kind of argument.\n", echo)
        .arg(Arg::str("first|alias", "A text"))
        .arg(Arg::num("n", "A number\nin two lines").default(6))
        .arg(
            Arg::options(
                "options",
                "",
                [
                    Arg::str("opt_text", "A text option").optional(),
                    Arg::bool("flag", "A flag").default(false),
                    Arg::num("n", "Same as the position").optional().also_positional(),
                ],
            )
            .oneline("options"),
        )
        .result(Res::arr("", "All of them", [Res::str("", "One")]).cond("if all went well"))
        .result(Res::obj("", "", [Res::num("a", "Number"), Res::hex("b", "").optional()]).cond("else"))
        .example_cli("\"text\" 1")
        .example_rpc("\"text\", 1")
}

fn table() -> RpcTable {
    let table = RpcTable::new();
    table.register(sample());
    table.set_warmup_finished();
    table
}

fn named(pairs: &[(&str, Value)]) -> Params {
    Params::Object(pairs.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect())
}

fn call(table: &RpcTable, params: Params) -> Result<Value, RpcError> {
    table.execute(&info(), "sample", params).map(|o| o.into_value().unwrap())
}

#[test]
fn named_arguments_get_their_positions() {
    let table = table();
    let ok = |pairs: &[(&str, Value)]| call(&table, named(pairs)).unwrap();
    assert_eq!(ok(&[("first", json!("x"))]), json!(["x"]));
    assert_eq!(ok(&[("alias", json!("x"))]), json!(["x"]));
    assert_eq!(ok(&[("options", json!({})), ("first", json!("x"))]), json!(["x", null, {}]));
    assert_eq!(ok(&[("first", json!("x")), ("flag", json!(true))]), json!(["x", null, {"flag": true}]));
    assert_eq!(ok(&[("args", json!(["x"])), ("flag", json!(true))]), json!(["x", null, {"flag": true}]));
    assert_eq!(ok(&[("args", json!(["x", 2])), ("flag", json!(true))]), json!(["x", 2, {"flag": true}]));
    assert_eq!(ok(&[("first", json!("x")), ("args", json!(1))]), json!(["x"]));
    let both = call(&table, Params::Array(vec![json!("x"), Value::Null, json!({"n": 2})])).unwrap();
    assert_eq!(both, json!(["x", null, {"n": 2}]));
}

#[test]
fn wrong_named_arguments_are_refused() {
    let table = table();
    let fails = |pairs: &[(&str, Value)]| {
        let error = call(&table, named(pairs)).unwrap_err();
        assert_eq!(error.code, code::INVALID_PARAMETER);
        error.message
    };
    let x = || ("first", json!("x"));
    assert_eq!(fails(&[x(), ("nope", json!(1))]), "Unknown named parameter nope");
    assert_eq!(fails(&[x(), x()]), "Parameter first specified multiple times");
    assert_eq!(
        fails(&[x(), ("options", json!({})), ("flag", json!(true))]),
        "Parameter options conflicts with parameter flag"
    );
    assert_eq!(
        fails(&[x(), ("args", json!(["y"]))]),
        "Parameter first|alias specified twice both as positional and named argument"
    );
}

#[test]
fn types_are_checked_before_the_call() {
    let table = table();
    let error = call(&table, Params::Array(vec![json!(1), json!("2")])).unwrap_err();
    assert_eq!(error.code, code::TYPE_ERROR);
    assert_eq!(
        error.message,
        "Wrong type passed:\n{\n    \"Position 1 (first|alias)\": \"JSON value of type number is not of expected type \
         string\",\n    \"Position 2 (n)\": \"JSON value of type string is not of expected type number\"\n}"
    );
    for count in [0, 4] {
        let error = call(&table, Params::Array(vec![json!("x"); count])).unwrap_err();
        assert_eq!(error.code, code::MISC_ERROR);
        assert!(error.message.starts_with("sample \"first\" ( n options )\n\nShows"), "{}", error.message);
    }
}

#[test]
fn help_has_the_layout_that_tools_expect() {
    let help = table().help("sample", &info());
    let expected = r#"sample "first" ( n options )

Shows every kind of argument.

Arguments:
1. first      (string, required) A text
2. n          (numeric, optional, default=6) A number
              in two lines
3. options    (json object, optional) Object of options, each of which can also be given as a named argument; see below.

Named Arguments:
opt_text    (string, optional) A text option
flag        (boolean, optional, default=false) A flag
n           (numeric, optional) Same as the position

Result (if all went well):
[           (json array) All of them
  "str",    (string) One
  ...
]

Result (else):
{                 (json object)
  "a" : n,        (numeric) Number
  "b" : "hex"     (string, optional)
}

Examples:
> groestlcoin-cli sample "text" 1
> curl --user myusername --data-binary '{"jsonrpc": "2.0", "id": "curltest", "method": "sample", "params": ["text", 1]}' -H 'content-type: application/json' http://127.0.0.1:1441/
"#;
    assert_eq!(help, expected);
}

#[test]
fn nested_arguments_are_laid_out() {
    let method = Method::new("util", "nested", "Nested.", echo)
        .arg(Arg::arr(
            "inputs",
            "Inputs",
            [Arg::obj("", "", [Arg::hex("txid", "Id"), Arg::num("vout", "Index").optional()]).optional()],
        ))
        .arg(Arg::obj_user_keys("outputs", "Outputs", [Arg::amount("address", "Amount")]).optional())
        .arg(Arg::num("hidden", "").optional().hidden());
    let table = RpcTable::new();
    table.register(method);
    let expected = r#"nested [{"txid":"hex","vout":n},...] ( {"address":amount,...} )

Nested.

Arguments:
1. inputs                 (json array, required) Inputs
     [
       {                  (json object)
         "txid": "hex",   (string, required) Id
         "vout": n,       (numeric, optional) Index
       },
       ...
     ]
2. outputs                (json object, optional) Outputs
     {
       "address": amount, (numeric or string, required) Amount
       ...
     }"#;
    // Only the width of the left column differs from how people would write it.
    let squeeze = |text: &str| {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(words).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(squeeze(&table.help("nested", &info())), squeeze(expected));
}

#[test]
fn list_of_commands_is_grouped() {
    let table = table();
    table.register(Method::new("hidden", "secret", "", echo));
    table.register(Method::new("blockchain", "getit", "", echo));
    table.register(Method::new("blockchain", "dumpit", "", echo));
    assert_eq!(
        table.help("", &info()),
        "== Blockchain ==\ndumpit\ngetit\n\n== Util ==\nsample \"first\" ( n options )"
    );
    assert_eq!(table.help("nope", &info()), "help: unknown command: nope");
    assert!(table.help("secret", &info()).starts_with("secret"));
}

#[test]
fn conversion_table_lists_every_name() {
    let rows = table().dump_arg_map(&info());
    let expected = json!([
        ["sample", 0, "first", true],
        ["sample", 0, "alias", true],
        ["sample", 1, "n", false],
        ["sample", 2, "options", false],
        ["sample", 2, "opt_text", true],
        ["sample", 2, "flag", false],
        ["sample", 2, "n", false],
    ]);
    assert_eq!(rows, expected);
}

#[test]
fn results_are_compared_with_their_description() {
    let table = table();
    table.set_doc_check(true);
    let shaped = |name: &'static str, result: Value| {
        let shape = Res::obj(
            "",
            "",
            [
                Res::num("a", ""),
                Res::str("b", "").optional(),
                Res::arr("c", "", [Res::bool("", "")]).optional(),
                Res::obj_dyn("d", "", [Res::amount("x", "")]).optional(),
            ],
        );
        table.register(Method::new("util", name, "", move |_| Ok(result.clone())).result(shape));
        table.execute(&info(), name, Params::default())
    };
    assert!(shaped("one", json!({"a": 1})).is_ok());
    assert!(shaped("two", json!({"a": 1, "b": "", "c": [true, false], "d": {"k": 1.5}})).is_ok());
    let text = |name, value| shaped(name, value).unwrap_err().message;
    let missing = text("three", json!({"b": ""}));
    assert!(
        missing.starts_with("Internal bug detected: RPC call \"three\" returned incorrect type:\n{"),
        "{missing}"
    );
    assert!(missing.contains("\"a\": \"key missing, despite not being optional in doc\""));
    assert!(text("four", json!({"a": 1, "z": 1})).contains("\"z\": \"key returned that was not in doc\""));
    assert!(
        text("five", json!({"a": "1"})).contains("returned type is string, but declared as number in doc")
    );
    assert!(text("six", json!({"a": 1, "c": [true, 1]})).contains("\"1\": \"returned type is number"));
    assert!(text("seven", json!({"a": 1, "d": {"k": "1"}})).contains("\"k\": \"returned type is string"));
    assert!(text("eight", json!([])).contains("returned type is array, but declared as object in doc"));
}

#[test]
fn calls_wait_for_the_end_of_warmup() {
    let table = RpcTable::new();
    table.register(sample());
    let error = call(&table, Params::default()).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (code::IN_WARMUP, "RPC server started"));
    table.set_warmup_status("Verifying blocks…");
    assert_eq!(call(&table, Params::default()).unwrap_err().message, "Verifying blocks…");
    table.set_warmup_finished();
    assert!(call(&table, Params::Array(vec![json!("x")])).is_ok());
    let error = table.execute(&info(), "nope", Params::default()).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (code::METHOD_NOT_FOUND, "Method not found"));
}

#[test]
fn interruption_is_seen_by_waiting_calls() {
    let table = RpcTable::new();
    table.start();
    assert!(table.check_interrupt().is_ok());
    table.interrupt();
    let error = table.check_interrupt().unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (code::CLIENT_NOT_CONNECTED, "Shutting down"));
}

#[test]
fn providers_of_one_name_are_asked_in_turn() {
    // What a wallet process holds.
    let wallets = Arc::new(RpcTable::new());
    wallets.register(sample());
    let provider = |answer: Result<&'static str, RpcError>| {
        let wallets = wallets.clone();
        Arc::new(RemoteCommand::new("wallet", "sample", arg_names(&sample()), move |call: &CommandCall| {
            if call.info.mode != Mode::Execute {
                return wallets.dispatch(call.info, call.name, Params::Array(call.params.to_vec()), true);
            }
            answer.clone().map(|text| Outcome::Done(Output::Value(text.into())))
        }))
    };
    let not_found = RpcError::new(code::WALLET_NOT_FOUND, "no such wallet");
    let table = RpcTable::new();
    table.set_warmup_finished();
    let first = table.register_command(provider(Err(not_found.clone())));
    assert_eq!(call(&table, named(&[("first", json!("x"))])), Err(not_found));
    let second = table.register_command(provider(Ok("second")));
    assert_eq!(call(&table, named(&[("first", json!("x"))])), Ok(json!("second")));
    assert_eq!(table.help("", &info()), "== Wallet ==\nsample \"first\" ( n options )");
    assert_eq!(table.dump_arg_map(&info()).as_array().unwrap().len(), 7);
    assert!(table.unregister(&second));
    assert!(!table.unregister(&second));
    assert_eq!(call(&table, Params::default()).unwrap_err().code, code::WALLET_NOT_FOUND);
    assert!(table.unregister(&first));
    assert_eq!(call(&table, Params::default()).unwrap_err().code, code::METHOD_NOT_FOUND);
    assert!(table.list_commands().is_empty());
}

#[test]
fn requests_can_come_as_text() {
    use grs_interfaces::Rpc;
    let options = grs_rpc::auth::AuthOptions {
        rpcauth: vec!["u:aa$bb".to_owned()],
        whitelist: vec!["limited:other".to_owned()],
        whitelist_default: Some(false),
        ..Default::default()
    };
    let auth = grs_rpc::auth::Auth::new(options).unwrap();
    let server = grs_rpc::RpcServer::new(Arc::new(table()), auth, Arc::new(()));
    let run = |request: &str, user: &str| server.execute_rpc(request, "/", user).map_err(|e| e.to_string());
    let request = r#"{"method":"sample","params":["x"],"id":3}"#;
    assert_eq!(run(request, "u"), Ok(r#"{"result":["x"],"error":null,"id":3}"#.to_owned()));
    let forbidden = "The RPC whitelist does not let user 'limited' make this call.";
    assert_eq!(run(request, "limited"), Err(forbidden.to_owned()));
    assert!(run("x", "u").unwrap().contains("Parse error"));
    let notification = r#"{"jsonrpc":"2.0","method":"sample","params":["x"]}"#;
    assert_eq!(run(notification, "u"), Ok("null".to_owned()));
    let batch = format!("[{request},{{\"method\":\"nothing\",\"id\":4}}]");
    assert!(
        run(&batch, "u")
            .unwrap()
            .starts_with(r#"[{"result":["x"],"error":null,"id":3},{"result":null,"error":{"code":-32601"#)
    );

    let options = grs_rpc::auth::AuthOptions { whitelist: vec!["u:sample".to_owned()], ..Default::default() };
    let auth = grs_rpc::auth::Auth::whitelists(&options);
    assert_eq!(auth.check_header(b"Basic dTo="), None);
    let server = grs_rpc::RpcServer::new(Arc::new(table()), auth, Arc::new(()));
    assert!(server.execute_rpc(request, "/", "u").is_ok());
    assert!(server.execute_rpc(request, "/", "").is_err());
}

#[test]
fn a_panicking_handler_is_an_error() {
    let table = RpcTable::new();
    table.set_warmup_finished();
    table.register(Method::new("util", "bad", "", |_| panic!("on purpose")));
    let error = table.execute(&info(), "bad", Params::default()).unwrap_err();
    assert_eq!(error.code, code::MISC_ERROR);
    assert!(error.message.contains("Internal bug detected"));
    assert!(table.active_commands().is_empty());
}

#[test]
fn control_methods_work() {
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = stopped.clone();
    let table = Arc::new(RpcTable::new());
    control::register(
        &table,
        ControlHooks {
            shutdown: Box::new(move || flag.store(true, Ordering::SeqCst)),
            uptime: Box::new(|| 42),
            log_path: "/tmp/debug.log".to_owned(),
            client_name: "Groestlcoin Core".to_owned(),
        },
    );
    table.set_warmup_finished();
    table.set_doc_check(true);
    let run = |name: &str, params: Value| {
        let params = Params::Array(params.as_array().unwrap().clone());
        table.execute(&info(), name, params).map(|o| o.into_value().unwrap())
    };
    assert_eq!(run("uptime", json!([])), Ok(json!(42)));
    let status = run("getrpcinfo", json!([])).unwrap();
    assert_eq!(status["logpath"], "/tmp/debug.log");
    assert_eq!(status["active_commands"][0]["method"], "getrpcinfo");
    assert_eq!(run("echo", json!([1, "x"])), Ok(json!([1, "x"])));
    let bug = run("echo", json!([0, 1, 2, 3, 4, 5, 6, 7, 8, "trigger_internal_bug"])).unwrap_err();
    assert!(
        bug.message
            .starts_with("Internal bug detected: request.params[9].get_str() != \"trigger_internal_bug\"")
    );
    assert_eq!(run("help", json!(["uptime"])).unwrap().as_str().unwrap().lines().next(), Some("uptime"));
    let list = run("help", json!([])).unwrap();
    assert_eq!(list, "== Control ==\ngetrpcinfo\nhelp ( \"command\" )\nstop\nuptime");
    assert!(run("help", json!(["dump_all_command_conversions"])).unwrap().is_array());
    assert_eq!(run("help", json!([1])).unwrap_err().code, code::TYPE_ERROR);
    assert!(!stopped.load(Ordering::SeqCst));
    assert_eq!(run("stop", json!([1])), Ok(json!("Groestlcoin Core stopping")));
    assert!(stopped.load(Ordering::SeqCst));
}

#[test]
fn arguments_are_read_by_name_with_defaults() {
    let table = RpcTable::new();
    table.set_warmup_finished();
    let method = Method::new("util", "typed", "", |request: &Request| {
        let number: i32 = request.arg("n")?;
        let text: Option<&str> = request.opt("text")?;
        Ok(json!([number, text, request.has("text"), request.context::<u8>()?]))
    });
    table.register(method.arg(Arg::num("n", "").default(7)).arg(Arg::str("text", "").optional()));
    let info = CallInfo::new(Arc::new(5u8));
    let run = |params| table.execute(&info, "typed", Params::Array(params)).map(|o| o.into_value().unwrap());
    assert_eq!(run(vec![]), Ok(json!([7, null, false, 5])));
    assert_eq!(run(vec![json!(1), json!("x")]), Ok(json!([1, "x", true, 5])));
    let error = run(vec![number("1.5")]).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (code::MISC_ERROR, "JSON integer out of range"));
    assert!(run(vec![number("3000000000")]).is_err());
    let info = CallInfo::new(Arc::new(()));
    assert_eq!(table.execute(&info, "typed", Params::default()).unwrap_err().code, code::INTERNAL_ERROR);
}

#[test]
fn amounts_keep_eight_decimals() {
    for (units, text) in [
        (0, "0.00000000"),
        (1, "0.00000001"),
        (-1, "-0.00000001"),
        (100_000_000, "1.00000000"),
        (10_500_000_000_000_000, "105000000.00000000"),
        (i64::MIN, "-92233720368.54775808"),
    ] {
        assert_eq!(amount(units).to_string(), text);
    }
    let ok = |value: Value| amount_from_value(&value);
    assert_eq!(ok(json!("1.5")), Ok(150_000_000));
    assert_eq!(ok(number("0.00000001")), Ok(1));
    assert_eq!(ok(number("1e-8")), Ok(1));
    assert_eq!(ok(number("105000000")), Ok(10_500_000_000_000_000));
    for (value, message) in [
        (json!(true), "Amount is not a number or string"),
        (Value::Null, "Amount is not a number or string"),
        (json!("x"), "Invalid amount"),
        (json!(""), "Invalid amount"),
        (number("0.000000001"), "Invalid amount"),
        (json!("-1"), "Amount out of range"),
        (json!("105000000.00000001"), "Amount out of range"),
    ] {
        let error = amount_from_value(&value).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code::TYPE_ERROR, message), "{value}");
    }
    assert_eq!(
        fee_rate_from_value(&json!(1)).unwrap_err().message,
        "Fee rates larger than or equal to 1GRS/kvB are not accepted"
    );
}

#[test]
fn fixed_point_numbers_are_exact() {
    for (text, expected) in [
        ("0", Some(0)),
        ("1", Some(100_000_000)),
        ("0.0", Some(0)),
        ("-0.1", Some(-10_000_000)),
        ("1.1", Some(110_000_000)),
        ("1.10000000000000000", Some(110_000_000)),
        ("1.1e1", Some(1_100_000_000)),
        ("1.1e-1", Some(11_000_000)),
        ("1000", Some(100_000_000_000)),
        ("-1000", Some(-100_000_000_000)),
        ("0.00000001", Some(1)),
        ("0.0000000100000000", Some(1)),
        ("-0.00000001", Some(-1)),
        ("1000000000.00000001", Some(100_000_000_000_000_001)),
        ("9999999999.99999999", Some(999_999_999_999_999_999)),
        ("-9999999999.99999999", Some(-999_999_999_999_999_999)),
        ("", None),
        ("-", None),
        ("a-1000", None),
        ("-a1000", None),
        ("-1000a", None),
        ("-01000", None),
        ("00.1", None),
        (".1", None),
        ("--0.1", None),
        ("0.000000001", None),
        ("-0.000000001", None),
        ("0.00000001000000001", None),
        ("-10000000000.00000000", None),
        ("10000000000.00000000", None),
        ("-10000000000.00000001", None),
        ("10000000000.00000009", None),
        ("-99999999999.99999999", None),
        ("99999909999.09999999", None),
        ("92233720368.54775807", None),
        ("1.1e", None),
        ("1.1e-", None),
        ("1.", None),
    ] {
        assert_eq!(parse_fixed_point(text, 8), expected, "{text}");
    }
}

#[test]
fn doubles_are_written_like_c_does() {
    for (value, text) in [
        (0.0, "0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (4.656542373906925e-10, "4.656542373906925e-10"),
        (123456789.125, "123456789.125"),
        (1e15, "1000000000000000"),
        (1e16, "1e+16"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (2.0 / 3.0, "0.6666666666666666"),
        (-2.5, "-2.5"),
    ] {
        assert_eq!(double(value).to_string(), text);
    }
    assert_eq!(double(f64::NAN), Value::Null);
}

#[test]
fn hashes_and_hex_are_strict() {
    let hash = format!("{}01", "00".repeat(31));
    let bytes = parse_hash(&json!(hash), "blockhash").unwrap();
    assert_eq!((bytes[0], bytes[31]), (1, 0));
    let text = |value: Value| parse_hash(&value, "blockhash").unwrap_err().message;
    assert_eq!(text(json!("abc")), "blockhash must be of length 64 (not 3, for 'abc')");
    let bad = "z".repeat(64);
    assert_eq!(text(json!(bad)), format!("blockhash must be hexadecimal string (not '{bad}')"));
    assert_eq!(text(json!(1)), "JSON value of type number is not of expected type string");
    assert_eq!(parse_hex(&json!("00ff"), "x"), Ok(vec![0, 255]));
    for bad in [json!("0"), json!(""), json!("zz"), json!(1)] {
        assert!(parse_hex(&bad, "x").unwrap_err().message.starts_with("x must be hexadecimal string (not '"));
    }
}

#[test]
fn other_helpers_follow_the_reference() {
    let object = json!({"a": "1", "z": 1});
    let check = |types: &[(&str, Expected)], null, strict| {
        check_object_types(&object, types, null, strict).map_err(|e| e.message)
    };
    assert_eq!(check(&[("a", Expected::Str), ("z", Expected::Any)], false, true), Ok(()));
    assert_eq!(check(&[("a", Expected::Str), ("m", Expected::Str)], true, false), Ok(()));
    assert_eq!(
        check(&[("a", Expected::Str), ("m", Expected::Str)], false, false),
        Err("Missing m".to_owned())
    );
    assert_eq!(check(&[("a", Expected::Str)], false, true), Err("Unexpected key z".to_owned()));
    assert_eq!(
        check(&[("a", Expected::Num)], false, false),
        Err("JSON value of type string for field a is not of expected type number".to_owned())
    );
    assert_eq!(parse_verbosity(&json!(true), 0, true), Ok(1));
    assert_eq!(parse_verbosity(&Value::Null, 2, true), Ok(2));
    assert_eq!(
        parse_verbosity(&json!(true), 0, false).unwrap_err().message,
        "Verbosity was boolean but only integer allowed"
    );
    assert_eq!(parse_confirm_target(&json!(5), 10), Ok(5));
    assert_eq!(
        parse_confirm_target(&json!(11), 10).unwrap_err().message,
        "Invalid conf_target, must be between 1 and 10"
    );
    assert_eq!(parse_descriptor_range(&json!(9)), Ok((0, 9)));
    assert_eq!(parse_descriptor_range(&json!([2, 9])), Ok((2, 9)));
    for (value, text) in [
        (json!([3, 2]), "Range specified as [begin,end] must not have begin after end"),
        (json!([-1, 2]), "Range should be greater or equal than 0"),
        (json!(-1), "End of range is too high"),
        (json!(1_000_000), "Range is too large"),
        (json!("a"), "Range must be specified as end or as [begin,end]"),
    ] {
        assert_eq!(parse_descriptor_range(&value).unwrap_err().message, text);
    }
    assert_eq!(json!({"a": [1]}).field("a").at(0).get_int::<u8>(), Ok(1));
    assert!(json!(1).field("a").at(3).is_null());
}
