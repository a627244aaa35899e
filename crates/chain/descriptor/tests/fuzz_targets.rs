//! Fuzz targets on a small corpus and mutations of it.

use grs_descriptor::fuzz::{fuzz_address, fuzz_descriptor, fuzz_miniscript};
use grs_testkit::run_fuzz;

fn corpus(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|t| t.as_bytes().to_vec()).collect()
}

#[test]
fn addresses_do_not_panic() {
    let texts = [
        "FZ7hX7FoBVbFcwxejkNeAxcCWb4Qo3q7Gd",
        "3C8HzLh378zJ4pX7jdCHhxiRLScw6d8KbH",
        "grs1q39z5e8mcgnql9yqyvvv0r0s04fmglwkt56ag4j",
        "grs1pmvs83n9l5wstul0jclrgv9vsg270w0lquzu0xlu87nx3vuzad8nqhfw3fw",
        "tgrs12ac0vsqkt8f73cv52epm7q6m0hueelrsy6cs8fjtl",
        "KytkR3oFox1EUpCV8Uu1rQQbkzcgCGSWacn5JvtPDh7tdL89GXsc",
        "m/44'/17'/0'",
        "",
    ];
    run_fuzz(fuzz_address, &corpus(&texts), 300);
}

/// Descriptors without checksum, so that mutations get past it.
#[test]
fn descriptors_do_not_panic() {
    const KEY: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    const XPUB: &str = "xpub661MyMwAqRbcF82KCeYec1odpcGp2ToghCV2BZKw2vzzw3NLCX19XYuENtzc8r9RJMV9Za59pEtwiwpM1fzvefLafoHYK5ufbyRx7zZsHxg";
    let texts = [
        format!("pkh([bcd2b44d/74/40h/25h]{XPUB}/43/*)"),
        format!("sh(wsh(sortedmulti(1,{KEY},{XPUB}/<0;1>/*)))"),
        format!("tr({KEY},{{pk({XPUB}/0),{{multi_a(1,{KEY}),and_v(v:pk({XPUB}/1),older(144))}}}})"),
        format!("wsh(or_d(pk({XPUB}/*),and_v(v:pkh({KEY}),after(500000001))))"),
        format!("tr(musig({XPUB},{XPUB}/2)/0/*)"),
        "raw(76a9142b4e7b1da45abb8d5173e980d938376db48e457c88ac)".to_owned(),
        "addr(FZ7hX7FoBVbFcwxejkNeAxcCWb4Qo3q7Gd)".to_owned(),
        format!("combo({KEY})"),
    ];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    run_fuzz(fuzz_descriptor, &corpus(&texts), 250);
}

#[test]
fn miniscript_does_not_panic() {
    let mut seeds = corpus(&[
        "and_v(v:pk(a),or_d(pk(b),older(12960)))",
        "thresh(2,pk(a),s:pk(b),sln:older(12960))",
        "andor(multi(2,a,b,c),or_i(multi(1,d),and_v(v:hash160(0000000000000000000000000000000000000000),0)),1)",
        "or_b(un:multi_a(1,a,b),al:thresh(1,pkh(c)))",
        "j:and_b(pk(a),a:sha256(0000000000000000000000000000000000000000000000000000000000000000))",
        "tv:lltvln:after(1231488000)",
    ]);
    // or_d(pk(k),and_v(v:pk(k),older(2)))
    let mut script = vec![0x21];
    script.extend([2; 33]);
    script.extend([0xac, 0x73, 0x64, 0x21]);
    script.extend([3; 33]);
    script.extend([0xad, 0x52, 0xb2, 0x68]);
    seeds.push(script);
    run_fuzz(fuzz_miniscript, &seeds, 600);
}

/// Deep nesting must not overflow the stack, neither when read nor when dropped.
#[test]
fn deep_nesting_is_no_problem() {
    let deep = "n".repeat(300_000) + ":1";
    fuzz_miniscript(deep.as_bytes());
    fuzz_descriptor(format!("wsh({}pk(a){})", "and_v(v:1,".repeat(3000), ")".repeat(3000)).as_bytes());
    fuzz_descriptor(format!("tr(a,{})", "{".repeat(200)).as_bytes());
    fuzz_miniscript(&vec![0x92; 300_000]);
}
