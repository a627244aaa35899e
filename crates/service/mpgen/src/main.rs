//! `grs-mpgen`: runs the schema compiler `capnp` and writes Rust code.
//!
//!     grs-mpgen types --prefix DIR [-I DIR]... --out DIR SCHEMA...
//!     grs-mpgen proxies --prefix DIR [-I DIR]... --out DIR --traits CRATE=DIR --schemas CRATE SCHEMA...
//!     grs-mpgen describe --prefix DIR [-I DIR]... --out FILE SCHEMA...
//!
//! `types` writes what Cap'n Proto's own plugin writes, `proxies` the proxies and servers, `describe` the wire contract
//! as text. `cargo run -p xtask -- schemas` calls all three with the project's paths.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

type Failure = Box<dyn std::error::Error>;

#[derive(Default)]
struct Options {
    prefix: PathBuf,
    imports: Vec<String>,
    out: PathBuf,
    traits: Option<(String, PathBuf)>,
    schemas: Option<String>,
    files: Vec<String>,
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Options, Failure> {
    let mut options = Options::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--prefix" => options.prefix = value()?.into(),
            "-I" => options.imports.push(value()?),
            "--out" => options.out = value()?.into(),
            "--schemas" => options.schemas = Some(value()?),
            "--traits" => {
                let value = value()?;
                let (name, folder) = value.split_once('=').ok_or("--traits needs CRATE=DIR")?;
                options.traits = Some((name.to_owned(), folder.into()));
            }
            file if !file.starts_with('-') => options.files.push(word),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    Ok(options)
}

/// What the schema compiler says about the files.
fn request(options: &Options) -> Result<Vec<u8>, Failure> {
    let mut command = Command::new("capnp");
    command.arg("compile").arg("-o-").arg(format!("--src-prefix={}", options.prefix.display()));
    command.args(options.imports.iter().map(|folder| format!("-I{folder}")));
    command.args(&options.files).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("cannot run capnp: {error}"))?;
    if !output.status.success() {
        return Err(format!("capnp: {}", output.status).into());
    }
    Ok(output.stdout)
}

/// The source files in a folder and the folders in it.
fn sources(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    let mut out = Vec::new();
    for path in paths {
        if path.is_dir() {
            out.extend(sources(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(std::fs::read_to_string(&path)?);
        }
    }
    Ok(out)
}

fn format(files: &[PathBuf]) -> Result<(), Failure> {
    let status = Command::new("rustfmt").args(["--edition", "2024"]).args(files).status();
    match status.map_err(|error| format!("cannot run rustfmt: {error}"))? {
        status if status.success() => Ok(()),
        status => Err(format!("rustfmt: {status}").into()),
    }
}

fn proxies(options: &Options, request: &[u8]) -> Result<(), Failure> {
    let (name, folder) = options.traits.as_ref().ok_or("--traits is needed")?;
    let names = grs_mpgen::emit::Names {
        traits: name.clone(),
        schemas: options.schemas.clone().ok_or("--schemas is needed")?,
    };
    let message = capnp::serialize::read_message(request, capnp::message::ReaderOptions::new())?;
    let files = grs_mpgen::generate(message.get_root()?, &sources(folder)?, &names)?;
    std::fs::create_dir_all(&options.out)?;
    for entry in std::fs::read_dir(&options.out)? {
        let entry = entry?;
        let name = entry.file_name();
        // Left over from a schema that is no longer there.
        if name.to_str().is_some_and(|name| name.ends_with(".rs") && !files.contains_key(name)) {
            std::fs::remove_file(entry.path())?;
        }
    }
    let mut written = Vec::new();
    for (name, text) in files {
        let path = options.out.join(name);
        std::fs::write(&path, text)?;
        written.push(path);
    }
    // `mod.rs` brings the others.
    written.retain(|path| path.ends_with("mod.rs"));
    format(&written)
}

fn run() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let what = words.next().ok_or("what to write: types, proxies or describe")?;
    let options = parse(words)?;
    let request = request(&options)?;
    match what.as_str() {
        "types" => {
            let mut command = capnpc::codegen::CodeGenerationCommand::new();
            Ok(command.output_directory(&options.out).run(&request[..])?)
        }
        "proxies" => proxies(&options, &request),
        "describe" => {
            let message = capnp::serialize::read_message(&request[..], capnp::message::ReaderOptions::new())?;
            Ok(std::fs::write(&options.out, grs_mpgen::describe::describe(message.get_root()?)?)?)
        }
        other => Err(format!("unknown '{other}'; types, proxies or describe").into()),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grs-mpgen: {error}");
            ExitCode::FAILURE
        }
    }
}
