//! The last step: lines become text, neighbouring cells and comments stand in columns.

use super::write::Line;

/// Comments after lines longer than this are not aligned with others.
const ALIGNED_MAX: usize = 90;

/// The text of all lines.
pub fn text(lines: &[Line]) -> String {
    let widths = cell_widths(lines);
    let rows: Vec<String> = lines.iter().zip(&widths).map(|(line, widths)| first_row(line, widths)).collect();
    let columns = comment_columns(lines, &rows);
    let mut out = String::new();
    for ((line, row), column) in lines.iter().zip(&rows).zip(columns) {
        if line.spaced {
            out.push('\n');
        }
        let mut physical: Vec<String> = std::iter::once(row.clone()).chain(further(line, row)).collect();
        if let (Some(comment), Some(last)) = (&line.comment, physical.last_mut()) {
            let gap = column.saturating_sub(last.chars().count()).max(1);
            *last += &format!("{}{comment}", " ".repeat(gap));
        }
        for row in physical {
            out.push_str(&row);
            out.push('\n');
        }
    }
    out
}

/// The further lines of a line, moved by as much as its last cell was.
fn further(line: &Line, row: &str) -> Vec<String> {
    let plain = line.indent + line.cells.join(" ").chars().count();
    let moved = if line.hanging { row.chars().count().saturating_sub(plain) } else { 0 };
    line.rest.iter().map(|rest| " ".repeat(if rest.is_empty() { 0 } else { moved }) + rest).collect()
}

fn first_row(line: &Line, widths: &[usize]) -> String {
    let mut row = " ".repeat(line.indent);
    for (index, cell) in line.cells.iter().enumerate() {
        row.push_str(cell);
        if index + 1 < line.cells.len() {
            row.extend(std::iter::repeat_n(' ', widths[index].saturating_sub(cell.chars().count()) + 1));
        }
    }
    row
}

/// The widths of the cells of each line: those of its run of neighbours with as many cells.
fn cell_widths(lines: &[Line]) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![];
    let mut start = 0;
    while start < lines.len() {
        let key = |line: &Line| (line.indent, line.cells.len(), line.class);
        let run =
            lines[start + 1..].iter().take_while(|line| !line.spaced && key(line) == key(&lines[start]));
        let end = start + 1 + run.count();
        let mut widths = vec![0; lines[start].cells.len()];
        let aligned = lines[start].class.is_empty() || lines[start..end].iter().any(|line| line.asks);
        for line in lines[start..end].iter().filter(|_| aligned) {
            for (width, cell) in widths.iter_mut().zip(&line.cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        all.extend(std::iter::repeat_n(widths, end - start));
        start = end;
    }
    all
}

/// The column of each line's comment.
fn comment_columns(lines: &[Line], rows: &[String]) -> Vec<usize> {
    let length = |index: usize| {
        let further = further(&lines[index], &rows[index]);
        further.last().unwrap_or(&rows[index]).chars().count()
    };
    let mut columns = vec![0; lines.len()];
    let mut start = 0;
    while start < lines.len() {
        let more = lines[start + 1..].iter().take_while(|line| line.comment.is_some() && !line.spaced);
        let end = if lines[start].comment.is_some() { start + 1 + more.count() } else { start + 1 };
        let fitting = (start..end).map(length).filter(|length| *length <= ALIGNED_MAX);
        let least = fitting.max().map_or(0, |longest| longest + 2);
        let mut own = lines[start..end].iter().map(|line| line.comment_column);
        let common = own.next().flatten().filter(|first| own.all(|it| it == Some(*first)));
        let column = common.filter(|it| (least..=ALIGNED_MAX).contains(it)).unwrap_or(least);
        for (index, place) in columns.iter_mut().enumerate().take(end).skip(start) {
            *place = column.max(length(index) + 2);
        }
        start = end;
    }
    columns
}
