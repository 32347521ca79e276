//! What the benches share: the middle and the spread of figures, and processes that are measured.

pub mod peer;
pub mod process;

/// The middle of some figures, and the least and most of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// That of some figures; NaN of none.
    pub fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => (at(middle.wrapping_sub(1)) + at(middle)) / 2.0,
            _ => at(middle),
        };
        Spread { median, least: at(0), most: at(sorted.len().wrapping_sub(1)) }
    }

    /// The median with the least and the most, with so many digits.
    pub fn shown(self, digits: usize) -> String {
        let Spread { median, least, most } = self;
        format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }
}

/// The median of some figures; NaN of none.
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    Spread::of(figures).median
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_of_the_sorted() {
        assert_eq!(Spread::of([3.0, 1.0, 9.0].into_iter()), Spread { median: 3.0, least: 1.0, most: 9.0 });
        assert_eq!(median([4.0, 1.0, 2.0, 9.0].into_iter()), 3.0);
        assert!(median(std::iter::empty()).is_nan());
    }
}
