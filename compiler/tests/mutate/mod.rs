//! Texts that are almost specifications: parts of real ones, changed. The same number gives the same text for the same corpus.
//!
//! Used by the slice of the fuzzer that runs in the suite and by the fuzzer itself (`benches/src/bin/fuzz.rs`). It reads nothing
//! but folders of specs, and never runs the compiler.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The longest text that comes out, in bytes.
const TEXT_BYTES_MAX: usize = 200_000;

/// Words and signs that are put where they do not belong.
const ODD: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    ";",
    ",",
    "::",
    "..",
    "=>",
    "->",
    "'a",
    "'",
    "\"",
    "r#\"",
    "/*",
    "*/",
    "//",
    "r#type",
    "0xg",
    "1e999",
    "99999999999999999999s",
    "0s",
    "-1",
    "\u{feff}",
    "é",
    "\u{202e}",
    "_",
    "$",
    "#[a]",
    "#!",
    "|",
    "||",
    "&&",
    "!",
    "import",
    "service",
    "system",
    "super",
    "crate",
    "self",
    "me",
    "state",
    "choose",
    "forall",
    "exists",
    "up",
    "first",
    "otherwise",
    "when",
    "every",
    "statistical",
    "probability",
    "expected",
    "total",
    "leads",
    "to",
    "always",
    "eventually",
    "while",
    "per",
    "level",
    "T<T<T<T",
    "random",
];

/// A stream of numbers.
pub struct Random(u64);

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }
}

/// All specs below a folder, but for those in folders of built things, in the order of their paths.
pub fn corpus(root: &Path) -> Vec<String> {
    let (mut folders, mut files): (Vec<PathBuf>, Vec<PathBuf>) = (vec![root.to_owned()], vec![]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".mace") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
        .into_iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .filter(|text| !text.is_empty())
        .collect()
}

/// The text of a seed.
pub fn text(corpus: &[String], seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut text = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(6) {
        let other = &corpus[random.below(corpus.len())];
        text = changed(text, other, &mut random);
        if text.len() > TEXT_BYTES_MAX {
            text = cut(&text, TEXT_BYTES_MAX).to_owned();
        }
    }
    text
}

fn changed(text: String, other: &str, random: &mut Random) -> String {
    let tokens = tokens(&text);
    let place = |random: &mut Random| tokens.get(random.below(tokens.len())).cloned().unwrap_or(0..0);
    let replaced =
        |range: Range<usize>, by: &str| format!("{}{by}{}", &text[..range.start], &text[range.end..]);
    match random.below(10) {
        0 => bytes(&text, random),
        1 => replaced(place(random), ""),
        2 => {
            let (from, to) = (place(random), place(random));
            replaced(to.end..to.end, &format!(" {}", &text[from]))
        }
        3 => replaced(place(random), ODD[random.below(ODD.len())]),
        4 => {
            let at = place(random).start;
            replaced(at..at, &ODD[random.below(ODD.len())].repeat(1 + random.below(3)))
        }
        5 => {
            let theirs = self::tokens(other);
            let theirs = theirs.get(random.below(theirs.len())).cloned().unwrap_or(0..0);
            replaced(place(random), &other[theirs])
        }
        6 => match (block(&text, random), block(other, random)) {
            (Some(ours), Some(theirs)) => replaced(ours, &other[theirs]),
            _ => text,
        },
        7 => match block(&text, random) {
            Some(block) => replaced(block.end..block.end, &text[block.clone()].repeat(1 + random.below(2))),
            None => text,
        },
        8 => {
            let (head, tail) = (random.below(text.len() + 1), random.below(other.len() + 1));
            let head = cut(&text, head).to_owned();
            let skipped = cut(other, tail).len();
            head + &other[skipped..]
        }
        _ => {
            let piece = text[place(random)].to_owned();
            let at = place(random).start;
            replaced(at..at, &format!("{piece} ").repeat(1 + random.below(400)))
        }
    }
}

/// Some bytes changed, taken away or put in.
fn bytes(text: &str, random: &mut Random) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len());
        match random.below(3) {
            0 if !bytes.is_empty() => bytes[at] = random.below(128) as u8,
            1 if !bytes.is_empty() => {
                bytes.remove(at);
            }
            _ => bytes.insert(at, random.below(256) as u8),
        }
    }
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// The first bytes of a text, at most so many.
fn cut(text: &str, mut length: usize) -> &str {
    length = length.min(text.len());
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    &text[..length]
}

/// Words and signs.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens: Vec<Range<usize>> = vec![];
    for (at, c) in text.char_indices() {
        match tokens.last_mut() {
            Some(last) if last.end == at && word(c) && text[last.clone()].chars().all(word) => {
                last.end = at + c.len_utf8();
            }
            _ if c.is_whitespace() => {}
            _ => tokens.push(at..at + c.len_utf8()),
        }
    }
    tokens
}

/// A block with its braces or parentheses.
fn block(text: &str, random: &mut Random) -> Option<Range<usize>> {
    let opens: Vec<usize> = text.match_indices(['{', '(', '[']).map(|(at, _)| at).collect();
    let start = *opens.get(random.below(opens.len()))?;
    let mut depth = 0usize;
    for (at, c) in text[start..].char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(start..start + at + 1);
        }
    }
    None
}
