//! The examples of the reference: fenced blocks of `docs/language.md` and of the pages below `docs/language/`.
//!
//! - `mace`: a whole spec.
//! - `mace context=NAME`: a whole spec, with a line `// ..` where excerpts of the same page go.
//! - `mace in=NAME`: such an excerpt.
//! - `mace code=E0402`: a whole spec with that mistake in it.
//! - `mace file=NAME.mace`: a whole spec that others of the page import.
//! - the further word `later`: the compiler may still say that it does not support this yet.
//!
//! `build.rs` uses this file too, so it names nothing but std.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One example, complete.
#[derive(Clone, Debug)]
pub struct Example {
    /// The page, such as `docs/language/handlers.md`.
    pub page: String,
    /// The line of the page on which the block begins.
    pub line: usize,
    /// Its file, of which the name without ending is also that of a Rust module.
    pub file: String,
    /// The spec.
    pub text: String,
    /// The code that it must provoke; nothing where it must compile.
    pub code: Option<String>,
    /// Whether the compiler may still be to learn it.
    pub later: bool,
}

/// The line of a context in whose place an excerpt stands.
const HERE: &str = "// ..";

/// The pages of the reference, in order.
pub fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages = vec![root.join("docs/language.md")];
    let folder = std::fs::read_dir(root.join("docs/language"));
    pages.extend(folder.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())));
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md") && page.is_file());
    pages.sort();
    pages
}

/// All examples of the reference, in order.
///
/// # Errors
/// A page that cannot be read, a block without an end, an excerpt of a context that is not there.
pub fn examples(root: &Path) -> Result<Vec<Example>, String> {
    let mut found = Vec::new();
    for page in pages(root) {
        let text = std::fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
        let name = page.strip_prefix(root).unwrap_or(&page).to_string_lossy().replace('\\', "/");
        found.extend(of_page(&name, &text)?);
    }
    Ok(found)
}

fn of_page(page: &str, text: &str) -> Result<Vec<Example>, String> {
    let mut found = Vec::new();
    let mut contexts: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else { continue };
        let line = at + 1;
        let mut body = String::new();
        let ended = lines.by_ref().any(|(_, line)| {
            let end = line == "```";
            if !end {
                body += line;
                body.push('\n');
            }
            end
        });
        if !ended {
            return Err(format!("{page}:{line}: the block has no end"));
        }
        let words: Vec<&str> = info.split_whitespace().collect();
        if words[0] != "mace" {
            continue;
        }
        let option = |key: &str| words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        if let Some(name) = option("context") {
            contexts.insert(name.to_owned(), body.clone());
        }
        let whole = match option("in") {
            None => body,
            Some(name) => {
                let missing = || format!("{page}:{line}: there is no context `{name}` before this");
                let (before, after) =
                    contexts.get(name).and_then(|it| it.split_once(HERE)).ok_or_else(missing)?;
                format!("{}{}\n{}", before.trim_end_matches(' '), body, after.trim_start_matches('\n'))
            }
        };
        let stem = page.trim_end_matches(".md").rsplit('/').next().unwrap_or_default();
        found.push(Example {
            page: page.to_owned(),
            line,
            file: option("file").map_or(format!("example_{stem}_{line}.mace"), str::to_owned),
            text: whole,
            code: option("code").map(str::to_owned),
            later: words.contains(&"later"),
        });
    }
    Ok(found)
}
