//! Long lines, cut around what is marked in them, so that a diagnostic costs what it shows and not what the line holds.
//!
//! A line of ordinary length is left as it is. Of a longer one stay the characters around the start and the end of each
//! mark; what is left out becomes `…`. The renderer counts columns in what it is given, so whoever cuts says where the
//! marks stood before.

use std::ops::Range;

/// The longest line, in bytes, that is shown to the renderer whole; it abridges these itself.
const LINE_BYTES_MAX: usize = 1000;
/// How many characters stay on either side of each end of a mark.
const AROUND: usize = 28;
/// How many characters stay of a long line without marks.
const BEGINNING: usize = 80;
/// What stands for that which is left out.
const ELLIPSIS: &str = "…";

/// Text whose long lines are cut.
pub struct Cut {
    /// The text.
    pub text: String,
    /// What is kept: where it stood, and where it stands. In order; the whole text where no line is long.
    kept: Vec<(Range<usize>, usize)>,
}

/// Cuts the long lines of a text around marks, which are byte ranges on borders of characters; `None` where none is long.
pub fn cut(text: &str, marks: &[Range<usize>]) -> Option<Cut> {
    if text.len() <= LINE_BYTES_MAX || text.split('\n').all(|line| line.len() <= LINE_BYTES_MAX) {
        return None;
    }
    let mut cut = Cut { text: String::new(), kept: vec![] };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let content = start..start + line.trim_end_matches(['\n', '\r']).len();
        if content.len() <= LINE_BYTES_MAX {
            cut.keep(text, start..end);
        } else {
            cut.line(text, content.clone(), marks);
            cut.keep(text, content.end..end);
        }
        start = end;
    }
    Some(cut)
}

impl Cut {
    /// Where an end of a mark stands in what is left.
    pub fn place(&self, at: usize) -> usize {
        let after = self.kept.partition_point(|(range, _)| range.start <= at);
        // Text is kept from its beginning or an ellipsis stands there, and no mark ends within what is left out.
        let Some((range, place)) = after.checked_sub(1).and_then(|index| self.kept.get(index)) else {
            return 0;
        };
        place + (at.min(range.end) - range.start)
    }

    /// Keeps of a long line what is around the ends of marks.
    fn line(&mut self, text: &str, line: Range<usize>, marks: &[Range<usize>]) {
        let ends = marks.iter().flat_map(|mark| [mark.start, mark.end]);
        let mut ends: Vec<usize> = ends.filter(|end| line.start <= *end && *end <= line.end).collect();
        ends.sort_unstable();
        let mut windows: Vec<Range<usize>> = vec![];
        for end in ends {
            let window = back(text, line.start, end)..forth(text, end, line.end, AROUND);
            match windows.last_mut() {
                Some(last) if window.start <= last.end => last.end = last.end.max(window.end),
                _ => windows.push(window),
            }
        }
        if windows.is_empty() {
            windows.push(line.start..forth(text, line.start, line.end, BEGINNING));
        }
        let mut from = line.start;
        for window in windows {
            if from < window.start {
                self.text.push_str(ELLIPSIS);
            }
            from = window.end;
            self.keep(text, window);
        }
        if from < line.end {
            self.text.push_str(ELLIPSIS);
        }
    }

    fn keep(&mut self, text: &str, range: Range<usize>) {
        self.kept.push((range.clone(), self.text.len()));
        self.text.push_str(&text[range]);
    }
}

/// The offset some characters before `at`, not before `first`.
fn back(text: &str, first: usize, at: usize) -> usize {
    text[first..at].char_indices().rev().nth(AROUND - 1).map_or(first, |(offset, _)| first + offset)
}

/// The offset so many characters after `at`, not after `last`.
fn forth(text: &str, at: usize, last: usize, characters: usize) -> usize {
    text[at..last].char_indices().nth(characters).map_or(last, |(offset, _)| at + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_lines_are_left_alone() {
        let text = format!("{}\n{}", "a".repeat(LINE_BYTES_MAX), "b".repeat(LINE_BYTES_MAX));
        assert!(cut(&text, std::slice::from_ref(&(0..1))).is_none());
    }

    #[test]
    fn marks_stand_on_the_same_characters_before_and_after() {
        let long = format!(
            "first\r\n{}X{}YY{}\n{}\nlast\n",
            "é".repeat(4000),
            "-".repeat(30),
            "z".repeat(9000),
            "q".repeat(2000)
        );
        let (x, y) = (long.find('X').unwrap(), long.find("YY").unwrap());
        let last = long.find("last").unwrap();
        let marks = [x..x + 1, y..y + 2, y..last + 4, 0..5];
        let cut = cut(&long, &marks).unwrap();
        for mark in &marks {
            let (start, end) = (cut.place(mark.start), cut.place(mark.end));
            let head = |text: &str| text.chars().next();
            assert_eq!(head(&cut.text[start..]), head(&long[mark.start..]), "{mark:?}");
            assert_eq!(cut.text[..end].chars().next_back(), long[..mark.end].chars().next_back(), "{mark:?}");
        }
        let lines: Vec<&str> = cut.text.lines().collect();
        assert_eq!((lines[0], lines[3]), ("first", "last"));
        let between = "-".repeat(30);
        assert_eq!(lines[1], format!("…{}X{between}YY{}…", "é".repeat(AROUND), "z".repeat(AROUND)));
        assert_eq!(lines[2], format!("{}…", "q".repeat(BEGINNING)));
    }

    #[test]
    fn a_mark_over_a_whole_long_line_keeps_its_ends() {
        let text = "x".repeat(1 << 20);
        let cut = cut(&text, std::slice::from_ref(&(0..text.len()))).unwrap();
        let end = "x".repeat(AROUND);
        assert_eq!(cut.text, format!("{end}…{end}"));
        assert_eq!((cut.place(0), cut.place(text.len())), (0, cut.text.len()));
    }
}
