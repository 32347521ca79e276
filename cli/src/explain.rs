//! `foresee explain`: what a code means, or all of them.

use std::io::Write;

use foresee_compiler::codes::{self, Code};
use serde_json::{Value, json};

use crate::args::Format;
use crate::exit::{Exit, Failure, Outcome};

/// The widest line of an explanation, in characters.
const WIDTH: usize = 80;

/// Explains a code; lists all codes where none is given.
///
/// # Errors
/// A code that does not exist, with the one that was probably meant.
pub fn run(wanted: Option<&str>, format: Format, out: &mut dyn Write) -> Outcome {
    match (wanted, format) {
        (None, Format::Text) => {
            for code in codes::ALL {
                writeln!(out, "{}  {}", code.code, code.title)?;
            }
            writeln!(out, "\n`foresee explain CODE` says more.")?;
        }
        (None, Format::Json) => {
            for code in codes::ALL {
                writeln!(out, "{}", value(code))?;
            }
        }
        (Some(wanted), _) => {
            let code = find(wanted).map_err(Failure::Told)?;
            match format {
                Format::Text => write!(out, "{}", text(code))?,
                Format::Json => writeln!(out, "{}", value(code))?,
            }
        }
    }
    Ok(Exit::Held)
}

/// The code, written in any case, with or without the leading zeros of its number, or a warning by its name.
fn find(wanted: &str) -> Result<&'static Code, String> {
    let name = normal(wanted);
    codes::find(&name).or_else(|| codes::named(wanted.trim())).ok_or_else(|| {
        let meant = nearest(&name);
        let hint = meant.map(|code| format!("; did you mean {}, {}?", code.code, code.title));
        format!("there is no code {wanted}{}", hint.unwrap_or("; `foresee explain` lists all".to_owned()))
    })
}

/// The code that differs in the fewest places, if these are few; among several the one with the nearest number.
fn nearest(name: &str) -> Option<&'static Code> {
    let differing = |code: &Code| code.code.chars().zip(name.chars()).filter(|(a, b)| a != b).count();
    let number = |name: &str| name.get(1..).and_then(|digits| digits.parse::<u32>().ok());
    let similar = codes::ALL.iter().filter(|code| code.code.len() == name.len() && differing(code) <= 2);
    similar.min_by_key(|code| {
        let apart = number(code.code).zip(number(name)).map(|(a, b)| a.abs_diff(b));
        (differing(code), apart.unwrap_or(u32::MAX))
    })
}

fn normal(wanted: &str) -> String {
    let upper = wanted.trim().trim_start_matches("error").trim_matches(['[', ']']).to_ascii_uppercase();
    let digits = upper.find(|c: char| c.is_ascii_digit()).unwrap_or(upper.len());
    let (letter, number) = upper.split_at(digits);
    match number.parse::<u32>() {
        Ok(number) => format!("{letter}{number:04}"),
        Err(_) => upper,
    }
}

fn text(code: &Code) -> String {
    let name = if code.name.is_empty() { String::new() } else { format!(" `{}`", code.name) };
    let mut text = format!("{}{name} ({}): {}\n\n", code.code, level(code), code.title);
    let mut width = 0;
    for word in code.explanation.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text.push('\n');
    if !code.name.is_empty() {
        text.push_str(&format!("\nWhere it is meant: `allow {}: \"why\";`\n", code.name));
    }
    if !code.example.is_empty() {
        text.push_str("\nFor example:\n\n");
        for line in code.example.lines() {
            text.push_str(format!("    {line}").trim_end());
            text.push('\n');
        }
    }
    text
}

fn value(code: &Code) -> Value {
    json!({
        "code": code.code,
        "name": (!code.name.is_empty()).then_some(code.name),
        "level": level(code),
        "title": code.title,
        "explanation": code.explanation,
        "example": (!code.example.is_empty()).then_some(code.example),
    })
}

fn level(code: &Code) -> &'static str {
    if code.code.starts_with('W') { "warning" } else { "error" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(code: Option<&str>, format: Format) -> String {
        let mut out = Vec::new();
        run(code, format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_code_is_explained_within_the_width() {
        for code in codes::ALL {
            let text = explained(Some(code.code), Format::Text);
            assert!(text.contains(code.title), "{text}");
            let explanation = text.split("For example").next().unwrap_or_default();
            assert!(explanation.lines().skip(1).all(|line| line.chars().count() <= WIDTH), "{text}");
            let value: Value = serde_json::from_str(&explained(Some(code.code), Format::Json)).unwrap();
            assert_eq!(value["code"], code.code);
        }
    }

    #[test]
    fn all_are_listed() {
        let list = explained(None, Format::Text);
        assert!(codes::ALL.iter().all(|code| list.contains(&format!("{}  {}", code.code, code.title))));
        assert_eq!(explained(None, Format::Json).lines().count(), codes::ALL.len());
    }

    #[test]
    fn a_code_may_be_written_carelessly() {
        for wanted in ["E0101", "e0101", "E101", " e101 ", "error[E0101]"] {
            assert_eq!(find(wanted).map(|code| code.code), Ok("E0101"), "{wanted}");
        }
    }

    #[test]
    fn an_unknown_code_is_told_its_neighbour() {
        assert!(find("E0191").unwrap_err().contains("did you mean E0101"));
        assert!(find("nonsense").unwrap_err().contains("lists all"));
        assert!(matches!(run(Some("E9999999"), Format::Text, &mut Vec::new()), Err(Failure::Told(_))));
    }
}
