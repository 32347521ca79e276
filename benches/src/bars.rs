//! What is to be reached, and whether it is.

use std::fmt;
use std::io::{self, Write};

use foresee_benches::{Spread, median};

use crate::measure::Figures;
use crate::problems::{BARE, BREADTH, CLOSURE, DEPTH, Problem, TABLE, TWO_THREADS};

/// From which share of two machines on two threads show anything.
pub const CONTROL_LEAST: f64 = 1.7;

/// A figure of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// CPU seconds of a peer over ours, breadth first, on one thread.
    Ratio(&'static str),
    /// Peak resident bytes of our breadth first search by unique state.
    Bytes,
    /// Wall-clock seconds of our breadth first search on one thread over those on two.
    Threads,
    /// See [`Rounds::table_share`].
    Table,
    /// The share of CPU time that goes when no property is checked.
    Properties,
}

/// What a figure is to be.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    pub measure: Measure,
    bound: Bound,
    goal: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    Least(f64),
    Most(f64),
}

impl Bar {
    pub fn of(measure: Measure) -> Self {
        Bar { measure, bound: Bound::Least(0.0), goal: None }
    }

    pub fn least(self, figure: f64) -> Self {
        Bar { bound: Bound::Least(figure), ..self }
    }

    pub fn most(self, figure: f64) -> Self {
        Bar { bound: Bound::Most(figure), ..self }
    }

    /// What is wished for beyond it.
    pub fn goal(self, figure: f64) -> Self {
        Bar { goal: Some(figure), ..self }
    }

    fn is_met(self, figure: f64) -> bool {
        match self.bound {
            Bound::Least(least) => figure >= least,
            Bound::Most(most) => figure < most,
        }
    }
}

/// All rounds of a problem.
#[derive(Default)]
pub struct Rounds {
    /// For each contender, its figures by round.
    pub figures: Vec<Vec<Figures>>,
    /// By round, how much of the machine of one thread two get; nothing where no contender has two.
    pub control: Vec<f64>,
}

impl Rounds {
    /// A figure of each round, of two contenders; None where one of them is not there.
    pub fn paired(
        &self,
        problem: &Problem,
        one: &str,
        other: &str,
        figure: impl Fn(&Figures, &Figures) -> f64,
    ) -> Option<Spread> {
        let (one, other) = (self.figures.get(problem.place(one)?)?, self.figures.get(problem.place(other)?)?);
        Some(Spread::of(one.iter().zip(other).map(|(one, other)| figure(one, other))))
    }

    /// What a measure comes to; None where it was not measured.
    pub fn reached(&self, problem: &Problem, measure: Measure) -> Option<Spread> {
        match measure {
            Measure::Ratio(peer) => {
                self.paired(problem, BREADTH, peer, |ours, theirs| theirs.cpu_seconds / ours.cpu_seconds)
            }
            Measure::Bytes => self.paired(problem, BREADTH, BREADTH, |ours, _| {
                ours.peak_rss_bytes as f64 / ours.unique_states as f64
            }),
            Measure::Threads => {
                self.paired(problem, BREADTH, TWO_THREADS, |one, two| one.wall_seconds / two.wall_seconds)
            }
            Measure::Table => self.table_share(problem),
            Measure::Properties => self.property_share(problem, BREADTH),
        }
    }

    /// Transitions that lead elsewhere, by CPU second of our breadth first search, over operations by CPU second of the bare table. How
    /// many there are says the depth first search, which looks each of them up; breadth first, sleeping nodes spare some.
    fn table_share(&self, problem: &Problem) -> Option<Spread> {
        let figures = |name| problem.place(name).and_then(|place| self.figures.get(place));
        let (all, ours, table) = (figures(DEPTH)?, figures(BREADTH)?, figures(TABLE)?);
        let rounds = all.iter().zip(ours).zip(table);
        Some(Spread::of(
            rounds.map(|((all, ours), table)| (all.lookups as f64 / ours.cpu_seconds) / table.lookup_rate()),
        ))
    }

    /// Look-ups by CPU second of one of our searches, over operations by CPU second of the bare table.
    fn lookup_share(&self, problem: &Problem, search: &str) -> Option<Spread> {
        self.paired(problem, search, TABLE, |ours, table| ours.lookup_rate() / table.lookup_rate())
    }

    /// The share of the CPU time of one of our searches that goes when no property is checked.
    pub fn property_share(&self, problem: &Problem, search: &str) -> Option<Spread> {
        self.paired(problem, search, BARE, |all, bare| 1.0 - bare.cpu_seconds / all.cpu_seconds)
    }
}

