//! Sequence diagrams as SVG, with nothing that it needs from elsewhere. An arrow begins in the row in which its message was sent.

use std::fmt::Write;

use super::{Fate, Mark, Row, Scene};

const LANE: usize = 230;
const LEFT: usize = 130;
const TOP: usize = 70;
const LINE: usize = 15;
/// Room above the text of a row, and below it.
const PAD: usize = 22;
/// The widest text of a lane, in letters.
const LETTERS: usize = 34;

const STYLE: &str = "text{font:12px ui-monospace,monospace;fill:#222}.h{font-weight:bold}.d{fill:#666;font-size:10.5px}\
.l{stroke:#bbb;stroke-dasharray:3 3}.a{stroke:#1f5fa8;fill:none;stroke-width:1.4}.x{stroke:#b3261e;stroke-dasharray:5 3}\
.w{stroke:#999;stroke-dasharray:2 4}.b{fill:#eef3fa;stroke:#1f5fa8}.e{fill:#fdecea;stroke:#b3261e}";

/// The picture.
pub fn write(scene: &Scene) -> String {
    let picture = Picture::new(scene);
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = picture.draw(&mut out);
    out
}

struct Picture<'s> {
    scene: &'s Scene,
    /// The height at which each row begins, and that at which the last one ends.
    tops: Vec<usize>,
}

impl<'s> Picture<'s> {
    fn new(scene: &'s Scene) -> Self {
        let mut tops = vec![TOP];
        for row in &scene.rows {
            let lines: usize = row.details.iter().map(|detail| wrapped(detail).len()).sum();
            tops.push(tops[tops.len() - 1] + PAD + LINE * (lines + 1) + 8);
        }
        Picture { scene, tops }
    }

    fn x(lane: usize) -> usize {
        LEFT + lane * LANE
    }

    /// The height at which the row of that number happens.
    fn y(&self, row: usize) -> usize {
        self.tops[row] + PAD
    }

    fn end(&self) -> usize {
        self.tops[self.tops.len() - 1]
    }

    fn draw(&self, out: &mut String) -> std::fmt::Result {
        let lanes = self.scene.lanes.len().max(1);
        let (width, height) = (Self::x(lanes - 1) + LEFT + 120, self.end() + 60);
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">"
        )?;
        writeln!(out, "<title>{}</title>\n<style>{STYLE}</style>", escaped(&self.scene.title))?;
        writeln!(
            out,
            "<defs><marker id=\"m\" markerWidth=\"9\" markerHeight=\"9\" refX=\"8\" refY=\"4\" orient=\"auto\">\
             <path d=\"M0,0 L8,4 L0,8 z\" fill=\"#1f5fa8\"/></marker></defs>"
        )?;
        writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>")?;
        for (lane, name) in self.scene.lanes.iter().enumerate() {
            let (x, end) = (Self::x(lane), self.end());
            writeln!(out, "<line class=\"l\" x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{end}\"/>", TOP - 20)?;
            writeln!(
                out,
                "<text class=\"h\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                TOP - 30,
                escaped(name)
            )?;
        }
        for (index, row) in self.scene.rows.iter().enumerate() {
            self.row(index, row, out)?;
        }
        for flight in &self.scene.waiting {
            let (from, to) = (Self::x(flight.from), Self::x(flight.to));
            self.line("a w", (from, self.y(flight.sent)), (to, self.end()), out)?;
        }
        let y = self.end() + 30;
        writeln!(
            out,
            "<rect class=\"e\" x=\"20\" y=\"{}\" width=\"{}\" height=\"26\" rx=\"4\"/>",
            y - 17,
            width - 40
        )?;
        writeln!(out, "<text x=\"30\" y=\"{y}\">{}</text>", escaped(&self.scene.ending))?;
        writeln!(out, "</svg>")
    }

    fn row(&self, index: usize, row: &Row, out: &mut String) -> std::fmt::Result {
        let y = self.y(index);
        writeln!(out, "<text class=\"d\" x=\"12\" y=\"{y}\">{}</text>", index + 1)?;
        let lane = match &row.mark {
            Mark::Arrow { from, to, sent, fate } => {
                let start = sent.map_or(TOP - 20, |sent| self.y(sent));
                let class = if *fate == Fate::Arrives { "a" } else { "a x" };
                let (from, end) = (Self::x(*from), Self::x(*to));
                if from == end {
                    writeln!(
                        out,
                        "<path class=\"{class}\" marker-end=\"url(#m)\" d=\"M{from},{start} C{0},{start} {0},{y} {end},{y}\"/>",
                        from + 60
                    )?;
                } else {
                    self.line(class, (from, start), (end, y), out)?;
                }
                let what = match fate {
                    Fate::Arrives => row.what.clone(),
                    Fate::IsLost => format!("{} (lost)", row.what),
                    Fate::IsDoubled => format!("{} (doubled)", row.what),
                };
                self.label(end, y, &what, out)?;
                *to
            }
            Mark::At(lane) => {
                writeln!(out, "<circle class=\"b\" cx=\"{}\" cy=\"{y}\" r=\"5\"/>", Self::x(*lane))?;
                self.label(Self::x(*lane), y, &row.what, out)?;
                *lane
            }
            Mark::Across(lanes) => {
                let all = || (0, self.scene.lanes.len().saturating_sub(1));
                let (first, last) =
                    lanes.iter().min().zip(lanes.iter().max()).map_or_else(all, |(a, b)| (*a, *b));
                let (x, width) = (Self::x(first) - 12, Self::x(last) - Self::x(first) + 24);
                writeln!(
                    out,
                    "<rect class=\"e\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"6\"/>",
                    y - 3
                )?;
                self.label(Self::x(first), y, &row.what, out)?;
                first
            }
        };
        let lines = row.details.iter().flat_map(|detail| wrapped(detail));
        for (line, text) in lines.enumerate() {
            let (x, y) = (Self::x(lane) + 10, y + LINE * (line + 1));
            writeln!(out, "<text class=\"d\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(&text))?;
        }
        Ok(())
    }

    fn label(&self, x: usize, y: usize, text: &str, out: &mut String) -> std::fmt::Result {
        writeln!(out, "<text x=\"{}\" y=\"{}\">{}</text>", x + 10, y - 4, escaped(text))
    }

    fn line(
        &self,
        class: &str,
        from: (usize, usize),
        to: (usize, usize),
        out: &mut String,
    ) -> std::fmt::Result {
        let ((x1, y1), (x2, y2)) = (from, to);
        writeln!(
            out,
            "<line class=\"{class}\" marker-end=\"url(#m)\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
        )
    }
}

/// A text in lines that fit between two lanes.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let length = lines[last].chars().count() + 1 + word.chars().count();
        if !lines[last].is_empty() && length > LETTERS {
            lines.push(format!("  {word}"));
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // No other control letter may stand in XML.
            _ if letter.is_control() => out.push(' '),
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escaped, wrapped};

    #[test]
    fn texts_are_wrapped_and_escaped() {
        assert_eq!(wrapped("short"), ["short"]);
        let lines = wrapped("a.votes: {n[0], n[1], n[2], n[3]} -> {n[0], n[1], n[2], n[3], n[4]}");
        assert!(lines.len() > 1 && lines.iter().all(|line| line.chars().count() <= 40), "{lines:?}");
        assert_eq!(escaped("a<\"b\">&\u{7}"), "a&lt;&quot;b&quot;&gt;&amp; ");
    }
}
