//! Project checks that need nothing but cargo.
//!
//! `cargo run -p xtask -- check` runs all of them; single ones by name: `layers`, `bans`, `defaults`, `licences`,
//! `fuzz`, `paths`, `schemas --check`, `scripts`, `without-ipc`, `vectors REPORT`. `schemas` without `--check` writes the
//! code that is generated from the schemas anew; that needs the program `capnp`.
//! `dist --prefix DIR` makes an installation. `screenshots [NAME...]` draws the pages of the window into `docs/images`.

mod build_scripts;
mod dist;
mod fuzz;
mod layers;
mod metadata;
mod paths;
mod schemas;
mod screenshots;
mod vectors;

use std::process::ExitCode;

type Findings = Vec<String>;

fn run(name: &str, rest: &[String]) -> Result<Findings, String> {
    match name {
        "layers" => layers::order(&metadata::load()?),
        "bans" => layers::bans(&metadata::load()?),
        "defaults" => layers::defaults(&metadata::load()?),
        "licences" => layers::licences(&metadata::load()?),
        "fuzz" => fuzz::coverage(&metadata::load()?),
        "schemas" if rest.iter().any(|option| option == "--check") => schemas::check(),
        "schemas" => schemas::regenerate(),
        "paths" => paths::machine_paths(),
        "scripts" => build_scripts::scripts(&metadata::load()?),
        "without-ipc" => build_scripts::without_ipc(),
        "vectors" => vectors::report(rest.first().ok_or("vectors needs the report file")?),
        other => Err(format!(
            "unknown check '{other}'; one of check, layers, bans, defaults, licences, fuzz, paths, schemas, scripts, \
             without-ipc, vectors, dist, screenshots"
        )),
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = args.split_first().map_or(("check", &[][..]), |(n, r)| (n.as_str(), r));
    let order = match name {
        "dist" => Some(dist::run(rest)),
        "screenshots" => Some(screenshots::run(rest)),
        _ => None,
    };
    match order {
        Some(Ok(())) => return ExitCode::SUCCESS,
        Some(Err(why)) => {
            eprintln!("{name}: {why}");
            return ExitCode::FAILURE;
        }
        None => {}
    }
    let all =
        ["layers", "bans", "defaults", "licences", "fuzz", "paths", "schemas", "scripts", "without-ipc"];
    let check = ["--check".to_owned()];
    let (names, rest) = if name == "check" { (all.to_vec(), &check[..]) } else { (vec![name], rest) };
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
