//! What schema and trait have to agree on, and what is written if they do.

use crate::bind::bind;
use crate::emit::{Names, files};
use crate::schema::{ByHand, Field, Interface, Interfaces, Method, Placement, WireType};
use crate::traits::{self, Traits};

fn field(name: &str, wire: WireType) -> Field {
    Field {
        name: name.to_owned(),
        wire,
        flagged: false,
        or_default: false,
        decode_later: false,
        whole: false,
    }
}

fn method(name: &str, params: Vec<Field>, results: Vec<Field>) -> Method {
    Method {
        wire_name: name.to_owned(),
        type_name: name.to_uppercase(),
        rust_name: name.to_owned(),
        params,
        results,
        placement: Placement::Worker,
        secret: false,
        by_hand: ByHand::default(),
        retired: None,
    }
}

fn interface(methods: Vec<Method>) -> Interfaces {
    let interface = Interface {
        module: "shop_capnp::shop".to_owned(),
        short: "shop".to_owned(),
        file: "shop".to_owned(),
        rust_trait: Some("Shop".to_owned()),
        state: None,
        extra: Vec::new(),
        methods,
        parents: Vec::new(),
    };
    Interfaces::from([(1, interface)])
}

/// The code for an interface with these methods and a trait with those.
fn generate(methods: Vec<Method>, source: &str) -> Result<String, String> {
    let mut traits = Traits::new();
    traits::read(&format!("pub trait Shop: Send + Sync {{ {source} }}"), "pack", &mut traits).unwrap();
    let interfaces = interface(methods);
    let bound = bind(&interfaces, &traits).map_err(|error| error.to_string())?;
    let names = Names { traits: "pack".to_owned(), schemas: "wire".to_owned() };
    Ok(files(&bound, &names).remove("shop.rs").unwrap().split_whitespace().collect::<Vec<_>>().join(" "))
}

fn price() -> Method {
    method("price", vec![field("item", WireType::Text)], vec![field("result", WireType::Scalar("i64"))])
}

#[test]
fn both_sides_are_written() {
    let code = generate(vec![price()], "fn price(&self, item: &str) -> CallResult<i64>;").unwrap();
    for part in [
        "impl Shop for ShopProxy",
        "p.set_item(&item); }",
        "Ok(r.get_result())",
        "impl shop::Server for ShopServer",
        "let item: String = FromWire::from_wire(p.get_item()?)?;",
        "move || object.price(&item)",
        "out.set_result(value);",
        ".receive(&params)",
    ] {
        assert!(code.contains(part), "{part}: {code}");
    }
    assert!(syn::parse_file(&code).is_ok());
}

#[test]
fn secrets_are_sent_and_received_as_such() {
    let secret = Method { secret: true, ..price() };
    let code = generate(vec![secret], "fn price(&self, item: &str) -> CallResult<i64>;").unwrap();
    assert!(code.contains("call.send_secret(ask)") && code.contains("receive_secret(&params)"));
    assert!(!code.contains("call.send(") && !code.contains(".receive(&"));
}

#[test]
fn what_does_not_agree_is_an_error() {
    let cases = [
        (
            "fn price(&self, item: &str) -> CallResult<i64>; fn close(&self) -> CallResult<()>;",
            "Shop.close: is not in the schema",
        ),
        ("", "shop_capnp::shop.price is not in the trait Shop"),
        ("fn price(&self, name: &str) -> CallResult<i64>;", "the trait [\"name\"]"),
        ("fn price(&self) -> CallResult<i64>;", "the trait []"),
        ("fn price(&self, item: &str) -> CallResult<()>;", "the trait drops the schema's results"),
        (
            "fn price(&self, item: &str) -> CallResult<Option<i64>>;",
            "may be absent, but the schema has no flag",
        ),
        (
            "fn price(&self, item: Arc<dyn Item>) -> CallResult<i64>;",
            "'item' is no interface, the trait has Item",
        ),
        ("fn price(&self, item: &str) -> i64;", "there is no trait Shop"),
    ];
    for (source, expected) in cases {
        let error = generate(vec![price()], source).unwrap_err();
        assert!(error.contains(expected), "{source}: {error}");
    }
    let flagged = Field { flagged: true, ..field("result", WireType::Scalar("i64")) };
    let error = generate(vec![method("count", vec![], vec![flagged])], "fn count(&self) -> CallResult<i64>;");
    assert!(error.unwrap_err().contains("has a flag in the schema"));
    let list = method("names", vec![], vec![field("result", WireType::List)]);
    let error = generate(vec![list], "fn names(&self) -> CallResult<String>;").unwrap_err();
    assert!(error.contains("'result' is a list"));
    let answer = method("ask", vec![field("answer", WireType::Text)], vec![]);
    let error = generate(vec![answer], "fn ask(&self, answer: &str) -> CallResult<()>;").unwrap_err();
    assert!(error.contains("may not be named 'answer'"));
}

#[test]
fn a_retired_method_fails_with_its_text() {
    let old = Method { retired: Some("too old".to_owned()), ..method("old", vec![], vec![]) };
    let code = generate(vec![price(), old], "fn price(&self, item: &str) -> CallResult<i64>;").unwrap();
    assert!(code.contains("Err(exception(\"too old\"))"));
}