/// What a round shows besides the figures of each contender.
pub fn besides(problem: &Problem, rounds: &Rounds, out: &mut dyn Write) -> io::Result<()> {
    for (search, of) in [(BREADTH, ""), (CLOSURE, ", the closure alone")] {
        if let Some(share) = rounds.property_share(problem, search) {
            let percent = |share: f64| 100.0 * share;
            let Spread { median, least, most } = share;
            writeln!(
                out,
                "  properties{of}: {:.0} % of the CPU time ({:.0} to {:.0}); what is below 0 is noise",
                percent(median),
                percent(least),
                percent(most)
            )?;
        }
    }
    if let Some(ratio) = rounds.reached(problem, Measure::Threads) {
        let control = Spread::of(rounds.control.iter().copied());
        writeln!(
            out,
            "  on 2 threads {} times as fast by the wall clock; arithmetic that shares nothing: {} times",
            Shown(ratio, 2),
            Shown(control, 2)
        )?;
    }
    let Some(table) = problem.place(TABLE).and_then(|place| rounds.figures.get(place)) else { return Ok(()) };
    let rate = median(table.iter().map(Figures::lookup_rate)) / 1e6;
    writeln!(out, "  the bare table does {rate:.1} M operations a CPU second, once its memory was touched")?;
    let shares = [
        (
            rounds.table_share(problem),
            "transitions that lead elsewhere, breadth first, those that are spared included",
        ),
        (rounds.lookup_share(problem, BREADTH), "look-ups, breadth first"),
        (rounds.lookup_share(problem, DEPTH), "look-ups, depth first, where nothing is spared"),
    ];
    for (share, what) in shares {
        if let Some(share) = share {
            writeln!(out, "  the search does {:.0} % of that in {what}", 100.0 * share.median)?;
        }
    }
    Ok(())
}

/// A median with its spread.
struct Shown(Spread, usize);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(Spread { median, least, most }, digits) = *self;
        write!(f, "{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }
}

/// The table of all bars.
pub fn summary(problems: &[(Problem, Rounds)], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{:<46} {:<44} {:>24} {:>8}", "bars", "", "reached", "bar")?;
    for (problem, rounds) in problems {
        for bar in &problem.bars {
            let (what, scale, digits) = described(bar.measure);
            let scaled = |spread: Spread| {
                let Spread { median, least, most } = spread;
                Spread { median: median * scale, least: least * scale, most: most * scale }
            };
            let reached = rounds.reached(problem, bar.measure);
            let shown = reached.map_or("-".to_owned(), |it| Shown(scaled(it), digits).to_string());
            let bound = match bar.bound {
                Bound::Least(least) => format!(">= {}", least * scale),
                Bound::Most(most) => format!("< {}", most * scale),
            };
            let verdict = verdict(*bar, reached, rounds);
            let goal = bar.goal.map_or(String::new(), |goal| {
                let met = reached.is_some_and(|it| it.median >= goal);
                format!("; goal {}: {}", goal * scale, if met { "met" } else { "not met" })
            });
            writeln!(out, "{:<46} {what:<44} {shown:>24} {bound:>8}   {verdict}{goal}", problem.name)?;
        }
    }
    Ok(())
}

/// What a measure is, what it is multiplied by to be shown, and how many digits are.
fn described(measure: Measure) -> (String, f64, usize) {
    match measure {
        Measure::Ratio(peer) => (format!("CPU time of {peer}, over ours"), 1.0, 1),
        Measure::Bytes => ("peak resident bytes a state".to_owned(), 1.0, 1),
        Measure::Threads => ("wall clock of 1 thread over that of 2".to_owned(), 1.0, 2),
        Measure::Table => ("transitions in % of the bare table".to_owned(), 100.0, 0),
        Measure::Properties => ("properties in % of CPU time".to_owned(), 100.0, 0),
    }
}

fn verdict(bar: Bar, reached: Option<Spread>, rounds: &Rounds) -> String {
    let Some(reached) = reached else { return "not measured".to_owned() };
    let control = median(rounds.control.iter().copied());
    if bar.measure == Measure::Threads && control < CONTROL_LEAST {
        return format!("not judged: the control gets {control:.2}, not {CONTROL_LEAST}");
    }
    (if bar.is_met(reached.median) { "met" } else { "NOT MET" }).to_owned()
}
