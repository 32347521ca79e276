//! All codes of diagnostics, in one table: `foresee explain E0101` and the handbook read it.
//!
//! Blocks: E00xx files and lexing, E01xx syntax, E02xx names, E03xx declarations and types, E04xx handlers and
//! bodies, E05xx properties, objectives, systems and scenarios, E09xx not yet supported, W0xxx warnings. A code
//! once released is never given another meaning.

mod meaning;
mod warnings;

use meaning::MEANING;
use warnings::WARNINGS;

/// One code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Such as `E0101`.
    pub code: &'static str,
    /// The short name of a warning, by which `allow` calls it; empty for an error.
    pub name: &'static str,
    /// A few words.
    pub title: &'static str,
    /// A paragraph: what is wrong, why it matters, what to do.
    pub explanation: &'static str,
    /// A few lines of a specification that provoke it; empty where no text can.
    pub example: &'static str,
}

/// The warning of that short name.
pub fn named(name: &str) -> Option<&'static Code> {
    ALL.iter().find(|entry| !entry.name.is_empty() && entry.name == name)
}

/// The entry of a code.
pub fn find(code: &str) -> Option<&'static Code> {
    ALL.iter().find(|entry| entry.code == code)
}

const fn code(
    code: &'static str,
    title: &'static str,
    explanation: &'static str,
    example: &'static str,
) -> Code {
    Code { code, name: "", title, explanation, example }
}

const fn warning(
    code: &'static str,
    name: &'static str,
    title: &'static str,
    explanation: &'static str,
    example: &'static str,
) -> Code {
    Code { code, name, title, explanation, example }
}

/// Every code, in order.
pub const ALL: &[Code] = &{
    let mut all = [SYNTAX[0]; SYNTAX.len() + MEANING.len() + WARNINGS.len()];
    let lists = [SYNTAX, MEANING, WARNINGS];
    let (mut list, mut within, mut at) = (0, 0, 0);
    while at < all.len() {
        while within == lists[list].len() {
            (list, within) = (list + 1, 0);
        }
        all[at] = lists[list][within];
        (within, at) = (within + 1, at + 1);
    }
    all
};

/// Codes that engines say when they are asked for what they cannot do yet; the compiler never reports them.
pub const OF_ENGINES: &[&str] = &["E0905", "E0906", "E0910", "E0914"];

