//! A slice of the fuzzer that comes out the same every time. The rest is `benches/src/bin/fuzz.rs`.

mod mutate;

use std::path::Path;

use foresee_compiler::source::SourceFile;
use foresee_compiler::{compile, print};

/// How many texts.
const TEXTS: u64 = 400;

#[test]
fn no_text_makes_the_front_end_fail() {
    let corpus = mutate::corpus(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    assert!(corpus.len() > 50, "the specs of the repository are the corpus");
    for seed in 0..TEXTS {
        let text = mutate::text(&corpus, seed);
        let source = SourceFile::new("fuzz.mace", text.as_str());
        let (_, found) = compile::front(&source);
        for one in &found {
            assert!(
                one.span.end as usize <= text.len() && text.is_char_boundary(one.span.start as usize),
                "{seed}: {one:?}"
            );
        }
    }
}

#[test]
fn what_is_formatted_is_formatted() {
    let corpus = mutate::corpus(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    for seed in 0..TEXTS {
        let text = mutate::text(&corpus, seed);
        let Ok(once) = print::format(&SourceFile::new("fuzz.mace", text.as_str())) else { continue };
        let twice = print::format(&SourceFile::new("fuzz.mace", once.as_str()));
        assert_eq!(twice.as_ref(), Ok(&once), "{seed}:\n{text}");
    }
}
