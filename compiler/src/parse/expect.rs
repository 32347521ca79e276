//! The wording of syntax errors: what was expected, what was found, and what people most often mean.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::grammar::{Rule, words};
use crate::diag::Diagnostic;
use crate::source::Span;

/// How many alternatives a message lists.
const EXPECTED_MAX: usize = 16;

/// Words that begin what a property claims.
const CLAIMS: [&str; 4] = ["forall", "exists", "always", "eventually"];
/// What may stand before a variable, as messages show it.
const MODIFIERS: [&str; 4] = ["`durable`", "`export`", "`secret`", "`ghost`"];

/// The commands of a scenario, and what must not happen.
const COMMANDS: &str = "`deliver`, `drop`, `duplicate`, `fire`, `crash`, `restart`, `reset`, `partition`, `cut`, `heal`, `run`, \
                        `expect`, `refuse`, and calls such as `n[0].append(1)`";

/// A syntax error of a chunk that was read as `rule`: `masked` is the chunk as the grammar saw it, `text` the same place of the file.
pub fn syntax_error(error: &Error<Rule>, rule: Rule, masked: &str, text: &str, base: u32) -> Diagnostic {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.min(masked.len()),
    };
    let positives = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.as_slice(),
        ErrorVariant::CustomError { .. } => return too_deep(masked, at, base),
    };
    let expected = expected_words(positives);
    let at = at + (masked[at..].len() - masked[at..].trim_start().len());
    let found = &text[at.min(text.len())..][..token_length(&masked[at..]).min(text.len().saturating_sub(at))];
    let sentence = sentence(&expected);
    let before = masked[..at].trim_end().len();
    let new_line = masked[before..at].contains('\n') || found.is_empty();
    let ends = expected.iter().any(|word| word == "`;`");
    let last = masked[..before].char_indices().next_back().map_or(0, |(last, _)| last);
    let (span, message) = match (new_line && before > 0 && ends, found) {
        (true, _) => (Span::at(last, before), format!("expected {sentence} after this")),
        (_, "") => (Span::at(last, before), format!("expected {sentence}, found the end")),
        (_, found) if expected.is_empty() => {
            (Span::at(at, at + found.len()), format!("unexpected `{}`", short(found)))
        }
        (_, found) => {
            (Span::at(at, at + found.len()), format!("expected {sentence}, found `{}`", short(found)))
        }
    };
    let span = Span::new(span.start + base, span.end + base);
    let diagnostic = Diagnostic::error("E0101", span, message).with_label(label(&expected));
    let (first, before) = (masked[..before].trim_start(), last_word(&masked[..before]));
    let special = match (rule, found) {
        (_, "::") => imported(before, &masked[at..]),
        (Rule::only_command, found) if first == before && found.starts_with(char::is_alphabetic) => {
            Some(format!("the commands are {COMMANDS}"))
        }
        (Rule::only_fault, "drop" | "loss" | "lose" | "duplicate" | "duplicates") => Some(
            "what a network loses or doubles is said in `network { net: loss 0.01, duplicates; }`, how much of it a check \
             tries in `check { drop: at most 1; }`"
                .to_owned(),
        ),
        (_, "{") if positives.iter().any(|it| matches!(it, Rule::condition | Rule::set)) => {
            Some("put the block in parentheses, or call a routine".to_owned())
        }
        (_, ",") if positives.contains(&Rule::p_colon) && first.contains(" where ") => {
            Some("`where` stands once, behind the last of them: `forall a in A, b in B where P: ..`".to_owned())
        }
        (Rule::only_item, "interface" | "messages" | "service" | "system" | "scenario" | "import" | "allow")
            if before.is_empty() && masked[..at].trim_end().ends_with(']') =>
        {
            Some("attributes are for Rust items: leave this one out".to_owned())
        }
        (Rule::only_fault, "once") => Some("write `at most 1`".to_owned()),
        (Rule::only_fault, ";") if positives.contains(&Rule::p_colon) => {
            Some(format!("say how often, or when: `{first}: at most 1;`"))
        }
        (Rule::only_link, ";" | ",") if first.ends_with('%') => {
            Some("a probability is a number from 0 to 1: ten in a hundred are `0.1`".to_owned())
        }
        (Rule::only_property, "invariant" | "invariants" | "always" | "assert") if first == before => {
            Some("what holds in every state is called `safety`".to_owned())
        }
        _ => None,
    };
    let usual = || hint(&expected, found, before, new_line).or_else(|| misspelt(&expected, found));
    match special.or_else(usual) {
        Some(help) => diagnostic.with_help(help),
        None => diagnostic,
    }
}

/// What the rules that were tried are called, without repeats. Whatever could only go on with an expression is "an
/// operator".
fn expected_words(rules: &[Rule]) -> Vec<String> {
    let mut expected: Vec<String> = vec![];
    for word in rules.iter().filter_map(|rule| words(*rule)) {
        if !expected.contains(&word) {
            expected.push(word);
        }
    }
    // A word that stands in a list as well is said there.
    let listed: Vec<String> = expected.iter().filter(|it| it.contains("` or `")).cloned().collect();
    expected.retain(|word| {
        !(word.starts_with('`') && listed.iter().any(|list| list != word && list.contains(word.as_str())))
    });
    if let Some(operator) = expected.iter().position(|word| word == "an operator") {
        let operator = expected.remove(operator);
        expected.retain(|word| !matches!(word.as_str(), "`..`" | "`.`" | "`(`" | "`[`" | "`{`" | "`as`"));
        expected.push(operator);
    }
    expected
}

