//! Whatever is written, the compiler answers: with diagnostics, never with a panic or an overflow.

use std::fs;
use std::path::{Path, PathBuf};

use foresee_compiler::compile;
use foresee_compiler::source::SourceFile;

/// Shorter specs are left out, in bytes.
const LENGTH_MIN: usize = 1_500;

fn specs() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["specs", "tests/ui/run", "tests/ui/fail"];
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let entries = fs::read_dir(root.join(folder)).expect("a folder of specs");
        paths.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "mace"));
    paths.sort();
    // One of the fixtures is no text, and most are small and much alike.
    let texts = paths.into_iter().filter_map(|path| Some((path.clone(), fs::read_to_string(path).ok()?)));
    texts.filter(|(_, text)| text.len() > LENGTH_MIN).collect()
}

fn compiles(text: &str) {
    let source = SourceFile::new("some.mace", text);
    let (_, found) = compile::front(&source);
    // What has no errors can be generated too.
    assert_eq!(compile::to_rust(&source, "some").is_ok(), !found.has_errors(), "{found:?} in\n{text}");
}

/// The words and signs of a text, with their offsets.
fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut words: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, letter) in text.char_indices() {
        let part = letter.is_alphanumeric() || letter == '_';
        match words.last_mut() {
            Some(last)
                if part
                    && last.end == at
                    && text[last.clone()].chars().all(|c| c.is_alphanumeric() || c == '_') =>
            {
                last.end = at + letter.len_utf8();
            }
            _ if letter.is_whitespace() => {}
            _ => words.push(at..at + letter.len_utf8()),
        }
    }
    words
}

#[test]
fn a_spec_without_one_of_its_words_is_answered() {
    for (_, text) in specs() {
        let words = words(&text);
        let step = (words.len() / 25).max(1);
        for word in words.iter().step_by(step) {
            compiles(&format!("{}{}", &text[..word.start], &text[word.end..]));
        }
    }
}

#[test]
fn a_spec_with_a_word_of_another_place_is_answered() {
    for (_, text) in specs() {
        let words = words(&text);
        let step = (words.len() / 25).max(1);
        for (index, word) in words.iter().enumerate().step_by(step) {
            let other = &words[(index * 7919 + 13) % words.len()];
            compiles(&format!("{}{} {}", &text[..word.start], &text[other.clone()], &text[word.end..]));
        }
    }
}

#[test]
fn a_spec_cut_off_anywhere_is_answered() {
    for (_, text) in specs() {
        for at in (0..text.len()).step_by((text.len() / 12).max(1)) {
            if text.is_char_boundary(at) {
                compiles(&text[..at]);
            }
        }
    }
}

#[test]
fn deep_rust_is_refused_and_not_walked() {
    let body = |text: &str| {
        format!("service A {{ uses net: Reliable; transitions {{ upcall start() {{ {text} }} }} }}")
    };
    for (piece, end) in [
        ("!", "true;"),
        ("a + ", "a;"),
        ("a.b().", "c();"),
        ("|x| ", "x;"),
        ("&", "a;"),
        ("if a {} else ", "{}"),
    ] {
        for count in [30, 120, 480, 20_000] {
            compiles(&body(&format!("{}{end}", piece.repeat(count))));
        }
    }
    for count in [30, 200, 5000] {
        compiles(&body(&format!("{}{};", "(".repeat(count), ")".repeat(count))));
        compiles(&body(&format!("{}{}", "{".repeat(count), "}".repeat(count))));
        compiles(&format!(
            "service A {{ variables {{ a: {}u8{}; }} }}",
            "Vec<".repeat(count),
            ">".repeat(count)
        ));
        compiles(&format!("service A {{ properties {{ safety a: {}true; }} }}", "!".repeat(count)));
    }
    compiles(&"{".repeat(10 << 20));
    compiles(&body(&"a;".repeat(20_000)));
}

#[test]
fn a_mistake_after_a_letter_of_several_bytes_is_where_whole_letters_are() {
    let whole = "service Café {\n    variables { größe: u8; }\n}\n";
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        let text = format!("{}é", &whole[..end]);
        let source = SourceFile::new("some.mace", text.as_str());
        let (_, found) = compile::front(&source);
        for one in &found {
            let (start, end) = (one.span.start as usize, one.span.end as usize);
            assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{one:?} in {text}");
        }
    }
}
