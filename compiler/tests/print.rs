//! Printing: stable, complete, and without a change of meaning.

use foresee_compiler::parse::parse;
use foresee_compiler::print::{format, print, print_made};
use foresee_compiler::source::SourceFile;

fn file(name: &str) -> SourceFile {
    let path = format!("{}/tests/fixtures/language/{name}.mace", env!("CARGO_MANIFEST_DIR"));
    SourceFile::from_bytes(format!("{name}.mace"), std::fs::read(path).unwrap()).unwrap()
}

const FIXTURES: [&str; 5] = ["cheatsheet", "rand_tree", "paxos", "reliable_link", "scribe"];

#[test]
fn formatting_the_fixtures_is_stable_and_keeps_everything() {
    for name in FIXTURES {
        let source = file(name);
        let (ast, _) = parse(&source);
        let once = SourceFile::new(name, print(&source, &ast));
        if let Some(folder) = std::env::var_os("SHOW_FORMATTED") {
            std::fs::write(std::path::Path::new(&folder).join(name), &once.text).unwrap();
        }
        assert_eq!(format(&source).unwrap(), once.text, "{name}: the formatter distrusts its own work");
        let (again, errors) = parse(&once);
        assert!(errors.is_empty(), "{name}");
        assert_eq!(print(&once, &again), once.text, "{name}: not stable");
        assert!(once.text.lines().all(|line| line.trim_end() == line), "{name}");
    }
}

/// Every spec below a folder, fixtures and all. What is built is none of ours.
fn below(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            below(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "mace") {
            found.push(path);
        }
    }
}

#[test]
fn every_spec_of_the_repository_survives_printing() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut paths, mut printed) = (vec![], 0);
    below(&root, &mut paths);
    for path in &paths {
        let Ok(source) = SourceFile::from_bytes("a.mace", std::fs::read(path).unwrap()) else { continue };
        let (ast, errors) = parse(&source);
        // What does not parse is left alone.
        if errors.has_errors() {
            assert_eq!(format(&source).unwrap_err().len(), errors.len(), "{}", path.display());
            continue;
        }
        printed += 1;
        let once = SourceFile::new("a.mace", print(&source, &ast));
        assert_eq!(format(&source).unwrap(), once.text, "{}: it is distrusted", path.display());
        assert_eq!(shape(&once), shape(&source), "{}", path.display());
        let number = |source: &SourceFile| scan_comments(&source.text);
        assert_eq!(number(&once), number(&source), "{}", path.display());
        assert_eq!(format(&once).unwrap(), once.text, "{}: not stable", path.display());
    }
    assert!(printed > 100 && printed < paths.len(), "{printed} of {}", paths.len());
}

/// How many signs that begin a comment there are, in comments and strings too: none goes, none comes.
fn scan_comments(text: &str) -> usize {
    text.matches("//").count() + text.matches("/*").count()
}

#[test]
fn canonical_specs_have_the_one_layout() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "mace") {
            let source = SourceFile::from_bytes("a.mace", std::fs::read(&path).unwrap()).unwrap();
            assert_eq!(format(&source).unwrap(), source.text, "{}: run `foresee fmt`", path.display());
        }
    }
}

/// A tree as text without places and white space.
fn shape(source: &SourceFile) -> String {
    let (ast, errors) = parse(source);
    assert!(errors.is_empty(), "{}", source.text);
    let debug = format!("{ast:?}");
    let mut out = String::new();
    let mut rest = debug.as_str();
    while let Some(at) = rest.find('@') {
        out.extend(rest[..at].chars().filter(|c| !c.is_whitespace()));
        rest = rest[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    }
    out.extend(rest.chars().filter(|c| !c.is_whitespace()));
    ["\\n", "\\r", "\\t"].iter().fold(out, |out, blank| out.replace(blank, ""))
}

#[test]
fn a_tree_without_a_file_prints_to_the_same_tree() {
    for name in FIXTURES {
        let source = file(name);
        let (ast, _) = parse(&source);
        let made = SourceFile::new("made.mace", print_made(&ast));
        assert_eq!(shape(&made), shape(&source), "{name}");
        assert_eq!(format(&made).unwrap(), made.text, "{name}");
    }
}

#[test]
fn comments_and_lines_are_kept_where_they_belong() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/messy.mace");
    let source = SourceFile::from_bytes("messy.mace", std::fs::read(path).unwrap()).unwrap();
    let once = format(&source).unwrap();
    expect_test::expect![[r#"
        //! File.

        import a::{B, C};           // trailing
        // before
        /// Doc.
        #[derive(X)]
        struct D {
          a : u8,  // a
        }
        service A {   /* head */
            states {
                B,      // first
                C,
            }

            variables {
                a: u8;
                b: u8 = "x
          y";  // both
                /* block
               comment */
                c : Vec < u8 > = [ // inside
                    1,
                      2 ];
                // last
            }
            transitions {
                /// Told.
                upcall x: deliver(src, Join { a , .. }) in B | C choose y in & ys choose z in zs
                        when a_long_condition_of_many_words(src) && another_one(a) {
                  let a = "
          text";
                      /* c
           d */
                  b ( a ) ;
                }
                in B { ignore deliver(_, Bye); upcall u() {} }
            }
            properties {
                safety   a:   x;
                liveness bbb: always eventually y;  // c
                safety d: // why
                    x && y;
                safety e: forall a in some_nodes_with_a_long_name, b in other_nodes_with_a_long_name where a != b:
                              a.is_connected_to(b) || b.knows(a) implies a.x == b.x;
            }
        }  // end
        // tail
    "#]].assert_eq(&once);
    assert_eq!(format(&SourceFile::new("a", once.clone())).unwrap(), once);
}

#[test]
fn a_broken_file_is_not_touched() {
    let source = SourceFile::new("a.mace", "service A { states { B } variables { x } }");
    assert_eq!(format(&source).unwrap_err().len(), 1);
    let (ast, _) = parse(&source);
    assert_eq!(print(&source, &ast), source.text);
}
