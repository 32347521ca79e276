//! `cargo run --release -p foresee-benches --bin fuzz -- parser|front|format [--seconds 600] [--seed 0] [--out found]`: texts that are
//! almost specs, until the time is over or something fails.
//!
//! The texts are made from all specs of the repository (`compiler/tests/mutate`). A worker, a process of its own with at most 1 GiB of
//! memory, takes one after another and says which it is at; one that dies, or that says nothing for ten seconds, has found something. That
//! text is made small, by leaving out what does not matter, and written to a file. A slice of this runs in the suite.

#![allow(
    clippy::disallowed_methods,
    reason = "a watchdog waits for a process by the wall clock, in a thread of its own"
)]

#[path = "../../../compiler/tests/mutate/mod.rs"]
mod mutate;

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use foresee_compiler::source::SourceFile;
use foresee_compiler::{compile, parse, print};

/// How long one text may take.
const TEXT_TIME_MAX: Duration = Duration::from_secs(10);

/// How much memory a worker may have.
const MEMORY_BYTES_MAX: libc::rlim_t = 1 << 30;

/// How often a smaller text is tried.
const SMALLER_TRIES_MAX: usize = 2_000;

/// How many texts a worker takes. The crate of tokens keeps the text of everything that a thread has read, some kilobytes each, until
/// the thread ends: a compiler reads a few, and this reads hundreds of thousands.
const TEXTS_OF_A_WORKER: u64 = 20_000;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Target {
    /// The parser
    Parser,
    /// The whole front end, and code generation where that finds nothing wrong
    Front,
    /// The formatter, twice
    Format,
}

/// Looks for texts that make the compiler fail
#[derive(Debug, Parser)]
struct Args {
    /// What is tested
    target: Target,
    /// For how long
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// The first text
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where to write what is found
    #[arg(long, default_value = "found")]
    out: PathBuf,
    /// Works through texts from the seed on
    #[arg(long, hide = true)]
    worker: bool,
    /// Works on one file
    #[arg(long, hide = true)]
    file: Option<PathBuf>,
}

fn main() -> io::Result<ExitCode> {
    let args = Args::parse();
    if let Some(file) = &args.file {
        limit_memory();
        work(args.target, &fs::read_to_string(file)?);
        return Ok(ExitCode::SUCCESS);
    }
    let corpus = mutate::corpus(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    if args.worker {
        limit_memory();
        for seed in args.seed..args.seed.saturating_add(TEXTS_OF_A_WORKER) {
            writeln!(io::stdout(), "{seed}")?;
            work(args.target, &mutate::text(&corpus, seed));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (tried, found) = search(&args, &corpus)?;
    writeln!(io::stdout(), "{tried} texts, {found} failures")?;
    Ok(if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn limit_memory() {
    let limit = libc::rlimit { rlim_cur: MEMORY_BYTES_MAX, rlim_max: MEMORY_BYTES_MAX };
    // SAFETY: setrlimit reads the structure and changes a limit of this process.
    unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
}

/// Panics where the target does what it must not.
fn work(target: Target, text: &str) {
    let source = SourceFile::new("fuzz.mace", text);
    match target {
        Target::Parser => drop(parse::parse(&source)),
        Target::Front => {
            let (_, found) = compile::front(&source);
            let rust = compile::to_rust(&source, "fuzz");
            assert_eq!(rust.is_ok(), !found.has_errors(), "what is right can be generated");
        }
        Target::Format => {
            let Ok(once) = print::format(&source) else { return };
            let twice = print::format(&SourceFile::new("fuzz.mace", once.as_str()));
            assert_eq!(twice.as_ref(), Ok(&once), "formatted again it is another text");
        }
    }
}

fn myself(target: Target) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    let name = target.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default();
    command.arg(name).stdin(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

/// Starts workers until the time is over; how many texts were tried, and how many failed.
// The clock ends the search; nothing that is found depends on it.
#[allow(clippy::disallowed_methods)]
fn search(args: &Args, corpus: &[String]) -> io::Result<(u64, usize)> {
    let end = Instant::now() + Duration::from_secs(args.seconds);
    let (mut seed, mut found) = (args.seed, 0);
    while Instant::now() < end {
        let mut command = myself(args.target)?;
        command.args(["--worker", "--seed", &seed.to_string()]).stdout(Stdio::piped());
        let mut worker = command.spawn()?;
        let (last, failed) = watch(&mut worker, seed, end)?;
        seed = last + 1;
        if failed {
            found += 1;
            let small = minimised(args, mutate::text(corpus, last))?;
            fs::create_dir_all(&args.out)?;
            let path = args.out.join(format!("{:?}-{last}.mace", args.target).to_lowercase());
            fs::write(&path, &small)?;
            writeln!(io::stdout(), "text {last} fails: {} ({} bytes)", path.display(), small.len())?;
        }
    }
    Ok((seed - args.seed, found))
}

/// The last text that a worker was at, and whether it failed there.
#[allow(clippy::disallowed_methods)]
fn watch(worker: &mut Child, first: u64, end: Instant) -> io::Result<(u64, bool)> {
    let Some(out) = worker.stdout.take() else { return Ok((first, true)) };
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                break;
            }
        }
    });
    let mut last = first;
    let failed = loop {
        match told.recv_timeout(TEXT_TIME_MAX) {
            Ok(line) => last = line.parse().unwrap_or(last),
            Err(RecvTimeoutError::Timeout) => break true,
            // It has died, or done its part.
            Err(RecvTimeoutError::Disconnected) => return Ok((last, !worker.wait()?.success())),
        }
        if Instant::now() >= end {
            break false;
        }
    };
    let _ = worker.kill();
    worker.wait()?;
    Ok((last, failed))
}

/// The text without what does not matter to its failure.
fn minimised(args: &Args, mut text: String) -> io::Result<String> {
    let mut tries = 0;
    let mut size = text.chars().count() / 2;
    while size > 0 && tries < SMALLER_TRIES_MAX {
        let letters: Vec<char> = text.chars().collect();
        let mut at = 0;
        let mut smaller = None;
        while at < letters.len() && tries < SMALLER_TRIES_MAX {
            tries += 1;
            let end = (at + size).min(letters.len());
            let candidate: String = letters[..at].iter().chain(&letters[end..]).collect();
            if fails(args, &candidate)? {
                smaller = Some(candidate);
                break;
            }
            at = end;
        }
        match smaller {
            Some(smaller) => text = smaller,
            None => size /= 2,
        }
    }
    Ok(text)
}

/// Whether the target fails on a text, in a process of its own.
fn fails(args: &Args, text: &str) -> io::Result<bool> {
    fs::create_dir_all(&args.out)?;
    let path = args.out.join("candidate");
    fs::write(&path, text)?;
    let mut command = myself(args.target)?;
    command.arg("--file").arg(&path).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let out = child.stdout.take();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        // The end of its output is its end.
        let _ = out.map(|out| BufReader::new(out).lines().count());
        let _ = tell.send(());
    });
    let in_time = told.recv_timeout(TEXT_TIME_MAX).is_ok();
    if !in_time {
        let _ = child.kill();
    }
    let status = child.wait()?;
    fs::remove_file(&path)?;
    Ok(!in_time || !status.success())
}
