//! Runs what the documents tell a reader to run, and compares what they show with what is printed.
//!
//! Fences of `README.md` and of every page below `docs/`:
//! - `sh`: commands, one a line, each of which must succeed;
//! - `console`, `console exit=N`: a `$ command` and what it prints to standard output; the command must exit with N (0). A line
//!   `..` stands for any number of lines. Times and sizes of memory are not compared;
//! - `mace`: a whole spec, which the front end must accept. `mace file=PATH`: the reader writes it to PATH. `mace of=PATH`: an
//!   excerpt that stands, line for line, in the file PATH of the repository;
//! - `toml file=PATH`, `json file=PATH`, `csv file=PATH`: the reader writes it to PATH.
//!
//! The blocks of a document run in order, in a folder of their own in which `specs` is that of the repository. Commands that run a crate of the workspace run its
//! program as the dev profile builds it. Unix alone: commands go through `sh`.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use common::{foresee, root, target};

/// A fenced block.
#[derive(Debug)]
struct Block {
    line: usize,
    words: Vec<String>,
    text: String,
}

impl Block {
    fn language(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    fn option(&self, key: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
}

/// The folder of the program of a package of the workspace, built if need be.
fn program(package: &str, name: &str) -> PathBuf {
    common::binary(package, name).parent().expect("a program stands in a folder").to_owned()
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let words = info.split_whitespace().map(str::to_owned).collect();
                open = Some(Block { line: index + 1, words, text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence has no end");
    found
}

/// The documents: `README.md`, and every page below `docs/`.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("docs can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A reader who follows a document in a folder of their own.
struct Reader {
    name: String,
    folder: PathBuf,
    problems: Vec<String>,
}

impl Reader {
    fn problem(&mut self, line: usize, what: impl std::fmt::Display) {
        self.problems.push(format!("{}:{line}: {what}", self.name));
    }

    fn follow(&mut self, block: &Block) {
        match block.language() {
            "sh" => {
                for (index, command) in block.text.lines().enumerate() {
                    self.succeeds(block.line + index + 1, command, 0);
                }
            }
            "console" => self.console(block),
            // Those of the reference are compiled by `tests/reference.rs`.
            "mace" if !self.name.starts_with("docs/language") => self.spec(block),
            "toml" | "json" | "csv" => {
                if let Some(path) = block.option("file") {
                    fs::write(self.folder.join(path), &block.text).expect("the folder can be written to");
                }
            }
            _ => {}
        }
    }

    fn console(&mut self, block: &Block) {
        let exit = block.option("exit").map_or(0, |code| code.parse().expect("exit=N is a number"));
        let mut lines = block.text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let at = block.line + index + 1;
            let Some(command) = line.strip_prefix("$ ") else {
                return self.problem(at, "a console block begins with `$ command`");
            };
            let mut shown = Vec::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("$ ")) {
                shown.push(line);
            }
            // Only the last command of a block may fail.
            let expected = if lines.peek().is_none() { exit } else { 0 };
            let Some(output) = self.succeeds(at, command, expected) else { continue };
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            if !matches(&shown, &printed.lines().collect::<Vec<_>>()) {
                self.problem(at, format!("`{command}` prints something else:\n{}", ends(&printed)));
            }
        }
    }

    /// Runs a command as the reader would; None where there is nothing to run or it ends otherwise than expected.
    fn succeeds(&mut self, line: usize, command: &str, exit: i32) -> Option<Output> {
        let command = command.trim();
        // The test suite cannot run itself.
        if command.is_empty()
            || command.starts_with('#')
            || command == "cargo test --workspace"
            || command == ".ci/run"
        {
            return None;
        }
        if let Some(folder) = command.strip_prefix("cd ") {
            self.folder.push(folder);
            return None;
        }
        if command == "cargo install --path cli" {
            program("foresee-cli", "foresee");
            return None;
        }
        let output = self.run(command);
        if output.status.code() == Some(exit) {
            return Some(output);
        }
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        self.problem(line, format!("`{command}` ends with {}, not {exit}:\n{out}\n{err}", output.status));
        None
    }

    fn run(&self, command: &str) -> Output {
        let words: Vec<&str> = command.split_whitespace().collect();
        let command = match words.as_slice() {
            ["cargo", "run", "--release", "-p", package, "--", arguments @ ..] => {
                format!("'{}' {}", common::binary(package, package).display(), arguments.join(" "))
            }
            _ => command.to_owned(),
        };
        // The same versions as the workspace, so that a new project looks nothing up.
        if self.folder.join("Cargo.toml").is_file() {
            fs::copy(root().join("Cargo.lock"), self.folder.join("Cargo.lock")).expect("it can be copied");
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", program("foresee-cli", "foresee").display());
        let mut run = Command::new("sh");
        run.args(["-c", &command]).current_dir(&self.folder).env("PATH", path).env_remove("RUSTFLAGS");
        run.env("CARGO_TARGET_DIR", target().join("outside"));
        run.env("FORESEE_CACHE_DIR", target().join("cache"));
        run.output().unwrap_or_else(|error| panic!("sh does not run: {error}"))
    }

    fn spec(&mut self, block: &Block) {
        if let Some(path) = block.option("of") {
            let whole = fs::read_to_string(root().join(path)).unwrap_or_default();
            let whole: Vec<&str> = whole.lines().map(str::trim).collect();
            let excerpt: Vec<&str> = block.text.lines().map(str::trim).collect();
            if !whole.windows(excerpt.len()).any(|window| window == excerpt) {
                self.problem(block.line, format!("this does not stand in {path}"));
            }
            return;
        }
        let file = self.folder.join(block.option("file").unwrap_or("excerpt.mace"));
        fs::write(&file, &block.text).expect("the folder can be written to");
        let checked = common::run(foresee().arg("check").arg(&file));
        if checked.code != 0 {
            self.problem(block.line, format!("the front end refuses it:\n{}", checked.err));
        }
    }
}

/// The first and the last lines of a long text.
fn ends(text: &str) -> String {
    const KEPT: usize = 20;
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= 2 * KEPT {
        return text.to_owned();
    }
    format!("{}\n[..]\n{}", lines[..KEPT].join("\n"), lines[lines.len() - KEPT..].join("\n"))
}

/// Whether `printed` is what a document shows, `..` standing for any number of lines.
fn matches(shown: &[&str], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.iter().all(|line| line.trim().is_empty()),
        Some((&"..", rest)) => (0..=printed.len()).any(|skip| matches(rest, &printed[skip..])),
        Some((line, rest)) => match printed.split_first() {
            Some((first, others)) => comparable(line) == comparable(first) && matches(rest, others),
            None => line.trim().is_empty() && matches(rest, &[]),
        },
    }
}

/// A line without what differs from machine to machine: figures before `s` and `MiB`, and the space around.
fn comparable(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let unit = |word: &str| matches!(word.trim_end_matches([',', ')', ';']), "s" | "MiB");
    let keep = |(index, word): (usize, &&str)| match words.get(index + 1) {
        Some(next)
            if unit(next) && word.trim_start_matches('(').starts_with(|c: char| c.is_ascii_digit()) =>
        {
            "#".to_owned()
        }
        _ => (*word).to_owned(),
    };
    words.iter().enumerate().map(keep).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_the_documents_show_is_what_happens() {
    let mut problems = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document can be read");
        let scratch = tempfile::tempdir().expect("a folder can be made");
        std::os::unix::fs::symlink(root().join("specs"), scratch.path().join("specs"))
            .expect("it can be linked");
        let name = document.strip_prefix(root()).unwrap_or(&document).display().to_string();
        let mut reader = Reader { name, folder: scratch.path().to_owned(), problems: Vec::new() };
        for block in blocks(&text) {
            reader.follow(&block);
        }
        problems.append(&mut reader.problems);
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut problems = Vec::new();
    let mut pages = documents();
    pages.extend(["ARCHITECTURE.md", "CHANGELOG.md"].map(|page| root().join(page)));
    for page in pages {
        let text = fs::read_to_string(&page).expect("a document can be read");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            let target = page.parent().expect("a page stands in a folder").join(path);
            if !path.is_empty() && !path.contains("://") && !target.exists() {
                problems.push(format!("{}: {link} leads nowhere", page.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn output_is_compared_but_for_times_and_memory() {
    assert!(matches(&["a", "..", "d"], &["a", "b", "c", "d"]));
    assert!(matches(
        &["  288 states, 0.10 s (0.09 s CPU), 5 MiB"],
        &["  288 states, 2.00 s (1.90 s CPU), 50 MiB", ""]
    ));
    assert!(!matches(&["288 states"], &["289 states"]));
    assert!(!matches(&["a"], &["a", "b"]));
}