fn too_deep(masked: &str, at: usize, base: u32) -> Diagnostic {
    let length = token_length(&masked[at..]);
    let span = Span::new(base + at as u32, base + (at + length) as u32);
    Diagnostic::error("E0102", span, "the text is nested too deeply to be read")
        .with_help("give a part of it a name of its own: a routine, a type, a property")
}

/// The length of the token at the start of a masked text.
fn token_length(text: &str) -> usize {
    let Some(first) = text.chars().next() else { return 0 };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if word(first) {
        return text.find(|c| !word(c)).unwrap_or(text.len());
    }
    if first == '"' {
        return text[1..].find('"').map_or(text.len(), |end| end + 2);
    }
    const SIGNS: [&str; 14] =
        ["..=", "::", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "..", "<<", ">>", "+="];
    SIGNS.iter().find(|sign| text.starts_with(**sign)).map_or(first.len_utf8(), |sign| sign.len())
}

/// "a, b or c"
fn sentence(expected: &[String]) -> String {
    match expected {
        [] => "something else".to_owned(),
        [one] => one.clone(),
        [most @ .., last] if expected.len() <= EXPECTED_MAX => format!("{} or {last}", most.join(", ")),
        many => format!("{}, ..", many[..EXPECTED_MAX].join(", ")),
    }
}

fn label(expected: &[String]) -> String {
    match expected {
        [one] => format!("expected {one}"),
        _ => "here".to_owned(),
    }
}

fn short(found: &str) -> String {
    let mut text: String = found.chars().take(40).collect();
    if text.len() < found.len() {
        text.push_str("..");
    }
    text
}

/// Advice for the mistakes that people make most often.
fn hint(expected: &[String], found: &str, before: &str, new_line: bool) -> Option<String> {
    let wants = |word: &str| expected.iter().any(|it| it == word);
    let operator = wants("an operator");
    Some(match found {
        "choose" if expected.is_empty() || wants("a block `{ .. }`") => {
            "write `choose NAME in SET` before `when`; a guard itself makes no choice".to_owned()
        }
        "{" if wants("an expression") => {
            "there are no blocks here: call a pure routine, or write one expression".to_owned()
        }
        "->" if wants("a block `{ .. }`") => {
            "leave it out: what a handler gives back is declared in its interface".to_owned()
        }
        _ if operator && before == "not" => "write `!`".to_owned(),
        _ if new_line && wants("`;`") => "put a `;` at the end".to_owned(),
        "=" if operator => "compare with `==`".to_owned(),
        "and" if operator => "write `&&`".to_owned(),
        "or" if operator => "write `||`".to_owned(),
        "=>" if operator => "write `implies`".to_owned(),
        "," if wants("`;`") => "each entry ends with `;`".to_owned(),
        "not" if wants("an expression") => "write `!`".to_owned(),
        "for" if wants("an expression") => "write `forall x in S: ..`".to_owned(),
        "in" if wants("`:`") => return None,
        "async" | "await" | "box" | "break" | "const" | "crate" | "dyn" | "else" | "enum" | "extern"
        | "fn" | "for" | "if" | "impl" | "let" | "loop" | "match" | "mod" | "move" | "mut" | "pub"
        | "ref" | "return" | "static" | "struct" | "trait" | "type" | "unsafe" | "use" | "where"
        | "while" | "yield" | "try" | "in" | "as"
            if wants("a name") || wants("a variable") =>
        {
            format!("`{found}` is a keyword of Rust: take another name, or write `r#{found}`")
        }
        _ if wants("`:`") && CLAIMS.contains(&before) => {
            "a property has a name: `safety NAME: ..`".to_owned()
        }
        name if wants("`:`") && CLAIMS.contains(&name) => format!("write `:` before `{name}`"),
        _ if wants("`:`") && !operator && misspelt(&MODIFIERS.map(str::to_owned), before).is_some() => {
            return misspelt(&MODIFIERS.map(str::to_owned), before);
        }
        name if wants("`:`") && !operator && name.starts_with(char::is_alphabetic) && !before.is_empty() => {
            format!("a declaration is written `name: Type`, here `{before}: {}`", short(name))
        }
        _ => return None,
    })
}

/// Advice where `spec::Name` stands in the place of a name alone.
fn imported(spec: &str, rest: &str) -> Option<String> {
    let rest = rest.strip_prefix("::")?.trim_start();
    let name = &rest[..token_length(rest)];
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    (is_name && !spec.is_empty())
        .then(|| format!("a name stands alone here: `import {spec}::{{{name}}};`, and write `{name}`"))
}

/// The word at the end of a text.
fn last_word(text: &str) -> &str {
    let start = text.rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
    start.map_or(text, |at| text[at..].trim_start_matches(|c: char| !(c.is_alphanumeric() || c == '_')))
}

/// Advice where what was found is nearly one of the expected keywords.
fn misspelt(expected: &[String], found: &str) -> Option<String> {
    let keywords = expected.iter().flat_map(|words| words.split('`').skip(1).step_by(2));
    let close = keywords.map(|keyword| (distance(keyword, found), keyword)).min()?;
    let allowed = if close.1.len() > 4 { 2 } else { 1 };
    (found.len() > 2 && close.0 <= allowed).then(|| format!("did you mean `{}`?", close.1))
}

/// The number of letters to insert, remove, replace or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().take(64).collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1);
            best = best.min(rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps_count_once() {
        assert_eq!(distance("when", "wehn"), 1);
        assert_eq!(distance("system", "sytem"), 1);
        assert_eq!(distance("when", "otherwise"), 7);
        assert_eq!(
            misspelt(&["`when` or `otherwise`".to_owned()], "wehn").as_deref(),
            Some("did you mean `when`?")
        );
        assert_eq!(misspelt(&["`in`".to_owned()], "x"), None);
    }
}