/// E00xx and E01xx.
const SYNTAX: &[Code] = &[
    code(
        "E0001",
        "the file is not UTF-8",
        "A specification is text in UTF-8. The message names the first byte that does not fit; save the file in \
         that encoding.",
        "",
    ),
    code(
        "E0002",
        "the file is binary",
        "A NUL byte never stands in a specification. Most often a wrong file was named.",
        "",
    ),
    code("E0003", "the file is empty", "The file holds nothing but white space.", ""),
    code(
        "E0004",
        "the file is too large",
        "Places are kept as 32-bit offsets, so a file has at most four gigabytes; `foresee` reads files of at most 64 MiB, which nobody writes by hand.",
        "",
    ),
    code(
        "E0005",
        "delimiters do not match",
        "Every `(`, `[` and `{` needs its partner of the same shape. Both places are shown: the one that was opened \
         and the one that closes something else, or nothing.",
        "service A { states { B, C }",
    ),
    code(
        "E0006",
        "nesting is too deep",
        "Delimiters may be nested up to a limit, so that no text can exhaust the compiler's stack. Real specifications \
         stay far below it: split the expression, or move a part into a routine.",
        "",
    ),
    code(
        "E0007",
        "a string, character or comment has no end",
        "A string runs to its closing quote and a block comment to its `*/`; here the file ended first. The place \
         where it began is shown.",
        "const A: &str = \"abc;",
    ),
    code(
        "E0008",
        "text that Rust cannot split into tokens",
        "Bodies, types and patterns are Rust, so the whole file must consist of tokens that Rust knows: no control \
         characters, no unknown escapes in strings, no unfinished literals.",
        "service A { variables { a: u8 = 0xg; } }",
    ),
    code(
        "E0009",
        "the file cannot be read",
        "The path leads to nothing, to a folder, or to a file that may not be read. Paths on the command line are relative \
         to the folder in which the command runs; those of a build script to the folder of `Cargo.toml`.",
        "",
    ),
    code(
        "E0010",
        "a file of `foresee decide` has the wrong shape",
        "A problem is TOML. With acts: `states`, `probabilities`, `observations` or `likelihood`, and for each `[[act]]` its \
         `name` and its `utilities`, `outcomes` or `preference`, and `then`; `[rules]` has `optimism`, `epsilon`, `tail`, \
         `weight`, `radius` and `slack`. With a link: `[link]` has `tau`, `gamma`, `sender` and `receiver`, each of these \
         `correct` and `crash`; `[costs]` has `send`, `wait` and `heartbeat`; `[demand]` has `sigma`, `delta` and `longest`. \
         `--batch` reads a JSON list of cases, each with `kind` and `params`. Here a bracket or a comma is missing, a name \
         is misspelt, or a value is of another type than is expected there.",
        "",
    ),
    code(
        "E0011",
        "a figure of a decision problem makes no sense",
        "Probabilities lie between 0 and 1, those of the states add up to 1, costs are not negative, every act has a \
         utility for every state, and there is an act or a link at all. The message names the field as the file spells \
         it, and nothing is corrected silently.",
        "",
    ),
    code(
        "E0012",
        "a file of `foresee experiment` has the wrong shape",
        "An experiment is TOML: `title`, `seeds` such as `\"0..100\"`, `until`, `every`, `release`, and for each `[[service]]` a `package` of \
         the workspace or a `program`, with `name`, `system` and `params`. `[cross]` has what is crossed, one value or a list each: \
         `system`, `topology` (`none` for the carriers' own delays), `params`, `resolver`, `lookahead`. `compare` has an `axis` and \
         the value on it `with` which others are compared.",
        "",
    ),
    code(
        "E0101",
        "syntax error",
        "The text does not have the shape that is expected at this place. The message says what could stand there. \
         The rest of the file is read all the same, so other mistakes are reported too.",
        "service A { variables { count u64; } }",
    ),
    code(
        "E0102",
        "an expression is too complex",
        "Expressions of properties may be nested, and may chain operators, up to a limit, so that no text can exhaust \
         the compiler's stack. Split the property into several, or move a part into a pure routine.",
        "",
    ),
    code(
        "E0103",
        "comparisons do not chain",
        "As in Rust, `a < b < c` means nothing. Write `a < b && b < c`, or put parentheses round the one that is \
         meant as a truth value.",
        "service A { variables { load: u8; } properties { local small: 0 < load < 10; } }",
    ),
    code(
        "E0104",
        "an unknown clause",
        "Links, faults and workloads know a fixed set of clauses; the message lists those that may stand here.",
        "service A { uses net: Datagram; } system S { nodes { n[2]: A; } network { net: dealy 1ms..40ms; } }",
    ),
    code(
        "E0105",
        "a malformed clause",
        "The clause is known, but something before or after it does not fit: a value is missing, or one is given \
         where none belongs.",
        "service A { uses net: Datagram; } system S { nodes { n[2]: A; } network { net: delay, loss 0.1; } }",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_sorted_within_their_letter() {
        for pair in ALL.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
        }
        for entry in ALL {
            let digits = entry.code.trim_start_matches(['E', 'W']);
            assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()), "{}", entry.code);
            assert!(!entry.title.is_empty() && !entry.explanation.is_empty(), "{}", entry.code);
            assert_eq!(entry.name.is_empty(), !entry.code.starts_with('W'), "{}", entry.code);
            let alike = ALL.iter().filter(|other| !entry.name.is_empty() && other.name == entry.name).count();
            assert!(alike <= 1, "{} is the name of {alike} warnings", entry.name);
        }
    }

    #[test]
    fn a_code_is_found_by_its_name() {
        assert_eq!(find("E0101").map(|entry| entry.title), Some("syntax error"));
        assert!(find("E9999").is_none());
    }
}
