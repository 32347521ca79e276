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
    out.replace("\\n", "")
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

        import a::{B, C};  // trailing
        // before
        /// Doc.
        #[derive(X)]
        struct D {
          a : u8,  // a
        }
        service A {  /* head */
            states {
                B,  // first
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
