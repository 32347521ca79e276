//! The numbers of a specification beside those of another one.

use serde::Serialize;

use super::Stats;

/// By which part the numbers of a file differ from another's: -0.5 is half as many. None where the other has none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Against {
    /// The other file's name.
    pub file: String,
    /// Lines.
    pub lines: Option<f64>,
    /// Lines without systems and scenarios.
    pub protocol_lines: Option<f64>,
    /// Handlers.
    pub handlers: Option<f64>,
    /// Branches.
    pub branches: Option<f64>,
    /// Branches for each handler.
    pub branches_per_handler: Option<f64>,
    /// Branches, and `&&` and `||` in guards.
    pub branches_with_guards: Option<f64>,
    /// The same for each handler.
    pub branches_with_guards_per_handler: Option<f64>,
    /// Choices.
    pub choices: Option<f64>,
}

impl Stats {
    /// Compares the file with another.
    pub fn against(&self, other: &Stats) -> Against {
        let (ours, theirs) = (&self.total, &other.total);
        let whole = |ours: usize, theirs: usize| part(ours as f64, theirs as f64);
        Against {
            file: other.file.clone(),
            lines: whole(self.lines, other.lines),
            protocol_lines: whole(self.protocol_lines, other.protocol_lines),
            handlers: whole(ours.handlers, theirs.handlers),
            branches: whole(ours.branches, theirs.branches),
            branches_per_handler: part(ours.branches_per_handler, theirs.branches_per_handler),
            branches_with_guards: whole(ours.branches_with_guards, theirs.branches_with_guards),
            branches_with_guards_per_handler: part(
                ours.branches_with_guards_per_handler,
                theirs.branches_with_guards_per_handler,
            ),
            choices: whole(ours.choices.total, theirs.choices.total),
        }
    }
}

/// `ours / theirs - 1`, to four digits.
fn part(ours: f64, theirs: f64) -> Option<f64> {
    (theirs > 0.0).then(|| ((ours / theirs - 1.0) * 10_000.0).round() / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_the_other() {
        assert_eq!(part(280.0, 487.0), Some(-0.4251));
        assert_eq!(part(3.0, 2.0), Some(0.5));
        assert_eq!(part(3.0, 0.0), None);
    }
}
