//! The table of a task.

use std::io::Write;

use foresee::sim::{Means, Run};

use crate::Task;

/// Prints a line for each contender.
pub fn print(task: &Task, rows: &[(&str, Vec<Run>)], out: &mut impl Write) -> std::io::Result<()> {
    let seeds = rows.first().map_or(0, |(_, runs)| runs.len());
    writeln!(out, "{}, {seeds} seeds: {}", task.name, task.figure)?;
    let mean = |name: &str| {
        let runs = rows.iter().find(|(known, _)| *known == name);
        runs.map(|(_, runs)| spread(runs.iter().map(|run| task.of(run))).0)
    };
    for (name, runs) in rows {
        let (middle, half) = spread(runs.iter().map(|run| task.of(run)));
        write!(out, "  {name:<14}{:>20}", format!("{middle:.2} ±{half:.2}"))?;
        for (other, others) in rows.iter().take_while(|(other, _)| other != name) {
            if *other == "omniscient" || (*other == "lookahead" && *name != "omniscient") {
                continue;
            }
            // Differences of pairs, in percent of the mean of the other.
            let pairs = runs.iter().zip(others).map(|(run, other)| task.of(run) - task.of(other));
            let (difference, half) = spread(pairs);
            let percent = 100.0 / mean(other).unwrap_or(f64::NAN);
            let told = format!("{:+.1} ±{:.1} %", difference * percent, half * percent);
            write!(out, "  {told} of {other}")?;
        }
        writeln!(out)?;
        let told = |name: &str| {
            let figure = |run: &Run| run.resolver.get(name).copied().unwrap_or_default();
            spread(runs.iter().map(figure)).0
        };
        if told("guarded") > 0.0 {
            writeln!(out, "      the default resolves: it did better in training")?;
        }
        if told("choices") > 0.0 {
            let (choices, bytes) = (told("choices"), spread(runs.iter().map(|run| run.bytes as f64)).0);
            let (rollouts, steps) = (told("rollouts") / choices, told("rollout_steps") / choices);
            writeln!(
                out,
                "      {choices:.0} choices of {rollouts:.0} rollouts and {steps:.0} steps; knowledge {:.0} B, the protocol {bytes:.0} B",
                told("knowledge_bytes"),
            )?;
        }
    }
    if let (Some(random), Some(found), Some(best)) = (mean("random"), mean("lookahead"), mean("omniscient")) {
        match random > best {
            true => writeln!(
                out,
                "  of the gap from random to omniscient, lookahead closes {:.0} %",
                100.0 * (random - found) / (random - best)
            )?,
            false => writeln!(out, "  omniscient is no better than random")?,
        }
    }
    writeln!(out)
}

/// A mean with half of its 95 % interval, by Student's law.
fn spread(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut means = Means::default();
    values.for_each(|value| means.add(value));
    let half = means.student(0.05).map_or(f64::NAN, |interval| (interval.high - interval.low) / 2.0);
    (means.mean().unwrap_or_default(), half)
}
