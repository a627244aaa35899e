//! Project checks that need nothing but cargo.
//!
//! `cargo run -p xtask -- check` runs all of them; single ones by name: `layers`, `bans`, `licences`, `fuzz`,
//! `paths`, `vectors REPORT`.

mod fuzz;
mod layers;
mod metadata;
mod paths;
mod vectors;

use std::process::ExitCode;

type Findings = Vec<String>;

fn run(name: &str, rest: &[String]) -> Result<Findings, String> {
    match name {
        "layers" => layers::order(&metadata::load()?),
        "bans" => layers::bans(&metadata::load()?),
        "licences" => layers::licences(&metadata::load()?),
        "fuzz" => fuzz::coverage(&metadata::load()?),
        "paths" => paths::machine_paths(),
        "vectors" => vectors::report(rest.first().ok_or("vectors needs the report file")?),
        other => Err(format!(
            "unknown check '{other}'; one of check, layers, bans, licences, fuzz, paths, vectors"
        )),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = args.split_first().map_or(("check", &[][..]), |(n, r)| (n.as_str(), r));
    let names =
        if name == "check" { vec!["layers", "bans", "licences", "fuzz", "paths"] } else { vec![name] };
    let mut failed = false;
    for name in names {
        match run(name, rest) {
            Ok(findings) if findings.is_empty() => println!("{name}: ok"),
            Ok(findings) => {
                failed = true;
                findings.iter().for_each(|f| println!("{name}: {f}"));
            }
            Err(why) => {
                failed = true;
                println!("{name}: {why}");
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
