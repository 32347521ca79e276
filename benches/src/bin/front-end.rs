//! `cargo run --release -p foresee-benches --bin front-end`: what the front end costs.
//!
//! CPU seconds of reading, checking and lowering the largest spec of the repository, specs made of many services with 10,000 and
//! 100,000 lines, and ten megabytes that are no spec at all. Rounds are interleaved, so that a machine that slows down slows all of them; a figure
//! is the median of the rounds, and so is what ten times the lines cost, round by round, which is to be at most twelve times as
//! much: else this ends with 1.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use foresee_benches::median;
use foresee_compiler::compile;
use foresee_compiler::source::SourceFile;

/// How often each is measured.
const ROUNDS: usize = 5;

/// The most that ten times the lines may cost.
const RATIO_MAX: f64 = 12.0;

fn main() -> io::Result<ExitCode> {
    let mut out = io::stdout();
    let garbage = "every word of this is in the wrong place ".repeat((10 << 20) / 41);
    let texts = [
        largest()?,
        ("generated".to_owned(), generated(10_000)),
        ("generated".to_owned(), generated(100_000)),
        ("words".to_owned(), garbage),
    ];
    let rounds: Vec<[f64; 4]> = (0..ROUNDS).map(|_| std::array::from_fn(|at| cost(&texts[at].1))).collect();
    for (at, (name, text)) in texts.iter().enumerate() {
        let (lines, bytes) = (text.lines().count(), text.len());
        let cost = median(rounds.iter().map(|round| round[at]));
        writeln!(out, "{name:24} {lines:>8} lines {bytes:>10} bytes {cost:>8.3} CPU s")?;
    }
    let ratio = median(rounds.iter().map(|round| round[2] / round[1]));
    let within = ratio <= RATIO_MAX;
    let verdict = if within { "within" } else { "beyond" };
    writeln!(out, "ten times the lines cost {ratio:.1} times as much: {verdict} {RATIO_MAX}")?;
    Ok(if within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The spec of the repository with the most lines that has no errors.
fn largest() -> io::Result<(String, String)> {
    let mut specs = vec![];
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "mace") {
            let text = fs::read_to_string(&path)?;
            specs.push((
                text.lines().count(),
                path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                text,
            ));
        }
    }
    specs.sort();
    let largest = specs.pop().ok_or_else(|| io::Error::other("there is no spec"))?;
    Ok((largest.1, largest.2))
}

/// A spec of so many lines that means something: services of some eighty lines each, and a system of the first.
fn generated(lines: usize) -> String {
    let mut text = String::from("//! Generated.\n");
    let mut count = 1;
    let mut number = 0;
    while count < lines {
        let service = service(number);
        count += service.matches('\n').count();
        text.push_str(&service);
        number += 1;
    }
    text.push_str("system One { nodes { n[3]: S0 { members: n }; } check { depth: 3; } }\n");
    text
}

fn service(number: usize) -> String {
    let mut handlers = String::new();
    let mut messages = String::new();
    let mut properties = String::new();
    for at in 0..8 {
        messages.push_str(&format!("        M{at} {{ from: NodeId, hops: u8, load: BTreeMap<u32, u64> }}\n"));
        handlers.push_str(&format!(
            "        upcall deliver(src, M{at} {{ from, hops, load }}) in Idle | Busy when hops < 9 {{\n            if seen.insert(from) {{\n                count += load.len() as u64;\n                send(&members, M{} {{ from: src, hops: hops + 1, load }});\n                state = Busy;\n            }}\n        }}\n",
            (at + 1) % 8
        ));
        properties.push_str(&format!("        safety p{at}: forall n in nodes, m in n.members: n.count <= {at} + 100 || m.seen.contains(n);\n"));
    }
    format!(
        "\nservice S{number} {{\n    uses net: Reliable;\n    parameters {{ members: BTreeSet<NodeId>; }}\n    states {{ Idle, Busy }}\n    variables {{\n        seen: BTreeSet<NodeId>;\n        count: u64;\n    }}\n    messages {{\n{messages}    }}\n    timers {{ tick; }}\n    transitions {{\n        upcall start() {{ tick.set(1s); }}\n        scheduler tick {{ count += 1; send(&members, M0 {{ from: me, hops: 0, load: BTreeMap::new() }}); }}\n{handlers}    }}\n    properties {{\n{properties}    }}\n}}\n"
    )
}

/// CPU seconds of the front end over a text.
fn cost(text: &str) -> f64 {
    let source = SourceFile::new("cost.mace", text);
    let before = cpu_seconds();
    let (_, found) = compile::front(&source);
    let cost = cpu_seconds() - before;
    drop(found);
    cost
}

/// User and system CPU time of this process so far.
fn cpu_seconds() -> f64 {
    // SAFETY: `rusage` is plain data for which all zeros is a value; getrusage writes it, and nothing else.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
