//! Sequence diagrams for Mermaid, which draws them in Markdown.
//!
//! Mermaid's arrows are level: a message is drawn in the row in which something becomes of it.

use std::fmt::Write;

use super::{Fate, Mark, Scene};

/// The diagram.
pub fn write(scene: &Scene) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = diagram(scene, &mut out);
    out
}

fn diagram(scene: &Scene, out: &mut String) -> std::fmt::Result {
    writeln!(out, "sequenceDiagram")?;
    writeln!(out, "    title {}", escaped(&scene.title))?;
    for (lane, name) in scene.lanes.iter().enumerate() {
        writeln!(out, "    participant p{lane} as {}", escaped(name))?;
    }
    let all = format!("p0,p{}", scene.lanes.len().saturating_sub(1));
    for (index, row) in scene.rows.iter().enumerate() {
        let number = index + 1;
        let text = escaped(&row.what);
        let over = match &row.mark {
            Mark::Arrow { from, to, fate, .. } => {
                let (arrow, what) = match fate {
                    Fate::Arrives => ("->>", ""),
                    Fate::IsLost => ("-x", " (lost)"),
                    Fate::IsDoubled => ("--)", " (doubled)"),
                };
                writeln!(out, "    p{from}{arrow}p{to}: {number}. {text}{what}")?;
                format!("p{to}")
            }
            Mark::At(lane) => {
                writeln!(out, "    Note over p{lane}: {number}. {text}")?;
                format!("p{lane}")
            }
            Mark::Across(lanes) => {
                let (first, last) = (lanes.iter().min(), lanes.iter().max());
                let over = match (first, last) {
                    (Some(first), Some(last)) => format!("p{first},p{last}"),
                    _ => all.clone(),
                };
                writeln!(out, "    Note over {over}: {number}. {text}")?;
                over
            }
        };
        if !row.details.is_empty() {
            let details: Vec<String> = row.details.iter().map(|line| escaped(line)).collect();
            writeln!(out, "    Note over {over}: {}", details.join("<br/>"))?;
        }
    }
    for flight in &scene.waiting {
        writeln!(out, "    p{}--)p{}: {} (still under way)", flight.from, flight.to, escaped(&flight.label))?;
    }
    writeln!(out, "    Note over {all}: {}", escaped(&scene.ending))
}

/// Mermaid ends a statement at a semicolon, takes a hash for a character's number, and angles for markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '#' => out.push_str("#35;"),
            ';' => out.push_str("#59;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '\n' | '\r' => out.push(' '),
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_means_something_to_mermaid_is_escaped() {
        assert_eq!(escaped("a -> {b; #1}\n<i>"), "a -#gt; {b#59; #35;1} #lt;i#gt;");
    }
}
